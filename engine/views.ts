/** Tensors without numbers of their own: they look into another one, or repeat it along a new first axis. */
import { k } from "./backend.ts";
import { gradOf, passGradient } from "./gradient.ts";
import { recorded } from "./record.ts";
import { nothing } from "./saves.ts";
import { type Shape, sizeOf } from "./shape.ts";
import { constantOver, type Op, type Recorded, ready, type Tensor, viewOf } from "./tensor.ts";

const reshapeOp: Recorded<null> = {
  name: "reshape",
  saves: nothing,
  backward: (z, x) => passGradient(z, x),
};

/** Looks into x, by default in its shape, without a gradient; spikes stay bits. */
export function sameValues(where: string, x: Tensor, as?: Shape): Tensor {
  ready(where, x, true);
  return viewOf(x, as ?? x.sizes, x.size, 0);
}

/** x in another shape of as many elements. */
export const reshaped = (x: Tensor, shape: Shape): Tensor =>
  recorded(reshapeOp, null, sameValues("reshape", x, shape), x, null, null);

/** x as [outer, inner] and z as [outer, times, inner]. */
export interface Repeat {
  readonly shape: Shape;
  readonly outer: number;
  readonly times: number;
  readonly inner: number;
}

/** z[o, r, i] = x[o, i].  ∂L/∂x[o, i] = Σᵣ ∂L/∂z[o, r, i]. */
export const expandOp: Op<Repeat> = {
  name: "expand",
  saves: nothing,
  forward: (z, x, _y, _w, { outer, times, inner }) => k.expandAxis(z.ptr, x.ptr, outer, times, inner),
  backward(z, x, _y, _w, { outer, times, inner }) {
    const dx = gradOf(x);
    if (dx !== 0) k.addSumAxis(dx, z.gradPtr, outer, times, inner, 1);
  },
};

/** x again and again along new first axes, in this shape; not written out until an op needs its floats. */
export function repeated(x: Tensor, shape: Shape): Tensor {
  ready("expand", x);
  const size = sizeOf(shape);
  const attrs = { shape, outer: 1, times: size / x.size, inner: x.size };
  return recorded(expandOp, attrs, constantOver(x, shape, size), x, null, null);
}

/** Whether x, of any type, repeats one step along its first axis. */
export const repeatsSteps = (x: Tensor): boolean =>
  x?.ptr === 0 && x.bits === 0 && x.base?.size === x.size / (x.sizes[0] as number);

/** The step that x, which is alive, repeats. */
export const stepOf = (x: Tensor): Tensor => reshaped(x.base as Tensor, x.sizes.slice(1));
