/** RMSprop: an optimizer with one kernel call per parameter. */
import { extra } from "../core/backend.ts";
import type { Tensor } from "../core/tensor.ts";
import { Optimizer, type Slots } from "./optimizer.ts";

/** Options of {@link RMSprop}. */
export interface RMSpropOptions {
  /** Learning rate; default 1e-2. */
  lr?: number;
  /** α, the decay of the running mean of g²; default 0.99. */
  alpha?: number;
  /** ε, added to the root; default 1e-8. */
  eps?: number;
  /** λ, the L2 penalty; default 0. */
  weightDecay?: number;
  /** μ, the momentum; default 0: none. */
  momentum?: number;
  /** Whether to divide by the standard deviation of the gradient instead of its root mean square; default false. */
  centered?: boolean;
}

const DEFAULTS = { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false };

/**
 * RMSprop, PyTorch's form.
 *
 *   g = ∇ + λw     v = αv + (1 − α)g²     ḡ = αḡ + (1 − α)g  (0 unless centered)
 *   b = μb + g / (√(v − ḡ²) + ε)     w −= lr·b
 *
 * A variance v − ḡ² that rounding makes negative counts as 0; PyTorch gives NaN.
 *
 * @throws RangeError without parameters, or for a negative or non-finite option; TypeError for an unknown option, or anything but parameters.
 * @see Tieleman and Hinton (2012), Lecture 6.5, COURSERA. Centered: Graves (2013), arXiv:1308.0850.
 *
 * @example
 * ```ts
 * import { parameter, RMSprop, tape, tensor } from "jarvis-snn";
 *
 * const w = parameter(tensor([1]));
 * const optimizer = new RMSprop([w], { lr: 0.25, alpha: 0.75 });
 * tape(() => w.square().sum().backward());
 * optimizer.step(); // √v is half of the gradient at first
 * console.log(w.item().toFixed(4)); // 0.5000
 * ```
 */
export class RMSprop extends Optimizer<Required<RMSpropOptions>> {
  constructor(params: Iterable<Tensor>, options: RMSpropOptions = {}) {
    super("RMSprop", params, DEFAULTS, options);
  }

  /** State arrays may include momentum or not, since a schedule may turn it on later. */
  protected slotNames({ centered }: Required<RMSpropOptions>, given: Slots): readonly string[] {
    return ["square", ...(centered ? ["mean"] : []), ...("momentum" in given ? ["momentum"] : [])];
  }

  protected update(p: Tensor, i: number): void {
    const { lr, alpha, eps, weightDecay, momentum, centered } = this.options;
    const square = this.slot("square", i);
    const mean = centered ? this.slot("mean", i) : 0;
    const b = momentum === 0 ? 0 : this.slot("momentum", i);
    extra().rmsprop(p.ptr, p.gradPtr, square, mean, b, p.size, lr, alpha, 1 - alpha, eps, weightDecay, momentum);
  }
}
