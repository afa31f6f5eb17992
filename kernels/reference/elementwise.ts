/** The naive twins of elementwise.ts, in float64, and the loops that other twins share. */
import type { Kernels } from "../build/types.ts";
import { accumulate, at, put } from "./memory.ts";

export const fill: Kernels["fill"] = (z, n, value) => {
  for (let i = 0; i < n; i++) put(z, i, value);
};

export const copy: Kernels["copy"] = (z, x, n) => {
  const values = Array.from({ length: n }, (_, i) => at(x, i));
  values.forEach((value, i) => put(z, i, value));
};

export const addTo: Kernels["addTo"] = (z, x, n) => {
  for (let i = 0; i < n; i++) accumulate(z, i, at(x, i));
};

export const addScaled: Kernels["addScaled"] = (z, x, n, alpha) => {
  for (let i = 0; i < n; i++) accumulate(z, i, alpha * at(x, i));
};

/** y[i], or y[0] if it is a single value. */
export const operand = (y: number, i: number, single: number): number => at(y, single === 0 ? i : 0);

/** z[i] ← f(x[i], y[i]) */
export const zip =
  /* @__NO_SIDE_EFFECTS__ */
    (f: (x: number, y: number) => number) =>
    (z: number, x: number, y: number, n: number, single = 0): void => {
      for (let i = 0; i < n; i++) put(z, i, f(at(x, i), operand(y, i, single)));
    };

export const add = zip((x, y) => x + y);
export const sub = zip((x, y) => x - y);
export const mul = zip((x, y) => x * y);
export const div = zip((x, y) => x / y);

export const mulGrad: Kernels["mulGrad"] = (dx, dz, y, n, single = 0) => {
  for (let i = 0; i < n; i++) accumulate(dx, i, at(dz, i) * operand(y, i, single));
};

export const divGrad: Kernels["divGrad"] = (dx, dz, y, n, single = 0) => {
  for (let i = 0; i < n; i++) accumulate(dx, i, at(dz, i) / operand(y, i, single));
};

export const divisorGrad: Kernels["divisorGrad"] = (dy, dz, z, y, n) => {
  for (let i = 0; i < n; i++) accumulate(dy, i, (-at(dz, i) * at(z, i)) / at(y, i));
};

export const affine: Kernels["affine"] = (z, x, n, alpha, beta) => {
  for (let i = 0; i < n; i++) put(z, i, alpha * at(x, i) + beta);
};
