/** SpikingJelly's STDPLearner on linear layers and convolutions with integrate-and-fire neurons behind them, step by step. */
import {
  Conv1d,
  Conv2d,
  IF,
  type Linear,
  Plastic,
  type PlasticState,
  plasticity,
  type Rule,
  STDP,
  type Tensor,
} from "jarvis-snn";
import type { Value } from "../../engine/fuse/index.ts";
import { type GoldenTensor, type GoldenTensors, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { linearOf, Recorder, withWeight } from "./plasticity.ts";

/** A learner, of either file. */
interface Learner {
  readonly kind: string;
  readonly tau_pre: number;
  readonly tau_post: number;
  /** As text: "f(w) = w (the default)". */
  readonly f_pre: string;
  readonly f_post: string;
  readonly lr: number;
  readonly scale: number;
  readonly bounds: readonly [number, number];
  readonly stride?: number | readonly number[];
  readonly padding?: number | readonly number[];
  /** Steps of the network for one change of the weight. */
  readonly steps: number;
}

interface Entry extends NamedEntry {
  readonly w0: GoldenTensor;
  readonly input: GoldenTensor;
  readonly outputs: GoldenTensors;
  readonly learner: Learner;
}

const NUMBER = "(-?[\\d.]+)";

/** f from its text: how it depends on w, by a setting of STDP where there is one, and as symbols. */
function dependenceOf(text: string, [low, high]: readonly [number, number]) {
  const body = text.replace(/^f\(w\) = /, "").replace(/ \(.*default\)$/, "");
  const read = (pattern: string) => new RegExp(`^${pattern}$`).exec(body)?.slice(1).map(Number);
  if (body === "w" || body === "identity") return { setting: "weight", factor: 1, f: (w: Value) => w } as const;
  const [constant] = read(NUMBER) ?? [];
  if (constant !== undefined) return { setting: "additive", factor: constant, f: () => constant } as const;
  const [a, b] = read(`clamp\\(w, ?${NUMBER}, ?${NUMBER}\\)`) ?? [];
  if (a !== undefined && b !== undefined) {
    const isAll = a <= low && high <= b;
    return { setting: isAll ? "weight" : null, factor: 1, f: (w: Value) => w.clamp(a, b) } as const;
  }
  const [bound, exponent] = read(`\\(${NUMBER} - w\\)\\^${NUMBER}`) ?? [];
  if (bound === undefined || exponent === undefined) throw new Error(`no f for ${JSON.stringify(text)}`);
  return { setting: null, factor: 1, f: (w: Value) => w.mul(-1).add(bound).pow(exponent) } as const;
}

/** STDP where both f are settings of it, else a rule with these f. */
function ruleOf({ tau_pre, tau_post, f_pre, f_post, lr, scale, bounds }: Learner): Rule {
  const a = lr * scale;
  const [pre, post] = [dependenceOf(f_pre, bounds), dependenceOf(f_post, bounds)];
  const times = { tauPlus: tau_pre, tauMinus: tau_post };
  if (pre.setting !== null && pre.setting === post.setting) {
    const amplitudes = { aPlus: a * post.factor, aMinus: a * pre.factor };
    return new STDP({ numerics: "spikingjelly", dependence: pre.setting, ...amplitudes, ...times });
  }
  const Own = plasticity({
    name: "OwnSTDP",
    traces: { x: { of: "pre", tau: "tauPlus" }, y: { of: "post", tau: "tauMinus" } },
    parameters: { a, ...times },
    onPre: ({ w, y, a }) => y.mul(a).mul(pre.f(w)).neg(),
    onPost: ({ w, x, a }) => x.mul(a).mul(post.f(w)),
  });
  return new Own({ order: "after", decay: "euler" });
}

function layerOf({ name, w0, learner }: Entry): Linear | Conv1d | Conv2d {
  const { kind, stride = 1, padding = 0 } = learner;
  const weight = toTensor(w0);
  if (kind === "linear") return linearOf(weight);
  const [filters = 0, channels = 0, ...kernel] = weight.shape;
  const options = { stride, padding, bias: false };
  if (kind === "conv1d") {
    return withWeight(new Conv1d(channels, filters, kernel[0] as number, options as { bias: boolean }), weight);
  }
  if (kind !== "conv2d") throw new Error(`${name}: no layer for ${kind}`);
  return withWeight(new Conv2d(channels, filters, kernel as [number, number], options as { bias: boolean }), weight);
}

function run(entry: Entry): void {
  const { name, input, outputs, learner } = entry;
  const layer = layerOf(entry);
  const rule = ruleOf(learner);
  const plastic = new Plastic(layer, rule, { bounds: learner.bounds });
  // The peer's change in its file is that before the bounds, and times its scale.
  const copy = layerOf(entry);
  const unbounded = new Plastic(copy, rule);
  const neurons = new IF();
  const recorder = new Recorder();
  const steps = toTensor(input).unbind(0);
  const shape = (steps[0] as Tensor).shape;
  const states: [PlasticState, PlasticState] = [plastic.initialState(shape), unbounded.initialState(shape)];
  let membrane: ReturnType<typeof neurons.initialState> | null = null;
  for (const [t, pre] of steps.entries()) {
    const current: Tensor = layer.forward(pre);
    const [post, next] = neurons.step(current, membrane ?? neurons.initialState(current.shape));
    membrane = next;
    const apply = (t + 1) % learner.steps === 0;
    const before = layer.weight.clone();
    copy.weight.copyFrom(before);
    const { traces } = plastic.step(pre, post, states[0], { apply });
    unbounded.step(pre, post, states[1], { apply });
    recorder.note({ out_spike: post });
    if (!apply) continue;
    const { x: trace_pre, y: trace_post } = traces as { x: Tensor; y: Tensor };
    const delta_w = copy.weight.sub(before).div(learner.lr);
    recorder.note({ weight: layer.weight, delta_w, grad: delta_w.neg(), trace_pre, trace_post });
  }
  for (const [output, expected] of Object.entries(outputs)) {
    const isPadded = output === "trace_pre";
    recorder.compare(name, output, isPadded ? withoutPadding(expected, learner, steps[0] as Tensor) : expected);
  }
}

/** The peer pads the spikes, and so their traces, which stay 0 there. */
function withoutPadding(trace: GoldenTensor, { padding = 0 }: Learner, { shape }: Tensor): GoldenTensor {
  const sizes = shape.slice(2);
  if (sizes.length === 0) return trace;
  const around = typeof padding === "number" ? sizes.map(() => padding) : padding;
  const [T = 0, B = 0, C = 0, ...padded] = trace.shape;
  let inner = toTensor(trace);
  for (const [axis, size] of sizes.entries()) {
    const [at, from] = [3 + axis, around[axis] as number];
    if (padded[axis] !== size + 2 * from) throw new Error(`expected a padding of ${around}, got ${padded}`);
    inner = inner.slice(at, from, from + size);
  }
  const all = numbersOf(trace).reduce((sum, x) => sum + Math.abs(x), 0);
  const kept = inner.abs().sum().item();
  if (Math.abs(all - kept) > 1e-4 * all) throw new Error("expected traces of 0 in the padding");
  return { shape: [T, B, C, ...sizes], data: [...inner.toFloat32Array()] };
}

interface LinearGolden extends NamedEntry {
  readonly tau_pre: number;
  readonly tau_post: number;
  readonly lr: number;
  readonly f: string;
  readonly w0: GoldenTensor;
  readonly input: GoldenTensor;
  readonly outputs: GoldenTensors;
}

goldenSuite<{ entries: readonly LinearGolden[] }, LinearGolden>({
  file: "spikingjelly/stdp",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run: ({ name, w0, input, outputs, f, tau_pre, tau_post, lr }) =>
    run({
      ...{ name, w0, input, outputs },
      learner: { kind: "linear", tau_pre, tau_post, lr, f_pre: f, f_post: f, scale: 1, bounds: [-1, 1], steps: 1 },
    }),
});

interface LearnerGolden extends NamedEntry {
  readonly kind: string;
  readonly step_mode: string;
  readonly options: {
    readonly tau_pre: number;
    readonly tau_post: number;
    readonly f_pre: string;
    readonly f_post: string;
    readonly stride: number | readonly number[];
    readonly padding: number | readonly number[];
    readonly lr: number;
    readonly scale: number;
    readonly clamp_after_step: readonly [number, number];
    readonly net_steps_per_learner_step: number;
  };
  readonly w0: GoldenTensor;
  readonly input: GoldenTensor;
  readonly outputs: GoldenTensors;
}

goldenSuite<{ entries: readonly LearnerGolden[] }, LearnerGolden>({
  file: "spikingjelly/stdp_conv",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run: ({ name, kind, options, w0, input, outputs }) =>
    run({
      ...{ name, w0, input, outputs },
      learner: {
        ...options,
        kind,
        bounds: options.clamp_after_step,
        steps: options.net_steps_per_learner_step,
      },
    }),
});
