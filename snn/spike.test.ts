/** spike: a hard step forward, the surrogate's derivative backward. */
import { expect, test } from "vitest";
import { noGrad, ones, type Tensor, tape, tensor } from "../engine/index.ts";
import { SURROGATES } from "../test/support/lif.ts";
import { gradient, leaf, random, values } from "../test/support/tensors.ts";
import { LIF, type Surrogate, spike, surrogate } from "./index.ts";

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
          // exp to 2·10⁻⁷, and 1 − σ loses what x loses in float32, times the slope.
          expect(Math.abs(g - (expected[i] as number))).toBeLessThan(2e-6 * Math.max(1, smooth.slope));
        });
        const total = expected.reduce((sum, x) => sum + x, 0);
        expect(Math.abs((gradient(threshold)[0] as number) + total)).toBeLessThan(5e-5);
      });
    }
  });
}

test("spike: gradients add up where the membrane is used twice", () => {
  const constant = surrogate.custom({ derivative: (x) => ones(x.shape) });
  tape(() => {
    const v = leaf([3], 1);
    spike(v, { surrogate: constant }).add(v.mul(2)).sum().backward();
    expect(gradient(v)).toEqual([3, 3, 3]);
  });
});

test("spike: a custom derivative may hand back a tensor that was there before, and it stays", () => {
  const held = random([2, 3], 3);
  const itself = surrogate.custom({ derivative: (x: Tensor) => x });
  const constant = surrogate.custom({ derivative: () => held });
  for (const [smooth, expected] of [
    [itself, (v: Tensor) => values(noGrad(() => v.sub(1)))],
    [constant, () => values(held)],
  ] as const) {
    for (let pass = 0; pass < 2; pass++) {
      tape(() => {
        const v = leaf([2, 3], 4);
        spike(v, { surrogate: smooth }).sum().backward();
        expect(gradient(v)).toEqual(expected(v));
      });
    }
  }
  held.dispose();
});

test("spike: a custom derivative is evaluated once on the whole sequence, not recorded", () => {
  const shapes: (readonly number[])[] = [];
  const counted = surrogate.custom({
    derivative: (x) => {
      shapes.push(x.shape);
      return x.square().neg().exp();
    },
  });
  tape(() =>
    new LIF({ surrogate: counted })
      .forward(leaf([5, 2, 3], 5))
      .sum()
      .backward(),
  );
  expect(shapes).toHaveLength(1);
  expect(shapes[0]?.slice(1)).toEqual([2, 3]);
});
