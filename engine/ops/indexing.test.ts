/**
 * Layout and indexing beyond shapes: the destination of each element, which results are views, and the memory that remains.
 */
import { expect, test } from "vitest";
import { bits, bytesKept, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { arange, argmax, embedding, gradcheck, memoryStats, noGrad, pad, type Tensor, tape, tensor } from "../index.ts";

const counted = (...shape: number[]): Tensor =>
  arange(
    0,
    shape.reduce((a, b) => a * b, 1),
  ).reshape(shape);

test("slice: every step-th element, from either end", () => {
  const x = arange(0, 7);
  expect(values(x.slice(0, 0, 7, 2))).toEqual([0, 2, 4, 6]);
  expect(values(x.slice(0, -6, -1, 3))).toEqual([1, 4]);
  expect(counted(2, 5).slice(1, 1, 5, 2).toArray()).toEqual([
    [1, 3],
    [6, 8],
  ]);
});

test("slice, select, split: a view along the first axis with step 1, else a copy", () => {
  const views = (make: (x: Tensor) => Tensor): boolean => {
    const x = counted(3, 4);
    const z = make(x);
    const before = values(z);
    x.copyFrom(random([12], 1));
    return String(values(z)) !== String(before);
  };
  expect(views((x) => x.slice(0, 1))).toBe(true);
  expect(views((x) => x.select(0, -1))).toBe(true);
  expect(views((x) => x.split(2)[1] as Tensor)).toBe(true);
  expect(views((x) => x.slice(0, 0, 3, 2))).toBe(false);
  expect(views((x) => x.slice(1, 1))).toBe(false);
  expect(views((x) => x.select(1, 0))).toBe(false);
  expect(views((x) => x.flip([]))).toBe(true);
  expect(views((x) => x.flip(0))).toBe(false);
});

test("split: equal parts and a rest, or the sizes that are listed", () => {
  const x = arange(0, 7);
  expect(x.split(3).map(values)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  expect(x.split([2, 5]).map(values)).toEqual([
    [0, 1],
    [2, 3, 4, 5, 6],
  ]);
});

test("flip, tile, pad, tril: which element lands where", () => {
  expect(counted(2, 3).flip(1).toArray()).toEqual([
    [2, 1, 0],
    [5, 4, 3],
  ]);
  expect(values(counted(2, 3).flip())).toEqual([5, 4, 3, 2, 1, 0]);
  expect(counted(2, 2).tile([1, 2]).toArray()).toEqual([
    [0, 1, 0, 1],
    [2, 3, 2, 3],
  ]);
  expect(pad(counted(2, 2), [1, 0, 0, 1], 9).toArray()).toEqual([
    [9, 0, 1],
    [9, 2, 3],
    [9, 9, 9],
  ]);
  expect(pad(counted(2, 3), [-1, 1]).toArray()).toEqual([
    [1, 2, 0],
    [4, 5, 0],
  ]);
  const x = tensor([
    [1, NaN],
    [3, 4],
  ]);
  expect(x.tril().toArray()).toEqual([
    [1, 0],
    [3, 4],
  ]);
});

test("permute and slice: wide rows, which are copied as a whole, agree with narrow ones", () => {
  for (const width of [1, 2, 3, 15, 16, 17, 64]) {
    const x = leaf([3, 4, width], 1);
    const y = leaf([3, 4, width], 1);
    const upstream = random([4, 3, width], 2);
    tape(() => x.permute([1, 0, 2]).backward(upstream));
    // The same values through single elements.
    tape(() => y.permute([2, 1, 0]).permute([1, 2, 0]).backward(upstream));
    expect(bits(x.permute([1, 0, 2])), `width ${width}`).toEqual(bits(y.permute([2, 1, 0]).permute([1, 2, 0])));
    expect(gradient(x)).toEqual(gradient(y));
  }
});

test("indices: arrays of every kind and tensors mean the same", () => {
  const x = counted(4, 2);
  const expected = [4, 5, 0, 1, 4, 5];
  for (const indices of [[2, 0, 2], Int32Array.of(2, 0, 2), Uint8Array.of(2, 0, 2), tensor([2, 0, 2])]) {
    expect(values(x.indexSelect(0, indices))).toEqual(expected);
    expect(values(embedding(indices, x))).toEqual(expected);
  }
  expect(embedding(tensor([[1], [3]]), x).toArray()).toEqual([[[2, 3]], [[6, 7]]]);
});

test("gather: the element of each row that argmax finds", () => {
  const x = random([5, 6], 3);
  const found = argmax(x, { axis: 1, keepdim: true });
  expect(bits(x.gather(1, found))).toEqual(bits(x.amax({ axis: 1, keepdim: true })));
});

test("gather and scatterAdd: an index smaller than x reads and writes its corner", () => {
  const x = counted(3, 3);
  const index = tensor([[2, 0]]);
  expect(x.gather(0, index).toArray()).toEqual([[6, 1]]);
  expect(x.scatterAdd(0, index, tensor([[10, 20, 30]])).toArray()).toEqual([
    [0, 21, 2],
    [3, 4, 5],
    [16, 7, 8],
  ]);
  expect(values(x)).toEqual(values(counted(3, 3)));
});

test("repeated indices add up in ascending order, bit for bit", () => {
  const terms = [1, 2 ** 24, -(2 ** 24), 1, 0.5];
  const expected = terms.reduce((sum, term) => Math.fround(sum + term), 0);
  expect([...terms].reverse().reduce((sum, term) => Math.fround(sum + term), 0)).not.toBe(expected);
  const zeros = [0, 0, 0, 0, 0];
  expect(values(tensor([0, 0]).scatterAdd(0, zeros, tensor(terms)))).toEqual([expected, 0]);
  const x = tensor([[3], [4]], { requiresGrad: true });
  const upstream = tensor(terms, { shape: [5, 1] });
  for (const op of [
    () => x.indexSelect(0, zeros),
    () => x.gather(0, tensor(zeros, { shape: [5, 1] })),
    () => embedding(zeros, x),
  ]) {
    x.zeroGrad();
    tape(() => op().backward(upstream));
    expect(gradient(x)).toEqual([expected, 0]);
  }
});

test("embedding: the padding row is read and gets no gradient", () => {
  for (const paddingIdx of [2, -1]) {
    const weight = tensor([[1], [2], [3]], { requiresGrad: true });
    const z = tape(() => {
      const z = embedding([2, 0, 2, 0], weight, { paddingIdx });
      z.backward(tensor([[1], [2], [4], [8]]));
      return z;
    });
    expect(values(z)).toEqual([3, 1, 3, 1]);
    expect(gradient(weight)).toEqual([10, 0, 0]);
  }
});

test("indices: a live view may be what they are, even where the result makes the memory grow", () => {
  const indices = tensor([1, 0, 1]);
  const x = random([2, Math.ceil(memoryStats().reserved / 8)], 4);
  const { reserved } = memoryStats();
  noGrad(() => {
    const z = x.indexSelect(0, indices.data);
    expect(memoryStats().reserved).toBeGreaterThan(reserved);
    for (const [i, row] of [1, 0, 1].entries()) expect(z.select(0, i).data[7]).toBe(x.select(0, row).data[7]);
  });
  x.dispose();
});

test("indices: written over after the op, they are still what its gradient goes by", () => {
  const x = leaf([3], 5);
  const indices = tensor([2, 2]);
  tape(() => {
    const z = x.indexSelect(0, indices);
    indices.copyFrom([0, 0]);
    z.sum().backward();
  });
  expect(gradient(x)).toEqual([0, 0, 2]);
});

test("indices: gradcheck reads a tensor that was made outside", () => {
  const indices = tensor([1, 1, 0]);
  const source = random([3], 6);
  gradcheck((x) => [x.indexSelect(0, indices), x.scatterAdd(0, indices, source)], [random([2], 7)]);
});

test("picking by index outside a tape keeps nothing but the result", () => {
  const x = leaf([4, 3], 8);
  const index = tensor([[0, 1, 2]]);
  for (const op of [
    (t: Tensor) => t.indexSelect(1, [0, 2]),
    (t: Tensor) => t.gather(0, index),
    (t: Tensor) => t.scatterAdd(0, index, index),
    (t: Tensor) => embedding([1, 1], t),
  ]) {
    expect(bytesKept(() => op(x).dispose())).toBe(0);
  }
});
