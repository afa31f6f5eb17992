import { element } from "./dom.ts";

/** The words of a room on its work and on problems, at the foot of the window: nothing moves for them. */
export class Words {
  readonly node: HTMLElement;
  private readonly problemLine = element("p", { class: "problem", role: "alert", hidden: "" });
  private readonly busyLine = element("p", { class: "busy", role: "status" });

  constructor() {
    this.node = element("div", { class: "words" }, this.problemLine, this.busyLine);
  }

  /** null: there is none. */
  problem(message: string | null): void {
    this.problemLine.hidden = message === null;
    this.problemLine.textContent = message;
  }

  busy(message: string): void {
    this.busyLine.textContent = message;
  }
}
