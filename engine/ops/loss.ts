/** Losses. Losses over class indices are fused ops; the others are composed of ops and as accurate as these. */
import {
  choiceOf,
  integersOf,
  joined,
  NUMBER,
  numberOf,
  type Range,
  UNIT,
  withDefaults,
  wrongValue,
} from "../arguments.ts";
import { integersAt, k } from "../core/backend.ts";
import { gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, SAVES, saveBlock } from "../core/op.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { composedOp } from "../core/tape.ts";
import { alive, Tensor } from "../core/tensor.ts";
import {
  broadcastShapes,
  checkOptional,
  checkOptionalShape,
  formatShape,
  type Shape,
  sameShape,
  targetsOf,
} from "../shape.ts";
import { add, mul, mulNumberOp, neg, sub } from "./arithmetic.ts";
import { eq } from "./compare.ts";
import { softplus } from "./formula.ts";
import { sum } from "./reduce.ts";
import { REDUCTIONS, type Reduction, reduced } from "./reduction.ts";
import { logSoftmax } from "./softmax.ts";
import { abs, clamp, exp, log, square } from "./unary.ts";

export type { Reduction } from "./reduction.ts";

/** Options of losses over elements. */
export interface LossOptions {
  /** "mean" (default) and "sum" return one number, []; "none" returns the loss of every element. */
  reduction?: Reduction;
}

/** Options of {@link nllLoss}. */
export interface NllLossOptions extends LossOptions {
  /** One weight per class, [K]; default null: all 1. */
  weight?: Tensor | null;
  /** Class index of rows to ignore; default −100. No effect if the targets are probabilities. */
  ignoreIndex?: number;
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllLossOptions {
  /** ε in [0, 1]: the target becomes (1 − ε)·target + ε/K. Default 0. */
  labelSmoothing?: number;
}

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1LossOptions extends LossOptions {
  /** Distance β ≥ 0 at which the square becomes the absolute value; default 1; 0 gives `l1Loss`. */
  beta?: number;
}

/** Options of {@link huberLoss}. */
export interface HuberLossOptions extends LossOptions {
  /** Distance δ > 0 at which the square becomes a straight line; default 1. */
  delta?: number;
}

/** Options of {@link bceWithLogits}. */
export interface BceOptions extends LossOptions {
  /** Factor of the loss of each element, broadcast; default null: 1. */
  weight?: Tensor | null;
  /**
   * Factor p of the positive part of the loss, broadcast: above 1 increases recall, below 1 precision. Default null: 1.
   */
  posWeight?: Tensor | null;
}

/** Options of {@link klDiv}. */
export interface KlDivOptions {
  /** Whether the target holds log-probabilities; default false. */
  logTarget?: boolean;
  /** "batchmean" divides the sum by the size of the first axis of the input, "mean" (default) by the number of elements. */
  reduction?: Reduction | "batchmean";
}

/** Options with their defaults and a checked reduction. */
function optionsOf<Options extends Required<LossOptions>>(where: string, defaults: Options, options: object): Options {
  const given = withDefaults(where, defaults, options);
  choiceOf(where, "the reduction", given.reduction, REDUCTIONS);
  return given;
}

/** input − target; one of them may be broadcast to the other. */
function difference(where: string, input: Tensor, target: Tensor): Tensor {
  alive(input, where);
  alive(target, where);
  const shape = broadcastShapes(where, input.sizes, target.sizes);
  if (!sameShape(shape, input.sizes) && !sameShape(shape, target.sizes)) {
    const got = `${formatShape(input.sizes)} and ${formatShape(target.sizes)}`;
    throw wrongValue(where, "one shape to broadcast to the other", `${got}; squeeze one of them?`);
  }
  return sub(input, target);
}

const LOSS: Required<LossOptions> = { reduction: "mean" };
const SMOOTH_L1: Required<SmoothL1LossOptions> = joined(LOSS, { beta: 1 });
const HUBER: Required<HuberLossOptions> = joined(LOSS, { delta: 1 });

/** Range of distances, which may be infinite. */
const AT_LEAST_0: Range = { expected: "≥ 0", fits: (x) => x >= 0 };
const ABOVE_0: Range = { expected: "positive", fits: (x) => x > 0 };

/** Smallest distance: the reciprocal of a smaller one is infinite in float32. */
const LEAST_BORDER = 2 ** -126;

/**
 * loss = (input − target)²
 *
 * Shapes: one of input and target broadcasts to the other; "mean" (the default) is over all elements.
 *
 * @throws RangeError for an unknown reduction or shapes that do not broadcast.
 *
 * @example
 * ```ts
 * import { mseLoss, tensor } from "jarvis-snn";
 *
 * console.log(mseLoss(tensor([1, 2]), tensor([1, 4])).item()); // 2
 * ```
 */
export const mseLoss = composedOp((input: Tensor, target: Tensor, options: LossOptions = LOSS): Tensor => {
  const { reduction } = optionsOf("mseLoss", LOSS, options);
  return reduced(square(difference("mseLoss", input, target)), reduction);
});

/**
 * loss = |input − target|, with gradient 0 where both are equal.
 *
 * Shapes: one of input and target broadcasts to the other; "mean" (the default) is over all elements.
 *
 * @throws RangeError for an unknown reduction or shapes that do not broadcast.
 *
 * @example
 * ```ts
 * import { l1Loss, tensor } from "jarvis-snn";
 *
 * console.log(l1Loss(tensor([1, 2]), tensor([1, 4]), { reduction: "sum" }).item()); // 2
 * ```
 */
export const l1Loss = composedOp((input: Tensor, target: Tensor, options: LossOptions = LOSS): Tensor => {
  const { reduction } = optionsOf("l1Loss", LOSS, options);
  return reduced(abs(difference("l1Loss", input, target)), reduction);
});

/**
 * Square of small differences, absolute value of large ones:
 *
 *   loss = d²/(2β) where d < β, else d − β/2     d = |input − target|
 *
 * Shapes: one of input and target broadcasts to the other; "mean" (the default) is over all elements.
 *
 * @throws RangeError for a negative beta, an unknown reduction or shapes that do not broadcast.
 * @see Girshick (2015), Fast R-CNN, ICCV.
 *
 * @example
 * ```ts
 * import { smoothL1Loss, tensor } from "jarvis-snn";
 *
 * console.log(smoothL1Loss(tensor([0.5, 3]), tensor([0, 0]), { reduction: "none" }).toArray()); // [ 0.125, 2.5 ]
 * ```
 */
export const smoothL1Loss = composedOp(
  (input: Tensor, target: Tensor, options: SmoothL1LossOptions = SMOOTH_L1): Tensor => {
    const { beta, reduction } = optionsOf("smoothL1Loss", SMOOTH_L1, options);
    numberOf("smoothL1Loss", "beta", beta, AT_LEAST_0);
    const d = difference("smoothL1Loss", input, target);
    return reduced(beta < LEAST_BORDER ? abs(d) : huber(d, beta, 1 / beta), reduction);
  },
);

/**
 * Square of small differences, a straight line for large ones:
 *
 *   loss = d²/2 where d < δ, else δ·(d − δ/2)     d = |input − target|
 *
 * Shapes: one of input and target broadcasts to the other; "mean" (the default) is over all elements.
 *
 * @throws RangeError unless delta is positive, for an unknown reduction, or for shapes that do not broadcast.
 * @see Huber (1964), Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35(1).
 *
 * @example
 * ```ts
 * import { huberLoss, tensor } from "jarvis-snn";
 *
 * const losses = huberLoss(tensor([0.5, 3]), tensor([0, 0]), { delta: 2, reduction: "none" });
 * console.log(losses.toArray()); // [ 0.125, 4 ]
 * ```
 */
export const huberLoss = composedOp((input: Tensor, target: Tensor, options: HuberLossOptions = HUBER): Tensor => {
  const { delta, reduction } = optionsOf("huberLoss", HUBER, options);
  numberOf("huberLoss", "delta", delta, ABOVE_0);
  return reduced(huber(difference("huberLoss", input, target), delta), reduction);
});

/**
 * Both branches in one formula: scale·m·(d − m/2), where m is d clamped to the border. A NaN in d gives a NaN gradient.
 */
function huber(d: Tensor, border: number, scale = 1): Tensor {
  const m = clamp(d, -border, border);
  return mul(mul(m, scale), sub(d, mul(m, 0.5)));
}

const BCE: Required<BceOptions> = { weight: null, posWeight: null, reduction: "mean" };

/**
 * Binary cross-entropy of σ(logits) with targets in [0, 1], without overflow for any logit:
 *
 *   loss = w·(p·t·log(1 + e⁻ˣ) + (1 − t)·log(1 + eˣ))     w: weight, p: posWeight
 *
 * Shapes: logits, target and weights are broadcast; "mean" (the default) divides by the number of elements, not by the sum of weights.
 *
 * @throws RangeError for an unknown reduction or shapes that do not broadcast.
 *
 * @example
 * ```ts
 * import { bceWithLogits, tensor } from "jarvis-snn";
 *
 * console.log(bceWithLogits(tensor([0, 20]), tensor([1, 1]), { reduction: "sum" }).item().toFixed(4)); // 0.6931
 * ```
 */
export const bceWithLogits = composedOp((logits: Tensor, target: Tensor, options: BceOptions = BCE): Tensor => {
  const where = "bceWithLogits";
  const { weight, posWeight, reduction } = optionsOf(where, BCE, options);
  alive(logits, where);
  alive(target, where);
  checkOptional(where, "weight", weight);
  checkOptional(where, "posWeight", posWeight);
  let { sizes: shape } = logits;
  for (const x of [target, weight, posWeight]) if (x !== null) shape = broadcastShapes(where, shape, x.sizes);
  const positive = mul(posWeight === null ? target : mul(target, posWeight), softplus(neg(logits)));
  const negative = mul(applyOp(mulNumberOp, { alpha: -1, beta: 1 }, target), softplus(logits));
  const loss = add(positive, negative);
  return reduced(weight === null ? loss : mul(loss, weight), reduction);
});

const KL_DIV: Required<KlDivOptions> = { logTarget: false, reduction: "mean" };

/**
 * Kullback-Leibler divergence of the target distribution from the distribution whose logarithms are the input:
 *
 *   loss = t·(log t − x), 0 where t = 0;     with logTarget: eᵗ·(t − x)
 *
 * Shapes: input and target are broadcast. As in PyTorch, "mean" (the default) is over all elements; "batchmean" gives
 * the divergence.
 *
 * @throws RangeError for an unknown reduction or shapes that do not broadcast.
 *
 * @example
 * ```ts
 * import { klDiv, tensor } from "jarvis-snn";
 *
 * const logarithms = tensor([[0.5, 0.5]]).log();
 * console.log(klDiv(logarithms, tensor([[1, 0]]), { reduction: "batchmean" }).item().toFixed(4)); // 0.6931
 * ```
 */
export const klDiv = composedOp((input: Tensor, target: Tensor, options: KlDivOptions = KL_DIV): Tensor => {
  const { logTarget, reduction } = withDefaults("klDiv", KL_DIV, options);
  choiceOf("klDiv", "the reduction", reduction, [...REDUCTIONS, "batchmean"]);
  alive(input, "klDiv");
  alive(target, "klDiv");
  broadcastShapes("klDiv", input.sizes, target.sizes);
  const probability = logTarget ? exp(target) : target;
  // Where t = 0, uses log 1 instead of log 0; the logarithm is multiplied by 0.
  const logarithm = logTarget ? target : log(add(target, eq(target, 0)));
  const loss = mul(probability, sub(logarithm, input));
  if (reduction !== "batchmean") return reduced(loss, reduction);
  return mul(sum(loss), 1 / (input.sizes[0] ?? 1));
});

/** Attributes of losses over class indices. */
interface ClassLoss {
  readonly shape: Shape;
  /** Class index of each row; −1 for ignored rows. */
  readonly labels: Int32Array;
  readonly classes: number;
  readonly smoothing: number;
  readonly reduction: Reduction;
}

/**
 * Makes an op of a loss over class indices. It saves the indices; for logits also the two parts of each row's log Σ
 * exp.
 */
const classOp = /* @__NO_SIDE_EFFECTS__ */ (name: string, saves: number, ofLogits: boolean): Op<ClassLoss> => ({
  name,
  saves,
  forward(z, x, weight, _w, { labels, classes, smoothing, reduction }) {
    const rows = labels.length;
    const indices = saveBlock(z, (ofLogits ? 12 : 4) * rows);
    integersAt(indices, rows).set(labels);
    const losses = reduction === "none" ? z.ptr : allocateInScope(4 * rows);
    const w = weight === null ? 0 : weight.ptr;
    k.crossEntropy(losses, ofLogits ? indices + 4 * rows : 0, x.ptr, indices, w, rows, classes, smoothing);
    if (reduction === "none") return;
    k.sumAxis(z.ptr, losses, 1, rows, 1);
    k.affine(z.ptr, z.ptr, 1, scaleOf(z, w, rows, reduction), 0);
    recycle(losses, 4 * rows);
  },
  backward(z, x, weight, _w, { labels, classes, smoothing, reduction }) {
    const dx = gradientAt(x);
    if (dx === 0) return;
    const rows = labels.length;
    const w = weight === null ? 0 : weight.ptr;
    const lse = ofLogits ? z.saved + 4 * rows : 0;
    const step = reduction === "none" ? 1 : 0;
    const scale = scaleOf(z, w, rows, reduction);
    k.crossEntropyGrad(dx, x.ptr, lse, z.saved, w, z.gradPtr, step, scale, rows, classes, smoothing);
  },
});

/** Factor that all rows share. */
const scaleOf = ({ saved }: Tensor, weight: number, rows: number, reduction: Reduction): number =>
  reduction === "mean" ? 1 / k.targetWeight(saved, weight, rows) : 1;

const crossEntropyOp = classOp("crossEntropy", SAVES.a | SAVES.b, true);
const nllLossOp = classOp("nllLoss", SAVES.b, false);

/** Defaults of both losses; `nllLoss` allows no smoothing. */
const CROSS_ENTROPY: Required<CrossEntropyOptions> = joined(LOSS, {
  weight: null,
  ignoreIndex: -100,
  labelSmoothing: 0,
});

/**
 * Cross-entropy of softmax(logits) with the target, over the last axis.
 *
 *   lossᵢ = −Σ_c a_c·log softmax(xᵢ)_c     a_c = w_c·((1 − ε)·t_c + ε/K)
 *
 * For class indices, t is one-hot. As in PyTorch, the weight of its class applies to the first term. "mean" divides by
 * the sum of the weights of targets that are not ignored (NaN if all are), or for probabilities by the number of rows.
 * `weight` gets a gradient only with probabilities.
 *
 * Shapes: logits [..., K]; target: indices of the other axes in row-major order, or probabilities [..., K]; → [], or [...]
 * for the reduction "none".
 *
 * @throws RangeError for logits without an axis, a wrong number of targets or weights, an index outside 0 … K − 1 that is
 *   not ignoreIndex, an unknown reduction, or labelSmoothing outside [0, 1]; TypeError for a target that is neither an array
 *   nor a tensor.
 * @see Smoothing: Szegedy et al. (2016), Rethinking the Inception Architecture for Computer Vision, CVPR.
 *
 * @example
 * ```ts
 * import { crossEntropy, tensor } from "jarvis-snn";
 *
 * const logits = tensor([[2, 0], [0, 0]]);
 * console.log(`${crossEntropy(logits, [0, 1], { reduction: "none" })}`); // Tensor([2], [0.12693, 0.69315])
 * console.log(crossEntropy(logits, tensor([[1, 0], [0.5, 0.5]])).item().toFixed(4)); // 0.4100
 * ```
 */
export const crossEntropy = composedOp(
  (logits: Tensor, target: ArrayLike<number> | Tensor, options: CrossEntropyOptions = CROSS_ENTROPY): Tensor => {
    const settings = optionsOf("crossEntropy", CROSS_ENTROPY, options);
    const { weight, labelSmoothing, reduction } = settings;
    numberOf("crossEntropy", "labelSmoothing", labelSmoothing, UNIT);
    const classes = classesOf("crossEntropy", logits, settings);
    if (!(target instanceof Tensor && sameShape(target.sizes, logits.sizes))) {
      return classLoss(crossEntropyOp, logits, target, settings, classes);
    }
    alive(target, "crossEntropy");
    let terms = target;
    if (labelSmoothing > 0) {
      terms = applyOp(mulNumberOp, { alpha: 1 - labelSmoothing, beta: labelSmoothing / classes }, terms);
    }
    if (weight !== null) terms = mul(terms, weight);
    return reduced(neg(sum(mul(terms, logSoftmax(logits)), { axis: -1 })), reduction);
  },
);

/**
 * Negative log-likelihood: lossᵢ = −w_y·xᵢ,y for the class y = targetᵢ, where x are log-probabilities. "mean" (the
 * default) divides by the sum of the weights of targets that are not ignored.
 *
 * Shapes: logProbabilities [..., K]; target: indices of the other axes in row-major order; → [], or [...] for the reduction
 * "none".
 *
 * @throws RangeError for an input without an axis, a wrong number of targets or weights, an index outside 0 … K − 1 that is not ignoreIndex, an
 *   unknown reduction, or a label smoothing; TypeError for a target that is neither an array nor a tensor.
 *
 * @example
 * ```ts
 * import { nllLoss, tensor } from "jarvis-snn";
 *
 * console.log(nllLoss(tensor([[-0.5, -1], [-2, -0.25]]), [0, 1]).item()); // 0.375
 * ```
 */
export const nllLoss = composedOp(
  (logProbabilities: Tensor, target: ArrayLike<number> | Tensor, options: NllLossOptions = CROSS_ENTROPY): Tensor => {
    const settings = optionsOf("nllLoss", CROSS_ENTROPY, options);
    const { labelSmoothing } = settings;
    if (labelSmoothing !== 0) throw new RangeError(`nllLoss: labelSmoothing must be 0, got ${labelSmoothing}`);
    const classes = classesOf("nllLoss", logProbabilities, settings);
    return classLoss(nllLossOp, logProbabilities, target, settings, classes);
  },
);

/** Number of classes; checks the input and the options. */
function classesOf(where: string, x: Tensor, { weight, ignoreIndex }: Required<CrossEntropyOptions>): number {
  numberOf(where, "ignoreIndex", ignoreIndex, NUMBER);
  alive(x, where);
  const classes = x.sizes[x.sizes.length - 1];
  if (classes === undefined) throw wrongValue(where, "an input [..., K]", "a scalar");
  checkOptionalShape(where, "weight", weight, [classes]);
  return classes;
}

function classLoss(
  op: Op<ClassLoss>,
  x: Tensor,
  target: ArrayLike<number> | Tensor,
  { weight, ignoreIndex, labelSmoothing: smoothing, reduction }: Required<CrossEntropyOptions>,
  classes: number,
): Tensor {
  const labels = integersOf(op.name, "class indices", targetsOf(op.name, x, target), classes, ignoreIndex);
  const shape = reduction === "none" ? x.sizes.slice(0, -1) : [];
  return applyOp(op, { shape, labels, classes, smoothing, reduction }, x, weight as Tensor);
}
