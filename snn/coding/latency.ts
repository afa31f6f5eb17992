/** Latency coding, as in snnTorch: one spike for each value, earlier for larger values. */
import { FINITE, numberOf, POSITIVE, type Range, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { alive, peek } from "../../engine/extend.ts";
import { amax, noGrad, type Tensor, where } from "../../engine/index.ts";
import { packed, STEP_COUNTS, shapeOverTime, stepAmong, stepsOver } from "./spikes.ts";

const INSIDE: Range = { expected: "in (0, 1)", fits: (x) => x > 0 && x < 1 };

/** Options of {@link latencyEncode}. */
export interface LatencyOptions {
  /** T, the number of steps, an integer in [1, 2²⁴]; optional with `bypass`, where the last spike determines it. */
  timesteps?: number;
  /** τ of the logarithmic and of the linear code, in steps; default 1. Has no effect with both `linear` and `normalize`. */
  tau?: number;
  /** θ in (0, 1), default 0.01: smaller values spike at the time of θ. */
  threshold?: number;
  /** t₀, the shift of all spikes, an integer in [0, T − 1]; default 0. */
  firstSpikeTime?: number;
  /** Whether times are scaled so that the latest spike is in the last step; default false. */
  normalize?: boolean;
  /** Whether times decrease linearly with the value; default false: logarithmically. */
  linear?: boolean;
  /** Whether values below the threshold do not spike; default false. */
  clip?: boolean;
  /** Whether spikes after the last step are dropped; default false: they are an error. */
  bypass?: boolean;
  /** Whether values rise linearly up to each spike, from `offTarget` to `onTarget`, as targets of membranes; default false. */
  interpolate?: boolean;
  /** Value of a spike, default 1. */
  onTarget?: number;
  /** Value without a spike, at most `onTarget`; default 0. */
  offTarget?: number;
  /** Distance above the threshold at which the latest spike of the logarithmic code is computed; default 1e-7. */
  epsilon?: number;
}

export const LATENCY = {
  timesteps: undefined as number | undefined,
  tau: 1,
  threshold: 0.01,
  firstSpikeTime: 0,
  normalize: false,
  linear: false,
  clip: false,
  bypass: false,
  interpolate: false,
  onTarget: 1,
  offTarget: 0,
  epsilon: 1e-7,
} satisfies Record<keyof LatencyOptions, unknown>;

/**
 * Latency coding: one spike at t = round(τ·ln(x / (x − θ)) + t₀), the time at which a leaky membrane that is charged by x reaches θ, or with `linear`
 * at t = round(τ·(1 − x) + t₀). Larger values spike earlier; values below θ spike at the time of θ, and NaN does not spike. There is no gradient.
 *
 *   normalize   t ← t₀ + (t − t₀)·(T − 1 − t₀) / max(t − t₀);  linear: τ = T − 1 − t₀
 *   interpolate z[t] = off + (on − off)·t/t_spike up to the spike, off after it
 *
 * Shapes: x [...] with values in [0, 1] → [T, ...]. Half steps are rounded to even. The values are 1 and 0 unless `onTarget` and `offTarget` are
 * given. snnTorch keeps 0 if `off_target` is negative, and ignores `clip` if it interpolates.
 *
 * @throws RangeError for values outside of [0, 1], options out of range, an offTarget above onTarget, an epsilon that float32 cannot add to the
 *   threshold, or spikes after the last step without `bypass`; TypeError if timesteps is missing without `bypass` or with `normalize`, for an unknown
 *   option or a value of the wrong type.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { latencyEncode, tensor } from "jarvis-snn";
 *
 * const spikes = latencyEncode(tensor([1, 0.5, 0.25]), { timesteps: 5, normalize: true, linear: true });
 * console.log(spikes.transpose(0, 1).toArray()); // [ [ 1, 0, 0, 0, 0 ], [ 0, 0, 1, 0, 0 ], [ 0, 0, 0, 1, 0 ] ]
 * ```
 */
export function latencyEncode(x: Tensor, options: LatencyOptions): Tensor {
  return latencyCode("latencyEncode", x, withDefaults("latencyEncode", LATENCY, options));
}

/** The latency code of values, with the name of the public function for errors; `given` includes the defaults. */
export function latencyCode(name: string, x: Tensor, given: typeof LATENCY): Tensor {
  checkOptions(name, given);
  const hasNaN = checkValues(name, x);
  const { timesteps, bypass, interpolate, onTarget, offTarget } = given;
  return noGrad(() => {
    // NaN gets the time of 1, which is never the latest, and is removed later.
    const times = timesOf(hasNaN ? where(x.eq(x), x, 1) : x, given);
    const last = amax(times).item();
    const T = timesteps ?? numberOf(name, "the last spike plus 1", last + 1, STEP_COUNTS);
    if (!(last < T || bypass)) {
      const hint = "; take more steps, a smaller tau, normalize or bypass";
      throw wrongValue(name, `spike times in [0, ${T - 1}]`, `${last}${hint}`);
    }
    const late = times.gt(T - 1);
    const left = hasNaN ? late.maximum(x.eq(x).eq(0)) : late;
    const silent = given.clip ? left.maximum(x.lt(given.threshold)) : left;
    const at = where(silent, -1, times);
    const shape = shapeOverTime(name, T, x);
    const steps = stepsOver(T, x.ndim);
    if (!interpolate && onTarget === 1 && offTarget === 0) return packed(name, shape, () => steps.eq(at));
    const reached = interpolate ? rising(steps, at) : steps.eq(at);
    return reached.mul(onTarget - offTarget).add(offTarget);
  });
}

/** t/t_spike up to the spike and 0 after it; 1 for a spike in the first step. */
const rising = (steps: Tensor, at: Tensor): Tensor => where(steps.lt(at), steps.div(at.maximum(1)), steps.eq(at));

function timesOf(x: Tensor, given: typeof LATENCY): Tensor {
  const { timesteps = Number.NaN, threshold, firstSpikeTime, normalize, epsilon } = given;
  const steps = timesteps - 1 - firstSpikeTime;
  if (given.linear) {
    const tau = normalize ? steps : given.tau;
    return x
      .sub(1)
      .mul(-tau)
      .minimum(-tau * (threshold - 1))
      .add(firstSpikeTime)
      .round();
  }
  const y = x.maximum(threshold + epsilon);
  const delay = y.div(y.sub(threshold)).log().mul(given.tau);
  if (!normalize) return delay.add(firstSpikeTime).round();
  // If all values spike at once, the largest delay is 0.
  return delay.mul(steps).div(amax(delay).maximum(LEAST)).add(firstSpikeTime).round();
}

/** The smallest normal float32. */
const LEAST = 2 ** -126;

function checkOptions(name: string, given: typeof LATENCY): void {
  const { timesteps, tau, threshold, firstSpikeTime, onTarget, offTarget, epsilon } = given;
  const isOpen = timesteps === undefined && given.bypass && !given.normalize;
  if (!isOpen) numberOf(name, "timesteps", timesteps, STEP_COUNTS);
  numberOf(name, "tau", tau, POSITIVE);
  numberOf(name, "threshold", threshold, INSIDE);
  numberOf(name, "firstSpikeTime", firstSpikeTime, stepAmong(timesteps ?? 2 ** 24));
  numberOf(name, "onTarget", onTarget, FINITE);
  numberOf(name, "offTarget", offTarget, { expected: `at most onTarget, ${onTarget}`, fits: (x) => x <= onTarget });
  const least = Math.fround(threshold);
  const above: Range = {
    expected: "large enough to change the threshold",
    fits: (x) => Math.fround(threshold + x) > least,
  };
  numberOf(name, "epsilon", epsilon, above);
}

/** Throws for values outside of [0, 1]; returns whether there is a NaN. */
function checkValues(name: string, x: Tensor): boolean {
  alive(x, name);
  const values = peek(x);
  let hasNaN = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) hasNaN = true;
    else if (!(value >= 0 && value <= 1)) throw wrongValue(name, "values in [0, 1]", `${value} at ${i}`);
  }
  return hasNaN;
}
