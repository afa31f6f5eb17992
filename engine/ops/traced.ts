/** Weight gradients that use another input than the forward product. */
import { ready, replaceOp, SAVES } from "../core/op.ts";
import type { Tensor } from "../core/tensor.ts";
import type { ShortRecorded } from "../forms/shortcuts.ts";

const NONE = null as unknown as Tensor;

/**
 * Replaces the input that the weight gradient of z reads. A product of an input x with weights must have made z just
 * before:
 *
 *   ∂L/∂weight = ∂L/∂zᵀ·trace     instead of ∂L/∂zᵀ·x
 *
 * z, ∂L/∂x and ∂L/∂bias do not change. The trace has the shape of x and gets no gradient. Does nothing if z has no
 * record.
 */
export function traceWeights(z: Tensor, trace: Tensor): void {
  const op = z.op as ShortRecorded<unknown> | null;
  if (op?.shortcuts?.dense === undefined) return;
  ready(op.name, trace);
  const dense = op.shortcuts.dense(z.attrs);
  replaceOp(z, {
    ...op,
    saves: op.saves | SAVES.more,
    more: () => [trace],
    backward(z, x, weight, bias, attrs) {
      // The weight gradient comes first, since the buffer of ∂L/∂z may be passed on as ∂L/∂x.
      op.backward(z, trace, weight, NONE, dense);
      op.backward(z, x, weight.detach(), bias, attrs);
    },
  });
}
