/** Checks of shapes, axes and tensors among arguments. */
import { FINITE, listOf, numbersOf, wrongType, wrongValue } from "./arguments.ts";
import { checkSize, formatShape, type Shape, sameShape, sizeOf } from "./core/shape.ts";
import { alive, peek, Tensor } from "./core/tensor.ts";

export { checkSize, formatShape, MAX_ELEMENTS, type Shape, sameShape, sizeOf } from "./core/shape.ts";

/** Most axes of a tensor. The limit also stops at nested arrays that contain themselves. */
export const MAX_AXES = 64;

/**
 * A copy of a list of sizes; the sizes themselves are not checked.
 *
 * @throws TypeError for anything but a list, such as separate sizes; RangeError for more than 64 axes.
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
 * A checked copy of a shape.
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

/** Index of one of n places, 0 … n − 1; negative indices count from the end. */
export function placeOf(where: string, name: string, place: number, n: number): number {
  if (typeof place !== "number") throw wrongType(where, `${name} as a number`, place);
  const index = place < 0 ? place + n : place;
  if (Number.isInteger(index) && index >= 0 && index < n) return index;
  throw wrongValue(where, `${name} in [${-n}, ${n - 1}]`, place);
}

/** Index of a tensor's axis; negative axes count from the end. */
export const axisOf = (where: string, axis: number, ndim: number): number => placeOf(where, "an axis", axis, ndim);

/** Axes in ascending order, each given once; undefined means all. */
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

/** Stride of each axis, in elements. */
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

/** Whether x has exactly one axis more than y, after all axes of y. */
const startsWith = (x: Shape, y: Shape): boolean => x.length === y.length + 1 && sameShape(x.slice(0, -1), y);

/** Throws unless an argument is null or a live tensor. */
export function checkOptional(where: string, name: string, t: Tensor | null): void {
  if (t === null) return;
  if (!(t instanceof Tensor)) throw wrongType(where, `${name} as a tensor`, t);
  alive(t, where);
}

/** `checkOptional` that also checks the tensor's shape. */
export function checkOptionalShape(where: string, name: string, t: Tensor | null, shape: Shape): void {
  checkOptional(where, name, t);
  if (t === null || sameShape(t.sizes, shape)) return;
  throw wrongValue(where, `${name} ${formatShape(shape)}`, formatShape(t.sizes));
}

/** A copy of a non-empty list of live tensors. */
export function tensorList(where: string, list: readonly Tensor[]): [Tensor, ...Tensor[]] {
  if (!Array.isArray(list)) throw wrongType(where, "a list of tensors", list);
  const n = list.length;
  if (n === 0) throw wrongValue(where, "at least one tensor", "none");
  const tensors: Tensor[] = [];
  for (let i = 0; i < n; i++) {
    const t = list[i] as Tensor;
    alive(t, where);
    tensors.push(t);
  }
  return tensors as [Tensor, ...Tensor[]];
}

/** A live view of the values if `given` is a tensor; anything else is returned unchanged. */
export const valuesIn = (where: string, given: unknown): unknown =>
  given instanceof Tensor ? peek(given, where) : given;

/**
 * Targets for x [..., K], one per row, as an array that is valid until the next allocation.
 *
 * @throws TypeError for anything but an array of numbers or a tensor; RangeError for a wrong number of targets.
 */
export function targetsOf(where: string, x: Tensor, target: unknown): ArrayLike<number> {
  const targets = numbersOf(where, "an array or a tensor of targets", valuesIn(where, target));
  const rows = x.size / (x.sizes[x.sizes.length - 1] as number);
  const n = targets.length;
  if (n === rows) return targets;
  const hint = Number.isInteger(rows / n)
    ? `; does ${formatShape(x.sizes)} have a time axis? take a readout over time first, or repeat the targets`
    : "";
  throw wrongValue(where, `${rows} targets`, `${n}${hint}`);
}

/** Throws unless the channels divide into `numGroups` equal groups. */
export function checkGroups(where: string, numGroups: number, channels: number): void {
  if (typeof numGroups !== "number") throw wrongType(where, "numGroups as a number", numGroups);
  if (Number.isInteger(channels / numGroups) && Number.isInteger(numGroups) && numGroups > 0) return;
  throw wrongValue(where, `numGroups to divide ${channels} channels`, numGroups);
}
