/** Constant coding: values as currents that do not change over time. */
import { numberOf, withDefaults } from "../../engine/arguments.ts";
import { composed } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { broadcastTo } from "../../engine/unchecked.ts";
import { STEP_COUNTS, shapeOverTime } from "./spikes.ts";

/** Options of {@link constantEncode}. */
export interface ConstantOptions {
  /** T, the number of steps, an integer in [1, 2²⁴]. */
  timesteps: number;
}

const CONSTANT = { timesteps: Number.NaN } satisfies Record<keyof ConstantOptions, unknown>;

/**
 * Constant input current, z[t] = x in every step. The current is not copied T times, and layers that recognise it compute only once. ∂L/∂x = Σ_t
 * ∂L/∂z[t].
 *
 * Shapes: x [...] → current [T, ...].
 *
 * @throws RangeError unless timesteps is an integer in [1, 2²⁴]; TypeError for an unknown option or a value of the wrong type.
 *
 * @example
 * ```ts
 * import { constantEncode, tensor } from "jarvis-snn";
 *
 * console.log(constantEncode(tensor([0.25, 0.5]), { timesteps: 3 }).toArray());
 * // [ [ 0.25, 0.5 ], [ 0.25, 0.5 ], [ 0.25, 0.5 ] ]
 * ```
 */
export function constantEncode(x: Tensor, options: ConstantOptions): Tensor {
  const { timesteps } = withDefaults("constantEncode", CONSTANT, options);
  numberOf("constantEncode", "timesteps", timesteps, STEP_COUNTS);
  return composed(broadcastTo, x, shapeOverTime("constantEncode", timesteps, x));
}
