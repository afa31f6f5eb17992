/** The spiking LSTM: an LSTM cell whose output drives a membrane. */
import { COUNT, numberOf, objectOf, wrongType, wrongValue } from "../../engine/arguments.ts";
import { generatorOf } from "../../engine/extend.ts";
import { type Generator, linear, Module, noGrad, stack, type Tensor, zeros } from "../../engine/index.ts";
import { layerTap, startUniform } from "../../engine/protocol.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { checkState } from "../layer/checks.ts";
import { type Run, Temporal, type Wanted } from "../layer/temporal.ts";
import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { fired, LATE_RESET, RESET_NEEDS } from "../neuron/reset.ts";
import { atan } from "../surrogates/known.ts";

/** The membrane: each step replaces it by the output of the cell; only a delayed reset depends on the previous step. */
const Output = lazyNeuron({
  name: "SpikingLSTM",
  state: { v: 0 },
  parameters: {
    /** θ, in the unit of v. Default 0.5. */
    threshold: 0.5,
    /** Value to which `reset: "zero"` sets v; an error with other values of `reset`. Default 0. */
    resetValue: 0,
  },
  choices: united(
    {
      /** Effect of a spike on v: "none" leaves v, "zero" sets it to resetValue, "subtract" subtracts θ. Default "none". */
      reset: ["none", "zero", "subtract"],
    },
    LATE_RESET,
  ),
  needs: RESET_NEEDS,
  numerics: {
    snntorch: { threshold: 1, fire: "gt", resetDelay: true, resetInput: true, surrogate: /* @__PURE__ */ atan() },
  },
  step(argument, choices) {
    const { current, v, threshold, resetValue, constant } = argument;
    return fired(argument, choices, { v, threshold, resetValue, decay: () => constant(0), input: current });
  },
});

/** Options of {@link SpikingLSTM}: those of the cell, and those of its membrane as for other neurons. */
export interface SpikingLSTMOptions extends OutputOptions {
  /** Whether the gates have biases; default true. */
  readonly bias?: boolean;
  /** Generator of the initial weights; the default generator if not given. */
  readonly generator?: Generator;
}

type OutputOptions = NonNullable<ConstructorParameters<typeof Output>[0]>;

/** State between time steps, [B, H] each. */
export interface SpikingLSTMState {
  /** c, the state of the cell. */
  readonly c: Tensor;
  /** The membrane, which is fed back to the gates. */
  readonly v: Tensor;
  /** Remaining refractory steps of each neuron, if `refractorySteps` is not 0. */
  readonly refractory?: Tensor;
}

/** Result of {@link SpikingLSTM.unroll}; all outputs are differentiable. */
export interface SpikingLSTMRecord {
  /** s, [T, B, H]. */
  readonly spikes: Tensor;
  /** u, the membrane before the reset, [T, B, H]. */
  readonly membrane: Tensor;
  /** v, the membrane after the reset, [T, B, H]. */
  readonly v: Tensor;
  /** c, the state of the cell, [T, B, H]. */
  readonly c: Tensor;
  /** The state after the last step. */
  readonly state: SpikingLSTMState;
}

/** Weights of the gates, with PyTorch's names. */
export class Gates extends Module {
  /** Weights of the input, [4H, in]: input gate, forget gate, cell, output gate. */
  readonly weight_ih: Tensor;
  /** Weights of the membrane, [4H, H]. */
  readonly weight_hh: Tensor;
  /** Biases of the input, [4H], or null. */
  readonly bias_ih: Tensor | null;
  /** Biases of the membrane, [4H], or null. */
  readonly bias_hh: Tensor | null;

  constructor(inputs: number, hidden: number, bias: boolean, generator: Generator) {
    super();
    const own = startUniform("SpikingLSTM", [4 * hidden, inputs], hidden, bias, generator);
    const back = startUniform("SpikingLSTM", [4 * hidden, hidden], hidden, bias, generator);
    [this.weight_ih, this.weight_hh] = [own[0], back[0]];
    [this.bias_ih, this.bias_hh] = [own[1], back[1]];
  }

  /** Product of the input with the gate weights, [..., in] → [..., 4H]. */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight_ih, this.bias_ih);
  }
}

/** The state as tensors, and the state of the membrane. */
interface From {
  readonly c: Tensor;
  readonly neuron: InstanceState;
}

type InstanceState = Parameters<InstanceType<typeof Output>["step"]>[1];

type Membrane = ReturnType<InstanceType<typeof Output>["unroll"]>;

const OUTPUTS = ["membrane", "v", "c"] as const;

/** A run of the cell, and the state after it. */
class Steps implements Run {
  readonly z: Tensor;
  readonly last: From;
  readonly names = OUTPUTS;
  private readonly records: readonly Membrane[];
  private readonly cells: readonly Tensor[];

  constructor(z: Tensor, last: From, records: readonly Membrane[], cells: readonly Tensor[]) {
    this.z = z;
    this.last = last;
    this.records = records;
    this.cells = cells;
  }

  output(index: number): Tensor {
    const name = OUTPUTS[index] as (typeof OUTPUTS)[number];
    return stack(name === "c" ? this.cells : this.records.map((record) => record[name].squeeze(0)));
  }
}

/**
 * LSTM whose output is a membrane that fires, snnTorch's `SLSTM`.
 *
 *   i, f, g, o = W_ih·x[t] + b_ih + W_hh·v[t−1] + b_hh
 *   c[t] = σ(f)·c[t−1] + σ(i)·tanh(g)      u[t] = σ(o)·tanh(c[t])
 *   s[t] = 1 if u[t] ≥ θ else 0            v[t] = reset of u[t]
 *
 * Resets are those of {@link LIF}, default "none"; they do not change c. A delayed reset to "zero" with resetInput, as in snnTorch, sets u = 0 in its
 * step; a delayed "subtract" subtracts θ. `numerics: "snntorch"`: θ = 1, fire "gt", resetDelay, resetInput, surrogate.atan(). Since |u| < 1, a neuron
 * with θ = 1 never fires.
 *
 * Shapes: x [T, B, in] → spikes [T, B, H]. Parameters `lstm_cell.weight_ih` [4H, in], `lstm_cell.weight_hh` [4H, H], `lstm_cell.bias_ih` and
 * `lstm_cell.bias_hh` [4H], uniform in ±1/√H as in PyTorch's LSTMCell. θ [] or [H], default 0.5. Starts from c = v = 0. One product covers the inputs
 * of all steps; the rest runs step by step.
 *
 * @throws RangeError unless both sizes are positive integers, and as for other neurons; TypeError for an unknown option or a value of the wrong type.
 * @see Hochreiter and Schmidhuber (1997), Long Short-Term Memory, Neural Computation 9(8); Eshraghian et al. (2023), Training Spiking
 *   Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { rand, SpikingLSTM } from "jarvis-snn";
 *
 * const layer = new SpikingLSTM(4, 8, { threshold: 0.1 });
 * const { spikes, state } = layer.unroll(rand([20, 2, 4])); // [T, B, in]
 * console.log(spikes.shape, state.c.shape); // [ 20, 2, 8 ] [ 2, 8 ]
 * ```
 */
export class SpikingLSTM extends Temporal<SpikingLSTMState, SpikingLSTMRecord, From, Steps> {
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
    // Copies the options: a destructuring pattern with a rest would call an own getter twice in V8.
    const own: SpikingLSTMOptions = { ...objectOf("SpikingLSTM", "options", options) };
    const { bias = true, generator, ...others } = own;
    if (typeof bias !== "boolean") throw wrongType("SpikingLSTM", "bias of type boolean", bias);
    this.inFeatures = numberOf("SpikingLSTM", "inFeatures", inFeatures, COUNT);
    this.hiddenFeatures = numberOf("SpikingLSTM", "hiddenFeatures", hiddenFeatures, COUNT);
    const from = generatorOf("SpikingLSTM", generator);
    // Both or none: a failing tape frees all tensors made in it.
    const [neuron, cell] = noGrad((): [InstanceType<typeof Output>, Gates] => [
      new Output(others as OutputOptions),
      new Gates(inFeatures, hiddenFeatures, bias, from),
    ]);
    this.lstm_cell = cell;
    this.neuron = neuron;
  }

  protected override get where(): string {
    return "SpikingLSTM";
  }

  protected override get mainOutput(): string {
    return "spikes";
  }

  protected override get inputName(): string {
    return "inputs";
  }

  protected override checkInput(shape: Shape): void {
    const { inFeatures } = this;
    if (shape.length > 1 && shape[shape.length - 1] === inFeatures) return;
    throw wrongValue("SpikingLSTM", `a step [B, …, ${inFeatures}]`, formatShape(shape.slice(1)));
  }

  protected override checkStart(step: Shape): void {
    this.checkStep(step);
  }

  protected override start(step: Shape): SpikingLSTMState {
    const { c, neuron } = this.started(step);
    return { c, ...neuron };
  }

  private started(step: Shape): From {
    const shape = [...step.slice(0, -1), this.hiddenFeatures];
    return { c: zeros(shape), neuron: this.neuron.initialState(shape) };
  }

  /** The state, read once; the neuron checks its own part. */
  protected override read(state: SpikingLSTMState, step: Shape): From {
    const { c, ...neuron } = Object(state) as SpikingLSTMState;
    checkState("SpikingLSTM", "c", c, [...step.slice(0, -1), this.hiddenFeatures]);
    return { c, neuron: neuron as InstanceState };
  }

  protected override advance(x: Tensor, T: number, step: Shape, from: From | null, wanted: Wanted): Steps {
    let { c, neuron } = from ?? this.started(step);
    const product = this.lstm_cell.forward(x);
    const isOne = x.ndim === step.length;
    const gates = isOne ? [product] : product.unbind(0);
    const isSeen = wanted === "all" || layerTap !== null;
    const [spikes, records, cells]: [Tensor[], Membrane[], Tensor[]] = [[], [], []];
    for (let t = 0; t < T; t++) {
      const { h, c: next } = this.cell(gates[t] as Tensor, c, neuron.v);
      c = next;
      if (isSeen) {
        const record = this.fire(h, neuron, from !== null || t > 0);
        neuron = record.state;
        spikes.push(record.spikes.squeeze(0));
        records.push(record);
        cells.push(c);
      } else {
        const [fired, after] = this.neuron.step(h, neuron);
        neuron = after;
        spikes.push(fired);
      }
    }
    return new Steps(isOne ? (spikes[0] as Tensor) : stack(spikes), { c, neuron }, records, cells);
  }

  protected override stateAfter({ last: { c, neuron } }: Steps): SpikingLSTMState {
    return { c, ...neuron };
  }

  /** One step of the membrane; a tap sees it as a step of this layer. */
  private fire(h: Tensor, from: InstanceState, continues: boolean): Membrane {
    const run = (own: Tensor) => this.neuron.unroll(own, from);
    const current = h.unsqueeze(0);
    return layerTap === null ? run(current) : layerTap.run(this, current, continues, run);
  }

  /** h and c of the cell, from the input's part of the gates. */
  private cell(gates: Tensor, c: Tensor, v: Tensor): { h: Tensor; c: Tensor } {
    const { weight_hh, bias_hh } = this.lstm_cell;
    const H = this.hiddenFeatures;
    const all = gates.add(linear(v, weight_hh, bias_hh));
    const opened = all.sigmoid();
    const gate = (x: Tensor, i: number) => x.slice(-1, i * H, (i + 1) * H);
    const next = gate(opened, 1)
      .mul(c)
      .add(gate(opened, 0).mul(gate(all, 2).tanh()));
    return { h: gate(opened, 3).mul(next.tanh()), c: next };
  }
}
