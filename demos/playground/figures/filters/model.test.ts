import { conv2d, tensor } from "jarvis-snn";
import { expect, test } from "vitest";
import { examples, formatImage, SIDE } from "../../model/image.ts";
import { defaults } from "../../state/fields.ts";
import { FILTERS, type Filter, filtered, filterFields, PLACES, ratesAt, STEPS, spikesAt, WINDOW } from "./model.ts";

const base = defaults(filterFields);

test("filters: sums are those of a convolution", () => {
  for (const filter of Object.keys(FILTERS) as Filter[]) {
    const { image, sums } = filtered({ ...base, filter });
    const weight = tensor(FILTERS[filter], { shape: [1, 1, WINDOW, WINDOW] });
    const expected = conv2d(tensor(image, { shape: [1, 1, SIDE, SIDE] }), weight).toFloat32Array();
    for (const [i, sum] of sums.entries()) expect(sum).toBeCloseTo(expected[i] as number, 5);
  }
});

test("filters: a window fires at its own edges, and is silent in blank parts and at the edges against it", () => {
  const half = Float32Array.from({ length: SIDE * SIDE }, (_, i) => Number(i % SIDE >= 5 && i % SIDE < 9));
  const scene = filtered({ ...base, filter: "left", image: formatImage(half) });
  const last = ratesAt(scene, STEPS - 1);
  for (let row = 0; row < PLACES; row++) {
    const fires = Array.from({ length: PLACES }, (_, column) => (last[row * PLACES + column] as number) > 0);
    expect(fires.map(Number)).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
  }
});

test("filters: rates count the spikes so far, and membranes cross the threshold where they spike", () => {
  const config = base;
  const scene = filtered(config);
  const at = config.row * PLACES + config.column;
  const times = spikesAt(scene, config);
  expect(times.length).toBeGreaterThan(0);
  for (let t = 0; t < STEPS; t++) {
    expect(ratesAt(scene, t)[at]).toBeCloseTo(times.filter((each) => each <= t).length / (t + 1), 6);
    expect((scene.membrane[t] as number) >= 1).toBe(times.includes(t));
  }
});

test("filters: a blank picture is silent", () => {
  expect(filtered({ ...base, image: formatImage(new Float32Array(examples.ring.length)) }).spikes).not.toContain(1);
});
