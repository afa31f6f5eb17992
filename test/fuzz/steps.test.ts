import { afterEach, expect, test } from "vitest";
import { memoryStats } from "../../engine/index.ts";
import { ordersSoFar, startThreads } from "../support/sharing.ts";
import { fuzzSteps, generate, print } from "./steps.ts";

const SEED = 20_250_101;
const STEPS = 300;
/** One of so many runs with threads too. */
const EVERY = 4;

afterEach(() => startThreads(1));

test(`fuzz: ${STEPS} random step functions, from seed ${SEED} on, are the same compiled and on tensors, and with three threads`, async () => {
  const { live } = memoryStats();
  await startThreads(3);
  const before = ordersSoFar();
  const found = fuzzSteps(SEED, STEPS, EVERY);
  if (found !== null) expect.fail(found);
  expect(ordersSoFar() - before).toBeGreaterThan(100);
  await startThreads(1);
  expect(memoryStats().live).toBe(live);
});

test("fuzz: a seed gives the same step function again", () => {
  expect(print(generate(SEED))).toBe(print(generate(SEED)));
  expect(print(generate(SEED))).not.toBe(print(generate(SEED + 1)));
});
