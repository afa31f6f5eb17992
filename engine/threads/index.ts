/**
 * More cores: kernels with much work run on threads that share linear memory, with the bits of one thread.
 *
 *   import { threads } from "jarvis-snn/threads";
 *   await threads();                                   // as many as the machine has cores for this process
 *
 * @module jarvis-snn/threads
 */
import { numberOf, upTo, withDefaults, wrongType } from "../arguments.ts";
import { available } from "./cores.ts";
import { LEAST } from "./parts.ts";
import { start } from "./start.ts";

/** The most threads, with the main one. */
const MOST = 16;

/** Options of {@link threads}. */
export interface ThreadsOptions {
  /**
   * The address from which a page serves the program of a worker, `jarvis-snn/threads/worker`: for a content policy that forbids
   * workers from blobs. Node has the program, and does not look at this; default null.
   */
  worker?:
    | string
    | {
        /** The address, as a `URL` has it. */
        readonly href: string;
      }
    | null;
}

const DEFAULTS: { worker: unknown } = { worker: null };

/**
 * Lets so many threads share the work of kernels from now on, by default as many as the machine lets this process use, at most 16, and
 * returns their number. `threads(1)` ends all but the main one.
 *
 * All values stay: they move to a memory that threads share, so that views of the memory before, as `Tensor.data` gives them, have the
 * length 0 afterwards. The memory stays shared when the threads end. On a busy machine, where threads would make kernels slower, the main
 * thread works alone for some milliseconds at a time. Where a worker ends by itself, or does not answer, the next op throws, and one thread
 * goes on.
 *
 * @throws RangeError unless n is an integer from 1 to 16; TypeError for other options; Error where the platform has no shared memory,
 *   or a worker does not start: one thread goes on.
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
