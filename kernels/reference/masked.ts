import { isSet } from "./bits.ts";
import { at, put } from "./memory.ts";

export function gemmMasked(
  c: number,
  bits: number,
  a: number,
  init: number,
  m: number,
  n: number,
  k: number,
  aRow: number,
  aCol: number,
  cRow: number,
  cCol: number,
): void {
  const words = Math.ceil(n / 32);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = init === 0 ? 0 : init === c ? at(c, i * cRow + j * cCol) : at(init, i);
      for (let p = 0; p < k; p++) if (isSet(bits, words, p, j)) sum += at(a, i * aRow + p * aCol);
      put(c, i * cRow + j * cCol, sum);
    }
  }
}
