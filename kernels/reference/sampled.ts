import { bitAt, packStream } from "./bits.ts";
import { at, put } from "./memory.ts";
import { surrogateDerivative } from "./surrogate.ts";

export function surrogateSupport(
  bits: number,
  u: number,
  threshold: number,
  step: number,
  rows: number,
  n: number,
  kind: number,
  slope: number,
): number {
  const words = Math.ceil(n / 32);
  let groups = 0;
  for (let i = 0; i < rows; i++) {
    const isNear = (j: number) => surrogateDerivative(kind, slope, at(u, i * n + j) - at(threshold, j * step)) !== 0;
    packStream(bits + 4 * words * i, n, isNear);
    for (let j = 0; j < n; j += 4) if ([0, 1, 2, 3].some((q) => j + q < n && isNear(j + q))) groups++;
  }
  return groups;
}

export function gemmSampled(
  c: number,
  bits: number,
  a: number,
  b: number,
  m: number,
  n: number,
  k: number,
  aRow: number,
  bRow: number,
  bCol: number,
  cRow: number,
): void {
  const words = Math.ceil(n / 32);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const group = 32 * words * i + (j & ~3);
      if (![0, 1, 2, 3].some((q) => bitAt(bits, group + q) === 1)) continue;
      let sum = at(c, i * cRow + j);
      for (let p = 0; p < k; p++) sum += at(a, i * aRow + p) * at(b, p * bRow + j * bCol);
      put(c, i * cRow + j, sum);
    }
  }
}
