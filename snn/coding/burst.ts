/** Burst coding: larger values become more spikes at shorter intervals. */
import { COUNT, numberOf, type Range, withDefaults } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";
import { packed, STEP_COUNTS, shapeOverTime, stepsOver } from "./spikes.ts";

/** Options of {@link burstEncode}. */
export interface BurstOptions {
  /** T, the number of steps, an integer in [1, 2²⁴]. */
  timesteps: number;
  /** Nₘₐₓ, the number of spikes at x = 1, a positive integer; default 5. */
  maxSpikes?: number;
  /** Iₘᵢₙ, the interval between spikes at x = 1, in steps, a positive integer; default 2. */
  minInterval?: number;
  /** Iₘₐₓ, the interval between spikes towards x = 0, an integer ≥ minInterval; default max(T, minInterval). */
  maxInterval?: number;
}

const BURST = {
  timesteps: Number.NaN,
  maxSpikes: 5,
  minInterval: 2,
  maxInterval: undefined as number | undefined,
} satisfies Record<keyof BurstOptions, unknown>;

/**
 * Burst coding: N spikes at intervals of I steps from the first step on; both depend on the value. NaN does not spike. There is no gradient.
 *
 *   N = ⌈Nₘₐₓ·x⌉     I = ⌈Iₘₐₓ − (Iₘₐₓ − Iₘᵢₙ)·x⌉     spikes at t = 0, I, …, (N − 1)·I < T     x clamped to [0, 1]
 *
 * Shapes: x [...] → spikes [T, ...]. Spikes after the last step are dropped; a smaller maxInterval avoids this.
 *
 * @throws RangeError unless the options are positive integers, timesteps at most 2²⁴, and maxInterval at least minInterval; TypeError for an unknown
 *   option or a value of the wrong type.
 * @see Guo, Fouda, Eltawil and Salama (2021), Neural Coding in Spiking Neural Networks: A Comparative Study for Robust Neuromorphic
 *   Systems, Frontiers in Neuroscience 15.
 *
 * @example
 * ```ts
 * import { burstEncode, tensor } from "jarvis-snn";
 *
 * const spikes = burstEncode(tensor([1, 0.5]), { timesteps: 6, maxSpikes: 3, minInterval: 1, maxInterval: 3 });
 * console.log(spikes.transpose(0, 1).toArray()); // [ [ 1, 1, 1, 0, 0, 0 ], [ 1, 0, 1, 0, 0, 0 ] ]
 * ```
 */
export function burstEncode(x: Tensor, options: BurstOptions): Tensor {
  const { timesteps, maxSpikes, minInterval, maxInterval } = withDefaults("burstEncode", BURST, options);
  numberOf("burstEncode", "timesteps", timesteps, STEP_COUNTS);
  numberOf("burstEncode", "maxSpikes", maxSpikes, COUNT);
  numberOf("burstEncode", "minInterval", minInterval, COUNT);
  const longest = maxInterval === undefined ? Math.max(timesteps, minInterval) : maxInterval;
  const atLeast: Range = {
    expected: `an integer ≥ minInterval, ${minInterval}`,
    fits: (n) => COUNT.fits(n) && n >= minInterval,
  };
  numberOf("burstEncode", "maxInterval", longest, atLeast);
  const shape = shapeOverTime("burstEncode", timesteps, x);
  return packed("burstEncode", shape, () => {
    const value = x.clamp(0, 1);
    const count = ceil(value.mul(maxSpikes));
    const interval = ceil(value.mul(minInterval - longest).add(longest));
    const spike = stepsOver(timesteps, x.ndim).div(interval);
    return spike.eq(spike.floor()).mul(spike.lt(count));
  });
}

const ceil = (x: Tensor): Tensor => x.neg().floor().neg();
