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

test("fuzz: zeros without a sign, of which 1/√x makes one infinity", () => {
  // A weight of this rule is drawn as −0 before it is made 0, and the rule changes it by rsqrt(w).
  expect(fuzzRules(1_796_070_033, 1)).toBe(null);
});
