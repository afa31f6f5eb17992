/** The gradient of a tensor on record, as it is when backward has come to the op that made the tensor. */
import { k } from "../backend.ts";
import { holds, isPart, type Recorded, replaceOp, writeOutGradient } from "../op.ts";
import { emptyLike, type Tensor } from "../tensor.ts";

/**
 * Gives `see` a copy of ∂L/∂t in backward, when the gradients of all outputs of the op that made t are complete; where none arrives, `see` is
 * not called. A tensor that is not on record stays as it is: a leaf has its gradient in `grad`. Returns t.
 */
export function shown(t: Tensor, see: (gradient: Tensor) => void): Tensor {
  if (t.op === null) return t;
  const main = isPart(t) ? (t.a as Tensor) : t;
  const op = main.op as unknown as Recorded<unknown>;
  // Without a support and short forms, every value of the gradient is there.
  const { support: _, reads: __, ...rest } = op;
  replaceOp(main, {
    ...rest,
    backward(z, a, b, c, attrs) {
      if (holds(t)) {
        writeOutGradient(t);
        const gradient = emptyLike(t);
        k.copy(gradient.ptr, t.gradPtr, t.size);
        see(gradient);
      }
      op.backward(z, a, b, c, attrs);
    },
  });
  return t;
}
