/** Threads that share the work of tests: all work is cut that can be cut, but for what runs {@link alone}. */
import { Pool } from "../../engine/threads/pool.ts";
import { start } from "../../engine/threads/start.ts";
import { ALL } from "./threads.ts";

/** From how much work on a kernel is cut now. */
const least = { ...ALL };

let [orders, running] = [0, 1];

const { run } = Pool.prototype;
Pool.prototype.run = function (this: Pool, ...args: Parameters<typeof run>) {
  orders++;
  return run.apply(this, args);
};

/** How many kernels threads have shared so far. */
export const ordersSoFar = (): number => orders;

/** How many threads there are, with the main one. */
export const threadsNow = (): number => running;

/** Starts so many threads, with the main one; 1 ends the others. */
export async function startThreads(count: number): Promise<void> {
  running = 1;
  await start(count, least);
  running = count;
}

/**
 * Calls fn on the main thread alone, while the others wait.
 *
 * @throws Error where an order was given nevertheless: what it gave would be compared with itself.
 */
export function alone<R>(fn: () => R): R {
  const before = orders;
  let result: R;
  least.work = Infinity;
  try {
    result = fn();
  } finally {
    least.work = ALL.work;
  }
  if (orders !== before) throw new Error(`alone: expected no order to threads, got ${orders - before}`);
  return result;
}

/** Results of a computation: values with a name for each array of them. */
export type Named = Iterable<readonly [name: string, values: ArrayLike<number>]>;

/** The first value that threads compute otherwise than one thread, by its name, to the bit; null where there is none. */
export function differenceOfThreads(compute: () => Named): { readonly name: string; readonly text: string } | null {
  const want = alone(() => new Map(compute()));
  const got = new Map(compute());
  for (const name of new Set([...want.keys(), ...got.keys()])) {
    const [xs, ys] = [got.get(name), want.get(name)];
    const isThere = xs !== undefined && ys !== undefined && xs.length === ys.length;
    if (!isThere)
      return { name, text: `${xs?.length ?? "no"} values with ${running} threads, ${ys?.length ?? "none"} with one` };
    for (let i = 0; i < ys.length; i++) {
      if (Object.is(xs[i], ys[i])) continue;
      return { name, text: `element ${i} of ${ys.length}: got ${xs[i]} with ${running} threads, ${ys[i]} with one` };
    }
  }
  return null;
}
