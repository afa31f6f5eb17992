/** Records with further outputs: a gradient of one of them suffices, and saved values are checked. */
import { expect, test } from "vitest";
import { gradient, leaf, values } from "../../test/support/tensors.ts";
import { noGrad, ones, parameter, type Tensor, tape } from "../index.ts";
import { k } from "./backend.ts";
import { gradientAt, gradOfPart } from "./gradient.ts";
import { type Recorded, ready, recorded, recordPart, SAVES } from "./op.ts";
import { emptyLike } from "./tensor.ts";

/** 2x, 3x and scale ⊙ x as one op; an unread output has no gradient. */
const threeOp: Recorded<{ scale: Tensor }> = {
  name: "three",
  saves: SAVES.more,
  more: ({ scale }) => [scale],
  backward(z, x, _y, _w, { scale }) {
    const dx = gradientAt(x);
    if (z.gradPtr !== 0) k.addTo(dx, scaled(z.gradPtr, 2, z.size), z.size);
    const [tripled, weighted] = [gradOfPart(z, 0), gradOfPart(z, 1)];
    if (tripled !== 0) k.addTo(dx, scaled(tripled, 3, z.size), z.size);
    if (weighted !== 0) k.mulGrad(dx, weighted, scale.ptr, z.size);
  },
};

function scaled(p: number, by: number, n: number): number {
  k.affine(p, p, n, by, 0);
  return p;
}

function three(x: Tensor, scale: Tensor): [doubled: Tensor, tripled: Tensor, weighted: Tensor] {
  for (const t of [x, scale]) ready("three", t);
  const [z, tripled, weighted] = [emptyLike(x), emptyLike(x), emptyLike(x)];
  k.affine(z.ptr, x.ptr, x.size, 2, 0);
  k.affine(tripled.ptr, x.ptr, x.size, 3, 0);
  k.mul(weighted.ptr, x.ptr, scale.ptr, x.size);
  recorded(threeOp, { scale }, z, x, null, null);
  return [z, recordPart(z, 0, tripled), recordPart(z, 1, weighted)];
}

const scale = ones([3]).mul(5);

test.each([
  ["the first output", [1, 0, 0], 2],
  ["a part alone", [0, 1, 0], 3],
  ["another part", [0, 0, 1], 5],
  ["all of them", [1, 1, 1], 10],
  ["some of them, twice", [0, 2, 1], 11],
])("parts: a gradient reaches x through %s", (_name, times, expected) => {
  const x = leaf([3], 1);
  tape(() => {
    const outputs = three(x, scale);
    const used = outputs.flatMap((z, i) => Array.from({ length: times[i] as number }, () => z.sum()));
    used.reduce((sum, z) => sum.add(z)).backward();
  });
  expect(gradient(x)).toEqual([expected, expected, expected]);
});

test("parts: they are leaves of nothing, and consumed with the first output", () => {
  const x = leaf([3], 2);
  tape(() => {
    const [doubled, tripled] = three(x, scale);
    expect([doubled, tripled].map((t) => t.requiresGrad)).toEqual([true, true]);
    const late = tripled.sum();
    doubled.sum().backward();
    expect(() => late.backward()).toThrow(/consumed by an earlier backward/);
    expect(() => tripled.mul(2).sum().backward()).toThrow(/consumed by an earlier backward/);
  });
  expect(gradient(x)).toEqual([2, 2, 2]);
});

test("parts: a first output that no gradient has reached stays on the tape", () => {
  const x = leaf([3], 3);
  tape(() => {
    const [doubled, tripled] = three(x, scale);
    x.mul(7).sum().backward();
    tripled.sum().add(doubled.sum()).backward();
  });
  expect(gradient(x)).toEqual([12, 12, 12]);
});

test("parts: a part that is made in an inner tape passes its gradient on", () => {
  const x = leaf([3], 4);
  tape(() => {
    const [z] = three(x, scale);
    tape(() => {
      const later = emptyLike(x);
      k.affine(later.ptr, x.ptr, x.size, 3, 0);
      recordPart(z, 0, later).sum().backward();
    });
  });
  expect(gradient(x)).toEqual([3, 3, 3]);
});

test("parts: one that was made a parameter is detached, and keeps its gradient", () => {
  const x = leaf([3], 6);
  const tripled = tape(() => {
    const [doubled, tripled] = three(x, scale);
    parameter(tripled);
    tripled.mul(7).sum().add(doubled.sum()).backward();
    return tripled;
  });
  expect(gradient(x)).toEqual([2, 2, 2]);
  expect(gradient(tripled)).toEqual([7, 7, 7]);
  tape(() => tripled.sum().backward());
  expect(gradient(tripled)).toEqual([8, 8, 8]);
});

test.each([
  ["is disposed of", (t: Tensor) => t.dispose()],
  ["becomes a parameter", parameter],
])("parts: where the first output %s, a loss of another one is refused", (_name, end) => {
  const x = leaf([3], 7);
  tape(() => {
    const [doubled, tripled] = three(x, scale);
    const before = tripled.sum();
    end(doubled);
    for (const loss of [before, tripled.mul(2).sum()])
      expect(() => loss.backward()).toThrow(/^backward: this graph was/);
  });
  expect(x.grad).toBe(null);
});

test("parts: a part that is disposed of takes no gradient of another", () => {
  const x = leaf([3], 8);
  tape(() => {
    const [doubled, tripled, weighted] = three(x, scale);
    tripled.dispose();
    doubled.sum().add(weighted.sum()).backward();
  });
  expect(gradient(x)).toEqual([7, 7, 7]);
  const y = leaf([3], 9);
  tape(() => {
    const { values, indices } = y.max({ axis: 0 });
    indices.dispose();
    values.backward();
  });
  expect(gradient(y).reduce((sum, g) => sum + g)).toBe(1);
});

test("parts: a write to a tensor that the record reads is noticed, and the gradients of the pass are taken back", () => {
  const x = leaf([3], 5);
  const own = ones([3]);
  tape(() => {
    const [doubled, tripled, weighted] = three(x, own);
    own.copyFrom([2, 2, 2]);
    expect(() => weighted.sum().add(tripled.sum()).backward()).toThrow(/^backward of three: .* was overwritten/);
    expect(x.grad).toBe(null);
    expect(() => doubled.sum().backward()).toThrow(/was overwritten/);
  });
});

test("parts: without a record they are plain tensors", () => {
  const x = leaf([3], 6);
  noGrad(() => {
    const [, tripled] = three(x, scale);
    expect(tripled.requiresGrad).toBe(false);
    expect(values(tripled)).toEqual(values(x).map((v) => Math.fround(3 * v)));
  });
});
