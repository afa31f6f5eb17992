import { afterEach, expect, test } from "vitest";
import { ordersSoFar, startThreads } from "../support/sharing.ts";
import { fuzzRules, generate, print } from "./rules.ts";

const SEED = 20_261_101;
const RULES = 400;
/** One of so many runs with threads too. */
const EVERY = 16;

afterEach(() => startThreads(1));

test(`fuzz: ${RULES} random rules for synapses, from seed ${SEED} on, are the same compiled and on tensors, and with three threads`, async () => {
  await startThreads(3);
  const before = ordersSoFar();
  const found = fuzzRules(SEED, RULES, EVERY);
  if (found !== null) expect.fail(found);
  expect(ordersSoFar() - before).toBeGreaterThan(100);
});

test("fuzz: a seed gives the same rule again", () => {
  expect(print(generate(SEED))).toBe(print(generate(SEED)));
  expect(print(generate(SEED))).not.toBe(print(generate(SEED + 1)));
});

test("fuzz: zeros without a sign, of which 1/√x makes one infinity", () => {
  // A weight of this rule is drawn as −0 before it is made 0, and the rule changes it by rsqrt(w).
  expect(fuzzRules(1_796_070_033, 1)).toBe(null);
});
