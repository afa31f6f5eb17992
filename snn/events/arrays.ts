/** Events that a file stores as four arrays, such as npz and HDF5. */
import type { EventColumns } from "./recording.ts";

/** Values of an array in a file. */
export type ArrayValues = ArrayLike<number> | ArrayLike<bigint>;

/** The four arrays by column name. */
export interface Arrays {
  readonly t: ArrayValues;
  readonly x: ArrayValues;
  readonly y: ArrayValues;
  readonly p: ArrayValues;
}

type Reader = (view: DataView, at: number, little: boolean) => number;

/** A 64-bit integer from two halves, rounded if it is unsafe; several times faster than a bigint. */
const long =
  (high: Reader): Reader =>
  (view, at, little) =>
    high(view, at + (little ? 4 : 0), little) * 2 ** 32 + view.getUint32(at + (little ? 0 : 4), little);

/** A 16-bit float: [sign: 1] [exponent: 5] [fraction: 10]. */
const half: Reader = (view, at, little) => {
  const bits = view.getUint16(at, little);
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return Number.NaN;
  return exponent === 0 ? (sign * fraction) / 2 ** 24 : (sign * (0x400 + fraction) * (1 << exponent)) / 2 ** 25;
};

/** Readers by type, u and i for unsigned and signed integers, f for floats, b for booleans, and size in bytes. */
const NUMBERS: Readonly<Record<string, Reader>> = {
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: long((view, at, little) => view.getUint32(at, little)),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: long((view, at, little) => view.getInt32(at, little)),
  f2: half,
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

/** Reads `n` numbers of a type, the first at byte `at`, `step` bytes apart; null for an unknown type. */
export function numbersAt(
  view: DataView,
  kind: string,
  at: number,
  n: number,
  step: number,
  little = true,
): Float64Array | null {
  const read = NUMBERS[kind];
  if (read === undefined) return null;
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = read(view, at + i * step, little);
  return values;
}

/** Number of events that are read at once, which bounds the memory of the values. */
export const TOGETHER = 1 << 20;

/** Makes room for the events of arrays of these lengths and returns their number; `at` is the offset of the first one in the file. */
export function reserved(columns: EventColumns, lengths: readonly number[], at: number): number {
  const n = Math.min(...lengths);
  const most = Math.max(...lengths);
  if (most > n) {
    columns.damaged(at, "t, x, y and p of one length", lengths.join(", "));
    columns.dropped += most - n - 1;
  }
  columns.reserve(n);
  return n;
}

/**
 * Appends events, for which there is room and whose times are relative to `origin`; `at` returns the file offset of the event of an index.
 */
export function appendArrays(columns: EventColumns, arrays: Arrays, origin: number, at: (i: number) => number): void {
  const n = arrays.t.length;
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
