/** Padding and triangles of matrices: ops that copy parts of x and fill the rest with a value. */
import { FINITE, INTEGER, listOf, numberOf, wrongType, wrongValue } from "../arguments.ts";
import { k } from "../core/backend.ts";
import { gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, SAVES } from "../core/op.ts";
import { composedOp } from "../core/tape.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../shape.ts";
import { slice } from "./layout.ts";
import { reshape } from "./view.ts";

/** Copies blocks of `width` elements into blocks of `step`, from element `offset` on; `value` fills the rest. */
interface Padding {
  readonly shape: Shape;
  readonly rows: number;
  readonly width: number;
  readonly step: number;
  readonly offset: number;
  readonly value: number;
}

const padOp: Op<Padding> = {
  name: "pad",
  saves: SAVES.nothing,
  forward(z, x, _y, _w, { rows, width, step, offset, value }) {
    k.fill(z.ptr, z.size, value);
    k.copyBlocks(z.ptr + 4 * offset, x.ptr, rows, width, step, width);
  },
  backward(z, x, _y, _w, { rows, width, step, offset }) {
    const dx = gradientAt(x);
    if (dx !== 0) k.addBlocks(dx, z.gradPtr + 4 * offset, rows, width, width, step);
  },
};

/**
 * Pads x with `value`, 0 by default: `padding` is [before, after] for the last axis, then for the one before it, and so
 * on, as in PyTorch: [..., n] → [..., before + n + after]. A negative padding crops. ∂L/∂x is the part of ∂L/∂z at the
 * places of x.
 *
 * @throws RangeError unless `padding` has pairs of integers, at most one per axis, that leave at least one element on each axis; TypeError for a
 *   value that is not a number.
 *
 * @example
 * ```ts
 * import { pad, tensor } from "jarvis-snn";
 *
 * console.log(pad(tensor([1, 2]), [1, 2]).toArray()); // [ 0, 1, 2, 0, 0 ]
 * ```
 */
export const pad = composedOp((x: Tensor, padding: readonly number[], value = 0): Tensor => {
  alive(x, "pad");
  const sizes = listOf("pad", "padding", padding, FINITE);
  const cut = (i: number): number => Math.min(sizes[i] as number, 0);
  const fits = sizes.every((n, i) => {
    const size = x.sizes[x.ndim - 1 - (i >> 1)] as number;
    return Number.isInteger(n) && size + cut(i) + cut(i ^ 1) > 0;
  });
  if (!fits) {
    throw wrongValue("pad", `pairs of integers for the last axes of ${formatShape(x.sizes)}`, formatShape(sizes));
  }
  if (typeof value !== "number") throw wrongType("pad", "a number as value", value);
  let z = x;
  for (let i = 0; i < sizes.length; i += 2) {
    const axis = x.ndim - 1 - i / 2;
    if (cut(i) + cut(i + 1) < 0) z = slice(z, axis, -cut(i), (z.sizes[axis] as number) + cut(i + 1));
    z = padAxis(z, axis, (sizes[i] as number) - cut(i), (sizes[i + 1] as number) - cut(i + 1), value);
  }
  return z === x ? reshape(x, x.sizes) : z;
});

function padAxis(x: Tensor, axis: number, before: number, behind: number, value: number): Tensor {
  if (before + behind === 0) return x;
  const n = x.sizes[axis] as number;
  const size = n + before + behind;
  const shape = checkShape(
    "pad",
    x.sizes.map((m, i) => (i === axis ? size : m)),
  );
  const inner = sizeOf(shape.slice(axis + 1));
  const rows = sizeOf(shape.slice(0, axis));
  return applyOp(padOp, { shape, rows, width: n * inner, step: size * inner, offset: before * inner, value }, x);
}

/** Calls f for every row of matrices [rows, columns], with the elements up to the diagonal; skips rows without any. */
function lowerRows(f: typeof k.copy, to: number, from: number, { sizes: shape, size }: Tensor, diagonal: number): void {
  const [rows, columns] = shape.slice(-2) as [number, number];
  for (let first = 0, row = 0; first < size; first += columns, row = (row + 1) % rows) {
    const n = Math.min(row + 1 + diagonal, columns);
    if (n > 0) f(to + 4 * first, from + 4 * first, n);
  }
}

const trilOp: Op<{ diagonal: number }> = {
  name: "tril",
  saves: SAVES.nothing,
  forward(z, x, _y, _w, { diagonal }) {
    k.fill(z.ptr, z.size, 0);
    lowerRows(k.copy, z.ptr, x.ptr, x, diagonal);
  },
  backward(z, x, _y, _w, { diagonal }) {
    const dx = gradientAt(x);
    if (dx !== 0) lowerRows(k.addTo, dx, z.gradPtr, x, diagonal);
  },
};

/**
 * The lower triangle of the last two axes, [..., m, n], up to a diagonal; zeros elsewhere, also in the gradient.
 * `diagonal`: 0 (default) is the main one, positive numbers are above it. z has the shape of x.
 *
 * @throws RangeError if x has fewer than two axes or `diagonal` is not an integer.
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  alive(x, "tril");
  if (x.ndim < 2) throw wrongValue("tril", "two axes or more", formatShape(x.sizes));
  if (!Number.isInteger(diagonal)) numberOf("tril", "diagonal", diagonal, INTEGER);
  return applyOp(trilOp, { diagonal }, x);
}
