import { describe, expect, test } from "vitest";
import type { Derivative, StepDefinition } from "../../engine/fuse/index.ts";
import { tape, tensor } from "../../engine/index.ts";
import { Random } from "../../test/fuzz/random.ts";
import { composed, difference, expectSame, fused, type Setting, stepOf } from "../../test/support/fused.ts";
import { KERNEL_EXAMPLES } from "../../test/support/surrogates.ts";
import { LIF, type LIFOptions, surrogate } from "../index.ts";

const f = Math.fround;

const SURROGATES = KERNEL_EXAMPLES.map(([, , smooth]) => smooth);

/** The neuron that equals LIF with these options. */
function lif(
  { reset = "zero", resetDelay = false, detachReset = true, fire }: LIFOptions,
  derivative: Derivative,
): StepDefinition {
  return stepOf({
    name: "LIF",
    inputs: ["current"],
    states: ["v"],
    parameters: { beta: "column", threshold: "scalar" },
    packed: ["spikes"],
    step({ current, v, beta, threshold, spike, where, select }) {
      const strict = fire === "gt";
      const fired = (u: typeof v) => spike(u.sub(threshold), derivative, strict);
      const cleared = (u: typeof v, s: typeof v, to: typeof v | number) =>
        detachReset ? where(s.detach(), to, u) : select(s, to, u);
      let before = v;
      if (resetDelay && reset === "zero") before = cleared(v, fired(v), 0);
      let u = before.mul(beta).add(current);
      if (resetDelay && reset === "subtract") u = u.sub(where(fired(v).detach(), threshold, 0));
      const s = fired(u);
      if (resetDelay || reset === "none") return { spikes: s, membrane: u, v: u };
      if (reset === "zero") return { spikes: s, membrane: u, v: cleared(u, s, 0) };
      return {
        spikes: s,
        membrane: u,
        v: detachReset ? u.sub(where(s.detach(), threshold, 0)) : u.sub(s.mul(threshold)),
      };
    },
  });
}

const [T, rows, n] = [25, 3, 37];

function settingOf(weights: Record<string, Float32Array>): Setting {
  const random = new Random(5);
  const numbers = (count: number, low: number, high: number) =>
    Float32Array.from({ length: count }, () => f(random.number(low, high)));
  return {
    T,
    rows,
    n,
    inputs: { current: numbers(T * rows * n, -0.3, 0.8) },
    states: { v: new Float32Array(rows * n) },
    parameters: { beta: numbers(n, 0.5, 1), threshold: Float32Array.of(1) },
    weights,
    stateWeights: {},
  };
}

const weights = Float32Array.from({ length: T * rows * n }, (_, i) => f(Math.sin(i)));

/** Spikes and the gradient of the current of the layer. */
function layer(options: LIFOptions, setting: Setting) {
  const current = tensor(setting.inputs.current as Float32Array, { shape: [T, rows, n], requiresGrad: true });
  const beta = tensor(setting.parameters.beta as Float32Array);
  const lif = new LIF({ ...options, beta, threshold: 1 });
  const spikes = tape(() => {
    const s = lif.forward(current);
    s.mul(tensor(weights, { shape: [T, rows, n] }))
      .sum()
      .backward();
    return s.toFloat32Array();
  });
  return {
    spikes,
    dCurrent: current.grad?.toFloat32Array() as Float32Array,
  };
}

const RESETS: LIFOptions[] = [
  { reset: "subtract" },
  { reset: "zero" },
  { reset: "none" },
  { reset: "subtract", resetDelay: true },
  { reset: "zero", resetDelay: true },
  { reset: "subtract", fire: "gt" },
];

describe("a LIF that is compiled has the bits of the layer", () => {
  test.each(RESETS)("%j", (options) => {
    for (const s of SURROGATES) {
      const setting = settingOf({ spikes: weights });
      const want = layer({ ...options, surrogate: s }, setting);
      const got = fused(lif(options, s.derivative), setting);
      expect(got.outputs.spikes).toEqual(want.spikes);
      expect(got.outputs.spikes?.includes(1)).toBe(true);
      expect(got.dInputs.current, s.name).toEqual(want.dCurrent);
    }
  });
});

const EXTREMES = [Number.NaN, Infinity, -Infinity, 3e38, -3e38];

test("currents that are NaN, infinite or huge, too, each in neurons of its own: a NaN stays one, and nothing else changes", () => {
  const setting = settingOf({ spikes: weights });
  const current = setting.inputs.current as Float32Array;
  for (let i = 7; i < current.length; i += 29) current[i] = EXTREMES[(i % n) % EXTREMES.length] as number;
  for (const options of RESETS) {
    for (const s of SURROGATES) {
      const want = layer({ ...options, surrogate: s }, setting);
      const got = fused(lif(options, s.derivative), setting);
      expect(got.outputs.spikes).toEqual(want.spikes);
      expect(got.dInputs.current, s.name).toEqual(want.dCurrent);
    }
  }
});

test("every surrogate has the same bits on tensors, and so has every reset with all gradients", () => {
  const random = Float32Array.from({ length: T * rows * n }, (_, i) => f(Math.cos(i)));
  const all = settingOf({ spikes: weights, membrane: random, v: weights });
  const setting = { ...all, states: { v: random.slice(0, rows * n) }, stateWeights: { v: random.slice(0, rows * n) } };
  for (const { derivative } of SURROGATES) expectSame(lif({ reset: "subtract" }, derivative), setting);
  for (const options of RESETS) {
    const step = lif({ ...options, detachReset: false }, surrogate.atan().derivative);
    expect(difference(fused(step, setting), composed(step, setting))).toBeNull();
  }
});
