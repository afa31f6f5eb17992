/**
 * The values under a window that moves over an image, as a matrix P[p, j] = x[rows[p] + cols[j]]: row p is a place in the window, column j a
 * position of the window, and two tables of integers hold their offsets. The tables also encode strides, dilation, channels and several images
 * at a time. `gemmGathered` multiplies such a matrix in place.
 */
import { addRow } from "./events";

/** table[i, j, k] ← i·si + j·sj + k·sk, as integers     i < ni, j < nj, k < nk */
export function grid(table: usize, ni: i32, nj: i32, nk: i32, si: i32, sj: i32, sk: i32): void {
  for (let i = 0; i < ni; i++) {
    for (let j = 0; j < nj; j++) {
      for (let k = 0; k < nk; k++, table += 4) store<i32>(table, i * si + j * sj + k * sk);
    }
  }
}

/**
 * x[places[p] + runs[r] + i] += P[p, r, i] for the rows of P in order, `step` elements apart, each with runs of n neighbours: every x receives
 * the terms of the windows over it in the order of their places.
 */
export function addPatches(
  x: usize,
  patches: usize,
  placeTable: usize,
  runTable: usize,
  places: i32,
  runs: i32,
  n: i32,
  step: i32,
): void {
  for (let p = 0; p < places; p++, placeTable += 4, patches += (<usize>step) << 2) {
    const place = x + ((<usize>load<i32>(placeTable)) << 2);
    let from = patches;
    for (let r = 0; r < runs; r++, from += (<usize>n) << 2) {
      inline.always(addRow(place + ((<usize>load<i32>(runTable + ((<usize>r) << 2))) << 2), from, n, 1));
    }
  }
}
