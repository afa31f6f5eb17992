import { expect, test } from "vitest";
import { defaults } from "../state/fields.ts";
import { codingFields, encodeImage, orderOf, reordered } from "./coding.ts";
import { blank, examples, formatImage, PIXELS, parseImage, SIDE, stroke } from "./image.ts";

const base = defaults(codingFields);

test("image: what is written into an address is the picture in 16 levels", () => {
  for (const image of Object.values(examples)) {
    const read = parseImage(formatImage(image));
    for (const [i, value] of read.entries())
      expect(Math.abs(value - (image[i] as number))).toBeLessThanOrEqual(0.5 / 15 + 1e-6);
    expect(formatImage(read)).toBe(formatImage(image));
    expect(formatImage(image)).toMatch(codingFields.image.pattern);
  }
  expect(formatImage(blank())).toBe("");
});

test("image: a stroke is as strong as it is near, and can be taken away", () => {
  const image = blank();
  stroke(image, [2, 7.5], [12, 7.5]);
  expect(image[7 * SIDE + 6]).toBe(1);
  expect(image[8 * SIDE + 6]).toBeCloseTo(0.65 / 1.2, 5);
  expect(image[10 * SIDE + 6]).toBe(0);
  stroke(image, [2, 7.5], [12, 7.5], true);
  expect(image[7 * SIDE + 6]).toBe(0);
});

test("coding: latency recovers the picture to half a time step, rate comes closer with time", () => {
  const { image, byRate, byLatency } = encodeImage({ ...base, timesteps: 120 });
  const last = byLatency.recovered(119);
  for (const [i, value] of last.entries())
    expect(Math.abs(value - (image[i] as number))).toBeLessThanOrEqual(0.5 / 119 + 1e-5);
  expect(byRate.error[119]).toBeLessThan((byRate.error[5] as number) / 2);
  expect(byRate.error[119]).toBeLessThan(0.1);
  expect(byLatency.count).toBe(image.filter((value) => value > 1e-6).length);
  expect(byRate.count).toBeGreaterThan(10 * byLatency.count);
});

test("coding: the seed decides about the random spikes", () => {
  expect(encodeImage(base).byRate.spikes).toEqual(encodeImage(base).byRate.spikes);
  expect(encodeImage({ ...base, seed: 1 }).byRate.spikes).not.toEqual(encodeImage(base).byRate.spikes);
});

test("coding: ordered by strength, first spikes come one after the other", () => {
  const { image, byLatency } = encodeImage(base);
  const order = orderOf(image, "strength");
  const rows = reordered(byLatency.spikes, order);
  let before = 0;
  for (let i = 0; i < PIXELS; i++) {
    const t = Array.from({ length: base.timesteps }, (_, t) => rows[t * PIXELS + i]).indexOf(1);
    if (t < 0) continue;
    expect(t).toBeGreaterThanOrEqual(before);
    before = t;
  }
  expect(orderOf(image, "place")[5]).toBe(5);
});
