/** Population coding: a value becomes the activity of many neurons with different receptive fields. */
import type { Range } from "../../engine/arguments.ts";
import {
  FINITE,
  joined,
  listOf,
  NOT_NEGATIVE,
  numberOf,
  POSITIVE,
  show,
  WHOLE,
  withDefaults,
} from "../../engine/arguments.ts";
import { alive, composed } from "../../engine/extend.ts";
import { type Tensor, tensor } from "../../engine/index.ts";
import { STEP_COUNTS } from "./spikes.ts";
import { ttfsEncode } from "./ttfs.ts";

/** Options of {@link receptiveFields}. */
export interface ReceptiveFieldOptions {
  /** m, the number of neurons for each value, an integer in [3, 2²⁴]; optional with `centers`. */
  neurons?: number;
  /** Smallest expected value; default 0. Not with `centers`. */
  low?: number;
  /** Largest expected value, above `low`; default 1. Not with `centers`. */
  high?: number;
  /** β > 0; larger values make fields narrower; default 1.5. Not with `centers`. */
  beta?: number;
  /** Centres of the receptive fields; default as in the equation. */
  centers?: readonly number[];
  /** σ > 0, the width of all fields; default as in the equation. Required with `centers`. */
  sigma?: number;
}

const FIELDS = {
  neurons: undefined as number | undefined,
  low: undefined as number | undefined,
  high: undefined as number | undefined,
  beta: undefined as number | undefined,
  centers: undefined as readonly number[] | undefined,
  sigma: undefined as number | undefined,
} satisfies Record<keyof ReceptiveFieldOptions, unknown>;

/** At least three: two centres lie beyond the ends of the range, and one inside. */
const COUNTS: Range = { expected: "an integer in [3, 2²⁴]", fits: (n) => WHOLE.fits(n) && n >= 3 && n <= 2 ** 24 };

/**
 * Gaussian receptive fields: the activity of m neurons for each value; 1 at the centre of a field.
 *
 *   a[i] = exp(−(x − cᵢ)² / 2σ²)     cᵢ = low + (i − ½)·(high − low)/(m − 2),  i = 0 … m − 1     σ = (high − low) / (β·(m − 2))
 *
 * Shapes: x [...] → activity [..., m], values in [0, 1], an input for encoders. ∂L/∂x = Σᵢ ∂L/∂a[i]·a[i]·(cᵢ − x)/σ².
 *
 * @throws RangeError for fewer than three or more than 2²⁴ neurons, a high that is not above low, beta or sigma that are not positive, a number of
 *   centers other than that of neurons, or low, high or beta together with centers; TypeError without neurons and centers, without sigma for centers,
 *   for an unknown option or a value of the wrong type.
 * @see Bohte, Kok and La Poutré (2002), Error-backpropagation in temporally encoded networks of spiking neurons, Neurocomputing 48.
 *
 * @example
 * ```ts
 * import { receptiveFields, tensor } from "jarvis-snn";
 *
 * console.log(`${receptiveFields(tensor([0.5]), { centers: [0, 0.5, 1], sigma: 0.25 })}`);
 * // Tensor([1, 3], [0.13534, 1, 0.13534])
 * ```
 */
export function receptiveFields(x: Tensor, options: ReceptiveFieldOptions): Tensor {
  const { centers, sigma } = fieldsOf("receptiveFields", withDefaults("receptiveFields", FIELDS, options));
  alive(x, "receptiveFields");
  return composed(activity, x, centers, sigma);
}

/** Options of {@link populationEncode}. */
export interface PopulationOptions extends ReceptiveFieldOptions {
  /** T, the number of steps, an integer in [1, 2²⁴]. */
  timesteps: number;
  /** Activity up to which a neuron does not spike; finite and ≥ 0, default 0.1. */
  silent?: number;
}

const POPULATION = joined(FIELDS, { timesteps: Number.NaN, silent: 0.1 }) satisfies Record<
  keyof PopulationOptions,
  unknown
>;

/**
 * Population coding: each value becomes m neurons with Gaussian {@link receptiveFields}, and each neuron spikes once, at t = round((1 − a)·(T − 1))
 * for its activity a. Neurons far from the value are silent; for NaN all are. There is no gradient.
 *
 * Shapes: x [...] → spikes [T, ..., m]. For other codes, encode the activity itself: `poissonEncode(receptiveFields(x, { neurons }), …)`.
 *
 * @throws RangeError unless timesteps is an integer in [1, 2²⁴] and silent finite and ≥ 0; RangeError and TypeError as
 *   {@link receptiveFields}.
 * @see Bohte, Kok and La Poutré (2002), Error-backpropagation in temporally encoded networks of spiking neurons, Neurocomputing 48.
 *
 * @example
 * ```ts
 * import { populationEncode, tensor } from "jarvis-snn";
 *
 * const spikes = populationEncode(tensor([0.1, 0.8]), { timesteps: 10, neurons: 6 });
 * console.log(spikes.shape); // [ 10, 2, 6 ]
 * ```
 */
export function populationEncode(x: Tensor, options: PopulationOptions): Tensor {
  const given = withDefaults("populationEncode", POPULATION, options);
  const { timesteps, silent } = given;
  numberOf("populationEncode", "timesteps", timesteps, STEP_COUNTS);
  numberOf("populationEncode", "silent", silent, NOT_NEGATIVE);
  const { centers, sigma } = fieldsOf("populationEncode", given);
  alive(x, "populationEncode");
  return composed(fired, x, centers, sigma, timesteps, silent);
}

function activity(x: Tensor, centers: readonly number[], sigma: number): Tensor {
  const distance = x.unsqueeze(-1).sub(tensor(centers));
  const squared = distance.mul(1 / sigma).square();
  return squared.mul(-0.5).exp();
}

const fired = (x: Tensor, centers: readonly number[], sigma: number, timesteps: number, eps: number): Tensor =>
  ttfsEncode(activity(x.detach(), centers, sigma), { timesteps, eps });

/** Centres and width of the fields, given or by the equation. */
function fieldsOf(where: string, given: typeof FIELDS): { centers: readonly number[]; sigma: number } {
  const { neurons, low = 0, high = 1, beta = 1.5 } = given;
  for (const name of ["low", "high", "beta"] as const) {
    if (given.centers === undefined || given[name] === undefined) continue;
    throw new RangeError(`${where}: expected no ${name} beside centers, got ${show(given[name])}`);
  }
  if (given.centers === undefined || neurons !== undefined) numberOf(where, "neurons", neurons, COUNTS);
  const list = given.centers === undefined ? undefined : listOf(where, "centers", given.centers, FINITE, neurons);
  if (list?.length === 0) throw new RangeError(`${where}: centers must have an entry, got []`);
  numberOf(where, "low", low, FINITE);
  numberOf(where, "high", high, { expected: `finite and above low, ${low}`, fits: (x) => x > low && x < Infinity });
  numberOf(where, "beta", beta, POSITIVE);
  const between = (high - low) / ((neurons ?? 3) - 2);
  const usual = list === undefined ? between / beta : undefined;
  const sigma = given.sigma === undefined ? usual : given.sigma;
  numberOf(where, "sigma", sigma, POSITIVE);
  const centers = list ?? Array.from({ length: neurons as number }, (_, i) => low + (i - 0.5) * between);
  return { centers, sigma: sigma as number };
}
