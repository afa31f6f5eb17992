/** Readouts: [T, B, …] → [B, …]. */
import { expect, test } from "vitest";
import { gradcheck, type Tensor, tensor } from "../engine/index.ts";
import { random, values } from "../test/support/tensors.ts";
import { filteredTrace, lastMembrane, maxMembrane, meanOverTime, spikeCount } from "./index.ts";

const x = tensor([
  [0, 1, 3],
  [0, 1, -1],
  [1, 0, 2],
  [0, 1, -4],
]);

test("readout: rate, count, last and largest value of each neuron", () => {
  expect(values(meanOverTime(x))).toEqual([0.25, 0.75, 0]);
  expect(values(spikeCount(x))).toEqual([1, 3, 0]);
  expect(values(lastMembrane(x))).toEqual([0, 1, -4]);
  expect(values(maxMembrane(x))).toEqual([1, 1, 3]);
});

test("readout: a trace adds every spike and decays in between", () => {
  expect(values(filteredTrace(tensor([1, 0, 1, 0]), { beta: 0.5 }))).toEqual([1, 0.5, 1.25, 0.625]);
  expect(values(filteredTrace(tensor([1, 0])))).toEqual([1, Math.fround(0.95)]);
});

test("readout: only time goes, all other axes stay", () => {
  const long = random([4, 2, 3, 5], 1);
  for (const readout of [meanOverTime, spikeCount, lastMembrane, maxMembrane]) {
    expect(readout(long).shape).toEqual([2, 3, 5]);
  }
  expect(filteredTrace(long).shape).toEqual([4, 2, 3, 5]);
});

test("readout: gradients are the difference quotients", () => {
  const readouts: ((x: Tensor) => Tensor)[] = [
    meanOverTime,
    spikeCount,
    lastMembrane,
    maxMembrane,
    (x) => filteredTrace(x, { beta: 0.7 }),
  ];
  for (const readout of readouts) gradcheck(readout, [random([4, 2, 3], 2)]);
});

test("readout: what a sample gives does not depend on the batch that it is in, also for one output", () => {
  for (const T of [25, 300]) {
    const x = random([T, 3, 1], 8);
    for (const read of [meanOverTime, spikeCount]) {
      expect(values(read(x.slice(1, 1, 2)))).toEqual([values(read(x))[1]]);
    }
  }
});
