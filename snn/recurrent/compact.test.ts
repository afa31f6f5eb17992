/**
 * Surrogates that are 0 beyond some distance from the threshold: products leave out terms that they would multiply by
 * 0.
 */
import { describe, expect, test } from "vitest";
import { useBackend } from "../../engine/backend.ts";
import { Generator, linear, type Module, randn, type Tensor, tape } from "../../engine/index.ts";
import { simd } from "../../engine/lasting.ts";
import { AdaptiveLIF, Subtracting } from "../../test/support/neurons.ts";
import { LIF, Recurrent, type Surrogate, surrogate } from "../index.ts";

const [T, B, N, OUT] = [5, 3, 36, 70];
const WIDTH = 1 / 16;

/** The same derivative by tensor ops, of which nobody knows where it is 0. */
const box = surrogate.custom({
  derivative: (x) =>
    x
      .abs()
      .lt(WIDTH / 2)
      .mul(1 / WIDTH),
});

/** Gradients of the current and of the weights behind the neurons, and how many sampled products they took. */
function gradients(kind: Surrogate, make: (surrogate: Surrogate) => Module, shared: boolean) {
  const calls = { count: 0 };
  const gemmSampled: typeof simd.kernels.gemmSampled = (...args) => {
    calls.count++;
    simd.kernels.gemmSampled(...args);
  };
  useBackend({ kernels: { ...simd.kernels, gemmSampled }, heap: simd.heap });
  try {
    return tape(() => {
      const generator = new Generator(4);
      const neurons = make(kind);
      const current = randn([T, B, N], { generator, requiresGrad: true });
      const [w, v] = [0, 1].map(() => randn([OUT, N], { generator, requiresGrad: true })) as [Tensor, Tensor];
      const spikes = neurons.forward(current);
      const z = shared ? linear(spikes, w).add(linear(spikes, v)) : linear(spikes, w);
      z.backward(randn(z.shape, { generator }));
      const grads = [current, w].map((t) => Array.from((t.grad as Tensor).data, (g) => g + 0)); // 0 for −0
      return { grads, sampled: calls.count };
    });
  } finally {
    useBackend(simd);
  }
}

const NEURONS: Record<string, (surrogate: Surrogate) => Module> = {
  LIF: (surrogate) => new LIF({ surrogate, reset: "subtract" }),
  "compiled neurons": (surrogate) => new Subtracting({ surrogate }),
  "compiled neurons that are held": (surrogate) => new Subtracting({ surrogate, refractorySteps: 2 }),
  "compiled neurons with more states": (surrogate) => new AdaptiveLIF({ surrogate }),
};

describe.each(Object.entries(NEURONS))("%s", (_, make) => {
  test("a box leaves the gradient of most spikes out, with the same bits", () => {
    for (const shared of [false, true]) {
      const plain = gradients(box, make, shared);
      const compact = gradients(surrogate.boxcar({ width: WIDTH }), make, shared);
      expect(plain.sampled).toBe(0);
      expect(compact.sampled).toBe(shared ? 2 : 1);
      expect(compact.grads).toEqual(plain.grads);
      expect(plain.grads[0]?.some((g) => g !== 0)).toBe(true);
    }
  });

  test("a scaled triangle and a sparse fast sigmoid leave gradients out too", () => {
    const triangle = surrogate.scaled(surrogate.triangular({ width: WIDTH }), 0.5);
    const above = surrogate.sparseFastSigmoid({ bound: 2 });
    for (const kind of [triangle, above]) expect(gradients(kind, make, false).sampled).toBe(1);
  });

  test("a box that reaches nearly everywhere takes dense products", () => {
    expect(gradients(surrogate.boxcar({ width: 50 }), make, false).sampled).toBe(0);
    expect(gradients(surrogate.atan(), make, false).sampled).toBe(0);
  });
});

test("recurrent neurons take no gradient out of reach, neither from one step to the one before nor from a layer behind", () => {
  const make = (kind: Surrogate) =>
    new Recurrent(new AdaptiveLIF({ surrogate: kind }), { features: N, generator: new Generator(4) });
  const plain = gradients(box, make, false);
  const compact = gradients(surrogate.boxcar({ width: WIDTH }), make, false);
  expect([plain.sampled, compact.sampled]).toEqual([0, T]);
  expect(compact.grads).toEqual(plain.grads);
  expect(gradients(surrogate.triangular({ width: 50 }), make, false).sampled).toBe(0);
});
