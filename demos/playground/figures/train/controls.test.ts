import { expect, test } from "vitest";
import { MOST_POTENTIALS, mostTimesteps } from "../../model/train-fields.ts";
import { defaults } from "../../state/fields.ts";
import { confined, figureFields } from "./controls.ts";

const base = defaults(figureFields);

test("confined: neurons and layers are those that there are", () => {
  expect(confined({ ...base, layer: 3, neuron: 200 })).toMatchObject({ layer: 2, neuron: 16 });
  expect(confined({ ...base, layer: 1, neuron: 200 })).toMatchObject({ layer: 1, neuron: 24 });
  expect(confined(base)).toEqual(base);
});

test("confined: a point lies in the square of data that have one, or there is none", () => {
  const none = { px: -1, py: -1 };
  expect(confined({ ...base, px: 0.5, py: 0 })).toMatchObject({ px: 0.5, py: 0 });
  expect(confined({ ...base, px: 0.5 })).toMatchObject(none);
  expect(confined({ ...base, px: -0.5, py: 0.5 })).toMatchObject(none);
  expect(confined({ ...base, data: "mnist", px: 0.5, py: 0.5 })).toMatchObject(none);
});

test("confined: time steps times neurons stay within the memory of the page", () => {
  expect(confined({ ...base, layers: [256, 256, 256], timesteps: 100 }).timesteps).toBe(33);
  expect(confined({ ...base, layers: [256], timesteps: 100 }).timesteps).toBe(100);
  for (const layers of [[1], [100, 200], [256, 256, 256]]) {
    expect(mostTimesteps(layers) * layers.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MOST_POTENTIALS);
  }
});
