import { k } from "../backend.ts";
import type { Tensor } from "../tensor.ts";
import { fraction, nonNegative, Optimizer } from "./optimizer.ts";

export interface AdamOptions {
  /** Learning rate; default 1e-3. */
  lr?: number;
  /** Decay of the running means of g and g²; default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the root; default 1e-8. */
  eps?: number;
  /** L2 penalty for Adam (default 0), decoupled decay for AdamW (default 0.01). */
  weightDecay?: number;
  /** Divides by the largest second moment so far. */
  amsgrad?: boolean;
}

/**
 * Adam, PyTorch's form.
 *
 *   g = ∇ + λw     m = β₁m + (1 − β₁)g     v = β₂v + (1 − β₂)g²
 *   w −= lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
 *
 * @throws RangeError for a negative or non-finite option, or β outside [0, 1).
 * @see Kingma and Ba (2015), Adam: A Method for Stochastic Optimization, ICLR. AMSGrad: Reddi et al. (2018), ICLR.
 */
export class Adam extends Optimizer {
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly eps: number;
  private readonly amsgrad: boolean;
  protected readonly weightDecay: number;
  /** β₁ᵗ and β₂ᵗ of each parameter, by repeated multiplication: the same everywhere, unlike Math.pow. */
  private readonly powers: [number, number][];

  constructor(params: Iterable<Tensor>, options: AdamOptions = {}, where = "Adam") {
    super(where, params, options.lr ?? 1e-3);
    const [beta1, beta2] = options.betas ?? [0.9, 0.999];
    this.beta1 = fraction(where, "betas[0]", beta1);
    this.beta2 = fraction(where, "betas[1]", beta2);
    this.eps = nonNegative(where, "eps", options.eps ?? 1e-8);
    this.weightDecay = nonNegative(where, "weightDecay", options.weightDecay ?? 0);
    this.amsgrad = options.amsgrad ?? false;
    this.powers = this.params.map(() => [1, 1]);
  }

  /** The decoupled decay of this step; 0 where the decay is part of the gradient. */
  protected decoupled(): number {
    return 0;
  }

  protected slotNames(): readonly string[] {
    return this.amsgrad ? ["m", "v", "vMax"] : ["m", "v"];
  }

  protected update(p: Tensor, i: number): void {
    const m = this.buffer("m", i);
    const v = this.buffer("v", i);
    const largest = this.amsgrad ? this.buffer("vMax", i) : 0;
    const power = this.powers[i] as [number, number];
    power[0] *= this.beta1;
    power[1] *= this.beta2;
    const decoupled = this.decoupled();
    const penalty = decoupled === 0 ? this.weightDecay : 0;
    const stepSize = this.lr / (1 - power[0]);
    const root = Math.sqrt(1 - power[1]);
    k.adam(
      p.ptr,
      p.gradPtr,
      m,
      v,
      largest,
      p.size,
      stepSize,
      this.beta1,
      this.beta2,
      this.eps,
      penalty,
      decoupled,
      root,
    );
  }

  override loadStateDict(state: ReturnType<Optimizer["stateDict"]>): void {
    super.loadStateDict(state);
    this.powers.forEach((power, i) => {
      power[0] = 1;
      power[1] = 1;
      for (let t = this.steps[i] as number; t > 0; t--) {
        power[0] *= this.beta1;
        power[1] *= this.beta2;
      }
    });
  }
}

/**
 * Adam with decoupled weight decay: w ← (1 − lr·λ)·w before the update, λ 0.01 by default.
 *
 * @see Loshchilov and Hutter (2019), Decoupled Weight Decay Regularization, ICLR.
 */
export class AdamW extends Adam {
  constructor(params: Iterable<Tensor>, options: AdamOptions = {}) {
    super(params, { weightDecay: 0.01, ...options }, "AdamW");
  }

  protected override decoupled(): number {
    return this.lr * this.weightDecay;
  }
}
