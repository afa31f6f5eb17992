/** Losses of spike times: of first spikes, and of whole spike trains. */
import {
  choiceOf,
  FINITE,
  joined,
  listOf,
  NOT_NEGATIVE,
  numberOf,
  withDefaults,
  wrongValue,
} from "../../engine/arguments.ts";
import { alive, composedOp, peek } from "../../engine/extend.ts";
import type { Reduction, Targets, Tensor } from "../../engine/index.ts";
import { crossEntropy, mul, neg, reciprocal, reshape, square, sub, sum, tensor } from "../../engine/index.ts";
import { checkReduction, reduced } from "../../engine/protocol.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { betaOf } from "../neuron/decay.ts";
import { integrate } from "../neurons/leaky-integrator.ts";
import type { CrossEntropySequenceOptions, SequenceLossOptions } from "./options.ts";
import { ENTROPY, lossOptions, prepared, SEQUENCE } from "./options.ts";
import { firstSpikeTimes, type LengthsOptions, lengthsOf, maskSteps } from "./sequence.ts";
import { labelsOf, outputRows, stepsOfRows, timesGiven, weightsOf } from "./targets.ts";

/** Options of {@link ceTemporalLoss}. */
export interface CeTemporalOptions extends CrossEntropySequenceOptions {
  /** Logit of a spike at time t: "negate" (default), −t, or "reciprocal", 1/(t + 1). */
  inverse?: "negate" | "reciprocal";
}

const CE_TEMPORAL: Required<CeTemporalOptions> = joined(ENTROPY, { inverse: "negate" as const });

/**
 * Cross-entropy of the times of the first spikes. Trains the right class to fire first.
 *
 *   lossᵢ = w_y·CE(f(tᵢ), yᵢ)     tᵢₖ: step of the first spike, T − 1 without one;  f(t) = −t or 1/(t + 1)
 *
 * ∂t/∂s = −1 at that step only; see {@link spikeTimes}. "mean" (the default) divides by Σ w_y, as in snnTorch. Without
 * weights, Σ w_y is the number of samples.
 *
 * Shapes: spikes [T, B, K], or [T, B, …, K]; y: class indices of the samples, [B]; → [], or [B] for the reduction "none".
 *
 * @throws RangeError as {@link ceRateLoss}, and for an unknown inverse; TypeError for y that is neither an array nor a tensor, or an unknown option.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { ceTemporalLoss, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[0, 0]], [[1, 0]], [[0, 1]]]); // [T, B, K]: first spikes at steps 1 and 2
 * console.log(ceTemporalLoss(spikes, [0]).item().toFixed(4), ceTemporalLoss(spikes, [1]).item().toFixed(4));
 * // 0.3133 1.3133
 * ```
 */
export const ceTemporalLoss = composedOp(
  (spikes: Tensor, y: Targets, options: CeTemporalOptions = CE_TEMPORAL): Tensor => {
    const where = "ceTemporalLoss";
    const { inverse, weight, labelSmoothing, reduction, lengths } = lossOptions(where, CE_TEMPORAL, options);
    choiceOf(where, "inverse", inverse, ["negate", "reciprocal"]);
    const { labels, steps } = prepared(where, "spikes", spikes, y, lengths);
    const times = reshape(firstSpikeTimes(spikes, 1, steps), spikes.sizes.slice(1));
    const logits = inverse === "negate" ? neg(times) : reciprocal(times.add(1));
    return crossEntropy(logits, labels, { weight, labelSmoothing, reduction });
  },
);

/** Options of {@link mseTemporalLoss}. */
export interface MseTemporalOptions extends SequenceLossOptions {
  /** Whether the targets are times: [B, K], or [F, B, K] of the first F spikes. Default false: class indices. */
  targetIsTime?: boolean;
  /** Target time of the right class: a step, or F steps for its first F spikes. Negative ones count from T. Default 0. */
  onTarget?: number | readonly number[] | undefined;
  /** Target time of the wrong classes, in the same form; default −1, the last step, for each spike. */
  offTarget?: number | readonly number[] | undefined;
  /** Distance from the target below which a time counts as right; finite and ≥ 0, default 0. */
  tolerance?: number;
}

/** The casts name the types of targets, which the default undefined does not show. */
const MSE_TEMPORAL = joined(SEQUENCE, {
  targetIsTime: false,
  onTarget: undefined as MseTemporalOptions["onTarget"],
  offTarget: undefined as MseTemporalOptions["offTarget"],
  tolerance: 0,
});

/**
 * Squared distance of spike times from target times, in units of the whole sequence:
 *
 *   lossᵢₖ = w_y·((tᵢₖ − t*) / T)²     t* : `onTarget` for k = yᵢ, else `offTarget`; or a value of y
 *
 * tᵢₖ is the step of the first spike, T − 1 without one; ∂t/∂s = −1 at that step only; see {@link spikeTimes}. A list of F targets applies to the
 * first F spikes of each neuron; later spikes cost nothing. "mean" (the default) is over spikes, samples and classes.
 *
 * snnTorch (`multi_spike`) deletes, for all neurons and samples, each step with a first spike before it looks for second spikes; here each neuron has
 * its own second spike.
 *
 * Shapes: spikes [T, B, K], or [T, B, …, K]; y: class indices of the samples, [B], or times [B, K] or [F, B, K]; → [], or [B, K] for
 * the reduction "none", [F, B, K] for lists.
 *
 * @throws RangeError as {@link ceRateLoss}, for times that are not finite, lists of two lengths, a weight together with times, or a tolerance that is
 *   not finite and ≥ 0; TypeError for y that is neither an array nor a tensor, or an unknown option.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { mseTemporalLoss, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[0, 0]], [[1, 0]], [[0, 0]], [[0, 1]]]); // [T, B, K]: first spikes at steps 1 and 3
 * console.log(mseTemporalLoss(spikes, [0], { onTarget: 0, offTarget: 3 }).item()); // 0.03125
 * ```
 */
export const mseTemporalLoss = composedOp(
  (spikes: Tensor, y: Targets, options: MseTemporalOptions = MSE_TEMPORAL): Tensor => {
    const where = "mseTemporalLoss";
    const given = lossOptions(where, MSE_TEMPORAL, options);
    const { weight, reduction, lengths, targetIsTime, tolerance } = given;
    numberOf(where, "tolerance", tolerance, NOT_NEGATIVE);
    const { T, rows, K } = outputRows(where, "spikes", spikes);
    const neurons = spikes.sizes.slice(1);
    const steps = lengthsOf(where, "spikes", spikes, lengths);
    const stepsAt = stepsOfRows(steps, T, rows);
    if (targetIsTime && weight !== null) throw wrongValue(where, "class indices beside a weight", "times");
    const labels = targetIsTime ? null : labelsOf(where, y, K, rows);
    const { wanted, shape } =
      labels === null ? timesGiven(where, y, neurons) : timesOfClasses(where, labels, neurons, given);
    const weights = labels === null ? null : weightsOf(where, weight, labels, K);
    const times = firstSpikeTimes(spikes, wanted.length / (rows * K), steps);
    const found = peek(times);
    const factors = new Float32Array(wanted.length);
    for (let i = 0; i < wanted.length; i++) {
      const row = Math.floor(i / K) % rows;
      const T = stepsAt(row);
      if ((wanted[i] as number) < 0) wanted[i] = T + (wanted[i] as number);
      const isRight = Math.abs((found[i] as number) - (wanted[i] as number)) < tolerance;
      factors[i] = isRight ? 0 : (weights?.[row] ?? 1) / (T * T);
    }
    const distances = square(sub(reshape(times, shape), tensor(wanted, { shape })));
    return reduced(mul(distances, tensor(factors, { shape })), reduction);
  },
);

/** Target times of the first spikes by the class of each sample, [F, B, K], or [B, K] if they are not lists. */
function timesOfClasses(
  where: string,
  labels: Int32Array,
  neurons: Shape,
  { onTarget = 0, offTarget = -1 }: typeof MSE_TEMPORAL,
): { wanted: Float32Array; shape: Shape } {
  const isList = typeof onTarget !== "number" || typeof offTarget !== "number";
  const on = timesIn(where, "onTarget", onTarget);
  const off = timesIn(where, "offTarget", typeof offTarget === "number" ? on.map(() => offTarget) : offTarget);
  if (on.length !== off.length)
    throw wrongValue(where, "onTarget and offTarget of one length", `${on.length} and ${off.length}`);
  const size = sizeOf(neurons);
  const K = size / labels.length;
  const wanted = new Float32Array(on.length * size);
  on.forEach((time, f) => {
    wanted.fill(off[f] as number, f * size, (f + 1) * size);
    labels.forEach((label, row) => {
      wanted[f * size + row * K + label] = time;
    });
  });
  return { wanted, shape: isList ? [on.length, ...neurons] : neurons };
}

function timesIn(where: string, name: string, times: number | readonly number[]): readonly number[] {
  if (typeof times === "number") return [numberOf(where, name, times, FINITE)];
  const list = listOf(where, name, times, FINITE);
  if (list.length === 0) throw wrongValue(where, `at least one time as ${name}`, "none");
  return list;
}

/** Options of {@link vanRossumLoss}. */
export interface VanRossumOptions extends LengthsOptions {
  /** τ, the time constant of the filter, in the unit of dt; finite and > 0, default 10. */
  tau?: number;
  /** Δt, the time step in the unit of tau; finite and > 0, default 1. */
  dt?: number;
  /** "mean" (default) and "sum" give one number, "none" the distance of each pair of spike trains. */
  reduction?: Reduction;
}

const VAN_ROSSUM: Required<VanRossumOptions> = { tau: 10, dt: 1, reduction: "mean", lengths: undefined };

/**
 * The squared van Rossum distance, which compares spike trains after an exponential filter:
 *
 *   D² = Δt/τ·Σ_t (r[t] − r*[t])²     r[t] = e^(−Δt/τ)·r[t−1] + s[t], and r* of the target in the same way
 *
 * A missing spike costs 1/2 if τ ≫ Δt and the rest of the sequence is long against τ, since the sum stops at the end of
 * the sequence. A spike that is off by much less than τ costs little, so gradients show where to move it. "mean" (the
 * default) is over all spike trains.
 *
 * Shapes: spikes and target [T, B, …]; → [], or [B, …] for the reduction "none".
 *
 * @throws RangeError for a target of a different shape, tau or dt that are not finite and > 0, lengths that are not one integer in [1, T] for each
 *   sample, or an unknown reduction; TypeError for a target that is not a tensor, or an unknown option.
 * @see van Rossum (2001), A Novel Spike Distance, Neural Computation 13(4).
 *
 * @example
 * ```ts
 * import { tensor, vanRossumLoss } from "jarvis-snn";
 *
 * const train = (step: number) => tensor(Array.from({ length: 40 }, (_, t) => [[Number(t === step)]])); // [T, B, N]
 * const distances = [10, 11, 20].map((step) => vanRossumLoss(train(step), train(10), { tau: 5 }).item().toFixed(3));
 * console.log(distances.join(" ")); // 0.000 0.220 1.049
 * ```
 */
export const vanRossumLoss = composedOp(
  (spikes: Tensor, target: Tensor, options: VanRossumOptions = VAN_ROSSUM): Tensor => {
    const where = "vanRossumLoss";
    const { tau, dt, reduction, lengths } = withDefaults(where, VAN_ROSSUM, options);
    checkReduction(where, reduction);
    const beta = betaOf(where, { tau, dt }, {}) as number;
    const steps = lengthsOf(where, "spikes", spikes, lengths);
    alive(target, where);
    if (!sameShape(target.sizes, spikes.sizes)) {
      throw wrongValue(where, `a target ${formatShape(spikes.sizes)}`, formatShape(target.sizes));
    }
    const difference = integrate(sub(spikes, target), beta);
    return mul(reduced(sum(square(maskSteps(difference, steps)), { axis: 0 }), reduction), dt / tau);
  },
);
