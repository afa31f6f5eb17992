/** The memory of streams, and steps and streams that are refused. */
import { expect, test } from "vitest";
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  full,
  GroupNorm,
  gradcheck,
  Linear,
  Module,
  memoryStats,
  noGrad,
  ones,
  parameter,
  type Tensor,
  tape,
  tensor,
} from "../../index.ts";
import { withLittleMemory } from "../../test/support/memory.ts";
import { bitsOf, generator, linear } from "../../test/support/streams.ts";
import { bits } from "../../test/support/tensors.ts";
import { AdaptiveLIF, Delay, DelayedLinear, LeakyIntegrator, LIF, RecurrentLIF, Stream } from "../index.ts";

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
  // Nothing remains on a tape or requires a gradient.
  const w = full([1, 2], 1);
  w.requiresGrad = true;
  const stream = use();
  expect([stream.input.requiresGrad, stream.output.requiresGrad]).toEqual([false, false]);
  tape(() => w.mul(stream.output).sum().backward());
  for (const t of layers.flatMap((layer) => layer.parameters())) expect(t.grad).toBe(null);
  for (const t of [stream, w]) t.dispose();
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
    // The output of the stream, then that of its first layer.
    const [, state] = (stream as unknown as { stage: { memory: [Tensor, Tensor] } }).stage.memory;
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
