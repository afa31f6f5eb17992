import { expect, test } from "vitest";
import { fuzzNeurons, generate, NEURONS, print } from "./neurons.ts";

const SEED = 20_250_101;
const LAYERS = 120;

test(`fuzz: ${LAYERS} layers of neurons with random options, from seed ${SEED} on, are the same in all ways and on tensors`, () => {
  const found = fuzzNeurons(SEED, LAYERS);
  if (found !== null) expect.fail(found);
});

test("fuzz: every neuron of the package is drawn, a seed gives the same layer again", () => {
  const drawn = Array.from({ length: 300 }, (_, i) => generate(SEED + i).name);
  expect([...new Set(drawn)].sort()).toEqual([...NEURONS].sort());
  expect(NEURONS).toContain("Synaptic");
  expect(NEURONS).toContain("AdaptiveLIF");
  expect(print(generate(SEED))).toBe(print(generate(SEED)));
});
