import { arithmetic } from "jarvis-snn/kernels";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ordersSoFar, startThreads } from "../support/sharing.ts";
import pinned from "./hashes.json" with { type: "json" };
import { networks } from "./networks.ts";
import { type Hashes, measure } from "./run.ts";

const CHANGED = "changed on purpose? npm run test:engines -- --update";

test("determinism: hashes are those of portable kernels, and every network is pinned", () => {
  expect(arithmetic).toBe("portable");
  expect(Object.keys(pinned)).toEqual(Object.keys(networks));
});

describe("determinism: with three threads", () => {
  beforeAll(() => startThreads(3));
  afterAll(() => startThreads(1));

  test.each(Object.entries(pinned))("%s has the pinned bits", async (name, { weights, outputs }) => {
    const before = ordersSoFar();
    expect(await measure(name)).toEqual({ weights, outputs, byBatches: outputs, bySteps: outputs });
    expect(ordersSoFar()).toBeGreaterThan(before);
  });
});

// `npm run test:debug` runs these with the kernels that assert, towards the same hashes.
describe.each(Object.entries(pinned))("determinism: %s", (name, { weights, outputs }) => {
  let hashes: Hashes;
  beforeAll(async () => {
    hashes = await measure(name);
  });

  test("training gives the pinned weights", () => expect(hashes.weights, CHANGED).toBe(weights));

  test("the trained network gives the pinned outputs", () => expect(hashes.outputs, CHANGED).toBe(outputs));

  test("the output of a sample does not depend on its batch", () => expect(hashes.byBatches).toBe(hashes.outputs));

  test("step by step gives the outputs of forward", () => expect(hashes.bySteps).toBe(hashes.outputs));
});
