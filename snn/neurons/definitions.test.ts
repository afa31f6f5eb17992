/** Definitions of the package, which are not checked at run time, and whose equations layers share. */
import {
  full,
  LIF,
  type LIFOptions,
  manualSeed,
  neuron,
  rand,
  surrogate,
  type Tensor,
  tape,
  tensor,
  type Value,
} from "jarvis-snn";
import "jarvis-snn/nir";
import "jarvis-snn/quantize";
import { describe, expect, test, vi } from "vitest";
import { values } from "../../test/support/tensors.ts";
import type { NeuronSpec } from "../neuron/form.ts";
import type { Neurons } from "../neuron/neuron.ts";
import { INTEGRATOR_FORM, LIF_FORM } from "../neuron/plain-forms.ts";

type Class = new (options?: object) => Neurons;

const { made } = vi.hoisted(() => ({ made: [] as { definition: { name: string }; Layer: unknown }[] }));

vi.mock("../neuron/define.ts", async (original) => {
  const actual = await original<typeof import("../neuron/define.ts")>();
  return {
    ...actual,
    lazyNeuron: (definition: never) => {
      const Layer = actual.lazyNeuron(definition);
      made.push({ definition, Layer });
      return Layer;
    },
  };
});

/** The definition that a form was made of. */
function definitionOf(form: NeuronSpec) {
  const { states, initial, shared: _, common: __, plain: ___, ...members } = form;
  return { ...members, state: Object.fromEntries(states.map((name, i) => [name, initial[i]])) };
}

const DEFINITIONS = [
  ...made.map(({ definition, Layer }) => [definition.name, definition, Layer as Class] as const),
  ["LIF", definitionOf(LIF_FORM), LIF as unknown as Class] as const,
];

test("definitions: all of the package are known here", () => {
  expect(made.length).toBeGreaterThan(20);
});

test.each(DEFINITIONS)(
  "definitions: %s is right, and a class of the same definition has the same equations",
  (_, definition, Layer) => {
    const Checked = neuron(definition as never) as unknown as Class;
    const { numerics = {} } = definition as { numerics?: object };
    for (const options of [{}, ...Object.keys(numerics).map((numerics) => ({ numerics }))]) {
      const [own, checked] = [new Layer(options), new Checked(options)];
      expect(String(own)).toBe(String(checked));
      expect(own.compiled.program.traced.key).toBe(checked.compiled.program.traced.key);
      expect(own.compiled.program.traced.numbers).toEqual(checked.compiled.program.traced.numbers);
      const state = (layer: Neurons) => Object.entries(layer.statesAtStart([2])).map(([name, t]) => [name, values(t)]);
      expect(state(own)).toEqual(state(checked));
    }
  },
);

test("definitions: that of LeakyIntegrator is right", () => {
  const { reset: _, ...definition } = definitionOf(INTEGRATOR_FORM as NeuronSpec);
  expect(() => neuron(definition as never)).not.toThrow();
});

describe("layers of the package", () => {
  const programOf = (options: LIFOptions) => new LIF({ refractorySteps: 2, ...options }).compiled.program;

  test("with equal options share one traced step, whatever the numbers of parameters are", () => {
    const program = programOf({ beta: 0.5, rest: 0.25 });
    expect(programOf({ beta: 0.75, rest: 0.25 })).toBe(program);
    expect(programOf({ beta: 0.5, rest: 0.25, surrogate: surrogate.sigmoid({ slope: 10 }) })).toBe(program);
  });

  test.each([
    { rest: 0 },
    { rest: -0 },
    { rest: 0.5 },
    { rest: tensor([0.25]) },
    { beta: tensor([0.5, 0.75]) },
    { learn: ["rest"] },
    { gradedSpikesFactor: 2 },
    { refractorySteps: 3 },
    { refractory: "leak" },
    { fire: "gt" },
    { reset: "subtract" },
    { spiking: false },
    { inhibition: true },
    { inhibition: "output" },
    { surrogate: surrogate.sigmoid({ slope: 11 }) },
    { surrogate: surrogate.triangular() },
    { surrogate: surrogate.custom({ derivative: (x: Value) => x.square().add(1).reciprocal() }) },
  ] satisfies LIFOptions[])("with another option have another step: %o", (options) => {
    const usual = programOf({ rest: 0.25 });
    const program = programOf({ rest: 0.25, ...options });
    expect(program).not.toBe(usual);
    expect(programOf({ rest: 0.25, ...options })).toBe(program);
  });

  test("with a surrogate of the same derivative keep its own name", () => {
    const layers = [surrogate.superSpike({ alpha: 25 }), surrogate.fastSigmoid()].map(
      (surrogate) => new LIF({ refractorySteps: 2, surrogate }),
    );
    const [first, second] = layers as [LIF, LIF];
    expect(first.compiled.program).toBe(second.compiled.program);
    expect(layers.map((layer) => layer.firing.surrogate.name)).toEqual(["superSpike", "fastSigmoid"]);
  });

  test("whose step was forgotten for others trace it again, to the same bits", () => {
    const program = programOf({ rest: 0.5 });
    for (let i = 1; i <= 16; i++) programOf({ rest: 0.5 + i / 64 });
    const again = programOf({ rest: 0.5 });
    expect(again).not.toBe(program);
    expect([again.traced.key, again.traced.numbers]).toEqual([program.traced.key, program.traced.numbers]);
  });

  test("that share a step have parameters, states and gradients of their own", () => {
    manualSeed(1);
    const x = rand([5, 2, 3]).mul(2);
    const run = (layer: LIF): [number[], number] => {
      tape(() => layer.forward(x).sum().backward());
      return [values(layer.unroll(x).membrane), (layer.beta.grad as Tensor).item()];
    };
    const make = (beta: number) => new LIF({ beta, refractorySteps: 1, learnBeta: true });
    const alone = [run(make(0.5)), run(make(0.75))];
    const [first, second] = [make(0.5), make(0.75)];
    expect([run(first), run(second)]).toEqual(alone);
    expect(alone[0]).not.toEqual(alone[1]);
    first.beta.copyFrom([0.75]);
    expect(values(first.unroll(x).membrane)).toEqual(alone[1]?.[0]);
    expect(values(second.unroll(x).membrane)).toEqual(alone[1]?.[0]);
  });
});

test("a step of a user's definition runs for each layer, since it may differ from layer to layer", () => {
  let scale = 1;
  const Scaled = neuron({
    name: "Scaled",
    state: { v: 0 },
    parameters: {},
    step: ({ current, v }) => ({ membrane: current.mul(scale), v }),
  });
  const first = new Scaled();
  scale = 2;
  const second = new Scaled();
  expect([first, second].map((layer) => values(layer.forward(full([1, 1], 3))))).toEqual([[3], [6]]);
});
