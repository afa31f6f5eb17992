/**
 * Integers that kernels take in 32 bits, and sizes that become addresses: what is given beyond them is refused, or right. Each row
 * runs at a large value whose result is known, and at values that would wrap.
 */
import { expect, test } from "vitest";
import { memory } from "../engine/core/wasm.ts";
import { emptySpikesOf } from "../engine/forms/values.ts";
import {
  adaptiveAvgPool2d,
  arange,
  avgPool2d,
  BatchNorm1d,
  Conv1d,
  Conv2d,
  conv1d,
  conv2d,
  convTranspose2d,
  crossEntropy,
  DataLoader,
  Embedding,
  embedding,
  expand,
  eye,
  flatten,
  full,
  Generator,
  GroupNorm,
  groupNorm,
  LayerNorm,
  Linear,
  linear,
  MaxPool2d,
  maxPool2d,
  ones,
  pad,
  rand,
  type Tensor,
  TensorDataset,
  tape,
  tensor,
  zeros,
} from "../engine/index.ts";
import {
  burstEncode,
  constantEncode,
  LIF,
  latencyEncode,
  phaseEncode,
  poissonEncode,
  populationEncode,
  RecurrentLIF,
  rateTargets,
  ttfsEncode,
} from "../snn/index.ts";

/** Around the largest size of a tensor, around 2³¹ and 2³², where 32 bits wrap to small numbers, and beyond both. */
const EXTREME = [
  2 ** 30,
  2 ** 30 + 1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 31 + 1,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 32 + 2,
  Number.MAX_SAFE_INTEGER,
];

interface Row {
  readonly call: (n: number) => Tensor | readonly Tensor[];
  readonly expected: (n: number) => readonly number[];
  /** A value at which the call must succeed. */
  readonly fine: number;
}

/** Values of a tensor, and of the parameters of a layer. */
const MANY = 2 ** 20;
const WIDE = 2 ** 16;
const LARGEST = 2 ** 30;

/** [1, 1, 4, 4] and [1, 1, 4] with the values 1, 2, …; a vector of four, a matrix. */
const values = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const image = (): Tensor => tensor(values(16), { shape: [1, 1, 4, 4] });
const signal = (): Tensor => tensor(values(4), { shape: [1, 1, 4] });
const vector = (): Tensor => tensor(values(4));
const matrix = (): Tensor => tensor(values(16), { shape: [4, 4] });

const always =
  (...result: number[]) =>
  (): number[] =>
    result;
const row = (fine: number, call: Row["call"], expected: Row["expected"]): Row => ({ call, expected, fine });
const same = (fine: number, call: Row["call"], ...result: number[]): Row => row(fine, call, always(...result));
const repeated = (value: number, times: number): number[] => new Array(times).fill(value);
/** A tensor that is too large to read out: its last value, and its size. */
const lastOf = (x: Tensor): Tensor => {
  const flat = flatten(x);
  return tensor([x.size, flat.slice(0, -1).item()]);
};

/** The gradient of the image towards the sum of a result. */
const gradientOf = (f: (x: Tensor) => Tensor): Tensor => {
  const x = tensor(values(16), { shape: [1, 1, 4, 4], requiresGrad: true });
  f(x).sum().backward();
  return x.grad as Tensor;
};
/** An image with a single event, and 64 filters of one value: products follow the event. */
const event = (): Tensor => tensor([1, ...repeated(0, 15)], { shape: [1, 1, 4, 4] });
const filters = (): Tensor => ones([64, 1, 1, 1]);

/** The sum of the image. */
const TOTAL = 136;

const ROWS: Record<string, Row> = {
  // One place of the window, whatever the stride; one value under it, whatever the dilation.
  "conv1d, stride": same(LARGEST, (n) => conv1d(signal(), ones([1, 1, 4]), null, { stride: n }), 10),
  "conv1d, dilation": same(LARGEST, (n) => conv1d(signal(), ones([1, 1, 1]), null, { dilation: n }), 1, 2, 3, 4),
  "conv1d, padding": same(MANY, (n) => conv1d(signal(), ones([1, 1, 4]), null, { padding: n, stride: n }), 0, 10, 0),
  "conv1d, padding and dilation": same(
    MANY,
    (n) => conv1d(signal(), ones([1, 1, 3]), null, { padding: n, dilation: n }),
    1,
    2,
    3,
    4,
  ),
  "conv1d, groups": same(1, (n) => conv1d(signal(), ones([1, 1, 4]), null, { groups: n }), 10),
  "conv2d, stride": same(LARGEST, (n) => conv2d(image(), ones([1, 1, 4, 4]), null, { stride: n }), TOTAL),
  "conv2d, one stride": same(LARGEST, (n) => conv2d(image(), ones([1, 1, 4, 4]), null, { stride: [n, 1] }), TOTAL),
  "conv2d, dilation": same(LARGEST, (n) => conv2d(image(), ones([1, 1, 1, 1]), null, { dilation: n }), ...values(16)),
  "conv2d, padding": same(
    1024,
    (n) => conv2d(image(), ones([1, 1, 4, 4]), null, { padding: n, stride: n }),
    ...[0, 0, 0, 0, TOTAL, 0, 0, 0, 0],
  ),
  "conv2d of an event, dilation": same(
    LARGEST,
    (n) => conv2d(event(), filters(), null, { dilation: n }).sum({ axis: [0, 1] }),
    ...[1, ...repeated(0, 15)].map((value) => 64 * value),
  ),
  "conv2d of an event, stride": same(
    LARGEST,
    (n) => conv2d(event(), filters(), null, { stride: [n, 1] }).sum({ axis: [0, 1] }),
    64,
    0,
    0,
    0,
  ),
  "conv2d of an event, padding": row(
    1024,
    (n) => {
      const z = conv2d(event(), filters(), null, { padding: [n, 0] });
      return tensor([z.size, z.sum().item(), z.select(2, n).select(2, 0).sum().item()]);
    },
    (n) => [64 * (4 + 2 * n) * 4, 64, 64],
  ),
  "conv2d, gradient": same(
    LARGEST,
    (n) => gradientOf((x) => conv2d(x, ones([1, 1, 1, 1]), null, { dilation: n, stride: [1, n] })),
    ...[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0],
  ),
  "convTranspose2d, stride": same(
    LARGEST,
    (n) => convTranspose2d(ones([1, 1, 1, 1]), image(), null, { stride: n }),
    ...values(16),
  ),
  "convTranspose2d, dilation": same(
    LARGEST,
    (n) => convTranspose2d(image(), ones([1, 1, 1, 1]), null, { dilation: n }),
    ...values(16),
  ),
  "convTranspose2d, padding": same(
    1024,
    (n) => convTranspose2d(image(), ones([1, 1, 2 * n - 3, 2 * n - 3]), null, { padding: n - 1 }),
    ...repeated(TOTAL, 4),
  ),
  "convTranspose2d, outputPadding": row(
    1024,
    (n) => lastOf(convTranspose2d(ones([1, 1, 1, 1]), ones([1, 1, 1, 1]), null, { outputPadding: n, stride: n + 1 })),
    (n) => [(n + 1) ** 2, 0],
  ),
  "maxPool2d, stride": same(LARGEST, (n) => maxPool2d(image(), 3, { stride: n, ceilMode: true, padding: 1 }), 6),
  "maxPool2d, kernel": same(
    2 ** 29,
    (n) => maxPool2d(image(), n, { padding: Math.floor(n / 2), stride: 2, ceilMode: true }),
    ...repeated(16, 4),
    ...repeated(16, 5),
  ),
  "maxPool2d, kernel and stride": same(
    2 ** 29,
    (n) => maxPool2d(image(), n, { padding: Math.floor(n / 2), stride: Math.floor(n / 2), ceilMode: true }),
    16,
    16,
    16,
    16,
  ),
  // Two values under the window, both beyond the image, and three, of which one is inside.
  "maxPool2d, dilation": same(
    2 ** 29,
    (n) => maxPool2d(image(), 2, { dilation: n, padding: Math.floor(n / 2), stride: 1 }),
    ...repeated(-Infinity, 16),
  ),
  "maxPool2d, dilation and padding": same(
    2 ** 28,
    (n) => maxPool2d(image(), 3, { dilation: n, padding: n, stride: 1 }),
    ...values(16),
  ),
  "maxPool2d, gradient": same(
    2 ** 28,
    (n) =>
      gradientOf((x) => maxPool2d(x, [n, 2], { padding: [Math.floor(n / 2), 0], stride: [n, 2], dilation: [1, 2] })),
    ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0],
  ),
  "avgPool2d, gradient": row(
    2 ** 29,
    (n) => gradientOf((x) => avgPool2d(x, n, { padding: Math.floor(n / 2), stride: 4 })),
    (n) => repeated(4 * Math.fround(1 / n ** 2), 16),
  ),
  "adaptiveAvgPool2d, gradient": row(
    60000,
    (n) => gradientOf((x) => adaptiveAvgPool2d(x, [1, n])).sum({ axis: [0, 1, 2] }),
    (n) => repeated(n / 4, 4),
  ),
  "avgPool2d, stride": same(LARGEST, (n) => avgPool2d(image(), 4, { stride: n, ceilMode: true }), 8.5),
  "avgPool2d, kernel": row(
    2 ** 29,
    (n) => avgPool2d(image(), n, { padding: Math.floor(n / 2), stride: 4 }),
    (n) => repeated(Math.fround(136 / n ** 2), 4),
  ),
  "avgPool2d, kernel of 50000": row(
    50000,
    (n) => avgPool2d(image(), [n, n], { padding: Math.floor(n / 2), stride: n }),
    (n) => [Math.fround(136 / n ** 2)],
  ),
  "avgPool2d, kernel of 65536": row(
    65536,
    (n) => avgPool2d(image(), [n, n], { padding: Math.floor(n / 2), stride: n }),
    (n) => [Math.fround(136 / n ** 2)],
  ),
  "avgPool2d, kernel without padding in the count": same(
    2 ** 29,
    (n) => avgPool2d(image(), n, { padding: Math.floor(n / 2), stride: 4, countIncludePad: false }),
    ...repeated(8.5, 4),
  ),
  adaptiveAvgPool2d: row(
    60000,
    (n) => adaptiveAvgPool2d(ones([1, 1, 1, 50000]), [1, n]).sum(),
    (n) => [n],
  ),
  "pad, before": row(
    MANY,
    (n) => lastOf(pad(vector(), [n, 0])),
    (n) => [n + 4, 4],
  ),
  "pad, behind": row(
    MANY,
    (n) => lastOf(pad(vector(), [0, n])),
    (n) => [n + 4, 0],
  ),
  "pad, cutting": same(3, (n) => pad(vector(), [-n, 0]), 4),
  "pad, cutting and adding": same(3, (n) => lastOf(pad(vector(), [-n, n])), 4, 0),
  "slice, start": same(3, (n) => vector().slice(0, n), 4),
  "slice, bounds": same(LARGEST, (n) => vector().slice(0, -n, n), 1, 2, 3, 4),
  "slice, step": same(Number.MAX_SAFE_INTEGER, (n) => vector().slice(0, 1, 4, n), 2),
  "slice, step along the last axis": same(Number.MAX_SAFE_INTEGER, (n) => matrix().slice(1, 1, 4, n), 2, 6, 10, 14),
  select: same(3, (n) => vector().select(0, n), 4),
  "select, from the end": same(4, (n) => vector().select(0, -n), 1),
  split: same(Number.MAX_SAFE_INTEGER, (n) => vector().split(n), 1, 2, 3, 4),
  "split, list": same(2, (n) => vector().split([2, n]), 1, 2, 3, 4),
  tile: row(
    MANY,
    (n) => lastOf(vector().tile([n])),
    (n) => [4 * n, 4],
  ),
  expand: row(
    MANY,
    (n) => lastOf(expand(tensor([3]), [n])),
    (n) => [n, 3],
  ),
  reshape: same(4, (n) => vector().reshape([n, -1]), 1, 2, 3, 4),
  eye: row(
    1024,
    (n) => lastOf(eye(n)),
    (n) => [n * n, 1],
  ),
  arange: row(
    MANY,
    (n) => lastOf(arange(0, n)),
    (n) => [n, n - 1],
  ),
  "arange, start": row(
    Number.MAX_SAFE_INTEGER,
    (n) => arange(n - 2, n),
    (n) => [Math.fround(n - 2), Math.fround(n - 1)],
  ),
  "arange, step": same(Number.MAX_SAFE_INTEGER, (n) => arange(0, 3, n), 0),
  full: row(
    MANY,
    (n) => lastOf(full([n], 5)),
    (n) => [n, 5],
  ),
  rand: same(MANY, (n) => rand([n]).sum().gt(0), 1),
  tril: same(Number.MAX_SAFE_INTEGER, (n) => matrix().tril(n), ...values(16)),
  "tril, below": same(Number.MAX_SAFE_INTEGER, (n) => matrix().tril(-n), ...repeated(0, 16)),
  "sum, axis": same(0, (n) => vector().sum({ axis: n }), 10),
  indexSelect: same(3, (n) => vector().indexSelect(0, [n]), 4),
  gather: same(3, (n) => vector().gather(0, [n]), 4),
  scatterAdd: same(3, (n) => vector().scatterAdd(0, [n], tensor([1])), 1, 2, 3, 5),
  embedding: same(3, (n) => embedding([n], matrix()), 13, 14, 15, 16),
  "embedding, paddingIdx": same(3, (n) => embedding([3], matrix(), { paddingIdx: n }), 13, 14, 15, 16),
  groupNorm: same(4, (n) => groupNorm(ones([1, 4, 4]), n), ...repeated(0, 16)),
  "crossEntropy, targets": same(
    1,
    (n) => crossEntropy(zeros([1, 2]), [n], { reduction: "sum" }),
    Math.fround(Math.LN2),
  ),
  "crossEntropy, ignoreIndex": same(
    Number.MAX_SAFE_INTEGER,
    (n) => crossEntropy(zeros([2, 2]), [n, 1], { ignoreIndex: n, reduction: "sum" }),
    Math.fround(Math.LN2),
  ),
  Linear: row(
    WIDE,
    (n) => tensor([new Linear(n, 1).weight.size]),
    (n) => [n],
  ),
  "Conv1d, kernel": row(
    WIDE,
    (n) => tensor([new Conv1d(1, 1, n).weight.size]),
    (n) => [n],
  ),
  "Conv1d, channels": row(
    WIDE,
    (n) => tensor([new Conv1d(n, 1, 1).weight.size]),
    (n) => [n],
  ),
  "Conv2d, stride": same(
    LARGEST,
    (n) => tensor([...new Conv2d(1, 1, 4, { stride: n, padding: 1 }).forward(image()).shape]),
    ...[1, 1, 1, 1],
  ),
  "MaxPool2d, stride": same(LARGEST, (n) => new MaxPool2d(2, { stride: n, ceilMode: true }).forward(image()), 6),
  Embedding: row(
    WIDE,
    (n) => tensor([new Embedding(n, 1).weight.size]),
    (n) => [n],
  ),
  BatchNorm1d: row(
    WIDE,
    (n) => tensor([(new BatchNorm1d(n).weight as Tensor).size]),
    (n) => [n],
  ),
  LayerNorm: row(
    WIDE,
    (n) => tensor([(new LayerNorm([n]).weight as Tensor).size]),
    (n) => [n],
  ),
  GroupNorm: row(
    WIDE,
    (n) => tensor([(new GroupNorm(n, n).weight as Tensor).size]),
    (n) => [n],
  ),
  "DataLoader, batchSize": same(
    2 ** 31 - 1,
    (n) => {
      const data = new TensorDataset(Float32Array.of(1, 2, 3), Uint8Array.of(0, 1, 0), { shape: [1] });
      return [...new DataLoader(data, { batchSize: n })].map(({ x }) => x.clone());
    },
    1,
    2,
    3,
  ),
  "Generator, seed": row(
    Number.MAX_SAFE_INTEGER,
    (n) => {
      const [low, all] = [n % 2 ** 32, n].map((seed) => rand([4], { generator: new Generator(seed) })) as [
        Tensor,
        Tensor,
      ];
      return low.eq(all).sum();
    },
    (n) => [n < 2 ** 32 ? 4 : 0],
  ),
  poissonEncode: row(
    MANY,
    (n) => lastOf(poissonEncode(vector(), { timesteps: n })),
    (n) => [4 * n, 1],
  ),
  ttfsEncode: row(
    MANY,
    (n) => lastOf(ttfsEncode(tensor([1, 1e-5]), { timesteps: n })),
    (n) => [2 * n, n < 1e5 ? 1 : 0],
  ),
  constantEncode: row(
    MANY,
    (n) => lastOf(constantEncode(vector(), { timesteps: n })),
    (n) => [4 * n, 4],
  ),
  "poissonEncode, firstSpikeTime": row(
    MANY - 1,
    (n) => lastOf(poissonEncode(vector(), { timesteps: MANY, firstSpikeTime: n })),
    (n) => [4 * MANY, n < MANY ? 1 : 0],
  ),
  latencyEncode: row(
    MANY,
    (n) => lastOf(latencyEncode(tensor([1, 0]), { timesteps: n, normalize: true })),
    (n) => [2 * n, 1],
  ),
  "latencyEncode, firstSpikeTime": row(
    MANY - 1,
    (n) => lastOf(latencyEncode(tensor([1, 1]), { timesteps: MANY, firstSpikeTime: n })),
    () => [2 * MANY, 1],
  ),
  phaseEncode: row(
    MANY,
    (n) => lastOf(phaseEncode(tensor([1]), { timesteps: n })),
    (n) => [n, 1],
  ),
  "phaseEncode, phases": same(24, (n) => phaseEncode(tensor([1]), { timesteps: 3, phases: n }), 1, 1, 1),
  burstEncode: row(
    MANY,
    (n) => lastOf(burstEncode(tensor([1]), { timesteps: n, minInterval: 1, maxSpikes: n })),
    (n) => [n, 1],
  ),
  "burstEncode, maxSpikes": same(
    LARGEST,
    (n) => burstEncode(tensor([1]), { timesteps: 3, minInterval: 1, maxSpikes: n }),
    ...[1, 1, 1],
  ),
  "burstEncode, intervals": same(
    LARGEST,
    (n) => burstEncode(tensor([1, 0.5]), { timesteps: 3, minInterval: n, maxInterval: n }),
    ...[1, 1, 0, 0, 0, 0],
  ),
  "populationEncode, timesteps": row(
    MANY,
    (n) => lastOf(populationEncode(tensor([0]), { timesteps: n, centers: [0, 2], sigma: 1, silent: 0.5 })),
    (n) => [2 * n, 0],
  ),
  "rateTargets, timesteps": row(
    MANY,
    (n) => lastOf(rateTargets([1], { numClasses: 2, timesteps: n })),
    (n) => [2 * n, 1],
  ),
  "rateTargets, firstSpikeTime": row(
    MANY - 1,
    (n) => lastOf(rateTargets([1], { numClasses: 2, timesteps: MANY, firstSpikeTime: n })),
    () => [2 * MANY, 1],
  ),
  "LIF, refractorySteps": same(
    2 ** 24,
    (n) => new LIF({ refractorySteps: n }).forward(full([6, 1], 2)),
    ...[1, 0, 0, 0, 0, 0],
  ),
  "LIF, counters": row(
    2 ** 24,
    (n) => new LIF({ refractorySteps: n }).unroll(full([3, 1], 2)).state.refractory,
    (n) => [n - 2],
  ),
  "RecurrentLIF, refractorySteps": same(
    2 ** 24,
    (n) => new RecurrentLIF({ features: 1, connection: "one", refractorySteps: n }).forward(full([4, 1, 1], 2)),
    ...[1, 0, 0, 0],
  ),
  "RecurrentLIF, features": row(
    1024,
    (n) => tensor([new RecurrentLIF({ features: n }).features]),
    (n) => [n],
  ),
};

for (const [name, { call, expected, fine }] of Object.entries(ROWS)) {
  test(`integers: ${name} is right at ${fine}, and right or refused where 32 bits would wrap`, () => {
    for (const n of [fine, ...EXTREME]) {
      tape(() => {
        let result: number[] | null = null;
        try {
          result = [call(n)].flat().flatMap((t) => Array.from(t.toFloat32Array()));
        } catch (error) {
          expect(error, `${n}`).toBeInstanceOf(RangeError);
        }
        if (n === fine) expect(result, `${n}`).not.toBeNull();
        if (result !== null) expect(result, `${n}`).toEqual(expected(n));
      });
    }
  });
}

/** The largest tensor of spikes, all of them ones: 128 MB. */
function allOnes(shape: readonly number[]): Tensor {
  const z = emptySpikesOf(shape);
  expect(z.size).toBe(2 ** 30);
  new Uint8Array(memory.buffer, z.bits, z.size / 8).fill(255);
  return z;
}

test("integers: 2³⁰ spikes are counted, pooled and multiplied", () => {
  const results: Record<string, [(spikes: Tensor) => Tensor, shape: number[], value: number]> = {
    sum: [(x) => x.sum({ axis: 0 }), [2 ** 11, 2 ** 19], 2 ** 11],
    avgPool2d: [(x) => avgPool2d(x, 64), [4, 1, 2 ** 14, 2 ** 14], 1],
    maxPool2d: [(x) => avgPool2d(maxPool2d(x, 16), 16), [1, 1, 2 ** 15, 2 ** 15], 1],
    linear: [(x) => linear(x, ones([1, 2048])), [2 ** 19, 2048], 2048],
  };
  for (const [name, [op, shape, value]] of Object.entries(results)) {
    tape(() => {
      const z = op(allOnes(shape));
      expect([z.amin().item(), z.amax().item()], name).toEqual([value, value]);
    });
  }
});
