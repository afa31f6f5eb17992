import { at, put } from "./memory.ts";

export function grid(table: number, ni: number, nj: number, nk: number, si: number, sj: number, sk: number): void {
  for (let i = 0; i < ni; i++) {
    for (let j = 0; j < nj; j++) {
      for (let k = 0; k < nk; k++) put(table, (i * nj + j) * nk + k, i * si + j * sj + k * sk);
    }
  }
}

export function addPatches(
  x: number,
  patches: number,
  placeTable: number,
  runTable: number,
  places: number,
  runs: number,
  n: number,
  step: number,
): void {
  for (let p = 0; p < places; p++) {
    for (let r = 0; r < runs; r++) {
      for (let i = 0; i < n; i++) {
        const cell = at(placeTable, p) + at(runTable, r) + i;
        put(x, cell, at(x, cell) + at(patches, p * step + r * n + i));
      }
    }
  }
}
