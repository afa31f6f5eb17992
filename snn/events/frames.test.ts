import { describe, expect, test } from "vitest";
import { type Tensor, tensor, zeros } from "../../engine/index.ts";
import { anyRecording, recording } from "../../test/support/recordings.ts";
import { toBinaryRepresentation, toFrames, toSpikes, toVoxelGrid } from "./frames.ts";
import type { SliceOptions } from "./slices.ts";
import { toAveragedTimesurface, toTimesurface } from "./surfaces.ts";

const at = (x: Tensor, ...index: number[]): number => index.reduce((part, i) => part.select(0, i), x).item();

const some = recording([
  [0, 1, 0, 1],
  [10, 1, 0, 1],
  [10, 1, 0, 0],
  [25, 7, 5, 0],
  [40, 0, 3, 1],
]);

describe("slices", () => {
  const countsOf = (options: SliceOptions) =>
    toFrames(some, options)
      .sum({ axis: [1, 2, 3] })
      .toFloat32Array();

  test("a time window begins with the first event or at startTime, and holds what is before its end", () => {
    expect([...countsOf({ timeWindow: 20 })]).toEqual([3, 1]);
    expect([...countsOf({ timeWindow: 20, includeIncomplete: true })]).toEqual([3, 1]);
    expect([...countsOf({ timeWindow: 20, startTime: -10, endTime: 50 })]).toEqual([1, 3, 1]);
    expect([...countsOf({ timeWindow: 20, overlap: 10 })]).toEqual([3, 3, 1]);
    expect([...countsOf({ timeWindow: 1000 })]).toEqual([5]);
  });

  test("numbers of events and bins", () => {
    expect([...countsOf({ eventCount: 2 })]).toEqual([2, 2]);
    expect([...countsOf({ eventCount: 2, includeIncomplete: true })]).toEqual([2, 2, 1]);
    expect([...countsOf({ eventCount: 3, overlap: 2 })]).toEqual([3, 3, 3]);
    expect([...countsOf({ nEventBins: 2 })]).toEqual([2, 2]);
    expect([...countsOf({ nTimeBins: 4 })]).toEqual([1, 2, 1, 0]);
  });

  test("an empty recording has an empty frame", () => {
    expect(toFrames(recording([]), { timeWindow: 10 }).sizes).toEqual([1, 2, 6, 8]);
    expect(toFrames(recording([]), { nTimeBins: 3 }).sum().item()).toBe(0);
  });

  test("errors name the options", () => {
    expect(() => toFrames(some, {})).toThrow("expected one of timeWindow, eventCount, nTimeBins, nEventBins, got none");
    expect(() => toFrames(some, { timeWindow: 1, nTimeBins: 2 })).toThrow("got timeWindow, nTimeBins");
    expect(() => toFrames(some, { timeWindow: 10, overlap: 10 })).toThrow("expected an overlap less than 10");
    expect(() => toFrames(some, { nTimeBins: 2, overlap: 1 })).toThrow("expected an overlap less than 1");
    expect(() => toFrames(some, { nTimeBins: 2, startTime: 0 })).toThrow("expected timeWindow with startTime");
    expect(() => toFrames(some, { timeWindow: 1e-9 })).toThrow("slices");
    expect(() => toFrames(some, { timeWindow: 5, startTime: 60 })).toThrow("an endTime from 60 on");
    expect(() => toFrames(some, { nEventBins: 2, polarities: 3 as never })).toThrow("1 or 2");
  });
});

describe("recordings", () => {
  test("events off the sensor, out of order or of other polarities are errors that name them", () => {
    const wrong = (row: [number, number, number, number]) => () =>
      toFrames(recording([[5, 0, 0, 0], row]), { eventCount: 1 });
    expect(wrong([6, 8, 0, 0])).toThrow("expected event 1 on a sensor of 8 × 6, got x 8, y 0");
    expect(wrong([6, 0, 6, 0])).toThrow("y 6");
    expect(wrong([4, 0, 0, 0])).toThrow("expected a finite time from 5 on for event 1, got 4");
    expect(wrong([Number.NaN, 0, 0, 0])).toThrow("got NaN");
    expect(wrong([Infinity, 0, 0, 0])).toThrow("got Infinity");
    expect(wrong([6, 0, 0, 2])).toThrow("expected the polarity 0 or 1 for event 1, got 2");
    expect(() => toFrames({ ...some, t: [0] as never }, { eventCount: 1 })).toThrow(TypeError);
    expect(() => toFrames({ ...some, p: new Uint8Array(2) }, { eventCount: 1 })).toThrow("columns of 5 events");
    expect(() => toFrames({ ...some, width: 0 }, { eventCount: 1 })).toThrow("width");
  });
});

describe("toFrames and toSpikes", () => {
  test("a frame counts the events of a pixel and polarity, spikes say whether there are any", () => {
    const frames = toFrames(some, { timeWindow: 20 });
    expect(frames.sizes).toEqual([2, 2, 6, 8]);
    expect(at(frames, 0, 1, 0, 1)).toBe(2);
    expect(at(frames, 0, 0, 0, 1)).toBe(1);
    expect(at(frames, 1, 0, 5, 7)).toBe(1);
    expect(at(toFrames(some, { timeWindow: 20, polarities: 1 }), 0, 0, 0, 1)).toBe(3);
  });

  test.each<SliceOptions>([
    { timeWindow: 3000 },
    { timeWindow: 3000, overlap: 1000 },
    { eventCount: 70 },
    { nTimeBins: 7 },
  ])("spikes are frames above zero, in bits: %o", (options) => {
    const events = anyRecording(600);
    for (const polarities of [1, 2] as const) {
      const spikes = toSpikes(events, { ...options, polarities });
      expect(spikes.bits).not.toBe(0);
      expect(spikes.toFloat32Array()).toEqual(
        toFrames(events, { ...options, polarities })
          .gt(0)
          .toFloat32Array(),
      );
    }
  });

  test("a list of recordings becomes a batch, with zeros behind the shorter ones", () => {
    const [long, short] = [anyRecording(300, 2), anyRecording(100, 3)];
    const options = { timeWindow: 4000 };
    const batch = toSpikes([long, short], options);
    const alone = [toSpikes(long, options), toSpikes(short, options)] as const;
    expect(batch.sizes).toEqual([alone[0].sizes[0], 2, 2, 10, 13]);
    expect(batch.select(1, 0).toFloat32Array()).toEqual(alone[0].toFloat32Array());
    const n = alone[1].sizes[0] as number;
    expect(batch.select(1, 1).slice(0, 0, n).toFloat32Array()).toEqual(alone[1].toFloat32Array());
    expect(batch.select(1, 1).slice(0, n).sum().item()).toBe(0);
    expect(() => toSpikes([long, some], options)).toThrow("expected recordings of one sensor, 13 × 10, got 8 × 6");
    expect(() => toSpikes([], options)).toThrow("none");
  });
});

test("a voxel grid divides events among two bins; signed, OFF counts as −1", () => {
  const events = recording([
    [0, 0, 0, 1],
    [25, 1, 0, 0],
    [100, 2, 0, 1],
  ]);
  const grid = toVoxelGrid(events, { nTimeBins: 2, signed: true });
  expect(grid.sizes).toEqual([2, 1, 6, 8]);
  expect(at(grid, 0, 0, 0, 0)).toBe(1);
  expect([at(grid, 0, 0, 0, 1), at(grid, 1, 0, 0, 1)]).toEqual([-0.5, -0.5]);
  expect(grid.sum().item()).toBe(0);
  expect(toVoxelGrid(events, { nTimeBins: 2 }).sum().item()).toBe(2);
  expect(
    toVoxelGrid(recording([[7, 0, 0, 1]]))
      .sum()
      .item(),
  ).toBe(1);
});

test("a time surface decays from the last event of each pixel", () => {
  const surface = toTimesurface(some, { dt: 20, tau: 10 });
  expect(surface.sizes).toEqual([2, 2, 6, 8]);
  expect(at(surface, 0, 1, 0, 1)).toBeCloseTo(Math.exp(-1), 6);
  expect(at(surface, 1, 1, 0, 1)).toBeCloseTo(Math.exp(-3), 6);
  expect(at(surface, 1, 0, 5, 7)).toBeCloseTo(Math.exp(-1.5), 6);
  expect(at(surface, 0, 0, 5, 7)).toBe(0);
  expect(() => toTimesurface(some, { dt: 0, tau: 1 })).toThrow("dt");
});

test("an averaged time surface is the mean over the events of a cell", () => {
  const events = recording(
    [
      [0, 1, 1, 1],
      [100, 2, 1, 1],
      [5000, 1, 1, 1],
    ],
    [4, 4],
  );
  const surfaces = toAveragedTimesurface(events, { cellSize: 4, surfaceSize: 3, tau: 50 });
  expect(surfaces.sizes).toEqual([1, 2, 3, 3]);
  const [, ON] = surfaces.unbind(0)[0]?.unbind(0) ?? [];
  const expected = [0, 0, 0, Math.exp(-2) / 3, 1, 0, 0, 0, 0];
  for (const [i, value] of expected.entries()) expect(ON?.toFloat32Array()[i]).toBeCloseTo(value, 6);
  expect(() => toAveragedTimesurface(events, { surfaceSize: 4 })).toThrow("odd");
  expect(() => toAveragedTimesurface(events, { surfaceSize: 11 })).toThrow("cellSize");
});

test("frames become the bits of a binary representation", () => {
  const frames = tensor([1, 0, 0, 3]).reshape([4, 1, 1, 1]);
  expect(toBinaryRepresentation(frames, { nFrames: 2, nBits: 2 }).toFloat32Array()).toEqual(
    Float32Array.of(2 / 3, 1 / 3),
  );
  expect(() => toBinaryRepresentation(zeros([4, 1, 1, 1]))).toThrow("expected frames [1 · 8, P, H, W]");
});

test("a list of recordings with holes is refused in words", () => {
  expect(() => toSpikes(new Array(3) as never, {})).toThrow(/^toSpikes: expected .*got undefined/);
});
