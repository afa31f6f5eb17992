/** Accumulation of evidence: its trials, that small networks learn it by both rules, and what the program prints. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator, manualSeed } from "jarvis-snn";
import { afterEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { bits } from "../../test/support/tensors.ts";
import { INPUTS, Lsnn, NONE, stepsOf, type Trials } from "../lsnn/network.ts";
import { measure, trainMemory } from "../lsnn/training.ts";
import { type DelaysMs, evidence } from "./data.ts";

afterEach(() => vi.restoreAllMocks());

/** Spikes of a group in the steps from … to − 1 of a trial. */
function count({ x }: Trials, s: Float32Array, sample: number, group: number, from: number, to: number): number {
  const B = x.shape[1] as number;
  let sum = 0;
  for (let t = from; t < to; t++) {
    for (let j = 10 * group; j < 10 * (group + 1); j++) sum += s[(t * B + sample) * INPUTS + j] as number;
  }
  return sum;
}

describe("trials", () => {
  test("evidence: the answer is the side of most of seven cues, asked for at the end alone", () => {
    const trials = evidence(200, [600, 600], new Generator(1));
    const s = trials.x.toFloat32Array();
    const T = stepsOf(7 * 150 + 600 + 150);
    expect(trials.x.shape).toEqual([T, 200, INPUTS]);
    let right = 0;
    const sides = new Array<number>(8).fill(0);
    for (let b = 0; b < 200; b++) {
      let cues = 0;
      for (let i = 0; i < 7; i++) {
        const [from, to] = [stepsOf(150 * i), stepsOf(150 * (i + 1))];
        const [l, r] = [0, 1].map((group) => count(trials, s, b, group, from, to)) as [number, number];
        expect(Math.min(l, r)).toBe(0);
        expect(Math.abs(Math.max(l, r) - 40)).toBeLessThan(35);
        if (r > l) cues++;
        for (const group of [0, 1]) expect(count(trials, s, b, group, from, from + stepsOf(50))).toBe(0);
      }
      sides[cues] = (sides[cues] as number) + 1;
      for (const group of [0, 1]) expect(count(trials, s, b, group, stepsOf(1050), T)).toBe(0);
      expect(count(trials, s, b, 2, 0, T - 30)).toBe(0);
      expect(Math.abs(count(trials, s, b, 2, T - 30, T) - 60)).toBeLessThan(45);
      const answer = cues > 3 ? 1 : 0;
      right += answer;
      const asked = Array.from({ length: T }, (_, t) => trials.answers[t * 200 + b] as number);
      expect(new Set(asked.slice(0, T - 30))).toEqual(new Set([NONE]));
      expect(new Set(asked.slice(T - 30))).toEqual(new Set([answer]));
    }
    expect(Math.abs(right - 100)).toBeLessThan(5 * Math.sqrt(50));
    // Seven cues with a probability of 0.7 or 0.3: three or four on a side in about a third of the trials.
    const close = (sides[3] as number) + (sides[4] as number);
    expect(Math.abs(close - 200 * 0.324)).toBeLessThan(5 * Math.sqrt(200 * 0.324 * 0.676));
  });

  test("evidence: delays lie within their bounds, and all trials end with the recall", () => {
    const trials = evidence(200, [500, 1500], new Generator(2));
    const s = trials.x.toFloat32Array();
    const [T] = trials.x.shape as [number];
    expect(T).toBe(stepsOf(1050 + 1500 + 150));
    const delays = Array.from({ length: 200 }, (_, b) => {
      let last = T - 30;
      while (count(trials, s, b, 0, last - 1, last) + count(trials, s, b, 1, last - 1, last) === 0) last--;
      return 5 * (T - 30 - last);
    });
    // The last spike of a cue may come some steps before its end.
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(500);
    expect(Math.min(...delays)).toBeLessThan(600);
    expect(Math.max(...delays)).toBeGreaterThan(1400);
    expect(Math.max(...delays)).toBeLessThan(1550);
  });

  test("evidence: the noise fires at 10 Hz all the time, and the generator alone decides", () => {
    const trials = evidence(20, [500, 500], new Generator(3));
    const s = trials.x.toFloat32Array();
    const [T] = trials.x.shape as [number];
    const total = Array.from({ length: 20 }, (_, b) => count(trials, s, b, 3, 0, T)).reduce((a, b) => a + b);
    const expected = 20 * 10 * T * 0.05;
    expect(Math.abs(total - expected)).toBeLessThan(5 * Math.sqrt(expected));
    manualSeed(1);
    const again = evidence(20, [500, 500], new Generator(3));
    expect(bits(again.x)).toEqual(bits(trials.x));
    expect(Array.from(again.answers)).toEqual(Array.from(trials.answers));
  });
});

describe("learning", () => {
  const DELAYS: DelaysMs = [200, 400];

  test.each(["bptt", "eprop"] as const)("evidence: by %s a small network decides for the side of most cues", (rule) => {
    manualSeed(0);
    const model = new Lsnn({ regular: 15, adaptive: 15, tauAdaptationMs: 2000, kappa: 0.1 });
    const [generator, fresh] = [new Generator(1), new Generator(2)];
    const draw = (batch: number) => evidence(batch, DELAYS, generator);
    trainMemory({ model, draw, rule, feedback: "symmetric", iterations: 25, batchSize: 32, lr: 3e-2 });
    expect(measure(model, 500, (batch) => evidence(batch, DELAYS, fresh))).toBeLessThan(0.15);
  });
});

test("npm run demo -- evidence: lines, accuracies by delay, and a picture", async () => {
  const folder = mkdtempSync(join(tmpdir(), "evidence-"));
  const path = join(folder, "sheet.svg");
  const flags = ["--iterations=20", "--batch-size=2", "--test=4", "--regular=3", "--adaptive=2", `--svg=${path}`];
  const lines = await runDemo("evidence", ...flags);
  const iteration = /^iteration=(\d+) loss=\d\.\d{4} error=[01]\.\d{4} rate_hz=\d+\.\d train_s=\d+\.\d$/;
  expect(lines.slice(0, 10).map((line) => line.match(iteration)?.[1])).toEqual(
    Array.from({ length: 10 }, (_, i) => `${2 * i + 2}`),
  );
  const delay = /^delay_ms=(\d+) trained=(true|false) accuracy=[01]\.\d{4}$/;
  expect(lines.slice(10, 16).map((line) => line.match(delay)?.slice(1).join(" "))).toEqual([
    "500 true",
    "750 true",
    "1000 true",
    "1250 true",
    "1500 true",
    "2000 false",
  ]);
  expect(lines[16]).toMatch(/^rule=bptt accuracy_trained=[01]\.\d{4} accuracy_unseen=[01]\.\d{4} total_s=\d+\.\d$/);
  expect(lines.slice(17)).toEqual([`saved=${path}`]);
  const svg = readFileSync(path, "utf8");
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  for (const part of ["Loss", "Error", "left", "recall", "LIF neurons", "adaptive LIF neurons", "asked for"]) {
    expect(svg).toContain(part);
  }
  rmSync(folder, { recursive: true });
});
