/** A step of a plastic connection after all checks: traces, sweeps over synapses, and the new state. */
import { touch } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import type { Connection } from "./connection.ts";
import { ConnectedNeurons, type StepSamples } from "./plastic-neurons.ts";
import { type CheckedOptions, decayOver, type WorkingState } from "./plastic-options.ts";
import type { Rule, SynapseState, Trace } from "./plasticity.ts";
import type { Target } from "./rule-sweeps.ts";
import type { Spiking, Synapses } from "./synapses.ts";
import { floatsAt, type Workspace } from "./workspace.ts";

/** A checked step. */
export interface Moment {
  readonly connection: Connection;
  readonly batch: number;
  /** Addresses of pre- and postsynaptic spikes. */
  readonly pre: number;
  readonly post: number;
  readonly rewards: readonly number[] | null;
  readonly applies: boolean;
  /** Time since the last step, and whether this is a regular step, which includes `onStep` and the decay of weights. */
  readonly elapsed: number;
  readonly isStep: boolean;
  /** Name of the caller in errors. */
  readonly where: string;
}

/** A synaptic state is multiplied by its scale when the scale falls below this. */
const LEAST_SCALE = 2 ** -20;

/** Runs the steps of a connection: rewards, decay, traces, events and sums in the order of the rule. */
export class PlasticSteps {
  /** Batch size of the pending changes, 0 for none. */
  pending = 0;
  private readonly rule: Rule;
  private readonly synapses: Synapses;
  private readonly options: CheckedOptions;
  private readonly work: Workspace;
  /** Decay per step of traces and synaptic states. */
  private readonly decays: Readonly<Record<string, number>>;
  private steps = 0;
  /** Cached for the last batch and connection. */
  private neurons: ConnectedNeurons | null = null;

  constructor(rule: Rule, synapses: Synapses, options: CheckedOptions, work: Workspace) {
    this.rule = rule;
    this.synapses = synapses;
    this.options = options;
    this.work = work;
    const { dt, decay } = rule;
    this.decays = Object.fromEntries([
      ...rule.traces.map(({ name, tau }) => [name, decay === "euler" ? 1 - dt / tau : decayOver(dt, tau)]),
      ...rule.synapse.map(({ name, tau }) => [name, decayOver(dt, tau)]),
    ]);
  }

  run(moment: Moment, state: WorkingState): void {
    const { rule, synapses } = this;
    const { batch, connection, rewards, applies, isStep, elapsed } = moment;
    const hasReward = rewards !== null && rule.has("onReward");
    const hasStep = isStep && rule.has("onStep");
    // Changes are collected and applied later if one could otherwise read a weight that another has changed.
    const isDirect =
      batch * connection.places === 1 &&
      applies &&
      this.pending === 0 &&
      !hasReward &&
      !(hasStep && synapses.hasEvents);
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
        this.noteReward(rewards, b);
        if (synapses.dense("onStep", samples.at(s), b, state, target)) state.last = null;
      }
    }
    if (hasReward && rule.rewardAfter === "events") this.reward(samples, moment, state);
    if (isDirect && hasStep) synapses.wrote(null, null);
    if (!isDirect) this.pending = batch;
    if (this.pending > 0 && applies) {
      synapses.applySums(this.options.reduction === "mean" ? 1 / batch : 1);
      this.pending = 0;
    }
    // The decay applies the bounds, so sweeps do not.
    const { weightDecay } = this.options;
    if (weightDecay > 0 && applies) synapses.scaleWeights(isStep ? 1 - weightDecay : 1);
    if (applies) synapses.bound();
    state.time += elapsed;
    for (let i = 0; i < rule.traces.length; i++) touch(state.traces[(rule.traces[i] as Trace).name] as Tensor);
    for (let i = 0; i < rule.synapse.length; i++)
      touch(state.synapses[(rule.synapse[i] as SynapseState).name] as Tensor);
    this.checkChanges(moment.where, state);
    if (!applies) return;
    this.steps++;
    const { sum, every } = this.options;
    if (sum !== null && this.steps % every === 0) synapses.normalize(moment.where, sum);
  }

  /** Throws if sweeps have made a value infinite or NaN; the state is then unusable. */
  private checkChanges(where: string, state: WorkingState): void {
    try {
      this.synapses.checkChanges(where, state);
    } catch (error) {
      for (const t of [...Object.values(state.traces), ...Object.values(state.synapses)]) t.dispose();
      throw error;
    }
  }

  private noteReward(rewards: readonly number[] | null, b: number): void {
    if (rewards !== null) this.synapses.scalar("reward", rewards[b] as number);
  }

  private reward(samples: StepSamples, { batch, connection, rewards }: Moment, state: WorkingState): void {
    for (let b = 0; b < batch; b++) {
      this.noteReward(rewards, b);
      const sample = samples.at(b * connection.places);
      if (this.synapses.dense("onReward", sample, b, state, "sum")) state.last = null;
    }
  }

  private spikes(
    samples: StepSamples,
    { batch, connection, rewards }: Moment,
    state: WorkingState,
    target: Target,
  ): void {
    const { places } = connection;
    const last: Spiking[] | null = places === 1 && this.rule.synapse.length > 0 ? [] : null;
    for (let s = 0; s < batch * places; s++) {
      const spiking = samples.spiking(s);
      last?.push(spiking);
      if (spiking.pre.length === 0 && spiking.post.length === 0) continue;
      const b = Math.floor(s / places);
      this.noteReward(rewards, b);
      this.synapses.spikes(samples.at(s), b, spiking, state, target);
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

  /** Decays traces and adds the spikes of the step; keeps the previous values for changes that read them. */
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

  /** Memory of the neurons for a batch; memory for a different batch size is freed. */
  private neuronsFor({ connection, batch }: Moment): ConnectedNeurons {
    const known = this.neurons;
    if (known !== null && known.connection === connection && known.batch === batch) return known;
    known?.free();
    this.neurons = new ConnectedNeurons(this.rule, connection, batch, this.work);
    return this.neurons;
  }

  private samplesOf(moment: Moment, state: WorkingState): StepSamples {
    const neurons = this.neuronsFor(moment);
    const { traces } = this.rule;
    for (let i = 0; i < traces.length; i++) {
      neurons.noteValue(i, (state.traces[(traces[i] as Trace).name] as Tensor).ptr);
    }
    return neurons.samples(moment.pre, moment.post);
  }
}
