/** The naive twins of pool.ts, in float64. */
import type { Kernels } from "../build/types.ts";
import { accumulate, at, put } from "./memory.ts";

/** Integers in the header of a table; an entry has three. */
const HEAD = 9;

export const spans: Kernels["spans"] = (table, size, places, kernel, stride, padding, dilation, countPadding) => {
  // The run is left empty, since no twin reads it.
  [size, places, dilation, kernel, stride, padding, 0, 0, 0].forEach((value, i) => {
    put(table, i, value);
  });
  for (let c = 0; c < places; c++) {
    const start = kernel === 0 ? Math.floor((c * size) / places) : c * stride - padding;
    const end =
      kernel === 0
        ? Math.ceil(((c + 1) * size) / places)
        : Math.min(start + (kernel - 1) * dilation + 1, size + padding);
    const first = start + Math.max(0, Math.ceil(-start / dilation)) * dilation;
    put(table, HEAD + 3 * c, Math.min(first, size));
    put(table, HEAD + 3 * c + 1, Math.min(end, size));
    put(table, HEAD + 3 * c + 2, countPadding ? end - start : Math.min(end, size) - first);
  }
};

/**
 * Calls f(window, the places in their plane of the values under it, the plane, the divisor of means) for every window.
 */
function eachWindow(
  down: number,
  across: number,
  planes: number,
  f: (window: number, places: number[], plane: number, count: number) => void,
): void {
  const [height, rows, dy] = [0, 1, 2].map((i) => at(down, i)) as [number, number, number];
  const [width, columns, dx] = [0, 1, 2].map((i) => at(across, i)) as [number, number, number];
  for (let window = 0; window < planes * rows * columns; window++) {
    const r = HEAD + 3 * (Math.floor(window / columns) % rows);
    const c = HEAD + 3 * (window % columns);
    const places: number[] = [];
    for (let i = at(down, r); i < at(down, r + 1); i += dy) {
      for (let j = at(across, c); j < at(across, c + 1); j += dx) places.push(i * width + j);
    }
    const plane = Math.floor(window / (rows * columns)) * height * width;
    f(window, places, plane, at(down, r + 2) * at(across, c + 2));
  }
}

export const maxPool: Kernels["maxPool"] = (z, place, x, down, across, planes) => {
  eachWindow(down, across, planes, (window, places, plane) => {
    let [best, found] = [-Infinity, -1];
    for (const i of places) {
      const value = at(x, plane + i);
      if (found >= 0 && (Number.isNaN(best) || value <= best)) continue;
      [best, found] = [value, i];
    }
    if (z !== 0) put(z, window, best);
    if (place !== 0) put(place, window, found);
  });
};

export const avgPool: Kernels["avgPool"] = (z, x, down, across, planes) => {
  eachWindow(down, across, planes, (window, places, plane, count) => {
    let mean = 0;
    for (const i of places) mean += at(x, plane + i) / count;
    put(z, window, mean);
  });
};

export const avgPoolGrad: Kernels["avgPoolGrad"] = (dx, dz, down, across, planes) => {
  eachWindow(down, across, planes, (window, places, plane, count) => {
    for (const i of places) accumulate(dx, plane + i, at(dz, window) / count);
  });
};

export const addAtPlaces: Kernels["addAtPlaces"] = (dx, dz, place, planes, size, n) => {
  for (let i = 0; i < planes * n; i++) {
    const found = at(place, i);
    const cell = Math.floor(i / n) * size + found;
    if (found >= 0) accumulate(dx, cell, at(dz, i));
  }
};
