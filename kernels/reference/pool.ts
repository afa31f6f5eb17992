import { bitAt, packStream } from "./bits.ts";
import { at, put } from "./memory.ts";

export function maxPool(
  z: number,
  place: number,
  x: number,
  planes: number,
  height: number,
  width: number,
  rows: number,
  columns: number,
  kh: number,
  kw: number,
  sy: number,
  sx: number,
  dy: number,
  dx: number,
  py: number,
  px: number,
): void {
  for (let window = 0; window < planes * rows * columns; window++) {
    const plane = Math.floor(window / (rows * columns)) * height * width;
    const top = (Math.floor(window / columns) % rows) * sy - py;
    const left = (window % columns) * sx - px;
    let best = -Infinity;
    let found = -1;
    for (let i = firstInside(top, dy); i < Math.min(height, top + kh * dy); i += dy) {
      for (let j = firstInside(left, dx); j < Math.min(width, left + kw * dx); j += dx) {
        const value = at(x, plane + i * width + j);
        if (found >= 0 && (Number.isNaN(best) || value <= best)) continue;
        best = value;
        found = i * width + j;
      }
    }
    if (z !== 0) put(z, window, best);
    if (place !== 0) put(place, window, found);
  }
}

/** The first value of a window at `start` that is not before the plane. */
const firstInside = (start: number, dilation: number): number =>
  start + Math.max(0, Math.ceil(-start / dilation)) * dilation;

export function maxPoolBits(
  z: number,
  place: number,
  x: number,
  planes: number,
  height: number,
  width: number,
  rows: number,
  columns: number,
  kh: number,
  kw: number,
  sy: number,
  sx: number,
  dy: number,
  dx: number,
): void {
  const foundAt = (window: number): [set: boolean, place: number] => {
    const plane = Math.floor(window / (rows * columns)) * height * width;
    const top = (Math.floor(window / columns) % rows) * sy;
    const left = (window % columns) * sx;
    for (let i = top; i < Math.min(height, top + kh * dy); i += dy) {
      for (let j = left; j < Math.min(width, left + kw * dx); j += dx) {
        if (bitAt(x, plane + i * width + j) === 1) return [true, i * width + j];
      }
    }
    return [false, top * width + left];
  };
  const windows = planes * rows * columns;
  if (z !== 0) packStream(z, windows, (i) => foundAt(i)[0]);
  if (place !== 0) for (let i = 0; i < windows; i++) put(place, i, foundAt(i)[1]);
}

export function spans(
  table: number,
  size: number,
  places: number,
  kernel: number,
  stride: number,
  padding: number,
  countPadding: number,
): void {
  for (let c = 0; c < places; c++) {
    const first = kernel === 0 ? Math.floor((c * size) / places) : c * stride - padding;
    const end = kernel === 0 ? Math.ceil(((c + 1) * size) / places) : first + kernel;
    const from = Math.max(first, 0);
    const to = Math.min(end, size);
    put(table, 3 * c, from);
    put(table, 3 * c + 1, to);
    put(table, 3 * c + 2, countPadding ? Math.min(end, size + padding) - first : to - from);
  }
}

/** Calls f(value of x, window, values of the window) for every value under every window. */
function eachValue(
  down: number,
  across: number,
  planes: number,
  height: number,
  width: number,
  rows: number,
  columns: number,
  f: (cell: number, window: number, count: number) => void,
): void {
  for (let window = 0; window < planes * rows * columns; window++) {
    const plane = Math.floor(window / (rows * columns));
    const r = 3 * (Math.floor(window / columns) % rows);
    const c = 3 * (window % columns);
    const count = at(down, r + 2) * at(across, c + 2);
    for (let i = at(down, r); i < at(down, r + 1); i++) {
      for (let j = at(across, c); j < at(across, c + 1); j++) f((plane * height + i) * width + j, window, count);
    }
  }
}

export function avgPool(
  z: number,
  x: number,
  down: number,
  across: number,
  planes: number,
  height: number,
  width: number,
  rows: number,
  columns: number,
): void {
  for (let i = 0; i < planes * rows * columns; i++) put(z, i, 0);
  eachValue(down, across, planes, height, width, rows, columns, (cell, window, count) =>
    put(z, window, at(z, window) + at(x, cell) / count),
  );
}

export function avgPoolBits(
  z: number,
  x: number,
  down: number,
  across: number,
  planes: number,
  height: number,
  width: number,
  rows: number,
  columns: number,
): void {
  for (let i = 0; i < planes * rows * columns; i++) put(z, i, 0);
  eachValue(down, across, planes, height, width, rows, columns, (cell, window, count) =>
    put(z, window, at(z, window) + bitAt(x, cell) / count),
  );
}

export function avgPoolGrad(
  dx: number,
  dz: number,
  down: number,
  across: number,
  planes: number,
  height: number,
  width: number,
  rows: number,
  columns: number,
): void {
  eachValue(down, across, planes, height, width, rows, columns, (cell, window, count) =>
    put(dx, cell, at(dx, cell) + at(dz, window) / count),
  );
}

export function addAtPlaces(dx: number, dz: number, place: number, planes: number, size: number, n: number): void {
  for (let i = 0; i < planes * n; i++) {
    const found = at(place, i);
    const cell = Math.floor(i / n) * size + found;
    if (found >= 0) put(dx, cell, at(dx, cell) + at(dz, i));
  }
}
