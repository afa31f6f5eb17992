/** A plastic connection and its postsynaptic neurons as one layer, for `Sequential` and `Stream`. */
import { objectOf, wrongType } from "../../engine/arguments.ts";
import { persist, touch } from "../../engine/extend.ts";
import { Module, noGrad, stack, type Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import { Stage } from "../layer/stage.ts";
import { isUnchanged, type Run, Temporal, type Wanted } from "../layer/temporal.ts";
import { stageOf } from "../stream/stages.ts";
import { Plastic } from "./plastic.ts";
import { type PlasticState, type PlasticStepOptions, type WorkingState, workingState } from "./plastic-options.ts";

/** Neurons after a plastic connection: a layer with a state, such as {@link LIF}. */
export interface SteppingNeurons<State> extends Module {
  /** One time step. */
  step(current: Tensor, state: State): readonly [spikes: Tensor, state: State];
  /** The state before the first step, for currents of the shape of one step. */
  initialState(shape: Shape): State;
}

/** State of a {@link PlasticLayer} between time steps. */
export interface PlasticLayerState<State> {
  /** State of the connection, whose tensors a step overwrites. */
  readonly plastic: PlasticState;
  /** State of the neurons. */
  readonly neurons: State;
}

/** Result of {@link PlasticLayer.unroll}. */
export interface PlasticLayerRecord<State> {
  /** s, [T, B, …]. */
  readonly spikes: Tensor;
  /** The state after the last step. */
  readonly state: PlasticLayerState<State>;
}

/** A run, and the state after it. */
class Steps<State> implements Run {
  readonly z: Tensor;
  readonly names = [];
  readonly state: PlasticLayerState<State>;

  constructor([z, state]: readonly [Tensor, PlasticLayerState<State>]) {
    this.z = z;
    this.state = state;
  }

  output(): Tensor {
    return this.z;
  }
}

/**
 * A plastic connection and its postsynaptic neurons, as a layer that learns from the spikes that pass through it:
 *
 *   I[t] = layer(x[t])      s[t] = neurons(I[t])      the rule changes the weight of the layer by x[t] and s[t]
 *
 * The layer runs in `Sequential` and, online, in `Stream`, and learns while `learning` is true. Every step passes `reward` to the rule; undefined
 * means none. Tapes do not record the layer, so it has no gradient.
 *
 * Shapes: x [T, B, in] → spikes [T, B, out]; for a convolution [T, B, C, …] → [T, B, O, …].
 *
 * @throws TypeError for anything but a {@link Plastic}, or neurons without step and initialState.
 *
 * @example
 * ```ts
 * import { LIF, Linear, Plastic, PlasticLayer, STDP, Stream } from "jarvis-snn";
 *
 * const layer = new Linear(4, 2, { bias: false });
 * layer.weight.copyFrom(new Float32Array(8).fill(0.5));
 * const learner = new PlasticLayer(new Plastic(layer, new STDP({ aPlus: 0.1 }), { bounds: [0, 1] }), new LIF());
 * const stream = new Stream(learner, [1, 4]);
 * for (let t = 0; t < 5; t++) stream.step([1, 1, 0, 0]); // learns as the input comes in
 * learner.learning = false; // from now on the weights stay
 * console.log(`${layer.weight.select(0, 0)}`); // Tensor([4], [1, 1, 0.5, 0.5])
 * ```
 */
export class PlasticLayer<State = unknown> extends Temporal<
  PlasticLayerState<State>,
  PlasticLayerRecord<State>,
  PlasticLayerState<State>,
  Steps<State>
> {
  /** The connection, with its layer and its rule. */
  readonly plastic: Plastic;
  /** The layer whose weight the rule changes. */
  readonly connection: Module;
  /** The postsynaptic neurons. */
  readonly neurons: SteppingNeurons<State>;
  /** Whether steps change the weight. Default true. */
  learning = true;
  /** Reward of the following steps. Default none. */
  reward: PlasticStepOptions["reward"] = undefined;

  constructor(plastic: Plastic, neurons: SteppingNeurons<State>) {
    super();
    if (!(plastic instanceof Plastic)) throw wrongType("PlasticLayer", "a Plastic", plastic);
    const isStepping = typeof neurons?.step === "function" && typeof neurons?.initialState === "function";
    if (!(neurons instanceof Module && isStepping)) {
      throw wrongType("PlasticLayer", "neurons with step and initialState", neurons);
    }
    this.plastic = plastic;
    this.connection = plastic.layer;
    this.neurons = neurons;
  }

  protected override get where(): string {
    return "PlasticLayer";
  }

  protected override get mainOutput(): string {
    return "spikes";
  }

  protected override get inputName(): string {
    return "spikes";
  }

  /** Steps run under noGrad, which frees the tensors that they make. */
  protected override isComposed(): boolean {
    return false;
  }

  /** Empty, since the connection checks its input. */
  protected override checkInput(_shape: Shape): void {}

  protected override read(state: PlasticLayerState<State>): PlasticLayerState<State> {
    return objectOf("PlasticLayer", "a state { plastic, neurons }", state) as unknown as typeof state;
  }

  protected override start(step: Shape): PlasticLayerState<State> {
    return {
      plastic: this.plastic.initialState(step),
      neurons: this.neurons.initialState(this.plastic.outputShape(step)),
    };
  }

  protected override advance(
    x: Tensor,
    T: number,
    step: Shape,
    from: PlasticLayerState<State> | null,
    wanted: Wanted,
  ): Steps<State> {
    return new Steps(noGrad(() => this.steps(x, T, step, from, wanted)));
  }

  private steps(
    x: Tensor,
    T: number,
    step: Shape,
    from: PlasticLayerState<State> | null,
    wanted: Wanted,
  ): [Tensor, PlasticLayerState<State>] {
    let { plastic, neurons } = from ?? this.start(step);
    let isKept = from !== null;
    try {
      const isOne = x.ndim === step.length;
      const inputs = isOne ? [x] : x.unbind(0);
      const spikes: Tensor[] = [];
      for (let t = 0; t < T; t++) {
        const now = inputs[t] as Tensor;
        const [fired, next] = this.neurons.step(this.connection.forward(now), neurons);
        plastic = this.learn(now, fired, plastic);
        neurons = next;
        spikes.push(fired);
      }
      const z = isOne ? (spikes[0] as Tensor) : stack(spikes);
      isKept ||= wanted !== "main";
      // A returned state outlives noGrad.
      return [z, isKept ? { plastic, neurons } : (null as never)];
    } finally {
      // The state lies outside of tapes, so no tape frees its tensors.
      if (!isKept) for (const t of tensorsOf(plastic)) t.dispose();
    }
  }

  protected override stateAfter({ state }: Steps<State>): PlasticLayerState<State> {
    return state;
  }

  private learn(x: Tensor, spikes: Tensor, state: PlasticState): PlasticState {
    return this.learning ? this.plastic.step(x, spikes, state, this.options()) : state;
  }

  private options(): PlasticStepOptions | undefined {
    return this.reward === undefined ? undefined : { reward: this.reward };
  }

  /** @internal */
  override stage(input: Tensor): Stage | null {
    if (!isUnchanged(this)) return null;
    const connection = stageOf(this.connection, input);
    const neurons = stageOf(this.neurons, connection.output);
    const state = workingState("Stream", this.plastic.rule, this.plastic.initialState(input.sizes));
    for (const t of tensorsOf(state)) persist(t);
    const check = () => {
      if (this.learning) Plastic.check(this.plastic, input.sizes[0] as number, this.reward);
    };
    return new Stage(neurons.output, { state: tensorsOf(state), parts: [connection, neurons], check }, () => {
      connection.step();
      neurons.step();
      touch(neurons.output);
      if (this.learning) Plastic.inPlace(this.plastic, input, neurons.output, state, this.options());
    });
  }
}

const tensorsOf = ({ traces, synapses }: WorkingState): Tensor[] => [
  ...Object.values(traces),
  ...Object.values(synapses),
];
