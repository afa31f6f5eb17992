/** Values to spikes: [...shape] → [T, ...shape]. */
import { COUNT, NOT_NEGATIVE, numberOf, UNIT, withDefaults } from "../engine/arguments.ts";
import { k } from "../engine/backend.ts";
import { composed } from "../engine/composed.ts";
import { generatorOf } from "../engine/generator.ts";
import type { Generator, Tensor } from "../engine/index.ts";
import { ready } from "../engine/op.ts";
import { broadcastTo } from "../engine/ops/expand.ts";
import { checkSize, type Shape } from "../engine/shape.ts";
import { alive, emptySpikes, spikesAt } from "../engine/tensor.ts";

/** The options of all encoders: each takes those of the others. */
const DEFAULTS = { timesteps: Number.NaN, dt: 1, eps: 1e-6, generator: undefined as Generator | undefined };

function optionsOf(where: string, options: object): typeof DEFAULTS {
  const given = withDefaults(where, DEFAULTS, options);
  numberOf(where, "timesteps", given.timesteps, COUNT);
  return given;
}

/** The shape [T, ...] over T steps of x. */
function overTime(where: string, timesteps: number, x: Tensor): Shape {
  alive(x, where);
  const shape = [timesteps, ...x.sizes];
  checkSize(where, shape, timesteps * x.size);
  return shape;
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
 * @throws RangeError unless timesteps is a positive integer and dt lies in [0, 1]; TypeError for a generator that is none,
 *   or an option of another name or kind.
 */
export function poissonEncode(x: Tensor, options: PoissonOptions): Tensor {
  const { timesteps, dt, generator: source } = optionsOf("poissonEncode", options);
  numberOf("poissonEncode", "dt", dt, UNIT);
  const generator = generatorOf("poissonEncode", source);
  const shape = overTime("poissonEncode", timesteps, x);
  ready("poissonEncode", x);
  const z = emptySpikes(shape);
  generator.bernoulli(spikesAt(z), x.ptr, x.size, timesteps, dt);
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
