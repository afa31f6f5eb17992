/**
 * The synapses of a layer that a rule changes: its weights in two orders, sums of changes, and the sweeps over both.
 *
 * A sweep writes its matrix and the other order of it. The copy [in, out] of a linear layer's weight is the one that products of few
 * rows read (engine/columns.ts), so that a network which learns in each step follows its spikes in `forward` too.
 */
import { simd } from "../../engine/backend.ts";
import { columnStride, keptColumns, writeColumns } from "../../engine/columns.ts";
import type { StepDefinition } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import { ready } from "../../engine/op.ts";
import { touch, touchBoth } from "../../engine/tensor.ts";
import { matrixOf, type PlasticLayer } from "./connection.ts";
import type { Rule } from "./plasticity.ts";
import {
  applySweep,
  denseSweep,
  eventSweep,
  explainSweep,
  FACTOR,
  FINITE,
  inverseOf,
  type Layout,
  normSweep,
  OTHER_SUM,
  RATE,
  type Side,
  SUM,
  scalarsOf,
  scaleOf,
  scaleSweep,
  type Target,
  TOUCHED,
  twinOf,
  valuesOf,
} from "./rule-sweeps.ts";
import { Sweep } from "./sweep.ts";
import { floatsAt, type Workspace } from "./workspace.ts";

/** Values of the neurons of one sample: addresses, in the order of `valuesOf`. */
export interface Sample {
  readonly pre: readonly number[];
  readonly post: readonly number[];
}

/** States of synapses, [B, out, in] and [B, in, out padded], and what they are to be multiplied by. */
export interface SynapseStates {
  readonly synapses: Readonly<Record<string, Tensor>>;
  readonly twins: Readonly<Record<string, Tensor>>;
  readonly scales: Record<string, number>;
}

/** Sums of changes in both orders, and the neurons whose synapses they may have changed. */
interface Sums {
  readonly rows: number;
  readonly columns: number;
  /** 1 for each neuron behind that has spiked, as float32. */
  readonly touchedRows: number;
  readonly touchedColumns: Uint8Array;
  /** Changes of all synapses were added. */
  all: boolean;
}

export class Synapses {
  readonly outputs: number;
  readonly inputs: number;
  /** Values from a row to the next in matrices [in, out]. */
  readonly stride: number;
  readonly names: Readonly<Record<"pre" | "post", readonly string[]>>;
  private readonly layer: PlasticLayer;
  private readonly rule: Rule;
  private readonly bounds: Layout["bounds"];
  private readonly layout: Layout;
  private readonly work: Workspace;
  private readonly sweeps = new Map<string, Sweep>();
  private readonly scalars: readonly string[];
  private readonly scalarAt: readonly number[];
  /** Where neurons lie in the other order, in bytes: those behind in [out, in], those before in [in, out]. */
  private readonly lists: Readonly<Record<Side, number>>;
  /** Four lanes of float64: sums of x − x. */
  private readonly finite: number;
  /** Of the rows before, what they explain. */
  private readonly explained: number;
  /** When the weight was last written by a sweep. */
  private seen = -1;
  /** The weight as [in, out], where the engine keeps none; 0 where there is none. */
  private own = 0;
  private sums: Sums | null = null;

  /** `changing`: the bounds of changes, where all weights are put into theirs behind these. */
  constructor(
    layer: PlasticLayer,
    rule: Rule,
    bounds: Layout["bounds"],
    changing: Layout["bounds"],
    perNeuron: readonly string[],
    work: Workspace,
  ) {
    this.layer = layer;
    this.rule = rule;
    this.bounds = bounds;
    this.layout = { rule, bounds: changing, perNeuron };
    this.work = work;
    [this.outputs, this.inputs] = matrixOf(layer.weight);
    this.stride = columnStride(this.outputs);
    this.names = { pre: valuesOf(rule, "pre"), post: valuesOf(rule, "post") };
    this.scalars = scalarsOf(this.layout);
    const block = work.take(4 * this.scalars.length);
    this.scalarAt = this.scalars.map((_, i) => block + 4 * i);
    this.finite = work.take(32);
    this.explained = rule.explains === null ? 0 : work.take(4 * this.inputs);
    this.lists = {
      columns: this.listOf(this.outputs, 4 * this.inputs),
      rows: this.listOf(this.inputs, 4 * this.stride),
    };
    for (const name of rule.parameterNames) {
      if (!perNeuron.includes(name)) this.scalar(name, rule.parameter(name).item());
    }
    this.scalar("dt", rule.dt);
    this.scalar("low", bounds[0]);
    this.scalar("high", bounds[1]);
  }

  private listOf(n: number, bytes: number): number {
    const p = this.work.take(4 * n);
    new Int32Array(floatsAt(p, n).buffer, p, n).set(Array.from({ length: n }, (_, i) => bytes * i));
    return p;
  }

  /** Sets a value that all synapses share. */
  scalar(name: string, value: number): void {
    floatsAt(this.scalarAt[this.scalars.indexOf(name)] as number, 1)[0] = value;
  }

  /** Whether spikes before ("columns") or behind ("rows") change synapses. */
  answers(side: Side): boolean {
    return this.rule.has(side === "columns" ? "onPre" : "onPost");
  }

  /** Whether spikes change synapses: then there are matrices in both orders. */
  get hasEvents(): boolean {
    return this.answers("columns") || this.answers("rows");
  }

  /** Whether an equation of the rule has a value of this name in it. */
  uses(name: string): boolean {
    const sides = (["columns", "rows"] as const).filter((side) => this.answers(side));
    const events = (["onStep", "onReward"] as const).filter((event) => this.rule.has(event));
    return (
      sides.some((side) => this.eventSweep(side, "sum").reads(name)) ||
      events.some((event) => this.denseSweep(event, "sum").reads(name))
    );
  }

  /** Whether a reward reads spikes or traces. */
  get rewardReadsNeurons(): boolean {
    const sweep = this.denseSweep("onReward", "sum");
    return [...this.names.pre, ...this.names.post].some((name) => sweep.reads(name));
  }

  private made(key: string, widest: number, side: Side, definition: () => StepDefinition): Sweep {
    let sweep = this.sweeps.get(key);
    if (sweep === undefined) {
      sweep = new Sweep(definition(), widest, this.work.take);
      sweep.inputs(this.scalars, this.scalarAt, 0);
      sweep.output(FINITE, this.finite, 0);
      for (const name of this.layout.perNeuron) {
        sweep.input(name, this.rule.parameter(name).ptr, side === "rows" ? 1 : 0);
      }
      sweep.rows.note(sweep.rows.listPlace, this.lists[side], 0);
      this.sweeps.set(key, sweep);
    }
    return sweep;
  }

  private eventSweep(side: Side, target: Target): Sweep {
    const widest = side === "columns" ? this.outputs : this.inputs;
    return this.made(`${side} ${target}`, widest, side, () => eventSweep(this.layout, side, target));
  }

  private denseSweep(event: "onStep" | "onReward", target: Target): Sweep {
    return this.made(`${event} ${target}`, this.inputs, "rows", () => denseSweep(this.layout, event, target));
  }

  /** Notes the matrices of a sweep: of the weight, of sums, and of the states of one sample. */
  private place(sweep: Sweep, side: Side, states: SynapseStates, b: number): void {
    const { outputs, inputs, stride } = this;
    const isRows = side === "rows";
    const ofRows = { weight: this.layer.weight.ptr, step: inputs };
    const ofColumns = { weight: this.columns(), step: stride };
    const [mine, other] = isRows ? [ofRows, ofColumns] : [ofColumns, ofRows];
    sweep.matrix("w", mine.weight, mine.step);
    sweep.output(twinOf("w"), other.weight, 1);
    if (this.sums !== null) sweep.matrix(SUM, isRows ? this.sums.rows : this.sums.columns, mine.step);
    for (const { name } of this.rule.synapse) {
      const rows = (states.synapses[name] as Tensor).ptr + 4 * b * outputs * inputs;
      const columns = (states.twins[name]?.ptr ?? 0) + 4 * b * inputs * stride;
      sweep.matrix(name, isRows ? rows : columns, mine.step);
      sweep.output(twinOf(name), isRows ? columns : rows, 1);
    }
  }

  /** The changes at the spikes of one sample; lists of the neurons that spike on either side. */
  spikes(sample: Sample, b: number, pre: Int32Array, post: Int32Array, states: SynapseStates, target: Target): void {
    const { outputs, inputs, sums } = this;
    if (this.answers("columns") && pre.length > 0) {
      const sweep = this.eventSweep("columns", target);
      this.place(sweep, "columns", states, b);
      sweep.inputs(this.names.pre, sample.pre, 1);
      sweep.inputs(this.names.post, sample.post, 0);
      for (let k = 0; k < pre.length; k++) sweep.rows.run(pre[k] as number, 1, outputs);
      if (target === "sum") for (let k = 0; k < pre.length; k++) (sums as Sums).touchedColumns[pre[k] as number] = 1;
    }
    if (this.answers("rows") && post.length > 0) {
      const sweep = this.eventSweep("rows", target);
      this.place(sweep, "rows", states, b);
      sweep.inputs(this.names.pre, sample.pre, 0);
      sweep.inputs(this.names.post, sample.post, 1);
      for (let k = 0; k < post.length; k++) sweep.rows.run(post[k] as number, 1, inputs);
      if (target === "sum") {
        const touched = floatsAt((sums as Sums).touchedRows, outputs);
        for (let k = 0; k < post.length; k++) touched[post[k] as number] = 1;
      }
    }
  }

  /** The changes of all synapses by one sample. */
  dense(event: "onStep" | "onReward", sample: Sample, b: number, states: SynapseStates, target: Target): void {
    const { outputs, inputs, explained } = this;
    const sweep = this.denseSweep(event, target);
    this.place(sweep, "rows", states, b);
    sweep.inputs(this.names.pre, sample.pre, 0);
    sweep.inputs(this.names.post, sample.post, 1);
    if (event === "onStep" && explained !== 0) {
      simd.kernels.fill(explained, inputs, 0);
      if (this.rule.explains === "all") {
        const first = this.made("explain", inputs, "rows", () => explainSweep(this.layout));
        first.matrix("w", this.layer.weight.ptr, inputs);
        first.inputs(this.names.post, sample.post, 1);
        first.carry("explained", explained);
        first.rows.run(0, outputs, inputs);
        sweep.input("explained", explained, 0);
      } else sweep.carry("explained", explained);
    }
    sweep.rows.run(0, outputs, inputs);
    if (target === "sum") (this.sums as Sums).all ||= sweep.writes(SUM);
    else if (sweep.writes("w")) this.wroteRows();
    for (const { name } of this.rule.synapse) if (sweep.writes(name)) this.turn(states, name, b);
  }

  /** Makes room for sums of changes. */
  takeSums(): void {
    const { outputs, inputs, stride, work } = this;
    this.sums ??= {
      rows: work.take(4 * outputs * inputs),
      columns: this.hasEvents ? work.take(4 * inputs * stride) : 0,
      touchedRows: work.take(4 * outputs),
      touchedColumns: new Uint8Array(inputs),
      all: false,
    };
  }

  /** w ← w + rate·Σ changes, and the sums are 0 again. */
  applySums(rate: number): void {
    const { outputs, inputs, stride } = this;
    const sums = this.sums as Sums;
    const { weight } = this.layer;
    this.scalar(RATE, rate);
    const touched = floatsAt(sums.touchedRows, outputs);
    const columns = this.columns();
    if (sums.all || columns === 0) {
      const hasOther = this.hasEvents;
      const sweep = this.made("apply all", inputs, "rows", () => applySweep(this.layout, "rows", hasOther, false));
      sweep.matrix("w", weight.ptr, inputs);
      sweep.input(SUM, sums.rows, inputs);
      sweep.input(OTHER_SUM, sums.columns, 1);
      sweep.rows.run(0, outputs, inputs);
      simd.kernels.fill(sums.rows, outputs * inputs, 0);
      if (hasOther) simd.kernels.fill(sums.columns, inputs * stride, 0);
      this.wroteRows();
    } else {
      const rows = this.made("apply rows", inputs, "rows", () => applySweep(this.layout, "rows", true, true));
      rows.matrix("w", weight.ptr, inputs);
      rows.input(SUM, sums.rows, inputs);
      rows.input(OTHER_SUM, sums.columns, 1);
      rows.output(twinOf("w"), columns, 1);
      const others = this.made("apply columns", outputs, "columns", () =>
        applySweep(this.layout, "columns", false, true),
      );
      others.matrix("w", columns, stride);
      others.input(SUM, sums.columns, stride);
      others.input(TOUCHED, sums.touchedRows, 0);
      others.output(twinOf("w"), weight.ptr, 1);
      for (let j = 0; j < outputs; j++) {
        if (touched[j] === 0) continue;
        rows.rows.run(j, 1, inputs);
        simd.kernels.fill(sums.rows + 4 * j * inputs, inputs, 0);
      }
      for (let i = 0; i < inputs; i++) {
        if (sums.touchedColumns[i] === 0) continue;
        others.rows.run(i, 1, outputs);
        simd.kernels.fill(sums.columns + 4 * i * stride, stride, 0);
      }
      this.wroteBoth();
    }
    floatsAt(sums.touchedRows, outputs).fill(0);
    sums.touchedColumns.fill(0);
    sums.all = false;
  }

  /** w ← w·rate, within the bounds. */
  scaleWeights(rate: number): void {
    this.scalar(RATE, rate);
    const sweep = this.made("decay", this.inputs, "rows", () =>
      scaleSweep({ ...this.layout, bounds: this.bounds }, "w", RATE, true),
    );
    sweep.matrix("w", this.layer.weight.ptr, this.inputs);
    sweep.rows.run(0, this.outputs, this.inputs);
    this.wroteRows();
  }

  /** w_ji ← w_ji·sum / Σ_k |w_jk|. */
  normalize(sum: number): void {
    const { outputs, inputs, finite } = this;
    const { weight } = this.layer;
    const norms = this.made("norm", inputs, "rows", () => normSweep(this.layout));
    norms.input("w", weight.ptr, inputs);
    const factors = this.work.take(4 * outputs);
    for (let j = 0; j < outputs; j++) {
      norms.rows.run(j, 1, inputs);
      const total = sumOfLanes(finite);
      floatsAt(factors, outputs)[j] = total === 0 ? 1 : sum / total;
    }
    const scale = this.made("normalize", inputs, "rows", () => scaleSweep(this.layout, "w", FACTOR, false));
    scale.matrix("w", weight.ptr, inputs);
    scale.input(FACTOR, factors, 1);
    scale.rows.run(0, outputs, inputs);
    this.work.give(factors, 4 * outputs);
    this.wroteRows();
  }

  /** Notes the scales of the states of synapses. */
  noteScales({ scales }: SynapseStates): void {
    for (const { name } of this.rule.synapse) {
      const scale = scales[name] as number;
      this.scalar(scaleOf(name), scale);
      this.scalar(inverseOf(name), 1 / scale);
    }
  }

  /** Multiplies a state of all synapses. */
  multiply(states: SynapseStates, name: string, by: number): void {
    const t = states.synapses[name] as Tensor;
    const [batch] = t.sizes as [number];
    this.scalar(RATE, by);
    const sweep = this.made(`multiply ${name}`, this.inputs, "rows", () => scaleSweep(this.layout, name, RATE, false));
    sweep.matrix(name, t.ptr, this.inputs);
    sweep.rows.run(0, batch * this.outputs, this.inputs);
    for (let b = 0; b < batch; b++) this.turn(states, name, b);
  }

  /** The other order of a state follows. */
  private turn({ synapses, twins }: SynapseStates, name: string, b: number): void {
    const twin = twins[name];
    if (twin === undefined) return;
    const { outputs, inputs, stride } = this;
    const from = (synapses[name] as Tensor).ptr + 4 * b * outputs * inputs;
    writeColumns(twin.ptr + 4 * b * inputs * stride, from, outputs, inputs);
  }

  /** Zeros of a state at the synapses of these neurons of a sample; of all synapses without lists. */
  clear(
    { synapses, twins }: SynapseStates,
    name: string,
    lists: readonly (readonly [pre: Int32Array, post: Int32Array])[] | null,
  ): void {
    const t = synapses[name] as Tensor;
    const twin = twins[name];
    const { outputs, inputs, stride } = this;
    if (lists === null || twin === undefined) {
      simd.kernels.fill(t.ptr, t.size, 0);
      if (twin !== undefined) simd.kernels.fill(twin.ptr, twin.size, 0);
      return;
    }
    const values = floatsAt(t.ptr, t.size);
    const turned = floatsAt(twin.ptr, twin.size);
    lists.forEach(([pre, post], b) => {
      const [row, column] = [b * outputs * inputs, b * inputs * stride];
      for (const i of pre) {
        for (let j = 0; j < outputs; j++) values[row + j * inputs + i] = 0;
        turned.fill(0, column + i * stride, column + (i + 1) * stride);
      }
      for (const j of post) {
        for (let i = 0; i < inputs; i++) turned[column + i * stride + j] = 0;
        values.fill(0, row + j * inputs, row + (j + 1) * inputs);
      }
    });
  }

  /** Reads weights that others have written: throws for those that are not finite, and puts the others into the bounds. */
  checkWeight(where: string): void {
    const { weight } = this.layer;
    ready(where, weight);
    const columns = this.columns();
    const isCopied = columns !== 0 && columns !== this.own;
    if (weight.written === this.seen && (isCopied || !this.hasEvents)) return;
    this.checkWeights(where, RangeError);
    const [low, high] = this.bounds;
    const values = floatsAt(weight.ptr, weight.size);
    const isOutside = values.some((w) => w < low || w > high);
    if (isOutside)
      for (let i = 0; i < values.length; i++) values[i] = Math.min(high, Math.max(low, values[i] as number));
    if (isOutside || columns === this.own) this.wroteRows();
    else this.seen = weight.written;
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

  /** Throws where a sweep has made a weight infinite or no number. */
  checkChanges(where: string): void {
    const total = sumOfLanes(this.finite);
    if (total !== 0) this.checkWeights(`${where}, which has changed the weight`, Error);
  }

  /** The weight as [in, out], 0 where no sweep needs it. */
  private columns(): number {
    if (!this.hasEvents) return 0;
    const { weight } = this.layer;
    const kept = weight.ndim === 2 ? keptColumns(weight) : 0;
    if (kept !== 0) return kept;
    if (this.own === 0) this.own = this.work.take(4 * this.inputs * this.stride);
    return this.own;
  }

  /** The weight was written row by row: its copy follows. */
  private wroteRows(): void {
    const { weight } = this.layer;
    const columns = this.columns();
    if (columns === 0) touch(weight);
    else {
      writeColumns(columns, weight.ptr, this.outputs, this.inputs);
      touchBoth(weight);
    }
    this.seen = weight.written;
  }

  /** The weight was written in both orders. */
  wroteBoth(): void {
    const { weight } = this.layer;
    touchBoth(weight);
    this.seen = weight.written;
  }
}

/** The sum of four float64 lanes, which are 0 afterwards. */
function sumOfLanes(p: number): number {
  const lanes = new Float64Array(floatsAt(p, 8).buffer, p, 4);
  const [a, b, c, d] = lanes as unknown as [number, number, number, number];
  lanes.fill(0);
  return a + c + (b + d);
}
