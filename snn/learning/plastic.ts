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
import { Rule } from "./plasticity.ts";
import { after, decayOf, SPIKES, type Target, traceSweep } from "./rule-sweeps.ts";
import { Sweep } from "./sweep.ts";
import { placesOf, type Sample, type Spiking, Synapses } from "./synapses.ts";
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
  scales: { ...scales },
  time,
  last,
});

/** The state in tensors of its own, which take over the memory of those that were there. */
function takenOver(state: WorkingState): PlasticState {
  const taken = (tensors: Readonly<Record<string, Tensor>>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, takeOver(t)]));
  return { ...state, traces: taken(state.traces), synapses: taken(state.synapses) };
}

/** An event of {@link Plastic.events}: spikes of all neurons on a side, or of those with these numbers. */
export type PlasticEvent =
  | "pre"
  | "post"
  | "both"
  | { readonly pre?: number | readonly number[]; readonly post?: number | readonly number[]; readonly reward?: number };

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
  private connection: Connection | null = null;
  /** For the last batch and connection. */
  private neurons: Neurons | null = null;

  constructor(layer: PlasticLayer, rule: Rule, options: PlasticOptions = {}) {
    checkLayer("Plastic", layer);
    if (!(rule instanceof Rule)) throw wrongType("Plastic", "a rule such as new STDP()", rule);
    const { bounds, normalize, reduction, weightDecay } = withDefaults("Plastic", DEFAULTS, options as typeof DEFAULTS);
    const [sum, every] = normOf(normalize);
    this.layer = layer;
    this.rule = rule;
    this.options = {
      bounds: boundsOf(bounds),
      sum,
      every,
      reduction: choiceOf("Plastic", "reduction", reduction, ["sum", "mean"]),
      weightDecay: numberOf("Plastic", "weightDecay", weightDecay, UNIT),
    };
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
    const whileChanging = weightDecay > 0 ? NO_BOUNDS : this.options.bounds;
    this.synapses = new Synapses(layer, rule, this.options.bounds, whileChanging, perNeuron, this.work);
    for (const [i, name] of ["low", "high"].entries()) {
      if (Number.isFinite(this.options.bounds[i]) || !this.synapses.uses(name)) continue;
      throw wrongValue("Plastic", `bounds [low, high], which ${rule.name} reads`, show(this.options.bounds));
    }
    if (layer.weight.ndim > 2 && rule.has("onReward") && this.synapses.rewardReadsNeurons) {
      throw wrongValue(
        rule.name,
        "a Linear layer for onReward with spikes or traces, of which a convolution has one at each place",
        layer.constructor.name,
      );
    }
    const { dt, decay } = rule;
    this.decays = Object.fromEntries([
      ...rule.traces.map(({ name, tau }) => [name, decay === "euler" ? 1 - dt / tau : decayOver(dt, tau)]),
      ...rule.synapse.map(({ name, tau }) => [name, decayOver(dt, tau)]),
    ]);
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
    this.run(pre, post, next, options);
    return takenOver(next);
  }

  /**
   * The same, with the state in place.
   *
   * @internal
   */
  run(pre: Tensor, post: Tensor, state: WorkingState, options: PlasticStepOptions = STEP_DEFAULTS): void {
    const where = `${this.rule.name}.step`;
    if (inReference()) throw new Error(`${where}: expected a call outside of gradcheck: a rule has no gradient`);
    const { reward, apply } = withDefaults(where, STEP_DEFAULTS, options as typeof STEP_DEFAULTS);
    ready(where, pre);
    ready(where, post);
    const [batch = 0, ...shape] = pre.sizes;
    const connection = this.connectionFor(where, shape);
    if (batch === 0 || !sameShape(post.sizes, [batch, ...connection.post])) {
      throw wrongValue(where, `spikes behind ${formatShape([batch, ...connection.post])}`, formatShape(post.sizes));
    }
    this.checkState(where, state, batch, connection);
    const rewards = reward === undefined ? null : rewardsOf(where, reward, batch);
    checkValues(where, "spikes before", pre);
    checkValues(where, "spikes behind", post);
    this.synapses.checkWeight(where);
    const { dt } = this.rule;
    const at = { pre: pre.ptr, post: post.ptr };
    this.advance({ connection, batch, ...at, rewards, applies: apply, elapsed: dt, isStep: true }, state);
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
    this.checkState(where, now, 1, connection);
    let last = now.time;
    for (let i = 0; i < at.length; i++) {
      const t = numberOf(where, `times[${i}]`, at[i], FINITE);
      if (t < last) throw wrongValue(where, `times[${i}] ≥ ${last}`, t);
      last = t;
    }
    this.synapses.checkWeight(where);
    const [pre, post] = [this.work.take(4 * inputs), this.work.take(4 * outputs)];
    for (const [i, { reward, ...spikes }] of events.entries()) {
      floatsAt(pre, inputs).fill(0);
      floatsAt(post, outputs).fill(0);
      for (const place of spikes.pre) floatsAt(pre, inputs)[place] = 1;
      for (const place of spikes.post) floatsAt(post, outputs)[place] = 1;
      const rewards = reward === null ? null : [reward];
      const elapsed = (at[i] as number) - now.time;
      this.advance({ connection, batch: 1, pre, post, rewards, applies: true, elapsed, isStep: false }, now);
    }
    this.work.give(pre, 4 * inputs);
    this.work.give(post, 4 * outputs);
    return takenOver(now);
  }

  /**
   * Gives the weights of each neuron behind the sum of the option `normalize`: w_ji ← w_ji·sum / Σ_k |w_jk|; weights that are all 0
   * stay. The bounds do not hold here, but behind the next step again, as in BindsNET.
   *
   * @throws Error without the option; RangeError for weights that are not finite.
   */
  normalize(): void {
    const where = `${this.rule.name}.normalize`;
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

  private checkState(where: string, given: PlasticState, batch: number, connection: Connection): void {
    const state = Object(given) as PlasticState;
    const { inputs, outputs } = this.synapses;
    const check = (name: string, t: unknown, shape: Shape) => {
      if (!(t instanceof Tensor)) throw wrongType(where, `a state with ${name}, from initialState`, t);
      checkNotUsedUp(where, t);
      ready(where, t);
      if (!sameShape(t.sizes, shape)) {
        throw wrongValue(where, `${name} of the state ${formatShape(shape)}`, formatShape(t.sizes));
      }
    };
    for (const { name, of } of this.rule.traces)
      check(`traces.${name}`, state.traces?.[name], [batch, ...connection[of]]);
    for (const { name } of this.rule.synapse) {
      check(`synapses.${name}`, state.synapses?.[name], [batch, outputs, inputs]);
      numberOf(where, `scales.${name} of the state`, state.scales?.[name], POSITIVE);
    }
    numberOf(where, "time of the state", state.time, FINITE);
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
    synapses.scalar("reward", 0);
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
    else if (isDirect && synapses.hasEvents) {
      const [{ pre, post }] = state.last as readonly [Spiking];
      synapses.wrote(post, pre);
    }
    this.isPending ||= !isDirect;
    if (this.isPending && applies) {
      synapses.applySums(this.options.reduction === "mean" ? 1 / batch : 1);
      this.isPending = false;
    }
    if (this.options.weightDecay > 0 && isStep && applies) synapses.scaleWeights(1 - this.options.weightDecay);
    if (applies) synapses.bound();
    state.time += elapsed;
    for (const t of Object.values(state.traces)) touch(t);
    for (const t of Object.values(state.synapses)) touch(t);
    synapses.checkChanges(`${rule.name}.step`);
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
    const last: Spiking[] = [];
    for (let s = 0; s < batch * places; s++) {
      const spiking = samples.spiking(s);
      last.push(spiking);
      if (spiking.pre.length === 0 && spiking.post.length === 0) continue;
      this.synapses.spikes(samples.at(s), Math.floor(s / places), spiking, state, target);
    }
    state.last = places === 1 ? last : null;
  }

  private decaySynapses({ elapsed, isStep }: Moment, state: WorkingState): void {
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
    const { rule } = this;
    const { sweeps, decaysAt, before } = this.neuronsFor(moment);
    if (rule.traces.length === 0) return;
    const decays = floatsAt(decaysAt, rule.traces.length);
    rule.traces.forEach(({ name, tau }, i) => {
      decays[i] = moment.isStep ? (this.decays[name] as number) : decayOver(moment.elapsed, tau);
    });
    for (const of of SIDES) {
      const sweep = sweeps[of];
      if (sweep === null) continue;
      sweep.input(SPIKES, moment[of], 0);
      rule.traces.forEach((trace, i) => {
        if (trace.of !== of) return;
        const { ptr } = state.traces[trace.name] as Tensor;
        sweep.input(trace.name, ptr, 0);
        sweep.output(trace.name, before[i] as number, 0);
        sweep.output(after(trace.name), ptr, 0);
      });
      sweep.rows.run(0, 1, moment.batch * sizeOf(moment.connection[of]));
    }
  }

  /** Memory of the neurons for a batch; that of the batch before is given back where it is of another size. */
  private neuronsFor({ connection, batch }: Moment): Neurons {
    const known = this.neurons;
    if (known !== null && known.connection === connection && known.batch === batch) return known;
    known?.free();
    this.neurons = new Neurons(this.rule, connection, batch, this.work);
    return this.neurons;
  }

  private samplesOf(moment: Moment, state: WorkingState): Samples {
    const { before } = this.neuronsFor(moment);
    const addresses = (of: "pre" | "post"): number[] => {
      const mine = this.rule.traces
        .map(({ name }, i) => ({ name, i }))
        .filter(({ i }) => this.rule.traces[i]?.of === of);
      return [
        moment[of],
        ...mine.map(({ i }) => before[i] as number),
        ...mine.map(({ name }) => (state.traces[name] as Tensor).ptr),
      ];
    };
    return (this.neurons as Neurons).samples(addresses("pre"), addresses("post"));
  }
}

const SIDES = ["pre", "post"] as const;
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

/** Throws for values that are not finite. */
function checkValues(where: string, what: string, { ptr, size }: Tensor): void {
  const values = floatsAt(ptr, size);
  for (let i = 0; i < size; i++) {
    if (!Number.isFinite(values[i])) throw wrongValue(where, `finite ${what}`, `${values[i]} at ${i}`);
  }
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

/** Memory for the neurons on both sides of a connection, for one size of batch. */
class Neurons {
  readonly connection: Connection;
  readonly batch: number;
  /** Traces before the spikes of a step, in the order of the rule. */
  readonly before: readonly number[];
  readonly decaysAt: number;
  readonly sweeps: Readonly<Record<"pre" | "post", Sweep | null>>;
  private readonly work: Workspace;
  /** What was taken, as pairs of address and bytes. */
  private readonly taken: [number, number][] = [];
  private readonly all: Samples;

  constructor(rule: Rule, connection: Connection, batch: number, work: Workspace) {
    this.connection = connection;
    this.batch = batch;
    this.work = work;
    const size = { pre: batch * sizeOf(connection.pre), post: batch * sizeOf(connection.post) };
    this.before = rule.traces.map(({ of }) => this.take(4 * size[of]));
    this.decaysAt = this.take(4 * Math.max(1, rule.traces.length));
    const sweepOf = (of: "pre" | "post"): Sweep | null => {
      const definition = traceSweep(rule, of);
      if (definition === null) return null;
      const sweep = new Sweep(definition, size[of], this.take);
      rule.traces.forEach(({ name }, i) => sweep.input(decayOf(name), this.decaysAt + 4 * i, 0));
      return sweep;
    };
    this.sweeps = { pre: sweepOf("pre"), post: sweepOf("post") };
    this.all = new Samples(rule, connection, this.take);
  }

  private readonly take = (bytes: number): number => {
    const p = this.work.take(bytes);
    this.taken.push([p, bytes]);
    return p;
  };

  samples(pre: readonly number[], post: readonly number[]): Samples {
    return this.all.from(pre, post);
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
  /** What lies under a window, and behind its place, for each value of a neuron; empty for a linear layer. */
  private readonly patches: Readonly<Record<"pre" | "post", readonly number[]>>;
  private pre: readonly number[] = [];
  private post: readonly number[] = [];
  /** The samples whose spikes, and whose other values, the patches hold. */
  private readonly gathered: [spikes: number, others: number] = [-1, -1];

  constructor(rule: Rule, connection: Connection, take: (bytes: number) => number) {
    this.connection = connection;
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
    const [pre] = isWindow ? this.patches.pre : [(this.pre[0] as number) + 4 * inputs * s];
    const [post] = isWindow ? this.patches.post : [(this.post[0] as number) + 4 * outputs * s];
    return { pre: placesOf(floatsAt(pre as number, inputs)), post: placesOf(floatsAt(post as number, outputs)) };
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
