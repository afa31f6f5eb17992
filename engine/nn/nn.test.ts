/** Modules: names as in PyTorch, states that round-trip or change nothing, and layers that start like PyTorch's. */
import { inspect } from "node:util";
import { expect, test, vi } from "vitest";
import { bits, bytesKept, random, values } from "../../test/support/tensors.ts";
import {
  BatchNorm1d,
  Conv2d,
  Embedding,
  embedding,
  Flatten,
  Generator,
  Linear,
  linear,
  Module,
  manualSeed,
  memoryStats,
  ones,
  parameter,
  rand,
  Sequential,
  summary,
  type Tensor,
  tape,
  tensor,
} from "../index.ts";

/** Fields of all types: modules, lists of modules, parameters, other tensors and plain values. */
class Network extends Module {
  readonly fc1 = new Linear(3, 4);
  readonly name = "network";
  readonly scale = parameter(tensor([1, 2]));
  readonly constant = tensor([5]);
  readonly layers = [new Linear(4, 4, { bias: false }), new Sequential(new Linear(4, 2), new Flatten())];
  readonly nothing: Tensor | null = null;

  forward(x: Tensor): Tensor {
    return this.layers.reduce((z, layer) => layer.forward(z), this.fc1.forward(x));
  }
}

const NAMES = ["fc1.weight", "fc1.bias", "scale", "layers.0.weight", "layers.1.0.weight", "layers.1.0.bias"];

test("module: parameters have the names of PyTorch, in the order of their declaration", () => {
  const network = new Network();
  expect(network.namedParameters().map(([name]) => name)).toEqual(NAMES);
  expect(network.parameters()).toEqual(network.namedParameters().map(([, t]) => t));
  expect(network.parameters().every((t) => t.requiresGrad)).toBe(true);
  expect(
    new Sequential(new Linear(2, 2), new Flatten(), new Linear(2, 2, { bias: false }))
      .namedParameters()
      .map(([name]) => name),
  ).toEqual(["0.weight", "0.bias", "2.weight"]);
});

test("module: a shared parameter is listed once, under its first name", () => {
  const shared = new Linear(2, 2);
  const model = new Sequential(shared, shared);
  expect(model.namedParameters().map(([name]) => name)).toEqual(["0.weight", "0.bias"]);
  expect(Object.keys(model.stateDict())).toEqual(["0.weight", "0.bias"]);
});

test("module: only what parameter() made is a parameter", () => {
  class Plain extends Module {
    readonly leaf = tensor([1], { requiresGrad: true });
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  expect(new Plain().parameters()).toEqual([]);
});

test("module: train and eval reach every module within", () => {
  const network = new Network();
  const modes = () => [network, network.fc1, ...network.layers].map(({ training }) => training);
  expect(modes()).toEqual([true, true, true, true]);
  expect(network.eval()).toBe(network);
  expect(modes()).toEqual([false, false, false, false]);
  expect(network.train()).toBe(network);
  expect(modes()).toEqual([true, true, true, true]);
});

test("module: evaluating gives each module its own mode back, also after an error", () => {
  const network = new Network();
  network.fc1.eval();
  const modes = () => [network, network.fc1, ...network.layers].map(({ training }) => training);
  expect(network.evaluating(modes)).toEqual([false, false, false, false]);
  expect(modes()).toEqual([true, false, true, true]);
  expect(() =>
    network.evaluating(() => {
      throw new Error("on purpose");
    }),
  ).toThrow("on purpose");
  expect(modes()).toEqual([true, false, true, true]);
});

test("state dict: it holds copies with shapes, and loads into another module bit for bit", () => {
  manualSeed(1);
  const from = new Network();
  const to = new Network();
  const state = from.stateDict();
  expect(Object.keys(state)).toEqual(NAMES);
  expect(state["fc1.weight"]).toEqual({ shape: [4, 3], data: from.fc1.weight.toFloat32Array() });
  from.scale.copyFrom([7, 8]);
  expect(state.scale?.data).toEqual(Float32Array.of(1, 2));
  const weights = to.parameters();
  to.loadStateDict(state);
  expect(to.parameters()).toEqual(weights);
  expect(to.stateDict()).toEqual(state);
  to.loadStateDict(from.stateDict());
  expect(to.parameters().map(bits)).toEqual(from.parameters().map(bits));
});

test("state dict: what does not fit is named, and nothing is written", () => {
  const network = new Network();
  const other = new Network().stateDict();
  const before = network.parameters().map(bits);
  const { scale, ...rest } = other;
  const broken: [state: typeof other, message: string][] = [
    [
      {
        ...other,
        gain: other.scale as NonNullable<typeof scale>,
        "fc9.bias": other.scale as NonNullable<typeof scale>,
      },
      'loadStateDict: expected no more than the parameters of this module, got ["gain", "fc9.bias"]',
    ],
    [
      { ...other, "layers.1.0.bias": { shape: [3], data: new Float32Array(3) } },
      "loadStateDict: layers.1.0.bias: expected shape [2], got [3]",
    ],
    [
      { ...other, "layers.1.0.weight": { shape: [4, 2], data: new Float32Array(8) } },
      "loadStateDict: layers.1.0.weight: expected shape [2, 4], got [4, 2]",
    ],
    [
      { ...other, "layers.1.0.bias": { shape: [2], data: new Float32Array(3) } },
      "loadStateDict: layers.1.0.bias: expected 2 values, got 3",
    ],
  ];
  for (const [state, message] of broken) {
    expect(() => network.loadStateDict(state)).toThrow(RangeError);
    expect(() => network.loadStateDict(state)).toThrow(message);
    expect(network.parameters().map(bits)).toEqual(before);
  }
  expect(() => network.loadStateDict(rest)).toThrow(
    new TypeError("loadStateDict: scale: expected an array { shape, data }, got undefined"),
  );
  expect(network.parameters().map(bits)).toEqual(before);
});

test("state dict: strict false takes what fits and names the rest; a shape that differs stays an error", () => {
  const network = new Network();
  const other = new Network().stateDict();
  const { scale, ...rest } = other;
  const before = bits(network.scale);
  const extra = { shape: [0], data: new Float32Array(0) };
  expect(network.loadStateDict({ ...rest, extra }, { strict: false })).toEqual({
    missingKeys: ["scale"],
    missingBuffers: [],
    unexpectedKeys: ["extra"],
    adjustedKeys: [],
  });
  expect(bits(network.scale)).toEqual(before);
  expect(bits(network.fc1.weight)).toEqual(bits(other["fc1.weight"]?.data as Float32Array));
  expect(network.loadStateDict(other)).toEqual({
    missingKeys: [],
    missingBuffers: [],
    unexpectedKeys: [],
    adjustedKeys: [],
  });
  const zeroSize = { ...other, scale: extra };
  expect(() => network.loadStateDict(zeroSize, { strict: false })).toThrow(
    "loadStateDict: scale: expected shape [2], got [0]",
  );
  expect(() => network.loadStateDict({ ...other, extra })).toThrow(
    'loadStateDict: expected no more than the parameters of this module, got ["extra"]',
  );
  expect(() => network.loadStateDict(other, { strict: 1 as never })).toThrow(
    new TypeError("loadStateDict: expected strict of type boolean, got 1"),
  );
});

test("state dict: integers of a file are values too", () => {
  const layer = new Linear(2, 1);
  const weight = { shape: [1, 2], data: Int8Array.of(-3, 5) };
  layer.loadStateDict({ weight, bias: { shape: [1], data: Float64Array.of(0.1) } });
  expect(values(layer.weight)).toEqual([-3, 5]);
  expect(values(layer.bias as Tensor)).toEqual([Math.fround(0.1)]);
});

test("state dict: what is none is an error in words, each value is read once, and nothing is written", () => {
  const layer = new Linear(2, 2);
  const state = layer.stateDict();
  const before = layer.parameters().map(bits);
  const freed = tensor([1, 2]);
  freed.dispose();
  const bias = (entry: unknown) => ({ ...state, bias: entry });
  const wrong: [state: unknown, message: RegExp][] = [
    [null, /^loadStateDict: expected a state, arrays by name, got null$/],
    [[state], /^loadStateDict: expected a state, arrays by name, got \[object\]$/],
    [bias(null), /^loadStateDict: bias: expected an array \{ shape, data \}, got null$/],
    [bias([1, 2]), /^loadStateDict: bias: expected an array \{ shape, data \}, got \[1, 2\]$/],
    [bias({ shape: 2, data: [1, 2] }), /^loadStateDict: bias: expected a shape, a list of sizes, got 2$/],
    [bias({ shape: ["2"], data: [1, 2] }), /^loadStateDict: bias: expected shape \[2\], got \["2"\]$/],
    [bias({ shape: [2] }), /^loadStateDict: bias: expected an array of numbers, got undefined$/],
    [bias({ shape: [2], data: ["1", 2] }), /^loadStateDict: bias: expected an array of numbers, got "1" at 0$/],
    [bias({ shape: [2], data: [1, 2n] }), /^loadStateDict: bias: expected an array of numbers, got 2n at 1$/],
    [bias({ shape: [2], data: new BigInt64Array(2) }), /^loadStateDict: bias: expected an array of numbers, /],
    [bias(structuredClone(tensor([1, 2]))), /^loadStateDict: bias: expected a shape, a list of sizes, got undefined$/],
    [bias(freed), /was freed/],
    [Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, 1])), /^.{0,150}$/],
  ];
  for (const [each, message] of wrong) {
    expect(() => layer.loadStateDict(each as typeof state)).toThrow(message);
    expect(layer.parameters().map(bits)).toEqual(before);
  }
  let reads = 0;
  const changing = { shape: [2], data: { length: 2, 1: 2 } };
  Object.defineProperty(changing.data, 0, { get: () => (reads++ === 0 ? 1 : "1") });
  layer.loadStateDict(bias(changing) as never);
  expect(values(layer.bias as Tensor)).toEqual([1, 2]);
  expect(reads).toBe(1);
});

test("state dict: parameters may change places, and one that was freed stops all", () => {
  const pair = new Sequential(new Linear(2, 1), new Linear(2, 1));
  const [a, biasA, b, biasB] = pair.parameters() as [Tensor, Tensor, Tensor, Tensor];
  const [first, second] = [values(a), values(b)];
  pair.loadStateDict({ "0.weight": b, "0.bias": biasB, "1.weight": a, "1.bias": biasA });
  expect([values(a), values(b)]).toEqual([second, first]);
  const state = new Sequential(new Linear(2, 1), new Linear(2, 1)).stateDict();
  biasB.dispose();
  expect(() => pair.loadStateDict(state)).toThrow(/^loadStateDict: 1.bias: the tensor \[1\] was freed/);
  expect(values(a)).toEqual(second);
});

test("module: zeroGrad sets the gradients of all parameters within to null", () => {
  const network = new Network();
  tape(() =>
    network
      .forward(random([2, 3], 1))
      .sum()
      .backward(),
  );
  expect(network.fc1.weight.grad).not.toBe(null);
  network.zeroGrad();
  expect(network.parameters().map(({ grad }) => grad)).toEqual(NAMES.map(() => null));
});

test("module: dispose frees parameters, buffers and gradients, and a later use is an error", () => {
  const before = memoryStats().live;
  const model = new Sequential(new Linear(3, 4), new BatchNorm1d(4));
  const x = ones([2, 3]);
  tape(() => model.forward(x).sum().backward());
  expect(memoryStats().live).toBeGreaterThan(before);
  model.dispose();
  model.dispose();
  expect(() => model.forward(x)).toThrow(/^at 0 \(Linear\): linear: the tensor \[4, 3\] was freed/);
  expect(() => model.stateDict()).toThrow(/was freed/);
  x.dispose();
  expect(memoryStats().live).toBe(before);
});

test("module: dispose frees nothing that the modules it is told of hold", () => {
  const before = memoryStats().live;
  const shared = new Linear(3, 3);
  const [first, second] = [new Sequential(new Linear(3, 3), shared), new Sequential(shared)];
  first.dispose(second);
  expect(() => first.parameters()[0]?.toFloat32Array()).toThrow(/was freed/);
  const x = ones([1, 3]);
  const z = second.forward(x);
  expect(z.sizes).toEqual([1, 3]);
  for (const t of [x, z]) t.dispose();
  expect(() => second.dispose({} as Sequential)).toThrow(/^dispose: expected a module/);
  expect(shared.weight.toFloat32Array()).toHaveLength(9);
  second.dispose();
  expect(memoryStats().live).toBe(before);
});

test("module: what belongs to another copy of the package is not overlooked", async () => {
  vi.resetModules();
  const other: typeof import("../index.ts") = await import("../index.ts");
  class Net extends Module {
    readonly own = new Linear(2, 2);
    readonly foreign: unknown;
    constructor(foreign: unknown) {
      super();
      this.foreign = foreign;
    }
    forward(x: Tensor): Tensor {
      return this.own.forward(x);
    }
  }
  for (const foreign of [
    new other.Linear(2, 2),
    other.parameter(other.tensor([1])),
    structuredClone(parameter(tensor([1]))),
    [new other.Flatten()],
  ]) {
    const net = new Net(foreign);
    const where = Array.isArray(foreign) ? "foreign.0" : "foreign";
    for (const act of [() => net.parameters(), () => net.stateDict(), () => net.eval(), () => summary(net, [1, 2])]) {
      expect(act).toThrow(
        new TypeError(`Module: expected ${where} as a module or a parameter of this copy of jarvis-snn, got object`),
      );
    }
  }
  expect(new Net(other.tensor([1])).parameters().length).toBe(2);
  expect(() => new Sequential(new other.Linear(2, 2) as never)).toThrow(
    new TypeError("Sequential: at 0: expected a module or a parameter of this copy of jarvis-snn, got object"),
  );
  const state = new other.Linear(2, 2).stateDict();
  new Linear(2, 2).loadStateDict(state);
});

test("module: a class in JavaScript that has no forward is refused where one is needed", () => {
  const lacking = Object.create(Module.prototype) as Module;
  expect(() => new Sequential(lacking)).toThrow("Sequential: at 0: expected a module with forward(x), got object");
  expect(() => summary(lacking, [1])).toThrow("summary: expected a module with forward(x), got object");
});

test("linear: it starts uniform within ±1/√in, weight and bias", () => {
  const layer = new Linear(100, 200, { generator: new Generator(2) });
  for (const t of [layer.weight, layer.bias as Tensor]) {
    const list = values(t);
    const bound = Math.fround(0.1);
    expect(list.every((value) => value >= -bound && value <= bound)).toBe(true);
    // The extremes are close to the bounds, and mean and variance fit the uniform distribution.
    expect(Math.max(...list)).toBeGreaterThan(0.095);
    expect(Math.min(...list)).toBeLessThan(-0.095);
    const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
    const deviation = 0.1 / Math.sqrt(3);
    expect(Math.abs(mean)).toBeLessThan((5 * deviation) / Math.sqrt(list.length));
    const variance = list.reduce((sum, value) => sum + value * value, 0) / list.length;
    expect(Math.abs(variance / deviation ** 2 - 1)).toBeLessThan(5 / Math.sqrt(list.length));
  }
});

test("linear: the same seed gives the same layer, from the default generator or another", () => {
  manualSeed(3);
  const first = new Linear(5, 4);
  manualSeed(3);
  const second = new Linear(5, 4);
  const third = new Linear(5, 4, { generator: new Generator(3) });
  expect(second.parameters().map(bits)).toEqual(first.parameters().map(bits));
  expect(third.parameters().map(bits)).toEqual(first.parameters().map(bits));
});

test("linear: it computes x·weightᵀ + bias over the last axis", () => {
  const layer = new Linear(3, 2);
  expect(layer).toMatchObject({ inFeatures: 3, outFeatures: 2 });
  expect(layer.weight.shape).toEqual([2, 3]);
  expect(layer.bias?.shape).toEqual([2]);
  const x = random([4, 5, 3], 4);
  expect(bits(layer.forward(x))).toEqual(bits(linear(x, layer.weight, layer.bias)));
  layer.weight.copyFrom([1, 2, 3, 4, 5, 6]);
  layer.bias?.copyFrom([10, 20]);
  expect(layer.forward(tensor([[1, 0, -1]])).toArray()).toEqual([[8, 18]]);
  expect(new Linear(3, 2, { bias: false }).bias).toBe(null);
});

test("linear: sizes that are not positive integers are a RangeError with both, and nothing is kept", () => {
  const kept = bytesKept(() => {
    for (const [inputs, outputs] of [
      [0, 2],
      [3, -1],
      [1.5, 2],
      [3, Number.NaN],
    ] as const) {
      expect(() => new Linear(inputs, outputs)).toThrow(RangeError);
      expect(() => new Linear(inputs, outputs)).toThrow(
        `Linear: expected positive integer sizes, got shape [${outputs}, ${inputs}]`,
      );
    }
  });
  expect(kept).toBe(0);
});

test("embedding: it looks up the rows of its weight, which starts standard normal", () => {
  const layer = new Embedding(1000, 20, { generator: new Generator(4) });
  expect(layer.namedParameters().map(([name, { shape }]) => [name, shape])).toEqual([["weight", [1000, 20]]]);
  const list = values(layer.weight);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  const variance = list.reduce((sum, value) => sum + value * value, 0) / list.length;
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(list.length));
  expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / list.length));
  const indices = tensor([
    [0, 999, 7],
    [7, 1, 0],
  ]);
  expect(layer.forward(indices).shape).toEqual([2, 3, 20]);
  expect(bits(layer.forward(indices))).toEqual(bits(embedding(indices, layer.weight)));
  expect(bits(layer.forward([3, 4]))).toEqual(bits(layer.weight.slice(0, 3, 5)));
  expect(new Sequential(layer, new Flatten()).forward(indices).shape).toEqual([2, 60]);
});

test("embedding: the padding row is 0 at first and gets no gradient, also counted from the end", () => {
  for (const paddingIdx of [1, -2]) {
    const layer = new Embedding(3, 2, { paddingIdx });
    expect(layer.weight.toArray()).toMatchObject({ 1: [0, 0] });
    expect(values(layer.weight).filter((value) => value === 0).length).toBe(2);
    tape(() => layer.forward([0, 1, 1, 2, 2]).sum().backward());
    expect(layer.weight.grad?.toArray()).toEqual([
      [1, 1],
      [0, 0],
      [2, 2],
    ]);
  }
});

test("embedding: sizes and padding rows that do not exist are RangeErrors, and nothing is kept", () => {
  const kept = bytesKept(() => {
    for (const [n, width] of [
      [0, 2],
      [2, 1.5],
    ] as const) {
      expect(() => new Embedding(n, width)).toThrow(
        new RangeError(`Embedding: expected positive integer sizes, got shape [${n}, ${width}]`),
      );
    }
    expect(() => new Embedding(3, 2, { paddingIdx: 0.5 })).toThrow(
      new RangeError("Embedding: paddingIdx must be an integer, got 0.5"),
    );
    for (const paddingIdx of [3, -4]) {
      expect(() => new Embedding(3, 2, { paddingIdx })).toThrow(
        new RangeError(`embedding: expected paddingIdx in [-3, 2], got ${paddingIdx}`),
      );
    }
  });
  expect(kept).toBe(0);
});

test("sequential: one module after the other; none is the identity, and others are a TypeError", () => {
  const x = random([2, 3], 5);
  const [a, b] = [new Linear(3, 4), new Linear(4, 2)];
  expect(bits(new Sequential(a, b).forward(x))).toEqual(bits(b.forward(a.forward(x))));
  expect(new Sequential().forward(x)).toBe(x);
  const wrong = () => new Sequential(a, "relu" as unknown as Module);
  expect(wrong).toThrow(TypeError);
  expect(wrong).toThrow('Sequential: at 1: expected a module with forward(x), got "relu"');
});

test("flatten: all axes but the first, or the given ones", () => {
  const x = random([2, 3, 4, 5], 6);
  expect(new Flatten().forward(x).shape).toEqual([2, 60]);
  expect(new Flatten(2).forward(x).shape).toEqual([2, 3, 20]);
  expect(new Flatten(1, -2).forward(x).shape).toEqual([2, 12, 5]);
});

test("module: namedModules lists each module once, from the outside in", () => {
  const network = new Network();
  expect(network.namedModules()).toEqual([
    ["", network],
    ["fc1", network.fc1],
    ["layers.0", network.layers[0]],
    ["layers.1", network.layers[1]],
    ["layers.1.0", (network.layers[1] as Sequential).modules[0]],
    ["layers.1.1", (network.layers[1] as Sequential).modules[1]],
  ]);
  const shared = new Linear(2, 2);
  expect(new Sequential(shared, shared).namedModules().map(([name]) => name)).toEqual(["", "0"]);
});

test("summary: names, classes, output shapes and own parameters in columns", () => {
  expect(summary(new Network(), [5, 3])).toBe(
    [
      "layer                 output  parameters",
      "Network               [5, 2]           2",
      "fc1: Linear           [5, 4]          16",
      "layers.0: Linear      [5, 4]          16",
      "layers.1: Sequential  [5, 2]           0",
      "layers.1.0: Linear    [5, 2]          10",
      "layers.1.1: Flatten   [5, 2]           0",
      "total                                 44",
    ].join("\n"),
  );
});

test("summary: shared modules count once, and what is not run has no output", () => {
  class Odd extends Module {
    readonly inner = new Linear(2, 2, { bias: false });
    readonly again = this.inner;
    readonly idle = new Linear(7, 1);
    // A field, not a method of the class.
    override forward = (x: Tensor): Tensor => this.again.forward(this.inner.forward(x));
  }
  const odd = new Odd();
  const { forward } = odd;
  const lines = summary(odd, [3, 2]).split("\n");
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ["layer", "output", "parameters"],
    ["Odd", "[3, 2]", "0"],
    ["inner: Linear", "[3, 2]", "4"],
    ["idle: Linear", "–", "8"],
    ["total", "12"],
  ]);
  expect(odd.forward).toBe(forward);
  expect(Object.keys(odd.inner)).not.toContain("forward");
});

test("summary: it leaves modes, random state and memory as they were, also after an error", () => {
  class Noisy extends Module {
    readonly fc = new Linear(2, 2);
    forward(x: Tensor): Tensor {
      expect(this.training).toBe(false);
      return this.fc.forward(x.add(rand(x.shape)));
    }
  }
  const model = new Noisy();
  manualSeed(6);
  const expected = values(rand([4]));
  manualSeed(6);
  const kept = bytesKept(() => {
    expect(() => summary(model, [3, 4])).toThrow(/^at fc \(Linear\): linear: expected/);
    summary(model, [3, 2]);
  });
  expect(kept).toBe(0);
  expect(values(rand([4]))).toEqual(expected);
  expect(model.training).toBe(true);
  expect(Object.keys(model.fc)).not.toContain("forward");
  expect(() => summary(model, [0])).toThrow(RangeError);
});

test("module: two that know each other are walked once each", () => {
  class Child extends Module {
    readonly weight = parameter(tensor([1]));
    parent: Module | null = null;
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  class Parent extends Child {
    readonly child = new Child();
  }
  const net = new Parent();
  net.child.parent = net;
  expect(net.namedParameters().map(([name]) => name)).toEqual(["weight", "child.weight"]);
  expect(net.namedModules().map(([name]) => name)).toEqual(["", "child"]);
  expect(net.eval().child.training).toBe(false);
  const rows = summary(net, [2]).split("\n");
  expect(rows.filter((row) => /^(Parent|child)/.test(row)).map((row) => row.trim().split(/ +/).pop())).toEqual([
    "1",
    "1",
  ]);
});

test("module: fields that a subclass of Sequential or of a normalisation adds count as any", () => {
  class Net extends Sequential {
    readonly head = new Linear(3, 1);
  }
  const net = new Net(new Linear(2, 3));
  expect(net.namedParameters().map(([name]) => name)).toEqual(["0.weight", "0.bias", "head.weight", "head.bias"]);
  expect(net.eval().head.training).toBe(false);
  class Scaled extends BatchNorm1d {
    readonly scale = parameter(tensor([1]));
  }
  const names = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
  expect(Object.keys(new BatchNorm1d(2).stateDict())).toEqual(names);
  expect(Object.keys(new Scaled(2).stateDict())).toEqual([...names, "scale"]);
});

/** Two layers by name, the second of which is in a list. */
class Named extends Module {
  readonly fc1: Module;
  readonly rest: readonly Module[];
  readonly scale = parameter(ones([3]));

  constructor(first: Module, second: Module) {
    super();
    this.fc1 = first;
    this.rest = [second];
  }

  forward(x: Tensor): Tensor {
    return (this.rest[0] as Module).forward(this.fc1.forward(x));
  }
}

test("module: as text it is the tree of its modules, with their parameters", () => {
  const conv = new Conv2d(1, 2, 3);
  const model = new Sequential(
    new Named(new Linear(8, 16), new Sequential(conv, new Linear(16, 1, { bias: false }))),
    new Flatten(),
  );
  const tree = [
    "Sequential(",
    "  (0): Named(scale [3], 3 parameters",
    "    (fc1): Linear(8 → 16, 144 parameters)",
    "    (rest.0): Sequential(",
    "      (0): Conv2d(weight [2, 1, 3, 3], bias [2], 20 parameters)",
    "      (1): Linear(16 → 1, 16 parameters)",
    "    )",
    "  )",
    "  (1): Flatten()",
    ")",
  ].join("\n");
  expect(String(model)).toBe(tree);
  expect(inspect(model)).toBe(tree);
  expect(inspect({ model })).toContain("(fc1): Linear(8 → 16, 144 parameters)");
  expect(String(new Linear(1, 1, { bias: false }))).toBe("Linear(1 → 1, 1 parameter)");
  expect(String(new Flatten())).toBe("Flatten()");
});

test("sequential: an error of a module names its path and class once, and stays what it is otherwise", () => {
  const x = ones([4, 9]);
  const linear = "linear: expected x [..., in] and weight [out, in], got [4, 9] and [16, 8]";
  const caught = (model: Module): Error => {
    try {
      model.forward(x);
    } catch (error) {
      return error as Error;
    }
    throw new Error("no error");
  };
  const bad = new Linear(8, 16);
  const good = new Linear(9, 9);
  const error = caught(new Sequential(bad));
  expect(error).toEqual(new RangeError(`at 0 (Linear): ${linear}`));
  expect(error.stack).toContain(`RangeError: at 0 (Linear): ${linear}`);
  expect(caught(new Sequential(good, new Sequential(bad))).message).toBe(`at 1.0 (Linear): ${linear}`);
  const named = new Named(good, new Sequential(good, bad));
  expect(caught(named).message).toBe(`at 1 (Linear): ${linear}`);
  expect(caught(new Sequential(good, named)).message).toBe(`at 1.rest.0.1 (Linear): ${linear}`);
  expect(caught(new Sequential(new Named(good, bad))).message).toBe(`at 0.rest.0 (Linear): ${linear}`);
  expect(() => summary(new Named(good, bad), [4, 9])).toThrow(new RangeError(`at rest.0 (Linear): ${linear}`));
  expect(() => summary(new Sequential(new Named(bad, good)), [4, 9])).toThrow(`at 0.fc1 (Linear): ${linear}`);
  expect(() => summary(bad, [4, 9])).toThrow(new RangeError(linear));
  for (const thrown of [Object.freeze(new Error("frozen")), new DOMException("stopped", "AbortError"), "text"]) {
    const failing = new Flatten();
    failing.forward = () => {
      throw thrown;
    };
    let got: unknown = null;
    try {
      new Sequential(failing).forward(x);
    } catch (error) {
      got = error;
    }
    expect(got).toBe(thrown);
  }
});
