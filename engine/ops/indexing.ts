/**
 * Selection of rows and elements by index, and addition by index.
 *
 * An index is an integer ≥ 0, in an array or a tensor, such as the result of `argmax`. Every op here checks its indices
 * and turns them into a list of row numbers once. Kernels read the list from the start, so sums over repeated indices
 * always have the same bits.
 */

import { integersOf, withDefaults, wrongValue } from "../arguments.ts";
import { integersAt, k } from "../core/backend.ts";
import { gradientAt, passGradient } from "../core/gradient.ts";
import { applyOp, type Op, ready, SAVES, saveBlock } from "../core/op.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { composedOp } from "../core/tape.ts";
import { alive, Tensor } from "../core/tensor.ts";
import { axisOf, checkShape, formatShape, placeOf, type Shape, sizeOf, stridesOf, valuesIn } from "../shape.ts";
import { slice } from "./layout.ts";

/** One or more integers ≥ 0. A flat array has one axis, [n]; a tensor has its shape. */
export type Indices = ArrayLike<number> | Tensor;

/**
 * Describes a list of row numbers; a row has `width` elements. The row number of place i is Σ steps·place +
 * scale·indices[i mod k], for k indices.
 */
interface Rows {
  readonly shape: Shape;
  readonly indices: Int32Array;
  readonly places: Shape;
  readonly steps: readonly number[];
  readonly scale: number;
  readonly width: number;
  /** Row without a gradient; −1 for none. */
  readonly skip: number;
}

/** z[i, :] = x[rows[i], :] */
const takeOp: Op<Rows> = {
  name: "take",
  saves: SAVES.nothing,
  forward: (z, x, _y, _w, rows) => k.gatherRows(z.ptr, x.ptr, locate(z, rows), sizeOf(rows.places), rows.width),
  backward(z, x, _y, _w, { places, width, skip }) {
    const dx = gradientAt(x);
    if (dx !== 0) k.scatterRows(dx, z.gradPtr, z.saved, sizeOf(places), width, skip);
  },
};

/** z = x, then z[rows[i]] += source[i] */
const scatterAddOp: Op<Rows> = {
  name: "scatterAdd",
  saves: SAVES.nothing,
  forward(z, x, source, _w, rows) {
    k.copy(z.ptr, x.ptr, z.size);
    k.scatterRows(z.ptr, source.ptr, locate(z, rows), source.size, 1, -1);
  },
  backward(z, x, source) {
    const ds = gradientAt(source);
    if (ds !== 0) {
      const part = allocateInScope(4 * source.size);
      k.gatherRows(part, z.gradPtr, z.saved, source.size, 1);
      k.addTo(ds, part, source.size);
      recycle(part, 4 * source.size);
    }
    passGradient(z, x);
  },
};

/**
 * A copy of the slices of x along an axis at the indices [k]: [..., n, ...] → [..., k, ...]. Gradients of repeated indices are summed in ascending
 * order.
 *
 * @throws RangeError if x lacks this axis, there are no indices, an index is not an integer in [0, n), or the indices
 *   have more than one axis; TypeError for indices that are neither an array nor a tensor.
 */
export function indexSelect(x: Tensor, axis: number, indices: Indices): Tensor {
  ready("indexSelect", x);
  const at = axisOf("indexSelect", axis, x.ndim);
  const n = x.sizes[at] as number;
  const index = indexOf("indexSelect", indices, n);
  if (index.shape.length > 1) throw wrongValue("indexSelect", "one axis of indices", formatShape(index.shape));
  const count = index.values.length;
  const shape = checkShape("indexSelect", [...x.sizes.slice(0, at), count, ...x.sizes.slice(at + 1)]);
  const outer = sizeOf(shape.slice(0, at));
  const places = [outer, count];
  const width = x.size / (outer * n);
  return applyOp(takeOp, { shape, indices: index.values, places, steps: [n, 0], scale: 1, width, skip: -1 }, x);
}

/**
 * Selects elements along an axis:  z[i, j, k] = x[i, index[i, j, k], k]  for axis 1 of three; z has the shape of the index. Gradients of repeated
 * elements are summed in ascending order.
 *
 * @throws RangeError if x lacks this axis, index and x have different numbers of axes, the index is larger than x on
 *   another axis, or an index is not an integer in [0, size of the axis); TypeError for an index that is neither an
 *   array nor a tensor.
 *
 * @example
 * ```ts
 * import { gather, tensor } from "jarvis-snn";
 *
 * console.log(gather(tensor([[1, 2], [3, 4]]), 1, tensor([[1], [0]])).toArray()); // [ [ 2 ], [ 3 ] ]
 * ```
 */
export const gather = (x: Tensor, axis: number, index: Indices): Tensor =>
  applyOp(takeOp, elements("gather", x, axis, index, null), x);

/**
 * Adds the elements of `source` to a copy of x along an axis:  z[i, index[i, j, k], k] += source[i, j, k]  for axis 1 of three, in ascending order of
 * the source. Elements of `source` beyond the shape of the index are ignored. The result has the shape of x. ∂L/∂x = ∂L/∂z,
 * ∂L/∂source[i, j, k] = ∂L/∂z[i, index[i, j, k], k].
 *
 * @throws RangeError or TypeError as {@link gather}; RangeError if the index is larger than `source` on an axis.
 */
export const scatterAdd = composedOp((x: Tensor, axis: number, index: Indices, source: Tensor): Tensor => {
  alive(source, "scatterAdd");
  const rows = elements("scatterAdd", x, axis, index, source);
  const part = rows.shape.reduce((z, n, i) => (n < (z.sizes[i] as number) ? slice(z, i, 0, n) : z), source);
  return applyOp(scatterAddOp, { ...rows, shape: x.sizes }, x, part);
});

/**
 * Describes the elements of x that an index selects along an axis, as rows of one element. The index must also fit into
 * `source`.
 */
function elements(where: string, x: Tensor, axis: number, index: Indices, source: Tensor | null): Rows {
  ready(where, x);
  if (source !== null) ready(where, source);
  const at = axisOf(where, axis, x.ndim);
  const { values: indices, shape: given } = indexOf(where, index, x.sizes[at] as number);
  const shape = checkShape(where, given);
  const limits = [x.sizes.map((n, i) => (i === at ? Infinity : n)), source === null ? shape : source.sizes];
  if (limits.some((limit) => limit.length !== shape.length || shape.some((n, i) => n > (limit[i] as number)))) {
    throw new RangeError(
      `${where}: expected an index within ${formatShape(x.sizes)} but for axis ${at}` +
        `${source === null ? "" : ` and within ${formatShape(source.sizes)}`}, got ${formatShape(shape)}`,
    );
  }
  const steps = stridesOf(x.sizes);
  const scale = steps[at] as number;
  steps[at] = 0;
  return { shape, indices, places: shape, steps, scale, width: 1, skip: -1 };
}

/** Options of {@link embedding} and {@link Embedding}. */
export interface EmbeddingOptions {
  /** Row of the weight that gets no gradient; negative counts from the end. Default null: none. */
  paddingIdx?: number | null;
}

const DEFAULTS: Required<EmbeddingOptions> = { paddingIdx: null };

/**
 * Looks up rows of `weight`, [K, N], by index. Shapes: indices [...] → [..., N]. Gradients of repeated rows are summed in ascending order.
 *
 * @throws RangeError if the weight is not a matrix, there are no indices, or an index or `paddingIdx` is not a row of
 *   the weight; TypeError for indices that are neither an array nor a tensor.
 *
 * @example
 * ```ts
 * import { embedding, tensor } from "jarvis-snn";
 *
 * console.log(embedding([1, 0, 1], tensor([[1, 2], [3, 4]])).toArray()); // [ [ 3, 4 ], [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function embedding(indices: Indices, weight: Tensor, options: EmbeddingOptions = DEFAULTS): Tensor {
  const { paddingIdx } = withDefaults("embedding", DEFAULTS, options);
  ready("embedding", weight);
  const [n, width] = weight.sizes as [number, number];
  if (weight.ndim !== 2) throw wrongValue("embedding", "a weight [K, N]", formatShape(weight.sizes));
  const skip = paddingRow(paddingIdx, n);
  const index = indexOf("embedding", indices, n);
  const shape = checkShape("embedding", [...index.shape, width]);
  const places = [index.values.length];
  return applyOp(takeOp, { shape, indices: index.values, places, steps: [0], scale: 1, width, skip }, weight);
}

/** Number of the row that paddingIdx selects among n; −1 for null. */
export const paddingRow = (paddingIdx: number | null, n: number): number =>
  paddingIdx === null ? -1 : placeOf("embedding", "paddingIdx", paddingIdx, n);

/** Shape and row-major copy of indices. Throws unless each is an integer in [0, limit). */
function indexOf(where: string, indices: Indices, limit: number): { shape: Shape; values: Int32Array } {
  const values = integersOf(where, "indices", valuesIn(where, indices), limit);
  return { shape: indices instanceof Tensor ? indices.sizes : [values.length], values };
}

/** Writes the row numbers to memory, which backward reads too; returns their address. */
function locate(z: Tensor, { indices, places, steps, scale }: Rows): number {
  const count = sizeOf(places);
  const p = saveBlock(z, 4 * count);
  const rows = integersAt(p, count);
  const place = places.map(() => 0);
  let offset = 0;
  for (let i = 0; i < count; i++) {
    rows[i] = offset + scale * (indices[i % indices.length] as number);
    // Advances to the next place: the last axis first, with a carry.
    for (let axis = places.length - 1; axis >= 0; axis--) {
      offset += steps[axis] as number;
      place[axis] = (place[axis] as number) + 1;
      if ((place[axis] as number) < (places[axis] as number)) break;
      offset -= (places[axis] as number) * (steps[axis] as number);
      place[axis] = 0;
    }
  }
  return p;
}
