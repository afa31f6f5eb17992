import { afterEach, expect, test } from "vitest";
import { ordersSoFar, startThreads } from "../support/sharing.ts";
import { fuzzNeurons, generate, NEURONS, print } from "./neurons.ts";

const SEED = 20_250_101;
const LAYERS = 120;
/** One of so many runs with threads too. */
const EVERY = 4;

afterEach(() => startThreads(1));

test(`fuzz: ${LAYERS} layers of neurons with random options, from seed ${SEED} on, are the same in all ways and on tensors, and with three threads`, async () => {
  await startThreads(3);
  const before = ordersSoFar();
  const found = fuzzNeurons(SEED, LAYERS, EVERY);
  if (found !== null) expect.fail(found);
  expect(ordersSoFar() - before).toBeGreaterThan(100);
});

test("fuzz: every neuron of the package is drawn, a seed gives the same layer again", () => {
  const drawn = Array.from({ length: 300 }, (_, i) => generate(SEED + i).name);
  expect([...new Set(drawn)].sort()).toEqual([...NEURONS].sort());
  expect(NEURONS).toContain("Synaptic");
  expect(NEURONS).toContain("AdaptiveLIF");
  expect(print(generate(SEED))).toBe(print(generate(SEED)));
});
