/** Neurons written as equations: mistakes of a definition, of its options and of their use, and uses that are right. */

import type { Tensor, Value } from "jarvis-snn";
import {
  full,
  IF,
  LeakyIntegrator,
  LIF,
  neuron,
  Recurrent,
  rand,
  Sequential,
  Stream,
  surrogate,
  tape,
  tensor,
  zeros,
} from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { bytesKept, values } from "../../test/support/tensors.ts";

type Argument = Readonly<Record<"current" | "v" | "w" | "a" | "b" | "beta" | "tau", Value>> & {
  spike(x: Value): Value;
  late(x: Value): Value;
  where(condition: Value, a: Value | number, b: Value | number): Value;
};
type Layer = InstanceType<typeof LIF> & Record<string, Tensor>;

/** A class of neurons M, as plain JavaScript may define it. */
function classOf(step: (argument: Argument, choices: never) => unknown, members: object = {}) {
  const definition = { name: "M", state: { v: 0 }, parameters: { beta: 0.5 }, ...members, step };
  return neuron(definition as never) as unknown as new (
    options?: object,
  ) => Layer;
}

/** The error of a layer that cannot be made, which keeps no memory. */
function said(step: (argument: Argument) => unknown, members?: object, options?: object): string {
  let message = "";
  const act = () => {
    try {
      new (classOf(step, members))(options);
    } catch (error) {
      message = (error as Error).message;
    }
  };
  expect(bytesKept(act), message).toBe(0);
  return message;
}

const readout = ({ current, v, beta }: Argument) => ({ membrane: v.mul(beta).add(current), v });

describe("inhibition takes steps in which a comparison has no part in the argument of spike:", () => {
  test.each([
    [
      "a reset",
      ({ current, v, spike, where }: Argument) => {
        const u = v.add(current);
        return { spikes: spike(u.sub(1)), v: where(u.gt(2), 0, u) };
      },
    ],
    [
      "the spikes",
      ({ current, v, spike }: Argument) => ({ spikes: spike(current.sub(0.5)).mul(v.lt(1)), v: v.add(current) }),
    ],
    ["an output", ({ current, v, spike }: Argument) => ({ spikes: spike(current.sub(0.5)), high: v.gt(1), v })],
  ])("%s", (_, step) => {
    const current = tensor([0.5, 1, 2, 0.5], { shape: [2, 2] });
    for (const inhibition of [true, "output"]) {
      const { spikes } = new (classOf(step))({ inhibition }).unroll(current);
      expect(values(spikes.sum({ axis: 1 })).every((n) => n <= 1)).toBe(true);
      expect(spikes.sum().item()).toBeGreaterThan(0);
    }
  });

  test("a comparison that reaches no output stays an error", () => {
    const step = ({ current, v, spike }: Argument) => ({ spikes: spike(current), v: v.gt(1) ? v : 0 });
    expect(said(step, {}, { inhibition: true })).toMatch(/^M: the comparison v.gt\(1\) reaches no output/);
  });
});

describe("parameters that a definition or a preset learns", () => {
  const members = {
    parameters: { a: 1, b: 1 },
    learn: ["a", "b"],
    choices: { form: ["x", "y"] },
    needs: { b: { form: ["y"] } },
    numerics: { both: { learn: ["a", "b"], form: "y" } },
  };
  const step = ({ current, v, a, b }: Argument, { form }: { form: string }) => ({
    membrane: current.mul(form === "y" ? b : a),
    v,
  });
  const Formed = classOf(step as never, members);
  const learned = (options?: object) => new Formed(options).namedParameters().map(([name]) => name);

  test("are learned where they have an effect", () => {
    expect(learned()).toEqual(["a"]);
    expect(learned({ form: "y" })).toEqual(["a", "b"]);
    expect(learned({ numerics: "both" })).toEqual(["a", "b"]);
    expect(learned({ numerics: "both", form: "x" })).toEqual(["a"]);
  });

  test("are an error where a layer asks for them without an effect", () => {
    const message = 'M: expected form "y" with b, got "x"';
    for (const options of [{ learn: ["b"] }, { b: 2 }]) expect(() => new Formed(options)).toThrow(message);
  });
});

describe("the initial value of a state", () => {
  const message = (value: unknown) => said(readout, { state: { v: value } });

  test("says what a step says", () => {
    const no = /^M: the initial value of v: a value of a step is no number; write .* a\.mul\(b\) for a \* b/;
    expect(message(({ beta }: { beta: number }) => beta * 2)).toMatch(no);
    expect(message(({ beta }: { beta: number }) => (beta > 1 ? 1 : 0))).toMatch(no);
    expect(message(({ tau }: Argument) => tau)).toBe(
      "M: the initial value of v: expected a function of beta, got one of tau",
    );
    expect(message((argument: Argument) => Reflect.get(argument, "constant"))).toBe(
      "M: the initial value of v: expected a function of beta, got one of constant",
    );
    for (const [number, text] of [
      [Number.NaN, "NaN"],
      [Infinity, "Infinity"],
    ] as const) {
      expect(message(() => number)).toMatch(new RegExp(`^M: the initial value of v must be .*, got ${text}$`));
    }
    for (const none of [undefined, null, "1"]) {
      expect(message(() => none)).toMatch(
        /^M: the initial value of v: .*expected a value of the step or a number, got /,
      );
    }
  });

  test("is a number, a parameter, a term of parameters or a tensor", () => {
    const start = tensor([2, 3]);
    const from = (value: unknown) => values(new (classOf(readout, { state: { v: value } }))().initialState([2]).v);
    expect(from(({ beta }: Argument) => beta.mul(3))).toEqual([1.5, 1.5]);
    expect(from(() => 4)).toEqual([4, 4]);
    expect(from(() => start)).toEqual([2, 3]);
    start.dispose();
  });
});

describe("spikes", () => {
  test("may be the or of two spikes, of which both learn", () => {
    const step = ({ current, v, spike }: Argument) => ({
      spikes: spike(current.sub(1)).maximum(spike(v.sub(1))),
      v: current,
    });
    const layer = new (classOf(step))();
    expect(values(layer.forward(tensor([2, 0, 0, 2])))).toEqual([1, 1, 0, 1]);
    const current = tensor([0.9, 0.9], { requiresGrad: true });
    tape(() => layer.forward(current).sum().backward());
    expect(values(current.grad as Tensor).every((x) => x > 0)).toBe(true);
  });

  test("that may be 2 are an error with the form that learns", () => {
    const step = ({ current, v, spike }: Argument) => ({ spikes: spike(current).add(spike(v)), v: current });
    expect(said(step)).toBe(
      "M: expected spikes to be 0 or 1: a spike, a comparison or a product of these, or their maximum or minimum; " +
        "spike(x.maximum(y)) fires for either; other values need another name",
    );
  });
});

describe("names", () => {
  test("a step that asks for another one is told all it has", () => {
    expect(said(({ tau, v }) => ({ membrane: v, v: tau }))).toBe(
      "M: the step asks for tau; expected current, v, beta, or where, select, spike, softplus, constant, late",
    );
  });

  test("a state that a layer is without says so", () => {
    const step = ({ v, w }: Argument) => ({ membrane: v, v: w });
    expect(said(step, { state: { v: 0, w: 0 }, without: () => ["w"] })).toBe(
      "M: the step asks for the state w, which a layer with these choices is without",
    );
  });

  test("the rest of an argument has all others", () => {
    const step = ({ v, ...rest }: Argument) => ({
      spikes: rest.spike(rest.current.sub(rest.beta)),
      v,
    });
    const layer = new (classOf(step as never))();
    expect(values(layer.forward(tensor([1, 0])))).toEqual([1, 0]);
    const fed = new Recurrent(layer, { features: 1, connection: "one" });
    expect(values(fed.forward(tensor([[1], [0], [-1]])))).toEqual([1, 1, 0]);
  });

  test("of all objects are taken", () => {
    for (const name of ["constructor", "toString", "__proto__"]) {
      for (const members of [{ state: { v: 0, [name]: 0 } }, { parameters: { [name]: 1 } }]) {
        expect(() => classOf(readout, members)).toThrow(new RegExp(`^M: ${name} is a name that is taken; call the `));
      }
    }
  });

  test("31 values are the most that a step returns", () => {
    const wide =
      (n: number) =>
      ({ current, v }: Argument) => ({
        membrane: v,
        v: current,
        ...Object.fromEntries(Array.from({ length: n }, (_, i) => [`x${i}`, current.add(i)])),
      });
    const { x28 } = new (classOf(wide(29)))().unroll(tensor([1])) as unknown as Record<string, Tensor>;
    expect(values(x28 as Tensor)).toEqual([29]);
    expect(said(wide(30))).toBe("M: expected a step that returns at most 31 values, got 32");
  });
});

describe("options and their use", () => {
  test("bounds of a layer are errors for fixed values, as bounds of a definition are", () => {
    const options = { beta: 2, constrain: { beta: [0, 1] } };
    for (const [members, given] of [
      [{}, options],
      [{ constrain: options.constrain }, { beta: 2 }],
    ] as const) {
      expect(said(readout, members, given)).toBe("M: beta must be in [0, 1], got 2");
    }
    expect(new (classOf(readout))({ ...options, learn: ["beta"] }).beta?.item()).toBe(2);
  });

  test("a number in the place of a parameter's tensor", () => {
    const layer = new (classOf(readout))();
    Object.assign(layer, { beta: 0.25 });
    const message = "M: expected beta as a tensor, got 0.25; layer.beta.copyFrom([…]) changes the values of a layer";
    expect(() => layer.forward(full([2, 3], 1))).toThrow(new TypeError(message));
    expect(() => new Stream(layer, [3])).toThrow(message);
  });

  test("a class in the place of a layer", () => {
    expect(() => new Recurrent(LIF as never, { features: 2 })).toThrow(
      "Recurrent: expected a module with forward(x), got function; write new LIF(…)",
    );
    expect(() => new Sequential((() => rand([1])) as never)).toThrow(/got function$/);
  });
});

describe("a neuron whose step returns a plain number", () => {
  const hint = (x: number) => `; write where(c, a, b) for an if or a ?:, or constant(${x})`;
  test("as the next state, which an if or a ?: has chosen", () => {
    const step = ({ current, v, spike }: Argument) => {
      const u = v.add(current);
      const spikes = spike(u.sub(1));
      return { spikes, v: spikes ? 0 : u };
    };
    expect(said(step)).toBe(`M: expected the step to return v as a value, got 0${hint(0)}`);
  });

  test("as another output", () => {
    const step = ({ current, v, spike }: Argument) => ({ spikes: spike(current), membrane: 0.5, v });
    expect(said(step)).toBe(`M: expected the step to return membrane as a value, got 0.5${hint(0.5)}`);
  });

  test("is no mistake where constant says so", () => {
    const Made = neuron({
      name: "Made",
      state: { v: 1 },
      parameters: {},
      step: ({ current, constant, spike }) => ({ spikes: spike(current), v: constant(2) }),
    });
    expect(values(new Made().step(zeros([1]), new Made().initialState([1]))[1].v)).toEqual([2]);
  });
});

test.each(["v,w", "recurrent V", "a b", "1", "", "é.x"])("%j is no name of a state or parameter", (name) => {
  const message = `M: expected names that are identifiers, got ${JSON.stringify(name)}`;
  expect(said(readout, { state: { v: 0, [name]: 0 } })).toBe(message);
  expect(said(readout, { parameters: { beta: 0.5, [name]: 1 } })).toBe(message);
  expect(said(readout, { choices: { [name]: true } })).toBe(message);
});

test("a step that does not return one of its spikes works with every surrogate", () => {
  const step = ({ current, v, spike }: Argument) => {
    spike(v);
    return { spikes: spike(current), v };
  };
  for (const made of [surrogate.sigmoid(), surrogate.boxcar(), surrogate.triangular()]) {
    for (const spiking of [true, false]) expect(() => new (classOf(step))({ surrogate: made, spiking })).not.toThrow();
  }
});

test("gradients through floor, round and sign behind functions of float64 can be compiled", () => {
  const Made = neuron({
    name: "Made",
    state: { v: 0.3, w: 0 },
    parameters: {},
    step: ({ current, v, spike }) => ({
      spikes: spike(v.sin().floor()),
      v: v.round().add(current),
      w: v.mul(0.5).sign(),
    }),
  });
  tape(() => {
    const x = full([3, 1, 4], 0.4, { requiresGrad: true });
    new Made().forward(x).sum().backward();
    expect(values(x.grad as Tensor)).toEqual(new Array(12).fill(0));
  });
});

test("neurons: null is no list of parameters to learn, and no bounds", () => {
  for (const Layer of [LIF, LeakyIntegrator, IF]) {
    expect(() => new Layer({ learn: null as never })).toThrow(TypeError);
    expect(() => new Layer({ constrain: null as never })).toThrow(TypeError);
  }
});
