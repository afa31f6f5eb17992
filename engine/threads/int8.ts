/** Products with weights of eight bits, of whose rows each thread has some. */
import type { Int8Kernels } from "../../kernels/build/types.ts";
import type { Parts } from "./parts.ts";

/** Kernels among `k` that threads share while some run. */
export function sharedInt8(k: Int8Kernels, running: () => Parts | null): Partial<Int8Kernels> {
  return {
    addListed(z, lists, sums, q, factors, steps, rows, inputs, outputs, first, end) {
      const parts = running();
      const count = end - first;
      if (parts === null || count < 2 * parts.count || steps * count * outputs < parts.least.values) {
        return k.addListed(z, lists, sums, q, factors, steps, rows, inputs, outputs, first, end);
      }
      parts.run(k.addListed, (part) => {
        const [from, to] = [first + parts.first(part, count), first + parts.first(part + 1, count)];
        return [z, lists, sums, q, factors, steps, rows, inputs, outputs, from, to];
      });
    },
    addGraded(z, lists, q, factors, rows, inputs, outputs) {
      const parts = running();
      if (parts === null || rows < 2 * parts.count || rows * outputs < parts.least.values) {
        return k.addGraded(z, lists, q, factors, rows, inputs, outputs);
      }
      parts.run(k.addGraded, (part) => {
        const from = parts.first(part, rows);
        const count = parts.first(part + 1, rows) - from;
        return [z + 4 * from * outputs, lists + 4 * from, q, factors, count, inputs, outputs];
      });
    },
  };
}
