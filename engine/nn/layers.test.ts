/** Layers for images and signals: names and initial values, gradients of a batch, training and evaluation. */
import { expect, test } from "vitest";
import { bits, bytesKept, expectNear, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import {
  AvgPool2d,
  avgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  batchNorm,
  Conv1d,
  Conv2d,
  conv1d,
  conv2d,
  crossEntropy,
  Dropout,
  dropout,
  expand,
  Flatten,
  Generator,
  GroupNorm,
  gradcheck,
  groupNorm,
  LayerNorm,
  Linear,
  layerNorm,
  MaxPool2d,
  Module,
  manualSeed,
  maxPool2d,
  noGrad,
  ReLU,
  relu,
  Sequential,
  SGD,
  summary,
  type Tensor,
  tape,
} from "../index.ts";

const namesOf = (module: Module): string[] => Object.keys(module.stateDict());

test("conv: weight and bias start uniform in ±1/√(in / groups·kernel), as in PyTorch", () => {
  const generator = new Generator(2);
  for (const [layer, shape, fan] of [
    [new Conv2d(8, 60, [3, 5], { groups: 2, generator }), [60, 4, 3, 5], 60],
    [new Conv2d(6, 90, 2, { generator }), [90, 6, 2, 2], 24],
    [new Conv1d(5, 100, 7, { generator }), [100, 5, 7], 35],
  ] as const) {
    expect(layer.weight.shape).toEqual(shape);
    expect(layer.bias?.shape).toEqual([shape[0]]);
    const bound = 1 / Math.sqrt(fan);
    const [weights, biases] = [values(layer.weight), values(layer.bias as Tensor)];
    expect([...weights, ...biases].every((v) => Math.abs(v) <= Math.fround(bound))).toBe(true);
    expect(Math.max(...weights)).toBeGreaterThan(0.99 * bound);
    expect(Math.min(...weights)).toBeLessThan(-0.99 * bound);
    expect(Math.max(...biases.map(Math.abs))).toBeGreaterThan(0.9 * bound);
    const deviation = bound / Math.sqrt(3);
    const mean = weights.reduce((sum, v) => sum + v, 0) / weights.length;
    expect(Math.abs(mean)).toBeLessThan((5 * deviation) / Math.sqrt(weights.length));
  }
});

test("conv: the same seed gives the same layer; names are PyTorch's", () => {
  manualSeed(3);
  const first = new Conv2d(2, 3, 3);
  manualSeed(3);
  expect(new Conv2d(2, 3, 3).parameters().map(bits)).toEqual(first.parameters().map(bits));
  expect(namesOf(first)).toEqual(["weight", "bias"]);
  expect(namesOf(new Conv1d(2, 3, 3, { bias: false }))).toEqual(["weight"]);
  expect(first.parameters().every((t) => t.requiresGrad)).toBe(true);
});

test("conv: a layer is its function with its options", () => {
  const options = { stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 2 } as const;
  const layer = new Conv2d(4, 6, [3, 2], options);
  const x = random([2, 4, 7, 8], 1);
  expect(bits(layer.forward(x))).toEqual(bits(conv2d(x, layer.weight, layer.bias, options)));
  expect(layer).toMatchObject(options);
  const signal = new Conv1d(4, 6, 3, { stride: 2, padding: 1, dilation: 2, groups: 2, bias: false });
  const s = random([3, 4, 11], 2);
  expect(bits(signal.forward(s))).toEqual(
    bits(conv1d(s, signal.weight, null, { stride: 2, padding: 1, dilation: 2, groups: 2 })),
  );
});

test("pools: a layer is its function with its options", () => {
  const x = random([2, 3, 7, 9], 1);
  const options = { stride: [1, 2], padding: 1, ceilMode: true } as const;
  expect(bits(new MaxPool2d(3, { ...options, dilation: 2 }).forward(x))).toEqual(
    bits(maxPool2d(x, 3, { ...options, dilation: 2 })),
  );
  const average = new AvgPool2d([2, 3], { ...options, countIncludePad: false });
  expect(bits(average.forward(x))).toEqual(bits(avgPool2d(x, [2, 3], { ...options, countIncludePad: false })));
  expect(new MaxPool2d(2).forward(x).shape).toEqual([2, 3, 3, 4]);
});

const STATISTICS = ["running_mean", "running_var", "num_batches_tracked"];

test("batch norm: names are PyTorch's, parameters first; only weight and bias are trained", () => {
  const layer = new BatchNorm2d(3);
  expect(namesOf(layer)).toEqual(["weight", "bias", ...STATISTICS]);
  expect(layer.namedParameters().map(([name]) => name)).toEqual(["weight", "bias"]);
  const state = layer.stateDict();
  expect(Array.from(state.weight?.data ?? [])).toEqual([1, 1, 1]);
  expect(Array.from(state.bias?.data ?? [])).toEqual([0, 0, 0]);
  expect(Array.from(state.running_mean?.data ?? [])).toEqual([0, 0, 0]);
  expect(Array.from(state.running_var?.data ?? [])).toEqual([1, 1, 1]);
  expect(state.num_batches_tracked).toEqual({ shape: [], data: Float32Array.of(0) });
  expect(namesOf(new BatchNorm1d(3, { affine: false }))).toEqual(STATISTICS);
  expect(namesOf(new BatchNorm1d(3, { trackRunningStats: false }))).toEqual(["weight", "bias"]);
  const network = new Sequential(new Conv2d(1, 2, 3), new BatchNorm2d(2), new Flatten(), new Linear(8, 2));
  expect(namesOf(network)).toEqual([
    "0.weight",
    "0.bias",
    "1.weight",
    "1.bias",
    ...STATISTICS.map((name) => `1.${name}`),
    "3.weight",
    "3.bias",
  ]);
  expect(network.parameters().length).toBe(6);
});

test("batch norm: training takes the batch and moves the statistics, evaluation takes them as they are", () => {
  const layer = new BatchNorm2d(2, { momentum: 0.25, eps: 1e-3 });
  const [x, y] = [random([3, 2, 4, 4], 1, { low: 1, high: 3 }), random([3, 2, 4, 4], 2)];
  const { runningMean, runningVar } = layer;
  const z = layer.forward(x);
  expect(bits(z)).toEqual(bits(batchNorm(x, { training: true, eps: 1e-3 })));
  layer.forward(y);
  const moved = (t: (x: Tensor) => Tensor, start: number) =>
    values(t(x)).map((v, c) => 0.75 * (0.75 * start + 0.25 * v) + 0.25 * (values(t(y))[c] as number));
  const axis = [0, 2, 3];
  expectNear(
    values(runningMean as Tensor),
    moved((t) => t.mean({ axis }), 0),
    "means",
  );
  expectNear(
    values(runningVar as Tensor),
    moved((t) => t.variance({ axis }), 1),
    "variances",
  );
  expect(layer.numBatchesTracked?.item()).toBe(2);
  layer.eval();
  const kept = layer.stateDict();
  const out = layer.forward(x);
  expect(bits(out)).toEqual(bits(batchNorm(x, { runningMean, runningVar, eps: 1e-3 })));
  expect(layer.stateDict()).toEqual(kept);
});

test("batch norm: without a momentum the statistics are means over all batches", () => {
  const layer = new BatchNorm1d(2, { momentum: null });
  const batches = [1, 2, 3, 4].map((seed) => random([5, 2], seed));
  for (const x of batches) layer.forward(x);
  const meanOf = (t: (x: Tensor) => Tensor) =>
    [0, 1].map((c) => batches.reduce((sum, x) => sum + (values(t(x))[c] as number) / 4, 0));
  expectNear(
    values(layer.runningMean as Tensor),
    meanOf((x) => x.mean({ axis: 0 })),
    "means",
  );
  expectNear(
    values(layer.runningVar as Tensor),
    meanOf((x) => x.variance({ axis: 0 })),
    "variances",
  );
});

test("batch norm: without running statistics evaluation takes those of its batch", () => {
  const layer = new BatchNorm1d(3, { trackRunningStats: false }).eval();
  const x = random([4, 3], 1);
  expect(bits(layer.forward(x))).toEqual(bits(batchNorm(x, { training: true })));
});

test("batch norm: ranks of PyTorch mean what they mean there, and time is in front of them", () => {
  const layer = () => new BatchNorm1d(3);
  const vectors = random([4, 3], 1);
  expect(bits(layer().forward(vectors))).toEqual(bits(batchNorm(vectors, { training: true })));
  const signals = random([4, 3, 5], 2);
  expect(bits(layer().forward(signals))).toEqual(bits(batchNorm(signals, { training: true })));
  const over = random([2, 4, 3, 5], 3);
  expect(bits(layer().forward(over))).toEqual(bits(batchNorm(over.reshape([8, 3, 5]), { training: true })));
  const spikes = random([2, 4, 3], 4);
  expect(bits(new BatchNorm1d(3, { axis: -1 }).forward(spikes))).toEqual(
    bits(batchNorm(spikes.reshape([8, 3]), { training: true })),
  );
  expect(bits(new BatchNorm1d(3, { axis: 2 }).forward(spikes))).toEqual(
    bits(new BatchNorm1d(3, { axis: -1 }).forward(spikes)),
  );
  const images = random([2, 4, 3, 2, 2], 5);
  expect(bits(new BatchNorm2d(3).forward(images))).toEqual(
    bits(batchNorm(images.reshape([8, 3, 2, 2]), { training: true })),
  );
});

test("batch norm: a state loads into another layer, statistics and count included", () => {
  const from = new Sequential(new Conv2d(1, 2, 3), new BatchNorm2d(2));
  noGrad(() => from.forward(random([2, 1, 6, 6], 1)));
  const to = new Sequential(new Conv2d(1, 2, 3), new BatchNorm2d(2));
  const layers = to.modules as [Conv2d, BatchNorm2d];
  const { runningMean } = layers[1];
  to.loadStateDict(from.stateDict());
  expect(to.stateDict()).toEqual(from.stateDict());
  expect(layers[1].runningMean).toBe(runningMean);
  const { "1.running_mean": mean, ...rest } = new Sequential(new Conv2d(1, 2, 3), new BatchNorm2d(2)).stateDict();
  expect(to.loadStateDict(rest).missingBuffers).toEqual(["1.running_mean"]);
  expect(to.stateDict()).toEqual({ ...rest, "1.running_mean": from.stateDict()["1.running_mean"] });
});

test("batch norm: gradcheck over a layer leaves its state alone", () => {
  const layer = new BatchNorm2d(2);
  const before = layer.stateDict();
  gradcheck((x) => layer.forward(x), [random([2, 2, 2, 2], 1)]);
  expect(layer.stateDict()).toEqual(before);
});

test("batch norm: a layer made and run inside a tape keeps what it has learned", () => {
  const layer = tape(() => {
    const made = new BatchNorm1d(2);
    made.forward(random([8, 2], 1));
    return { made };
  }).made;
  expect(layer.numBatchesTracked?.item()).toBe(1);
  expect(values(layer.runningMean as Tensor)).not.toEqual([0, 0]);
});

test("layer and group norm: a layer is its function with its parameters", () => {
  const x = random([2, 4, 3, 5], 1);
  const layer = new LayerNorm([3, 5], { eps: 0.1 });
  expect(namesOf(layer)).toEqual(["weight", "bias"]);
  expect(layer.weight?.shape).toEqual([3, 5]);
  layer.weight?.copyFrom(random([3, 5], 2));
  layer.bias?.copyFrom(random([3, 5], 3));
  expect(bits(layer.forward(x))).toEqual(
    bits(layerNorm(x, [3, 5], { weight: layer.weight, bias: layer.bias, eps: 0.1 })),
  );
  expect(namesOf(new LayerNorm(5, { affine: false }))).toEqual([]);
  expect(new LayerNorm(5).weight?.shape).toEqual([5]);
  const groups = new GroupNorm(2, 4);
  expect(groups.weight?.shape).toEqual([4]);
  expect(bits(groups.forward(x))).toEqual(bits(groupNorm(x, 2)));
  const signals = random([2, 3, 4, 5], 4);
  expect(bits(new GroupNorm(2, 4, { axis: -2 }).forward(signals))).toEqual(bits(groupNorm(signals, 2, { axis: -2 })));
});

test("dropout: in training as the function, in evaluation the identity", () => {
  const x = random([4, 50], 1);
  const layer = new Dropout(0.3, { generator: new Generator(5) });
  expect(bits(layer.forward(x))).toEqual(bits(dropout(x, { p: 0.3, generator: new Generator(5) })));
  expect(bits(layer.eval().forward(x))).toEqual(bits(x));
  expect(new Dropout().p).toBe(0.5);
  const fixed = new Dropout(0.3, { generator: new Generator(5), sharedAxes: 0 });
  const generator = new Generator(5);
  expect(bits(fixed.forward(x))).toEqual(bits(dropout(x, { p: 0.3, generator, sharedAxes: 0 })));
  expect(fixed.sharedAxes).toEqual([0]);
  expect(() => new Dropout(0.3, { sharedAxes: 0.5 })).toThrow("Dropout: sharedAxes[0] must be an integer, got 0.5");
});

test("layers: options out of range are RangeErrors that name them, and nothing is kept", () => {
  const refused: [message: string, make: () => unknown][] = [
    ["Conv2d: expected channels that the groups divide, got 3 and 4 in 2", () => new Conv2d(3, 4, 3, { groups: 2 })],
    ["Conv2d: inChannels must be a positive integer, got 0", () => new Conv2d(0, 4, 3)],
    ["Conv1d: groups must be a positive integer, got 0.5", () => new Conv1d(2, 2, 3, { groups: 0.5 })],
    ["Conv1d: expected kernel to be an integer in [1, 2³⁰] or two of them, got 0", () => new Conv1d(2, 2, 0)],
    [
      "Conv2d: expected kernel to be an integer in [1, 2³⁰] or two of them, got [3, 2.5]",
      () => new Conv2d(2, 2, [3, 2.5]),
    ],
    [
      "Conv2d: expected stride to be an integer in [1, 2³⁰] or two of them, got 0",
      () => new Conv2d(2, 2, 3, { stride: 0 }),
    ],
    [
      "Conv2d: expected padding to be an integer in [0, 2³⁰] or two of them, got [0, -1]",
      () => new Conv2d(2, 2, 3, { padding: [0, -1] }),
    ],
    ["MaxPool2d: expected kernel to be an integer in [1, 2³⁰] or two of them, got -2", () => new MaxPool2d(-2)],
    ["MaxPool2d: expected padding of at most half the kernel 2, got 2", () => new MaxPool2d(2, { padding: 2 })],
    [
      "AvgPool2d: expected stride to be an integer in [1, 2³⁰] or two of them, got 1.5",
      () => new AvgPool2d(2, { stride: 1.5 }),
    ],
    ["BatchNorm2d: expected positive integer sizes, got shape [0]", () => new BatchNorm2d(0)],
    ["BatchNorm1d: momentum must be in [0, 1], got -1", () => new BatchNorm1d(2, { momentum: -1 })],
    ["BatchNorm1d: eps must be finite and ≥ 0, got -1", () => new BatchNorm1d(2, { eps: -1 })],
    ["LayerNorm: expected positive integer sizes, got shape [3, -1]", () => new LayerNorm([3, -1])],
    ["GroupNorm: expected numGroups to divide 4 channels, got 3", () => new GroupNorm(3, 4)],
    ["Dropout: p must be in [0, 1], got 2", () => new Dropout(2)],
  ];
  const kept = bytesKept(() => {
    for (const [message, make] of refused) expect(make).toThrow(new RangeError(message));
  });
  expect(kept).toBe(0);
  expect(() => new BatchNorm1d(3).forward(random([2, 4, 3], 1))).toThrow(
    new RangeError("BatchNorm1d: expected 3 channels on axis -2, got [2, 4, 3]"),
  );
  expect(() => new BatchNorm2d(2).forward(random([2, 3, 3], 1))).toThrow(
    new RangeError("BatchNorm2d: expected x [..., N, C, H, W], got [2, 3, 3]"),
  );
});

test("layers: a static image goes through a convolution, its pool and its normalisation once", () => {
  const network = new Sequential(new Conv2d(1, 4, 3), new BatchNorm2d(4), new MaxPool2d(2));
  tape(() => {
    const z = network.forward(expand(random([2, 1, 8, 8], 1), [6, 2, 1, 8, 8]));
    expect(z.shape).toEqual([6, 2, 4, 3, 3]);
    expect(z.ptr).toBe(0);
  });
});

test("layers: a summary runs them without a trace", () => {
  const network = new Sequential(new Conv2d(1, 4, 3), new BatchNorm2d(4), new MaxPool2d(2), new Dropout());
  const state = network.stateDict();
  const rows = summary(network, [2, 1, 8, 8]).split("\n").slice(2);
  expect(rows.map((row) => row.replaceAll(/ +/g, " "))).toEqual([
    "0: Conv2d [2, 4, 6, 6] 40",
    "1: BatchNorm2d [2, 4, 6, 6] 8",
    "2: MaxPool2d [2, 4, 3, 3] 0",
    "3: Dropout [2, 4, 3, 3] 0",
    "total 48",
  ]);
  expect(network.stateDict()).toEqual(state);
});

test("layers: a small convolutional network learns its two classes", () => {
  manualSeed(1);
  const network = new Sequential(
    new Conv2d(1, 4, 3, { padding: 1 }),
    new BatchNorm2d(4),
    new MaxPool2d(2),
    new Conv2d(4, 4, 3, { padding: 1 }),
    new GroupNorm(2, 4),
    new AvgPool2d(2),
    new Flatten(),
    new LayerNorm(16),
    new Dropout(0.1),
    new Linear(16, 2),
  );
  // Bright on the left, or on the right.
  const labels = Array.from({ length: 32 }, (_, i) => i % 2);
  const x = random([32, 1, 8, 8], 2, { low: 0, high: 1 });
  x.copyFrom(x.toFloat32Array().map((v, i) => v * (Math.floor((i % 8) / 4) === labels[Math.floor(i / 64)] ? 1 : 0.3)));
  const optimizer = new SGD(network.parameters(), { lr: 0.1 });
  const step = () =>
    tape(() => {
      const loss = crossEntropy(network.forward(x), labels);
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return loss.item();
    });
  const first = step();
  for (let i = 0; i < 30; i++) step();
  network.eval();
  const predicted = values(noGrad(() => network.forward(x).argmax({ axis: -1 })));
  expect(predicted).toEqual(labels);
  expect(step()).toBeLessThan(first / 4);
});

test("batchNorm: a batch that is refused does not count", () => {
  const layer = new BatchNorm1d(3);
  const before = layer.stateDict();
  for (const shape of [
    [1, 3],
    [2, 4],
  ]) {
    expect(() => layer.forward(random(shape, 1))).toThrow(RangeError);
    expect(layer.stateDict()).toEqual(before);
  }
});

test("flatten: axes are whole numbers", () => {
  expect(() => new Flatten(NaN)).toThrow(new RangeError("Flatten: startAxis must be an integer, got NaN"));
  expect(() => new Flatten(1, 0.5)).toThrow(new RangeError("Flatten: endAxis must be an integer, got 0.5"));
});

test("layerNorm: a layer over no axis is refused", () => {
  expect(() => new LayerNorm([])).toThrow(new RangeError("LayerNorm: expected one axis or more, got []"));
  expect(() => new GroupNorm(0.5, 4)).toThrow(
    new RangeError("GroupNorm: expected numGroups to divide 4 channels, got 0.5"),
  );
});

test("layers: sizes are the layer's own, so that a list that is changed later changes nothing", () => {
  type Sizes = [number, number];
  const [kernel, stride, padding, shape]: [Sizes, Sizes, Sizes, Sizes] = [
    [2, 1],
    [1, 2],
    [1, 0],
    [2, 3],
  ];
  const options = { stride, padding } as const;
  const conv = new Conv2d(1, 2, kernel, options);
  const pools = [new MaxPool2d(kernel, options), new AvgPool2d(kernel, options)];
  const norm = new LayerNorm(shape);
  const x = random([2, 1, 4, 6], 1);
  const run = () => [conv, ...pools].map((layer) => bits(layer.forward(x)));
  const [before, normalised] = [run(), bits(norm.forward(random([4, 2, 3], 2)))];
  for (const list of [kernel, stride, padding, shape]) list.fill(7);
  Object.assign(options, { stride: 9 });
  expect(run()).toEqual(before);
  expect(bits(norm.forward(random([4, 2, 3], 2)))).toEqual(normalised);
});

test("relu: the layer is its function, and no layer behind it writes over the output that its gradient reads", () => {
  const layer = new ReLU();
  const x = leaf([3, 4], 1);
  x.copyFrom(values(x).map((v, i) => (i === 5 ? 0 : v)));
  expect(bits(layer.forward(x))).toEqual(bits(relu(x)));
  expect(layer.isPure).toBe(false);
  class Negated extends Module {
    forward(z: Tensor): Tensor {
      return z.neg();
    }
    override forwardOver(z: Tensor): Tensor {
      return z.copyFrom(z.neg());
    }
  }
  tape(() => new Sequential(layer, new Negated()).forward(x).sum().backward());
  expect(gradient(x)).toEqual(values(x).map((v) => (v > 0 ? -1 : 0)));
  expect(namesOf(layer)).toEqual([]);
});

const PURE: readonly Module[] = [
  new Linear(2, 2),
  new Conv1d(1, 1, 1),
  new Conv2d(1, 1, 1),
  new MaxPool2d(1),
  new AvgPool2d(1),
  new BatchNorm1d(2),
  new BatchNorm2d(2),
  new LayerNorm(2),
  new GroupNorm(1, 2),
  new Dropout(),
  new Flatten(),
];

test.each(PURE.map((layer) => [layer.constructor.name, layer] as const))(
  "%s is pure with the forward that it was written with, not with another in its place",
  (_name, layer) => {
    const prototype = layer.constructor.prototype as Module;
    const { forward } = prototype;
    const own = Object.getOwnPropertyDescriptor(prototype, "forward");
    const other: Module["forward"] = (x) => forward.call(layer, x);
    expect(layer.isPure).toBe(true);
    layer.forward = other;
    expect(layer.isPure).toBe(false);
    Reflect.deleteProperty(layer, "forward");
    prototype.forward = other;
    try {
      expect(layer.isPure).toBe(false);
    } finally {
      Reflect.deleteProperty(prototype, "forward");
      if (own !== undefined) Object.defineProperty(prototype, "forward", own);
    }
    expect(layer.isPure).toBe(true);
  },
);

test("sequential: what a wrapper in the prototype of a layer keeps is not written over", () => {
  class Doubling extends Module {
    forward(x: Tensor): Tensor {
      return x.mul(2);
    }
    override forwardOver(x: Tensor): Tensor {
      return x.copyFrom(this.forward(x));
    }
  }
  const linear = new Linear(2, 3);
  const model = new Sequential(linear, new Doubling());
  const x = random([4, 2], 1);
  const { forward } = Linear.prototype;
  const seen: Tensor[] = [];
  Linear.prototype.forward = function (input) {
    const z = forward.call(this, input);
    seen.push(z);
    return z;
  };
  try {
    tape(() => {
      model.forward(x);
      expect(bits(seen[0] as Tensor)).toEqual(bits(forward.call(linear, x)));
    });
  } finally {
    Linear.prototype.forward = forward;
  }
});
