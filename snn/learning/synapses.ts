/**
 * The synapses of a layer that a rule changes: its weight, sums of changes, synaptic states, and the sweeps over them.
 *
 * If the weight of a linear layer has a transposed copy, which products with few spikes read (engine/forms/columns.ts), sweeps keep it up to
 * date. Thus the cost of `forward` remains proportional to the spikes, even if the network learns in each step.
 */
import { wrongValue } from "../../engine/arguments.ts";
import { ready } from "../../engine/extend.ts";
import type { StepDefinition } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import { simd, touchBoth, turnChanged } from "../../engine/lasting.ts";
import { formatShape, type Shape, sameShape } from "../../engine/shape.ts";
import { checkKept, type Kept, keptOf } from "../layer/kept.ts";
import { type Changeable, matrixOf } from "./connection.ts";
import type { Rule } from "./plasticity.ts";
import type { RuleLayout, SweepPath, Target } from "./rule-sweeps.ts";
import {
  applySweep,
  checkSweep,
  denseSweep,
  eventSweep,
  explainSweep,
  FACTOR,
  FINITE_CHECK,
  inverseOf,
  neuronValues,
  normalizeSweep,
  normSweep,
  RATE,
  SUM_OF_CHANGES,
  scalarsOf,
  scaleName,
  scaleSweep,
} from "./rule-sweeps.ts";
import { RuleSweep } from "./sweep.ts";
import { floatsAt, int32At, type Workspace } from "./workspace.ts";

/** Addresses of the values of one sample's neurons, in the order of `valuesOf`. */
export interface SampleAddresses {
  readonly pre: readonly number[];
  readonly post: readonly number[];
}

/** Indices of the neurons of a sample that spike. */
export interface Spiking {
  readonly pre: Int32Array;
  readonly post: Int32Array;
}

/** Synaptic states [B, out, in], and the scale of each, a factor of all its values. */
export interface SynapseStates {
  readonly synapses: Readonly<Record<string, Tensor>>;
  readonly scales: Record<string, number>;
}

/** Addresses of the scale of a state and of its reciprocal. */
interface ScalePlace {
  readonly name: string;
  readonly at: number;
  readonly inverseAt: number;
}

/** Sums of changes [out, in], and the neurons whose synapses may have changed. */
interface Sums {
  readonly at: number;
  readonly rows: Uint8Array;
  readonly columns: Uint8Array;
  /** Whether changes of all synapses were added. */
  all: boolean;
}

/** If more than this share of presynaptic neurons spike, whole rows are swept: a listed column costs about three times as much. */
const MANY = 1 / 3;
/** Below this, columns are swept one by one: listed rows have a fixed cost each. */
const FEW = 3;

const NONE = new Int32Array(0);

export class Synapses {
  readonly outputs: number;
  readonly inputs: number;
  readonly names: Readonly<Record<"pre" | "post", readonly string[]>>;
  private readonly layer: Changeable;
  private readonly shape: Shape;
  private readonly rule: Rule;
  private readonly bounds: RuleLayout["bounds"];
  private readonly layout: RuleLayout;
  private readonly work: Workspace;
  private readonly sweeps = new Map<string, RuleSweep>();
  private readonly scalars: readonly string[];
  private readonly scalarAt: readonly number[];
  /** Places of the scales of synaptic states among these values. */
  private readonly scales: readonly ScalePlace[];
  /**
   * Parameters of the rule, and their address among these values; 0 for a parameter with a value for each postsynaptic neuron.
   */
  private readonly parameters: readonly { readonly t: Tensor; readonly at: number }[];
  /** Parameters together with the fields of the rule that hold them. */
  private readonly kept: readonly Kept[];
  /** Byte offsets of columns within a row, and of rows within a column. */
  private readonly columns: number;
  private readonly rows: number;
  /** Addresses of presynaptic values, gathered at the listed columns. */
  private readonly listed: readonly number[];
  /** Four float64 lanes: sums of x − x, which are 0 if all x are finite. */
  private readonly finite: number;
  /** Sum over the rows so far, which a rule reads as `explained`. */
  private readonly explained: number;
  /** Version of the weight at the last write by a sweep. */
  private seen = -1;
  private sums: Sums | null = null;
  /** Whether weights may exceed the bounds until the next step. */
  private isOutside = false;
  /** Whether sweeps have written weights that were not checked yet. */
  private isSwept = false;
  /** Spikes of a sample as bits. */
  private readonly bits: number;

  /** `changing`: bounds during changes; wider than the final ones if all weights are clamped afterwards. */
  constructor(
    layer: Changeable,
    rule: Rule,
    bounds: RuleLayout["bounds"],
    changing: RuleLayout["bounds"],
    perNeuron: readonly string[],
    work: Workspace,
  ) {
    this.layer = layer;
    this.shape = layer.weight.sizes;
    this.rule = rule;
    this.kept = [keptOf(rule, rule.parameterNames)];
    this.bounds = bounds;
    this.layout = { rule, bounds: changing, perNeuron };
    this.work = work;
    [this.outputs, this.inputs] = matrixOf(layer.weight);
    this.names = { pre: neuronValues(rule, "pre"), post: neuronValues(rule, "post") };
    this.scalars = scalarsOf(this.layout);
    const block = work.take(4 * this.scalars.length);
    this.scalarAt = this.scalars.map((_, i) => block + 4 * i);
    this.finite = work.take(32);
    this.explained = rule.explains === null ? 0 : work.take(4 * this.inputs);
    this.bits = work.take(4 * Math.ceil(Math.max(this.inputs, this.outputs) / 32));
    this.columns = work.take(4 * this.inputs);
    this.rows = work.take(4 * this.outputs);
    int32At(this.rows, this.outputs).forEach((_, j, rows) => {
      rows[j] = 4 * j * this.inputs;
    });
    this.listed = this.names.pre.map(() => work.take(4 * this.inputs));
    this.parameters = rule.parameterNames.map((name) => ({
      t: rule.parameter(name),
      at: perNeuron.includes(name) ? 0 : this.addressOf(name),
    }));
    this.scales = rule.synapse.map(({ name }) => ({
      name,
      at: this.addressOf(scaleName(name)),
      inverseAt: this.addressOf(inverseOf(name)),
    }));
    this.scalar("dt", rule.dt);
    this.scalar("low", bounds[0]);
    this.scalar("high", bounds[1]);
  }

  /** Sets a value that all synapses share. */
  scalar(name: string, value: number): void {
    floatsAt(this.addressOf(name), 1)[0] = value;
  }

  private readonly addressOf = (name: string): number => this.scalarAt[this.scalars.indexOf(name)] as number;

  /** Whether spikes change synapses. */
  get hasEvents(): boolean {
    return this.rule.has("onPre") || this.rule.has("onPost");
  }

  /** Whether an equation of the rule uses a value of this name. */
  uses(name: string): boolean {
    const dense = (["onStep", "onReward"] as const).filter((event) => this.rule.has(event));
    const events = this.hasEvents && this.eventSweep("row", "sum").reads(name);
    return events || dense.some((event) => this.denseSweep(event, "sum").reads(name));
  }

  /** Whether the change at a reward reads spikes or traces. */
  get rewardReadsNeurons(): boolean {
    const sweep = this.denseSweep("onReward", "sum");
    return [...this.names.pre, ...this.names.post].some((name) => sweep.reads(name));
  }

  private made(key: string, path: SweepPath, definition: () => StepDefinition): RuleSweep {
    let sweep = this.sweeps.get(key);
    if (sweep === undefined) {
      sweep = new RuleSweep(definition(), Math.max(this.inputs, this.outputs), this.work.take);
      sweep.inputs(this.scalars, this.scalarAt, 0);
      sweep.output(FINITE_CHECK, this.finite, 0);
      const isColumn = path === "column";
      for (const name of this.layout.perNeuron) sweep.input(name, this.rule.parameter(name).ptr, isColumn ? 0 : 1);
      sweep.rows.note(sweep.rows.listPlace, isColumn ? this.rows : this.columns, 0);
      this.sweeps.set(key, sweep);
    }
    return sweep;
  }

  private eventSweep(path: SweepPath, target: Target): RuleSweep {
    return this.made(`${path} ${target}`, path, () => eventSweep(this.layout, path, target));
  }

  private denseSweep(event: "onStep" | "onReward", target: Target): RuleSweep {
    return this.made(`${event} ${target}`, "row", () => denseSweep(this.layout, event, target));
  }

  /** Sets the arrays of a sweep: weight, sums, and neurons and states of one sample. */
  private place(
    sweep: RuleSweep,
    { pre, post }: SampleAddresses,
    states: SynapseStates,
    b: number,
    path: SweepPath = "row",
  ): RuleSweep {
    const { outputs, inputs } = this;
    const [step, stepBefore, stepBehind] = path === "column" ? [1, 1, 0] : [inputs, 0, 1];
    this.isSwept = true;
    sweep.matrix("w", this.layer.weight.ptr, step);
    if (this.sums !== null) sweep.matrix(SUM_OF_CHANGES, this.sums.at, step);
    for (const { name } of this.rule.synapse) {
      sweep.matrix(name, (states.synapses[name] as Tensor).ptr + 4 * b * outputs * inputs, step);
    }
    sweep.inputs(this.names.pre, pre, stepBefore);
    sweep.inputs(this.names.post, post, stepBehind);
    return sweep;
  }

  /** Applies the changes at the spikes of one sample. */
  spikes(sample: SampleAddresses, b: number, { pre, post }: Spiking, states: SynapseStates, target: Target): void {
    const { rule, outputs, inputs, sums } = this;
    const before = rule.has("onPre") ? pre : NONE;
    const behind = rule.has("onPost") ? post : NONE;
    const isMany = before.length > MANY * inputs;
    if (behind.length > 0 || isMany) {
      const { rows } = this.place(this.eventSweep("row", target), sample, states, b);
      if (isMany) rows.run(0, outputs, inputs);
      else for (let k = 0; k < behind.length; k++) rows.run(behind[k] as number, 1, inputs);
    }
    if (before.length > FEW && !isMany) {
      const sweep = this.eventSweep("listed", target);
      this.place(sweep, { pre: this.gather(sweep, sample, before), post: sample.post }, states, b);
      let next = 0;
      for (let k = 0; k <= behind.length; k++) {
        const end = k < behind.length ? (behind[k] as number) : outputs;
        if (end > next) sweep.rows.run(next, end - next, before.length);
        next = end + 1;
      }
    } else if (before.length > 0 && !isMany) {
      const { rows } = this.place(this.eventSweep("column", target), sample, states, b, "column");
      for (let k = 0; k < before.length; k++) rows.run(before[k] as number, 1, outputs);
    }
    if (target === "weight") {
      if (before.length > 0 || behind.length > 0) this.wrote(behind, before);
      return;
    }
    if (sums === null) return;
    for (let k = 0; k < before.length; k++) sums.columns[before[k] as number] = 1;
    for (let k = 0; k < behind.length; k++) sums.rows[behind[k] as number] = 1;
  }

  /** Gathers those values of some presynaptic neurons that the sweep reads; returns their addresses. */
  private gather(sweep: RuleSweep, { pre }: SampleAddresses, places: Int32Array): readonly number[] {
    const { inputs, listed } = this;
    this.noteList(places);
    const { pre: names } = this.names;
    for (let v = 0; v < names.length; v++) {
      if (!sweep.reads(names[v] as string)) continue;
      const from = floatsAt(pre[v] as number, inputs);
      const to = floatsAt(listed[v] as number, inputs);
      for (let k = 0; k < places.length; k++) to[k] = from[places[k] as number] as number;
    }
    return listed;
  }

  private noteList(places: Int32Array): void {
    const list = int32At(this.columns, this.inputs);
    for (let k = 0; k < places.length; k++) list[k] = 4 * (places[k] as number);
  }

  /** Applies the changes of all synapses by one sample. Returns whether synaptic states have changed. */
  dense(
    event: "onStep" | "onReward",
    sample: SampleAddresses,
    b: number,
    states: SynapseStates,
    target: Target,
  ): boolean {
    const { outputs, inputs, explained } = this;
    const sweep = this.place(this.denseSweep(event, target), sample, states, b);
    if (event === "onStep" && explained !== 0) {
      simd.kernels.fill(explained, inputs, 0);
      if (this.rule.explains === "all") {
        const first = this.place(
          this.made("explain", "row", () => explainSweep(this.layout)),
          sample,
          states,
          b,
        );
        first.carry("explained", explained);
        first.rows.run(0, outputs, inputs);
        sweep.input("explained", explained, 0);
      } else sweep.carry("explained", explained);
    }
    sweep.rows.run(0, outputs, inputs);
    if (target === "sum") (this.sums as Sums).all ||= sweep.writes(SUM_OF_CHANGES);
    return this.rule.synapse.some(({ name }) => sweep.writes(name));
  }

  /** Allocates sums of changes. */
  takeSums(): void {
    const { outputs, inputs, work } = this;
    this.sums ??= {
      at: work.take(4 * outputs * inputs),
      rows: new Uint8Array(outputs),
      columns: new Uint8Array(inputs),
      all: false,
    };
  }

  /** w ← w + rate·Σ changes; then the sums are 0. */
  applySums(rate: number): void {
    const { outputs, inputs } = this;
    const sums = this.sums as Sums;
    const { weight } = this.layer;
    this.scalar(RATE, rate);
    const columns = placesOf(sums.columns);
    const rows = sums.all || columns.length > MANY * inputs ? null : placesOf(sums.rows);
    const whole = this.made("apply", "row", () => applySweep(this.layout, "row"));
    whole.matrix("w", weight.ptr, inputs);
    whole.matrix(SUM_OF_CHANGES, sums.at, inputs);
    if (rows === null) whole.rows.run(0, outputs, inputs);
    else {
      for (const j of rows) whole.rows.run(j, 1, inputs);
      const listed = this.made("apply listed", "listed", () => applySweep(this.layout, "listed"));
      listed.matrix("w", weight.ptr, inputs);
      listed.matrix(SUM_OF_CHANGES, sums.at, inputs);
      this.noteList(columns);
      // Sums of rows that were swept are 0 already.
      if (columns.length > 0) listed.rows.run(0, outputs, columns.length);
    }
    sums.rows.fill(0);
    sums.columns.fill(0);
    sums.all = false;
    this.wrote(rows, columns);
  }

  /** w ← w·rate, clamped to the bounds. */
  scaleWeights(rate: number): void {
    this.scalar(RATE, rate);
    const bounded = { ...this.layout, bounds: this.bounds };
    const sweep = this.made("decay", "row", () => scaleSweep(bounded, "w", true));
    sweep.matrix("w", this.layer.weight.ptr, this.inputs);
    sweep.rows.run(0, this.outputs, this.inputs);
    this.wrote(null, null);
  }

  /** w_ji ← w_ji·sum / Σ_k |w_jk| for a sum [] or [out]. */
  normalize(where: string, sum: Tensor): void {
    const { outputs, inputs, finite } = this;
    const { weight } = this.layer;
    const norms = this.made("norm", "row", () => normSweep(this.layout));
    norms.input("w", weight.ptr, inputs);
    const factors = this.work.take(4 * outputs);
    for (let j = 0; j < outputs; j++) {
      norms.rows.run(j, 1, inputs);
      const total = sumOfLanes(finite);
      const wanted = floatsAt(sum.ptr, sum.size)[sum.size === 1 ? 0 : j] as number;
      const factor = Math.fround(total === 0 ? 1 : wanted / total);
      if (factor === Infinity) {
        this.work.give(factors, 4 * outputs);
        throw new Error(
          `${where}: expected weights that can have the sum ${wanted}, got Σ |w| = ${total} of neuron ${j}`,
        );
      }
      floatsAt(factors, outputs)[j] = factor;
    }
    const bounded = { ...this.layout, bounds: this.bounds };
    const scale = this.made("normalize", "row", () => normalizeSweep(bounded));
    scale.matrix("w", weight.ptr, inputs);
    scale.input(FACTOR, factors, 1);
    scale.rows.run(0, outputs, inputs);
    this.work.give(factors, 4 * outputs);
    this.wrote(null, null);
    this.isOutside = sumOfLanes(finite) > 0;
  }

  /** Writes the scales of synaptic states where sweeps read them. */
  noteScales({ scales }: SynapseStates): void {
    for (let i = 0; i < this.scales.length; i++) {
      const { name, at, inverseAt } = this.scales[i] as ScalePlace;
      const scale = scales[name] as number;
      floatsAt(at, 1)[0] = scale;
      floatsAt(inverseAt, 1)[0] = 1 / scale;
    }
  }

  /** Multiplies a state of all synapses by a factor. */
  multiply({ synapses }: SynapseStates, name: string, by: number): void {
    const t = synapses[name] as Tensor;
    this.scalar(RATE, by);
    const sweep = this.made(`multiply ${name}`, "row", () => scaleSweep(this.layout, name, false));
    sweep.matrix(name, t.ptr, this.inputs);
    sweep.rows.run(0, (t.sizes[0] as number) * this.outputs, this.inputs);
  }

  /** Zeroes a state at the synapses of neurons that have spiked; at all synapses if the lists are null. */
  clear({ synapses }: SynapseStates, name: string, spiked: readonly Spiking[] | null): void {
    const t = synapses[name] as Tensor;
    const { outputs, inputs } = this;
    if (spiked === null) {
      simd.kernels.fill(t.ptr, t.size, 0);
      return;
    }
    const values = floatsAt(t.ptr, t.size);
    spiked.forEach(({ pre, post }, b) => {
      const first = b * outputs * inputs;
      for (let j = 0; j < outputs; j++) for (const i of pre) values[first + j * inputs + i] = 0;
      for (const j of post) values.fill(0, first + j * inputs, first + (j + 1) * inputs);
    });
  }

  /**
   * Reads the parameters, and a weight that was written from outside: throws for tensors that were freed or replaced, a weight of a wrong shape
   * and weights that are not finite, and records whether some exceed the bounds.
   */
  check(where: string): void {
    const { weight } = this.layer;
    checkKept(where, "Plastic", this.kept);
    const { parameters } = this;
    for (let i = 0; i < parameters.length; i++) {
      const { t, at } = parameters[i] as { t: Tensor; at: number };
      ready(where, t);
      if (at !== 0) floatsAt(at, 1)[0] = floatsAt(t.ptr, 1)[0] as number;
    }
    ready(where, weight);
    if (!sameShape(weight.sizes, this.shape)) {
      throw wrongValue(where, `a weight ${formatShape(this.shape)}, as it was`, formatShape(weight.sizes));
    }
    if (weight.written === this.seen) return;
    const sweep = this.made("check", "row", () => checkSweep({ ...this.layout, bounds: this.bounds }));
    sweep.matrix("w", weight.ptr, this.inputs);
    sweep.rows.run(0, this.outputs, this.inputs);
    const outside = sumOfLanes(this.finite);
    if (Number.isNaN(outside)) this.checkWeights(where, RangeError);
    this.isOutside = outside > 0;
    this.seen = weight.written;
  }

  /** Clamps weights that exceeded the bounds before a step, including those that the step did not change. */
  bound(): void {
    if (!this.isOutside) return;
    const [low, high] = this.bounds;
    const { ptr, size } = this.layer.weight;
    const values = floatsAt(ptr, size);
    for (let i = 0; i < size; i++) values[i] = Math.min(high, Math.max(low, values[i] as number));
    this.isOutside = false;
    this.wrote(null, null);
  }

  private checkWeights(where: string, Kind: typeof RangeError | typeof Error): void {
    const { weight } = this.layer;
    const values = floatsAt(weight.ptr, weight.size);
    for (let i = 0; i < values.length; i++) {
      if (Number.isFinite(values[i])) continue;
      const place = `[${Math.floor(i / this.inputs)}, ${i % this.inputs}]`;
      throw new Kind(`${where}: expected finite weights, got ${values[i]} at ${place}`);
    }
  }

  /** Throws if a sweep has made a weight or a synaptic state infinite or NaN. */
  checkChanges(where: string, { synapses }: SynapseStates): void {
    if (!this.isSwept) return;
    this.isSwept = false;
    const total = sumOfLanes(this.finite);
    if (total === 0) return;
    this.seen = -1;
    this.checkWeights(`${where}, which has changed the weight`, Error);
    for (const [name, { ptr, size }] of Object.entries(synapses)) {
      const i = floatsAt(ptr, size).findIndex((x) => !Number.isFinite(x));
      if (i >= 0) throw new Error(`${where}: expected a finite state ${name}, got ${floatsAt(ptr, size)[i]} at ${i}`);
    }
  }

  /** Whether all values are 0 or 1. */
  areSpikes(at: number, size: number): boolean {
    const { bits, inputs } = this;
    for (let i = 0; i < size; i += inputs) {
      if (simd.kernels.packBits(bits, at + 4 * i, 1, Math.min(inputs, size - i)) < 0) return false;
    }
    return true;
  }

  /** Marks the weight as written by sweeps, in these rows and columns or in all. */
  wrote(rows: Int32Array | null, columns: Int32Array | null): void {
    const { weight } = this.layer;
    this.isSwept = true;
    if (weight.ndim === 2) turnChanged(weight, rows, columns);
    touchBoth(weight);
    this.seen = weight.written;
  }
}

function placesOf(values: Float32Array | Uint8Array): Int32Array {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) count++;
  const places = new Int32Array(count);
  for (let i = 0, k = 0; k < count; i++) if (values[i] !== 0) places[k++] = i;
  return places;
}

/** Sum of four float64 lanes, which are then zeroed. */
function sumOfLanes(p: number): number {
  const lanes = new Float64Array(floatsAt(p, 0).buffer, p, 4);
  const [a, b, c, d] = lanes as unknown as [number, number, number, number];
  lanes.fill(0);
  return a + c + (b + d);
}
