import { at, put, wordAt } from "./memory.ts";

/** A stream of n bits ← whether `set` holds for each. */
export function packStream(bits: number, n: number, set: (i: number) => boolean): void {
  for (let w = 0; w * 32 < n; w++) {
    let word = 0;
    for (let q = 0; q < 32 && w * 32 + q < n; q++) if (set(w * 32 + q)) word += 2 ** q;
    put(bits, w, word);
  }
}

/** Bit i of a stream. */
export function bitAt(bits: number, i: number): number {
  return Math.floor(wordAt(bits, Math.floor(i / 32)) / 2 ** (i % 32)) % 2;
}

/** Whether bit p of row i is set. */
export function isSet(bits: number, words: number, i: number, p: number): boolean {
  return bitAt(bits, 32 * words * i + p) === 1;
}

export function unpackBits(z: number, bits: number, n: number): void {
  for (let i = 0; i < n; i++) put(z, i, bitAt(bits, i));
}

export function alignBits(z: number, bits: number, rows: number, n: number): number {
  const words = Math.ceil(n / 32);
  let count = 0;
  for (let r = 0; r < rows; r++) {
    packStream(z + 4 * words * r, n, (p) => bitAt(bits, r * n + p) === 1);
    for (let p = 0; p < n; p++) count += bitAt(bits, r * n + p);
  }
  return count;
}

export function countBits(bits: number, words: number): number {
  let count = 0;
  for (let i = 0; i < 32 * words; i++) count += bitAt(bits, i);
  return count;
}

export function sumBits(z: number, bits: number, T: number, n: number): void {
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let t = 0; t < T; t++) sum += bitAt(bits, t * n + i);
    put(z, i, sum);
  }
}

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
