/** Fixed delays, compared with the definition. */
import { expect, test } from "vitest";
import {
  bernoulli,
  full,
  Generator,
  gradcheck,
  Linear,
  noGrad,
  Sequential,
  summary,
  type Tensor,
  tape,
  tensor,
} from "../../engine/index.ts";
import { bits, bytesKept, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { Delay, LIF, Recurrent, Stream } from "../index.ts";

/** z[t, …] = x[t − d(place), …] for each place; `d` returns the delay of a place within a step. */
function delayed(x: Tensor, d: (place: number) => number): number[] {
  const all = values(x);
  const step = x.size / (x.shape[0] as number);
  return all.map((_, i) => {
    const back = i - d(i % step) * step;
    return back < 0 ? 0 : (all[back] as number);
  });
}

const CASES: [what: string, layer: () => Delay, shape: number[], d: (place: number) => number][] = [
  ["one delay for all", () => new Delay(3), [7, 2, 5], () => 3],
  ["no delay", () => new Delay(0), [4, 2, 5], () => 0],
  ["a delay longer than the sequence", () => new Delay(9), [4, 3], () => 9],
  ["one for each neuron", () => new Delay([0, 3, 1, 4, 9]), [7, 2, 5], (i) => [0, 3, 1, 4, 9][i % 5] as number],
  ["one for each neuron, from a tensor", () => new Delay(tensor([2, 0])), [5, 3, 2], (i) => [2, 0][i % 2] as number],
  [
    "one for each channel",
    () => new Delay([0, 2, 1], { axis: -3 }),
    [5, 2, 3, 4, 2],
    (i) => [0, 2, 1][Math.floor(i / 8) % 3] as number,
  ],
  ["one for each sample", () => new Delay([1, 2], { axis: 1 }), [5, 2, 3], (i) => [1, 2][Math.floor(i / 3)] as number],
];

test.each(CASES)("delay: %s", (_, make, shape, d) => {
  const layer = make();
  const x = leaf(shape, 1);
  tape(() => {
    const z = layer.forward(x);
    expect(values(z)).toEqual(delayed(x, d));
    const weights = random(shape, 2);
    z.mul(weights).sum().backward();
    // The gradient moves back in time.
    const expected = new Array<number>(x.size).fill(0);
    const step = x.size / (shape[0] as number);
    values(weights).forEach((w, i) => {
      const from = i - d(i % step) * step;
      if (from >= 0) expected[from] = w;
    });
    expect(gradient(x)).toEqual(expected);
  });
  gradcheck((x) => layer.forward(x).square(), [random(shape, 3)]);
});

test.each(CASES)("delay: %s: spikes stay bits", (_, make, shape) => {
  const layer = make();
  for (const rate of [0, 0.2, 1]) {
    tape(() => {
      const draw = () => bernoulli(full(shape, rate), { generator: new Generator(2) });
      const spikes = draw();
      const floats = draw().clone();
      spikes.requiresGrad = true;
      floats.requiresGrad = true;
      expect(spikes.ptr).toBe(0);
      const [z, expected] = [layer.forward(spikes), layer.forward(floats)];
      expect(z.ptr).toBe(0);
      expect(spikes.ptr).toBe(0);
      const weights = random(shape, 4);
      z.mul(weights).sum().add(expected.mul(weights).sum()).backward();
      expect(bits(z)).toEqual(bits(expected));
      expect(gradient(spikes)).toEqual(gradient(floats));
    });
  }
});

test.each(CASES)("delay: %s: steps one by one and streams give the bits of the sequence", (_, make, shape) => {
  const layer = make();
  const [T, ...step] = shape as [number, ...number[]];
  const x = random(shape, 5);
  const expected = layer.forward(x);
  let state = layer.initialState(step);
  const stream = new Stream([layer], step);
  for (let round = 0; round < 2; round++) {
    for (let t = 0; t < T; t++) {
      expect(Array.from(stream.step(x.select(0, t).toFloat32Array()))).toEqual(values(expected.select(0, t)));
      if (round > 0) continue;
      const [z, next] = layer.step(x.select(0, t), state);
      expect(bits(z)).toEqual(bits(expected.select(0, t)));
      state = next;
    }
    stream.reset();
  }
  stream.dispose();
});

test("delay: steps carry gradients from one to the next", () => {
  const layer = new Delay([1, 2]);
  const x = leaf([3, 1, 2], 1);
  tape(() => {
    let state = layer.initialState([1, 2]);
    let sum = full([], 0);
    x.unbind(0).forEach((now, t) => {
      const [z, next] = layer.step(now, state);
      state = next;
      sum = sum.add(z.sum().mul(t + 1));
    });
    sum.backward();
    expect(gradient(x)).toEqual([2, 3, 3, 0, 0, 0]);
  });
});

test("delay: works among other layers, in a stream, and as part of a state dict", () => {
  const network = new Sequential(new Linear(4, 3), new LIF(), new Delay([1, 0, 2]), new Linear(3, 2));
  const x = random([6, 2, 4], 3);
  const expected = network.eval().forward(x);
  const stream = new Stream(network, [2, 4]);
  for (let t = 0; t < 6; t++) {
    expect(Array.from(stream.step(x.select(0, t).toFloat32Array()))).toEqual(values(expected.select(0, t)));
  }
  const state = network.stateDict();
  expect(Array.from(state["2.delays"]?.data as Float32Array)).toEqual([1, 0, 2]);
  // Written delays apply from the next step on, as far back as the stream remembers.
  const delays = (network.modules[2] as Delay).delays;
  delays.copyFrom([0, 0, 0]);
  stream.reset();
  expect(Array.from(stream.step(x.select(0, 0).toFloat32Array()))).toEqual(values(network.forward(x).select(0, 0)));
  delays.copyFrom([3, 0, 0]);
  expect(() => stream.step()).toThrow(
    "Stream: expected delays of at most 2 steps, as they were when it was made, got 3",
  );
  delays.copyFrom([0, 1.5, 0]);
  expect(() => network.forward(x)).toThrow("Delay: delays must be an integer in [0, 2²⁴], got 1.5");
  network.loadStateDict(state);
  expect(bits(network.forward(x))).toEqual(bits(expected));
  stream.dispose();
  expect(summary(network, [6, 2, 4])).toContain("2: Delay    [6, 2, 3]           0");
  expect(bytesKept(() => network.forward(x).dispose())).toBe(0);
  expect(bytesKept(() => noGrad(() => void network.forward(x)))).toBe(0);
});

test("delay: is no recurrent connection, which would start anew in each step", () => {
  expect(() => new Recurrent(new LIF(), { connection: new Sequential(new Delay(1), new Linear(3, 3)) })).toThrow(
    "Recurrent: expected a connection without a state between steps, got Delay in it",
  );
});

test("delay: shapes and options out of range are errors", () => {
  expect(() => new Delay(-1)).toThrow("Delay: delays must be an integer in [0, 2²⁴], got -1");
  expect(() => new Delay([1, 0.5])).toThrow("Delay: delays[1] must be an integer in [0, 2²⁴], got 0.5");
  expect(() => new Delay([])).toThrow("Delay: expected one delay or more, got []");
  expect(() => new Delay("two" as never)).toThrow(TypeError);
  expect(() => new Delay(1, { axis: 0.5 })).toThrow(RangeError);
  expect(() => new Delay([1, 2]).forward(random([4, 3], 1))).toThrow(
    "Delay: expected 2 places on axis -1, one for each delay, got [4, 3]",
  );
  expect(() => new Delay([1, 2], { axis: 0 }).forward(random([2, 3], 1))).toThrow(
    "Delay: expected an axis behind time",
  );
  expect(() => new Delay(2).step(random([3], 1), { past: random([1, 3], 1) })).toThrow(
    "Delay: expected a state past of shape [2, 3], got [1, 3]",
  );
});

test.each(CASES)("delay: %s: unroll gives the bits of forward, from a state on too", (_, make, shape) => {
  const layer = make();
  const x = random(shape, 7);
  const whole = layer.unroll(x);
  expect(bits(whole.z)).toEqual(bits(layer.forward(x)));
  const first = layer.unroll(x.slice(0, 0, 2));
  const rest = layer.unroll(x.slice(0, 2), first.state);
  expect([...values(first.z), ...values(rest.z)]).toEqual(values(whole.z));
  expect(bits(rest.state.past)).toEqual(bits(whole.state.past));
  expect(bytesKept(() => void noGrad(() => void layer.unroll(x, layer.initialState(shape.slice(1)))))).toBe(0);
});

test("delay: has no spikes that a recurrent layer could feed back", () => {
  expect(() => new Recurrent(new Delay(1) as never, { features: 3 })).toThrow(
    "Recurrent: expected a layer of neurons with step, unroll and initialState",
  );
});
