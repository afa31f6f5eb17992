import {
  allOptions,
  allOrNothing,
  COUNT,
  checkShape,
  choiceOf,
  composed,
  formatShape,
  generatorOf,
  numberOf,
  type Shape,
} from "../engine/extend.ts";
import { type Generator, Linear, linear, mul, ones, parameter, stack, type Tensor, zeros } from "../engine/index.ts";
import { axesHint, checkState } from "./checks.ts";
import { itself, lazy } from "./lazy.ts";
import { LIF, LIF_DEFAULTS, type LIFOptions, type LIFRecord, type LIFState } from "./lif.ts";
import { runRecurrent } from "./recurrent-op.ts";

/** Options of {@link RecurrentLIF}. */
export interface RecurrentLIFOptions extends LIFOptions {
  /** N, the neurons of the layer: the size of the last axis of the current. */
  features: number;
  /** "all": every neuron feeds every neuron (default). "one": each feeds itself. */
  connection?: "all" | "one";
  /** Where the initial weights come from; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS = {
  ...LIF_DEFAULTS,
  features: Number.NaN,
  connection: "all" as "all" | "one",
  generator: undefined as Generator | undefined,
} satisfies Record<keyof RecurrentLIFOptions, unknown>;

/** State between time steps: that of the neurons, and the spikes that are fed back. */
export interface RecurrentLIFState extends LIFState {
  /** s of the step before, [B, …, N]. */
  readonly spikes: Tensor;
}

/** What {@link RecurrentLIF.unroll} gives. */
export interface RecurrentLIFRecord extends LIFRecord {
  /** The state after the last step. */
  readonly state: RecurrentLIFState;
}

/**
 * LIF neurons that are fed back their spikes of the step before:
 *
 *   I[t] = current[t] + W·s[t−1] + b   (connection "all")
 *   I[t] = current[t] + V ⊙ s[t−1]     (connection "one")
 *
 * and the rest as in {@link LIF}. W [N, N] is `recurrent.weight` and b [N] `recurrent.bias`, as {@link Linear} starts them;
 * V [N] starts at 1. Shapes: current [T, B, …, N] → spikes [T, B, …, N]. Starts from v = 0 and no spikes. `forward` is one
 * op whose recurrent product costs what its spikes cost; `unroll` and `spiking: false` compose the steps, with the same bits.
 *
 * @throws RangeError unless features is a positive integer, for an unknown connection, or as {@link LIF} does; TypeError for
 *   a generator that is none.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 */
export class RecurrentLIF extends LIF {
  /** N, the neurons of the layer. */
  readonly features: number;
  /** W and b where every neuron feeds every neuron, else null. */
  readonly recurrent: Linear | null;
  /** The weight of each neuron's own spikes, [N], or null. */
  readonly V: Tensor | null;

  constructor(options: RecurrentLIFOptions) {
    const given = allOptions("RecurrentLIF", DEFAULTS, options);
    const { features, connection, generator: source, ...others } = given;
    numberOf("RecurrentLIF", "features", features, COUNT);
    choiceOf("RecurrentLIF", "connection", connection, ["all", "one"]);
    const generator = generatorOf("RecurrentLIF", source);
    super(others as LIFOptions);
    this.features = features;
    try {
      this.recurrent = connection === "all" ? new Linear(features, features, { generator }) : null;
      this.V = connection === "one" ? parameter(ones([features])) : null;
    } catch (error) {
      for (const t of [this.beta, this.threshold]) t.dispose();
      throw error;
    }
  }

  /**
   * Spikes [T, B, …, N] of a current [T, B, …, N], from v = 0 and no spikes.
   *
   * @throws RangeError unless the current has a time axis and N neurons, which beta and threshold fit.
   */
  override forward(current: Tensor): Tensor {
    this.check(current);
    return composed(RecurrentLIF.run, this, current);
  }

  private static run(lif: RecurrentLIF, current: Tensor): Tensor {
    if (!lif.spiking) return lif.recordOf(current, null).spikes;
    const { recurrent, V } = lif;
    const weight = recurrent?.weight ?? (V as Tensor);
    return runRecurrent(lif.neuron, current, weight, recurrent?.bias ?? null, lif.decay(), lif.threshold);
  }

  /**
   * Spikes, membrane and state over time, [T, B, …, N], from a given state on, by default zero; all differentiable. Membrane
   * and v are put together when they are read.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step.
   */
  override unroll(current: Tensor, state?: RecurrentLIFState): RecurrentLIFRecord {
    return super.unroll(current, state) as RecurrentLIFRecord;
  }

  protected override recordOf(current: Tensor, from: RecurrentLIFState | null): RecurrentLIFRecord {
    let next = from ?? this.initialState(current.sizes.slice(1));
    const steps = current.unbind(0).map((input) => {
      const record = super.recordOf(input.add(this.feedback(next.spikes)).unsqueeze(0), next);
      next = { ...record.state, spikes: record.spikes.select(0, 0) };
      return record;
    });
    const all = (name: "spikes" | "membrane" | "v"): Tensor => stack(steps.map((record) => record[name].select(0, 0)));
    const spikes = all("spikes");
    const membrane = lazy(spikes, () => all("membrane"), itself);
    const v = lazy(spikes, () => all("v"), itself);
    return {
      spikes,
      get membrane() {
        return membrane();
      },
      get v() {
        return v();
      },
      state: next,
    };
  }

  /**
   * One time step: current [B, …, N] → spikes [B, …, N] and the next state; the same bits as `forward`. A loop of steps
   * belongs inside `noGrad` or `tape`, with the state returned or kept, so that what a step leaves behind is freed.
   *
   * @throws RangeError as `unroll`.
   */
  override step(current: Tensor, state: RecurrentLIFState): [spikes: Tensor, state: RecurrentLIFState] {
    return super.step(current, state) as [Tensor, RecurrentLIFState];
  }

  /**
   * The zero state for currents of the shape of one step, [B, …, N].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  override initialState(shape: readonly number[]): RecurrentLIFState {
    const own = checkShape("RecurrentLIF", shape);
    return allOrNothing(() => ({ ...super.initialState(own), spikes: zeros(own) }));
  }

  protected override get isQuick(): boolean {
    return false;
  }

  private feedback(spikes: Tensor): Tensor {
    const { recurrent, V } = this;
    return recurrent === null ? mul(spikes, V as Tensor) : linear(spikes, recurrent.weight, recurrent.bias);
  }

  protected override checkNeurons(shape: Shape): void {
    const { features } = this;
    if (shape.length > 1 && shape[shape.length - 1] === features) return super.checkNeurons(shape);
    const got = `${formatShape(shape)}${axesHint(shape, features)}`;
    throw new RangeError(`RecurrentLIF: expected a current [T, B, …, ${features}], got ${got}`);
  }

  protected override read(state: RecurrentLIFState, shape: Shape): RecurrentLIFState {
    const { v, refractory, spikes } = Object(state) as RecurrentLIFState;
    checkState("RecurrentLIF", "spikes", spikes, shape);
    return { ...super.read({ v, refractory }, shape), spikes };
  }
}
