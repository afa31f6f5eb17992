/** Gradient clipping between `backward` and `step`, by norm or by value. */
import { iterableOf, numberOf, type Range, withDefaults } from "../arguments.ts";
import { inReference, k } from "../core/backend.ts";
import { noGrad } from "../core/tape.ts";
import { alive, Tensor, touch } from "../core/tensor.ts";
import { full } from "../create.ts";
import { pow } from "../ops/formula.ts";
import { amax, sum } from "../ops/reduce.ts";
import { abs, square } from "../ops/unary.ts";

/** Range of a bound, or of a norm's order; both may be infinite. */
const BOUND: Range = { expected: "≥ 0", fits: (x) => x >= 0 };
const NORM: Range = { expected: "> 0", fits: (x) => x > 0 };

/** All gradients that exist. Checks the bound. */
function gradientsOf(where: string, params: Iterable<Tensor> | Tensor, max: number): Tensor[] {
  numberOf(where, "max", max, BOUND);
  if (inReference()) throw new Error(`${where}: expected gradients outside of gradcheck`);
  const list =
    params instanceof Tensor ? [params] : iterableOf(where, "parameters, such as model.parameters()", params);
  const gradients: Tensor[] = [];
  for (const p of list) {
    alive(p, where);
    if (p.grad !== null) gradients.push(p.grad);
  }
  return gradients;
}

/**
 * Scales all gradients by one factor so that their common norm is at most max:
 *
 *   g ← g·min(1, max / (‖g‖ + 10⁻⁶))     ‖g‖ = (Σ |gᵢ|ᵖ)^(1/p) over the elements of all gradients, p = normType
 *
 * normType is positive, 2 by default; Infinity gives the largest absolute value. A max of Infinity only measures.
 *
 * @returns the norm before the scaling; 0 without gradients.
 * @throws RangeError for a max that is negative or NaN, or a normType that is not positive; TypeError for anything but tensors, or an unknown option.
 *
 * @example
 * ```ts
 * import { clipGradNorm, parameter, tape, tensor } from "jarvis-snn";
 *
 * const w = parameter(tensor([3, 4]));
 * tape(() => w.square().sum().div(2).backward()); // the gradient is w
 * console.log(clipGradNorm([w], 1), `${w.grad}`); // 5 Tensor([2], [0.6, 0.8])
 * ```
 */
export function clipGradNorm(
  params: Iterable<Tensor> | Tensor,
  max: number,
  options: { normType?: number } = {},
): number {
  const { normType } = withDefaults("clipGradNorm", { normType: 2 }, options);
  numberOf("clipGradNorm", "normType", normType, NORM);
  const gradients = gradientsOf("clipGradNorm", params, max);
  const norm = noGrad(() => normOf(gradients, normType));
  const factor = max / (norm + 1e-6);
  // For a norm of NaN, every gradient becomes NaN, as in PyTorch.
  if (factor >= 1) return norm;
  for (const g of gradients) {
    k.affine(g.ptr, g.ptr, g.size, factor, 0);
    touch(g);
  }
  return norm;
}

function normOf(gradients: readonly Tensor[], p: number): number {
  if (p === Infinity) return gradients.reduce((largest, g) => Math.max(largest, amax(abs(g)).item()), 0);
  let total = 0;
  for (const g of gradients) total += sum(p === 2 ? square(g) : pow(abs(g), p)).item();
  return p === 2 ? Math.sqrt(total) : pow(full([], total), 1 / p).item();
}

/**
 * Clamps every element of the gradients: gᵢ ← min(max(gᵢ, −max), max).
 *
 * @throws RangeError for a max that is negative or NaN; TypeError for anything but tensors.
 *
 * @example
 * ```ts
 * import { clipGradValue, parameter, tape, tensor } from "jarvis-snn";
 *
 * const w = parameter(tensor([3, -4]));
 * tape(() => w.square().sum().div(2).backward()); // the gradient is w
 * clipGradValue([w], 3.5);
 * console.log(w.grad?.toArray()); // [ 3, -3.5 ]
 * ```
 */
export function clipGradValue(params: Iterable<Tensor> | Tensor, max: number): void {
  for (const g of gradientsOf("clipGradValue", params, max)) {
    k.clamp(g.ptr, g.ptr, g.size, -max, max);
    touch(g);
  }
}
