import { at, put } from "./memory.ts";

export function grid(table: number, ni: number, nj: number, nk: number, si: number, sj: number, sk: number): void {
  for (let i = 0; i < ni; i++) {
    for (let j = 0; j < nj; j++) {
      for (let k = 0; k < nk; k++) put(table, (i * nj + j) * nk + k, i * si + j * sj + k * sk);
    }
  }
}

export function addGathered(x: number, patches: number, rows: number, cols: number, m: number, n: number): void {
  for (let p = m - 1; p >= 0; p--) {
    for (let j = 0; j < n; j++) {
      const cell = at(rows, p) + at(cols, j);
      put(x, cell, at(x, cell) + at(patches, p * n + j));
    }
  }
}
