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

/** a_c of every class, for a class index. */
function indexTerms(y: number, weight: number, cols: number, smoothing: number): number[] {
  return Array.from(
    { length: cols },
    (_, c) => weightOf(weight, c) * ((c === y ? 1 - smoothing : 0) + smoothing / cols),
  );
}

/** a_c of every class, for probabilities. */
function denseTerms(target: number, first: number, weight: number, cols: number, smoothing: number): number[] {
  return Array.from(
    { length: cols },
    (_, c) => weightOf(weight, c) * (at(target, first + c) * (1 - smoothing) + smoothing / cols),
  );
}

function rowLoss(loss: number, lse: number, x: number, row: number, terms: number[]): void {
  const first = row * terms.length;
  const [m, l] = logSumExp(x, first, terms.length);
  put(lse, row, l);
  put(
    loss,
    row,
    terms.reduce((sum, a, c) => sum + (a === 0 ? 0 : a * (m + l - at(x, first + c))), 0),
  );
}

function rowGrad(dx: number, x: number, row: number, g: number, terms: number[]): void {
  const first = row * terms.length;
  const [m, l] = logSumExp(x, first, terms.length);
  const total = terms.reduce((sum, a) => sum + a, 0);
  terms.forEach((a, c) => {
    put(dx, first + c, at(dx, first + c) + g * (Math.exp(at(x, first + c) - m - l) * total - a));
  });
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
  ignoreIndex: number,
): void {
  for (let row = 0; row < rows; row++) {
    const y = at(target, row);
    put(loss, row, 0);
    put(lse, row, 0);
    if (y !== ignoreIndex) rowLoss(loss, lse, x, row, indexTerms(y, weight, cols, smoothing));
  }
}

export function crossEntropyGrad(
  dx: number,
  x: number,
  _lse: number,
  target: number,
  weight: number,
  dloss: number,
  dlossStep: number,
  scale: number,
  rows: number,
  cols: number,
  smoothing: number,
  ignoreIndex: number,
): void {
  for (let row = 0; row < rows; row++) {
    const y = at(target, row);
    if (y === ignoreIndex) continue;
    rowGrad(dx, x, row, scale * at(dloss, row * dlossStep), indexTerms(y, weight, cols, smoothing));
  }
}

export function crossEntropyDense(
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
    rowLoss(loss, lse, x, row, denseTerms(target, row * cols, weight, cols, smoothing));
  }
}

export function crossEntropyDenseGrad(
  dx: number,
  x: number,
  _lse: number,
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
    rowGrad(dx, x, row, scale * at(dloss, row * dlossStep), denseTerms(target, row * cols, weight, cols, smoothing));
  }
}

export function targetWeight(target: number, weight: number, rows: number, ignoreIndex: number): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) if (at(target, row) !== ignoreIndex) sum += weightOf(weight, at(target, row));
  return sum;
}
