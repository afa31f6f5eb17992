import { checkOptions, composed, formatShape, generatorOf } from "../engine/extend.ts";
import { type Generator, Linear, linear, mul, ones, parameter, stack, type Tensor, zeros } from "../engine/index.ts";
import { checkState } from "./checks.ts";
import { itself, lazy } from "./lazy.ts";
import { LIF, LIF_OPTIONS, type LIFOptions, type LIFRecord, type LIFState } from "./lif.ts";
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
    checkOptions("RecurrentLIF", options, `${LIF_OPTIONS} features connection generator`);
    const { features, connection = "all", generator: given, ...others } = options;
    if (!Number.isInteger(features) || features < 1) {
      throw new RangeError(`RecurrentLIF: features must be a positive integer, got ${features}`);
    }
    if (connection !== "all" && connection !== "one") {
      throw new RangeError(`RecurrentLIF: expected connection "all" or "one", got ${JSON.stringify(connection)}`);
    }
    const generator = generatorOf("RecurrentLIF", given);
    super(others);
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
    if (!lif.spiking) return lif.unroll(current).spikes;
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
    this.check(current, state);
    let next = state ?? this.initialState(current.shape.slice(1));
    const steps = current.unbind(0).map((input) => {
      const record = super.unroll(input.add(this.feedback(next.spikes)).unsqueeze(0), next);
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
    const { spikes, state: next } = this.unroll(current.unsqueeze(0), state);
    return [spikes.reshape(current.shape), next];
  }

  /**
   * The zero state for currents of the shape of one step, [B, …, N].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  override initialState(shape: readonly number[]): RecurrentLIFState {
    return { ...super.initialState(shape), spikes: zeros(shape) };
  }

  private feedback(spikes: Tensor): Tensor {
    const { recurrent, V } = this;
    return recurrent === null ? mul(spikes, V as Tensor) : linear(spikes, recurrent.weight, recurrent.bias);
  }

  protected override check(current: Tensor, state?: RecurrentLIFState): void {
    super.check(current, state);
    const n = current.shape[current.ndim - 1];
    if (current.ndim < 2 || n !== this.features) {
      throw new RangeError(
        `RecurrentLIF: expected a current [T, B, …, ${this.features}], got ${formatShape(current.shape)}`,
      );
    }
    if (state !== undefined) checkState("RecurrentLIF", "spikes", state.spikes, current.shape.slice(1));
  }
}
