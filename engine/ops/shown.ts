/** Shows the complete gradient of a recorded tensor during backward. */
import { k } from "../core/backend.ts";
import { holds } from "../core/gradient.ts";
import { isPart, replaceOp } from "../core/op.ts";
import { emptyLike, type Tensor } from "../core/tensor.ts";
import { writeOutGradient } from "../forms/gradients.ts";
import type { ShortRecorded } from "../forms/shortcuts.ts";

/**
 * During backward, calls `see` with a copy of ∂L/∂t, once all outputs of the op that made t have their complete
 * gradients. Not called if t gets no gradient. Does nothing for a t without a record: a leaf has its gradient in
 * `grad`. Returns t.
 */
export function shown(t: Tensor, see: (gradient: Tensor) => void): Tensor {
  if (t.op === null) return t;
  const main = isPart(t) ? (t.a as Tensor) : t;
  const op = main.op as unknown as ShortRecorded<unknown>;
  // An op without shortcuts gets its gradient as floats.
  const { shortcuts: _, ...rest } = op;
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
