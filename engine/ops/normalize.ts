/** Normalisation to mean 0 and variance 1, over a batch, a row or a group of channels. */
import { joined, NOT_NEGATIVE, numberOf, UNIT, withDefaults, wrongValue } from "../arguments.ts";
import { extra, heap, k } from "../backend.ts";
import { checkUnchanged } from "../backward.ts";
import { composedOp, liftedOp } from "../composed.ts";
import { apply, gradOf, isOutside, type Op, ready, SAVES, saveFor } from "../op.ts";
import { allocate, recycle } from "../scope.ts";
import { axisOf, formatShape, type Shape, sameShape, sizeOf, sizesOf } from "../shape.ts";
import { alive, checkOwn, type Tensor, touch } from "../tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { transpose } from "./layout.ts";
import { checkGroups, checkOptionalShape } from "./tensors.ts";
import { reshape } from "./view.ts";

/** Options of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Factors after the normalisation; default null: ones. */
  weight?: Tensor | null;
  /** Added last; default null: zeros. */
  bias?: Tensor | null;
  /** Added to the variance, ≥ 0; default 1e-5. */
  eps?: number;
}

/** Options of {@link groupNorm}. */
export interface GroupNormOptions extends LayerNormOptions {
  /** The axis of the channels: by default 1, but −3 where there are more than four axes, as time is in front then. */
  axis?: number | undefined;
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends GroupNormOptions {
  /** Means that are taken outside training and updated in it, [C]; default null: none. */
  runningMean?: Tensor | null;
  /** Variances that are taken outside training and updated in it, [C]; default null: none. */
  runningVar?: Tensor | null;
  /** Takes the statistics of the batch; default false. */
  training?: boolean;
  /** Share of the batch in the new running statistics, in [0, 1]; default 0.1. */
  momentum?: number;
}

/** Running statistics, [C] each. */
type Running = readonly [mean: Tensor, variance: Tensor];

/** x as [outer, groups, n], see kernels/normalize.ts. */
interface Layout {
  readonly outer: number;
  readonly groups: number;
  readonly n: number;
  /** Groups in a row that share a mean and a variance, over all of outer. */
  readonly perStat: number;
  /** Weight and bias have a value for each of `channels` groups in turn. */
  readonly channels: number;
}

/** Where the mean and the variance come from: x in training, else the running ones. */
interface Moments {
  readonly training: boolean;
  readonly running: Running | null;
  /** Share of the moments of x in the new running ones, and the factor that makes the variance of x unbiased. */
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
      const mean = saveFor(z, 8 * stats);
      const variance = mean + 4 * stats;
      extra().moments(mean, variance, x.ptr, outer, stats, n * perStat);
      if (running !== null) {
        mix(running[0], mean, a.momentum, 1);
        mix(running[1], variance, a.momentum, a.unbiased);
      }
    }
    const table = allocate(12 * groups);
    const mean = training ? z.saved : (running as Running)[0].ptr;
    const variance = training ? mean + 4 * stats : (running as Running)[1].ptr;
    const weight = w?.ptr ?? 0;
    extra().normConstants(table, mean, variance, weight, b?.ptr ?? 0, a.eps, groups, perStat, channels);
    extra().normalize(z.ptr, x.ptr, 0, table, outer, groups, n);
    recycle(table, 12 * groups);
  },
  /** dx = r·(w·dz − P / M − (x − mean)·r²·Q / M), r = 1 / √(variance + eps), P = Σ w·dz and Q = Σ w·dz·(x − mean) of M values */
  backward(z, x, w, b, a) {
    const { outer, groups, n, perStat, channels, training, running } = a;
    if (!training) for (const t of running as Running) checkUnchanged(z, t);
    const dw = w === null ? 0 : gradOf(w);
    const db = b === null ? 0 : gradOf(b);
    const dx = gradOf(x);
    const table = allocate(24 * groups);
    // Means, factors of x, offsets, factors of dz, and the two sums.
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
      // Constants have no part in the gradient.
      const share = training ? r / (outer * n * perStat) : 0;
      t.fill(-share * r * r * q, groups + first, groups + first + perStat);
      t.fill(-share * p, 2 * groups + first, 2 * groups + first + perStat);
    }
    if (dx !== 0) extra().normalize(dx, x.ptr, z.gradPtr, table, outer, groups, n);
    recycle(table, 24 * groups);
  },
};

/** running ← (1 − momentum)·running + momentum·factor·x. Not by `gradcheck`, which runs the same batch over and over. */
function mix(running: Tensor, x: number, momentum: number, factor: number): void {
  if (isOutside(running)) return;
  k.affine(running.ptr, running.ptr, running.size, 1 - momentum, 0);
  k.addScaled(running.ptr, x, running.size, momentum * factor);
  touch(running);
}

/** Of a normalisation that takes the moments of x, and keeps none. */
const OWN_MOMENTS: Moments = { training: true, running: null, momentum: 0, unbiased: 1 };

function normalize(x: Tensor, layout: Layout, options: Required<LayerNormOptions>, moments = OWN_MOMENTS): Tensor {
  const { weight, bias, eps } = options;
  return apply(normOp, { ...layout, ...moments, eps }, x, weight as Tensor, bias as Tensor);
}

const LAYER_NORM: Required<LayerNormOptions> = { weight: null, bias: null, eps: 1e-5 };
const GROUP_NORM: Required<GroupNormOptions> = /* @__PURE__ */ joined(LAYER_NORM, { axis: undefined });
const BATCH_NORM: Required<BatchNormOptions> = /* @__PURE__ */ joined(GROUP_NORM, {
  runningMean: null,
  runningVar: null,
  training: false,
  momentum: 0.1,
});

/** Throws unless weight and bias have the shape that they are needed in, and eps is not negative. */
function checkNorm(where: string, { weight, bias, eps }: Required<LayerNormOptions>, shape: Shape): void {
  numberOf(where, "eps", eps, NOT_NEGATIVE);
  checkOptionalShape(where, "weight", weight, shape);
  checkOptionalShape(where, "bias", bias, shape);
}

/** The axis of the channels, from the end: −1 is the last one. */
const channelAxis = (where: string, x: Tensor, axis = x.ndim > 4 ? -3 : 1): number =>
  axisOf(where, axis, x.ndim) - x.ndim;

/**
 * Batch normalisation: z = (x − mean) / √(variance + eps)·weight + bias for each channel, over all other axes; the shape
 * stays.
 *
 * In training, mean and (biased) variance are computed from x, and the running statistics, if given, become
 * (1 − momentum)·running + momentum·statistic, with the unbiased variance; elsewhere they are the running ones.
 * x: [N, C], [N, C, L], [N, C, H, W] as in PyTorch; of more than four axes the channels are the third from the end, time
 * being a part of the batch: [T, B, C, H, W]. For [T, B, C] and [T, B, C, L], say which `axis`: −1, −2.
 *
 * @throws RangeError if there is no axis of channels, sizes do not match, a channel has one value only in training, or an
 *   option is out of range.
 * @throws TypeError if running statistics are needed or given in part.
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

/** The axis counts from the end. */
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

/** Of single values: as rows, one for each channel, their runs are long. */
const batchNormOfRows = composedOp(
  (x: Tensor, options: Required<BatchNormOptions>, channels: number, moments: Moments): Tensor => {
    const rows = transpose(reshape(x, [1, x.size / channels, channels]));
    return reshape(transpose(batchNormOf(rows, options, -2, moments)), x.sizes);
  },
);

/**
 * Layer normalisation: z = (x − mean) / √(variance + eps)·weight + bias over the last axes together, whose shape
 * `normalizedShape` tells: x [..., normalizedShape] → [..., normalizedShape]; weight and bias have that shape too. The
 * variance is the biased one.
 *
 * @throws RangeError unless x ends with normalizedShape, of one axis or more, or if other sizes do not match or eps is
 *   negative.
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
 * Group normalisation: z = (x − mean) / √(variance + eps)·weight + bias, with the mean and the (biased) variance of each of
 * `numGroups` groups of channels in each sample; weight and bias: [C]. The shape stays.
 *
 * x: [N, C, …] as in PyTorch, but [T, B, C, H, W]: of more than four axes the channels are the third from the end. Others
 * say which `axis`.
 *
 * @throws RangeError if there is no axis of channels, unless numGroups is an integer that divides them, or if other sizes do
 *   not match or eps is negative.
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
