/** Networks trained in snnTorch, Norse and SpikingJelly: their states load, and the spikes are the same here. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { NamedArrays, Tensor } from "../engine/index.ts";
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  Flatten,
  Linear,
  loadSafetensors,
  MaxPool2d,
  Module,
  noGrad,
  readSafetensors,
  Sequential,
  tensor,
} from "../engine/index.ts";
import { random, values } from "../test/support/tensors.ts";
import {
  Alpha,
  BatchNormTT1d,
  fromPython,
  IF,
  Izhikevich,
  KLIF,
  Lapicque,
  LeakyIntegrator,
  LIF,
  ParametricLIF,
  PSN,
  Recurrent,
  RecurrentLIF,
  SpikingLSTM,
  Synaptic,
  SynapticIntegrator,
} from "./index.ts";

const fileOf = (name: string) => readFileSync(new URL(`../test/fixtures/weights/${name}.safetensors`, import.meta.url));

/** The state saved by Python, and a run: inputs, and outputs of the layers. */
function trained(name: string) {
  const state = readSafetensors(fileOf(name)).arrays;
  const { tensors } = loadSafetensors(fileOf(`${name}-run`));
  return { state, input: tensors.input as Tensor, out: (layer: string) => values(tensors[`out.${layer}`] as Tensor) };
}

const whole = (report: object) => expect(report).toMatchObject({ missingKeys: [], unexpectedKeys: [] });

class SnnTorch extends Module {
  readonly fc1 = new Linear(64, 24);
  readonly bntt = new BatchNormTT1d(24, 10);
  readonly lif1 = new LIF({ numerics: "snntorch", learnBeta: true });
  readonly fc2 = new Linear(24, 16);
  readonly lif2 = new Synaptic({ numerics: "snntorch", reset: "zero", learn: ["threshold"] });
  readonly fc3 = new Linear(16, 4);
  readonly lif3 = new RecurrentLIF({ numerics: "snntorch", features: 4, beta: tensor([0, 0, 0, 0]) });

  layers(x: Tensor): Tensor[] {
    const first = this.lif1.forward(this.bntt.forward(this.fc1.forward(x)));
    const second = this.lif2.forward(this.fc2.forward(first));
    return [first, second, this.lif3.forward(this.fc3.forward(second))];
  }

  forward(x: Tensor): Tensor {
    return this.layers(x)[2] as Tensor;
  }
}

/** The outputs of the layers in evaluation mode. */
const given = (net: Module, run: () => Tensor[]): number[][] => net.evaluating(() => noGrad(() => run().map(values)));

test("snntorch: a trained network loads, with decays, thresholds and statistics, and fires the same spikes", () => {
  const { state, input, out } = trained("snntorch");
  const net = new SnnTorch();
  whole(net.loadStateDict(fromPython(state, { model: net, from: "snntorch" })));
  // Fixed values came with the file.
  expect(values(net.lif3.beta)).toEqual(new Array(4).fill(Math.fround(0.8)));
  expect([net.lif1.threshold.item(), net.lif2.alpha.item()]).toEqual([0.9, 0.6].map(Math.fround));
  const spikes = given(net, () => net.layers(input));
  for (const [i, layer] of ["lif1", "lif2", "lif3"].entries()) {
    expect(
      spikes[i]?.some((s) => s === 1),
      layer,
    ).toBe(true);
    expect(spikes[i], layer).toEqual(out(layer));
  }
  input.dispose();
});

test("norse: a trained network loads and fires the same spikes; its readout agrees", () => {
  const { state, input, out } = trained("norse");
  const threshold = 0.3;
  class Net extends Module {
    readonly net = new Sequential(
      new Linear(64, 24),
      new Synaptic({ numerics: "norse", threshold }),
      new Sequential(
        new Linear(24, 16, { bias: false }),
        new Recurrent(new Synaptic({ numerics: "norse", threshold, detachReset: true }), {
          features: 16,
          bias: false,
          selfConnections: false,
        }),
      ),
      new Sequential(new Linear(16, 4, { bias: false }), new SynapticIntegrator({ numerics: "norse" })),
    );
    forward = (x: Tensor) => this.net.forward(x);
  }
  const net = new Net();
  whole(net.loadStateDict(fromPython(state, { model: net, from: "norse" })));
  const [first, second, third, last] = net.net.modules as [Module, Module, Module, Module];
  const all = given(net, () => {
    const one = second.forward(first.forward(input));
    const two = third.forward(one);
    return [one, two, last.forward(two)];
  });
  expect(all[0]).toEqual(out("1"));
  expect(all[1]).toEqual(out("2"));
  const membrane = out("membrane");
  for (const [i, v] of (all[2] as number[]).entries()) expect(Math.abs(v - (membrane[i] as number))).toBeLessThan(2e-6);
  input.dispose();
});

test("spikingjelly: a trained network loads and fires the same spikes", () => {
  const { state, input, out } = trained("spikingjelly");
  class Net extends Module {
    readonly net = new Sequential(
      new Conv2d(1, 6, 3, { padding: 1, bias: false }),
      new BatchNorm2d(6),
      new ParametricLIF({ numerics: "spikingjelly" }),
      new MaxPool2d(2),
      new Flatten(2),
      new Linear(96, 16),
      new Sequential(
        new Linear(16, 16),
        new Recurrent(new LIF({ numerics: "spikingjelly", tau: 2.5, reset: "subtract" }), {
          features: 16,
          bias: false,
        }),
      ),
      new Linear(16, 4),
      new IF(),
    );
    forward = (x: Tensor) => this.net.forward(x);
  }
  const net = new Net();
  whole(net.loadStateDict(fromPython(state, { model: net, from: "spikingjelly" })));
  const [T, B] = input.shape as [number, number, number];
  const spikes = given(net, () => {
    let x = input.reshape([T, B, 1, 8, 8]);
    return net.net.modules.map((layer) => (x = layer.forward(x)));
  });
  for (const i of [2, 6, 8]) expect(spikes[i], String(i)).toEqual(out(String(i)));
  input.dispose();
});

const one = (x: number) => ({ shape: [], data: Float32Array.of(x) });
const of = (shape: readonly number[], seed: number) => {
  const t = random(shape, seed);
  return { shape, data: t.toFloat32Array() };
};

/** The masks of MaskedPSN: `tril(ones) * triu(ones, -(k - 1))` and `ones`. */
const masksOf = (T: number, k: number) => {
  const places = Array.from({ length: T * T }, (_, at) => [Math.floor(at / T), at % T] as const);
  const mask0 = places.map(([row, column]) => Number(column <= row) * Number(column >= row - (k - 1)));
  return {
    mask0: { shape: [T, T], data: Float32Array.from(mask0) },
    mask1: { shape: [T, T], data: new Float32Array(T * T).fill(1) },
  };
};

/** Layers, their states in Python if names differ, and the names here. */
const LAYERS: [
  what: string,
  from: "snntorch" | "norse" | "spikingjelly",
  Module,
  state: NamedArrays,
  names: string[],
][] = [
  [
    "Leaky with graded spikes",
    "snntorch",
    new LIF({ numerics: "snntorch", gradedSpikesFactor: 1 }),
    { beta: one(0.5), threshold: one(2), graded_spikes_factor: one(3), reset_mechanism_val: one(0) },
    ["beta", "threshold", "gradedSpikesFactor"],
  ],
  [
    "RSynaptic",
    "snntorch",
    new Recurrent(new Synaptic({ numerics: "snntorch" }), { features: 3 }),
    {
      ...{
        alpha: one(0.5),
        beta: one(0.6),
        threshold: one(2),
        graded_spikes_factor: one(1),
        reset_mechanism_val: one(0),
      },
      ...{ "recurrent.weight": of([3, 3], 1), "recurrent.bias": of([3], 2) },
    },
    ["neuron.alpha", "neuron.beta", "neuron.threshold", "recurrent.weight", "recurrent.bias"],
  ],
  [
    "RLeaky that feeds itself, with one V",
    "snntorch",
    new RecurrentLIF({ numerics: "snntorch", features: 3, connection: "one" }),
    { beta: one(0.5), threshold: one(1), V: one(0.25), "recurrent.V": one(0.25), graded_spikes_factor: one(1) },
    ["beta", "threshold", "V"],
  ],
  [
    "RLeaky whose V has its other name",
    "snntorch",
    new RecurrentLIF({ numerics: "snntorch", features: 3, connection: "one" }),
    { beta: one(0.5), threshold: one(1), "recurrent.V": of([3], 3) },
    ["beta", "threshold", "V"],
  ],
  [
    "RLeaky of images",
    "snntorch",
    new Recurrent(new LIF({ numerics: "snntorch" }), { connection: new Conv2d(2, 2, 3, { padding: 1 }) }),
    { beta: one(0.5), threshold: one(1), "recurrent.weight": of([2, 2, 3, 3], 4), "recurrent.bias": of([2], 5) },
    ["neuron.beta", "neuron.threshold", "recurrent.weight", "recurrent.bias"],
  ],
  [
    "Alpha",
    "snntorch",
    new Alpha({ numerics: "snntorch" }),
    { alpha: one(0.5), beta: one(0.25), threshold: one(1), graded_spikes_factor: one(1), reset_mechanism_val: one(1) },
    ["alpha", "beta", "threshold"],
  ],
  [
    "Lapicque",
    "snntorch",
    new Lapicque({ numerics: "snntorch" }),
    { beta: one(0.9), R: one(2), C: one(9.5), time_step: one(1), threshold: one(1), reset_mechanism_val: one(0) },
    ["R", "C", "timeStep", "threshold"],
  ],
  [
    "Leaky as a readout",
    "snntorch",
    new LeakyIntegrator(),
    { beta: one(0.5), threshold: one(1), graded_spikes_factor: one(1), reset_mechanism_val: one(2) },
    ["beta"],
  ],
  [
    "Synaptic as a readout",
    "snntorch",
    new SynapticIntegrator(),
    { alpha: one(0.25), beta: one(0.5), threshold: one(1), reset_mechanism_val: one(2) },
    ["alpha", "beta"],
  ],
  [
    "SLSTM",
    "snntorch",
    new SpikingLSTM(2, 3, { numerics: "snntorch" }),
    {
      ...{ threshold: one(0.5), graded_spikes_factor: one(1), reset_mechanism_val: one(2) },
      ...{ "lstm_cell.weight_ih": of([12, 2], 6), "lstm_cell.weight_hh": of([12, 3], 7) },
      ...{ "lstm_cell.bias_ih": of([12], 8), "lstm_cell.bias_hh": of([12], 9) },
    },
    ["neuron.threshold", "lstm_cell.weight_ih", "lstm_cell.weight_hh", "lstm_cell.bias_ih", "lstm_cell.bias_hh"],
  ],
  ["LConv2d", "norse", new Conv2d(2, 3, 3, { bias: false }), { weight: of([3, 2, 3, 3, 1], 1) }, ["weight"]],
  [
    "Lift",
    "norse",
    new Conv2d(1, 2, 3),
    { "lifted_module.weight": of([2, 1, 3, 3], 2), "lifted_module.bias": of([2], 3) },
    ["weight", "bias"],
  ],
  [
    "MaskedPSN",
    "spikingjelly",
    new PSN({ kind: "masked", order: 2, timesteps: 3 }),
    { weight: of([3, 3], 1), bias: of([3, 1], 2), _lambda_: one(0.5), ...masksOf(3, 2) },
    ["weight", "bias", "lambda"],
  ],
  ["KLIFNode", "spikingjelly", new KLIF({ numerics: "spikingjelly", learn: ["k"] }), { k: one(1.5) }, ["k"]],
  [
    "BatchNormThroughTime1d",
    "spikingjelly",
    new BatchNormTT1d(2, 2),
    Object.fromEntries(
      [0, 1].flatMap((t) => [
        ...["weight", "running_mean", "running_var"].map((name, i) => [`bn_list.${t}.${name}`, of([2], 3 * t + i)]),
        [`bn_list.${t}.num_batches_tracked`, one(7)],
      ]),
    ),
    ["weight", "running_mean", "running_var", "num_batches_tracked"],
  ],
];

test.each(LAYERS)("python: %s", (_what, from, layer, state, names) => {
  const mapped = fromPython(state, { model: layer, from });
  expect(Object.keys(mapped).sort()).toEqual([...names].sort());
  whole(layer.loadStateDict(mapped));
  const loaded = layer.stateDict();
  for (const [name, entry] of Object.entries(mapped)) {
    expect(Array.from(loaded[name]?.data as Float32Array), name).toEqual(Array.from(entry.data));
  }
  // A layer in a model has a path before its names; tensors are accepted too.
  const model = new Sequential(new Linear(1, 1), layer);
  const below = Object.entries(state).map(([name, { shape, data }]) => [`1.${name}`, tensor([...data], { shape })]);
  const inModel = fromPython(Object.fromEntries(below), { model, from });
  expect(Object.keys(inModel).sort()).toEqual(names.map((name) => `1.${name}`).sort());
  whole({ ...model.loadStateDict(inModel, { strict: false }), missingKeys: [] });
  for (const name of names) expect(model.stateDict()[`1.${name}`], name).toEqual(loaded[name]);
});

test("python: values keep their places", () => {
  const norm = new BatchNormTT1d(2, 3);
  const state = Object.fromEntries(
    [2, 0, 1].map((t) => [`${t}.weight`, { shape: [2], data: Float32Array.of(t, t + 10) }]),
  );
  norm.loadStateDict(fromPython(state, { model: norm, from: "snntorch" }), { strict: false });
  expect(values(norm.weight as Tensor)).toEqual([0, 10, 1, 11, 2, 12]);
  const pair = new Sequential(new Linear(1, 2), new Recurrent(new LIF(), { features: 2, bias: false }));
  const weight = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const rc = { "rc.weight": weight, "rc.bias": of([2], 1), "sub_module.threshold": one(0.5) };
  whole(pair.loadStateDict(fromPython(rc, { model: pair, from: "spikingjelly" })));
  const { "0.weight": input, "1.recurrent.weight": fedBack, "1.neuron.threshold": threshold } = pair.stateDict();
  expect([input?.data, fedBack?.data, threshold?.data]).toEqual(
    [[1, 4], [2, 3, 5, 6], [0.5]].map((each) => Float32Array.from(each)),
  );
});

test("python: a layer that computes otherwise is an error, and names without a partner stay", () => {
  const make = (reset: "zero" | "subtract" | "none") => {
    class Net extends Module {
      readonly lif1 = new LIF({ reset });
      readonly rnn = new RecurrentLIF({ features: 2, reset });
      readonly syn = new Recurrent(new Synaptic({ reset }), { features: 2 });
      forward = (x: Tensor) => x;
    }
    return new Net();
  };
  const resets = ["subtract", "zero", "none"] as const;
  for (const [value, expected] of resets.entries()) {
    for (const reset of resets) {
      for (const layer of ["lif1", "rnn", "syn"]) {
        const state = { [`${layer}.reset_mechanism_val`]: one(value) };
        const act = () => fromPython(state, { model: make(reset), from: "snntorch" });
        if (reset === expected) expect(act()).toEqual({});
        else {
          expect(act).toThrow(
            new RangeError(
              `fromPython: ${layer}: expected a layer with reset "${expected}", as the state says, got "${reset}"`,
            ),
          );
        }
      }
    }
  }
  const model = make("zero");
  const wrong: [state: NamedArrays, message: string][] = [
    [{ "lif1.reset_mechanism_val": one(3) }, "fromPython: lif1: expected reset_mechanism_val 0, 1 or 2, got 3"],
    [
      { "lif1.graded_spikes_factor": one(2) },
      "fromPython: lif1: expected a layer with gradedSpikesFactor, as the state has one, got none",
    ],
    [null as never, "fromPython: expected a state, arrays by name, got null"],
    [
      { other: { shape: [[2]] as never, data: Float32Array.of(1, 2) } },
      "fromPython: other: expected shape[0] as a number",
    ],
    [
      { other: { shape: [0.5], data: new Float32Array(0) } },
      "fromPython: other: shape[0] must be an integer ≥ 0, got 0.5",
    ],
    [{ other: { shape: [2], data: new Float32Array(3) } }, "fromPython: other: expected 2 values, got 3"],
    [
      { "lif1.graded_spikes_factor": 3 as never },
      "fromPython: lif1.graded_spikes_factor: expected an array { shape, data }, got 3",
    ],
  ];
  for (const [state, message] of wrong) expect(() => fromPython(state, { model, from: "snntorch" })).toThrow(message);
  expect(() => fromPython({}, { model, from: "brian" as never })).toThrow(
    'fromPython: expected from "snntorch", "norse" or "spikingjelly", got "brian"',
  );
  expect(() => fromPython({}, { model: {} as never, from: "norse" })).toThrow(TypeError);
  const norm = new BatchNormTT1d(2, 3);
  const two = { "0.weight": of([2], 1), "2.weight": of([2], 2) };
  expect(() => fromPython(two, { model: norm, from: "snntorch" })).toThrow(
    "fromPython: weight: expected arrays of one length for 3 steps, got [2, undefined, 2]",
  );
  const strange = { "lif1.beta": one(0.5), "lif1.gamma": one(1), "none.reset_mechanism_val": one(1) };
  const mapped = fromPython(strange, { model, from: "snntorch" });
  expect(mapped).toEqual(strange);
  expect(model.loadStateDict(mapped, { strict: false }).unexpectedKeys).toEqual([
    "lif1.gamma",
    "none.reset_mechanism_val",
  ]);
});

test("python: arrays of another shape are refused but for the values of neurons and LConv2d of Norse", () => {
  const from = ["snntorch", "norse", "spikingjelly"] as const;
  const wrong: [layer: Module, state: NamedArrays, name: string][] = [
    [new BatchNorm1d(3), new BatchNorm1d(1).stateDict(), "weight"],
    [
      new Sequential(new Linear(2, 3)),
      { ...new Sequential(new Linear(2, 3)).stateDict(), "0.bias": of([1], 1) },
      "0.bias",
    ],
    [new Linear(2, 3), { weight: of([3, 2, 1], 1), bias: of([3], 2) }, "weight"],
    [new Conv1d(2, 2, 3), { ...new Conv1d(2, 2, 3).stateDict(), weight: of([2, 2, 3, 1], 1) }, "weight"],
    [
      new Recurrent(new LIF(), { features: 2 }),
      { ...new Recurrent(new LIF(), { features: 2 }).stateDict(), "recurrent.bias": of([1], 1) },
      "recurrent.bias",
    ],
  ];
  for (const [layer, state, name] of wrong) {
    for (const each of from) {
      const act = () => layer.loadStateDict(fromPython(state, { model: layer, from: each }));
      expect(act, `${name} of ${each}`).toThrow(`loadStateDict: ${name}: expected shape`);
    }
  }
  const conv = new Conv2d(2, 3, 3, { bias: false });
  for (const each of ["snntorch", "spikingjelly"] as const) {
    const act = () => conv.loadStateDict(fromPython({ weight: of([3, 2, 3, 3, 1], 1) }, { model: conv, from: each }));
    expect(act, each).toThrow("loadStateDict: weight: expected shape [3, 2, 3, 3], got [3, 2, 3, 3, 1]");
  }
  const neurons = new ParametricLIF({ w: tensor([1, 2, 3]) });
  whole(neurons.loadStateDict(fromPython({ w: of([1], 1) }, { model: neurons, from: "spikingjelly" })));
  expect(values(neurons.w)).toEqual(new Array(3).fill(of([1], 1).data[0]));
});

test("python: no array of the state is lost without a report or an error", () => {
  const norm = new BatchNormTT1d(2, 2);
  const steps = { "0.weight": of([2], 1), "1.weight": of([2], 2) };
  const strange = ["0.99999999999.weight", "0.30000000.weight", "0.2.weight", "0.00.weight", "0.01.weight"];
  const counts = ["0.2.num_batches_tracked", "0.1.num_batches_tracked", "0.99999999999.num_batches_tracked"];
  for (const from of ["snntorch", "spikingjelly"] as const) {
    for (const name of [...strange, ...counts]) {
      const state = {
        ...Object.fromEntries(Object.entries(steps).map(([key, entry]) => [`0.${key}`, entry])),
        [name]: of([2], 3),
      };
      const model = new Sequential(norm);
      const { unexpectedKeys } = model.loadStateDict(fromPython(state, { model, from }), { strict: false });
      expect(unexpectedKeys, name).toEqual([name]);
      expect(values(norm.weight as Tensor), name).toEqual([1, 2].flatMap((seed) => [...of([2], seed).data]));
    }
  }
  const plain = new BatchNormTT1d(2, 2, { trackRunningStats: false });
  const counted = { "0.num_batches_tracked": one(1), "1.num_batches_tracked": one(1) };
  expect(fromPython(counted, { model: plain, from: "snntorch" })).toEqual(counted);

  class Net extends Module {
    readonly lif = new Recurrent(new LIF(), { features: 2 });
    readonly rnn = new RecurrentLIF({ features: 2, connection: "one" });
    readonly norm = norm;
    forward = (x: Tensor) => x;
  }
  const model = new Net();
  const two: [NamedArrays, message: string][] = [
    [
      { "lif.beta": one(0.5), "lif.neuron.beta": one(0.5) },
      "lif.neuron.beta: expected one array, got lif.beta and lif.neuron.beta",
    ],
    [
      { "lif.neuron.beta": one(0.5), "lif.beta": one(0.5) },
      "lif.neuron.beta: expected one array, got lif.neuron.beta and lif.beta",
    ],
    [
      { "norm.0.weight": of([2], 1), "norm.1.weight": of([2], 1), "norm.weight": of([2, 2], 1) },
      "norm.weight: expected one array, got norm.weight and norm.0.weight",
    ],
    [
      { "rnn.V": of([2], 1), "rnn.recurrent.V": of([2], 2) },
      "rnn.V: expected the values of rnn.recurrent.V, got others",
    ],
    [
      { "rnn.recurrent.V": of([2], 1), "rnn.V": of([1], 1) },
      "rnn.V: expected the values of rnn.recurrent.V, got others",
    ],
  ];
  for (const [state, message] of two) {
    expect(() => fromPython(state, { model, from: "snntorch" })).toThrow(new RangeError(`fromPython: ${message}`));
  }
  const pair = { "rnn.recurrent.V": of([2], 1), "rnn.V": of([2], 1) };
  expect(fromPython(pair, { model, from: "snntorch" })).toEqual({ "rnn.V": of([2], 1) });
});

test("python: masks of another order are refused", () => {
  const model = new Sequential(new PSN({ kind: "masked", order: 5, timesteps: 8 }));
  const load = (masks: NamedArrays) => {
    const state = { weight: of([8, 8], 1), bias: of([8, 1], 2), _lambda_: one(1), ...masks };
    const named = Object.entries(state).map(([name, entry]) => [`0.${name}`, entry]);
    return model.loadStateDict(fromPython(Object.fromEntries(named), { model, from: "spikingjelly" }));
  };
  whole(load(masksOf(8, 5)));
  expect(() => load(masksOf(8, 2))).toThrow(
    new RangeError("fromPython: 0.mask0: expected 1 at [2, 0], as of order 5, got 0"),
  );
  expect(() => load(masksOf(8, 6))).toThrow("fromPython: 0.mask0: expected 0 at [5, 0], as of order 5, got 1");
  expect(() => load(masksOf(7, 5))).toThrow("fromPython: 0.mask0: expected a mask [8, 8], got [7, 7]");
  expect(() => load({ mask1: masksOf(8, 5).mask0 })).toThrow("fromPython: 0.mask1: expected 1 at [0, 1], got 0");
  const full = new PSN({ timesteps: 8 });
  const state = { ...full.stateDict(), ...masksOf(8, 5) };
  const mapped = fromPython(state, { model: full, from: "spikingjelly" });
  expect(full.loadStateDict(mapped, { strict: false }).unexpectedKeys).toEqual(["mask0", "mask1"]);
});

test("python: a readout takes states without a reset alone", () => {
  const layer = new LeakyIntegrator();
  const from = "snntorch";
  for (const [value, reset] of ["subtract", "zero"].entries()) {
    const state = { beta: one(0.5), threshold: one(1), reset_mechanism_val: one(value) };
    expect(() => fromPython(state, { model: layer, from })).toThrow(`expected a layer with reset "${reset}"`);
  }
  // A state without a reset entry may need its threshold.
  const mapped = fromPython({ beta: one(0.5), threshold: one(1) }, { model: layer, from });
  expect(Object.keys(mapped)).toEqual(["beta", "threshold"]);
  const spiking = new Sequential(new Izhikevich());
  expect(() => fromPython({ "0.reset_mechanism_val": one(2) }, { model: spiking, from })).toThrow(
    'fromPython: 0: expected a layer with reset "none", as the state says, got a reset of its own',
  );
});
