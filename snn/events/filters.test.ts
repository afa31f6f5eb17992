import { describe, expect, test } from "vitest";
import { Generator, rand, randn } from "../../engine/index.ts";
import { anyRecording, recording, rowsOf } from "../../test/support/recordings.ts";
import {
  crop,
  downsample,
  dropEvents,
  dropEventsByArea,
  dropEventsByTime,
  flip,
  jitter,
  uniformNoise,
} from "./augmentation.ts";
import { sorted } from "./checked.ts";
import { denoise, dropPixels, mergePolarities, refractoryPeriod } from "./filters.ts";
import type { EventRecording } from "./recording.ts";

const many = anyRecording(2000);
const generator = (seed = 5) => new Generator(seed);

/** Whether the events of one recording are a subsequence of another's. */
function isPart(part: EventRecording, whole: EventRecording): boolean {
  const rows = rowsOf(whole).map(String);
  let at = -1;
  return rowsOf(part).every((row) => {
    at = rows.indexOf(String(row), at + 1);
    return at >= 0;
  });
}

describe("filters", () => {
  test("denoise keeps events with a recent neighbour", () => {
    const events = recording([
      [20_000, 1, 1, 1],
      [25_000, 2, 1, 0],
      [60_000, 3, 1, 1],
      [61_000, 3, 3, 1],
    ]);
    expect(rowsOf(denoise(events)).map(([t]) => t)).toEqual([25_000]);
    expect(isPart(denoise(many, { filterTime: 900 }), many)).toBe(true);
  });

  test("a refractory period counts from the last event, dropped or not", () => {
    const events = recording([
      [0, 1, 1, 1],
      [5, 1, 1, 0],
      [10, 1, 1, 1],
      [10, 2, 1, 1],
      [16, 1, 1, 1],
    ]);
    expect(rowsOf(refractoryPeriod(events, { refractoryPeriod: 5 })).map(([t, x]) => [t, x])).toEqual([
      [0, 1],
      [10, 2],
      [16, 1],
    ]);
  });

  test("a refractory period keeps the first event of every pixel, also at t = 0", () => {
    const events = recording([
      [0, 1, 1, 1],
      [0, 2, 1, 1],
      [5, 1, 1, 1],
    ]);
    expect(rowsOf(refractoryPeriod(events, { refractoryPeriod: 5 })).map(([t, x]) => [t, x])).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });

  test("hot pixels are those with more events per second", () => {
    const events = recording([
      [0, 0, 0, 1],
      [1, 3, 2, 1],
      [2, 3, 2, 0],
      [3, 3, 2, 1],
      [1_000_000, 1, 0, 0],
    ]);
    expect(rowsOf(dropPixels(events, { hotPixelFrequency: 2 })).map(([, x]) => x)).toEqual([0, 1]);
    expect(
      rowsOf(
        dropPixels(events, {
          coordinates: [
            [0, 0],
            [1, 0],
          ],
        }),
      ).map(([, x]) => x),
    ).toEqual([3, 3, 3]);
    expect(() => dropPixels(events, { coordinates: [[8, 0]] })).toThrow("[8, 0]");
    expect(() => dropPixels(events, {})).toThrow("one of coordinates, hotPixelFrequency and probability, got none");
  });

  test("merged polarities are all OFF", () => {
    expect(mergePolarities(many).p.every((p) => p === 0)).toBe(true);
  });
});

describe("places and times", () => {
  test("crop keeps a part of the sensor, whose first pixel becomes (0, 0)", () => {
    const part = crop(many, { targetSize: [5, 4], at: [2, 3] });
    expect(part).toMatchObject({ width: 5, height: 4 });
    const inside = rowsOf(many).filter(
      ([, x, y]) => Number(x) >= 2 && Number(x) < 7 && Number(y) >= 3 && Number(y) < 7,
    );
    expect(rowsOf(part)).toEqual(inside.map(([t, x, y, p]) => [t, Number(x) - 2, Number(y) - 3, p]));
    expect(rowsOf(crop(many, { targetSize: [5, 4] }))).toEqual(rowsOf(crop(many, { targetSize: [5, 4], at: [4, 3] })));
    const random = crop(many, { targetSize: [12, 9], at: "random", generator: generator() });
    expect(random.t.length).toBeGreaterThan(0);
    expect(() => crop(many, { targetSize: [14, 2] })).toThrow("expected a part of 13 × 10 pixels, got 14 × 2");
    expect(() => crop(many, { targetSize: [5, 4], at: [9, 0] })).toThrow("[9, 0]");
  });

  test("downsample scales pixels and times", () => {
    const half = downsample(many, { spatialFactor: 0.5, timeFactor: 0.1 });
    expect(half).toMatchObject({ width: 7, height: 5 });
    expect(rowsOf(half)).toEqual(
      rowsOf(many).map(([t, x, y, p]) => [Math.floor(Number(t) * 0.1), Number(x) >> 1, Number(y) >> 1, p]),
    );
    expect(() => downsample(many, { spatialFactor: 2 })).toThrow("spatialFactor");
  });

  test.each(["x", "y", "polarity"] as const)("two flips of %s are none", (axis) => {
    const once = flip(many, { axis });
    expect(rowsOf(once)).not.toEqual(rowsOf(many));
    expect(rowsOf(flip(once, { axis }))).toEqual(rowsOf(many));
  });

  test("time runs back from the last event, with polarities exchanged", () => {
    const events = recording([
      [3, 1, 2, 1],
      [10, 4, 5, 0],
    ]);
    expect(rowsOf(flip(events, { axis: "time" }))).toEqual([
      [0, 4, 5, 1],
      [7, 1, 2, 0],
    ]);
  });

  test("a flip has its probability", () => {
    const from = generator();
    const flips = Array.from({ length: 200 }, () => flip(many, { axis: "x", probability: 0.3, generator: from }));
    const flipped = flips.filter(({ x }) => x[0] !== many.x[0]).length;
    expect(flipped / 200).toBeCloseTo(0.3, 1);
  });

  test("jitter moves events by its deviations, drops those that leave the sensor, and keeps the order of times", () => {
    const still = recording(
      Array.from({ length: 4000 }, (_, i) => [1e6 + i, 50, 50, 1] as const),
      [101, 101],
    );
    const moved = jitter(still, { time: 40, x: 3, y: 6, generator: generator() });
    const deviation = (values: ArrayLike<number>, mean: number) =>
      Math.sqrt(Array.from(values, (v) => (v - mean) ** 2).reduce((a, b) => a + b, 0) / values.length);
    expect(deviation(moved.x, 50)).toBeCloseTo(3, 0);
    expect(deviation(moved.y, 50)).toBeCloseTo(6, 0);
    expect(moved.t.every((t, i) => i === 0 || t >= (moved.t[i - 1] as number))).toBe(true);
    const edge = jitter(recording(Array.from({ length: 1000 }, (_, i) => [i, 0, 0, 1] as const)), {
      x: 1,
      y: 1,
      generator: generator(),
    });
    expect(edge.t.length).toBeGreaterThan(200);
    expect(edge.t.length).toBeLessThan(700);
    expect(edge.x.every((x) => x < 8)).toBe(true);
  });

  test("shifts of jitter and numbers of dropped events are rounded as by Math.round, for neighbours of halves and large numbers too", () => {
    const before = 0.5 - 2 ** -54;
    const halves = [0.5, before, 0.5 + 2 ** -53, 1.5, 1.5 - 2 ** -52, 2.5, 2 ** 51 + 0.5, 2 ** 52 + 1, 1e-20, 0.3];
    const start = 2 ** 52 + 1024;
    let exact = 0;
    for (let seed = 0; seed < 400; seed++) {
      const normal = randn([1], { generator: generator(seed) }).item();
      for (const half of halves) {
        const time = half / Math.abs(normal);
        exact += Number(time * Math.abs(normal) === half);
        const { t } = jitter(recording([[start, 0, 0, 1]]), { time, generator: generator(seed) });
        expect(t[0], `${time} · ${normal}`).toBe(start + Math.round(time * normal));
        const x = 1000;
        if (half > x) continue;
        const [moved] = jitter(recording([[0, x, 0, 1]], [2 * x, 1]), { x: time, generator: generator(seed) }).x;
        expect(moved, `${time} · ${normal}`).toBe(x + Math.round(time * normal));
      }
    }
    expect(exact).toBeGreaterThan(1000);
    expect(dropEvents(recording([[0, 0, 0, 1]]), { probability: before }).t.length).toBe(1);
    expect(dropPixels(recording([[0, 0, 0, 1]], [1, 1]), { probability: before }).t.length).toBe(1);
  });
});

describe("order", () => {
  const shuffled = (n: number, spread: number, seed: number) => {
    const from = rand([2, Math.max(n, 1)], { generator: generator(seed) }).data;
    const t = Float64Array.from({ length: n }, (_, i) => i + Math.floor((from[i] as number) * spread));
    const x = Uint16Array.from({ length: n }, (_, i) => i);
    return { t, x, y: new Uint16Array(n), p: new Uint8Array(n), width: 65_536, height: 1 };
  };

  test.each([0, 3, 40, 1e6])("times that are up to %d µs early come in order, equal ones as they were", (spread) => {
    for (const n of [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 100, 1000, 4099]) {
      const events = shuffled(n, spread, n);
      const { t, x } = sorted(events);
      const order = Array.from(events.t.keys()).sort(
        (a, b) => (events.t[a] as number) - (events.t[b] as number) || a - b,
      );
      expect([...x]).toEqual(order);
      expect([...t]).toEqual(order.map((i) => events.t[i]));
    }
  });

  test("times that fall all the way come in order", () => {
    const events = shuffled(999, 0, 1);
    events.t.reverse();
    expect([...sorted(events).x]).toEqual(Array.from({ length: 999 }, (_, i) => 998 - i));
  });
});

describe("random losses and additions", () => {
  test("dropEvents drops each event as often as any other", () => {
    const few = recording(Array.from({ length: 12 }, (_, i) => [i, i % 8, 0, 0] as const));
    const from = generator();
    const counts = new Uint32Array(12);
    for (let k = 0; k < 3000; k++)
      for (const t of dropEvents(few, { probability: 0.25, generator: from }).t) counts[t] = (counts[t] as number) + 1;
    expect(counts.reduce((sum, count) => sum + count)).toBe(9 * 3000);
    // Five standard deviations of a binomial count of 3000 with probability 3/4.
    for (const count of counts) expect(Math.abs(count - 2250)).toBeLessThan(5 * Math.sqrt(3000 * 0.75 * 0.25));
  });

  test("dropEvents drops its part of the events", () => {
    const kept = dropEvents(many, { probability: 0.3, generator: generator() });
    expect(kept.t.length).toBe(1400);
    expect(isPart(kept, many)).toBe(true);
    expect(dropEvents(many, { probability: 1 }).t.length).toBe(0);
  });

  test("dropEventsByTime drops an interval", () => {
    const kept = dropEventsByTime(many, { durationRatio: 0.25, generator: generator() });
    expect(kept.t.length / 2000).toBeCloseTo(0.75, 1);
    const gaps = Array.from(kept.t, (t, i) => t - (kept.t[i - 1] ?? t));
    expect(Math.max(...gaps)).toBeGreaterThan(0.24 * (many.t[1999] as number));
    expect(rowsOf(dropEventsByTime(many, { durationRatio: 0 }))).toEqual(rowsOf(many));
  });

  test("dropEventsByArea drops a rectangle", () => {
    const kept = dropEventsByArea(many, { areaRatio: 0.5, generator: generator() });
    const pixels = new Set(rowsOf(kept).map(([, x, y]) => `${x} ${y}`));
    expect(pixels.size).toBe(130 - 6 * 5);
    expect(isPart(kept, many)).toBe(true);
  });

  test("dropPixels with a probability drops its part of the sensor", () => {
    const kept = dropPixels(many, { probability: 0.1, generator: generator() });
    expect(new Set(rowsOf(kept).map(([, x, y]) => `${x} ${y}`)).size).toBe(117);
  });

  test("uniformNoise adds n events in order", () => {
    const noisy = uniformNoise(many, { n: 500, generator: generator() });
    expect(noisy.t.length).toBe(2500);
    expect(isPart(many, noisy)).toBe(true);
    expect(noisy.t.every((t, i) => i === 0 || t >= (noisy.t[i - 1] as number))).toBe(true);
    expect(rowsOf(uniformNoise(many, { n: 0 }))).toEqual(rowsOf(many));
  });

  test("the same seed gives the same events", () => {
    const both = [1, 1, 2].map((seed) => rowsOf(dropEvents(many, { probability: 0.5, generator: generator(seed) })));
    expect(both[0]).toEqual(both[1]);
    expect(both[0]).not.toEqual(both[2]);
  });
});
