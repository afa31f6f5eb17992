/** Weight gradients of another input than the input of the product. */
import { type Recorded, ready, replaceOp, SAVES } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const NONE = null as unknown as Tensor;

/**
 * Gives z, which a product of an input with weights has just made, another input for the gradient of its weights:
 *
 *   ∂L/∂weight = ∂L/∂zᵀ·trace     instead of ∂L/∂zᵀ·x
 *
 * z, ∂L/∂x and ∂L/∂bias stay as they are. The trace has the shape of x and no gradient. A z that is not on record stays so.
 */
export function traceWeights(z: Tensor, trace: Tensor): void {
  const op = z.op as Recorded<unknown> | null;
  if (op?.dense === undefined) return;
  ready(op.name, trace);
  const dense = op.dense(z.attrs);
  replaceOp(z, {
    ...op,
    saves: op.saves | SAVES.more,
    more: () => [trace],
    backward(z, x, weight, bias, attrs) {
      // The weights come first: ∂L/∂z may become ∂L/∂x.
      op.backward(z, trace, weight, NONE, dense);
      op.backward(z, x, weight.detach(), bias, attrs);
    },
  });
}
