/** Ops that move data: permute, slice, flip, concat. */
import { COUNT, FINITE, listOf, numberOf, wrongType, wrongValue } from "../arguments.ts";
import { k } from "../core/backend.ts";
import { addsTo, gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, ready, SAVES } from "../core/op.ts";
import { composedOp } from "../core/tape.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import {
  axesOf,
  axisOf,
  formatShape,
  placeOf,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
  tensorList,
} from "../shape.ts";
import { reshape, sliceRows, unsqueeze } from "./view.ts";

/** The result as four axes with strides in the source; reading starts at element `offset`. */
interface Strided {
  readonly shape: Shape;
  readonly offset: number;
  readonly sizes: readonly [number, number, number, number];
  readonly strides: readonly [number, number, number, number];
}

const stridedOp = /* @__NO_SIDE_EFFECTS__ */ (name: string): Op<Strided> => ({
  name,
  saves: SAVES.nothing,
  forward(z, x, _y, _w, { offset, sizes: [a, b, c, d], strides: [sa, sb, sc, sd] }) {
    if (sc === 1 && sd === c && x.size === c * d) k.transpose(z.ptr, x.ptr, d, c);
    else k.copyStrided(z.ptr, x.ptr + 4 * offset, a, b, c, d, sa, sb, sc, sd);
  },
  backward(z, x, _y, _w, { offset, sizes: [a, b, c, d], strides: [sa, sb, sc, sd] }) {
    const transposes = sc === 1 && sd === c && x.size === c * d;
    const writes = transposes && !addsTo(x);
    const dx = gradientAt(x, writes);
    if (dx === 0) return;
    if (writes) k.transpose(dx, z.gradPtr, c, d);
    else k.addStrided(dx + 4 * offset, z.gradPtr, a, b, c, d, sa, sb, sc, sd);
  },
});

const permuteOp = stridedOp("permute");
const sliceOp = stridedOp("slice");
const flipOp = stridedOp("flip");

interface Concat {
  readonly inputs: readonly Tensor[];
  readonly shape: Shape;
  /** Number of blocks before the axis, and of elements in each block of the result. */
  readonly outer: number;
  readonly step: number;
}

const concatOp: Op<Concat> = {
  name: "concat",
  saves: SAVES.nothing,
  forward(z, _x, _y, _w, { inputs, outer, step }) {
    let at = z.ptr;
    for (const x of inputs) {
      const width = x.size / outer;
      k.copyBlocks(at, x.ptr, outer, width, step, width);
      at += 4 * width;
    }
  },
  backward(z, _x, _y, _w, { inputs, outer, step }) {
    let at = z.gradPtr;
    for (const x of inputs) {
      const width = x.size / outer;
      const dx = gradientAt(x);
      if (dx !== 0) k.addBlocks(dx, at, outer, width, width, step);
      at += 4 * width;
    }
  },
};

/**
 * Permutes the axes, as a copy: z.shape[i] = x.shape[axes[i]]. The gradient is permuted back.
 *
 * @throws RangeError unless `axes` contains every axis once.
 *
 * @example
 * ```ts
 * import { zeros } from "jarvis-snn";
 *
 * console.log(zeros([4, 25, 3]).permute([1, 0, 2]).shape); // [ 25, 4, 3 ]
 * ```
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  alive(x, "permute");
  const given = listOf("permute", "axes", axes, FINITE);
  const order = given.map((axis) => axisOf("permute", axis, x.ndim));
  if (order.length !== x.ndim || new Set(order).size !== x.ndim) {
    throw wrongValue("permute", `every axis of ${formatShape(x.sizes)} once`, formatShape(given));
  }
  return inOrder(x, order);
}

/** A copy of x with its axes in this order. */
function inOrder(x: Tensor, order: readonly number[]): Tensor {
  const strides = stridesOf(x.sizes);
  const shape = order.map((axis) => x.sizes[axis] as number);
  const steps = order.map((axis) => strides[axis] as number);
  return strided(permuteOp, x, shape, shape, steps, 0) ?? oneByOne(x, order);
}

/** Moves the axes into place one by one. One move is a permutation of at most four joined axes. */
const oneByOne = composedOp((x: Tensor, order: readonly number[]): Tensor => {
  let z = x;
  const now = x.sizes.map((_, axis) => axis);
  order.forEach((axis, to) => {
    const from = now.indexOf(axis);
    const step = now.map((_, i) => (i < to || i > from ? i : i === to ? from : i - 1));
    if (from !== to) z = inOrder(z, step);
    now.splice(to, 0, ...now.splice(from, 1));
  });
  return z;
});

/**
 * Copies x along axes of these sizes and strides, after joining neighbours that are contiguous in x. Returns null if
 * more than four axes remain.
 */
function strided(
  op: Op<Strided>,
  x: Tensor,
  shape: Shape,
  axes: readonly number[],
  steps: readonly number[],
  offset: number,
): Tensor | null {
  const sizes: number[] = [];
  const strides: number[] = [];
  axes.forEach((n, axis) => {
    const last = strides.length - 1;
    const step = steps[axis] as number;
    if (n === 1) return;
    if (last >= 0 && strides[last] === n * step) {
      sizes[last] = (sizes[last] as number) * n;
      strides[last] = step;
    } else {
      sizes.push(n);
      strides.push(step);
    }
  });
  if (sizes.length > 4) return null;
  while (sizes.length < 4) {
    sizes.unshift(1);
    strides.unshift(0);
  }
  type Four = [number, number, number, number];
  return applyOp(op, { shape, offset, sizes: sizes as Four, strides: strides as Four }, x);
}

/** A copy of `count` elements start, start + step, … of an axis. */
function sliceAlong(op: Op<Strided>, x: Tensor, axis: number, start: number, count: number, step: number): Tensor {
  const shape = x.sizes.map((n, i) => (i === axis ? count : n));
  const outer = sizeOf(x.sizes.slice(0, axis));
  const inner = sizeOf(x.sizes.slice(axis + 1));
  const strides = [x.size / outer, step * inner, 1];
  return strided(op, x, shape, [outer, count, inner], strides, start * inner) as Tensor;
}

/**
 * Exchanges the axes a and b, by default the last two, as a copy: [..., m, n] → [..., n, m]. The gradient is exchanged back.
 *
 * @throws RangeError unless x has these axes.
 *
 * @example
 * ```ts
 * import { zeros } from "jarvis-snn";
 *
 * const sequences = zeros([4, 25, 3]); // [B, T, N], as a loader gives them
 * console.log(sequences.transpose(0, 1).shape); // [ 25, 4, 3 ]
 * ```
 */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  alive(x, "transpose");
  const p = axisOf("transpose", a, x.ndim);
  const q = axisOf("transpose", b, x.ndim);
  const axes = x.sizes.map((_, axis) => (axis === p ? q : axis === q ? p : axis));
  return inOrder(x, axes);
}

/**
 * Every `step`-th of the elements start … end − 1 along an axis, by default all: [..., n, ...] → [..., ⌈(end − start) /
 * step⌉, ...]. Negative bounds count from the end, bounds beyond the ends are clipped. The result is a view if the axis
 * is the first and the step 1, otherwise a copy. Omitted elements get the gradient 0.
 *
 * @throws RangeError if x lacks this axis, no elements are left, a bound is not an integer, or step is not a positive
 *   integer.
 *
 * @example
 * ```ts
 * import { arange } from "jarvis-snn";
 *
 * console.log(arange(0, 6).slice(0, 1, 6, 2).toArray()); // [ 1, 3, 5 ]
 * ```
 */
export function slice(x: Tensor, axis: number, start = 0, end = Infinity, step = 1): Tensor {
  alive(x, "slice");
  const at = axisOf("slice", axis, x.ndim);
  const n = x.sizes[at] as number;
  if (typeof start !== "number" || typeof end !== "number") {
    throw wrongType("slice", "numbers as bounds", typeof start === "number" ? end : start);
  }
  if (!(Number.isInteger(step) && step > 0)) numberOf("slice", "step", step, COUNT);
  const from = Math.max(start < 0 ? start + n : start, 0);
  const to = Math.min(end < 0 ? end + n : end, n);
  if (!(Number.isInteger(from) && Number.isInteger(to))) {
    throw wrongValue("slice", "integer bounds", `${start} and ${end}`);
  }
  if (from >= to) {
    throw wrongValue("slice", `start < end on axis ${at} of ${formatShape(x.sizes)}`, `${start} and ${end}`);
  }
  if (at === 0 && step === 1) return sliceRows(x, from, to);
  return sliceAlong(sliceOp, x, at, from, Math.ceil((to - from) / step), step);
}

/**
 * Reverses the order of elements along the axes, by default all, as a copy in the shape of x. The gradient is reversed too.
 *
 * @throws RangeError unless x has these axes, each given once.
 */
export const flip = composedOp((x: Tensor, axes?: number | readonly number[]): Tensor => {
  alive(x, "flip");
  const z = axesOf("flip", axes, x.ndim).reduce((part, axis) => {
    const n = x.sizes[axis] as number;
    return sliceAlong(flipOp, part, axis, n - 1, n, -1);
  }, x);
  return z === x ? reshape(x, x.sizes) : z;
});

/**
 * Selects element `index` along an axis and drops the axis: [..., n, ...] → [..., ...]; negative indices count from the
 * end. The result is a view or a copy, as in {@link slice}.
 *
 * @throws RangeError unless x has this axis and this element.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 *
 * console.log(tensor([[1, 2], [3, 4]]).select(0, -1).toArray()); // [ 3, 4 ]
 * ```
 */
export const select = composedOp((x: Tensor, axis: number, index: number): Tensor => {
  alive(x, "select");
  const at = axisOf("select", axis, x.ndim);
  const i = placeOf("select", "an index", index, x.sizes[at] as number);
  return reshape(
    slice(x, at, i, i + 1),
    x.sizes.filter((_, a) => a !== at),
  );
});

/**
 * All elements along an axis, by default the first, each as {@link select} returns it: [..., n, ...] → n tensors [...,
 * ...].
 *
 * @throws RangeError unless x has this axis.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 *
 * // The steps of a sequence, one after the other.
 * console.log(tensor([[1, 2], [3, 4]]).unbind(0).map((x) => x.toArray())); // [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export const unbind = composedOp((x: Tensor, axis = 0): Tensor[] => {
  alive(x, "unbind");
  const at = axisOf("unbind", axis, x.ndim);
  return Array.from({ length: x.sizes[at] as number }, (_, i) => select(x, at, i));
});

/**
 * Consecutive parts along an axis, by default the first: [..., n, ...] → [..., sizes[i], ...]; views or copies as in
 * {@link slice}. `sizes` is a list, or one size for all parts, of which the last may be smaller.
 *
 * @throws RangeError unless x has this axis, the sizes are positive integers and a list of them sums to the size of the
 *   axis.
 *
 * @example
 * ```ts
 * import { arange } from "jarvis-snn";
 *
 * console.log(arange(0, 5).split(2).map((part) => part.toArray())); // [ [ 0, 1 ], [ 2, 3 ], [ 4 ] ]
 * ```
 */
export const split = composedOp((x: Tensor, sizes: number | readonly number[], axis = 0): Tensor[] => {
  alive(x, "split");
  const n = x.sizes[axisOf("split", axis, x.ndim)] as number;
  const same = typeof sizes === "number";
  const list = same ? [sizes] : listOf("split", "sizes", sizes, FINITE);
  const total = list.reduce((sum, size) => sum + size, 0);
  if (!list.every((size) => Number.isInteger(size) && size > 0) || !(same || total === n)) {
    throw wrongValue("split", `positive integer sizes that sum to ${n}`, formatShape(list));
  }
  const parts: Tensor[] = [];
  for (let start = 0; start < n; ) {
    const end = start + (same ? sizes : (list[parts.length] as number));
    parts.push(slice(x, axis, start, end));
    start = end;
  }
  return parts;
});

/**
 * Concatenates tensors along an axis, by default the first: [..., nᵢ, ...] → [..., Σ nᵢ, ...]. Each tensor gets its part of the gradient.
 *
 * @throws RangeError if the list is empty, the axis does not exist, or the other axes differ.
 *
 * @example
 * ```ts
 * import { concat, ones, zeros } from "jarvis-snn";
 *
 * console.log(concat([ones([1, 2]), zeros([1, 2])]).toArray()); // [ [ 1, 1 ], [ 0, 0 ] ]
 * ```
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const inputs = tensorList("concat", tensors);
  for (const x of inputs) ready("concat", x);
  const [first] = inputs;
  const at = axisOf("concat", axis, first.ndim);
  let total = 0;
  for (const t of inputs) {
    const expected = first.sizes.map((n, i) => (i === at ? t.sizes[at] : n)) as number[];
    if (!sameShape(t.sizes, expected)) {
      throw new RangeError(
        `concat: shapes differ beside axis ${axis}, got ${formatShape(first.sizes)} and ${formatShape(t.sizes)}`,
      );
    }
    total += t.sizes[at] as number;
  }
  const shape = first.sizes.map((n, i) => (i === at ? total : n));
  const outer = sizeOf(shape.slice(0, at));
  // The output is recorded if one input requires a gradient.
  const leader = inputs.find((x) => x.requiresGrad) ?? first;
  return applyOp(concatOp, { inputs, shape, outer, step: sizeOf(shape) / outer }, leader);
}

/**
 * Joins n tensors of equal shape along a new axis, by default the first: [..., ...] → [..., n, ...]. Each tensor gets its part of the gradient.
 *
 * @throws RangeError if the list is empty, the result has no such axis, or shapes differ.
 *
 * @example
 * ```ts
 * import { ones, stack, zeros } from "jarvis-snn";
 *
 * const steps = [ones([2]), zeros([2]), ones([2])];
 * console.log(stack(steps).shape); // [ 3, 2 ]
 * ```
 */
export const stack = composedOp((tensors: readonly Tensor[], axis = 0): Tensor => {
  const inputs = tensorList("stack", tensors);
  const [first] = inputs;
  const at = axisOf("stack", axis, first.ndim + 1);
  for (const { sizes: shape } of inputs) {
    if (sameShape(shape, first.sizes)) continue;
    throw wrongValue("stack", "tensors of one shape", `${formatShape(first.sizes)} and ${formatShape(shape)}`);
  }
  return concat(
    inputs.map((t) => unsqueeze(t, at)),
    at,
  );
});
