/** The naive twin of encode.ts. */
import type { Kernels } from "../build/types.ts";
import { at } from "./memory.ts";
import { putSpikes } from "./spikes.ts";

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

export const firstSpike: Kernels["firstSpike"] = (bits, x, n, T, eps) => {
  putSpikes(bits, T * n, (i) => {
    const value = at(x, i % n);
    // The time is rounded in float32, as in the SIMD kernel, since ties depend on it.
    const time = roundHalfEven(Math.fround(Math.fround(1 - Math.min(Math.max(value, 0), 1)) * (T - 1)));
    return value > eps && Math.floor(i / n) === Math.min(time, T - 1);
  });
};
