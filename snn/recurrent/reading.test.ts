import { expect, test } from "vitest";
import type { Module, Tensor } from "../../engine/index.ts";
import {
  Conv1d,
  Conv2d,
  Generator,
  gradcheck,
  Linear,
  noGrad,
  rand,
  Sequential,
  SGD,
  tape,
} from "../../engine/index.ts";
import { isWeighted, type Reading, setReading, type Weighted } from "../../engine/protocol.ts";
import { DelayedLinear, EProp, LeakyIntegrator, LIF, Recurrent, RecurrentLIF, Stream } from "../index.ts";

const generator = () => new Generator(3);
/** Spikes [T, B, …]. */
const spikes = (shape: number[], seed = 5): Tensor => rand(shape, { generator: new Generator(seed) }).gt(0.5);

const halved: Reading = (w) => w.mul(0.5);
const squared: Reading = (w) => w.mul(w);

/** Layers with a weight, and the shape of a sequence for them. */
const LAYERS: Record<string, [layer: () => Module, weighted: (layer: Module) => Module, shape: number[]]> = {
  Linear: [() => new Linear(6, 4, { generator: generator() }), (layer) => layer, [5, 2, 6]],
  Conv1d: [() => new Conv1d(3, 4, 3, { generator: generator() }), (layer) => layer, [5, 2, 3, 8]],
  Conv2d: [() => new Conv2d(3, 4, 3, { generator: generator() }), (layer) => layer, [5, 2, 3, 5, 6]],
  DelayedLinear: [
    () => new DelayedLinear(6, 4, { maxDelay: 3, generator: generator() }).eval(),
    (layer) => layer,
    [5, 2, 6],
  ],
  RecurrentLIF: [
    () => new RecurrentLIF({ features: 6, threshold: 0.7, generator: generator() }),
    (layer) => (layer as RecurrentLIF).recurrent as Module,
    [5, 2, 6],
  ],
  "Recurrent over LIF": [
    () => new Recurrent(new LIF({ threshold: 0.7 }), { features: 6, generator: generator() }),
    (layer) => (layer as unknown as RecurrentLIF).recurrent as Module,
    [5, 2, 6],
  ],
};

/** A layer that reads, and the same layer with the weight that it reads. */
function pairOf(
  name: string,
  ...readings: Reading[]
): [reads: Module, plain: Module, weight: Weighted, shape: number[]] {
  const [make, weighted, shape] = LAYERS[name] as (typeof LAYERS)[string];
  const [reads, plain] = [make(), make()];
  const layer = weighted(reads) as Weighted;
  expect(isWeighted(layer)).toBe(true);
  setReading(layer, "mask", readings[0] ?? null);
  setReading(layer, "grid", readings[1] ?? null);
  const other = (weighted(plain) as Weighted).weight;
  noGrad(() => void other.copyFrom(readings.reduce((w, read) => read(w), layer.weight)));
  return [reads, plain, layer, shape];
}

for (const name of Object.keys(LAYERS)) {
  test(`reading: ${name} computes with the weight that it reads, alone and in Sequential`, () => {
    const [reads, plain, , shape] = pairOf(name, squared, halved);
    const x = spikes(shape);
    const expected = plain.forward(x).toFloat32Array();
    expect(reads.forward(x).toFloat32Array()).toEqual(expected);
    expect(new Sequential(reads).forward(x).toFloat32Array()).toEqual(expected);
    expect(expected.some((value) => value !== 0)).toBe(true);
  });

  test(`reading: the gradient of the weight of ${name} passes through the reading`, () => {
    const [reads, plain, layer, shape] = pairOf(name, squared);
    const x = spikes(shape);
    const upstream = rand(reads.forward(x).shape, { generator: generator() });
    for (const module of [reads, plain]) tape(() => module.forward(x).mul(upstream).sum().backward());
    const weightOf = (LAYERS[name] as (typeof LAYERS)[string])[1];
    const dw = (weightOf(plain) as Weighted).weight.grad as Tensor;
    expect(layer.weight.grad?.toFloat32Array()).toEqual(dw.mul(layer.weight.detach()).mul(2).toFloat32Array());
  });

  test(`reading: a stream of ${name} gives the bits of forward, also after the weight was written`, () => {
    const [reads, , layer, shape] = pairOf(name, squared, halved);
    const x = spikes(shape);
    const stream = new Stream(reads, shape.slice(1));
    const optimizer = new SGD([layer.weight], { lr: 0.05 });
    for (const round of [0, 1]) {
      stream.reset();
      const all = reads.forward(x).toFloat32Array();
      const steps = x.unbind(0).flatMap((now) => [...stream.step(now.toFloat32Array())]);
      expect(new Float32Array(steps), `round ${round}`).toEqual(all);
      tape(() => reads.forward(x).square().sum().backward());
      optimizer.step();
    }
    stream.dispose();
  });

  test(`reading: ${name} leaves no memory behind`, () => {
    const [reads, , , shape] = pairOf(name, squared);
    const x = spikes(shape);
    const made: Tensor[] = [];
    const seen: Reading = (w) => {
      const z = w.mul(1);
      made.push(z);
      return z;
    };
    setReading((LAYERS[name] as (typeof LAYERS)[string])[1](reads) as Weighted, "grid", seen);
    reads.forward(x);
    expect(made.length).toBe(1);
    for (const t of made) expect(() => t.toFloat32Array()).toThrow();
  });
}

test("reading: what Recurrent gives besides spikes can be read later, inside and outside of tapes", () => {
  const [reads, plain, , shape] = pairOf("RecurrentLIF", squared);
  const x = spikes(shape);
  const membranes = (layer: Module) => {
    const record = (layer as RecurrentLIF).unroll(x);
    return [...record.membrane.toFloat32Array(), ...record.state.v.toFloat32Array()];
  };
  expect(membranes(reads)).toEqual(membranes(plain));
  expect(tape(() => membranes(reads))).toEqual(tape(() => membranes(plain)));
});

test("reading: steps of Recurrent, one by one, agree with forward", () => {
  const [reads, , , shape] = pairOf("RecurrentLIF", squared);
  const x = spikes(shape);
  const layer = reads as RecurrentLIF;
  let state = layer.initialState(shape.slice(1));
  const all = x.unbind(0).flatMap((now) => {
    const [z, next] = layer.step(now, state);
    state = next;
    return [...z.toFloat32Array()];
  });
  expect(new Float32Array(all)).toEqual(layer.forward(x).toFloat32Array());
});

test("reading: differences confirm the gradient", () => {
  for (const name of ["Linear", "Conv1d", "Conv2d", "DelayedLinear"]) {
    const [reads, , layer, shape] = pairOf(name, squared, halved);
    const x = rand(shape, { generator: generator() });
    const run = (weight: Tensor) => {
      Object.assign(layer, { weight });
      return reads.forward(x).square().sum();
    };
    expect(() => gradcheck(run, [layer.weight])).not.toThrow();
  }
});

test("reading: functions run in the order of their places, whatever came first, and can be taken away", () => {
  const layer = new Linear(2, 1, { bias: false });
  layer.weight.copyFrom([3, 5]);
  const x = noGrad(() => rand([1, 2]).mul(0).add(1));
  setReading(layer, "grid", (w) => w.add(1));
  setReading(layer, "mask", (w) => w.mul(2));
  expect(layer.forward(x).item()).toBe(2 * 3 + 1 + 2 * 5 + 1);
  setReading(layer, "grid", null);
  expect(layer.forward(x).item()).toBe(16);
  setReading(layer, "mask", null);
  expect(layer.reading).toBe(null);
  expect(layer.forward(x).item()).toBe(8);
});

test("reading: a state has the weight itself, under its name", () => {
  const layer = new Linear(2, 1);
  layer.weight.copyFrom([3, 5]);
  setReading(layer, "mask", halved);
  expect(Object.keys(layer.stateDict())).toEqual(["weight", "bias"]);
  expect(layer.stateDict().weight?.data).toEqual(new Float32Array([3, 5]));
});

test("reading: a stream made before a reading refuses to go on", () => {
  const layer = new Linear(2, 1);
  const stream = new Stream(layer, [1, 2]);
  stream.step([1, 1]);
  setReading(layer, "mask", halved);
  expect(() => stream.step([1, 1])).toThrow("Stream: Linear has another mask or grid now; make another stream");
  setReading(layer, "mask", null);
  stream.step([1, 1]);
});

test("reading: a stream computes the weight again where it was written, and no more", () => {
  const layer = new Linear(2, 1, { bias: false });
  let runs = 0;
  setReading(layer, "mask", (w) => {
    runs++;
    return w.mul(2);
  });
  const stream = new Stream(layer, [1, 2]);
  for (let i = 0; i < 5; i++) stream.step([1, 1]);
  const before = runs;
  layer.weight.copyFrom([1, 2]);
  expect([...stream.step([1, 1])]).toEqual([6]);
  expect(runs).toBe(before + 1);
  setReading(layer, "mask", (w) => w.mul(3));
  expect(() => stream.step([1, 1])).toThrow("Stream: Linear has another mask or grid now; make another stream");
});

test("reading: e-prop computes with the weights that are read, and passes their gradients on", () => {
  const make = (read: boolean) => {
    const options = { generator: generator() };
    const lif = () => new LIF({ threshold: 0.1 });
    const [a, b, c] = [new Linear(4, 3, options), new Linear(3, 3, options), new Linear(3, 2, options)];
    const recurrent = new Recurrent(lif(), { features: 3, ...options });
    const layers = [a, recurrent.recurrent as Linear, b, c];
    for (const layer of layers) {
      if (read) setReading(layer, "mask", halved);
      else layer.weight.copyFrom(layer.weight.detach().mul(0.5));
    }
    const network = [a, recurrent, b, lif(), c, new LeakyIntegrator()];
    return { layers, rule: new EProp(network, { loss: (y: Tensor) => y.square().sum() }) };
  };
  const [reads, plain] = [make(true), make(false)];
  const x = spikes([5, 2, 4]);
  for (const { rule } of [reads, plain]) {
    let state: ReturnType<typeof rule.step>["state"] | undefined;
    for (const now of x.unbind(0)) ({ state } = rule.step(now, [0], state));
  }
  for (const [i, { weight, bias }] of reads.layers.entries()) {
    const other = plain.layers[i] as Linear;
    const dw = other.weight.grad as Tensor;
    expect(dw.toFloat32Array().some((d) => d !== 0)).toBe(true);
    expect(weight.grad?.toFloat32Array()).toEqual(dw.mul(0.5).toFloat32Array());
    expect(bias?.grad?.toFloat32Array()).toEqual(other.bias?.grad?.toFloat32Array());
  }
});

test("reading: e-prop made before a reading refuses to go on", () => {
  const network = new Sequential(new Linear(4, 3), new LIF(), new Linear(3, 2), new LeakyIntegrator());
  const rule = new EProp(network, { loss: (y: Tensor) => y.square().sum() });
  setReading(network.modules[0] as Linear, "mask", halved);
  const expected = "EProp: Linear has another mask or grid now; make another EProp";
  expect(() => rule.step(rand([1, 4]), [0])).toThrow(expected);
  new EProp(network, { loss: (y: Tensor) => y.square().sum() }).step(rand([1, 4]), [0]);
});
