import { accumulate, at, put } from "./memory.ts";

export function copyBlocks(z: number, x: number, rows: number, n: number, zStep: number, xStep: number): void {
  for (let r = 0; r < rows; r++) for (let i = 0; i < n; i++) put(z, r * zStep + i, at(x, r * xStep + i));
}

export function addBlocks(z: number, x: number, rows: number, n: number, zStep: number, xStep: number): void {
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < n; i++) accumulate(z, r * zStep + i, at(x, r * xStep + i));
  }
}

/** Sizes of four axes, and their strides. */
type Axes = [na: number, nb: number, nc: number, nd: number, sa: number, sb: number, sc: number, sd: number];

function forEachIndex([na, nb, nc, nd, sa, sb, sc, sd]: Axes, visit: (flat: number, strided: number) => void) {
  let flat = 0;
  for (let a = 0; a < na; a++) {
    for (let b = 0; b < nb; b++) {
      for (let c = 0; c < nc; c++) {
        for (let d = 0; d < nd; d++) visit(flat++, a * sa + b * sb + c * sc + d * sd);
      }
    }
  }
}

export function copyStrided(z: number, x: number, ...axes: Axes): void {
  forEachIndex(axes, (flat, strided) => put(z, flat, at(x, strided)));
}

export function addStrided(x: number, z: number, ...axes: Axes): void {
  forEachIndex(axes, (flat, strided) => accumulate(x, strided, at(z, flat)));
}

export function gatherRows(z: number, x: number, index: number, rows: number, width: number): void {
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < width; c++) put(z, i * width + c, at(x, at(index, i) * width + c));
  }
}

export function scatterRows(z: number, x: number, index: number, rows: number, width: number, skip: number): void {
  for (let i = 0; i < rows; i++) {
    const first = at(index, i) * width;
    if (at(index, i) === skip) continue;
    for (let c = 0; c < width; c++) accumulate(z, first + c, at(x, i * width + c));
  }
}

export function transpose(z: number, x: number, m: number, n: number): void {
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) put(z, j * m + i, at(x, i * n + j));
}
