/** Shapes: checked once at the edge, then shared and never changed. */

/** Sizes of the axes: positive integers, [] for a single number. Never changed. */
export type Shape = readonly number[];

/** Of a tensor: its addresses fit into 32 bits. */
export const MAX_ELEMENTS = 2 ** 30;

export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i] as number;
  return size;
}

/** Throws for sizes that come one by one. */
export function checkList(where: string, shape: Shape): void {
  if (!Array.isArray(shape)) throw new TypeError(`${where}: expected a shape, a list of sizes, got ${shape}`);
}

/** Throws unless every axis is a positive integer and the tensor fits into 32-bit memory. */
export function checkShape(where: string, shape: Shape): Shape {
  checkList(where, shape);
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`${where}: expected positive integer sizes, got shape ${formatShape(shape)}`);
    }
  }
  checkSize(where, shape, sizeOf(shape));
  return shape;
}

/** Throws unless so many elements fit into 32-bit memory. */
export function checkSize(where: string, shape: Shape, size: number): void {
  if (size <= MAX_ELEMENTS) return;
  throw new RangeError(`${where}: expected at most 2³⁰ elements, got shape ${formatShape(shape)}`);
}

export function sameShape(x: Shape, y: Shape): boolean {
  if (x === y) return true;
  if (x.length !== y.length) return false;
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

/** An axis of a tensor with `ndim` axes as 0 … ndim − 1; negative ones count from the end. */
export function axisOf(where: string, axis: number, ndim: number): number {
  if (ndim === undefined) throw new TypeError(`${where}: expected a tensor`);
  const index = axis < 0 ? axis + ndim : axis;
  if (!Number.isInteger(index) || index < 0 || index >= ndim) {
    throw new RangeError(`${where}: expected an axis in [${-ndim}, ${ndim - 1}], got ${axis}`);
  }
  return index;
}

/** Axes ascending and without repetition; all of them for undefined. */
export function axesOf(where: string, axis: number | readonly number[] | undefined, ndim: number): number[] {
  if (axis === undefined) return Array.from({ length: ndim }, (_, i) => i);
  const list = typeof axis === "number" ? [axis] : axis;
  const axes = list.map((a) => axisOf(where, a, ndim)).sort((a, b) => a - b);
  if (new Set(axes).size !== axes.length)
    throw new RangeError(`${where}: expected distinct axes, got ${formatShape(list)}`);
  return axes;
}

/** Elements from one place of an axis to the next, for each axis. */
export function stridesOf(shape: Shape): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** The NumPy broadcast of two shapes. */
export function broadcastShapes(where: string, x: Shape, y: Shape): Shape {
  if (sameShape(x, y)) return x;
  const ndim = Math.max(x.length, y.length);
  const shape = new Array<number>(ndim);
  for (let i = 1; i <= ndim; i++) {
    const p = x[x.length - i] ?? 1;
    const q = y[y.length - i] ?? 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw new RangeError(`${where}: shapes do not broadcast, got ${formatShape(x)} and ${formatShape(y)}`);
    }
    shape[ndim - i] = p === 1 ? q : p;
  }
  return shape;
}
