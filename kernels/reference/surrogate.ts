/** The naive twins of surrogate.ts and derivative.ts, in float64. */
import type { Kernels } from "../build/types.ts";
import { ATAN, BOXCAR, ERF, FAST_SIGMOID, SIGMOID, STRAIGHT_THROUGH, TRIANGULAR } from "../kinds.ts";
import { at, put } from "./memory.ts";

/** surrogate′(x) of one kind. */
export function surrogateDerivative(kind: number, slope: number, x: number): number {
  if (kind === SIGMOID) {
    const s = 1 / (1 + Math.exp(-slope * x));
    return slope * s * (1 - s);
  }
  if (kind === FAST_SIGMOID) return 1 / (1 + slope * Math.abs(x)) ** 2;
  if (kind === ATAN) return slope / 2 / (1 + ((Math.PI / 2) * slope * x) ** 2);
  if (kind === ERF) return (slope / Math.sqrt(Math.PI)) * Math.exp(-((slope * x) ** 2));
  if (kind === TRIANGULAR) return Math.abs(x) < slope ? (1 - Math.abs(x) / slope) / slope : 0;
  if (kind === BOXCAR) return Math.abs(x) < slope / 2 ? 1 / slope : 0;
  if (kind === STRAIGHT_THROUGH) return 1;
  throw new RangeError(`surrogate: expected one of the kinds in kinds.ts, got ${kind}`);
}

export const surrogate: Kernels["surrogate"] = (z, u, threshold, step, n, kind, slope) => {
  for (let i = 0; i < n; i++) put(z, i, surrogateDerivative(kind, slope, at(u, i) - at(threshold, i * step)));
};

export const spike: Kernels["spike"] = (z, x, n, strict) => {
  for (let i = 0; i < n; i++) put(z, i, (strict !== 0 ? at(x, i) > 0 : at(x, i) >= 0) ? 1 : 0);
};
