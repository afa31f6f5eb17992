/** The readout without spikes, a layer with hand-written kernels; snn/neuron/plain-forms.ts has the equation with all options. */
import { composed } from "../../engine/extend.ts";
import { full, type Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import { makingOf } from "../neuron/compiler.ts";
import { keepName, type LayersOf, Neurons } from "../neuron/neuron.ts";
import type { INTEGRATOR_FORM } from "../neuron/plain-forms.ts";
import { INTEGRATOR } from "../neuron/presets.ts";
import { runSteps } from "../neuron/run.ts";
import type { FiringOptions, LearnOptions, OptionsOf } from "../neuron/types.ts";

/** The membrane [T, B, …] of a current of the same shape, from v = 0, with a fixed β. */
export function integrate(current: Tensor, beta: number): Tensor {
  return composed(integrated, current, beta);
}

const integrated = (current: Tensor, beta: number): Tensor =>
  runSteps(INTEGRATOR, current, current.sizes[0] as number, [full([], beta)], [null], null, false);

/** Options of a LeakyIntegrator that can be learned. */
export type LeakyIntegratorParameter = "beta" | "rest" | "inputScale";

/** Options of {@link LeakyIntegrator}. */
export interface LeakyIntegratorOptions
  extends Omit<OptionsOf<typeof INTEGRATOR_FORM>, keyof FiringOptions | keyof LearnOptions<string> | "numerics">,
    LearnOptions<LeakyIntegratorParameter> {
  /**
   * Presets with which the integrator equals that of another package; explicit options override them: "norse", `LIBoxCell` at 1 ms
   * (β = 0.9), "spikingjelly", `NonSpikingLIFNode` (β = 0.5), and "nir", `LI` at a small step, all with decay "euler" and inputScale "leak".
   * Default none.
   */
  readonly numerics?: "norse" | "spikingjelly" | "nir";
}

/** Result of {@link LeakyIntegrator.unroll}. */
export interface LeakyIntegratorRecord {
  /** v, the membrane, [T, B, …]. */
  readonly membrane: Tensor;
  /** The state after the last step, [B, …]. */
  readonly state: Tensor;
}

const MEMBRANE: readonly string[] = ["membrane"];

/**
 * Leaky integrator without spikes, the readout of a spiking network.
 *
 *   v[t] = rest + β(v[t−1] − rest) + inputScale·I[t]
 *
 * Shapes: current [T, B, …] → membrane [T, B, …]. Starts from v = rest. Defaults β = 0.95 per step, rest = 0, inputScale = 1. `numerics` selects the
 * options of another package.
 *
 * @throws RangeError if a fixed β is not finite or lies outside [0, 1] or the bounds of `constrain` (a learned β is clamped instead), for tau or dt
 *   that is not finite and > 0, both beta and tau, dt or decay without tau, an unknown choice, or a name in `learn` or `constrain` that is not a
 *   parameter; TypeError for an unknown option or a value of the wrong type.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { LeakyIntegrator, ones } from "jarvis-snn";
 *
 * const readout = new LeakyIntegrator({ beta: 0.5 });
 * console.log(readout.forward(ones([4, 1, 1])).flatten().toArray()); // [ 1, 1.5, 1.75, 1.875 ]
 * ```
 */
export class LeakyIntegrator extends (Neurons as unknown as LayersOf<
  Tensor,
  LeakyIntegratorRecord,
  { readonly beta: Tensor }
>) {
  constructor(options: LeakyIntegratorOptions = {}) {
    super(makingOf("LeakyIntegrator", options));
    keepName(LeakyIntegrator, "LeakyIntegrator");
  }

  /**
   * The state is v itself.
   *
   * @internal
   */
  override read(v: Tensor, shape: Shape): Tensor[] {
    return super.read({ v } as never, shape);
  }

  /** Leaves out v over time, which equals the output `membrane`. */
  protected override outputNames(): readonly string[] {
    return MEMBRANE;
  }

  /** @internal */
  override completed(states: readonly Tensor[]): Tensor {
    return states[0] as Tensor;
  }
}
