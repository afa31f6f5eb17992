import { expect, test } from "vitest";
import { Conv2d, Generator, Linear, noGrad, ones, rand, type Tensor, tape } from "../../engine/index.ts";
import { setReading, weightOf } from "../../engine/protocol.ts";
import { quantize, quantizedWeights, type WeightBits } from "./index.ts";

/** A layer with these weights, [2, 3]. */
function layerOf(weights: number[], bits: WeightBits, perChannel = true): Linear {
  const layer = new Linear(weights.length / 2, 2, { bias: false });
  layer.weight.copyFrom(weights);
  return quantize(layer, { weights: { bits, perChannel } });
}
const read = (layer: Linear | Conv2d): number[] => [...noGrad(() => weightOf(layer).clone()).toFloat32Array()];
const f = Math.fround;

test("grid: 4 bits of each row by hand, half to even", () => {
  // Rows with s = 7/7 = 1 and 3.5/7 = 0.5.
  const layer = layerOf([7, 2.5, -1.5, 0.2, -3.5, 0.8], 4);
  expect(read(layer)).toEqual([7, 2, -2, 0, -3.5, 1]);
  expect(quantizedWeights(layer)).toEqual({
    q: new Int8Array([7, 2, -2, 0, -7, 2]),
    scales: new Float32Array([1, 0.5]),
    bits: 4,
    shape: [2, 3],
  });
});

test("grid: one scale for all weights", () => {
  const layer = layerOf([7, 2.5, -1.5, 0.2, -3.5, 0.8], 4, false);
  expect(read(layer)).toEqual([7, 2, -2, 0, -4, 1]);
  expect(quantizedWeights(layer).scales).toEqual(new Float32Array([1]));
});

test("grid: 8 bits have 127 steps to each side, 2 bits one", () => {
  const layer = layerOf([1, -1, 0.5, 0.3, -0.2, 0.1], 8);
  const s = [f(1 / 127), f(f(0.3) / 127)] as const;
  const rounded = (x: number, row: 0 | 1) => f(s[row] * Math.round(f(f(x) / s[row])));
  // 0.5·127 = 63.5, and half goes to the even 64.
  expect(read(layer)).toEqual([
    f(s[0] * 127),
    f(s[0] * -127),
    f(s[0] * 64),
    ...[0.3, -0.2, 0.1].map((x) => rounded(x, 1)),
  ]);
  expect(read(layerOf([1, -0.6, 0.4, 0.3, -0.2, 0.1], 2))).toEqual([1, -1, 0, f(0.3), f(-0.3), 0]);
});

test("grid: ternary weights by hand", () => {
  // Rows: mean 0.5, Δ = 0.35, the mean of 1 and 0.4 is 0.7; mean 2, Δ = 1.4, and only 4 is beyond it.
  const layer = layerOf([1, -0.4, 0.1, 4, 1, -1], "ternary");
  const [a, b, c, ...rest] = read(layer);
  expect(a).toBeCloseTo(0.7, 6);
  expect(b).toBe(-(a as number));
  expect(c).toBe(0);
  expect(rest).toEqual([4, 0, 0]);
  expect(quantizedWeights(layer).q).toEqual(new Int8Array([1, -1, 0, 1, 0, 0]));
});

test("grid: zeros stay zeros, a NaN stays one", () => {
  for (const bits of [8, 4, 2, "ternary"] as const) {
    expect(read(layerOf([0, 0, 0, 1, -1, 0], bits))).toEqual([0, 0, 0, 1, -1, 0].map((x) => x + 0));
    expect(read(layerOf([Number.NaN, 0, 1, 1, -1, 0], bits)).slice(0, 3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(() => quantizedWeights(layerOf([Number.NaN, 0, 1, 1, -1, 0], bits))).toThrow(RangeError);
  }
});

const GRIDS = [2, 3, 4, 5, 6, 7, 8, "ternary"].flatMap((bits) =>
  [true, false].map((perChannel) => ({ bits: bits as WeightBits, perChannel })),
);

test.each(GRIDS)("grid: what is on a grid stays where it is: %o", (grid) => {
  for (const seed of [0, 1, 2]) {
    const layer = quantize(new Linear(131, 17, { generator: new Generator(seed) }), { weights: grid });
    const before = quantizedWeights(layer);
    const expected = before.q.map((_, i) => before.q[i] as number);
    const values = Float32Array.from(
      before.q,
      (q, i) => q * (before.scales[grid.perChannel ? Math.floor(i / 131) : 0] as number),
    );
    expect(noGrad(() => weightOf(layer).clone()).toFloat32Array()).toEqual(values);
    layer.weight.copyFrom(values);
    expect(quantizedWeights(layer).q).toEqual(expected);
    expect(quantizedWeights(layer).scales).toEqual(before.scales);
  }
});

test("grid: the scale of ternary weights is the mean of those beyond 0.7 of the mean", () => {
  const layer = quantize(new Linear(500, 4, { generator: new Generator(1) }), { weights: { bits: "ternary" } });
  const { q, scales } = quantizedWeights(layer);
  const w = layer.weight.toFloat32Array();
  for (let row = 0; row < 4; row++) {
    const own = [...w.subarray(500 * row, 500 * (row + 1))];
    const delta = (0.7 * own.reduce((sum, x) => sum + Math.abs(x), 0)) / 500;
    const beyond = own.filter((x) => Math.abs(x) > delta);
    const mean = beyond.reduce((sum, x) => sum + Math.abs(x), 0) / beyond.length;
    expect(Math.abs((scales[row] as number) / mean - 1)).toBeLessThan(1e-6);
    expect([...q.subarray(500 * row, 500 * (row + 1))]).toEqual(
      own.map((x) => (Math.abs(x) > delta ? Math.sign(x) : 0)),
    );
  }
});

test("grid: the gradient passes straight through", () => {
  for (const { bits, perChannel } of GRIDS) {
    const layer = layerOf([7, 2.5, -1.5, 0.2, -3.5, 0.8], bits, perChannel);
    const x = noGrad(() => rand([5, 3], { generator: new Generator(1) }));
    const dz = noGrad(() => rand([5, 2], { generator: new Generator(2) }));
    tape(() => layer.forward(x).mul(dz).sum().backward());
    const expected = dz.transpose().matmul(x).toFloat32Array();
    expect((layer.weight.grad as Tensor).toFloat32Array()).toEqual(expected);
  }
});

test("grid: a mask comes first, and its zeros stay zeros", () => {
  const layer = layerOf([7, 2.5, -1.5, 0.2, -3.5, 0.8], 4);
  const mask = rand([2, 3]).mul(0).add(1);
  mask.copyFrom([0, 1, 1, 1, 0, 1]);
  setReading(layer, "mask", (w) => w.mul(mask).add(0));
  // Without 7 and −3.5, the scales are 2.5/7 and 0.8/7.
  expect(quantizedWeights(layer).q).toEqual(new Int8Array([0, 7, -4, 2, 0, 7]));
  tape(() =>
    layer
      .forward(ones([1, 3]))
      .sum()
      .backward(),
  );
  expect((layer.weight.grad as Tensor).toFloat32Array()).toEqual(new Float32Array([0, 1, 1, 1, 0, 1]));
  quantize(layer, { weights: null });
  expect(read(layer)).toEqual([0, 2.5, -1.5, f(0.2), 0, f(0.8)]);
});

test("grid: filters have a scale for each output channel", () => {
  const layer = quantize(new Conv2d(3, 4, 3, { generator: new Generator(1) }), { weights: { bits: 4 } });
  const { q, scales, shape } = quantizedWeights(layer);
  expect(shape).toEqual([4, 3, 3, 3]);
  expect(scales.length).toBe(4);
  for (let row = 0; row < 4; row++) expect(Math.max(...q.subarray(27 * row, 27 * row + 27).map(Math.abs))).toBe(7);
});
