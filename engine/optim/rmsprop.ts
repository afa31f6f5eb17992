import { k } from "../backend.ts";
import type { Tensor } from "../tensor.ts";
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
  /** μ; default 0: none. */
  momentum?: number;
  /** Divides by the deviation of the gradient instead of its size; default false. */
  centered?: boolean;
}

/**
 * RMSprop, PyTorch's form.
 *
 *   g = ∇ + λw     v = αv + (1 − α)g²     ḡ = αḡ + (1 − α)g  (0 unless centered)
 *   b = μb + g / (√(v − ḡ²) + ε)     w −= lr·b
 *
 * A variance v − ḡ² that rounding makes negative counts as 0, where PyTorch gives NaN.
 *
 * @throws RangeError for no parameters, or a negative or non-finite option; TypeError for another option, or anything but
 *   parameters.
 * @see Tieleman and Hinton (2012), Lecture 6.5, COURSERA. Centered: Graves (2013), arXiv:1308.0850.
 */
export class RMSprop extends Optimizer<Required<RMSpropOptions>> {
  constructor(params: Iterable<Tensor>, options: RMSpropOptions = {}) {
    const defaults = { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false };
    super("RMSprop", params, defaults, options);
  }

  /** A schedule may turn the momentum on later. */
  protected slotNames({ centered }: Required<RMSpropOptions>, given: Slots): readonly string[] {
    return ["square", ...(centered ? ["mean"] : []), ...("momentum" in given ? ["momentum"] : [])];
  }

  protected update(p: Tensor, i: number): void {
    const { lr, alpha, eps, weightDecay, momentum, centered } = this.options;
    const square = this.slot("square", i);
    const mean = centered ? this.slot("mean", i) : 0;
    const b = momentum === 0 ? 0 : this.slot("momentum", i);
    k.rmsprop(p.ptr, p.gradPtr, square, mean, b, p.size, lr, alpha, 1 - alpha, eps, weightDecay, momentum);
  }
}

/** Options of {@link Adagrad}. */
export interface AdagradOptions {
  /** Learning rate; default 1e-2. */
  lr?: number;
  /** The learning rate of step t is lr/(1 + (t − 1)·lrDecay); default 0. */
  lrDecay?: number;
  /** λ, the L2 penalty; default 0. */
  weightDecay?: number;
  /** What the sum of squares s starts from; default 0. */
  initialAccumulatorValue?: number;
  /** ε, added to the root; default 1e-10. */
  eps?: number;
}

/**
 * Adagrad, PyTorch's form.
 *
 *   g = ∇ + λw     s = s + g²     w −= lr/(1 + (t − 1)·lrDecay) · g / (√s + ε)
 *
 * @throws RangeError for no parameters, or a negative or non-finite option; TypeError for another option, or anything but
 *   parameters.
 * @see Duchi, Hazan and Singer (2011), Adaptive Subgradient Methods for Online Learning and Stochastic Optimization, JMLR.
 */
export class Adagrad extends Optimizer<Required<AdagradOptions>> {
  constructor(params: Iterable<Tensor>, options: AdagradOptions = {}) {
    const defaults = { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 };
    super("Adagrad", params, defaults, options);
  }

  protected slotNames(): readonly string[] {
    return ["sum"];
  }

  protected override initial(): number {
    return this.options.initialAccumulatorValue;
  }

  protected update(p: Tensor, i: number): void {
    const { lr, lrDecay, weightDecay, eps } = this.options;
    const sum = this.slot("sum", i);
    const rate = lr / (1 + ((this.steps[i] as number) - 1) * lrDecay);
    k.rmsprop(p.ptr, p.gradPtr, sum, 0, 0, p.size, rate, 1, 1, eps, weightDecay, 0);
  }
}
