/** Transposed copies of weights: when they are made, that stale ones are never read, and that they are freed. */
import { expect, test } from "vitest";
import { bits, bytesKept, random, values } from "../../test/support/tensors.ts";
import {
  Adam,
  gradcheck,
  keep,
  Linear,
  linear,
  loadSafetensors,
  matmul,
  memoryStats,
  noGrad,
  parameter,
  SGD,
  saveSafetensors,
  type Tensor,
  tape,
  tensor,
} from "../index.ts";

const [IN, OUT] = [40, 21];
/** Bytes of a copy: rows of whole groups of 16. */
const COPY = 4 * IN * 32;

/** One row, a third of whose values is not 0. */
const row = (seed = 1): Tensor => tensor(Array.from(values(random([IN], seed)), (v, i) => (i % 3 === 0 ? v : 0)));
const weights = (seed = 2): Tensor => parameter(random([OUT, IN], seed));
const x = row();

/** The product without a copy, with the weights in a fresh tensor. */
function fresh(w: Tensor): number[] {
  return noGrad(() => bits(linear(x.reshape([1, IN]), tensor(w.toFloat32Array(), { shape: w.shape as number[] }))));
}

/** Runs the product until a copy exists. */
function product(w: Tensor): number[] {
  const once = () => noGrad(() => bits(linear(x.reshape([1, IN]), w)));
  const first = once();
  expect(once()).toEqual(first);
  expect(once()).toEqual(first);
  return first;
}

test("columns: the second product of few rows since a write makes a copy, and dispose gives it back", () => {
  const before = memoryStats().live;
  const w = weights();
  const own = memoryStats().live - before;
  const once = () => noGrad(() => linear(x.reshape([1, IN]), w).toFloat32Array());
  expect(bytesKept(once)).toBe(0);
  expect(bytesKept(once)).toBe(COPY);
  expect(bytesKept(once)).toBe(0);
  expect(memoryStats().live - before).toBe(own + COPY);
  w.dispose();
  expect(memoryStats().live).toBe(before);
});

test("columns: none where a product is recorded, has many rows, or the weights are part of a tape or of another tensor", () => {
  const w = weights();
  const many = random([65, IN], 3);
  const stack = random([2, OUT, IN], 4);
  const products: Record<string, () => void> = {
    recorded: () => tape(() => linear(x, w).sum().backward()),
    "many rows": () => noGrad(() => void linear(many, w)),
    "of a tape": () =>
      noGrad(() => {
        const inner = tensor(w.toFloat32Array(), { shape: [OUT, IN] });
        const { live } = memoryStats();
        expect(product(inner)).toEqual(fresh(w));
        expect(memoryStats().live).toBe(live);
      }),
    "of another tensor": () => noGrad(() => void linear(x, stack.select(0, 1))),
    "[in, out]": () => noGrad(() => void matmul(x, w.transpose(0, 1))),
  };
  for (const [name, run] of Object.entries(products)) {
    run();
    expect(
      bytesKept(() => [run(), run()]),
      name,
    ).toBe(0);
  }
  w.dispose();
});

test("columns: of weights that a tape returned, kept or lets go, too, and memory is as before", () => {
  const kept = bytesKept(() => {
    const returned = tape(() => random([OUT, IN], 5));
    let named: Tensor | undefined;
    noGrad(() => {
      named = keep(random([OUT, IN], 5));
      const inner = noGrad(() => random([OUT, IN], 5));
      expect(product(inner)).toEqual(product(returned));
    });
    expect(bytesKept(() => product(named as Tensor))).toBe(COPY);
    for (const t of [returned, named as Tensor]) t.dispose();
  });
  expect(kept).toBe(0);
});

test("columns: every write is seen by the next product, and gives the copy back", () => {
  const layer = new Linear(IN, OUT, { bias: false });
  const w = layer.weight;
  const state = new Linear(IN, OUT, { bias: false }).stateDict();
  const writes: Record<string, () => void> = {
    "copyFrom an array": () => w.copyFrom(values(random([OUT * IN], 6))),
    "copyFrom a tensor": () => w.copyFrom(random([OUT, IN], 7)),
    "copyFrom into a view": () => w.slice(0, 3, 5).copyFrom(random([2, IN], 8)),
    "copyFrom into a detached one": () => w.detach().copyFrom(random([OUT, IN], 9)),
    loadStateDict: () => layer.loadStateDict(state),
    SGD: () => {
      tape(() => layer.forward(x).square().sum().backward());
      new SGD([w], { lr: 0.1 }).step();
    },
    Adam: () => {
      tape(() => layer.forward(x).square().sum().backward());
      new Adam([w], { lr: 0.1 }).step();
    },
  };
  for (const [name, write] of Object.entries(writes)) {
    const before = product(w);
    noGrad(write);
    expect(product(w), name).toEqual(fresh(w));
    expect(product(w), name).not.toEqual(before);
  }
  expect(bytesKept(() => w.copyFrom(w.toFloat32Array()))).toBe(-COPY);
});

test("columns: a live view may be written at any time, so that its tensor gets no copy", () => {
  for (const expose of [
    (w: Tensor) => w.data,
    (w: Tensor) => w.reshape([IN * OUT]).data,
    (w: Tensor) => w.detach().data,
  ]) {
    const w = weights();
    product(w);
    const before = memoryStats().live;
    const view = expose(w);
    expect(memoryStats().live).toBe(before - COPY);
    view[1] = 5;
    expect(product(w)).toEqual(fresh(w));
    view[IN] = 7;
    expect(product(w)).toEqual(fresh(w));
    w.copyFrom(values(w).reverse());
    view[0] = 9;
    expect(product(w)).toEqual(fresh(w));
    expect(memoryStats().live).toBe(before - COPY);
    w.dispose();
  }
});

test("columns: looking at weights is no writing", () => {
  const layer = new Linear(IN, OUT, { bias: false });
  const w = layer.weight;
  const looks: Record<string, () => unknown> = {
    toFloat32Array: () => w.toFloat32Array(),
    toArray: () => w.toArray(),
    toString: () => w.toString(),
    item: () => w.select(0, 0).select(0, 0).item(),
    stateDict: () => layer.stateDict(),
    "a safetensors file": () => saveSafetensors({ w }),
    gradcheck: () => gradcheck((v) => linear(x, v), [w]),
    "a source of copyFrom": () => random([OUT, IN], 1).copyFrom(w),
  };
  for (const [name, look] of Object.entries(looks)) {
    product(w);
    tape(look as () => void);
    expect(
      bytesKept(() => noGrad(() => linear(x, w).toFloat32Array())),
      name,
    ).toBe(0);
    expect(
      bytesKept(() => w.copyFrom(w.toFloat32Array())),
      name,
    ).toBe(-COPY);
  }
  const { w: loaded } = loadSafetensors(saveSafetensors({ w })).tensors as { w: Tensor };
  expect(bytesKept(() => product(loaded))).toBe(COPY);
});

test("columns: products with a copy have the bits of those without, dense and sparse, with one row and with many", () => {
  const w = weights();
  const bias = random([OUT], 3);
  for (const rows of [1, 2, 64]) {
    for (const density of [0, 0.1, 0.5, 1]) {
      for (const graded of [false, true]) {
        const u = values(random([rows * IN], 10 + rows, { low: 0, high: 1 }));
        const data = u.map((v) => (v < density ? (graded ? v : 1) : 0));
        const input = tensor(data, { shape: [rows, IN] });
        const once = () => noGrad(() => bits(linear(input, w, bias)));
        // Inside of a tape the product is recorded, and uses the weights directly.
        const plain = tape(() => bits(linear(input, w, bias)));
        for (const z of [once(), once(), once()]) expect(z).toEqual(plain);
        input.dispose();
      }
    }
  }
});
