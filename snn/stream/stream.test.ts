/** Streams of layers of the package: the bits of `forward`, with parameters as they are in each step. */
import { expect, test } from "vitest";
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  Dropout,
  Embedding,
  Flatten,
  full,
  GroupNorm,
  LayerNorm,
  MaxPool2d,
  type Module,
  noGrad,
  ones,
  poissonEncode,
  ReLU,
  rand,
  Sequential,
  type Tensor,
  tensor,
} from "../../index.ts";
import { bitsOf, both, expectSame, generator, linear, T } from "../../test/support/streams.ts";
import { bits } from "../../test/support/tensors.ts";
import {
  AdaptiveLIF,
  CurrentNoise,
  Delay,
  LeakyIntegrator,
  LIF,
  Recurrent,
  RecurrentLIF,
  Stream,
  surrogate,
} from "../index.ts";

for (const reset of ["zero", "subtract", "none"] as const) {
  for (const resetDelay of [false, true]) {
    for (const refractorySteps of [0, 2]) {
      test(`stream: neurons, ${reset}, ${resetDelay ? "delayed" : "at once"}, held ${refractorySteps} steps`, () => {
        for (const fire of ["gt", "ge"] as const) {
          const value = reset === "zero" ? { resetValue: -0.2 } : {};
          for (const extra of [{}, { rest: 0.1, inputScale: 0.7, ...value }, { threshold: 0.6 }]) {
            const options = { beta: 0.9, reset, resetDelay, refractorySteps, fire, ...extra };
            expectSame([new LIF(options)], [3, 37]);
          }
        }
      });
    }
  }
}

test("stream: a threshold below the state of the start resets nothing before the first step", () => {
  for (const threshold of [0, -0.5]) expectSame([new LIF({ threshold, reset: "subtract", beta: 0.8 })], [2, 5], -1, 1);
});

test("stream: decay and threshold of each neuron, given or learned, beyond [0, 1] too", () => {
  const beta = tensor([0.2, 0.9, 0.5, 0.99, 0.7]);
  const threshold = tensor([1, 0.5, 2, 0.7, 0.3]);
  for (const learnBeta of [false, true]) expectSame([new LIF({ beta, threshold, learnBeta })], [4, 5]);
  expectSame([new LIF({ beta: 1.5, learnBeta: true })], [4, 5]);
  for (const learnBeta of [false, true]) expectSame([new LeakyIntegrator({ beta, learnBeta })], [2, 5]);
  expectSame([new LeakyIntegrator({ beta: 0.7 })], [2, 5]);
});

test("stream: layers behind each other, sparse and dense, whole words and not, a few outputs", () => {
  for (const hidden of [32, 33, 100]) {
    for (const rate of [0.05, 0.9]) {
      for (const outputs of [2, 10]) {
        const network = new Sequential(
          linear(20, hidden),
          new LIF({ threshold: 0.3 }),
          new Sequential(linear(hidden, hidden), new LIF({ threshold: 0.1, reset: "subtract" })),
          linear(hidden, outputs),
          new LeakyIntegrator(),
        );
        for (const rows of [1, 17]) {
          const x = noGrad(() => poissonEncode(full([rows, 20], rate), { timesteps: T, generator: generator() }));
          const { forward, streamed } = both(network, x);
          for (const found of streamed) expect(found).toEqual(forward);
        }
      }
    }
  }
});

test("stream: recurrent neurons, all to all and each to itself", () => {
  const smooth = { spiking: false, reset: "subtract" as const };
  for (const connection of ["all", "one"] as const) {
    for (const options of [{ threshold: 0.4 }, { threshold: 0 }, { threshold: 0.4, refractorySteps: 1 }, smooth]) {
      const lif = new RecurrentLIF({ features: 33, connection, generator: generator(), ...options });
      expectSame([lif], [3, 33], -1, 1);
    }
  }
});

test("stream: smooth neurons", () => {
  expectSame([new LIF({ spiking: false, reset: "subtract", surrogate: surrogate.sigmoid({ slope: 5 }) })], [2, 7]);
});

test("stream: convolutions and pools of all sorts, of few spikes and of many", () => {
  for (const rate of [0.02, 0.3, 0.95]) {
    const spiking = new LIF({ beta: 0, threshold: 1 - rate });
    const conv = (options: object) => new Conv2d(2, 4, 3, { generator: generator(), ...options });
    const layers: Module[][] = [
      [conv({})],
      [conv({ padding: 2, stride: 2, bias: false }), new MaxPool2d(2)],
      [conv({ groups: 2, dilation: 2 }), new AvgPool2d(2, { padding: 1 })],
      [new MaxPool2d(3, { stride: 2, padding: 1 }), conv({ padding: 1 })],
      [new AvgPool2d(2), new Flatten(2), linear(32, 3)],
      [new Flatten(3), new Conv1d(2, 3, 5, { generator: generator() }), new GroupNorm(3, 3, { axis: -2 })],
      [new LayerNorm([8, 8]), conv({})],
      [new Flatten(2), new BatchNorm1d(128, { axis: -1 }), linear(128, 2)],
    ];
    for (const list of layers) for (const B of [1, 3]) expectSame([spiking, ...list], [B, 2, 8, 8]);
  }
});

test("stream: parameters and statistics of all layers count in the next step", () => {
  const conv = new Conv2d(1, 4, 3, { generator: generator() });
  const [norm, groups] = [new BatchNorm2d(4), new GroupNorm(2, 4)];
  const network = new Sequential(conv, norm, groups, new LayerNorm([6, 6])).eval();
  for (const frozen of [false, true]) {
    for (const t of network.parameters()) t.requiresGrad = !frozen;
    const stream = new Stream(network, [2, 1, 8, 8]);
    const x = rand([2, 1, 8, 8], { generator: generator() });
    for (let i = 0; i < 4; i++) {
      const expected = noGrad(() => bits(network.forward(x.unsqueeze(0))));
      expect(bitsOf(stream.step(x.toFloat32Array()))).toEqual(expected);
      for (const t of [...network.parameters(), norm.runningMean as Tensor, norm.runningVar as Tensor]) {
        t.copyFrom(t.toFloat32Array().map((value, j) => value + 0.1 + 0.01 * j));
      }
    }
    stream.dispose();
    x.dispose();
    expect(() => new Stream(network, [2, 1, 2, 2])).toThrow(RangeError);
    for (const t of network.parameters()) expect(t.requiresGrad).toBe(!frozen);
  }
});

test("stream: other modules without a state see a sequence of one step", () => {
  const layers = [
    new Conv2d(1, 4, 3, { generator: generator() }),
    new BatchNorm2d(4),
    new LIF({ threshold: 0.2 }),
    new MaxPool2d(2),
    new Dropout(0.5),
    new Flatten(2),
    linear(36, 3),
    new LIF({ threshold: 0.1 }),
  ];
  expectSame(layers, [2, 1, 8, 8]);
});

test("stream: no layers, a list of layers, and an input that was written before", () => {
  const stream = new Stream([], [2]);
  expect(Array.from(stream.step([1, 2]))).toEqual([1, 2]);
  stream.input.copyFrom([3, 4]);
  expect(Array.from(stream.step())).toEqual([3, 4]);
  expect(stream.output).toBe(stream.input);
  stream.dispose();
  const layer = new LeakyIntegrator({ beta: 0.5 });
  const sums = new Stream([layer, new Sequential(layer)], [1]);
  expect(Array.from({ length: 3 }, () => sums.step([1])[0] as number)).toEqual([1, 2, 2.75]);
  sums.dispose();
});

test("stream: weights that are written count in the next step, also kept columns", () => {
  const layer = linear(40, 30);
  const stream = new Stream(layer, [1, 40]);
  const x = full([1, 40], 1).toFloat32Array();
  for (let i = 0; i < 4; i++) {
    for (let again = 0; again < 3; again++) {
      expect(bitsOf(stream.step(x))).toEqual(noGrad(() => bits(layer.forward(full([1, 40], 1)))));
    }
    layer.weight.copyFrom(layer.weight.toFloat32Array().map((w) => w + 0.1));
  }
  stream.dispose();
});

test("stream: parameters that change between steps, as `step` of the neurons takes them", () => {
  for (const reset of ["zero", "subtract"] as const) {
    for (const rest of [0, 1e-30]) {
      const lif = new LIF({ beta: 0.9, reset, rest, learnThreshold: true, learnBeta: true });
      const stream = new Stream(lif, [1, 50]);
      noGrad(() => {
        let state = lif.initialState([1, 50]);
        for (const [i, x] of rand([T, 1, 50], { generator: generator() }).unbind(0).entries()) {
          lif.threshold.copyFrom([0.4 + 0.3 * (i % 4)]);
          lif.beta.copyFrom([0.6 + 0.1 * (i % 3)]);
          const [spikes, next] = lif.step(x, state);
          expect(bitsOf(stream.step(x.toFloat32Array())), `${reset}, step ${i}`).toEqual(bits(spikes));
          state = next;
        }
      });
      stream.dispose();
    }
  }
});

test("stream: what is written to the data of a parameter counts in the next step", () => {
  const lif = new LIF();
  const stream = new Stream(lif, [1]);
  const values = lif.threshold.data;
  expect(stream.step([0.5])[0]).toBe(0);
  stream.reset();
  values[0] = 0.25;
  expect(stream.step([0.5])[0]).toBe(1);
  stream.dispose();
});

test("stream: layers of the package without a state need nothing said", () => {
  expectSame([new ReLU(), new CurrentNoise({ std: 0.3 })], [2, 3], -1, 1);
  const noisy = new Stream(new CurrentNoise({ std: 0.3, evaluation: true, generator: generator() }), [1, 8]);
  const draws = Array.from({ length: 4 }, () => bitsOf(noisy.step(new Float32Array(8))).join());
  expect(new Set(draws).size).toBe(4);
  noisy.dispose();
  const table = new Embedding(5, 3);
  const words = new Stream([table, linear(3, 2)], [2]);
  expect(words.step([4, 1])).toHaveLength(4);
  words.dispose();
});

test("stream: delays that are written to their data count in the next step", () => {
  const layer = new Delay(2);
  const stream = new Stream(layer, [1]);
  const { data } = layer.delays;
  expect(Array.from([1, 2, 3], (x) => stream.step([x])[0])).toEqual([0, 0, 1]);
  data[0] = 1;
  expect(stream.step([4])[0]).toBe(3);
  stream.dispose();
});

test("stream: a frozen recurrent layer is refused, or was compiled before", () => {
  const make = () => new Recurrent(new AdaptiveLIF(), { features: 3, connection: "one" });
  const x = ones([4, 1, 3]);
  expect(() => (Object.freeze(make()) as ReturnType<typeof make>).forward(x)).toThrow(
    new TypeError("Recurrent: expected no frozen module, got Recurrent"),
  );
  const layer = make();
  const expected = bits(layer.forward(x));
  Object.freeze(layer);
  expect(bits(layer.forward(x))).toEqual(expected);
});
