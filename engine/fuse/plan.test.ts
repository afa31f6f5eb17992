import { describe, expect, test } from "vitest";
import { stepOf } from "../../test/support/fused.ts";
import { Program, type StepDefinition } from "./index.ts";
import { constant } from "./terms.ts";
import { numberPlace } from "./trace.ts";

const derivative = () => 1;

/**
 * Number of arrays of numbers that forward saves if the gradients of these parameters are needed, plus streams of bits; "again" if the current is
 * read again.
 */
function saved(step: StepDefinition, learned: string[], outputs = ["spikes"]): string {
  const program = new Program(step);
  const isLearned = program.traced.derived.map((x) => learned.includes(String(x.attr)));
  const code = program.compile({ parameters: isLearned, outputs });
  const flags = code.savedArrays - code.savedNumbers;
  return `${code.savedNumbers}${flags > 0 ? ` and ${flags} of bits` : ""}${code.reads[0] ? " again" : ""}`;
}

const lif = (reset: "subtract" | "zero" | "delayed" | "attached") =>
  stepOf({
    name: reset,
    inputs: ["current"],
    states: ["v"],
    parameters: { beta: "scalar", threshold: "column" },
    step({ current, v, beta, threshold, spike, select, where }) {
      const late = reset === "delayed" ? where(v.ge(threshold), threshold, 0) : 0;
      const u = v.mul(beta).add(current).sub(late);
      const s = spike(u.sub(threshold), (x) => x.abs().add(1).reciprocal());
      if (reset === "zero") return { spikes: s, membrane: u, v: where(s, 0, u) };
      if (reset === "subtract") return { spikes: s, membrane: u, v: where(s, u.sub(threshold), u) };
      return { spikes: s, membrane: u, v: reset === "delayed" ? u : select(s, u.sub(threshold), u) };
    },
  });

const synaptic = stepOf({
  name: "synaptic",
  inputs: ["current"],
  states: ["i", "v"],
  parameters: { alpha: "scalar", beta: "scalar", threshold: "scalar" },
  step({ current, i, v, alpha, beta, threshold, spike, where }) {
    const j = i.mul(alpha).add(current);
    const u = v.mul(beta).add(j);
    const s = spike(u.sub(threshold), (x) => x.abs().add(1).reciprocal());
    return { spikes: s, membrane: u, i: j, v: where(s, 0, u) };
  },
});

const adaptive = stepOf({
  name: "adaptive",
  inputs: ["current"],
  states: ["v", "a"],
  parameters: { beta: "scalar", rho: "scalar", threshold: "scalar", kappa: "scalar" },
  step({ current, v, a, beta, rho, threshold, kappa, spike, where }) {
    const u = v.mul(beta).add(current);
    const s = spike(u.sub(threshold).sub(a.mul(kappa)), (x) => x.abs().add(1).reciprocal());
    return { spikes: s, membrane: u, v: u.sub(where(s.detach(), threshold, 0)), a: a.mul(rho).add(s) };
  },
});

const refractory = stepOf({
  name: "refractory",
  inputs: ["current"],
  states: ["v", "held"],
  parameters: { beta: "scalar", threshold: "scalar" },
  step({ current, v, held, beta, threshold, spike, where }) {
    const active = held.le(0);
    const u = where(active, v.mul(beta).add(current), v);
    const s = spike(u.sub(threshold), (x) => x.abs().add(1).reciprocal()).mul(active);
    return { spikes: s, membrane: u, v: where(s, 0, u), held: where(s, 2, held.sub(1).maximum(0)) };
  },
});

const parametric = stepOf({
  name: "parametric",
  inputs: ["current"],
  states: ["v"],
  parameters: { w: "scalar", threshold: "scalar" },
  step({ current, v, w, threshold, spike, where }) {
    const beta = w.sigmoid();
    const u = v.mul(beta).add(current.mul(beta.neg().add(1)));
    const s = spike(u.sub(threshold), (x) => x.abs().add(1).reciprocal());
    return { spikes: s, membrane: u, v: where(s, 0, u) };
  },
});

const izhikevich = stepOf({
  name: "izhikevich",
  inputs: ["current"],
  states: ["v", "w"],
  parameters: { a: "scalar", b: "scalar" },
  step({ current, v, w, a, b, spike, where }) {
    const u = v.add(v.square().mul(4).add(v.mul(5)).add(1.4).sub(w).add(current).mul(0.5)).clamp(-2, 1);
    const s = spike(u.sub(0.3), derivative);
    return { spikes: s, membrane: u, v: where(s, -0.65, u), w: w.add(a.mul(v.mul(b).sub(w))).add(where(s, 0.08, 0)) };
  },
});

describe("what forward saves", () => {
  test.each(["subtract", "zero", "delayed", "attached"] as const)("LIF, %s: u alone, learned or not", (reset) => {
    expect(saved(lif(reset), [])).toBe("1");
    expect(saved(lif(reset), ["beta", "threshold"])).toBe("1");
    expect(saved(lif(reset), ["beta", "threshold"], ["spikes", "membrane", "v"])).toBe("1");
  });

  test.each<[StepDefinition, string[], string]>([
    [synaptic, [], "1"],
    [synaptic, ["alpha", "beta"], "2"],
    [adaptive, [], "1"],
    // Both states after the step; u is recomputed from v and the current.
    [adaptive, ["beta", "rho", "kappa"], "2 again"],
    [refractory, [], "1 and 3 of bits"],
    [refractory, ["beta", "threshold"], "1 and 3 of bits again"],
    [parametric, [], "1"],
    [izhikevich, [], "1"],
    [izhikevich, ["a", "b"], "2"],
  ])("%#: a neuron, some of its parameters learned", (step, learned, arrays) => {
    expect(saved(step, learned)).toBe(arrays);
  });

  test("a gate on the current: the current is read again, and the current of a product with a learned parameter", () => {
    const learned = new Program(parametric);
    const code = learned.compile({ parameters: learned.traced.derived.map(() => true), outputs: ["spikes"] });
    expect([code.savedNumbers, code.reads]).toEqual([1, [true]]);
  });

  test("nothing, where there is no backward", () => {
    expect(new Program(adaptive).compile(null).savedNumbers).toBe(0);
  });
});

test("numbers of gradients that no step has are refused", () => {
  const { traced } = new Program(adaptive);
  const numbers = [...traced.numbers];
  expect(numberPlace(constant(traced.owner, 0.5), numbers)).toBe(1);
  expect(numberPlace(constant(traced.owner, 0), numbers)).toBe(-1);
  expect(() => numberPlace(constant(traced.owner, 3), numbers)).toThrow("gradient: 3 is not in USUAL");
  expect(numbers).toEqual(traced.numbers);
});

test("steps that differ in numbers alone are compiled once", () => {
  const scaled = (factor: number) =>
    stepOf({
      name: "scaled",
      inputs: ["x"],
      states: [],
      parameters: {},
      step: ({ x }) => ({ z: x.mul(factor).add(3) }),
    });
  const keys = [2, 5, 3, 0].map((factor) => new Program(scaled(factor)).traced.key);
  expect(keys[1]).toBe(keys[0]);
  // Two equal numbers are one, and 0 is not an argument.
  expect(new Set(keys).size).toBe(3);
});
