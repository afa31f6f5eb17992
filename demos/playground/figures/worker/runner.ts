/** Runs tasks in turns. A task that rests has no turn. */
import { type Answer, NOT_LOADED, type Order, type Run, type Turns } from "./protocol.ts";

type Post = (answer: Answer, transfer?: Transferable[]) => void;

/** Loads the `run` of the task of a name. */
export type Load = (name: string) => Promise<Run<unknown, unknown, unknown>>;

/** Calls a function once the messages that have come are heard. */
export type Soon = (call: () => void) => void;

export class Runner {
  private readonly tasks = new Map<number, Task>();
  private readonly load: Load;
  private readonly post: Post;
  private readonly soon: Soon;

  constructor(load: Load, post: Post, soon: Soon = setTimeout) {
    this.load = load;
    this.post = post;
    this.soon = soon;
  }

  obey(order: Order): void {
    const { id } = order;
    if (order.kind === "start") {
      const task = new Task((error) => {
        this.tasks.delete(id);
        this.post({ kind: "problem", id, message: error instanceof Error ? error.message : String(error) });
      }, this.soon);
      this.tasks.set(id, task);
      void task.start(this.load(order.name), (run) =>
        run(order.parameters, (message, transfer) => this.post({ kind: "message", id, message }, transfer)),
      );
      return;
    }
    // A task that has ended by an error hears no more.
    const task = this.tasks.get(id);
    if (order.kind === "tell") task?.tell(order.message);
    else if (order.kind === "stop") {
      this.tasks.delete(id);
      task?.stop();
    } else task?.play(order.kind === "play");
  }
}

class Task {
  /** null until the script is loaded, and when the task has ended. */
  private turns: Turns<unknown> | null = null;
  private isStopped = false;
  private isPlaying = false;
  /** A turn is being computed. */
  private isBusy = false;
  private readonly told: unknown[] = [];
  /** The first turn begins a generator, which hears nothing before its first `yield`. */
  private hasBegun = false;
  /** When the next turn may begin. */
  private due = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts plans for the next turn, of which the last one holds. */
  private plan = 0;
  private readonly fail: (error: unknown) => void;
  private readonly soon: Soon;

  constructor(fail: (error: unknown) => void, soon: Soon) {
    this.fail = fail;
    this.soon = soon;
  }

  async start<R>(loading: Promise<R>, begin: (run: R) => Turns<unknown>): Promise<void> {
    try {
      const run = await loading;
      if (this.isStopped) return;
      this.turns = begin(run);
      this.schedule();
    } catch (error) {
      // A script that is not there is a TypeError.
      if (!this.isStopped) this.fail(error instanceof TypeError ? new Error(NOT_LOADED) : error);
    }
  }

  play(isPlaying: boolean): void {
    this.isPlaying = isPlaying;
    this.schedule();
  }

  tell(message: unknown): void {
    this.told.push(message);
    this.schedule();
  }

  stop(): void {
    const { turns } = this;
    this.isStopped = true;
    this.turns = null;
    clearTimeout(this.timer);
    // While a turn waits for something, the end comes after it.
    void turns?.return();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    const plan = ++this.plan;
    if (!this.isPlaying || this.isBusy || this.turns === null) return;
    const turn = (): void => {
      if (plan === this.plan) void this.turn();
    };
    const wait = this.told.length > 0 ? 0 : this.due - performance.now();
    if (wait <= 0) this.soon(turn);
    else if (wait < Number.POSITIVE_INFINITY) this.timer = setTimeout(turn, wait);
  }

  private async turn(): Promise<void> {
    const { turns } = this;
    if (turns === null) return;
    const told = this.hasBegun ? this.told.splice(0) : [];
    this.hasBegun = true;
    this.isBusy = true;
    try {
      const { done, value } = await turns.next(told);
      if (done === true) this.turns = null;
      else this.due = performance.now() + value;
    } catch (error) {
      if (!this.isStopped) this.fail(error);
      this.turns = null;
    }
    this.isBusy = false;
    this.schedule();
  }
}
