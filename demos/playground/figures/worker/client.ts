/** The page's side of its workers. No page has tasks of both, so it has one. */
import { type Answer, NOT_LOADED, type Order } from "./protocol.ts";

export interface TaskEvents<Message> {
  onMessage(message: Message): void;
  /** The task has ended by an error, or the worker does not load; the text says why. */
  onProblem(message: string): void;
}

/** A worker, which starts with its first task. */
class Host {
  private worker: Worker | null = null;
  private readonly listeners = new Map<number, TaskEvents<never>>();
  private readonly make: () => Worker;

  constructor(make: () => Worker) {
    this.make = make;
  }

  listen(id: number, events: TaskEvents<never>): void {
    this.worker ??= this.begin();
    this.listeners.set(id, events);
  }

  forget(id: number): void {
    this.listeners.delete(id);
  }

  /** After an error none of the orders of a task has an effect. */
  send(order: Order): void {
    if (this.listeners.has(order.id)) this.worker?.postMessage(order);
  }

  private begin(): Worker {
    const { listeners } = this;
    const made = this.make();
    made.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      const events = listeners.get(data.id);
      if (data.kind === "message") events?.onMessage(data.message as never);
      else {
        listeners.delete(data.id);
        events?.onProblem(data.message);
      }
    });
    made.addEventListener("error", (event) => {
      event.preventDefault();
      // A script that does not load, or is none, gives an event without a message.
      const { message } = event as Partial<ErrorEvent>;
      const told = [...listeners.values()];
      listeners.clear();
      made.terminate();
      this.worker = null;
      for (const { onProblem } of told) onProblem(message?.replace(/^Uncaught (\w+: )?/, "") || NOT_LOADED);
    });
    return made;
  }
}

const TRAINING = new Host(() => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }));
const RULES = new Host(() => new Worker(new URL("./rules.ts", import.meta.url), { type: "module" }));
/** The tasks of `rules/`. */
const OF_RULES = ["neighbours", "stdp-window"];

let tasks = 0;

/** A task in a worker, which rests until it is told to play. */
export class Task<Told = never> {
  private readonly id = ++tasks;
  private readonly host: Host;

  /** Starts `tasks/NAME.ts` or `rules/NAME.ts`. */
  constructor(name: string, parameters: unknown, events: TaskEvents<never>) {
    this.host = OF_RULES.includes(name) ? RULES : TRAINING;
    this.host.listen(this.id, events);
    this.host.send({ kind: "start", id: this.id, name, parameters });
  }

  play(): void {
    this.host.send({ kind: "play", id: this.id });
  }

  /** No turn of the task begins until it plays. */
  rest(): void {
    this.host.send({ kind: "rest", id: this.id });
  }

  /** Says something to the task. */
  tell(message: Told): void {
    this.host.send({ kind: "tell", id: this.id, message });
  }

  /** Ends the task, which frees what it holds. */
  stop(): void {
    this.host.send({ kind: "stop", id: this.id });
    this.host.forget(this.id);
  }
}
