import { describe, expect, test } from "vitest";
import { stepOf } from "../../test/support/fused.ts";
import { exp, rand, tensor, where } from "../index.ts";
import { Program, print, type StepArgument, type StepDefinition } from "./index.ts";

type Names = "current" | "v" | "beta";
type Argument = StepArgument<Names> & Record<string, never>;

/** The program of a step that leaks v. */
function leaky(step: (argument: Argument) => unknown): Program {
  const definition = { name: "Leaky", inputs: ["current"], states: ["v"], parameters: { beta: "scalar" } } as const;
  return new Program({ ...definition, step } as unknown as StepDefinition);
}

/** The message of the TypeError for such a step. */
function said(step: (argument: Argument) => unknown): string {
  try {
    leaky(step);
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

  test("a truth that combinations of comparisons are asked for", () => {
    expect(said(({ v, current }) => (v.gt(1).mul(current.lt(0)) ? { v: v.sub(1) } : { v }))).toMatch(
      /^Leaky: the comparison v\.gt\(1\) reaches no output/,
    );
  });

  test("numbers beyond float32", () => {
    for (const x of [1e39, -1e39, 1e-50]) {
      expect(() => leaky(({ v }) => ({ v: v.div(x) }))).toThrow(
        new RangeError(`Leaky: div: expected a number in the range of float32, got ${x}`),
      );
    }
    leaky(({ v }) => ({ v: v.clamp(-Infinity, 3.4e38).maximum(1e-45).add(0).add(-0) }));
  });

  test("names that are none", () => {
    expect(said(({ v, bta }) => ({ v: v.mul(bta as never) }))).toBe(
      "Leaky: the step asks for bta; expected current, v, beta, or where, select, spike, softplus, constant",
    );
    expect(said(({ v }) => ({ u: v }))).toBe("Leaky: the step must return the next value of the state v, got u");
    expect(said(() => ({}))).toBe("Leaky: the step must return the next value of the state v, got nothing");
    expect(said(() => ({ v: undefined }))).toBe(
      "Leaky: the step must return the next value of the state v, got undefined",
    );
    expect(said(({ v }) => v)).toBe("Leaky: expected the step to return its outputs by name, got a value");
    expect(said(({ v }) => ({ v: v.add(undefined as never) }))).toBe(
      "Leaky: add: expected a value of the step or a number, got undefined; is a name misspelt, or a return missing?",
    );
    expect(said(({ v }) => ({ v: v.mul(Number.NaN) }))).toMatch(/^Leaky: mul: expected .* got NaN$/);
    expect(said(({ v }) => ({ v: v.pow(v as never) }))).toBe("Leaky: pow: expected a number, got a value of the step");
  });

  test("what comes from outside of the step", () => {
    const outside = tensor([1, 2]);
    expect(said(({ v }) => ({ v: v.add(outside as never) }))).toMatch(
      /^Leaky: add: .* got a tensor from outside of the step; make it a parameter, or add it to an input, such as the current of a neuron$/,
    );
    expect(said(({ v }) => ({ v: v.add(rand([2]) as never) }))).toMatch(/a tensor from outside/);
    expect(said(({ v }) => ({ v: v.add(Math.random()) }))).toMatch(
      /draw random numbers outside, and add them to an input/,
    );
    const earlier: Argument["v"][] = [];
    expect(said(({ v, beta }) => ({ v: beta.mul(earlier.push(v) > 1 ? (earlier[0] as never) : v) }))).toMatch(
      /a value of another step; return it as a state/,
    );
    expect(said(({ v }) => ({ v: v.add("1" as never) }))).toBe(
      'Leaky: add: expected a value of the step or a number, got "1"',
    );
    expect(said(({ v }) => ({ v: v.add(new Float32Array(2) as never) }))).toMatch(/got \[object Float32Array\]$/);
    outside.dispose();
  });

  test("functions on tensors, and tensors that values are the operand of", () => {
    const outside = tensor([1, 2]);
    const hint =
      ", got object, a value of a step: write v.exp() for exp(v), v.mul(t) for t.mul(v), and take where and t from the argument " +
      "of the step";
    expect(said(({ v }) => ({ v: outside.mul(v as never) }))).toBe(`mul: expected a tensor or a number${hint}`);
    expect(said(({ v }) => ({ v: exp(v as never) }))).toBe(`exp: expected a tensor${hint}`);
    expect(said(({ v }) => ({ v: where(v.gt(1) as never, 1, outside) }))).toBe(`where: expected a tensor${hint}`);
    outside.dispose();
  });

  test.each([
    ["a promise", async () => ({ v: 0 }), "[object Promise]"],
    [
      "a generator",
      function* () {
        yield { v: 0 };
      },
      "[object Generator]",
    ],
    ["a list", () => [1, 2], "[1, 2]"],
    ["nothing", () => undefined, "undefined"],
  ])("%s that the step returns", (_, step, got) => {
    expect(said(step)).toBe(`Leaky: expected the step to return its outputs by name, got ${got}`);
  });

  test("a value that an async step returns: no rejection is left behind", async () => {
    const returned: unknown[] = [];
    const text = said((argument) => {
      const promise = (async () => argument.v)();
      returned.push(promise);
      return promise;
    });
    expect(text).toBe("Leaky: expected the step to return its outputs by name, got [object Promise]");
    await expect(Promise.all(returned)).resolves.toHaveLength(1);
  });

  test("its own errors, whatever it has asked values for before", () => {
    const probing = (fail: (argument: Argument) => unknown) => (argument: Argument) => {
      JSON.stringify(Reflect.get(argument.v, "value") ?? 0);
      return fail(argument) as never;
    };
    const own = probing(() => {
      throw new RangeError("my own error");
    });
    expect(() => leaky(own)).toThrow(new RangeError("my own error"));
    expect(said(probing((argument) => Reflect.get(argument, "gamma")))).toMatch(/^Leaky: the step asks for gamma/);
  });

  test("names that all objects have", () => {
    expect(said((argument) => ({ v: Reflect.get(argument, "constructor") }))).toBe(
      "Leaky: the step asks for constructor; expected current, v, beta, or where, select, spike, softplus, constant",
    );
    expect(said(({ v }) => ({ v, toString: v }))).toBe(
      "Leaky: the step returns toString, a name of all objects; rename it",
    );
  });

  test("more values than a run can mark in the bits of an integer", () => {
    const step = (count: number) =>
      stepOf({
        name: "Wide",
        inputs: ["current"],
        states: [],
        parameters: {},
        step: ({ current }) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, current.add(i)])),
      });
    expect(new Program(step(31)).traced.outputs.size).toBe(31);
    expect(() => new Program(step(32))).toThrow(
      new RangeError("Wide: expected a step that returns at most 31 values, got 32"),
    );
  });

  test.each(["sum", "mean", "softmax", "item", "shape", "data", "cumsum", "minus", "clip", "not", "softplus"])(
    "%s, which values do not have",
    (name) => {
      const call = ({ v }: Argument) => ({ v: Reflect.get(v, name)() });
      expect(said(call)).toMatch(new RegExp(`^Leaky: a value of a step has no ${name}: .* add .*`));
    },
  );

  test("values by their place, but not the names that JavaScript asks for", () => {
    expect(said(({ v }) => ({ v: Reflect.get(v, 0) }))).toMatch(/^Leaky: a value of a step has no 0/);
    expect(said(({ v }) => ({ v: v.add(Object.hasOwn(v, "op") ? 1 : 0) }))).toBe("");
    expect(said(({ v }) => ({ v: v.add(`${v.hasOwnProperty}`.length) }))).toBe("");
  });

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
  expect(new Program(step).traced.derived.map(({ op }) => op.name)).toEqual(["given", "sigmoid", "add"]);
});

test("trace: a comparison that decides in a term which no output reads is not lost", () => {
  const box = (x: Argument["v"], { where }: Argument) => where(x.abs().lt(0.5), 1, 0);
  const { traced } = leaky((argument) => {
    argument.spike(argument.v, box as never);
    argument.where(argument.v.gt(0).mul(argument.current.gt(0)), 1, 2);
    return { v: argument.v };
  });
  expect([...traced.outputs.keys()]).toEqual(["v"]);
});

describe("trace: steps of many operations", () => {
  const chain = (count: number) =>
    leaky(({ v, current }) => {
      let u: Argument["v"] = v;
      for (let i = 0; i < count; i++) u = u.add(current) as Argument["v"];
      return { v: u };
    });

  test("up to the limit, however deep", () => {
    const { traced } = chain(2000);
    expect(print(traced).length).toBeGreaterThan(2000);
    const fused = new Program(traced.definition).compile({ parameters: [], outputs: ["v"] });
    expect(fused.savedNumbers).toBeGreaterThanOrEqual(0);
  });

  test("more than the limit are an error before they are compiled", () => {
    expect(() => chain(2001)).toThrow(new RangeError("Leaky: expected a step of at most 2000 operations, got 2001"));
  });
});

test("trace: steps with other names have other keys", () => {
  const key = (states: readonly string[]) =>
    new Program({
      name: "Named",
      inputs: ["x"],
      states,
      parameters: {},
      step: ({ x }: Argument) => Object.fromEntries(states.map((name) => [name, x])),
    } as unknown as StepDefinition).traced.key;
  expect(key(["v", "w"])).not.toBe(key(["v,w"]));
  expect(key(["v 1"])).not.toBe(key(["v"]));
});
