/** Softmax along an axis. Kernels work on the last axis; another axis is moved there and back. */
import { k } from "../core/backend.ts";
import { gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, SAVES } from "../core/op.ts";
import { composedOp } from "../core/tape.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { axisOf } from "../shape.ts";
import { transpose } from "./layout.ts";

const rowOp = /* @__NO_SIDE_EFFECTS__ */ (name: "softmax" | "logSoftmax"): Op<null> => ({
  name,
  saves: SAVES.output,
  forward(z, x) {
    const columns = z.sizes[z.ndim - 1] as number;
    k[name](z.ptr, x.ptr, z.size / columns, columns);
  },
  backward(z, x) {
    const columns = z.sizes[z.ndim - 1] as number;
    const dx = gradientAt(x);
    if (dx !== 0) k[`${name}Grad` as const](dx, z.gradPtr, z.ptr, z.size / columns, columns);
  },
});

const softmaxOp = rowOp("softmax");
const logSoftmaxOp = rowOp("logSoftmax");

function overRows(op: Op<null>, x: Tensor, axis: number): Tensor {
  alive(x, op.name);
  const at = axisOf(op.name, axis, x.ndim);
  if (at === x.ndim - 1) return applyOp(op, null, x);
  return moved(op, x, at);
}

const moved = composedOp(
  (op: Op<null>, x: Tensor, at: number): Tensor => transpose(applyOp(op, null, transpose(x, at, -1)), at, -1),
);

/**
 * zᵢ = exp(xᵢ − max x) / Σⱼ exp(xⱼ − max x) along the axis, by default the last; z has the shape of x. ∂L/∂xᵢ = zᵢ(∂L/∂zᵢ − Σⱼ zⱼ·∂L/∂zⱼ).
 *
 * @throws RangeError unless x has this axis.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from "jarvis-snn";
 *
 * console.log(`${softmax(tensor([0, 0, 1]))}`); // Tensor([3], [0.21194, 0.21194, 0.57612])
 * ```
 */
export const softmax = (x: Tensor, axis = -1): Tensor => overRows(softmaxOp, x, axis);

/**
 * zᵢ = xᵢ − log Σⱼ exp(xⱼ) along the axis, by default the last, without overflow; z has the shape of x. ∂L/∂xᵢ = ∂L/∂zᵢ − exp(zᵢ)·Σⱼ ∂L/∂zⱼ.
 *
 * @throws RangeError unless x has this axis.
 */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => overRows(logSoftmaxOp, x, axis);
