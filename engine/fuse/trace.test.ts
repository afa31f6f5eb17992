import { describe, expect, test } from "vitest";
import { stepOf } from "../../test/support/fused.ts";
import { rand, tensor } from "../index.ts";
import { Program, type StepArgument, type StepDefinition } from "./index.ts";

type Names = "current" | "v" | "beta";
type Argument = StepArgument<Names> & Record<string, never>;

/** What is said of a step that leaks v. */
function said(step: (argument: Argument) => unknown): string {
  const definition = { name: "Leaky", inputs: ["current"], states: ["v"], parameters: { beta: "scalar" } } as const;
  try {
    new Program({ ...definition, step } as unknown as StepDefinition);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  return "";
}

describe("a step is told what to write instead of", () => {
  test("operators and functions of numbers", () => {
    // biome-ignore lint/suspicious/noExplicitAny: what plain JavaScript writes.
    expect(said(({ v, beta }: any) => ({ v: v * beta }))).toMatch(/^Leaky: .*a\.mul\(b\) for a \* b/);
    // biome-ignore lint/suspicious/noExplicitAny: what plain JavaScript writes.
    expect(said(({ v }: any) => ({ v: Math.exp(v) }))).toMatch(/a\.exp\(\) for Math\.exp\(a\)/);
    // biome-ignore lint/suspicious/noExplicitAny: what plain JavaScript writes.
    expect(said(({ v }: any) => ({ v: v > 1 ? v : 0 }))).toMatch(/where\(a\.gt\(b\), c, d\) for a choice/);
  });

  test("an if", () => {
    const message = said(({ v }) => {
      if (v.gt(1)) return { v: v.sub(1) };
      return { v };
    });
    expect(message).toBe(
      "Leaky: the comparison v.gt(1) reaches no output; a value has no truth while the step is traced: " +
        "write where(v.gt(1), a, b) for an if or a ?:",
    );
  });

  test("names that are none", () => {
    expect(said(({ v, bta }) => ({ v: v.mul(bta as never) }))).toBe(
      "Leaky: the step asks for bta; expected current, v, beta, or where, select, spike, softplus, constant",
    );
    expect(said(({ v }) => ({ u: v }))).toBe("Leaky: the step must return the next value of the state v");
    expect(said(({ v }) => v)).toBe("Leaky: expected the step to return its outputs by name, got a value");
    expect(said(({ v }) => ({ v: v.add(undefined as never) }))).toBe(
      "Leaky: add: expected a value of the step or a number, got undefined; is the name that it should have declared?",
    );
    expect(said(({ v }) => ({ v: v.mul(Number.NaN) }))).toMatch(/^Leaky: mul: expected .* got NaN$/);
    expect(said(({ v }) => ({ v: v.pow(v as never) }))).toBe("Leaky: pow: expected a number, got a value of the step");
  });

  test("what comes from outside of the step", () => {
    const outside = tensor([1, 2]);
    expect(said(({ v }) => ({ v: v.add(outside as never) }))).toMatch(
      /^Leaky: add: .* got a tensor from outside of the step; make it a parameter or an input$/,
    );
    expect(said(({ v }) => ({ v: v.add(rand([2]) as never) }))).toMatch(/a tensor from outside/);
    expect(said(({ v }) => ({ v: v.add(Math.random()) }))).toMatch(
      /draw random numbers outside, and add them to an input/,
    );
    const earlier: Argument["v"][] = [];
    expect(said(({ v, beta }) => ({ v: beta.mul(earlier.push(v) > 1 ? (earlier[0] as never) : v) }))).toMatch(
      /a value of another step; return it as a state/,
    );
    outside.dispose();
  });

  test.each(["sum", "mean", "softmax", "item", "shape", "data", "cumsum"])(
    "%s, which looks at other columns",
    (name) => {
      const call = ({ v }: Argument) => ({ v: Reflect.get(v, name)() });
      expect(said(call)).toMatch(new RegExp(`^Leaky: ${name} is nothing that a step has: .* add .*`));
    },
  );

  test("spikes that are not 0 or 1", () => {
    const step = stepOf({
      name: "Graded",
      inputs: ["current"],
      states: [],
      parameters: {},
      packed: ["spikes"],
      step: ({ current }) => ({ spikes: current.sigmoid() }),
    });
    expect(() => new Program(step)).toThrow("Graded: expected spikes to be 0 or 1: a spike, a comparison or a product");
  });
});

test("a value prints itself where text is wanted", () => {
  expect(said(({ v }) => ({ v: v.add(`${v}`.length) }))).toBe("");
});

test("terms of parameters alone are computed before the loop", () => {
  const step = stepOf({
    name: "Derived",
    inputs: ["current"],
    states: ["v"],
    parameters: { w: "scalar", theta: "column" },
    step: ({ current, v, w, theta }) => ({
      v: v
        .mul(w.sigmoid())
        .add(current.mul(w.sigmoid().neg().add(theta)))
        .sub(theta),
    }),
  });
  // θ, σ(w) and θ − σ(w), each once.
  expect(new Program(step).traced.derived.map(({ op }) => op)).toEqual(["given", "sigmoid", "add"]);
});
