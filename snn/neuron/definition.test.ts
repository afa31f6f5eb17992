/** Words of a definition: optional parameters, parameters from other options, other spellings; and classes that are extended. */
import type { Tensor, Value } from "jarvis-snn";
import { AdaptiveLIF, full, LIF, neuron, Recurrent, Stream, tape, tensor } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { bytesKept, values } from "../../test/support/tensors.ts";

interface Sources {
  readonly steps?: number;
  readonly scale?: number | Tensor;
  readonly kind?: "one" | "half";
}

const Leaky = neuron({
  name: "Leaky",
  state: { v: ({ rest }) => rest },
  parameters: {
    beta: {
      default: 0.5,
      from: {
        options: { steps: Number.NaN, scale: null, kind: ["one", "half"] },
        value({ steps, scale, kind }: Sources) {
          if (steps === undefined) return undefined;
          if (scale !== undefined) return typeof scale === "number" ? scale / steps : scale.div(steps);
          return (kind === "half" ? 0.5 : 1) / steps;
        },
      },
      also: { learnBeta: false },
    },
    rest: { default: 0, optional: true },
    gain: { default: 1, optional: ["leak"] },
    floor: { default: null, optional: true, also: { learnFloor: false } },
  },
  constrain: { beta: [0, 1], rest: [-1, 1] },
  needs: { kind: { mode: ["leaky"] } },
  choices: { mode: ["leaky", "bare"] },
  numerics: { slow: { steps: 10 }, quick: { beta: 0.25, gain: "leak" }, half: { kind: "half" } },
  step({ current, v, beta, rest, gain, floor, constant }) {
    const input = gain === "leak" ? current.mul(constant(1).sub(beta)) : current.mul(gain);
    const u = v.sub(rest).mul(beta).add(rest).add(input);
    return { membrane: u, v: floor === null ? u : u.maximum(floor) };
  },
});
type Options = NonNullable<ConstructorParameters<typeof Leaky>[0]>;

const stateOf = (options?: Options) => Object.keys(new Leaky(options).stateDict());
const said = (make: () => unknown): string => {
  let message = "";
  const act = () => {
    try {
      make();
    } catch (error) {
      message = (error as Error).message;
    }
  };
  expect(bytesKept(act), message).toBe(0);
  return message;
};

describe("an optional parameter", () => {
  test("that is a number is part of the code", () => {
    expect(String(new Leaky({ rest: 0.5, gain: 2 }))).toContain("u = x1·β + 0.5 + 2·I");
    expect(stateOf({ rest: 0.5, gain: 2, floor: -1 })).toEqual(["beta"]);
    expect(values(new Leaky({ rest: 0.5 }).initialState([1]).v)).toEqual([0.5]);
  });

  test("that is a tensor, learned or bounded by the layer is a parameter of its name, in the order of the definition", () => {
    expect(stateOf({ floor: tensor([-1]), rest: tensor([0, 0.5]) })).toEqual(["beta", "rest", "floor"]);
    expect(stateOf({ learn: ["gain"] })).toEqual(["beta", "gain"]);
    expect(stateOf({ constrain: { rest: [0, 1] } })).toEqual(["beta", "rest"]);
    const layer = new Leaky({ rest: tensor([0, 0.5]), learn: ["rest", "gain"] });
    expect([layer.rest?.shape, layer.gain?.item(), layer.floor]).toEqual([[2], 1, undefined]);
    tape(() =>
      layer
        .forward(full([3, 2], 1))
        .sum()
        .backward(),
    );
    expect(values(layer.gain?.grad as Tensor)[0]).toBeGreaterThan(0);
    expect(values(layer.initialState([2]).v)).toEqual([0, 0.5]);
  });

  test("without a default is absent, and null for the step", () => {
    expect(values(new Leaky().unroll(tensor([-4, 0])).v)).toEqual([-4, -2]);
    expect(values(new Leaky({ floor: -1 }).unroll(tensor([-4, 0])).v)).toEqual([-1, -0.5]);
    const message = "Leaky: expected floor as a number or a tensor, since learn or constrain name it, got undefined";
    expect(said(() => new Leaky({ learn: ["floor"] }))).toBe(message);
    expect(said(() => new Leaky({ learnFloor: true }))).toBe(message);
    expect(said(() => new Leaky({ constrain: { floor: [0, 1] } }))).toBe(message);
  });

  test("may be a word, which is no parameter", () => {
    expect(values(new Leaky({ gain: "leak" }).forward(tensor([1, 1])))).toEqual([0.5, 0.75]);
    expect(stateOf({ gain: "leak" })).toEqual(["beta"]);
    expect(said(() => new Leaky({ gain: "leak", learn: ["gain"] }))).toMatch(/name it, got "leak"$/);
    expect(said(() => new Leaky({ gain: "lake" as never }))).toBe(
      'Leaky: expected gain as a number or a tensor, got "lake"',
    );
  });

  test("keeps the bounds of the definition, as code and as a parameter", () => {
    for (const rest of [2, tensor([2])]) {
      expect(said(() => new Leaky({ rest }))).toBe("Leaky: rest must be in [-1, 1], got 2");
    }
    expect(new Leaky({ rest: 2, learn: ["rest"] }).rest?.item()).toBe(2);
    expect(said(() => new Leaky({ gain: Number.NaN }))).toMatch(/^Leaky: gain must be finite/);
  });

  test("runs step by step, in a stream and fed back as over time", () => {
    const layer = new Leaky({ rest: 0.25, floor: tensor([0, 0.5]), gain: "leak" });
    const x = tensor([1, -1, 0.5, 2, -3, 0], { shape: [3, 2] });
    const stream = new Stream(layer, [2]);
    const steps = x.unbind(0).map((t) => [...stream.step(t.toFloat32Array())]);
    expect(steps.flat()).toEqual(values(layer.forward(x)));
    const fed = new Recurrent(new LIF({ rest: 0.1, lowerBound: tensor([0, -1]) }), { features: 2, connection: "one" });
    expect(values(fed.forward(x))).toEqual(values(fed.unroll(x).spikes));
  });

  test("with fold false is a parameter wherever it is given", () => {
    const Kept = neuron({
      name: "Kept",
      state: { v: 0 },
      parameters: { gain: { default: 1, optional: ["none"], fold: false } },
      step: ({ current, v, gain }) => ({ membrane: gain === "none" ? current : current.mul(gain), v }),
    });
    expect(Object.keys(new Kept({ gain: 1 }).stateDict())).toEqual(["gain"]);
    expect(Object.keys(new Kept().stateDict())).toEqual([]);
    expect(values(new Kept({ gain: 2 }).forward(tensor([3])))).toEqual([6]);
    expect(Object.keys(new Kept({ gain: "none" }).stateDict())).toEqual([]);
  });
});

describe("a parameter from other options", () => {
  const beta = (options?: Options) => values(new Leaky(options).beta);

  test("is computed, else given, else the default", () => {
    expect(beta({ steps: 4 })).toEqual([0.25]);
    expect(beta({ steps: 4, kind: "half" })).toEqual([0.125]);
    expect(beta({ steps: 4, scale: tensor([1, 2]) })).toEqual([0.25, 0.5]);
    expect(beta({ beta: 0.75 })).toEqual([0.75]);
    expect(beta()).toEqual([0.5]);
  });

  test("sees the options of a preset, over which those of the caller count", () => {
    expect(beta({ numerics: "slow" })).toEqual([Math.fround(0.1)]);
    expect(beta({ numerics: "quick" })).toEqual([0.25]);
    expect(beta({ numerics: "quick", steps: 2 })).toEqual([0.5]);
    expect(beta({ numerics: "half", steps: 2 })).toEqual([0.25]);
  });

  test("has the range of the parameter, and its tensors are freed", () => {
    expect(said(() => new Leaky({ steps: 0.5 }))).toBe("Leaky: beta must be in [0, 1], got 2");
    const scale = tensor([1, 2]);
    const kept = bytesKept(() => {
      new Leaky({ steps: 4, scale }).beta.dispose();
    });
    expect(kept).toBe(0);
    expect(values(scale)).toEqual([1, 2]);
  });

  test("knows types and words of its options, and which choices they need", () => {
    expect(said(() => new Leaky({ steps: "4" as never }))).toBe('Leaky: expected steps as a number, got "4"');
    expect(said(() => new Leaky({ steps: 4, scale: [1] as never }))).toMatch(
      /^Leaky: expected scale as a number or a tensor, got \[1\]/,
    );
    expect(said(() => new Leaky({ kind: "third" as never }))).toBe('Leaky: expected kind "one" or "half", got "third"');
    expect(said(() => new Leaky({ kind: "half", mode: "bare" }))).toBe(
      'Leaky: expected mode "leaky" with kind, got "bare"',
    );
    expect(beta({ numerics: "half", mode: "bare" })).toEqual([0.5]);
  });
});

test("another spelling of learn learns its parameter", () => {
  const learned = (options?: Options) => new Leaky(options).namedParameters().map(([name]) => name);
  expect(learned({ learnBeta: true })).toEqual(["beta"]);
  expect(learned({ learnBeta: true, learn: ["beta", "rest"] })).toEqual(["beta", "rest"]);
  expect(learned({ learnBeta: false })).toEqual([]);
  expect(said(() => new Leaky({ learnBeta: 1 as never }))).toBe("Leaky: expected learnBeta of type boolean, got 1");
});

test("errors name all options of a definition, those of a parameter behind it", () => {
  expect(said(() => new Leaky({ taw: 1 } as never))).toMatch(
    /^Leaky: expected the options beta, steps, scale, kind, learnBeta, rest, gain, floor, learnFloor, mode, learn, .*, got taw$/,
  );
  expect(said(() => new Leaky({ learn: ["mode"] as never }))).toBe(
    'Leaky: expected learn to name parameters, beta, rest, gain, floor, got "mode"',
  );
});

describe("a wrong definition is an error:", () => {
  const step = ({ current, v }: Readonly<Record<string, Value>>) => ({ membrane: current, v });
  const value = () => undefined;
  const beta = (fields: object) => ({ parameters: { beta: { default: 0.5, ...fields } } });
  const rest = (entry: unknown) => ({ parameters: { rest: entry } });
  test.each([
    [{ parameters: { beta: "0.5" } }, 'expected the default of beta as a number, got "0.5"'],
    [{ parameters: { beta: [0.5] } }, "expected beta as a number or { default }, got [0.5]"],
    [{ parameters: { beta: { usual: 1 } } }, "the parameter beta: expected the options default, optional, fold, from,"],
    [rest({ default: null }), "expected the default of rest as a number, got null"],
    [rest({ optional: true }), "expected the default of rest as a number, got undefined"],
    [rest({ default: "0", optional: true }), 'expected the default of rest as a number, got "0"'],
    [rest({ default: 0, optional: [1] }), "expected optional of rest as true, false or words, got [1]"],
    [
      rest({ default: Number.NaN, optional: true }),
      "the default of rest must be finite and in the range of float32, got",
    ],
    [{ parameters: { v: { default: 0, optional: true } } }, "v is a name that is taken; call the parameter otherwise"],
    [{ parameters: { forward: 0 } }, "forward is a name that is taken; call the parameter otherwise"],
    [{ parameters: { fire: 0 } }, "fire is a name that is taken; call the parameter otherwise"],
    [beta({ fold: 1 }), "expected fold of beta as true or false, got 1"],
    [beta({ learn: "beta" }), 'expected learn of beta as true or false, got "beta"'],
    [beta({ from: value }), "expected from of beta as { options, value }, got function"],
    [beta({ from: { options: {} } }), "expected from.value of beta as a function, got undefined"],
    [
      beta({ from: { options: { tau: "x" }, value } }),
      'expected the choice tau as words, true, false or a number, got "x"',
    ],
    [beta({ from: { options: { fire: 1 }, value } }), "fire is a name that is taken; call the option otherwise"],
    [beta({ from: { options: { v: null }, value } }), "v is a name that is taken; call the option otherwise"],
    [
      beta({ from: { options: { tau: 1 }, value, of: 1 } }),
      "from of beta: expected the options options, value, got of",
    ],
    [beta({ also: true }), "expected also of beta, options with the default false, got true"],
    [beta({ also: { learnBeta: true } }), "expected also.learnBeta of beta as false, its default, got true"],
    [beta({ also: { spiking: false } }), "spiking is a name that is taken; call the option otherwise"],
    [{ needs: { tau: { mode: [1] } } }, 'expected needs to name options, beta, got "tau"'],
    [{ numerics: { slow: { tau: 1 } } }, "numerics.slow: expected the options beta, learn,"],
  ])("%j", (members, message) => {
    const definition = { name: "M", state: { v: 0 }, parameters: { beta: 0.5 }, step, ...members };
    const text = said(() => neuron(definition as never));
    expect(text.slice(0, message.length + 3)).toBe(`M: ${message}`);
  });
});

test("a source that returns a word is an error of the parameter", () => {
  const Odd = neuron({
    name: "Odd",
    state: { v: 0 },
    parameters: { beta: { default: 0.5, from: { options: { tau: 1 }, value: () => "fast" as never } } },
    step: ({ current, v, beta }) => ({ membrane: current.mul(beta), v }),
  });
  expect(said(() => new Odd())).toBe('Odd: expected beta as a number or a tensor, got "fast"');
});

test("classes that neuron gives can be extended, and know their instances", () => {
  class Slow extends AdaptiveLIF {
    readonly label = "slow";

    constructor(kappa: number) {
      super({ kappa, rho: 0.99, learn: ["rho"] });
    }

    twice(x: Tensor): Tensor {
      return this.forward(x).mul(2);
    }
  }
  const layer: AdaptiveLIF = new Slow(0.5);
  expect([layer instanceof Slow, layer instanceof AdaptiveLIF, layer instanceof LIF]).toEqual([true, true, false]);
  expect(layer.constructor.name).toBe("Slow");
  expect(values(layer.kappa)).toEqual([0.5]);
  expect(values((layer as Slow).twice(full([2, 1], 2)))).toEqual([2, 2]);
  expect(layer.namedParameters().map(([name]) => name)).toEqual(["rho"]);
  expect(new Leaky()).toBeInstanceOf(Leaky);
  expect(new Leaky()).not.toBeInstanceOf(AdaptiveLIF);
});
