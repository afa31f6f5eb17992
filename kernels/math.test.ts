import { expect, test } from "vitest";
import { wasmHeap } from "../engine/core/memory.ts";
import { coreKernels, memory } from "../engine/core/wasm.ts";
import { compareSides, LENGTHS, numbers } from "../test/support/sides.ts";
import { expectUlp, samples } from "../test/support/ulp.ts";

const UNARY = ["exp", "log", "tanh", "sigmoid", "sqrt", "square", "abs", "relu"] as const;
const POSITIVE = new Set<string>(["log", "sqrt"]);
const PAIRS = ["maximum", "minimum", "gt", "ge", "lt", "le", "eq"] as const;
const PAIR_GRADS = ["maximumGrad", "minimumGrad"] as const;

for (const n of LENGTHS) {
  // Quarters, so that ties and the bounds of clamp occur.
  const x = numbers(n, 1).map((v) => Math.round(4 * v) / 4);
  const y = numbers(n, 2).map((v) => Math.round(4 * v) / 4);
  const positive = numbers(n, 3, 0.1, 3);
  const d = numbers(n, 4);

  test(`math: functions of one value agree with their twins, n = ${n}`, () => {
    for (const name of UNARY) {
      compareSides((side) => {
        const z = side.zeros(n);
        side.k[name](z, side.put(POSITIVE.has(name) ? positive : x), n);
        return side.read(z, n);
      });
    }
  });

  test(`math: their gradients accumulate, n = ${n}`, () => {
    for (const name of UNARY) {
      compareSides((side) => {
        const dx = side.put(d);
        side.k[`${name}Grad`](dx, side.put(y), side.put(POSITIVE.has(name) ? positive : x), n);
        return side.read(dx, n);
      });
    }
  });

  test(`math: functions of two values and their gradients agree, n = ${n}`, () => {
    for (const name of PAIRS) {
      compareSides((side) => {
        const [z, all] = [side.zeros(n), side.zeros(n)];
        side.k[name](z, side.put(x), side.put(y), n);
        side.k[name](all, side.put(x), side.put([x[0] ?? 0]), n, 1);
        return [...side.read(z, n), ...side.read(all, n)];
      });
    }
    for (const name of PAIR_GRADS) {
      compareSides((side) => {
        const [dx, all] = [side.put(d), side.put(d)];
        side.k[name](dx, side.put(positive), side.put(x), side.put(y), n);
        side.k[name](all, side.put(positive), side.put(x), side.put([x[0] ?? 0]), n, 1);
        return [...side.read(dx, n), ...side.read(all, n)];
      });
    }
  });

  test(`math: clamp and its gradient agree, n = ${n}`, () => {
    for (const [low, high] of [
      [-0.5, 1],
      [-Infinity, 0.25],
      [0, Infinity],
    ] as const) {
      compareSides((side) => {
        const z = side.zeros(n);
        const dx = side.put(d);
        side.k.clamp(z, side.put(x), n, low, high);
        side.k.clampGrad(dx, side.put(y), side.put(x), n, low, high);
        return [...side.read(z, n), ...side.read(dx, n)];
      });
    }
  });
}

test("math: where takes the bits of one of two values, the first for whatever is not 0", () => {
  const condition = [1, 0, -0, NaN, -3, 1e-45, Infinity, 0, 0];
  compareSides((side) => {
    const z = side.zeros(9);
    const x = side.put([1, 2, 3, NaN, -0, 6, Infinity, 8, 9]);
    side.k.where(z, side.put(condition), x, side.put([NaN, -2, -Infinity, -4, -5, -6, -7, -0, NaN]), 9);
    const got = side.read(z, 9);
    expect(got).toEqual([1, -2, -Infinity, NaN, -0, 6, Infinity, -0, NaN]);
    return got;
  });
});

test("math: the gradient of relu passes where NaN came out, as in PyTorch", () => {
  compareSides((side) => {
    const dx = side.zeros(3);
    side.k.reluGrad(dx, side.put([1, 2, 3]), side.put([NaN, 0, 1]), 3);
    const got = side.read(dx, 3);
    expect(got).toEqual([1, 0, 3]);
    return got;
  });
});

test("math: NaN and infinities go where they should", () => {
  const x = [NaN, 1, NaN, Infinity, -Infinity, 0];
  const y = [1, NaN, NaN, -Infinity, Infinity, 0];
  for (const name of [...UNARY, ...PAIRS, ...PAIR_GRADS]) {
    compareSides((side) => {
      const z = side.zeros(x.length);
      if (name === "maximumGrad" || name === "minimumGrad")
        side.k[name](z, side.put([1, 2, 3, 4, 5, 6]), side.put(x), side.put(y), 6);
      else if ((UNARY as readonly string[]).includes(name)) side.k[name as "exp"](z, side.put(x), x.length);
      else side.k[name as "gt"](z, side.put(x), side.put(y), x.length);
      return side.read(z, x.length);
    });
  }
  compareSides((side) => {
    const z = side.zeros(x.length);
    side.k.clamp(z, side.put(x), x.length, -1, 1);
    side.k.clampGrad(z, side.put(y), side.put(x), x.length, -1, 1);
    return side.read(z, x.length);
  });
});

test("math: a gradient that is not finite passes where a finite one does, and by halves at ties", () => {
  const x = [1, 2, -1, 0, NaN, 3, Infinity, -Infinity];
  const y = [1, 1, 1, 0, 1, NaN, Infinity, 0];
  const halves = [0.5, 1, 0, 0.5, 1, 1, 0.5, 0];
  for (const value of [Infinity, -Infinity, NaN]) {
    const dz = new Array<number>(8).fill(value);
    for (const name of PAIR_GRADS) {
      compareSides((side) => {
        const dx = side.zeros(8);
        const operands = name === "maximumGrad" ? [x, y] : [x.map((v) => -v), y.map((v) => -v)];
        side.k[name](dx, side.put(dz), side.put(operands[0] as number[]), side.put(operands[1] as number[]), 8);
        expect(side.read(dx, 8)).toEqual(halves.map((half) => (half === 0 ? 0 : value)));
        return [];
      });
    }
    compareSides((side) => {
      const dx = side.zeros(8);
      side.k.absGrad(dx, side.put(dz), side.put(x), 8);
      expect(side.read(dx, 8)).toEqual([value, value, -value, 0, 0, value, value, -value]);
      return [];
    });
  }
});

/** The results of the kernel for float32 numbers. */
function run(name: (typeof UNARY)[number], x: Float32Array): Float32Array {
  const bytes = 4 * x.length;
  const from = wasmHeap.allocate(bytes);
  const to = wasmHeap.allocate(bytes);
  new Float32Array(memory.buffer, from, x.length).set(x);
  coreKernels[name](to, from, x.length);
  const z = new Float32Array(memory.buffer, to, x.length).slice();
  wasmHeap.release(from, bytes);
  wasmHeap.release(to, bytes);
  return z;
}

const ACCURACY = [
  { name: "exp", f: Math.exp, low: -106, high: 89, ulp: 1 },
  { name: "log", f: Math.log, low: 0.4, high: 2.5, ulp: 1 },
  { name: "tanh", f: Math.tanh, low: -10, high: 10, ulp: 1 },
  { name: "sigmoid", f: (x: number) => 1 / (1 + Math.exp(-x)), low: -106, high: 20, ulp: 2 },
  { name: "sqrt", f: Math.sqrt, low: 0, high: 4, ulp: 0 },
] as const;

for (const { name, f, low, high, ulp } of ACCURACY) {
  test(`math: ${name} is at most ${ulp} ulp off on all of float32`, () => {
    const x = samples(low, high);
    expectUlp(name, run(name, x), x, f, ulp);
  });
}

test("math: special values", () => {
  const at = (name: (typeof UNARY)[number], x: number) => run(name, new Float32Array([x]))[0];
  expect(at("exp", Infinity)).toBe(Infinity);
  expect(at("exp", -Infinity)).toBe(0);
  expect(at("exp", 88.73)).toBe(Infinity);
  expect(at("exp", -103)).toBe(Math.fround(Math.exp(-103)));
  expect(at("exp", -1e30)).toBe(0);
  expect(at("log", 0)).toBe(-Infinity);
  expect(at("log", -0)).toBe(-Infinity);
  expect(at("log", -1)).toBeNaN();
  expect(at("log", -Infinity)).toBeNaN();
  expect(at("log", Infinity)).toBe(Infinity);
  expect(at("log", 1)).toBe(0);
  expect(at("sigmoid", 1e30)).toBe(1);
  expect(at("sigmoid", -1e30)).toBe(0);
  expect(at("tanh", 1e30)).toBe(1);
  expect(at("tanh", -Infinity)).toBe(-1);
  expect(at("tanh", -0)).toBe(-0);
});

test("math: a tail gives the bits that a whole vector gives", () => {
  for (const name of UNARY) {
    const x = Float32Array.from(numbers(103, 9, 0.01, 5));
    const all = run(name, x);
    x.forEach((value, i) => expect(run(name, Float32Array.of(value))[0]).toBe(all[i]));
  }
});
