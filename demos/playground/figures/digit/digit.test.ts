/** The figure that reads a drawn digit: its network, its weights, the hand that writes, and the moving picture. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DARK, LIGHT } from "../../draw/palette.ts";
import type { Point, Strokes } from "../../model/image.ts";
import { chart } from "./chart.ts";
import { digitsOf, LENGTHS } from "./doubt.ts";
import { drawingsPath, readDrawings, storedReader, weightsPath } from "./files.ts";
import { handwriting, partOf } from "./hand.ts";
import { distance, lengthSeen, seen } from "./ink.ts";
import { learn, readAll, scattered, shareRight, sureOf } from "./learn.ts";
import { HIDDEN, Reader, TIMESTEPS } from "./net.ts";
import { penDigits, strokesOf } from "./pen-digits.ts";
import { picture } from "./picture.ts";
import { skeletonOf } from "./skeletons.ts";
import { answeredAt, END } from "./wave.ts";
import { BYTES, decodeWeights, SHA256 } from "./weights.ts";
import { answerOf } from "./words.ts";

const reader = storedReader();
const digits = penDigits("t10k", 1000);

const moved = (strokes: Strokes, size: number, x: number, y: number): Strokes =>
  strokes.map((points) => points.map(([px, py]) => [x + size * px, y + size * py] as const));

test("digit: a drawing has the same picture at every place and in every size", () => {
  for (const { strokes } of handwriting) {
    const image = seen(strokes);
    for (const size of [0.25, 0.5, 0.75, 1]) {
      for (const [x, y] of [
        [0, 0],
        [1 - size, 0],
        [0, 1 - size],
        [1 - size, 1 - size],
      ] as const) {
        const difference = seen(moved(strokes, size, x, y)).map((value, i) => Math.abs(value - (image[i] as number)));
        expect(Math.max(...difference)).toBeLessThan(1e-5);
      }
    }
  }
});

test("digit: a drawing that leans is seen upright", () => {
  const { strokes } = handwriting[0] as (typeof handwriting)[0];
  const image = seen(strokes);
  const leaning = strokes.map((points) => points.map(([x, y]) => [x - 0.3 * y, y] as const));
  const difference = (other: Float32Array): number =>
    Math.sqrt(image.reduce((sum, value, i) => sum + (value - (other[i] as number)) ** 2, 0));
  // The middle moves a little, as lines that lean more are longer; another digit is far away.
  expect(difference(seen(leaning))).toBeLessThan(0.5);
  expect(difference(seen((handwriting[1] as (typeof handwriting)[0]).strokes))).toBeGreaterThan(2);
});

test("digit: weights.bin has the digest that the build expects, and bytes of another length are refused", () => {
  const bytes = readFileSync(weightsPath);
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(SHA256);
  expect(() => decodeWeights(bytes.subarray(1))).toThrow(`weights: expected ${BYTES} bytes, got ${BYTES - 1}`);
});

/** Drawings that were there before the network was trained, and drawings that were made after it. */
const LEAST = [
  ["first.json", 0.93],
  ["second.json", 0.9],
] as const;

test.each(LEAST)("digit: the drawings of %s are read", (name, least) => {
  const drawings = readDrawings(drawingsPath(name));
  expect(drawings).toHaveLength(100);
  const answers = readAll(
    reader,
    drawings.map(({ strokes }) => strokes),
  );
  const labels = drawings.map(({ digit }) => digit);
  expect(shareRight(answers, labels)).toBeGreaterThanOrEqual(least);
});

test("digit: MNIST's test digits are read in place, and anywhere with the same answers", () => {
  const answers = readAll(reader, digits.skeletons.map(strokesOf));
  expect(shareRight(answers, digits.labels)).toBeGreaterThan(0.93);
  expect(shareRight(readAll(reader, scattered(digits, 1)), answers)).toBeGreaterThan(0.999);
});

test("digit: of fifty dots, bars and scribbles at most five get a sure answer, of a thousand test digits at most 3 % get none", () => {
  const scribbles = readDrawings(drawingsPath("scribbles.json"));
  expect(scribbles).toHaveLength(50);
  const ofScribbles = sureOf(
    reader,
    scribbles.map(({ strokes }) => strokes),
  );
  expect(ofScribbles.filter((isSure) => isSure).length).toBeLessThanOrEqual(5);
  expect(ofScribbles).toEqual(scribbles.map(({ strokes }) => reader.read(strokes).digits.length === 1));
  const ofDigits = sureOf(reader, digits.skeletons.map(strokesOf));
  expect(ofDigits.filter((isSure) => !isSure).length).toBeLessThanOrEqual(30);
});

test("digit: a drawing that is no larger than the tip of the pen is a dot, which is no digit", () => {
  const slip: Strokes = [
    [
      [0.5, 0.5],
      [0.51, 0.5],
      [0.51, 0.54],
    ],
  ];
  expect(seen(slip)).toEqual(seen([[[0.5, 0.5]]]));
  expect(reader.read(slip).digits).toEqual([]);
});

test("digit: two digits are possible where their membranes are close, none for flat drawings, or lines of another length", () => {
  const membranes = (first: number, second: number) =>
    Float32Array.from({ length: 10 }, (_, k) => (k === 7 ? first : k === 1 ? second : -1));
  const line = (x: number, y: number): Strokes => [
    [
      [0, 0],
      [x, y],
    ],
  ];
  const seven: Strokes = [
    [
      [0, 0],
      [0.5, 0],
      [0.2, 1],
    ],
  ];
  expect(digitsOf(membranes(3, 2.5), seven)).toEqual([7]);
  expect(digitsOf(membranes(3, 2.7), seven)).toEqual([7, 1]);
  expect(digitsOf(membranes(2.7, 3), seven)).toEqual([1, 7]);
  expect(digitsOf(membranes(3, 3), seven)).toEqual([]);
  expect(digitsOf(membranes(3, 0), line(0, 1))).toEqual([]); // as short as a one
  expect(digitsOf(membranes(3, 0), [...seven, ...seven])).toEqual([]);
  expect(digitsOf(membranes(0, 3), line(0, 1))).toEqual([1]);
  expect(digitsOf(membranes(0, 3), line(1, 0.6))).toEqual([1]);
  expect(digitsOf(membranes(0, 3), line(1, 0.4))).toEqual([]);
});

test("digit: the lengths of a digit's lines are quantiles of training digits", () => {
  const { skeletons, labels } = penDigits("train", 20_000);
  const lengths = Array.from({ length: 10 }, () => [] as number[]);
  for (const [i, skeleton] of skeletons.entries()) lengths[labels[i] as number]?.push(lengthSeen(strokesOf(skeleton)));
  const quantile = (sorted: readonly number[], part: number) =>
    10 * (sorted[Math.floor(part * (sorted.length - 1))] as number);
  const found = lengths.map((all) => {
    const sorted = all.toSorted((a, b) => a - b);
    return [Math.floor(quantile(sorted, 0.005)) / 10, Math.ceil(quantile(sorted, 0.998)) / 10];
  });
  expect(found[1]?.[0]).toBe(1);
  expect(found.with(1, [0.9, found[1]?.[1] as number])).toEqual(LENGTHS);
});

test("digit: the words under a picture say the answer, or the doubt", () => {
  const wave = reader.read((handwriting[0] as (typeof handwriting)[0]).strokes);
  expect(answerOf(wave)).toMatch(/^Read as 3: decided in step \d+ of 16\.$/);
  expect(answerOf({ ...wave, digits: [4, 2] })).toBe("Perhaps 4, perhaps 2.");
  expect(answerOf({ ...wave, digits: [] })).toBe("No digit I know.");
  expect(answeredAt(wave)).toBeLessThan(END);
  expect(answeredAt({ ...wave, digits: [4, 2] })).toBe(END);
});

test("digit: the network reads each digit of the hand, which writes it line after line", () => {
  for (const written of handwriting) {
    expect(reader.read(written.strokes).digits).toEqual([written.digit]);
    expect(written.strokes.flat().every((point) => point.every((x) => x > 0 && x < 1))).toBe(true);
    expect(partOf(written, 0)).toEqual([]);
    const last = (written.strokes.at(-1) as readonly Point[]).at(-1) as Point;
    const end = partOf(written, 1).at(-1)?.at(-1) as Point;
    expect(distance(end, last)).toBeLessThan(1e-9);
    const counts = [0.2, 0.5, 0.9].map((share) => partOf(written, share).flat().length);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  }
});

test("digit: a wave begins with pixels, each spike has its causes before it, and nothing fires without ink", () => {
  const wave = reader.read((handwriting[0] as (typeof handwriting)[0]).strokes);
  const hidden = wave.fired.flat().length;
  const pixels = wave.firstSpikes.filter((t) => t >= 0).length;
  expect(wave.counts.at(-1)).toBe(hidden + pixels);
  expect(wave.toDigits).toHaveLength(hidden);
  expect(new Set(wave.toHidden.map(({ to, arrives }) => `${to} ${arrives}`)).size).toBe(hidden);
  for (const { from, to, leaves, arrives } of wave.toHidden) {
    expect(wave.firstSpikes[from]).toBe(leaves);
    expect(leaves).toBeLessThanOrEqual(arrives);
    expect(wave.fired[arrives]).toContain(to);
  }
  expect(wave.decided).toBeGreaterThan(0);
  expect(wave.decided).toBeLessThan(TIMESTEPS);
  expect([...reader.places].sort((a, b) => a - b)).toEqual(Array.from({ length: HIDDEN }, (_, place) => place));
  const none = reader.read([]);
  expect([none.digits, none.decided, none.counts.at(-1)]).toEqual([[], -1, 0]);
});

test("digit: one drawing gets the same answer alone and among others", () => {
  const drawings = handwriting.map(({ strokes }) => strokes);
  expect(drawings.map((strokes) => reader.read(strokes).digits)).toEqual(
    readAll(reader, drawings).map((answer) => [answer]),
  );
});

test("digit: ink is thinned to the way of the pen", () => {
  const bar = Float32Array.from({ length: 784 }, (_, i) => {
    const [x, y] = [i % 28, Math.floor(i / 28)];
    return x >= 12 && x < 16 && y >= 4 && y < 24 ? 255 : 0;
  });
  bar[28 * 26 + 2] = 255; // a spot
  const { places, links, ends } = skeletonOf(bar);
  expect(ends).toHaveLength(2);
  expect(links.length / 2).toBe(places.length / 2 - 1);
  for (let i = 0; i < places.length; i += 2) expect(Math.abs((places[i] as number) - 14.5)).toBeLessThan(1.1);
});

test("digit: a short training learns to read", async () => {
  const bytes = await learn({ seed: 1, epochs: 3, limit: 3000 });
  const learned = new Reader(decodeWeights(bytes));
  expect(shareRight(readAll(learned, digits.skeletons.map(strokesOf)), digits.labels)).toBeGreaterThan(0.8);
});

test.each([
  ["wave.svg", picture, 250_000],
  ["digit-doubt.svg", chart, 60_000],
])("digit: %s of the documents is the painter's, has a dark look, and is small", (file, draw, bytes) => {
  const svg = draw();
  expect(svg.length).toBeLessThan(bytes);
  const stored = readFileSync(new URL(`../../../../docs/${file}`, import.meta.url), "utf8");
  expect(stored === svg, "npm run charts writes it").toBe(true);
  const [light = "", dark = ""] = svg.split("@media(prefers-color-scheme:dark)");
  for (const color of new Set(light.match(/(fill|stroke)="(#|rgba)[^"]+"/g))) expect(dark).toContain(`[${color}]`);
  expect(dark).toContain(`[fill="${LIGHT.paper}"]{fill:${DARK.paper}}`);
});

test("digit: the picture of the README says that it is a recording", () => {
  expect(picture()).toMatch(/>\d+ spikes · 16 steps · 20 kB of weights · a recording<\/text>/);
});
