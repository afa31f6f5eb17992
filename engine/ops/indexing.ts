/**
 * Rows and elements picked by index, and added to by index.
 *
 * An index is a whole number from 0 on, in an array or in a tensor (`argmax` gives such). Every op here comes down to a list
 * of rows: indices are checked and turned into row numbers once, and the kernels take them in ascending order, so
 * that sums over repeated indices always have the same bits.
 */

import { integersOf, withDefaults, wrongValue } from "../arguments.ts";
import { integersAt, k } from "../backend.ts";
import { composedOp } from "../composed.ts";
import { apply, gradOf, type Op, passGradient, ready, SAVES, saveFor } from "../op.ts";
import { allocate, recycle } from "../scope.ts";
import { axisOf, checkShape, formatShape, placeOf, type Shape, sizeOf, stridesOf } from "../shape.ts";
import { alive, Tensor, valuesIn } from "../tensor.ts";
import { slice } from "./layout.ts";

/** Whole numbers from 0 on, at least one. A flat array counts as one axis, [n]; a tensor has its shape. */
export type Indices = ArrayLike<number> | Tensor;

/** Rows of `width` elements by number: for each place of `places`, Σ steps·place + scale·index, with the indices used in turn. */
interface Rows {
  readonly shape: Shape;
  readonly indices: Int32Array;
  readonly places: Shape;
  readonly steps: readonly number[];
  readonly scale: number;
  readonly width: number;
  /** A row that gets no gradient, or −1. */
  readonly skip: number;
}

/** z[i, :] = x[rows[i], :] */
const takeOp: Op<Rows> = {
  name: "take",
  saves: SAVES.nothing,
  forward: (z, x, _y, _w, rows) => k.gatherRows(z.ptr, x.ptr, locate(z, rows), sizeOf(rows.places), rows.width),
  backward(z, x, _y, _w, { places, width, skip }) {
    const dx = gradOf(x);
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
    const ds = gradOf(source);
    if (ds !== 0) {
      const part = allocate(4 * source.size);
      k.gatherRows(part, z.gradPtr, z.saved, source.size, 1);
      k.addTo(ds, part, source.size);
      recycle(part, 4 * source.size);
    }
    passGradient(z, x);
  },
};

/**
 * The slices of x along an axis at the indices [k], one after the other, a copy: [..., n, ...] → [..., k, ...]. Repeated
 * ones add up their gradients in ascending order.
 *
 * @throws RangeError unless x has this axis, or if there are no indices, one is not a whole number in [0, n), or they have
 *   more than one axis; TypeError for indices that are neither an array nor a tensor.
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
  return apply(takeOp, { shape, indices: index.values, places, steps: [n, 0], scale: 1, width, skip: -1 }, x);
}

/**
 * Elements picked along an axis:  z[i, j, k] = x[i, index[i, j, k], k]  for axis 1 of three; z has the shape of the index.
 * Repeated elements add up their gradients in ascending order.
 *
 * @throws RangeError unless x has this axis, or if the index has not as many axes as x or more elements on one of the
 *   others, or a value is not a whole number in [0, size of the axis); TypeError for an index that is neither an array nor a
 *   tensor.
 *
 * @example
 * ```ts
 * import { gather, tensor } from "jarvis-snn";
 *
 * console.log(gather(tensor([[1, 2], [3, 4]]), 1, tensor([[1], [0]])).toArray()); // [ [ 2 ], [ 3 ] ]
 * ```
 */
export const gather = (x: Tensor, axis: number, index: Indices): Tensor =>
  apply(takeOp, elements("gather", x, axis, index, null), x);

/**
 * x with the elements of `source` added along an axis:  z[i, index[i, j, k], k] += source[i, j, k]  for axis 1 of three, in
 * ascending order of the source. Elements of `source` beyond the shape of the index stay out. The result has the shape
 * of x. ∂L/∂x = ∂L/∂z, ∂L/∂source[i, j, k] = ∂L/∂z[i, index[i, j, k], k].
 *
 * @throws RangeError or TypeError as {@link gather}, and if the index has more elements on an axis than `source`.
 */
export const scatterAdd = composedOp((x: Tensor, axis: number, index: Indices, source: Tensor): Tensor => {
  alive(source, "scatterAdd");
  const rows = elements("scatterAdd", x, axis, index, source);
  const part = rows.shape.reduce((z, n, i) => (n < (z.sizes[i] as number) ? slice(z, i, 0, n) : z), source);
  return apply(scatterAddOp, { ...rows, shape: x.sizes }, x, part);
});

/** The elements of x that an index along an axis names, as rows of one element. The index lies within `source` too. */
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
  /** A row of the weight that gets no gradient; negative counts from the end. Default null: none. */
  paddingIdx?: number | null;
}

const DEFAULTS: Required<EmbeddingOptions> = { paddingIdx: null };

/**
 * The rows of `weight` [K, N] that the indices name: indices [...] → [..., N]. Rows that are named more than once add up their
 * gradients in ascending order.
 *
 * @throws RangeError if the weight is no matrix, there are no indices, or an index or `paddingIdx` is not one of its rows;
 *   TypeError for indices that are neither an array nor a tensor.
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
  return apply(takeOp, { shape, indices: index.values, places, steps: [0], scale: 1, width, skip }, weight);
}

/** The row of n that paddingIdx names, −1 for null. */
export const paddingRow = (paddingIdx: number | null, n: number): number =>
  paddingIdx === null ? -1 : placeOf("embedding", "paddingIdx", paddingIdx, n);

/** The shape of the indices, and a copy of them in row-major order. Throws unless each is a whole number in [0, limit). */
function indexOf(where: string, indices: Indices, limit: number): { shape: Shape; values: Int32Array } {
  const values = integersOf(where, "indices", valuesIn(where, indices), limit);
  return { shape: indices instanceof Tensor ? indices.sizes : [values.length], values };
}

/** Address of the numbers of the rows, which backward reads too. */
function locate(z: Tensor, { indices, places, steps, scale }: Rows): number {
  const count = sizeOf(places);
  const p = saveFor(z, 4 * count);
  const rows = integersAt(p, count);
  const place = places.map(() => 0);
  let offset = 0;
  for (let i = 0; i < count; i++) {
    rows[i] = offset + scale * (indices[i % indices.length] as number);
    // To the next place: the last axis first, with a carry.
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
