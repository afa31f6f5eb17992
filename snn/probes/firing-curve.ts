/** f–I curves: how often neurons fire at each constant current, as numbers for `curvePlot`. */
import { COUNT, numberOf, numbersOf, WHOLE, withDefaults } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { type Module, noGrad, type Tensor, tensor } from "../../engine/index.ts";
import { moduleOf } from "../../engine/protocol.ts";
import { STEP_COUNTS } from "../coding/spikes.ts";

/** Options of {@link firingCurve}. */
export interface FiringCurveOptions {
  /** T, the steps that are run, an integer in [1, 2²⁴]; default 500. */
  timesteps?: number;
  /** The first of these, in which neurons settle and spikes do not count; less than `timesteps`, default 0. */
  discard?: number;
  /** N, where neurons have parameters of their own or feed each other; default 1. */
  features?: number;
}

const DEFAULTS: Required<FiringCurveOptions> = { timesteps: 500, discard: 0, features: 1 };

/** The result of {@link firingCurve}. */
export interface FiringCurve {
  /** I, as given. */
  readonly currents: Float64Array;
  /** f, spikes per step and neuron, of each current. */
  readonly rates: Float64Array;
}

/**
 * The f–I curve of a layer: its mean firing rate at each of some constant currents, from the initial state.
 *
 *   f(I) = Σ_t Σ_n s[t, n] / (T·N)   over the steps that count, with current[t, n] = I
 *
 * Rates are spikes per step: divided by the length of a step they are frequencies. Shapes: the currents are the batch of one sequence
 * [T, currents, N]. Runs in evaluation mode and records nothing.
 *
 * @throws TypeError for a layer that is no module, currents that are no numbers in a row, an option of another name or kind; RangeError
 *   for no currents, an option out of range, and errors of the layer.
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
