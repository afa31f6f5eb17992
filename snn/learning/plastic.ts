/**
 * A connection that learns by a rule.
 *
 * @module
 */
import {
  COUNT,
  choiceOf,
  FINITE,
  listOf,
  NUMBER,
  numberOf,
  numbersOf,
  objectOf,
  POSITIVE,
  type Range,
  show,
  UNIT,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import { inReference } from "../../engine/backend.ts";
import { full, noGrad, Tensor, zeros } from "../../engine/index.ts";
import { ready } from "../../engine/op.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { takeOver, touch } from "../../engine/tensor.ts";
import { checkNotUsedUp, IN_FLOAT32 } from "../checks.ts";
import { persistentCopy } from "../per-neuron.ts";
import { type Connection, checkLayer, connectionOf, matrixOf, type PlasticLayer } from "./connection.ts";
import { Rule, type SynapseState, type Trace } from "./plasticity.ts";
import { after, decayOf, SPIKES, type Target, traceSweep, valuesOf } from "./rule-sweeps.ts";
import { Sweep } from "./sweep.ts";
import { type Sample, type Spiking, Synapses } from "./synapses.ts";
import { floatsAt, Workspace } from "./workspace.ts";

/** Options of {@link Plastic}. */
export interface PlasticOptions {
  /** Bounds [low, high] that weights are kept in. Default: none. */
  bounds?: readonly [low: number, high: number];
  /**
   * Σ_i |w_ji| that {@link Plastic.normalize} gives the weights of each neuron behind, a number or a tensor [out]. That is called after
   * every step, or with `every` after so many steps; with `every: Infinity` never. Default: none.
   */
  normalize?: number | Tensor | { readonly sum: number | Tensor; readonly every?: number };
  /** Whether the changes of the samples of a batch are added up or averaged. Default "sum". */
  reduction?: "sum" | "mean";
  /** Every weight is multiplied by 1 − weightDecay after each step, which takes time for all of them. Default 0. */
  weightDecay?: number;
}

const DEFAULTS = {
  bounds: undefined as readonly [number, number] | undefined,
  normalize: undefined as PlasticOptions["normalize"],
  reduction: "sum" as "sum" | "mean",
  weightDecay: 0,
};

/** Options of {@link Plastic.step}. */
export interface PlasticStepOptions {
  /** The reward of this step: a number, or one for each sample of the batch. Default: none, and the rule's `onReward` is not run. */
  reward?: number | ArrayLike<number> | Tensor | undefined;
  /** false: the changes are kept, and added to those of the next step that applies them. Default true. */
  apply?: boolean;
}

const STEP_DEFAULTS = { reward: undefined as PlasticStepOptions["reward"], apply: true };

/** What a connection carries from step to step: {@link Plastic.step} takes over the memory of its tensors. */
export interface PlasticState {
  /** Traces by name, of the shape of the spikes before or behind. */
  readonly traces: Readonly<Record<string, Tensor>>;
  /** States of the synapses by name, [B, out, in], or [B, out, in·kernel] of a convolution, to be multiplied by `scales`. */
  readonly synapses: Readonly<Record<string, Tensor>>;
  /** What each state of the synapses is to be multiplied by: a decay that all of them share. */
  readonly scales: Readonly<Record<string, number>>;
  /** The time since the start, in the unit of dt. */
  readonly time: number;
  /**
   * The neurons that spiked in the last step, for states that last one step.
   *
   * @internal
   */
  readonly last: readonly Spiking[] | null;
}

/** A state that is written in place. */
export type WorkingState = Pick<PlasticState, "traces" | "synapses"> & {
  readonly scales: Record<string, number>;
  time: number;
  last: readonly Spiking[] | null;
};

/** The same state, to be written in place. */
export const workingState = ({ traces, synapses, scales, time, last }: PlasticState): WorkingState => ({
  traces,
  synapses,
  // A step refuses anything else.
  scales: typeof scales === "object" && scales !== null ? { ...scales } : scales,
  time,
  last: last ?? null,
});

/** An event of {@link Plastic.events}: spikes of all neurons on a side, or of those with these numbers. */
export type PlasticEvent =
  | "pre"
  | "post"
  | "both"
  | { readonly pre?: number | readonly number[]; readonly post?: number | readonly number[]; readonly reward?: number };

/** The parts of a state that have names. */
const PARTS = ["traces", "synapses", "scales"] as const;

/** A step that was checked. */
interface Moment {
  readonly connection: Connection;
  readonly batch: number;
  /** Addresses of the spikes. */
  readonly pre: number;
  readonly post: number;
  readonly rewards: readonly number[] | null;
  readonly applies: boolean;
  /** The time since the step before, and whether it is a step, with what the rule does in each. */
  readonly elapsed: number;
  readonly isStep: boolean;
}

/** Shapes of spikes that fit the layer, and what follows from them. */
interface Fitting {
  readonly pre: Shape;
  readonly post: Shape;
  readonly batch: number;
  readonly connection: Connection;
  /** The shape of states of the synapses. */
  readonly synapses: Shape;
}

/** A state of synapses is multiplied by its scale when this is smaller. */
const LEAST_SCALE = 2 ** -20;

/**
 * A layer whose weight a rule changes, at the spikes of the neurons before and behind it.
 *
 * For a batch each synapse gets the sum, or the mean, of the changes of all samples, which see the weight as it was before the
 * step. A convolution shares its weights: each place of its window is a sample, and its changes are added up. Changed weights are put into
 * `bounds`, and so are all weights where some were beyond these before the step.
 *
 *     const plastic = new Plastic(new Linear(784, 100), new STDP(), { bounds: [0, 1] });
 *     let state = plastic.initialState(1);
 *     state = plastic.step(pre, post, state);
 *
 * A step writes the weight in place, so that a `backward` over what was computed with it before is an error. It takes over the memory of
 * the state that it is given, whose tensors count as freed then; to go on from a state twice, clone its tensors first. The cost follows the spikes: a spike is a sweep over the synapses of its
 * neuron. `onStep`, `onReward` and `weightDecay` are sweeps over all of them.
 *
 * @throws TypeError for another layer or rule; RangeError for a convolution of several groups, bounds in the wrong order, a sum
 *   that is not positive, a parameter [N] where N is not the number of neurons behind, or a rule that needs bounds without these.
 */
export class Plastic {
  /** The layer. */
  readonly layer: PlasticLayer;
  /** The rule. */
  readonly rule: Rule;
  private readonly options: {
    readonly bounds: readonly [number, number];
    readonly sum: Tensor | null;
    readonly every: number;
    readonly reduction: "sum" | "mean";
    readonly weightDecay: number;
  };
  private readonly work = new Workspace(this);
  private readonly synapses: Synapses;
  /** Decays of traces and states of synapses in a step. */
  private readonly decays: Readonly<Record<string, number>>;
  private isPending = false;
  private steps = 0;
  private readonly where: string;
  private connection: Connection | null = null;
  private fitting: Fitting | null = null;
  /** For the last batch and connection. */
  private neurons: Neurons | null = null;

  constructor(layer: PlasticLayer, rule: Rule, options: PlasticOptions = {}) {
    checkLayer("Plastic", layer);
    if (!(rule instanceof Rule)) throw wrongType("Plastic", "a rule such as new STDP()", rule);
    const { bounds, normalize, reduction, weightDecay } = withDefaults("Plastic", DEFAULTS, options as typeof DEFAULTS);
    this.layer = layer;
    this.rule = rule;
    this.where = `${rule.name}.step`;
    const checked = {
      bounds: boundsOf(bounds),
      reduction: choiceOf("Plastic", "reduction", reduction, ["sum", "mean"]),
      weightDecay: numberOf("Plastic", "weightDecay", weightDecay, UNIT),
    };
    const [sum, every] = normOf(normalize);
    this.options = { ...checked, sum, every };
    try {
      this.synapses = this.synapsesOf(sum);
    } catch (error) {
      sum?.dispose();
      this.work.free();
      throw error;
    }
    const { dt, decay } = rule;
    this.decays = Object.fromEntries([
      ...rule.traces.map(({ name, tau }) => [name, decay === "euler" ? 1 - dt / tau : decayOver(dt, tau)]),
      ...rule.synapse.map(({ name, tau }) => [name, decayOver(dt, tau)]),
    ]);
  }

  /** The synapses, where they can have the rule and the options. */
  private synapsesOf(sum: Tensor | null): Synapses {
    const { layer, rule } = this;
    const [outputs] = matrixOf(layer.weight);
    if (sum !== null && sum.size > 1 && !sameShape(sum.sizes, [outputs])) {
      throw wrongValue("Plastic", `normalize as a number or [${outputs}]`, formatShape(sum.sizes));
    }
    const perNeuron = rule.parameterNames.filter((name) => rule.parameter(name).size > 1);
    for (const name of perNeuron) {
      const { sizes } = rule.parameter(name);
      if (sameShape(sizes, [outputs])) continue;
      throw wrongValue(rule.name, `${name} as a number or [${outputs}]`, formatShape(sizes));
    }
    // With a decay of all weights, bounds hold behind it.
    const whileChanging = this.options.weightDecay > 0 ? NO_BOUNDS : this.options.bounds;
    const synapses = new Synapses(layer, rule, this.options.bounds, whileChanging, perNeuron, this.work);
    for (const [i, name] of ["low", "high"].entries()) {
      if (Number.isFinite(this.options.bounds[i]) || !synapses.uses(name)) continue;
      throw wrongValue("Plastic", `bounds [low, high], which ${rule.name} reads`, show(this.options.bounds));
    }
    if (layer.weight.ndim > 2 && rule.has("onReward") && synapses.rewardReadsNeurons) {
      throw wrongValue(
        rule.name,
        "a Linear layer for onReward with spikes or traces, of which a convolution has one at each place",
        layer.constructor.name,
      );
    }
    return synapses;
  }

  /**
   * The state before the first step, zeros: for a batch of a linear layer, or for spikes before of this shape, [B, C, L] or
   * [B, C, H, W].
   *
   * @throws RangeError unless the sizes are positive integers that fit the layer.
   */
  initialState(batch: number | readonly number[]): PlasticState {
    const where = `${this.rule.name}.initialState`;
    const { inputs, outputs } = this.synapses;
    const shape =
      typeof batch === "number" ? [numberOf(where, "batch", batch, COUNT), inputs] : checkShape(where, batch);
    const [B, ...pre] = shape as [number, ...number[]];
    const { post } = this.connectionFor(where, pre);
    const states = this.rule.synapse.map(({ name }) => name);
    const of = (names: readonly string[], size: Shape) =>
      Object.fromEntries(names.map((name) => [name, zeros(size)] as const));
    return {
      traces: Object.fromEntries(
        this.rule.traces.map((trace) => [trace.name, zeros([B, ...(trace.of === "pre" ? pre : post)])]),
      ),
      synapses: of(states, [B, outputs, inputs]),
      scales: Object.fromEntries(states.map((name) => [name, 1])),
      time: 0,
      last: null,
    };
  }

  /**
   * One time step: spikes or rates before, [B, in] or [B, C, …], and behind, [B, out] or [B, O, …]. Changes the weight of the layer
   * and the tensors of the state, which it returns.
   *
   * @throws RangeError for shapes that differ from those of the layer and of the state, spikes, weights or rewards that are not finite,
   *   and rewards that are not as many as samples; Error inside of `gradcheck`; TypeError for what is no tensor. Nothing is written
   *   before these checks. Error where a weight has become infinite or no number in the step.
   */
  step(pre: Tensor, post: Tensor, state: PlasticState, options: PlasticStepOptions = STEP_DEFAULTS): PlasticState {
    const next = workingState(Object(state) as PlasticState);
    Plastic.inPlace(this, pre, post, next, options);
    return this.takenOver(next);
  }

  /**
   * `step` with the state in place.
   *
   * @internal
   */
  static inPlace(
    plastic: Plastic,
    pre: Tensor,
    post: Tensor,
    state: WorkingState,
    options: PlasticStepOptions = STEP_DEFAULTS,
  ): void {
    plastic.run(pre, post, state, options);
  }

  private run(pre: Tensor, post: Tensor, state: WorkingState, options: PlasticStepOptions): void {
    const { where } = this;
    if (inReference()) throw new Error(`${where}: expected a call outside of gradcheck: a rule has no gradient`);
    const { reward, apply } =
      options === STEP_DEFAULTS ? STEP_DEFAULTS : withDefaults(where, STEP_DEFAULTS, options as typeof STEP_DEFAULTS);
    ready(where, pre);
    ready(where, post);
    const fitting = this.fittingOf(pre.sizes, post.sizes);
    this.checkState(where, state, fitting);
    const { batch, connection } = fitting;
    const rewards = reward === undefined ? null : rewardsOf(where, reward, batch);
    this.checkValues(where, "spikes before", pre);
    this.checkValues(where, "spikes behind", post);
    this.synapses.checkWeight(where);
    const { ptr } = post;
    const elapsed = this.rule.dt;
    this.advance({ connection, batch, pre: pre.ptr, post: ptr, rewards, applies: apply, elapsed, isStep: true }, state);
  }

  /**
   * Spikes at continuous times: at times[k], ascending, the event kinds[k]. Between events traces and states of synapses decay by
   * exp(−Δt/τ). `onStep` and `weightDecay` have no part in it. From the initial state on, or from a state of one sample that is
   * given. Returns the state after the last event.
   *
   * @throws RangeError for times that descend or begin before that of the state, numbers of neurons that are none, and lists of
   *   different lengths; Error for a rule with `decay: "euler"`; else as `step`.
   */
  events(times: ArrayLike<number>, kinds: readonly PlasticEvent[], state?: PlasticState): PlasticState {
    const where = `${this.rule.name}.events`;
    if (inReference()) throw new Error(`${where}: expected a call outside of gradcheck: a rule has no gradient`);
    if (this.rule.decay === "euler") throw new Error(`${where}: expected a rule with decay "exp", got "euler"`);
    const { inputs, outputs } = this.synapses;
    const connection = this.connectionFor(where, [inputs]);
    const at = numbersOf(where, "times as numbers", times);
    if (!Array.isArray(kinds) || kinds.length !== at.length) {
      throw wrongValue(where, `kinds for ${at.length} times`, Array.isArray(kinds) ? kinds.length : show(kinds));
    }
    const events = kinds.map((kind, i) => eventOf(`${where}: kinds[${i}]`, kind, inputs, outputs));
    const now = workingState(Object(state ?? this.initialState(1)) as PlasticState);
    this.checkState(where, now, this.fittingOf([1, inputs], [1, outputs]));
    let last = now.time;
    for (let i = 0; i < at.length; i++) {
      const t = numberOf(where, `times[${i}]`, at[i], FINITE);
      if (t < last) throw wrongValue(where, `times[${i}] ≥ ${last}`, t);
      last = t;
    }
    this.synapses.checkWeight(where);
    const [pre, post] = [this.work.take(4 * inputs), this.work.take(4 * outputs)];
    try {
      for (const [i, { reward, ...spikes }] of events.entries()) {
        floatsAt(pre, inputs).fill(0);
        floatsAt(post, outputs).fill(0);
        for (const place of spikes.pre) floatsAt(pre, inputs)[place] = 1;
        for (const place of spikes.post) floatsAt(post, outputs)[place] = 1;
        const rewards = reward === null ? null : [reward];
        const elapsed = (at[i] as number) - now.time;
        this.advance({ connection, batch: 1, pre, post, rewards, applies: true, elapsed, isStep: false }, now);
      }
    } finally {
      this.work.give(pre, 4 * inputs);
      this.work.give(post, 4 * outputs);
    }
    return this.takenOver(now);
  }

  /**
   * Gives the weights of each neuron behind the sum of the option `normalize`: w_ji ← w_ji·sum / Σ_k |w_jk|; weights that are all 0
   * stay. The bounds do not hold here, but behind the next step again, as in BindsNET.
   *
   * @throws Error without the option; RangeError for weights that are not finite.
   */
  normalize(): void {
    const where = `${this.rule.name}.normalize`;
    if (inReference()) throw new Error(`${where}: expected a call outside of gradcheck: a rule has no gradient`);
    const { sum } = this.options;
    if (sum === null) throw new Error(`${where}: expected the option normalize of Plastic, the sum to give`);
    this.synapses.checkWeight(where);
    this.synapses.normalize(sum);
  }

  /**
   * The shape of the spikes behind, [B, …], for spikes before of this shape.
   *
   * @internal
   */
  outputShape([batch, ...pre]: Shape): Shape {
    return [batch as number, ...this.connectionFor(`${this.rule.name}.initialState`, pre).post];
  }

  private connectionFor(where: string, shape: Shape): Connection {
    if (this.connection === null || !sameShape(this.connection.pre, shape)) {
      this.connection = connectionOf(where, this.layer, shape);
    }
    return this.connection;
  }

  /** How spikes of these shapes fit the layer: mostly those of the step before. */
  private fittingOf(pre: Shape, post: Shape): Fitting {
    const { where, fitting } = this;
    if (fitting !== null && sameShape(fitting.pre, pre) && sameShape(fitting.post, post)) return fitting;
    const [batch = 0, ...shape] = pre;
    const connection = this.connectionFor(where, shape);
    if (batch === 0 || !sameShape(post, [batch, ...connection.post])) {
      throw wrongValue(where, `spikes behind ${formatShape([batch, ...connection.post])}`, formatShape(post));
    }
    const { inputs, outputs } = this.synapses;
    this.fitting = { pre, post, batch, connection, synapses: [batch, outputs, inputs] };
    return this.fitting;
  }

  private checkState(where: string, given: PlasticState, fitting: Fitting): void {
    const state = Object(given) as PlasticState;
    for (const part of PARTS) objectOf(where, `${part} of the state by name`, state[part]);
    const { traces, synapse } = this.rule;
    for (let i = 0; i < traces.length; i++) {
      const { name, of } = traces[i] as Trace;
      checkStateTensor(where, "traces", name, state.traces?.[name], fitting[of]);
    }
    for (let i = 0; i < synapse.length; i++) {
      const { name } = synapse[i] as SynapseState;
      checkStateTensor(where, "synapses", name, state.synapses?.[name], fitting.synapses);
      numberOf(where, `scales.${name} of the state`, state.scales?.[name], POSITIVE);
    }
    numberOf(where, "time of the state", state.time, FINITE);
    const isList =
      Array.isArray(state.last) && Array.from(state.last).every((spiking) => Object(spiking).pre instanceof Int32Array);
    if (state.last !== null && !isList)
      throw wrongType(where, "last of the state as initialState gives it", state.last);
  }

  /** The state in tensors of its own, which take over the memory of those that were there. */
  private takenOver(state: WorkingState): PlasticState {
    const taken = (names: readonly { readonly name: string }[], tensors: WorkingState["traces"]) =>
      Object.fromEntries(names.map(({ name }) => [name, takeOver(tensors[name] as Tensor)]));
    const { traces, synapse } = this.rule;
    return { ...state, traces: taken(traces, state.traces), synapses: taken(synapse, state.synapses) };
  }

  /** Throws for values that are not finite. Spikes, which are 0 or 1, are recognised by a kernel. */
  private checkValues(where: string, what: string, { ptr, size }: Tensor): void {
    if (this.synapses.areSpikes(ptr, size)) return;
    const values = floatsAt(ptr, size);
    for (let i = 0; i < size; i++) {
      if (!Number.isFinite(values[i])) throw wrongValue(where, `finite ${what}`, `${values[i]} at ${i}`);
    }
  }

  private advance(moment: Moment, state: WorkingState): void {
    const { rule, synapses } = this;
    const { batch, connection, rewards, applies, isStep, elapsed } = moment;
    const hasReward = rewards !== null && rule.has("onReward");
    const hasStep = isStep && rule.has("onStep");
    // Changes that see each other's weights wait until all are made.
    const isDirect =
      batch * connection.places === 1 && applies && !this.isPending && !hasReward && !(hasStep && synapses.hasEvents);
    const target: Target = isDirect ? "weight" : "sum";
    if (!isDirect) synapses.takeSums();
    synapses.noteScales(state);
    const samples = this.samplesOf(moment, state);
    if (hasReward && rule.rewardAfter === "nothing") this.reward(samples, moment, state);
    this.decaySynapses(moment, state);
    this.advanceTraces(moment, state);
    if (synapses.hasEvents) this.spikes(samples, moment, state, target);
    if (hasStep) {
      for (let s = 0; s < batch * connection.places; s++) {
        const b = Math.floor(s / connection.places);
        if (synapses.dense("onStep", samples.at(s), b, state, target)) state.last = null;
      }
    }
    if (hasReward && rule.rewardAfter === "events") this.reward(samples, moment, state);
    if (isDirect && hasStep) synapses.wrote(null, null);
    this.isPending ||= !isDirect;
    if (this.isPending && applies) {
      synapses.applySums(this.options.reduction === "mean" ? 1 / batch : 1);
      this.isPending = false;
    }
    if (this.options.weightDecay > 0 && isStep && applies) synapses.scaleWeights(1 - this.options.weightDecay);
    if (applies) synapses.bound();
    state.time += elapsed;
    for (let i = 0; i < rule.traces.length; i++) touch(state.traces[(rule.traces[i] as Trace).name] as Tensor);
    for (let i = 0; i < rule.synapse.length; i++)
      touch(state.synapses[(rule.synapse[i] as SynapseState).name] as Tensor);
    synapses.checkChanges(this.where);
    this.steps++;
    const { sum, every } = this.options;
    if (sum !== null && this.steps % every === 0) synapses.normalize(sum);
  }

  private reward(samples: Samples, { batch, connection, rewards }: Moment, state: WorkingState): void {
    for (let b = 0; b < batch; b++) {
      this.synapses.scalar("reward", rewards?.[b] as number);
      const sample = samples.at(b * connection.places);
      if (this.synapses.dense("onReward", sample, b, state, "sum")) state.last = null;
    }
    this.synapses.scalar("reward", 0);
  }

  /** The changes at the spikes of all samples. */
  private spikes(samples: Samples, { batch, connection }: Moment, state: WorkingState, target: Target): void {
    const { places } = connection;
    const last: Spiking[] | null = places === 1 && this.rule.synapse.length > 0 ? [] : null;
    for (let s = 0; s < batch * places; s++) {
      const spiking = samples.spiking(s);
      last?.push(spiking);
      if (spiking.pre.length === 0 && spiking.post.length === 0) continue;
      this.synapses.spikes(samples.at(s), Math.floor(s / places), spiking, state, target);
    }
    state.last = last;
  }

  private decaySynapses({ elapsed, isStep }: Moment, state: WorkingState): void {
    if (this.rule.synapse.length === 0) return;
    for (const { name, tau } of this.rule.synapse) {
      if (tau === 0) {
        this.synapses.clear(state, name, state.last);
        continue;
      }
      const decay = isStep ? (this.decays[name] as number) : decayOver(elapsed, tau);
      const scale = (state.scales[name] as number) * decay;
      if (scale < LEAST_SCALE) this.synapses.multiply(state, name, scale);
      state.scales[name] = scale < LEAST_SCALE ? 1 : scale;
    }
    this.synapses.noteScales(state);
  }

  /** Traces decay and take the spikes of the step; what they were before these is kept for changes that see them so. */
  private advanceTraces(moment: Moment, state: WorkingState): void {
    const neurons = this.neuronsFor(moment);
    const { traces } = this.rule;
    if (!moment.isStep || !neurons.hasDecays) {
      const decays = floatsAt(neurons.decaysAt, traces.length);
      for (const [i, { name, tau }] of traces.entries()) {
        decays[i] = moment.isStep ? (this.decays[name] as number) : decayOver(moment.elapsed, tau);
      }
      neurons.hasDecays = moment.isStep;
    }
    for (let i = 0; i < traces.length; i++) {
      neurons.noteTrace(i, (state.traces[(traces[i] as Trace).name] as Tensor).ptr);
    }
    neurons.trace("pre", moment.pre);
    neurons.trace("post", moment.post);
  }

  /** Memory of the neurons for a batch; that of the batch before is given back where it is of another size. */
  private neuronsFor({ connection, batch }: Moment): Neurons {
    const known = this.neurons;
    if (known !== null && known.connection === connection && known.batch === batch) return known;
    known?.free();
    this.neurons = new Neurons(this.rule, connection, batch, this.synapses, this.work);
    return this.neurons;
  }

  private samplesOf(moment: Moment, state: WorkingState): Samples {
    const neurons = this.neuronsFor(moment);
    const { traces } = this.rule;
    for (let i = 0; i < traces.length; i++) {
      neurons.noteValue(i, (state.traces[(traces[i] as Trace).name] as Tensor).ptr);
    }
    return neurons.samples(moment.pre, moment.post);
  }
}

const NO_BOUNDS = [-Infinity, Infinity] as const;

/** e^(−Δt/τ). */
const decayOver = (elapsed: number, tau: number): number =>
  noGrad(() =>
    full([], -elapsed / tau)
      .exp()
      .item(),
  );

function boundsOf(bounds: unknown): readonly [number, number] {
  if (bounds === undefined) return NO_BOUNDS;
  const [low, high] = listOf("Plastic", "bounds", bounds, NUMBER, 2) as [number, number];
  if (low >= high) throw wrongValue("Plastic", "bounds [low, high] with low < high", show(bounds));
  return [low, high];
}

const NORM_DEFAULTS = { sum: undefined as number | Tensor | undefined, every: 1 };

/** The sum, and the steps after which weights get it. */
function normOf(normalize: PlasticOptions["normalize"]): [sum: Tensor | null, every: number] {
  if (normalize === undefined) return [null, 1];
  const sumOf = (name: string, sum: number | Tensor | undefined) =>
    noGrad(() => persistentCopy("Plastic", name, sum as number | Tensor, POSITIVE_IN_FLOAT32));
  if (typeof normalize === "number" || normalize instanceof Tensor) return [sumOf("normalize", normalize), 1];
  const { sum, every } = withDefaults("Plastic: normalize", NORM_DEFAULTS, normalize);
  if (every !== Infinity) numberOf("Plastic", "normalize.every", every, COUNT);
  return [sumOf("normalize.sum", sum), every];
}

const POSITIVE_IN_FLOAT32: Range = {
  expected: "positive in float32",
  fits: (x) => Math.fround(x) > 0 && IN_FLOAT32.fits(x),
};

function rewardsOf(where: string, reward: unknown, batch: number): number[] {
  if (typeof reward === "number") return new Array(batch).fill(numberOf(where, "reward", reward, FINITE));
  const values = reward instanceof Tensor ? reward.toFloat32Array() : numbersOf(where, "reward as numbers", reward);
  if (values.length !== batch)
    throw wrongValue(where, `a reward, or ${batch} of them, one for each sample`, values.length);
  return Array.from(values, (value, b) => numberOf(where, `reward[${b}]`, value, FINITE));
}

/** Throws unless a state has this tensor in this shape. */
function checkStateTensor(where: string, kind: "traces" | "synapses", name: string, t: unknown, shape: Shape): void {
  if (!(t instanceof Tensor)) throw wrongType(where, `a state with ${kind}.${name}, from initialState`, t);
  checkNotUsedUp(where, t);
  ready(where, t);
  if (sameShape(t.sizes, shape)) return;
  throw wrongValue(where, `${kind}.${name} of the state ${formatShape(shape)}`, formatShape(t.sizes));
}

const EVENT_DEFAULTS = { pre: undefined as unknown, post: undefined as unknown, reward: undefined as unknown };

/** The neurons that spike on either side, and the reward. */
function eventOf(where: string, kind: unknown, inputs: number, outputs: number) {
  const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  if (kind === "pre") return { pre: all(inputs), post: [], reward: null };
  if (kind === "post") return { pre: [], post: all(outputs), reward: null };
  if (kind === "both") return { pre: all(inputs), post: all(outputs), reward: null };
  if (typeof kind !== "object") throw wrongValue(where, '"pre", "post", "both" or { pre, post, reward }', show(kind));
  const { pre, post, reward } = withDefaults(where, EVENT_DEFAULTS, kind);
  const list = (name: string, given: unknown, n: number): number[] => {
    if (given === undefined) return [];
    return listOf(where, name, typeof given === "number" ? [given] : given, {
      expected: `an integer in [0, ${n - 1}]`,
      fits: (i) => Number.isInteger(i) && i >= 0 && i < n,
    });
  };
  return {
    pre: list("pre", pre, inputs),
    post: list("post", post, outputs),
    reward: reward === undefined ? null : numberOf(where, "reward", reward, FINITE),
  };
}

/** A sweep of the traces of a side, and the places of their arrays in it. */
class Tracing {
  private readonly sweep: Sweep;
  private readonly size: number;
  private readonly spikes: number;

  constructor(sweep: Sweep, size: number) {
    this.sweep = sweep;
    this.size = size;
    this.spikes = sweep.rows.inputPlace(SPIKES);
  }

  /** Notes where traces lie before the spikes of a step. */
  note(places: readonly number[], at: number): void {
    for (let i = 0; i < places.length; i++) this.sweep.rows.note(places[i] as number, at, 0);
  }

  run(spikes: number): void {
    this.sweep.rows.note(this.spikes, spikes, 0);
    this.sweep.rows.run(0, 1, this.size);
  }
}

/** Memory for the neurons on both sides of a connection, for one size of batch. */
class Neurons {
  readonly connection: Connection;
  readonly batch: number;
  readonly decaysAt: number;
  /** Whether the decays there are those of a step. */
  hasDecays = false;
  private readonly tracing: Readonly<Record<"pre" | "post", Tracing | null>>;
  /** Of each trace of the rule: its sweep, and the places there of what is read and written at the trace itself. */
  private readonly traced: readonly (readonly [tracing: Tracing, places: readonly number[]])[];
  /** Addresses of the values of the neurons, in the order of `valuesOf`, and where among them the trace of the rule lies. */
  private readonly values: Readonly<Record<"pre" | "post", number[]>>;
  private readonly valueAt: readonly (readonly [values: number[], index: number])[];
  private readonly work: Workspace;
  /** What was taken, as pairs of address and bytes. */
  private readonly taken: [number, number][] = [];
  private readonly all: Samples;

  constructor(rule: Rule, connection: Connection, batch: number, synapses: Synapses, work: Workspace) {
    this.connection = connection;
    this.batch = batch;
    this.work = work;
    const size = { pre: batch * sizeOf(connection.pre), post: batch * sizeOf(connection.post) };
    this.decaysAt = this.take(4 * Math.max(1, rule.traces.length));
    const before = rule.traces.map(({ of }) => this.take(4 * size[of]));
    const sweeps = { pre: this.sweepOf(rule, "pre", size.pre), post: this.sweepOf(rule, "post", size.post) };
    const tracing = (of: "pre" | "post") => {
      const sweep = sweeps[of];
      return sweep === null ? null : new Tracing(sweep, size[of]);
    };
    this.tracing = { pre: tracing("pre"), post: tracing("post") };
    this.traced = rule.traces.map(({ name, of }, i) => {
      const sweep = sweeps[of] as Sweep;
      sweep.output(name, before[i] as number, 0);
      return [this.tracing[of] as Tracing, [sweep.rows.inputPlace(name), sweep.rows.outputPlace(after(name))]] as const;
    });
    const valuesOn = (of: "pre" | "post"): number[] => {
      const mine = before.filter((_, i) => rule.traces[i]?.of === of);
      return [0, ...mine, ...mine.map(() => 0)];
    };
    this.values = { pre: valuesOn("pre"), post: valuesOn("post") };
    this.valueAt = rule.traces.map(
      ({ name, of }) => [this.values[of], valuesOf(rule, of).indexOf(after(name))] as const,
    );
    this.all = new Samples(rule, connection, synapses, this.take);
  }

  private readonly take = (bytes: number): number => {
    const p = this.work.take(bytes);
    this.taken.push([p, bytes]);
    return p;
  };

  private sweepOf(rule: Rule, of: "pre" | "post", size: number): Sweep | null {
    const definition = traceSweep(rule, of);
    if (definition === null) return null;
    const sweep = new Sweep(definition, size, this.take);
    for (const [i, { name }] of rule.traces.entries()) sweep.input(decayOf(name), this.decaysAt + 4 * i, 0);
    return sweep;
  }

  /** Notes where the trace of the rule with this number lies. */
  noteTrace(i: number, at: number): void {
    const [tracing, places] = this.traced[i] as Neurons["traced"][number];
    tracing.note(places, at);
  }

  /** The same for sweeps over synapses. */
  noteValue(i: number, at: number): void {
    const [values, index] = this.valueAt[i] as Neurons["valueAt"][number];
    values[index] = at;
  }

  /** Traces of a side decay and take the spikes at this address. */
  trace(of: "pre" | "post", spikes: number): void {
    this.tracing[of]?.run(spikes);
  }

  /** The samples of spikes at these addresses. */
  samples(pre: number, post: number): Samples {
    this.values.pre[0] = pre;
    this.values.post[0] = post;
    return this.all.from(this.values.pre, this.values.post);
  }

  free(): void {
    for (const [p, bytes] of this.taken) this.work.give(p, bytes);
  }
}

/** The samples of a step: those of a batch, or of a convolution those of all places. */
class Samples {
  private readonly connection: Connection;
  private readonly inputs: number;
  private readonly outputs: number;
  private readonly synapses: Synapses;
  /** What lies under a window, and behind its place, for each value of a neuron; empty for a linear layer. */
  private readonly patches: Readonly<Record<"pre" | "post", readonly number[]>>;
  /** Values of the first sample. */
  pre: readonly number[] = [];
  post: readonly number[] = [];
  /** The samples whose spikes, and whose other values, the patches hold. */
  private readonly gathered: [spikes: number, others: number] = [-1, -1];

  constructor(rule: Rule, connection: Connection, synapses: Synapses, take: (bytes: number) => number) {
    this.connection = connection;
    this.synapses = synapses;
    const { windows, pre, post } = connection;
    this.inputs = windows === null ? sizeOf(pre) : (windows[0] as Int32Array).length;
    this.outputs = post[0] as number;
    const values = (of: "pre" | "post") => 1 + 2 * rule.traces.filter((trace) => trace.of === of).length;
    const patch = (of: "pre" | "post", n: number): number[] =>
      windows === null ? [] : Array.from({ length: values(of) }, () => take(4 * n));
    this.patches = { pre: patch("pre", this.inputs), post: patch("post", this.outputs) };
  }

  /** Samples of the values at these addresses, [B, …]. */
  from(pre: readonly number[], post: readonly number[]): this {
    this.pre = pre;
    this.post = post;
    this.gathered.fill(-1);
    return this;
  }

  at(s: number): Sample {
    if (this.connection.windows === null) {
      if (s === 0) return this;
      const shifted = (addresses: readonly number[], n: number) => addresses.map((p) => p + 4 * n * s);
      return { pre: shifted(this.pre, this.inputs), post: shifted(this.post, this.outputs) };
    }
    this.gather(s, 0);
    this.gather(s, 1);
    return this.patches;
  }

  /** The neurons of a sample that spike. */
  spiking(s: number): Spiking {
    const { inputs, outputs } = this;
    const isWindow = this.connection.windows !== null;
    if (isWindow) this.gather(s, 0);
    const { pre, post } = isWindow ? this.patches : this;
    const at = isWindow ? 0 : s;
    return {
      pre: this.synapses.placesAt((pre[0] as number) + 4 * inputs * at, inputs),
      post: this.synapses.placesAt((post[0] as number) + 4 * outputs * at, outputs),
    };
  }

  /** Copies the spikes of a sample, or from the first value on the others. */
  private gather(s: number, first: 0 | 1): void {
    const { windows, places, pre, post } = this.connection;
    const [b, place] = [Math.floor(s / places), s % places];
    const window = (windows as readonly Int32Array[])[place] as Int32Array;
    const end = first === 0 ? 1 : this.pre.length;
    const size = sizeOf(pre);
    if (this.gathered[first] === s) return;
    for (let v = first; v < end; v++) {
      const from = floatsAt((this.pre[v] as number) + 4 * b * size, size);
      const to = floatsAt(this.patches.pre[v] as number, window.length);
      for (let i = 0; i < window.length; i++) {
        const at = window[i] as number;
        to[i] = at < 0 ? 0 : (from[at] as number);
      }
    }
    const behind = sizeOf(post);
    for (let v = first; v < (first === 0 ? 1 : this.post.length); v++) {
      const from = floatsAt((this.post[v] as number) + 4 * b * behind, behind);
      const to = floatsAt(this.patches.post[v] as number, this.outputs);
      for (let o = 0; o < this.outputs; o++) to[o] = from[o * places + place] as number;
    }
    this.gathered[first] = s;
  }
}
