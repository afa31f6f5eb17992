/** Messages between a page and its worker. A task has the number that the page has given it. */

export type Order =
  /** The task of `tasks/NAME.ts` or `rules/NAME.ts`, which rests until it is told to play. */
  | { readonly kind: "start"; readonly id: number; readonly name: string; readonly parameters: unknown }
  | { readonly kind: "tell"; readonly id: number; readonly message: unknown }
  | { readonly kind: "play" | "rest" | "stop"; readonly id: number };

export type Answer =
  | { readonly kind: "message"; readonly id: number; readonly message: unknown }
  /** The task has ended by an error. */
  | { readonly kind: "problem"; readonly id: number; readonly message: string };

/** Said where a script of the worker is not there. */
export const NOT_LOADED =
  "The part of this figure that computes does not load: the network may be away, or the page has been renewed. Reload the page.";

/** Sends a message to the page. The buffers in `transfer` move there, all else is copied. */
export type Send<Message> = (message: Message, transfer?: Transferable[]) => void;

/** The buffers of the typed arrays in a message. */
export function buffersIn(message: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(message)) found.add(message.buffer as ArrayBuffer);
  else if (typeof message === "object" && message !== null)
    for (const value of Object.values(message)) buffersIn(value, found);
  return [...found];
}

/**
 * The turns of a task. Each ends with `yield` of the milliseconds until the next turn may begin, Infinity for no turn before the page says
 * something; a message of the page ends the wait. `yield` gives the messages that came since the last turn. A turn of at most 30 ms lets
 * other tasks of the page have theirs.
 */
export type Turns<Told = never> =
  | Generator<number, void, readonly Told[]>
  | AsyncGenerator<number, void, readonly Told[]>;

/**
 * `run` of `tasks/NAME.ts` or `rules/NAME.ts`. The build takes all files of these folders for tasks, so their tests lie beside them. When the page stops the task, the
 * generator returns, so that a `finally` frees what the task holds.
 */
export type Run<Parameters, Message, Told = never> = (parameters: Parameters, send: Send<Message>) => Turns<Told>;
