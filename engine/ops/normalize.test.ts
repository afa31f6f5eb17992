/** Normalisation: statistics and their updates, the axes, constants over time. */
import { expect, test } from "vitest";
import { bits, expectNear, gradient, random, values } from "../../test/support/tensors.ts";
import type { Tensor } from "../index.ts";
import { batchNorm, expand, gradcheck, groupNorm, layerNorm, ones, tape, tensor, zeros } from "../index.ts";

/** Mean and biased variance in float64. */
function moments(list: number[]): [number, number] {
  const mean = list.reduce((sum, v) => sum + v, 0) / list.length;
  return [mean, list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length];
}

/** The values of channel c, which is axis 1 of [N, C, …]. */
const channelOf = (x: Tensor, c: number): number[] => values(x.transpose(0, 1).select(0, c));

test("batchNorm: in training every channel has mean 0 and variance 1, then weight and bias", () => {
  for (const shape of [
    [6, 3],
    [4, 3, 5],
    [2, 3, 4, 5],
  ]) {
    const x = random(shape, 1, { low: 5, high: 9 });
    const z = batchNorm(x, { training: true, eps: 0 });
    for (let c = 0; c < 3; c++) {
      const [mean, variance] = moments(channelOf(z, c));
      expect(Math.abs(mean)).toBeLessThan(1e-6);
      expect(Math.abs(variance - 1)).toBeLessThan(1e-5);
    }
    const affine = batchNorm(x, { training: true, eps: 0, weight: tensor([2, 2, 2]), bias: tensor([1, 1, 1]) });
    expectNear(values(affine), values(z.mul(2).add(1)), `shape [${shape}]`);
  }
});

test("batchNorm: running statistics move by momentum, the variance with n − 1, and are used outside training", () => {
  const x = random([4, 2, 3], 1, { low: 1, high: 4 });
  const runningMean = tensor([1, -1]);
  const runningVar = tensor([2, 3]);
  batchNorm(x, { training: true, runningMean, runningVar, momentum: 0.25 });
  const expected = [0, 1].map((c) => moments(channelOf(x, c))) as [number, number][];
  expectNear(
    values(runningMean),
    expected.map(([mean], c) => 0.75 * (c === 0 ? 1 : -1) + 0.25 * mean),
    "means",
  );
  expectNear(
    values(runningVar),
    expected.map(([, v], c) => 0.75 * (c === 0 ? 2 : 3) + (0.25 * v * 12) / 11),
    "variances",
  );
  const kept = [bits(runningMean), bits(runningVar)];
  const z = batchNorm(x, { runningMean, runningVar, eps: 0.5 });
  expect([bits(runningMean), bits(runningVar)]).toEqual(kept);
  const [m, v] = [values(runningMean), values(runningVar)];
  const one = values(x).map((value, i) => {
    const c = Math.floor(i / 3) % 2;
    return (value - (m[c] as number)) / Math.sqrt((v[c] as number) + 0.5);
  });
  expectNear(values(z), one, "values");
});

test("batchNorm: a momentum of 0 keeps the running statistics, one of 1 replaces them", () => {
  const x = random([5, 2], 1);
  const [mean, variance] = [tensor([3, 4]), tensor([5, 6])];
  batchNorm(x, { training: true, runningMean: mean, runningVar: variance, momentum: 0 });
  expect([mean.toArray(), variance.toArray()]).toEqual([
    [3, 4],
    [5, 6],
  ]);
  batchNorm(x, { training: true, runningMean: mean, runningVar: variance, momentum: 1 });
  expectNear(values(mean), values(x.mean({ axis: 0 })), "means");
  expectNear(values(variance), values(x.variance({ axis: 0 })), "variances");
});

test("batchNorm: time belongs to the batch; the channels of five axes are the third from the end", () => {
  const x = random([3, 2, 4, 2, 5], 1);
  const flat = batchNorm(x.reshape([6, 4, 2, 5]), { training: true });
  expect(bits(batchNorm(x, { training: true }))).toEqual(bits(flat));
  const vectors = random([3, 5, 4], 2);
  const rows = batchNorm(vectors.reshape([15, 4]), { training: true });
  expect(bits(batchNorm(vectors, { training: true, axis: -1 }))).toEqual(bits(rows));
  expect(bits(batchNorm(vectors, { training: true }))).not.toEqual(bits(rows));
});

test("batchNorm: of a constant over time all copies count for the running variance", () => {
  const x = random([3, 2, 2, 2], 1, { requiresGrad: true });
  const run = (copied: boolean) => {
    x.zeroGrad();
    const [runningMean, runningVar] = [zeros([2]), ones([2])];
    return tape(() => {
      const over = expand(x, [5, 3, 2, 2, 2]);
      if (copied) over.data;
      const z = batchNorm(over, { training: true, runningMean, runningVar });
      if (!copied) expect(z.ptr).toBe(0);
      z.mul(random(z.shape, 2)).sum().backward();
      return [values(z), gradient(x), values(runningMean), values(runningVar)];
    });
  };
  const [once, often] = [run(false), run(true)] as const;
  once.forEach((list, i) => expectNear(list, often[i] as number[], `part ${i}`, { absolute: 1e-5 }));
});

test("batchNorm: a write to the running statistics after they were used makes backward throw", () => {
  const x = random([4, 2], 1, { requiresGrad: true });
  const statistics = { runningMean: zeros([2]), runningVar: ones([2]) };
  expect(() =>
    tape(() => {
      const z = batchNorm(x, statistics);
      batchNorm(x, { ...statistics, training: true });
      z.sum().backward();
    }),
  ).toThrow("backward of normalization: a value it needs, of shape [2], was overwritten");
  // Statistics of the batch belong to the record.
  tape(() => {
    const z = batchNorm(x, { ...statistics, training: true });
    batchNorm(x, { ...statistics, training: true });
    z.sum().backward();
  });
});

test("batchNorm: gradcheck leaves running statistics of linear memory alone", () => {
  const statistics = { runningMean: tensor([0.25, 0.5]), runningVar: tensor([2, 3]) };
  gradcheck((x) => batchNorm(x, { ...statistics, training: true }), [random([3, 2, 2], 1)]);
  gradcheck((x) => batchNorm(x, statistics), [random([3, 2, 2], 1)]);
  expect(values(statistics.runningMean)).toEqual([0.25, 0.5]);
  expect(values(statistics.runningVar)).toEqual([2, 3]);
});

test("batchNorm: equal values give the bias, and an infinite value NaN in its channel only", () => {
  const x = tensor([
    [3, 1],
    [3, Infinity],
  ]);
  const z = batchNorm(x, { training: true, bias: tensor([5, 6]) });
  expect(z.toArray()).toEqual([
    [5, NaN],
    [5, NaN],
  ]);
});

test("layerNorm and groupNorm: each row, or group of channels of a sample, has mean 0 and variance 1", () => {
  const x = random([3, 4, 5], 1, { low: 2, high: 7 });
  for (const [z, parts] of [
    [layerNorm(x, 5, { eps: 0 }), 12],
    [layerNorm(x, [4, 5], { eps: 0 }), 3],
    [groupNorm(x, 2, { eps: 0 }), 6],
    [groupNorm(x, 4, { eps: 0 }), 12],
    [groupNorm(x, 1, { eps: 0 }), 3],
  ] as const) {
    const list = values(z);
    const n = list.length / parts;
    for (let i = 0; i < parts; i++) {
      const [mean, variance] = moments(list.slice(i * n, (i + 1) * n));
      expect(Math.abs(mean)).toBeLessThan(1e-6);
      expect(Math.abs(variance - 1)).toBeLessThan(1e-5);
    }
  }
  expect(bits(layerNorm(x, [4, 5]))).toEqual(bits(groupNorm(x, 1)));
});

test("groupNorm: the channels of five axes are the third from the end; other axes are named", () => {
  const x = random([2, 3, 4, 2, 2], 1);
  expect(bits(groupNorm(x, 2))).toEqual(bits(groupNorm(x.reshape([6, 4, 2, 2]), 2)));
  const signals = random([2, 3, 4, 5], 2);
  expect(bits(groupNorm(signals, 2, { axis: -2 }))).toEqual(bits(groupNorm(signals.reshape([6, 4, 5]), 2)));
});
