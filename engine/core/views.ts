/** Views: tensors that share the memory of another tensor. */
import { passGradient } from "./gradient.ts";
import { recorded } from "./op.ts";
import { nothing } from "./saves.ts";
import { scope } from "./scope.ts";
import type { Shape } from "./shape.ts";
import { KEY, type Recorded, ready, Tensor } from "./tensor.ts";

/** A view of x from element `offset` on: of its floats, or of its bits if x is packed. */
export function viewOf(x: Tensor, shape: Shape, size: number, offset: number): Tensor {
  const z = new Tensor(shape, size, x.ptr === 0 ? 0 : x.ptr + 4 * offset, scope.region, false, KEY);
  z.base = x.base ?? x;
  if (x.ptr === 0) z.bits = x.bits;
  return z;
}

/** A view of x without a gradient, by default in the shape of x; packed spikes remain packed. */
export function sameValues(where: string, x: Tensor, as?: Shape): Tensor {
  ready(where, x, true);
  return viewOf(x, as ?? x.sizes, x.size, 0);
}

const reshapeOp: Recorded<null> = {
  name: "reshape",
  saves: nothing,
  backward: (z, x) => passGradient(z, x),
};

/** x in a different shape with the same number of elements. */
export const reshaped = (x: Tensor, shape: Shape): Tensor =>
  recorded(reshapeOp, null, sameValues("reshape", x, shape), x, null, null);
