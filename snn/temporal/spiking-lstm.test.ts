/** SpikingLSTM: a loop in float64, all ways to run it, exact gradients. */
import { gradcheck, Recurrent, rand, SpikingLSTM, Stream, stack, type Tensor, tape, tensor } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { bytesKept, gradient, random, values } from "../../test/support/tensors.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

type Reset = "none" | "zero" | "subtract";

/** The cell of one sample in float64, from its definition: spikes and membranes after each step. */
function loop(layer: SpikingLSTM, x: number[][], reset: Reset, late: boolean, theta: number) {
  const H = layer.hiddenFeatures;
  const { weight_ih, weight_hh, bias_ih, bias_hh } = layer.lstm_cell;
  const [wi, wh] = [values(weight_ih), values(weight_hh)];
  const [bi, bh] = [values(bias_ih as Tensor), values(bias_hh as Tensor)];
  let v = new Array<number>(H).fill(0);
  let c = new Array<number>(H).fill(0);
  const spikes: number[] = [];
  const membranes: number[] = [];
  for (const input of x) {
    const gates = Array.from({ length: 4 * H }, (_, k) => {
      let sum = (bi[k] as number) + (bh[k] as number);
      input.forEach((value, j) => (sum += (wi[k * input.length + j] as number) * value));
      v.forEach((value, j) => (sum += (wh[k * H + j] as number) * value));
      return sum;
    });
    const gate = (i: number, j: number): number => gates[i * H + j] as number;
    c = c.map((old, j) => sigmoid(gate(1, j)) * old + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)));
    v = c.map((now, j) => {
      let u = sigmoid(gate(3, j)) * Math.tanh(now);
      if (late && (v[j] as number) >= theta) u = reset === "zero" ? 0 : reset === "subtract" ? u - theta : u;
      const s = u >= theta ? 1 : 0;
      spikes.push(s);
      membranes.push(u);
      if (late || s === 0) return u;
      return reset === "zero" ? 0 : reset === "subtract" ? u - theta : u;
    });
  }
  return { spikes, membranes };
}

const RESETS = (["none", "zero", "subtract"] as const).flatMap((reset) =>
  [false, true].map((resetDelay) => ({ reset, resetDelay, resetInput: resetDelay && reset === "zero" })),
);

describe.each(RESETS)("%o", (options) => {
  const theta = Math.fround(0.15);
  const layer = new SpikingLSTM(3, 5, { ...options, threshold: theta });
  for (const [i, t] of layer.parameters().entries()) t.copyFrom(random(t.shape, 40 + i, { low: -1, high: 1 }));
  const x = random([9, 2, 3], 3, { low: -2, high: 3 });

  test("spiking lstm: spikes and membranes are those of a float64 loop", () => {
    const { spikes, membrane } = layer.unroll(x);
    for (const b of [0, 1]) {
      const input = x.unbind(0).map((step) => values(step.select(0, b)));
      const wanted = loop(layer, input, options.reset, options.resetDelay, theta);
      expect(values(spikes.select(1, b))).toEqual(wanted.spikes);
      expect(wanted.spikes).toContain(1);
      values(membrane.select(1, b)).forEach((u, i) => expect(u).toBeCloseTo(wanted.membranes[i] as number, 5));
    }
  });

  test("spiking lstm: forward, unroll, steps and streams give the same bits", () => {
    const { spikes, state, c, v } = layer.unroll(x);
    expect(values(layer.forward(x))).toEqual(values(spikes));
    let from = layer.initialState([2, 3]);
    const stream = new Stream(layer, [2, 3]);
    x.unbind(0).forEach((input, t) => {
      const [s, next] = layer.step(input, from);
      from = next;
      expect(values(s)).toEqual(values(spikes.select(0, t)));
      expect([...stream.step(values(input))]).toEqual(values(s));
      expect(values(next.c)).toEqual(values(c.select(0, t)));
      expect(values(next.v)).toEqual(values(v.select(0, t)));
    });
    expect(values(from.v)).toEqual(values(state.v));
    const [first, second] = x.split([4, 5], 0) as [Tensor, Tensor];
    const half = layer.unroll(first);
    const all = [...values(half.spikes), ...values(layer.unroll(second, half.state).spikes)];
    expect(all).toEqual(values(spikes));
  });

  test("spiking lstm: with the smooth step the gradients are exact, in float64", () => {
    const smooth = new SpikingLSTM(2, 3, { ...options, threshold: theta, spiking: false, learn: ["threshold"] });
    const named = smooth.namedParameters();
    expect(named.map(([name]) => name)).toEqual([
      "lstm_cell.weight_ih",
      "lstm_cell.weight_hh",
      "lstm_cell.bias_ih",
      "lstm_cell.bias_hh",
      "neuron.threshold",
    ]);
    gradcheck(
      (input) => {
        const { spikes, membrane, c } = smooth.unroll(input);
        return stack([spikes.square().sum(), membrane.sum(), c.square().sum()]);
      },
      [rand([4, 2, 2])],
    );
  });
});

test("spiking lstm: all weights get gradients in a tape, which leaves nothing behind", () => {
  const layer = new SpikingLSTM(3, 4, { numerics: "snntorch", threshold: 0.1 });
  const x = rand([5, 2, 3]);
  const step = () => tape(() => layer.unroll(x).membrane.square().sum().backward());
  step();
  expect(bytesKept(step)).toBe(0);
  for (const t of layer.parameters()) expect(gradient(t).some((d) => d !== 0)).toBe(true);
  // Products with few rows keep a transposed copy of a weight, which is made once.
  for (let i = 0; i < 2; i++) layer.forward(x).dispose();
  expect(bytesKept(() => layer.forward(x).dispose())).toBe(0);
});

test("spiking lstm: sizes, options and states that do not fit are errors", () => {
  const make = (options: unknown) => () => new SpikingLSTM(2, 3, options as never);
  expect(() => new SpikingLSTM(0, 3)).toThrow(RangeError);
  expect(make({ bias: 1 })).toThrow(new TypeError("SpikingLSTM: expected bias of type boolean, got 1"));
  expect(make({ other: 1 })).toThrow(TypeError);
  expect(make(null)).toThrow(TypeError);
  expect(make({ numerics: "norse" })).toThrow(RangeError);
  const layer = new SpikingLSTM(2, 3);
  expect(() => layer.forward(rand([4, 2, 5]))).toThrow(
    new RangeError("SpikingLSTM: expected a step [B, …, 2], got [2, 5]"),
  );
  expect(() => layer.step(rand([2, 2]), { c: tensor([1]), v: tensor([1]) })).toThrow(RangeError);
  expect(() => new Recurrent(layer as never, { features: 3 }).forward(rand([4, 2, 3]))).toThrow(RangeError);
});
