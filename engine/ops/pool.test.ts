/** Pooling: edges of windows, ties, NaN, and maxima that backward recomputes. */
import { expect, test } from "vitest";
import { bits, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import type { Tensor } from "../index.ts";
import { adaptiveAvgPool2d, avgPool2d, bernoulli, expand, full, Generator, maxPool2d, tape, tensor } from "../index.ts";

/** The gradient of Σ z with respect to x. */
const passed = (x: Tensor, run: (x: Tensor) => Tensor): number[] => {
  tape(() => run(x).sum().backward());
  return gradient(x);
};

test("maxPool2d: of equal values the first in the order of rows gets the gradient", () => {
  const x = tensor(
    [
      [
        [1, 2, 3, 3],
        [2, 2, 3, 3],
        [0, -1, -5, -5],
        [0, 0, -5, -4],
      ],
    ],
    { requiresGrad: true },
  );
  expect(maxPool2d(x, 2).toArray()).toEqual([
    [
      [2, 3],
      [0, -4],
    ],
  ]);
  expect(passed(x, (t) => maxPool2d(t, 2))).toEqual([0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
});

test("maxPool2d: NaN is the largest, −∞ the smallest value, and padding is never taken", () => {
  const row = [1, NaN, 2, -Infinity, -Infinity, -3, NaN, NaN];
  const x = tensor([[row, row]], { requiresGrad: true });
  expect(values(maxPool2d(x, 2))).toEqual([NaN, 2, -3, NaN]);
  expect(passed(x, (t) => maxPool2d(t, 2))).toEqual([0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(values(maxPool2d(tensor([[[-Infinity, -7]]]), 2, { padding: 1 }))).toEqual([-Infinity, -7]);
});

test("maxPool2d: padding never is the maximum, in every corner", () => {
  const x = tensor([[[-7]]], { requiresGrad: true });
  expect(maxPool2d(x, 2, { padding: 1, stride: 1 }).toArray()).toEqual([
    [
      [-7, -7],
      [-7, -7],
    ],
  ]);
  expect(passed(x, (t) => maxPool2d(t, 2, { padding: 1, stride: 1 }))).toEqual([4]);
});

test("maxPool2d: a window between whose values all of x lies is −∞ and passes nothing on", () => {
  const x = tensor([[[1, 2]]], { requiresGrad: true });
  const options = { padding: [0, 1], dilation: [1, 3] } as const;
  expect(maxPool2d(x, [1, 2], options).toArray()).toEqual([[[-Infinity]]]);
  expect(passed(x, (t) => maxPool2d(t, [1, 2], options))).toEqual([0, 0]);
});

test("maxPool2d: windows that overlap add their gradients up, across blocks of planes too", () => {
  const planes = 40;
  const x = leaf([planes, 1, 30, 30], 1);
  const dz = random([planes, 1, 28, 28], 2);
  tape(() => maxPool2d(x, 3, { stride: 1 }).backward(dz));
  const expected = new Float32Array(x.size);
  const xs = x.toFloat32Array();
  for (let p = 0; p < planes; p++) {
    for (let r = 0; r < 28; r++) {
      for (let c = 0; c < 28; c++) {
        let best = (p * 30 + r) * 30 + c;
        for (let i = r; i < r + 3; i++)
          for (let j = c; j < c + 3; j++) {
            const at = (p * 30 + i) * 30 + j;
            if ((xs[at] as number) > (xs[best] as number)) best = at;
          }
        expected[best] = (expected[best] as number) + (dz.data[(p * 28 + r) * 28 + c] as number);
      }
    }
  }
  expect(bits(x.grad as Tensor)).toEqual(bits(expected));
});

test("avgPool2d: padding counts or does not, and never what lies beyond it", () => {
  const x = tensor([[[1, 2, 3]]]);
  const kernel = [1, 2] as const;
  expect(values(avgPool2d(x, kernel, { padding: [0, 1] }))).toEqual([0.5, 2.5]);
  expect(values(avgPool2d(x, kernel, { padding: [0, 1], countIncludePad: false }))).toEqual([1, 2.5]);
  // The last window covers 3 and places beyond the end: one value, not two.
  expect(values(avgPool2d(x, kernel, { ceilMode: true }))).toEqual([1.5, 3]);
  expect(values(avgPool2d(x, kernel))).toEqual([1.5]);
});

test.each([
  [2, 1],
  [3, 1],
  [2, 2],
  [3, 2],
  [4, 2],
  [5, 2],
  [4, 3],
])("avgPool2d: kernel %i, stride %i: gradients are float32 sums in the order of the windows", (kernel, stride) => {
  const [planes, height, width] = [2, 9, 27];
  const [rows, columns] = [height, width].map((size) => Math.floor((size - kernel) / stride) + 1) as [number, number];
  const x = leaf([1, planes, height, width], 1);
  const upstream = random([1, planes, rows, columns], 2);
  const expected = values(x).map(() => 0);
  for (let pass = 0; pass < 2; pass++) {
    tape(() => avgPool2d(x, kernel, { stride }).backward(upstream));
    values(upstream).forEach((dz, i) => {
      const share = Math.fround(dz / kernel ** 2);
      const [plane, r, c] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
      for (let tap = 0; tap < kernel ** 2; tap++) {
        const [y, q] = [r * stride + Math.floor(tap / kernel), c * stride + (tap % kernel)];
        const at = (plane * height + y) * width + q;
        expected[at] = Math.fround((expected[at] as number) + share);
      }
    });
  }
  expect(gradient(x)).toEqual(expected);
});

test("avgPool2d: a dilation that it does not know is not taken for one", () => {
  const x = random([2, 5, 5], 1);
  const options = { stride: 1, dilation: 2 } as object;
  expect(bits(avgPool2d(x, 2, options))).toEqual(bits(avgPool2d(x, 2, { stride: 1 })));
});

test("adaptiveAvgPool2d: its windows share the values evenly, overlapping where they must", () => {
  const x = tensor([[[1, 2, 3, 4, 5]]], { requiresGrad: true });
  expect(values(adaptiveAvgPool2d(x, 1))).toEqual([3]);
  expect(values(adaptiveAvgPool2d(x, [1, 2]))).toEqual([2, 4]);
  expect(values(adaptiveAvgPool2d(x, [2, 5]))).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
  expect(passed(x, (t) => adaptiveAvgPool2d(t, [1, 2]))).toEqual([1 / 3, 1 / 3, 2 / 3, 1 / 3, 1 / 3].map(Math.fround));
});

test("pools: time is a part of the batch, and a constant over it is pooled once", () => {
  const x = random([2, 3, 6, 6], 1);
  for (const pool of [
    (t: Tensor) => maxPool2d(t, 2),
    (t: Tensor) => avgPool2d(t, 2),
    (t: Tensor) => adaptiveAvgPool2d(t, 3),
  ]) {
    tape(() => {
      const z = pool(x);
      const over = pool(expand(x, [4, 2, 3, 6, 6]));
      expect(over.shape).toEqual([4, 2, 3, 3, 3]);
      expect(over.ptr).toBe(0);
      expect(bits(over.select(0, 3))).toEqual(bits(z));
      expect(bits(pool(x.select(0, 1)))).toEqual(bits(z.select(0, 1)));
    });
  }
});

test("pools: spikes in bits are pooled as the floats that they stand for, and so are gradients", () => {
  const draw = (rate: number) => bernoulli(full([3, 2, 11, 9], rate), { generator: new Generator(1) });
  for (const rate of [0, 0.3, 1]) {
    for (const [what, pool, packs] of [
      ["maxima", (t: Tensor) => maxPool2d(t, 2), true],
      ["overlapping maxima", (t: Tensor) => maxPool2d(t, [3, 2], { stride: [1, 2], dilation: [2, 3] }), true],
      ["maxima in ceil mode", (t: Tensor) => maxPool2d(t, 4, { ceilMode: true }), true],
      ["maxima with padding", (t: Tensor) => maxPool2d(t, 3, { padding: 1 }), false],
      ["means", (t: Tensor) => avgPool2d(t, 2), false],
      ["means with padding", (t: Tensor) => avgPool2d(t, 3, { padding: 1, countIncludePad: false }), false],
      ["adaptive means", (t: Tensor) => adaptiveAvgPool2d(t, [4, 2]), false],
    ] as const) {
      const run = (packed: boolean) =>
        tape(() => {
          const drawn = draw(rate);
          expect(drawn.ptr).toBe(0);
          const x = packed ? drawn : drawn.clone();
          x.requiresGrad = true;
          const z = pool(x);
          expect(z.ptr === 0, what).toBe(packed && packs);
          z.mul(random(z.shape, 2)).sum().backward();
          return [bits(z), bits(x.grad as Tensor)];
        });
      expect(run(true), what).toEqual(run(false));
    }
  }
});

test("maxPool2d: spikes stay bits from one layer to the next, and blocks of planes begin with whole words", () => {
  const planes = 500;
  const run = (packed: boolean) =>
    tape(() => {
      const drawn = bernoulli(full([planes, 1, 7, 7], 0.2), { generator: new Generator(2) });
      const x = packed ? drawn : drawn.clone();
      x.requiresGrad = true;
      const z = maxPool2d(maxPool2d(x, 2, { stride: 1 }), 2);
      expect(z.ptr === 0).toBe(packed);
      z.mul(random(z.shape, 3)).sum().backward();
      if (packed) expect(x.ptr).toBe(0);
      return [bits(x.grad as Tensor), bits(z)];
    });
  expect(run(true)).toEqual(run(false));
});
