/** Linear layers with learned synaptic delays. */

import { COUNT, NOT_NEGATIVE, numberOf, type Range, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { alive, buffer, generatorOf, peek, touch } from "../../engine/extend.ts";
import {
  arange,
  conv1d,
  full,
  type Generator,
  mul,
  noGrad,
  pad,
  parameter,
  rand,
  type Tensor,
} from "../../engine/index.ts";
import { type Loading, startUniform, traitsOf, type Weighted, weightOf } from "../../engine/protocol.ts";
import { checkShape, formatShape, type Shape } from "../../engine/shape.ts";
import { isOutside } from "../../engine/unchecked.ts";
import { own, type Stage, stateOf } from "../layer/stage.ts";
import type { UnrollResult, Wanted } from "../layer/temporal.ts";
import { rangeIn } from "../neuron/definition.ts";
import { Windowed, WindowRun, windowStage } from "./window.ts";

/** Options of {@link DelayedLinear}. */
export interface DelayedLinearOptions {
  /** D, the longest delay in steps, an integer ≥ 1. */
  maxDelay: number;
  /** Initial σ, in steps, > 0; default (D + 1) / 2. */
  sigma?: number;
  /** Final σ of {@link DelayedLinear.anneal}, > 0; default 0.5. */
  finalSigma?: number;
  /** Whether there is a learned bias, [out]; default true. */
  bias?: boolean;
  /** Generator of the initial values; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS = {
  maxDelay: Number.NaN,
  sigma: undefined as number | undefined,
  finalSigma: 0.5,
  bias: true,
  generator: undefined as Generator | undefined,
} satisfies Record<keyof DelayedLinearOptions, unknown>;

/** State of {@link DelayedLinear} between time steps. */
export interface DelayedLinearState {
  /** The last D steps, the newest last: [D, B, …, in]. */
  readonly past: Tensor;
}

/** Range of σ: float32 represents σ² and 1/σ². */
const SIGMA: Range = { expected: "in [1e-6, 1e6]", fits: (x) => rangeIn([1e-6, 1e6]).fits(x) };

/** Added to the sum of a kernel before the division. */
const EPS = 1e-7;

/**
 * A linear layer in which every synapse has a weight and a delay, both learned:
 *
 *   z[t, o] = b[o] + Σ_i Σ_τ k[o, i, τ]·x[t − τ, i]     τ = 0 … D, x = 0 before the start
 *   training     k[o, i, τ] = w[o, i]·g[τ] / (1e-7 + Σ g),  g[τ] = exp(−((τ − d[o, i]) / σ)² / 2)
 *   evaluation   k[o, i, τ] = w[o, i] if τ = d[o, i] rounded (half to even), else 0
 *
 * A wide g passes a gradient to d from distant steps; {@link DelayedLinear.anneal} narrows it during training until it covers one step. D is
 * `maxDelay`; Hammouamri et al. count T_d = D + 1 taps.
 *
 * Shapes: x [T, B, …, in] → z [T, B, …, out]. `weight` w starts uniform in ±√(6/in) (Kaiming for a ReLU), `delay` d [out, in] uniform in [0, D],
 * `bias` b [out] uniform in ±1/√in; `sigma` σ is a buffer of the state. In training mode, `forward` first clamps delays to [0, D]. The paper trains d
 * with a hundred times the learning rate of w.
 *
 * @throws RangeError unless both sizes and maxDelay are positive integers and sigma and finalSigma lie in [1e-6, 1e6]; TypeError for an unknown
 *   option or a value of the wrong type.
 * @see Hammouamri, Khalfaoui-Hassani and Masquelier (2024), Learning Delays in Spiking Neural Networks using Dilated Convolutions
 *   with Learnable Spacings, ICLR.
 *
 * @example
 * ```ts
 * import { Adam, DelayedLinear } from "jarvis-snn";
 *
 * const layer = new DelayedLinear(700, 256, { maxDelay: 24 });
 * const optimizers = [new Adam([layer.weight], { lr: 1e-3 }), new Adam([layer.delay], { lr: 0.1 })];
 * console.log(optimizers.length, [0, 0.5, 1].map((progress) => layer.anneal(progress))); // 2 [ 12.5, 2.5, 0.5 ]
 * ```
 */
export class DelayedLinear extends Windowed<DelayedLinearState, UnrollResult<DelayedLinearState>> {
  /** Size of the last axis of x. */
  readonly inFeatures: number;
  /** Size of the last axis of z. */
  readonly outFeatures: number;
  /** D, the longest delay. */
  readonly maxDelay: number;
  /** w, the weights, [out, in]. */
  readonly weight: Tensor;
  /** d, the delays in steps, [out, in]. */
  readonly delay: Tensor;
  /** b, [out], or null without a bias. */
  readonly bias: Tensor | null;
  /** σ, the width of a synapse's kernel in steps, []. */
  readonly sigma: Tensor;
  /**
   * Reparametrization of the weight, or null.
   *
   * @internal
   */
  reading: Weighted["reading"] = null;
  private readonly firstSigma: number;
  private readonly finalSigma: number;

  constructor(inFeatures: number, outFeatures: number, options: DelayedLinearOptions) {
    super(TRAITS);
    const where = "DelayedLinear";
    const given = withDefaults(where, DEFAULTS, options);
    const shape = checkShape(where, [outFeatures, inFeatures]);
    const maxDelay = numberOf(where, "maxDelay", given.maxDelay, COUNT);
    const start = numberOf(where, "sigma", given.sigma === undefined ? (maxDelay + 1) / 2 : given.sigma, SIGMA);
    const generator = generatorOf(where, given.generator);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.maxDelay = maxDelay;
    this.firstSigma = start;
    this.finalSigma = numberOf(where, "finalSigma", given.finalSigma, SIGMA);
    checkShape(where, [...shape, maxDelay + 1]);
    // All or none: a failing tape frees all tensors made in it.
    [this.weight, this.delay, this.bias, this.sigma] = noGrad((): [Tensor, Tensor, Tensor | null, Tensor] => [
      startUniform(where, shape, inFeatures / 6, false, generator)[0],
      parameter(rand(shape, { generator }).mul(maxDelay)),
      given.bias ? startUniform(where, [outFeatures], inFeatures, false, generator)[0] : null,
      buffer(full([], start)),
    ]);
  }

  /** @internal */
  override loadingOf(t: Tensor): Loading | undefined {
    return t === this.sigma ? { range: SIGMA } : undefined;
  }

  /**
   * Narrows the kernels: σ = start·(finalSigma / start)^progress. `progress` is clamped to at most 1. Returns σ.
   *
   * @throws RangeError unless progress is a number ≥ 0.
   */
  anneal(progress: number): number {
    const p = numberOf("DelayedLinear", "progress", progress, NOT_NEGATIVE);
    const { firstSigma, finalSigma, sigma } = this;
    if (p >= 1) sigma.copyFrom([finalSigma]);
    else noGrad(() => sigma.copyFrom(mul(full([], finalSigma / firstSigma).pow(p), firstSigma)));
    return sigma.item();
  }

  protected override get where(): string {
    return "DelayedLinear";
  }

  protected override checkInput(shape: Shape): void {
    const { inFeatures } = this;
    if (shape.length > 1 && shape[shape.length - 1] === inFeatures) return;
    throw wrongValue("DelayedLinear", `x [T, B, …, ${inFeatures}]`, formatShape(shape));
  }

  protected override isComposed(): boolean {
    return true;
  }

  protected override advance(x: Tensor, T: number, step: Shape, from: Tensor | null, wanted: Wanted): WindowRun {
    const { maxDelay, training } = this;
    if (training) this.clampDelays();
    const seen = wanted === "main" ? null : this.behind(from, x, step, maxDelay);
    const rows = seen === null ? pad(this.rowsOf(x), [maxDelay, 0]) : this.rowsOf(seen);
    const z = this.product(rows, kernelOf(this, training), x.sizes, T);
    return new WindowRun(z, maxDelay, seen);
  }

  /** x [T, B, …, in] as [rows, in, T]. */
  private rowsOf(x: Tensor): Tensor {
    return x.reshape([x.sizes[0] as number, -1, this.inFeatures]).permute([1, 2, 0]);
  }

  /** z of the last T steps of rows [rows, in, D + T], for x of this shape. */
  private product(rows: Tensor, kernel: Tensor, shape: Shape, T: number): Tensor {
    const z = conv1d(rows, kernel, this.bias);
    return (T === 1 ? z : z.permute([2, 0, 1])).reshape([...shape.slice(0, -1), this.outFeatures]);
  }

  /** Clamps delays to [0, D], as the paper does after each step of the optimizer. */
  private clampDelays(): void {
    const { delay, maxDelay } = this;
    alive(delay, "DelayedLinear");
    if (isOutside(delay)) return;
    const d = peek(delay);
    let moved = false;
    for (let i = 0; i < d.length; i++) {
      const value = d[i] as number;
      if (!(value < 0 || value > maxDelay)) continue;
      d[i] = value < 0 ? 0 : maxDelay;
      moved = true;
    }
    if (moved) touch(delay);
  }

  /** @internal */
  protected override ownStage(input: Tensor): Stage {
    this.checkStep(input.sizes);
    const { outFeatures, inFeatures, maxDelay, bias, sigma } = this;
    const kernel = own([outFeatures, inFeatures, maxDelay + 1]);
    const output = own([...input.sizes.slice(0, -1), outFeatures]);
    const reads = stateOf(this).filter((t) => t !== bias && t !== sigma);
    const read = () => void kernel.copyFrom(kernelOf(this, false));
    const writing = (steps: Tensor) => {
      const run = () => void output.copyFrom(this.product(this.rowsOf(steps), kernel, input.sizes, 1));
      return () => noGrad(run);
    };
    return windowStage(this, input, maxDelay, { output, memory: kernel, reads, read, writing });
  }
}

const TRAITS = traitsOf(DelayedLinear, "weighted");

/** Kernels of all synapses, [out, in, D + 1], the longest delay first. */
function kernelOf(layer: DelayedLinear, training: boolean): Tensor {
  const { maxDelay, delay, sigma } = layer;
  const taps = arange(maxDelay, -1, -1);
  const w = weightOf(layer).unsqueeze(-1);
  const d = delay.unsqueeze(-1);
  if (!training) return taps.eq(d.detach().clamp(0, maxDelay).round()).mul(w);
  const width = numberOf("DelayedLinear", "sigma", sigma.item(), SIGMA);
  const distance = taps.sub(d).mul(1 / width);
  const bump = distance.square().mul(-0.5).exp();
  return bump.mul(w.div(bump.sum({ axis: -1, keepdim: true }).add(EPS)));
}
