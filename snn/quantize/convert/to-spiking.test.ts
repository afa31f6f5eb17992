/** Conversion: the folded network, scales, the neuron and its law, data in all forms, streams, errors. */
import { expect, test } from "vitest";
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  DataLoader,
  Dropout,
  Flatten,
  Generator,
  GroupNorm,
  Linear,
  MaxPool2d,
  Module,
  noGrad,
  ReLU,
  Sequential,
  type Tensor,
  TensorDataset,
  tensor,
} from "../../../engine/index.ts";
import { defaultGenerator, setReading } from "../../../engine/protocol.ts";
import { bits, bytesKept, expectNear, random, values } from "../../../test/support/tensors.ts";
import { constantEncode } from "../../coding/constant.ts";
import { meanOverTime, spikeCount } from "../../losses/readout.ts";
import { record } from "../../probes/record.ts";
import { Stream } from "../../stream/stream.ts";
import { Activations } from "./activations.ts";
import { chainOf } from "./chain.ts";
import { measuredActivations } from "./measure.ts";
import { rebuilt } from "./rebuild.ts";
import { SpikingReLU } from "./spiking-relu.ts";
import { type ToSpikingOptions, toSpiking } from "./to-spiking.ts";

const generator = new Generator(1);

/** Statistics and factors as after a training, with some negative factors. */
function trained<Layer extends BatchNorm1d | BatchNorm2d>(layer: Layer, seed: number): Layer {
  const C = layer.channels;
  layer.weight?.copyFrom(random([C], seed, { low: -0.5, high: 1.5 }));
  layer.bias?.copyFrom(random([C], seed + 1, { low: -0.5, high: 0.5 }));
  layer.runningMean?.copyFrom(random([C], seed + 2, { low: -0.5, high: 0.5 }));
  layer.runningVar?.copyFrom(random([C], seed + 3, { low: 0.3, high: 2 }));
  return layer;
}

const norm1d = (C: number, seed: number, options = {}): BatchNorm1d => trained(new BatchNorm1d(C, options), seed);
const norm2d = (C: number, seed: number, options = {}): BatchNorm2d => trained(new BatchNorm2d(C, options), seed);
const conv = (from: number, to: number, padding = 0, groups = 1): Conv2d =>
  new Conv2d(from, to, 3, { padding, groups, generator });
const linear = (from: number, to: number, bias = true): Linear => new Linear(from, to, { bias, generator });

/** Chains with batch normalisation and ReLU at all positions, with the shape of a sample. */
const NETWORKS: Readonly<Record<string, [shape: number[], layers: Module[]]>> = {
  "conv, norm, relu, pool, twice": [
    [2, 9, 9],
    [
      ...[conv(2, 4, 1), norm2d(4, 1), new ReLU(), new AvgPool2d(2), new Dropout()],
      ...[conv(4, 6, 0, 2), norm2d(6, 2), new ReLU(), new Flatten(), linear(24, 5), norm1d(5, 3), new ReLU()],
      linear(5, 3, false),
    ],
  ],
  "norm behind relu, in front of a padded convolution": [
    [1, 6, 6],
    [conv(1, 3), new ReLU(), norm2d(3, 4), conv(3, 2, 1), new ReLU(), new Flatten(), linear(32, 3)],
  ],
  "norm behind relu, in front of a convolution without padding": [
    [1, 6, 6],
    [conv(1, 4), new ReLU(), norm2d(4, 5), conv(4, 4, 0, 2), new ReLU(), new Flatten(), linear(16, 3)],
  ],
  "norm at the start, behind a pool, behind Flatten, and behind each other": [
    [2, 8, 8],
    [
      ...[norm2d(2, 6), conv(2, 4), new AvgPool2d(2), norm2d(4, 7), norm2d(4, 8, { affine: false }), new ReLU()],
      ...[norm2d(4, 9), new Flatten(), norm1d(36, 10), new Dropout(0.2), linear(36, 3)],
    ],
  ],
  "norm behind an average with zeros at the ends": [
    [1, 8, 8],
    [
      ...[conv(1, 3), new AvgPool2d(3, { stride: 2, padding: 1 }), norm2d(3, 11), new ReLU()],
      ...[norm2d(3, 12), new AvgPool2d(3, { stride: 2, padding: 1 }), new Flatten(), linear(12, 2)],
    ],
  ],
  "relu at the start, twice, behind norm alone, and behind pools": [
    [2, 6, 6],
    [
      ...[new ReLU(), new AvgPool2d(2), new ReLU(), norm2d(2, 13), new ReLU(), new ReLU(), conv(2, 3, 1)],
      ...[new AvgPool2d(3), new Flatten(), new ReLU(), linear(3, 4), linear(4, 4), new ReLU(), linear(4, 2)],
    ],
  ],
  "maxima, with factors below 0 behind them": [
    [1, 8, 8],
    [
      ...[conv(1, 3), new MaxPool2d(2), norm2d(3, 14), new ReLU(), new MaxPool2d(2, { stride: 1 })],
      ...[norm2d(3, 15), new MaxPool2d(2), new Flatten(), linear(3, 2)],
    ],
  ],
  signals: [
    [2, 12],
    [
      ...[new Conv1d(2, 4, 3, { stride: 2, generator }), norm1d(4, 16), new ReLU(), norm1d(4, 17)],
      ...[new Conv1d(4, 4, 3, { padding: 1, groups: 2, generator }), new ReLU(), new Flatten(), linear(20, 3)],
    ],
  ],
  "features of a linear layer behind maps, so that channels have no scales of their own": [
    [2, 5],
    [linear(5, 4), new ReLU(), new Conv1d(2, 3, 2, { generator }), new ReLU(), linear(3, 2), new ReLU(), linear(2, 2)],
  ],
  "relu, pool and Flatten at the end": [
    [1, 6, 6],
    [conv(1, 3), norm2d(3, 18), new ReLU(), conv(3, 2), norm2d(2, 19), new ReLU(), new AvgPool2d(2), new Flatten()],
  ],
};

/** The rebuilt chain with rectified linear units, random scales, and no sum. */
function folded(layers: readonly Module[], x: Tensor): Module[] {
  const chain = chainOf("test", layers, "spikes");
  const { axes, activations } = measuredActivations("test", chain, x, (batch) => batch, true);
  return rebuilt("test", chain, {
    axes,
    scalesOf(i, mayDiffer) {
      const { length } = (activations[i] as Activations).scales(100, mayDiffer);
      return Float64Array.from(random([length], i, { low: 0.5, high: 3 }).toFloat32Array());
    },
    activation: (threshold) => new Scaled(threshold),
    sum: null,
    before: 0,
  });
}

/** relu(x) / θ, which the rate of a neuron approximates. */
class Scaled extends Module {
  readonly threshold: number;
  constructor(threshold: number) {
    super();
    this.threshold = threshold;
  }

  forward(x: Tensor): Tensor {
    return x.relu().div(this.threshold);
  }
}

test.each(Object.entries(NETWORKS))(
  "toSpiking: the folded and scaled network computes the same, %s",
  (_name, [shape, layers]) => {
    const x = random([5, ...shape], 7);
    const model = new Sequential(...layers).eval();
    const modules = folded(layers, x);
    expect(modules.some((each) => each instanceof BatchNorm1d || each instanceof BatchNorm2d)).toBe(false);
    const [z, expected] = noGrad(() => [new Sequential(...modules).forward(x), model.forward(x)]);
    expectNear(values(z), values(expected), "outputs", { absolute: 1e-5, relative: 1e-5 });
    expect(Math.max(...values(expected).map(Math.abs))).toBeGreaterThan(0.05);
  },
);

test.each(Object.entries(NETWORKS))(
  "toSpiking: z[t] / (t + 1) comes close to the outputs, %s",
  (name, [shape, layers]) => {
    const x = random([3, ...shape], 8);
    const model = new Sequential(...layers).eval();
    const T = 600;
    const spiking = toSpiking(model, { data: x, timesteps: T, mode: "max", maxPool: "spikes" });
    const [z, expected] = noGrad(() => [spiking.forward(x), model.forward(x)]);
    expect(z.shape).toEqual([T, ...expected.shape]);
    // Maxima over spikes of several neurons are more frequent than spikes of the fastest neuron.
    if (name.startsWith("maxima")) return;
    const rate = noGrad(() => z.select(0, T - 1).div(T));
    const largest = Math.max(...values(expected).map(Math.abs));
    expectNear(values(rate), values(expected), "outputs", { absolute: 0.03 * largest, relative: 0 });
  },
);

test("SpikingReLU: a constant current gives clamp(⌊T·I/θ + initial⌋, 0, T) spikes", () => {
  for (const [threshold, initial] of [
    [1, 0.5],
    [2.5, 0.5],
    [1, 0],
    [0.7, 0.25],
  ] as const) {
    for (const T of [1, 4, 16, 50]) {
      // No current is near the point at which one more spike occurs.
      const ratios = Array.from(
        { length: 300 },
        (_, i) => (Math.floor((i - 60) / 2) + 0.5 - initial + (i % 2 ? 0.1 : -0.1)) / T,
      );
      const current = tensor(ratios.map((ratio) => ratio * threshold));
      const neurons = new SpikingReLU({ threshold, initial });
      const counts = values(spikeCount(neurons.forward(constantEncode(current, { timesteps: T }))));
      expect(counts).toEqual(ratios.map((ratio) => Math.min(Math.max(Math.floor(T * ratio + initial), 0), T)));
      const errors = counts.map((count, i) => Math.abs(count / T - Math.min(Math.max(ratios[i] as number, 0), 1)));
      expect(Math.max(...errors)).toBeLessThanOrEqual(Math.max(initial, 1 - initial) / T + 1e-6);
    }
  }
});

test("toSpiking: of a layer and its readout the error is at most Σ |w|·λ / 2T, after every number of steps", () => {
  const model = new Sequential(linear(6, 12), new ReLU(), linear(12, 4)).eval();
  const x = random([40, 6], 3);
  const spiking = toSpiking(model, { data: x, timesteps: 32, mode: "max" });
  const scaled = spiking.modules[3] as Linear;
  const [z, expected] = noGrad(() => [spiking.forward(x), values(model.forward(x))]);
  // The weights of the readout are w·λ.
  const bounds = values(noGrad(() => scaled.weight.abs().sum({ axis: 1 })));
  for (const T of [1, 2, 5, 16, 32]) {
    const rates = values(noGrad(() => z.select(0, T - 1).div(T)));
    for (const [i, rate] of rates.entries()) {
      expect(Math.abs(rate - (expected[i] as number))).toBeLessThanOrEqual((bounds[i % 4] as number) / (2 * T) + 1e-5);
    }
  }
});

/** Weights 1 and 2, biases 0 and 1/2; activations (1, 2.5) and (2, 4.5) of the data 1 and 2. */
function byHand(): { model: Sequential; data: Tensor } {
  const [first, second] = [linear(1, 2), linear(2, 1)];
  first.weight.copyFrom([1, 2]);
  first.bias?.copyFrom([0, 0.5]);
  second.weight.copyFrom([3, -1]);
  second.bias?.copyFrom([0.25]);
  return { model: new Sequential(first, new ReLU(), second), data: tensor([[1], [2]]) };
}

/** Weights and biases of both layers. */
function weightsOf(options: Partial<ToSpikingOptions>): number[][] {
  const { model, data } = byHand();
  return toSpiking(model, { data, timesteps: 4, ...options })
    .parameters()
    .map(values);
}

test("toSpiking: scales by hand, of each channel and of the layer", () => {
  const near = (actual: number[][], expected: number[][]) =>
    actual.forEach((each, i) => expectNear(each, expected[i] as number[], `parameter ${i}`));
  near(weightsOf({ mode: "max" }), [[1 / 2, 2 / 4.5], [0, 0.5 / 4.5], [3 * 2, -4.5], [0.25]]);
  near(weightsOf({ mode: "max", perChannel: false }), [[1 / 4.5, 2 / 4.5], [0, 0.5 / 4.5], [3 * 4.5, -4.5], [0.25]]);
  near(weightsOf({ mode: "percentile", percentile: 100 }), weightsOf({ mode: "max" }));
});

test("toSpiking: a channel that is silent on the data has the scale of its layer, a silent layer the scale 1", () => {
  const { model, data } = byHand();
  (model.modules[0] as Linear).weight.copyFrom([-1, 2]);
  const modules = (options: Partial<ToSpikingOptions>) => toSpiking(model, { data, timesteps: 4, ...options }).modules;
  expectNear(values((modules({ mode: "max" })[1] as Linear).weight), [-1 / 4.5, 2 / 4.5], "weight");
  (model.modules[0] as Linear).weight.copyFrom([-1, -1]);
  expectNear(values((modules({ mode: "percentile" })[1] as Linear).weight), [-1, -1], "weight");
});

test("activations: a percentile is that of the positive ones, to 0.4 %, and the maximum is exact", () => {
  const activations = new Activations(2);
  const first = Float32Array.from({ length: 2000 }, (_, i) => (i < 1000 ? 0 : i - 999));
  const second = first.map((value) => value * 3e-5);
  expect(activations.add(Float32Array.of(...first, ...second), 2000)).toBe(true);
  const near = { absolute: 0, relative: 4e-3 };
  expectNear(activations.scales(90, true), [900, 900 * 3e-5], "percentiles", near);
  expectNear(activations.scales(99.9, true), [999, 999 * 3e-5], "percentiles", near);
  expect([...activations.scales(100, true)]).toEqual([1000, Math.fround(1000 * 3e-5)]);
  // Half of all are below 0.03: the 90th percentile of all is the 80th of the first.
  expectNear(activations.scales(90, false), [800], "of the layer", near);
  expect([...activations.scales(100, false)]).toEqual([1000]);
  expect(new Activations(1).add(Float32Array.of(1, Number.NaN), 2)).toBe(false);
  expect(new Activations(1).add(Float32Array.of(1, Infinity), 2)).toBe(false);
});

test("toSpiking: data may be a tensor, a dataset, or batches, in any division and with an encode", () => {
  const model = new Sequential(linear(6, 12), norm1d(12, 20), new ReLU(), linear(12, 4));
  const x = random([150, 6], 4);
  const dataset = new TensorDataset(x.toFloat32Array(), new Uint8Array(150), { shape: [6] });
  const half = new TensorDataset(
    x.toFloat32Array().map((v) => v / 2),
    new Uint8Array(150),
    { shape: [2, 3] },
  );
  const loader = new DataLoader(dataset, { batchSize: 7 });
  const scaled = (data: ToSpikingOptions["data"], encode?: ToSpikingOptions["encode"]) =>
    toSpiking(model, { data, timesteps: 8, ...(encode && { encode }) })
      .parameters()
      .map(bits);
  const expected = scaled(x);
  expect(scaled(dataset)).toEqual(expected);
  expect(scaled(loader)).toEqual(expected);
  expect(scaled([{ x, y: new Int32Array() }])).toEqual(expected);
  expect(scaled(half, (batch) => batch.flatten(1).mul(2))).toEqual(expected);
});

test("toSpiking: the model, its mode and the default generator stay as they are, and the result is in evaluation mode", () => {
  const model = new Sequential(linear(6, 12), norm1d(12, 20), new Dropout(), new ReLU(), linear(12, 4));
  model.modules[2]?.eval();
  const [before, drawn] = [JSON.stringify(model.stateDict()), JSON.stringify(defaultGenerator.getState())];
  const spiking = toSpiking(model, { data: random([9, 6], 1), timesteps: 4 });
  expect(JSON.stringify(model.stateDict())).toBe(before);
  expect(JSON.stringify(defaultGenerator.getState())).toBe(drawn);
  expect(model.modules.map(({ training }) => training)).toEqual([true, true, false, true, true]);
  expect(spiking.namedModules().some(([, { training }]) => training)).toBe(false);
  expect(Object.keys(spiking.stateDict())).toEqual([
    "1.weight",
    "1.bias",
    "2.threshold",
    "2.initial",
    "3.weight",
    "3.bias",
    "4.beta",
  ]);
});

test("toSpiking: weights are those that forward reads, with a mask for instance", () => {
  const model = byHand().model;
  setReading(model.modules[0] as Linear, "mask", (weight) => weight.mul(tensor([[1], [0]])));
  const spiking = toSpiking(model, { data: tensor([[1], [2]]), timesteps: 4, mode: "max" });
  expectNear(values((spiking.modules[1] as Linear).weight), [1 / 2, 0], "weight");
});

test("toSpiking: samples are repeated, sequences run as they are, and shorter runs are the start of longer ones", () => {
  const [shape, layers] = NETWORKS["conv, norm, relu, pool, twice"] as [number[], Module[]];
  const spiking = toSpiking(layers, { data: random([4, ...shape], 1), timesteps: 6 });
  const x = random([3, ...shape], 2);
  const z = spiking.forward(x);
  expect(z.shape).toEqual([6, 3, 3]);
  expect(bits(spiking.forward(constantEncode(x, { timesteps: 6 })))).toEqual(bits(z));
  expect(bits(spiking.forward(constantEncode(x, { timesteps: 4 })))).toEqual(bits(z.slice(0, 0, 4)));
  expect(() => spiking.forward(random(shape, 1))).toThrow(
    new RangeError(
      "at 0 (Repeated): toSpiking: expected samples [B, n, n, n] or sequences [T, B, n, n, n], got [2, 9, 9]",
    ),
  );
});

test("toSpiking: a stream gives the bits of forward, and starts at the initial potential again", () => {
  for (const [shape, layers] of Object.values(NETWORKS)) {
    const spiking = toSpiking(layers, { data: random([4, ...shape], 1), timesteps: 5, maxPool: "spikes" });
    const x = random([5, 2, ...shape], 2);
    const z = noGrad(() => spiking.forward(x));
    const stream = new Stream(spiking, [2, ...shape]);
    for (let run = 0; run < 2; run++) {
      for (let t = 0; t < 5; t++) {
        expect(bits(stream.step(x.select(0, t).toFloat32Array()))).toEqual(bits(z.select(0, t)));
      }
      stream.reset();
    }
    stream.dispose();
  }
});

test("toSpiking: rates of the neurons are the activations in units of their scales", () => {
  const model = new Sequential(linear(6, 12), new ReLU(), linear(12, 4)).eval();
  const x = random([20, 6], 9);
  const T = 64;
  const { layers } = record(toSpiking(model, { data: x, timesteps: T, mode: "max" }), x);
  const spikes = Object.values(layers)[0]?.spikes as Tensor;
  const activations = noGrad(() => model.modules[0]?.forward(x).relu() as Tensor);
  const scaled = noGrad(() => activations.div(activations.amax({ axis: 0 })));
  expectNear(values(meanOverTime(spikes)), values(scaled), "rates", { absolute: 0.5 / T + 1e-5, relative: 0 });
});

class Own extends Module {
  readonly fc = linear(2, 2);
  forward(x: Tensor): Tensor {
    return this.fc.forward(x).relu();
  }
}

class Louder extends ReLU {
  override forward(x: Tensor): Tensor {
    return super.forward(x).mul(2);
  }
}

test("toSpiking: errors name the layer and the remedy, and leave no memory behind", () => {
  const data = random([4, 2], 1);
  const maps = random([2, 2, 4, 4], 1);
  const layers = "Linear, Conv1d, Conv2d, BatchNorm1d, BatchNorm2d, AvgPool2d, MaxPool2d, Flatten, Dropout or ReLU";
  const hint = "; of a module with a forward of its own give the layers, in a list or in Sequential";
  const convert =
    (model: unknown, options: object = {}) =>
    () =>
      toSpiking(model as Module, { data, timesteps: 4, ...options });
  const refused: [Error, () => void][] = [
    [new TypeError(`toSpiking: expected ${layers}, got Own at 1${hint}`), convert([linear(2, 2), new Own()])],
    [new TypeError(`toSpiking: expected ${layers}, got Louder at 0${hint}`), convert(new Louder())],
    [new TypeError(`toSpiking: expected ${layers}, got GroupNorm at 0${hint}`), convert(new GroupNorm(1, 2))],
    [new TypeError("toSpiking: expected modules, got null"), convert(null)],
    [new RangeError("toSpiking: expected a network with Linear, Conv1d or Conv2d, got one without"), convert([])],
    [
      new RangeError(
        'toSpiking: expected AvgPool2d, or maxPool: "spikes", as the rate of the maximum of spikes is above the largest rate, ' +
          "got MaxPool2d at 1",
      ),
      convert([conv(2, 2), new MaxPool2d(2)], { data: maps }),
    ],
    [
      new RangeError("toSpiking: expected batch normalisation with running statistics, got BatchNorm1d at 1 without"),
      convert([linear(2, 2), new BatchNorm1d(2, { trackRunningStats: false })]),
    ],
    [
      new RangeError(
        "toSpiking: expected batch normalisation of the outputs or inputs of a layer with weights, got BatchNorm1d at 2",
      ),
      convert([linear(2, 2), new ReLU(), norm1d(2, 1), new ReLU(), linear(2, 2)]),
    ],
    [
      new RangeError(
        "toSpiking: expected batch normalisation of the outputs or inputs of a layer with weights, got BatchNorm1d at 2",
      ),
      convert([linear(2, 2), new ReLU(), norm1d(2, 1)]),
    ],
    [
      new RangeError(
        "toSpiking: expected batch normalisation of the outputs or inputs of a layer with weights, got BatchNorm1d at 2",
      ),
      convert([conv(2, 2), new Flatten(), norm1d(8, 1), new ReLU(), linear(8, 2)], { data: maps }),
    ],
    [
      new RangeError(
        "toSpiking: expected batch normalisation of the outputs or inputs of a layer with weights, got BatchNorm1d at 4",
      ),
      convert([linear(2, 2), new ReLU(), linear(2, 2), new ReLU(), norm1d(2, 1)]),
    ],
    [
      new RangeError("toSpiking: expected Flatten that keeps the batch, got Flatten at 0 from 0"),
      convert([new Flatten(0), linear(8, 2)]),
    ],
    [new RangeError("toSpiking: expected data [B, …], got [4]"), convert(linear(4, 2), { data: random([4], 1) })],
    [
      new RangeError("toSpiking: expected data of at least one batch, got none; a generator gives them once only"),
      convert(linear(2, 2), { data: [] }),
    ],
    [
      new RangeError("toSpiking: expected finite activations, got others from ReLU at 1"),
      convert([linear(2, 2), new ReLU(), linear(2, 2)], { data: tensor([[1, Number.NaN]]) }),
    ],
    [
      new TypeError("toSpiking: expected data as a tensor, a dataset or batches, got undefined"),
      convert(linear(2, 2), { data: undefined }),
    ],
    [
      new RangeError("toSpiking: timesteps must be an integer in [1, 2²⁴], got 0"),
      convert(linear(2, 2), { timesteps: 0 }),
    ],
    [
      new TypeError("toSpiking: expected percentile as a number, got null"),
      convert(linear(2, 2), { percentile: null }),
    ],
    [new RangeError("toSpiking: percentile must be in (0, 100], got 0"), convert(linear(2, 2), { percentile: 0 })],
    [
      new RangeError('toSpiking: expected mode "percentile" with percentile, got "max"'),
      convert(linear(2, 2), { percentile: 99, mode: "max" }),
    ],
    [new RangeError("toSpiking: initial must be in [0, 1], got 2"), convert(linear(2, 2), { initial: 2 })],
    [
      new RangeError('toSpiking: expected mode "percentile" or "max", got "mean"'),
      convert(linear(2, 2), { mode: "mean" }),
    ],
    [
      new RangeError('toSpiking: expected maxPool "refuse" or "spikes", got "max"'),
      convert(linear(2, 2), { maxPool: "max" }),
    ],
  ];
  const kept = bytesKept(() => {
    for (const [error, call] of refused) expect(call).toThrow(error);
  });
  expect(kept).toBe(0);
});
