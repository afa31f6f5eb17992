import {
  alive,
  COUNT,
  checkShape,
  composed,
  formatShape,
  forwardOf,
  generatorOf,
  moduleOf,
  numberOf,
  type Shape,
  sameShape,
  show,
  withDefaults,
  wrongType,
} from "../engine/extend.ts";
import {
  concat,
  type Generator,
  Linear,
  linear,
  Module,
  mul,
  ones,
  parameter,
  stack,
  type Tensor,
  zeros,
} from "../engine/index.ts";
import { axesHint, checkSequence, checkState } from "./checks.ts";
import { itself, lazy } from "./lazy.ts";

/** A layer of neurons: `LIF`, or one of a class that `neuron` has made. */
export interface SpikingLayer<State, Result> extends Module {
  /** All that the neurons give over time, from a state on. */
  unroll(current: Tensor, state?: State): Result;
  /** One time step. */
  step(current: Tensor, state: State): readonly [spikes: Tensor, state: State];
  /** The state before the first step. */
  initialState(shape: readonly number[]): State;
}

/** Options of {@link Recurrent}. */
export interface RecurrentOptions {
  /** N, the neurons of the layer, the size of the last axis of the current; for the connections "all" and "one". */
  features?: number;
  /**
   * "all": every neuron feeds every neuron (default). "one": each feeds itself. Or a module such as `Conv2d`, which maps spikes
   * [1, B, …] to a current of that shape.
   */
  connection?: "all" | "one" | Module;
  /** Whether the connection "all" has a bias; default true. */
  bias?: boolean;
  /** Where the initial weights come from; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS = {
  features: undefined as number | undefined,
  connection: undefined as "all" | "one" | Module | undefined,
  bias: true,
  generator: undefined as Generator | undefined,
} satisfies Record<keyof RecurrentOptions, unknown>;

/** State between time steps: that of the neurons, and the spikes that are fed back. */
export type RecurrentState<State> = State & {
  /** s of the step before, [B, …]. */
  readonly spikes: Tensor;
};

/** What {@link Recurrent.unroll} gives: what the neurons give, and the state after the last step. */
export type RecurrentRecord<State, Result> = Omit<Result, "state"> & {
  /** The state after the last step. */
  readonly state: RecurrentState<State>;
};

/** What neurons give that can be linked. */
export interface SpikingResult<State> {
  /** s, [T, B, …]. */
  readonly spikes: Tensor;
  /** The state after the last step. */
  readonly state: State;
}

/**
 * Neurons that are fed back their spikes of the step before, whatever their step:
 *
 *   I[t] = current[t] + W·s[t−1] + b   (connection "all")
 *   I[t] = current[t] + V ⊙ s[t−1]     (connection "one")
 *   I[t] = current[t] + module(s[t−1])
 *
 * W [N, N] is `recurrent.weight` and b [N] `recurrent.bias`, as {@link Linear} starts them; V [N] starts at 1. Shapes: current
 * [T, B, …] → spikes [T, B, …]. Starts from no spikes. Steps are composed, one after the other.
 *
 *     new Recurrent(new AdaptiveLIF({ learn: ["beta"] }), { features: 128 })
 *
 * @throws RangeError unless features is a positive integer where the connection has none of its own, or for an unknown connection;
 *   TypeError for neurons without step, unroll and initialState, or an option of another name or kind.
 */
export class Recurrent<State extends object, Result extends SpikingResult<State>> extends Module {
  /** The neurons. */
  readonly neuron: SpikingLayer<State, Result>;
  /** W and b where every neuron feeds every neuron, or the module that connects them, else null. */
  readonly recurrent: Module | null;
  /** The weight of each neuron's own spikes, [N], or null. */
  readonly V: Tensor | null;
  private readonly features: number | null;

  constructor(neuron: SpikingLayer<State, Result>, options: RecurrentOptions) {
    super();
    this.neuron = neuronsOf(neuron);
    const { features, connection = "all", bias, generator: source } = withDefaults(WHERE, DEFAULTS, options);
    const generator = generatorOf(WHERE, source);
    if (typeof connection === "string" && connection !== "all" && connection !== "one") {
      throw new RangeError(`${WHERE}: expected connection "all", "one" or a module, got ${show(connection)}`);
    }
    if (typeof connection !== "string") {
      if (features !== undefined)
        throw new RangeError(`${WHERE}: a module as the connection has no features, got ${show(features)}`);
      this.features = null;
      this.recurrent = moduleOf(WHERE, connection);
      this.V = null;
      return;
    }
    const n = numberOf(WHERE, "features", features, COUNT);
    this.features = n;
    this.recurrent = connection === "all" ? new Linear(n, n, { bias, generator }) : null;
    this.V = connection === "one" ? parameter(ones([n])) : null;
  }

  /**
   * Spikes [T, B, …] of a current [T, B, …], from the initial state and no spikes.
   *
   * @throws RangeError unless the current has a time axis and fits the neurons and the connection.
   */
  forward(current: Tensor): Tensor {
    this.check(current);
    return composed(Recurrent.run, this as unknown as AnyRecurrent, current);
  }

  private static run(layer: AnyRecurrent, current: Tensor): Tensor {
    let state = layer.initialState(current.sizes.slice(1));
    const steps = current.unbind(0).map((input) => {
      state = layer.advance(input, state);
      return state.spikes;
    });
    return stack(steps);
  }

  /**
   * All that the neurons give, over time, and the state after the last step, from a given state on; all differentiable. What is
   * not read costs what it costs the neurons, and is put together when it is read.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step.
   */
  unroll(current: Tensor, state?: RecurrentState<State>): RecurrentRecord<State, Result> {
    this.check(current);
    if (state !== undefined) checkState(WHERE, "spikes", Object(state).spikes, current.sizes.slice(1));
    const result = composed(
      Recurrent.recorded,
      this as unknown as AnyRecurrent,
      current,
      state as AnyState | undefined,
    );
    return result as unknown as RecurrentRecord<State, Result>;
  }

  private static recorded(layer: AnyRecurrent, current: Tensor, from: AnyState | undefined): object {
    const shape = current.sizes.slice(1);
    let state = from ?? layer.initialState(shape);
    const steps = current.unbind(0).map((input) => {
      const record = layer.neuron.unroll(input.add(layer.feedback(state.spikes)).unsqueeze(0), state) as AnyResult;
      state = { ...record.state, spikes: record.spikes.reshape(shape) } as AnyState;
      return record;
    });
    const spikes = concat(steps.map((record) => record.spikes));
    const all = { spikes, state };
    for (const name of Object.keys(Object.getOwnPropertyDescriptors(steps[0]))) {
      if (name in all) continue;
      const get = lazy(spikes, () => concat(steps.map((record) => record[name] as Tensor)), itself);
      Object.defineProperty(all, name, { enumerable: true, get });
    }
    return all;
  }

  /**
   * One time step: current [B, …] → spikes [B, …] and the next state; the same bits as `forward`.
   *
   * @throws RangeError as `unroll`.
   */
  step(current: Tensor, state: RecurrentState<State>): [spikes: Tensor, state: RecurrentState<State>] {
    alive(current, WHERE);
    this.checkFeatures([1, ...current.sizes]);
    checkState(WHERE, "spikes", Object(state).spikes, current.sizes);
    const next = composed(Recurrent.stepped, this as unknown as AnyRecurrent, current, state as AnyState);
    return [next.spikes, next as RecurrentState<State>];
  }

  private static stepped(layer: AnyRecurrent, current: Tensor, state: AnyState): AnyState {
    return layer.advance(current, state);
  }

  /**
   * The state before the first step, for currents of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  initialState(shape: readonly number[]): RecurrentState<State> {
    const own = checkShape(WHERE, shape);
    return composed(Recurrent.started, this as unknown as AnyRecurrent, own) as RecurrentState<State>;
  }

  private static started(layer: AnyRecurrent, shape: Shape): AnyState {
    return { ...layer.neuron.initialState(shape), spikes: zeros(shape) } as AnyState;
  }

  private advance(current: Tensor, state: RecurrentState<State>): RecurrentState<State> {
    const [spikes, next] = this.neuron.step(current.add(this.feedback(state.spikes)), state);
    return { ...next, spikes };
  }

  /** What spikes of the step before add to the current. */
  private feedback(spikes: Tensor): Tensor {
    const { recurrent, V } = this;
    if (recurrent === null) return mul(spikes, V as Tensor);
    if (recurrent instanceof Linear && recurrent.forward === LINEAR)
      return linear(spikes, recurrent.weight, recurrent.bias);
    const z = recurrent.forward(spikes.unsqueeze(0));
    alive(z, WHERE);
    if (!sameShape(z.sizes, [1, ...spikes.sizes])) {
      const expected = formatShape([1, ...spikes.sizes]);
      throw new RangeError(`${WHERE}: expected the connection to give ${expected}, got ${formatShape(z.sizes)}`);
    }
    return z.squeeze(0);
  }

  private check(current: Tensor): void {
    checkSequence(WHERE, "a current", current);
    this.checkFeatures(current.sizes);
  }

  /** Throws unless a current of this shape, [T, B, …], has as many neurons as the connection. */
  private checkFeatures(shape: Shape): void {
    const { features } = this;
    if (features === null || (shape.length > 1 && shape[shape.length - 1] === features)) return;
    const got = `${formatShape(shape)}${axesHint(shape, features)}`;
    throw new RangeError(`${WHERE}: expected a current [T, B, …, ${features}], got ${got}`);
  }
}

type AnyResult = Readonly<Record<string, unknown>> & { readonly spikes: Tensor; readonly state: object };
type AnyState = RecurrentState<object>;
type AnyRecurrent = Recurrent<object, AnyResult>;

const WHERE = "Recurrent";
const LINEAR = /* @__PURE__ */ forwardOf(Linear);

function neuronsOf<Layer extends Module>(layer: Layer): Layer {
  const { step, unroll, initialState } = moduleOf(WHERE, layer) as Module & Record<string, unknown>;
  if ([step, unroll, initialState].every((method) => typeof method === "function")) return layer;
  throw wrongType(WHERE, "a layer of neurons with step, unroll and initialState", layer);
}
