/** Batch normalisation of currents [T, B, C], [T, B, C, L] and [T, B, C, H, W] over time. */
import { COUNT, numberOf, POSITIVE, wrongValue } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { type BatchNormLayerOptions, full, noGrad, stack, type Tensor, zeros } from "../../engine/index.ts";
import type { Statistics, Traits } from "../../engine/protocol.ts";
import {
  BATCH_DEFAULTS,
  BatchNorm,
  namedStatistics,
  normalizationOptions,
  normalized,
  statisticsOf,
  traitsOf,
} from "../../engine/protocol.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { checkState } from "../layer/checks.ts";
import { type Run, Temporal, type UnrollResult, type Wanted } from "../layer/temporal.ts";

/** Options of {@link ThresholdDependentBatchNorm1d} and {@link ThresholdDependentBatchNorm2d}. */
export interface ThresholdDependentBatchNormOptions extends Omit<BatchNormLayerOptions, "affine"> {
  /** α, > 0; default 1. Zheng et al. use 1/√2 where the two branches of a residual block meet. */
  alpha?: number;
  /** θ, the threshold of the neurons that read the layer, > 0; default 1. */
  threshold?: number;
}

// A call marked pure, so that bundlers remove it if unused; they keep a destructuring pattern.
const TDBN = /* @__PURE__ */ (({ eps, momentum, trackRunningStats }: typeof BATCH_DEFAULTS) => ({
  ...{ eps, momentum, trackRunningStats },
  alpha: 1,
  threshold: 1,
}))(BATCH_DEFAULTS);

/** Finds the axis of the channels from the rank: [T, B, C], [T, B, C, L] or [T, B, C, H, W]. */
function channelAxis(where: string, shape: Shape, axes: 1 | 2): number {
  const { length } = shape;
  if (axes === 2 && length === 5) return -3;
  if (axes === 1 && (length === 3 || length === 4)) return 2 - length;
  throw wrongValue(where, axes === 1 ? "x [T, B, C] or [T, B, C, L]" : "x [T, B, C, H, W]", formatShape(shape));
}

abstract class ThresholdDependentBatchNorm extends BatchNorm {
  constructor(where: string, traits: Traits, channels: number, options: object) {
    const { alpha, threshold, ...given } = { ...TDBN, ...normalizationOptions(where, TDBN, options) };
    numberOf(where, "alpha", alpha, POSITIVE);
    numberOf(where, "threshold", threshold, POSITIVE);
    const scale = numberOf(where, "alpha·threshold in float32", Math.fround(alpha * threshold), POSITIVE);
    super(where, traits, channels, { ...given, affine: true });
    noGrad(() => this.weight?.copyFrom(full([channels], scale)));
  }
}

/**
 * Threshold-dependent batch normalisation (tdBN): mean and variance of a channel are over all steps and samples, and the normalised current has the
 * standard deviation α·θ, with θ the threshold of the neurons that follow.
 *
 *   z = γ·(x − mean) / √(variance + eps) + β     γ starts at α·θ, β at 0
 *
 * Shapes: x [T, B, C] or [T, B, C, L] → z in the same shape; `weight` γ and `bias` β [C]. In evaluation mode mean and variance are the running ones.
 * Zheng et al. write γ·α·θ with γ = 1 at the start; here, as in SpikingJelly, the product is stored. Names in a state dict are those of PyTorch's
 * `BatchNorm1d`. Defaults: alpha 1, threshold 1, eps 1e-5, momentum 0.1.
 *
 * @throws RangeError unless the number of channels is a positive integer, alpha and threshold are > 0 and the other options in range; TypeError for
 *   an unknown option or a value of the wrong type.
 * @see Zheng et al. (2021), Going Deeper With Directly-Trained Larger Spiking Neural Networks, AAAI 35(12).
 *
 * @example
 * ```ts
 * import { tensor, ThresholdDependentBatchNorm1d } from "jarvis-snn";
 *
 * const norm = new ThresholdDependentBatchNorm1d(1, { threshold: 0.5 }); // θ of the neurons that get the current
 * const current = tensor([1, 3, 1, 3], { shape: [4, 1, 1] });
 * console.log(`${norm.forward(current).flatten()}`); // Tensor([4], [-0.5, 0.5, -0.5, 0.5])
 * ```
 */
export class ThresholdDependentBatchNorm1d extends ThresholdDependentBatchNorm {
  constructor(channels: number, options: ThresholdDependentBatchNormOptions = {}) {
    super("ThresholdDependentBatchNorm1d", OF_TDBN1D, channels, options);
  }

  /**
   * Normalises x and returns it in the same shape; training updates the running statistics.
   *
   * @throws RangeError unless x is [T, B, C] or [T, B, C, L], and in training has more than one value a channel.
   */
  forward(x: Tensor): Tensor {
    const where = "ThresholdDependentBatchNorm1d";
    alive(x, where);
    return this.over(where, x, channelAxis(where, x.sizes, 1));
  }
}

const OF_TDBN1D = traitsOf(ThresholdDependentBatchNorm1d, "pure");

/**
 * {@link ThresholdDependentBatchNorm1d} for maps: x [T, B, C, H, W] → z in the same shape.
 *
 * @throws RangeError unless the number of channels is a positive integer, alpha and threshold are > 0 and the other options in range; TypeError for
 *   an unknown option or a value of the wrong type.
 * @see Zheng et al. (2021), Going Deeper With Directly-Trained Larger Spiking Neural Networks, AAAI 35(12).
 *
 * @example
 * ```ts
 * import { Conv2d, LIF, rand, Sequential, ThresholdDependentBatchNorm2d } from "jarvis-snn";
 *
 * const block = new Sequential(new Conv2d(2, 8, 3), new ThresholdDependentBatchNorm2d(8), new LIF());
 * console.log(block.forward(rand([10, 4, 2, 16, 16])).shape); // [ 10, 4, 8, 14, 14 ]
 * ```
 */
export class ThresholdDependentBatchNorm2d extends ThresholdDependentBatchNorm {
  constructor(channels: number, options: ThresholdDependentBatchNormOptions = {}) {
    super("ThresholdDependentBatchNorm2d", OF_TDBN2D, channels, options);
  }

  /**
   * Normalises x and returns it in the same shape; training updates the running statistics.
   *
   * @throws RangeError unless x is [T, B, C, H, W], and in training has more than one value a channel.
   */
  forward(x: Tensor): Tensor {
    const where = "ThresholdDependentBatchNorm2d";
    alive(x, where);
    return this.over(where, x, channelAxis(where, x.sizes, 2));
  }
}

const OF_TDBN2D = traitsOf(ThresholdDependentBatchNorm2d, "pure");

/** State of {@link BatchNormTT1d} and {@link BatchNormTT2d} between time steps. */
export interface BatchNormTTState {
  /** Index of the next step, []. */
  readonly t: Tensor;
}

/** A run; `next` is the index of the step after it. */
interface StepsRun extends Run {
  readonly next: number;
}

abstract class BatchNormTT
  extends Temporal<BatchNormTTState, UnrollResult<BatchNormTTState>, number, StepsRun>
  implements Statistics
{
  /** C, the number of channels. */
  readonly channels: number;
  /** T, the number of steps of a sequence. */
  readonly timesteps: number;
  /** Added to the variance. */
  readonly eps: number;
  /** γ, factors after the normalisation, [T, C]; null without `affine`. */
  readonly weight: Tensor | null;
  /** Always null: the layer has no bias. */
  readonly bias: null = null;
  /** Share of a batch in the running statistics; null for means over all batches. */
  readonly momentum: number | null;
  /** Running means, [T, C]; null without running statistics. */
  readonly runningMean: Tensor | null;
  /** Running variances, [T, C]; null without running statistics. */
  readonly runningVar: Tensor | null;
  /** Number of batches in the running statistics, a tensor of one element; null without them. */
  readonly numBatchesTracked: Tensor | null;

  constructor(where: string, channels: number, timesteps: number, options: BatchNormLayerOptions) {
    super();
    const given = normalizationOptions(where, BATCH_DEFAULTS, options);
    const steps = numberOf(where, "timesteps", timesteps, COUNT);
    const statistics = statisticsOf(where, [steps, channels], given, false);
    this.channels = channels;
    this.timesteps = steps;
    this.eps = statistics.eps;
    this.weight = statistics.weight;
    this.momentum = statistics.momentum;
    this.runningMean = statistics.runningMean;
    this.runningVar = statistics.runningVar;
    this.numBatchesTracked = statistics.numBatchesTracked;
  }

  /** Number of axes after the channels: 1 or 2. */
  protected abstract get axes(): 1 | 2;

  protected override get mainOutput(): string {
    return "z";
  }

  protected override fields(): Iterable<[string, unknown]> {
    return namedStatistics(this);
  }

  /**
   * Without running statistics, steps share the statistics of x.
   *
   * @internal
   */
  override mixesSteps(): boolean {
    return this.numBatchesTracked === null;
  }

  protected override checkInput(shape: Shape): void {
    const { where, channels, timesteps } = this;
    const axis = channelAxis(where, shape, this.axes);
    if ((shape[0] as number) <= timesteps && shape[shape.length + axis] === channels) return;
    throw this.wrongInput(shape);
  }

  private wrongInput(shape: Shape): RangeError {
    const { where, channels, timesteps } = this;
    return wrongValue(where, `x of ${timesteps} steps and ${channels} channels`, formatShape(shape));
  }

  protected override checkStep(step: Shape): void {
    const axis = channelAxis(this.where, [1, ...step], this.axes);
    if (step[step.length + axis] === this.channels) return;
    throw wrongValue(this.where, `${this.channels} channels`, formatShape(step));
  }

  protected override read(state: BatchNormTTState): number {
    const { where, timesteps } = this;
    const { t } = Object(state) as BatchNormTTState;
    checkState(where, "t", t, []);
    const now = t.item();
    if (Number.isInteger(now) && now >= 0 && now < timesteps) return now;
    throw wrongValue(where, `at most ${timesteps} steps`, `step ${now + 1}`);
  }

  protected override start(): BatchNormTTState {
    return { t: zeros([]) };
  }

  protected override advance(x: Tensor, T: number, step: Shape, from: number | null, wanted: Wanted): StepsRun {
    const { timesteps } = this;
    if (wanted === "main" && T !== timesteps) throw this.wrongInput(x.sizes);
    const first = from ?? 0;
    const next = first + T;
    if (next > timesteps) throw wrongValue(this.where, `at most ${timesteps} steps`, `step ${next}`);
    const z = x.ndim === step.length ? this.single(x, first) : T === timesteps ? this.whole(x) : this.piece(x, first);
    return { z, names: [], output: () => z, next };
  }

  /** Normalises some steps of a sequence; their rows of the running statistics are written one by one. */
  private piece(x: Tensor, first: number): Tensor {
    return stack(x.unbind(0).map((step, i) => this.single(step, first + i)));
  }

  /** Normalises all steps at once, as T·C channels of one batch normalisation. */
  private whole(x: Tensor): Tensor {
    const [T, B, C, ...inner] = x.sizes as [number, number, number, ...number[]];
    const all = (t: Tensor | null): Tensor | null => t?.reshape([T * C]) ?? null;
    const { weight, runningMean, runningVar } = this;
    const of = { weight: all(weight), bias: null, runningMean: all(runningMean), runningVar: all(runningVar) };
    if (inner.length === 0) {
      const z = normalized(this, x.transpose().reshape([1, T * C, B]), 1, of, true);
      return z.reshape([T, C, B]).transpose();
    }
    const order = [1, 0, 2, 3, 4].slice(0, x.ndim);
    const z = normalized(this, x.permute(order).reshape([B, T * C, ...inner]), 1, of, true);
    return z.reshape([B, T, C, ...inner]).permute(order);
  }

  private single(x: Tensor, now: number): Tensor {
    const row = (of: Tensor | null): Tensor | null => of?.select(0, now) ?? null;
    const { weight, runningMean, runningVar } = this;
    const of = { weight: row(weight), bias: null, runningMean: row(runningMean), runningVar: row(runningVar) };
    return normalized(this, x, channelAxis(this.where, [1, ...x.sizes], this.axes), of, now === 0);
  }

  protected override stateAfter({ next }: StepsRun): BatchNormTTState {
    return { t: full([], next) };
  }
}

/**
 * Batch normalisation through time (BNTT): every step t has its own statistics, running statistics and factors; there is no bias.
 *
 *   z[t] = γ[t]·(x[t] − mean[t]) / √(variance[t] + eps)     γ starts at 1
 *
 * Shapes: x [T, B, C] or [T, B, C, L] → z in the same shape; `weight` γ [T, C]. T, the number of steps, is fixed. In evaluation mode mean and
 * variance are the running ones. In a state dict the names are `weight`, `running_mean`, `running_var`, [T, C] each, and `num_batches_tracked`;
 * snnTorch calls row t `t.weight`, …, and SpikingJelly `bn_list.t.weight`, …. Options are those of `BatchNorm1d`; `affine: false` removes γ.
 *
 * @throws RangeError unless channels and timesteps are positive integers and the options in range; TypeError for an unknown option or a value of the
 *   wrong type.
 * @see Kim and Panda (2021), Revisiting Batch Normalization for Training Low-Latency Deep Spiking Neural Networks From Scratch,
 *   Frontiers in Neuroscience 15.
 *
 * @example
 * ```ts
 * import { BatchNormTT1d, rand } from "jarvis-snn";
 *
 * const norm = new BatchNormTT1d(32, 25); // channels, steps
 * console.log(norm.weight?.shape, norm.forward(rand([25, 4, 32])).shape); // [ 25, 32 ] [ 25, 4, 32 ]
 * ```
 */
export class BatchNormTT1d extends BatchNormTT {
  constructor(channels: number, timesteps: number, options: BatchNormLayerOptions = {}) {
    super("BatchNormTT1d", channels, timesteps, options);
  }

  protected override get where(): string {
    return "BatchNormTT1d";
  }

  protected override get axes(): 1 {
    return 1;
  }
}

/**
 * {@link BatchNormTT1d} for maps: x [T, B, C, H, W] → z in the same shape.
 *
 * @throws RangeError unless channels and timesteps are positive integers and the options in range; TypeError for an unknown option or a value of the
 *   wrong type.
 * @see Kim and Panda (2021), Revisiting Batch Normalization for Training Low-Latency Deep Spiking Neural Networks From Scratch,
 *   Frontiers in Neuroscience 15.
 *
 * @example
 * ```ts
 * import { BatchNormTT2d, rand } from "jarvis-snn";
 *
 * const norm = new BatchNormTT2d(8, 25); // channels, steps
 * console.log(norm.forward(rand([25, 4, 8, 6, 6])).shape); // [ 25, 4, 8, 6, 6 ]
 * ```
 */
export class BatchNormTT2d extends BatchNormTT {
  constructor(channels: number, timesteps: number, options: BatchNormLayerOptions = {}) {
    super("BatchNormTT2d", channels, timesteps, options);
  }

  protected override get where(): string {
    return "BatchNormTT2d";
  }

  protected override get axes(): 2 {
    return 2;
  }
}
