/**
 * The program of a thread: it waits for orders in its slot, and runs kernels. The function is sent as text, so it names nothing outside of
 * itself but globals that every realm has.
 */

/** The message with which a thread begins. */
export interface Start {
  readonly memory: WebAssembly.Memory;
  /** Its slot in the orders: words of 32 bits, and float64 numbers over the same bytes. */
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  /** The modules of kernels, with constants of its own; their numbers are their places. */
  readonly modules: readonly Uint8Array[];
  /** Words of a slot, and other constants of orders.ts, which text cannot import. */
  readonly names: Readonly<
    Record<
      | "ORDER"
      | "CLAIM"
      | "DONE"
      | "FAILED"
      | "ASLEEP"
      | "WAITING"
      | "TEXT"
      | "RESULT"
      | "TOOK"
      | "FUNCTION"
      | "ARGUMENTS"
      | "LONGEST"
      | "COMPILE"
      | "END",
      number
    >
  >;
  /** Turns of the loop in which it looks for an order before it sleeps. */
  readonly turns: number;
}

/** Answers orders until one says that the thread ends. `ready` is called once the kernels are there. */
export function work({ memory, words, numbers, modules, names, turns }: Start, ready: () => void): void {
  const { ORDER, CLAIM, DONE, FAILED, ASLEEP, WAITING, TEXT, RESULT, TOOK, FUNCTION, ARGUMENTS, LONGEST } = names;
  const tables: ((...args: number[]) => number | undefined)[][] = [];
  const abort = (_message: number, _file: number, line: number, column: number): never => {
    throw new Error(`jarvis-snn kernel: assertion failed at ${line}:${column}`);
  };
  // The first module is the core, which the second one imports.
  let core = {};
  const functionsOf = (bytes: Uint8Array): (typeof tables)[number] => {
    const imports = { env: { memory, abort }, core };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as never), imports);
    if (tables.length === 0) core = exports;
    return Object.values(exports).filter((each) => typeof each === "function") as never;
  };
  for (const bytes of modules) tables.push(functionsOf(bytes));
  ready();

  // Orders count from 1: one may be there already.
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
    // The main thread may have taken it over, and begun the next.
    const unclaimed = (order - 1) | 0;
    if (Atomics.compareExchange(words, CLAIM, unclaimed, order) !== unclaimed) continue;
    const f = numbers[FUNCTION] as number;
    const a = ARGUMENTS;
    const began = performance.now();
    try {
      if (f === names.COMPILE) {
        // The buffer that this realm has may have the length from before a growth in another: growing by no pages renews it.
        memory.grow(0);
        const bytes = new Uint8Array(memory.buffer, numbers[a], numbers[a + 1]).slice();
        tables[numbers[a + 2] as number] = functionsOf(bytes);
      } else if (f !== names.END) {
        const result = ((tables[f >>> 16] as (typeof tables)[number])[f & 65535] as (typeof tables)[number][number])(
          numbers[a] as number,
          numbers[a + 1] as number,
          numbers[a + 2] as number,
          numbers[a + 3] as number,
          numbers[a + 4] as number,
          numbers[a + 5] as number,
          numbers[a + 6] as number,
          numbers[a + 7] as number,
          numbers[a + 8] as number,
          numbers[a + 9] as number,
          numbers[a + 10] as number,
          numbers[a + 11] as number,
        );
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
