import { element } from "./dom.ts";

/** Work that takes longer is told of. */
const PATIENCE_MS = 250;

/** The words of a figure on the work of its worker and on problems, at the foot of the window: nothing moves for them. */
export class Words {
  readonly node: HTMLElement;
  private readonly problemLine = element("p", { class: "problem", role: "alert", hidden: "" });
  private readonly busyLine = element("p", { class: "busy", role: "status" });
  private readonly work: () => string;
  /** Commands that the worker has not carried out. */
  private waiting = 0;
  private patience: ReturnType<typeof setTimeout> | undefined;

  /** `work` names what the worker may be at. */
  constructor(work: () => string) {
    this.work = work;
    this.node = element("div", { class: "words" }, this.problemLine, this.busyLine);
  }

  /** null: there is none. */
  problem(message: string | null): void {
    this.problemLine.hidden = message === null;
    this.problemLine.textContent = message;
  }

  /** The worker has one more command. */
  begin(): void {
    this.waiting++;
    if (this.busyLine.textContent !== "") this.busyLine.textContent = this.work();
    this.patience ??= setTimeout(() => {
      this.busyLine.textContent = this.work();
    }, PATIENCE_MS);
  }

  /** The worker has carried out so many commands, or will carry out none. */
  end(commands = this.waiting): void {
    this.waiting -= commands;
    if (this.waiting > 0) return;
    clearTimeout(this.patience);
    this.patience = undefined;
    this.busyLine.textContent = "";
  }
}
