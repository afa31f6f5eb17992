import { at, put } from "./memory.ts";

const SIGMOID = 0;
const FAST_SIGMOID = 1;

/** surrogate′(x) of one kind. */
export function surrogateDerivative(kind: number, slope: number, x: number): number {
  if (kind === SIGMOID) {
    const s = 1 / (1 + Math.exp(-slope * x));
    return slope * s * (1 - s);
  }
  if (kind === FAST_SIGMOID) return 1 / (1 + slope * Math.abs(x)) ** 2;
  return slope / 2 / (1 + ((Math.PI / 2) * slope * x) ** 2);
}

export function surrogate(
  z: number,
  u: number,
  threshold: number,
  step: number,
  n: number,
  kind: number,
  slope: number,
): void {
  for (let i = 0; i < n; i++) put(z, i, surrogateDerivative(kind, slope, at(u, i) - at(threshold, i * step)));
}

export function spike(z: number, x: number, n: number, strict: number): void {
  for (let i = 0; i < n; i++) put(z, i, (strict !== 0 ? at(x, i) > 0 : at(x, i) >= 0) ? 1 : 0);
}
