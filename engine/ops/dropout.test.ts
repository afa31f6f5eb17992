/** Dropout: rate, scale, random numbers, and the memory that remains. */
import { expect, test } from "vitest";
import { bits, bytesKept, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { dropout, Generator, manualSeed, memoryStats, noGrad, ones, resetPeak, tape, tensor } from "../index.ts";

test("dropout: values are zero with probability p, else divided by 1 − p", () => {
  const n = 20000;
  for (const p of [0.1, 0.5, 0.9]) {
    const z = values(dropout(ones([n]), { p, generator: new Generator(1) }));
    const kept = Math.fround(1 / (1 - p));
    expect(z.every((v) => v === 0 || v === kept)).toBe(true);
    const zeros = z.filter((v) => v === 0).length;
    expect(Math.abs(zeros / n - p)).toBeLessThan((5 * Math.sqrt(p * (1 - p))) / Math.sqrt(n));
  }
});

test("dropout: the gradient passes where the value did, with the same factor", () => {
  const x = leaf([3, 50], 1, { low: 1, high: 2 });
  tape(() => {
    const z = dropout(x, { p: 0.3, generator: new Generator(2) });
    const factors = values(z).map((v) => (v === 0 ? 0 : Math.fround(1 / 0.7)));
    z.sum().backward();
    expect(gradient(x)).toEqual(factors);
  });
});

test("dropout: all or nothing at the ends of p, and x as it is outside training", () => {
  const x = tensor([1, -2, 3]);
  expect(values(dropout(x, { p: 1 })).map(Math.abs)).toEqual([0, 0, 0]);
  expect(bits(dropout(x, { p: 0 }))).toEqual(bits(x));
  const generator = new Generator(1);
  const before = generator.getState();
  expect(bits(dropout(x, { p: 0.5, training: false, generator }))).toEqual(bits(x));
  expect(generator.getState()).toEqual(before);
});

test("dropout: a NaN stays one, kept or not", () => {
  expect(values(dropout(tensor([NaN, NaN, NaN]), { p: 1 }))).toEqual([NaN, NaN, NaN]);
});

test("dropout: the mask depends on the generator and the number of values only", () => {
  const draw = (shape: number[]) => bits(dropout(ones(shape), { generator: new Generator(7) }));
  expect(draw([6, 7])).toEqual(draw([42]));
  manualSeed(3);
  const first = bits(dropout(ones([40])));
  const second = bits(dropout(ones([40])));
  manualSeed(3);
  expect(bits(dropout(ones([40])))).toEqual(first);
  expect(second).not.toEqual(first);
});

test("dropout: the mask is a bit for a value, and is gone after backward", () => {
  const n = 4096;
  const x = ones([n], { requiresGrad: true });
  noGrad(() => {
    resetPeak();
    const { live } = memoryStats();
    dropout(x);
    // The result, n / 8 bytes of mask, the probabilities, and the rounding of size classes.
    expect(memoryStats().peak - live).toBeLessThan(4 * n + n / 4 + 512);
  });
  const kept = bytesKept(() => {
    tape(() => {
      const { live } = memoryStats();
      const z = dropout(x);
      z.backward(z.detach());
      // The result and the gradient of x.
      expect(memoryStats().live - live).toBeLessThan(8 * n + 1024);
    });
    x.zeroGrad();
  });
  expect(kept).toBe(4 * n);
  x.dispose();
});

test("dropout: shared axes have one mask, as if the values of one place were multiplied with it", () => {
  const shape = [3, 4, 5, 2, 6];
  for (const axes of [[0], [1], [4], [0, 1], [0, -2, -1], [1, 3], [0, 1, 2, 3, 4], []]) {
    const at = axes.map((axis) => (axis + 5) % 5);
    const small = shape.map((n, axis) => (at.includes(axis) ? 1 : n));
    const masks = dropout(ones(small), { p: 0.4, generator: new Generator(3) });
    const x = leaf(shape, 2);
    tape(() => {
      const z = dropout(x, { p: 0.4, generator: new Generator(3), sharedAxes: axes });
      expect(bits(z), `${axes}`).toEqual(bits(x.mul(masks)));
      const weights = random(shape, 5, { low: 1, high: 2 });
      z.mul(weights).sum().backward();
      expect(gradient(x), `${axes}`).toEqual(values(masks.mul(weights)));
    });
  }
});

test("dropout: a mask that is fixed over time is drawn once for an x that does not change", () => {
  const x = leaf([4, 6], 1, { low: 1, high: 2 });
  const given = { p: 0.5, sharedAxes: [0, 2] };
  tape(() => {
    const z = dropout(x.expand([7, 4, 6]), { ...given, generator: new Generator(1) });
    expect(z.ptr).toBe(0); // a repetition, which is not materialised
    expect(bits(z)).toEqual(bits(dropout(x.expand([7, 4, 6]).clone(), { ...given, generator: new Generator(1) })));
    z.sum().backward();
    expect(gradient(x)).toEqual(values(z.sum({ axis: 0 }).div(x)).map(Math.round));
  });
});

test("dropout: shared axes that x does not have are errors", () => {
  const x = ones([2, 3]);
  expect(() => dropout(x, { sharedAxes: 2 })).toThrow("dropout: expected an axis in [-2, 1], got 2");
  expect(() => dropout(x, { sharedAxes: [0, -2] })).toThrow("dropout: expected distinct axes, got [0, -2]");
  expect(() => dropout(x, { sharedAxes: 0.5, training: false })).toThrow(RangeError);
  expect(() => dropout(x, { sharedAxes: "time" as never })).toThrow(TypeError);
});
