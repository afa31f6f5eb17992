/** A run under the hands of a user: looking at it never changes it, and what is saved can be loaded. */
import { loadSafetensors, memoryStats, noGrad } from "jarvis-snn";
import { expect, test } from "vitest";
import { Run } from "../model/run.ts";
import { presets, type TrainConfig, trainFields } from "../model/train-fields.ts";
import { defaults } from "../state/fields.ts";
import type { Detail } from "./protocol.ts";
import { Session } from "./session.ts";

const base = defaults(trainFields);
const linear: TrainConfig = { ...base, ...presets.linear, data: "linear" };

/** The hash of a run that nobody looked at. */
function undisturbed(config: TrainConfig, steps: number): string {
  const run = new Run(config, null);
  while (run.steps < steps) run.step();
  return run.hash();
}

test.each(["ttfs", "poisson", "constant"] as const)("session: looking does not change the run, %s", (encode) => {
  const config = { ...base, encode };
  const session = new Session(config, null);
  for (let i = 0; i < 30; i++) {
    session.step();
    if (i % 7 === 0) session.frame(0, "fine");
    if (i % 5 === 0) session.look(i % 2 === 0 ? { kind: "test", index: i } : { kind: "point", x: 0.3, y: 0.9 });
    if (i % 11 === 0) {
      session.recall(0);
      session.frame(0, "fine");
    }
  }
  expect(session.frame(0, "fine").detail?.hash).toBe(undisturbed(config, 30));
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
    for (let i = 0; i < 400; i++) session.step();
    expect(session.frame(0, "fine").detail?.accuracy, JSON.stringify(variant)).toBeGreaterThan(0.85);
    session.dispose();
  }
});

test.each(["adam", "sgd", "rmsprop"] as const)("session: it gives back all memory in the end, %s", (optimizer) => {
  const { live } = memoryStats();
  for (let i = 0; i < 2; i++) {
    const session = new Session({ ...base, optimizer }, null);
    for (let step = 0; step < 3; step++) session.step();
    session.frame(0, "fine");
    session.recall(0);
    session.dispose();
    expect(memoryStats().live).toBe(live);
  }
});

test("session: the toy of `npm start` gets above 88 %", () => {
  const session = new Session(linear, null);
  for (let i = 0; i < 260; i++) session.step();
  expect(session.frame(0, "fine").detail?.accuracy).toBeGreaterThan(0.88);
});

test("session: a frame shows the chosen sample, with its label where it has one", () => {
  const session = new Session(base, null);
  const { sample, detail } = session.frame(0, "fine");
  expect([sample.timesteps, sample.classes, sample.label]).toEqual([base.timesteps, 2, session.setup().labels[0]]);
  expect(sample.input.length).toBe(base.timesteps * 16);
  expect(sample.layers.map(({ size }) => size)).toEqual([24, 16]);
  expect(sample.layers[1]?.membrane.length).toBe(base.timesteps * 16);
  expect(detail?.map?.length).toBe(120 * 120);
  expect(detail?.matrices.map(({ length }) => length)).toEqual([16 * 24, 24 * 16, 16 * 2]);
  session.look({ kind: "point", x: 0, y: 1 });
  const point = session.frame(0);
  expect([point.sample.label, point.detail]).toEqual([-1, null]);
  // Every field that the point excites fires once.
  expect(point.sample.input.reduce((sum, spike) => sum + spike, 0)).toBeGreaterThan(4);
});

test("session: a snapshot comes back, and the run goes on from where it was", () => {
  const session = new Session(base, null);
  const start = session.frame(0, "fine").detail?.hash;
  for (let i = 0; i < 10; i++) session.step();
  session.recall(0);
  const past = session.frame(0, "fine");
  expect([past.shown, past.steps, past.detail?.hash]).toEqual([0, 10, start]);
  session.step();
  const now = session.frame(0, "fine");
  expect([now.shown, now.detail?.hash]).toEqual([11, undisturbed(base, 11)]);
});

test("session: saved weights are loaded bit for bit; other files leave the run as it was", () => {
  const first = new Session(base, null);
  for (let i = 0; i < 5; i++) first.step();
  const bytes = first.save();
  const { metadata } = noGrad(() => loadSafetensors(bytes));
  expect(metadata).toEqual({ config: "", steps: "5" });
  const second = new Session({ ...base, seed: 9 }, null);
  second.load(bytes);
  const frame = second.frame(0, "fine");
  expect([frame.fromSeed, frame.detail?.hash]).toEqual([false, first.frame(0, "fine").detail?.hash]);
  const other = new Session({ ...base, layers: [5] }, null);
  const before = other.frame(0, "fine").detail?.hash;
  expect(() => other.load(bytes)).toThrow(RangeError);
  expect(() => other.load(bytes.subarray(0, 40))).toThrow(RangeError);
  expect([other.frame(0, "fine").fromSeed, other.frame(0, "fine").detail?.hash]).toEqual([true, before]);
});

test("session: memory stays where it is while it trains and shows", () => {
  const session = new Session(base, null);
  const work = (): number => {
    for (let i = 0; i < 100; i++) session.step();
    session.recall(1);
    session.frame(0, "fine");
    session.recall(null);
    session.frame(0, "fine");
    return memoryStats().live;
  };
  work();
  const live = work();
  for (let i = 0; i < 4; i++) expect(work()).toBe(live);
});

test("session: the costs of a sample add up", () => {
  const session = new Session(base, null);
  const { activity } = session.frame(0, "fine").detail as Detail;
  const [input, first, second] = activity.spikes as [number, number, number];
  expect(activity.synapticOps).toBeCloseTo(input * 24 + first * 16 + second * 2, 3);
  expect(activity.denseOps).toBe(base.timesteps * (16 * 24 + 24 * 16 + 16 * 2));
  for (const { rates, potentials } of activity.layers) {
    expect(potentials.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    expect([24, 16]).toContain(rates.reduce((sum, count) => sum + count, 0));
  }
});

test("session: the surrogate's curve is its derivative", () => {
  const curve = new Session({ ...base, surrogate: "fastSigmoid", slope: 5 }, null).setup().surrogate;
  const expected = (x: number): number => 1 / (1 + 5 * Math.abs(x)) ** 2;
  expect(curve[96]).toBeCloseTo(1, 6);
  expect(curve[0]).toBeCloseTo(expected(-2), 6);
  expect(curve[144]).toBeCloseTo(expected(1), 6);
});
