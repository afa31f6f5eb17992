/**
 * What a thread does: it waits for orders in its slot, and runs kernels. The function is sent as text, so it names nothing outside of
 * itself but what every realm has.
 */

/** What a thread begins with. */
export interface Start {
  readonly memory: WebAssembly.Memory;
  /** Its slot in the orders: words of 32 bits, and float64 numbers over the same bytes. */
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  /** The modules of kernels, with constants of its own, whose functions have numbers in their order. */
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
      | "RESULT"
      | "FUNCTION"
      | "ARGUMENTS"
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
  const { ORDER, CLAIM, DONE, FAILED, ASLEEP, WAITING, RESULT, FUNCTION, ARGUMENTS, COMPILE, END } = names;
  const functions: ((...args: number[]) => number | undefined)[] = [];
  const abort = (): never => {
    throw new Error("assertion failed");
  };
  const add = (bytes: Uint8Array): void => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as never), { env: { memory, abort } });
    for (const each of Object.values(exports)) if (typeof each === "function") functions.push(each as never);
  };
  for (const bytes of modules) add(bytes);
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
    try {
      if (f === COMPILE) {
        add(new Uint8Array(memory.buffer, numbers[a], numbers[a + 1]).slice());
      } else if (f !== END) {
        const result = (functions[f] as (typeof functions)[number])(
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
    } catch {
      words[FAILED] = 1;
    }
    Atomics.store(words, DONE, order);
    if (Atomics.load(words, WAITING) !== 0) Atomics.notify(words, DONE);
    if (f === END) return;
  }
}
