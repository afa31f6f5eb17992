/** The readout without spikes: a definition of neuron/neuron.ts that the kernels of plain neurons run. */
import { composed } from "../../engine/extend.ts";
import { full, type Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import { NO_RESET } from "../../kernels/kinds.ts";
import { betaOf, DECAY, leakTo } from "../neuron/decay.ts";
import { type Form, formOf } from "../neuron/form.ts";
import { layersOf } from "../neuron/neuron.ts";
import { makePlain, type Plain, runPlain } from "../neuron/plain.ts";
import type { FiringOptions, LearnOptions, OptionsOf, Typed } from "../neuron/types.ts";

export const INTEGRATOR_FORM = /* @__PURE__ */ formOf(
  {
    name: "LeakyIntegrator",
    state: { v: ({ rest }) => rest },
    parameters: {
      /** β, the decay per step, in [0, 1]; a tensor [N] gives each neuron its own. Default 0.95. */
      beta: 0.95,
    },
    from: { beta: { options: DECAY, value: (given, asked) => betaOf("LeakyIntegrator", given, asked) } },
    optional: {
      /** v decays towards it, and starts from it; a tensor [N] gives each neuron its own. Default 0. */
      rest: 0,
      /** Factor of the current; "leak" is 1 − β, with which a constant current I leads to v = rest + I. Default 1. */
      inputScale: [1, "leak"],
    },
    fold: false,
    also: {
      /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
      learnBeta: { learn: "beta" },
    },
    constrain: { beta: [0, 1] },
    // β of τ = 10 ms at 1 ms in Norse, 2 steps in SpikingJelly.
    numerics: {
      norse: { beta: 0.9, decay: "euler", inputScale: "leak" },
      spikingjelly: { beta: 0.5, decay: "euler", inputScale: "leak" },
      nir: { decay: "euler", inputScale: "leak" },
    },
    step(argument) {
      const { decay, scaled } = leakTo(argument);
      const u = decay(argument.v).add(scaled(argument.current));
      return { membrane: u, v: u };
    },
    // A readout has no options of spikes, and no state that one resets.
  },
  { reset: null, common: { learn: undefined, constrain: undefined, numerics: undefined } },
);

/** The kernels without spikes. */
const PLAIN = /* @__PURE__ */ makePlain("LeakyIntegrator", {
  reset: NO_RESET,
  delayed: 0,
  strict: 0,
  resetValue: 0,
  surrogate: null,
});

/** The membrane [T, B, …] of a current of that shape, from v = 0, with a β that is not learned. */
export function integrate(current: Tensor, beta: number): Tensor {
  return composed(integrated, current, beta);
}

const integrated = (current: Tensor, beta: number): Tensor =>
  runPlain(PLAIN, current, current.sizes[0] as number, full([], beta), null, null, null, false).z;

/** Options of a LeakyIntegrator that can be learned. */
export type LeakyIntegratorParameter = "beta" | "rest" | "inputScale";

/** Options of {@link LeakyIntegrator}. */
export interface LeakyIntegratorOptions
  extends Omit<OptionsOf<typeof INTEGRATOR_FORM>, keyof FiringOptions | keyof LearnOptions<string> | "numerics">,
    LearnOptions<LeakyIntegratorParameter> {
  /**
   * The options under which the integrator equals the one of another package; explicit options override them: "norse",
   * `LIBoxCell` at 1 ms (β = 0.9), "spikingjelly", `NonSpikingLIFNode` (β = 0.5), and "nir", `LI` at a small step, all
   * with decay "euler" and inputScale "leak". Default: none.
   */
  readonly numerics?: "norse" | "spikingjelly" | "nir";
}

/** The result of {@link LeakyIntegrator.unroll}. */
export interface LeakyIntegratorRecord {
  /** v, [T, B, …]. */
  readonly membrane: Tensor;
  /** The state after the last step, [B, …]. */
  readonly state: Tensor;
}

const MEMBRANE: readonly string[] = ["membrane"];

/**
 * Leaky integration without spikes, the readout of a spiking network.
 *
 *   v[t] = rest + β(v[t−1] − rest) + inputScale·I[t]
 *
 * Shapes: current [T, B, …] → membrane [T, B, …]. Starts from v = rest. Defaults β = 0.95 per step, rest = 0, inputScale = 1.
 * `numerics` names the options of other packages.
 *
 * @throws RangeError if a fixed β lies outside [0, 1] unless `constrain` says otherwise (a learned β is clamped instead) or is not
 *   finite, for tau or dt that is not finite and > 0, both beta and tau, dt or decay without tau, an unknown choice, or a name in
 *   `learn` or `constrain` that is no parameter; TypeError for an option of another name or kind.
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
export class LeakyIntegrator extends /* @__PURE__ */ layersOf(
  "LeakyIntegrator",
  () =>
    INTEGRATOR_FORM as Form & Typed<LeakyIntegratorOptions, { readonly beta: Tensor }, Tensor, LeakyIntegratorRecord>,
) {
  /** @internal */
  protected override plainOf(): Plain | string {
    if (this.chosen.inputScale === "leak") return "inputScale";
    return Object.keys(this.form.parameters).find((name) => name !== "beta") ?? PLAIN;
  }

  /**
   * The state is v itself.
   *
   * @internal
   */
  override read(v: Tensor, shape: Shape): readonly Tensor[] {
    return super.read({ v } as never, shape);
  }

  /** The output v over time is the membrane again. */
  protected override outputNames(): readonly string[] {
    return MEMBRANE;
  }

  /** @internal */
  override completed(states: readonly Tensor[]): Tensor {
    return states[0] as Tensor;
  }
}
