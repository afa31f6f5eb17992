/** Tensors of a different copy of the package, a different thread or an ended run: their addresses are meaningless here. */
import { beforeAll, describe, expect, test, vi } from "vitest";
import {
  add,
  BatchNorm1d,
  batchNorm,
  bernoulli,
  conv2d,
  crossEntropy,
  dropout,
  embedding,
  exp,
  full,
  gather,
  gradcheck,
  keep,
  Linear,
  layerNorm,
  linear,
  matmul,
  memoryStats,
  mul,
  nllLoss,
  ones,
  pad,
  parameter,
  SGD,
  scatterAdd,
  slice,
  square,
  sum,
  type Tensor,
  tape,
  tensor,
  where,
  zeros,
} from "./index.ts";

const uses: [name: string, use: (foreign: Tensor, matrix: Tensor) => unknown][] = [
  ["square", (x) => square(x)],
  ["exp", (x) => exp(x)],
  ["sum", (x) => sum(x)],
  ["add", (x) => add(x, 1)],
  ["a second operand", (x) => mul(ones([4]), x)],
  ["slice", (x) => slice(x, 0, 0, 2)],
  ["pad", (x) => pad(x, [1, 1])],
  ["dropout", (x) => dropout(x)],
  ["bernoulli", (x) => bernoulli(x)],
  ["where", (x) => where(ones([4]), x, 0)],
  ["gather", (x) => gather(x, 0, [0])],
  ["indices", (x) => gather(ones([9]), 0, x)],
  ["scatterAdd", (x) => scatterAdd(ones([4]), 0, [0], x)],
  ["embedding", (_x, m) => embedding([0], m)],
  ["matmul", (_x, m) => matmul(ones([2, 2]), m)],
  ["the bias of linear", (x) => linear(ones([1, 4]), ones([4, 4]), x)],
  ["the weight of linear", (_x, m) => linear(ones([1, 2]), m)],
  ["the bias of conv2d", (x) => conv2d(ones([1, 1, 2, 2]), ones([4, 1, 1, 1]), x)],
  ["the weights of crossEntropy", (x) => crossEntropy(ones([1, 4]), [0], { weight: x })],
  ["the weights of nllLoss", (x) => nllLoss(ones([1, 4]), [0], { weight: x })],
  ["the weight of layerNorm", (x) => layerNorm(ones([1, 4]), 4, { weight: x })],
  ["the weight of batchNorm", (x) => batchNorm(ones([2, 4]), { training: true, weight: x })],
  ["running statistics", (x) => batchNorm(ones([2, 4]), { training: true, runningMean: x, runningVar: ones([4]) })],
  ["copyFrom", (x) => ones([4]).copyFrom(x)],
  ["backward's upstream", (x) => tape(() => ones([4], { requiresGrad: true }).mul(2).backward(x))],
  ["keep", (x) => keep(x)],
  ["parameter", (x) => parameter(x)],
  ["SGD", (x) => new SGD([x], { lr: 1 })],
  ["gradcheck", (x) => gradcheck((y) => y, [x])],
];

describe("tensors of a second copy of the package", () => {
  let other: typeof import("./index.ts");
  beforeAll(async () => {
    vi.resetModules();
    other = await import("./index.ts");
    for (let i = 0; i < 10; i++) other.ones([1000]);
  });

  test.each(uses)("are refused: %s", (_name, use) => {
    const strangers = Array.from({ length: 40 }, () => full([64], 3));
    const { live } = memoryStats();
    expect(() => use(other.full([4], 5), other.full([2, 2], 5))).toThrow(TypeError);
    expect(memoryStats().live - live).toBeLessThanOrEqual(4 * 4 * 16);
    for (const t of strangers) {
      expect(t.toFloat32Array().every((v) => v === 3)).toBe(true);
      t.dispose();
    }
  });

  test("the error says what to pass instead", () => {
    expect(() => square(other.ones([1]))).toThrow(/of another copy or thread has to come as its toFloat32Array\(\)/);
  });
});

test.each(uses)("a tensor that was posted or copied as data is refused: %s", (_name, use) => {
  const posted = (t: Tensor) => {
    const data = { ...t, self: null as unknown, op: null, region: { open: true } };
    data.self = data;
    return structuredClone(data) as unknown as Tensor;
  };
  expect(() => use(posted(full([4], 5)), posted(full([2, 2], 5)))).toThrow(TypeError);
});

describe("what outlives gradcheck", () => {
  test("a parameter made inside is freed with it, and its memory is not given to others", () => {
    let kept: Tensor | undefined;
    const { live } = memoryStats();
    const x = ones([2]);
    gradcheck(
      (y) => {
        kept ??= parameter(ones([2]));
        return y.mul(2);
      },
      [x],
    );
    const p = kept as Tensor;
    expect(() => add(p, 1)).toThrow(/was freed/);
    expect(() => new SGD([p], { lr: 1 }).step()).not.toThrow(RangeError);
    p.dispose();
    x.dispose();
    expect(memoryStats().live).toBe(live);
    expect(ones([2]).toArray()).toEqual([1, 1]);
  });

  test("a layer made at the first call serves all of them, and no longer", () => {
    let layer: Linear | undefined;
    const forward = (x: Tensor) => {
      layer ??= new Linear(2, 2);
      return layer.forward(x);
    };
    gradcheck(forward, [ones([1, 2])]);
    expect(() => forward(ones([1, 2]))).toThrow(/was freed/);
  });

  test("tensors from outside that are disposed inside go back to their own memory", () => {
    const x = ones([3]);
    const { live } = memoryStats();
    const t = full([100], 2);
    gradcheck(
      (y) => {
        t.dispose();
        return y.mul(3);
      },
      [x],
    );
    expect(memoryStats().live).toBe(live);
    expect(full([100], 5).toArray()).toEqual(new Array(100).fill(5));
  });

  test("a tensor of an outer tape does not become persistent inside", () => {
    tape(() => {
      const t = zeros([2]);
      expect(() => gradcheck((y) => y.add(parameter(t)), [ones([2])])).toThrow(/from outside of gradcheck/);
      expect(t.toArray()).toEqual([0, 0]);
    });
  });

  test("a layer with buffers made inside leaves nothing", () => {
    const x = tensor([
      [1, 2],
      [3, 5],
    ]);
    const { live } = memoryStats();
    gradcheck((y) => new BatchNorm1d(2).forward(y), [x]);
    expect(memoryStats().live).toBe(live);
  });
});
