/** Values to spikes: [...shape] → [T, ...shape]. */

import { checkOptions, emptySpikes, generatorOf, k, ready } from "../engine/extend.ts";
import { expand, type Generator, type Tensor } from "../engine/index.ts";

/** The options of all encoders. */
const OPTIONS = "timesteps dt eps generator";

function checkTimesteps(where: string, options: { timesteps: number }): void {
  checkOptions(where, options, OPTIONS);
  const { timesteps } = options;
  if (!Number.isInteger(timesteps) || timesteps < 1) {
    throw new RangeError(`${where}: timesteps must be a positive integer, got ${timesteps}`);
  }
}

/** Options of {@link poissonEncode}. */
export interface PoissonOptions {
  /** T, the number of steps, an integer ≥ 1. */
  timesteps: number;
  /** Probability of a spike in a step at x = 1, in [0, 1]; default 1. */
  dt?: number;
  /** Where the random numbers come from; the default generator if not given. */
  generator?: Generator;
}

/**
 * Rate coding by independent draws: P(spike at t) = clamp(x, 0, 1)·dt in every step. No gradient.
 *
 * Shapes: x [...] → spikes [T, ...].
 *
 * @throws RangeError unless timesteps is a positive integer and dt lies in [0, 1]; TypeError for a generator that is none.
 */
export function poissonEncode(x: Tensor, options: PoissonOptions): Tensor {
  checkTimesteps("poissonEncode", options);
  const { timesteps, dt = 1 } = options;
  if (!(dt >= 0 && dt <= 1)) throw new RangeError(`poissonEncode: dt must lie in [0, 1], got ${dt}`);
  const generator = generatorOf("poissonEncode", options.generator);
  ready("poissonEncode", x);
  const z = emptySpikes([timesteps, ...x.shape]);
  generator.bernoulli(z.bits, x.ptr, x.size, timesteps, dt);
  return z;
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
  checkTimesteps("ttfsEncode", options);
  const { timesteps, eps = 1e-6 } = options;
  if (!(eps >= 0 && eps < Infinity)) throw new RangeError(`ttfsEncode: eps must be finite and ≥ 0, got ${eps}`);
  ready("ttfsEncode", x);
  const z = emptySpikes([timesteps, ...x.shape]);
  k.firstSpike(z.bits, x.ptr, x.size, timesteps, eps);
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
  checkTimesteps("constantEncode", options);
  return expand(x, [options.timesteps, ...x.shape]);
}
