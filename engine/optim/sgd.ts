/** Stochastic gradient descent with momentum: an optimizer with one kernel call per parameter. */
import { ensure } from "../arguments.ts";
import { rare } from "../core/backend.ts";
import type { Tensor } from "../core/tensor.ts";
import { Optimizer, type Slots } from "./optimizer.ts";

/** Options of {@link SGD}. */
export interface SGDOptions {
  /** Learning rate; default 1e-3. */
  lr?: number;
  /** μ, the momentum; default 0: none. */
  momentum?: number;
  /** Share of the gradient that does not enter the momentum; default 0. */
  dampening?: number;
  /** Whether to use Nesterov momentum; default false. */
  nesterov?: boolean;
  /** λ, the L2 penalty; default 0. */
  weightDecay?: number;
}

const DEFAULTS: Required<SGDOptions> = { lr: 1e-3, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 };

/**
 * Stochastic gradient descent, PyTorch's form.
 *
 *   g = ∇ + λw     b = μb + (1 − dampening)·g  (b = g at first)     w −= lr·(nesterov ? g + μb : b)
 *
 * @throws RangeError without parameters, for a negative or non-finite option, or Nesterov without momentum or with dampening; TypeError for an
 *   unknown option, or anything but parameters.
 * @see Sutskever et al. (2013), On the importance of initialization and momentum in deep learning, ICML.
 *
 * @example
 * ```ts
 * import { parameter, SGD, tape, tensor } from "jarvis-snn";
 *
 * const w = parameter(tensor([1]));
 * const optimizer = new SGD([w], { lr: 0.25, momentum: 0.5 });
 * tape(() => w.square().sum().backward()); // the gradient is 2
 * optimizer.step();
 * console.log(w.item()); // 0.5
 * ```
 */
export class SGD extends Optimizer<Required<SGDOptions>> {
  constructor(params: Iterable<Tensor>, options: SGDOptions = {}) {
    super("SGD", params, DEFAULTS, options);
  }

  protected override check(where: string, { nesterov, momentum, dampening }: Required<SGDOptions>): void {
    const fine = !nesterov || (momentum > 0 && dampening === 0);
    ensure(fine, where, "nesterov needs momentum > 0 and dampening 0", [momentum, dampening]);
  }

  /** A parameter gets its momentum buffer in the first step whose `momentum` is above 0, which a schedule may set later. */
  protected slotNames(_options: Required<SGDOptions>, given: Slots): readonly string[] {
    return "momentum" in given ? ["momentum"] : [];
  }

  protected update(p: Tensor, i: number): void {
    const { lr, momentum, dampening, nesterov, weightDecay } = this.options;
    const b = momentum === 0 ? 0 : this.slot("momentum", i);
    const first = this.isFresh(b) ? 1 : 0;
    rare().sgd(p.ptr, p.gradPtr, b, p.size, lr, momentum, dampening, weightDecay, nesterov ? 1 : 0, first);
  }
}
