/** The leaky integrator: compared with hand calculation and finite differences, step by step, with constant currents and a learned decay. */
import { describe, expect, test } from "vitest";
import { gradcheck, type Tensor, tape, tensor, zeros } from "../../engine/index.ts";
import { compare, over } from "../../test/support/loops.ts";
import { bits, bytesKept, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { constantEncode, LeakyIntegrator } from "../index.ts";

const T = 6;
const B = 2;
const N = 5;

test("leaky: the membrane decays and adds the current", () => {
  const leaky = new LeakyIntegrator({ beta: 0.5 });
  expect(values(leaky.forward(tensor([1, 1, 0, -2])))).toEqual([1, 1.5, 0.75, -1.625]);
  expect(values(leaky.unroll(tensor([0, 1]), tensor(4)).membrane)).toEqual([2, 2]);
});

test("leaky: each neuron may have its own decay", () => {
  const leaky = new LeakyIntegrator({ beta: tensor([0, 0.5, 1]) });
  expect(
    leaky
      .forward(
        tensor([
          [1, 1, 1],
          [1, 1, 1],
        ]),
      )
      .toArray(),
  ).toEqual([
    [1, 1, 1],
    [1, 1.5, 2],
  ]);
});

describe.each([1, N])("leaky", (size) => {
  const beta = () => random([size], 1, { low: 0.2, high: 1 });

  test(`leaky: all gradients are the difference quotients, beta of ${size}`, () => {
    const leaky = new LeakyIntegrator({ beta: beta() });
    const run = (x: Tensor, b: Tensor, v?: Tensor) => Object.assign(leaky, { beta: b }).unroll(x, v).membrane;
    gradcheck(run, [random([T, B, N], 2), beta(), random([B, N], 3)]);
    gradcheck((x, b) => run(constantEncode(x, { timesteps: T }), b), [random([B, N], 2), beta()]);
  });

  test(`leaky: repeated steps give the bits of forward, beta of ${size}`, () => {
    tape(() => {
      const leaky = new LeakyIntegrator({ beta: beta() });
      const x = random([T, B, N], 2);
      let state = leaky.initialState([B, N]);
      const steps = x.unbind(0).flatMap((input) => {
        const [membrane, next] = leaky.step(input, state);
        state = next;
        return bits(membrane);
      });
      expect(steps).toEqual(bits(leaky.forward(x)));
    });
  });

  test(`leaky: a carried state continues with the same bits, also across tapes, beta of ${size}`, () => {
    const leaky = new LeakyIntegrator({ beta: beta() });
    const x = random([T, B, N], 2);
    const whole = tape(() => bits(leaky.forward(x)));
    const [first, state] = tape(() => {
      const { membrane, state } = leaky.unroll(x.slice(0, 0, 2));
      return [membrane, state] as const;
    });
    const second = tape(() => leaky.unroll(x.slice(0, 2, T), state).membrane);
    expect([...bits(first), ...bits(second)]).toEqual(whole);
  });

  test(`leaky: samples of a batch do not touch each other's bits, beta of ${size}`, () => {
    tape(() => {
      const leaky = new LeakyIntegrator({ beta: beta() });
      const x = random([T, B, N], 2);
      const whole = leaky.forward(x);
      for (let b = 0; b < B; b++) {
        expect(bits(leaky.forward(x.slice(1, b, b + 1)))).toEqual(bits(whole.slice(1, b, b + 1)));
      }
    });
  });

  test(`leaky: a constant current gives the bits of the one written out, beta of ${size}`, () => {
    const leaky = new LeakyIntegrator({ beta: beta(), learnBeta: true });
    const run = (written: boolean) => {
      leaky.beta.zeroGrad();
      return tape(() => {
        const x = leaf([B, N], 4);
        const input: Tensor = constantEncode(x, { timesteps: T });
        if (written) input.data;
        const membrane = leaky.forward(input);
        membrane.square().sum().backward();
        return { out: bits(membrane), gradients: [...gradient(x), ...gradient(leaky.beta)] };
      });
    };
    const [constant, written] = [run(false), run(true)];
    expect(constant.out).toEqual(written.out);
    constant.gradients.forEach((g, i) => {
      // Sums over time in a different order.
      expect(Math.abs(g - (written.gradients[i] as number))).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(g)));
    });
  });
});

test("leaky: a learned beta outside [0, 1] counts as the bound, is stored raw and gets no gradient", () => {
  const leaky = new LeakyIntegrator({ beta: tensor([1.5, 0.5, -0.25]), learnBeta: true });
  const x = random([T, B, 3], 5);
  tape(() => {
    const membrane = leaky.forward(x);
    expect(bits(membrane)).toEqual(bits(new LeakyIntegrator({ beta: tensor([1, 0.5, 0]) }).forward(x)));
    membrane.sum().backward();
  });
  const [above, inside, below] = gradient(leaky.beta);
  expect([above, below]).toEqual([0, 0]);
  expect(inside).not.toBe(0);
  expect(leaky.stateDict()).toEqual({ beta: { shape: [3], data: Float32Array.of(1.5, 0.5, -0.25) } });
  expect(new LeakyIntegrator().parameters()).toEqual([]);
  expect(Object.keys(new LeakyIntegrator().stateDict())).toEqual(["beta"]);
});

test("leaky: all of its options that are numbers can be learned, with exact gradients", () => {
  const learn = ["beta", "rest", "inputScale"] as const;
  const leaky = new LeakyIntegrator({ beta: 0.5, inputScale: tensor([0.5, 1, 2]), learn });
  expect(leaky.namedParameters().map(([name, t]) => [name, values(t)])).toEqual([
    ["beta", [0.5]],
    ["rest", [0]],
    ["inputScale", [0.5, 1, 2]],
  ]);
  expect(bits(leaky.initialState([B, 3]))).toEqual(bits(zeros([B, 3])));
  gradcheck(
    (x, beta, rest, inputScale) => Object.assign(leaky, { beta, rest, inputScale }).forward(x),
    [random([T, B, 3], 7), ...leaky.parameters()],
  );
  expect(new LeakyIntegrator({ learnBeta: true, learn: ["beta", "rest"] }).parameters()).toHaveLength(2);
  expect(() => new LeakyIntegrator({ learn: ["v"] as never })).toThrow(
    'LeakyIntegrator: expected learn to name parameters, beta, rest, inputScale, got "v"',
  );
  expect(() => new LeakyIntegrator({ inputScale: "leak", learn: ["inputScale"] })).toThrow(
    'LeakyIntegrator: expected inputScale as a number or a tensor, since learn or constrain name it, got "leak"',
  );
});

test("leaky: parameters within bounds of the caller count as the bound, and are stored raw", () => {
  const constrain = { rest: [0, 0.25], inputScale: [2, 4] } as const;
  const leaky = new LeakyIntegrator({ rest: 0.5, learn: ["rest", "inputScale"], constrain });
  const x = random([T, B, N], 9);
  const bounded = new LeakyIntegrator({ rest: 0.25, inputScale: 2 });
  expect(values(leaky.initialState([1]))).toEqual([0.25]);
  tape(() => {
    const membrane = leaky.forward(x);
    expect(bits(membrane)).toEqual(bits(bounded.forward(x)));
    membrane.sum().backward();
  });
  expect(leaky.namedParameters().map(([name, t]) => [name, values(t), gradient(t)])).toEqual([
    ["rest", [0.5], [0]],
    ["inputScale", [1], [0]],
  ]);
  expect(() => new LeakyIntegrator({ rest: 0.5, constrain })).toThrow(
    "LeakyIntegrator: rest must be in [0, 0.25], got 0.5",
  );
});

test("leaky: training leaves the memory as it was", () => {
  const leaky = new LeakyIntegrator({ learnBeta: true });
  const x = leaf([T, B, N], 6);
  const step = () => tape(() => leaky.forward(x).sum().backward());
  step();
  expect(bytesKept(step)).toBe(0);
});

test("leaky: with rest, a scale and the presets as in float64 loops", () => {
  const loop = (beta: number, rest: number, scale: number) =>
    over({ membrane: rest }, (state, I) => {
      state.membrane = rest + beta * ((state.membrane as number) - rest) + scale * I;
    });
  compare(new LeakyIntegrator({ beta: 0.75, rest: 0.5, inputScale: 0.25 }), loop(0.75, 0.5, 0.25), 2);
  const tenth = 1 - Math.fround(0.9);
  compare(new LeakyIntegrator({ numerics: "norse" }), loop(1 - tenth, 0, tenth), 2);
  compare(new LeakyIntegrator({ numerics: "spikingjelly" }), loop(0.5, 0, 0.5), 2);
  compare(new LeakyIntegrator({ numerics: "nir", tau: 4, dt: 0.5, rest: -1 }), loop(0.875, -1, 0.125), 2);
  expect(() => new LeakyIntegrator({ numerics: "lava" as never })).toThrow('expected numerics "norse"');
});

test("leaky: it starts from rest and has exact gradients of current and state", () => {
  const leaky = new LeakyIntegrator({ rest: tensor([0.5, -1]), inputScale: "leak", beta: 0.5 });
  expect(values(leaky.initialState([1, 2]))).toEqual([0.5, -1]);
  expect(values(leaky.forward(tensor([[0.5, -1]])))).toEqual([0.5, -1].map((rest) => rest + rest / 2));
  gradcheck((x, v) => leaky.unroll(x, v).membrane, [random([T, B, 2], 2), random([B, 2], 3)]);
  expect(leaky.parameters()).toEqual([]);
  expect(leaky.stateDict().rest).toEqual({ shape: [2], data: Float32Array.of(0.5, -1) });
});
