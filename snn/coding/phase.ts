/** Phase coding: values as binary numbers, one digit in each step. */
import { numberOf, type Range, WHOLE, withDefaults } from "../../engine/arguments.ts";
import { type Tensor, tensor } from "../../engine/index.ts";
import { packed, STEP_COUNTS, shapeOverTime } from "./spikes.ts";

/** Options of {@link phaseEncode}. */
export interface PhaseOptions {
  /** T, the number of steps, an integer in [1, 2²⁴]. */
  timesteps: number;
  /** K, the phases of a period, which are the binary digits of a value: an integer in [1, 24]; default 8. */
  phases?: number;
}

const PHASE = { timesteps: Number.NaN, phases: 8 } satisfies Record<keyof PhaseOptions, unknown>;

/** Range of K: a float32 below 1 has 24 digits. */
const DIGITS: Range = { expected: "an integer in [1, 24]", fits: (x) => WHOLE.fits(x) && x >= 1 && x <= 24 };

/**
 * Phase coding by weighted spikes: each period of K steps repeats the binary digits of x, the highest first. A spike in phase k has the weight 2⁻ᵏ,
 * so the spikes of a period add up to x. NaN does not spike. There is no gradient.
 *
 *   s[t] = ⌊2ᵏ·x⌋ mod 2,  k = 1 + t mod K     x clamped to [0, 1 − 2⁻ᴷ]
 *
 * Shapes: x [...] → spikes [T, ...]. Digits after the K-th are truncated.
 *
 * @throws RangeError unless timesteps is an integer in [1, 2²⁴] and phases one in [1, 24]; TypeError for an unknown option or a value of the wrong
 *   type.
 * @see Kim, Kim, Huh, Lee and Choi (2018), Deep neural networks with weighted spikes, Neurocomputing 311.
 *
 * @example
 * ```ts
 * import { phaseEncode, tensor } from "jarvis-snn";
 *
 * console.log(phaseEncode(tensor([0.625]), { timesteps: 6, phases: 3 }).flatten().toArray()); // [ 1, 0, 1, 1, 0, 1 ]
 * ```
 */
export function phaseEncode(x: Tensor, options: PhaseOptions): Tensor {
  const { timesteps, phases } = withDefaults("phaseEncode", PHASE, options);
  numberOf("phaseEncode", "timesteps", timesteps, STEP_COUNTS);
  numberOf("phaseEncode", "phases", phases, DIGITS);
  const shape = shapeOverTime("phaseEncode", timesteps, x);
  return packed("phaseEncode", shape, () => {
    const weights = Float32Array.from({ length: timesteps }, (_, t) => 2 ** (1 + (t % phases)));
    // Products with powers of two are exact.
    const digits = x
      .clamp(0, 1 - 2 ** -phases)
      .mul(tensor(weights, { shape: shape.map((_, i) => (i === 0 ? timesteps : 1)) }));
    const above = digits.mul(0.5).floor().mul(2);
    return digits.floor().sub(above).eq(1);
  });
}
