/** The page's side of its worker, which starts with the first task. */
import { type Answer, NOT_LOADED, type Order } from "./protocol.ts";

export interface TaskEvents<Message> {
  onMessage(message: Message): void;
  /** The task has ended by an error, or the worker does not load; the text says why. */
  onProblem(message: string): void;
}

let worker: Worker | null = null;
const listeners = new Map<number, TaskEvents<never>>();
let tasks = 0;

function begin(): Worker {
  const made = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
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
    worker = null;
    for (const { onProblem } of told) onProblem(message?.replace(/^Uncaught (\w+: )?/, "") || NOT_LOADED);
  });
  return made;
}

/** A task in the worker, which rests until it is told to play. After an error none of its orders has an effect. */
export class Task<Told = never> {
  private readonly id = ++tasks;

  /** Starts `tasks/NAME.ts`. */
  constructor(name: string, parameters: unknown, events: TaskEvents<never>) {
    worker ??= begin();
    listeners.set(this.id, events);
    this.send({ kind: "start", id: this.id, name, parameters });
  }

  play(): void {
    this.send({ kind: "play", id: this.id });
  }

  /** No turn of the task begins until it plays. */
  rest(): void {
    this.send({ kind: "rest", id: this.id });
  }

  /** Says something to the task. */
  tell(message: Told): void {
    this.send({ kind: "tell", id: this.id, message });
  }

  /** Ends the task, which frees what it holds. */
  stop(): void {
    this.send({ kind: "stop", id: this.id });
    listeners.delete(this.id);
  }

  private send(order: Order): void {
    if (listeners.has(this.id)) worker?.postMessage(order);
  }
}
