/** Choices and presets of neurons, refractory steps that leak, graded spikes. */
import {
  full,
  gradcheck,
  LIF,
  neuron,
  Recurrent,
  RecurrentLIF,
  rand,
  Stream,
  Synaptic,
  surrogate,
  tensor,
} from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { values } from "../../test/support/tensors.ts";

const Chosen = neuron({
  name: "Chosen",
  state: { v: 0 },
  parameters: { beta: 0.5 },
  constrain: { beta: [0, 1] },
  choices: { mode: ["add", "double"], isNegative: false, factor: 3 },
  numerics: { other: { mode: "double", beta: 0.25, fire: "gt", surrogate: surrogate.atan() } },
  step({ current, v, beta, spike }, { mode, isNegative, factor }) {
    const u = v.mul(beta).add(mode === "double" ? current.mul(2) : current);
    return { spikes: spike(u.sub(factor)), membrane: isNegative ? u.neg() : u, v: u };
  },
});
const membrane = (layer: InstanceType<typeof Chosen>): number[] => values(layer.unroll(tensor([1, 1])).membrane);

describe("choices", () => {
  test("choices: the first word, and the value of the others, are the defaults", () => {
    expect(membrane(new Chosen())).toEqual([1, 1.5]);
    expect(membrane(new Chosen({ mode: "double", isNegative: true }))).toEqual([-2, -3]);
    expect(values(new Chosen({ mode: "double", factor: 2 }).forward(tensor([1, 1])))).toEqual([1, 1]);
  });

  test("choices: a preset sets options, explicit ones override it", () => {
    expect(membrane(new Chosen({ numerics: "other" }))).toEqual([2, 2.5]);
    expect(membrane(new Chosen({ numerics: "other", beta: 1 }))).toEqual([2, 4]);
    expect(membrane(new Chosen({ numerics: "other", mode: "add" }))).toEqual([1, 1.25]);
    expect(String(new Chosen({ numerics: "other" }))).toContain("[x1 > 0]");
    expect(String(new Chosen({ numerics: "other", fire: "ge" }))).toContain("[x1 ≥ 0]");
  });

  test("choices: unknown words, presets and values of another kind are errors", () => {
    const make = (options: object) => () => new Chosen(options as never);
    expect(make({ mode: "minus" })).toThrow(new RangeError('Chosen: expected mode "add" or "double", got "minus"'));
    expect(make({ isNegative: 1 })).toThrow(new TypeError("Chosen: expected isNegative of type boolean, got 1"));
    expect(make({ factor: 1e39 })).toThrow(RangeError);
    expect(make({ numerics: "mine" })).toThrow(new RangeError('Chosen: expected numerics "other", got "mine"'));
    expect(() => new Synaptic({ numerics: "nest" as never })).toThrow(/^Synaptic: expected numerics /);
  });

  test("choices: a definition's choices are words, true, false or numbers, under names that are free", () => {
    const define = (choices: object) => () =>
      neuron({
        name: "Odd",
        state: { v: 0 },
        parameters: { beta: 1 },
        choices: choices as never,
        step: () => ({}) as never,
      });
    expect(define({ mode: "add" })).toThrow(TypeError);
    expect(define({ mode: [] })).toThrow(TypeError);
    expect(define({ beta: true })).toThrow(/^Odd: beta is a name that is taken/);
    expect(define({ fire: true })).toThrow(/^Odd: fire is a name that is taken; call the choice otherwise/);
  });

  test("choices: bounds of a definition are errors for fixed values and clamp learned ones", () => {
    expect(() => new Chosen({ beta: 1.5 })).toThrow(new RangeError("Chosen: beta must be in [0, 1], got 1.5"));
    expect(membrane(new Chosen({ beta: 1.5, learn: ["beta"] }))).toEqual([1, 2]);
    expect(membrane(new Chosen({ beta: 1.5, learn: ["beta"], constrain: { beta: [0, 2] } }))).toEqual([1, 2.5]);
  });
});

describe("refractory: leak", () => {
  test("refractory: with leak the membrane decays without input, and the other states go on", () => {
    const held = { beta: 0.5, alpha: 0, reset: "none", refractorySteps: 2 } as const;
    const current = tensor([2, 8, 8, 2]);
    expect(values(new Synaptic(held).unroll(current).v)).toEqual([2, 2, 2, 3]);
    const { v, i, spikes } = new Synaptic({ ...held, refractory: "leak" }).unroll(current);
    expect(values(v)).toEqual([2, 1, 0.5, 2.25]);
    expect(values(i)).toEqual([2, 8, 8, 2]);
    expect(values(spikes)).toEqual([1, 0, 0, 1]);
  });

  test("refractory: with leak a LIF decays to its rest", () => {
    const lif = new LIF({ beta: 0.5, rest: 1, threshold: 4, reset: "none", refractorySteps: 2, refractory: "leak" });
    expect(values(lif.unroll(tensor([4.5, 9, 9])).v)).toEqual([5, 3, 2]);
  });

  test("refractory: a step that returns no leaked cannot leak", () => {
    const make = () => new Chosen({ refractorySteps: 1, refractory: "leak" });
    expect(make).toThrow(
      new RangeError('Chosen: refractory: "leak" needs a step that returns leaked, the state without input'),
    );
  });
});

describe("graded spikes", () => {
  test("graded: spikes leave times the factor, the reset counts them as they are", () => {
    const lif = new LIF({ beta: 1, reset: "subtract", gradedSpikesFactor: 2.5 });
    const { spikes, v } = lif.unroll(tensor([0.75, 0.75, 0.75]));
    expect(values(spikes)).toEqual([0, 2.5, 2.5]);
    expect(values(v)).toEqual([0.75, 0.5, 0.25]);
  });

  test("graded: the factor can be learned, one for each neuron, and runs in streams and with recurrence", () => {
    const lif = new LIF({ gradedSpikesFactor: tensor([1, 2, 3]), learn: ["gradedSpikesFactor"], spiking: false });
    expect(lif.namedParameters().map(([name]) => name)).toEqual(["gradedSpikesFactor"]);
    gradcheck((x) => lif.forward(x).square().sum(), [rand([4, 2, 3])]);
    const hard = new LIF({ gradedSpikesFactor: 2 });
    const x = rand([5, 2, 3]).mul(2);
    const stream = new Stream(hard, [2, 3]);
    const steps = x.unbind(0).map((t) => [...stream.step(t.toFloat32Array())]);
    expect(steps.flat()).toEqual(values(hard.forward(x)));
    const layer = new Recurrent(hard, { features: 3 });
    expect(values(layer.unroll(x).spikes)).toEqual(values(layer.forward(x)));
  });
});

test("lif: what else is learned becomes a parameter of its name, with exact gradients", () => {
  const learn = ["rest", "inputScale", "resetValue"] as const;
  const lif = new LIF({
    rest: 0.1,
    inputScale: 0.5,
    resetValue: tensor([0, 0.1]),
    learn,
    spiking: false,
    detachReset: false,
  });
  expect(lif.namedParameters().map(([name, t]) => [name, t.shape])).toEqual([
    ["rest", []],
    ["inputScale", []],
    ["resetValue", [2]],
  ]);
  gradcheck((x) => lif.forward(x).square().sum(), [rand([4, 2, 2])]);
});

test("lif: what is learned is a list, null is none", () => {
  const wrong = new TypeError("LIF: expected learn as a list of parameters, got null");
  expect(() => new LIF({ learn: null as never })).toThrow(wrong);
});

test("lif: an input scale of leak leads a constant current to itself, also with a learned beta", () => {
  const lif = new LIF({ inputScale: "leak", beta: 0.75, threshold: 9, learnBeta: true });
  expect(values(lif.unroll(full([50], 3)).membrane).at(-1)).toBeCloseTo(3, 4);
});

test("recurrent lif: snnTorch's reset to zero drops the input of its step", () => {
  const options = { features: 1, connection: "one", numerics: "snntorch", reset: "zero", beta: 0.5 } as const;
  const input = tensor([[2], [5], [0.5]]);
  expect(values(new RecurrentLIF(options).unroll(input).membrane)).toEqual([2, 0, 0.5]);
  expect(values(new RecurrentLIF({ ...options, resetInput: false }).unroll(input).membrane)).toEqual([2, 6, 1.5]);
});
