/** Tensors alone: created from values, read, written, printed, rejected. */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { bytesKept, random, values } from "../../test/support/tensors.ts";
import type { NestedArray, Tensor } from "../index.ts";
import {
  arange,
  bernoulli,
  concat,
  eye,
  full,
  Generator,
  keep,
  manualSeed,
  memoryStats,
  ones,
  parameter,
  rand,
  randn,
  resetPeak,
  tape,
  tensor,
  zeros,
} from "../index.ts";
import { takeOver } from "../outside/outside.ts";

test("tensor: a number, nested arrays and typed arrays give their shapes", () => {
  expect(tensor(3).shape).toEqual([]);
  expect(tensor([1, 2, 3]).shape).toEqual([3]);
  expect(tensor([[1], [2]]).shape).toEqual([2, 1]);
  expect(tensor([[[1, 2]], [[3, 4]]]).toArray()).toEqual([[[1, 2]], [[3, 4]]]);
  expect(tensor(Float32Array.of(1, 2)).shape).toEqual([2]);
  expect(values(tensor(Int16Array.of(-1, 300)))).toEqual([-1, 300]);
  expect(tensor(new Float64Array(6), { shape: [2, 3] }).shape).toEqual([2, 3]);
  expect(values(tensor({ length: 2, 0: 5, 1: 6 }))).toEqual([5, 6]);
  expect(tensor([1, 2, 3, 4], { shape: [2, 2] }).toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test("tensor: values are float32, special ones included", () => {
  expect(values(tensor([0.1, Number.NaN, -Infinity, -0, 1e40]))).toEqual([
    Math.fround(0.1),
    Number.NaN,
    -Infinity,
    -0,
    Infinity,
  ]);
});

test("tensor: size, ndim and requiresGrad", () => {
  const t = tensor(new Float32Array(6), { shape: [1, 2, 3], requiresGrad: true });
  expect(t).toMatchObject({ ndim: 3, size: 6, requiresGrad: true, grad: null });
  expect(tensor(1).requiresGrad).toBe(false);
});

test("tensor: it copies what it is given, the values and the shape", () => {
  const source = Float32Array.of(1, 2);
  const shape = [2, 1];
  const t = tensor(source, { shape });
  source[0] = 9;
  shape[0] = 9;
  expect(values(t)).toEqual([1, 2]);
  expect(t.shape).toEqual([2, 1]);
});

test("tensor: a live view may be what it is made from, even where that makes the memory grow", () => {
  const source = random([1000], 2);
  const { reserved } = memoryStats();
  const expected = values(source);
  // Only the last block holds the values; the one that grows the memory detaches the view.
  for (let i = 0; memoryStats().reserved === reserved; i++) {
    if (i > 100_000) expect.fail("the memory did not grow");
    expect(values(tensor(source.data))).toEqual(expected);
  }
});

test("tensor: ragged arrays, wrong entries and wrong shapes are named with their values", () => {
  const ragged = () => tensor([[1, 2], [3]]);
  expect(ragged).toThrow(RangeError);
  expect(ragged).toThrow("tensor: ragged nested array, expected 2 entries at depth 1, got 1 entries");
  expect(() => tensor([[1, 2], 3])).toThrow(/expected 2 entries at depth 1, got 3/);
  const text = () => tensor(["1"] as unknown as NestedArray);
  expect(text).toThrow(TypeError);
  expect(text).toThrow('tensor: expected numbers at depth 1, got "1"');
  const tooFew = () => tensor([1, 2, 3], { shape: [2, 2] });
  expect(tooFew).toThrow(RangeError);
  expect(tooFew).toThrow("tensor: shape [2, 2] holds 4 values, got 3");
});

test("shapes: sizes are positive integers, and at most 2³⁰ elements fit", () => {
  for (const shape of [[0], [2, 0, 3], [-1], [1.5], [Number.NaN], [Infinity]]) {
    expect(() => zeros(shape), String(shape)).toThrow(RangeError);
    expect(() => zeros(shape)).toThrow(`zeros: expected positive integer sizes, got shape [${shape.join(", ")}]`);
  }
  expect(() => tensor([])).toThrow(RangeError);
  expect(() => rand([2 ** 16, 2 ** 15])).toThrow("rand: expected at most 2³⁰ elements, got shape [65536, 32768]");
});

test("shapes: what is no list of sizes, and values that are no numbers, are TypeErrors; nothing is kept", () => {
  const runs: [run: () => unknown, message: string][] = [
    [() => zeros(3 as unknown as number[]), "zeros: expected a shape, a list of sizes, got 3"],
    [() => rand(undefined as unknown as number[]), "rand: expected a shape, a list of sizes, got undefined"],
    [() => tensor([1], { shape: 1 as unknown as number[] }), "tensor: expected a shape, a list of sizes, got 1"],
    [() => full([2], undefined as unknown as number), "full: expected a number, got undefined"],
    [
      () => tensor(new BigInt64Array(2) as never),
      "tensor: expected a number, nested arrays or an array of numbers, got 0n at 1",
    ],
    [
      () => tensor({ length: 1, 0: "1" } as never),
      'tensor: expected a number, nested arrays or an array of numbers, got "1" at 0',
    ],
  ];
  for (const [run, message] of runs) {
    expect(bytesKept(() => expect(run).toThrow(new TypeError(message)))).toBe(0);
  }
});

test("shapes: a refused one allocates nothing", () => {
  const kept = bytesKept(() => {
    expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow();
    expect(() => tensor([[1, 2], [3]])).toThrow();
    expect(() => zeros([0])).toThrow();
    expect(() => arange(1, 1)).toThrow();
  });
  expect(kept).toBe(0);
});

test("full, zeros, ones, eye, arange", () => {
  expect(full([2, 2], 7).toArray()).toEqual([
    [7, 7],
    [7, 7],
  ]);
  expect(values(zeros([3]))).toEqual([0, 0, 0]);
  expect(ones([2], { requiresGrad: true })).toMatchObject({ requiresGrad: true });
  expect(eye(3).toArray()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  expect(values(arange(0, 5))).toEqual([0, 1, 2, 3, 4]);
  expect(values(arange(1, 0, -0.25))).toEqual([1, 0.75, 0.5, 0.25]);
  expect(values(arange(0, 1, 0.4))).toEqual([0, 0.4, 0.8].map(Math.fround));
});

test("arange: an empty or endless one is a RangeError with its values", () => {
  for (const [start, end, step] of [
    [1, 1, 1],
    [0, 5, -1],
    [0, 5, 0],
    [0, Infinity, 1],
    [Number.NaN, 1, 1],
  ] as const) {
    expect(() => arange(start, end, step)).toThrow(RangeError);
    expect(() => arange(start, end, step)).toThrow(`got start ${start}, end ${end}, step ${step}`);
  }
});

test("rand, randn, bernoulli: ranges, moments and frequencies", () => {
  const generator = new Generator(1);
  const n = 40_000;
  const uniform = values(rand([n], { generator }));
  expect(Math.min(...uniform.slice(0, 10_000))).toBeGreaterThanOrEqual(0);
  expect(Math.max(...uniform.slice(0, 10_000))).toBeLessThan(1);
  const average = (list: number[]) => list.reduce((total, x) => total + x, 0) / list.length;
  // Five standard errors: 5·√(1/12)/√n, 5/√n, 5·√2/√n, 5·√(p(1 − p))/√n.
  const root = Math.sqrt(n);
  expect(Math.abs(average(uniform) - 0.5)).toBeLessThan(1.45 / root);
  const normal = values(randn([n], { generator }));
  expect(Math.abs(average(normal))).toBeLessThan(5 / root);
  expect(Math.abs(average(normal.map((x) => x * x)) - 1)).toBeLessThan(7.1 / root);
  const spikes = values(bernoulli(full([n], 0.3), { generator }));
  expect(spikes.every((x) => x === 0 || x === 1)).toBe(true);
  expect(Math.abs(average(spikes) - 0.3)).toBeLessThan(2.3 / root);
  expect(values(bernoulli(tensor([-1, 0, 1, 2]), { generator }))).toEqual([0, 0, 1, 1]);
});

test("rand: without a generator it draws from the default one, which manualSeed seeds", () => {
  manualSeed(5);
  const first = values(rand([6]));
  const second = values(randn([6]));
  manualSeed(5);
  expect(values(rand([6]))).toEqual(first);
  expect(values(randn([6]))).toEqual(second);
  expect(values(rand([6], { generator: new Generator(5) }))).toEqual(first);
});

test("item: the one value of a tensor of any rank, else a RangeError with the shape", () => {
  expect(tensor(4).item()).toBe(4);
  expect(tensor([[5]]).item()).toBe(5);
  expect(() => tensor([1, 2]).item()).toThrow(RangeError);
  expect(() => tensor([1, 2]).item()).toThrow("item: expected one element, got shape [2]");
});

test("reading: data is live, toFloat32Array and toArray are copies", () => {
  const t = tensor([1, 2]);
  const copy = t.toFloat32Array();
  const nested = t.toArray();
  t.data[0] = 5;
  expect(values(t)).toEqual([5, 2]);
  expect([...copy]).toEqual([1, 2]);
  expect(nested).toEqual([1, 2]);
  expect(tensor(3).toArray()).toBe(3);
});

test("copyFrom: takes arrays and tensors of the same number of values and returns the tensor", () => {
  const t = zeros([2, 2]);
  expect(t.copyFrom([1, 2, 3, 4])).toBe(t);
  expect(values(t)).toEqual([1, 2, 3, 4]);
  expect(values(t.copyFrom(tensor([5, 6, 7, 8])))).toEqual([5, 6, 7, 8]);
  expect(values(t.copyFrom(tensor([1, 2]).expand([2, 2])))).toEqual([1, 2, 1, 2]);
  expect(() => t.copyFrom([1, 2])).toThrow(RangeError);
  expect(() => t.copyFrom([1, 2])).toThrow("copyFrom: expected 4 values, got 2");
  expect(values(t)).toEqual([1, 2, 1, 2]);
});

test("copyFrom: into an expansion that is not written out yet, even where writing it out makes the memory grow", () => {
  const n = memoryStats().reserved / 4;
  const source = full([n], 3);
  const { reserved } = memoryStats();
  const pending = tensor([1]).expand([n]);
  pending.copyFrom(source);
  expect(memoryStats().reserved).toBeGreaterThan(reserved);
  expect(pending.data.every((value) => value === 3)).toBe(true);
  for (const t of [source, pending]) t.dispose();
});

test("detach and views look into their tensor, clone does not", () => {
  const t = tensor([1, 2, 3, 4]);
  const detached = t.detach();
  const view = t.reshape([2, 2]);
  const row = view.select(0, 1);
  const copy = t.clone();
  t.copyFrom([5, 6, 7, 8]);
  expect(values(detached)).toEqual([5, 6, 7, 8]);
  expect(values(row)).toEqual([7, 8]);
  expect(values(copy)).toEqual([1, 2, 3, 4]);
  row.copyFrom([0, 0]);
  expect(values(t)).toEqual([5, 6, 0, 0]);
});

test("dispose: views of a disposed tensor are freed with it, clones are not", () => {
  const t = tensor([1, 2]);
  const view = t.reshape([2, 1]);
  const copy = t.clone();
  t.dispose();
  expect(() => view.data).toThrow(/freed/);
  expect(values(copy)).toEqual([1, 2]);
});

test("takeOver: a tensor outside of tapes gives its memory up, others are copied", () => {
  const t = tensor([1, 2, 3]);
  const { live } = memoryStats();
  const next = takeOver(t);
  expect(next.toArray()).toEqual([1, 2, 3]);
  expect(() => t.toArray()).toThrow("was freed");
  t.dispose();
  expect(memoryStats().live).toBe(live);
  const kept: Tensor[] = [];
  const sources = [next.slice(0, 0, 2), parameter(tensor([4])), bernoulli(ones([3]))];
  for (const x of sources) {
    const copy = takeOver(x);
    expect(copy.toArray()).toEqual(x.toArray());
    kept.push(copy);
  }
  tape(() => kept.push(takeOver(tensor([5]))));
  expect(kept.map((x) => x.toArray())).toEqual([[1, 2], [4], [1, 1, 1], [5]]);
  for (const x of [...kept, ...sources, next]) x.dispose();
});

test("dispose: a constant expansion gives its copies back once they were written out", () => {
  const kept = bytesKept(() => {
    const t = tensor([1, 2]);
    const pending = t.expand([1000, 2]);
    const written = t.expand([1000, 2]);
    expect(written.data.length).toBe(2000);
    for (const each of [pending, written, t]) each.dispose();
  });
  expect(kept).toBe(0);
});

test("toString: shape, a few values, requiresGrad", () => {
  expect(String(tensor([1, 0.1, -2.5]))).toBe("Tensor([3], [1, 0.1, -2.5])");
  expect(String(tensor(1, { requiresGrad: true }))).toBe("Tensor([], [1], requiresGrad)");
  expect(String(arange(0, 9))).toBe("Tensor([9], [0, 1, 2, 3, 4, 5, 6, 7, …])");
});

test("memoryStats: live follows what is held, peak the most, reserved is what the platform gave", () => {
  resetPeak();
  const { live, reserved } = memoryStats();
  const t = random([10_000], 1);
  expect(memoryStats().live - live).toBeGreaterThanOrEqual(40_000);
  t.dispose();
  expect(memoryStats().live).toBe(live);
  expect(memoryStats().peak - live).toBeGreaterThanOrEqual(40_000);
  resetPeak();
  expect(memoryStats()).toEqual({ live, peak: live, reserved: expect.any(Number) });
  expect(memoryStats().reserved).toBeGreaterThanOrEqual(reserved);
});

test("tensor: console.log shows in Node what toString gives", () => {
  const t = tensor([[1, 2.5]], { requiresGrad: true });
  expect(inspect(t)).toBe("Tensor([1, 2], [1, 2.5], requiresGrad)");
  expect(inspect({ t })).toBe(`{ t: ${t} }`);
});

test("shapes: that of a tensor is frozen, whatever made it, and no other tensor's changes with it", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const made = [
    x,
    x.relu(),
    x.sum({ axis: 0 }),
    x.reshape([3, 2]),
    x.transpose(0, 1),
    x.slice(0, 0, 1),
    x.expand([4, 2, 3]),
    x.matmul(x.transpose(0, 1)),
    x.detach(),
    x.clone(),
    concat([x, x]),
    zeros([2, 3]),
    rand([2]),
    bernoulli(x),
    keep(x.unsqueeze(0)),
  ];
  for (const t of made) {
    const shape = t.shape as number[];
    expect(Object.isFrozen(shape)).toBe(true);
    expect(() => {
      shape[0] = 100000;
    }).toThrow(TypeError);
    expect(() => shape.pop()).toThrow(TypeError);
  }
  const shape = [2, 3];
  const own = zeros(shape);
  shape[0] = 7;
  expect(own.shape).toEqual([2, 3]);
});

test("tensor: arrays that hold themselves or are nested without end are RangeErrors", () => {
  const cyclic: unknown[] = [];
  cyclic[0] = cyclic;
  expect(() => tensor(cyclic as never)).toThrow(RangeError);
  let deep: unknown = 1;
  for (let i = 0; i < 5000; i++) deep = [deep];
  expect(() => tensor(deep as never)).toThrow(RangeError);
  expect(() => zeros(cyclic as never)).toThrow(RangeError);
});

test("copyFrom: values that are no numbers are TypeErrors, and nothing is written", () => {
  const x = ones([4]);
  for (const values of [
    [10, 20, 30, 4n],
    [10, 20, 30, Symbol("x")],
    "1234",
    ["1", "2", "3", "4"],
    null,
    { length: 4 },
  ]) {
    expect(() => x.copyFrom(values as never)).toThrow(TypeError);
    expect(x.toArray()).toEqual([1, 1, 1, 1]);
  }
});

test("grad: it may be set to null, as zeroGrad does, and to nothing else", () => {
  const x = ones([2], { requiresGrad: true });
  tape(() => x.sum().backward());
  expect(() => {
    x.grad = x;
  }).toThrow(TypeError);
  expect(x.grad?.toArray()).toEqual([1, 1]);
  x.grad = null;
  expect(x.grad).toBe(null);
});

test("grad: disposing of the tensor that it gave frees nothing, and it gives another one", () => {
  const x = ones([2], { requiresGrad: true });
  tape(() => x.sum().backward());
  x.grad?.dispose();
  expect(x.grad?.toArray()).toEqual([1, 1]);
  tape(() => x.sum().backward());
  expect(x.grad?.toArray()).toEqual([2, 2]);
});
