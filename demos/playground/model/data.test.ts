import { expect, test } from "vitest";
import { digitsFile } from "../digits.ts";
import { defaults } from "../state/fields.ts";
import { makeData, makePoints, normal, receptiveFields } from "./data.ts";
import { parseDigits } from "./digits.ts";
import { presets, trainFields } from "./train-fields.ts";

const base = defaults(trainFields);

test.each(["moons", "circles", "xor", "spirals"] as const)(
  "%s: labelled points in the unit square, the classes in turns",
  (data) => {
    const { points, y } = makePoints({ ...base, data, noise: 0 }, 300, normal);
    expect(points.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect([...y]).toEqual(Array.from({ length: 300 }, (_, i) => i & 1));
    // Without noise the classes keep a distance.
    let closest = 1;
    for (let i = 0; i < 300; i += 2) {
      for (let j = 1; j < 300; j += 2) {
        const dx = (points[2 * i] as number) - (points[2 * j] as number);
        const dy = (points[2 * i + 1] as number) - (points[2 * j + 1] as number);
        closest = Math.min(closest, Math.sqrt(dx * dx + dy * dy));
      }
    }
    expect(closest).toBeGreaterThan(data === "spirals" ? 0 : 0.03);
  },
);

test("points: the seed alone decides", () => {
  const config = { ...base, noise: 0.1 };
  expect(makePoints(config, 50, normal)).toEqual(makePoints(config, 50, normal));
  expect(makePoints({ ...config, seed: 1 }, 50, normal)).not.toEqual(makePoints(config, 50, normal));
});

test("receptive fields: each coordinate excites the field it lies on most", () => {
  const fields = receptiveFields(Float32Array.of(0, 1, 0.5, 0.26), 5);
  const best = [0, 1, 2, 3].map((i) => {
    const part = fields.slice(5 * i, 5 * i + 5);
    return part.indexOf(Math.max(...part));
  });
  expect(best).toEqual([0, 4, 2, 1]);
  expect(fields[0]).toBe(1);
  // One distance away: exp(−1/2).
  expect(fields[1]).toBeCloseTo(0.60653, 5);
  expect([...receptiveFields(Float32Array.of(0.25, 0.75), 1)]).toEqual([0.25, 0.75]);
});

test("digits: half the resolution of MNIST, in [0, 1], all classes", () => {
  const digits = parseDigits(digitsFile());
  const data = makeData({ ...base, ...presets.mnist, data: "mnist" }, digits);
  expect([data.features, data.classes, data.train.count, data.test.count]).toEqual([196, 10, 3000, 500]);
  expect(new Set(data.test.y).size).toBe(10);
  expect(data.test.y[0]).toBe(7);
  expect(Math.max(...data.test.x)).toBeLessThanOrEqual(1);
  expect(Math.max(...data.test.x)).toBeGreaterThan(0.9);
  expect(() => parseDigits(digitsFile().subarray(0, 1000))).toThrow(/expected a file of \d+ bytes, got 1000/);
  expect(() => makeData({ ...base, data: "mnist" }, null)).toThrow("expected the digits, got none");
});
