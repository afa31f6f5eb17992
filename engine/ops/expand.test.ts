/** Broadcasting: values, and shapes that are not materialised without a visible difference. */
import { expect, test } from "vitest";
import { bits, bytesKept, expectNear, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { linear, memoryStats, noGrad, resetPeak, type Tensor, tape, tensor } from "../index.ts";

const MIB = 2 ** 20;

test("broadcasting: each pair of elements meets as NumPy says", () => {
  const x = tensor([[[1, 2, 3]], [[4, 5, 6]]]); // [2, 1, 3]
  const y = tensor([[10], [20]]); // [2, 1]
  expect(x.add(y).toArray()).toEqual([
    [
      [11, 12, 13],
      [21, 22, 23],
    ],
    [
      [14, 15, 16],
      [24, 25, 26],
    ],
  ]);
  expect(y.sub(x).toArray()).toEqual([
    [
      [9, 8, 7],
      [19, 18, 17],
    ],
    [
      [6, 5, 4],
      [16, 15, 14],
    ],
  ]);
  expect(x.gt(tensor(3)).toArray()).toEqual([[[0, 0, 0]], [[1, 1, 1]]]);
});

test("broadcasting: the gradient of a repeated element is the sum over its copies", () => {
  const x = tensor([1, 2, 3], { requiresGrad: true });
  const y = tensor([[1], [10]], { requiresGrad: true });
  tape(() => x.mul(y).sum().backward());
  expect(gradient(x)).toEqual([11, 11, 11]);
  expect(gradient(y)).toEqual([6, 6]);
});

test("broadcasting: a number is the same as a tensor of it", () => {
  const x = random([7], 1, { low: 0.5, high: 2 });
  for (const op of [
    "add",
    "sub",
    "mul",
    "div",
    "maximum",
    "minimum",
    "pow",
    "atan2",
    "gt",
    "ge",
    "lt",
    "le",
    "eq",
  ] as const) {
    expect(bits(x[op](1.25)), op).toEqual(bits(x[op](tensor(1.25))));
  }
  expect(values(tensor([1, 2, 3]).eq(2))).toEqual([0, 1, 0]);
});

test("expand: it equals copies, wherever they are read", () => {
  const x = random([2, 3], 2);
  const copies = tensor([...values(x), ...values(x)], { shape: [2, 2, 3] });
  const reads: Record<string, (t: Tensor) => Tensor> = {
    data: (t) => t,
    "an op": (t) => t.exp(),
    "an op with itself": (t) => t.mul(t),
    "a reshape": (t) => t.reshape([4, 3]),
    "a reshape of what repeats": (t) => t.reshape([2, 6]).add(1),
    flatten: (t) => t.flatten(1),
    unsqueeze: (t) => t.unsqueeze(1),
    permute: (t) => t.permute([2, 1, 0]),
    "a slice over time": (t) => t.slice(0, 1),
    "a step": (t) => t.select(0, 1),
    "a sum over time": (t) => t.sum({ axis: 0 }),
    clone: (t) => t.clone(),
    detach: (t) => t.detach(),
    matmul: (t) => t.matmul(tensor([1, 2, 3])),
  };
  for (const [name, read] of Object.entries(reads)) {
    expect(bits(read(x.expand([2, 2, 3]))), name).toEqual(bits(read(copies)));
  }
});

test("expand: what is not read takes no memory, and what is read over time is given back with the tape", () => {
  const x = random([256, 256], 3);
  const kept = bytesKept(() =>
    tape(() => {
      const before = memoryStats().live;
      const pending = x.expand([100, 256, 256]);
      const reshaped = pending.reshape([100, 65536]);
      expect(memoryStats().live).toBe(before);
      expect(reshaped.shape).toEqual([100, 65536]);
      expect(pending.data.length).toBe(100 * 65536);
      expect(memoryStats().live - before).toBeGreaterThanOrEqual(25 * MIB);
    }),
  );
  expect(kept).toBe(0);
});

test("expand: a write into the source shows until the copies are written out", () => {
  const x = tensor([1, 2]);
  const pending = x.expand([2, 2]);
  x.copyFrom([3, 4]);
  expect(values(pending)).toEqual([3, 4, 3, 4]);
  x.copyFrom([5, 6]);
  expect(values(pending)).toEqual([3, 4, 3, 4]);
});

test("expand: its source must live as long as it is read", () => {
  const x = tensor([1, 2]);
  const pending = x.expand([2, 2]);
  x.dispose();
  expect(() => pending.data).toThrow(/freed/);
  expect(() => linear(pending, tensor([[1, 1]]))).toThrow(/freed/);
});

/** linear over a constant current and over its copies. */
function both(steps: number) {
  return [true, false].map((constant) => {
    const x = leaf([4, 19], 4);
    const w = leaf([21, 19], 5);
    const b = leaf([21], 6);
    const upstream = random([steps, 4, 21], 7);
    const z = tape(() => {
      const expanded = x.expand([steps, 4, 19]);
      const z = linear(constant ? expanded : expanded.clone(), w, b);
      z.backward(upstream);
      return z;
    });
    return { z, gradients: [x, w, b].map(gradient) };
  });
}

test("linear: over a constant current it gives the bits of the written-out one, and its gradients up to rounding", () => {
  const [once, written] = both(25) as [ReturnType<typeof both>[0], ReturnType<typeof both>[0]];
  expect(once.z.shape).toEqual([25, 4, 21]);
  expect(bits(once.z)).toEqual(bits(written.z));
  // Sums of 525 terms of about 1, in a different order.
  once.gradients.forEach((gradient, i) => {
    expectNear(gradient, written.gradients[i] as number[], `gradient ${i}`, { absolute: 5e-5 });
  });
});

test("linear: over a constant current it computes one step and allocates no others", () => {
  const x = random([32, 64], 8);
  const w = random([128, 64], 9);
  noGrad(() => {
    resetPeak();
    const { live } = memoryStats();
    const z = linear(x.expand([500, 32, 64]), w);
    expect(z.shape).toEqual([500, 32, 128]);
    // One step of the result, and at most the same amount for the product itself.
    expect(memoryStats().peak - live).toBeLessThan(2 * 4 * 32 * 128 + 4 * 64 * 128);
    expect(z.select(0, 499).shape).toEqual([32, 128]);
  });
});
