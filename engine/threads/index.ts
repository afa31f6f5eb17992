/**
 * More cores: kernels with much work run on threads that share linear memory. Results have the same bits as with one
 * thread.
 *
 *   import { threads } from "jarvis-snn/threads";
 *   await threads();                                   // one thread per core that this process may use
 *
 * @module jarvis-snn/threads
 */
import { numberOf, upTo, withDefaults, wrongType } from "../arguments.ts";
import { available } from "./cores.ts";
import { LEAST } from "./parts.ts";
import { start } from "./start.ts";

/** Most threads, including the main one. */
const MOST = 16;

/** Options of {@link threads}. */
export interface ThreadsOptions {
  /**
   * Address from which a page serves the worker program, `jarvis-snn/threads/worker`. Needed if a content policy
   * forbids workers from blobs. Node ignores it. Default null.
   */
  worker?:
    | string
    | {
        /** The address as text; a `URL` has this field. */
        readonly href: string;
      }
    | null;
}

const DEFAULTS: { worker: unknown } = { worker: null };

/**
 * From now on, n threads share the work of kernels; returns n. Default: the processors that this process may use, at
 * most 16. `threads(1)` ends all threads but the main one.
 *
 * All values move to a memory that threads share. Views of the former memory, such as `Tensor.data`, then have length 0. The memory remains
 * shared when the threads end. If a busy machine makes threads slower than one, the main thread works alone for some milliseconds at a
 * time. If a worker ends by itself or does not answer, the program notices later: the next op with enough work for threads then throws, and
 * the program continues with one thread. Results before the error are correct.
 *
 * @throws RangeError unless n is an integer from 1 to 16; TypeError for invalid options; Error if the platform has no
 *   shared memory, or a worker does not start; the program then continues with one thread.
 *
 * @example
 * ```ts
 * import { matmul, rand } from "jarvis-snn";
 * import { threads } from "jarvis-snn/threads";
 *
 * console.log(await threads(2)); // 2
 * console.log(matmul(rand([512, 512]), rand([512, 512])).shape); // [ 512, 512 ]
 * await threads(1); // ends the other thread
 * ```
 */
export async function threads(n?: number, options: ThreadsOptions = {}): Promise<number> {
  const { worker } = withDefaults("threads", DEFAULTS, options);
  const address = addressOf(worker);
  const count = n === undefined ? Math.min(MOST, await available()) : numberOf("threads", "n", n, upTo(MOST));
  await start(count, LEAST, { worker: address, backsOff: true });
  return count;
}

function addressOf(worker: unknown): string | null {
  const address: unknown = typeof worker === "object" && worker !== null ? (worker as { href: unknown }).href : worker;
  if (address === null || typeof address === "string") return address;
  throw wrongType("threads", "worker as an address", worker);
}
