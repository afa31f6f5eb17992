/** Elementwise selection between two tensors by a condition without a gradient. */
import { CHOICE } from "../../kernels/codes.ts";
import { k } from "../core/backend.ts";
import { gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, SAVES } from "../core/op.ts";
import { composedOp } from "../core/tape.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { broadcastShapes } from "../shape.ts";
import { asTensor, type Operand } from "./arithmetic.ts";
import { broadcastTo } from "./view.ts";

export const whereOp: Op<null> = {
  name: "where",
  saves: SAVES.a,
  forward: (z, condition, x, y) => k.where(z.ptr, condition.ptr, x.ptr, y.ptr, z.size),
  backward(z, condition, x, y) {
    const dx = gradientAt(x);
    if (dx !== 0) k.formulaGrad(CHOICE, dx, z.gradPtr, condition.ptr, 0, z.size, 1, 0);
    const dy = gradientAt(y);
    if (dy !== 0) k.formulaGrad(CHOICE, dy, z.gradPtr, condition.ptr, 0, z.size, 0, 1);
  },
};

function choose(name: string, condition: Tensor, x: Operand, y: Operand): Tensor {
  alive(condition, name);
  const [left, right] = [asTensor(name, x), asTensor(name, y)];
  const shape = broadcastShapes(name, condition.sizes, broadcastShapes(name, left.sizes, right.sizes));
  return applyOp(whereOp, null, broadcastTo(condition, shape), broadcastTo(left, shape), broadcastTo(right, shape));
}

/**
 * z = x where the condition c is not 0, else y; all three broadcast. The condition gets no gradient.
 *
 *   ∂L/∂x = ∂L/∂z if c ≠ 0, else 0      ∂L/∂y = ∂L/∂z if c = 0, else 0
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless x and y are tensors or numbers.
 *
 * @example
 * ```ts
 * import { tensor, where } from "jarvis-snn";
 *
 * const x = tensor([-1, 2]);
 * console.log(where(x.gt(0), x, 0).toArray()); // [ 0, 2 ]
 * ```
 */
export const where = composedOp(
  (condition: Tensor, x: Operand, y: Operand): Tensor => choose("where", condition, x, y),
);

/**
 * z = value where mask ≠ 0, else x; all three broadcast. Gradients as in {@link where}; the mask gets none.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless the value is a tensor or a number.
 */
export const maskedFill = composedOp((x: Tensor, mask: Tensor, value: Operand): Tensor => {
  alive(x, "maskedFill");
  return choose("maskedFill", mask, value, x);
});
