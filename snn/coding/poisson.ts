/** Poisson coding: values become rates of random spikes. */
import { FLOAT, numberOf, UNIT, withDefaults } from "../../engine/arguments.ts";
import { generatorOf, inReference, integersAt, k, ready, spikesAt } from "../../engine/extend.ts";
import { type Generator, noGrad, type Tensor } from "../../engine/index.ts";
import { emptySpikesOf } from "../../engine/unchecked.ts";
import { STEP_COUNTS, shapeOverTime, stepAmong } from "./spikes.ts";

/** Options of {@link poissonEncode}. */
export interface PoissonOptions {
  /** T, the number of steps, an integer in [1, 2²⁴]. */
  timesteps: number;
  /** Probability of a spike in a step at x = 1, in [0, 1]; default 1. */
  dt?: number;
  /** g, a factor of the values; finite in float32, default 1. */
  gain?: number;
  /** o, an offset added after the gain; finite in float32, default 0. */
  offset?: number;
  /** t₀, the first step in which spikes may occur: an integer in [0, T − 1], default 0. */
  firstSpikeTime?: number;
  /** Source of random numbers; the default generator if not given. */
  generator?: Generator;
}

const POISSON = {
  timesteps: Number.NaN,
  dt: 1,
  gain: 1,
  offset: 0,
  firstSpikeTime: 0,
  generator: undefined as Generator | undefined,
} satisfies Record<keyof PoissonOptions, unknown>;

/**
 * Rate coding by independent draws: P(spike at t) = clamp(g·x + o, 0, 1)·dt in every step from t₀ on. NaN does not spike. There is no gradient.
 *
 * Shapes: x [...] → spikes [T, ...].
 *
 * @throws RangeError unless timesteps is an integer in [1, 2²⁴], dt lies in [0, 1], gain and offset are finite in float32, and firstSpikeTime is an
 *   integer in [0, T − 1]; TypeError for an unknown option or a value of the wrong type.
 * @see Heeger (2000), Poisson Model of Spike Generation, lecture notes, Stanford University.
 *
 * @example
 * ```ts
 * import { Generator, poissonEncode, tensor } from "jarvis-snn";
 *
 * const spikes = poissonEncode(tensor([0, 0.25, 1]), { timesteps: 1000, generator: new Generator(1) });
 * console.log(spikes.shape, `${spikes.mean({ axis: 0 })}`); // [ 1000, 3 ] Tensor([3], [0, 0.247, 1])
 * ```
 */
export function poissonEncode(x: Tensor, options: PoissonOptions): Tensor {
  const given = withDefaults("poissonEncode", POISSON, options);
  const { timesteps, dt, gain, offset, firstSpikeTime } = given;
  numberOf("poissonEncode", "timesteps", timesteps, STEP_COUNTS);
  numberOf("poissonEncode", "dt", dt, UNIT);
  numberOf("poissonEncode", "gain", gain, FLOAT);
  numberOf("poissonEncode", "offset", offset, FLOAT);
  numberOf("poissonEncode", "firstSpikeTime", firstSpikeTime, stepAmong(timesteps));
  const generator = generatorOf("poissonEncode", given.generator);
  const shape = shapeOverTime("poissonEncode", timesteps, x);
  ready("poissonEncode", x);
  const z = emptySpikesOf(shape);
  const draw = (rates: Tensor): void => generator.bernoulli(spikesAt(z), rates.ptr, x.size, timesteps, dt);
  if (gain === 1 && offset === 0) draw(x);
  else noGrad(() => draw(x.mul(gain).add(offset)));
  if (firstSpikeTime > 0) clearFirst(z, firstSpikeTime * x.size);
  return z;
}

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
