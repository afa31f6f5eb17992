/** Definitions as they were: the same neurons as those whose parameters have fields. */
import { LIF, neuron, ParametricLIF, tensor, type Value } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { values } from "../../test/support/tensors.ts";
import { rewritten } from "./before.ts";
import type { NeuronSpec } from "./form.ts";
import { LIF_FORM } from "./plain-forms.ts";

const step = ({ current, v }: Readonly<Record<string, Value>>) => ({ membrane: current, v });
const whole = { name: "M", state: { v: 0 }, parameters: { beta: 0.5 }, step };

test("a definition with fields of parameters is left as it is", () => {
  expect(rewritten(whole)).toBe(whole);
});

test("members become fields of the parameters that they name", () => {
  const value = () => 0.25;
  const source = { options: { tau: 1 }, value };
  const before = {
    ...whole,
    optional: { rest: 0, gain: [1, "leak"], floor: null },
    fold: false,
    from: { beta: source },
    also: { learnBeta: { learn: "beta" }, learnIt: { learn: "beta" }, learnRest: { learn: "rest" } },
    learn: ["gain"],
  };
  expect(rewritten(before)).toEqual({
    ...whole,
    parameters: {
      beta: { default: 0.5, from: source, also: { learnBeta: false, learnIt: false } },
      rest: { default: 0, optional: true, fold: false, also: { learnRest: false } },
      gain: { default: 1, optional: ["leak"], fold: false, learn: true },
      floor: { default: null, optional: true, fold: false },
    },
  });
});

test("LIF in the words of before has the same options, equations and values", () => {
  const { states, initial, shared: _, plain: __, parameters, ...members } = LIF_FORM as NeuronSpec;
  const Before = neuron({
    ...members,
    state: { v: initial[states.indexOf("v")] },
    parameters: { beta: 0.95, threshold: 1 },
    optional: { rest: 0, inputScale: [1, "leak"], resetValue: 0, lowerBound: null },
    from: { beta: (parameters.beta as { from: object }).from },
    also: { learnBeta: { learn: "beta" }, learnThreshold: { learn: "threshold" } },
  } as never) as unknown as typeof LIF;
  for (const options of [
    {},
    { tau: 10, decay: "euler", inputScale: "leak", lowerBound: -1 },
    { rest: tensor([0.25, 0.5]), learnBeta: true, learn: ["inputScale"] },
    { numerics: "norse", learnThreshold: true },
  ] as const) {
    const [own, before] = [new LIF(options), new Before(options)];
    expect(String(before)).toBe(String(own));
    expect(before.namedParameters().map(([name]) => name)).toEqual(own.namedParameters().map(([name]) => name));
    const x = tensor([2, -3, 1, 0.5, 4, -1], { shape: [3, 2] });
    expect(values(before.unroll(x).membrane)).toEqual(values(own.unroll(x).membrane));
  }
});

test("a parameter that a definition learns is learned as that of ParametricLIF", () => {
  const Raw = neuron({
    name: "Raw",
    state: { v: 0 },
    parameters: { w: 0, threshold: 1 },
    learn: ["w"],
    step({ current, v, w, threshold, spike }) {
      const u = v.mul(w.sigmoid()).add(current);
      const s = spike(u.sub(threshold));
      return { spikes: s, v: u.sub(s.detach().mul(threshold)) };
    },
  });
  const learned = (layer: { namedParameters(): [string, unknown][] }) => layer.namedParameters().map(([name]) => name);
  expect(learned(new Raw())).toEqual(learned(new ParametricLIF()));
  expect(learned(new Raw({ learn: ["threshold"] }))).toEqual(["threshold"]);
});

describe("a wrong member is an error:", () => {
  const value = () => undefined;
  test.each([
    [{ optional: 5 }, "M: expected optional, defaults by name, got 5"],
    [{ optional: { rest: "0" } }, 'M: expected the default of rest as a number, got "0"'],
    [{ optional: { rest: [0, 1] } }, "M: expected optional of rest as true, false or words, got [1]"],
    [{ optional: { beta: 0 } }, "M: beta is a name that is taken; call the parameter otherwise"],
    [{ optional: { rest: 0 }, fold: 1 }, "M: expected fold of rest as true or false, got 1"],
    [{ from: { tau: { options: {}, value } } }, 'M: expected from to name parameters, beta, got "tau"'],
    [{ from: 5 }, "M: expected from, sources by parameter, got 5"],
    [
      { also: { learnGamma: { learn: "gamma" } } },
      'M: expected also.learnGamma.learn to name parameters, beta, got "gamma"',
    ],
    [{ also: { learnBeta: true } }, "M: expected also.learnBeta as { learn }, got true"],
    [{ learn: ["rest"] }, 'M: expected learn to name parameters, beta, got "rest"'],
    [{ learn: "beta" }, 'M: expected learn as a list of parameters, got "beta"'],
    [{ parameters: 1, learn: ["rest"] }, "M: expected parameters, defaults by name, got 1"],
  ])("%j", (members, message) => {
    expect(() => neuron({ ...whole, ...members } as never)).toThrow(message);
  });
});
