/** The naive twins of blocks.ts: copies between blocks, in float64. */
import type { Kernels } from "../build/types.ts";
import { accumulate, at, put } from "./memory.ts";

export const copyBlocks: Kernels["copyBlocks"] = (z, x, rows, n, zStep, xStep) => {
  for (let r = 0; r < rows; r++) for (let i = 0; i < n; i++) put(z, r * zStep + i, at(x, r * xStep + i));
};

export const addBlocks: Kernels["addBlocks"] = (z, x, rows, n, zStep, xStep) => {
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < n; i++) accumulate(z, r * zStep + i, at(x, r * xStep + i));
  }
};

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

export const copyStrided: Kernels["copyStrided"] = (z, x, ...axes) => {
  forEachIndex(axes, (flat, strided) => put(z, flat, at(x, strided)));
};

export const addStrided: Kernels["addStrided"] = (x, z, ...axes) => {
  forEachIndex(axes, (flat, strided) => accumulate(x, strided, at(z, flat)));
};

export const gatherRows: Kernels["gatherRows"] = (z, x, index, rows, width) => {
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < width; c++) put(z, i * width + c, at(x, at(index, i) * width + c));
  }
};

export const scatterRows: Kernels["scatterRows"] = (z, x, index, rows, width, skip) => {
  for (let i = 0; i < rows; i++) {
    const first = at(index, i) * width;
    if (at(index, i) === skip) continue;
    for (let c = 0; c < width; c++) accumulate(z, first + c, at(x, i * width + c));
  }
};

export const transpose: Kernels["transpose"] = (z, x, m, n, apart = 0, zApart = 0) => {
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) put(z, j * (zApart || m) + i, at(x, i * (apart || n) + j));
};
