/** Classification metrics: accuracies and the confusion matrix. */
import { ensure, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { accuracy, argmax, neg, noGrad, type Targets, type Tensor } from "../../engine/index.ts";
import { prepared } from "./options.ts";
import { ALL_STEPS, firstSpikeTimes, type LengthsOptions } from "./sequence.ts";
import { type ClassPopulationOptions, classCounts, labelsOf } from "./targets.ts";

/** Options of {@link accuracyRate}. */
export interface AccuracyRateOptions extends ClassPopulationOptions, LengthsOptions {}

const ACCURACY: Required<AccuracyRateOptions> = { numClasses: null, lengths: undefined };

/**
 * Share of samples whose right class has the most spikes; the first of equal counts wins. With `numClasses`, spikes are counted by population.
 *
 * Shapes: spikes [T, B, K], or [T, B, …, K]; y: class indices of the samples, [B].
 *
 * @throws RangeError for spikes without these axes, a wrong number of class indices or lengths, an index outside 0 … K − 1, or numClasses that does
 *   not divide K; TypeError for y that is neither an array nor a tensor, or an unknown option.
 *
 * @example
 * ```ts
 * import { accuracyRate, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[1, 0], [0, 0]], [[1, 1], [0, 1]]]); // [T, B, K]: counts [2, 1] and [0, 1]
 * console.log(accuracyRate(spikes, [0, 0])); // 0.5
 * ```
 */
export function accuracyRate(spikes: Tensor, y: Targets, options: AccuracyRateOptions = ACCURACY): number {
  const where = "accuracyRate";
  const { numClasses, lengths } = withDefaults(where, ACCURACY, options);
  const { classes, labels, steps } = prepared(where, "spikes", spikes, y, lengths, numClasses);
  return noGrad(() => accuracy(classCounts(spikes, steps, classes), labels));
}

/**
 * Share of samples whose right class fires first; the first of equal times wins. A neuron without a spike counts as firing at T − 1.
 *
 * Shapes: spikes [T, B, K], or [T, B, …, K]; y: class indices of the samples, [B].
 *
 * @throws RangeError for spikes without these axes, a wrong number of class indices or lengths, or an index outside 0 … K − 1; TypeError for y that
 *   is neither an array nor a tensor, or an unknown option.
 *
 * @example
 * ```ts
 * import { accuracyTemporal, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[1, 0], [0, 1]], [[0, 1], [1, 1]]]); // [T, B, K]: classes 0 and 1 fire first
 * console.log(accuracyTemporal(spikes, [0, 0])); // 0.5
 * ```
 */
export function accuracyTemporal(spikes: Tensor, y: Targets, options: LengthsOptions = ALL_STEPS): number {
  const where = "accuracyTemporal";
  const { lengths } = withDefaults(where, ALL_STEPS, options);
  const { labels, steps } = prepared(where, "spikes", spikes, y, lengths);
  return noGrad(() => accuracy(neg(firstSpikeTimes(spikes, 1, steps)), labels));
}

/** Options of {@link confusionMatrix}. */
export interface ConfusionOptions {
  /** Counts of earlier batches, [K][K], to which the new ones are added; default null: zeros. */
  into?: number[][] | null;
}

const CONFUSION: Required<ConfusionOptions> = { into: null };

/**
 * Counts samples by true and predicted class: rows are the classes of y, columns the predicted classes. The class with the
 * largest output is predicted, the first one if several are equal. Correct predictions are on the diagonal.
 *
 * Shapes: output [B, K], or [..., K], such as `spikeCount(spikes)`; y: class indices of the other axes; → K lists of K counts. With `into`, the
 * counts are added to these lists, which are also returned; this sums all batches of a loader.
 *
 * @throws RangeError for an output without these axes, a wrong number of class indices, an index outside 0 … K − 1, or an `into` of the wrong sizes;
 *   TypeError for y that is neither an array nor a tensor, an `into` that is not a list of lists, or an unknown option.
 *
 * @example
 * ```ts
 * import { confusionMatrix, tensor } from "jarvis-snn";
 *
 * const output = tensor([[3, 1], [0, 2], [2, 1]]); // [B, K], such as spike counts
 * console.log(confusionMatrix(output, [0, 1, 1])); // [ [ 1, 0 ], [ 1, 1 ] ]
 * ```
 */
export function confusionMatrix(output: Tensor, y: Targets, options: ConfusionOptions = CONFUSION): number[][] {
  const where = "confusionMatrix";
  const { into } = withDefaults(where, CONFUSION, options);
  alive(output, where);
  if (output.ndim === 0) throw wrongValue(where, "an output [..., K]", "[]");
  const K = output.sizes[output.ndim - 1] as number;
  const labels = labelsOf(where, y, K, output.size / K);
  const counts = into ?? Array.from({ length: K }, () => new Array<number>(K).fill(0));
  // `every` skips the holes of a list.
  if (!Array.isArray(counts) || !Array.from(counts).every(Array.isArray)) {
    throw wrongType(where, "into as lists of counts", into);
  }
  ensure(
    counts.length === K && counts.every((row) => row.length === K),
    where,
    `into must have ${K} lists of ${K} counts`,
    into,
  );
  const found = noGrad(() => argmax(output, { axis: -1 }).toFloat32Array());
  labels.forEach((label, row) => {
    const counted = counts[label] as number[];
    const place = found[row] as number;
    counted[place] = (counted[place] as number) + 1;
  });
  return counts;
}
