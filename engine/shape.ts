/** Shapes: copied and checked where they come in, then shared and never changed. */
import { FINITE, listOf, show, wrongType, wrongValue } from "./arguments.ts";

/** Sizes of the axes: positive integers, [] for a single number. Never changed. */
export type Shape = readonly number[];

/** Of a tensor: its addresses fit into 32 bits. */
export const MAX_ELEMENTS = 2 ** 30;

/** More axes than anybody needs; nested arrays that hold themselves have no end. */
export const MAX_AXES = 64;

export const formatShape = (shape: Shape): string => show(shape);

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i] as number;
  return size;
}

/**
 * A copy of a list of sizes, which are not looked at.
 *
 * @throws TypeError for anything but a list, also for sizes that come one by one; RangeError for more than 64 axes.
 */
export function sizesOf(where: string, shape: Shape): number[] {
  if (!Array.isArray(shape)) throw wrongType(where, "a shape, a list of sizes", shape);
  const { length } = shape;
  if (length > MAX_AXES) throw wrongValue(where, `at most ${MAX_AXES} axes`, length);
  const sizes: number[] = [];
  for (let axis = 0; axis < length; axis++) sizes.push(shape[axis] as number);
  return sizes;
}

/**
 * A copy of a shape.
 *
 * @throws TypeError for anything but a list; RangeError for more than 64 axes, and unless every size is a positive integer and the tensor
 *   fits into 32-bit memory.
 */
export function checkShape(where: string, shape: Shape): Shape {
  const copy = sizesOf(where, shape);
  let size = 1;
  for (let axis = 0; axis < copy.length; axis++) {
    const n = copy[axis] as number;
    if (!Number.isInteger(n) || n < 1) throw wrongValue(where, "positive integer sizes", `shape ${formatShape(copy)}`);
    size *= n;
  }
  checkSize(where, copy, size);
  return copy;
}

/** Throws unless `size` elements fit into 32-bit memory. */
export function checkSize(where: string, shape: Shape, size: number): void {
  if (size <= MAX_ELEMENTS) return;
  throw wrongValue(where, "at most 2³⁰ elements", `shape ${formatShape(shape)}`);
}

export function sameShape(x: Shape, y: Shape): boolean {
  if (x === y) return true;
  if (x.length !== y.length) return false;
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

/** One of n places as 0 … n − 1; negative ones count from the end. */
export function placeOf(where: string, name: string, place: number, n: number): number {
  if (typeof place !== "number") throw wrongType(where, `${name} as a number`, place);
  const index = place < 0 ? place + n : place;
  if (Number.isInteger(index) && index >= 0 && index < n) return index;
  throw wrongValue(where, `${name} in [${-n}, ${n - 1}]`, place);
}

/** The place of an axis among the axes of a tensor. */
export const axisOf = (where: string, axis: number, ndim: number): number => placeOf(where, "an axis", axis, ndim);

/** Axes ascending and without repetition; all of them for undefined. */
export function axesOf(where: string, axis: number | readonly number[] | undefined, ndim: number): number[] {
  if (axis === undefined) {
    const all: number[] = [];
    for (let i = 0; i < ndim; i++) all.push(i);
    return all;
  }
  if (typeof axis !== "number" && !Array.isArray(axis)) throw wrongType(where, "an axis or a list of axes", axis);
  const list = typeof axis === "number" ? [axis] : listOf(where, "axes", axis, FINITE);
  const axes = list.map((a) => axisOf(where, a, ndim)).sort((a, b) => a - b);
  if (new Set(axes).size !== axes.length) throw wrongValue(where, "distinct axes", formatShape(list));
  return axes;
}

/** Elements from one place of an axis to the next, for each axis. */
export const stridesOf = (shape: Shape): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** The NumPy broadcast of two shapes. */
export function broadcastShapes(where: string, x: Shape, y: Shape): Shape {
  if (sameShape(x, y)) return x;
  const ndim = Math.max(x.length, y.length);
  const shape = new Array<number>(ndim);
  for (let i = 1; i <= ndim; i++) {
    const p = x[x.length - i] ?? 1;
    const q = y[y.length - i] ?? 1;
    if (p !== q && p !== 1 && q !== 1) {
      const hint = startsWith(x, y) || startsWith(y, x) ? "; unsqueeze(-1) the shorter one?" : "";
      throw new RangeError(`${where}: shapes do not broadcast, got ${formatShape(x)} and ${formatShape(y)}${hint}`);
    }
    shape[ndim - i] = p === 1 ? q : p;
  }
  return shape;
}

/** Whether x has one axis more than y, behind all axes of y. */
const startsWith = (x: Shape, y: Shape): boolean => x.length === y.length + 1 && sameShape(x.slice(0, -1), y);
