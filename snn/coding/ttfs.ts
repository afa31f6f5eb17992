/** Time-to-first-spike coding: one spike for each value, at a time that decreases linearly with the value. */
import { NOT_NEGATIVE, numberOf, withDefaults } from "../../engine/arguments.ts";
import { k, ready, spikesAt } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { emptySpikesOf } from "../../engine/unchecked.ts";
import { STEP_COUNTS, shapeOverTime } from "./spikes.ts";

/** Options of {@link ttfsEncode}. */
export interface TtfsOptions {
  /** T, the number of steps, an integer in [1, 2²⁴]. */
  timesteps: number;
  /** Values up to eps do not spike; finite and ≥ 0, default 1e-6. */
  eps?: number;
}

const TTFS = { timesteps: Number.NaN, eps: 1e-6 } satisfies Record<keyof TtfsOptions, unknown>;

/**
 * Time-to-first-spike coding: one spike at t = round((1 − x)·(T − 1)), half to even, with x clamped to [0, 1]; larger values spike earlier,
 * values ≤ eps and NaN do not spike. There is no gradient.
 *
 * Shapes: x [...] → spikes [T, ...].
 *
 * @throws RangeError unless timesteps is an integer in [1, 2²⁴] and eps is finite and ≥ 0; TypeError for an unknown option or a value of the wrong
 *   type.
 * @see Thorpe, Delorme and Van Rullen (2001), Spike-based strategies for rapid processing, Neural Networks 14(6–7).
 *
 * @example
 * ```ts
 * import { tensor, ttfsEncode } from "jarvis-snn";
 *
 * const spikes = ttfsEncode(tensor([1, 0.5, 0]), { timesteps: 5 }); // value 0 never fires
 * console.log(spikes.transpose(0, 1).toArray()); // [ [ 1, 0, 0, 0, 0 ], [ 0, 0, 1, 0, 0 ], [ 0, 0, 0, 0, 0 ] ]
 * ```
 */
export function ttfsEncode(x: Tensor, options: TtfsOptions): Tensor {
  const { timesteps, eps } = withDefaults("ttfsEncode", TTFS, options);
  numberOf("ttfsEncode", "timesteps", timesteps, STEP_COUNTS);
  numberOf("ttfsEncode", "eps", eps, NOT_NEGATIVE);
  const shape = shapeOverTime("ttfsEncode", timesteps, x);
  ready("ttfsEncode", x);
  const z = emptySpikesOf(shape);
  k.firstSpike(spikesAt(z), x.ptr, x.size, timesteps, eps);
  return z;
}
