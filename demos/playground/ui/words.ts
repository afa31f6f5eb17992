import { element } from "./dom.ts";

/** What a room says of its work and of problems, at the foot of the window: nothing moves for it. */
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
