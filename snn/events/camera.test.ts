import { describe, expect, test } from "vitest";
import { Generator, tensor, zeros } from "../../engine/index.ts";
import { type CameraOptions, eventsFromFrames } from "./camera.ts";

/** Frames of one row whose pixels have these log intensities. */
const frames = (levels: number[][], offset = 0.001) =>
  tensor(levels.map((row) => [row.map((L) => Math.exp(L) - offset)]));

const seen = (levels: number[][], times: number[], options: CameraOptions = {}) => {
  const { t, x, p } = eventsFromFrames(frames(levels), times, options);
  return Array.from(t, (time, i) => [time, x[i], p[i]]);
};

describe("eventsFromFrames", () => {
  test("a rise gives an ON event at each threshold, at the time of the crossing", () => {
    expect(seen([[-1], [0.05]], [0, 1050], { onThreshold: 0.2 })).toEqual(
      [
        [200, 0, 1],
        [400, 0, 1],
        [600, 0, 1],
        [800, 0, 1],
        [1000, 0, 1],
      ].map(([t, x, p]) => [expect.closeTo(t as number, -0.5), x, p]),
    );
  });

  test("falls have a threshold of their own, and what is left of a change counts for the next", () => {
    const levels = [[0], [-0.5], [-0.7], [-0.3]];
    expect(seen(levels, [0, 1000, 2000, 3000], { onThreshold: 0.25, offThreshold: 0.3 })).toEqual([
      [expect.closeTo(600, -0.5), 0, 0],
      [expect.closeTo(1500, -0.5), 0, 0],
      [expect.closeTo(2875, -0.5), 0, 1],
    ]);
  });

  test("events of several pixels come in the order of time, then of pixels", () => {
    const events = seen(
      [
        [0, 0, 0],
        [0.65, -0.65, 0.31],
      ],
      [0, 10_000],
      { onThreshold: 0.3, offThreshold: 0.3 },
    );
    expect(events.map(([, x, p]) => [x, p])).toEqual([
      [0, 1],
      [1, 0],
      [0, 1],
      [1, 0],
      [2, 1],
    ]);
    expect(events.map(([t]) => t)).toEqual(events.map(([t]) => t).sort((a, b) => (a as number) - (b as number)));
  });

  test("a pixel is silent in its refractory period, while its reference moves on", () => {
    const times = seen([[0], [1.05]], [0, 1050], { refractoryPeriod: 350, onThreshold: 0.1 }).map(([t]) => t as number);
    expect(times.map((t) => Math.round(t / 100))).toEqual([1, 5, 9]);
  });

  test("a reference that leaks gives ON events at its rate, whatever the threshold", () => {
    const times = Array.from({ length: 101 }, (_, i) => 10_000 * i);
    const still = zeros([101, 2, 3]);
    const { t, p } = eventsFromFrames(still, times, { leakRate: 20.5, onThreshold: 0.7 });
    expect(p.every((polarity) => polarity === 1)).toBe(true);
    expect(t.length).toBe(20 * 6);
    expect(t[6]).toBe(Math.floor(2e6 / 20.5));
  });

  test("noise has its rate, a quarter of it at white, and both polarities", () => {
    const times = Array.from({ length: 201 }, (_, i) => 1000 * i);
    const noise = (value: number) => {
      const still = zeros([201, 40, 40]).add(value);
      return eventsFromFrames(still, times, { shotNoiseRate: 50, generator: new Generator(3) });
    };
    const dark = noise(0);
    expect(dark.t.length / (1600 * 0.2)).toBeCloseTo(50, -0.5);
    expect(dark.p.reduce((sum, p) => sum + p, 0) / dark.p.length).toBeCloseTo(0.5, 1);
    expect(noise(1).t.length / dark.t.length).toBeCloseTo(0.25, 1.5);
    const inside = dark.t.map((t) => t % 1000);
    expect(inside.reduce((sum, t) => sum + t, 0) / inside.length).toBeCloseTo(500, -1.5);
  });

  test("mismatch spreads the thresholds of pixels, the same ones for a seed", () => {
    const levels = [new Array(400).fill(0), new Array(400).fill(0.26)];
    const first = (seed: number) => seen(levels, [0, 2600], { mismatch: 0.03, generator: new Generator(seed) });
    const thresholds = first(1).map(([t]) => (t as number) / 1e4);
    const mean = thresholds.reduce((sum, C) => sum + C, 0) / thresholds.length;
    const deviation = Math.sqrt(thresholds.reduce((sum, C) => sum + (C - mean) ** 2, 0) / thresholds.length);
    expect(mean).toBeCloseTo(0.2, 2);
    expect(deviation).toBeCloseTo(0.03, 2);
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  test("a still scene and a single frame give no events", () => {
    expect(eventsFromFrames(zeros([5, 2, 2]), [0, 1, 2, 3, 4]).t.length).toBe(0);
    expect(eventsFromFrames(zeros([1, 4, 7]), [0])).toMatchObject({ width: 7, height: 4, t: new Float64Array(0) });
  });

  test("the number of events is the change over the threshold, however the frames divide it", () => {
    const T = 37;
    const level = (i: number) => [2 * Math.sin(i / 5), -1.7 * Math.sin(i / 3)];
    const levels = Array.from({ length: T }, (_, i) => level(i));
    const times = levels.map((_, i) => 700 * i);
    const coarse = seen(levels, times);
    const fine = levels.flatMap((row, i) =>
      i === 0 ? [row] : [row.map((L, k) => (L + ((levels[i - 1] as number[])[k] as number)) / 2), row],
    );
    const split = seen(
      fine,
      fine.map((_, i) => 350 * i),
    );
    expect(Math.abs(split.length - coarse.length)).toBeLessThanOrEqual(2);
    expect(coarse.length).toBeGreaterThan(100);
  });

  test("errors name what is wrong", () => {
    const still = zeros([3, 2, 2]);
    expect(() => eventsFromFrames(zeros([2, 2]), [0, 1])).toThrow("expected frames [F, H, W]");
    expect(() => eventsFromFrames([] as never, [])).toThrow(TypeError);
    expect(() => eventsFromFrames(still, [0, 1])).toThrow(RangeError);
    expect(() => eventsFromFrames(still, [0, 2, 2])).toThrow("expected a time after 2 µs for frame 2, got 2");
    expect(() => eventsFromFrames(still, [0, 1, 1e16])).toThrow("µs apart");
    expect(() => eventsFromFrames(still.sub(1), [0, 1, 2])).toThrow("expected finite intensities ≥ 0, got -1");
    expect(() => eventsFromFrames(still, [0, 1, 2], { onThreshold: 0 })).toThrow("onThreshold");
    expect(() => eventsFromFrames(still, [0, 1, 2], { threshold: 1 } as never)).toThrow("threshold");
  });
});

test("eventsFromFrames: more events of a pixel than 65 536 between two frames are refused, as they would take minutes", () => {
  const message = /^eventsFromFrames: expected at most 65536 events of a pixel a frame, got /;
  expect(() => eventsFromFrames(zeros([2, 1, 1]), [0, 100], { leakRate: 1e12 })).toThrow(message);
  expect(() => seen([[0], [1]], [0, 100], { onThreshold: 1e-9 })).toThrow(message);
});
