/** The spiking LSTM: a cell of gates whose output drives a membrane. */
import { COUNT, numberOf, objectOf, wrongType, wrongValue } from "../engine/arguments.ts";
import { composed } from "../engine/composed.ts";
import { type Generator, generatorOf } from "../engine/generator.ts";
import { linear, Module, noGrad, stack, type Tensor, zeros } from "../engine/index.ts";
import { startUniform } from "../engine/nn/linear.ts";
import { checkShape, formatShape, type Shape } from "../engine/shape.ts";
import { alive } from "../engine/tensor.ts";
import { checkSequence, checkState } from "./checks.ts";
import { neuron } from "./neuron.ts";
import type { NeuronOptions } from "./neuron-types.ts";
import { observer } from "./observer.ts";
import { fired, RESET, RESET_NEEDS } from "./reset.ts";
import { atan } from "./surrogates.ts";
import { resultOf } from "./unroll-result.ts";

/** The membrane: each step replaces it by the output of the cell, and a late reset alone depends on the step before. */
const Output = /* @__PURE__ */ neuron({
  name: "SpikingLSTM",
  state: { v: 0 },
  parameters: { threshold: 0.5, resetValue: 0 },
  choices: { ...RESET, reset: ["none", "zero", "subtract"] },
  needs: RESET_NEEDS,
  numerics: {
    snntorch: { threshold: 1, fire: "gt", resetDelay: true, resetInput: true, surrogate: atan() },
  },
  step(argument, choices) {
    const { current, v, threshold, resetValue, constant } = argument;
    return fired(argument, choices, { v, threshold, resetValue, decay: () => constant(0), input: current });
  },
});

/** Options of {@link SpikingLSTM}: those of its membrane, as of other neurons, and these. */
export interface SpikingLSTMOptions extends OutputOptions {
  /** Whether the gates have biases; default true. */
  readonly bias?: boolean;
  /** Where the initial weights come from; the default generator if not given. */
  readonly generator?: Generator;
}

type OutputOptions = NeuronOptions<"threshold" | "resetValue", typeof RESET, "snntorch">;

/** State between time steps, [B, H] each. */
export interface SpikingLSTMState {
  /** c of the cell. */
  readonly c: Tensor;
  /** The membrane, which is fed back to the gates. */
  readonly v: Tensor;
  /** Steps that each neuron is still held, where `refractorySteps` is not 0. */
  readonly refractory?: Tensor;
}

/** The result of {@link SpikingLSTM.unroll}; all differentiable. */
export interface SpikingLSTMRecord {
  /** s, [T, B, H]. */
  readonly spikes: Tensor;
  /** u, the membrane before the reset, [T, B, H]. */
  readonly membrane: Tensor;
  /** v, after it, [T, B, H]. */
  readonly v: Tensor;
  /** c, [T, B, H]. */
  readonly c: Tensor;
  /** The state after the last step. */
  readonly state: SpikingLSTMState;
}

/** The weights of the gates, named as PyTorch names them. */
export class Gates extends Module {
  /** Of the input, [4H, in]: input gate, forget gate, cell, output gate. */
  readonly weight_ih: Tensor;
  /** Of the membrane, [4H, H]. */
  readonly weight_hh: Tensor;
  /** [4H], or null. */
  readonly bias_ih: Tensor | null;
  /** [4H], or null. */
  readonly bias_hh: Tensor | null;

  constructor(inputs: number, hidden: number, bias: boolean, generator: Generator) {
    super();
    const own = startUniform("SpikingLSTM", [4 * hidden, inputs], hidden, bias, generator);
    const back = startUniform("SpikingLSTM", [4 * hidden, hidden], hidden, bias, generator);
    [this.weight_ih, this.weight_hh] = [own[0], back[0]];
    [this.bias_ih, this.bias_hh] = [own[1], back[1]];
  }

  /** The product of the input with the weights of the gates, [..., in] → [..., 4H]. */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight_ih, this.bias_ih);
  }
}

/** The state as tensors, and what is fed to the membrane. */
interface From {
  readonly c: Tensor;
  readonly neuron: InstanceState;
}

type InstanceState = Parameters<InstanceType<typeof Output>["step"]>[1];

/**
 * LSTM whose output is a membrane that fires, snnTorch's `SLSTM`.
 *
 *   i, f, g, o = W_ih·x[t] + b_ih + W_hh·v[t−1] + b_hh
 *   c[t] = σ(f)·c[t−1] + σ(i)·tanh(g)      u[t] = σ(o)·tanh(c[t])
 *   s[t] = 1 if u[t] ≥ θ else 0            v[t] = reset of u[t]
 *
 * Resets as in {@link LIF}, default "none"; they leave c as it is. A delayed reset to "zero" with resetInput, as in snnTorch, gives u = 0
 * in its step, a delayed "subtract" takes θ off. `numerics: "snntorch"`: θ = 1, fire "gt", resetDelay, resetInput,
 * surrogate.atan(); |u| < 1, so that a neuron with θ = 1 never fires.
 *
 * Shapes: x [T, B, in] → spikes [T, B, H]. Parameters `lstm_cell.weight_ih` [4H, in], `lstm_cell.weight_hh` [4H, H], `lstm_cell.bias_ih` and
 * `lstm_cell.bias_hh` [4H], uniform in ±1/√H as in PyTorch's LSTMCell. θ [] or [H], default 0.5. Starts from
 * c = v = 0. The products of all inputs are one, the steps follow one after the other.
 *
 * @throws RangeError unless both sizes are positive integers, or as neurons do; TypeError for an option of another name or kind.
 * @see Hochreiter and Schmidhuber (1997), Long Short-Term Memory, Neural Computation 9(8); Eshraghian et al. (2023), Training Spiking
 *   Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 */
export class SpikingLSTM extends Module {
  /** Size of the last axis of x. */
  readonly inFeatures: number;
  /** H, the size of the last axis of the spikes. */
  readonly hiddenFeatures: number;
  /** W_ih, W_hh and their biases. */
  readonly lstm_cell: Gates;
  /** The membrane: threshold and reset. */
  readonly neuron: InstanceType<typeof Output>;

  constructor(inFeatures: number, hiddenFeatures: number, options: SpikingLSTMOptions = {}) {
    super();
    const { bias = true, generator, ...others } = objectOf("SpikingLSTM", "options", options) as SpikingLSTMOptions;
    if (typeof bias !== "boolean") throw wrongType("SpikingLSTM", "bias of type boolean", bias);
    this.inFeatures = numberOf("SpikingLSTM", "inFeatures", inFeatures, COUNT);
    this.hiddenFeatures = numberOf("SpikingLSTM", "hiddenFeatures", hiddenFeatures, COUNT);
    const from = generatorOf("SpikingLSTM", generator);
    // Both or none: a tape that fails frees what was made in it.
    const [neuron, cell] = noGrad((): [InstanceType<typeof Output>, Gates] => [
      new Output(others as ConstructorParameters<typeof Output>[0]),
      new Gates(inFeatures, hiddenFeatures, bias, from),
    ]);
    this.lstm_cell = cell;
    this.neuron = neuron;
  }

  /**
   * Spikes [T, B, H] of inputs [T, B, in], from the zero state.
   *
   * @throws RangeError unless x has a time axis and as many features.
   */
  forward(x: Tensor): Tensor {
    this.check(x);
    if (observer !== null) return composed(SpikingLSTM.recorded, this, x, null).spikes;
    return composed(SpikingLSTM.fire, this, x);
  }

  private static fire(layer: SpikingLSTM, x: Tensor): Tensor {
    const { steps } = SpikingLSTM.run(layer, x, null, (h, from) => {
      const [spikes, next] = layer.neuron.step(h, from);
      return { output: spikes, next };
    });
    return stack(steps.map(({ output }) => output));
  }

  /** All steps from a state on, by default zero: `advance` gives the output of the membrane and its next state. */
  private static run<Output>(
    layer: SpikingLSTM,
    x: Tensor,
    given: From | null,
    advance: (h: Tensor, from: InstanceState, continues: boolean) => { output: Output; next: InstanceState },
  ): { steps: { output: Output; c: Tensor }[]; last: From } {
    let last = given ?? SpikingLSTM.started(layer, x.sizes.slice(1, -1));
    const steps = layer.lstm_cell
      .forward(x)
      .unbind(0)
      .map((gates, t) => {
        const { h, c } = layer.cell(gates, last);
        const { output, next } = advance(h, last.neuron, given !== null || t > 0);
        last = { c, neuron: next };
        return { output, c };
      });
    return { steps, last };
  }

  /**
   * Spikes, membrane and cell over time, [T, B, H], from a given state on, by default zero; all differentiable.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step, [B, H].
   */
  unroll(x: Tensor, state?: SpikingLSTMState): SpikingLSTMRecord {
    this.check(x);
    const from = state === undefined ? null : this.read(state, x.sizes.slice(1, -1));
    return composed(SpikingLSTM.recorded, this, x, from);
  }

  private static recorded(layer: SpikingLSTM, x: Tensor, given: From | null): SpikingLSTMRecord {
    const { steps, last } = SpikingLSTM.run(layer, x, given, (h, from, continues) => {
      const output = layer.seen(h, from, continues);
      return { output, next: output.state };
    });
    const spikes = stack(steps.map(({ output }) => output.spikes.squeeze(0)));
    const all = resultOf("spikes", spikes, { c: last.c, ...last.neuron }, ["membrane", "v", "c"], (name) => {
      return stack(steps.map(({ output, c }) => (name === "c" ? c : output[name as "membrane" | "v"].squeeze(0))));
    });
    return all as unknown as SpikingLSTMRecord;
  }

  /**
   * One time step: x [B, in] → spikes [B, H] and the next state; the same bits as `forward`.
   *
   * @throws RangeError as `unroll`.
   */
  step(x: Tensor, state: SpikingLSTMState): [spikes: Tensor, state: SpikingLSTMState] {
    alive(x, "SpikingLSTM");
    this.checkFeatures(x.sizes);
    return composed(SpikingLSTM.advanced, this, x, this.read(state, x.sizes.slice(0, -1)));
  }

  private static advanced(layer: SpikingLSTM, x: Tensor, from: From): [Tensor, SpikingLSTMState] {
    const { h, c } = layer.cell(layer.lstm_cell.forward(x), from);
    if (observer !== null) {
      const { spikes, state } = layer.seen(h, from.neuron, true);
      return [spikes.squeeze(0), { c, ...state }];
    }
    const [spikes, neuron] = layer.neuron.step(h, from.neuron);
    return [spikes, { c, ...neuron }];
  }

  /**
   * The zero state for inputs of the shape of one step, [B, in].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  initialState(shape: readonly number[]): SpikingLSTMState {
    const own = checkShape("SpikingLSTM", shape);
    this.checkFeatures(own);
    const { c, neuron } = composed(SpikingLSTM.started, this, own.slice(0, -1));
    return { c, ...neuron };
  }

  private static started(layer: SpikingLSTM, batch: Shape): From {
    const shape = [...batch, layer.hiddenFeatures];
    return { c: zeros(shape), neuron: layer.neuron.initialState(shape) };
  }

  /** One step of the membrane as a record; an observer sees a step of this layer, not of its membrane. */
  private seen(h: Tensor, from: InstanceState, continues: boolean): ReturnType<InstanceType<typeof Output>["unroll"]> {
    const run = (own: Tensor) => this.neuron.unroll(own, from);
    const current = h.unsqueeze(0);
    return observer === null ? run(current) : observer.run(this, current, continues, run);
  }

  /** h and c of the cell, from what the input adds to its gates. */
  private cell(gates: Tensor, { c, neuron }: From): { h: Tensor; c: Tensor } {
    const { weight_hh, bias_hh } = this.lstm_cell;
    const H = this.hiddenFeatures;
    const all = gates.add(linear(neuron.v, weight_hh, bias_hh));
    const opened = all.sigmoid();
    const gate = (x: Tensor, i: number) => x.slice(-1, i * H, (i + 1) * H);
    const next = gate(opened, 1)
      .mul(c)
      .add(gate(opened, 0).mul(gate(all, 2).tanh()));
    return { h: gate(opened, 3).mul(next.tanh()), c: next };
  }

  private check(x: Tensor): void {
    checkSequence("SpikingLSTM", "inputs", x);
    this.checkFeatures(x.sizes.slice(1));
  }

  /** Throws unless a step of this shape has as many features as the layer. */
  private checkFeatures(step: Shape): void {
    const { inFeatures } = this;
    if (step[step.length - 1] === inFeatures) return;
    throw wrongValue("SpikingLSTM", `a step [B, …, ${inFeatures}]`, formatShape(step));
  }

  /** The state, read once; the neuron checks its own part. */
  private read(state: SpikingLSTMState, batch: Shape): From {
    const { c, ...neuron } = Object(state) as SpikingLSTMState;
    checkState("SpikingLSTM", "c", c, [...batch, this.hiddenFeatures]);
    return { c, neuron: neuron as InstanceState };
  }
}
