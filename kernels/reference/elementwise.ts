import { accumulate, at, put } from "./memory.ts";

export function fill(z: number, n: number, value: number): void {
  for (let i = 0; i < n; i++) put(z, i, value);
}

export function copy(z: number, x: number, n: number): void {
  const values = Array.from({ length: n }, (_, i) => at(x, i));
  values.forEach((value, i) => put(z, i, value));
}

export function addTo(z: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) accumulate(z, i, at(x, i));
}

export function addScaled(z: number, x: number, n: number, alpha: number): void {
  for (let i = 0; i < n; i++) accumulate(z, i, alpha * at(x, i));
}

/** y[i], or y[0] if it is a single value. */
export const operand = (y: number, i: number, single: number): number => at(y, single === 0 ? i : 0);

/** z[i] ← f(x[i], y[i]) */
export const zip =
  (f: (x: number, y: number) => number) =>
  (z: number, x: number, y: number, n: number, single = 0): void => {
    for (let i = 0; i < n; i++) put(z, i, f(at(x, i), operand(y, i, single)));
  };

export const add = zip((x, y) => x + y);
export const sub = zip((x, y) => x - y);
export const mul = zip((x, y) => x * y);
export const div = zip((x, y) => x / y);

export function mulGrad(dx: number, dz: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) accumulate(dx, i, at(dz, i) * operand(y, i, single));
}

export function divGrad(dx: number, dz: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) accumulate(dx, i, at(dz, i) / operand(y, i, single));
}

export function divisorGrad(dy: number, dz: number, z: number, y: number, n: number): void {
  for (let i = 0; i < n; i++) accumulate(dy, i, (-at(dz, i) * at(z, i)) / at(y, i));
}

export function affine(z: number, x: number, n: number, alpha: number, beta: number): void {
  for (let i = 0; i < n; i++) put(z, i, alpha * at(x, i) + beta);
}
