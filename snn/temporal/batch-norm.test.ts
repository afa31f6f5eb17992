/** Batch normalisation through time, compared with loops in float64. */
import { expect, test } from "vitest";
import type { Module, Tensor } from "../../engine/index.ts";
import { concat, gradcheck, Linear, manualSeed, Sequential, SGD, summary, tape } from "../../engine/index.ts";
import { bits, bytesKept, expectNear, gradient, random, values } from "../../test/support/tensors.ts";
import {
  BatchNormTT1d,
  BatchNormTT2d,
  LIF,
  Stream,
  ThresholdDependentBatchNorm1d,
  ThresholdDependentBatchNorm2d,
} from "../index.ts";

interface Statistics {
  mean: number[];
  variance: number[];
}

/** Index of each value of x in the statistics: its channel, and with `apart` also its step. */
function placesOf({ shape }: Tensor, apart: boolean): number[] {
  const [T, B, C, ...inner] = shape as [number, number, number, ...number[]];
  const n = inner.reduce((product, size) => product * size, 1);
  return Array.from({ length: T * B * C * n }, (_, i) => {
    const c = Math.floor(i / n) % C;
    return apart ? Math.floor(i / (n * C * B)) * C + c : c;
  });
}

/** Training: mean and variance of all values with the same index; updates the running statistics. */
function normalise(x: Tensor, apart: boolean, gamma: number[], beta: number[], running: Statistics, share: number) {
  const all = values(x);
  const places = placesOf(x, apart);
  const of = (p: number) => all.filter((_, i) => places[i] === p);
  const means = gamma.map((_, p) => of(p).reduce((sum, v) => sum + v, 0) / of(p).length);
  const variances = gamma.map(
    (_, p) => of(p).reduce((sum, v) => sum + (v - (means[p] as number)) ** 2, 0) / of(p).length,
  );
  for (const p of gamma.keys()) {
    const n = of(p).length;
    running.mean[p] = (1 - share) * (running.mean[p] as number) + share * (means[p] as number);
    running.variance[p] =
      (1 - share) * (running.variance[p] as number) + (share * (variances[p] as number) * n) / (n - 1);
  }
  return scaled(all, places, gamma, beta, { mean: means, variance: variances });
}

const scaled = (all: number[], places: number[], gamma: number[], beta: number[], { mean, variance }: Statistics) =>
  all.map((v, i) => {
    const p = places[i] as number;
    const z = (v - (mean[p] as number)) / Math.sqrt((variance[p] as number) + 1e-5);
    return (gamma[p] as number) * z + (beta[p] as number);
  });

const numbers = (n: number, value: number): number[] => new Array<number>(n).fill(value);

const LAYERS: [name: string, shape: number[], apart: boolean, make: () => Module, start: number][] = [
  [
    "tdBN of vectors",
    [5, 4, 3],
    false,
    () => new ThresholdDependentBatchNorm1d(3, { alpha: 0.5, threshold: 1.5 }),
    0.75,
  ],
  ["tdBN of signals", [5, 4, 3, 2], false, () => new ThresholdDependentBatchNorm1d(3), 1],
  ["tdBN of maps", [3, 2, 4, 5, 2], false, () => new ThresholdDependentBatchNorm2d(4, { threshold: 0.5 }), 0.5],
  ["BNTT of vectors", [5, 4, 3], true, () => new BatchNormTT1d(3, 5), 1],
  ["BNTT of signals", [5, 4, 3, 2], true, () => new BatchNormTT1d(3, 5), 1],
  ["BNTT of maps", [3, 2, 4, 5, 2], true, () => new BatchNormTT2d(4, 3), 1],
];

test.each(LAYERS)(
  "%s: training, running statistics and evaluation are those of the paper",
  (_, shape, apart, make, start) => {
    const layer = make();
    const n = (shape[2] as number) * (apart ? (shape[0] as number) : 1);
    const running: Statistics = { mean: numbers(n, 0), variance: numbers(n, 1) };
    const gamma = numbers(n, start);
    for (const seed of [1, 2, 3]) {
      const x = random(shape, seed, { low: -1, high: 3 });
      const expected = normalise(x, apart, gamma, numbers(n, 0), running, 0.1);
      expectNear(values(layer.forward(x)), expected, "training", { absolute: 1e-5, relative: 1e-5 });
    }
    const state = layer.stateDict();
    const sizes = apart ? [shape[0], shape[2]] : [shape[2]];
    for (const name of ["weight", "running_mean", "running_var"]) expect(state[name]?.shape, name).toEqual(sizes);
    expectNear(state.running_mean?.data as Float32Array, running.mean, "running mean");
    expectNear(state.running_var?.data as Float32Array, running.variance, "running variance");
    expect(Array.from(state.num_batches_tracked?.data as Float32Array)).toEqual([3]);
    const x = random(shape, 9);
    const expected = scaled(values(x), placesOf(x, apart), gamma, numbers(n, 0), running);
    expectNear(values(layer.eval().forward(x)), expected, "evaluation", { absolute: 1e-5, relative: 1e-5 });
    const copy = make().eval();
    copy.loadStateDict(state);
    expect(bits(copy.forward(x))).toEqual(bits(layer.forward(x)));
  },
);

test.each(LAYERS)("%s: gradients are the difference quotients, in both modes", (_, shape, _apart, make) => {
  const layer = make();
  const weights = random(shape, 8);
  const run = (x: Tensor) => layer.forward(x).mul(weights).square().sum();
  gradcheck(run, [random(shape, 1)], { atol: 1e-4 });
  layer.forward(random(shape, 2));
  layer.eval();
  gradcheck(run, [random(shape, 1)]);
  tape(() => run(random(shape, 1)).backward());
  for (const p of layer.parameters()) expect(gradient(p).some((g) => g !== 0)).toBe(true);
});

test("tdBN: a normalised current has the standard deviation α·θ", () => {
  const layer = new ThresholdDependentBatchNorm1d(6, { alpha: 0.5, threshold: 2 });
  expect(layer.weight?.toArray()).toEqual(numbers(6, 1));
  const z = new ThresholdDependentBatchNorm1d(6, { alpha: 2, threshold: 0.3 }).forward(random([50, 20, 6], 1));
  expectNear(values(z.std({ axis: [0, 1] })), numbers(6, 0.6), "deviation", { relative: 2e-3 });
});

test("BNTT: has no bias, and without affine no factors", () => {
  expect(Object.keys(new BatchNormTT1d(2, 3).stateDict())).toEqual([
    "weight",
    "running_mean",
    "running_var",
    "num_batches_tracked",
  ]);
  const plain = new BatchNormTT1d(2, 3, { affine: false, trackRunningStats: false });
  expect(plain.stateDict()).toEqual({});
  expect(plain.eval().forward(random([3, 4, 2], 1)).shape).toEqual([3, 4, 2]);
});

test("BNTT: single steps, and unroll in pieces, give the bits of the sequence, in training and in evaluation", () => {
  for (const momentum of [0.1, null]) {
    const cases: [layers: (BatchNormTT1d | BatchNormTT2d)[], shape: number[]][] = [
      [[1, 2, 3].map(() => new BatchNormTT1d(3, 6, { momentum })), [6, 5, 3]],
      [[1, 2, 3].map(() => new BatchNormTT2d(3, 4, { momentum })), [4, 2, 3, 2, 2]],
    ];
    for (const [layers, shape] of cases) {
      const [whole, single, pieces] = layers as [BatchNormTT1d, BatchNormTT1d, BatchNormTT1d];
      const T = shape[0] as number;
      for (const training of [true, true, false]) {
        const x = random(shape, 4);
        for (const layer of layers) layer.train(training);
        const z = whole.forward(x);
        let state = single.initialState(shape.slice(1));
        for (let t = 0; t < T; t++) {
          const [now, next] = single.step(x.select(0, t), state);
          expect(bits(now)).toEqual(bits(z.select(0, t)));
          state = next;
        }
        expect(single.stateDict()).toEqual(whole.stateDict());
        const tooMany = `at most ${T} steps, got step ${T + 1}`;
        expect(() => single.step(x.select(0, 0), state)).toThrow(tooMany);

        const first = pieces.unroll(x.slice(0, 0, 1));
        const rest = pieces.unroll(x.slice(0, 1, T), first.state);
        expect(bits(concat([first.z, rest.z]))).toEqual(bits(z));
        expect(rest.state.t.item()).toBe(T);
        expect(pieces.stateDict()).toEqual(whole.stateDict());
        expect(() => pieces.unroll(x.slice(0, 0, 1), rest.state)).toThrow(tooMany);
        expect(() => pieces.forward(x.slice(0, 0, 1))).toThrow(`x of ${T} steps and 3 channels, got [1, `);
      }
    }
  }
});

test("tdBN and BNTT: a stream gives what the sequence gives", () => {
  const x = random([5, 2, 4], 3);
  for (const norm of [new ThresholdDependentBatchNorm1d(3), new BatchNormTT1d(3, 5)]) {
    const network = new Sequential(new Linear(4, 3), norm, new LIF());
    network.forward(x);
    const expected = network.eval().forward(x);
    const stream = new Stream(network, [2, 4]);
    for (let round = 0; round < 2; round++) {
      for (let t = 0; t < 5; t++) {
        expect(Array.from(stream.step(x.select(0, t).toFloat32Array()))).toEqual(values(expected.select(0, t)));
      }
      if (norm instanceof BatchNormTT1d) expect(() => stream.step()).toThrow("BatchNormTT1d: expected at most 5 steps");
      stream.reset();
    }
    stream.dispose();
  }
});

test("tdBN and BNTT: their parameters are learned, and a step leaves no memory behind", () => {
  manualSeed(1);
  const network = new Sequential(
    new Linear(4, 3),
    new BatchNormTT1d(3, 5),
    new ThresholdDependentBatchNorm1d(3),
    new LIF(),
  );
  const optimizer = new SGD(network.parameters(), { lr: 0.1 });
  const x = random([5, 8, 4], 3);
  const train = () => {
    tape(() => network.forward(x).sum().backward());
    optimizer.step();
    optimizer.zeroGrad();
  };
  const before = network.stateDict();
  train();
  const after = network.stateDict();
  for (const name of ["1.weight", "2.weight", "2.bias"]) {
    expect(after[name]?.data, name).not.toEqual(before[name]?.data);
  }
  expect(bytesKept(train)).toBe(0);
  expect(bytesKept(() => network.forward(x).dispose())).toBe(0);
  expect(summary(network, [5, 8, 4])).toContain("1: BatchNormTT1d                  [5, 8, 3]          15");
});

test("tdBN and BNTT: shapes and options out of range are errors", () => {
  expect(() => new BatchNormTT1d(3, 0)).toThrow("BatchNormTT1d: timesteps must be a positive integer, got 0");
  expect(() => new BatchNormTT2d(3, 4).forward(random([4, 2, 3], 1))).toThrow(
    "BatchNormTT2d: expected x [T, B, C, H, W], got [4, 2, 3]",
  );
  expect(() => new BatchNormTT1d(3, 4).forward(random([5, 2, 3], 1))).toThrow(
    "BatchNormTT1d: expected x of 4 steps and 3 channels, got [5, 2, 3]",
  );
  expect(() => new BatchNormTT1d(3, 4).forward(random([4, 1, 3], 1))).toThrow("more than one value per channel");
  expect(() => new BatchNormTT1d(3, 4).step(random([2, 3], 1), {} as never)).toThrow(TypeError);
  expect(() => new ThresholdDependentBatchNorm1d(3).forward(random([5, 3], 1))).toThrow(
    "ThresholdDependentBatchNorm1d: expected x [T, B, C] or [T, B, C, L], got [5, 3]",
  );
  expect(() => new ThresholdDependentBatchNorm1d(3, { alpha: 0 })).toThrow("alpha must be finite and > 0, got 0");
  expect(() => new ThresholdDependentBatchNorm1d(3, { threshold: 1e30, alpha: 1e30 })).toThrow(RangeError);
  expect(() => new ThresholdDependentBatchNorm2d(3, { affine: false } as never)).toThrow(TypeError);
});
