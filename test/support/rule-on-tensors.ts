/** A rule for synapses on tensors, op by op: the reference of the sweeps that it is compiled to. */
import { tensorLanguage, type Value } from "../../engine/fuse/index.ts";
import { full, noGrad, type Tensor, tensor, zeros } from "../../engine/index.ts";
import type { Rule, Trace } from "../../snn/learning/plasticity.ts";

/** Sizes and options of a connection. */
export interface Connected {
  readonly rule: Rule;
  readonly outputs: number;
  readonly inputs: number;
  readonly batch: number;
  /** Samples of each element of the batch, which share its reward and the states of its synapses: places of a window, by default 1. */
  readonly places?: number;
  readonly bounds: readonly [number, number] | null;
  readonly mean: boolean;
}

/** A step: spikes [B·places, in] and [B·places, out] in row-major order. */
export interface Given {
  readonly pre: Float32Array;
  readonly post: Float32Array;
  readonly reward?: readonly number[];
  readonly applies?: boolean;
}

type Values = Record<string, Tensor>;

/** A connection whose weights [out, in] a rule changes step by step. All functions see the weight as it was before the step. */
export class RuleOnTensors {
  weight: Float32Array;
  /** Of each sample, the traces of its neurons, [in] or [out, 1]. */
  readonly traces: Values[];
  /** Of each element of the batch, the states of the synapses, [out, in]. */
  private synapses: Values[];
  private readonly connected: Connected;
  private pending: Float32Array | null = null;

  constructor(connected: Connected, weight: Float32Array) {
    const { rule, outputs, inputs, batch, places = 1 } = connected;
    this.connected = connected;
    this.weight = weight;
    this.traces = Array.from({ length: batch * places }, () =>
      Object.fromEntries(rule.traces.map(({ name, of }) => [name, zeros(this.shapeOf(of))])),
    );
    this.synapses = Array.from({ length: batch }, () =>
      Object.fromEntries(rule.synapse.map(({ name }) => [name, zeros([outputs, inputs])])),
    );
  }

  private shapeOf = (of: "pre" | "post"): number[] =>
    of === "pre" ? [this.connected.inputs] : [this.connected.outputs, 1];

  /** The trace of a sample as [n]. */
  trace(name: string, s: number): Float32Array {
    const traces = this.traces[s] as Values;
    return (traces[name] as Tensor).toFloat32Array();
  }

  step({ pre, post, reward, applies = true }: Given): void {
    const { rule, outputs, inputs, batch, places = 1, bounds, mean } = this.connected;
    const samples = batch * places;
    const shape = [outputs, inputs];
    const changed = noGrad(() => {
      const w = tensor(this.weight, { shape });
      let sum = this.pending === null ? null : tensor(this.pending, { shape });
      const synapses = this.synapses.map((states) => ({ ...states }));
      const states = this.traces.map((traces, s) => ({
        traces,
        before: traces,
        synapses: synapses[Math.floor(s / places)] as Values,
      }));
      const add = (s: number, changes: Values) => {
        const { w: dw, ...others } = changes;
        if (dw !== undefined) sum = (sum ?? zeros(shape)).add(dw);
        const state = states[s] as (typeof states)[number];
        for (const [name, change] of Object.entries(others))
          state.synapses[name] = (state.synapses[name] as Tensor).add(change);
      };
      const changesOf = (s: number, event: Event, isSeen: (trace: Trace) => boolean): Values => {
        const state = states[s] as (typeof states)[number];
        const [x, y] = [
          tensor(pre.slice(s * inputs, (s + 1) * inputs)),
          tensor(post.slice(s * outputs, (s + 1) * outputs), { shape: [outputs, 1] }),
        ];
        const traces = rule.traces.map((trace) => [
          trace.name,
          (isSeen(trace) ? state.traces : state.before)[trace.name] as Tensor,
        ]);
        const product = w.mul(y);
        const explained =
          rule.explains === "all" ? product.cumsum({ axis: 0 }).slice(0, -1) : product.cumsum({ axis: 0 });
        const argument = {
          ...tensorLanguage,
          ...Object.fromEntries(rule.parameterNames.map((name) => [name, perRow(rule.parameter(name))])),
          ...Object.fromEntries(traces),
          ...state.synapses,
          ...{
            w,
            pre: x,
            post: y,
            explained,
            reward: full([], reward?.[Math.floor(s / places)] ?? 0),
            dt: full([], rule.dt),
          },
          ...{ low: full([], bounds?.[0] ?? 0), high: full([], bounds?.[1] ?? 0) },
        };
        const changes = rule.changes(event, argument as unknown as Record<string, Value>);
        return Object.fromEntries(
          Object.entries(changes).map(([name, change]) => [name, asTensor(change).expand(shape)]),
        );
      };
      const rewards = () => {
        if (reward === undefined || !rule.has("onReward")) return;
        for (let b = 0; b < batch; b++) {
          const first = b * places;
          add(
            first,
            changesOf(first, "onReward", () => true),
          );
        }
      };

      if (rule.rewardAfter === "nothing") rewards();
      for (const own of synapses) {
        for (const { name, tau } of rule.synapse) {
          own[name] = (own[name] as Tensor).mul(tau === 0 ? 0 : full([], -rule.dt / tau).exp());
        }
      }
      for (const [i, state] of states.entries()) {
        const decayed: Values = {};
        const after: Values = {};
        for (const trace of rule.traces) {
          const spikes = trace.of === "pre" ? pre : post;
          const n = spikes.length / samples;
          const s = tensor(spikes.slice(i * n, (i + 1) * n), { shape: this.shapeOf(trace.of) });
          const old = state.traces[trace.name] as Tensor;
          [decayed[trace.name], after[trace.name]] = advanced(rule, trace, old, s);
        }
        Object.assign(state, { before: decayed, traces: after });
      }
      for (let s = 0; s < samples; s++) {
        const all: Values = {};
        for (const [event, spikes, shape] of [
          ["onPre", pre, [inputs]],
          ["onPost", post, [outputs, 1]],
        ] as const) {
          if (!rule.has(event)) continue;
          const n = spikes.length / samples;
          const isSpike = tensor(spikes.slice(s * n, (s + 1) * n), { shape })
            .eq(0)
            .expand([outputs, inputs]);
          for (const [name, change] of Object.entries(changesOf(s, event, seenAt(rule, event)))) {
            const part = change.maskedFill(isSpike, 0);
            all[name] = all[name] === undefined ? part : all[name].add(part);
          }
        }
        add(s, all);
      }
      if (rule.has("onStep")) {
        for (let s = 0; s < samples; s++) add(s, changesOf(s, "onStep", seenAt(rule, "onStep")));
      }
      if (rule.rewardAfter === "events") rewards();
      const total = sum as Tensor | null;
      const moved = total === null ? w : w.add(total.mul(mean ? 1 / batch : 1));
      return {
        weight: (bounds === null || total === null ? moved : moved.clamp(...bounds)).toFloat32Array(),
        sum: total?.toFloat32Array() ?? null,
        traces: states.map(({ traces }) => traces),
        synapses,
      };
    });
    this.traces.forEach((traces, s) => {
      Object.assign(traces, changed.traces[s]);
    });
    this.synapses = changed.synapses;
    if (applies) this.weight = changed.weight;
    this.pending = applies ? null : changed.sum;
  }
}

type Event = Parameters<Rule["changes"]>[0];

const asTensor = (x: Value | number): Tensor => (typeof x === "number" ? full([], x) : (x as unknown as Tensor));

const perRow = (t: Tensor): Tensor => (t.size === 1 ? t.reshape([]) : t.reshape([t.size, 1]));

/** The traces that a change at an event sees with the spikes of its step, as the documentation of `order` says. */
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
