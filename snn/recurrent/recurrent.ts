/** Recurrent connections around any layer of neurons, by one fused op or step by step. */
import { COUNT, numberOf, show, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive, generatorOf, inReference, ready } from "../../engine/extend.ts";
import { inputSteps, Program, type StepDefinition, symbolsOf, type Value } from "../../engine/fuse/index.ts";
import type { Generator, Tensor } from "../../engine/index.ts";
import { concat, Linear, linear, Module, ones, parameter, stack, zeros } from "../../engine/index.ts";
import { checkChangeable, checkOptionalShape, moduleOf, readingAt, traitOf, weightOf } from "../../engine/protocol.ts";
import { formatShape, type Shape, sameShape } from "../../engine/shape.ts";
import { axesHint, checkState } from "../layer/checks.ts";
import { keptOf } from "../layer/kept.ts";
import { checkFeatures, own, type Stage } from "../layer/stage.ts";
import { steppingIn } from "../layer/stepping.ts";
import { isUnchanged, Temporal, type Run as TemporalRun, type Wanted } from "../layer/temporal.ts";
import { SYMBOLS } from "../neuron/described.ts";
import { isCompiled, Neurons } from "../neuron/neuron.ts";
import { CompiledNeuron } from "../neuron/op.ts";
import type { Named } from "../neuron/parameters.ts";
import { type LoopValue, onRecord, type ParameterOwner } from "../neuron/parameters.ts";
import { NeuronRun } from "../neuron/run.ts";
import { keptOfNeurons, neuronStage, stageOfNeurons } from "../stream/neurons.ts";
import { type Fed, feedbackOp, RecurrentRun } from "./op.ts";
import { withoutSelfConnections } from "./self-connections.ts";
import { recurrentStage } from "./stage.ts";

/** A layer of neurons: `LIF`, or an instance of a class made by `neuron`. */
export interface SpikingLayer<State, Result> extends Module {
  /** All outputs of the neurons over time, from a given state. */
  unroll(current: Tensor, state?: State): Result;
  /** One time step. */
  step(current: Tensor, state: State): readonly [spikes: Tensor, state: State];
  /** The state before the first step. */
  initialState(shape: readonly number[]): State;
}

/** Options of {@link Recurrent}. */
export interface RecurrentOptions {
  /** N, the neurons of the layer, the size of the last axis of the current; required by the connections "all" and "one". */
  features?: number;
  /**
   * "all": every neuron feeds every neuron (default). "one": each neuron feeds only itself. Or a module such as `Conv2d` that maps spikes
   * [1, B, …] to a current of that shape.
   */
  connection?: "all" | "one" | Module;
  /** Whether the connection "all" has a bias; default true. */
  bias?: boolean;
  /**
   * Whether neurons feed themselves too in the connection "all"; default true. false: the diagonal of W and its gradient are 0, as in
   * Norse without autapses.
   */
  selfConnections?: boolean;
  /** Generator of the initial weights; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS = {
  features: undefined as number | undefined,
  connection: undefined as "all" | "one" | Module | undefined,
  bias: true,
  selfConnections: true,
  generator: undefined as Generator | undefined,
} satisfies Record<keyof RecurrentOptions, unknown>;

/** State between time steps: the neurons' state, and the spikes to feed back. */
export type RecurrentState<State> = State & {
  /** s of the previous step, [B, …]. */
  readonly spikes: Tensor;
};

/** The result of {@link Recurrent.unroll}: outputs of the neurons, and the state after the last step. */
export type RecurrentRecord<State, Result> = Omit<Result, "state"> & {
  /** The state after the last step. */
  readonly state: RecurrentState<State>;
};

/** The result of `unroll` of neurons that can be recurrent. */
export interface SpikingResult<State> {
  /** s, [T, B, …]. */
  readonly spikes: Tensor;
  /** The state after the last step. */
  readonly state: State;
}

/**
 * Neurons of any kind, whose spikes are fed back with a delay of one step:
 *
 *   I[t] = current[t] + W·s[t−1] + b   (connection "all")
 *   I[t] = current[t] + V ⊙ s[t−1]     (connection "one")
 *   I[t] = current[t] + module(s[t−1])
 *
 * W [N, N] is `recurrent.weight` and b [N] `recurrent.bias`, initialised as by {@link Linear}; V [N] starts at 1. With
 * `selfConnections: false` the diagonal of W counts as 0 and gets no gradient. Shapes: current [T, B, …] → spikes [T, B, …]. The first step
 * gets no feedback. With the connections "all" and "one", a layer of compiled neurons is one op, and the cost of W·s grows with the number
 * of spikes. Other layers are composed of ops step by step, with the same bits.
 *
 * @throws RangeError for the connections "all" and "one" unless features is a positive integer, for an unknown connection, for
 *   `selfConnections: false` without the connection "all", and for a module with a state between steps, such as {@link Delay}; TypeError
 *   for neurons without step, unroll and initialState, for a readout, which has no spikes, and for an option of a wrong name or type.
 *
 * @example
 * ```ts
 * import { AdaptiveLIF, Linear, rand, Recurrent, Sequential } from "jarvis-snn";
 *
 * const neurons = new Recurrent(new AdaptiveLIF({ learn: ["beta"] }), { features: 128, selfConnections: false });
 * const network = new Sequential(new Linear(40, 128), neurons, new Linear(128, 2));
 * console.log(neurons.namedParameters().map(([name]) => name));
 * // [ 'neuron.beta', 'recurrent.weight', 'recurrent.bias' ]
 * console.log(network.forward(rand([100, 4, 40])).shape); // [ 100, 4, 2 ]
 * ```
 */
export class Recurrent<
  State extends object,
  Result extends SpikingResult<State>,
  Layer extends SpikingLayer<State, Result> = SpikingLayer<State, Result>,
> extends Temporal<RecurrentState<State>, RecurrentRecord<State, Result>, From, Run> {
  /** The neurons. */
  readonly neuron: Layer;
  /** W and b of the connection "all", or the module that connects the neurons, else null. */
  readonly recurrent: Module | null;
  /** The weight of each neuron's own spikes, [N], or null. */
  readonly V: Tensor | null;
  /** N, the number of neurons; null if a module connects them. */
  readonly features: number | null;
  private readonly op = feedbackOp(this.where);
  private linked: CompiledNeuron | null = null;
  /** The step of the neurons from which `linked` was made. */
  private linkedFrom: CompiledNeuron | null = null;

  constructor(neuron: Layer & SpikingLayer<State, Result>, options: RecurrentOptions) {
    super();
    const { where } = this;
    this.neuron = neuronsOf(where, neuron);
    const read = withDefaults(where, DEFAULTS, options);
    const { features, connection = "all", bias, selfConnections, generator: source } = read;
    const generator = generatorOf(where, source);
    if (typeof connection === "string" && connection !== "all" && connection !== "one") {
      throw wrongValue(where, 'connection "all", "one" or a module', show(connection));
    }
    if (!selfConnections && connection !== "all") {
      throw wrongValue(where, 'connection "all" with selfConnections false', show(connection));
    }
    if (typeof connection !== "string") {
      if (features !== undefined)
        throw new RangeError(`${where}: a module as the connection has no features, got ${show(features)}`);
      this.features = null;
      this.recurrent = statelessOf(where, moduleOf(where, connection));
      this.V = null;
      return;
    }
    const n = numberOf(where, "features", features, COUNT);
    this.features = n;
    const linear = connection === "all" ? new Linear(n, n, { bias, generator }) : null;
    if (linear !== null && !selfConnections) withoutSelfConnections(linear);
    this.recurrent = linear;
    this.V = connection === "one" ? parameter(ones([n])) : null;
  }

  protected override get where(): string {
    return "Recurrent";
  }

  protected override get mainOutput(): string {
    return "spikes";
  }

  protected override get inputName(): string {
    return "a current";
  }

  protected override get isObserved(): boolean {
    return true;
  }

  protected override checkInput(shape: Shape): void {
    this.checkFeatures(shape);
  }

  protected override advance(
    current: Tensor,
    T: number,
    step: Shape,
    from: From | null,
    wanted: Wanted,
    _over: boolean,
  ): Run {
    if (current.ndim === step.length) return this.once(current, from as From);
    const neurons = this.fused;
    if (neurons === null)
      return wanted === "main" ? this.spikesAlone(current, step) : this.composedSteps(current, step, from);
    const run = this.runOf(neurons, current, T, step, from);
    run.forward(wanted === "all", wanted === "main" ? null : step);
    const state = () => ({
      ...(neurons.completed(run.last.slice(0, neurons.stateNames.length)) as object),
      spikes: run.last[run.last.length - 1] as Tensor,
    });
    return { z: run.z, names: run.names, output: (i) => run.output(i), state };
  }

  /** One step, composed of ops. */
  private once(current: Tensor, from: From, fed = this.connected()): Run {
    const [z, state] = this.neuron.step(current.add(fed(from.spikes)), from.state as State);
    return { z, names: NO_NAMES, output: () => z, state: () => ({ ...state, spikes: z }) };
  }

  /** Composed steps that return spikes only. */
  private spikesAlone(current: Tensor, step: Shape): Run {
    let state = this.start(step) as AnyState;
    const fed = this.connected();
    const steps = this.inputsOf(current).map((input) => {
      const run = this.once(input, { state, spikes: state.spikes }, fed);
      state = run.state() as AnyState;
      return run.z;
    });
    const z = stack(steps);
    return { z, names: NO_NAMES, output: () => z, state: () => state };
  }

  /** Composed steps that return all outputs of the neurons. */
  private composedSteps(current: Tensor, step: Shape, from: From | null): Run {
    const start = this.start(step) as AnyState;
    let { state, spikes } = from ?? { state: start as object, spikes: start.spikes };
    // The fed-back spikes themselves are stacked, so that their gradient starts with that of the output, as in `forward`.
    const fired: Tensor[] = [];
    const fed = this.connected();
    const steps = this.inputsOf(current).map((input) => {
      const record = this.neuron.unroll(input.add(fed(spikes)).unsqueeze(0), state as State) as unknown as AnyResult;
      state = record.state;
      spikes = record.spikes.reshape(step);
      fired.push(spikes);
      return record;
    });
    const names = Object.keys(steps[0] as AnyResult);
    return {
      z: stack(fired),
      names,
      output: (i) => concat(steps.map((record) => record[names[i] as string] as Tensor)),
      state: () => ({ ...state, spikes }),
    };
  }

  protected override stateAfter(run: Run): RecurrentState<State> {
    return run.state() as RecurrentState<State>;
  }

  protected override start(step: Shape): RecurrentState<State> {
    return { ...this.neuron.initialState(step), spikes: zeros(step) };
  }

  /** The equation of the current, the shapes, and the printed neurons. */
  override toString(): string {
    const { neuron, recurrent, V, features, where } = this;
    const traced = neuron instanceof Neurons ? neuron.compiled.program.traced : UNKNOWN;
    const [leaves, outputs, , symbolOf] = symbolsOf(traced, SYMBOLS);
    const before = `${outputs.get("spikes")}[t−1]`;
    const I = leaves.get("current");
    const current = symbolOf(I === "I" ? "current" : "input");
    const shapes = [`${current} [T, B, …${features === null ? "" : `, ${features}`}]`];
    const weight = (letter: string, path: string, { sizes }: Tensor, more = ""): string => {
      const symbol = symbolOf(letter);
      shapes.push(`${symbol} = layer.${path} ${formatShape(sizes)}${more}`);
      return symbol;
    };
    let fed = `${recurrent?.constructor.name}(${before})`;
    if (V !== null) fed = `${weight("V", "V", V)} ⊙ ${before}`;
    else if (features !== null) {
      const linear = recurrent as Linear;
      const { weight: W, bias: b } = linear;
      const more = readingAt(linear, "connections") === null ? "" : " without its diagonal";
      fed = `${weight("W", "recurrent.weight", W, more)}·${before}`;
      if (b !== null) fed += ` + ${weight("b", "recurrent.bias", b)}`;
    }
    const isPlain = neuron.toString === Module.prototype.toString;
    return [
      where,
      `  ${I}[t] = ${current}[t] + ${fed}`,
      `  ${shapes.join(", ")}`,
      isPlain ? neuron.constructor.name : String(neuron),
    ].join("\n");
  }

  /** @internal */
  override stage(input: Tensor): Stage | null {
    const { neuron, recurrent, V, features, where } = this;
    if (!isUnchanged(this) || !isCompiled(neuron) || features === null) return null;
    checkFeatures(where, features, input);
    this.checkWeights(features);
    if (V !== null) {
      const linked = this.linkedTo(neuron);
      return neuronStage(linked, [keptOfNeurons(neuron), keptOf(this, ["V", "neuron"])], input, {
        start: () => this.initialState(input.sizes) as unknown as Named,
        parameters: () => linked.loop.of(this.source(neuron, this.V as Tensor), null) as readonly LoopValue[],
      });
    }
    if (!isLinear(recurrent)) return null;
    const current = own(input.sizes);
    return recurrentStage(stageOfNeurons(neuron, current), input, current, recurrent, [
      keptOf(this, ["recurrent", "neuron"]),
    ]);
  }

  /** The neurons if the whole sequence is one op: compiled neurons with the connection "all" or "one"; else null. */
  private get fused(): Neurons | null {
    const { features, recurrent, V, neuron } = this;
    if (features === null || !isCompiled(neuron) || inReference()) return null;
    return V !== null || (isLinear(recurrent) && neuron.compiled.packed) ? neuron : null;
  }

  /** The step of neurons with the connection "one". */
  private linkedTo({ compiled }: Neurons): CompiledNeuron {
    if (this.linked === null || this.linkedFrom !== compiled) {
      checkChangeable(this.where, this.constructor.name, this);
      const { definition } = compiled.program.traced;
      this.linked = new CompiledNeuron(new Program(feedingItself(this.where, definition, this.features as number)));
      this.linkedFrom = compiled;
    }
    return this.linked;
  }

  /** A fused run, from a given state. */
  private runOf(neurons: Neurons, current: Tensor, T: number, step: Shape, from: From | null): NeuronRun {
    const { V } = this;
    const { compiled } = neurons;
    neurons.checkNeurons(current.sizes);
    const source = V === null ? neurons : this.source(neurons, V);
    const recorded = onRecord(source, compiled.parameters.length + (V === null ? 0 : 1));
    const states = from === null ? compiled.startOf(neurons, step, recorded) : neurons.read(from.state, step);
    const spikes = from?.spikes ?? null;
    if (V !== null) {
      const linked = this.linkedTo(neurons);
      const values = linked.loop.of(source, recorded) as readonly LoopValue[];
      return new NeuronRun(linked, current, T, values, [...states, spikes]);
    }
    const linear = this.recurrent as Linear;
    const values = neurons.loopOf(compiled, recorded);
    const fed: Fed = [weightOf(linear), linear.bias, spikes];
    ready(this.where, current);
    return new RecurrentRun(compiled, current, T, values, states, fed, this.op, this.features as number);
  }

  /** The parameters of the step with the connection "one". */
  private source(neurons: Neurons, V: Tensor): ParameterOwner {
    const count = neurons.compiled.parameters.length;
    return {
      parameterAt: (i) => (i < count ? neurons.parameterAt(i) : V),
      parameterRounding: neurons.parameterRounding,
      parametersNow: () => ({ ...neurons.parametersNow(), [OWN_WEIGHT]: V }),
    };
  }

  /** The current of each step. With the connection "one" a constant current is one array for all steps, not copied. */
  private inputsOf(current: Tensor): Tensor[] {
    return this.V === null ? current.unbind(0) : inputSteps(current);
  }

  /** The function from the spikes of the previous step to the fed-back current. */
  private connected(): (spikes: Tensor) => Tensor {
    const { recurrent, V } = this;
    if (recurrent === null) return (spikes) => spikes.mul(V as Tensor);
    if (!isLinear(recurrent)) return (spikes) => this.fed(recurrent, spikes);
    // The weight is read once for all steps.
    const weight = weightOf(recurrent);
    return (spikes) => linear(spikes, weight, recurrent.bias);
  }

  private fed(recurrent: Module, spikes: Tensor): Tensor {
    const { where } = this;
    const z = recurrent.forward(spikes.unsqueeze(0));
    alive(z, where);
    if (!sameShape(z.sizes, [1, ...spikes.sizes])) {
      const expected = formatShape([1, ...spikes.sizes]);
      throw wrongValue(where, `the connection to give ${expected}`, formatShape(z.sizes));
    }
    return z.squeeze(0);
  }

  /** Throws unless a current of this shape, [T, B, …], and the weights have the number of neurons of the connection. */
  private checkFeatures(shape: Shape): void {
    const { features } = this;
    if (features === null) return;
    if (shape.length > 1 && shape[shape.length - 1] === features) return this.checkWeights(features);
    const got = `${formatShape(shape)}${axesHint(shape, features)}`;
    throw wrongValue(this.where, `a current [T, B, …, ${features}]`, got);
  }

  /** Throws unless all present weights have the sizes of n neurons. */
  private checkWeights(n: number): void {
    const { V, recurrent } = this;
    this.checkWeight("V", V, n, 1);
    if (!(recurrent instanceof Linear)) return;
    this.checkWeight("recurrent.weight", recurrent.weight, n, 2);
    this.checkWeight("recurrent.bias", recurrent.bias, n, 1);
  }

  private checkWeight(name: string, t: Tensor | null, n: number, ndim: number): void {
    if (t === null || (t.ndim === ndim && t.sizes[0] === n && t.size === (ndim === 1 ? n : n * n))) return;
    checkOptionalShape(this.where, name, t, new Array<number>(ndim).fill(n));
  }

  /** The state, with its spikes read once; throws unless the spikes fit steps of this shape. The neurons check the other states. */
  protected override read(state: RecurrentState<State>, shape: Shape): From {
    const { spikes } = Object(state) as AnyState;
    checkState(this.where, "spikes", spikes, shape);
    return { state, spikes };
  }
}

/** The state before a run: the neurons' state, and the spikes to feed back. */
interface From {
  readonly state: object;
  readonly spikes: Tensor;
}

/** T steps that have run; the state after them is made on demand. */
interface Run extends TemporalRun {
  state(): object;
}

const NO_NAMES: readonly string[] = [];

type AnyResult = Readonly<Record<string, unknown>> & { readonly spikes: Tensor; readonly state: object };
type AnyState = RecurrentState<object>;

/** The name of V in the step with the connection "one"; no neuron can use it, since it has a space. */
const OWN_WEIGHT = "recurrent V";

/** The step with V ⊙ s[t−1] added to its current. */
const feedingItself = (name: string, definition: StepDefinition, features: number): StepDefinition => ({
  ...definition,
  name,
  states: [...definition.states, "spikes"],
  parameters: { ...definition.parameters, [OWN_WEIGHT]: features === 1 ? "scalar" : "column" },
  step(argument) {
    const { current, spikes, [OWN_WEIGHT]: V } = argument as unknown as Record<string, Value>;
    const fed = (current as Value).add((spikes as Value).mul(V as Value));
    return definition.step(Object.assign(argument, { current: fed }));
  },
});

/** Names for neurons without an equation. */
const UNKNOWN = {
  definition: { inputs: ["current"], states: [], parameters: {} },
  outputs: new Map([["spikes", null]]),
};

/** Throws for a connection with a state, which would restart from zeros in each step. */
function statelessOf(where: string, connection: Module): Module {
  const [, found] = steppingIn(connection) ?? [];
  if (found === undefined) return connection;
  throw new RangeError(
    `${where}: expected a connection without a state between steps, got ${found.constructor.name} in it`,
  );
}

/** Whether the connection is a `Linear` with the `forward` of its class. */
const isLinear = (connection: Module | null): connection is Linear =>
  connection instanceof Linear && traitOf(connection) !== null;

function neuronsOf<Layer extends Module>(where: string, layer: Layer): Layer {
  const { step, unroll, initialState } = moduleOf(where, layer) as Module & Record<string, unknown>;
  if (isCompiled(layer) && layer.compiled.main !== "spikes") {
    throw new TypeError(
      `${where}: expected neurons with spikes to feed back, got ${layer.constructor.name}, a readout`,
    );
  }
  const isStepping = [step, unroll, initialState].every((method) => typeof method === "function");
  if (isStepping && (layer instanceof Neurons || Temporal.isSpiking(layer))) return layer;
  throw wrongType(where, "a layer of neurons with step, unroll and initialState", layer);
}
