/** The identity as an op: a copy with a record of its own. */
import { k } from "../backend.ts";
import { apply, type Op, passGradient, SAVES } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const cloneOp: Op<null> = {
  name: "clone",
  saves: SAVES.nothing,
  forward: (z, x) => k.copy(z.ptr, x.ptr, z.size),
  backward: (z, x) => passGradient(z, x),
};

/** A copy in memory of its own, of the same shape.  ∂L/∂x = ∂L/∂z. */
export const clone = (x: Tensor): Tensor => apply(cloneOp, null, x);
