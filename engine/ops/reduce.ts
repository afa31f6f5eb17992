/** Reductions over axes. Neighbouring axes are reduced together; separate ones one after the other. */
import { withDefaults, wrongType, wrongValue } from "../arguments.ts";
import { k } from "../core/backend.ts";
import { addsTo, canTakeOver, gradientAt, passGradient } from "../core/gradient.ts";
import { applyOp, type Op, ready, SAVES } from "../core/op.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { composedOp, noGrad } from "../core/tape.ts";
import { alive, emptyOf, type Tensor } from "../core/tensor.ts";
import { handOverAs } from "../forms/gradients.ts";
import type { ShortOp } from "../forms/shortcuts.ts";
import { axesOf, axisOf, type Shape, sizeOf } from "../shape.ts";
import { permute } from "./layout.ts";
import { clone, reshape } from "./view.ts";

/** Options of reductions over any number of axes. */
export interface ReduceOptions {
  /** Axis or axes to reduce; negative ones count from the end. Default all. */
  axis?: number | readonly number[] | undefined;
  /** Whether to keep reduced axes with size 1; default false. */
  keepdim?: boolean;
}

const REDUCE: Required<ReduceOptions> = { axis: undefined, keepdim: false };

/** x as [outer, n, inner], reduced over n. */
interface Reduction {
  readonly shape: Shape;
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  /** Whether axes follow n, even of one element; a sum then adds in the order of columns. */
  readonly columns: boolean;
}

const totalOp = /* @__NO_SIDE_EFFECTS__ */ (name: "sum" | "mean"): ShortOp<Reduction> => ({
  name,
  saves: SAVES.nothing,
  shortcuts: { reads: { a: ["bits"] } },
  forward(z, x, _y, _w, reduction) {
    total(z, x, reduction);
    if (name === "mean") k.affine(z.ptr, z.ptr, z.size, 1 / reduction.n, 0);
  },
  backward: (z, x, _y, _w, reduction) => giveToAll(z, x, reduction, name === "mean" ? 1 / reduction.n : 1),
});

const sumOp = totalOp("sum");
const meanOp = totalOp("mean");

/** z ← Σ over the axis; packed spikes are counted without unpacking. */
function total(z: Tensor, x: Tensor, { outer, n, inner, columns }: Reduction): void {
  if (x.ptr === 0 && outer === 1 && n <= LARGEST_COUNT) {
    if (inner === 1) k.fill(z.ptr, 1, k.countBits(x.bits, Math.ceil(n / 32)));
    else k.sumBits(z.ptr, x.bits, n, inner);
    return;
  }
  ready("sum", x);
  k.sumAxis(z.ptr, x.ptr, outer, n, columns ? -inner : inner);
}

/** Largest count that float32 represents exactly. */
const LARGEST_COUNT = 2 ** 24;

/** Adds scale·∂L/∂z to the gradient of every element of x that was summed. */
function giveToAll(z: Tensor, x: Tensor, { outer, n, inner }: Reduction, scale: number): void {
  if (outer === 1 && canTakeOver(x)) {
    if (scale !== 1) k.affine(z.gradPtr, z.gradPtr, z.size, scale, 0);
    return handOverAs({ kind: "repeats", steps: n }, z, x);
  }
  const adds = addsTo(x);
  const dx = gradientAt(x, !adds);
  if (dx === 0) return;
  if (adds) return k.sumAxisGrad(dx, z.gradPtr, outer, n, inner, scale);
  if (scale !== 1) k.affine(z.gradPtr, z.gradPtr, z.size, scale, 0);
  k.expandAxis(dx, z.gradPtr, outer, n, inner);
}

const prodOp: Op<Reduction> = {
  name: "prod",
  saves: SAVES.a,
  forward: (z, x, _y, _w, { outer, n, inner }) => k.prodAxis(z.ptr, x.ptr, outer, n, inner),
  backward(z, x, _y, _w, { outer, n, inner }) {
    const dx = gradientAt(x);
    if (dx === 0) return;
    const rest = allocateInScope(4 * n);
    k.prodAxisGrad(dx, z.gradPtr, x.ptr, rest, outer, n, inner);
    recycle(rest, 4 * n);
  },
};

/** The gradient of a cumulative sum is the cumulative sum from the other end. */
const cumsumOp: Op<Reduction> = {
  name: "cumsum",
  saves: SAVES.nothing,
  forward: (z, x, _y, _w, { outer, n, inner }) => k.cumsumAxis(z.ptr, x.ptr, outer, n, inner, 0),
  backward(z, x, _y, _w, { outer, n, inner }) {
    k.cumsumAxis(z.gradPtr, z.gradPtr, outer, n, inner, 1);
    passGradient(z, x);
  },
};

/** A reduction that finds one element; its index is a second output. */
interface Search extends Reduction {
  readonly indices: Tensor;
}

/**
 * Makes an op that finds the first extreme element by `find`. With `shared`, equal extremes share the gradient;
 * otherwise the first gets all of it.
 */
const searchOp = /* @__NO_SIDE_EFFECTS__ */ (
  name: string,
  find: "maxAxis" | "minAxis",
  shared: boolean,
): Op<Search> => ({
  name,
  saves: shared ? SAVES.a | SAVES.output : SAVES.nothing,
  forward: (z, x, _y, _w, { outer, n, inner, indices }) => k[find](z.ptr, indices.ptr, x.ptr, outer, n, inner),
  backward(z, x, _y, _w, { outer, n, inner, indices }) {
    const dx = gradientAt(x);
    if (dx === 0) return;
    if (shared) k.amaxGrad(dx, z.gradPtr, z.ptr, x.ptr, outer, n, inner);
    else k.pickAxisGrad(dx, z.gradPtr, indices.ptr, outer, n, inner);
  },
});

const amaxOp = searchOp("amax", "maxAxis", true);
const aminOp = searchOp("amin", "minAxis", true);
const maxOp = searchOp("max", "maxAxis", false);
const minOp = searchOp("min", "minAxis", false);

/** x as [outer, n, inner], where n joins the axes first … last. The result has the given shape. */
function around(x: Tensor, first: number, last: number, shape: Shape): Reduction {
  const outer = sizeOf(x.sizes.slice(0, first));
  const inner = sizeOf(x.sizes.slice(last + 1));
  return { shape, outer, n: x.size / (outer * inner), inner, columns: last < x.sizes.length - 1 };
}

/** A reduction of x by `op` over the axes in the options; returns x itself if the list of axes is empty. */
/* @__NO_SIDE_EFFECTS__ */
const reduction = <Attrs>(
  op: Op<Attrs>,
  over: (op: Op<Attrs>, x: Tensor, axes: readonly number[], keepdim: boolean) => Tensor,
) =>
  composedOp((x: Tensor, options: ReduceOptions = REDUCE): Tensor => {
    alive(x, op.name);
    const { axis, keepdim } = withDefaults(op.name, REDUCE, options);
    const axes = axesOf(op.name, axis, x.sizes.length);
    return axes.length === 0 ? reshape(x, x.sizes) : over(op, x, axes, keepdim);
  });

/** The shape without these axes, or with size 1 there if `keepdim`. */
function reducedShape(shape: Shape, axes: readonly number[], keepdim: boolean): Shape {
  if (keepdim) return shape.map((n, i) => (axes.includes(i) ? 1 : n));
  return shape.filter((_, i) => !axes.includes(i));
}

function reduce(op: Op<Reduction>, x: Tensor, axes: readonly number[], keepdim: boolean): Tensor {
  let z = x;
  for (let end = axes.length - 1; end >= 0; end--) {
    let start = end;
    while (start > 0 && axes[start - 1] === (axes[start] as number) - 1) start--;
    const shape =
      start > 0 ? reducedShape(z.sizes, axes.slice(start, end + 1), true) : reducedShape(x.sizes, axes, keepdim);
    z = applyOp(op, around(z, axes[start] as number, axes[end] as number, shape), z);
    end = start;
  }
  return z;
}

/**
 * z = Σᵢ xᵢ over the axes, by default all.  ∂L/∂xᵢ = ∂L/∂z.
 *
 * Shapes: x [..., n, ...] → [..., ...] without the reduced axes, [] if all are reduced; with `keepdim` these have size 1.
 *
 * @throws RangeError unless x has the axes, each given once; TypeError for an axis instead of options.
 *
 * @example
 * ```ts
 * import { sum, tensor } from "jarvis-snn";
 *
 * console.log(sum(tensor([[1, 2], [3, 4]]), { axis: 1 }).toArray()); // [ 3, 7 ]
 * ```
 */
export const sum = reduction(sumOp, reduce);

/**
 * z = Σᵢ xᵢ / n over the axes, by default all.  ∂L/∂xᵢ = ∂L/∂z / n. Shapes as in {@link sum}.
 *
 * @throws RangeError unless x has the axes, each given once.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 *
 * console.log(tensor([[1, 2], [3, 4]]).mean({ axis: 0, keepdim: true }).toArray()); // [ [ 2, 3 ] ]
 * ```
 */
export const mean = reduction(meanOp, reduce);

/**
 * z = Πᵢ xᵢ over the axes, by default all.  ∂L/∂xᵢ = ∂L/∂z·Πⱼ xⱼ over j ≠ i, without a division, so that zeros need no special case. Shapes as in
 * {@link sum}.
 *
 * @throws RangeError unless x has the axes, each given once.
 */
export const prod = reduction(prodOp, reduce);

/** Defaults of ops along an optional axis. */
const ALONG = { axis: undefined as number | undefined, keepdim: false };

/**
 * zᵢ = Σⱼ xⱼ over j ≤ i along the axis, summed in float64.  ∂L/∂xᵢ = Σⱼ ∂L/∂zⱼ over j ≥ i.
 *
 * Shapes: [...] → [...]; without an axis [...] → [n], over the flattened tensor. `keepdim` has no effect.
 *
 * @throws RangeError unless x has this axis.
 */
export function cumsum(x: Tensor, options: { axis?: number | undefined; keepdim?: boolean } = ALONG): Tensor {
  alive(x, "cumsum");
  const { axis } = withDefaults("cumsum", ALONG, options);
  if (axis === undefined) return cumsum(reshape(x, [x.size]), { axis: 0 });
  const at = axisOf("cumsum", axis, x.ndim);
  return applyOp(cumsumOp, around(x, at, at, x.sizes), x);
}

function search(op: Op<Search>, x: Tensor, axes: readonly number[], keepdim: boolean) {
  const first = axes[0] as number;
  const reduction = around(x, first, axes[axes.length - 1] as number, reducedShape(x.sizes, axes, keepdim));
  if (op.saves === SAVES.nothing && reduction.n > LARGEST_COUNT) {
    throw wrongValue(op.name, "at most 2²⁴ elements, whose indices are exact", reduction.n);
  }
  const indices = emptyOf(reduction.shape);
  return { values: applyOp(op, { ...reduction, indices }, x), indices };
}

/** Moves separate axes to the end first, so that ties share the gradient evenly over all of them. */
function extreme(op: Op<Search>, x: Tensor, axes: readonly number[], keepdim: boolean): Tensor {
  const neighbours = axes.every((a, i) => i === 0 || a === (axes[i - 1] as number) + 1);
  if (neighbours) return search(op, x, axes, keepdim).values;
  const others = x.sizes.map((_, i) => i).filter((i) => !axes.includes(i));
  const moved = permute(x, [...others, ...axes]);
  const last = axes.map((_, i) => others.length + i);
  const { values } = search(op, moved, last, false);
  return keepdim ? reshape(values, reducedShape(x.sizes, axes, true)) : values;
}

/**
 * z = max x over the axes, by default all; NaN if an element is NaN. Equal maxima share the gradient evenly. Shapes as
 * in {@link sum}.
 *
 * @throws RangeError unless x has the axes, each given once.
 */
export const amax = reduction(amaxOp, extreme);

/**
 * z = min x over the axes, by default all; NaN if an element is NaN. Equal minima share the gradient evenly. Shapes as
 * in {@link sum}.
 *
 * @throws RangeError unless x has the axes, each given once.
 */
export const amin = reduction(aminOp, extreme);

/** Options of ops along one axis. */
export interface SearchOptions {
  /** The axis; negative counts from the end. */
  axis: number;
  /** Whether to keep the axis with size 1; default false. */
  keepdim?: boolean;
}

/** Extremes along an axis and their indices, the result of {@link max} and {@link min}. */
export type SearchResult = {
  /** The extremes, in the shape of x without the axis, or with size 1 there if `keepdim`. */
  values: Tensor;
  /** Their indices on the axis, as integers in the same shape; no gradient. */
  indices: Tensor;
};

function searchAlong(op: Op<Search>, x: Tensor, options: Partial<typeof ALONG> = ALONG): SearchResult {
  alive(x, op.name);
  const { axis, keepdim } = withDefaults(op.name, ALONG, options);
  if (axis === undefined) {
    const hint = op === maxOp ? "; the largest of all values is amax()" : "; the smallest of all values is amin()";
    throw wrongType(op.name, "an axis as a number", axis, hint);
  }
  const found = search(op, x, [axisOf(op.name, axis, x.ndim)], keepdim);
  // Backward reads the indices, so the caller gets a copy.
  return found.values.requiresGrad ? { values: found.values, indices: clone(found.indices) } : found;
}

/**
 * The maximum along one axis and the index of its first occurrence, which gets the gradient; NaN is the largest.
 * Shapes: x [..., n, ...] → values and indices [..., ...].
 *
 * @throws RangeError unless x has this axis, with at most 2²⁴ elements, so that indices are exact; TypeError without an
 *   axis: for the largest of all values use {@link amax}.
 *
 * @example
 * ```ts
 * import { max, tensor } from "jarvis-snn";
 *
 * const { values, indices } = max(tensor([[1, 2], [4, 3]]), { axis: 1 });
 * console.log(values.toArray(), indices.toArray()); // [ 2, 4 ] [ 1, 0 ]
 * ```
 */
export const max = composedOp((x: Tensor, options: SearchOptions): SearchResult => searchAlong(maxOp, x, options));

/**
 * The minimum along one axis and the index of its first occurrence, which gets the gradient; NaN is the smallest.
 * Shapes: x [..., n, ...] → values and indices [..., ...].
 *
 * @throws RangeError unless x has this axis, with at most 2²⁴ elements, so that indices are exact; TypeError without an
 *   axis: for the smallest of all values use {@link amin}.
 */
export const min = composedOp((x: Tensor, options: SearchOptions): SearchResult => searchAlong(minOp, x, options));

function searchIndices(op: Op<Search>, x: Tensor, options: Partial<typeof ALONG>): Tensor {
  const where = `arg${op.name}`;
  alive(x, where);
  const { axis, keepdim } = withDefaults(where, ALONG, options);
  const axes = [axis === undefined ? 0 : axisOf(where, axis, x.ndim)];
  return noGrad(() => {
    if (axis !== undefined) return search(op, x, axes, keepdim).indices;
    const { indices } = search(op, reshape(x, [x.size]), axes, false);
    const single = x.sizes.map(() => 1);
    return keepdim ? reshape(indices, single) : indices;
  });
}

/**
 * Index of the first maximum along an axis, or in the flattened tensor, as an integer; no gradient. Shapes: x [..., n,
 * ...] → [..., ...], or [] without an axis; with `keepdim`, n becomes 1.
 *
 * @throws RangeError as {@link max}.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 *
 * console.log(tensor([[1, 2], [4, 3]]).argmax({ axis: -1 }).toArray()); // [ 1, 0 ]
 * ```
 */
export const argmax = (x: Tensor, options: { axis?: number | undefined; keepdim?: boolean } = ALONG): Tensor =>
  searchIndices(maxOp, x, options);

/**
 * Index of the first minimum along an axis, or in the flattened tensor, as an integer; no gradient. Shapes as in {@link argmax}.
 *
 * @throws RangeError as {@link min}.
 */
export const argmin = (x: Tensor, options: { axis?: number | undefined; keepdim?: boolean } = ALONG): Tensor =>
  searchIndices(minOp, x, options);
