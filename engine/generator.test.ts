/** The random stream: a seed determines every number, from the start and from any saved state. */
import { expect, test } from "vitest";
import { bytesKept, values } from "../test/support/tensors.ts";
import {
  bernoulli,
  Conv2d,
  DataLoader,
  Dropout,
  dropout,
  Embedding,
  full,
  Generator,
  gradcheck,
  Linear,
  rand,
  randn,
  type Tensor,
  TensorDataset,
  tensor,
} from "./index.ts";

const half = full([4], 0.5);

test("generator: the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: number) => values(rand([20], { generator: new Generator(seed) }));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  expect(draw(2 ** 32 + 1)).not.toEqual(draw(1));
  expect(draw(-1)).toEqual(draw(-1));
  expect(draw(0)).not.toEqual(draw(-1));
});

test("generator: seed starts anew and returns the generator", () => {
  const generator = new Generator(3);
  const first = values(randn([5], { generator }));
  expect(generator.seed(3)).toBe(generator);
  expect(values(randn([5], { generator }))).toEqual(first);
});

test("generator: pinned numbers of seed 0 and of a large seed", () => {
  // 24 high bits of Philox 4×32-10 with counter 0 and key 0: 6627e8d5, e169c58d, bc57ac4c, 9b00dbd8.
  expect(values(rand([4], { generator: new Generator(0) }))).toEqual(
    [0x6627e8, 0xe169c5, 0xbc57ac, 0x9b00db].map((word) => word / 2 ** 24),
  );
});

test("generator: random() is the number that rand([1]) draws, a float32 in [0, 1), and takes as much of the stream", () => {
  const [a, b] = [new Generator(0), new Generator(0)];
  expect(a.random()).toBe(0x6627e8 / 2 ** 24);
  expect(b.random()).toBe(0x6627e8 / 2 ** 24);
  for (let i = 0; i < 1000; i++) {
    const number = a.random();
    expect(number).toBe(rand([1], { generator: b }).item());
    expect(number >= 0 && number < 1 && Math.fround(number) === number).toBe(true);
  }
  expect(a.getState()).toEqual(b.getState());
  gradcheck(
    (x: Tensor) => {
      const state = b.getState();
      expect(b.random()).toBe(rand([1], { generator: b.setState(state) }).item());
      return x.mul(2);
    },
    [tensor([1])],
  );
});

test("generator: random() allocates nothing, also where memory has grown since the last call", () => {
  const generator = new Generator(5);
  const twin = new Generator(5);
  expect(bytesKept(() => generator.random())).toBe(0);
  twin.setState(generator.getState());
  const large = full([2 ** 22], 1);
  expect(generator.random()).toBe(rand([1], { generator: twin }).item());
  large.dispose();
});

test("generator: a saved state continues where it was taken, after draws of every kind", () => {
  const generator = new Generator(4);
  rand([7], { generator });
  randn([3], { generator });
  bernoulli(full([5], 0.5), { generator });
  generator.permutation(6);
  const state = generator.getState();
  const next = () => [
    values(rand([5], { generator })),
    values(randn([5], { generator })),
    Array.from(generator.permutation(9)),
  ];
  const expected = next();
  expect(generator.setState(state)).toBe(generator);
  expect(next()).toEqual(expected);
  const other = new Generator(99).setState(JSON.parse(JSON.stringify(state)) as typeof state);
  expect(values(rand([5], { generator: other }))).toEqual(expected[0]);
});

test("generator: a state is a copy, which later draws do not change", () => {
  const generator = new Generator(5);
  const state = generator.getState();
  rand([100], { generator });
  expect(generator.getState()).not.toEqual(state);
  expect(state).toEqual(new Generator(5).getState());
});

test("generator: a permutation holds every index once, for lengths from 0 on", () => {
  const generator = new Generator(6);
  for (const n of [0, 1, 2, 3, 5, 8, 1003]) {
    const order = generator.permutation(n);
    expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
  }
});

test("generator: permutations of three are about equally frequent", () => {
  const generator = new Generator(7);
  const counts = new Map<string, number>();
  const draws = 6000;
  for (let i = 0; i < draws; i++) {
    const key = generator.permutation(3).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  // Five standard deviations of a count with p = 1/6.
  for (const count of counts.values())
    expect(Math.abs(count - draws / 6)).toBeLessThan(5 * Math.sqrt((draws * 5) / 36));
});

test("generator: a permutation keeps no linear memory", () => {
  expect(bytesKept(() => void new Generator(8).permutation(1000))).toBe(0);
});

test("generator: a state that no generator can have is an error with its value, and changes nothing", () => {
  const generator = new Generator(9);
  rand([6], { generator });
  const state = generator.getState();
  let reads = 0;
  const changing = Object.defineProperty([1, 2], 0, { get: () => (reads++ === 0 ? 1.5 : 1) });
  const wrong: [state: unknown, error: Error][] = [
    [null, new TypeError("Generator: expected the state of a generator, got null")],
    [3, new TypeError("Generator: expected the state of a generator, got 3")],
    [{}, new TypeError("Generator: expected key as a list of numbers, got undefined")],
    [{ key: [1], block: 0 }, new RangeError("Generator: key must have 2 entries, got 1")],
    [{ key: [1, 2, 3], block: 0 }, new RangeError("Generator: key must have 2 entries, got 3")],
    [{ key: [1, 2 ** 31], block: 0 }, new RangeError("Generator: key[1] must be a 32-bit integer, got 2147483648")],
    [{ key: [0.5, 1], block: 0 }, new RangeError("Generator: key[0] must be a 32-bit integer, got 0.5")],
    [{ key: changing, block: 0 }, new RangeError("Generator: key[0] must be a 32-bit integer, got 1.5")],
    [{ key: ["1", 2], block: 0 }, new TypeError('Generator: expected key[0] as a number, got "1"')],
    [{ key: [1, 2], block: -1 }, new RangeError("Generator: block must be a number of blocks, got -1")],
    [{ key: [1, 2], block: 2 ** 53 }, new RangeError(`Generator: block must be a number of blocks, got ${2 ** 53}`)],
    [{ key: [1, 2], block: "3" }, new TypeError('Generator: expected block as a number, got "3"')],
    [{ key: [1, 2], block: 3n }, new TypeError("Generator: expected block as a number, got 3n")],
  ];
  for (const [each, error] of wrong) {
    expect(() => generator.setState(each as typeof state)).toThrow(error);
    expect(generator.getState()).toEqual(state);
  }
});

test("generator: a seed that is not an integer is an error with its value", () => {
  for (const seed of [0.5, Number.NaN, Infinity, 2 ** 53]) {
    expect(() => new Generator(seed)).toThrow(
      new RangeError(`Generator: seed must be an integer below 2⁵³ in magnitude, got ${seed}`),
    );
  }
  for (const seed of ["1", 1n, null, Symbol("seed")]) {
    expect(() => new Generator(seed as never)).toThrow(/^Generator: expected seed as a number, got /);
  }
});

test("generator: a length that makes no sense is refused, and nothing is drawn", () => {
  const generator = new Generator(5);
  const before = generator.getState();
  for (const n of [-1, 1.5, NaN, Infinity, 2 ** 31]) {
    const message = `permutation: n must be an integer in [0, 2³⁰], got ${n}`;
    expect(() => generator.permutation(n)).toThrow(new RangeError(message));
  }
  expect(() => generator.permutation("3" as never)).toThrow(TypeError);
  expect(generator.getState()).toEqual(before);
});

test("generator: what is none is a TypeError that says who wants one; nothing is kept", () => {
  const wrong = { generator: 5 as unknown as Generator };
  const runs: Record<string, () => unknown> = {
    rand: () => rand([2], wrong),
    randn: () => randn([2], wrong),
    bernoulli: () => bernoulli(half, wrong),
    dropout: () => dropout(half, wrong),
    Dropout: () => new Dropout(0.5, wrong),
    Linear: () => new Linear(2, 2, wrong),
    Conv2d: () => new Conv2d(2, 2, 2, wrong),
    Embedding: () => new Embedding(2, 2, wrong),
    DataLoader: () => new DataLoader(new TensorDataset(new Float32Array(2), [0, 1]), wrong),
  };
  for (const [name, run] of Object.entries(runs)) {
    const kept = bytesKept(() => {
      expect(run).toThrow(TypeError);
      expect(run).toThrow(new RegExp(`^${name}: expected (a Generator|generator of type object), got 5$`));
    });
    expect(kept, name).toBe(0);
  }
});
