/** The naive twins of normalize.ts, in float64. */
import type { Kernels } from "../build/types.ts";
import { accumulate, at, put } from "./memory.ts";

/** Calls f(cell) for every value of group g of [outer, groups, n]. */
function eachOf(g: number, outer: number, groups: number, n: number, f: (cell: number) => void): void {
  for (let o = 0; o < outer; o++) for (let i = 0; i < n; i++) f((o * groups + g) * n + i);
}

export const moments: Kernels["moments"] = (mean, variance, x, outer, groups, n) => {
  for (let g = 0; g < groups; g++) {
    let m = 0;
    eachOf(g, outer, groups, n, (cell) => {
      m += at(x, cell) / (outer * n);
    });
    let v = 0;
    eachOf(g, outer, groups, n, (cell) => {
      v += (at(x, cell) - m) ** 2 / (outer * n);
    });
    put(mean, g, m);
    put(variance, g, v);
  }
};

export const momentSums: Kernels["momentSums"] = (p, q, y, x, mean, outer, groups, n) => {
  for (let g = 0; g < groups; g++) {
    put(p, g, 0);
    put(q, g, 0);
    eachOf(g, outer, groups, n, (cell) => {
      accumulate(p, g, at(y, cell));
      accumulate(q, g, at(y, cell) * (at(x, cell) - at(mean, g)));
    });
  }
};

export const normConstants: Kernels["normConstants"] = (
  constants,
  mean,
  variance,
  weight,
  bias,
  eps,
  groups,
  perStat,
  channels,
) => {
  for (let g = 0; g < groups; g++) {
    const stat = Math.floor(g / perStat);
    const factor = weight === 0 ? 1 : at(weight, g % channels);
    put(constants, g, at(mean, stat));
    put(constants, groups + g, factor / Math.sqrt(at(variance, stat) + eps));
    put(constants, 2 * groups + g, bias === 0 ? 0 : at(bias, g % channels));
  }
};

export const normalize: Kernels["normalize"] = (z, x, y, constants, outer, groups, n) => {
  for (let g = 0; g < groups; g++) {
    const constant = (i: number) => at(constants, i * groups + g);
    eachOf(g, outer, groups, n, (cell) => {
      const value = constant(1) * (at(x, cell) - constant(0)) + constant(2);
      put(z, cell, y === 0 ? value : at(z, cell) + value + constant(3) * at(y, cell));
    });
  }
};
