/** Readouts: [T, B, …] → [B, …]. */
import { COUNT, choiceOf, joined, numberOf, UNIT, withDefaults } from "../../engine/arguments.ts";
import { composed } from "../../engine/extend.ts";
import { amax, type Tensor } from "../../engine/index.ts";
import { integrate } from "../neurons/leaky-integrator.ts";
import type { LengthsOptions } from "./sequence.ts";
import {
  ALL_STEPS,
  firstSpikeTimes,
  lastSteps,
  lengthsOf,
  maskSteps,
  maxSteps,
  meanSteps,
  sumSteps,
} from "./sequence.ts";

export type { LengthsOptions } from "./sequence.ts";

/** Checks the lengths in the options against x. */
function given(where: string, what: string, x: Tensor, options: LengthsOptions): Int32Array | null {
  return lengthsOf(where, what, x, withDefaults(where, ALL_STEPS, options).lengths);
}

/**
 * The firing rate, spikes per step: Σ_t x[t] / T, [T, B, …] → [B, …]. ∂L/∂x[t] = ∂L/∂z / T. With `lengths`, sum and T
 * cover the steps of each sample.
 *
 * @throws RangeError for a missing time axis, or for lengths that are not one integer in [1, T] for each sample.
 *
 * @example
 * ```ts
 * import { meanOverTime, tensor } from "jarvis-snn";
 *
 * console.log(meanOverTime(tensor([[[1, 0]], [[1, 1]]])).toArray()); // [ [ 1, 0.5 ] ]
 * ```
 */
export function meanOverTime(x: Tensor, options: LengthsOptions = ALL_STEPS): Tensor {
  return composed(meanSteps, x, given("meanOverTime", "spikes", x, options));
}

/**
 * The number of spikes: Σ_t s[t], [T, B, …] → [B, …].  ∂L/∂s[t] = ∂L/∂z. With `lengths`, steps beyond the length of a sample add nothing.
 *
 * @throws RangeError for a missing time axis, or for lengths that are not one integer in [1, T] for each sample.
 *
 * @example
 * ```ts
 * import { spikeCount, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[1, 0]], [[1, 1]]]);
 * console.log(spikeCount(spikes).toArray(), spikeCount(spikes, { lengths: [1] }).toArray());
 * // [ [ 2, 1 ] ] [ [ 1, 0 ] ]
 * ```
 */
export function spikeCount(spikes: Tensor, options: LengthsOptions = ALL_STEPS): Tensor {
  return composed(sumSteps, spikes, given("spikeCount", "spikes", spikes, options));
}

/**
 * The membrane in the last step: v[T−1], [T, B, …] → [B, …]. Only this step gets a gradient. With `lengths`, the last step of sample b is lengths[b]
 * − 1.
 *
 * @throws RangeError for a missing time axis, or for lengths that are not one integer in [1, T] for each sample.
 *
 * @example
 * ```ts
 * import { lastMembrane, tensor } from "jarvis-snn";
 *
 * console.log(lastMembrane(tensor([[[0.5, 0]], [[0.25, 1]]])).toArray()); // [ [ 0.25, 1 ] ]
 * ```
 */
export function lastMembrane(membrane: Tensor, options: LengthsOptions = ALL_STEPS): Tensor {
  return composed(lastSteps, membrane, given("lastMembrane", "a membrane", membrane, options));
}

/** Options of {@link maxMembrane}. */
export interface MaxMembraneOptions extends LengthsOptions {
  /** Gradient of steps with the same largest value: all to the "first" (default), or "share" evenly. */
  ties?: "first" | "share";
}

const MAXIMUM: Required<MaxMembraneOptions> = /* @__PURE__ */ joined(
  ALL_STEPS as Required<LengthsOptions>,
  {
    ties: "first",
  } as const,
);

/**
 * The largest membrane over time: max_t v[t], [T, B, …] → [B, …].
 *
 *   ∂L/∂v[t] = ∂L/∂z at the first t with v[t] = z, else 0
 *
 * This is the gradient of PyTorch's `max(0).values`. Ties are common: a readout is 0 until it gets its first spike. With `ties: "share"`, steps that
 * tie share the gradient evenly, as in {@link amax}. With `lengths`, steps beyond the length of a sample add nothing.
 *
 * @throws RangeError for a missing time axis, other `ties`, or lengths that are not one integer in [1, T] for each sample.
 *
 * @example
 * ```ts
 * import { maxMembrane, tensor } from "jarvis-snn";
 *
 * console.log(maxMembrane(tensor([[[0.5, 0]], [[0.25, 1]]])).toArray()); // [ [ 0.5, 1 ] ]
 * ```
 */
export function maxMembrane(membrane: Tensor, options: MaxMembraneOptions = MAXIMUM): Tensor {
  const { ties, lengths } = withDefaults("maxMembrane", MAXIMUM, options);
  choiceOf("maxMembrane", "ties", ties, ["first", "share"]);
  const steps = lengthsOf("maxMembrane", "a membrane", membrane, lengths);
  return composed(ties === "first" ? maxSteps : sharedMaximum, membrane, steps);
}

const sharedMaximum = (membrane: Tensor, lengths: Int32Array | null): Tensor =>
  amax(maskSteps(membrane, lengths, -Infinity), { axis: 0 });

/** Options of {@link filteredTrace}. */
export interface TraceOptions extends LengthsOptions {
  /** The decay per step, in [0, 1]; default 0.95. */
  beta?: number;
}

const TRACE = joined(ALL_STEPS, { beta: 0.95 });

/**
 * Spikes filtered by an exponential: r[t] = β·r[t−1] + s[t], from r = 0. Shapes: [T, B, …] → [T, B, …]. β is the decay per
 * step, 0.95 by default. With `lengths`, r is 0 after the steps of each sample.
 *
 * @throws RangeError for a beta outside [0, 1], a missing time axis, or lengths that are not one integer in [1, T] for each sample.
 *
 * @example
 * ```ts
 * import { filteredTrace, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([1, 0, 1, 0], { shape: [4, 1, 1] });
 * console.log(filteredTrace(spikes, { beta: 0.5 }).flatten().toArray()); // [ 1, 0.5, 1.25, 0.625 ]
 * ```
 */
export function filteredTrace(spikes: Tensor, options: TraceOptions = TRACE): Tensor {
  const { beta, lengths } = withDefaults("filteredTrace", TRACE, options);
  numberOf("filteredTrace", "beta", beta, UNIT);
  return composed(traceOf, spikes, beta, lengthsOf("filteredTrace", "spikes", spikes, lengths));
}

const traceOf = (spikes: Tensor, beta: number, lengths: Int32Array | null): Tensor =>
  maskSteps(integrate(spikes, beta), lengths);

/** Options of {@link spikeTimes}. */
export interface SpikeTimesOptions extends LengthsOptions {
  /** F, the number of spikes to find for each neuron, an integer ≥ 1; default 1. */
  count?: number;
}

const TIMES = joined(ALL_STEPS, { count: 1 });

/**
 * The steps of the first F spikes of each neuron: z[f] = the step of spike f, or T − 1 if there are fewer.
 *
 *   ∂L/∂s[t] = −Σ_f ∂L/∂z[f] over the f with z[f] = t
 *
 * An earlier spike makes the time smaller, so −1 replaces the derivative, which does not exist. A neuron with fewer spikes gets the gradient at T −
 * 1, as in snnTorch. F is `count`, by default 1.
 *
 * Shapes: spikes [T, B, …] → [F, B, …]. Every value except 0 is a spike. With `lengths`, T is the number of steps of each sample.
 *
 * @throws RangeError for a count that is not a positive integer, a missing time axis, or lengths that are not one integer in [1, T] for
 *   each sample.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { spikeTimes, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[0, 0], [1, 0], [1, 0]]); // [T, N]: the second neuron is silent
 * console.log(spikeTimes(spikes, { count: 2 }).toArray()); // [ [ 1, 2 ], [ 2, 2 ] ]
 * ```
 */
export function spikeTimes(spikes: Tensor, options: SpikeTimesOptions = TIMES): Tensor {
  const { count, lengths } = withDefaults("spikeTimes", TIMES, options);
  numberOf("spikeTimes", "count", count, COUNT);
  return composed(firstSpikeTimes, spikes, count, lengthsOf("spikeTimes", "spikes", spikes, lengths));
}
