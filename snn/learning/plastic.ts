/**
 * The public class of a connection that learns by a rule, with the checks before each step.
 *
 * @module
 */
import {
  COUNT,
  choiceOf,
  FINITE,
  numberOf,
  numbersOf,
  POSITIVE,
  show,
  UNIT,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import { composed, inReference, persist, ready } from "../../engine/extend.ts";
import { type Conv1d, type Conv2d, type Linear, noGrad, type Tensor, zeros } from "../../engine/index.ts";
import { rootOf, takeOver } from "../../engine/lasting.ts";
import { checkChangeable } from "../../engine/protocol.ts";
import { checkShape, formatShape, type Shape, sameShape } from "../../engine/shape.ts";
import { type Connection, checkLayer, connectionOf, matrixOf } from "./connection.ts";
import {
  type CheckedOptions,
  checkStateTensor,
  DEFAULTS,
  eventOf,
  NO_BOUNDS,
  type PlasticEvent,
  type PlasticOptions,
  type PlasticState,
  type PlasticStepOptions,
  rewardsOf,
  STEP_DEFAULTS,
  type WorkingState,
  weightBounds,
  weightNorm,
  workingState,
} from "./plastic-options.ts";
import { PlasticSteps } from "./plastic-step.ts";
import { Rule, type SynapseState, type Trace } from "./plasticity.ts";
import { type Spiking, Synapses } from "./synapses.ts";
import { floatsAt, Workspace } from "./workspace.ts";

/** Shapes of spikes that fit the layer, and sizes that follow from them. */
interface Fitting {
  readonly pre: Shape;
  readonly post: Shape;
  readonly batch: number;
  readonly connection: Connection;
  /** Shape of the synaptic states. */
  readonly synapses: Shape;
}

/**
 * A layer whose weight a rule changes at the spikes of its pre- and postsynaptic neurons.
 *
 * For a batch, each synapse changes by the sum or the mean over the samples, which all read the weight from before the
 * step. A convolution shares its weights: each position of its window counts as a sample, and the changes are added up.
 * Changed weights are clamped to `bounds`. If a weight was outside before the step, all weights are clamped.
 *
 * With `apply: false`, changes accumulate in the connection, not in the state.
 *
 * A step writes the weight in place, so a `backward` through a product with the earlier weight is an error. The step
 * reuses the memory of the given state, and its tensors then count as freed. To continue from a state twice, clone its
 * tensors first. The cost follows the spikes: a spike sweeps the synapses of its neuron. `onStep`, `onReward` and
 * `weightDecay` sweep all synapses.
 *
 * @throws TypeError for a layer or rule of an unsupported class; RangeError for a convolution of several groups, bounds in the wrong order, a sum
 *   that is not positive, a parameter [N] where N is not the number of postsynaptic neurons, missing bounds of a rule that needs them, or a dt for a
 *   rule whose changes do not depend on time.
 *
 * @example
 * ```ts
 * import { Linear, Plastic, STDP, tensor } from "jarvis-snn";
 *
 * const layer = new Linear(2, 1, { bias: false });
 * layer.weight.copyFrom([0.5, 0.5]);
 * const plastic = new Plastic(layer, new STDP({ aPlus: 0.1, aMinus: 0.12 }), { bounds: [0, 1] });
 * let state = plastic.initialState(1);
 * state = plastic.step(tensor([[1, 0]]), tensor([[0]]), state); // the first input fires,
 * state = plastic.step(tensor([[0, 0]]), tensor([[1]]), state); // then the output,
 * state = plastic.step(tensor([[0, 1]]), tensor([[0]]), state); // then the second input
 * console.log(`${layer.weight}`); // Tensor([1, 2], [0.59512, 0.38585], requiresGrad)
 * ```
 */
export class Plastic {
  /** The layer whose weight changes. */
  readonly layer: Linear | Conv1d | Conv2d;
  /** The rule that changes it. */
  readonly rule: Rule;
  private readonly options: CheckedOptions;
  private readonly work = new Workspace();
  private readonly synapses: Synapses;
  private readonly steps: PlasticSteps;
  private readonly where: string;
  /** Whether an equation of the rule reads the reward. */
  private readonly readsReward: boolean;
  private connection: Connection | null = null;
  private fitting: Fitting | null = null;

  constructor(layer: Linear | Conv1d | Conv2d, rule: Rule, options: PlasticOptions = {}) {
    checkLayer("Plastic", layer);
    if (!(rule instanceof Rule)) throw wrongType("Plastic", "a rule such as new STDP()", rule);
    const { bounds, normalize, reduction, weightDecay } = withDefaults("Plastic", DEFAULTS, options as typeof DEFAULTS);
    this.layer = layer;
    this.rule = rule;
    this.where = `${rule.name}.step`;
    const checked = {
      bounds: weightBounds(bounds),
      reduction: choiceOf("Plastic", "reduction", reduction, ["sum", "mean"]),
      weightDecay: numberOf("Plastic", "weightDecay", weightDecay, UNIT),
    };
    const [sum, every] = weightNorm(normalize);
    this.options = { ...checked, sum, every };
    try {
      this.synapses = this.synapsesOf(sum);
      this.steps = new PlasticSteps(rule, this.synapses, this.options, this.work);
    } catch (error) {
      sum?.dispose();
      this.work.free();
      throw error;
    }
    this.readsReward = rule.has("onReward") || this.synapses.uses("reward");
  }

  /** Makes the synapses, if the layer supports the rule and the options. */
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
    // The decay moves all weights, so it applies the bounds itself.
    const whileChanging = this.options.weightDecay > 0 ? NO_BOUNDS : this.options.bounds;
    const synapses = new Synapses(layer, rule, this.options.bounds, whileChanging, perNeuron, this.work);
    for (const [i, name] of ["low", "high"].entries()) {
      if (Number.isFinite(this.options.bounds[i]) || !synapses.uses(name)) continue;
      throw wrongValue("Plastic", `bounds [low, high], which ${rule.name} reads`, show(this.options.bounds));
    }
    const hasTime = rule.traces.length > 0 || rule.synapse.length > 0 || takesEvents(rule) || synapses.uses("dt");
    if (rule.dt !== 1 && !hasTime)
      throw wrongValue(rule.name, "dt 1 of a rule whose changes do not depend on time", rule.dt);
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
   * The state before the first step, zeros: for the batch size of a linear layer, or for presynaptic spikes of the shape [B, C, L] or [B, C, H, W].
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
    return composed(() => ({
      traces: Object.fromEntries(
        this.rule.traces.map((trace) => [trace.name, zeros([B, ...(trace.of === "pre" ? pre : post)])]),
      ),
      synapses: Object.fromEntries(states.map((name) => [name, zeros([B, outputs, inputs])])),
      scales: Object.fromEntries(states.map((name) => [name, 1])),
      time: 0,
      last: null,
    }));
  }

  /**
   * One time step: presynaptic spikes or rates, [B, in] or [B, C, …], and postsynaptic ones, [B, out] or [B, O, …]. Changes the weight of the layer
   * and returns the next state.
   *
   * @throws RangeError for shapes that do not fit the layer and the state, spikes, weights or rewards that are not finite, and a number of rewards
   *   other than that of the samples; Error inside of `gradcheck`; TypeError for anything but a tensor. These checks come before any write. Error if
   *   a weight or a synaptic state became infinite or NaN in the step; the step is then complete and the given state consumed.
   */
  step(pre: Tensor, post: Tensor, state: PlasticState, options: PlasticStepOptions = STEP_DEFAULTS): PlasticState {
    const next = workingState(this.where, this.rule, state);
    Plastic.inPlace(this, pre, post, next, options);
    return this.takenOver(next);
  }

  /**
   * Checks of a step that do not depend on spikes: throws if weights are not finite or rewards do not fit.
   *
   * @internal
   */
  static check({ where, synapses }: Plastic, batch: number, reward: PlasticStepOptions["reward"]): void {
    if (reward !== undefined) rewardsOf(where, reward, batch);
    synapses.check(where);
  }

  /**
   * `step` that writes the state in place.
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
    const rewards = reward === undefined ? null : this.rewards(where, reward, batch);
    this.checkValues(where, "spikes before", pre);
    this.checkValues(where, "spikes behind", post);
    this.checkPending(where, batch);
    this.synapses.check(where);
    const copies = this.copiesOf(pre, post, state);
    const [before = pre, behind = post] = copies;
    const at = { pre: before.ptr, post: behind.ptr };
    try {
      const elapsed = this.rule.dt;
      this.steps.run({ connection, batch, ...at, rewards, applies: apply, elapsed, isStep: true, where }, state);
    } finally {
      for (const t of copies) t.dispose();
    }
  }

  /** Copies those spikes that are part of the state, since the step overwrites it. */
  private copiesOf(pre: Tensor, post: Tensor, { traces, synapses }: WorkingState): readonly Tensor[] {
    const { traces: ofTraces, synapse } = this.rule;
    const isShared =
      isPartOf(ofTraces, traces, pre) ||
      isPartOf(ofTraces, traces, post) ||
      isPartOf(synapse, synapses, pre) ||
      isPartOf(synapse, synapses, post);
    return isShared ? noGrad(() => [persist(pre.clone()), persist(post.clone())]) : NO_COPIES;
  }

  private rewards(where: string, reward: PlasticStepOptions["reward"], batch: number): number[] {
    if (!this.readsReward) throw wrongValue(where, "no reward for a rule that reads none", show(reward));
    return rewardsOf(where, reward, batch);
  }

  /** Throws if changes of a different batch size are pending, since their mean is then undefined. */
  private checkPending(where: string, batch: number): void {
    const { pending } = this.steps;
    if (pending === 0 || pending === batch || this.options.reduction === "sum") return;
    throw wrongValue(where, `the batch of the changes that were kept, ${pending}`, batch);
  }

  /**
   * Runs spikes at continuous times: the event kinds[k] at times[k], in ascending order. Between events, traces and synaptic states decay by
   * exp(−Δt/τ). `onStep` and `weightDecay` are not applied. Begins with the initial state, or a given state of one sample. Returns the state after
   * the last event.
   *
   * @throws RangeError for times that descend or begin before the time of the state, neurons that do not exist, and lists of different lengths; Error
   *   for a rule with `decay: "euler"`; otherwise as `step`.
   */
  events(times: ArrayLike<number>, kinds: readonly PlasticEvent[], state?: PlasticState): PlasticState {
    const where = `${this.rule.name}.events`;
    if (inReference()) throw new Error(`${where}: expected a call outside of gradcheck: a rule has no gradient`);
    if (this.rule.decay === "euler") throw new Error(`${where}: expected a rule with decay "exp", got "euler"`);
    const { inputs, outputs } = this.synapses;
    if (!takesEvents(this.rule)) {
      throw new Error(`${where}: expected a rule with onPre, onPost or onReward, got one with onStep alone`);
    }
    const connection = this.connectionFor(where, [inputs]);
    const at = numbersOf(where, "times as numbers", times);
    if (!Array.isArray(kinds) || kinds.length !== at.length) {
      throw wrongValue(where, `kinds for ${at.length} times`, Array.isArray(kinds) ? kinds.length : show(kinds));
    }
    // `Array.from` visits the holes of a list, which `map` skips.
    const events = Array.from({ length: at.length }, (_, i) =>
      eventOf(`${where}: kinds[${i}]`, kinds[i], inputs, outputs),
    );
    const now = workingState(where, this.rule, state ?? this.initialState(1));
    this.checkState(where, now, this.fittingOf([1, inputs], [1, outputs]));
    let last = now.time;
    for (let i = 0; i < at.length; i++) {
      const t = numberOf(where, `times[${i}]`, at[i], FINITE);
      if (t < last) throw wrongValue(where, `times[${i}] ≥ ${last}`, t);
      last = t;
    }
    for (const { reward } of events) if (reward !== null) this.rewards(where, reward, 1);
    this.checkPending(where, 1);
    this.synapses.check(where);
    const [pre, post] = [this.work.take(4 * inputs), this.work.take(4 * outputs)];
    try {
      const moment = { connection, batch: 1, pre, post, applies: true, isStep: false, where };
      for (const [i, { reward, ...spikes }] of events.entries()) {
        floatsAt(pre, inputs).fill(0);
        floatsAt(post, outputs).fill(0);
        const until = at[i] as number;
        // A reward before the events of its time reads traces that have decayed until then.
        if (reward !== null && this.rule.rewardAfter === "nothing" && until > now.time) {
          this.steps.run({ ...moment, rewards: null, elapsed: until - now.time }, now);
        }
        for (const place of spikes.pre) floatsAt(pre, inputs)[place] = 1;
        for (const place of spikes.post) floatsAt(post, outputs)[place] = 1;
        this.steps.run({ ...moment, rewards: reward === null ? null : [reward], elapsed: until - now.time }, now);
      }
    } finally {
      this.work.give(pre, 4 * inputs);
      this.work.give(post, 4 * outputs);
    }
    return this.takenOver(now);
  }

  /**
   * Scales the weights of each postsynaptic neuron to the sum of the option `normalize`: w_ji ← w_ji·sum / Σ_k |w_jk|; weights that are all 0 are
   * unchanged. Bounds are not applied here but after the next step, as in BindsNET.
   *
   * @throws Error without the option; RangeError for weights that are not finite.
   */
  normalize(): void {
    const where = `${this.rule.name}.normalize`;
    if (inReference()) throw new Error(`${where}: expected a call outside of gradcheck: a rule has no gradient`);
    const { sum } = this.options;
    if (sum === null) throw new Error(`${where}: expected the option normalize of Plastic, the sum to give`);
    this.synapses.check(where);
    this.synapses.normalize(where, sum);
  }

  /**
   * The shape of the postsynaptic spikes, [B, …], for presynaptic spikes of this shape.
   *
   * @internal
   */
  outputShape([batch, ...pre]: Shape): Shape {
    return [batch as number, ...this.connectionFor(`${this.rule.name}.initialState`, pre).post];
  }

  private connectionFor(where: string, shape: Shape): Connection {
    if (this.connection === null || !sameShape(this.connection.pre, shape)) {
      checkChangeable(where, "Plastic", this);
      this.connection = connectionOf(where, this.layer, shape);
    }
    return this.connection;
  }

  /** Checks shapes of spikes against the layer; cached, since most steps have the shapes of the last one. */
  private fittingOf(pre: Shape, post: Shape): Fitting {
    const { where, fitting } = this;
    if (fitting !== null && sameShape(fitting.pre, pre) && sameShape(fitting.post, post)) return fitting;
    const [batch = 0, ...shape] = pre;
    const connection = this.connectionFor(where, shape);
    if (batch === 0 || !sameShape(post, [batch, ...connection.post])) {
      throw wrongValue(where, `spikes behind ${formatShape([batch, ...connection.post])}`, formatShape(post));
    }
    const { inputs, outputs } = this.synapses;
    checkChangeable(where, "Plastic", this);
    this.fitting = { pre, post, batch, connection, synapses: [batch, outputs, inputs] };
    return this.fitting;
  }

  private checkState(where: string, state: WorkingState, fitting: Fitting): void {
    const { traces, synapse } = this.rule;
    const seen = [rootOf(this.layer.weight)];
    for (let i = 0; i < traces.length; i++) {
      const { name, of } = traces[i] as Trace;
      checkStateTensor(where, "traces", name, state.traces[name], fitting[of], seen);
    }
    for (let i = 0; i < synapse.length; i++) {
      const { name } = synapse[i] as SynapseState;
      checkStateTensor(where, "synapses", name, state.synapses[name], fitting.synapses, seen);
      numberOf(where, `scales.${name} of the state`, state.scales[name], POSITIVE);
    }
    numberOf(where, "time of the state", state.time, FINITE);
    const { last } = state;
    if (last === null) return;
    let isList = Array.isArray(last) && last.length === fitting.batch;
    for (let b = 0; isList && b < fitting.batch; b++) {
      const { pre, post } = Object(last[b]) as Partial<Spiking>;
      isList = pre instanceof Int32Array && post instanceof Int32Array;
    }
    if (!isList) throw wrongType(where, "last of the state as initialState gives it", last);
  }

  /** The state in new tensors, which take over the memory of the old ones. */
  private takenOver(state: WorkingState): PlasticState {
    const taken = (names: readonly { readonly name: string }[], tensors: WorkingState["traces"]) =>
      Object.fromEntries(names.map(({ name }) => [name, takeOver(tensors[name] as Tensor)]));
    const { traces, synapse } = this.rule;
    return { ...state, traces: taken(traces, state.traces), synapses: taken(synapse, state.synapses) };
  }

  /** Throws if a value is not finite. A kernel recognises spikes, which are 0 or 1. */
  private checkValues(where: string, what: string, { ptr, size }: Tensor): void {
    if (this.synapses.areSpikes(ptr, size)) return;
    const values = floatsAt(ptr, size);
    for (let i = 0; i < size; i++) {
      if (!Number.isFinite(values[i])) throw wrongValue(where, `finite ${what}`, `${values[i]} at ${i}`);
    }
  }
}

const NO_COPIES: readonly Tensor[] = [];

/** Whether a rule takes part in events at continuous times. */
const takesEvents = (rule: Rule): boolean => rule.has("onPre") || rule.has("onPost") || rule.has("onReward");

/** Whether x is a view of one of the tensors of these names. */
function isPartOf(names: readonly { readonly name: string }[], tensors: WorkingState["traces"], x: Tensor): boolean {
  for (let i = 0; i < names.length; i++) {
    const { name } = names[i] as { name: string };
    if (rootOf(tensors[name] as Tensor) === rootOf(x)) return true;
  }
  return false;
}
