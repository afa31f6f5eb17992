/** Common options of losses over sequences, and checks of their arguments. */
import { joined, numberOf, UNIT, withDefaults } from "../../engine/arguments.ts";
import type { LossOptions, Targets, Tensor } from "../../engine/index.ts";
import { checkReduction } from "../../engine/protocol.ts";
import { type LengthsOptions, lengthsOf } from "./sequence.ts";
import { labelsOf, numberOfClasses, outputRows } from "./targets.ts";

/** Options of losses over sequences with class indices as targets. */
export interface SequenceLossOptions extends LossOptions, LengthsOptions {
  /** A weight for each class, [K], which multiplies the loss of each sample; default null: all 1. Weights get no gradient. */
  weight?: Tensor | null;
}

/** Options of cross-entropies over sequences. */
export interface CrossEntropySequenceOptions extends SequenceLossOptions {
  /** ε in [0, 1], as in `crossEntropy`: the target becomes (1 − ε)·target + ε/K. Default 0. */
  labelSmoothing?: number;
}

export const SEQUENCE: Required<SequenceLossOptions> = { weight: null, reduction: "mean", lengths: undefined };
export const ENTROPY: Required<CrossEntropySequenceOptions> = joined(SEQUENCE, { labelSmoothing: 0 });

/** Options over the defaults, with a checked reduction and smoothing. */
export function lossOptions<Options extends Required<SequenceLossOptions>>(
  where: string,
  defaults: Options,
  options: object,
): Options {
  const given = withDefaults(where, defaults, options);
  checkReduction(where, given.reduction);
  const { labelSmoothing } = given as Partial<typeof ENTROPY>;
  if (labelSmoothing !== undefined) numberOf(where, "labelSmoothing", labelSmoothing, UNIT);
  return given;
}

/** Number of classes, class indices and lengths of the samples. */
export function prepared(
  where: string,
  what: string,
  x: Tensor,
  y: Targets,
  lengths: LengthsOptions["lengths"],
  numClasses: number | null = null,
) {
  const sizes = outputRows(where, what, x);
  const classes = numberOfClasses(where, numClasses, sizes.K);
  const steps = lengthsOf(where, what, x, lengths);
  return { ...sizes, classes, labels: labelsOf(where, y, classes, sizes.rows), steps };
}
