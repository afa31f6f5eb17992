import { expect, test } from "vitest";
import type { DiagnoseOptions, Surrogate, Tensor } from "../../index.ts";
import {
  AdamW,
  burstEncode,
  constantEncode,
  crossEntropy,
  diagnose,
  firingRates,
  Generator,
  gradientNorms,
  LeakyIntegrator,
  LIF,
  Linear,
  lastMembrane,
  Module,
  manualSeed,
  meanOverTime,
  phaseEncode,
  poissonEncode,
  RecurrentLIF,
  rand,
  record,
  Sequential,
  surrogate,
  tape,
  tensor,
  ttfsEncode,
} from "../../index.ts";
import * as known from "../surrogates/known.ts";

const y = Array.from({ length: 16 }, (_, i) => i % 10);
const loss = (output: Tensor) => crossEntropy(meanOverTime(output), y);

function input() {
  const generator = new Generator(1);
  return poissonEncode(rand([16, 60], { generator }), { timesteps: 20, generator });
}

/** Hidden layers of 50 neurons and a readout; `scale` and `bias` change the weights of the hidden ones. */
function network({
  depth = 1,
  scale = 1,
  bias = 0,
  neuron = { threshold: 0.3 } as { threshold?: number; surrogate?: Surrogate },
} = {}) {
  const generator = new Generator(2);
  const layers = Array.from({ length: depth }, (_, i) => {
    const linear = new Linear(i === 0 ? 60 : 50, 50, { generator });
    linear.weight.copyFrom(linear.weight.mul(scale));
    linear.bias?.copyFrom(linear.bias.mul(scale).add(bias));
    return [linear, new LIF(neuron)];
  });
  return new Sequential(...layers.flat(), new Linear(50, 10, { generator }), new LeakyIntegrator());
}

const troubles = (model: Module, options: Partial<DiagnoseOptions> = {}) =>
  diagnose(model, input(), { loss, ...options }).findings.map(({ trouble, layer }) => `${trouble} ${layer}`);

test.each(Object.entries(known))("diagnose: healthy networks have no finding, surrogate %s", (_, own) => {
  for (const depth of [1, 2])
    expect(troubles(network({ depth, neuron: { threshold: 0.3, surrogate: own() } }))).toEqual([]);
  const generator = new Generator(3);
  const recurrent = new RecurrentLIF({ features: 50, threshold: 0.4, surrogate: own(), generator });
  expect(
    troubles(new Sequential(new Linear(60, 50, { generator }), recurrent, new Linear(50, 10, { generator }))),
  ).toEqual([]);
});

test("diagnose: a network that trains has no finding before and after", () => {
  const model = network();
  const x = input();
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
  const first = diagnose(model, x, { loss });
  for (let step = 0; step < 40; step++) {
    tape(() => loss(model.forward(x)).backward());
    optimizer.step();
    optimizer.zeroGrad();
  }
  const last = diagnose(model, x, { loss });
  expect(last.loss).toBeLessThan(first.loss / 4);
  expect([first.healthy, last.healthy]).toEqual([true, true]);
  expect(String(last)).toMatch(/No reason found why this network should not learn\.$/);
});

test("diagnose: neurons that never fire are dead", () => {
  const { findings, layers, healthy } = diagnose(network({ bias: -3 }), input(), { loss });
  expect(healthy).toBe(false);
  const dead = findings.find(({ trouble }) => trouble === "dead");
  expect(dead?.layer).toBe("1");
  expect(dead?.reason).toMatch(
    /^1 \(LIF\): 100 % of its 50 neurons do not fire, the mean rate is 0: the membrane lies between/,
  );
  expect(dead?.reason).toMatch(/the threshold is 0.3$/);
  expect(layers["1"]).toMatchObject({ rate: 0, silent: 1, saturated: 0, threshold: expect.closeTo(0.3, 6) });
});

test("diagnose: neurons that fire in every step are saturated", () => {
  const { findings, layers } = diagnose(network({ bias: 4 }), input(), { loss });
  const saturated = findings.find(({ trouble }) => trouble === "saturated");
  expect(saturated?.layer).toBe("1");
  expect(saturated?.reason).toMatch(
    /100 % of its 50 neurons fire in at least 90 % of the steps, the mean rate is 1: the current has a mean of/,
  );
  expect(layers["1"]?.saturated).toBe(1);
});

test("diagnose: where no membrane is within the support of the surrogate, no gradient passes", () => {
  const model = network({ depth: 3, neuron: { threshold: 0.3, surrogate: surrogate.boxcar() } });
  (model.modules[2] as Linear).bias?.copyFrom(new Float32Array(50).fill(-9));
  // The layers before it have no gradient either; it is the cause, so they are not reported.
  expect(troubles(model)).toEqual(["dead 3", "unsupported 3"]);
  const { findings, layers, parameters } = diagnose(model, input(), { loss });
  expect(findings[1]?.reason).toMatch(
    /a gradient of norm 0\.\d+ arrives, but the surrogate's derivative is 0 in 100 % of all steps/,
  );
  expect(layers["3"]).toMatchObject({ leaving: 0, passing: 0 });
  expect(parameters).toMatchObject({ "0.weight": 0, "2.weight": 0 });
  expect(parameters["6.weight"]).toBeGreaterThan(0);
});

test("diagnose: gradients that shrink from layer to layer vanish", () => {
  const steep = surrogate.fastSigmoid({ slope: 200 });
  const found = diagnose(network({ depth: 5, neuron: { threshold: 0.3, surrogate: steep } }), input(), { loss });
  expect(found.findings.map(({ trouble }) => trouble)).toEqual(["vanishing"]);
  const norms = ["1", "3", "5", "7", "9"].map((name) => found.layers[name]?.leaving as number);
  expect(norms).toEqual([...norms].sort((a, b) => a - b));
  expect(found.findings[0]?.reason).toMatch(/times that next to the loss; the neurons pass on/);
});

test("diagnose: gradients that grow from layer to layer explode", () => {
  const wide = { threshold: 30, surrogate: surrogate.straightThrough() };
  const found = troubles(network({ depth: 5, scale: 40, neuron: wide }));
  expect(found.filter((each) => each.startsWith("exploding"))).toHaveLength(1);
});

test("diagnose: gradients of recurrent layers explode and vanish over time", () => {
  const generator = new Generator(3);
  const layer = (beta: number, scale: number) => {
    const recurrent = new RecurrentLIF({ features: 50, beta, surrogate: surrogate.straightThrough(), generator });
    const { weight } = recurrent.recurrent as Linear;
    weight.copyFrom(weight.mul(scale));
    return recurrent;
  };
  const last = (output: Tensor) => crossEntropy(lastMembrane(output), y);
  const readout = () => new Linear(50, 10, { generator });
  const explodes = new Sequential(new Linear(60, 50, { generator }), layer(0.9, 20), readout());
  expect(troubles(explodes, { loss: last })).toEqual(["exploding 1"]);
  const vanishes = new Sequential(new Linear(60, 50, { generator }), layer(0.2, 0.01), readout());
  expect(troubles(vanishes, { loss: last })).toEqual(["vanishing 1"]);
});

test("diagnose: the layer next to the loss is the last that ran, also within blocks", () => {
  const generator = new Generator(3);
  const neuron = () => new LIF({ threshold: 0.3, surrogate: surrogate.triangular() });
  const block = (inputs: number) => new Sequential(new Linear(inputs, 50, { generator }), neuron());
  const last = neuron();
  // "3" is the last layer, and the first key of an object.
  const model = new Sequential(block(60), block(50), new Linear(50, 10, { generator }), last);
  const healthy = diagnose(model, input(), { loss });
  expect(healthy.order).toEqual(["0.1", "1.1", "3"]);
  const rows = String(healthy).split("\n").slice(3, 6);
  expect(rows.map((row) => row.split(" ")[0])).toEqual(healthy.order);
  last.threshold.copyFrom([1e6]);
  expect(troubles(model)).toEqual(["dead 3", "unsupported 3"]);
});

test("diagnose: no gradient arrives where the path is cut", () => {
  class Cut extends Module {
    forward(x: Tensor): Tensor {
      return x.detach();
    }
  }
  const { modules } = network({ depth: 2 });
  expect(troubles(new Sequential(...modules.slice(0, 4), new Cut(), ...modules.slice(4)))).toEqual(["disconnected 3"]);
  const zero = network();
  (zero.modules[2] as Linear).weight.copyFrom(new Float32Array(500));
  expect(troubles(zero)).toEqual(["disconnected 1"]);
});

test("diagnose: what is no number is named where it begins", () => {
  const spoilt = network({ depth: 2 });
  (spoilt.modules[2] as Linear).weight.copyFrom(new Float32Array(2500).fill(Number.NaN));
  expect(troubles(spoilt)).toEqual(["nan 2.weight"]);
  class Divides extends Module {
    forward(x: Tensor): Tensor {
      return x.div(x.sub(x));
    }
  }
  const { modules } = network();
  const divides = new Sequential(modules[0] as Linear, new Divides(), ...modules.slice(1));
  expect(troubles(divides)).toEqual(["nan 2"]);
  expect(troubles(network(), { loss: (z) => z.sum().mul(0).log() })).toEqual(["nan loss"]);
  expect(troubles(network(), { loss: (z) => z.mul(0).sum().sqrt() })).toEqual(["nan 0.weight"]);
});

test("diagnose: bounds are options", () => {
  expect(troubles(network(), { saturatedRate: 0, saturatedShare: 1 })).toEqual(["saturated 1"]);
  expect(troubles(network(), { silentRate: 1 })).toEqual(["dead 1"]);
  expect(troubles(network({ depth: 2 }), { vanishing: 100 })).toEqual(["vanishing 5"]);
  expect(() => diagnose(network(), input(), { loss, deadShare: 2 })).toThrow(
    "diagnose: deadShare must be in [0, 1], got 2",
  );
  expect(() => diagnose(network(), input(), {} as never)).toThrow("diagnose: expected loss as a function, got null");
  expect(() => diagnose(new Linear(60, 10), input(), { loss })).toThrow("a model with layers of neurons");
});

test("diagnose: in words it shows the layers, the reasons and the remedies", () => {
  const text = String(diagnose(network({ bias: -3 }), input(), { loss }));
  const lines = text.split("\n");
  expect(lines[0]).toMatch(/^loss \d/);
  expect(lines[2]).toMatch(/^layer {2}class +neurons {2}rate {2}silent {2}saturated/);
  expect(lines[3]).toMatch(/^1 +LIF +50 +0 +100 % +0 %/);
  expect(text).toMatch(/\ndead: 1 \(LIF\): .*\.\n {2}→ raise the current/);
});

test("firingRates: rates of layers and neurons, silent and saturated ones", () => {
  // Neuron 0 never fires, 1 in every step, 2 in every second one.
  const current = tensor(
    Array.from({ length: 8 }, (_, t) => [
      [0, 2, t % 2 ? 1 : 0],
      [0, 2, t % 2 ? 1 : 0],
    ]),
  );
  const recording = record(new LIF({ beta: 0 }), current);
  const { LIF: rates } = firingRates(recording);
  expect(rates).toEqual({ mean: 0.5, perNeuron: Float64Array.of(0, 1, 0.5), silent: 1 / 3, saturated: 1 / 3 });
  expect(firingRates(recording, { silentRate: 0.5, saturatedRate: 0.5 }).LIF).toMatchObject({
    silent: 2 / 3,
    saturated: 2 / 3,
  });
  expect(() => firingRates(recording, { silentRate: -1 })).toThrow(RangeError);
  expect(() => firingRates({} as never)).toThrow("firingRates: expected a recording, with layers, got undefined");
});

test("gradientNorms: norms of layers, steps and parameters, also of the smallest values", () => {
  const current = tensor([[[3, 0]], [[0, 4]]]);
  const own = (z: Tensor) => z.mul(current).sum().mul(1e-30);
  const norms = gradientNorms(record(new LeakyIntegrator({ beta: 0, learnBeta: true }), current, { loss: own }));
  const { current: seen, membrane, spikes } = norms.layers.LeakyIntegrator ?? {};
  expect(spikes).toBe(null);
  expect(Array.from(seen?.steps ?? [], (norm) => norm / 1e-30)).toEqual([expect.closeTo(3, 5), expect.closeTo(4, 5)]);
  expect((seen?.norm ?? 0) / 1e-30).toBeCloseTo(5, 5);
  expect((membrane?.norm ?? 0) / 1e-30).toBeCloseTo(5, 5);
  expect(Object.keys(norms.parameters)).toEqual(["beta"]);
  expect(() => gradientNorms(record(new LIF(), current))).toThrow(
    "gradientNorms: expected a recording with a loss, got one without",
  );
});

test("diagnose: encode is the encoder of fit, and values that it clamps are a finding", () => {
  const pixels = rand([16, 60], { generator: new Generator(4) }).mul(255);
  const poisson = (x: Tensor) => poissonEncode(x, { timesteps: 20 });
  const model = network();
  const before = manualSeeded(() => rand([4]).toArray());
  const after = manualSeeded(() => {
    const { findings, beyondUnit, healthy } = diagnose(model, pixels, { loss, encode: poisson });
    expect(beyondUnit).toBeGreaterThan(0.99);
    expect(healthy).toBe(false);
    expect(findings[0]).toEqual({
      trouble: "clamped",
      layer: "input",
      reason:
        "99.7 % of the values of the input lie beyond [0, 1], and encode gives all values above 1 the same spikes",
      advice: "scale the data to [0, 1], as pixels of 0 to 255 by the option scale: 1 / 255 of TensorDataset",
    });
    return rand([4]).toArray();
  });
  expect(after).toEqual(before);
  const ofEncoded = (x: Tensor, encode: (x: Tensor) => Tensor) =>
    diagnose(model, x, { loss, encode }).findings.map(({ trouble }) => trouble);
  for (const encode of [ttfs, burst, phase]) expect(ofEncoded(pixels, encode)).toContain("clamped");
  // Scaled values, a gain, an order of axes, currents, and encoders that do not clamp.
  const scaled = pixels.mul(1 / 255);
  const generator = new Generator(5);
  for (const [x, encode] of [
    [scaled, poisson],
    [pixels, (x: Tensor) => poissonEncode(x, { timesteps: 20, gain: 1 / 255, generator })],
    [pixels.reshape([16, 1, 60]).expand([16, 20, 60]), (x: Tensor) => x.transpose(0, 1).gt(128)],
    [pixels, (x: Tensor) => constantEncode(x, { timesteps: 20 })],
  ] as const) {
    expect(ofEncoded(x, encode)).not.toContain("clamped");
  }
  const text = String(diagnose(model, scaled, { loss, encode: poisson }));
  expect(text).toContain("\n0 % of the values of the input lie beyond [0, 1]\n");
  expect(diagnose(model, input(), { loss }).beyondUnit).toBe(null);
  expect(String(diagnose(model, input(), { loss }))).not.toContain("beyond");
  expect(() => diagnose(model, pixels, { loss, encode: (() => 3) as never })).toThrow("diagnose: encode: ");
  const [spoilt] = diagnose(model, scaled, { loss, encode: (x) => poisson(x).mul(Number.NaN) }).findings;
  expect(spoilt).toMatchObject({ trouble: "nan", layer: "input" });
  expect(spoilt?.reason).toContain("the encoded input");
  for (const encode of [3, null, false]) {
    expect(() => diagnose(model, pixels, { loss, encode: encode as never })).toThrow(TypeError);
  }
});

/** fn() with the default generator at its seed 1. */
function manualSeeded<R>(fn: () => R): R {
  manualSeed(1);
  return fn();
}

const ttfs = (x: Tensor) => ttfsEncode(x, { timesteps: 20 });
const burst = (x: Tensor) => burstEncode(x, { timesteps: 20 });
const phase = (x: Tensor) => phaseEncode(x, { timesteps: 20 });
