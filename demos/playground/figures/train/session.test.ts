/** A run under the hands of a user: looking at it never changes it, and what is saved can be loaded. */
import { loadSafetensors, memoryStats, noGrad, saveSafetensors, tensor } from "jarvis-snn";
import { expect, test } from "vitest";
import { nanojoules } from "../../model/costs.ts";
import { makeData } from "../../model/data.ts";
import { leaderOf } from "../../model/decision.ts";
import { hashOf } from "../../model/hash.ts";
import { History } from "../../model/history.ts";
import { makeOptimizer } from "../../model/network.ts";
import { Run } from "../../model/run.ts";
import { presets, type TrainConfig, trainFields } from "../../model/train-fields.ts";
import { completed, viewSample } from "../../model/views.ts";
import { originOf } from "../../model/weights.ts";
import { defaults } from "../../state/fields.ts";
import type { Detail } from "./protocol.ts";
import { type Resolution, Session } from "./session.ts";

const base = defaults(trainFields);
const linear: TrainConfig = { ...base, ...presets.linear, data: "linear" };

const mapOf = (session: Session, resolution: Resolution): Float32Array =>
  completed(session.map(resolution) as Iterator<undefined, Float32Array>);

/** The hash of a run that nobody looked at. */
function undisturbed(config: TrainConfig, steps: number): string {
  const run = new Run(config, makeData(config, null), makeOptimizer);
  while (run.steps < steps) run.step();
  return hashOf(run.model);
}

test.each(["ttfs", "poisson", "constant"] as const)("session: looking does not change the run, %s", (encode) => {
  const config = { ...base, encode };
  const session = new Session(config, null);
  for (let i = 0; i < 30; i++) {
    session.step();
    if (i % 7 === 0) session.frame(0, true);
    if (i % 9 === 0) mapOf(session, "coarse");
    if (i % 5 === 0) session.look(i % 2 === 0 ? { kind: "test", index: i } : { kind: "point", x: 0.3, y: 0.9 });
    if (i % 11 === 0) {
      session.recall(0);
      session.frame(0, true);
    }
  }
  expect(session.frame(0, true).detail?.hash).toBe(undisturbed(config, 30));
});

test("session: every reset, surrogate, readout and optimizer learns the moons", () => {
  const variants: Partial<TrainConfig>[] = [
    { reset: "zero" },
    { reset: "none", threshold: 1 },
    { surrogate: "sigmoid" },
    { surrogate: "atan", slope: 2 },
    { surrogate: "triangular" },
    { surrogate: "boxcar" },
    { readout: "rate" },
    { optimizer: "adamw" },
    { optimizer: "rmsprop", lr: 0.003 },
    { optimizer: "sgd", lr: 0.1, readout: "rate", layers: [24] },
    { layers: [16] },
    { layers: [16, 16, 16], refractory: 1 },
    { fields: 1, encode: "constant" },
  ];
  for (const variant of variants) {
    const session = new Session({ ...base, ...variant }, null);
    for (let i = 0; i < 250; i++) session.step();
    expect(session.frame(0, true).detail?.accuracy, JSON.stringify(variant)).toBeGreaterThan(0.85);
    session.dispose();
  }
});

test.each(["adam", "sgd", "rmsprop"] as const)("session: it gives back all memory in the end, %s", (optimizer) => {
  const { live } = memoryStats();
  for (let i = 0; i < 2; i++) {
    const session = new Session({ ...base, optimizer }, null);
    for (let step = 0; step < 3; step++) session.step();
    session.frame(0, true);
    session.recall(0);
    session.dispose();
    expect(memoryStats().live).toBe(live);
  }
});

test("session: the toy of `npm start` gets above 88 %", () => {
  const session = new Session(linear, null);
  for (let i = 0; i < 260; i++) session.step();
  expect(session.frame(0, true).detail?.accuracy).toBeGreaterThan(0.88);
});

test("session: a frame shows the chosen sample, with its label where it has one", () => {
  const session = new Session(base, null);
  const { sample, detail } = session.frame(0, true);
  expect([sample.timesteps, sample.classes, sample.label]).toEqual([base.timesteps, 2, session.setup().labels[0]]);
  expect(sample.input.length).toBe(base.timesteps * 16);
  expect(sample.layers.map(({ size }) => size)).toEqual([24, 16]);
  expect(sample.layers[1]?.membrane.length).toBe(base.timesteps * 16);
  expect(detail?.matrices.map(({ length }) => length)).toEqual([16 * 24, 24 * 16, 16 * 2]);
  session.look({ kind: "point", x: 0, y: 1 });
  const point = session.frame(0);
  expect([point.sample.label, point.detail]).toEqual([-1, null]);
  // Every field that the point excites fires once.
  expect(point.sample.input.reduce((sum, spike) => sum + spike, 0)).toBeGreaterThan(4);
});

test("session: a snapshot comes back, and the run goes on from where it was", () => {
  const session = new Session(base, null);
  const start = session.frame(0, true).detail?.hash;
  for (let i = 0; i < 10; i++) session.step();
  session.recall(0);
  const past = session.frame(0, true);
  expect([past.shown, past.steps, past.detail?.hash]).toEqual([0, 10, start]);
  session.step();
  const now = session.frame(0, true);
  expect([now.shown, now.detail?.hash]).toEqual([11, undisturbed(base, 11)]);
});

test("session: saved weights are loaded bit for bit, with the network and the step that the file names", () => {
  const first = new Session({ ...base, layers: [7, 5], threshold: 0.8 }, null);
  for (let i = 0; i < 5; i++) first.step();
  const bytes = first.save();
  const { metadata } = noGrad(() => loadSafetensors(bytes));
  expect(metadata).toEqual({ config: "layers=7,5&threshold=0.8", steps: "5" });
  const { config, steps } = originOf(bytes);
  expect([config, steps]).toEqual([first.config, 5]);
  const second = new Session(config as TrainConfig, null, bytes);
  const [before, after] = [first.frame(0, true), second.frame(0, true)];
  expect([after.fromSeed, after.steps, after.detail?.hash]).toEqual([false, 5, before.detail?.hash]);
  expect([after.history.steps, after.history.accuracy]).toEqual([[5], [before.detail?.accuracy]]);
  expect(after.snapshots).toEqual([5]);
  second.step();
  expect(second.frame(0).steps).toBe(6);
});

test("session: files that do not fit are refused in words, and what is there stays", () => {
  const session = new Session(base, null);
  const bytes = session.save();
  const { live } = memoryStats();
  expect(() => new Session({ ...base, layers: [5] }, null, bytes)).toThrow(
    "The weights of this file are of another network than this one, whose layers have 5 neurons.",
  );
  for (const damaged of [
    bytes.subarray(0, 40),
    new TextEncoder().encode("no weights at all, but a text of some length"),
  ]) {
    expect(() => originOf(damaged)).toThrow("it is no safetensors file, or it is damaged");
  }
  // Another program's file: no network, no step.
  const other = noGrad(() => saveSafetensors({ weight: tensor([1]) }, { steps: "-3" }));
  expect(originOf(other)).toEqual({ config: null, steps: 0 });
  expect(memoryStats().live).toBe(live);
});

test("session: a network that a file describes stays within the memory of the page", () => {
  const bytes = noGrad(() => saveSafetensors({ weight: tensor([1]) }, { config: "layers=256,256,256&timesteps=100" }));
  expect(originOf(bytes).config?.timesteps).toBe(33);
});

test("session: memory stays where it is while it trains and shows", () => {
  const session = new Session(base, null);
  const work = (): number => {
    for (let i = 0; i < 100; i++) session.step();
    session.recall(1);
    session.frame(0, true);
    session.recall(null);
    session.frame(0, true);
    return memoryStats().live;
  };
  work();
  const live = work();
  for (let i = 0; i < 4; i++) expect(work()).toBe(live);
});

test("session: a map is made of pieces, and needs no more memory than a thousand points", () => {
  const session = new Session({ ...base, timesteps: 24, layers: [256] }, null);
  session.frame(0, true);
  const { reserved } = memoryStats();
  const pieces = session.map("fine") as Iterator<undefined, Float32Array>;
  for (let i = 0; i < 14; i++) expect(pieces.next().done).toBe(false);
  const last = pieces.next();
  expect([last.done, last.value?.length]).toEqual([true, 24 * 120 * 120]);
  // 24 steps of 256 neurons for 14 400 points would be 354 MB an array.
  expect(memoryStats().reserved - reserved).toBeLessThan(200e6);
  expect(new Session(linear, null).map("fine")).toBeNull();
});

test("session: silenced neurons change what is shown, not what is learned", () => {
  const session = new Session(base, null);
  const whole = new Session(base, null);
  for (let i = 0; i < 60; i++) session.step();
  const all = Array.from({ length: 24 }, (_, neuron) => ({ layer: 0, neuron }));
  session.silence(all);
  const { sample } = session.frame(0);
  expect(sample.layers.map(({ spikes }) => spikes.includes(1))).toEqual([false, false]);
  expect(new Set(mapOf(session, "coarse"))).toEqual(new Set([0.5]));
  for (let i = 0; i < 5; i++) session.step();
  for (let i = 0; i < 65; i++) whole.step();
  expect(session.frame(0, true).detail?.hash).toBe(whole.frame(0, true).detail?.hash);
});

test("session: the map of a neuron counts its spikes until each step", () => {
  const session = new Session(base, null);
  for (let i = 0; i < 60; i++) session.step();
  session.watched = { layer: 1, neuron: 0 };
  const map = mapOf(session, "coarse");
  const area = map.length / base.timesteps;
  expect(Math.max(...map.subarray(0, area))).toBeLessThanOrEqual(1);
  for (let i = area; i < map.length; i++) {
    expect([0, 1]).toContain((map[i] as number) - (map[i - area] as number));
  }
});

test("session: nothing fires without an input, and spikes take their way from layer to layer", () => {
  const session = new Session(base, null);
  for (let i = 0; i < 100; i++) session.step();
  const total = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
  const run = new Run(base, makeData(base, null), makeOptimizer);
  while (run.steps < 100) run.step();
  const sample = viewSample(run, run.model, new Float32Array(16), -1);
  expect(sample.layers.map(({ spikes }) => total(spikes))).toEqual([0, 0]);
  expect([...new Set(sample.leaders)]).toEqual([-1]);
  expect(sample.decision).toBe(-1);
  session.look({ kind: "test", index: 0 });
  const seen = session.frame(0).sample;
  const first = (layer: number): number => seen.layers[layer]?.spikes.indexOf(1) ?? -1;
  const reached = Math.floor(first(1) / 16);
  expect(Math.floor(first(0) / 24)).toBeLessThanOrEqual(reached);
  expect([...seen.leaders.subarray(0, reached)].every((leader) => leader === -1)).toBe(true);
  expect(seen.leaders.at(-1)).toBe(seen.label);
});

test.each(["membrane", "rate"] as const)("session: the leader at the end is the network's decision, %s", (readout) => {
  const config = { ...base, data: "circles", readout } as const;
  const session = new Session(config, null);
  for (let i = 0; i < 60; i++) session.step();
  const { labels } = session.setup();
  const decisions = [...labels.keys()].map((index) => {
    session.look({ kind: "test", index });
    const { sample } = session.frame(0);
    expect(sample.leaders.at(-1)).toBe(sample.decision);
    expect(leaderOf(sample.scores.subarray(-2))).toBe(sample.decision);
    return sample.decision;
  });
  const hits = decisions.filter((decision, i) => decision === labels[i]).length;
  expect(session.frame(0, true).detail?.accuracy).toBe(hits / labels.length);
});

test("session: the history tells every step and the accuracy at each snapshot, whenever and however closely one looks", () => {
  const [once, often] = [new Session(base, null), new Session(base, null)];
  const history = new History();
  for (let i = 0; i < 40; i++) {
    once.step();
    often.step();
    if (i % 3 === 0) history.apply(often.frame(0, i % 2 === 0).history);
  }
  history.apply(often.frame(0).history);
  const all = once.frame(0).history;
  expect([all.from, all.steps]).toEqual([0, Array.from({ length: 41 }, (_, step) => step)]);
  expect([history.loss, history.accuracy]).toEqual([all.loss, all.accuracy]);
  const measured = all.steps.filter((_, i) => all.accuracy[i] !== null);
  expect(measured).toEqual(once.frame(0).snapshots);
});

test("session: the costs of a sample add up", () => {
  const session = new Session(base, null);
  const { activity } = session.frame(0, true).detail as Detail;
  const [input, first, second] = activity.spikes as [number, number, number];
  const { spikes, onePass, everyStep } = activity.costs;
  expect(spikes.additions).toBeCloseTo(input * 24 + first * 16 + second * 2 + first + second, 3);
  expect(spikes.multiplications).toBe(base.timesteps * (24 + 16 + 2));
  expect(onePass.additions).toBe(16 * 24 + 24 * 16 + 16 * 2);
  expect(nanojoules(everyStep)).toBeGreaterThan(base.timesteps * nanojoules(onePass));
  for (const { rates, potentials } of activity.layers) {
    expect(potentials.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    expect([24, 16]).toContain(rates.reduce((sum, count) => sum + count, 0));
  }
});

test("session: the weights of 300 steps are the same on every machine", () => {
  const session = new Session({ ...base, timesteps: 24 }, null);
  for (let i = 0; i < 300; i++) session.step();
  expect(session.frame(0, true).detail?.hash).toBe("ff5284f3e5cb3b3bb21befbb98a5712f87241d5875eff1bb46844b8ec88c29b9");
});

test("session: the surrogate's curve is its derivative", () => {
  const curve = new Session({ ...base, surrogate: "fastSigmoid", slope: 5 }, null).setup().surrogate;
  const expected = (x: number): number => 1 / (1 + 5 * Math.abs(x)) ** 2;
  expect(curve[96]).toBeCloseTo(1, 6);
  expect(curve[0]).toBeCloseTo(expected(-2), 6);
  expect(curve[144]).toBeCloseTo(expected(1), 6);
});
