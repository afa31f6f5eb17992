import { at, put } from "./memory.ts";

export function listNonZeros(lists: number, x: number, m: number, k: number): number {
  const entries = lists + 4 * (m + 1);
  let count = 0;
  for (let i = 0; i < m; i++) {
    put(lists, i, entries + 8 * count);
    for (let p = 0; p < k; p++) {
      if (at(x, i * k + p) === 0) continue;
      put(entries, 2 * count, p);
      put(entries, 2 * count + 1, at(x, i * k + p));
      count++;
    }
  }
  put(lists, m, entries + 8 * count);
  return count;
}

export function multiplyListed(
  c: number,
  lists: number,
  b: number,
  m: number,
  n: number,
  bRow: number,
  cRow: number,
): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let entry = at(lists, i); entry < at(lists, i + 1); entry += 8)
        sum += at(entry, 1) * at(b, at(entry, 0) * bRow + j);
      put(c, i * cRow + j, sum);
    }
  }
}
