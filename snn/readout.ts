/** Time to values: [T, B, …] → [B, …]. */
import { numberOf, UNIT, withDefaults } from "../engine/arguments.ts";
import { amax, mean, select, sum, type Tensor } from "../engine/index.ts";
import { checkSequence } from "./checks.ts";
import { integrate } from "./leaky-integrator.ts";

/**
 * The firing rate, spikes per step: Σ_t x[t] / T, [T, B, …] → [B, …].  ∂L/∂x[t] = ∂L/∂z / T.
 *
 * @throws RangeError unless there is a time axis.
 */
export function meanOverTime(x: Tensor): Tensor {
  checkSequence("meanOverTime", "spikes", x);
  return mean(x, { axis: 0 });
}

/**
 * The number of spikes: Σ_t s[t], [T, B, …] → [B, …].  ∂L/∂s[t] = ∂L/∂z.
 *
 * @throws RangeError unless there is a time axis.
 */
export function spikeCount(spikes: Tensor): Tensor {
  checkSequence("spikeCount", "spikes", spikes);
  return sum(spikes, { axis: 0 });
}

/**
 * The membrane in the last step: v[T−1], [T, B, …] → [B, …]. The other steps get no gradient.
 *
 * @throws RangeError unless there is a time axis.
 */
export function lastMembrane(membrane: Tensor): Tensor {
  checkSequence("lastMembrane", "a membrane", membrane);
  return select(membrane, 0, -1);
}

/**
 * The largest membrane over time: max_t v[t], [T, B, …] → [B, …]. Its step gets the gradient; those that tie share it
 * evenly.
 *
 * @throws RangeError unless there is a time axis.
 */
export function maxMembrane(membrane: Tensor): Tensor {
  checkSequence("maxMembrane", "a membrane", membrane);
  return amax(membrane, { axis: 0 });
}

/**
 * Spikes filtered by an exponential: r[t] = β·r[t−1] + s[t], from r = 0. Shapes: [T, B, …] → [T, B, …]. β is the decay per
 * step, 0.95 by default.
 *
 * @throws RangeError if beta lies outside [0, 1], or unless there is a time axis.
 */
export function filteredTrace(spikes: Tensor, options: { beta?: number } = TRACE): Tensor {
  const { beta } = withDefaults("filteredTrace", TRACE, options);
  numberOf("filteredTrace", "beta", beta, UNIT);
  checkSequence("filteredTrace", "spikes", spikes);
  return integrate(spikes, beta);
}

const TRACE = { beta: 0.95 };
