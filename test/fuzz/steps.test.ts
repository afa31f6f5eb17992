import { expect, test } from "vitest";
import { memoryStats } from "../../engine/index.ts";
import { fuzzSteps, generate, print } from "./steps.ts";

const SEED = 20_250_101;
const STEPS = 300;

test(`fuzz: ${STEPS} random step functions, from seed ${SEED} on, are the same compiled and on tensors`, () => {
  const { live } = memoryStats();
  const found = fuzzSteps(SEED, STEPS);
  if (found !== null) expect.fail(found);
  expect(memoryStats().live).toBe(live);
});

test("fuzz: a seed gives the same step function again", () => {
  expect(print(generate(SEED))).toBe(print(generate(SEED)));
  expect(print(generate(SEED))).not.toBe(print(generate(SEED + 1)));
});
