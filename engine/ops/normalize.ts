/** Normalisation to mean 0 and variance 1, over a batch, a row or a group of channels. */
import { joined, NOT_NEGATIVE, numberOf, UNIT, withDefaults, wrongValue } from "../arguments.ts";
import { extra, heap, k } from "../core/backend.ts";
import { checkUnchanged } from "../core/backward.ts";
import { gradientAt, isOutside } from "../core/gradient.ts";
import { applyOp, type Op, ready, SAVES, saveBlock } from "../core/op.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { composedOp } from "../core/tape.ts";
import { alive, checkOwn, type Tensor, touch } from "../core/tensor.ts";
import { liftedOp } from "../forms/values.ts";
import {
  axisOf,
  checkGroups,
  checkOptionalShape,
  formatShape,
  type Shape,
  sameShape,
  sizeOf,
  sizesOf,
} from "../shape.ts";
import { add, mul } from "./arithmetic.ts";
import { transpose } from "./layout.ts";
import { reshape } from "./view.ts";

/** Options of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Factors after the normalisation; default null: ones. */
  weight?: Tensor | null;
  /** Bias after the factors; default null: zeros. */
  bias?: Tensor | null;
  /** Added to the variance, ≥ 0; default 1e-5. */
  eps?: number;
}

/** Options of {@link groupNorm}. */
export interface GroupNormOptions extends LayerNormOptions {
  /** Axis of the channels; default 1, or −3 for more than four axes, where the first is time. */
  axis?: number | undefined;
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends GroupNormOptions {
  /** Running means, [C]: updated in training, used otherwise; default null: none. */
  runningMean?: Tensor | null;
  /** Running variances, [C]: updated in training, used otherwise; default null: none. */
  runningVar?: Tensor | null;
  /** Whether to use the statistics of the batch; default false. */
  training?: boolean;
  /** Weight of the batch's statistics in an update of the running ones, in [0, 1]; default 0.1. */
  momentum?: number;
}

/** Running statistics, [C] each. */
type Running = readonly [mean: Tensor, variance: Tensor];

/** x as [outer, groups, n]; see kernels/normalize.ts. */
interface Layout {
  readonly outer: number;
  readonly groups: number;
  readonly n: number;
  /** Number of consecutive groups, over all of outer, that share a mean and a variance. */
  readonly perStat: number;
  /** Number of values in weight and bias. They repeat over the groups. */
  readonly channels: number;
}

/** Source of mean and variance: x in training, otherwise the running statistics. */
interface Moments {
  readonly training: boolean;
  readonly running: Running | null;
  /** Weight of the moments of x in an update of the running ones; factor that makes the variance of x unbiased. */
  readonly momentum: number;
  readonly unbiased: number;
}

interface Normalization extends Layout, Moments {
  readonly eps: number;
}

const normOp: Op<Normalization> = {
  name: "normalization",
  saves: SAVES.a | SAVES.b,
  forward(z, x, w, b, a) {
    const { outer, groups, n, perStat, channels, training, running } = a;
    const stats = groups / perStat;
    if (training) {
      const mean = saveBlock(z, 8 * stats);
      const variance = mean + 4 * stats;
      extra().moments(mean, variance, x.ptr, outer, stats, n * perStat);
      if (running !== null) {
        mix(running[0], mean, a.momentum, 1);
        mix(running[1], variance, a.momentum, a.unbiased);
      }
    }
    const table = allocateInScope(12 * groups);
    const mean = training ? z.saved : (running as Running)[0].ptr;
    const variance = training ? mean + 4 * stats : (running as Running)[1].ptr;
    const weight = w?.ptr ?? 0;
    extra().normConstants(table, mean, variance, weight, b?.ptr ?? 0, a.eps, groups, perStat, channels);
    extra().normalize(z.ptr, x.ptr, 0, table, outer, groups, n);
    recycle(table, 12 * groups);
  },
  /**
   * dx = r·(w·dz − P / M − (x − mean)·r²·Q / M), with r = 1 / √(variance + eps), P = Σ w·dz and Q = Σ w·dz·(x − mean).
   * Both sums are over the M values that share a mean.
   */
  backward(z, x, w, b, a) {
    const { outer, groups, n, perStat, channels, training, running } = a;
    if (!training) for (const t of running as Running) checkUnchanged(z, t);
    const dw = w === null ? 0 : gradientAt(w);
    const db = b === null ? 0 : gradientAt(b);
    const dx = gradientAt(x);
    const table = allocateInScope(24 * groups);
    // Means, factors of x, offsets, factors of dz, P and Q.
    const t = heap.view(table, 6 * groups);
    const stats = groups / perStat;
    const [mean, variance] = training
      ? [heap.view(z.saved, stats), heap.view(z.saved + 4 * stats, stats)]
      : (running as Running).map((t) => t.data);
    for (let g = 0; g < groups; g++) t[g] = mean[Math.floor(g / perStat)] as number;
    extra().momentSums(table + 16 * groups, table + 20 * groups, z.gradPtr, x.ptr, table, outer, groups, n);
    const weight = w?.data;
    const weightGradient = heap.view(dw, dw === 0 ? 0 : channels);
    const biasGradient = heap.view(db, db === 0 ? 0 : channels);
    for (let first = 0; first < groups; first += perStat) {
      const r = 1 / Math.sqrt((variance[first / perStat] as number) + a.eps);
      let p = 0;
      let q = 0;
      for (let g = first; g < first + perStat; g++) {
        const c = g % channels;
        const factor = weight?.[c] ?? 1;
        const [sum, product] = [t[4 * groups + g] as number, t[5 * groups + g] as number];
        p += factor * sum;
        q += factor * product;
        t[3 * groups + g] = factor * r;
        if (db !== 0) biasGradient[c] = (biasGradient[c] as number) + sum;
        if (dw !== 0) weightGradient[c] = (weightGradient[c] as number) + r * product;
      }
      // Running moments are constants, so P and Q do not contribute.
      const share = training ? r / (outer * n * perStat) : 0;
      t.fill(-share * r * r * q, groups + first, groups + first + perStat);
      t.fill(-share * p, 2 * groups + first, 2 * groups + first + perStat);
    }
    if (dx !== 0) extra().normalize(dx, x.ptr, z.gradPtr, table, outer, groups, n);
    recycle(table, 24 * groups);
  },
};

/** running ← (1 − momentum)·running + momentum·factor·x. Skipped in `gradcheck`, which runs the same batch repeatedly. */
function mix(running: Tensor, x: number, momentum: number, factor: number): void {
  if (isOutside(running)) return;
  k.affine(running.ptr, running.ptr, running.size, 1 - momentum, 0);
  k.addScaled(running.ptr, x, running.size, momentum * factor);
  touch(running);
}

/** Moments of x only; there are no running statistics. */
const OWN_MOMENTS: Moments = { training: true, running: null, momentum: 0, unbiased: 1 };

function normalize(x: Tensor, layout: Layout, options: Required<LayerNormOptions>, moments = OWN_MOMENTS): Tensor {
  const { weight, bias, eps } = options;
  return applyOp(normOp, { ...layout, ...moments, eps }, x, weight as Tensor, bias as Tensor);
}

const LAYER_NORM: Required<LayerNormOptions> = { weight: null, bias: null, eps: 1e-5 };
const GROUP_NORM: Required<GroupNormOptions> = joined(LAYER_NORM, { axis: undefined });
const BATCH_NORM: Required<BatchNormOptions> = joined(GROUP_NORM, {
  runningMean: null,
  runningVar: null,
  training: false,
  momentum: 0.1,
});

/** Throws unless weight and bias have the required shape, and eps is not negative. */
function checkNorm(where: string, { weight, bias, eps }: Required<LayerNormOptions>, shape: Shape): void {
  numberOf(where, "eps", eps, NOT_NEGATIVE);
  checkOptionalShape(where, "weight", weight, shape);
  checkOptionalShape(where, "bias", bias, shape);
}

/** Axis of the channels, counted from the end: −1 is the last axis. */
const channelAxis = (where: string, x: Tensor, axis = x.ndim > 4 ? -3 : 1): number =>
  axisOf(where, axis, x.ndim) - x.ndim;

/**
 * Batch normalisation: z = (x − mean) / √(variance + eps)·weight + bias for each channel, over all other axes; z has the shape of x.
 *
 * In training, mean and (biased) variance are those of x. If running statistics are given, running ← (1 −
 * momentum)·running + momentum·statistic, with the unbiased variance. Outside of training, mean and variance are the
 * running ones. x: [N, C], [N, C, L], [N, C, H, W] as in PyTorch. With more than four axes, channels are the third axis
 * from the end, and time is part of the batch: [T, B, C, H, W]. For [T, B, C] and [T, B, C, L], set `axis` to −1 or −2.
 *
 * @throws RangeError without an axis of channels, if sizes do not match, a channel has only one value in training, or an option is out of range.
 * @throws TypeError if running statistics are missing or incomplete.
 * @see Ioffe, Szegedy (2015), Batch Normalization, ICML.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = BATCH_NORM): Tensor {
  alive(x, "batchNorm");
  const settings = withDefaults("batchNorm", BATCH_NORM, options);
  const where = "batchNorm";
  const axis = channelAxis(where, x, settings.axis);
  const { runningMean, runningVar, training, momentum } = settings;
  const channels = x.sizes[x.ndim + axis] as number;
  const count = x.size / channels;
  checkNorm(where, settings, [channels]);
  checkOptionalShape(where, "runningMean", runningMean, [channels]);
  checkOptionalShape(where, "runningVar", runningVar, [channels]);
  numberOf(where, "momentum", momentum, UNIT);
  if (training && count === 1) {
    throw wrongValue(where, "more than one value per channel in training", formatShape(x.sizes));
  }
  const running: Running | null = runningMean && runningVar && [runningMean, runningVar];
  if (running === null && !(training && runningMean === runningVar)) {
    throw new TypeError(
      `${where}: expected runningMean and runningVar${training ? ", or neither" : " outside training"}`,
    );
  }
  for (const t of running ?? []) {
    ready(where, t);
    if (training) checkOwn(where, t);
  }
  return batchNormOf(x, settings, axis, { training, running, momentum, unbiased: count / (count - 1) });
}

/** `batchNorm` for an axis that counts from the end. */
const batchNormOf = liftedOp(
  (x: Tensor, options: Required<BatchNormOptions>, axis: number, moments: Moments): Tensor => {
    const channels = x.sizes[x.ndim + axis] as number;
    const count = x.size / channels;
    const n = sizeOf(x.sizes.slice(x.ndim + axis + 1));
    if (n === 1 && count > 1) return batchNormOfRows(x, options, channels, moments);
    return normalize(x, { outer: count / n, groups: channels, n, perStat: 1, channels }, options, moments);
  },
  (_options: unknown, axis: number) => -axis,
);

/** Batch normalisation of [N, C], transposed to one row per channel, so that each channel is one long run. */
const batchNormOfRows = composedOp(
  (x: Tensor, options: Required<BatchNormOptions>, channels: number, moments: Moments): Tensor => {
    const rows = transpose(reshape(x, [1, x.size / channels, channels]));
    return reshape(transpose(batchNormOf(rows, options, -2, moments)), x.sizes);
  },
);

/**
 * Layer normalisation: z = (x − mean) / √(variance + eps)·weight + bias. Mean and (biased) variance are over the last
 * axes together, whose shape is `normalizedShape`: x [..., normalizedShape] → the same shape. weight and bias have the
 * shape `normalizedShape`.
 *
 * @throws RangeError unless x ends with normalizedShape, which has one axis or more; if other sizes do not match; or if
 *   eps is negative.
 * @see Ba, Kiros, Hinton (2016), Layer Normalization, arXiv:1607.06450.
 */
export function layerNorm(x: Tensor, normalizedShape: number | Shape, options: LayerNormOptions = LAYER_NORM): Tensor {
  alive(x, "layerNorm");
  const settings = withDefaults("layerNorm", LAYER_NORM, options);
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : sizesOf("layerNorm", normalizedShape);
  if (shape.length === 0 || !sameShape(x.sizes.slice(-shape.length), shape)) {
    throw wrongValue("layerNorm", `the last axes of x to be ${formatShape(shape)}`, formatShape(x.sizes));
  }
  checkNorm("layerNorm", settings, shape);
  return layerNormOf(x, shape, settings);
}

const layerNormOf = liftedOp(
  composedOp((x: Tensor, shape: Shape, { eps, weight, bias }: Required<LayerNormOptions>): Tensor => {
    const n = sizeOf(shape);
    const layout = { outer: 1, groups: x.size / n, n, perStat: 1, channels: 1 };
    let z = normalize(x, layout, { eps, weight: null, bias: null });
    if (weight !== null) z = mul(z, weight);
    if (bias !== null) z = add(z, bias);
    return z;
  }),
  (shape: Shape) => shape.length,
);

/**
 * Group normalisation: z = (x − mean) / √(variance + eps)·weight + bias, with the mean and the (biased) variance of each of `numGroups` groups of
 * channels in each sample; weight and bias: [C]. z has the shape of x.
 *
 * x: [N, C, …] as in PyTorch. With more than four axes, channels are the third axis from the end: [T, B, C, H, W]. For
 * other layouts set `axis`.
 *
 * @throws RangeError without an axis of channels, unless numGroups is an integer that divides their number, or if other sizes do not match or eps is
 *   negative.
 * @see Wu, He (2018), Group Normalization, ECCV.
 */
export function groupNorm(x: Tensor, numGroups: number, options: GroupNormOptions = GROUP_NORM): Tensor {
  alive(x, "groupNorm");
  const settings = withDefaults("groupNorm", GROUP_NORM, options);
  return groupNormOf(x, numGroups, settings, channelAxis("groupNorm", x, settings.axis));
}

const groupNormOf = liftedOp(
  (x: Tensor, numGroups: number, options: Required<GroupNormOptions>, axis: number): Tensor => {
    const channels = x.sizes[x.ndim + axis] as number;
    checkGroups("groupNorm", numGroups, channels);
    checkNorm("groupNorm", options, [channels]);
    const n = sizeOf(x.sizes.slice(x.ndim + axis + 1));
    return normalize(x, { outer: 1, groups: x.size / n, n, perStat: channels / numGroups, channels }, options);
  },
  (_numGroups: unknown, _options: unknown, axis: number) => -axis,
);
