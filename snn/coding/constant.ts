/** Values as currents that stay the same. */
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
 * x itself in every step, z[t] = x, as an input current. The current is not written out T times: layers that recognise
 * it compute once. ∂L/∂x = Σ_t ∂L/∂z[t].
 *
 * Shapes: x [...] → current [T, ...].
 *
 * @throws RangeError unless timesteps is an integer in [1, 2²⁴]; TypeError for an option of another name or kind.
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
