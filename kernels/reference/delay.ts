/** The naive twins of delay.ts, in float64. */
import type { Kernels } from "../build/types.ts";
import { accumulate, at, put } from "./memory.ts";

export const delay: Kernels["delay"] = (z, x, d, first, T, rows, n, inner) => {
  forEachPlace(first, T, rows, n, inner, (to, t, i, place, step) => {
    const back = at(d, i);
    put(z, to, back > t ? 0 : at(x, (t - back) * step + place));
  });
};

export const delayGrad: Kernels["delayGrad"] = (dx, dz, d, first, T, rows, n, inner) => {
  forEachPlace(first, T, rows, n, inner, (from, t, i, place, step) => {
    const back = at(d, i);
    if (back <= t) accumulate(dx, (t - back) * step + place, at(dz, from));
  });
};

/** Calls f for every value of the steps first … T − 1: its index, its step, its column and its index in a step of `step`. */
function forEachPlace(
  first: number,
  T: number,
  rows: number,
  n: number,
  inner: number,
  f: (index: number, t: number, i: number, place: number, step: number) => void,
): void {
  const step = rows * n * inner;
  for (let t = first; t < T; t++) {
    for (let p = 0; p < step; p++) f((t - first) * step + p, t, Math.floor(p / inner) % n, p, step);
  }
}
