/** The same networks with threads that share all work that can be cut. */
import { ordersSoFar, startThreads } from "../support/sharing.ts";
import { networks } from "./networks.ts";
import { type Hashes, measure } from "./run.ts";

export interface Shared {
  readonly threads: number;
  readonly hashes: Record<string, Hashes>;
  /** How many kernels the threads have shared. */
  readonly orders: number;
}

/** The hashes of these networks with so many threads, for each of these counts. */
export async function measureAll(counts: readonly number[], names = Object.keys(networks)): Promise<Shared[]> {
  const all: Shared[] = [];
  for (const threads of counts) {
    const before = ordersSoFar();
    await startThreads(threads);
    const hashes: Record<string, Hashes> = {};
    for (const name of names) hashes[name] = await measure(name);
    all.push({ threads, hashes, orders: ordersSoFar() - before });
  }
  await startThreads(1);
  return all;
}
