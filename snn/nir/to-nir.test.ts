import type { LIFOptions, Tensor } from "jarvis-snn";
import {
  AdaptiveLIF,
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  Delay,
  Dropout,
  Flatten,
  Generator,
  IF,
  LeakyIntegrator,
  LIF,
  Linear,
  MaxPool2d,
  Module,
  memoryStats,
  noGrad,
  Recurrent,
  RecurrentLIF,
  rand,
  resetPeak,
  Sequential,
  SpikingLSTM,
  Synaptic,
  SynapticIntegrator,
  surrogate,
  ThresholdDependentBatchNorm1d,
  tensor,
} from "jarvis-snn";
import { fromNIR, type NIRGraph, type NIRLoss, type NIRNode, toNIR } from "jarvis-snn/nir";
import { describe, expect, test } from "vitest";

const dt = 1e-3;

const values = (t: Tensor): number[] => Array.from(t.toFloat32Array());

/** A layer, its output shape, and whether NIR can express all of it. */
interface Drawn {
  readonly layer: Module;
  readonly shape: readonly number[];
}

/** A chain of random layers that NIR can express completely. */
class Draw {
  private readonly generator: Generator;

  constructor(seed: number) {
    this.generator = new Generator(seed);
  }

  number(low: number, high: number): number {
    return low + (high - low) * rand([], { generator: this.generator }).item();
  }

  int(low: number, high: number): number {
    return Math.floor(this.number(low, high + 0.999));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)] as T;
  }

  /** A number, or one for each of n neurons. */
  perNeuron(n: number, low: number, high: number): number | Tensor {
    if (this.int(0, 1) === 0) return this.number(low, high);
    return tensor(Array.from({ length: n }, () => this.number(low, high)));
  }

  neuron(n: number): Module {
    const threshold = this.perNeuron(n, 0.2, 0.8);
    const leaks = this.int(0, 1) === 1;
    const beta = this.perNeuron(n, 0.05, 0.99);
    const fire = "gt" as const;
    return this.pick([
      () =>
        new LIF({ beta, threshold, fire, ...(leaks && { inputScale: "leak" }), resetValue: this.number(-0.1, 0.1) }),
      () => new LIF({ beta, threshold, fire, rest: this.perNeuron(n, -0.1, 0.1), inputScale: this.number(0.1, 1) }),
      () => new LIF({ beta: 1, threshold, fire }),
      () => new IF({ threshold, fire, resetValue: this.number(-0.1, 0.1) }),
      () =>
        new Synaptic({ alpha: this.perNeuron(n, 0.1, 0.9), beta, threshold, fire, inputScale: leaks ? "leak" : "one" }),
    ])();
  }

  layer(shape: readonly number[]): Drawn {
    const n = shape[shape.length - 1] as number;
    const { generator } = this;
    const isMap = shape.length === 3 && n >= 4 && (shape[1] as number) >= 4;
    const bias = this.int(0, 1) === 1;
    const same = (layer: Module): Drawn => ({ layer, shape });
    const options: (() => Drawn)[] = [
      () => same(this.neuron(n)),
      () => same(this.neuron(n)),
      () => same(new Delay(this.int(0, 3))),
      () => same(new Delay(Array.from({ length: n }, () => this.int(0, 3)))),
      () => same(new LeakyIntegrator({ beta: this.number(0.1, 0.9), inputScale: this.number(0.5, 1) })),
      () => same(new SynapticIntegrator({ alpha: this.number(0.1, 0.9), beta: this.number(0.1, 0.9) })),
      () => same(new Dropout(0.5).eval()),
    ];
    if (shape.length === 1) {
      const out = this.int(1, 6);
      options.push(
        () => ({ layer: new Linear(n, out, { bias, generator }), shape: [out] }),
        () => ({ layer: new Linear(n, out, { bias, generator }), shape: [out] }),
        () =>
          same(
            new Recurrent(this.neuron(n) as LIF, {
              features: n,
              connection: this.pick(["all", "one"]),
              bias,
              generator,
            }),
          ),
        () => same(new RecurrentLIF({ features: n, fire: "gt", threshold: 0.4, beta: this.number(0, 1), generator })),
      );
    }
    if (isMap) {
      const channels = shape[0] as number;
      const [height, width] = shape.slice(1) as [number, number];
      const stride = this.int(1, 2);
      const behind = (size: number, kernel: number, padding: number) =>
        Math.floor((size + 2 * padding - kernel) / stride) + 1;
      options.push(
        () => ({
          layer: new Conv2d(channels, 2 * channels, 3, { bias, stride, padding: 1, groups: channels, generator }),
          shape: [2 * channels, behind(height, 3, 1), behind(width, 3, 1)],
        }),
        () => ({
          layer: new AvgPool2d([2, 3], { stride, padding: 1 }),
          shape: [channels, behind(height, 2, 1), behind(width, 3, 1)],
        }),
        () => ({ layer: new Flatten(2), shape: [channels * height * width] }),
        () => ({ layer: new Flatten(-2), shape: [channels, height * width] }),
      );
    }
    return this.pick(options)();
  }
}

describe("toNIR", () => {
  for (let seed = 0; seed < 60; seed++) {
    test(`a stack that nothing is lost of comes back with the same bits, seed ${seed}`, () =>
      noGrad(() => {
        const draw = new Draw(seed);
        const start = draw.pick([[5], [2, 6, 5]]);
        const layers: Module[] = [];
        let shape: readonly number[] = start;
        for (let i = draw.int(1, 6); i > 0; i--) {
          const drawn = draw.layer(shape);
          layers.push(drawn.layer);
          shape = drawn.shape;
        }
        const model = new Sequential(...layers);
        const { graph, losses } = toNIR(model, { dt, inputShape: start, strict: true });
        expect(losses).toEqual([]);
        const back = fromNIR(graph, { dt });
        const x = rand([7, 2, ...start], { generator: new Generator(seed) }).mul(3);
        expect(values(back.forward(x))).toEqual(values(model.forward(x)));
        const again = toNIR(back, { dt, inputShape: start });
        expect(again).toEqual({ graph, losses: [] });
      }));
  }
});

const nodesOf = (module: Module, inputShape: readonly number[], step = dt): Readonly<Record<string, NIRNode>> =>
  toNIR(module, { dt: step, inputShape }).graph.nodes;

const lossesOf = (module: Module, inputShape: readonly number[]): readonly NIRLoss[] =>
  toNIR(module, { dt, inputShape }).losses;

/** Expects equal spikes after a round trip. */
function expectSame(module: Module, inputShape: readonly number[]): void {
  noGrad(() => {
    const { graph, losses } = toNIR(module, { dt, inputShape });
    expect(losses).toEqual([]);
    const x = rand([12, 2, ...inputShape], { generator: new Generator(5) }).mul(2);
    const z = values(module.evaluating(() => module.forward(x)));
    expect(values(fromNIR(graph, { dt }).forward(x))).toEqual(z);
    expect(new Set(z).size).toBeGreaterThan(1);
  });
}

describe("toNIR: nodes", () => {
  const generator = new Generator(1);

  test("decays become time constants by forward Euler, dt / (1 − β)", () => {
    const lif = nodesOf(new LIF({ beta: 0.75, threshold: 2, rest: 0.5, inputScale: 3, fire: "gt" }), [2])["0"];
    expect(lif).toEqual({
      type: "LIF",
      tau: { shape: [2], data: Float64Array.of(4e-3, 4e-3) },
      r: { shape: [2], data: Float64Array.of(12, 12) },
      v_leak: { shape: [2], data: Float64Array.of(0.5, 0.5) },
      v_threshold: { shape: [2], data: Float64Array.of(2, 2) },
      v_reset: { shape: [2], data: Float64Array.of(0, 0) },
    });
    const { tau_syn, tau_mem, w_in, r } = nodesOf(new Synaptic({ alpha: 0.5, beta: 0.75 }), [1])[
      "0"
    ] as never as Record<string, { data: Float64Array }>;
    expect([tau_syn, tau_mem, w_in, r].map((array) => array?.data[0])).toEqual([2e-3, 4e-3, 2, 4]);
  });

  test("exponential decays keep their β, not their τ", () => {
    const { tau } = nodesOf(new LIF({ tau: 10, dt: 1 }), [1])["0"] as never as { tau: { data: Float64Array } };
    expect(tau.data[0]).toBeCloseTo(dt / (1 - Math.fround(Math.exp(-0.1))), 8);
    expectSame(new LIF({ tau: 10, dt: 1, fire: "gt" }), [3]);
  });

  test("neurons without a leak are IF, integrators I", () => {
    expect(nodesOf(new LIF({ beta: 1, inputScale: 2, fire: "gt" }), [1])["0"]).toEqual({
      type: "IF",
      r: { shape: [1], data: Float64Array.of(2 / dt) },
      v_threshold: { shape: [1], data: Float64Array.of(1) },
      v_reset: { shape: [1], data: Float64Array.of(0) },
    });
    expect(nodesOf(new LeakyIntegrator({ beta: 1 }), [2])["0"]).toMatchObject({ type: "I" });
    expect(nodesOf(new IF(), [2])["0"]).toMatchObject({ type: "IF" });
  });

  test("parameters of each neuron are repeated over maps, delays along their axis", () => {
    const { v_threshold } = nodesOf(new LIF({ threshold: tensor([1, 2]) }), [2, 1, 2])["0"] as never as {
      v_threshold: { shape: number[]; data: Float64Array };
    };
    expect(v_threshold).toEqual({ shape: [2, 1, 2], data: Float64Array.of(1, 2, 1, 2) });
    const { delay } = nodesOf(new Delay([0, 3], { axis: -3 }), [2, 1, 2])["0"] as never as {
      delay: { data: Float64Array };
    };
    expect(delay.data).toEqual(Float64Array.of(0, 0, 3 * dt, 3 * dt));
  });

  test("names are those of a state dict, in Sequentials of Sequentials too", () => {
    const inner = new Sequential(new Linear(2, 2, { generator }), new LIF({ fire: "gt" }));
    const model = new Sequential(new Linear(3, 2, { generator }), inner, new Flatten(2));
    const { graph } = toNIR(model, { dt, inputShape: [3] });
    expect(graph.edges).toEqual([
      ["input", "0"],
      ["0", "1.0"],
      ["1.0", "1.1"],
      ["1.1", "2"],
      ["2", "output"],
    ]);
    const names = fromNIR(graph, { dt }).namedParameters();
    expect(names.map(([name]) => name)).toEqual(model.namedParameters().map(([name]) => name));
  });

  test("recurrent neurons are a subgraph as other packages have it", () => {
    const layer = new RecurrentLIF({ features: 3, fire: "gt", generator });
    const node = nodesOf(layer, [3])["0"] as NIRGraph;
    expect(Object.keys(node.nodes)).toEqual(["input", "lif", "w_rec", "output"]);
    expect(node.edges).toEqual([
      ["input", "lif"],
      ["lif", "w_rec"],
      ["w_rec", "lif"],
      ["lif", "output"],
    ]);
    expectSame(new RecurrentLIF({ features: 3, fire: "gt", threshold: 0.5, generator }), [3]);
    expectSame(new Recurrent(new Synaptic({ fire: "gt" }), { features: 3, connection: "one" }), [3]);
    const connection = new Conv2d(2, 2, 3, { padding: 1, generator });
    expectSame(new Recurrent(new LIF({ fire: "gt", threshold: 0.5 }), { connection }), [2, 4, 4]);
  });

  test("a convolution gets the bias that NIR wants, and the size of its input", () => {
    expect(nodesOf(new Conv2d(1, 2, 3, { bias: false, padding: [0, 1], generator }), [1, 4, 5])["0"]).toMatchObject({
      bias: { shape: [2], data: new Float32Array(2) },
      padding: [0, 1],
      stride: [1, 1],
      input_shape: [4, 5],
    });
    expect(nodesOf(new Conv1d(1, 2, 3, { generator }), [1, 9])["0"]).toMatchObject({ stride: 1, input_shape: 9 });
    expectSame(
      new Sequential(new Conv1d(1, 2, 3, { stride: 2, generator }), new LIF({ fire: "gt", threshold: 0.3 })),
      [1, 9],
    );
  });

  test("graded spikes are a Scale behind the neurons, in loops too", () => {
    const graded = { gradedSpikesFactor: 2.5, fire: "gt" } as const;
    expectSame(new LIF(graded), [3]);
    expectSame(new Recurrent(new LIF({ ...graded, threshold: 0.5 }), { features: 3, generator }), [3]);
  });

  test("batch normalisation goes into the weights before it, which says so", () =>
    noGrad(() => {
      const bn = new BatchNorm1d(3, { axis: -1 });
      const bn2 = new BatchNorm2d(2);
      const td = new ThresholdDependentBatchNorm1d(2);
      for (const layer of [bn, bn2, td]) {
        layer.runningMean?.copyFrom(rand([layer.channels], { generator }));
        layer.runningVar?.copyFrom(rand([layer.channels], { generator }).add(0.5));
        layer.weight?.copyFrom(rand([layer.channels], { generator }).add(0.5));
        layer.bias?.copyFrom(rand([layer.channels], { generator }));
      }
      const model = new Sequential(
        new Conv2d(1, 2, 3, { generator }),
        bn2,
        new Flatten(2),
        new Linear(18, 3, { bias: false, generator }),
        bn,
        new Linear(3, 2, { generator }),
        td,
      ).eval();
      const { graph, losses } = toNIR(model, { dt, inputShape: [1, 5, 5] });
      expect(losses.map(({ node, layer, property }) => [node, layer, property])).toEqual([
        ["0", "BatchNorm2d", "training"],
        ["3", "BatchNorm1d", "training"],
        ["5", "ThresholdDependentBatchNorm1d", "training"],
      ]);
      expect(graph.nodes["3"]?.type).toBe("Affine");
      const x = rand([4, 2, 1, 5, 5], { generator });
      const [z, expected] = [values(fromNIR(graph, { dt }).forward(x)), values(model.forward(x))];
      for (const [i, value] of expected.entries()) expect(z[i]).toBeCloseTo(value, 5);
    }));
});

describe("toNIR: losses", () => {
  const cases: readonly (readonly [LIFOptions, string, unknown])[] = [
    [{ reset: "subtract" }, "reset", "subtract"],
    [{ reset: "none" }, "reset", "none"],
    [{ resetDelay: true }, "resetDelay", true],
    [{ resetDelay: true, resetInput: true }, "resetInput", true],
    [{ detachReset: false }, "detachReset", false],
    [{ fire: "ge" }, "fire", "ge"],
    [{ refractorySteps: 2 }, "refractorySteps", 2],
    [{ lowerBound: -1 }, "lowerBound", -1],
    [{ lowerBound: tensor([-1, -2]) }, "lowerBound", "a tensor"],
    [{ inhibition: true }, "inhibition", true],
    [{ inhibition: "output" }, "inhibition", "output"],
    [{ surrogate: surrogate.atan() }, "surrogate", "atan 2"],
    [{ surrogate: surrogate.sigmoid({ slope: 25 }) }, "surrogate", "sigmoid 25"],
    [{ spiking: false }, "spiking", false],
    [{ learnBeta: true, learnThreshold: true }, "learn", ["beta", "threshold"]],
  ];
  for (const [options, property, value] of cases) {
    test(`${property} ${String(value)} is named`, () => {
      const losses = lossesOf(new LIF({ fire: "gt", ...options }), [2]);
      expect(losses).toContainEqual({ node: "0", layer: "LIF", property, value, effect: expect.stringMatching(/./) });
      if (property !== "resetInput") expect(losses).toHaveLength(1);
      const sequence = new Sequential(new Linear(2, 2), new LIF({ fire: "gt", ...options }));
      expect(() => toNIR(sequence, { dt, inputShape: [2], strict: true })).toThrow(
        /^toNIR: expected a module of which nothing is lost, got .* of LIF at 1/,
      );
    });
  }

  test("nothing is lost of the neurons that NIR describes", () => {
    expect(lossesOf(new LIF({ numerics: "nir" }), [2])).toEqual([]);
    expect(lossesOf(new IF({ numerics: "nir" }), [2])).toEqual([]);
    expect(lossesOf(new Synaptic({ numerics: "nir" }), [2])).toEqual([]);
    expect(lossesOf(new SynapticIntegrator({ numerics: "nir" }), [2])).toEqual([]);
    expect(lossesOf(new LeakyIntegrator({ numerics: "nir" }), [2])).toEqual([]);
  });

  test("a start from rest, a synapse of another order and a decay of 1 are named", () => {
    const named = (layer: Module) => lossesOf(layer, [2]).map(({ property }) => property);
    expect(named(new Synaptic({ fire: "gt", rest: 0.5 }))).toEqual(["rest"]);
    expect(named(new LeakyIntegrator({ rest: 0.5 }))).toEqual(["rest"]);
    expect(named(new LeakyIntegrator({ beta: 1, rest: 0.5 }))).toEqual(["rest"]);
    expect(named(new LIF({ fire: "gt", rest: 0.5 }))).toEqual([]);
    expect(named(new LIF({ fire: "gt", rest: 0.5, start: "rest" }))).toEqual(["rest"]);
    expect(named(new IF({ fire: "gt", resetValue: 0.5, start: "resetValue" }))).toEqual(["resetValue"]);
    expect(named(new IF({ fire: "gt", reset: "zero", start: "resetValue" }))).toEqual([]);
    expect(named(new LIF({ fire: "gt", rest: 0.5 }))).toEqual([]);
    expect(named(new Synaptic({ fire: "gt", synapse: "jumpFirst" }))).toEqual(["synapse"]);
    expect(named(new SynapticIntegrator({ synapse: "late" }))).toEqual(["synapse"]);
    expect(named(new LIF({ fire: "gt", beta: tensor([1, 0.5]) }))).toEqual(["beta"]);
    expect(named(new Synaptic({ fire: "gt", alpha: 1, beta: 1 }))).toEqual(["beta", "alpha"]);
  });

  test("snnTorch's neurons lose their reset, those in a loop too", () => {
    const layer = new RecurrentLIF({ features: 2, numerics: "snntorch" });
    expect(lossesOf(layer, [2]).map(({ node, property }) => `${node} ${property}`)).toEqual([
      "0.lif reset",
      "0.lif resetDelay",
      "0.lif surrogate",
    ]);
  });

  test("dropout is left out, and named where it is in training", () => {
    const dropout = new Dropout(0.25);
    expect(lossesOf(dropout, [2])).toEqual([
      { node: "0", layer: "Dropout", property: "p", value: 0.25, effect: "no value is dropped in training" },
    ]);
    expect(lossesOf(dropout.eval(), [2])).toEqual([]);
    expect(Object.keys(nodesOf(dropout, [2]))).toEqual(["input", "output"]);
  });

  test("means that leave the padding out are named, windows that reach out are an error if they count", () => {
    expect(lossesOf(new AvgPool2d(2, { padding: 1, countIncludePad: false }), [1, 4, 4])[0]?.property).toBe(
      "countIncludePad",
    );
    expect(lossesOf(new AvgPool2d(2, { countIncludePad: false }), [1, 4, 4])).toEqual([]);
    expect(lossesOf(new AvgPool2d(2, { ceilMode: true }), [1, 4, 4])).toEqual([]);
    expect(() => lossesOf(new AvgPool2d(2, { ceilMode: true }), [1, 5, 4])).toThrow(
      "toNIR: AvgPool2d at 0: expected windows that do not reach out, got ceilMode",
    );
  });
});

describe("toNIR: networks that came from graphs", () => {
  const graph: NIRGraph = toNIR(
    new Sequential(
      new Linear(3, 4, { generator: new Generator(1) }),
      new RecurrentLIF({ features: 4, fire: "gt", threshold: 0.4, generator: new Generator(2) }),
    ),
    { dt, inputShape: [3] },
  ).graph;

  test("nodes, names and metadata come back as they were; written layers have the numbers of today", () =>
    noGrad(() => {
      const first = { ...(graph.nodes["0"] as NIRNode), metadata: { from: "a test" } } as NIRNode;
      const given = { ...graph, nodes: { ...graph.nodes, "0": first }, metadata: { a: 1 } } as NIRGraph;
      const network = fromNIR(given, { dt });
      expect(toNIR(network, { dt, inputShape: [3] })).toEqual({ graph: given, losses: [] });
      const [, weight] = network.namedParameters().find(([name]) => name === "1.w_rec.weight") as [string, Tensor];
      weight.copyFrom(rand([4, 4], { generator: new Generator(3) }));
      const [, lif] = network.namedModules().find(([name]) => name === "1.lif") as [string, Recurrent<never, never>];
      (lif.neuron as unknown as LIF).beta.copyFrom([0.25]);
      const { graph: after } = toNIR(network, { dt, inputShape: [3] });
      expect(after.nodes["0"]).toEqual(first);
      const x = rand([9, 2, 3], { generator: new Generator(4) }).mul(3);
      expect(values(fromNIR(after, { dt }).forward(x))).toEqual(values(network.forward(x)));
      expect(values(fromNIR(given, { dt }).forward(x))).not.toEqual(values(network.forward(x)));
    }));

  test("another dt gives other time constants and the same steps", () =>
    noGrad(() => {
      const network = fromNIR(graph, { dt });
      const { graph: slower } = toNIR(network, { dt: 4 * dt, inputShape: [3] });
      const x = rand([9, 2, 3], { generator: new Generator(4) }).mul(3);
      expect(values(fromNIR(slower, { dt: 4 * dt }).forward(x))).toEqual(values(network.forward(x)));
    }));

  test("another dt leaves nodes that flatten as they are", () => {
    const flat = toNIR(new Sequential(new Flatten(2), new Linear(6, 2)), { dt, inputShape: [2, 3] }).graph;
    expect(toNIR(fromNIR(flat, { dt }), { dt: 2 * dt, inputShape: [2, 3] }).graph).toEqual(flat);
  });

  test("written factors of maps that are fed back keep the shape of the maps", () =>
    noGrad(() => {
      const fed = new Recurrent(new LIF({ fire: "gt" }), { features: 4, connection: "one" });
      const maps = toNIR(new Sequential(new Conv2d(1, 2, 1), fed), { dt, inputShape: [1, 4, 4] }).graph;
      const network = fromNIR(maps, { dt });
      const [, factors] = network.namedParameters().find(([name]) => name.startsWith("1.w_rec")) as [string, Tensor];
      factors.copyFrom(rand([32], { generator: new Generator(3) }));
      const again = fromNIR(toNIR(network, { dt, inputShape: [1, 4, 4] }).graph, { dt });
      const x = rand([9, 2, 1, 4, 4], { generator: new Generator(4) }).mul(3);
      expect(values(again.forward(x))).toEqual(values(network.forward(x)));
    }));

  test("as a layer of a Sequential they are a subgraph", () =>
    noGrad(() => {
      const model = new Sequential(fromNIR(graph, { dt }), new Linear(4, 2, { generator: new Generator(5) }));
      const { graph: outer, losses } = toNIR(model, { dt, inputShape: [3] });
      expect(losses).toEqual([]);
      expect(outer.nodes["0"]).toEqual(graph);
      const x = rand([9, 2, 3], { generator: new Generator(4) }).mul(3);
      expect(values(fromNIR(outer, { dt }).forward(x))).toEqual(values(model.forward(x)));
    }));

  test("the surrogate of fromNIR is named", () => {
    const network = fromNIR(graph, { dt, surrogate: surrogate.boxcar() });
    const { losses } = toNIR(network, { dt, inputShape: [3] });
    expect(losses.map(({ node, property }) => [node, property])).toEqual([["1.lif", "surrogate"]]);
  });

  test("the surrogate of a Threshold node is named", () => {
    const threshold: NIRNode = { type: "Threshold", threshold: { shape: [2], data: Float32Array.of(1, 2) } };
    const ends: NIRGraph = toNIR(new Sequential(new Dropout(0)), { dt, inputShape: [2] }).graph;
    const edges: [string, string][] = [
      ["input", "t"],
      ["t", "output"],
    ];
    const given: NIRGraph = { ...ends, nodes: { ...ends.nodes, t: threshold }, edges };
    const lossesWith = (own: ReturnType<typeof surrogate.atan>) =>
      toNIR(fromNIR(given, { dt, surrogate: own }), { dt, inputShape: [2] }).losses;
    expect(lossesWith(surrogate.atan()).map(({ node, property, value }) => [node, property, value])).toEqual([
      ["t", "surrogate", "atan 2"],
    ]);
    expect(lossesWith(surrogate.sigmoid({ slope: 10 }))).toEqual([]);
  });

  test("metadata stay where a node gets another type", () => {
    const { graph: slow } = toNIR(new LIF({ beta: 1 - 2 ** -24, fire: "gt" }), { dt, inputShape: [2] });
    const metadata = { from: "a test" };
    const node = { ...(slow.nodes["0"] as NIRNode), tau: { shape: [2], data: Float64Array.of(1e6, 1e6) }, metadata };
    const network = fromNIR({ ...slow, nodes: { ...slow.nodes, "0": node as NIRNode } }, { dt });
    const { graph: after } = toNIR(network, { dt: 2 * dt, inputShape: [2] });
    expect(after.nodes["0"]).toMatchObject({ type: "IF", metadata });
    expect(after.nodes["0"]).not.toHaveProperty("tau");
  });
});

describe("toNIR: errors name the layer", () => {
  class Own extends Module {
    readonly fc = new Linear(2, 2);
    forward(x: Tensor): Tensor {
      return this.fc.forward(x);
    }
  }
  class Double extends LIF {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2);
    }
  }
  const cases: readonly (readonly [string, Module, readonly number[], string])[] = [
    [
      "max pooling",
      new Sequential(new MaxPool2d(2)),
      [1, 4, 4],
      "toNIR: MaxPool2d at 0: expected a layer that NIR has a node for, got MaxPool2d; AvgPool2d has one",
    ],
    [
      "a module of one's own",
      new Own(),
      [2],
      "toNIR: Own at 0: expected a layer that NIR has a node for, got Own; a network is written as",
    ],
    [
      "a layer whose forward is another",
      new Double(),
      [2],
      "toNIR: Double at 0: expected a layer that NIR has a node for",
    ],
    [
      "neurons that NIR does not have",
      new Sequential(new Linear(2, 2), new AdaptiveLIF()),
      [2],
      "toNIR: AdaptiveLIF at 1",
    ],
    ["an LSTM", new SpikingLSTM(2, 2), [2], "toNIR: SpikingLSTM at 0"],
    [
      "weights of maps",
      new Linear(2, 2),
      [3, 2],
      "toNIR: Linear at 0: expected a vector; a Flatten before?, got [3, 2]",
    ],
    ["weights of another size", new Linear(2, 2), [3], "toNIR: Linear at 0: "],
    [
      "neurons of another number",
      new LIF({ threshold: tensor([1, 2]) }),
      [3],
      "toNIR: LIF at 0: LIF: expected threshold",
    ],
    [
      "a flattened batch",
      new Flatten(1),
      [2, 3],
      "toNIR: Flatten at 0: expected a startAxis behind time and batch, such as 2, got 1",
    ],
    [
      "batch normalisation behind neurons",
      new Sequential(new LIF(), new BatchNorm2d(2)),
      [2, 3, 3],
      "toNIR: BatchNorm2d at 1: expected running statistics of 2 channels behind a Linear or a convolution",
    ],
    [
      "batch normalisation of a batch",
      new Sequential(new Linear(2, 2), new BatchNorm1d(2)),
      [2],
      "toNIR: BatchNorm1d at 1",
    ],
    [
      "readouts that are fed back",
      new Sequential(new Recurrent(new LIF(), { connection: new MaxPool2d(1) })),
      [1, 2, 2],
      "toNIR: MaxPool2d at 0.w_rec",
    ],
  ];
  for (const [name, module, inputShape, message] of cases) {
    test(name, () => expect(() => toNIR(module, { dt, inputShape })).toThrow(message));
  }

  test("so many values in a step that layers would run for long are refused before memory is taken", () => {
    const layers = new Sequential(new Dropout(), new Conv2d(1, 2, 3, { padding: 1 }), new LIF());
    const lif = new LIF();
    const error = (at: string, shape: string): RangeError =>
      new RangeError(`toNIR: ${at}: expected at most 16777216 values in a step, got ${shape}`);
    resetPeak();
    const { peak } = memoryStats();
    const write =
      (module: Module, ...inputShape: number[]) =>
      () =>
        toNIR(module, { dt, inputShape });
    expect(write(layers, 1, 2 ** 15, 2 ** 15)).toThrow(error("Sequential", "[1, 32768, 32768]"));
    expect(write(lif, 2 ** 12, 2 ** 12 + 1)).toThrow(error("LIF at 0", "[4096, 4097]"));
    expect(write(lif, 2 ** 20, 2 ** 12)).toThrow("toNIR: inputShape: expected at most 2³⁰ elements");
    expect(memoryStats().peak).toBe(peak);
    expect(write(new Conv2d(1, 2 ** 4, 1), 1, 2 ** 9, 2 ** 9)().graph.nodes.output).toHaveProperty(
      "shape",
      [16, 512, 512],
    );
    const wide = new Sequential(new Conv2d(1, 2 ** 4 + 1, 1), new LIF());
    expect(write(wide, 1, 2 ** 10, 2 ** 10)).toThrow(error("LIF at 1", "[17, 1024, 1024]"));
  });

  test("arguments are checked", () => {
    const lif = new LIF();
    expect(() => toNIR([lif] as never, { dt, inputShape: [1] })).toThrow(TypeError);
    expect(() => toNIR(lif, { dt: 0, inputShape: [1] })).toThrow("toNIR: dt must be finite and > 0, got 0");
    expect(() => toNIR(lif, { dt, inputShape: [0] })).toThrow("toNIR: inputShape: expected positive integer sizes");
    expect(() => toNIR(lif, { dt } as never)).toThrow(
      "toNIR: inputShape: expected a shape, a list of sizes, got undefined",
    );
    expect(() => toNIR(lif, { dt, inputShape: [1], strict: 1 } as never)).toThrow(TypeError);
  });
});
