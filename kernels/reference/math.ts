import { operand } from "./elementwise.ts";
import { at, put } from "./memory.ts";

export function exp(z: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, Math.exp(at(x, i)));
}

export function expGrad(dx: number, dz: number, z: number, n: number): void {
  for (let i = 0; i < n; i++) put(dx, i, at(dx, i) + at(dz, i) * at(z, i));
}

export function log(z: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, Math.log(at(x, i)));
}

export function logGrad(dx: number, dz: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(dx, i, at(dx, i) + at(dz, i) / at(x, i));
}

export function tanh(z: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, Math.tanh(at(x, i)));
}

export function tanhGrad(dx: number, dz: number, z: number, n: number): void {
  for (let i = 0; i < n; i++) put(dx, i, at(dx, i) + at(dz, i) * (1 - at(z, i) ** 2));
}

export function sigmoid(z: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, 1 / (1 + Math.exp(-at(x, i))));
}

export function sigmoidGrad(dx: number, dz: number, z: number, n: number): void {
  for (let i = 0; i < n; i++) put(dx, i, at(dx, i) + at(dz, i) * at(z, i) * (1 - at(z, i)));
}

export function sqrt(z: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, Math.sqrt(at(x, i)));
}

export function sqrtGrad(dx: number, dz: number, z: number, n: number): void {
  for (let i = 0; i < n; i++) put(dx, i, at(dx, i) + at(dz, i) / (2 * at(z, i)));
}

export function square(z: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, at(x, i) ** 2);
}

export function squareGrad(dx: number, dz: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(dx, i, at(dx, i) + at(dz, i) * 2 * at(x, i));
}

export function abs(z: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, Math.abs(at(x, i)));
}

export function absGrad(dx: number, dz: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) {
    if (at(x, i) > 0) put(dx, i, at(dx, i) + at(dz, i));
    if (at(x, i) < 0) put(dx, i, at(dx, i) - at(dz, i));
  }
}

export function relu(z: number, x: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, Math.max(at(x, i), 0));
}

export function reluGrad(dx: number, dz: number, z: number, n: number): void {
  for (let i = 0; i < n; i++) put(dx, i, at(dx, i) + (at(z, i) <= 0 ? 0 : at(dz, i)));
}

export function maximum(z: number, x: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) put(z, i, Math.max(at(x, i), operand(y, i, single)));
}

export function maximumGrad(dx: number, dz: number, x: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) {
    const other = operand(y, i, single);
    if (!(at(x, i) < other)) put(dx, i, at(dx, i) + share(at(dz, i), at(x, i), other));
  }
}

export function minimum(z: number, x: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) put(z, i, Math.min(at(x, i), operand(y, i, single)));
}

export function minimumGrad(dx: number, dz: number, x: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) {
    const other = operand(y, i, single);
    if (!(at(x, i) > other)) put(dx, i, at(dx, i) + share(at(dz, i), at(x, i), other));
  }
}

/** What the one that was taken gets: half at a tie. */
const share = (dz: number, x: number, y: number): number => (x === y ? dz / 2 : dz);

export function gt(z: number, x: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) put(z, i, at(x, i) > operand(y, i, single) ? 1 : 0);
}

export function ge(z: number, x: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) put(z, i, at(x, i) >= operand(y, i, single) ? 1 : 0);
}

export function lt(z: number, x: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) put(z, i, at(x, i) < operand(y, i, single) ? 1 : 0);
}

export function le(z: number, x: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) put(z, i, at(x, i) <= operand(y, i, single) ? 1 : 0);
}

export function eq(z: number, x: number, y: number, n: number, single = 0): void {
  for (let i = 0; i < n; i++) put(z, i, at(x, i) === operand(y, i, single) ? 1 : 0);
}

export function clamp(z: number, x: number, n: number, low: number, high: number): void {
  for (let i = 0; i < n; i++) put(z, i, Math.min(Math.max(at(x, i), low), high));
}

export function clampGrad(dx: number, dz: number, x: number, n: number, low: number, high: number): void {
  for (let i = 0; i < n; i++) put(dx, i, at(dx, i) + (at(x, i) >= low && at(x, i) <= high ? at(dz, i) : 0));
}

export function where(z: number, c: number, x: number, y: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, at(c, i) === 0 ? at(y, i) : at(x, i));
}
