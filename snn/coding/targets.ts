/** Class indices → target spikes or membranes of output neurons. */
import type { Range } from "../../engine/arguments.ts";
import { COUNT, choiceOf, FLOAT, integersOf, joined, numberOf, UNIT, withDefaults } from "../../engine/arguments.ts";
import { generatorOf, peek } from "../../engine/extend.ts";
import { bernoulli, full, type Generator, noGrad, rand, type Tensor, tensor } from "../../engine/index.ts";
import { valuesIn } from "../../engine/protocol.ts";
import { checkSize } from "../../engine/shape.ts";
import { LATENCY, type LatencyOptions, latencyCode } from "./latency.ts";
import { STEP_COUNTS, stepAmong } from "./spikes.ts";

/** Timing of spikes of a rate: evenly spaced, at randomly drawn steps, or with a probability in each step. */
export type FiringPattern = "regular" | "uniform" | "poisson";

/** Options of {@link rateTargets}. */
export interface RateTargetOptions {
  /** K, the number of classes, a positive integer. */
  numClasses: number;
  /** T, the number of steps, an integer in [1, 2²⁴]. */
  timesteps: number;
  /** Spikes per step of the neuron of the class, in [0, 1]; default 1. */
  correctRate?: number;
  /** Spikes per step of the other neurons, in [0, correctRate]; default 0. */
  incorrectRate?: number;
  /** t₀, the first step in which a neuron may spike, an integer in [0, T − 1]; default 0. */
  firstSpikeTime?: number;
  /** Timing of the spikes; default "regular": one spike each 1/rate steps. */
  firingPattern?: FiringPattern;
  /** Whether values rise linearly up to each spike, from `offTarget` to `onTarget`, as targets of membranes; default false. */
  interpolate?: boolean;
  /** Value of a spike, default 1. */
  onTarget?: number;
  /** Value without a spike, default 0. */
  offTarget?: number;
  /** Generator for "uniform" and "poisson"; the default generator if not given. */
  generator?: Generator;
}

const RATE_TARGETS = {
  numClasses: Number.NaN,
  timesteps: Number.NaN,
  correctRate: 1,
  incorrectRate: 0,
  firstSpikeTime: 0,
  firingPattern: "regular" as FiringPattern,
  interpolate: false,
  onTarget: 1,
  offTarget: 0,
  generator: undefined as Generator | undefined,
} satisfies Record<keyof RateTargetOptions, unknown>;

/**
 * Rate targets: the neuron of the class spikes at one rate, all other neurons at a second rate.
 *
 *   regular    t = ⌊t₀ + i/rate⌋, i = 0, 1, …
 *   uniform    the same number of steps, drawn with repetitions from t₀ … T − 1
 *   poisson    each step from t₀ on with probability rate
 *
 * Shapes: B class indices → targets [T, B, K]. A pattern is drawn once and shared by all samples of a call. With the rates 1 and 0 all steps are
 * equal; snnTorch then returns only one, [B, K].
 *
 * @throws RangeError for class indices outside of [0, K), rates outside of [0, 1], an incorrectRate above correctRate, or other options out of range;
 *   TypeError for targets that are not numbers, an unknown option or a value of the wrong type.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { rateTargets } from "jarvis-snn";
 *
 * const targets = rateTargets([0], { numClasses: 2, timesteps: 4, correctRate: 0.5, incorrectRate: 0.25 });
 * console.log(targets.transpose(0, 2).toArray()); // [ [ [ 1, 0, 1, 0 ] ], [ [ 1, 0, 0, 0 ] ] ]
 * ```
 */
export function rateTargets(targets: ArrayLike<number> | Tensor, options: RateTargetOptions): Tensor {
  const where = "rateTargets";
  const given = withDefaults(where, RATE_TARGETS, options);
  const { timesteps, correctRate, incorrectRate, firstSpikeTime, firingPattern, onTarget, offTarget } = given;
  const classes = numberOf(where, "numClasses", given.numClasses, COUNT);
  numberOf(where, "timesteps", timesteps, STEP_COUNTS);
  numberOf(where, "correctRate", correctRate, UNIT);
  numberOf(where, "incorrectRate", incorrectRate, UNIT);
  const below: Range = { expected: `at most correctRate, ${correctRate}`, fits: (rate) => rate <= correctRate };
  numberOf(where, "incorrectRate", incorrectRate, below);
  numberOf(where, "firstSpikeTime", firstSpikeTime, stepAmong(timesteps));
  choiceOf(where, "firingPattern", firingPattern, ["regular", "uniform", "poisson"]);
  numberOf(where, "onTarget", onTarget, FLOAT);
  numberOf(where, "offTarget", offTarget, FLOAT);
  const generator = generatorOf(where, given.generator);
  const indices = indicesOf(where, targets, classes);
  const shape = [timesteps, indices.length, classes];
  checkSize(where, shape, timesteps * indices.length * classes);

  const patternOf = (rate: number): Float64Array => {
    const spikes = spikesOf(given, rate, generator);
    const levels = given.interpolate ? ramps(spikes) : spikes;
    return levels.map((level) => offTarget + (onTarget - offTarget) * level);
  };
  const [correct, incorrect] = [patternOf(correctRate), patternOf(incorrectRate)];
  const z = full(shape, 0);
  const values = peek(z);
  let at = 0;
  for (let t = 0; t < timesteps; t++) {
    for (const index of indices) {
      values.fill(incorrect[t] as number, at, at + classes);
      values[at + index] = correct[t] as number;
      at += classes;
    }
  }
  return z;
}

/** 1 in the steps with a spike, else 0. */
function spikesOf(
  { timesteps, firstSpikeTime, firingPattern }: typeof RATE_TARGETS,
  rate: number,
  generator: Generator,
): Float64Array {
  const spikes = new Float64Array(timesteps);
  if (rate === 0) return spikes;
  const left = timesteps - firstSpikeTime;
  const count = Math.ceil(left / (1 / rate));
  if (firingPattern === "regular") {
    for (let i = 0; i < count; i++) spikes[Math.floor(firstSpikeTime + i * (1 / rate))] = 1;
  } else if (firingPattern === "uniform") {
    const drawn = noGrad(() => rand([count], { generator }).toFloat32Array());
    for (const u of drawn) spikes[firstSpikeTime + Math.floor(u * left)] = 1;
  } else {
    spikes.set(
      noGrad(() => bernoulli(full([left], rate), { generator }).toFloat32Array()),
      firstSpikeTime,
    );
  }
  return spikes;
}

/** Rises linearly from 0 after a spike to 1 at the next one; 0 after the last. */
function ramps(spikes: Float64Array): Float64Array {
  const levels = new Float64Array(spikes.length);
  let start = 0;
  spikes.forEach((spike, t) => {
    if (spike === 0) return;
    for (let i = start; i <= t; i++) levels[i] = i === t ? 1 : (i - start) / (t - start);
    start = t + 1;
  });
  return levels;
}

/** Options of {@link latencyTargets}. */
export interface LatencyTargetOptions extends LatencyOptions {
  /** K, the number of classes, a positive integer. */
  numClasses: number;
}

const LATENCY_TARGETS = joined(LATENCY, { numClasses: Number.NaN }) satisfies Record<
  keyof LatencyTargetOptions,
  unknown
>;

/**
 * Latency targets: the neuron of the class spikes when `latencyEncode` lets the value 1 spike, first; all others spike as for the
 * value 0, last.
 *
 * Shapes: B class indices → targets [T, B, K].
 *
 * @throws RangeError for class indices outside of [0, K), spikes after the last step without `bypass`, or options out of range; TypeError for targets
 *   that are not numbers, an unknown option or a value of the wrong type.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { latencyTargets } from "jarvis-snn";
 *
 * const targets = latencyTargets([0], { numClasses: 2, timesteps: 4, normalize: true, linear: true });
 * console.log(targets.transpose(0, 2).toArray()); // [ [ [ 1, 0, 0, 0 ] ], [ [ 0, 0, 0, 1 ] ] ]
 * ```
 */
export function latencyTargets(targets: ArrayLike<number> | Tensor, options: LatencyTargetOptions): Tensor {
  const where = "latencyTargets";
  const given = withDefaults(where, LATENCY_TARGETS, options);
  const classes = numberOf(where, "numClasses", given.numClasses, COUNT);
  const indices = indicesOf(where, targets, classes);
  checkSize(where, [indices.length, classes], indices.length * classes);
  return noGrad(() => {
    const hot = new Float32Array(indices.length * classes);
    indices.forEach((index, i) => {
      hot[i * classes + index] = 1;
    });
    return latencyCode(where, tensor(hot, { shape: [indices.length, classes] }), given);
  });
}

function indicesOf(where: string, targets: ArrayLike<number> | Tensor, classes: number): Int32Array {
  return integersOf(where, "class indices", valuesIn(where, targets), classes);
}
