/** Pre- and postsynaptic neurons of a plastic connection: spikes and traces, for a batch and for each position of a convolution. */

import { memory, simd } from "../../engine/lasting.ts";
import { sizeOf } from "../../engine/shape.ts";
import type { Connection } from "./connection.ts";
import type { Rule } from "./plasticity.ts";
import { decayName, neuronValues, SPIKES_OF_STEP, traceAfter, traceSweep } from "./rule-sweeps.ts";
import { RuleSweep } from "./sweep.ts";
import type { SampleAddresses, Spiking } from "./synapses.ts";
import { floatsAt, int32At, type Workspace } from "./workspace.ts";

/** A sweep that updates the traces of the presynaptic or the postsynaptic neurons, and the indices of the arrays that it reads. */
class Tracing {
  private readonly sweep: RuleSweep;
  private readonly size: number;
  private readonly spikes: number;

  constructor(sweep: RuleSweep, size: number) {
    this.sweep = sweep;
    this.size = size;
    this.spikes = sweep.rows.inputPlace(SPIKES_OF_STEP);
  }

  /** Sets the addresses of traces from before the spikes of a step. */
  note(places: readonly number[], at: number): void {
    for (let i = 0; i < places.length; i++) this.sweep.rows.note(places[i] as number, at, 0);
  }

  run(spikes: number): void {
    this.sweep.rows.note(this.spikes, spikes, 0);
    this.sweep.rows.run(0, 1, this.size);
  }
}

/** Memory for the pre- and postsynaptic neurons of a connection, for one batch size. */
export class ConnectedNeurons {
  readonly connection: Connection;
  readonly batch: number;
  readonly decaysAt: number;
  /** Whether the decay arrays hold the constant decays of a step. */
  hasDecays = false;
  private readonly tracing: Readonly<Record<"pre" | "post", Tracing | null>>;
  /**
   * For each trace of the rule: its sweep, and the indices in the sweep of the arrays that it reads and writes at the address of the trace.
   */
  private readonly traced: readonly (readonly [tracing: Tracing, places: readonly number[]])[];
  /** Addresses of neuron values, in the order of `valuesOf`, and the index of each trace of the rule among them. */
  private readonly values: Readonly<Record<"pre" | "post", number[]>>;
  private readonly valueAt: readonly (readonly [values: number[], index: number])[];
  private readonly work: Workspace;
  /** Allocated memory, as pairs of address and bytes. */
  private readonly taken: [number, number][] = [];
  private readonly all: StepSamples;

  constructor(rule: Rule, connection: Connection, batch: number, work: Workspace) {
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
      const sweep = sweeps[of] as RuleSweep;
      sweep.output(name, before[i] as number, 0);
      return [
        this.tracing[of] as Tracing,
        [sweep.rows.inputPlace(name), sweep.rows.outputPlace(traceAfter(name))],
      ] as const;
    });
    const valuesOn = (of: "pre" | "post"): number[] => {
      const mine = before.filter((_, i) => rule.traces[i]?.of === of);
      return [0, ...mine, ...mine.map(() => 0)];
    };
    this.values = { pre: valuesOn("pre"), post: valuesOn("post") };
    this.valueAt = rule.traces.map(
      ({ name, of }) => [this.values[of], neuronValues(rule, of).indexOf(traceAfter(name))] as const,
    );
    this.all = new StepSamples(rule, connection, batch, this.take);
  }

  private readonly take = (bytes: number): number => {
    const p = this.work.take(bytes);
    this.taken.push([p, bytes]);
    return p;
  };

  private sweepOf(rule: Rule, of: "pre" | "post", size: number): RuleSweep | null {
    const definition = traceSweep(rule, of);
    if (definition === null) return null;
    const sweep = new RuleSweep(definition, size, this.take);
    for (const [i, { name }] of rule.traces.entries()) sweep.input(decayName(name), this.decaysAt + 4 * i, 0);
    return sweep;
  }

  /** Sets the address of trace number i of the rule. */
  noteTrace(i: number, at: number): void {
    const [tracing, places] = this.traced[i] as ConnectedNeurons["traced"][number];
    tracing.note(places, at);
  }

  /** Sets the address of trace i where sweeps over synapses read it. */
  noteValue(i: number, at: number): void {
    const [values, index] = this.valueAt[i] as ConnectedNeurons["valueAt"][number];
    values[index] = at;
  }

  /** Decays pre- or postsynaptic traces and adds the spikes at this address. */
  trace(of: "pre" | "post", spikes: number): void {
    this.tracing[of]?.run(spikes);
    this.all.forgetTraces();
  }

  /** Samples of spikes at these addresses. */
  samples(pre: number, post: number): StepSamples {
    this.values.pre[0] = pre;
    this.values.post[0] = post;
    return this.all.from(this.values.pre, this.values.post);
  }

  free(): void {
    for (const [p, bytes] of this.taken) this.work.give(p, bytes);
  }
}

const NONE = new Int32Array(0);
const SILENT: Spiking = { pre: NONE, post: NONE };

/**
 * Samples of a step: those of a batch, or all positions of a convolution. Values of a convolution are copied only for positions with a spike,
 * or when a sweep over all synapses needs them.
 */
export class StepSamples {
  private readonly connection: Connection;
  private readonly inputs: number;
  private readonly outputs: number;
  /** Number of pre- and postsynaptic values of a batch. */
  private readonly sizes: Readonly<Record<"pre" | "post", number>>;
  /** Positions of a convolution over its inputs; null otherwise. */
  private readonly over: Over | null;
  /** For each sample of a convolution, 1 if a spike reaches it. */
  private readonly isBusy: Uint8Array;
  private isMarked = false;
  /**
   * Copies of the presynaptic values under a window and of the postsynaptic ones of its position, by value; empty for a linear layer.
   */
  private readonly patches: Readonly<Record<"pre" | "post", readonly number[]>>;
  /** Addresses of the first sample's values. */
  pre: readonly number[] = [];
  post: readonly number[] = [];
  /** Indices of two samples: of the one whose spikes were copied, and of the one whose other values were copied. */
  private readonly gathered: [spikes: number, others: number] = [-1, -1];
  /** Pre- or postsynaptic spikes as bits. */
  private readonly bits: number;

  constructor(rule: Rule, connection: Connection, batch: number, take: (bytes: number) => number) {
    this.connection = connection;
    const { windows, places, pre, post } = connection;
    this.inputs = windows === null ? sizeOf(pre) : (windows[0] as Int32Array).length;
    this.outputs = post[0] as number;
    this.sizes = { pre: batch * sizeOf(pre), post: batch * sizeOf(post) };
    this.over = windows === null ? null : placesOver(windows, sizeOf(pre));
    this.isBusy = new Uint8Array(windows === null ? 0 : batch * places);
    this.bits = take(4 * Math.ceil(Math.max(this.inputs, this.outputs, this.sizes.pre, this.sizes.post) / 32));
    const values = (of: "pre" | "post") => 1 + 2 * rule.traces.filter((trace) => trace.of === of).length;
    const patch = (of: "pre" | "post", n: number): number[] =>
      windows === null ? [] : Array.from({ length: values(of) }, () => take(4 * n));
    this.patches = { pre: patch("pre", this.inputs), post: patch("post", this.outputs) };
  }

  /** Sets the addresses of the values, [B, …]. */
  from(pre: readonly number[], post: readonly number[]): this {
    this.pre = pre;
    this.post = post;
    this.gathered.fill(-1);
    this.isMarked = false;
    return this;
  }

  /** Invalidates the copies of traces, which have changed. */
  forgetTraces(): void {
    this.gathered[1] = -1;
  }

  at(s: number): SampleAddresses {
    if (this.over === null) {
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
    const { inputs, outputs, over } = this;
    if (over !== null) {
      if (!this.isMarked) this.mark(over);
      if (this.isBusy[s] === 0) return SILENT;
      this.gather(s, 0);
    }
    const { pre, post } = over === null ? this : this.patches;
    const at = over === null ? s : 0;
    return {
      pre: this.spikesAt((pre[0] as number) + 4 * inputs * at, inputs),
      post: this.spikesAt((post[0] as number) + 4 * outputs * at, outputs),
    };
  }

  /**
   * Marks the samples with spikes: positions that cover a presynaptic neuron that spikes, and positions of postsynaptic
   * neurons that spike.
   */
  private mark({ starts, places }: Over): void {
    const { isBusy, sizes } = this;
    const { pre, post, places: each } = this.connection;
    const [before, behind] = [sizeOf(pre), sizeOf(post)];
    isBusy.fill(0);
    for (const at of this.spikesAt(this.pre[0] as number, sizes.pre)) {
      const b = Math.floor(at / before);
      const neuron = at - b * before;
      const end = starts[neuron + 1] as number;
      for (let k = starts[neuron] as number; k < end; k++) isBusy[b * each + (places[k] as number)] = 1;
    }
    for (const at of this.spikesAt(this.post[0] as number, sizes.post)) {
      isBusy[Math.floor(at / behind) * each + (at % each)] = 1;
    }
    this.isMarked = true;
  }

  /** Indices of values that are not 0. */
  private spikesAt(at: number, size: number): Int32Array {
    const count = simd.kernels.packBits(this.bits, at, 1, size) & 0x7fffffff;
    if (count === 0) return NONE;
    const places = new Int32Array(count);
    const words = int32At(this.bits, Math.ceil(size / 32));
    for (let i = 0, k = 0; k < count; i++) {
      for (let word = words[i] as number; word !== 0; word &= word - 1) {
        places[k++] = 32 * i + 31 - Math.clz32(word & -word);
      }
    }
    return places;
  }

  /** Copies the spikes (`first` = 0) or the other values (`first` = 1) of a sample. */
  private gather(s: number, first: 0 | 1): void {
    if (this.gathered[first] === s) return;
    const { windows, places, pre, post } = this.connection;
    const [b, place] = [Math.floor(s / places), s % places];
    const window = (windows as readonly Int32Array[])[place] as Int32Array;
    const values = floatsAt(0, memory.buffer.byteLength >>> 2);
    const [before, behind] = [b * sizeOf(pre), b * sizeOf(post) + place];
    for (let v = first; v < (first === 0 ? 1 : this.pre.length); v++) {
      const from = ((this.pre[v] as number) >>> 2) + before;
      const to = (this.patches.pre[v] as number) >>> 2;
      for (let i = 0; i < window.length; i++) {
        const at = window[i] as number;
        values[to + i] = at < 0 ? 0 : (values[from + at] as number);
      }
    }
    for (let v = first; v < (first === 0 ? 1 : this.post.length); v++) {
      const from = ((this.post[v] as number) >>> 2) + behind;
      const to = (this.patches.post[v] as number) >>> 2;
      for (let o = 0; o < this.outputs; o++) values[to + o] = values[from + o * places] as number;
    }
    this.gathered[first] = s;
  }
}

/** Positions whose windows cover each presynaptic neuron: for neuron i, the entries from starts[i] to starts[i + 1]. */
interface Over {
  readonly starts: Int32Array;
  readonly places: Int32Array;
}

function placesOver(windows: readonly Int32Array[], neurons: number): Over {
  const starts = new Int32Array(neurons + 1);
  for (const window of windows) {
    for (const neuron of window) if (neuron >= 0) starts[neuron + 1] = (starts[neuron + 1] as number) + 1;
  }
  for (let i = 0; i < neurons; i++) starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number);
  const places = new Int32Array(starts[neurons] as number);
  const next = starts.slice();
  windows.forEach((window, place) => {
    for (const neuron of window) {
      if (neuron < 0) continue;
      const k = next[neuron] as number;
      places[k] = place;
      next[neuron] = k + 1;
    }
  });
  return { starts, places };
}
