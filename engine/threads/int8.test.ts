/** Networks of integers, whose kernels come with their first product: the bits of one thread. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Conv2d, Flatten, Linear, manualSeed, noGrad, rand, Sequential } from "../../engine/index.ts";
import { LIF, poissonEncode } from "../../snn/index.ts";
import { Int8 } from "../../snn/quantize/index.ts";
import { ALL } from "../../test/support/threads.ts";
import { start } from "./start.ts";

/** The outputs of a network whose weights are integers, for spikes and for numbers. */
function outputs(make: () => Sequential, shape: number[]): number[][] {
  manualSeed(6);
  const net = new Int8(make());
  const x = rand(shape).mul(0.5);
  const graded = rand([4, ...shape]);
  return noGrad(() => [poissonEncode(x, { timesteps: 4 }), graded].map((s) => [...net.forward(s).toFloat32Array()]));
}

const RUNS = [
  ["linear layers", () => new Sequential(new Linear(90, 130), new LIF(), new Linear(130, 10)), [33, 90]],
  ["few rows", () => new Sequential(new Linear(90, 70), new LIF()), [3, 90]],
  [
    "convolutions",
    () => new Sequential(new Conv2d(2, 20, 3), new LIF(), new Flatten(2), new Linear(720, 5)),
    [3, 2, 8, 8],
  ],
] as const satisfies readonly (readonly [string, () => Sequential, number[]])[];

const alone = new Map<string, number[][]>();
beforeAll(() => {
  for (const [name, make, shape] of RUNS) alone.set(name, outputs(make, [...shape]));
});
afterAll(() => start(1));

describe.each([2, 3, 7])("threads: with %i", (count) => {
  beforeAll(() => start(count, ALL));

  test.each(RUNS)("integers of %s have the bits of one thread", (name, make, shape) => {
    expect(outputs(make, [...shape])).toEqual(alone.get(name));
  });
});

test("threads: integers are those of one thread after all others have ended", async () => {
  await start(1);
  for (const [name, make, shape] of RUNS) expect(outputs(make, [...shape])).toEqual(alone.get(name));
});
