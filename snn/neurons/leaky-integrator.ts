import { inReference } from "../../engine/backend.ts";
import { composed } from "../../engine/composed.ts";
import { onTensors } from "../../engine/fuse/in-reference.ts";
import { full, type Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import { NO_RESET } from "../../kernels/kinds.ts";
import { betaOf, DECAY, leakTo } from "../neuron/decay.ts";
import { type Form, formOf, type Named } from "../neuron/form.ts";
import { layersOf } from "../neuron/neuron.ts";
import { CompiledNeuron, StepRun } from "../neuron/op.ts";
import { makePlain, type Plain, type PlainRun, runPlain } from "../neuron/plain.ts";
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

/** The step with rest 0 and scale 1. */
const integration: Form["step"] = (argument: object) =>
  INTEGRATOR_FORM.step({ ...argument, rest: 0, inputScale: 1 } as never);

let shared: CompiledNeuron | null = null;

/** The membrane [T, B, …] of a current of that shape, from v = 0, with a β that is not learned. */
export function integrate(current: Tensor, beta: number): Tensor {
  return composed(integrated, current, beta);
}

function integrated(current: Tensor, beta: number): Tensor {
  const { name, states } = INTEGRATOR_FORM;
  const parameters = { beta: "scalar" } as const;
  shared ??= new CompiledNeuron({ name, states, inputs: ["current"], parameters, step: integration });
  const b = full([], beta);
  if (inReference()) {
    return onTensors(shared.program.traced, { inputs: { current }, parameters: { beta: b } }).outputs
      .membrane as Tensor;
  }
  const T = current.sizes[0] as number;
  return new StepRun(shared, current, T, [b], [null]).forward(1 << shared.mainAt, null).z;
}

/** Options of a LeakyIntegrator that can be learned. */
export type LeakyIntegratorParameter = "beta" | "rest" | "inputScale";

/** Options of {@link LeakyIntegrator}. */
export interface LeakyIntegratorOptions
  extends Omit<OptionsOf<typeof INTEGRATOR_FORM>, keyof FiringOptions | keyof LearnOptions<string> | "numerics">,
    LearnOptions<LeakyIntegratorParameter> {
  /**
   * The options under which the integrator equals that of another package; explicit ones override them: "norse", `LIBoxCell` at 1 ms
   * (β = 0.9), "spikingjelly", `NonSpikingLIFNode` (β = 0.5), and "nir", `LI` at a small step, all with decay "euler" and
   * inputScale "leak". Default: none.
   */
  readonly numerics?: "norse" | "spikingjelly" | "nir";
}

/** What {@link LeakyIntegrator.unroll} gives. */
export interface LeakyIntegratorRecord {
  /** v, [T, B, …]. */
  readonly membrane: Tensor;
  /** The state after the last step, [B, …]. */
  readonly state: Tensor;
}

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
 */
export class LeakyIntegrator extends /* @__PURE__ */ layersOf(
  INTEGRATOR_FORM as Form & Typed<LeakyIntegratorOptions, { readonly beta: Tensor }, Tensor, LeakyIntegratorRecord>,
) {
  private readonly plain: Plain | null;

  constructor(options: LeakyIntegratorOptions = {}) {
    super(options);
    const isPlain = Object.keys(this.form.parameters).length === 1 && this.chosen.inputScale !== "leak";
    this.plain = isPlain ? PLAIN : null;
  }

  /** @internal */
  protected override plainly(current: Tensor, T: number, from: Tensor | null, shape: Shape | null): PlainRun | null {
    const { plain, beta } = this;
    if (plain === null || beta.requiresGrad) return null;
    return runPlain(plain, current, T, beta, null, from, shape, false);
  }

  /** The state is v itself. */
  protected override read(v: Tensor, shape: Shape): readonly Tensor[] {
    return super.read({ v } as never, shape);
  }

  /** Of what neurons give, v over time is the membrane again. */
  protected override outputNames(): readonly string[] {
    return ["membrane"];
  }

  /** @internal */
  override completed(state: Named): Tensor {
    return state.v as Tensor;
  }
}
