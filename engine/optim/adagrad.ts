/** Adagrad, on the kernel `rmsprop`: a sum instead of a running mean. */
import { extra } from "../core/backend.ts";
import type { Tensor } from "../core/tensor.ts";
import { Optimizer } from "./optimizer.ts";

/** Options of {@link Adagrad}. */
export interface AdagradOptions {
  /** Learning rate; default 1e-2. */
  lr?: number;
  /** The learning rate of step t is lr/(1 + (t − 1)·lrDecay); default 0. */
  lrDecay?: number;
  /** λ, the L2 penalty; default 0. */
  weightDecay?: number;
  /** Initial value of the sum of squares s; default 0. */
  initialAccumulatorValue?: number;
  /** ε, added to the root; default 1e-10. */
  eps?: number;
}

const DEFAULTS = { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 };

/**
 * Adagrad, PyTorch's form.
 *
 *   g = ∇ + λw     s = s + g²     w −= lr/(1 + (t − 1)·lrDecay) · g / (√s + ε)
 *
 * @throws RangeError without parameters, or for a negative or non-finite option; TypeError for an unknown option, or anything but parameters.
 * @see Duchi, Hazan and Singer (2011), Adaptive Subgradient Methods for Online Learning and Stochastic Optimization, JMLR.
 *
 * @example
 * ```ts
 * import { Adagrad, parameter, tape, tensor } from "jarvis-snn";
 *
 * const w = parameter(tensor([1]));
 * const optimizer = new Adagrad([w], { lr: 0.25 });
 * tape(() => w.square().sum().backward());
 * optimizer.step();
 * console.log(w.item().toFixed(4)); // 0.7500
 * ```
 */
export class Adagrad extends Optimizer<Required<AdagradOptions>> {
  constructor(params: Iterable<Tensor>, options: AdagradOptions = {}) {
    super("Adagrad", params, DEFAULTS, options);
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
    extra().rmsprop(p.ptr, p.gradPtr, sum, 0, 0, p.size, rate, 1, 1, eps, weightDecay, 0);
  }
}
