/** Changes as spikes: an encoder that fires where a value has moved far enough. */
import { NOT_NEGATIVE, numberOf, withDefaults } from "../../engine/arguments.ts";
import { concat, noGrad, sub, type Tensor, zeros } from "../../engine/index.ts";
import { checkSequence } from "../layer/checks.ts";
import { packed } from "./spikes.ts";

/** Options of {@link deltaEncode}. */
export interface DeltaOptions {
  /** θ, the change from which on there is a spike, finite and ≥ 0; default 0.1. */
  threshold?: number;
  /** The first step is compared with itself; default false: with 0. */
  padding?: boolean;
  /** Falls by θ or more are spikes of −1; default false. */
  offSpike?: boolean;
}

const DELTA: Required<DeltaOptions> = { threshold: 0.1, padding: false, offSpike: false };

/**
 * Delta modulation: a spike where the input has risen by a threshold since the step before, and with `offSpike` one of −1 where it has
 * fallen by as much. A change from or to NaN gives no spike. No gradient.
 *
 *   s[t] = [x[t] − x[t−1] ≥ θ] − [x[t] − x[t−1] ≤ −θ]     x[−1] = 0, with padding x[0]
 *
 * Shapes: x [T, ...], a signal over time → spikes [T, ...].
 *
 * @throws RangeError unless x has a time axis and the threshold is finite and ≥ 0; TypeError for an option of another name or kind.
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
