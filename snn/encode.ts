/** Values to spikes, or to a current, in every step: [...shape] → [T, ...shape]. Further codes are in coding/. */
import { COUNT, FLOAT, NOT_NEGATIVE, numberOf, type Range, UNIT, WHOLE, withDefaults } from "../engine/arguments.ts";
import { inReference, integersAt, k } from "../engine/backend.ts";
import { composed } from "../engine/composed.ts";
import { generatorOf } from "../engine/generator.ts";
import { type Generator, noGrad, type Tensor } from "../engine/index.ts";
import { ready } from "../engine/op.ts";
import { broadcastTo } from "../engine/ops/expand.ts";
import { emptySpikes, spikesAt } from "../engine/tensor.ts";
import { overTime } from "./coding/spikes.ts";

/** The options of these encoders: each takes those of the others. */
const DEFAULTS = {
  timesteps: Number.NaN,
  dt: 1,
  gain: 1,
  offset: 0,
  firstSpikeTime: 0,
  eps: 1e-6,
  generator: undefined as Generator | undefined,
};

function optionsOf(where: string, options: object): typeof DEFAULTS {
  const given = withDefaults(where, DEFAULTS, options);
  numberOf(where, "timesteps", given.timesteps, COUNT);
  return given;
}

/** Options of {@link poissonEncode}. */
export interface PoissonOptions {
  /** T, the number of steps, an integer ≥ 1. */
  timesteps: number;
  /** Probability of a spike in a step at x = 1, in [0, 1]; default 1. */
  dt?: number;
  /** g, a factor of the values; finite in float32, default 1. */
  gain?: number;
  /** o, added to the values behind the gain; finite in float32, default 0. */
  offset?: number;
  /** t₀, before which there are no spikes: an integer in [0, T − 1], default 0. */
  firstSpikeTime?: number;
  /** Where the random numbers come from; the default generator if not given. */
  generator?: Generator;
}

/**
 * Rate coding by independent draws: P(spike at t) = clamp(g·x + o, 0, 1)·dt in every step from t₀ on. No gradient.
 *
 * Shapes: x [...] → spikes [T, ...].
 *
 * @throws RangeError unless timesteps is a positive integer, dt lies in [0, 1], gain and offset are finite in float32, and firstSpikeTime is
 *   an integer in [0, T − 1]; TypeError for a generator that is none, or an option of another name or kind.
 */
export function poissonEncode(x: Tensor, options: PoissonOptions): Tensor {
  const { timesteps, dt, gain, offset, firstSpikeTime, generator: source } = optionsOf("poissonEncode", options);
  numberOf("poissonEncode", "dt", dt, UNIT);
  numberOf("poissonEncode", "gain", gain, FLOAT);
  numberOf("poissonEncode", "offset", offset, FLOAT);
  numberOf("poissonEncode", "firstSpikeTime", firstSpikeTime, stepBelow(timesteps));
  const generator = generatorOf("poissonEncode", source);
  const shape = overTime("poissonEncode", timesteps, x);
  ready("poissonEncode", x);
  const z = emptySpikes(shape);
  const draw = (rates: Tensor): void => generator.bernoulli(spikesAt(z), rates.ptr, x.size, timesteps, dt);
  if (gain === 1 && offset === 0) draw(x);
  else noGrad(() => draw(x.mul(gain).add(offset)));
  if (firstSpikeTime > 0) clearFirst(z, firstSpikeTime * x.size);
  return z;
}

const stepBelow = (timesteps: number): Range => ({
  expected: `an integer in [0, ${timesteps - 1}]`,
  fits: (t) => WHOLE.fits(t) && t < timesteps,
});

/** Removes the spikes among the first n. */
function clearFirst(spikes: Tensor, n: number): void {
  const at = spikesAt(spikes);
  if (inReference()) {
    k.fill(at, n, 0);
    return;
  }
  const words = n >>> 5;
  k.fill(at, words, 0);
  const rest = integersAt(at + 4 * words, 1);
  rest[0] = (rest[0] as number) & (-1 << (n & 31));
}

/** Options of {@link ttfsEncode}. */
export interface TtfsOptions {
  /** T, the number of steps, an integer ≥ 1. */
  timesteps: number;
  /** Values up to eps give no spike; finite and ≥ 0, default 1e-6. */
  eps?: number;
}

/**
 * Time-to-first-spike coding: one spike at t = round((1 − x)·(T − 1)), half to even, with x clamped to [0, 1]; large values
 * fire early, values ≤ eps never. No gradient.
 *
 * Shapes: x [...] → spikes [T, ...].
 *
 * @throws RangeError unless timesteps is a positive integer and eps is finite and ≥ 0.
 */
export function ttfsEncode(x: Tensor, options: TtfsOptions): Tensor {
  const { timesteps, eps } = optionsOf("ttfsEncode", options);
  numberOf("ttfsEncode", "eps", eps, NOT_NEGATIVE);
  const shape = overTime("ttfsEncode", timesteps, x);
  ready("ttfsEncode", x);
  const z = emptySpikes(shape);
  k.firstSpike(spikesAt(z), x.ptr, x.size, timesteps, eps);
  return z;
}

/**
 * x itself in every step, z[t] = x, as an input current. It is not written out T times: layers that recognise it compute
 * once. ∂L/∂x = Σ_t ∂L/∂z[t]. T is `timesteps`.
 *
 * Shapes: x [...] → current [T, ...].
 *
 * @throws RangeError unless timesteps is a positive integer.
 */
export function constantEncode(x: Tensor, options: { timesteps: number }): Tensor {
  const { timesteps } = optionsOf("constantEncode", options);
  return composed(broadcastTo, x, overTime("constantEncode", timesteps, x));
}
