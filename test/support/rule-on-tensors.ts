/** A rule for synapses on tensors, op by op: the reference of the sweeps that it is compiled to. */
import { onTensors, type Value } from "../../engine/fuse/index.ts";
import { full, noGrad, type Tensor, tensor, zeros } from "../../engine/index.ts";
import type { Rule, Trace } from "../../snn/learning/plasticity.ts";

/** Sizes and options of a connection. */
export interface Connected {
  readonly rule: Rule;
  readonly outputs: number;
  readonly inputs: number;
  readonly batch: number;
  readonly bounds: readonly [number, number] | null;
  readonly mean: boolean;
}

/** A step: spikes [B, in] and [B, out] in row-major order. */
export interface Given {
  readonly pre: Float32Array;
  readonly post: Float32Array;
  readonly reward?: readonly number[];
  readonly applies?: boolean;
}

type Values = Record<string, Tensor>;

/** Of one sample: its neurons' traces [in] or [out, 1], and the states of its synapses [out, in]. */
interface SampleState {
  readonly traces: Values;
  readonly synapses: Values;
}

/** A connection whose weights [out, in] a rule changes step by step. All functions see the weight as it was before the step. */
export class RuleOnTensors {
  weight: Float32Array;
  readonly samples: SampleState[];
  private readonly connected: Connected;
  private pending: Float32Array | null = null;

  constructor(connected: Connected, weight: Float32Array) {
    const { rule, outputs, inputs, batch } = connected;
    this.connected = connected;
    this.weight = weight;
    this.samples = Array.from({ length: batch }, () => ({
      traces: Object.fromEntries(rule.traces.map(({ name, of }) => [name, zeros(this.shapeOf(of))])),
      synapses: Object.fromEntries(rule.synapse.map(({ name }) => [name, zeros([outputs, inputs])])),
    }));
  }

  private shapeOf = (of: "pre" | "post"): number[] =>
    of === "pre" ? [this.connected.inputs] : [this.connected.outputs, 1];

  /** The trace of a sample as [n]. */
  trace(name: string, b: number): Float32Array {
    const { traces } = this.samples[b] as SampleState;
    return (traces[name] as Tensor).toFloat32Array();
  }

  step({ pre, post, reward, applies = true }: Given): void {
    const { rule, outputs, inputs, batch, bounds, mean } = this.connected;
    const shape = [outputs, inputs];
    const changed = noGrad(() => {
      const w = tensor(this.weight, { shape });
      let sum = this.pending === null ? null : tensor(this.pending, { shape });
      const states = this.samples.map(({ traces, synapses }) => ({
        traces,
        before: traces,
        synapses: { ...synapses },
      }));
      const add = (b: number, changes: Values) => {
        const { w: dw, ...others } = changes;
        if (dw !== undefined) sum = (sum ?? zeros(shape)).add(dw);
        const state = states[b] as (typeof states)[number];
        for (const [name, change] of Object.entries(others))
          state.synapses[name] = (state.synapses[name] as Tensor).add(change);
      };
      const changesOf = (b: number, event: Event, isSeen: (trace: Trace) => boolean, given = 0): Values => {
        const state = states[b] as (typeof states)[number];
        const [x, y] = [
          tensor(pre.slice(b * inputs, (b + 1) * inputs)),
          tensor(post.slice(b * outputs, (b + 1) * outputs), { shape: [outputs, 1] }),
        ];
        const traces = rule.traces.map((trace) => [
          trace.name,
          (isSeen(trace) ? state.traces : state.before)[trace.name] as Tensor,
        ]);
        const product = w.mul(y);
        const explained =
          rule.explains === "all" ? product.cumsum({ axis: 0 }).slice(0, -1) : product.cumsum({ axis: 0 });
        const argument = {
          ...onTensors,
          ...Object.fromEntries(rule.parameterNames.map((name) => [name, perRow(rule.parameter(name))])),
          ...Object.fromEntries(traces),
          ...state.synapses,
          ...{ w, pre: x, post: y, explained, reward: full([], given), dt: full([], rule.dt) },
          ...{ low: full([], bounds?.[0] ?? 0), high: full([], bounds?.[1] ?? 0) },
        };
        const changes = rule.changes(event, argument as unknown as Record<string, Value>);
        return Object.fromEntries(
          Object.entries(changes).map(([name, change]) => [name, asTensor(change).expand(shape)]),
        );
      };
      const rewards = () => {
        if (reward === undefined || !rule.has("onReward")) return;
        for (let b = 0; b < batch; b++)
          add(
            b,
            changesOf(b, "onReward", () => true, reward[b]),
          );
      };

      if (rule.rewardAfter === "nothing") rewards();
      for (const [b, state] of states.entries()) {
        for (const { name, tau } of rule.synapse) {
          state.synapses[name] = (state.synapses[name] as Tensor).mul(tau === 0 ? 0 : full([], -rule.dt / tau).exp());
        }
        const decayed: Values = {};
        const after: Values = {};
        for (const trace of rule.traces) {
          const spikes = trace.of === "pre" ? pre : post;
          const n = spikes.length / batch;
          const s = tensor(spikes.slice(b * n, (b + 1) * n), { shape: this.shapeOf(trace.of) });
          const old = state.traces[trace.name] as Tensor;
          [decayed[trace.name], after[trace.name]] = advanced(rule, trace, old, s);
        }
        Object.assign(state, { before: decayed, traces: after });
      }
      for (let b = 0; b < batch; b++) {
        const all: Values = {};
        for (const [event, spikes, shape] of [
          ["onPre", pre, [inputs]],
          ["onPost", post, [outputs, 1]],
        ] as const) {
          if (!rule.has(event)) continue;
          const n = spikes.length / batch;
          const isSpike = tensor(spikes.slice(b * n, (b + 1) * n), { shape })
            .eq(0)
            .expand([outputs, inputs]);
          for (const [name, change] of Object.entries(changesOf(b, event, seenAt(rule, event)))) {
            const part = change.maskedFill(isSpike, 0);
            all[name] = all[name] === undefined ? part : all[name].add(part);
          }
        }
        add(b, all);
      }
      if (rule.has("onStep")) {
        for (let b = 0; b < batch; b++) add(b, changesOf(b, "onStep", seenAt(rule, "onStep")));
      }
      if (rule.rewardAfter === "events") rewards();
      const total = sum as Tensor | null;
      const moved = total === null ? w : w.add(total.mul(mean ? 1 / batch : 1));
      return {
        weight: (bounds === null || total === null ? moved : moved.clamp(...bounds)).toFloat32Array(),
        sum: total?.toFloat32Array() ?? null,
        samples: states.map(({ traces, synapses }) => ({ traces, synapses })),
      };
    });
    this.samples.forEach((sample, b) => {
      Object.assign(sample.traces, changed.samples[b]?.traces);
      Object.assign(sample.synapses, changed.samples[b]?.synapses);
    });
    if (applies) this.weight = changed.weight;
    this.pending = applies ? null : changed.sum;
  }
}

type Event = Parameters<Rule["changes"]>[0];

const asTensor = (x: Value | number): Tensor => (typeof x === "number" ? full([], x) : (x as unknown as Tensor));

const perRow = (t: Tensor): Tensor => (t.size === 1 ? t.reshape([]) : t.reshape([t.size, 1]));

/** Which traces a change at an event sees with the spikes of its step, as the documentation of `order` says. */
function seenAt({ order }: Rule, event: Event): (trace: Trace) => boolean {
  switch (order) {
    case "before":
      return () => false;
    case "after":
      return () => true;
    case "preFirst":
      return ({ of }) => event === "onStep" || (event === "onPost" && of === "pre");
    case "postFirst":
      return ({ of }) => event === "onStep" || (event === "onPre" && of === "post");
  }
}

/** A trace in a step: decayed, and with the spikes. */
function advanced(rule: Rule, { tau, amount, set, average, input }: Trace, old: Tensor, s: Tensor): [Tensor, Tensor] {
  const decay = rule.decay === "euler" ? full([], 1 - rule.dt / tau) : full([], -rule.dt / tau).exp();
  const decayed = old.mul(decay);
  const added = average ? full([], 1).sub(decay).mul(amount) : full([], amount);
  if (set) return [decayed, decayed.where(s.eq(0), added.expand(decayed.shape))];
  const traced = input === null ? s : (input(s as unknown as Value) as unknown as Tensor);
  return [decayed, decayed.add(traced.mul(added))];
}
