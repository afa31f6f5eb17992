import { withDefaults } from "../engine/arguments.ts";
import { inReference, onTensors } from "../engine/backend.ts";
import { composed } from "../engine/composed.ts";
import { full, type Tensor } from "../engine/index.ts";
import { betaOf, DECAY, type DecayOptions } from "./decay.ts";
import { boundsOf, noParameter, withPreset } from "./definition.ts";
import { Neurons } from "./neuron.ts";
import { type Form, learnedOf } from "./neuron-form.ts";
import { CompiledNeuron, runNeuron } from "./neuron-op.ts";
import type { NeuronStep } from "./neuron-types.ts";

/** v, [B, …]. */
interface State {
  readonly v: Tensor;
}

type Argument = NeuronStep<"v" | "beta" | "rest" | "inputScale">;

/**
 * v[t] = rest + β(v[t−1] − rest) + inputScale·I[t], where rest and scale are parameters if they are given, or among the `named` ones,
 * which are learned or bounded.
 */
function formOf(rest?: number | Tensor, inputScale?: number | Tensor | "leak", named: readonly string[] = []): Form {
  const hasRest = rest !== undefined || named.includes("rest");
  const isLeak = inputScale === "leak";
  if (isLeak && named.includes("inputScale")) throw noParameter("LeakyIntegrator", "inputScale", inputScale);
  const hasScale = !isLeak && (inputScale !== undefined || named.includes("inputScale"));
  return {
    name: "LeakyIntegrator",
    chosen: { rest: hasRest ? null : 0, inputScale: isLeak ? "leak" : hasScale ? null : 1 },
    states: ["v"],
    initial: [hasRest ? (parameters) => parameters.rest : 0],
    parameters: { beta: 0.95, ...(hasRest && { rest: 0 }), ...(hasScale && { inputScale: 1 }) },
    reset: null,
    constrain: { beta: [0, 1] },
    step(argument: Argument) {
      const { current, v, beta, constant } = argument;
      const left = hasRest ? v.sub(argument.rest).mul(beta).add(argument.rest) : v.mul(beta);
      const scale = isLeak ? constant(1).sub(beta) : hasScale ? argument.inputScale : null;
      const u = left.add(scale === null ? current : current.mul(scale));
      return { membrane: u, v: u };
    },
  };
}

const FORM = /* @__PURE__ */ formOf();

let shared: CompiledNeuron | null = null;

/** The membrane [T, B, …] of a current of that shape, from v = 0, with a β that is not learned. */
export function integrate(current: Tensor, beta: number): Tensor {
  return composed(integrated, current, beta);
}

function integrated(current: Tensor, beta: number): Tensor {
  const { name, states, step } = FORM;
  shared ??= new CompiledNeuron({ name, states, inputs: ["current"], parameters: { beta: "scalar" }, step });
  const b = full([], beta);
  if (inReference()) {
    return onTensors(shared.program.traced, { inputs: { current }, parameters: { beta: b } }).outputs
      .membrane as Tensor;
  }
  const T = current.sizes[0] as number;
  return runNeuron(shared, { current, T, parameters: [b], from: [null] }, ["membrane"], null).z;
}

/** Options of {@link LeakyIntegrator}. */
export interface LeakyIntegratorOptions extends DecayOptions {
  /** v decays towards it, and starts from it; finite, default 0. A tensor [N] gives each neuron its own. */
  rest?: number | Tensor;
  /** Factor of the current; finite, default 1. "leak" is 1 − β, with which a constant current I leads to v = rest + I. */
  inputScale?: number | Tensor | "leak";
  /**
   * The options under which the integrator equals that of another package; explicit ones override them: "norse", `LIBoxCell` at 1 ms
   * (β = 0.9), "spikingjelly", `NonSpikingLIFNode` (β = 0.5), and "nir", `LI` at a small step, all with decay "euler" and
   * inputScale "leak".
   */
  numerics?: "norse" | "spikingjelly" | "nir";
  /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
  learnBeta?: boolean;
  /** Names of the options that are learned, as parameters of these names. Default: none. */
  learn?: readonly LeakyIntegratorParameter[];
  /**
   * Bounds [low, high] of parameters. A learned value is stored raw and clamped in the forward pass, with zero gradient outside; a
   * fixed value outside is an error. Default: [0, 1] for beta.
   */
  constrain?: { readonly [name in LeakyIntegratorParameter]?: readonly [low: number, high: number] };
}

/** Options of a LeakyIntegrator that can be learned. */
export type LeakyIntegratorParameter = "beta" | "rest" | "inputScale";

const PARAMETERS: readonly LeakyIntegratorParameter[] = ["beta", "rest", "inputScale"];

const DEFAULTS = {
  ...DECAY,
  rest: undefined as number | Tensor | undefined,
  inputScale: undefined as number | Tensor | "leak" | undefined,
  learn: undefined as LeakyIntegratorOptions["learn"],
  constrain: undefined as LeakyIntegratorOptions["constrain"],
  numerics: undefined as "norse" | "spikingjelly" | "nir" | undefined,
} satisfies Record<keyof LeakyIntegratorOptions, unknown>;

const EULER = { decay: "euler", inputScale: "leak" };
const PRESETS = { norse: EULER, spikingjelly: EULER, nir: EULER };

/** β where neither it nor a time constant is given: τ = 10 ms at 1 ms in Norse, 2 steps in SpikingJelly. */
const USUAL_BETA: Readonly<Record<string, number>> = { norse: 0.9, spikingjelly: 0.5 };

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
export class LeakyIntegrator extends Neurons {
  /** β, [] or [N]; a parameter if it is learned, raw then. */
  declare readonly beta: Tensor;

  constructor(options: LeakyIntegratorOptions = {}) {
    const read = withDefaults("LeakyIntegrator", DEFAULTS, options);
    const asked = { ...read };
    const given = withPreset("LeakyIntegrator", read, PRESETS);
    const { rest, inputScale, learnBeta, numerics = "", learn: more = [], constrain: own = {} } = given;
    const learn = [...learnedOf("LeakyIntegrator", PARAMETERS, more), ...(learnBeta ? ["beta"] : [])];
    const constrain = boundsOf("LeakyIntegrator", PARAMETERS, own);
    const beta = betaOf("LeakyIntegrator", given, USUAL_BETA[numerics], asked);
    super(formOf(rest, inputScale, [...learn, ...Object.keys(constrain)]), {
      beta,
      ...(rest !== undefined && { rest }),
      ...(inputScale !== undefined && inputScale !== "leak" && { inputScale }),
      learn,
      constrain,
    });
  }

  /**
   * The membrane [T, B, …] from a given state [B, …] on, by default rest, and the state after the last step.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step.
   */
  override unroll(current: Tensor, state?: Tensor): LeakyIntegratorRecord {
    return composed(LeakyIntegrator.integrated, this, current, state === undefined ? state : { v: state });
  }

  /** Of what neurons give, v over time is the membrane again. */
  private static integrated(layer: LeakyIntegrator, current: Tensor, from: State | undefined): LeakyIntegratorRecord {
    const record = Neurons.prototype.unroll.call(layer, current, from as never) as { membrane: Tensor; state: State };
    return { membrane: record.membrane, state: record.state.v };
  }

  /**
   * One time step: current [B, …] → the membrane [B, …], which is also the next state; the same bits as `forward`.
   *
   * @throws RangeError as `unroll`.
   */
  override step(current: Tensor, state: Tensor): [membrane: Tensor, state: Tensor] {
    const membrane = composed(LeakyIntegrator.stepped, this, current, { v: state });
    return [membrane, membrane];
  }

  private static stepped(layer: LeakyIntegrator, current: Tensor, from: State): Tensor {
    return Neurons.prototype.step.call(layer, current, from as never)[0];
  }

  /**
   * The state at rest, zeros by default, for currents of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  override initialState(shape: readonly number[]): Tensor {
    return (super.initialState(shape) as State).v;
  }
}
