import { k } from "../backend.ts";
import type { Tensor } from "../tensor.ts";
import { nonNegative, Optimizer } from "./optimizer.ts";

export interface SGDOptions {
  /** Learning rate; default 1e-3. */
  lr?: number;
  momentum?: number;
  /** Fraction of the gradient that does not enter the momentum. */
  dampening?: number;
  nesterov?: boolean;
  weightDecay?: number;
}

/**
 * Stochastic gradient descent, PyTorch's form.
 *
 *   g = ∇ + λw     b = μb + (1 − dampening)·g  (b = g at first)     w −= lr·(nesterov ? g + μb : b)
 *
 * @throws RangeError for a negative or non-finite option, or Nesterov without momentum or with dampening.
 * @see Sutskever et al. (2013), On the importance of initialization and momentum in deep learning, ICML.
 */
export class SGD extends Optimizer {
  private readonly momentum: number;
  private readonly dampening: number;
  private readonly nesterov: boolean;
  private readonly weightDecay: number;

  constructor(params: Iterable<Tensor>, options: SGDOptions = {}) {
    super("SGD", params, options.lr ?? 1e-3);
    this.momentum = nonNegative("SGD", "momentum", options.momentum ?? 0);
    this.dampening = options.dampening ?? 0;
    this.nesterov = options.nesterov ?? false;
    this.weightDecay = nonNegative("SGD", "weightDecay", options.weightDecay ?? 0);
    if (!Number.isFinite(this.dampening)) throw new RangeError(`SGD: dampening must be finite, got ${this.dampening}`);
    if (this.nesterov && (this.momentum === 0 || this.dampening !== 0)) {
      throw new RangeError(
        `SGD: nesterov needs momentum > 0 and dampening 0, got ${this.momentum} and ${this.dampening}`,
      );
    }
  }

  protected slotNames(): readonly string[] {
    return this.momentum === 0 ? [] : ["momentum"];
  }

  protected update(p: Tensor, i: number): void {
    const b = this.momentum === 0 ? 0 : this.buffer("momentum", i);
    const first = this.steps[i] === 1 ? 1 : 0;
    const nesterov = this.nesterov ? 1 : 0;
    k.sgd(p.ptr, p.gradPtr, b, p.size, this.lr, this.momentum, this.dampening, this.weightDecay, nesterov, first);
  }
}
