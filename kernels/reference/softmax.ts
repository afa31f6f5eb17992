import { at, put } from "./memory.ts";

/** The largest value of a row, and the logarithm of the sum of exponentials less that value. */
function logSumExp(x: number, first: number, cols: number): [m: number, l: number] {
  let m = -Infinity;
  for (let c = 0; c < cols; c++) m = Math.max(m, at(x, first + c));
  let sum = 0;
  for (let c = 0; c < cols; c++) sum += Math.exp(at(x, first + c) - m);
  return [m, Math.log(sum)];
}

export function softmax(z: number, x: number, rows: number, cols: number): void {
  for (let first = 0; first < rows * cols; first += cols) {
    const [m, l] = logSumExp(x, first, cols);
    for (let i = first; i < first + cols; i++) put(z, i, Math.exp(at(x, i) - m - l));
  }
}

export function softmaxGrad(dx: number, dz: number, z: number, rows: number, cols: number): void {
  for (let first = 0; first < rows * cols; first += cols) {
    let dot = 0;
    for (let i = first; i < first + cols; i++) dot += at(dz, i) * at(z, i);
    for (let i = first; i < first + cols; i++) put(dx, i, at(dx, i) + at(z, i) * (at(dz, i) - dot));
  }
}

export function logSoftmax(z: number, x: number, rows: number, cols: number): void {
  for (let first = 0; first < rows * cols; first += cols) {
    const [m, l] = logSumExp(x, first, cols);
    for (let i = first; i < first + cols; i++) put(z, i, at(x, i) - m - l);
  }
}

export function logSoftmaxGrad(dx: number, dz: number, z: number, rows: number, cols: number): void {
  for (let first = 0; first < rows * cols; first += cols) {
    let sum = 0;
    for (let i = first; i < first + cols; i++) sum += at(dz, i);
    for (let i = first; i < first + cols; i++) put(dx, i, at(dx, i) + at(dz, i) - Math.exp(at(z, i)) * sum);
  }
}

const weightOf = (weight: number, c: number): number => (weight === 0 ? 1 : at(weight, c));

/** a_c of every class. */
function termsOf(y: number, weight: number, cols: number, smoothing: number): number[] {
  return Array.from(
    { length: cols },
    (_, c) => weightOf(weight, c) * ((c === y ? 1 - smoothing : 0) + smoothing / cols),
  );
}

export function crossEntropy(
  loss: number,
  lse: number,
  x: number,
  target: number,
  weight: number,
  rows: number,
  cols: number,
  smoothing: number,
): void {
  for (let row = 0; row < rows; row++) {
    const y = at(target, row);
    const [m, l] = lse === 0 || y < 0 ? [0, 0] : logSumExp(x, row * cols, cols);
    const terms = y < 0 ? [] : termsOf(y, weight, cols, smoothing);
    put(
      loss,
      row,
      // Without smoothing the other classes do not enter, not even as 0·∞.
      terms.reduce((sum, a, c) => sum + (smoothing === 0 && c !== y ? 0 : a * (m + l - at(x, row * cols + c))), 0),
    );
    if (lse !== 0) put(lse, row, l);
  }
}

export function crossEntropyGrad(
  dx: number,
  x: number,
  lse: number,
  target: number,
  weight: number,
  dloss: number,
  dlossStep: number,
  scale: number,
  rows: number,
  cols: number,
  smoothing: number,
): void {
  for (let row = 0; row < rows; row++) {
    const y = at(target, row);
    if (y < 0) continue;
    const first = row * cols;
    const g = scale * at(dloss, row * dlossStep);
    const terms = termsOf(y, weight, cols, smoothing);
    const total = terms.reduce((sum, a) => sum + a, 0);
    const [m, l] = lse === 0 ? [0, 0] : logSumExp(x, first, cols);
    terms.forEach((a, c) => {
      const p = lse === 0 ? 0 : Math.exp(at(x, first + c) - m - l);
      put(dx, first + c, at(dx, first + c) + g * (p * total - a));
    });
  }
}

export function targetWeight(target: number, weight: number, rows: number): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) if (at(target, row) >= 0) sum += weightOf(weight, at(target, row));
  return sum;
}
