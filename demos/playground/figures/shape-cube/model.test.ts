import { noGrad, tensor } from "jarvis-snn";
import { expect, test } from "vitest";
import {
  BATCH,
  CUTS,
  type Cut,
  expressionOf,
  isInside,
  makeSpikes,
  NEURONS,
  pictureOf,
  SIZES,
  STEPS,
  sentenceOf,
  shapeOf,
  shortForm,
} from "./model.ts";

const spikes = makeSpikes();
const at = { t: 13, b: 3, n: 9 };

test("the cube holds zeros and ones, and each sample fires where its input is", () => {
  expect(spikes).toHaveLength(STEPS * BATCH * NEURONS);
  expect(new Set(spikes)).toEqual(new Set([0, 1]));
  const count = (b: number, from: number, to: number): number =>
    spikes.filter((value, i) => {
      const t = Math.floor(i / (BATCH * NEURONS));
      return value === 1 && Math.floor(i / NEURONS) % BATCH === b && t >= from && t < to;
    }).length;
  expect(count(0, 0, STEPS)).toBeGreaterThan(count(1, 0, STEPS));
  expect(count(1, 0, STEPS)).toBeGreaterThan(0);
  expect([count(2, 0, 8) > 0, count(2, 8, STEPS), count(3, 0, 11), count(3, 11, STEPS) > 0]).toEqual([
    true,
    0,
    0,
    true,
  ]);
});

test.each(Object.keys(CUTS) as Cut[])("the expression of a cut gives the tensor that the picture shows: %s", (cut) => {
  noGrad(() => {
    const cube = tensor(spikes, { shape: [STEPS, BATCH, NEURONS] });
    const run = new Function("spikes", `return ${expressionOf(cut, at)}`) as (x: typeof cube) => typeof cube;
    const found = run(cube);
    expect(found.shape).toEqual(shapeOf(cut));
    const { down, right, values, rows, columns } = pictureOf(spikes, cut, at);
    // The time runs to the right, so that a cut [T, …] stands in the picture with its axes changed.
    const shown = right === "t" && down !== null ? found.transpose(0, 1) : found;
    expect([...shown.toFloat32Array()]).toEqual([...values]);
    expect(rows * columns).toBe(values.length);
    expect(values.length).toBe(
      [..."tbn"].reduce((n, axis) => n * ((CUTS[cut] as string).includes(axis) ? 1 : SIZES[axis as "t"]), 1),
    );
  });
});

test("an element is inside of a cut where its fixed indices are those of the cut", () => {
  expect(isInside("train", at, 0, 3, 9)).toBe(true);
  expect(isInside("train", at, 0, 3, 8)).toBe(false);
  expect(isInside("step", at, 13, 0, 0)).toBe(true);
  expect(isInside("step", at, 12, 0, 0)).toBe(false);
});

test("a cut is told by its indices, and by its spikes", () => {
  expect(shortForm("train", at)).toBe("spikes[:, 3, 9]");
  const count = spikes.slice(13 * BATCH * NEURONS, 14 * BATCH * NEURONS).reduce((sum, value) => sum + value, 0);
  expect(sentenceOf(spikes, "step", at)).toBe(`Step 13 of all samples and neurons: ${count} spikes.`);
});
