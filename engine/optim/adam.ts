/** Adam and AdamW: optimizers with one kernel call per parameter. */
import { BELOW_ONE } from "../arguments.ts";
import { descriptor, floats, k, wordsAt } from "../core/backend.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Limits } from "./fields.ts";
import { Optimizer } from "./optimizer.ts";

/** Options of {@link Adam} and {@link AdamW}. */
export interface AdamOptions {
  /** Learning rate; default 1e-3. */
  lr?: number;
  /** β₁ and β₂, the decay of the running means of g and g², in [0, 1); default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** ε, added to the root; default 1e-8. */
  eps?: number;
  /** λ: L2 penalty for Adam (default 0), decoupled decay for AdamW (default 0.01). */
  weightDecay?: number;
  /** Whether to divide by the largest v so far; default false. */
  amsgrad?: boolean;
}

const DEFAULTS: Required<AdamOptions> = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false };

/** baseⁿ for an integer n ≥ 0, by squaring: the same bits everywhere, unlike Math.pow. */
function power(base: number, n: number): number {
  let result = 1;
  for (let square = base; n > 0; square *= square, n = Math.floor(n / 2)) if (n % 2 === 1) result *= square;
  return result;
}

/** Common base class of Adam and AdamW. */
abstract class AdamRule extends Optimizer<Required<AdamOptions>> {
  /** Whether weight decay shrinks the weights directly, instead of being added to the gradient. */
  private readonly decoupled: boolean;

  constructor(where: string, params: Iterable<Tensor>, options: AdamOptions, decoupled: boolean) {
    super(where, params, decoupled ? { ...DEFAULTS, weightDecay: 0.01 } : DEFAULTS, options);
    this.decoupled = decoupled;
  }

  protected override limits(): Limits {
    return { betas: { ...BELOW_ONE, length: 2 } };
  }

  protected slotNames({ amsgrad }: Required<AdamOptions>): readonly string[] {
    return amsgrad ? ["m", "v", "vMax"] : ["m", "v"];
  }

  protected update(p: Tensor, i: number): void {
    const { lr, betas, eps, weightDecay, amsgrad } = this.options;
    const [beta1, beta2] = betas;
    const t = this.steps[i] as number;
    const m = this.slot("m", i);
    const v = this.slot("v", i);
    const vMax = amsgrad ? this.slot("vMax", i) : 0;
    // In the order of the kernel's documentation.
    const at = wordsAt(descriptor, 9);
    floats[at] = this.decoupled ? 1 - lr * weightDecay : 1;
    floats[at + 1] = this.decoupled ? 0 : weightDecay;
    floats[at + 2] = beta1;
    floats[at + 3] = 1 - beta1;
    floats[at + 4] = beta2;
    floats[at + 5] = 1 - beta2;
    floats[at + 6] = lr / (1 - power(beta1, t));
    floats[at + 7] = 1 / Math.sqrt(1 - power(beta2, t));
    floats[at + 8] = eps;
    k.adam(p.ptr, p.gradPtr, m, v, vMax, p.size, descriptor);
  }
}

/**
 * Adam, PyTorch's form.
 *
 *   g = ∇ + λw     m = β₁m + (1 − β₁)g     v = β₂v + (1 − β₂)g²
 *   w −= lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
 *
 * @throws RangeError without parameters, for a negative or non-finite option, or β outside [0, 1); TypeError for an unknown option, or anything but
 *   parameters.
 * @see Kingma and Ba (2015), Adam: A Method for Stochastic Optimization, ICLR. AMSGrad: Reddi et al. (2018), ICLR.
 *
 * @example
 * ```ts
 * import { Adam, parameter, tape, tensor } from "jarvis-snn";
 *
 * const w = parameter(tensor([1, 1]));
 * const optimizer = new Adam([w], { lr: 0.125 });
 * tape(() => w.mul(tensor([1000, -0.001])).sum().backward());
 * optimizer.step(); // by lr against the sign of each gradient, however large this is
 * console.log(`${w}`); // Tensor([2], [0.875, 1.125], requiresGrad)
 * ```
 */
export class Adam extends AdamRule {
  constructor(params: Iterable<Tensor>, options: AdamOptions = {}) {
    super("Adam", params, options, false);
  }
}

/**
 * {@link Adam} with decoupled weight decay: w ← (1 − lr·λ)·w before the update, which then uses λ = 0; λ is 0.01 by default.
 *
 * @throws RangeError or TypeError as {@link Adam}.
 * @see Loshchilov and Hutter (2019), Decoupled Weight Decay Regularization, ICLR.
 *
 * @example
 * ```ts
 * import { AdamW, parameter, tape, tensor } from "jarvis-snn";
 *
 * const w = parameter(tensor([1]));
 * const optimizer = new AdamW([w], { lr: 0.5, weightDecay: 0.5 });
 * tape(() => w.mul(0).sum().backward()); // the gradient is 0, so that the weight decay acts alone
 * optimizer.step();
 * console.log(w.item()); // 0.75
 * ```
 */
export class AdamW extends AdamRule {
  constructor(params: Iterable<Tensor>, options: AdamOptions = {}) {
    super("AdamW", params, options, true);
  }
}
