/**
 * The serial share of a training step. A step with two threads spends time in orders, in which both threads compute or one waits for the other.
 * The rest of its time is serial. It is divided by the time of a step with one thread. Amdahl's law predicts the time with more threads from it.
 * Times are wall times of the main thread, so the machine must be idle.
 */
import { median } from "./interleave.ts";
import type { Step } from "./training.ts";

/** Milliseconds of a turn, and turns of one thread and of two, which alternate. */
const TURN = 400;
const TURNS = 5;

/** Indices in a thread's slot: the number of its order, and of the last finished one. A test compares them with engine/threads/orders.ts. */
export const ORDER = 0;
export const DONE = 32;

type Words = Int32Array<SharedArrayBuffer>;

export interface Serial {
  /** Serial time over the time of a step with one thread. */
  readonly share: number;
  /** Milliseconds of a step with one thread and with two. */
  readonly one: number;
  readonly two: number;
}

/** The time with n threads over the time with one, if n threads share all but the serial share. */
export const amdahl = (share: number, n: number): number => share + (1 - share) / n;

/** Measures the time in which orders to threads run. An order begins when its number is written, and ends when `DONE` has this number. */
export class Orders {
  ms = 0;
  private began = 0;
  /** The number of the running order, by the address of the thread's slot. */
  private readonly open = new Map<number, number>();
  private readonly atomics = { store: Atomics.store, load: Atomics.load };

  watch(): void {
    const { store, load } = this.atomics;
    const watched = {
      store: (words: Words, at: number, value: number): number => {
        if (at === ORDER) this.begin(words, value);
        // The main thread answers for a part that it has taken over.
        else if (at === DONE) this.end(words, value);
        return store(words, at, value);
      },
      load: (words: Words, at: number): number => {
        const value = load(words, at);
        if (at === DONE) this.end(words, value);
        return value;
      },
    };
    Object.assign(Atomics, watched);
  }

  unwatch(): void {
    Object.assign(Atomics, this.atomics);
  }

  private begin(words: Words, order: number): void {
    if (this.open.size === 0) this.began = performance.now();
    this.open.set(words.byteOffset, order);
  }

  private end(words: Words, order: number): void {
    if (this.open.get(words.byteOffset) !== order) return;
    this.open.delete(words.byteOffset);
    if (this.open.size === 0) this.ms += performance.now() - this.began;
  }
}

/** Measures a step; `threads(n)` sets the number of threads. */
export async function serialOf(
  { step, prepare = () => {} }: Step,
  threads: (n: number) => Promise<unknown>,
): Promise<Serial> {
  const [ones, twos, alone]: [number[], number[], number[]] = [[], [], []];
  for (let turn = 0; turn <= TURNS; turn++) {
    await threads(1);
    const one = timeOf(step, prepare);
    await threads(2);
    const orders = new Orders();
    orders.watch();
    const two = timeOf(step, prepare, orders);
    orders.unwatch();
    // The first turn warms up.
    if (turn === 0) continue;
    ones.push(one.ms);
    twos.push(two.ms);
    alone.push((two.ms - two.shared) / one.ms);
  }
  await threads(1);
  return { share: median(alone), one: median(ones), two: median(twos) };
}

/** Milliseconds of a step, and of its orders. Two turns without a count come first, since threads start with code that is not optimised. */
function timeOf(
  step: () => void,
  prepare: () => void,
  orders?: Orders,
): { readonly ms: number; readonly shared: number } {
  let [ms, steps, shared] = [0, -2, 0];
  while (ms < TURN || steps < 2) {
    prepare();
    const before = orders?.ms ?? 0;
    const start = performance.now();
    step();
    if (steps++ < 0) continue;
    ms += performance.now() - start;
    shared += (orders?.ms ?? 0) - before;
  }
  return { ms: ms / steps, shared: shared / steps };
}
