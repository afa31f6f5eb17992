import { describe, expect, test } from "vitest";
import {
  full,
  Generator,
  gradcheck,
  linear,
  memoryStats,
  noGrad,
  rand,
  randn,
  resetPeak,
  type Tensor,
  tape,
} from "../../engine/index.ts";
import { expectNear, values } from "../../test/support/tensors.ts";
import { RecurrentLIF, type RecurrentLIFOptions, surrogate } from "../index.ts";

const T = 7;
const uniform = (shape: number[], seed = 1) => rand(shape, { generator: new Generator(seed) });

function layer(features: number, options: Partial<RecurrentLIFOptions> = {}): RecurrentLIF {
  return new RecurrentLIF({ features, generator: new Generator(5), surrogate: surrogate.atan(), ...options });
}

/** Spikes and all gradients of a weighted sum of them, by `forward` or by `unroll`. */
function train(lif: RecurrentLIF, way: "forward" | "unroll", shape: number[]) {
  return tape(() => {
    const x = uniform([T, ...shape], 2).mul(1.5);
    x.requiresGrad = true;
    const spikes = way === "forward" ? lif.forward(x) : lif.unroll(x).spikes;
    const s = values(spikes);
    spikes
      .mul(randn(spikes.shape, { generator: new Generator(3) }))
      .sum()
      .backward();
    const leaves = [x, ...lif.parameters()];
    const grads = leaves.map((p) => values(p.grad as Tensor));
    for (const p of leaves) p.zeroGrad();
    return { s, grads };
  });
}

const CASES: Record<string, Partial<RecurrentLIFOptions>> = {
  default: {},
  subtract: { reset: "subtract" },
  "subtract, late, strict": { reset: "subtract", resetDelay: true, fire: "gt" },
  none: { reset: "none", threshold: 1.5 },
  "to a value": { resetValue: -0.5, surrogate: surrogate.fastSigmoid() },
  "per neuron": { beta: uniform([32]), threshold: uniform([32]).add(0.5) },
  "refractory, with rest and scale": { refractorySteps: 2, rest: -0.2, inputScale: 1.5 },
  "refractory, late": { refractorySteps: 1, reset: "subtract", resetDelay: true, fire: "gt" },
  "learned beta and threshold": { learnBeta: true, learnThreshold: true, beta: 0.8, reset: "subtract" },
  "learned, late, each its own": {
    learnBeta: true,
    learnThreshold: true,
    beta: uniform([32]),
    threshold: uniform([32]).add(0.5),
    resetDelay: true,
  },
  "learned, clamped": { learnBeta: true, beta: 1.1 },
  "gradients through the reset": { detachReset: false, learnThreshold: true, refractorySteps: 1 },
  "a custom surrogate": { surrogate: surrogate.custom({ derivative: (x) => x.square().add(1).reciprocal() }) },
  "a triangle, learned": { surrogate: surrogate.triangular(), learnBeta: true },
};

for (const connection of ["all", "one"] as const) {
  describe(`RecurrentLIF, connection ${connection}`, () => {
    for (const [name, options] of Object.entries(CASES)) {
      test(`the fused loop has the spikes and the gradients of the composed steps: ${name}`, () => {
        const sizes = typeof options.beta === "object" ? [32] : [1, 5, 32, 40];
        for (const features of sizes) {
          for (const B of [1, 3]) {
            const lif = layer(features, { connection, ...options });
            const fused = train(lif, "forward", [B, features]);
            const composed = train(lif, "unroll", [B, features]);
            expect(fused.s.some((s) => s === 1)).toBe(true);
            expect(fused.s).toEqual(composed.s);
            const tolerance = { absolute: 4.9e-4, relative: 0 };
            fused.grads.forEach((grad, i) => {
              expectNear(grad, composed.grads[i] as number[], `gradient ${i}`, tolerance);
            });
          }
        }
      });
    }

    test("steps, and parts of a sequence, have the bits of the whole", () => {
      noGrad(() => {
        const lif = layer(9, { connection, reset: "subtract" });
        const x = uniform([T, 2, 9], 4).mul(2);
        const whole = lif.unroll(x);
        let state = lif.initialState([2, 9]);
        const steps = x.unbind(0).map((input) => {
          const [spikes, next] = lif.step(input, state);
          state = next;
          return values(spikes);
        });
        expect(steps.flat()).toEqual(values(lif.forward(x)));
        expect(values(state.v)).toEqual(values(whole.state.v));
        const first = lif.unroll(x.slice(0, 0, 3));
        const second = lif.unroll(x.slice(0, 3, T), first.state);
        expect([...values(first.spikes), ...values(second.spikes)]).toEqual(values(whole.spikes));
        expect([...values(first.membrane), ...values(second.membrane)]).toEqual(values(whole.membrane));
      });
    });

    test("smooth neurons have exact gradients", () => {
      const smooth = layer(4, { connection, spiking: false, detachReset: false });
      gradcheck((x) => smooth.forward(x).sum(), [uniform([3, 2, 4])]);
    });

    test("backward notices a threshold that was overwritten", () => {
      const lif = layer(4, { connection, learnThreshold: true });
      tape(() => {
        const spikes = lif.forward(uniform([T, 2, 4]).mul(2));
        lif.threshold.copyFrom([2]);
        expect(() => spikes.sum().backward()).toThrow(/backward of RecurrentLIF: a value it needs.* was overwritten/);
      });
    });

    test.each([{}, { refractorySteps: 2, learnBeta: true }])("gives all memory back: %o", (options) => {
      const lif = layer(32, { connection, ...options });
      train(lif, "forward", [2, 32]);
      const { live } = memoryStats();
      train(lif, "forward", [2, 32]);
      const x = uniform([T, 2, 32]);
      noGrad(() => lif.forward(x)).dispose();
      x.dispose();
      expect(memoryStats().live).toBe(live);
    });
  });
}

test("RecurrentLIF: each step adds W·s + b of the step before", () => {
  tape(() => {
    const lif = layer(5, { reset: "none", beta: 0 });
    const x = uniform([2, 1, 5]).mul(3);
    const { spikes, membrane } = lif.unroll(x);
    const { weight, bias } = lif.recurrent as NonNullable<typeof lif.recurrent>;
    const expected = x.select(0, 1).add(linear(spikes.select(0, 0), weight, bias));
    expect(values(membrane.select(0, 1))).toEqual(values(expected));
  });
});

test("RecurrentLIF: spikes at most steps have the bits of the composed product, which is dense then", () => {
  tape(() => {
    const lif = layer(32, { threshold: 0.01 });
    const x = full([T, 2, 32], 5);
    expect(values(lif.forward(x))).toEqual(values(lif.unroll(x).spikes));
  });
});

test("RecurrentLIF: names of parameters, and errors", () => {
  expect([...layer(3).namedParameters()].map(([name]) => name)).toEqual(["recurrent.weight", "recurrent.bias"]);
  expect([...layer(3, { connection: "one" }).namedParameters()].map(([name]) => name)).toEqual(["V"]);
  expect(() => layer(0)).toThrow("RecurrentLIF: features must be a positive integer, got 0");
  expect(() => layer(2, { connection: "some" as "all" })).toThrow(/"some"/);
  expect(() => layer(3).forward(uniform([2, 1, 4]))).toThrow(/\[T, B, …, 3\], got \[2, 1, 4\]/);
  const lif = layer(3);
  const state = { ...lif.initialState([1, 3]), spikes: uniform([1, 2]) };
  expect(() => lif.step(uniform([1, 3]), state)).toThrow(/state spikes of shape \[1, 3\], got \[1, 2\]/);
});

test("recurrent: neurons that feed themselves alone take memory for themselves alone", () => {
  const lif = layer(4096, { connection: "one" });
  const x = uniform([2, 1, 4096], 3);
  resetPeak();
  const before = memoryStats().live;
  tape(() => lif.forward(x));
  expect(memoryStats().peak - before).toBeLessThan(1e6); // with room for weights 67 MB
});
