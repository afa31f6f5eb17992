/**
 * BindsNET's LIF, adaptive and Diehl and Cook nodes, step by step: spikes, membranes, refractory counts, traces, thetas.
 *
 * Two parts of its nodes lie between steps: theta is one value for all samples of a batch, which grows with the spikes of all of
 * them, and a floor under adaptive membranes. Both take the state that a step gives, before the next step gets it.
 */
import { AdaptiveLIF, add, full, LIF, maximum, mul, neuron, stack, sub, sum, type Tensor, zeros } from "jarvis-snn";
import { expect, test } from "vitest";
import { expectClose, expectSpikes, withinLargest } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, mapValues, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { values } from "../support/tensors.ts";
import { lookUp } from "./neurons.ts";

interface Options {
  readonly rest: number;
  readonly reset: number;
  readonly thresh: number;
  /** In ms, as the time constants. */
  readonly refrac: number;
  readonly tc_decay: number;
  readonly lbound: number | null;
  readonly tc_trace: number;
  readonly traces_additive: boolean;
  readonly trace_scale: number;
  readonly theta_plus?: number;
  readonly tc_theta_decay?: number;
  readonly one_spike?: boolean;
  readonly dt: number;
  readonly learning: boolean;
  readonly reset_state_before_step: number | null;
}

interface Entry extends NamedEntry {
  readonly class: string;
  readonly options: Options;
  readonly input: GoldenTensor;
  /** s, v, refrac_count and x [T, B, n], theta [T, n]. */
  readonly outputs: GoldenTensors;
  /** With one_spike: all that crossed their threshold, of which s holds one that the peer has drawn. */
  readonly crossed?: GoldenTensor;
}

type State = Readonly<Record<string, Tensor>>;

interface Layer {
  step(current: Tensor, state: object): [Tensor, object];
}

/** Steps until a refractory count is no longer positive, which the peer lowers by dt in float32; 0.3 lasts four steps of 0.1. */
function stepsOf(count: number, dt: number): number {
  let steps = 0;
  for (let left = Math.fround(count); left > 0; left = Math.fround(left - Math.fround(dt))) steps++;
  return steps;
}

const decayOf = (dt: number, tau: number): number => Math.exp(-dt / tau);

const Trace = neuron({
  name: "Trace",
  state: { x: 0 },
  parameters: { decay: 0.95, scale: 1 },
  choices: { isAdditive: false },
  step({ current, x, decay, scale, where }, { isAdditive }) {
    const left = x.mul(decay);
    const next = isAdditive ? left.add(current.mul(scale)) : where(current, scale, left);
    return { membrane: next, x: next };
  },
});

/** The nodes of an entry: adaptive ones, or LIF where nothing adapts, also since nothing learns. */
function nodesOf({ class: name, options }: Entry): { layer: Layer; rho: number | null } {
  const { rest, reset, thresh, refrac, tc_decay, lbound, theta_plus = 0, tc_theta_decay = 1, dt, learning } = options;
  const { one_spike = false } = options;
  const isAdaptive = name === "AdaptiveLIFNodes" || name === "DiehlAndCookNodes";
  if (!isAdaptive && name !== "LIFNodes") throw new Error(`no nodes for ${name}`);
  const common = {
    numerics: "bindsnet",
    beta: decayOf(dt, tc_decay),
    rest,
    resetValue: reset,
    threshold: thresh,
    refractorySteps: stepsOf(refrac, dt),
    // All that cross are reset and refractory, one of them is heard; the largest, where the peer draws.
    inhibition: one_spike && "output",
  } as const;
  const rho = decayOf(dt, tc_theta_decay);
  if (isAdaptive && learning) return { layer: new AdaptiveLIF({ ...common, rho, kappa: theta_plus }), rho };
  const bound = lbound === null ? {} : { lowerBound: lbound };
  return { layer: new LIF({ ...common, ...bound }), rho: null };
}

/** With neurons of several axes in one: one_spike is among all of a sample, ours is along the last axis. */
function flattened(entry: Entry): Entry {
  const { input, outputs } = entry;
  const [T, B] = input.shape as [number, number];
  return {
    ...entry,
    input: { ...input, shape: [T, B, input.data.length / (T * B)] },
    outputs: mapValues(outputs, (golden, name) => {
      const leading = name === "theta" ? [T] : [T, B];
      const rows = leading.reduce((product, size) => product * size, 1);
      return { ...golden, shape: [...leading, golden.data.length / rows] };
    }),
  };
}

function run(entry: Entry): void {
  const { options, input, outputs: expected, crossed } = flattened(entry);
  const { rest, dt, lbound, theta_plus: kappa = 0, reset_state_before_step: restart } = options;
  const { layer, rho } = nodesOf(entry);
  const x = toTensor(input);
  const shape = x.shape.slice(1);
  const trace: Layer = new Trace({
    decay: decayOf(dt, options.tc_trace),
    scale: options.trace_scale,
    isAdditive: options.traces_additive,
  });
  const peerSpikes = toTensor(expected.s as GoldenTensor).unbind(0);
  const start = (a: Tensor): State => ({ v: full(shape, rest), refractory: zeros(shape), a });
  let state = start(zeros(shape));
  let traced: object = { x: zeros(shape) };
  const all: Record<string, Tensor[]> = { s: [], v: [], refractory: [], x: [], theta: [] };
  for (const [t, current] of x.unbind(0).entries()) {
    if (t === restart) {
      // theta stays.
      state = start(state.a as Tensor);
      traced = { x: zeros(shape) };
    }
    const before = state.a as Tensor;
    const [s, next] = layer.step(current, state);
    state = { a: before, ...(next as State) };
    if (rho !== null) {
      const left = mul(before, rho);
      // Each sample's a grew by its own spikes, also by those that are not heard.
      state = { ...state, a: add(left, sum(sub(state.a as Tensor, left), { axis: 0, keepdim: true })) };
      if (lbound !== null) state = { ...state, v: maximum(state.v as Tensor, full([], lbound)) };
    }
    const [released, after] = trace.step(peerSpikes[t] as Tensor, traced);
    traced = after;
    const theta = mul((state.a as Tensor).slice(0, 0, 1).squeeze(0), kappa);
    const { v, refractory = zeros(shape) } = state;
    for (const [name, value] of Object.entries({ s, v, refractory, x: released, theta }))
      all[name]?.push(value as Tensor);
  }
  const over = (name: string): Tensor => stack(lookUp("output", all, name));
  const close = (name: string) => {
    const golden = expected[name] as GoldenTensor;
    expectClose(`${entry.name}: ${name}`, over(name), golden, withinLargest(golden, 1e-5), "states");
  };

  const n = shape[1] as number;
  // Where several crossed at once, the peer drew the one that is heard.
  if (crossed === undefined || !isAnyRow(numbersOf(crossed), n, (row) => sumOf(row) > 1)) {
    expectSpikes(`${entry.name}: s`, over("s"), expected.s as GoldenTensor);
  }
  for (const spikes of crossed === undefined ? [] : [values(over("s")), numbersOf(expected.s as GoldenTensor)]) {
    expectOneOf(spikes, numbersOf(crossed as GoldenTensor), n);
  }
  for (const name of Object.keys(expected)) if (name !== "s" && name !== "refrac_count") close(name);
  // Its counts go on below 0.
  if (expected.refrac_count === undefined) return;
  const left = numbersOf(expected.refrac_count).map((count) => stepsOf(count, dt));
  expect(values(over("refractory"))).toEqual(left);
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((total, x) => total + x, 0);

/** Whether the test holds for any n numbers in a row. */
function isAnyRow(numbers: readonly number[], n: number, test: (row: readonly number[]) => boolean): boolean {
  for (let i = 0; i < numbers.length; i += n) if (test(numbers.slice(i, i + n))) return true;
  return false;
}

/** In each sample and step one of those that crossed, where any did. */
function expectOneOf(spikes: readonly number[], crossed: readonly number[], n: number): void {
  for (let i = 0; i < spikes.length; i += n) {
    const [one, some] = [spikes.slice(i, i + n), crossed.slice(i, i + n)];
    expect(one.filter((s) => s === 1).length).toBe(some.includes(1) ? 1 : 0);
    expect(some[one.indexOf(1)] ?? 1).toBe(1);
  }
}

goldenSuite<{ entries: readonly Entry[] }, Entry>({
  file: "bindsnet/nodes",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run,
});

test("bindsnet: the presets are its defaults, counted from rest", () => {
  const options = { rest: -65, resetValue: -65, threshold: -52, refractorySteps: 5, refractory: "leak" } as const;
  const current = full([40, 1], 3);
  const absolute = new LIF({ ...options, tau: 100 }).unroll(current, { v: full([1], -65), refractory: zeros([1]) });
  const preset = new LIF({ numerics: "bindsnet" }).unroll(current);
  expect(values(preset.spikes)).toEqual(values(absolute.spikes));
  expect(values(preset.spikes).filter((s) => s === 1).length).toBeGreaterThan(2);
  expect(values(sub(absolute.v, preset.v)).every((d) => Math.abs(d + 65) < 1e-4)).toBe(true);
  const adaptive = new AdaptiveLIF({ numerics: "bindsnet" }).unroll(current);
  expect(values(adaptive.spikes)).toEqual(values(preset.spikes));
});
