import { bitAt, packStream } from "./bits.ts";
import { at, put } from "./memory.ts";

/** Integers of the head of a table; an entry has three. */
const HEAD = 9;

export function spans(
  table: number,
  size: number,
  places: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
  countPadding: number,
): void {
  // Without the run, which nothing here reads.
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
}

/** Calls f(value of its plane, value of x, window, values of the window) for every value under every window. */
function eachValue(
  down: number,
  across: number,
  planes: number,
  f: (place: number, cell: number, window: number, count: number) => void,
): void {
  const [height, rows, dy, width, columns, dx] = [down, across].flatMap((t) => [at(t, 0), at(t, 1), at(t, 2)]) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let window = 0; window < planes * rows * columns; window++) {
    const plane = Math.floor(window / (rows * columns)) * height * width;
    const r = HEAD + 3 * (Math.floor(window / columns) % rows);
    const c = HEAD + 3 * (window % columns);
    const count = at(down, r + 2) * at(across, c + 2);
    for (let i = at(down, r); i < at(down, r + 1); i += dy) {
      for (let j = at(across, c); j < at(across, c + 1); j += dx)
        f(i * width + j, plane + i * width + j, window, count);
    }
  }
}

const windowsOf = (down: number, across: number, planes: number): number => planes * at(down, 1) * at(across, 1);

export function maxPool(z: number, place: number, x: number, down: number, across: number, planes: number): void {
  const windows = windowsOf(down, across, planes);
  const best = new Float64Array(windows).fill(-Infinity);
  const found = new Float64Array(windows).fill(-1);
  eachValue(down, across, planes, (inPlane, cell, window) => {
    const value = at(x, cell);
    const most = best[window] as number;
    if (found[window] !== -1 && (Number.isNaN(most) || value <= most)) return;
    best[window] = value;
    found[window] = inPlane;
  });
  for (let i = 0; i < windows; i++) {
    if (z !== 0) put(z, i, best[i] as number);
    if (place !== 0) put(place, i, found[i] as number);
  }
}

export function maxPoolBits(z: number, place: number, x: number, down: number, across: number, planes: number): void {
  const windows = windowsOf(down, across, planes);
  const found = new Float64Array(windows).fill(-1);
  const isSet = new Uint8Array(windows);
  eachValue(down, across, planes, (inPlane, cell, window) => {
    if (isSet[window] === 1 || (found[window] !== -1 && bitAt(x, cell) === 0)) return;
    found[window] = inPlane;
    isSet[window] = bitAt(x, cell);
  });
  if (z !== 0) packStream(z, windows, (i) => isSet[i] === 1);
  if (place !== 0) for (let i = 0; i < windows; i++) put(place, i, found[i] as number);
}

export function avgPool(z: number, x: number, down: number, across: number, planes: number): void {
  for (let i = 0; i < windowsOf(down, across, planes); i++) put(z, i, 0);
  eachValue(down, across, planes, (_place, cell, window, count) => put(z, window, at(z, window) + at(x, cell) / count));
}

export function avgPoolBits(z: number, x: number, down: number, across: number, planes: number): void {
  for (let i = 0; i < windowsOf(down, across, planes); i++) put(z, i, 0);
  eachValue(down, across, planes, (_place, cell, window, count) =>
    put(z, window, at(z, window) + bitAt(x, cell) / count),
  );
}

export function avgPoolGrad(dx: number, dz: number, down: number, across: number, planes: number): void {
  eachValue(down, across, planes, (_place, cell, window, count) =>
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
