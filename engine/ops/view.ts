/**
 * Changes of shape without moving data: the result is a view of the input. Repeating along only the first axis is such
 * a change; other repetitions are written out as floats.
 */
import { wrongValue } from "../arguments.ts";
import { k } from "../core/backend.ts";
import { gradientAt, passGradient } from "../core/gradient.ts";
import { applyOp, type Op, type Recorded, ready, recorded, SAVES } from "../core/op.ts";
import { composed, composedOp } from "../core/tape.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { reshaped, sameValues, viewOf } from "../core/views.ts";
import { expandOp, onStep, repeated, repeatsSteps } from "../forms/values.ts";
import { axisOf, broadcastShapes, checkShape, formatShape, type Shape, sameShape, sizeOf, sizesOf } from "../shape.ts";

/** The elements of x from `offset` on. */
const sliceOp: Recorded<{ offset: number }> = {
  name: "slice",
  saves: SAVES.nothing,
  backward(z, x, _y, _w, { offset }) {
    const dx = gradientAt(x);
    if (dx !== 0) k.addTo(dx + 4 * offset, z.gradPtr, z.size);
  },
};

/**
 * The same values in row-major order in a different shape; one size may be −1, which is then computed. The result is a
 * view of x; packed spikes remain packed. The gradient is reshaped back.
 *
 * @throws RangeError if the sizes do not multiply to x.size.
 *
 * @example
 * ```ts
 * import { arange } from "jarvis-snn";
 *
 * console.log(arange(0, 6).reshape([2, -1]).toArray()); // [ [ 0, 1, 2 ], [ 3, 4, 5 ] ]
 * ```
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const target = inferred(x, shape);
  return target[0] === x.sizes[0] && repeatsSteps(x)
    ? composed(onStep, (step: Tensor) => reshaped(step, target.slice(1)), x)
    : reshaped(x, target);
}

const cloneOp: Op<null> = {
  name: "clone",
  saves: SAVES.nothing,
  forward: (z, x) => k.copy(z.ptr, x.ptr, z.size),
  backward: (z, x) => passGradient(z, x),
};

/** A copy in separate memory, of the same shape.  ∂L/∂x = ∂L/∂z. */
export const clone = (x: Tensor): Tensor => applyOp(cloneOp, null, x);

/** The same values and shape, without a gradient. A view of x, freed with it; packed spikes remain packed. */
export const detach = (x: Tensor): Tensor => sameValues("detach", x);

function inferred(x: Tensor, shape: Shape): Shape {
  alive(x, "reshape");
  const sizes = sizesOf("reshape", shape);
  const open = sizes.indexOf(-1);
  if (open >= 0) sizes[open] = 1;
  if (areCounts(sizes)) {
    const size = sizeOf(sizes);
    const rest = x.size / size;
    if (open < 0 ? rest === 1 : Number.isInteger(rest)) {
      if (open >= 0) sizes[open] = rest;
      return sizes;
    }
  }
  if (open >= 0) sizes[open] = -1;
  throw wrongValue("reshape", `a shape of ${x.size} elements`, `${formatShape(sizes)} for ${formatShape(x.sizes)}`);
}

/** Whether all sizes are positive integers. */
function areCounts(sizes: readonly unknown[]): boolean {
  for (let axis = 0; axis < sizes.length; axis++) {
    const n = sizes[axis];
    if (!(Number.isInteger(n) && (n as number) > 0)) return false;
  }
  return true;
}

/**
 * Joins the axes startAxis … endAxis, by default all: [..., m, n, ...] → [..., m·n, ...], and [] → [1]. A view, as by
 * {@link reshape}.
 *
 * @throws RangeError unless x has these axes, in this order.
 */
export function flatten(x: Tensor, startAxis = 0, endAxis = -1): Tensor {
  alive(x, "flatten");
  const ndim = Math.max(x.ndim, 1);
  const start = axisOf("flatten", startAxis, ndim);
  const end = axisOf("flatten", endAxis, ndim);
  if (start > end) throw wrongValue("flatten", "startAxis ≤ endAxis", `${startAxis} and ${endAxis}`);
  const merged = sizeOf(x.sizes.slice(start, end + 1));
  return reshape(x, [...x.sizes.slice(0, start), merged, ...x.sizes.slice(end + 1)]);
}

/**
 * Removes the given axis if its size is 1, by default all axes of size 1: [..., 1, ...] → [..., ...]. A view, as by
 * {@link reshape}.
 *
 * @throws RangeError unless x has this axis.
 */
export function squeeze(x: Tensor, axis?: number): Tensor {
  alive(x, "squeeze");
  const only = axis === undefined ? -1 : axisOf("squeeze", axis, x.ndim);
  return reshape(
    x,
    x.sizes.filter((n, i) => n !== 1 || (only >= 0 && i !== only)),
  );
}

/**
 * Inserts an axis of size 1 at `axis`; −1 adds it at the end: [..., ...] → [..., 1, ...]. A view, as by {@link
 * reshape}.
 *
 * @throws RangeError unless the result has this axis.
 */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  alive(x, "unsqueeze");
  const at = axisOf("unsqueeze", axis, x.ndim + 1);
  return reshape(x, [...x.sizes.slice(0, at), 1, ...x.sizes.slice(at)]);
}

/** Rows start … end − 1 along the first axis, as a view. */
export function sliceRows(x: Tensor, start: number, end: number): Tensor {
  const shape = checkShape("slice", [end - start, ...x.sizes.slice(1)]);
  const offset = (start * x.size) / (x.sizes[0] as number);
  ready("slice", x);
  return recorded(sliceOp, { offset }, viewOf(x, shape, sizeOf(shape), offset), x, null, null);
}

/**
 * Repeats x along axes of size 1 and along new leading axes, as NumPy broadcasting does: [..., 1, ...] → [..., n, ...].
 * A size of −1 in the shape keeps the size of x. ∂L/∂x is the sum of ∂L/∂z over the repetitions.
 *
 * If x repeats along only the first axis, such as a constant current over time, the result is a view of x. `linear` and
 * the neurons read x itself and sum its gradient once; for other ops, the copies are written out.
 *
 * @throws RangeError if x does not broadcast to the shape, or a size is not a positive integer.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 *
 * const x = tensor([[1, 2]]); // [B, N]
 * console.log(x.expand([3, ...x.shape]).toArray()); // [ [ [ 1, 2 ] ], [ [ 1, 2 ] ], [ [ 1, 2 ] ] ]
 * ```
 */
export const expand = composedOp((x: Tensor, shape: Shape): Tensor => {
  alive(x, "expand");
  const sizes = sizesOf("expand", shape);
  const lead = sizes.length - x.ndim;
  const target = checkShape(
    "expand",
    sizes.map((n, axis) => (n === -1 && axis >= lead ? (x.sizes[axis - lead] as number) : n)),
  );
  if (lead < 0 || !sameShape(broadcastShapes("expand", x.sizes, target), target)) {
    throw wrongValue("expand", `a shape that ${formatShape(x.sizes)} broadcasts to`, formatShape(sizes));
  }
  return sameShape(x.sizes, target) ? reshape(x, target) : broadcastTo(x, target);
});

/** Broadcasts x to a compatible shape, by one repetition for each run of neighbouring axes. */
export function broadcastTo(x: Tensor, target: Shape): Tensor {
  if (sameShape(x.sizes, target)) return x;
  const lead = target.length - x.ndim;
  const from = target.map((_, axis) => (axis < lead ? 1 : (x.sizes[axis - lead] as number)));
  let z = x;
  for (let end = target.length; end > 0; end--) {
    if (from[end - 1] === target[end - 1]) continue;
    let start = end - 1;
    while (start > 0 && from[start - 1] !== target[start - 1]) start--;
    for (let axis = start; axis < end; axis++) from[axis] = target[axis] as number;
    z = repeatAxes(z, [...from], start, end);
    end = start + 1;
  }
  return z.sizes.length === target.length ? z : reshape(z, target);
}

/**
 * Repeats x: axis i of the result has reps[i] consecutive copies of x, [..., n, ...] → [..., reps[i]·n, ...]. If `reps`
 * is too short, 1s are added in front; if x has too few axes, axes of size 1. ∂L/∂x is the sum of ∂L/∂z over the
 * copies.
 *
 * @throws RangeError unless the repetitions are positive integers; TypeError unless they are a list.
 */
export const tile = composedOp((x: Tensor, reps: readonly number[]): Tensor => {
  alive(x, "tile");
  const given = checkShape("tile", reps);
  const ndim = Math.max(x.ndim, given.length);
  const ones = (n: number) => new Array<number>(n).fill(1);
  const sizes = [...ones(ndim - x.ndim), ...x.sizes];
  const times = [...ones(ndim - given.length), ...given];
  const pairs = checkShape(
    "tile",
    sizes.flatMap((n, axis) => [times[axis] as number, n]),
  );
  const single = reshape(
    x,
    sizes.flatMap((n) => [1, n]),
  );
  return reshape(
    broadcastTo(single, pairs),
    sizes.map((n, axis) => n * (times[axis] as number)),
  );
});

/** Repeats x over the axes start … end − 1 of the result, where x has size 1 or no axis. */
function repeatAxes(x: Tensor, shape: Shape, start: number, end: number): Tensor {
  const outer = sizeOf(shape.slice(0, start));
  if (outer === 1) return repeated(x, shape);
  const times = sizeOf(shape.slice(start, end));
  return applyOp(expandOp, { shape, outer, times, inner: sizeOf(shape.slice(end)) }, x);
}
