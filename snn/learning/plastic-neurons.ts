/** The neurons on both sides of a plastic connection: their spikes and traces, for a batch and for each place of a convolution. */
import { sizeOf } from "../../engine/shape.ts";
import type { Connection } from "./connection.ts";
import type { Rule } from "./plasticity.ts";
import { after, decayOf, SPIKES, traceSweep, valuesOf } from "./rule-sweeps.ts";
import { Sweep } from "./sweep.ts";
import type { Sample, Spiking, Synapses } from "./synapses.ts";
import { floatsAt, type Workspace } from "./workspace.ts";

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
export class Neurons {
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
    this.all.forgetTraces();
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
export class Samples {
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

  /** Traces have changed: the patches hold none of them. */
  forgetTraces(): void {
    this.gathered[1] = -1;
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
