import { describe, expect, test } from "vitest";
import {
  AvgPool2d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  constantEncode,
  Dropout,
  Flatten,
  gradcheck,
  LIF,
  Linear,
  loadSafetensors,
  MaxPool2d,
  Module,
  manualSeed,
  memoryStats,
  noGrad,
  ones,
  poissonEncode,
  RecurrentLIF,
  rand,
  randn,
  readSafetensors,
  Sequential,
  Stream,
  saveSafetensors,
  type Tensor,
  tape,
  tensor,
} from "../../index.ts";
import { dequantizedState, Int8, prune, quantize, quantizedWeights } from "./index.ts";

/** Rounds the weights of a layer to multiples of its scales, as Int8 does. */
function fakeQuantise(layer: Linear | Conv1d | Conv2d, perChannel = true): void {
  noGrad(() => {
    const { weight } = layer;
    const rows = weight.reshape([weight.shape[0] as number, -1]);
    const scale = rows
      .abs()
      .amax(perChannel ? { axis: 1, keepdim: true } : { keepdim: true })
      .div(127);
    weight.copyFrom(
      rows
        .div(scale)
        .round()
        .mul(scale)
        .reshape([...weight.shape]),
    );
  });
}

/** Spikes [T, B, …] with this rate. */
const spikes = (shape: number[], rate: number): Tensor =>
  noGrad(() => poissonEncode(rand(shape.slice(1)).mul(0).add(rate), { timesteps: shape[0] as number }));

const values = (fn: () => Tensor): Float32Array => noGrad(() => fn().toFloat32Array());

const network = (): Module[] => [
  new Linear(70, 90),
  new LIF({ beta: 0.9, threshold: 0.5 }),
  new Linear(90, 10),
  new LIF({ beta: 0.9, threshold: 0.5 }),
];

const convolutions = (): Module[] => [
  new Conv2d(2, 6, 3, { padding: 1 }),
  new LIF({ threshold: 0.4 }),
  new MaxPool2d(2),
  new Conv2d(6, 20, 3, { stride: 2, groups: 2, bias: false }),
  new LIF({ threshold: 0.2 }),
  new Flatten(-3),
  new Dropout(0.5),
  new Linear(40, 5),
];

/** Outputs of a stream for the steps of x. */
function streamed(network: Module | readonly Module[], x: Tensor): Float32Array {
  const [T] = x.shape as [number];
  const stream = new Stream(network, x.shape.slice(1));
  const all = x.toFloat32Array();
  const size = x.size / T;
  const steps = Array.from({ length: T }, (_, t) => stream.step(all.slice(t * size, (t + 1) * size)).slice());
  stream.dispose();
  return Float32Array.from(steps.flatMap((step) => Array.from(step)));
}

const largestError = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);

describe("Int8", () => {
  for (const perChannel of [true, false]) {
    test(`gives the currents of a float layer with the rounded weights, ${perChannel ? "a scale an output" : "one scale"}`, () => {
      manualSeed(1);
      for (const [inputs, outputs] of [
        [1, 1],
        [33, 17],
        [784, 100],
        [129, 49],
      ] as const) {
        for (const bias of [true, false]) {
          const layer = new Linear(inputs, outputs, { bias });
          const int8 = new Int8(layer, { perChannel });
          fakeQuantise(layer, perChannel);
          for (const x of [spikes([5, 3, inputs], 0.3), rand([4, 2, inputs]), spikes([2, inputs], 1), rand([inputs])]) {
            const z = values(() => int8.forward(x));
            expect(
              largestError(
                z,
                values(() => layer.forward(x)),
              ),
            ).toBeLessThan(1e-5);
          }
          int8.dispose();
        }
      }
    });
  }

  test("gives the spikes of a float network with the rounded weights", () => {
    manualSeed(2);
    const layers = network();
    const int8 = new Int8(layers);
    for (const layer of layers) if (layer instanceof Linear) fakeQuantise(layer);
    const x = spikes([25, 4, 70], 0.3);
    const expected = values(() => new Sequential(...layers).forward(x));
    const rate = expected.reduce((sum, s) => sum + s, 0) / expected.length;
    expect(rate).toBeGreaterThan(0.02);
    expect(rate).toBeLessThan(0.6);
    expect(values(() => int8.forward(x))).toEqual(expected);
  });

  for (const bits of [8, 4, 2, "ternary"] as const) {
    test(`gives the spikes of a network that quantize has put on a grid: ${bits}${bits === "ternary" ? "" : " bits"}`, () => {
      manualSeed(12);
      for (const perChannel of [true, false]) {
        for (const [make, shape] of [[network, [25, 4, 70]] as const, [convolutions, [6, 3, 2, 10, 8]] as const]) {
          const layers = make();
          const model = quantize(new Sequential(...layers), { weights: { bits, perChannel } });
          // The grid determines the scales, not the option.
          const int8 = new Int8(model, { perChannel: !perChannel });
          const { q, scales } = quantizedWeights(layers[0] as Linear);
          expect(int8.arrays()["0.weight"]?.data).toEqual(q);
          expect(int8.arrays()["0.weight_scale"]?.data).toEqual(scales);
          const x = spikes([...shape], 0.3);
          model.eval();
          const expected = values(() => model.forward(x));
          expect(expected.some((v) => v !== 0)).toBe(true);
          expect(
            largestError(
              values(() => int8.forward(x)),
              expected,
            ),
          ).toBeLessThan(1e-5);
          // A float network can load the same arrays.
          const again = new Sequential(...make());
          again.loadStateDict(dequantizedState(int8.arrays()));
          again.eval();
          expect(values(() => again.forward(x))).toEqual(expected);
        }
      }
    });
  }

  test("gives the maps of float convolutions with the rounded weights", () => {
    manualSeed(3);
    const cases = [
      { layer: new Conv2d(3, 5, 3), size: [7, 6] },
      {
        layer: new Conv2d(4, 8, [2, 3], { stride: [2, 1], padding: [1, 2], dilation: [2, 1], groups: 2 }),
        size: [9, 8],
      },
      { layer: new Conv2d(1, 33, 5, { padding: 2, bias: false }), size: [8, 8] },
      { layer: new Conv2d(6, 6, 3, { groups: 6 }), size: [4, 40] },
      { layer: new Conv1d(3, 4, 5, { padding: 2, stride: 2 }), size: [19] },
      { layer: new Conv1d(2, 70, 3, { dilation: 3 }), size: [50] },
    ];
    for (const { layer, size } of cases) {
      const int8 = new Int8(layer);
      fakeQuantise(layer);
      const channels = (layer.weight.shape[1] as number) * layer.groups;
      const shape = [3, 2, channels, ...size];
      for (const x of [spikes(shape, 0.2), rand(shape), spikes(shape, 1), rand(shape.slice(2)), rand(shape.slice(1))]) {
        const z = noGrad(() => layer.forward(x));
        expect(int8.forward(x).shape).toEqual(z.shape);
        expect(
          largestError(
            values(() => int8.forward(x)),
            z.toFloat32Array(),
          ),
        ).toBeLessThan(1e-5);
      }
    }
  });

  test("has the same bits for spikes that are bits, floats, alone or in a batch", () => {
    manualSeed(4);
    const int8 = new Int8(convolutions());
    const x = spikes([6, 3, 2, 10, 8], 0.3);
    const all = values(() => int8.forward(x));
    const floats = tensor(x.toFloat32Array(), { shape: [...x.shape] });
    expect(values(() => int8.forward(floats))).toEqual(all);
    const alone = [0, 1, 2].map((i) => values(() => int8.forward(x.slice(1, i, i + 1))));
    for (const [i, one] of alone.entries()) {
      for (let t = 0; t < 6; t++)
        expect(one.slice(5 * t, 5 * t + 5)).toEqual(all.slice(15 * t + 5 * i, 15 * t + 5 * i + 5));
    }
  });

  test("has the same bits in a stream, for spikes, numbers and both in turns", () => {
    manualSeed(5);
    const sizes: [Module[], number[]][] = [
      [network(), [70]],
      [convolutions(), [2, 10, 8]],
      [
        [new Conv1d(2, 5, 3), new LIF({ threshold: 0.2 }), new Flatten(-2), new Linear(40, 3)],
        [2, 10],
      ],
    ];
    for (const [layers, size] of sizes) {
      const int8 = new Int8(layers);
      for (const B of [1, 3]) {
        const bits = spikes([8, B, ...size], 0.3);
        const numbers = rand([8, B, ...size]);
        const turns = noGrad(() =>
          bits.mul(
            rand([8, 1, 1].concat(size.map(() => 1)).slice(0, bits.ndim))
              .gt(0.5)
              .mul(-0.25)
              .add(1),
          ),
        );
        for (const x of [bits, numbers, turns]) {
          const expected = values(() => int8.forward(x));
          expect(streamed(int8, x)).toEqual(expected);
          expect(streamed([int8], x)).toEqual(expected);
        }
      }
    }
  });

  for (const [name, make, size] of [
    ["Linear", () => new Linear(300_000, 2, { bias: false }), [300_000]],
    ["Conv1d", () => new Conv1d(30_000, 2, 10, { bias: false }), [30_000, 10]],
  ] as const) {
    test(`sums spikes exactly beyond 2²⁴ whatever is beside them, in a ${name}`, () => {
      const layer: Module & { readonly weight: Tensor } = make();
      layer.weight.copyFrom(new Float32Array(layer.weight.size).fill(0.5));
      const int8 = new Int8(layer);
      const n = 300_000;
      // Steps of two samples: all ones, with a few zeros, and one graded value.
      const x = new Float32Array(6 * n).fill(1);
      x[n + 7] = 0;
      x[3 * n + 5] = 0.5;
      x[4 * n + 5] = 0;
      const z = values(() => int8.forward(tensor(x, { shape: [3, 2, ...size] })));
      // 127·300000 > 2²⁴ is even, so float32 represents it.
      const exact = (sum: number): number => Math.fround(Math.fround(127 * sum) * Math.fround(0.5 / 127));
      const expected = [n, n - 1, n, null, n - 1, n].flatMap((sum, row) =>
        sum === null ? [z[2 * row] as number, z[2 * row + 1] as number] : [exact(sum), exact(sum)],
      );
      expect(Array.from(z)).toEqual(expected);
      expect(streamed(int8, tensor(x, { shape: [3, 2, ...size] }))).toEqual(z);
      const alone = values(() => int8.forward(tensor(x.slice(3 * n, 4 * n), { shape: [1, 1, ...size] })));
      expect(alone).toEqual(z.slice(6, 8));
    });
  }

  test("starts a stream anew after a reset", () => {
    manualSeed(6);
    const int8 = new Int8(network());
    const x = spikes([5, 70], 0.4).toFloat32Array();
    const stream = new Stream(int8, [1, 70]);
    const run = () => Array.from({ length: 5 }, (_, t) => Array.from(stream.step(x.slice(70 * t, 70 * t + 70))));
    const first = run();
    stream.reset();
    expect(run()).toEqual(first);
    stream.dispose();
  });

  test("computes what is constant over time once, with the same bits", () => {
    manualSeed(7);
    const int8 = new Int8(new Linear(40, 30));
    const image = rand([2, 40]);
    const constant = noGrad(() => constantEncode(image, { timesteps: 4 }));
    const one = values(() => int8.forward(image));
    const z = values(() => int8.forward(constant));
    for (let t = 0; t < 4; t++) expect(z.slice(60 * t, 60 * t + 60)).toEqual(one);
  });

  test("rounds half to even, keeps rows of zeros and the largest weights at ±127", () => {
    const layer = new Linear(4, 3, { bias: false });
    layer.weight.copyFrom([127, -0.5, 1.5, 2.5, 0, 0, 0, 0, -254, 1, 3, -5]);
    const int8 = new Int8(layer);
    const { "0.weight": weight, "0.weight_scale": scale } = int8.arrays();
    expect(Array.from(weight?.data ?? [])).toEqual([127, -0, 2, 2, 0, 0, 0, 0, -127, 0, 2, -2].map((v) => v + 0));
    expect(Array.from(scale?.data ?? [])).toEqual([1, 2 ** -126, 2]);
  });

  test("runs other layers in evaluation mode and leaves their mode as it was", () => {
    manualSeed(8);
    const dropout = new Dropout(0.9);
    const norm = new BatchNorm2d(3);
    const int8 = new Int8([new Conv2d(1, 3, 3), norm, dropout, new AvgPool2d(2)]);
    const x = spikes([2, 2, 1, 8, 8], 0.5);
    const before = norm.stateDict();
    expect(values(() => int8.forward(x))).toEqual(values(() => int8.forward(x)));
    expect(dropout.training && norm.training).toBe(true);
    expect(norm.stateDict()).toEqual(before);
  });

  test("is a copy: later training and freeing of the float weights change nothing", () => {
    manualSeed(9);
    const layer = new Linear(20, 10);
    const int8 = new Int8(layer);
    const x = spikes([3, 20], 0.5);
    const before = values(() => int8.forward(x));
    layer.weight.copyFrom(new Float32Array(200));
    for (const p of layer.parameters()) p.dispose();
    expect(values(() => int8.forward(x))).toEqual(before);
  });

  test("records nothing in a tape, where its output belongs to the tape", () => {
    const int8 = new Int8(new Linear(6, 4));
    const z = tape(() => {
      const x = rand([3, 6], { requiresGrad: true });
      const z = int8.forward(x);
      expect(z.requiresGrad).toBe(false);
      return z;
    });
    expect(z.shape).toEqual([3, 4]);
  });

  test("holds a quarter of the memory, and gives it back", () => {
    const { live } = memoryStats();
    const layer = new Linear(784, 1000);
    const held = memoryStats().live - live;
    const int8 = new Int8(layer);
    const small = memoryStats().live - live - held;
    expect(held / small).toBeGreaterThan(3.4);
    const x = spikes([4, 1, 784], 0.1);
    const before = memoryStats().live;
    const z = int8.forward(x);
    z.dispose();
    const stream = new Stream(int8, [1, 784]);
    for (let t = 0; t < 3; t++) stream.step(new Float32Array(784).fill(t % 2));
    const running = memoryStats().live;
    for (let t = 0; t < 20; t++) stream.step(new Float32Array(784).fill(t % 2));
    expect(memoryStats().live).toBe(running);
    stream.dispose();
    expect(memoryStats().live).toBe(before);
    int8.dispose();
    int8.dispose();
    x.dispose();
    for (const p of layer.parameters()) p.dispose();
    expect(memoryStats().live).toBe(live);
    expect(() => int8.forward(rand([1, 784]))).toThrow("Int8: the tensor");
  });

  for (const perChannel of [true, false]) {
    test(`goes through a file of int8 and scales, ${perChannel ? "a scale an output" : "one scale"}`, () => {
      manualSeed(10);
      const layers = convolutions();
      const int8 = new Int8(layers, { perChannel });
      const x = spikes([4, 2, 2, 10, 8], 0.4);
      const expected = values(() => int8.forward(x));
      const file = saveSafetensors(int8.arrays());
      const other = new Int8(convolutions(), { perChannel: !perChannel });
      expect(values(() => other.forward(x))).not.toEqual(expected);
      const { arrays } = readSafetensors(file);
      expect(arrays["0.weight"]?.dtype).toBe("I8");
      expect(other.loadStateDict(arrays).unexpectedKeys).toEqual([]);
      expect(values(() => other.forward(x))).toEqual(expected);
      const third = new Int8(convolutions(), { perChannel });
      third.loadStateDict(int8.stateDict());
      expect(third.arrays()).toEqual(int8.arrays());
      third.loadStateDict(loadSafetensors(file).tensors);
      expect(third.arrays()).toEqual(int8.arrays());
    });
  }

  test("is part of the state of the module that holds it", () => {
    manualSeed(14);
    const make = (): Module => new Sequential(new Int8([new Linear(6, 8), new LIF()]), new Linear(8, 2));
    const [model, other] = [make(), make()];
    const x = spikes([5, 2, 6], 0.5);
    const state = model.stateDict();
    const names = ["0.0.weight", "0.0.weight_scale", "0.0.bias", "0.1.beta", "0.1.threshold", "1.weight", "1.bias"];
    expect(Object.keys(state).sort()).toEqual(names.sort());
    const expected = values(() => model.forward(x));
    expect(values(() => other.forward(x))).not.toEqual(expected);
    other.loadStateDict(state);
    expect(values(() => other.forward(x))).toEqual(expected);
    const { "0.0.weight": _, ...rest } = state;
    expect(() => other.loadStateDict(rest)).toThrow("loadStateDict: 0.0.weight: expected an array");
    expect(other.loadStateDict(rest, { strict: false }).missingKeys).toEqual(["0.0.weight"]);
    // Integers are not parameters, so an optimizer does not update them.
    expect(model.namedParameters().map(([name]) => name)).toEqual(["1.weight", "1.bias"]);
    // An error in a later array leaves the integers unchanged.
    const before = other.stateDict();
    const zeros = (n: number) => ({ shape: [n], data: new Float32Array(n) });
    const wrong = { ...state, "0.0.bias": zeros(8), "1.bias": zeros(3) };
    expect(() => other.loadStateDict(wrong)).toThrow("1.bias");
    expect(other.stateDict()).toEqual(before);
    (model as Sequential).modules.forEach((each) => {
      if (each instanceof Int8) each.dispose();
    });
    expect(() => model.stateDict()).toThrow("Int8: the tensor");
    expect(() => model.loadStateDict(state)).toThrow("Int8: the tensor");
  });

  test("names arrays by the paths of the model, a layer at several places once", () => {
    manualSeed(15);
    const models: (() => Module | Module[])[] = [
      () =>
        new Sequential(new Sequential(new Linear(6, 6), new LIF()), new Sequential(new Sequential(new Linear(6, 6)))),
      () => {
        const shared = new Linear(6, 6);
        return new Sequential(shared, new LIF(), shared, new Linear(6, 2));
      },
      () => [new Sequential(new Linear(6, 6), new LIF()), new Linear(6, 3)],
    ];
    const x = spikes([6, 2, 6], 0.5);
    for (const make of models) {
      const [model, again] = [make(), make()];
      const int8 = new Int8(model);
      const expected = values(() => int8.forward(x));
      const arrays = int8.arrays();
      const network = again instanceof Module ? again : new Sequential(...again);
      network.loadStateDict(dequantizedState(arrays));
      expect(
        largestError(
          values(() => network.forward(x)),
          expected,
        ),
      ).toBeLessThan(1e-5);
      const fresh = new Int8(make());
      fresh.loadStateDict(arrays);
      expect(values(() => fresh.forward(x))).toEqual(expected);
    }
    expect(Object.keys(new Int8([new Linear(2, 2), [new Linear(2, 2)]] as never).arrays())).toContain("1.0.weight");
  });

  for (const [name, change] of [
    ["on a grid", (model: Module) => quantize(model, { weights: { bits: 3 } })],
    ["behind a mask", (model: Module) => prune(model, { amount: 0.5 })],
  ] as const) {
    test(`writes recurrent weights ${name} as the layer computes with them`, () => {
      manualSeed(16);
      const make = (): Sequential =>
        new Sequential(new Linear(10, 12), new RecurrentLIF({ features: 12, threshold: 0.3 }));
      const model = make();
      change(model);
      const int8 = new Int8(model);
      const x = spikes([20, 4, 10], 0.5);
      const expected = values(() => int8.forward(x));
      const file = readSafetensors(saveSafetensors(int8.arrays())).arrays;
      const fresh = new Int8(make());
      expect(values(() => fresh.forward(x))).not.toEqual(expected);
      fresh.loadStateDict(file);
      expect(values(() => fresh.forward(x))).toEqual(expected);
      make().loadStateDict(dequantizedState(file));
      const changed = make();
      change(changed);
      const same = new Int8(changed);
      same.loadStateDict(int8.stateDict());
      expect(values(() => same.forward(x))).toEqual(expected);
    });
  }

  test("loads nothing of a state with an error", () => {
    manualSeed(11);
    const int8 = new Int8([new Linear(5, 4), new LIF()]);
    const state = int8.stateDict();
    const wrong = (name: string, entry: object | undefined) => () => {
      const all = { ...state, [name]: entry } as typeof state;
      if (entry === undefined) delete all[name];
      int8.loadStateDict(all);
    };
    const zeros = new Float32Array(20);
    expect(wrong("0.weight", { shape: [4, 5], data: zeros.map(() => 128) })).toThrow(
      "loadStateDict: 0.weight must be an integer in [−127, 127], got 128",
    );
    expect(wrong("0.weight", { shape: [4, 5], data: zeros.map(() => 0.5) })).toThrow(
      "loadStateDict: 0.weight must be an integer in [−127, 127], got 0.5",
    );
    expect(wrong("0.weight", { shape: [5, 4], data: zeros })).toThrow(
      "loadStateDict: 0.weight: expected shape [4, 5], got [5, 4]",
    );
    expect(wrong("0.weight", { shape: [4, 5], data: zeros.slice(1) })).toThrow("expected 20 values, got 19");
    for (const scale of [Infinity, NaN, 0, -1]) {
      expect(wrong("0.weight_scale", { shape: [4], data: zeros.slice(16).fill(scale) })).toThrow(
        `loadStateDict: 0.weight_scale must be finite and > 0, got ${scale}`,
      );
    }
    expect(wrong("0.weight_scale", { shape: [2], data: zeros.slice(18).fill(1) })).toThrow(
      "loadStateDict: 0.weight_scale: expected shape [4] or [1], got [2]",
    );
    expect(wrong("0.bias", { shape: [4], data: zeros.slice(16).fill(NaN) })).toThrow(
      "loadStateDict: 0.bias must be finite in float32, got NaN",
    );
    expect(wrong("0.bias", undefined)).toThrow(
      "loadStateDict: 0.bias: expected an array { shape, data }, got undefined",
    );
    expect(wrong("2.bias", { shape: [4], data: zeros.slice(16) })).toThrow(
      "expected no more than the parameters of this module",
    );
    expect(int8.stateDict()).toEqual(state);
    const { "0.bias": _, ...rest } = state;
    expect(int8.loadStateDict(rest, { strict: false }).missingKeys).toEqual(["0.bias"]);
    expect(int8.stateDict()).toEqual(state);
  });

  test("refuses an x with too few axes, where a size of 1 could stand for the channel, and writes nothing", () => {
    const cases: [Module, number[], string][] = [
      [new Linear(1, 64), [], "Int8: expected x [..., 1], got []"],
      [new Conv1d(1, 64, 3), [9], "Int8: expected x [..., 1, L], got [9]"],
      [new Conv2d(1, 64, 3), [5, 5], "Int8: expected x [..., 1, H, W], got [5, 5]"],
      [new Conv2d(1, 64, 3), [5], "Int8: expected x [..., 1, H, W], got [5]"],
    ];
    for (const [layer, shape, message] of cases) {
      const int8 = new Int8([layer]);
      expect(() => int8.forward(ones(shape))).toThrow(message);
      if (shape.length > 0) expect(() => new Stream(int8, shape)).toThrow(message);
      expect(() => layer.forward(ones(shape))).toThrow(RangeError);
    }
    // Without a batch, a step has the axes of the layer.
    expect(new Stream(new Int8(new Conv2d(1, 2, 3)), [1, 5, 5]).step(new Float32Array(25))).toHaveLength(18);
  });

  test("says what does not fit", () => {
    class Network extends Module {
      readonly fc = new Linear(3, 2);
      forward(x: Tensor): Tensor {
        return this.fc.forward(x);
      }
    }
    expect(() => new Int8(new Network())).toThrow(
      "Int8: expected a Linear, Conv1d or Conv2d among the layers, got Network; give the layers of a network of another class as a list",
    );
    expect(() => new Int8([])).toThrow("Int8: expected a Linear, Conv1d or Conv2d among the layers, got none");
    expect(() => new Int8(5 as never)).toThrow("Int8: expected modules, got 5");
    expect(() => new Int8(new Linear(2, 2), { bits: 4 } as never)).toThrow(
      "Int8: expected the options perChannel, got bits",
    );
    const broken = new Linear(2, 2);
    broken.weight.copyFrom([1, NaN, 2, 3]);
    expect(() => new Int8(broken)).toThrow("Int8: expected finite weights, got NaN");
    broken.weight.copyFrom([1, 4, 2, 3]);
    broken.bias?.copyFrom([1, NaN]);
    expect(() => new Int8(broken)).toThrow("Int8: expected finite biases, got NaN");
    class Scaled extends Linear {
      override forward(x: Tensor): Tensor {
        return super.forward(x).mul(2);
      }
    }
    class Renamed extends Linear {}
    const linear = new Linear(2, 3);
    expect(() => new Int8([linear, new Sequential(new Scaled(3, 3))])).toThrow(
      "Int8: expected 1.0 with the forward of its class, got a Scaled with another one",
    );
    expect(() => new Int8([linear, new LIF(), new Network()])).toThrow(
      "Int8: expected all Linear, Conv1d and Conv2d in the list or a Sequential, got fc in 2, a Network",
    );
    expect(Object.keys(new Int8(new Renamed(2, 2)).arrays())).toContain("0.weight_scale");
    const int8 = new Int8(new Linear(3, 2));
    expect(() => int8.forward(rand([4]))).toThrow("Int8: expected x [..., 3], got [4]");
    expect(() => new Int8(new Conv2d(2, 2, 3)).forward(rand([1, 3, 5, 5]))).toThrow(
      "Int8: expected x [..., 2, H, W], got [1, 3, 5, 5]",
    );
    expect(() => int8.forward([1, 2, 3] as never)).toThrow("Int8: expected a tensor, got [1, 2, 3]");
    expect(() => gradcheck((x) => int8.forward(x), [randn([2, 3])])).toThrow("Int8: its weights lie in linear memory");
    expect(() => gradcheck((x) => new Int8(new Linear(3, 2)).forward(x), [randn([2, 3])])).toThrow("Int8: its weights");
    const still = Object.freeze(new LIF()) as LIF;
    expect(() => new Int8([new Linear(3, 2), still]).forward(rand([2, 1, 3]))).toThrow(
      new TypeError("Int8: expected no frozen module, got LIF"),
    );
  });
});
