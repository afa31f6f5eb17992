/** Delta modulation: a spike when a value has changed far enough. */
import { NOT_NEGATIVE, numberOf, withDefaults } from "../../engine/arguments.ts";
import { concat, noGrad, sub, type Tensor, zeros } from "../../engine/index.ts";
import { checkSequence } from "../layer/checks.ts";
import { packed } from "./spikes.ts";

/** Options of {@link deltaEncode}. */
export interface DeltaOptions {
  /** θ, the change that causes a spike, finite and ≥ 0; default 0.1. */
  threshold?: number;
  /** Whether the first step is compared with itself; default false: with 0. */
  padding?: boolean;
  /** Whether decreases by θ or more are spikes of −1; default false. */
  offSpike?: boolean;
}

const DELTA: Required<DeltaOptions> = { threshold: 0.1, padding: false, offSpike: false };

/**
 * Delta modulation: a spike if the input has risen by θ or more since the previous step and, with `offSpike`, a spike of −1 if it has fallen by θ or
 * more. Changes from or to NaN do not spike. There is no gradient.
 *
 *   s[t] = [x[t] − x[t−1] ≥ θ] − [x[t] − x[t−1] ≤ −θ]     x[−1] = 0, with padding x[0]
 *
 * Shapes: x [T, ...], a signal over time → spikes [T, ...].
 *
 * @throws RangeError unless x has a time axis and the threshold is finite and ≥ 0; TypeError for an unknown option or a value of the wrong type.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { deltaEncode, tensor } from "jarvis-snn";
 *
 * const signal = tensor([0, 0.5, 0.625, 0]);
 * console.log(deltaEncode(signal, { threshold: 0.25, offSpike: true }).toArray()); // [ 0, 1, 0, -1 ]
 * ```
 */
export function deltaEncode(x: Tensor, options: DeltaOptions = DELTA): Tensor {
  const { threshold, padding, offSpike } = withDefaults("deltaEncode", DELTA, options);
  numberOf("deltaEncode", "threshold", threshold, NOT_NEGATIVE);
  checkSequence("deltaEncode", "a signal", x);
  const change = (): Tensor => sub(x, before(x, padding));
  if (!offSpike) return packed("deltaEncode", x.sizes, () => change().ge(threshold));
  return noGrad(() => {
    const d = change();
    return d.ge(threshold).sub(d.le(-threshold));
  });
}

/** x one step earlier. */
function before(x: Tensor, padding: boolean): Tensor {
  const [T = 1, ...shape] = x.sizes;
  const first = padding ? x.slice(0, 0, 1) : zeros([1, ...shape]);
  return T === 1 ? first : concat([first, x.slice(0, 0, T - 1)], 0);
}
