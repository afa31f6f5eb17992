/** Streams: the bits of `forward`, whatever the layers are, and memory that stays as it is. */
import { expect, test } from "vitest";
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  concat,
  Dropout,
  Embedding,
  Flatten,
  full,
  Generator,
  GroupNorm,
  gradcheck,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  memoryStats,
  noGrad,
  ones,
  parameter,
  poissonEncode,
  ReLU,
  rand,
  Sequential,
  stack,
  type Tensor,
  tape,
  tensor,
  zeros,
} from "../../index.ts";
import { withLittleMemory } from "../../test/support/memory.ts";
import { bits, values } from "../../test/support/tensors.ts";
import {
  AdaptiveLIF,
  BatchNormTT1d,
  CurrentNoise,
  Delay,
  DelayedLinear,
  LeakyIntegrator,
  LIF,
  Recurrent,
  RecurrentLIF,
  SpikingLSTM,
  Stream,
  surrogate,
  ThresholdDependentBatchNorm1d,
} from "../index.ts";

const T = 12;

const generator = () => new Generator(3);

const linear = (from: number, to: number) => new Linear(from, to, { generator: generator() });

/** The output of the network for a sequence at once, and the outputs of a stream for it step by step, twice. */
function both(network: Sequential, x: Tensor): { forward: number[]; streamed: number[][] } {
  return tape(() => {
    const stream = new Stream(network, x.shape.slice(1));
    const inputs = x.unbind(0).map((t) => t.toFloat32Array());
    const run = () => inputs.flatMap((input) => bitsOf(stream.step(input)));
    const streamed = [run()];
    stream.reset();
    streamed.push(run());
    stream.dispose();
    return { forward: bits(network.forward(x)), streamed };
  });
}

const bitsOf = (values: Float32Array): number[] => Array.from(new Uint32Array(values.slice().buffer));

function expectSame(layers: Module[], shape: number[], low = 0, high = 1): void {
  const network = new Sequential(...layers).eval();
  const x = rand([T, ...shape], { generator: generator() })
    .mul(high - low)
    .add(low);
  const { forward, streamed } = both(network, x);
  expect(new Set(forward).size).toBeGreaterThan(1);
  for (const outputs of streamed) expect(outputs).toEqual(forward);
}

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

test("stream: layers without a state take no memory with them, inside of a tape or not", () => {
  const layers = [
    new Conv2d(1, 4, 3, { generator: generator() }),
    new BatchNorm2d(4),
    new Flatten(2),
    new Dropout(0.5),
    linear(144, 2),
    new LIF(),
  ];
  const { live } = memoryStats();
  const use = () => {
    const stream = new Stream(layers, [1, 1, 8, 8]);
    for (let i = 0; i < 3; i++) stream.step(new Float32Array(64).fill(i));
    // Weights that are written give back the copy by columns.
    for (const t of layers.flatMap((layer) => layer.parameters())) t.copyFrom(t.toFloat32Array());
    return stream;
  };
  use().dispose();
  expect(memoryStats().live).toBe(live);
  const kept = tape(() => [use()]);
  expect(kept[0]?.step()).toHaveLength(2);
  kept[0]?.dispose();
  expect(memoryStats().live).toBe(live);
  // Nothing of it stays on a tape, or wants a gradient.
  const w = full([1, 2], 1);
  w.requiresGrad = true;
  const stream = use();
  expect([stream.input.requiresGrad, stream.output.requiresGrad]).toEqual([false, false]);
  tape(() => w.mul(stream.output).sum().backward());
  for (const t of layers.flatMap((layer) => layer.parameters())) expect(t.grad).toBe(null);
  for (const t of [stream, w]) t.dispose();
});

class Halved extends Conv2d {
  static override readonly stateless = true;

  override forward(x: Tensor): Tensor {
    return super.forward(x).mul(x.data[0] === 1 ? 0.5 : 1);
  }
}

test("stream: a subclass of a convolution is run as it is", () => {
  expectSame([new Halved(1, 2, 3, { generator: generator() })], [1, 1, 4, 4]);
  const layer = new Halved(1, 2, 3, { generator: generator() });
  const stream = new Stream(layer, [1, 1, 3, 3]);
  const ones = new Float32Array(9).fill(1);
  for (const x of [ones.map((v, i) => v + i / 8), ones, ones.map((v) => v / 4)]) {
    const expected = noGrad(() => bits(layer.forward(tensor(x, { shape: [1, 1, 1, 3, 3] }))));
    expect(bitsOf(stream.step(x))).toEqual(expected);
  }
  stream.dispose();
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

test("stream: a step leaves memory as it is, and dispose() all of it", () => {
  const layers = [
    linear(33, 40),
    new RecurrentLIF({ features: 40, generator: generator() }),
    linear(40, 20),
    new LIF({ refractorySteps: 2, learnBeta: true }),
    linear(20, 2),
    new LeakyIntegrator({ learnBeta: true }),
  ];
  const x = new Float32Array(33).fill(0.5);
  const before = memoryStats().live;
  const stream = new Stream(layers, [1, 33]);
  for (let i = 0; i < 3; i++) stream.step(x);
  // Weights that are read again and again are kept as columns besides.
  const after = memoryStats().live;
  for (let i = 0; i < 100; i++) stream.step(x);
  expect(memoryStats().live).toBe(after);
  stream.dispose();
  for (const layer of layers) for (const t of layer.parameters()) t.copyFrom(t.toFloat32Array());
  expect(memoryStats().live).toBe(before);
});

test("stream: memory that grows in between", () => {
  const stream = new Stream(new LeakyIntegrator({ beta: 0.5 }), [2]);
  expect(Array.from(stream.step([1, 2]))).toEqual([1, 2]);
  const block = full([memoryStats().reserved / 4 + 1000], 0);
  expect(Array.from(stream.step([1, 2]))).toEqual([1.5, 3]);
  block.dispose();
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

test("stream: what a step returns is the caller's to change", () => {
  const layers = [
    new LeakyIntegrator({ beta: 0.5 }),
    new RecurrentLIF({ features: 1, connection: "one", threshold: 0.6 }),
  ];
  for (const layer of layers) {
    const [changed, left] = [new Stream(layer, [1, 1]), new Stream(layer, [1, 1])];
    for (let i = 0; i < 5; i++) {
      const output = changed.step([0.7]);
      expect(Array.from(output)).toEqual(Array.from(left.step([0.7])));
      expect(left.output.toArray()).toEqual([[output[0]]]);
      output.fill(100);
    }
    for (const stream of [changed, left]) stream.dispose();
  }
});

test("stream: modules without a state are evaluated, and stay in their mode and as they are", () => {
  const norm = new BatchNorm2d(3);
  const drop = new Dropout(0.5);
  const before = norm.stateDict();
  const stream = new Stream([norm, drop], [2, 3, 4, 4]);
  const x = rand([2, 3, 4, 4], { generator: generator() });
  const output = bitsOf(stream.step(x.toFloat32Array()));
  expect(norm.stateDict()).toEqual(before);
  expect([norm.training, drop.training]).toEqual([true, true]);
  norm.eval();
  expect(output).toEqual(bits(norm.forward(x)));
  stream.dispose();
});

class Residual extends Sequential {
  static override readonly stateless = true;

  override forward(x: Tensor): Tensor {
    return super.forward(x).add(x);
  }
}

class Doubled extends Linear {
  static override readonly stateless: boolean = true;

  override forward(x: Tensor): Tensor {
    return super.forward(x).mul(2);
  }
}

class Inverted extends LIF {
  override forward(current: Tensor): Tensor {
    return super.forward(current).neg();
  }
}

test("stream: a subclass with a forward of its own is taken as it is", () => {
  for (const layer of [new Residual(linear(3, 3)), new Doubled(3, 3, { generator: generator() })]) {
    expectSame([layer, linear(3, 4)], [2, 3]);
  }
});

/** The message that tells which methods a module needs for a stream. */
const unknown = (name: string): string =>
  `Stream: expected modules whose state is known, got ${name}, whose forward may keep one; give ${name} step(x, state) and ` +
  "initialState(shape), or static stateless = true if forward computes each step by itself";

/** z[t] = x[0] + … + x[t]. */
function sums(x: Tensor): Tensor {
  let sum = zeros(x.shape.slice(1));
  return stack(
    x.unbind(0).map((now) => {
      sum = sum.add(now);
      return sum;
    }),
  );
}

/** z[t] = x[t − 10]. */
class Late extends Module {
  forward(x: Tensor): Tensor {
    const past = zeros([10, ...x.shape.slice(1)]);
    return concat([past, x]).slice(0, 0, x.shape[0] as number);
  }
}

/** A sum over time with noise. */
class Noisy extends Module {
  forward(x: Tensor): Tensor {
    return sums(x.add(rand(x.shape).mul(1e-3)));
  }
}

/** Takes small numbers alone. */
class Strict extends Module {
  forward(x: Tensor): Tensor {
    if (x.data.some((value) => value > 1)) throw new RangeError("Strict: expected x ≤ 1");
    return sums(x);
  }
}

/** Neurons that fire for very large sums alone. */
class Silent extends Module {
  forward(x: Tensor): Tensor {
    return sums(x).gt(1e9);
  }
}

test("stream: a module whose state is not known is refused, whatever it computes", () => {
  class Plain extends Module {
    forward(x: Tensor): Tensor {
      return x.relu();
    }
  }
  class Unsaid extends Doubled {
    override forward(x: Tensor): Tensor {
      return sums(x);
    }
  }
  class Denied extends Doubled {
    static override readonly stateless: boolean = false;
  }
  class Scaled extends Linear {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2);
    }
  }
  class Half extends Module {
    forward(x: Tensor): Tensor {
      return sums(x);
    }
    step(x: Tensor): Tensor {
      return x;
    }
  }
  const layers = [Late, Noisy, Strict, Silent, Plain, Half].map((Kind) => new Kind());
  const first = linear(2, 3);
  for (const layer of [...layers, new Unsaid(3, 3), new Denied(3, 3), new Scaled(3, 3)]) {
    const make = () => new Stream([first, layer], [1, 2]);
    const before = memoryStats().live;
    expect(make).toThrow(RangeError);
    expect(make).toThrow(unknown(layer.constructor.name));
    expect(memoryStats().live).toBe(before);
  }
});

test("stream: what a class says counts for its methods, not for a forward that is a property of the instance", () => {
  class Arrow extends Module {
    static override readonly stateless = true;
    forward = (x: Tensor): Tensor => x.mul(2);
  }
  const own = Object.assign(new Doubled(3, 3), { forward: (x: Tensor) => sums(x) });
  for (const layer of [new Arrow(), own]) {
    expect(() => new Stream(layer, [1, 3])).toThrow(
      `Stream: expected forward as a method of ${layer.constructor.name}, for which static stateless = true counts, got a property of ` +
        "the instance; make it a method",
    );
  }
});

test("stream: a module that says that it has no state may not hold one that has", () => {
  const message = (kind: string, where: string) =>
    `Stream: expected a list of layers: ${kind} has a state in ${where} that its forward keeps; or give ${kind} step(x, state)`;
  class Wrapped extends Module {
    static override readonly stateless = true;
    readonly layer: Module;
    constructor(layer: Module) {
      super();
      this.layer = layer;
    }
    forward(x: Tensor): Tensor {
      return this.layer.forward(x);
    }
  }
  expect(() => new Stream(new Residual(new LIF()), [1, 2])).toThrow(message("Residual", "0"));
  for (const layer of [new SpikingLSTM(2, 2), new Delay(1), new Wrapped(new LIF()), new BatchNormTT1d(2, 4)]) {
    const path = layer instanceof Wrapped ? "layer.layer" : "layer";
    expect(() => new Stream(new Wrapped(layer), [1, 2])).toThrow(message("Wrapped", path));
  }
  expectSame([new Wrapped(new Wrapped(linear(2, 2)))], [1, 2]);
});

test("stream: a step whose output or state has another size leaves all as it was", () => {
  /** Counts in `a`; the third step gives tensors of these sizes. */
  class Counting extends Module {
    readonly sizes: readonly number[];
    constructor(...sizes: number[]) {
      super();
      this.sizes = sizes;
    }
    forward(x: Tensor): Tensor {
      return x;
    }
    initialState(shape: readonly number[]) {
      return { a: zeros(shape), b: zeros(shape) };
    }
    step(_x: Tensor, { a, b }: { a: Tensor; b: Tensor }): [Tensor, { a: Tensor; b: Tensor }] {
      const [first, second, third] = a.toFloat32Array()[0] === 2 ? this.sizes : [2, 2, 2];
      const of = (n: number | undefined, value: number) => full([1, n as number], value);
      const now = (a.toFloat32Array()[0] as number) + 1;
      return [of(first, now), { a: of(second, now), b: of(third, (b.toFloat32Array()[0] as number) + 10) }];
    }
  }
  for (const [sizes, kind, got] of [
    [[3, 2, 2], "an output", 3],
    [[2, 1, 2], "a state", 1],
    [[2, 2, 4], "a state", 4],
  ] as const) {
    const layer = new Counting(...sizes);
    const stream = new Stream(layer, [1, 2]);
    for (const now of [1, 2]) expect(stream.step([0, 0])).toEqual(Float32Array.of(now, now));
    const message = `Stream: expected Counting to give ${kind} of shape [1, 2] in each step, got [1, ${got}]`;
    // Again the third step: all parts of the state belong to the second.
    for (let i = 0; i < 2; i++) expect(() => stream.step([0, 0])).toThrow(message);
    expect(stream.output.toArray()).toEqual([[2, 2]]);
    Object.assign(layer, { sizes: [2, 2, 2] });
    expect(stream.step([0, 0])).toEqual(Float32Array.of(3, 3));
    stream.dispose();
  }
});

test("stream: a step that another forward has left behind is refused", () => {
  const refused = (layer: Module, shape: number[]) => {
    const message = `Stream: expected a step(x, state) that goes with forward, got ${layer.constructor.name} with another forward`;
    expect(() => new Stream(layer, shape)).toThrow(message);
  };
  refused(new Inverted(), [1, 2]);
  refused(Object.assign(new LIF(), { forward: (x: Tensor) => x }), [1, 2]);
  const { forward } = Recurrent.prototype;
  try {
    Recurrent.prototype.forward = function (x) {
      return forward.call(this, x).neg();
    };
    refused(new RecurrentLIF({ features: 2 }), [1, 2]);
  } finally {
    Reflect.deleteProperty(Recurrent.prototype, "forward"); // what hid the one of its prototype
  }
  new Stream(new RecurrentLIF({ features: 2 }), [1, 2]).dispose();
});

test("stream: batch normalisation takes running statistics, as those of all steps are not known", () => {
  for (const layer of [
    new BatchNorm1d(2, { trackRunningStats: false }),
    new ThresholdDependentBatchNorm1d(2, { trackRunningStats: false }),
  ]) {
    const message = `Stream: expected ${layer.constructor.name} with running statistics, got one that takes those of all steps`;
    expect(() => new Stream(layer, [3, 2, 4])).toThrow(message);
  }
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

test("stream: records that need its tensors notice the next step", () => {
  const stream = new Stream(new LeakyIntegrator(), [1, 2]);
  const w = full([1, 2], 3);
  w.requiresGrad = true;
  for (const t of [stream.output, stream.input]) {
    stream.step([1, 2]);
    tape(() => {
      const z = w.mul(t).sum();
      stream.step([3, 4]);
      expect(() => z.backward()).toThrow("overwritten");
    });
  }
  for (const t of [stream, w]) t.dispose();
});

class Network extends Module {
  readonly fc = linear(4, 4);
  readonly lif = new LIF();

  forward(x: Tensor): Tensor {
    return this.lif.forward(this.fc.forward(x));
  }
}

class MeanOverTime extends Module {
  static override readonly stateless = true;

  forward(x: Tensor): Tensor {
    return x.mean({ axis: 0 });
  }
}

class Nothing extends Module {
  static override readonly stateless = true;

  forward(): Tensor {
    return undefined as never;
  }
}

test("stream: what does not fit says so, and leaves nothing behind", () => {
  const [first, second, conv] = [linear(2, 3), linear(2, 3), new Conv2d(1, 1, 3, { generator: generator() })];
  const each = tensor([0.1, 0.2]);
  const lif = new LIF({ beta: each });
  const smooth = new LIF({ beta: each, spiking: false });
  const recurrent = new RecurrentLIF({ features: 3 });
  const network = new Network();
  const [cyclic, doubling]: [unknown[], unknown[]] = [[], []];
  const cases: [network: unknown, shape: number[], typeof TypeError, string][] = [
    [3, [1], TypeError, "Stream: expected modules, got 3"],
    [[first, null], [1, 2], TypeError, "Stream: expected modules, got null"],
    // A hole.
    [Object.assign(new Array(2), { 1: first }), [1, 2], TypeError, "Stream: expected modules, got undefined"],
    [{ ...first }, [1, 2], TypeError, "Stream: expected modules, got object"],
    [Symbol("s"), [1, 2], TypeError, "Stream: expected modules, got Symbol(s)"],
    [cyclic, [1, 2], RangeError, "Stream: expected at most 65536 modules; does a list hold itself?"],
    [doubling, [1, 2], RangeError, "Stream: expected at most 65536 modules; does a list hold itself?"],
    [new Array(2 ** 32 - 1), [1, 2], RangeError, "Stream: expected at most 65536 modules"],
    [first, 2 as never, TypeError, "Stream: expected a shape, a list of sizes, got 2"],
    [first, null as never, TypeError, "Stream: expected a shape, a list of sizes, got null"],
    [first, [1, "2"] as never, RangeError, "Stream: expected positive integer sizes"],
    [
      [first, new Nothing()],
      [999, 2],
      TypeError,
      "Stream: expected a tensor from the forward of Nothing, got undefined",
    ],
    [first, [0, 2], RangeError, "Stream: expected positive integer sizes, got shape [0, 2]"],
    [[first, second], [999, 2], RangeError, "linear: expected x [..., in] and weight [out, in], got [1, 999, 3]"],
    [
      [second, recurrent, first],
      [999, 2],
      RangeError,
      "linear: expected x [..., in] and weight [out, in], got [1, 999, 3]",
    ],
    [recurrent, [1, 2], RangeError, "[B, …, 3] for RecurrentLIF, got [1, 2]"],
    [[first, lif], [999, 2], RangeError, "expected beta to be one number or [3], got [2]"],
    [[first, smooth], [999, 2], RangeError, "expected beta to be one number or [3], got [2]"],
    [
      [first, new MeanOverTime()],
      [999, 2],
      RangeError,
      "expected MeanOverTime to give [1, B, …] for one step, got [999, 3]",
    ],
    [network, [1, 4], RangeError, "Network has a state in lif"],
    [conv, [1, 2, 2], RangeError, "conv2d: expected at least 3 values"],
  ];
  cyclic.push(first, cyclic);
  doubling.push(doubling, doubling);
  const before = memoryStats().live;
  for (const [layers, shape, type, message] of cases) {
    const make = () => new Stream(layers as Module, shape);
    expect(make, message).toThrow(type);
    expect(make, message).toThrow(message);
    expect(memoryStats().live, message).toBe(before);
  }
  const stream = new Stream(new LIF(), [1, 2]);
  expect(() => stream.step([1])).toThrow(new RangeError("Stream: expected 2 values, got 1"));
  stream.dispose();
  expect(() => stream.step([1, 2])).toThrow("was freed");
  expect(() => stream.reset()).toThrow("was freed");
  const blind = new Stream(new LIF(), [1, 2]);
  blind.step([1, 2]);
  blind.output.dispose();
  expect(() => blind.step([1, 2])).toThrow("was freed");
  blind.dispose();
});

test("stream: a step that something freed stops leaves the state as it was", () => {
  const sum = new LeakyIntegrator({ beta: 1 });
  const makers: (() => [Module, Tensor])[] = [
    () => ((layer) => [layer, layer.weight])(linear(2, 2)),
    () => ((layer) => [layer, layer.bias as Tensor])(linear(2, 2)),
    () => ((layer) => [layer, layer.beta])(new LIF()),
    () => ((layer) => [layer, layer.threshold])(new LIF()),
    () => ((layer) => [layer, layer.beta])(new LeakyIntegrator()),
    () => ((layer) => [layer, layer.V as Tensor])(new RecurrentLIF({ features: 2, connection: "one" })),
    () => ((layer) => [layer, layer.recurrent?.weight as Tensor])(new RecurrentLIF({ features: 2 })),
    () => ((layer) => [layer, layer.recurrent?.bias as Tensor])(new RecurrentLIF({ features: 2 })),
    () => ((layer) => [layer, layer.beta])(new RecurrentLIF({ features: 2 })),
    () => ((layer) => [layer, layer.threshold])(new RecurrentLIF({ features: 2, connection: "one" })),
    () => ((layer) => [layer, layer.beta])(new LIF({ spiking: false, learnBeta: true })),
    () => ((layer) => [layer, layer.weight as Tensor])(new GroupNorm(1, 2, { axis: -1 })),
    () => ((layer) => [layer, layer.runningMean as Tensor])(new BatchNorm1d(2, { axis: -1 })),
    () => ((layer) => [layer, layer.runningVar as Tensor])(new BatchNorm1d(2, { axis: -1, affine: false })),
  ];
  for (const make of makers) {
    const [layer, parameter] = make();
    const sums = new Stream([sum], [1, 2]);
    const stream = new Stream([sum, layer], [1, 2]);
    const state = (stream as unknown as { stage: { stages: { output: Tensor }[] } }).stage.stages[0]?.output as Tensor;
    for (const s of [sums, stream]) s.step([1, 2]);
    parameter.dispose();
    expect(() => stream.step([1, 2])).toThrow("was freed");
    expect(state.toArray()).toEqual(sums.output.toArray());
    for (const s of [sums, stream]) s.dispose();
  }
});

test("stream: a step that runs out of memory leaves none behind", () => {
  const layers: [number[], Module][] = [
    [[2, 8, 16, 16], new BatchNorm2d(8)],
    [[2, 8, 16, 16], new Conv2d(8, 64, 3, { padding: 1, generator: generator() })],
    [[2, 1, 16, 16], new Conv2d(1, 8, 3, { padding: 1, generator: generator() })],
    [[2, 8, 16, 16], new AvgPool2d(2)],
  ];
  let failures = 0;
  for (const [shape, layer] of layers) {
    const stream = new Stream(layer, shape);
    const frame = new Float32Array(stream.input.size).fill(1);
    const expected = bitsOf(stream.step(frame));
    const { live } = memoryStats();
    for (let free = 64; free < 1e6; free *= 1.5) {
      withLittleMemory(Math.floor(free), () => {
        try {
          stream.step(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          failures++;
        }
      });
      expect(memoryStats().live).toBe(live);
    }
    expect(bitsOf(stream.step(frame))).toEqual(expected);
    stream.dispose();
  }
  expect(failures).toBeGreaterThan(0);
});

test("stream: a layer that stays in training mode draws anew in each step", () => {
  class Always extends Dropout {
    override eval(): this {
      return this;
    }
    override train(): this {
      return this;
    }
  }
  const stream = new Stream(new Always(0.5, { generator: generator() }), [1, 64]);
  const frame = new Float32Array(64).fill(1);
  const draws = Array.from({ length: 4 }, () => bitsOf(stream.step(frame)).join());
  expect(new Set(draws).size).toBe(4);
  stream.dispose();
});

test("stream: not inside of gradcheck", () => {
  const stream = new Stream(new LIF(), [1, 2]);
  const uses = [() => stream.step([1, 2]), () => stream.reset(), () => new Stream(new LIF(), [1, 2])];
  for (const use of uses) {
    const fn = (x: Tensor) => {
      use();
      return x.sum();
    };
    expect(() => gradcheck(fn, [tensor([1])])).toThrow("Stream: it keeps its state in linear memory");
  }
  stream.dispose();
});

test("stream: values that are none, or of another number, write nothing and take no step", () => {
  const [stream, same] = [new Stream(new LeakyIntegrator(), [1, 2]), new Stream(new LeakyIntegrator(), [1, 2])];
  for (const s of [stream, same]) s.step([1, 2]);
  const detached = new Float32Array(2);
  structuredClone(detached, { transfer: [detached.buffer] });
  const of = "Stream: expected an array of values, got";
  const wrong: [x: unknown, type: typeof TypeError, message: string][] = [
    [null, TypeError, `${of} null`],
    [5, TypeError, `${of} 5`],
    ["12", TypeError, `${of} "12"`],
    [["1", 2], TypeError, `${of} "1" at 0`],
    [[1, null], TypeError, `${of} null at 1`],
    [[1, 2n], TypeError, `${of} 2n at 1`],
    [[1, Symbol("s")], TypeError, `${of} Symbol(s) at 1`],
    [new Array(2), TypeError, `${of} undefined at 1`],
    [new BigInt64Array(2), TypeError, of],
    [{}, TypeError, `${of} object`],
    [{ length: 2 ** 40 }, TypeError, `${of} object`],
    [ones([1, 2]), TypeError, `${of} object; input.copyFrom(x) takes a tensor`],
    [[1], RangeError, "Stream: expected 2 values, got 1"],
    [new Float64Array(3), RangeError, "Stream: expected 2 values, got 3"],
    [detached, RangeError, "Stream: expected 2 values, got 0"],
    [[], RangeError, "Stream: expected 2 values, got 0"],
  ];
  for (const [x, type, message] of wrong) {
    expect(() => stream.step(x as number[]), message).toThrow(type);
    expect(() => stream.step(x as number[]), message).toThrow(message);
  }
  expect(stream.input.toArray()).toEqual([[1, 2]]);
  const shared = new Float32Array(new SharedArrayBuffer(8)).fill(3);
  const [f64, list, bytes] = [Float64Array.of(3, 3), { length: 2, 0: 3, 1: 3 }, Uint8Array.of(3, 3)];
  for (const x of [shared, f64, list, bytes, [3, 3]]) {
    expect(bitsOf(stream.step(x))).toEqual(bitsOf(same.step(Float32Array.of(3, 3))));
  }
  // As `forward` has it.
  expect(Array.from(stream.step([Number.NaN, 1]))[0]).toBe(Number.NaN);
  for (const s of [stream, same]) s.dispose();
  const ends = new Stream(new LIF(), [1, 2]);
  const last = {
    length: 2,
    get 0() {
      ends.dispose();
      return 1;
    },
    1: 1,
  };
  expect(() => ends.step(last)).toThrow("was freed");
});

test("stream: a wrapped forward is not taken for that of the class", () => {
  const { forward } = Linear.prototype;
  const layer = linear(2, 2);
  const x = [1, 2];
  const plain = new Stream(layer, [1, 2]);
  const expected = Array.from(plain.step(x), (value) => 2 * value);
  plain.dispose();
  try {
    Linear.prototype.forward = function (input) {
      return forward.call(this, input).mul(2);
    };
    const networks = [layer, new Sequential(layer)];
    for (const network of networks) expect(() => new Stream(network, [1, 2])).toThrow(unknown("Linear"));
    Object.defineProperty(Linear, "stateless", { value: true, configurable: true });
    for (const network of networks) {
      const stream = new Stream(network, [1, 2]);
      expect(Array.from(stream.step(x))).toEqual(expected);
      stream.dispose();
    }
  } finally {
    Linear.prototype.forward = forward;
    Reflect.deleteProperty(Linear, "stateless");
  }
});

test("stream: a kernel that could not be computed for want of memory is computed in the next step", () => {
  const layer = new DelayedLinear(64, 64, { maxDelay: 4, generator: generator() });
  const stream = new Stream(layer, [1, 64]);
  const frame = new Float32Array(64).fill(0.6);
  stream.step(frame);
  layer.weight.copyFrom(layer.weight.toFloat32Array().map((w) => w + 0.1));
  withLittleMemory(64, () => expect(() => stream.step(frame)).toThrow(RangeError));
  stream.reset();
  const expected = noGrad(() => bits(layer.eval().forward(full([1, 1, 64], 0.6))));
  expect(bitsOf(stream.step(frame))).toEqual(expected);
  stream.dispose();
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

test("stream: parameters that were replaced stop it, with a word to make another", () => {
  const own = (sizes: number[]) => parameter(full(sizes, 0.25));
  const linearIn = (layer: { readonly recurrent: Module | null }) => layer.recurrent as Linear;
  const cases: [
    network: Module,
    shape: number[],
    of: (network: never) => object,
    name: string,
    value: Tensor | Module,
  ][] = [
    [linear(2, 2), [1, 2], (x) => x, "weight", own([2, 2])],
    [linear(2, 2), [1, 2], (x) => x, "bias", own([2])],
    [new Linear(2, 2, { bias: false }), [1, 2], (x) => x, "bias", own([2])],
    [new BatchNorm1d(2, { axis: -1 }), [1, 2], (x) => x, "runningMean", own([2])],
    [new AdaptiveLIF(), [1, 2], (x) => x, "threshold", own([])],
    [new AdaptiveLIF(), [1, 2], (x) => x, "rho", own([])],
    [new LIF({ rest: ones([2]) }), [1, 2], (x) => x, "rest", own([2])],
    [new RecurrentLIF({ features: 2 }), [1, 2], linearIn, "weight", own([2, 2])],
    [new RecurrentLIF({ features: 2, connection: "one" }), [1, 2], (x) => x, "V", own([2])],
    [new RecurrentLIF({ features: 2 }), [1, 2], ({ neuron }: RecurrentLIF) => neuron, "beta", own([])],
    [new RecurrentLIF({ features: 2 }), [1, 2], (x) => x, "recurrent", linear(2, 2)],
    [new RecurrentLIF({ features: 2 }), [1, 2], (x) => x, "neuron", new LIF()],
    [new DelayedLinear(2, 2, { maxDelay: 2 }), [1, 2], (x) => x, "delay", own([2, 2])],
    [new Delay([1, 2]), [1, 2], (x) => x, "delays", own([2])],
  ];
  for (const [network, shape, of, name, value] of cases) {
    const stream = new Stream(network, shape);
    const owner = of(network as never) as Record<string, unknown>;
    const before = owner[name];
    stream.step([1, 1]);
    owner[name] = value;
    const message = `Stream: ${owner.constructor.name} has another ${name} now; make another stream`;
    expect(() => stream.step([1, 1]), name).toThrow(new Error(message));
    owner[name] = before;
    stream.step([1, 1]);
    stream.dispose();
  }
});

test("stream: an error of a layer names its path, where the stream is made and in a step", () => {
  const linear = "linear: expected x [..., in] and weight [out, in], got [1, 1, 3] and [2, 4]";
  const bad = () => new Linear(4, 2);
  const good = () => new Linear(3, 3);
  expect(() => new Stream(new Sequential(good(), new Sequential(good(), bad())), [1, 3])).toThrow(
    new RangeError(`at 1.1 (Linear): ${linear}`),
  );
  expect(() => new Stream([good(), [bad()]] as never, [1, 3])).toThrow(`at 1.0 (Linear): ${linear}`);
  expect(() => new Stream(bad(), [1, 3])).toThrow(new RangeError(linear));
  let fails = false;
  class Failing extends Module {
    static override readonly stateless = true;

    forward(x: Tensor): Tensor {
      if (fails) throw new RangeError("not now");
      return x.mul(2);
    }
  }
  const stream = new Stream(new Sequential(good(), new Failing()), [1, 3]);
  stream.step();
  fails = true;
  expect(() => stream.step()).toThrow(new RangeError("at 1 (Failing): not now"));
});

test("stream: an array with a length of its own counts as long as it is", () => {
  const stream = new Stream(new Linear(3, 3), [1, 3]);
  for (const n of [1, 7]) {
    const x = Object.defineProperty(new Float32Array(n), "length", { value: 3 });
    expect(() => stream.step(x)).toThrow(new RangeError(`Stream: expected 3 values, got ${n}`));
    const doubles = Object.defineProperty(new Float64Array(n).fill(2), "length", { value: 3 });
    if (n < 3) expect(() => stream.step(doubles)).toThrow(/expected an array of values, got undefined/);
    else expect(stream.step(doubles)).toEqual(stream.step([2, 2, 2]));
  }
});

test("stream: a module that frees what a later layer reads is an error of this step", () => {
  const linear = new Linear(3, 3);
  let frees: () => void = () => {};
  class Freeing extends Module {
    static override readonly stateless = true;

    forward(x: Tensor): Tensor {
      frees();
      return x.mul(1);
    }
  }
  const stream = new Stream(new Sequential(new Freeing(), linear), [1, 3]);
  stream.step();
  frees = () => linear.weight.dispose();
  expect(() => stream.step()).toThrow(/^at 0 \(Freeing\): Stream: the tensor \[3, 3\] was freed/);
  const other = new Stream(new Sequential(new Freeing(), new Linear(3, 3)), [1, 3]);
  frees = () => other.dispose();
  expect(() => other.step()).toThrow(/was freed/);
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

test("stream: a module that frees its input, or the input of the stream, is an error of the step", () => {
  class Freeing extends Module {
    frees = false;

    forward(x: Tensor): Tensor {
      return x.mul(1);
    }
    step(x: Tensor, state: object): [Tensor, object] {
      const z = x.mul(2);
      if (this.frees) x.dispose();
      return [z, state];
    }
    initialState(): object {
      return {};
    }
  }
  for (const before of [[], [new LeakyIntegrator()], [new LIF()], [new Sequential(new LIF())]]) {
    const freeing = new Freeing();
    const stream = new Stream([...before, freeing, new LIF()], [1, 4]);
    stream.step([1, 1, 1, 1]);
    freeing.frees = true;
    expect(() => stream.step([1, 1, 1, 1])).toThrow(/^at .*was freed/);
    const other = full([1, 4], 7);
    freeing.frees = false;
    expect(() => stream.step([1, 1, 1, 1])).toThrow();
    expect(values(other)).toEqual([7, 7, 7, 7]);
  }
});
