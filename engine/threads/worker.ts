/**
 * The program of a thread: it waits for orders in its slot and runs kernels. `work` is sent as text, so it uses only
 * its arguments and globals that every platform has.
 */
import type * as slot from "./orders.ts";

/** The first message to a thread. */
export interface Start {
  readonly memory: WebAssembly.Memory;
  /** The thread's slot, as 32-bit words and as float64 numbers. */
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  /** Kernel modules with separate constants; a module's index is its number. */
  readonly modules: readonly Uint8Array[];
  /** Indices of words in a slot, and other constants of orders.ts, which text cannot import. */
  readonly names: Readonly<Record<Exclude<keyof typeof slot, "SLOT" | "MOST">, number>>;
  /** Turns of the loop that look for an order, before the thread sleeps. */
  readonly turns: number;
}

/** Runs orders until one ends the thread. Calls `ready` when the kernels are compiled. */
export function work({ memory, words, numbers, modules, names, turns }: Start, ready: () => void): void {
  const { ORDER, CLAIM, DONE, FAILED, ASLEEP, WAITING, TEXT, RESULT, TOOK, FUNCTION, ARGUMENTS: a, LONGEST } = names;
  const tables: ((...args: number[]) => number | undefined)[][] = [];
  const abort = (_message: number, _file: number, line: number, column: number): never => {
    throw new Error(`jarvis-snn kernel: assertion failed at ${line}:${column}`);
  };
  // The first module is the core; the second one imports it.
  let core = {};
  const functionsOf = (bytes: Uint8Array): (typeof tables)[number] => {
    const imports = { env: { memory, abort }, core };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as never), imports);
    if (tables.length === 0) core = exports;
    return Object.values(exports).filter((each) => typeof each === "function") as never;
  };
  for (const bytes of modules) tables.push(functionsOf(bytes));
  ready();

  // Orders count from 1; the first may already be there.
  let order = 0;
  for (;;) {
    const before = order;
    for (let turn = 0; order === before; turn++) {
      if (turn >= turns) {
        Atomics.store(words, ASLEEP, 1);
        Atomics.wait(words, ORDER, before);
        Atomics.store(words, ASLEEP, 0);
        turn = 0;
      }
      order = Atomics.load(words, ORDER);
    }
    // The main thread may have taken over this order and started the next.
    const unclaimed = (order - 1) | 0;
    if (Atomics.compareExchange(words, CLAIM, unclaimed, order) !== unclaimed) continue;
    const f = numbers[FUNCTION] as number;
    const began = performance.now();
    try {
      if (f === names.COMPILE) {
        // After a growth in another realm, this realm's buffer may still have the old length; growing by 0 pages renews
        // it.
        memory.grow(0);
        const bytes = new Uint8Array(memory.buffer, numbers[a], numbers[a + 1]).slice();
        tables[numbers[a + 2] as number] = functionsOf(bytes);
      } else if (f !== names.END) {
        const run = (tables[f >>> 16] as (typeof tables)[number])[f & 65535] as (typeof tables)[number][number];
        // Kernels ignore surplus arguments.
        const x = (i: number): number => numbers[a + i] as number;
        const result = run(x(0), x(1), x(2), x(3), x(4), x(5), x(6), x(7), x(8), x(9), x(10), x(11));
        numbers[RESULT] = result ?? 0;
      }
    } catch (error) {
      const text = String(error).slice(0, LONGEST);
      words[TEXT] = text.length;
      for (let i = 0; i < text.length; i++) words[TEXT + 1 + i] = text.charCodeAt(i);
      words[FAILED] = 1;
    }
    numbers[TOOK] = performance.now() - began;
    Atomics.store(words, DONE, order);
    if (Atomics.load(words, WAITING) !== 0) Atomics.notify(words, DONE);
    if (f === names.END) return;
  }
}
