/** The side of a peer in JavaScript of the protocol in bench/support/peer.ts. */
import { createInterface } from "node:readline";

/** `workloads`: functions that run one step, synchronous or not, by name. */
export async function serve(title, workloads) {
  process.stdout.write(`${title}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, count] = line.split(" ");
    const step = workloads[name];
    const start = performance.now();
    for (let i = 0; i < Number(count); i++) {
      const pending = step();
      if (pending instanceof Promise) await pending;
    }
    process.stdout.write(`${(performance.now() - start) / Number(count)}\n`);
  }
}
