/** Shapes changed without moving data: the result looks into its input. */
import { wrongValue } from "../arguments.ts";
import { k } from "../backend.ts";
import { composedOp } from "../composed.ts";
import { gradOf, passGradient, type Recorded, ready, readyOrPacked, recorded, SAVES } from "../op.ts";
import { axisOf, checkShape, formatShape, type Shape, sizeOf, sizesOf } from "../shape.ts";
import { alive, packedView, type Tensor, viewOf } from "../tensor.ts";
import { broadcastTo, constantSource } from "./expand.ts";

const reshapeOp: Recorded<null> = {
  name: "reshape",
  saves: SAVES.nothing,
  backward: (z, x) => passGradient(z, x),
};

/** The part of x from `offset` elements on. */
const sliceOp: Recorded<{ offset: number }> = {
  name: "slice",
  saves: SAVES.nothing,
  backward(z, x, _y, _w, { offset }) {
    const dx = gradOf(x);
    if (dx !== 0) k.addTo(dx + 4 * offset, z.gradPtr, z.size);
  },
};

/**
 * The same values, row-major, in another shape; one size may be −1 and is inferred. Looks into x; spikes stay bits. The gradient
 * has the shape of x again.
 *
 * @throws RangeError if the sizes do not multiply to x.size.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const target = inferred(x, shape);
  const source = constantSource(x);
  if (source !== null && target[0] === x.sizes[0] && source.size * (target[0] as number) === x.size) {
    return reshapeSource(source, target);
  }
  return recorded(reshapeOp, null, x, sameValues("reshape", x, target));
}

/** Looks into x, by default in its shape; spikes stay bits. */
function sameValues(where: string, x: Tensor, target?: Shape): Tensor {
  readyOrPacked(where, x);
  const shape = target ?? x.sizes;
  return x.ptr === 0 ? packedView(x, shape) : viewOf(x, shape, x.size, 0);
}

/** The same values, of the same shape, without a gradient. Looks into x, and is freed with it; spikes stay bits. */
export const detach = (x: Tensor): Tensor => sameValues("detach", x);

const reshapeSource = composedOp(
  (source: Tensor, target: Shape): Tensor => broadcastTo(reshape(source, target.slice(1)), target),
);

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
 * Axes startAxis … endAxis, by default all, as one, see {@link reshape}: [..., m, n, ...] → [..., m·n, ...], and [] → [1].
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
 * Without the given axis, or without all axes, of size 1, see {@link reshape}: [..., 1, ...] → [..., ...]. An axis of
 * another size stays.
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
 * With a new axis of size 1 at `axis`, −1 being behind the last, see {@link reshape}: [..., ...] → [..., 1, ...].
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
  return recorded(sliceOp, { offset }, x, viewOf(x, shape, sizeOf(shape), offset));
}
