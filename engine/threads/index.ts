/**
 * More cores: kernels with much work run on threads that share linear memory, with the bits of one thread.
 *
 *   import { threads } from "jarvis-snn/threads";
 *   await threads();                                   // as many as the machine has cores for this process
 *
 * @module jarvis-snn/threads
 */
import { COUNT, numberOf, wrongValue } from "../arguments.ts";
import { available } from "./platform.ts";
import { start } from "./start.ts";

/** The most threads, with the main one. */
const MOST = 16;

/**
 * Lets so many threads share the work of kernels from now on, by default as many as the machine lets this process use, at most 16, and
 * returns their number. `threads(1)` ends all but the main one.
 *
 * All values stay: they move to a memory that threads share, so that views of the memory before, as `Tensor.data` gives them, have the
 * length 0 afterwards. The memory stays shared when the threads end.
 *
 * @throws RangeError unless n is an integer from 1 to 16; Error where the platform has no shared memory, or a worker does not start.
 */
export async function threads(n: number = Math.min(MOST, available())): Promise<number> {
  const count = numberOf("threads", "n", n, COUNT);
  if (count > MOST) throw wrongValue("threads", `at most ${MOST}`, count);
  await start(count);
  return count;
}
