import { expect, test } from "vitest";
import type { Value } from "../../engine/fuse/index.ts";
import {
  Adam,
  accuracy,
  Conv2d,
  crossEntropy,
  Dropout,
  Embedding,
  Flatten,
  Generator,
  Linear,
  linear,
  Module,
  manualSeed,
  noGrad,
  rand,
  Sequential,
  type Tensor,
  tape,
  tensor,
} from "../../engine/index.ts";
import { weightOf } from "../../engine/protocol.ts";
import {
  AdaptiveLIF,
  AdEx,
  ConductanceLIF,
  DelayedLinear,
  IF,
  Izhikevich,
  LeakyIntegrator,
  LIF,
  neuron,
  OTTT,
  ParametricLIF,
  Plastic,
  PSN,
  Recurrent,
  RecurrentLIF,
  record,
  SpikingLSTM,
  STDP,
  Stream,
  Synaptic,
} from "../index.ts";
import { applyMasks, prune, quantize, quantizedWeights } from "./index.ts";
import { nearestShift } from "./shift.ts";

const currents = (shape: number[], seed = 1): Tensor =>
  rand(shape, { generator: new Generator(seed) })
    .mul(2)
    .sub(0.5);
const values = (t: Tensor): number[] => [...t.toFloat32Array()];

/** Whether all are on one of 2^bits levels from −θ to 1.2·θ. */
function areOnLevels(t: Tensor, bits: number, theta = 1): boolean {
  const step = (2.2 * theta) / (2 ** bits - 1);
  return values(t).every((x) => {
    const index = (x + theta) / step;
    return Math.abs(index - Math.round(index)) < 1e-3 && index > -0.5 && index < 2 ** bits - 0.5;
  });
}

test("quantize: all weights of a model, of layers in layers too, and the weights themselves stay", () => {
  const model = new Sequential(
    new Conv2d(1, 2, 3),
    new Flatten(2),
    new DelayedLinear(18, 4, { maxDelay: 2 }),
    new RecurrentLIF({ features: 4 }),
    new Sequential(new Linear(4, 2), new Dropout(0.5)),
  );
  const before = model.stateDict();
  expect(quantize(model, { weights: { bits: 4 } })).toBe(model);
  expect(model.stateDict()).toEqual(before);
  const [conv, , delayed, recurrent, inner] = model.modules as [Conv2d, unknown, Module, RecurrentLIF, Sequential];
  for (const layer of [conv, delayed, recurrent.recurrent as Module, inner.modules[0] as Linear]) {
    expect(quantizedWeights(layer).bits).toBe(4);
  }
  const x = currents([3, 2, 1, 5, 5]);
  const z = model.eval().forward(x);
  quantize(model, { weights: null });
  expect(values(model.forward(x))).not.toEqual(values(z));
  expect(() => quantizedWeights(conv)).toThrow("quantizedWeights: expected a layer whose weights");
});

test("quantize: weights that no grid changes are errors that name the layer", () => {
  class Scaled extends Linear {
    override forward(x: Tensor): Tensor {
      return linear(x, this.weight.mul(2), this.bias);
    }
  }
  class Gain extends Module {
    reading = 0.5;
    forward(x: Tensor): Tensor {
      return x.mul(this.reading);
    }
  }
  const gain = new Gain();
  const plain = new Linear(3, 3);
  const all = (...layers: Module[]) => quantize(new Sequential(plain, gain, ...layers), { weights: { bits: 2 } });
  expect(() => all(new Scaled(3, 2))).toThrow(
    "quantize: expected layers that read their weights on a grid, got Scaled with 2.weight",
  );
  expect(() => quantize(new Scaled(3, 2), { weights: { bits: 2 } })).toThrow("got Scaled with weight;");
  const patched = new Linear(3, 2);
  patched.forward = (x) => x;
  expect(() => all(patched)).toThrow("got Linear with 2.weight");
  expect(() => all(new SpikingLSTM(3, 2))).toThrow("got Gates with 2.lstm_cell.weight_ih");
  expect(() => all(new PSN({ timesteps: 4 }))).toThrow("got PSN with 2.weight");
  expect(() => all(new Embedding(5, 3))).toThrow("got Embedding with 2.weight");
  expect(() => all(new RecurrentLIF({ features: 3, connection: "one" }))).toThrow("got RecurrentLIF with 2.V");
  expect(() => all(new Recurrent(new LIF(), { features: 3, connection: "one" }))).toThrow("got Recurrent with 2.V");
  expect(() => quantizedWeights(plain)).toThrow(RangeError);
  all();
  expect(gain.reading).toBe(0.5);
  expect(quantizedWeights(plain).bits).toBe(2);
});

test("quantize: fields of one's own stay, whatever their names", () => {
  class Gain extends Module {
    reading = 0.5;
    linked = 3;
    neuron = new LIF();
    forward(x: Tensor): Tensor {
      return this.neuron.forward(x.mul(this.reading));
    }
  }
  const gain = new Gain();
  quantize(new Sequential(new Linear(2, 2), gain), { weights: { bits: 4 }, state: { bits: 4 }, decays: "shift" });
  expect([gain.reading, gain.linked]).toEqual([0.5, 3]);
});

test("quantize: nothing is written where a parameter of a later layer was freed", () => {
  const model = () => new Sequential(new Linear(3, 3), new LIF(), new Linear(3, 3), new LIF());
  const weights = model();
  (weights.modules[2] as Linear).weight.dispose();
  expect(() => quantize(weights, { weights: { bits: 2 } })).toThrow(/^quantize: the tensor .* was freed/);
  const decays = model();
  (decays.modules[3] as LIF).beta.dispose();
  const options = { weights: { bits: 2 }, state: { bits: 3 }, decays: "shift" } as const;
  expect(() => quantize(decays, options)).toThrow(/^quantize: the tensor .* was freed/);
  for (const { modules } of [weights, decays]) {
    expect(() => quantizedWeights(modules[0] as Linear)).toThrow(RangeError);
    expect(String(modules[1])).not.toContain("round");
    expect(values((modules[1] as LIF).beta)).toEqual([Math.fround(0.95)]);
  }
});

test("quantize: a stream gives the bits of forward, also after training went on", () => {
  const model = quantize(
    new Sequential(
      new Linear(6, 8),
      new RecurrentLIF({ features: 8, threshold: 0.3 }),
      new Linear(8, 3),
      new LeakyIntegrator(),
    ),
    { weights: { bits: 3 }, state: { bits: 5 }, decays: "shift" },
  );
  const stream = new Stream(model, [2, 6]);
  const optimizer = new Adam(model.parameters(), { lr: 0.1 });
  const x = currents([7, 2, 6]);
  for (let round = 0; round < 2; round++) {
    stream.reset();
    const steps = x.unbind(0).flatMap((now) => [...stream.step(now.toFloat32Array())]);
    expect(steps).toEqual(values(model.forward(x)));
    tape(() => model.forward(x).square().sum().backward());
    optimizer.step();
  }
});

test("quantize: a stream that was made before weights or states changed refuses to go on", () => {
  const make = (layer: Module, shape: number[]) => ({ layer, stream: new Stream(layer, shape), x: [1, 1, 1] });
  const recurrent = (connection: "all" | "one") => new RecurrentLIF({ features: 3, connection });
  for (const layer of [new LIF(), new Synaptic(), recurrent("all"), recurrent("one")]) {
    const { stream, x } = make(layer, [1, 3]);
    stream.step(x);
    quantize(layer, { state: { bits: 3 } });
    expect(() => stream.step(x)).toThrow(/^Stream: (LIF|Synaptic) has another step now; make another stream$/);
    new Stream(layer, [1, 3]).step(x);
  }
  for (const layer of [new Linear(3, 2), new DelayedLinear(3, 2, { maxDelay: 2 }), recurrent("all")]) {
    const refuses = ({ stream, x }: ReturnType<typeof make>, change: () => void) => {
      stream.step(x);
      change();
      expect(() => stream.step(x)).toThrow("has another mask or grid now; make another stream");
    };
    refuses(make(layer, [1, 3]), () => void prune(layer, { amount: 0.5 }));
    refuses(make(layer, [1, 3]), () => void quantize(layer, { weights: { bits: 4 } }));
    refuses(make(layer, [1, 3]), () => applyMasks(layer));
    refuses(make(layer, [1, 3]), () => void quantize(layer, { weights: null }));
  }
});

test("quantize: weights of online rules: OTTT has the gradients of backpropagation in one step, Plastic changes the floats", () => {
  const make = () => {
    const generator = new Generator(1);
    return quantize(new Sequential(new Linear(5, 4, { generator }), new LIF(), new Linear(4, 3, { generator })), {
      weights: { bits: 2 },
    });
  };
  const x = currents([3, 5]);
  const [online, whole] = [make(), make()];
  new OTTT(online, { loss: (y: Tensor) => y.square().sum() }).step(x, []);
  tape(() => whole.forward(x.unsqueeze(0)).square().sum().backward());
  for (const [i, p] of whole.parameters().entries()) {
    expect(values(online.parameters()[i]?.grad as Tensor)).toEqual(values(p.grad as Tensor));
  }
  const layer = quantize(new Linear(3, 2, { bias: false }), { weights: { bits: 8 } });
  layer.weight.copyFrom([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
  const rule = new Plastic(layer, new STDP());
  const ones = (n: number) => tensor(new Float32Array(n).fill(1), { shape: [1, n] });
  let state = rule.initialState(1);
  for (let t = 0; t < 2; t++) state = rule.step(ones(3), ones(2), state);
  expect(values(layer.weight)).not.toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(Math.fround));
  expect(values(layer.weight)).not.toEqual(values(noGrad(() => weightOf(layer).clone())));
});

test("quantize: membranes lie on levels, and the spike is that of the level", () => {
  for (const bits of [1, 2, 4, 8]) {
    for (const reset of ["zero", "subtract", "none"] as const) {
      const layer = quantize(new LIF({ reset, threshold: 0.8 }), { state: { bits } });
      const { spikes, membrane, v } = layer.unroll(currents([9, 2, 5]));
      expect(areOnLevels(membrane, bits, 0.8)).toBe(true);
      expect(areOnLevels(v, bits, 0.8)).toBe(true);
      expect(values(spikes)).toEqual(values(membrane.ge(0.8)));
      expect(values(layer.forward(currents([9, 2, 5])))).toEqual(values(spikes));
    }
  }
});

test("quantize: levels are multiples of the threshold of each neuron", () => {
  const layer = quantize(new LIF({ threshold: tensor([1, 2, 4]), learnThreshold: true }), { state: { bits: 3 } });
  const { membrane } = layer.unroll(currents([9, 2, 3]).mul(3));
  for (const [i, theta] of [1, 2, 4].entries()) {
    expect(areOnLevels(tensor(values(membrane).filter((_, at) => at % 3 === i)), 3, theta)).toBe(true);
  }
});

test("quantize: states by their names, also held in refractory steps, and in neurons that feed themselves", () => {
  const synaptic = quantize(new Synaptic({ refractorySteps: 2 }), { state: { bits: 4, states: ["v", "i"] } });
  const { i, v, spikes } = synaptic.unroll(currents([9, 2, 5])) as unknown as Record<string, Tensor>;
  expect(areOnLevels(i as Tensor, 4)).toBe(true);
  expect(areOnLevels(v as Tensor, 4)).toBe(true);
  expect(values(spikes as Tensor)).toContain(1);
  const own = new Recurrent(new LIF(), { features: 5, connection: "one" });
  own.forward(currents([9, 2, 5]));
  quantize(own, { state: { bits: 3 } });
  expect(areOnLevels(own.unroll(currents([9, 2, 5])).membrane, 3)).toBe(true);
  // An adaptation is not a membrane.
  const adaptive = quantize(new AdaptiveLIF(), { state: { bits: 3 } });
  const adapted = adaptive.unroll(currents([9, 2, 5]).mul(3)) as unknown as Record<string, Tensor>;
  expect(areOnLevels(adapted.v as Tensor, 3)).toBe(true);
  expect(areOnLevels(adapted.a as Tensor, 3)).toBe(false);
});

test("quantize: the gradient of a membrane passes its level, also beyond the last one", () => {
  // Without spikes and leak, each current adds 1 to the last membrane.
  const layer = quantize(new LIF({ beta: 1, threshold: 100, reset: "none" }), { state: { bits: 4, threshold: 1 } });
  const x = tensor([0.4, 5, -0.3], { shape: [3, 1], requiresGrad: true });
  tape(() => layer.unroll(x).membrane.select(0, 2).sum().backward());
  expect(values(x.grad as Tensor)).toEqual([1, 1, 1]);
});

test("quantize: a state that is taken away leaves the neurons as they were", () => {
  const x = currents([9, 2, 5]);
  const layer = new LIF();
  const before = [values(layer.forward(x)), values(layer.unroll(x).membrane)];
  quantize(layer, { state: { bits: 2 } });
  quantize(layer, { state: { bits: 1 } });
  expect(values(layer.unroll(x).membrane)).not.toEqual(before[1]);
  expect(String(layer)).toContain("round");
  quantize(layer, { state: null });
  expect([values(layer.forward(x)), values(layer.unroll(x).membrane)]).toEqual(before);
  expect(String(layer)).not.toContain("round");
});

test("quantize: record and single steps see the levels", () => {
  const model = quantize(new Sequential(new Linear(4, 3), new LIF()), { state: { bits: 3 }, weights: { bits: 4 } });
  const x = currents([6, 2, 4]);
  const { layers } = record(model, x);
  expect(areOnLevels((layers["1"] as unknown as { membrane: Tensor }).membrane, 3)).toBe(true);
  const lif = model.modules[1] as LIF;
  let state = lif.initialState([2, 3]);
  const current = (model.modules[0] as Linear).forward(x);
  const steps = current.unbind(0).flatMap((now) => {
    const [spikes, next] = lif.step(now, state);
    state = next;
    return values(spikes);
  });
  expect(steps).toEqual(values(model.forward(x)));
});

test("quantize: levels that cannot hold the neurons are errors with layer and value", () => {
  const levels =
    (layer: Module, options = {}) =>
    () =>
      quantize(layer, { state: { bits: 6, ...options } });
  expect(levels(new AdEx())).toThrow("quantize: expected levels of a threshold > 0, got AdEx with threshold 0");
  expect(levels(new ConductanceLIF())).toThrow("got ConductanceLIF with threshold -50");
  expect(levels(new Izhikevich())).toThrow(
    "quantize: expected values from -1·θ to 1.2·θ, got Izhikevich with v at the start -65; give state.threshold, lowerLimit and upperLimit",
  );
  expect(levels(new Izhikevich({ v0: 0 }))).toThrow("got Izhikevich with c -65");
  expect(levels(new LIF({ resetValue: -2 }))).toThrow("got LIF with resetValue -2");
  expect(levels(new LIF({ resetValue: tensor([0, -1]), threshold: tensor([1, 0.5]) }))).toThrow(
    "got LIF with resetValue -1",
  );
  expect(levels(new LIF({ threshold: tensor([1, -1]), learnThreshold: true }))).toThrow("got LIF with threshold -1");
  expect(levels(new LIF(), { upperLimit: -0.5 })).toThrow("quantize: state.upperLimit must be ≥ 0 and at most 1e6");
  expect(levels(new LIF(), { threshold: 0 })).toThrow(RangeError);
  expect(levels(new LeakyIntegrator())).toThrow(
    "quantize: expected neurons with spikes that reset a state, or state.states of v, got LeakyIntegrator",
  );
  // A reset by subtraction does not use the value.
  levels(new LIF({ reset: "subtract" }))();
  const cell = new Izhikevich({ c: tensor([-65, -50]) });
  levels(cell, { threshold: 80, bits: 8 })();
  const { v, spikes } = cell.unroll(tensor(new Float32Array(400).fill(20), { shape: [200, 1, 2] }));
  expect(values(v).every((x) => x >= -80 && x <= 96)).toBe(true);
  expect(new Set(values(spikes)).size).toBe(2);
});

test("shift: the nearest 1 − 2⁻ᵏ", () => {
  const cases = [
    [0, 0],
    [0.2, 0],
    [0.3, 0.5],
    [0.6, 0.5],
    [0.7, 0.75],
    [0.95, 0.9375],
    [0.99, 1 - 1 / 128],
    [0.9999, 1 - 2 ** -13],
    [1 - 2 ** -15, 1 - 2 ** -15],
    [1 - 2 ** -16.5, 1],
    [1, 1],
  ] as const;
  for (const [beta, expected] of cases) expect(nearestShift(beta), `${beta}`).toBe(expected);
  const all = [...Array.from({ length: 16 }, (_, k) => 1 - 2 ** -k), 1];
  for (let beta = 0; beta <= 1; beta += 1 / 777) {
    const least = Math.min(...all.map((x) => Math.abs(x - beta)));
    expect(Math.abs(nearestShift(beta) - beta)).toBe(least);
  }
  expect(nearestShift(Number.NaN)).toBe(Number.NaN);
});

test("shift: fixed decays are read as shifts, also those of a state that is loaded", () => {
  const x = currents([6, 2, 3]);
  const layers = (alpha: number, beta: number[]) => new Sequential(new Synaptic({ alpha, beta: tensor(beta) }));
  const float = layers(0.8, [0.95, 0.7, 0.2]);
  const expected = values(layers(0.75, [0.9375, 0.75, 0]).forward(x));
  const fixed = quantize(layers(0, [0, 0, 0]), { decays: "shift" });
  fixed.loadStateDict(float.stateDict());
  expect(values(fixed.forward(x))).toEqual(expected);
  expect(fixed.stateDict()).toEqual(float.stateDict());
  quantize(fixed, { decays: null });
  expect(values(fixed.forward(x))).toEqual(values(float.forward(x)));
});

test("shift: a stream goes on with the decays of the model", () => {
  for (const learnBeta of [false, true]) {
    const layer = new LIF({ beta: 0.95, learnBeta, threshold: 9 });
    const stream = new Stream(layer, [1, 1]);
    const readout = () => {
      stream.reset();
      let n = 1;
      while (stream.step([1])[0] === 0 && n < 99) n++;
      return n;
    };
    const before = readout();
    quantize(layer, { decays: "shift" });
    const after = readout();
    expect(after).toBeGreaterThan(before);
    expect(values(layer.forward(tensor(new Float32Array(after).fill(1), { shape: [after, 1, 1] }))).indexOf(1)).toBe(
      after - 1,
    );
    quantize(layer, { decays: null });
    expect(readout()).toBe(before);
  }
});

test("shift: decays of neurons of one's own, and neurons without such parameters", () => {
  const own = (parameters: Record<string, number>) => {
    const name = Object.keys(parameters)[0] as string;
    const Own = neuron({
      name: "Own",
      state: { v: 0 },
      parameters,
      step(argument) {
        const { current, spike } = argument;
        const { v, [name]: decay } = argument as Readonly<Record<string, unknown>>;
        const u = (v as Value).mul(decay as Value).add(current);
        return { spikes: spike(u.sub(1)), membrane: u, v: u };
      },
    });
    return new Own() as unknown as Module & { unroll(x: Tensor): { membrane: Tensor } };
  };
  const x = currents([6, 2, 3]);
  const layer = own({ beta: 0.9 });
  quantize(new Sequential(new LIF(), layer), { decays: "shift" });
  expect(values(layer.unroll(x).membrane)).toEqual(values(own({ beta: 0.875 }).unroll(x).membrane));
  for (const other of [own({ beta: 1.5 }), own({ tau: 0.5 }), new ParametricLIF()]) {
    const lif = new LIF();
    expect(() => quantize(new Sequential(lif, other), { decays: "shift" })).toThrow(
      `quantize: expected neurons with decays in [0, 1], parameters alpha, beta, rho, phi, alphaE, alphaI, got ${other.constructor.name} with `,
    );
    expect(values(lif.parametersNow().beta as Tensor)).toEqual([Math.fround(0.95)]);
  }
  quantize(new Sequential(new LIF(), new IF()), { decays: "shift" });
  expect(() => quantize(new IF(), { decays: "shift" })).toThrow("got none");
});

test("shift: learned decays are read as shifts with the gradient of the float", () => {
  const x = currents([6, 2, 3]);
  const [learned, plain] = [new LIF({ beta: 0.95, learnBeta: true }), new LIF({ beta: 0.9375, learnBeta: true })];
  quantize(learned, { decays: "shift" });
  expect(values(learned.forward(x))).toEqual(values(plain.forward(x)));
  for (const layer of [learned, plain]) tape(() => layer.unroll(x).membrane.square().sum().backward());
  expect(values(learned.beta)).toEqual([Math.fround(0.95)]);
  expect(values(learned.beta.grad as Tensor)).toEqual(values(plain.beta.grad as Tensor));
  quantize(learned, { decays: null });
  plain.beta.copyFrom([0.95]);
  expect(values(learned.unroll(x).membrane)).toEqual(values(plain.unroll(x).membrane));
  // A decay that is not a parameter is an error.
  expect(() => quantize(new ParametricLIF(), { decays: "shift" })).toThrow(RangeError);
});

test("quantize: wrong options are errors, and nothing is written then", () => {
  const model = () => new Sequential(new Linear(3, 2), new LIF());
  const wrong =
    (options: object, made: Module = model()) =>
    () =>
      quantize(made, options as never);
  expect(wrong({})).toThrow("quantize: expected weights, state or decays, got none of them");
  expect(wrong({ weights: { bits: 1 } })).toThrow(
    'quantize: weights.bits must be an integer from 2 to 8, or "ternary", got 1',
  );
  expect(wrong({ weights: { bits: 9 } })).toThrow(RangeError);
  expect(wrong({ weights: { bits: "8" } })).toThrow(TypeError);
  expect(wrong({ weights: {} })).toThrow(TypeError);
  expect(wrong({ weights: { bits: 8, perChannel: 1 } })).toThrow(TypeError);
  expect(wrong({ weights: 8 })).toThrow(TypeError);
  expect(wrong({ wieghts: { bits: 8 } })).toThrow(TypeError);
  expect(wrong({ state: { bits: 17 } })).toThrow(RangeError);
  expect(wrong({ state: { bits: 7, uniform: false } })).toThrow(RangeError);
  expect(wrong({ state: { bits: 4, thrCentered: false } })).toThrow(RangeError);
  expect(wrong({ state: { bits: 4, lowerLimit: -1 } })).toThrow(RangeError);
  expect(wrong({ state: { bits: 4, states: ["w"] } })).toThrow('expected state.states of v, got "w"');
  expect(wrong({ state: { bits: 4, states: "v" } })).toThrow(TypeError);
  expect(wrong({ state: { bits: 4, states: [] } })).toThrow(RangeError);
  expect(wrong({ state: { bits: 4, states: null } })).toThrow("expected state.states as a list of names, got null");
  expect(wrong({ decays: "shifts" })).toThrow(RangeError);
  for (const nothing of [0, false, ""]) {
    for (const option of ["weights", "state", "decays"]) expect(wrong({ [option]: nothing })).toThrow();
  }
  expect(wrong({ weights: { bits: 8 } }, new LIF())).toThrow(
    "quantize: expected a model with layers for the option weights",
  );
  expect(wrong({ state: { bits: 8 } }, new Linear(2, 2))).toThrow(RangeError);
  expect(wrong({ state: { bits: 8 } }, new LIF({ spiking: false }))).toThrow("got LIF with spiking: false");
  expect(wrong({ state: { bits: 8 } }, new LIF({ inhibition: true }))).toThrow("got LIF with inhibition");
  expect(() => quantize(1 as never, { weights: { bits: 8 } })).toThrow(TypeError);
  expect(() => quantizedWeights(1 as never)).toThrow(TypeError);
  const untouched = model();
  const before = values(untouched.forward(currents([3, 2, 3])));
  expect(wrong({ weights: { bits: 2 }, state: { bits: 40 } }, untouched)).toThrow();
  expect(values(untouched.forward(currents([3, 2, 3])))).toEqual(before);
});

test.each([8, 4, 2, "ternary"] as const)("quantize: a network of %s bits learns", (bits) => {
  manualSeed(0);
  // The class is the strongest third of the inputs.
  const labels = Int32Array.from({ length: 192 }, (_, i) => i % 3);
  const noise = values(rand([192, 12]));
  const x = tensor(
    noise.map((value, at) => 0.6 * value + (Math.floor((at % 12) / 4) === Math.floor(at / 12) % 3 ? 0.4 : 0)),
    { shape: [192, 12] },
  ).expand([12, 192, 12]);
  const model = quantize(new Sequential(new Linear(12, 32), new LIF(), new Linear(32, 3), new LeakyIntegrator()), {
    weights: { bits },
    state: { bits: 6, upperLimit: 3, lowerLimit: 3 },
    decays: "shift",
  });
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const logits = () => model.forward(x).sum({ axis: 0 });
  const before = noGrad(() => accuracy(logits(), labels));
  for (let step = 0; step < 60; step++) {
    tape(() => crossEntropy(logits(), labels).backward());
    optimizer.step();
    optimizer.zeroGrad();
  }
  expect(before).toBeLessThan(0.7);
  expect(noGrad(() => accuracy(logits(), labels))).toBeGreaterThan(0.9);
});
