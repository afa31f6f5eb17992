import { k } from "../backend.ts";
import { apply, gradOf, type Op, ready, SAVES_NOTHING } from "../op.ts";
import { type Tensor, viewOf } from "../tensor.ts";

const cloneOp: Op<null> = {
  name: "clone",
  saves: SAVES_NOTHING,
  shape: (_attrs, x) => x.shape,
  forward: (z, x) => k.copy(z.ptr, x.ptr, z.size),
  backward(z, x) {
    const dx = gradOf(x);
    if (dx !== 0) k.addTo(dx, z.gradPtr, z.size);
  },
};

/** A copy in memory of its own, of the same shape.  ∂L/∂x = ∂L/∂z. */
export const clone = (x: Tensor): Tensor => apply(cloneOp, null, x);

/** The same values, of the same shape, without a gradient. Looks into x, and is freed with it. */
export function detach(x: Tensor): Tensor {
  ready("detach", x);
  return viewOf(x, x.shape, x.size, 0);
}
