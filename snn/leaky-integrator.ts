import { withDefaults } from "../engine/arguments.ts";
import { inReference, onTensors } from "../engine/backend.ts";
import { composed } from "../engine/composed.ts";
import { full, type Tensor } from "../engine/index.ts";
import { betaOf, DECAY, type DecayOptions } from "./decay.ts";
import { type Form, type NeuronStep, Neurons } from "./neuron.ts";
import { CompiledNeuron, runNeuron } from "./neuron-op.ts";

/** v, [B, …]. */
interface State {
  readonly v: Tensor;
}

/** v[t] = β·v[t−1] + I[t]. */
const FORM: Form = {
  name: "LeakyIntegrator",
  states: ["v"],
  initial: [0],
  parameters: { beta: 0.95 },
  reset: null,
  areSaved: false,
  constrain: { beta: [0, 1] },
  step({ current, v, beta }: NeuronStep<"v" | "beta">) {
    const u = v.mul(beta).add(current);
    return { membrane: u, v: u };
  },
};

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
  /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
  learnBeta?: boolean;
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
 *   v[t] = β·v[t−1] + I[t]
 *
 * Shapes: current [T, B, …] → membrane [T, B, …]. Starts from v = 0. Default β = 0.95, per step.
 *
 * @throws RangeError if a fixed β lies outside [0, 1] (a learned one is clamped instead) or is not finite, for tau or dt
 *   that is not finite and > 0, both beta and tau, or an unknown decay; TypeError for an option of another name or kind.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 */
export class LeakyIntegrator extends Neurons {
  /** β, [] or [N]; a parameter if it is learned, raw then. */
  declare readonly beta: Tensor;

  constructor(options: LeakyIntegratorOptions = {}) {
    const given = withDefaults("LeakyIntegrator", DECAY, options);
    super(FORM, { beta: betaOf("LeakyIntegrator", given), learn: given.learnBeta ? ["beta"] : [] });
  }

  /**
   * The membrane [T, B, …] from a given state [B, …] on, by default 0, and the state after the last step.
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
   * The zero state for currents of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  override initialState(shape: readonly number[]): Tensor {
    return (super.initialState(shape) as State).v;
  }
}
