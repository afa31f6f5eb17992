/** Winner takes all: a float64 loop, the same from tensor ops, and all ways to run a layer. */
import type { LIFOptions, Tensor } from "jarvis-snn";
import {
  arange,
  gradcheck,
  LeakyIntegrator,
  LIF,
  neuron,
  noGrad,
  Recurrent,
  rand,
  Stream,
  Synaptic,
  spike,
  stack,
  surrogate,
  tape,
  tensor,
  zeros,
} from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { values } from "../../test/support/tensors.ts";

/** Currents [T, B, N] of sixteenths: exact in float32, with a few neurons that are equal. */
function currents(T: number, B: number, N: number, seed: number): Tensor {
  let x = seed;
  const data = Float32Array.from({ length: T * B * N }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return Math.floor((x / 2 ** 32) * 20) / 16;
  });
  return tensor(data, { shape: [T, B, N] });
}

type Case = Required<Pick<LIFOptions, "reset" | "resetDelay" | "refractorySteps" | "inhibition">>;

/** The neuron in float64: β = 0.5, θ = 1, from the definition of the option. */
function loop(current: Tensor, { reset, resetDelay, refractorySteps: hold, inhibition }: Case) {
  const [T, B, N] = current.shape as [number, number, number];
  const I = values(current);
  const spikes: number[] = [];
  const states: number[] = [];
  for (let b = 0; b < B; b++) {
    const v = new Array<number>(N).fill(0);
    const left = new Array<number>(N).fill(0);
    for (let t = 0; t < T; t++) {
      const at = (t * B + b) * N;
      const u = v.map((x, i) => {
        if (left[i] !== 0 && !(resetDelay && left[i] === hold)) return x;
        const due = resetDelay && reset !== "none" && x >= 1;
        const before = due && reset === "zero" ? 0 : x;
        const next = left[i] === 0 ? 0.5 * before + (I[at + i] as number) : before;
        return due && reset === "subtract" ? next - 1 : next;
      });
      let winner = -1;
      for (let i = 0; i < N; i++) {
        if (left[i] === 0 && (winner < 0 || (u[i] as number) > (u[winner] as number))) winner = i;
      }
      for (let i = 0; i < N; i++) {
        const isActive = left[i] === 0;
        const reaches = isActive && (u[i] as number) >= 1;
        const fires = reaches && (inhibition !== true || i === winner);
        spikes[at + i] = reaches && i === winner ? 1 : 0;
        v[i] = u[i] as number;
        if (fires && !resetDelay && reset === "zero") v[i] = 0;
        if (fires && !resetDelay && reset === "subtract") v[i] = (u[i] as number) - 1;
        left[i] = fires ? hold : Math.max(0, (left[i] as number) - 1);
        states[at + i] = v[i] as number;
      }
    }
  }
  return { spikes, states };
}

const CASES = [true, "output" as const].flatMap((inhibition) =>
  (["zero", "subtract", "none"] as const).flatMap((reset) =>
    [false, true].flatMap((resetDelay) =>
      [0, 2].map((refractorySteps): Case => ({ inhibition, reset, resetDelay, refractorySteps })),
    ),
  ),
);

describe.each(CASES)("%o", (options) => {
  const layer = new LIF({ beta: 0.5, ...options });
  const current = currents(12, 3, 5, 7);

  test("inhibition: spikes and states are those of a float64 loop", () => {
    const wanted = loop(current, options);
    const { spikes, v } = layer.unroll(current);
    expect(values(spikes)).toEqual(wanted.spikes);
    expect(values(v)).toEqual(wanted.states);
    expect(wanted.spikes.filter((s) => s === 1).length).toBeGreaterThan(8);
  });

  test("inhibition: forward, unroll, steps, a sequence in parts and streams give the same bits", () => {
    const { spikes, membrane, state } = layer.unroll(current);
    expect(values(layer.forward(current))).toEqual(values(spikes));
    let from = layer.initialState([3, 5]);
    const fired = current.unbind(0).flatMap((x) => {
      const [s, next] = layer.step(x, from);
      from = next;
      return values(s);
    });
    expect(fired).toEqual(values(spikes));
    expect(values(from.v)).toEqual(values(state.v));
    const [first, second] = current.split(6, 0) as [Tensor, Tensor];
    const half = layer.unroll(first);
    expect([...values(half.membrane), ...values(layer.unroll(second, half.state).membrane)]).toEqual(values(membrane));
    const stream = new Stream(layer, [3, 5]);
    expect(current.unbind(0).flatMap((x) => [...stream.step(values(x))])).toEqual(values(spikes));
  });

  test("inhibition: with the smooth step the gradients are exact, in float64", () => {
    const smooth = new LIF({ ...options, spiking: false, learnBeta: true, learnThreshold: true });
    gradcheck((x) => smooth.unroll(x).membrane.square().add(smooth.forward(x)).sum(), [rand([5, 1, 3])]);
  });
});

test("inhibition: the surrogate passes the gradient of the winner alone, as on tensors", () => {
  const slope = surrogate.fastSigmoid({ slope: 5 });
  const layer = new LIF({ beta: 0.5, reset: "subtract", inhibition: true, surrogate: slope, learnBeta: true });
  const weights = rand([8, 2, 4]);
  const run = (forward: (x: Tensor) => { s: Tensor; u: Tensor }) =>
    tape(() => {
      const x = tensor(values(currents(8, 2, 4, 3)), { shape: [8, 2, 4], requiresGrad: true });
      const { s, u } = forward(x);
      s.mul(weights).add(u.square()).sum().backward();
      return { s: values(s), u: values(u), dx: values(x.grad as Tensor) };
    });
  const composed = (x: Tensor) => {
    let v = zeros([2, 4]);
    const steps = x.unbind(0).map((input) => {
      const u = v.mul(0.5).add(input);
      const winner = noGrad(() => u.argmax({ axis: -1, keepdim: true }).eq(arange(0, 4)));
      const s = spike(u, { threshold: 1, surrogate: slope }).mul(winner);
      v = u.sub(s.detach());
      return { s, u };
    });
    return { s: stack(steps.map(({ s }) => s)), u: stack(steps.map(({ u }) => u)) };
  };
  const got = run((x) => {
    const { spikes, membrane } = layer.unroll(x);
    return { s: spikes, u: membrane };
  });
  const wanted = run(composed);
  expect(got.s).toEqual(wanted.s);
  expect(got.u).toEqual(wanted.u);
  got.dx.forEach((d, i) => expect(d).toBeCloseTo(wanted.dx[i] as number, 5));
});

test("inhibition: any neuron takes it, also with recurrence and graded spikes", () => {
  const layer = new Synaptic({ inhibition: true, gradedSpikesFactor: 2, reset: "subtract" });
  const x = rand([9, 2, 6]);
  const spikes = layer.forward(x);
  expect(Math.max(...values(spikes.sum({ axis: 2 })))).toBe(2);
  const recurrent = new Recurrent(layer, { features: 6 });
  expect(values(recurrent.unroll(x).spikes)).toEqual(values(recurrent.forward(x)));
  expect(Math.max(...values(recurrent.forward(x).sum({ axis: 2 })))).toBe(2);
});

test("inhibition: maps are refused in forward, unroll and step, and a flat axis in their place is not", () => {
  const layer = new LIF({ inhibition: true });
  const maps = rand([3, 2, 4, 5, 5]);
  const hint = "LIF: inhibition needs currents [T, B, N], got steps of shape [2, 4, 5, 5]; flatten the axes";
  expect(() => layer.forward(maps)).toThrow(hint);
  expect(() => layer.unroll(maps)).toThrow(hint);
  expect(() => layer.step(maps.select(0, 0), layer.initialState([2, 4, 5, 5]))).toThrow(hint);
  expect(layer.forward(maps.reshape([3, 2, 100])).shape).toEqual([3, 2, 100]);
});

test("inhibition: a step without spikes, without an axis of neurons, or another word is an error", () => {
  expect(() => new LIF({ inhibition: true }).forward(tensor([1, 2]))).toThrow(
    new RangeError("LIF: inhibition needs currents [T, B, N], got steps of shape []"),
  );
  expect(() => new LIF({ inhibition: "some" as never })).toThrow(
    new RangeError('LIF: expected inhibition true, false or "output", got "some"'),
  );
  const Readout = neuron({
    name: "Readout",
    state: { v: 0 },
    parameters: {},
    step: ({ current, v }) => ({ membrane: v.add(current), v: v.add(current) }),
  });
  expect(() => new Readout({ inhibition: true })).toThrow(/^Readout: inhibition /);
  expect(values(new LeakyIntegrator().forward(tensor([1])))).toEqual([1]);
  const Double = neuron({
    name: "Double",
    state: { v: 0 },
    parameters: {},
    step({ current, v, spike }) {
      const s = spike(v.sub(1));
      return { spikes: s.mul(spike(current.sub(1))), v: v.add(current) };
    },
  });
  expect(() => new Double({ inhibition: true })).toThrow(
    new RangeError("Double: inhibition needs a step that calls spike once, got 2 calls"),
  );
});
