/** Surrogates that are 0 beyond some distance from the threshold: products leave out what they would multiply by 0. */
import { expect, test } from "vitest";
import { simd, useBackend } from "../engine/backend.ts";
import { Generator, linear, randn, type Tensor, tape } from "../engine/index.ts";
import { LIF, RecurrentLIF, type Surrogate, surrogate } from "./index.ts";

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
function gradients(kind: Surrogate, recurrent: boolean, shared: boolean) {
  const calls = { count: 0 };
  const gemmSampled: typeof simd.kernels.gemmSampled = (...args) => {
    calls.count++;
    simd.kernels.gemmSampled(...args);
  };
  useBackend({ kernels: { ...simd.kernels, gemmSampled }, heap: simd.heap });
  try {
    return tape(() => {
      const generator = new Generator(4);
      const options = { surrogate: kind, reset: "subtract" } as const;
      const lif = recurrent ? new RecurrentLIF({ ...options, features: N, generator }) : new LIF(options);
      const current = randn([T, B, N], { generator, requiresGrad: true });
      const [w, v] = [0, 1].map(() => randn([OUT, N], { generator, requiresGrad: true })) as [Tensor, Tensor];
      const spikes = lif.forward(current);
      const z = shared ? linear(spikes, w).add(linear(spikes, v)) : linear(spikes, w);
      z.backward(randn(z.shape, { generator }));
      const grads = [current, w].map((t) => Array.from((t.grad as Tensor).data, (g) => g + 0)); // 0 for −0
      return { grads, sampled: calls.count };
    });
  } finally {
    useBackend(simd);
  }
}

test("a box leaves the gradient of most spikes out, with the same bits", () => {
  for (const shared of [false, true]) {
    const plain = gradients(box, false, shared);
    const compact = gradients(surrogate.boxcar({ width: WIDTH }), false, shared);
    expect(plain.sampled).toBe(0);
    expect(compact.sampled).toBe(shared ? 2 : 1);
    expect(compact.grads).toEqual(plain.grads);
    expect(plain.grads[0]?.some((g) => g !== 0)).toBe(true);
  }
});

test("a box that reaches nearly everywhere takes dense products", () => {
  expect(gradients(surrogate.boxcar({ width: 50 }), false, false).sampled).toBe(0);
  expect(gradients(surrogate.atan(), false, false).sampled).toBe(0);
});

test("recurrent neurons too", () => {
  const compact = gradients(surrogate.triangular({ width: WIDTH }), true, false);
  expect(compact.sampled).toBe(1);
});
