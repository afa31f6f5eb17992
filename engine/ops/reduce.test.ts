/** Special cases of reductions: equal values, zeros, infinities. Expected values are the results of PyTorch. */
import { expect, test } from "vitest";
import { bits, expectNear, gradient, random, values } from "../../test/support/tensors.ts";
import { type Tensor, tape, tensor } from "../index.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Value and gradient of an op on one row. */
function row(op: (x: Tensor) => Tensor, data: readonly number[]): { value: number; grad: number[] } {
  const x = tensor([...data], { requiresGrad: true });
  const value = tape(() => {
    const z = op(x);
    z.backward();
    return z.item();
  });
  return { value, grad: gradient(x) };
}

test("std and variance: equal values have exactly 0, with the gradient 0, whatever rounding the mean has", () => {
  for (const c of [0.1, 1e-30, 16777217, -3.3]) {
    for (const n of [2, 3, 7, 1000]) {
      const data = new Array<number>(n).fill(c);
      const zeros = { value: 0, grad: new Array<number>(n).fill(0) };
      expect(
        row((x) => x.std(), data),
        `${n} times ${c}`,
      ).toEqual(zeros);
      expect(row((x) => x.variance(), data)).toEqual(zeros);
    }
  }
  const x = tensor([0.1, 2, 0.1, 3, 0.1, 4], { shape: [3, 2], requiresGrad: true });
  tape(() => x.std({ axis: 0 }).sum().backward());
  expect(gradient(x)).toEqual([0, -0.5, 0, 0, 0, 0.5]);
});

test("variance: of one value it is NaN, without the correction 0", () => {
  expect(row((x) => x.variance(), [2])).toEqual({ value: nan, grad: [nan] });
  expect(row((x) => x.std(), [2])).toEqual({ value: nan, grad: [nan] });
  expect(row((x) => x.variance({ unbiased: false }), [2])).toEqual({ value: 0, grad: [0] });
  expect(row((x) => x.std({ unbiased: false }), [2])).toEqual({ value: 0, grad: [0] });
  expect(values(tensor([[1, 2]]).variance({ axis: 0 }))).toEqual([nan, nan]);
});

test("variance: far from 0 it keeps its digits, and infinities make NaN", () => {
  const x = random([4, 50], 1);
  const far = x.add(4096);
  // The same values, as far as float32 represents them next to 4096.
  const near = far.sub(4096);
  for (const axis of [0, 1]) {
    expectNear(values(far.variance({ axis })), values(near.variance({ axis })), "variance", { relative: 1e-6 });
  }
  for (const data of [
    [inf, 1],
    [1, inf],
    [nan, 1],
  ])
    expect(tensor(data).variance().item()).toBe(nan);
});

test("norm: the gradient at 0 is 0; the largest ones share it", () => {
  expect(row((x) => x.norm(), [0, 0])).toEqual({ value: 0, grad: [0, 0] });
  expect(row((x) => x.norm(), [3, 0, -4])).toEqual({ value: 5, grad: [3, 0, -4].map((v) => Math.fround(v / 5)) });
  expect(row((x) => x.norm({ p: 1 }), [0, -2, 3])).toEqual({ value: 5, grad: [0, -1, 1] });
  expect(row((x) => x.norm({ p: Infinity }), [3, -3, 1])).toEqual({ value: 3, grad: [0.5, -0.5, 0] });
  expect(row((x) => x.norm(), [inf, 1])).toEqual({ value: inf, grad: [nan, 0] });
  expect(row((x) => x.norm(), [nan, 1])).toEqual({ value: nan, grad: [nan, nan] });
});

test("prod: with one zero only the zero has a gradient, with several none", () => {
  expect(row((x) => x.prod(), [0, 2, 3])).toEqual({ value: 0, grad: [6, 0, 0] });
  expect(row((x) => x.prod(), [2, 0, 3, 0])).toEqual({ value: 0, grad: [0, 0, 0, 0] });
  expect(row((x) => x.prod(), [2, -3, 4])).toEqual({ value: -24, grad: [-12, 8, -6] });
});

test("logsumexp: infinities and large values", () => {
  const log2 = Math.log(2);
  for (const [data, value, grad] of [
    [[-inf, -inf], -inf, [nan, nan]],
    [[inf, 1], inf, [nan, 0]],
    [[inf, -inf], inf, [nan, 0]],
    [[-inf, 1], 1, [0, 1]],
    [[nan, 1], nan, [nan, nan]],
    [[1000, 1000], Math.fround(1000 + log2), [0.5, 0.5]],
    [[-1000, -1000], Math.fround(-1000 + log2), [0.5, 0.5]],
  ] as const) {
    expect(
      row((x) => x.logsumexp(), data),
      String(data),
    ).toEqual({ value, grad });
  }
});

test("cumsum: every sum is the one in float64, rounded once, along every axis", () => {
  const x = random([3, 50, 7], 2);
  const z = x.cumsum({ axis: 1 });
  const sums = Float64Array.from(x.data);
  for (let i = 0; i < sums.length; i++) {
    if (i % 350 >= 7) sums[i] = (sums[i - 7] as number) + (sums[i] as number);
  }
  expect(bits(z)).toEqual(bits(Float32Array.from(sums)));
  const moved = x.transpose(1, 2).cumsum({ axis: -1 }).transpose(1, 2);
  expect(bits(moved)).toEqual(bits(z));
  expect(
    values(
      tensor([
        [1, 2],
        [3, 4],
      ]).cumsum(),
    ),
  ).toEqual([1, 3, 6, 10]);
});
