/** Events that a file has as four arrays. */
import type { Columns } from "./recording.ts";

/** Values of an array in a file. */
export type Values = ArrayLike<number> | ArrayLike<bigint>;

/** The four arrays, by the names of columns. */
export interface Arrays {
  readonly t: Values;
  readonly x: Values;
  readonly y: Values;
  readonly p: Values;
}

/** Appends events, whose times count from `origin` on; `at` says where in the file the event of an index is. */
export function append(columns: Columns, arrays: Arrays, origin: number, at: (i: number) => number): void {
  const sizes = [arrays.t.length, arrays.x.length, arrays.y.length, arrays.p.length] as const;
  const n = Math.min(...sizes);
  if (sizes.some((size) => size !== n)) {
    columns.damaged(at(0), "t, x, y and p of one length", sizes.join(", "));
    columns.dropped += Math.max(...sizes) - n - 1;
  }
  columns.reserve(n);
  const { t, x, y, p, recover } = columns;
  const width = columns.width || 1 << 16;
  const height = columns.height || 1 << 16;
  let length = columns.length;
  let before = length > 0 ? (t[length - 1] as number) : columns.newest;
  for (let i = 0; i < n; i++) {
    const time = origin + Number(arrays.t[i]);
    const column = Number(arrays.x[i]);
    const row = Number(arrays.y[i]);
    if (!(column >= 0 && column < width && row >= 0 && row < height)) columns.outside(at(i), column, row);
    else if (!Number.isSafeInteger(time)) columns.damaged(at(i), "a time of whole microseconds", time);
    else {
      if (time < before && !recover) columns.backwards(at(i), time, before);
      t[length] = time;
      x[length] = column;
      y[length] = row;
      p[length++] = Number(arrays.p[i]) > 0 ? 1 : 0;
      before = time;
    }
  }
  columns.length = length;
}
