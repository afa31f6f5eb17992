/** Linear layers whose synapses have learned delays. */
import { COUNT, NOT_NEGATIVE, numberOf, type Range, withDefaults, wrongValue } from "../engine/arguments.ts";
import { composed } from "../engine/composed.ts";
import { type Generator, generatorOf } from "../engine/generator.ts";
import { arange, concat, conv1d, full, noGrad, pad, parameter, rand, type Tensor, zeros } from "../engine/index.ts";
import { startUniform } from "../engine/nn/linear.ts";
import { forwardOf } from "../engine/nn/module.ts";
import { type Reading, readsWeight, weightOf } from "../engine/nn/reading.ts";
import { isOutside } from "../engine/op.ts";
import { checkShape, formatShape, type Shape } from "../engine/shape.ts";
import { buffer } from "../engine/tape.ts";
import { alive, peek, touch } from "../engine/tensor.ts";
import { checkSequence, checkState } from "./checks.ts";
import { within } from "./definition.ts";
import { Window } from "./delay.ts";
import { keptOf } from "./kept.ts";
import { own, Stage, Staged, stateOf, Watch } from "./stage.ts";

/** Options of {@link DelayedLinear}. */
export interface DelayedLinearOptions {
  /** D, the longest delay in steps, an integer ≥ 1. */
  maxDelay: number;
  /** σ at the start, in steps, > 0; default (D + 1) / 2. */
  sigma?: number;
  /** σ at the end of {@link DelayedLinear.anneal}, > 0; default 0.5. */
  finalSigma?: number;
  /** Adds a learned bias, [out]; default true. */
  bias?: boolean;
  /** Where the initial values come from; the default generator if not given. */
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

/** σ whose square and its inverse float32 holds. */
const SIGMA: Range = { expected: "in [1e-6, 1e6]", fits: (x) => within([1e-6, 1e6]).fits(x) };

/** Added to the sum of a kernel that is divided by it. */
const EPS = 1e-7;

/**
 * A linear layer in which every synapse has a weight and a delay, both learned:
 *
 *   z[t, o] = b[o] + Σ_i Σ_τ k[o, i, τ]·x[t − τ, i]     τ = 0 … D, x = 0 before the start
 *   training     k[o, i, τ] = w[o, i]·g[τ] / (1e-7 + Σ g),  g[τ] = exp(−((τ − d[o, i]) / σ)² / 2)
 *   evaluation   k[o, i, τ] = w[o, i] where τ = d[o, i] rounded (half to even), else 0
 *
 * A wide bump over all delays passes a gradient to d from afar; {@link DelayedLinear.anneal} narrows it during training, until it
 * covers one step. D is `maxDelay`; Hammouamri et al. count T_d = D + 1 taps.
 *
 * Shapes: x [T, B, …, in] → z [T, B, …, out]. `weight` w starts uniform in ±√(6/in) (Kaiming for a ReLU), `delay` d [out, in]
 * uniform in [0, D], `bias` b [out] uniform in ±1/√in; `sigma` σ is a buffer of the state. In training mode `forward` first puts delays
 * that an optimizer has moved out of [0, D] back to its ends. The paper trains d with a hundred times the rate of w.
 *
 *     const layer = new DelayedLinear(700, 256, { maxDelay: 24 });
 *     const optimizers = [new Adam([layer.weight], { lr: 1e-3 }), new Adam([layer.delay], { lr: 0.1 })];
 *     for (let epoch = 0; epoch < epochs; epoch++) {
 *       layer.anneal(epoch / (epochs / 4)); // σ: 12.5 → 0.5 over the first quarter
 *       …
 *     }
 *
 * @throws RangeError unless both sizes and maxDelay are positive integers and sigma and finalSigma lie in [1e-6, 1e6]; TypeError for an
 *   option of another name or kind.
 * @see Hammouamri, Khalfaoui-Hassani and Masquelier (2024), Learning Delays in Spiking Neural Networks using Dilated Convolutions
 *   with Learnable Spacings, ICLR.
 */
export class DelayedLinear extends Staged {
  /** Size of the last axis of x. */
  readonly inFeatures: number;
  /** Size of the last axis of z. */
  readonly outFeatures: number;
  /** D, the longest delay. */
  readonly maxDelay: number;
  /** w, the factors, [out, in]. */
  readonly weight: Tensor;
  /** d, the delays in steps, [out, in]. */
  readonly delay: Tensor;
  /** b, [out], or null without a bias. */
  readonly bias: Tensor | null;
  /** σ, the width of a synapse's kernel in steps, []. */
  readonly sigma: Tensor;
  /**
   * How forward reads the weight.
   *
   * @internal
   */
  reading: Reading | null = readsWeight(FORWARD);
  private readonly start: number;
  private readonly end: number;

  constructor(inFeatures: number, outFeatures: number, options: DelayedLinearOptions) {
    super();
    const where = "DelayedLinear";
    const given = withDefaults(where, DEFAULTS, options);
    const shape = checkShape(where, [outFeatures, inFeatures]);
    const maxDelay = numberOf(where, "maxDelay", given.maxDelay, COUNT);
    const start = numberOf(where, "sigma", given.sigma === undefined ? (maxDelay + 1) / 2 : given.sigma, SIGMA);
    const generator = generatorOf(where, given.generator);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.maxDelay = maxDelay;
    this.start = start;
    this.end = numberOf(where, "finalSigma", given.finalSigma, SIGMA);
    checkShape(where, [...shape, maxDelay + 1]);
    // All or none: a tape that fails frees what was made in it.
    [this.weight, this.delay, this.bias, this.sigma] = noGrad((): [Tensor, Tensor, Tensor | null, Tensor] => [
      startUniform(where, shape, inFeatures / 6, false, generator)[0],
      parameter(rand(shape, { generator }).mul(maxDelay)),
      given.bias ? startUniform(where, [outFeatures], inFeatures, false, generator)[0] : null,
      buffer(full([], start), SIGMA),
    ]);
  }

  /**
   * Narrows the kernels: σ = start·(finalSigma / start)^progress. `progress` goes from 0 to 1; beyond 1, σ stays finalSigma. Returns
   * σ.
   *
   * @throws RangeError unless progress is a number ≥ 0.
   */
  anneal(progress: number): number {
    const p = numberOf("DelayedLinear", "progress", progress, NOT_NEGATIVE);
    const { start, end, sigma } = this;
    if (p >= 1) sigma.copyFrom([end]);
    else
      noGrad(() =>
        sigma.copyFrom(
          full([], end / start)
            .pow(p)
            .mul(start),
        ),
      );
    return sigma.item();
  }

  /**
   * z [T, B, …, out] of x [T, B, …, in], from zeros before the start.
   *
   * @throws RangeError unless x has a time axis and inFeatures values on its last axis.
   */
  forward(x: Tensor): Tensor {
    checkSequence("DelayedLinear", "x", x);
    this.checkFeatures(x.sizes);
    return composed(DelayedLinear.run, this, x);
  }

  private static run(layer: DelayedLinear, x: Tensor): Tensor {
    if (layer.training) layer.clampDelays();
    const [T] = x.sizes as [number];
    const rows = pad(x.reshape([T, -1, layer.inFeatures]).permute([1, 2, 0]), [layer.maxDelay, 0]);
    return conv1d(rows, kernelOf(layer, layer.training), layer.bias)
      .permute([2, 0, 1])
      .reshape([...x.sizes.slice(0, -1), layer.outFeatures]);
  }

  /** Puts delays outside of [0, D] back to its ends, as the paper does behind each step of the optimizer. */
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

  /**
   * One time step, [B, …, in] → [B, …, out] and the next state; the same bits as `forward`.
   *
   * @throws RangeError as `forward`, or for a state of another shape.
   */
  step(x: Tensor, state: DelayedLinearState): [z: Tensor, state: DelayedLinearState] {
    alive(x, "DelayedLinear");
    this.checkFeatures([1, ...x.sizes]);
    const { past } = Object(state) as DelayedLinearState;
    checkState("DelayedLinear", "past", past, [this.maxDelay, ...x.sizes]);
    return composed(DelayedLinear.advance, this, x, past);
  }

  private static advance(layer: DelayedLinear, x: Tensor, past: Tensor): [z: Tensor, state: DelayedLinearState] {
    if (layer.training) layer.clampDelays();
    const seen = concat([past, x.unsqueeze(0)]);
    return [newest(layer, seen, kernelOf(layer, layer.training)), { past: seen.slice(0, 1).clone() }];
  }

  /**
   * The state before the first step, zeros, for x of the shape of one step, [B, …, in].
   *
   * @throws RangeError unless the sizes are positive integers, the last one inFeatures.
   */
  initialState(shape: Shape): DelayedLinearState {
    const sizes = checkShape("DelayedLinear", shape);
    this.checkFeatures([1, ...sizes]);
    return { past: zeros([this.maxDelay, ...sizes]) };
  }

  /** @internal */
  stage(input: Tensor): Stage | null {
    if (this.forward !== FORWARD) return null;
    this.checkFeatures([1, ...input.sizes]);
    return new DelayedLinearStage(this, input);
  }

  private checkFeatures(shape: Shape): void {
    const { inFeatures } = this;
    if (shape.length > 1 && shape[shape.length - 1] === inFeatures) return;
    throw wrongValue("DelayedLinear", `x [T, B, …, ${inFeatures}]`, formatShape(shape));
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(DelayedLinear);

/** The kernels of all synapses, [out, in, D + 1], the longest delay first. */
function kernelOf(layer: DelayedLinear, training: boolean): Tensor {
  const { maxDelay, delay, sigma } = layer;
  const taps = arange(maxDelay, -1, -1);
  const w = weightOf(layer).unsqueeze(-1);
  const d = delay.unsqueeze(-1);
  if (!training) return taps.eq(d.detach().clamp(0, maxDelay).round()).mul(w);
  const width = numberOf("DelayedLinear", "sigma", sigma.item(), SIGMA);
  const bump = taps
    .sub(d)
    .mul(1 / width)
    .square()
    .mul(-0.5)
    .exp();
  return bump.mul(w.div(bump.sum({ axis: -1, keepdim: true }).add(EPS)));
}

/** z of the last of D + 1 steps, [D + 1, B, …, in] → [B, …, out]. */
function newest({ maxDelay, inFeatures, outFeatures, bias }: DelayedLinear, steps: Tensor, kernel: Tensor): Tensor {
  const rows = steps.reshape([maxDelay + 1, -1, inFeatures]).permute([1, 2, 0]);
  return conv1d(rows, kernel, bias).reshape([...steps.sizes.slice(1, -1), outFeatures]);
}

/** Keeps the kernels of evaluation as long as their parameters are not written. */
class DelayedLinearStage extends Stage {
  private readonly window: Window;
  private readonly watch: Watch;
  private readonly run: () => void;

  constructor(layer: DelayedLinear, input: Tensor) {
    const { outFeatures, inFeatures, maxDelay } = layer;
    const window = new Window(input, maxDelay);
    const kernel = own([outFeatures, inFeatures, maxDelay + 1]);
    const output = own([...input.sizes.slice(0, -1), outFeatures]);
    super(output, { state: [window.steps], memory: [kernel], kept: [keptOf(layer)] });
    const read = stateOf(layer).filter((t) => t !== layer.bias && t !== layer.sigma);
    this.watch = new Watch(read, () => void kernel.copyFrom(kernelOf(layer, false)));
    this.window = window;
    this.run = () => void output.copyFrom(newest(layer, window.steps, kernel));
  }

  step(): void {
    this.watch.refresh();
    this.window.shift();
    noGrad(this.run);
  }
}
