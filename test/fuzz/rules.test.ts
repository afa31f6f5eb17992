import { expect, test } from "vitest";
import { fuzzRules, generate, print } from "./rules.ts";

const SEED = 20_261_101;
const RULES = 400;

test(`fuzz: ${RULES} random rules for synapses, from seed ${SEED} on, are the same compiled and on tensors`, () => {
  const found = fuzzRules(SEED, RULES);
  if (found !== null) expect.fail(found);
});

test("fuzz: a seed gives the same rule again", () => {
  expect(print(generate(SEED))).toBe(print(generate(SEED)));
  expect(print(generate(SEED))).not.toBe(print(generate(SEED + 1)));
});
