import { expect, test } from "vitest";
import type { Recording, Tensor } from "../../index.ts";
import {
  Adam,
  AdaptiveLIF,
  BatchNorm1d,
  crossEntropy,
  Dropout,
  Generator,
  gradientNorms,
  LeakyIntegrator,
  LIF,
  Linear,
  lastMembrane,
  Module,
  manualSeed,
  meanOverTime,
  memoryStats,
  neuron,
  noGrad,
  observe,
  PSN,
  poissonEncode,
  Recurrent,
  RecurrentLIF,
  rand,
  record,
  Sequential,
  SpikingLSTM,
  spike,
  stack,
  surrogate,
  tape,
  zeros,
} from "../../index.ts";
import { mainOf } from "../../test/support/layers.ts";
import { NEURON_NAMES, neuronClass } from "../../test/support/neuron-rows.ts";

const bits = (t: Tensor | null | undefined) => [...new Uint32Array((t as Tensor).toFloat32Array().buffer)];
/** Bits, with the sign of zeros removed. */
const values = (t: Tensor | null | undefined) => Array.from((t as Tensor).toFloat32Array(), (v) => v + 0);

const Adaptive = neuron({
  name: "Adaptive",
  state: { v: 0, a: 0 },
  parameters: { beta: 0.9, kappa: 0.3 },
  step({ current, v, a, beta, kappa, spike: fire }) {
    const u = v.mul(beta).add(current);
    const s = fire(u.sub(1).sub(a.mul(kappa)));
    return { spikes: s, membrane: u, v: u.sub(s.detach()), a: a.mul(0.9).add(s) };
  },
});

const y = [0, 1, 2, 0];
const loss = (output: Tensor) => crossEntropy(meanOverTime(output), y);

function network(seed = 1) {
  const generator = new Generator(seed);
  return new Sequential(
    new Linear(6, 12, { generator }),
    new LIF({ threshold: 0.3 }),
    new Linear(12, 8, { generator }),
    new Adaptive({ learn: ["beta"] }),
    new Linear(8, 8, { generator }),
    new RecurrentLIF({ features: 8, threshold: 0.2, generator }),
    new Linear(8, 3, { generator }),
    new LeakyIntegrator(),
  );
}

const inputs = () => rand([7, 4, 6], { generator: new Generator(3) }).mul(4);

test("record: the output has the bits of forward, layers are named by their paths", () => {
  const model = network();
  const x = inputs();
  const { output, layers, loss: none, gradients } = record(model, x);
  expect(bits(output)).toEqual(bits(model.forward(x)));
  expect(Object.keys(layers)).toEqual(["1", "3", "5", "7"]);
  expect(Object.values(layers).map(({ kind }) => kind)).toEqual(["LIF", "Adaptive", "RecurrentLIF", "LeakyIntegrator"]);
  expect([none, gradients, layers["1"]?.gradients, layers["7"]?.spikes]).toEqual([null, null, null, null]);
});

test("record: the order is that of the run, also where numbers and paths are mixed", () => {
  const block = () => new Sequential(new Linear(6, 6), new LIF());
  const model = new Sequential(block(), block(), new Linear(6, 3), new LIF());
  const recording = record(model, inputs(), { loss: (output) => output.sum() });
  expect(recording.order).toEqual(["0.1", "1.1", "3"]);
  expect(new Set(Object.keys(recording.layers))).toEqual(new Set(recording.order));
  expect(gradientNorms(recording).order).toEqual(recording.order);
  expect(record(model, inputs(), { layers: ["3", "0.1"] }).order).toEqual(["0.1", "3"]);
});

test("record: the steps of a SpikingLSTM are those of its own path", () => {
  const lstm = new SpikingLSTM(6, 5, { generator: new Generator(1), threshold: 0.1 });
  class Stepwise extends Module {
    readonly lstm = lstm;
    forward(x: Tensor): Tensor {
      let state = this.lstm.initialState([4, 6]);
      const steps = x.unbind(0).map((one) => {
        const [spikes, next] = this.lstm.step(one, state);
        state = next;
        return spikes;
      });
      return stack(steps);
    }
  }
  const own = lstm.unroll(inputs());
  const whole = record(new Sequential(lstm), inputs());
  const stepwise = record(new Stepwise(), inputs());
  expect([whole.order, stepwise.order]).toEqual([["0"], ["lstm"]]);
  for (const layer of [whole.layers["0"], stepwise.layers.lstm]) {
    expect(layer?.kind).toBe("SpikingLSTM");
    expect(bits(layer?.spikes)).toEqual(bits(own.spikes));
    expect(bits(layer?.membrane)).toEqual(bits(own.membrane));
    // The membrane has no decay, so it equals its current.
    expect(values(layer?.current)).toEqual(values(own.membrane));
  }
  expect(Math.max(...values(own.spikes))).toBe(1);
});

test("record: spikes, membranes and currents are those that the layers compute one by one", () => {
  const model = network();
  const x = inputs();
  const { layers } = record(model, x);
  let z = x;
  for (const [i, layer] of model.modules.entries()) {
    if (!(layer instanceof Linear)) {
      const seen = layers[i];
      const own = (layer as LIF).unroll(z);
      expect(bits(seen?.current)).toEqual(bits(z));
      expect(bits(seen?.membrane)).toEqual(bits(own.membrane));
      if (own.spikes !== undefined) expect(bits(seen?.spikes)).toEqual(bits(own.spikes));
    }
    z = layer.forward(z);
  }
});

test("record: with a loss it gives the gradients of a training step, at every layer and parameter", () => {
  const model = network();
  const x = inputs();
  const { layers, gradients, loss: value } = record(model, x, { loss });
  const expected = tape(() => {
    // The same layers one by one, with leaves as currents.
    const total = loss(model.forward(x));
    total.backward();
    return { total, all: model.namedParameters().map(([name, p]) => [name, p.grad?.clone() ?? null] as const) };
  });
  expect(value).toBe(expected.total.item());
  expect(Object.keys(gradients ?? {})).toEqual(model.namedParameters().map(([name]) => name));
  for (const [name, grad] of expected.all) expect(values(gradients?.[name])).toEqual(values(grad));

  // ∂L/∂I of the last layer, by hand: the rest of the network on a leaf.
  const { dI, ds } = tape(() => {
    const spikes = layers["5"]?.spikes as Tensor;
    const s = spikes.clone();
    s.requiresGrad = true;
    const current = (model.modules[6] as Linear).forward(s);
    const own = current.detach().clone();
    own.requiresGrad = true;
    loss((model.modules[7] as LeakyIntegrator).forward(own)).backward();
    current.backward(own.grad as Tensor);
    return { dI: own.grad?.clone(), ds: s.grad?.clone() };
  });
  expect(values(layers["7"]?.gradients?.current)).toEqual(values(dI));
  expect(values(layers["5"]?.gradients?.spikes)).toEqual(values(ds));
  expect(layers["7"]?.gradients?.membrane?.shape).toEqual([7, 4, 3]);
});

test("record: a surrogate that is 0 far from the threshold hides no gradient of the spikes", () => {
  const generator = new Generator(2);
  const last = new Linear(64, 3, { generator });
  const triangular = surrogate.triangular();
  const model = new Sequential(new Linear(6, 64, { generator }), new LIF({ surrogate: triangular }), last);
  const { layers } = record(model, inputs(), { loss });
  const { gradients } = layers["1"] ?? {};
  const arrived = gradients?.spikes?.toFloat32Array() as Float32Array;
  expect(arrived.every((g) => g !== 0)).toBe(true);
  expect(gradients?.current?.toFloat32Array().some((g) => g === 0)).toBe(true);
});

test("record: nothing of the model changes: grad, running statistics, random numbers, training", () => {
  const run = (probes: boolean) => {
    manualSeed(7);
    const generator = new Generator(5);
    const model = new Sequential(
      new Linear(6, 10),
      new BatchNorm1d(10, { axis: -1 }),
      new LIF(),
      new Dropout(0.3, { generator }),
      new Linear(10, 3),
      new LIF({ learnBeta: true }),
    );
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const x = inputs();
    const look = () => probes && noGrad(() => void record(model, x, { loss }));
    for (let step = 0; step < 3; step++) {
      look();
      tape(() => {
        look();
        loss(model.forward(poissonEncode(x.select(0, 0), { timesteps: 7 }))).backward();
        look();
      });
      look();
      if (probes) record(model, x);
      optimizer.step();
      optimizer.zeroGrad();
      look();
    }
    return Object.values(model.stateDict()).map(({ data }) => [...data]);
  };
  expect(run(true)).toEqual(run(false));
});

test("record: gradients that were there stay, and those that were not do not begin", () => {
  const model = network();
  const x = inputs();
  const weight = model.parameters()[0] as Tensor;
  record(model, x, { loss });
  expect(model.parameters().map((p) => p.grad)).toEqual(model.parameters().map(() => null));
  tape(() => loss(model.forward(x)).backward());
  const before = bits(weight.grad);
  const { grad } = weight;
  record(model, x, { loss });
  expect(weight.grad).toBe(grad);
  expect(bits(weight.grad)).toEqual(before);
});

test("record: it leaves no memory behind but that of what it returns", () => {
  const model = network();
  const x = inputs();
  const dispose = ({ output, layers, gradients }: Recording) => {
    const tensors = Object.values(layers).flatMap((layer) => [
      ...Object.values(layer),
      ...Object.values(layer.gradients ?? {}),
    ]);
    for (const t of [output, ...tensors, ...Object.values(gradients ?? {})]) if (t !== x) (t as Tensor)?.dispose?.();
  };
  for (const options of [{}, { loss }]) {
    const run = () => {
      dispose(record(model, x, options));
      noGrad(() => void record(model, x, options));
      tape(() => void record(model, x, options));
    };
    run(); // products keep transposed copies of weights from their first run on
    const { live } = memoryStats();
    run();
    expect(memoryStats().live).toBe(live);
  }
  const { live } = memoryStats();
  const fails = () => {
    throw new Error("no loss");
  };
  expect(() => record(model, x, { loss: fails })).toThrow("no loss");
  expect(memoryStats().live).toBe(live);
});

test("record: inside of a tape its tensors are those of forward, and a loss can be made of them", () => {
  const model = network();
  const x = inputs();
  const penalty = (spikes: Tensor) => spikes.mean().mul(3);
  const expected = tape(() => {
    const hidden = (model.modules[1] as LIF).forward((model.modules[0] as Linear).forward(x));
    const rest = model.modules.slice(2).reduce((z, layer) => layer.forward(z), hidden);
    loss(rest).add(penalty(hidden)).backward();
    return (model.parameters()[0] as Tensor).grad?.clone();
  });
  model.zeroGrad();
  tape(() => {
    const { output, layers } = record(model, x);
    loss(output)
      .add(penalty(layers["1"]?.spikes as Tensor))
      .backward();
  });
  expect(values(model.parameters()[0]?.grad)).toEqual(values(expected));
});

class Stepping extends Module {
  readonly fc = new Linear(6, 5, { generator: new Generator(4) });
  readonly lif = new LIF({ threshold: 0.4 });
  readonly out = new LeakyIntegrator();
  readonly loop = new Recurrent(new LIF(), { features: 5, generator: new Generator(6) });

  forward(x: Tensor): Tensor {
    let state = this.lif.initialState([4, 5]);
    let loop = this.loop.initialState([4, 5]);
    let v = this.out.initialState([4, 5]);
    const steps: Tensor[] = [];
    for (const now of this.fc.forward(x).unbind(0)) {
      let s: Tensor;
      [s, state] = this.lif.step(now, state);
      [s, loop] = this.loop.step(s.mul(2), loop);
      [s, v] = this.out.step(s, v);
      steps.push(s);
    }
    return stack(steps);
  }
}

test("record: steps that a module runs by itself are joined over time", () => {
  const model = new Stepping();
  const x = inputs();
  const own = (output: Tensor) => output.square().mean();
  const { output, layers } = record(model, x, { loss: own });
  expect(bits(output)).toEqual(bits(model.forward(x)));
  expect(Object.keys(layers)).toEqual(["lif", "loop", "out"]);
  const whole = record(new Sequential(model.fc, model.lif), x).layers["1"];
  expect(bits(layers.lif?.spikes)).toEqual(bits(whole?.spikes));
  expect(bits(layers.lif?.membrane)).toEqual(bits(whole?.membrane));
  // The same network over whole sequences has the same gradients.
  class Whole extends Stepping {
    override forward(z: Tensor): Tensor {
      return this.out.forward(this.loop.forward(this.lif.forward(this.fc.forward(z)).mul(2)));
    }
  }
  const expected = record(new Whole(), x, { loss: own });
  expect(bits(expected.output)).toEqual(bits(output));
  for (const name of ["lif", "loop", "out"]) {
    const [seen, other] = [layers[name]?.gradients?.current, expected.layers[name]?.gradients?.current];
    expect(seen?.shape).toEqual([7, 4, 5]);
    const scale = Math.max(...values(other).map(Math.abs));
    for (const [i, g] of values(seen).entries())
      expect(Math.abs(g - (values(other)[i] as number))).toBeLessThan(1e-6 * scale);
  }
});

/** All neurons; those that fire have a surrogate whose tails reach all membranes. */
const NEURONS = NEURON_NAMES.map((name): [string, () => Module] => {
  const Class = neuronClass(name);
  const options = mainOf(new Class()) === "spikes" ? { surrogate: surrogate.atan() } : {};
  return [name, () => new Class(options)];
});

const LAYERS: [string, () => Module][] = [
  ...NEURONS,
  ["LIF, of which one wins", () => new LIF({ inhibition: true })],
  ["PSN", () => new PSN({ timesteps: 7, generator: new Generator(1) })],
  ["PSN, sliding", () => new PSN({ kind: "sliding", order: 3 })],
  ["SpikingLSTM", () => new SpikingLSTM(8, 5, { generator: new Generator(1) })],
  ["Recurrent of AdaptiveLIF", () => new Recurrent(new AdaptiveLIF(), { features: 8, connection: "one" })],
];

test.each(LAYERS)("record: %s gives the bits of forward and the gradients of training", (_, layerOf) => {
  const generator = new Generator(2);
  const first = new Linear(6, 8, { generator });
  const model = new Sequential(first, layerOf());
  const x = inputs();
  const own = (z: Tensor) => z.add(1).square().mean();
  const { output, layers, gradients } = record(model, x, { loss: own });
  expect(bits(output)).toEqual(bits(model.forward(x)));
  const [[name, layer] = []] = Object.entries(layers);
  expect(name).toBe("1");
  expect(Object.keys(layers)).toHaveLength(1);
  expect(bits(layer?.spikes ?? layer?.membrane)).toEqual(bits(output));
  tape(() => own(model.forward(x)).backward());
  const [seen, trained] = [values(gradients?.["0.weight"]), values(first.weight.grad)];
  const scale = Math.max(...trained.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  for (const [i, g] of seen.entries()) expect(Math.abs(g - (trained[i] as number))).toBeLessThanOrEqual(1e-6 * scale);
});

test("record: a run that goes on from a state continues its layer, another use of it does not", () => {
  class Twice extends Module {
    readonly lif = new LIF();
    forward(x: Tensor): Tensor {
      const first = this.lif.unroll(x.slice(0, 0, 3));
      const rest = this.lif.unroll(x.slice(0, 3), first.state);
      return this.lif.forward(rest.spikes).add(rest.membrane);
    }
  }
  const { layers } = record(new Twice(), inputs(), { loss: (z) => z.sum() });
  expect(Object.keys(layers)).toEqual(["lif", "lif#2"]);
  expect(bits(layers.lif?.spikes)).toEqual(bits(new LIF().forward(inputs())));
  expect(layers["lif#2"]?.spikes?.shape).toEqual([4, 4, 6]);
  // Only the second part was read: the spikes by the second use, and the membrane by the loss.
  const membrane = layers.lif?.gradients?.membrane as Tensor;
  expect(values(membrane.mean({ axis: [1, 2] }))).toEqual([0, 0, 0, 1, 1, 1, 1]);
  expect(layers.lif?.gradients?.spikes?.shape).toEqual([7, 4, 6]);
});

test("record: a layer by hand shows its spikes by observe", () => {
  class ByHand extends Module {
    forward(x: Tensor): Tensor {
      let v: Tensor = zeros([4, 6]);
      const [fired, before]: [Tensor[], Tensor[]] = [[], []];
      for (const I of x.unbind(0)) {
        const u = v.mul(0.9).add(I);
        const s = spike(u);
        v = u.mul(s.detach().neg().add(1));
        fired.push(s);
        before.push(u);
      }
      const [spikes, membrane] = [stack(fired), stack(before)];
      observe(this, { current: x, spikes, membrane });
      return spikes;
    }
  }
  const x = inputs();
  const lif = record(new Sequential(new LIF({ beta: 0.9 }), new Linear(6, 3, { generator: new Generator(1) })), x, {
    loss,
  });
  const hand = record(new Sequential(new ByHand(), new Linear(6, 3, { generator: new Generator(1) })), x, { loss });
  expect(bits(hand.layers["0"]?.spikes)).toEqual(bits(lif.layers["0"]?.spikes));
  expect(bits(hand.layers["0"]?.membrane)).toEqual(bits(lif.layers["0"]?.membrane));
  for (const kind of ["spikes", "current"] as const) {
    const [own, other] = [hand.layers["0"]?.gradients?.[kind], lif.layers["0"]?.gradients?.[kind]].map(values);
    const scale = Math.max(...(other as number[]).map(Math.abs));
    expect(scale).toBeGreaterThan(0);
    for (const [i, g] of (own as number[]).entries())
      expect(Math.abs(g - (other?.[i] as number))).toBeLessThan(1e-6 * scale);
  }
  // Elsewhere only the checks run.
  observe(new ByHand(), { current: x });
  expect(() => observe({} as never, {})).toThrow(TypeError);
  expect(() => observe(new ByHand(), { spikes: 1 as never })).toThrow("observe: expected a tensor, got 1");
});

test("record: a current that is the same in all steps has a gradient in each", () => {
  const generator = new Generator(1);
  const model = new Sequential(new Linear(6, 5, { generator }), new LIF(), new Linear(5, 3, { generator }));
  const image = rand([4, 6], { generator });
  const constant = record(model, image.expand([7, 4, 6]), { loss });
  const written = record(model, image.expand([7, 4, 6]).clone(), { loss });
  expect(bits(constant.output)).toEqual(bits(written.output));
  expect(values(constant.layers["1"]?.gradients?.current)).toEqual(values(written.layers["1"]?.gradients?.current));
});

test("record: tensors of a tape within the model are there afterwards", () => {
  class Frozen extends Module {
    readonly lif = new LIF();
    forward(x: Tensor): Tensor {
      return noGrad(() => tape(() => this.lif.forward(x.mul(2))));
    }
  }
  const x = inputs();
  const { layers } = record(new Frozen(), x);
  expect(bits(layers.lif?.spikes)).toEqual(bits(new LIF().forward(x.mul(2))));
  expect(bits(layers.lif?.current)).toEqual(bits(x.mul(2)));
});

test("record: layers are chosen by name, a model that is a layer has the name of its class", () => {
  const x = inputs();
  const { layers } = record(network(), x, { layers: ["3"] });
  expect(Object.keys(layers)).toEqual(["3"]);
  expect(Object.keys(record(new LIF(), x).layers)).toEqual(["LIF"]);
  expect(() => record(network(), x, { layers: ["4"] })).toThrow(
    new RangeError('record: expected layers that run, 1, 3, 5, 7, got "4"'),
  );
});

test("record: a readout of the last membrane sends gradient through the membrane alone", () => {
  class Reads extends Module {
    readonly lif = new LIF();
    forward(x: Tensor): Tensor {
      return lastMembrane(this.lif.unroll(x).membrane);
    }
  }
  const { gradients } = record(new Reads(), inputs(), { loss: (z) => z.sum() }).layers.lif ?? {};
  expect(gradients?.spikes).toBe(null);
  const membrane = gradients?.membrane as Tensor;
  expect(values(membrane.sum({ axis: [1, 2] }))).toEqual([0, 0, 0, 0, 0, 0, 24]);
});

test("record: errors say what was expected", () => {
  const x = inputs();
  expect(() => record({} as never, x)).toThrow(new TypeError("record: expected a module with forward(x), got object"));
  expect(() => record(new LIF(), 1 as never)).toThrow(TypeError);
  expect(() => record(new LIF(), x, { losses: 1 } as never)).toThrow(
    "record: expected a known option, got losses; did you mean loss?",
  );
  expect(() => record(new LIF(), x, { layers: "1" as never })).toThrow(TypeError);
  expect(() => record(new LIF(), x, { loss: () => 1 as never })).toThrow("record: the loss: expected a tensor, got 1");
});
