import { objectOf, wrongType } from "../../engine/arguments.ts";
import { composed } from "../../engine/composed.ts";
import { Module, noGrad, stack, type Tensor } from "../../engine/index.ts";
import { forwardOf } from "../../engine/nn/module.ts";
import { checkShape, type Shape } from "../../engine/shape.ts";
import { persist } from "../../engine/tape.ts";
import { alive, touch } from "../../engine/tensor.ts";
import { checkSequence } from "../checks.ts";
import { Stage, Staged } from "../stage.ts";
import { stageOf } from "../stages.ts";
import { Plastic } from "./plastic.ts";
import { type PlasticState, type PlasticStepOptions, type WorkingState, workingState } from "./plastic-options.ts";

/** Neurons behind a plastic connection: a layer with a state, such as {@link LIF}. */
export interface SteppingNeurons<State> extends Module {
  /** One time step. */
  step(current: Tensor, state: State): readonly [spikes: Tensor, state: State];
  /** The state before the first step, for currents of the shape of one step. */
  initialState(shape: Shape): State;
}

/** State of a {@link PlasticLayer} between time steps. */
export interface PlasticLayerState<State> {
  /** The state of the connection, whose tensors a step writes to. */
  readonly plastic: PlasticState;
  /** The state of the neurons. */
  readonly neurons: State;
}

/**
 * A plastic connection and the neurons behind it, as a layer that learns from the spikes that pass through it:
 *
 *   I[t] = layer(x[t])      s[t] = neurons(I[t])      the rule changes the weight of the layer by x[t] and s[t]
 *
 * The layer runs in `Sequential` and `Stream`, and learns while `learning` is true, in a stream as the input comes in. `reward` is given
 * to the rule in every step until it is set anew; undefined for none. A tape records no step: the layer has no gradient.
 *
 *     const network = new PlasticLayer(new Plastic(new Linear(784, 100), new STDP(), { bounds: [0, 1] }), new LIF());
 *     const stream = new Stream(network, [1, 784]);
 *
 * Shapes: x [T, B, in] → spikes [T, B, out]; of a convolution [T, B, C, …] → [T, B, O, …].
 *
 * @throws TypeError for what is no {@link Plastic}, or neurons without step and initialState.
 */
export class PlasticLayer<State = unknown> extends Staged {
  /** The connection, with its layer and its rule. */
  readonly plastic: Plastic;
  /** The layer whose weight the rule changes. */
  readonly connection: Module;
  /** The neurons behind it. */
  readonly neurons: SteppingNeurons<State>;
  /** Whether steps change the weight. Default true. */
  learning = true;
  /** The reward of the steps that follow. Default: none. */
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

  /**
   * Spikes [T, B, …] of x [T, B, …], from the state at the start; the weight changes on the way.
   *
   * @throws RangeError for shapes that do not fit, and what else {@link Plastic.step} throws for.
   */
  forward(x: Tensor): Tensor {
    checkSequence("PlasticLayer", "spikes", x);
    return noGrad(() => {
      let state = this.initialState(x.shape.slice(1));
      try {
        const spikes = x.unbind(0).map((now) => {
          const [s, next] = this.step(now, state);
          state = next;
          return s;
        });
        return stack(spikes);
      } finally {
        // The state lies outside of tapes: no tape frees its tensors.
        for (const t of tensorsOf(state.plastic)) t.dispose();
      }
    });
  }

  /**
   * One time step: x [B, …] → spikes [B, …] and the next state.
   *
   * @throws as `forward`.
   */
  step(x: Tensor, state: PlasticLayerState<State>): [spikes: Tensor, state: PlasticLayerState<State>] {
    alive(x, "PlasticLayer");
    const before = objectOf("PlasticLayer", "a state { plastic, neurons }", state) as unknown as typeof state;
    return noGrad(() => {
      const [spikes, neurons] = this.neurons.step(this.connection.forward(x), before.neurons);
      return [spikes, { plastic: this.learn(x, spikes, before.plastic), neurons }];
    });
  }

  private learn(x: Tensor, spikes: Tensor, state: PlasticState): PlasticState {
    return this.learning ? this.plastic.step(x, spikes, state, this.options()) : state;
  }

  private options(): PlasticStepOptions | undefined {
    return this.reward === undefined ? undefined : { reward: this.reward };
  }

  /**
   * The state before the first step, for x of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers that fit the connection.
   */
  initialState(shape: Shape): PlasticLayerState<State> {
    const own = checkShape("PlasticLayer", shape);
    return composed(() => ({
      plastic: this.plastic.initialState(own),
      neurons: this.neurons.initialState(this.plastic.outputShape(own)),
    }));
  }

  /** @internal */
  stage(input: Tensor): Stage | null {
    if (this.forward !== FORWARD) return null;
    const connection = stageOf(this.connection, input);
    const neurons = stageOf(this.neurons, connection.output);
    const state = workingState("Stream", this.plastic.rule, this.plastic.initialState(input.sizes));
    for (const t of tensorsOf(state)) persist(t);
    const check = () => {
      if (this.learning) Plastic.check(this.plastic, input.sizes[0] as number, this.reward);
    };
    return new PlasticStage(connection, neurons, tensorsOf(state), check, () => {
      if (this.learning) Plastic.inPlace(this.plastic, input, neurons.output, state, this.options());
    });
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(PlasticLayer);

const tensorsOf = ({ traces, synapses }: WorkingState): Tensor[] => [
  ...Object.values(traces),
  ...Object.values(synapses),
];

class PlasticStage extends Stage {
  private readonly connection: Stage;
  private readonly neurons: Stage;
  private readonly checkRule: () => void;
  private readonly learn: () => void;

  constructor(connection: Stage, neurons: Stage, state: readonly Tensor[], checkRule: () => void, learn: () => void) {
    super(neurons.output, { state, memory: [...connection.memory, ...neurons.memory] });
    this.connection = connection;
    this.neurons = neurons;
    this.checkRule = checkRule;
    this.learn = learn;
  }

  override check(): void {
    this.connection.check();
    this.neurons.check();
    this.checkRule();
  }

  step(): void {
    this.connection.step();
    this.neurons.step();
    touch(this.neurons.output);
    this.learn();
  }

  override reset(): void {
    super.reset();
    this.neurons.reset();
  }
}
