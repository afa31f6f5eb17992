import { expect, test } from "vitest";
import { wasmHeap } from "../engine/core/memory.ts";
import { coreKernels, memory } from "../engine/core/wasm.ts";
import { compareSides, LENGTHS, numbers } from "../test/support/sides.ts";

/** [outer, n, inner]: every tail of a row, of columns and of groups of four rows; chunks of columns; the empty sum. */
const SHAPES: [outer: number, n: number, inner: number][] = [
  ...LENGTHS.map((n): [number, number, number] => [3, n, 1]),
  ...LENGTHS.map((inner): [number, number, number] => [2, 5, inner]),
  ...LENGTHS.map((n): [number, number, number] => [1, n, 6]),
  [1, 3, 2050],
  [2, 7, 64],
  [1, 1501, 5],
  [0, 3, 2],
];

/** Float32 sums of n terms below 2: n/2 roundings of at most n·2⁻²⁴ each, far less for mixed signs. */
const bound = (n: number) => ({ absolute: 1e-6 + 1e-7 * n, relative: 1e-6 });

const name = (shape: number[]) => `[${shape.join(", ")}]`;

for (const [outer, n, inner] of SHAPES) {
  const size = outer * n * inner;
  const x = numbers(size, 1);
  const y = numbers(outer * inner, 2);

  test(`reduce: sums agree with their twins, ${name([outer, n, inner])}`, () => {
    compareSides((side) => {
      const z = side.zeros(outer * inner);
      side.k.sumAxis(z, side.put(x), outer, n, inner);
      return side.read(z, outer * inner);
    }, bound(n));
    compareSides((side) => {
      const z = side.put(y);
      side.k.addSumAxis(z, side.put(x), outer, n, inner, -0.25);
      return side.read(z, outer * inner);
    }, bound(n));
  });

  test(`reduce: the ways back agree, ${name([outer, n, inner])}`, () => {
    compareSides((side) => {
      const dx = side.put(x);
      const z = side.zeros(size);
      side.k.sumAxisGrad(dx, side.put(y), outer, n, inner, 0.5);
      side.k.expandAxis(z, side.put(y), outer, n, inner);
      return [...side.read(dx, size), ...side.read(z, size)];
    });
  });

  test(`reduce: running sums agree, from both ends and in place, ${name([outer, n, inner])}`, () => {
    for (const reverse of [0, 1]) {
      compareSides((side) => {
        const from = side.put(x);
        const z = side.zeros(size);
        side.k.cumsumAxis(z, from, outer, n, inner, reverse);
        side.k.cumsumAxis(from, from, outer, n, inner, reverse);
        return [...side.read(z, size), ...side.read(from, size)];
      });
    }
  });

  test(`reduce: products and their gradients agree, with zeros too, ${name([outer, n, inner])}`, () => {
    // Values near 1, so that both sides remain in the range of float32.
    const near = x.map((v) => 1 + v / 64);
    for (const zeros of [Infinity, 7, 2]) {
      compareSides(
        (side) => {
          const from = side.put(near.map((v, i) => (i % zeros === 1 ? 0 : v)));
          const z = side.zeros(outer * inner);
          const dx = side.put(x);
          side.k.prodAxis(z, from, outer, n, inner);
          side.k.prodAxisGrad(dx, side.put(y), from, side.zeros(n), outer, n, inner);
          return [...side.read(z, outer * inner), ...side.read(dx, size)];
        },
        // n roundings of 2⁻²⁴.
        { absolute: 1e-6 + 6e-8 * n, relative: 2e-6 + 6e-8 * n },
      );
    }
  });

  // Quarters make ties.
  const coarse = x.map((v) => Math.round(4 * v) / 4);
  const withNaN = coarse.map((v, i) => (i % 7 === 3 ? NaN : v));
  for (const find of ["maxAxis", "minAxis"] as const) {
    if (n === 0) continue;
    test(`reduce: ${find} and its gradients agree, ${name([outer, n, inner])}`, () => {
      for (const values of [x, coarse, withNaN]) {
        compareSides((side) => {
          const from = side.put(values);
          const z = side.zeros(outer * inner);
          const index = side.zeros(outer * inner);
          side.k[find](z, index, from, outer, n, inner);
          const picked = side.put(x);
          side.k.pickAxisGrad(picked, side.put(y), index, outer, n, inner);
          const shared = side.put(x);
          side.k.amaxGrad(shared, side.put(y), z, from, outer, n, inner);
          return [z, index]
            .flatMap((p) => side.read(p, outer * inner))
            .concat(side.read(picked, size), side.read(shared, size));
        });
      }
    });
  }
}

test("reduce: of equal values the first one is found, in whatever lane", () => {
  for (const n of [4, 8, 9, 12, 31]) {
    for (let first = 0; first < n; first++) {
      for (const top of [1, NaN]) {
        compareSides((side) => {
          const x = side.put(Array.from({ length: n }, (_, i) => (i >= first ? top : 0)));
          const z = side.zeros(1);
          const index = side.zeros(1);
          side.k.maxAxis(z, index, x, 1, n, 1);
          expect(side.read(index, 1)).toEqual([first]);
          return side.read(z, 1);
        });
      }
    }
  }
});

test("reduce: a column has the same bits alone as among others, and long ones keep their digits", () => {
  for (const n of [5, 128, 129, 100_000]) {
    const from = wasmHeap.allocate(8 * n);
    const z = wasmHeap.allocate(8);
    const alone = wasmHeap.allocate(4);
    const x = new Float32Array(memory.buffer, from, 2 * n);
    x.forEach((_, i) => {
      x[i] = 0.1 + (i % 7) / 16;
    });
    const column = x.filter((_, i) => i % 2 === 0);
    coreKernels.sumAxis(z, from, 1, n, 2);
    const [among] = new Float32Array(memory.buffer, z, 1);
    new Float32Array(memory.buffer, from, n).set(column);
    coreKernels.sumAxis(alone, from, 1, n, -1);
    expect(new Float32Array(memory.buffer, alone, 1)[0], `${n}`).toBe(among);
    const exact = column.reduce((sum, value) => sum + value, 0);
    expect(Math.abs((among as number) - exact) / exact, `${n}`).toBeLessThan(4e-6);
    wasmHeap.release(from, 8 * n);
    wasmHeap.release(z, 8);
    wasmHeap.release(alone, 4);
  }
});

test("reduce: the sum over rows is the float32 sum step by step, bit for bit", () => {
  const n = 103;
  const inner = 37;
  const x = Float32Array.from(numbers(n * inner, 5));
  const expected = new Float32Array(inner);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < inner; j++) expected[j] = (expected[j] as number) + (x[i * inner + j] as number);
  const from = wasmHeap.allocate(4 * n * inner);
  const z = wasmHeap.allocate(4 * inner);
  new Float32Array(memory.buffer, from, n * inner).set(x);
  coreKernels.sumAxis(z, from, 1, n, inner);
  expect(new Float32Array(memory.buffer, z, inner)).toEqual(expected);
  wasmHeap.release(from, 4 * n * inner);
  wasmHeap.release(z, 4 * inner);
});
