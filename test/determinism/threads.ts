/** The same networks with threads that share all work that can be cut. */
import { ordersSoFar, startThreads } from "../support/sharing.ts";
import { type Hashes, measureAll as measureAlone } from "./run.ts";

export interface Shared {
  readonly threads: number;
  readonly hashes: Record<string, Hashes>;
  /** How many kernels the threads have shared. */
  readonly orders: number;
}

/** The hashes of all networks with so many threads, for each of these counts. */
export async function measureAll(counts: readonly number[]): Promise<Shared[]> {
  const all: Shared[] = [];
  for (const threads of counts) {
    const before = ordersSoFar();
    await startThreads(threads);
    all.push({ threads, hashes: await measureAlone(), orders: ordersSoFar() - before });
  }
  await startThreads(1);
  return all;
}
