/** spike: a hard step forward, the surrogate's derivative backward. */
import { expect, test } from "vitest";
import { tape, tensor } from "../../engine/index.ts";
import { SURROGATES } from "../../test/support/lif.ts";
import { gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { LIF, type Surrogate, spike, surrogate } from "../index.ts";

const math: Record<string, (x: number, slope: number) => number> = {
  sigmoid: (x, k) => {
    const s = 1 / (1 + Math.exp(-k * x));
    return k * s * (1 - s);
  },
  fastSigmoid: (x, k) => 1 / (1 + k * Math.abs(x)) ** 2,
  atan: (x, a) => a / 2 / (1 + ((Math.PI / 2) * a * x) ** 2),
  custom: (x) => Math.exp(-x * x),
};

const formula = ({ name, slope }: Surrogate, x: number) =>
  (math[name] as (x: number, slope: number) => number)(x, slope);

test("spike: fires at the threshold or only above it", () => {
  const v = tensor([0.5, 1, 1.5, -1, Number.NaN]);
  expect(values(spike(v))).toEqual([0, 1, 1, 0, 0]);
  expect(values(spike(v, { fire: "gt" }))).toEqual([0, 0, 1, 0, 0]);
  expect(values(spike(v, { threshold: -1 }))).toEqual([1, 1, 1, 1, 0]);
});

test("spike: the threshold may be one for each neuron", () => {
  const v = tensor([
    [1, 1],
    [2, 2],
  ]);
  expect(values(spike(v, { threshold: tensor([1, 2]) }))).toEqual([1, 0, 1, 1]);
});

for (const smooth of [...SURROGATES, surrogate.sigmoid(), surrogate.fastSigmoid(), surrogate.atan()]) {
  test(`spike: the gradient is the derivative of ${smooth.name}, slope ${smooth.slope}, at v − θ`, () => {
    for (const n of [1, 4, 7, 33]) {
      tape(() => {
        const v = leaf([n], 1);
        const threshold = tensor(0.25, { requiresGrad: true });
        const upstream = random([n], 2);
        spike(v, { threshold, surrogate: smooth }).mul(upstream).sum().backward();
        const expected = values(v).map((x, i) => formula(smooth, x - 0.25) * (upstream.data[i] as number));
        gradient(v).forEach((g, i) => {
          // exp to 2·10⁻⁷, and 1 − σ loses the rounding of x in float32, times the slope.
          expect(Math.abs(g - (expected[i] as number))).toBeLessThan(2e-6 * Math.max(1, smooth.slope));
        });
        const total = expected.reduce((sum, x) => sum + x, 0);
        expect(Math.abs((gradient(threshold)[0] as number) + total)).toBeLessThan(5e-5);
      });
    }
  });
}

test("spike: gradients add up where the membrane is used twice", () => {
  const constant = surrogate.custom({ derivative: () => 1 });
  tape(() => {
    const v = leaf([3], 1);
    spike(v, { surrogate: constant }).add(v.mul(2)).sum().backward();
    expect(gradient(v)).toEqual([3, 3, 3]);
  });
});

test("spike: a custom derivative is traced when it is made, and never again", () => {
  let calls = 0;
  const counted = surrogate.custom({
    derivative: (x) => {
      calls++;
      return x.square().neg().exp();
    },
  });
  const traced = calls;
  const lif = new LIF({ surrogate: counted });
  const perLayer = calls - traced;
  for (let i = 0; i < 3; i++)
    tape(() =>
      lif
        .forward(leaf([5, 2, 3], 5))
        .sum()
        .backward(),
    );
  expect(calls).toBe(traced + perLayer);
});
