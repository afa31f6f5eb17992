/** Gradients made smaller between `backward` and `step`. */
import { k } from "../backend.ts";
import { full } from "../create.ts";
import { pow } from "../ops/formula.ts";
import { amax, sum } from "../ops/reduce.ts";
import { abs, square } from "../ops/unary.ts";
import { checkOptions } from "../options.ts";
import { noGrad } from "../tape.ts";
import { Tensor, touch } from "../tensor.ts";

/** The gradients that there are, after the check of the bound. */
function gradientsOf(where: string, params: Iterable<Tensor> | Tensor, max: number): Tensor[] {
  if (!(max >= 0)) throw new RangeError(`${where}: max must be ≥ 0, got ${max}`);
  return [...(params instanceof Tensor ? [params] : params)].flatMap((p) => {
    if (!(p instanceof Tensor)) throw new TypeError(`${where}: expected tensors, got ${typeof p}`);
    return p.grad ?? [];
  });
}

/**
 * Scales all gradients by one factor so that their common norm is at most max:
 *
 *   g ← g·min(1, max / (‖g‖ + 10⁻⁶))     ‖g‖ = (Σ |gᵢ|ᵖ)^(1/p) over the elements of all gradients, p = normType
 *
 * normType is positive, 2 by default; Infinity gives the largest absolute value. A max of Infinity only measures.
 *
 * @returns the norm before; 0 where there is no gradient.
 * @throws RangeError for a max that is negative or NaN, or a normType that is not positive; TypeError for anything but
 *   tensors, or another option.
 */
export function clipGradNorm(
  params: Iterable<Tensor> | Tensor,
  max: number,
  options: { normType?: number } = {},
): number {
  checkOptions("clipGradNorm", options, "normType");
  const { normType = 2 } = options;
  const gradients = gradientsOf("clipGradNorm", params, max);
  if (!(normType > 0)) throw new RangeError(`clipGradNorm: normType must be positive, got ${normType}`);
  const norm = noGrad(() => normOf(gradients, normType));
  const factor = max / (norm + 1e-6);
  // A norm that is NaN makes every gradient NaN, as in PyTorch.
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
 */
export function clipGradValue(params: Iterable<Tensor> | Tensor, max: number): void {
  for (const g of gradientsOf("clipGradValue", params, max)) {
    k.clamp(g.ptr, g.ptr, g.size, -max, max);
    touch(g);
  }
}
