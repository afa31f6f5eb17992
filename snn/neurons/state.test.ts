/** Buffers in state dicts: fixed decays, thresholds and other options are part of a state. */
import { expect, test } from "vitest";
import {
  Generator,
  Linear,
  loadSafetensors,
  Module,
  noGrad,
  Sequential,
  saveSafetensors,
  tensor,
  zeros,
} from "../../engine/index.ts";
import { DIVISORS, neuronClass } from "../../test/support/neuron-rows.ts";
import { bits, random, values } from "../../test/support/tensors.ts";
import {
  AdaptiveLIF,
  Alpha,
  CurrentNoise,
  Delay,
  DelayedLinear,
  IF,
  LeakyIntegrator,
  LIF,
  PSN,
  Recurrent,
  RecurrentLIF,
  SpikingLSTM,
  Stream,
  Synaptic,
} from "../index.ts";

/** Pairs of layers that differ in fixed values. */
const PAIRS: Record<string, [trained: Module, fresh: Module]> = {
  LIF: [new LIF({ beta: 0.5, threshold: 0.3 }), new LIF()],
  "LIF of each neuron": [
    new LIF({ beta: tensor([0.1, 0.5, 0.9]), threshold: tensor([0.3, 0.2, 0.1]) }),
    new LIF({ beta: tensor([0, 0, 0]), threshold: tensor([1, 1, 1]) }),
  ],
  "LIF with equations": [
    new LIF({ rest: tensor([0.1, 0.2, 0.3]), lowerBound: tensor([-0.1, 0, 0]), gradedSpikesFactor: 3, threshold: 0.4 }),
    new LIF({ rest: tensor([0, 0, 0]), lowerBound: tensor([0, 0, 0]), gradedSpikesFactor: 1 }),
  ],
  "LIF that competes": [new LIF({ threshold: 0.1, inhibition: true }), new LIF({ inhibition: true })],
  LeakyIntegrator: [new LeakyIntegrator({ beta: 0.5, inputScale: 2 }), new LeakyIntegrator({ inputScale: 1 })],
  RecurrentLIF: [
    new RecurrentLIF({ features: 3, beta: 0.5, threshold: 0.2, rest: tensor([0.1, 0, 0]), connection: "one" }),
    new RecurrentLIF({ features: 3, rest: tensor([0, 0, 0]), connection: "one" }),
  ],
  Recurrent: [
    new Recurrent(new Synaptic({ alpha: 0.3, threshold: 0.2 }), { features: 3, generator: new Generator(1) }),
    new Recurrent(new Synaptic(), { features: 3, generator: new Generator(2) }),
  ],
  IF: [new IF({ threshold: 0.4 }), new IF()],
  Alpha: [new Alpha({ alpha: 0.7, beta: 0.4, threshold: 0.1 }), new Alpha()],
  AdaptiveLIF: [new AdaptiveLIF({ threshold: 0.3, kappa: 0.5 }), new AdaptiveLIF()],
  SpikingLSTM: [
    new SpikingLSTM(3, 4, { threshold: 0.05, generator: new Generator(1) }),
    new SpikingLSTM(3, 4, { generator: new Generator(2) }),
  ],
};

test.each(Object.entries(PAIRS))("state: %s loads what another was made with, and computes the same", (name, pair) => {
  const [trained, fresh] = pair;
  const x = random([9, 2, 3], 4);
  const run = (layer: Module) => bits(noGrad(() => layer.forward(x)));
  const byStep = (layer: Module) => {
    const stream = new Stream(layer, [2, 3]);
    const steps = Array.from({ length: 9 }, (_, t) => [...stream.step(values(x).slice(6 * t, 6 * t + 6))]);
    stream.dispose();
    return steps;
  };
  const early = new Stream(fresh, [2, 3]);
  expect(run(fresh)).not.toEqual(run(trained));
  fresh.loadStateDict(loadSafetensors(saveSafetensors(trained.stateDict())).tensors);
  expect(fresh.stateDict()).toEqual(trained.stateDict());
  expect(run(fresh)).toEqual(run(trained));
  expect(byStep(fresh)).toEqual(byStep(trained));
  // A stream that was made before reads the new values too.
  expect([...early.step(values(x).slice(0, 6))], name).toEqual(byStep(trained)[0]);
  early.dispose();
});

test("state: a loaded value that a layer refuses is an error with its name, and nothing is written", () => {
  class Net extends Module {
    readonly fc = new Linear(2, 2);
    readonly lif1 = new LIF();
    readonly lif2 = new LIF({ learnBeta: true });
    readonly out = new LeakyIntegrator({ beta: tensor([0.5, 0.5]) });
    forward = (x: import("../../engine/index.ts").Tensor) => x;
  }
  const net = new Net();
  const before = net.stateDict();
  const one = (x: number) => ({ shape: [], data: Float32Array.of(x) });
  const wrong = [
    [{ "lif1.beta": one(1.5) }, "loadStateDict: lif1.beta must be in [0, 1], got 1.5"],
    [{ "lif1.beta": one(Number.NaN) }, "loadStateDict: lif1.beta must be in [0, 1], got NaN"],
    [
      { "lif1.threshold": one(Infinity) },
      "loadStateDict: lif1.threshold must be finite and in the range of float32, got Infinity",
    ],
    [
      { "out.beta": { shape: [2], data: Float32Array.of(0.5, -0.25) } },
      "loadStateDict: out.beta must be in [0, 1], got -0.25",
    ],
    [{ "out.beta": one(0.5) }, "loadStateDict: out.beta: expected shape [2], got []"],
  ] as const;
  for (const [change, message] of wrong) {
    const fc = { shape: [2], data: Float32Array.of(7, 7) };
    expect(() => net.loadStateDict({ ...before, "fc.bias": fc, ...change })).toThrow(new RangeError(message));
    expect(net.stateDict()).toEqual(before);
  }
  // A learned decay is clamped in the forward pass instead.
  net.loadStateDict({ ...before, "lif2.beta": one(1.5) });
  expect(net.lif2.beta.item()).toBe(1.5);
});

test("state: a layer takes its own state, bounds of its options too, and refuses the float32 beyond them", () => {
  const [low, high] = [1e-30, 1e30].map(Math.fround) as [number, number];
  // The float32 numbers below 1e-30 and above the one next to 1e30.
  const [below, above] = [low * (1 - 2 ** -22), high * (1 + 2 ** -22)];
  for (const [neuron, names] of DIVISORS) {
    const make = (options: object): Module => new (neuronClass(neuron))(options);
    for (const name of names) {
      for (const value of [1e-30, 1e30]) {
        const state = make({ [name]: value }).stateDict();
        const layer = make({});
        layer.loadStateDict(state);
        expect(layer.stateDict()[name], `${name} ${value}`).toEqual(state[name]);
      }
      for (const value of [below, above]) {
        const data = Float32Array.of(value);
        expect(() => make({}).loadStateDict({ [name]: { shape: [], data } }), `${name} ${value}`).toThrow(
          `loadStateDict: ${name} must be in [1e-30, 1e+30], got ${data[0]}`,
        );
      }
    }
  }
  for (const sigma of [1e-6, 1e6]) {
    const layer = new DelayedLinear(1, 1, { maxDelay: 2, sigma });
    layer.loadStateDict(layer.stateDict());
    layer.forward(zeros([2, 1, 1]));
  }
});

test("state: delays, noise, λ and σ of a file must be those that the layers take", () => {
  const entry = (x: number) => ({ shape: [], data: Float32Array.of(x) });
  const wrong: [layer: Module, name: string, values: number[], expected: string][] = [
    [new Delay(1), "delays", [2.5, -1, Number.NaN, 1e9], "an integer in [0, 2²⁴]"],
    [new CurrentNoise(), "std", [-1, Number.NaN, Infinity], "finite in float32 and ≥ 0"],
    [new PSN({ kind: "masked", timesteps: 3, order: 2 }), "lambda", [-0.5, 1.5, Number.NaN], "in [0, 1]"],
    [new DelayedLinear(1, 1, { maxDelay: 2 }), "sigma", [0, -1, 1e7, Number.NaN], "in [1e-6, 1e6]"],
  ];
  for (const [layer, name, values, expected] of wrong) {
    const before = layer.stateDict();
    for (const value of values) {
      const act = () => layer.loadStateDict({ ...before, [name]: entry(value) });
      expect(act).toThrow(new RangeError(`loadStateDict: ${name} must be ${expected}, got ${Math.fround(value)}`));
      expect(layer.stateDict()).toEqual(before);
    }
  }
  const several = new Delay([1, 2]);
  expect(() => several.loadStateDict({ delays: { shape: [2], data: Float32Array.of(1, 2.5) } })).toThrow(RangeError);
});

test("state: one of version 0.1, without fixed values, loads; they stay, and the report names them", () => {
  const net = new Sequential(new Linear(2, 2), new LIF({ beta: 0.5, learnThreshold: true }), new LeakyIntegrator());
  const { "1.beta": _, "2.beta": __, ...old } = net.stateDict();
  expect(net.loadStateDict(old)).toEqual({
    missingKeys: [],
    missingBuffers: ["1.beta", "2.beta"],
    unexpectedKeys: [],
    adjustedKeys: [],
  });
  expect((net.modules[1] as LIF).beta.item()).toBe(0.5);
});

test("state: what a recurrent LIF learns besides beta and threshold is among its parameters", () => {
  const layer = new RecurrentLIF({ features: 2, learn: ["rest"], learnBeta: true });
  expect(layer.namedParameters().map(([name]) => name)).toEqual(["beta", "rest", "recurrent.weight", "recurrent.bias"]);
});
