/** The naive twins of math.ts, in float64. */
import type { Kernels } from "../build/types.ts";
import { operand, zip } from "./elementwise.ts";
import { accumulate, at, put } from "./memory.ts";

/** z[i] ← f(x[i]) */
const map =
  /* @__NO_SIDE_EFFECTS__ */
    (f: (x: number) => number) =>
    (z: number, x: number, n: number): void => {
      for (let i = 0; i < n; i++) put(z, i, f(at(x, i)));
    };

/** dx[i] += gradient(dz[i], y[i]), where y is x, or z = f(x) */
const mapGrad =
  /* @__NO_SIDE_EFFECTS__ */
    (gradient: (dz: number, y: number) => number) =>
    (dx: number, dz: number, y: number, n: number): void => {
      for (let i = 0; i < n; i++) accumulate(dx, i, gradient(at(dz, i), at(y, i)));
    };

export const exp = map(Math.exp);
export const expGrad = mapGrad((dz, z) => dz * z);

export const log = map(Math.log);
export const logGrad = mapGrad((dz, x) => dz / x);

export const tanh = map(Math.tanh);
export const tanhGrad = mapGrad((dz, z) => dz * (1 - z ** 2));

export const sigmoid = map((x) => 1 / (1 + Math.exp(-x)));
export const sigmoidGrad = mapGrad((dz, z) => dz * z * (1 - z));

export const sqrt = map(Math.sqrt);
export const sqrtGrad = mapGrad((dz, z) => dz / (2 * z));

export const square = map((x) => x ** 2);
export const squareGrad = mapGrad((dz, x) => dz * 2 * x);

export const abs = map(Math.abs);
export const absGrad = mapGrad((dz, x) => (x > 0 ? dz : x < 0 ? -dz : 0));

export const relu = map((x) => Math.max(x, 0));
export const reluGrad = mapGrad((dz, z) => (z <= 0 ? 0 : dz));

/** dx[i] += dz[i] if x was chosen, half of it at a tie */
const takenGrad =
  /* @__NO_SIDE_EFFECTS__ */
    (loses: (x: number, y: number) => boolean) =>
    (dx: number, dz: number, x: number, y: number, n: number, single = 0): void => {
      for (let i = 0; i < n; i++) {
        const [value, other] = [at(x, i), operand(y, i, single)];
        if (!loses(value, other)) accumulate(dx, i, value === other ? at(dz, i) / 2 : at(dz, i));
      }
    };

export const maximum = zip(Math.max);
export const maximumGrad = takenGrad((x, y) => x < y);

export const minimum = zip(Math.min);
export const minimumGrad = takenGrad((x, y) => x > y);

export const gt = zip((x, y) => (x > y ? 1 : 0));
export const ge = zip((x, y) => (x >= y ? 1 : 0));
export const lt = zip((x, y) => (x < y ? 1 : 0));
export const le = zip((x, y) => (x <= y ? 1 : 0));
export const eq = zip((x, y) => (x === y ? 1 : 0));

export const clamp: Kernels["clamp"] = (z, x, n, low, high) => {
  for (let i = 0; i < n; i++) put(z, i, Math.min(Math.max(at(x, i), low), high));
};

export const clampGrad: Kernels["clampGrad"] = (dx, dz, x, n, low, high) => {
  for (let i = 0; i < n; i++) if (at(x, i) >= low && at(x, i) <= high) accumulate(dx, i, at(dz, i));
};

export const where: Kernels["where"] = (z, c, x, y, n) => {
  for (let i = 0; i < n; i++) put(z, i, at(c, i) === 0 ? at(y, i) : at(x, i));
};
