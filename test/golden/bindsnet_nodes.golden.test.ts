/** BindsNET's LIF, adaptive and Diehl and Cook nodes, step by step: spikes, membranes, refractory counts, traces, thetas. */
import { AdaptiveLIF, full, LIF, neuron, stack, sub, type Tensor, zeros } from "jarvis-snn";
import { expect, test } from "vitest";
import { expectClose, expectSpikes, withinLargest } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, mapValues, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { values } from "../support/tensors.ts";
import { decayOf, type Layer, type NodeOptions, Nodes, type State, stepsOf } from "./bindsnet.ts";
import { lookUp } from "./neurons.ts";

interface Options extends NodeOptions {
  readonly tc_trace: number;
  readonly traces_additive: boolean;
  readonly trace_scale: number;
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
  const { dt, reset_state_before_step: restart } = options;
  const nodes = new Nodes(entry.class, options);
  const x = toTensor(input);
  const shape = x.shape.slice(1);
  const trace: Layer = new Trace({
    decay: decayOf(dt, options.tc_trace),
    scale: options.trace_scale,
    isAdditive: options.traces_additive,
  });
  const peerSpikes = toTensor(expected.s as GoldenTensor).unbind(0);
  let state: State = nodes.start(shape);
  let traced: object = { x: zeros(shape) };
  const all: Record<string, Tensor[]> = { s: [], v: [], refractory: [], x: [], theta: [] };
  for (const [t, current] of x.unbind(0).entries()) {
    if (t === restart) {
      // theta stays.
      state = nodes.start(shape, state.a);
      traced = { x: zeros(shape) };
    }
    const [s, next] = nodes.step(current, state);
    state = next;
    const [released, after] = trace.step(peerSpikes[t] as Tensor, traced);
    traced = after;
    const { v, refractory = zeros(shape) } = state;
    for (const [name, value] of Object.entries({ s, v, refractory, x: released, theta: nodes.theta(state) }))
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
  const absolute = new LIF({ numerics: "bindsnet", ...options, tau: 100 }).unroll(current);
  const preset = new LIF({ numerics: "bindsnet" }).unroll(current);
  expect(values(preset.spikes)).toEqual(values(absolute.spikes));
  expect(values(preset.spikes).filter((s) => s === 1).length).toBeGreaterThan(2);
  expect(values(sub(absolute.v, preset.v)).every((d) => Math.abs(d + 65) < 1e-4)).toBe(true);
  const adaptive = new AdaptiveLIF({ numerics: "bindsnet" }).unroll(current);
  expect(values(adaptive.spikes)).toEqual(values(preset.spikes));
});
