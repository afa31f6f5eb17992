/** Normalisations as modules: weight, bias and running statistics around the ops of ops/normalize.ts. */
import { INTEGER, NOT_NEGATIVE, numberOf, UNIT, withDefaults, wrongValue } from "../arguments.ts";
import { isOutside } from "../core/gradient.ts";
import { noGrad } from "../core/tape.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { ones, zeros } from "../create.ts";
import { batchNorm, groupNorm, layerNorm } from "../ops/normalize.ts";
import { buffer, parameter } from "../outside/persist.ts";
import { axisOf, checkGroups, checkShape, formatShape, type Shape } from "../shape.ts";
import { Module, type Traits, traitsOf } from "./module.ts";

/** Options of {@link LayerNorm}. */
export interface NormLayerOptions {
  /** Added to the variance, ≥ 0; default 1e-5. */
  eps?: number;
  /** Whether to learn a weight, from ones, and a bias, from zeros; default true. */
  affine?: boolean;
}

/** Options of {@link GroupNorm}. */
export interface GroupNormLayerOptions extends NormLayerOptions {
  /** Axis of the channels; default as in `groupNorm`. */
  axis?: number;
}

/** Options of {@link BatchNorm2d}. */
export interface BatchNormLayerOptions extends NormLayerOptions {
  /** Weight of a batch in the running statistics, in [0, 1]; default 0.1. null: means over all batches so far. */
  momentum?: number | null;
  /**
   * Whether to keep running statistics for evaluation; default true. If false, evaluation uses the statistics of its
   * batch.
   */
  trackRunningStats?: boolean;
}

/** Options of {@link BatchNorm1d}. */
export interface BatchNorm1dOptions extends BatchNormLayerOptions {
  /** Axis of the channels; default: the second of [N, C], otherwise the last but one. Use −1 for [T, B, C]. */
  axis?: number;
}

const DEFAULTS: Required<NormLayerOptions> = { eps: 1e-5, affine: true };

/** Options of two types, whose defaults `withDefaults` cannot check. */
interface Open {
  axis?: number | undefined;
  momentum?: number | null | undefined;
}
const NO_AXIS: Pick<Required<Open>, "axis"> = { axis: undefined };

/** Options with their defaults, checked. */
export function normalizationOptions<Options extends { eps: number } & Open>(
  where: string,
  defaults: Options,
  options: object,
): Options {
  const given = withDefaults(where, defaults, options);
  const { eps, axis, momentum = null } = given;
  numberOf(where, "eps", eps, NOT_NEGATIVE);
  if (axis !== undefined) numberOf(where, "axis", axis, INTEGER);
  if (momentum !== null) numberOf(where, "momentum", momentum, UNIT);
  return given;
}

type Affine = [weight: Tensor | null, bias: Tensor | null];

/**
 * Learned factors, initially ones, and a learned bias, initially zeros. Without `affine` both are null; without
 * `hasBias` the bias is null.
 */
const learned = (shape: Shape, affine: boolean, hasBias = true): Affine =>
  noGrad(() => [affine ? parameter(ones(shape)) : null, affine && hasBias ? parameter(zeros(shape)) : null]);

/** A layer with optional weight and bias. */
export abstract class Normalization extends Module {
  /** Added to the variance. */
  readonly eps: number;
  /** Factors after the normalisation, [C] or normalizedShape; null without `affine`. */
  readonly weight: Tensor | null;
  /** Bias after the factors, in the shape of the weight; null without `affine`. */
  readonly bias: Tensor | null;

  constructor(traits: Traits | undefined, eps: number, [weight, bias]: Affine) {
    super(traits);
    this.eps = eps;
    this.weight = weight;
    this.bias = bias;
  }
}

/** Momentum is missing, since null is a valid value; the constructor adds its default. */
export const BATCH_DEFAULTS = {
  ...DEFAULTS,
  momentum: undefined as number | null | undefined,
  trackRunningStats: true,
};

/** Names of the running statistics in a state dict, as in PyTorch. */
const STATISTICS: Record<string, string> = {
  runningMean: "running_mean",
  runningVar: "running_var",
  numBatchesTracked: "num_batches_tracked",
};

/** Tensors with one value per channel. */
type OfChannels = Pick<BatchNorm, "weight" | "bias" | "runningMean" | "runningVar">;

/** Fields of a layer with running statistics. */
export interface Statistics extends OfChannels {
  /** Added to the variance. */
  readonly eps: number;
  /** Weight of a batch in the running statistics; null: means over all batches so far. */
  readonly momentum: number | null;
  /** Number of batches in the running statistics, a tensor of one element; null without running statistics. */
  readonly numBatchesTracked: Tensor | null;
}

/** Makes statistics of this shape, [C] or [..., C], from checked options. */
export function statisticsOf(
  where: string,
  sizes: Shape,
  options: typeof BATCH_DEFAULTS,
  hasBias: boolean,
): Statistics {
  const { eps, affine, momentum = 0.1, trackRunningStats } = options;
  const shape = checkShape(where, sizes);
  const [[weight, bias], statistics] = noGrad((): [Affine, Tensor[]] => [
    learned(shape, affine, hasBias),
    trackRunningStats ? [buffer(zeros(shape)), buffer(ones(shape)), buffer(zeros([]))] : [],
  ]);
  const [runningMean = null, runningVar = null, numBatchesTracked = null] = statistics;
  return { eps, weight, bias, momentum, runningMean, runningVar, numBatchesTracked };
}

/** Fields of a layer with statistics, by their names in a state dict. */
export const namedStatistics = (layer: object): [string, unknown][] =>
  Object.entries(layer).map(([name, value]) => [STATISTICS[name] ?? name, value]);

/** Normalises x with these parameters and statistics; in training as the first or a later part of a batch. */
export function normalized(
  layer: Statistics & Pick<Module, "training">,
  x: Tensor,
  axis: number,
  of: OfChannels,
  isFirst: boolean,
): Tensor {
  const { weight, bias, runningMean, runningVar } = of;
  const { eps, training, momentum, numBatchesTracked: tracked } = layer;
  const counts = training && tracked !== null && !isOutside(tracked);
  const batches = counts ? tracked.item() + (isFirst ? 1 : 0) : 1;
  const share = momentum ?? 1 / batches;
  const options = { weight, bias, eps, axis, runningMean, runningVar, momentum: share };
  const z = batchNorm(x, { ...options, training: training || tracked === null });
  if (counts && isFirst) tracked.copyFrom([batches]);
  return z;
}

/** Base class of {@link BatchNorm1d} and {@link BatchNorm2d}: a layer with running statistics. */
export abstract class BatchNorm extends Normalization {
  /** C, the number of channels. */
  readonly channels: number;
  /** Weight of a batch in the running statistics; null: means over all batches so far. */
  readonly momentum: number | null;
  /** Running means, [C]; null without running statistics. */
  readonly runningMean: Tensor | null = null;
  /** Running variances, [C]; null without running statistics. */
  readonly runningVar: Tensor | null = null;
  /** Number of batches in the running statistics, a tensor of one element; null without them. */
  readonly numBatchesTracked: Tensor | null = null;

  /** The options must be checked. */
  constructor(where: string, traits: Traits, channels: number, options: typeof BATCH_DEFAULTS) {
    const { eps, weight, bias, ...statistics } = statisticsOf(where, [channels], options, true);
    super(traits, eps, [weight, bias]);
    this.channels = channels;
    this.momentum = statistics.momentum;
    this.runningMean = statistics.runningMean;
    this.runningVar = statistics.runningVar;
    this.numBatchesTracked = statistics.numBatchesTracked;
  }

  /**
   * True without running statistics: the layer then uses the statistics of x, over all time steps.
   *
   * @internal
   */
  override mixesSteps(): boolean {
    return this.numBatchesTracked === null;
  }

  protected override fields(): Iterable<[string, unknown]> {
    return namedStatistics(this);
  }

  /** Normalises a live tensor x. */
  protected over(where: string, x: Tensor, axis: number): Tensor {
    if (x.sizes[axisOf(where, axis, x.ndim)] !== this.channels) {
      throw wrongValue(where, `${this.channels} channels on axis ${axis}`, formatShape(x.sizes));
    }
    return normalized(this, x, axis, this, true);
  }
}

/**
 * Batch normalisation of vectors [N, C] or signals [N, C, L], see {@link batchNorm}; [T, B, C, L] treats time as part of the batch. Spikes [T, B, C]
 * require the option `axis: -1`, since three axes mean a signal.
 *
 * Weight, bias, running statistics, momentum and the names in a state dict are PyTorch's: `weight`, `bias`, `running_mean`, `running_var`,
 * `num_batches_tracked`.
 *
 * @throws RangeError unless the number of channels is a positive integer and the options are in range.
 * @see Ioffe, Szegedy (2015), Batch Normalization, ICML.
 *
 * @example
 * ```ts
 * import { BatchNorm1d, tensor } from "jarvis-snn";
 *
 * const norm = new BatchNorm1d(2);
 * console.log(`${norm.forward(tensor([[1, 10], [3, 30]]))}`); // Tensor([2, 2], [-0.99999, -1, 0.99999, 1])
 * console.log(`${norm.runningMean}`); // Tensor([2], [0.2, 2])
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  /** Axis of the channels, if given. */
  readonly axis: number | undefined;

  constructor(channels: number, options: BatchNorm1dOptions = {}) {
    const given = normalizationOptions("BatchNorm1d", { ...BATCH_DEFAULTS, ...NO_AXIS }, options);
    super("BatchNorm1d", OF_BATCH_NORM1D, channels, given);
    this.axis = given.axis;
  }

  /**
   * Normalises x and returns it in the same shape; training updates the running statistics.
   *
   * @throws RangeError unless x has these channels on this axis, and in training more than one value per channel.
   */
  forward(x: Tensor): Tensor {
    alive(x, "BatchNorm1d");
    return this.over("BatchNorm1d", x, this.axis ?? (x.ndim === 2 ? -1 : -2));
  }
}

const OF_BATCH_NORM1D = traitsOf(BatchNorm1d, "pure");

/**
 * Batch normalisation of images [N, C, H, W], see {@link batchNorm}; [T, B, C, H, W] treats time as part of the batch. Parameters and names are those
 * of {@link BatchNorm1d}.
 *
 * @throws RangeError unless the number of channels is a positive integer and the options are in range.
 * @see Ioffe, Szegedy (2015), Batch Normalization, ICML.
 *
 * @example
 * ```ts
 * import { BatchNorm2d, Conv2d, LIF, rand, Sequential } from "jarvis-snn";
 *
 * const block = new Sequential(new Conv2d(1, 8, 3), new BatchNorm2d(8), new LIF());
 * console.log(block.forward(rand([10, 4, 1, 28, 28])).shape); // [ 10, 4, 8, 26, 26 ]
 * ```
 */
export class BatchNorm2d extends BatchNorm {
  constructor(channels: number, options: BatchNormLayerOptions = {}) {
    super("BatchNorm2d", OF_BATCH_NORM2D, channels, normalizationOptions("BatchNorm2d", BATCH_DEFAULTS, options));
  }

  /**
   * Normalises x and returns it in the same shape; training updates the running statistics.
   *
   * @throws RangeError unless x [..., N, C, H, W] has these channels, and in training more than one value per channel.
   */
  forward(x: Tensor): Tensor {
    alive(x, "BatchNorm2d");
    if (x.ndim < 4) throw wrongValue("BatchNorm2d", "x [..., N, C, H, W]", formatShape(x.sizes));
    return this.over("BatchNorm2d", x, -3);
  }
}

const OF_BATCH_NORM2D = traitsOf(BatchNorm2d, "pure");

/**
 * Layer normalisation over the last axes together, whose shape is `normalizedShape`, see {@link layerNorm}: x [..., normalizedShape] →
 * [..., normalizedShape].
 *
 * @throws RangeError unless the shape has one or more positive integers, and eps is not negative.
 * @see Ba, Kiros, Hinton (2016), Layer Normalization, arXiv:1607.06450.
 *
 * @example
 * ```ts
 * import { LayerNorm, tensor } from "jarvis-snn";
 *
 * console.log(`${new LayerNorm(3).forward(tensor([[1, 2, 3]]))}`); // Tensor([1, 3], [-1.2247, 0, 1.2247])
 * ```
 */
export class LayerNorm extends Normalization {
  /** Shape of the axes that are normalised together. */
  readonly normalizedShape: Shape;

  constructor(normalizedShape: number | Shape, options: NormLayerOptions = {}) {
    const shape = checkShape("LayerNorm", typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape);
    if (shape.length === 0) throw wrongValue("LayerNorm", "one axis or more", "[]");
    const { eps, affine } = normalizationOptions("LayerNorm", DEFAULTS, options);
    super(OF_LAYER_NORM, eps, learned(shape, affine));
    this.normalizedShape = shape;
  }

  /**
   * Normalises x and returns it in the same shape.
   *
   * @throws RangeError unless x ends with normalizedShape.
   */
  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return layerNorm(x, this.normalizedShape, { weight, bias, eps });
  }
}

const OF_LAYER_NORM = traitsOf(LayerNorm, "pure");

/**
 * Group normalisation of C = numChannels channels in numGroups groups, see {@link groupNorm}: x [N, C, …] or [T, B, C, H, W] → z in the same shape.
 *
 * @throws RangeError unless both are positive integers, numGroups divides numChannels and eps is not negative.
 * @see Wu, He (2018), Group Normalization, ECCV.
 *
 * @example
 * ```ts
 * import { GroupNorm, tensor } from "jarvis-snn";
 *
 * const norm = new GroupNorm(2, 4); // channels 0 and 1, and channels 2 and 3
 * console.log(`${norm.forward(tensor([[1, 3, 10, 30]]))}`); // Tensor([1, 4], [-0.99999, 0.99999, -1, 1])
 * ```
 */
export class GroupNorm extends Normalization {
  /** Number of groups of channels. */
  readonly numGroups: number;
  /** Axis of the channels, if given. */
  readonly axis: number | undefined;

  constructor(numGroups: number, numChannels: number, options: GroupNormLayerOptions = {}) {
    const shape = checkShape("GroupNorm", [numChannels]);
    checkGroups("GroupNorm", numGroups, numChannels);
    const { eps, affine, axis } = normalizationOptions("GroupNorm", { ...DEFAULTS, ...NO_AXIS }, options);
    super(OF_GROUP_NORM, eps, learned(shape, affine));
    this.numGroups = numGroups;
    this.axis = axis;
  }

  /**
   * Normalises x and returns it in the same shape.
   *
   * @throws RangeError unless x has these channels on this axis.
   */
  forward(x: Tensor): Tensor {
    const { weight, bias, eps, axis } = this;
    return groupNorm(x, this.numGroups, { weight, bias, eps, axis });
  }
}

const OF_GROUP_NORM = traitsOf(GroupNorm, "pure");
