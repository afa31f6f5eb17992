import { at, put } from "./memory.ts";

export function listNonZeros(lists: number, x: number, m: number, k: number, unit: number): number {
  const entries = lists + 4 * (2 * m + k + 3);
  const lengths: number[] = [];
  let count = 0;
  for (let i = 0; i < m; i++) {
    put(lists, i, entries + 8 * count);
    const before = count;
    for (let p = 0; p < k; p++) {
      if (at(x, i * k + p) === 0) continue;
      put(entries, 2 * count, p * unit);
      put(entries, 2 * count + 1, at(x, i * k + p));
      count++;
    }
    lengths.push(count - before);
  }
  put(lists, m, entries + 8 * count);
  const order = Array.from(lengths, (_, i) => i).sort((i, j) => (lengths[i] as number) - (lengths[j] as number));
  order.forEach((i, s) => {
    put(lists, m + 1 + s, i);
  });
  return count;
}

export function multiplyListed(c: number, lists: number, b: number, m: number, n: number, cRow: number): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let entry = at(lists, i); entry < at(lists, i + 1); entry += 8)
        sum += at(entry, 1) * at(b + at(entry, 0), j);
      put(c, i * cRow + j, sum);
    }
  }
}
