/** Losses of rates, counts and membranes over whole sequences [T, B, …] with one target a sample, [B]. */
import { FINITE, joined, NOT_NEGATIVE, numberOf, UNIT, wrongValue } from "../../engine/arguments.ts";
import { composedOp } from "../../engine/extend.ts";
import { add, crossEntropy, mean, mul, square, sub, type Targets, Tensor } from "../../engine/index.ts";
import { reduced } from "../../engine/protocol.ts";
import { sameShape } from "../../engine/shape.ts";
import type { CrossEntropySequenceOptions, SequenceLossOptions } from "./options.ts";
import { ENTROPY, lossOptions, prepared, SEQUENCE } from "./options.ts";
import { lengthsOf, maskSteps, maxSteps, meanOfMasked } from "./sequence.ts";
import {
  type ClassPopulationOptions,
  classCounts,
  labelsOf,
  ofRows,
  onOff,
  outputRows,
  stepsOfRows,
  weightsOf,
} from "./targets.ts";

export type { CrossEntropySequenceOptions, SequenceLossOptions } from "./options.ts";
export type { ClassPopulationOptions } from "./targets.ts";

/** Cross-entropy of rows. The reduction "mean" is mean(w·ce) over rows, not Σ w·ce / Σ w. */
function entropyOf(logits: Tensor, labels: Int32Array, { weight, labelSmoothing, reduction }: typeof ENTROPY): Tensor {
  const ofRows = weight !== null && reduction === "mean";
  const loss = crossEntropy(logits, labels, { weight, labelSmoothing, reduction: ofRows ? "none" : reduction });
  return ofRows ? mean(loss) : loss;
}

/** `crossEntropy` ignores rows with this index. */
const IGNORED = -100;

/** Cross-entropy of each step, averaged over the steps of each sample. */
function entropyOfSteps(x: Tensor, labels: Int32Array, lengths: Int32Array | null, options: typeof ENTROPY): Tensor {
  const { weight, labelSmoothing, reduction } = options;
  const T = x.sizes[0] as number;
  const rows = labels.length;
  const all = new Int32Array(T * rows);
  for (let t = 0; t < T; t++) all.set(labels, t * rows);
  if (lengths === null && weight === null && reduction === "mean") return crossEntropy(x, all, { labelSmoothing });
  const inner = lengths === null ? 1 : rows / lengths.length;
  for (let row = 0; row < rows && lengths !== null; row++) {
    for (let t = lengths[Math.floor(row / inner)] as number; t < T; t++) all[t * rows + row] = IGNORED;
  }
  const losses = crossEntropy(x, all, { weight, labelSmoothing, ignoreIndex: IGNORED, reduction: "none" });
  // Ignored rows have the loss 0.
  return reduced(meanOfMasked(losses, lengths), reduction);
}

/**
 * Cross-entropy in every step, averaged over time. Trains the right class to fire in each step and the others not to fire.
 *
 *   lossᵢ = 1/T·Σ_t w_y·CE(s[t]ᵢ, yᵢ)     CE: cross-entropy of softmax(s[t]) with the class y
 *
 * "mean" (the default) is mean(w·ce) over the samples, as in snnTorch; `crossEntropy` divides by Σ w instead.
 *
 * Shapes: spikes [T, B, K], or [T, B, …, K]; y: class indices of the samples, [B]; → [], or [B] for the reduction "none".
 *
 * @throws RangeError for spikes without these axes, a wrong number of class indices, weights or lengths, an index outside 0 … K − 1, an unknown
 *   reduction, or labelSmoothing outside [0, 1]; TypeError for y that is neither an array nor a tensor, or an unknown option.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { ceRateLoss, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[1, 0]], [[1, 0]]]); // [T, B, K]: class 0 fires in both steps
 * console.log(ceRateLoss(spikes, [0]).item().toFixed(4), ceRateLoss(spikes, [1]).item().toFixed(4)); // 0.3133 1.3133
 * ```
 */
export const ceRateLoss = composedOp(
  (spikes: Tensor, y: Targets, options: CrossEntropySequenceOptions = ENTROPY): Tensor => {
    const given = lossOptions("ceRateLoss", ENTROPY, options);
    const { labels, steps } = prepared("ceRateLoss", "spikes", spikes, y, given.lengths);
    return entropyOfSteps(spikes, labels, steps, given);
  },
);

const COUNTS: Required<CrossEntropySequenceOptions & ClassPopulationOptions> = joined(ENTROPY, {
  numClasses: null,
});

/**
 * Cross-entropy of the spike counts. Trains the right class to fire most.
 *
 *   lossᵢ = w_y·CE(Σ_t s[t]ᵢ, yᵢ)
 *
 * "mean" (the default) is mean(w·ce) over the samples, as in snnTorch. With `numClasses`, spikes are counted by population. Applied to membranes of
 * neurons that do not fire, this is the cross-entropy of the integrated membrane.
 *
 * Shapes: spikes [T, B, K], or [T, B, …, K]; y: class indices of the samples, [B]; → [], or [B] for the reduction "none".
 *
 * @throws RangeError as {@link ceRateLoss}, and unless numClasses divides K; TypeError for y that is neither an array nor a tensor, or an
 *   unknown option.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { ceCountLoss, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[1, 0]], [[1, 0]]]); // [T, B, K]: counts 2 and 0
 * console.log(ceCountLoss(spikes, [0]).item().toFixed(4), ceCountLoss(spikes, [1]).item().toFixed(4)); // 0.1269 2.1269
 * ```
 */
export const ceCountLoss = composedOp(
  (spikes: Tensor, y: Targets, options: CrossEntropySequenceOptions & ClassPopulationOptions = COUNTS): Tensor => {
    const where = "ceCountLoss";
    const given = lossOptions(where, COUNTS, options);
    const { classes, labels, steps } = prepared(where, "spikes", spikes, y, given.lengths, given.numClasses);
    return entropyOf(classCounts(spikes, steps, classes), labels, given);
  },
);

/**
 * Cross-entropy of the largest membrane over time. Trains the membrane of the right class to rise highest.
 *
 *   lossᵢ = w_y·CE(max_t v[t]ᵢ, yᵢ)
 *
 * The first of equal maxima gets the gradient. "mean" (the default) is mean(w·ce) over the samples, as in snnTorch.
 *
 * Shapes: membrane [T, B, K], or [T, B, …, K]; y: class indices of the samples, [B]; → [], or [B] for the reduction "none".
 *
 * @throws RangeError and TypeError as {@link ceRateLoss}.
 * @see Cramer et al. (2022), The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking Neural Networks, IEEE TNNLS 33(7).
 *
 * @example
 * ```ts
 * import { ceMaxMembraneLoss, tensor } from "jarvis-snn";
 *
 * const membrane = tensor([[[0.5, 0]], [[2, 0.25]], [[1, 0]]]); // [T, B, K]: maxima 2 and 0.25
 * console.log(ceMaxMembraneLoss(membrane, [0]).item().toFixed(4)); // 0.1602
 * ```
 */
export const ceMaxMembraneLoss = composedOp(
  (membrane: Tensor, y: Targets, options: CrossEntropySequenceOptions = ENTROPY): Tensor => {
    const given = lossOptions("ceMaxMembraneLoss", ENTROPY, options);
    const { labels, steps } = prepared("ceMaxMembraneLoss", "a membrane", membrane, y, given.lengths);
    return entropyOf(maxSteps(membrane, steps), labels, given);
  },
);

/** Options of {@link tetLoss}. */
export interface TetOptions extends CrossEntropySequenceOptions {
  /** λ in [0, 1], the share of the second term; default 0. Deng et al. use 0.05 and 0.001. */
  lambda?: number;
  /** φ, the value towards which the second term pulls all outputs; finite, default 1. Requires lambda > 0. */
  target?: number;
}

const TET = joined(ENTROPY, { lambda: 0, target: undefined as number | undefined }) satisfies Required<{
  [Name in keyof TetOptions]: unknown;
}>;

/**
 * Temporal efficient training: cross-entropy of the output in every step with the class, plus a term that keeps outputs near φ.
 *
 *   lossᵢ = 1/T·Σ_t [(1 − λ)·w_y·CE(o[t]ᵢ, yᵢ) + λ·mean_k (o[t]ᵢₖ − φ)²]
 *
 * o is the output of the last layer before it spikes, usually a current or a membrane. "mean" (the default) is the mean over the samples.
 *
 * Shapes: output [T, B, K], or [T, B, …, K]; y: class indices of the samples, [B]; → [], or [B] for the reduction "none".
 *
 * @throws RangeError as {@link ceRateLoss}, for lambda outside [0, 1], and for a target that is not finite or is given with lambda 0; TypeError for y
 *   that is neither an array nor a tensor, or an unknown option.
 * @see Deng et al. (2022), Temporal Efficient Training of Spiking Neural Network via Gradient Re-weighting, ICLR.
 *
 * @example
 * ```ts
 * import { tetLoss, tensor } from "jarvis-snn";
 *
 * const output = tensor([[[1, 0]], [[3, 0]]]); // [T, B, K]
 * console.log(tetLoss(output, [0]).item().toFixed(4)); // 0.1809
 * console.log(tetLoss(output, [0], { lambda: 0.05, target: 1 }).item().toFixed(4)); // 0.2469
 * ```
 */
export const tetLoss = composedOp((output: Tensor, y: Targets, options: TetOptions = {}): Tensor => {
  const given = lossOptions("tetLoss", TET, options);
  const { lambda, target = 1, lengths, reduction } = given;
  numberOf("tetLoss", "lambda", lambda, UNIT);
  numberOf("tetLoss", "target", target, FINITE);
  if (lambda === 0 && given.target !== undefined) throw wrongValue("tetLoss", "lambda above 0 beside target", lambda);
  const { labels, steps } = prepared("tetLoss", "an output", output, y, lengths);
  const entropy = entropyOfSteps(output, labels, steps, given);
  if (lambda === 0) return entropy;
  // Masks the padding, which may be NaN, before the square: the derivative of the square would be 0·NaN.
  const distances = mean(meanOfMasked(square(maskSteps(sub(output, target), steps)), steps), { axis: -1 });
  return add(mul(entropy, 1 - lambda), mul(reduced(distances, reduction), lambda));
});

/** Options of {@link mseCountLoss}. */
export interface MseCountOptions extends SequenceLossOptions, ClassPopulationOptions {
  /** Spikes per step that the right class should have, ≥ 0; default 1. */
  correctRate?: number;
  /** Spikes per step that the wrong classes should have, ≥ 0; default 0. */
  incorrectRate?: number;
}

const MSE_COUNT: Required<MseCountOptions> = joined(SEQUENCE, {
  numClasses: null,
  correctRate: 1,
  incorrectRate: 0,
});

/**
 * Squared distance of the spike counts from target counts:
 *
 *   lossᵢₖ = w_y·(Σ_t s[t]ᵢₖ − ⌊T·r⌋)² / T     r: `correctRate` for k = yᵢ, else `incorrectRate`
 *
 * "mean" (the default) is over samples and classes. With `numClasses` = C, each population of K/C neurons is counted as a whole, with the target
 * ⌊T·r·K/C⌋.
 *
 * Shapes: spikes [T, B, K], or [T, B, …, K]; y: class indices of the samples, [B]; → [], or [B, C] for the reduction "none".
 *
 * @throws RangeError as {@link ceCountLoss}, and for rates that are not finite and ≥ 0; TypeError for y that is neither an array nor a
 *   tensor, or an unknown option.
 * @see Shrestha and Orchard (2018), SLAYER: Spike Layer Error Reassignment in Time, NeurIPS.
 *
 * @example
 * ```ts
 * import { mseCountLoss, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[1, 0]], [[1, 0]]]); // [T, B, K]: counts 2 and 0
 * console.log(mseCountLoss(spikes, [0], { correctRate: 1, incorrectRate: 0 }).item()); // 0
 * console.log(mseCountLoss(spikes, [1], { correctRate: 1, incorrectRate: 0 }).item()); // 2
 * ```
 */
export const mseCountLoss = composedOp((spikes: Tensor, y: Targets, options: MseCountOptions = MSE_COUNT): Tensor => {
  const where = "mseCountLoss";
  const { weight, reduction, lengths, numClasses, correctRate, incorrectRate } = lossOptions(where, MSE_COUNT, options);
  numberOf(where, "correctRate", correctRate, NOT_NEGATIVE);
  numberOf(where, "incorrectRate", incorrectRate, NOT_NEGATIVE);
  const { T, rows, K, classes, labels, steps } = prepared(where, "spikes", spikes, y, lengths, numClasses);
  const weights = weightsOf(where, weight, labels, classes);
  const stepsAt = stepsOfRows(steps, T, rows);
  const countAt = (rate: number) => (row: number) => Math.trunc(stepsAt(row) * rate * (K / classes));
  const counts = classCounts(spikes, steps, classes);
  const target = onOff(labels, classes, counts.sizes, countAt(correctRate), countAt(incorrectRate));
  const distances = square(sub(counts, target));
  if (steps === null && weights === null) return mul(reduced(distances, reduction), 1 / T);
  const factors = Float32Array.from(labels, (_, row) => (weights?.[row] ?? 1) / stepsAt(row));
  return reduced(mul(distances, ofRows(factors, counts.sizes)), reduction);
});

/** Options of {@link mseMembraneLoss}. */
export interface MseMembraneOptions extends SequenceLossOptions {
  /** Target membrane of the right class; finite, default 1. */
  onTarget?: number;
  /** Target membrane of the wrong classes; finite, default 0. */
  offTarget?: number;
  /** Whether targets vary over time: class indices [T, B], or values [T, B, K]. Default false. */
  timeVarTargets?: boolean;
}

const MSE_MEMBRANE: Required<MseMembraneOptions> = joined(SEQUENCE, {
  onTarget: 1,
  offTarget: 0,
  timeVarTargets: false,
});

/**
 * Squared distance of the membrane from a target in every step, averaged over time:
 *
 *   lossᵢₖ = w_y·1/T·Σ_t (v[t]ᵢₖ − m)²     m: `onTarget` for k = yᵢ, else `offTarget`; or a value of y
 *
 * "mean" (the default) is over samples and classes.
 *
 * Shapes: membrane [T, B, K], or [T, B, …, K]; y: class indices [B], or a tensor of values [B, K]; with `timeVarTargets` [T, B] or
 * [T, B, K]; → [], or [B, K] for the reduction "none".
 *
 * @throws RangeError as {@link ceRateLoss}, for a weight together with target values, and for targets that are not finite; TypeError for y that is
 *   neither an array nor a tensor, or an unknown option.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { mseMembraneLoss, tensor } from "jarvis-snn";
 *
 * const membrane = tensor([[[1, 0]], [[1, 0.5]]]); // [T, B, K]
 * console.log(mseMembraneLoss(membrane, [0], { onTarget: 1, offTarget: 0 }).item()); // 0.0625
 * ```
 */
export const mseMembraneLoss = composedOp(
  (membrane: Tensor, y: Targets, options: MseMembraneOptions = MSE_MEMBRANE): Tensor => {
    const where = "mseMembraneLoss";
    const given = lossOptions(where, MSE_MEMBRANE, options);
    const { weight, reduction, lengths, onTarget, offTarget, timeVarTargets } = given;
    numberOf(where, "onTarget", onTarget, FINITE);
    numberOf(where, "offTarget", offTarget, FINITE);
    const { T, rows, K } = outputRows(where, "a membrane", membrane);
    const steps = lengthsOf(where, "a membrane", membrane, lengths);
    const shape = timeVarTargets ? membrane.sizes : membrane.sizes.slice(1);
    const areValues = y instanceof Tensor && sameShape(y.sizes, shape);
    if (areValues && weight !== null) throw wrongValue(where, "class indices beside a weight", "values");
    const labels = areValues ? null : labelsOf(where, y, K, timeVarTargets ? T * rows : rows);
    const target =
      labels === null
        ? (y as Tensor)
        : onOff(
            labels,
            K,
            shape,
            () => onTarget,
            () => offTarget,
          );
    const weights = labels === null ? null : weightsOf(where, weight, labels, K);
    let distances = square(maskSteps(sub(membrane, target), steps));
    if (weights !== null) distances = mul(distances, ofRows(weights, shape));
    return reduced(steps === null && reduction === "mean" ? distances : meanOfMasked(distances, steps), reduction);
  },
);
