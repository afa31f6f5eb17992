import { bitAt } from "./bits.ts";
import { gemm } from "./matmul.ts";
import { at, put } from "./memory.ts";

export function packForward(panels: number, weight: number, n: number): void {
  for (let i = 0; i < n * n; i++) put(panels, i, at(weight, i));
}

export function feedForward(
  z: number,
  current: number,
  s: number,
  first: number,
  panels: number,
  bias: number,
  _work: number,
  rows: number,
  n: number,
): void {
  for (let i = 0; i < rows * n; i++) {
    const [row, j] = [Math.floor(i / n), i % n];
    let sum = bias === 0 ? 0 : at(bias, j);
    for (let p = 0; p < n; p++) if (s !== 0 && bitAt(s, first + row * n + p) === 1) sum += at(panels, j * n + p);
    put(z, i, at(current, i) + sum);
  }
}

export function packBackward(_weight: number, _n: number): void {}

export function feedBack(ds: number, dI: number, weight: number, rows: number, n: number): void {
  gemm(ds, dI, weight, ds, rows, n, n, n, 1, n, 1, n, n, 1);
}
