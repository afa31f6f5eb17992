/** The naive twins of softmax.ts, in float64. */
import type { Kernels } from "../build/types.ts";
import { accumulate, at, put } from "./memory.ts";

/** m, the largest value of a row, and ℓ, the logarithm of the sum of exp(x − m). */
function logSumExp(x: number, first: number, cols: number): [m: number, l: number] {
  let m = -Infinity;
  for (let c = 0; c < cols; c++) m = Math.max(m, at(x, first + c));
  let sum = 0;
  for (let c = 0; c < cols; c++) sum += Math.exp(at(x, first + c) - m);
  return [m, Math.log(sum)];
}

export const softmax: Kernels["softmax"] = (z, x, rows, cols) => {
  for (let first = 0; first < rows * cols; first += cols) {
    const [m, l] = logSumExp(x, first, cols);
    for (let i = first; i < first + cols; i++) put(z, i, Math.exp(at(x, i) - m - l));
  }
};

export const softmaxGrad: Kernels["softmaxGrad"] = (dx, dz, z, rows, cols) => {
  for (let first = 0; first < rows * cols; first += cols) {
    let dot = 0;
    for (let i = first; i < first + cols; i++) dot += at(dz, i) * at(z, i);
    for (let i = first; i < first + cols; i++) accumulate(dx, i, at(z, i) * (at(dz, i) - dot));
  }
};

export const logSoftmax: Kernels["logSoftmax"] = (z, x, rows, cols) => {
  for (let first = 0; first < rows * cols; first += cols) {
    const [m, l] = logSumExp(x, first, cols);
    for (let i = first; i < first + cols; i++) put(z, i, at(x, i) - m - l);
  }
};

export const logSoftmaxGrad: Kernels["logSoftmaxGrad"] = (dx, dz, z, rows, cols) => {
  for (let first = 0; first < rows * cols; first += cols) {
    let sum = 0;
    for (let i = first; i < first + cols; i++) sum += at(dz, i);
    for (let i = first; i < first + cols; i++) accumulate(dx, i, at(dz, i) - Math.exp(at(z, i)) * sum);
  }
};

const weightOf = (weight: number, c: number): number => (weight === 0 ? 1 : at(weight, c));

export const crossEntropy: Kernels["crossEntropy"] = (
  loss,
  lse,
  x,
  target,
  weight,
  rows,
  cols,
  smoothing,
  apart = 0,
) => {
  for (let row = 0; row < rows; row++) {
    const y = at(target, row);
    const first = row * cols;
    const [m, l] = lse === 0 || y < 0 ? [0, 0] : logSumExp(x, first, cols);
    const term = (c: number): number => weightOf(weight, c) * (m + l - at(x, first + c));
    let sum = y < 0 ? 0 : (1 - smoothing) * term(y);
    // Without smoothing, the other classes are not added, not even as 0·∞.
    if (y >= 0 && smoothing !== 0) for (let c = 0; c < cols; c++) sum += (smoothing / cols) * term(c);
    put(loss, row, sum);
    if (lse === 0) continue;
    put(lse, row, l);
    put(lse, (apart || rows) + row, m);
  }
};

export const crossEntropyGrad: Kernels["crossEntropyGrad"] = (
  dx,
  x,
  lse,
  target,
  weight,
  dloss,
  dlossStep,
  scale,
  rows,
  cols,
  smoothing,
  apart = 0,
) => {
  for (let row = 0; row < rows; row++) {
    const y = at(target, row);
    if (y < 0) continue;
    const first = row * cols;
    const g = scale * at(dloss, row * dlossStep);
    const own = (1 - smoothing) * weightOf(weight, y);
    if (lse !== 0) {
      const shares = Array.from({ length: cols }, (_, c) => (smoothing / cols) * weightOf(weight, c));
      const total = shares.reduce((sum, share) => sum + share, own);
      const [l, m] = [at(lse, row), at(lse, (apart || rows) + row)];
      shares.forEach((share, c) => {
        accumulate(dx, first + c, g * (Math.exp(at(x, first + c) - m - l) * total - share));
      });
    }
    accumulate(dx, first + y, -g * own);
  }
};

export const targetWeight: Kernels["targetWeight"] = (target, weight, rows) => {
  let sum = 0;
  for (let row = 0; row < rows; row++) if (at(target, row) >= 0) sum += weightOf(weight, at(target, row));
  return sum;
};
