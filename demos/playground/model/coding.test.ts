import { expect, test } from "vitest";
import { defaults } from "../state/fields.ts";
import { type Code, codingFields, encodeImage, orderOf, recoveredAt, reordered } from "./coding.ts";
import { blank, examples, formatImage, moved, PIXELS, parseImage, SIDE, stroke } from "./image.ts";

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

test("image: moved by whole pixels, it leaves blank behind", () => {
  const image = Float32Array.from({ length: PIXELS }, (_, i) => i + 1);
  const seen = moved(image, 1, 2);
  expect([seen[0], seen[SIDE + 3], seen[2 * SIDE], seen[2 * SIDE + 1], seen[PIXELS - 1]]).toEqual([
    0,
    0,
    0,
    1,
    PIXELS - 2 * SIDE - 1,
  ]);
  expect(moved(image, 0, 0)).toEqual(image);
});

/** How far each pixel is from the picture after the last step, at most. */
const farthest = (image: Float32Array, code: Code): number => {
  const last = recoveredAt(code, code.error.length - 1);
  return Math.max(...last.map((value, i) => Math.abs(value - (image[i] as number))));
};

test("coding: latency recovers the picture to half a time step, rate comes closer with time", () => {
  const { image, codes } = encodeImage({ ...base, timesteps: 120 });
  const { rate, latency } = codes;
  expect(farthest(image, latency)).toBeLessThanOrEqual(0.5 / 119 + 1e-5);
  expect(rate.error[119]).toBeLessThan((rate.error[5] as number) / 2);
  expect(rate.error[119]).toBeLessThan(0.1);
  expect(latency.counts[119]).toBe(image.filter((value) => value > 1e-6).length);
  expect(rate.counts[119]).toBeGreaterThan(10 * (latency.counts[119] as number));
});

test("coding: eight phases are eight binary digits, and a burst counts eighths", () => {
  const { image, codes } = encodeImage(base);
  expect(farthest(image, codes.phase)).toBeLessThanOrEqual(2 ** -8);
  // The eighth digit comes last, and later periods repeat it.
  expect(codes.phase.error[7]).toBe(codes.phase.error[39]);
  expect(codes.phase.error[6]).toBeGreaterThan(codes.phase.error[7] as number);
  expect(farthest(image, codes.burst)).toBeLessThanOrEqual(0.5 / 8 + 1e-6);
});

test("coding: a delta code reports the picture as it appears, and then its edges as it moves", () => {
  const { image, codes } = encodeImage({ ...base, image: formatImage(examples.ring), threshold: 0.5 });
  const { spikes, counts, recovered } = codes.delta;
  const strong = image.map((value) => Number(value >= 0.5));
  expect([...spikes.subarray(0, PIXELS)]).toEqual([...strong]);
  // A still picture is silent up to its first move, at a fifth of the time, which has spikes of both signs.
  expect(counts[7]).toBe(counts[0]);
  const move = spikes.subarray(8 * PIXELS, 9 * PIXELS);
  expect([...new Set(move)].sort()).toEqual([-1, 0, 1]);
  expect(counts[8]).toBe((counts[0] as number) + move.filter((spike) => spike !== 0).length);
  expect([...recovered.subarray(0, PIXELS)]).toEqual([...strong.map((value) => value / 2)]);
});

test("coding: the shortest run has all codes", () => {
  for (const { spikes, counts } of Object.values(encodeImage({ ...base, timesteps: 4 }).codes)) {
    expect(spikes).toHaveLength(4 * PIXELS);
    expect(counts[3]).toBeGreaterThan(0);
  }
});

test("coding: the seed decides about the random spikes", () => {
  const spikes = (seed: number): Float32Array => encodeImage({ ...base, seed }).codes.rate.spikes;
  expect(spikes(0)).toEqual(spikes(0));
  expect(spikes(1)).not.toEqual(spikes(0));
});

test("coding: ordered by strength, first spikes come one after the other", () => {
  const { image, codes } = encodeImage(base);
  const order = orderOf(image, "strength");
  const rows = reordered(codes.latency.spikes, order);
  let before = 0;
  for (let i = 0; i < PIXELS; i++) {
    const t = Array.from({ length: base.timesteps }, (_, t) => rows[t * PIXELS + i]).indexOf(1);
    if (t < 0) continue;
    expect(t).toBeGreaterThanOrEqual(before);
    before = t;
  }
  expect(orderOf(image, "place")[5]).toBe(5);
});
