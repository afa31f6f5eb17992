import { expect, test } from "vitest";
import { wasmHeap } from "../engine/core/memory.ts";
import { coreKernels, memory } from "../engine/core/wasm.ts";
import { compareSides, LENGTHS, numbers } from "../test/support/sides.ts";
import { expectUlp, samples } from "../test/support/ulp.ts";
import * as codes from "./codes.ts";

type Name = keyof typeof codes;

interface Numbers {
  /** The second operand if it is a number. */
  p?: number;
  q?: number;
}

/** A function, and the range of x in which it is compared with its twin. */
interface Row extends Numbers {
  name: Name;
  low?: number;
  /** Number of derivatives that follow it; 0 if it is a derivative itself. */
  derivatives?: number;
}

/** Every function with a single number y; those of two tensors follow below. */
const ROWS: readonly Row[] = [
  { name: "SIN" },
  { name: "COS" },
  { name: "ERF" },
  { name: "GELU" },
  { name: "GATED", p: 1 },
  { name: "GATED", p: 1.5957691, q: 0.0713548 },
  { name: "SOFTPLUS", p: 1, q: 20 },
  { name: "SOFTPLUS", p: 2.5, q: 1 },
  { name: "SOFTPLUS", p: -1, q: Infinity },
  { name: "ELU", p: 1 },
  { name: "ELU", p: -0.5 },
  { name: "LEAKY_RELU", p: 0.01 },
  { name: "LEAKY_RELU", p: 0 },
  { name: "LOG1P", low: -0.9 },
  { name: "RECIPROCAL", low: 0.1 },
  { name: "RSQRT", low: 0.1 },
  { name: "POW", p: 3 },
  { name: "POW", p: -2 },
  { name: "POW", p: 0 },
  { name: "POW", p: 1.7, low: 0.1 },
  { name: "ATAN2", p: 1 },
  { name: "ATAN2", p: -0.75 },
  { name: "FLOOR" },
  { name: "ROUND" },
  { name: "SIGN" },
  { name: "CHOICE", p: 2, q: -3, derivatives: 0 },
  { name: "INSIDE", p: -0.5, q: 1, derivatives: 0 },
];

const PAIRS: readonly Row[] = [
  { name: "POW", low: 0.1, derivatives: 2 },
  { name: "ATAN2", derivatives: 2 },
  { name: "CHOICE", q: -3, derivatives: 0 },
];

const quarters = (x: number[]) => x.map((v) => Math.round(4 * v) / 4);
const titleOf = ({ name, p, q }: Row) =>
  `${name}${p === undefined ? "" : ` p=${p}`}${q === undefined ? "" : ` q=${q}`}`;

test("formula: every code has a row", () => {
  const named = new Set<string>([...ROWS, ...PAIRS].map(({ name }) => name));
  expect(Object.keys(codes).filter((name) => !named.has(name))).toEqual([]);
});

for (const n of LENGTHS) {
  test(`formula: each function and its derivative agree with their twins, n = ${n}`, () => {
    for (const row of ROWS) {
      const { name, p = 0, q = 0, low = -3, derivatives = 1 } = row;
      const x = low > -3 ? numbers(n, 1, low, 3) : quarters(numbers(n, 1, low, 3));
      compareSides((side) => {
        const z = side.zeros(n);
        side.k.formula(codes[name], z, side.put(x), 0, n, p, q);
        return side.read(z, n);
      });
      const f = codes[name] + derivatives;
      compareSides((side) => {
        const dx = side.put(numbers(n, 2));
        side.k.formulaGrad(f, dx, side.put(numbers(n, 3)), side.put(x), 0, n, p, q);
        return side.read(dx, n);
      });
    }
  });

  test(`formula: functions of two arrays and their derivatives agree, n = ${n}`, () => {
    for (const { name, q = 0, low = -3, derivatives = 0 } of PAIRS) {
      const x = numbers(n, 4, low, 3);
      const y = numbers(n, 5, -3, 3);
      compareSides((side) => {
        const z = side.zeros(n);
        side.k.formula(codes[name], z, side.put(x), side.put(y), n, 7, q);
        return side.read(z, n);
      });
      for (let which = 1; which <= derivatives; which++) {
        compareSides((side) => {
          const dx = side.put(numbers(n, 2));
          const dz = side.put(numbers(n, 3));
          side.k.formulaGrad(codes[name] + which, dx, dz, side.put(x), side.put(y), n, 7, q);
          return side.read(dx, n);
        });
      }
    }
  });
}

/** The results of the kernel for float32 numbers. */
function run(f: number, x: Float32Array, { p = 0, q = 0 }: Numbers = {}, y?: Float32Array): Float32Array {
  const bytes = 4 * x.length;
  const [from, second, to] = [0, 0, 0].map(() => wasmHeap.allocate(bytes)) as [number, number, number];
  new Float32Array(memory.buffer, from, x.length).set(x);
  if (y !== undefined) new Float32Array(memory.buffer, second, x.length).set(y);
  coreKernels.formula(f, to, from, y === undefined ? 0 : second, x.length, p, q);
  const z = new Float32Array(memory.buffer, to, x.length).slice();
  for (const address of [from, second, to]) wasmHeap.release(address, bytes);
  return z;
}

/** erf and 1 − erf in float64: the series below 2.5, the continued fraction beyond. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a >= 2.5) return Math.sign(x) * (1 - erfc(a));
  let term = x;
  let sum = x;
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function erfc(x: number): number {
  if (x < 2.5) return 1 - erf(x);
  let tail = 0;
  for (let n = 150; n > 0; n--) tail = n / 2 / (x + tail);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + tail);
}

const normal = (x: number) => erfc(-x / Math.SQRT2) / 2;
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

interface Accuracy extends Numbers {
  what: string;
  f: number;
  exact: (x: number) => number;
  /** Range with many samples. */
  low: number;
  high: number;
  ulp: number;
}

const ACCURACY: readonly Accuracy[] = [
  { what: "sin", f: codes.SIN, exact: Math.sin, low: -20, high: 20, ulp: 1 },
  { what: "sin near 10⁴", f: codes.SIN, exact: Math.sin, low: 9e3, high: 1e4, ulp: 1 },
  { what: "cos", f: codes.COS, exact: Math.cos, low: -20, high: 20, ulp: 1 },
  { what: "−sin", f: codes.COS + 1, exact: (x) => -Math.sin(x), low: -20, high: 20, ulp: 1 },
  { what: "erf", f: codes.ERF, exact: erf, low: -5, high: 5, ulp: 1 },
  { what: "gelu", f: codes.GELU, exact: (x) => (x === -Infinity ? NaN : x * normal(x)), low: -14, high: 8, ulp: 1 },
  {
    what: "silu",
    f: codes.GATED,
    p: 1,
    exact: (x) => (x === -Infinity ? NaN : x * sigmoid(x)),
    low: -104,
    high: 20,
    ulp: 1,
  },
  { what: "softplus", f: codes.SOFTPLUS, p: 1, q: Infinity, exact: softplus, low: -104, high: 20, ulp: 1 },
  {
    what: "logSigmoid",
    f: codes.SOFTPLUS,
    p: -1,
    q: Infinity,
    exact: (x) => -softplus(-x),
    low: -20,
    high: 104,
    ulp: 1,
  },
  { what: "elu", f: codes.ELU, p: 1, exact: (x) => (x > 0 ? x : Math.expm1(x)), low: -20, high: 1, ulp: 1 },
  { what: "log1p", f: codes.LOG1P, exact: Math.log1p, low: -1, high: 2, ulp: 1 },
  { what: "reciprocal", f: codes.RECIPROCAL, exact: (x) => 1 / x, low: 0, high: 4, ulp: 0 },
  { what: "rsqrt", f: codes.RSQRT, exact: (x) => 1 / Math.sqrt(x), low: 0, high: 4, ulp: 0 },
  { what: "x³", f: codes.POW, p: 3, exact: (x) => x ** 3, low: -4, high: 4, ulp: 1 },
  { what: "x⁻⁵", f: codes.POW, p: -5, exact: (x) => x ** -5, low: -4, high: 4, ulp: 1 },
  { what: "x^1.75", f: codes.POW, p: 1.75, exact: (x) => x ** 1.75, low: 0, high: 4, ulp: 1 },
  { what: "x^−0.375", f: codes.POW, p: -0.375, exact: (x) => x ** -0.375, low: 0, high: 4, ulp: 1 },
  { what: "atan", f: codes.ATAN2, p: 1, exact: Math.atan, low: -10, high: 10, ulp: 1 },
  { what: "atan2(x, −2)", f: codes.ATAN2, p: -2, exact: (x) => Math.atan2(x, -2), low: -10, high: 10, ulp: 1 },
  { what: "floor", f: codes.FLOOR, exact: Math.floor, low: -4, high: 4, ulp: 0 },
];

test.each(ACCURACY)("formula: $what is at most $ulp ulp off on all of float32", (row) => {
  const x = samples(row.low, row.high);
  expectUlp(row.what, run(row.f, x, row), x, row.exact, row.ulp);
});

test("formula: the derivative of gelu keeps its digits in the tails", () => {
  // Between −2 and 0 its two parts cancel.
  for (const [low, high] of [
    [-14, -2],
    [0, 8],
  ] as const) {
    const x = Float32Array.from(numbers(20_000, 8, low, high));
    expectUlp("gelu′", run(codes.GELU + 1, x), x, (v) => normal(v) + v * density(v), 2);
  }
});

test("formula: pow and atan2 of two arrays are at most 1 ulp off", () => {
  const x = Float32Array.from(numbers(50_000, 9, 0, 30));
  const y = Float32Array.from(numbers(50_000, 10, -30, 30));
  let i = 0;
  expectUlp("pow", run(codes.POW, x, {}, y), x, (v) => v ** (y[i++] as number), 1);
  const a = Float32Array.from(numbers(50_000, 11, -3, 3));
  i = 0;
  expectUlp("atan2", run(codes.ATAN2, a, {}, y), a, (v) => Math.atan2(v, y[i++] as number), 1);
});

test("formula: the sine of large numbers is reduced exactly", () => {
  // Computed with 250 digits. The first is the float32 that is relatively nearest to a multiple of π/2.
  const exact: readonly [x: number, sin: number, cos: number][] = [
    [7.729178919452902e28, 1, -1.614769798247621e-9],
    [3.4028234663852886e38, -0.5218765233336585, 0.8530210398303042],
    [9.999999778196308e21, -0.7340815352961015, 0.679061337095051],
    [-1.0000000150474662e30, 0.7911634385219837, -0.6116047854178966],
    [10000.5, -0.7246894586135744, -0.6890756043964729],
    [710, 6.0288706691585265e-5, 0.999999998182636],
    [3.1415927410125732, -8.742278000372475e-8, -0.9999999999999962],
    [1.5707963705062866, 0.999999999999999, -4.371139000186241e-8],
    [9.999999682655225e-21, 9.999999682655225e-21, 1],
  ];
  for (const [x, sine, cosine] of exact) {
    const at = Float32Array.of(x);
    expectUlp(`sin(${x})`, run(codes.SIN, at), at, () => sine, 1);
    expectUlp(`cos(${x})`, run(codes.COS, at), at, () => cosine, 1);
  }
});

test("formula: special values are those of PyTorch, without its overflows on the way", () => {
  const inf = Infinity;
  const ln2 = Math.LN2;
  const x = [-inf, -1e30, -100, -0, 0, 100, 1e30, inf, NaN];
  const expected: readonly [f: number, numbers: Numbers, z: number[]][] = [
    [codes.SIN, {}, [NaN, 0.79116344, 0.50636566, -0, 0, -0.50636566, -0.79116344, NaN, NaN]],
    [codes.ERF, {}, [-1, -1, -1, -0, 0, 1, 1, 1, NaN]],
    [codes.ERF + 1, {}, [0, 0, 0, 1.1283792, 1.1283792, 0, 0, 0, NaN]],
    [codes.GELU, {}, [NaN, -0, -0, -0, 0, 100, 1e30, inf, NaN]],
    [codes.GELU + 1, {}, [NaN, 0, 0, 0.5, 0.5, 1, 1, NaN, NaN]],
    [codes.GATED, { p: 1 }, [NaN, -0, -3.783506e-42, -0, 0, 100, 1e30, inf, NaN]],
    [codes.GATED, { p: 1.6, q: 0.07 }, [NaN, -0, -0, -0, 0, 100, 1e30, inf, NaN]],
    [codes.GATED + 1, { p: 1 }, [NaN, 0, -3.745671e-42, 0.5, 0.5, 1, 1, NaN, NaN]],
    [codes.SOFTPLUS, { p: 1, q: 20 }, [0, 0, 3.783506e-44, ln2, ln2, 100, 1e30, inf, NaN]],
    [codes.SOFTPLUS + 1, { p: 1, q: 20 }, [0, 0, 3.783506e-44, 0.5, 0.5, 1, 1, 1, NaN]],
    [codes.SOFTPLUS, { p: -1, q: inf }, [-inf, -1e30, -100, -ln2, -ln2, -3.783506e-44, 0, 0, NaN]],
    [codes.SOFTPLUS + 1, { p: -1, q: inf }, [1, 1, 1, 0.5, 0.5, 3.783506e-44, 0, 0, NaN]],
    [codes.ELU, { p: 1 }, [-1, -1, -1, 0, 0, 100, 1e30, inf, NaN]],
    [codes.ELU + 1, { p: 2 }, [0, 0, 7.567012e-44, 2, 2, 1, 1, 1, 1]],
    [codes.LEAKY_RELU, { p: 0.5 }, [-inf, -5e29, -50, -0, 0, 100, 1e30, inf, NaN]],
    [codes.LEAKY_RELU + 1, { p: 0.5 }, [0.5, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 0.5]],
    [codes.LOG1P, {}, [NaN, NaN, NaN, -0, 0, 4.6151204, 69.07755, inf, NaN]],
    [codes.RECIPROCAL, {}, [-0, -1e-30, -0.01, -inf, inf, 0.01, 1e-30, 0, NaN]],
    [codes.RSQRT, {}, [NaN, NaN, NaN, -inf, inf, 0.1, 1e-15, 0, NaN]],
    [codes.ATAN2, { p: 1 }, [-1.5707964, -1.5707964, -1.5607966, -0, 0, 1.5607966, 1.5707964, 1.5707964, NaN]],
    [codes.SIGN, {}, [-1, -1, -1, 0, 0, 1, 1, 1, 0]],
    [codes.FLOOR, {}, [-inf, -1e30, -100, -0, 0, 100, 1e30, inf, NaN]],
    [codes.INSIDE, { p: 0, q: 100 }, [0, 0, 0, 0, 0, 0, 0, 0, 1]],
    [codes.INSIDE, { p: -1, q: inf }, [0, 0, 0, 1, 1, 1, 1, 0, 1]],
    [codes.CHOICE, { p: 1, q: 2 }, [1, 1, 1, 2, 2, 1, 1, 1, 1]],
    [codes.LOG1P + 1, {}, [-0, -1e-30, -0.01010101, 1, 1, 0.00990099, 1e-30, 0, NaN]],
  ];
  for (const [f, numbers, z] of expected) {
    const got = run(f, Float32Array.from(x), numbers);
    for (const [i, value] of z.entries()) {
      const what = `${f} of ${x[i]} with ${JSON.stringify(numbers)}`;
      if (Math.abs(value) > 0 && Math.abs(value) < Infinity) {
        expect(Math.abs((got[i] as number) / value - 1), `${what}: ${got[i]}`).toBeLessThan(
          Math.abs(value) < 1e-38 ? 0.02 : 1e-6,
        );
      } else expect(got[i], what).toBe(value);
    }
  }
  expect(Array.from(run(codes.LOG1P, Float32Array.of(-1, -1.5, 1e-30)))).toEqual([-inf, NaN, Math.fround(1e-30)]);
  expect(Array.from(run(codes.ELU, Float32Array.of(-1e-30), { p: 1 }))).toEqual([Math.fround(-1e-30)]);
  const halves = [-2.5, -1.5, -0.5, -0.3, 0.5, 1.5, 2.5, 8388609];
  expect(Array.from(run(codes.ROUND, Float32Array.from(halves)))).toEqual([-2, -2, -0, -0, 0, 2, 2, 8388609]);
});

test("formula: pow at zeros, negative bases, infinities and NaN is that of PyTorch", () => {
  const inf = Infinity;
  const x = [-inf, -2, -1, -0.5, -0, 0, 0.5, 1, 2, inf, NaN];
  const expected: readonly [y: number, z: number[]][] = [
    [0, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    [1, [-inf, -2, -1, -0.5, -0, 0, 0.5, 1, 2, inf, NaN]],
    [2, [inf, 4, 1, 0.25, 0, 0, 0.25, 1, 4, inf, NaN]],
    [3, [-inf, -8, -1, -0.125, -0, 0, 0.125, 1, 8, inf, NaN]],
    [-1, [-0, -0.5, -1, -2, -inf, inf, 2, 1, 0.5, 0, NaN]],
    [-2, [0, 0.25, 1, 4, inf, inf, 4, 1, 0.25, 0, NaN]],
    [-3, [-0, -0.125, -1, -8, -inf, inf, 8, 1, 0.125, 0, NaN]],
    [0.5, [inf, NaN, NaN, NaN, 0, 0, Math.fround(Math.SQRT1_2), 1, Math.fround(Math.SQRT2), inf, NaN]],
    [inf, [inf, inf, 1, 0, 0, 0, 0, 1, inf, inf, NaN]],
    [-inf, [0, 0, 1, inf, inf, inf, inf, 1, 0, 0, NaN]],
    [NaN, [NaN, NaN, NaN, NaN, NaN, NaN, NaN, 1, NaN, NaN, NaN]],
  ];
  for (const [y, z] of expected) {
    expect(Array.from(run(codes.POW, Float32Array.from(x), { p: y })), `x^${y}`).toEqual(z);
    const ys = Float32Array.from(x, () => y);
    expect(Array.from(run(codes.POW, Float32Array.from(x), {}, ys)), `x^y, y = ${y}`).toEqual(z);
  }
  // With respect to x, and with respect to y.
  const slope = (which: number, y: number) => Array.from(run(codes.POW + which, Float32Array.from(x), { p: y }));
  expect(slope(1, 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(slope(1, 1)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect(slope(1, 2)).toEqual([-inf, -4, -2, -1, -0, 0, 1, 2, 4, inf, NaN]);
  expect(slope(1, -1)).toEqual([-0, -0.25, -1, -4, -inf, -inf, -4, -1, -0.25, -0, NaN]);
  const ln2 = Math.fround(Math.LN2);
  expect(slope(2, 0)).toEqual([NaN, NaN, NaN, NaN, 0, 0, -ln2, 0, ln2, inf, NaN]);
  expect(slope(2, 2).slice(0, 6)).toEqual([NaN, NaN, NaN, NaN, 0, 0]);
  expect(slope(2, -1).slice(0, 6)).toEqual([NaN, NaN, NaN, NaN, inf, -inf]);
});

test("formula: a power that is a float32 is exact", () => {
  for (let base = 2; base <= 40; base++) {
    for (let y = 1; base ** y < 2 ** 24; y++) {
      const got = run(codes.POW, Float32Array.of(base, -base, 1 / base), { p: y });
      expect(Array.from(got.subarray(0, 2)), `${base}^${y}`).toEqual([base ** y, (-base) ** y]);
    }
  }
  expect(run(codes.POW, Float32Array.of(2), { p: -149 })[0]).toBe(2 ** -149);
  expect(run(codes.POW, Float32Array.of(2), { p: 127 })[0]).toBe(2 ** 127);
  expect(run(codes.POW, Float32Array.of(2), { p: 128 })[0]).toBe(Infinity);
  expect(run(codes.POW, Float32Array.of(2), { p: -151 })[0]).toBe(0);
});

test("formula: atan2 in all directions, with zeros and infinities, is that of ECMAScript", () => {
  const values = [-Infinity, -3, -1, -0, 0, 1e-40, 1, 3e38, Infinity, NaN];
  for (const x of values) {
    for (const y of values) {
      const [z] = run(codes.ATAN2, Float32Array.of(x), {}, Float32Array.of(y));
      const exact = Math.fround(Math.atan2(Math.fround(x), Math.fround(y)));
      if (Number.isNaN(exact) || exact === 0) expect(z, `atan2(${x}, ${y})`).toBe(exact);
      else expect(Math.abs((z as number) / exact - 1), `atan2(${x}, ${y})`).toBeLessThan(1.2e-7);
    }
  }
});

test("formula: where the derivative is 0 nothing passes, not even NaN or ∞", () => {
  compareSides((side) => {
    const dx = side.put([1, 2, 3, 4]);
    const dz = side.put([NaN, Infinity, NaN, 1]);
    side.k.formulaGrad(codes.LEAKY_RELU + 1, dx, dz, side.put([-1, -1, 1, 1]), 0, 4, 0, 0);
    const got = side.read(dx, 4);
    expect(got).toEqual([1, 2, NaN, 5]);
    return got;
  });
  compareSides((side) => {
    const dx = side.put([1, 2, 3]);
    for (const f of [codes.FLOOR, codes.ROUND, codes.SIGN]) {
      side.k.formulaGrad(f + 1, dx, side.put([NaN, 1, Infinity]), side.put([0.5, 1, 2]), 0, 3, 0, 0);
    }
    return side.read(dx, 3);
  });
});

test("formula: a tail gives the bits that a whole vector gives, in place too", () => {
  for (const row of ROWS) {
    const x = Float32Array.from(numbers(51, 9, row.low ?? -3, 5));
    const f = codes[row.name];
    const all = run(f, x, row);
    x.forEach((value, i) => expect(run(f, Float32Array.of(value), row)[0], titleOf(row)).toBe(all[i]));
  }
  compareSides((side) => {
    const x = side.put([0.5, 1, -2]);
    side.k.formula(codes.GELU, x, x, 0, 3, 0, 0);
    return side.read(x, 3);
  });
});
