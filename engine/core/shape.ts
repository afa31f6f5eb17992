/** Shapes: copied and checked on input, then shared and never changed. */
import { show, wrongValue } from "./errors.ts";

/** Sizes of the axes: positive integers, [] for a single number. Never changed. */
export type Shape = readonly number[];

/** Largest number of elements, so that addresses fit into 32 bits. */
export const MAX_ELEMENTS = 2 ** 30;

export const formatShape = (shape: Shape): string => show(shape);

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i] as number;
  return size;
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
