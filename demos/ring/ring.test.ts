/** The ring attractor: its figures on paths that are known, that a bump stays, turns and moves, and what the program prints. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator } from "jarvis-snn";
import { afterEach, describe, expect, test, vi } from "vitest";
import { normal } from "../attractor.ts";
import { Bump, story } from "./bump.ts";
import { DoubleRing, type Path, TIMES_MS, turnOf, WINDOW_MS } from "./network.ts";
import {
  cued,
  type DISTURBANCES,
  disturbed,
  keeping,
  keptOf,
  lineOf,
  meanOf,
  missOf,
  speedOf,
  turning,
} from "./trials.ts";

afterEach(() => vi.restoreAllMocks());

describe("figures", () => {
  const WINDOWS = 26;
  /** The path of a bump that has these directions over time in ms. */
  const pathOf = (angle: (ms: number) => number): Path => {
    const angles = Array.from({ length: WINDOWS }, (_, w) => angle(w * WINDOW_MS));
    return { angles, lengths: angles.map(() => 0.9), rates: angles.map(() => 20) };
  };

  test("ring: turns are the shorter way round", () => {
    expect([0, 90, 179, 180, 270, -190, 725, -725].map(turnOf)).toEqual([0, 90, 179, -180, -90, 170, 5, -5]);
  });

  test("ring: the drift is that of the given time behind the cue, and the farthest direction in between counts", () => {
    const { cue } = TIMES_MS;
    const path = pathOf((ms) => (ms < cue ? 0 : 40 + (ms - cue) / 1000 + (ms === cue + 700 ? -9 : 0)));
    path.lengths[12] = 0.25;
    path.lengths[0] = 0;
    const { drift, excursion, miss, length } = keptOf(path, { start: 38 }, 2000);
    expect([drift, excursion, miss, length].map((x) => +x.toFixed(6))).toEqual([2, 8.3, 2, 0.25]);
    expect(keptOf(path, { start: 399 }, 1000)).toMatchObject({ drift: 1, miss: 1 });
  });

  test("ring: the speed is the slope behind the start of an input", () => {
    expect(speedOf(pathOf((ms) => (ms < TIMES_MS.input + 400 ? 77 : -0.03 * ms)))).toBeCloseTo(-30, 6);
    const { slope, r2 } = lineOf([-1, 1, 2], [-3, 3, 6]);
    expect([slope, r2]).toEqual([3, 1]);
    expect(lineOf([-1, 1, 2], [3, 3, 3.1]).r2).toBeLessThan(0);
  });

  test("ring: a miss is counted from the second cue", () => {
    expect(
      missOf(
        pathOf(() => 350),
        { start: 0, target: -15 },
      ),
    ).toBe(5);
  });
});

/** Trials of a network of 128 neurons in each ring, side by side, for three seeds. */
const kept = keeping(8);
const VELOCITIES = [-0.8, -0.4, -0.2, 0.2, 0.4, 0.8];
const turned = turning(VELOCITIES, 1);
const moved = cued([45, 135, -90]);
const runs = () =>
  [0, 1, 2].map(
    (seed) => new DoubleRing(128, 0.3, normal(new Generator(seed))).run([...kept, ...turned, ...moved], 2600).paths,
  );

test("ring: three networks keep bumps for 2 s within 10°, turn them in proportion to an input, and move them to a cue", () => {
  const all = runs();
  const drifts = all.map((paths) => kept.map((trial, i) => keptOf(paths[i] as Path, trial, 2000)));
  for (const each of drifts) {
    // All bumps stay bumps, where the cue was; without a bump the direction would mean nothing.
    expect(Math.min(...each.map(({ length }) => length))).toBeGreaterThan(0.8);
    expect(Math.max(...each.map(({ miss }) => Math.abs(miss)))).toBeLessThan(3);
    expect(meanOf(each.map(({ drift }) => Math.abs(drift)))).toBeLessThanOrEqual(10);
  }
  // Noise moves bumps to both sides, by about the same.
  expect(Math.abs(meanOf(drifts.flat().map(({ drift }) => drift)))).toBeLessThan(4);

  const speeds = VELOCITIES.map((_, i) => meanOf(all.map((paths) => speedOf(paths[kept.length + i] as Path))));
  const { slope, r2 } = lineOf(VELOCITIES, speeds);
  expect(slope).toBeGreaterThan(100);
  expect(r2).toBeGreaterThan(0.99);

  for (const paths of all) {
    for (const [i, trial] of moved.entries()) {
      expect(Math.abs(missOf(paths[kept.length + turned.length + i] as Path, trial))).toBeLessThan(15);
    }
  }
});

test("ring: the seed decides the noise, and with it the path of a bump", () => {
  const run = (seed: number) => new DoubleRing(32, 1, normal(new Generator(seed))).run(keeping(1), 1000).paths;
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});

test("ring: spikes are kept of the neurons and trials that were asked for", () => {
  const { spikes } = new DoubleRing(32, 0.3, normal(new Generator(0))).run(keeping(3), 300, {
    shown: [2, 0],
    stride: 5,
  });
  expect(spikes.map(({ shape }) => shape)).toEqual([
    [300, 1, 7],
    [300, 1, 7],
  ]);
  const counts = spikes.map((each) => each.toFloat32Array().reduce((sum, s) => sum + s, 0));
  expect(Math.min(...counts)).toBeGreaterThan(0);
});

test("bump: spikes depend on the seed and the inputs, and not on how calls divide the time", () => {
  const run = (seed: number, parts: readonly number[]) => {
    const bump = new Bump(16, seed);
    const spikes: [number, number][] = [];
    const note = (time: number, neuron: number) => void spikes.push([time, neuron]);
    for (const ms of parts) bump.advance(ms, { cue: 40, velocity: 0 }, note);
    bump.silence();
    for (const ms of parts) bump.advance(ms, { cue: null, velocity: 0.5 }, note);
    return { spikes, hash: bump.hash, direction: bump.direction, time: bump.time };
  };
  const whole = run(3, [300]);
  expect(whole.spikes.length).toBeGreaterThan(100);
  expect(whole.time).toBe(600);
  expect(whole.spikes.filter(([time]) => time >= 300 && time < 350)).toEqual([]);
  expect(run(3, [1, 16, 17, 33, 200, 33])).toEqual(whole);
  expect(run(4, [300]).hash).not.toBe(whole.hash);
});

test("bump: it has no direction before its first spike, then that of the cue; a push turns it", () => {
  const bump = new Bump(128);
  expect(bump.direction).toBeNull();
  story(bump, { angle: -75, push: 0 });
  expect(Math.abs((bump.direction as number) + 75)).toBeLessThan(15);
  const pushed = story(new Bump(128), { angle: -75, push: 0.5 });
  expect(pushed.direction as number).toBeGreaterThan(45);
});

test("bump: silence erases the direction, and inhibition that stops the spikes for as long does not", () => {
  const kept = (by: (typeof DISTURBANCES)[number]) =>
    disturbed(by, { size: 128, count: 16, seed: 0, noise: 0.3 }).filter((turn) => Math.abs(turn) <= 30).length;
  expect(kept("silence")).toBeLessThanOrEqual(6);
  expect(kept("inhibition")).toBeGreaterThanOrEqual(13);
});

test("npm run demo -- ring: a line for each bump and input, one for all, and the picture", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ring-"));
  const path = join(folder, "ring.svg");
  const flags = ["--neurons=32", "--starts=2", "--delay=450", "--noise=0.1", `--svg=${path}`];
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  expect(lines[0]).toBe("neurons=64 trials=31 simulated_ms=2600 noise=0.1");
  expect(
    lines.filter((line) => /^keep start=\d+\.\d drift=-?\d+\.\d farthest=\d+\.\d length=0\.\d\d$/.test(line)).length,
  ).toBe(2);
  expect(
    lines.filter((line) => /^turn input=-?0\.\d degrees_per_s=-?\d+\.\d range=\S+ per_input=\d+$/.test(line)).length,
  ).toBe(6);
  expect(lines.filter((line) => /^cue shift=-?\d+ miss=-?\d+\.\d$/.test(line)).length).toBe(5);
  expect(lines.filter((line) => /^disturb by=(silence|inhibition) kept=[012] of=2$/.test(line)).length).toBe(2);
  const { hash } = story(new Bump(32, 0, 0.1), { angle: 40, push: 0 });
  expect(lines.find((line) => line.startsWith("figure "))).toMatch(
    new RegExp(`^figure direction=-?\\d+\\.\\d hash=${hash.toString(16).padStart(8, "0")}$`),
  );
  expect(lines.at(-2)).toMatch(
    /^drift_mean=\d+\.\d\d drift_max=\d+\.\d\d degrees_per_s_per_input=\d+\.\d r2=0\.\d{4} miss_max=\d+\.\d run_s=\d+\.\d$/,
  );
  expect(lines.at(-1)).toBe(`saved=${path}`);
  expect(existsSync(path)).toBe(true);
  const svg = readFileSync(path, "utf8");
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  for (const text of ["first ring", "A second cue", "Left to themselves", "degrees per second"])
    expect(svg).toContain(text);
  rmSync(folder, { recursive: true });
});
