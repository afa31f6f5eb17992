/** f–I curves: firing rates of neurons at constant currents, as numbers for `curvePlot`. */
import { COUNT, numberOf, numbersOf, WHOLE, withDefaults } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { type Module, noGrad, type Tensor, tensor } from "../../engine/index.ts";
import { moduleOf } from "../../engine/protocol.ts";
import { STEP_COUNTS } from "../coding/spikes.ts";

/** Options of {@link firingCurve}. */
export interface FiringCurveOptions {
  /** T, the number of steps, an integer in [1, 2²⁴]; default 500. */
  timesteps?: number;
  /** Number of initial steps whose spikes do not count, while neurons settle; less than `timesteps`, default 0. */
  discard?: number;
  /** N, the number of neurons, for layers with parameters per neuron or recurrent connections; default 1. */
  features?: number;
}

const DEFAULTS: Required<FiringCurveOptions> = { timesteps: 500, discard: 0, features: 1 };

/** Result of {@link firingCurve}. */
export interface FiringCurve {
  /** I, the given currents. */
  readonly currents: Float64Array;
  /** f, spikes per step and neuron, for each current. */
  readonly rates: Float64Array;
}

/**
 * The f–I curve of a layer: its mean firing rate at each constant current, from the initial state.
 *
 *   f(I) = Σ_t Σ_n s[t, n] / (T·N)   over the steps that count, with current[t, n] = I
 *
 * Rates are spikes per step; divide them by the length of a step for frequencies. Shapes: the currents are the batch of one sequence
 * [T, currents, N]. Runs in evaluation mode, without recording.
 *
 * @throws TypeError for a layer that is not a module, currents that are not an array of numbers, an unknown option or a value of the wrong type;
 *   RangeError without currents, an option out of range, and errors of the layer.
 *
 * @example
 * ```ts
 * import { firingCurve, IF } from "jarvis-snn";
 *
 * const { rates } = firingCurve(new IF({ reset: "subtract" }), [0, 0.25, 0.5, 2], { timesteps: 100 });
 * console.log(rates); // Float64Array(4) [ 0, 0.25, 0.5, 1 ]
 * ```
 */
export function firingCurve(
  layer: Module,
  currents: ArrayLike<number>,
  options: FiringCurveOptions = DEFAULTS,
): FiringCurve {
  const where = "firingCurve";
  const given = withDefaults(where, DEFAULTS, options);
  const timesteps = numberOf(where, "timesteps", given.timesteps, STEP_COUNTS);
  const discard = numberOf(where, "discard", given.discard, WHOLE);
  const features = numberOf(where, "features", given.features, COUNT);
  if (discard >= timesteps) {
    throw new RangeError(`firingCurve: expected discard below the ${timesteps} timesteps, got ${discard}`);
  }
  moduleOf(where, layer);
  const I = Float64Array.from(numbersOf(where, "currents, numbers in a row", currents));
  if (I.length === 0) throw new RangeError("firingCurve: expected at least one current, got none");
  const counts = noGrad(() => {
    const steps = tensor(I, { shape: [I.length, 1] }).expand([timesteps, I.length, features]);
    const spikes = layer.evaluating(() => layer.forward(steps)) as Tensor;
    alive(spikes, `${where}: the output of the layer`);
    return spikes
      .slice(0, discard)
      .sum({ axis: [0, 2] })
      .toFloat32Array();
  });
  const each = (timesteps - discard) * features;
  return { currents: I, rates: Float64Array.from(counts, (count) => count / each) };
}
