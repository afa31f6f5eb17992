import { isSet } from "./bits.ts";
import { at, put } from "./memory.ts";

export function gather(
  c: number,
  bits: number,
  _work: number,
  x: number,
  turned: number,
  b: number,
  init: number,
  _count: number,
  m: number,
  n: number,
  k: number,
  bRow: number,
  bCol: number,
): void {
  const words = Math.ceil(k / 32);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = init === 0 ? 0 : at(init, init === c ? i * n + j : j);
      for (let p = 0; p < k; p++) {
        if (isSet(bits, words, i, p))
          sum += (x === 0 ? 1 : at(x, turned === 0 ? i * k + p : p * m + i)) * at(b, p * bRow + j * bCol);
      }
      put(c, i * n + j, sum);
    }
  }
}
