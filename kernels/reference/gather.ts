import { at, put } from "./memory.ts";

export function packBits(bits: number, x: number, rows: number, k: number): number {
  const words = Math.ceil(k / 32);
  let count = 0;
  let graded = false;
  for (let i = 0; i < rows; i++) {
    for (let w = 0; w < words; w++) {
      let word = 0;
      for (let q = 0; q < 32 && w * 32 + q < k; q++) {
        const value = at(x, i * k + w * 32 + q);
        if (value === 0) continue;
        word += 2 ** q;
        count++;
        graded ||= value !== 1;
      }
      put(bits, i * words + w, word);
    }
  }
  return graded ? count | -(2 ** 31) : count;
}

/** Whether bit p of row i is set. */
function isSet(bits: number, words: number, i: number, p: number): boolean {
  return Math.floor(at(bits, i * words + Math.floor(p / 32)) / 2 ** (p % 32)) % 2 === 1;
}

export function transposeBits(z: number, bits: number, rows: number, k: number): void {
  const words = Math.ceil(k / 32);
  const wordsOut = Math.ceil(rows / 32);
  for (let p = 0; p < k; p++) {
    for (let w = 0; w < wordsOut; w++) {
      let word = 0;
      for (let q = 0; q < 32 && w * 32 + q < rows; q++) if (isSet(bits, words, w * 32 + q, p)) word += 2 ** q;
      put(z, p * wordsOut + w, word);
    }
  }
}

export function gather(
  c: number,
  bits: number,
  x: number,
  b: number,
  init: number,
  m: number,
  n: number,
  k: number,
  xRow: number,
  xCol: number,
  bRow: number,
  bCol: number,
  cRow: number,
  initRow: number,
  initCol: number,
): void {
  const words = Math.ceil(k / 32);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = init === 0 ? 0 : at(init, i * initRow + j * initCol);
      for (let p = 0; p < k; p++) {
        if (isSet(bits, words, i, p)) sum += (x === 0 ? 1 : at(x, i * xRow + p * xCol)) * at(b, p * bRow + j * bCol);
      }
      put(c, i * cRow + j, sum);
    }
  }
}

export function transpose(z: number, x: number, m: number, n: number): void {
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) put(z, j * m + i, at(x, i * n + j));
}
