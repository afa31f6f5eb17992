import { at, put } from "./memory.ts";

/** The integer next to x, the even one of two. */
function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

export function firstSpike(z: number, x: number, n: number, T: number, eps: number): void {
  for (let i = 0; i < n; i++) {
    const value = Math.min(Math.max(at(x, i), 0), 1);
    const spikes = at(x, i) > eps;
    // The time is rounded in float32, as the SIMD kernel does: half-way cases depend on it.
    const time = roundHalfEven(Math.fround(Math.fround(1 - value) * (T - 1)));
    for (let t = 0; t < T; t++) put(z, t * n + i, spikes && t === time ? 1 : 0);
  }
}
