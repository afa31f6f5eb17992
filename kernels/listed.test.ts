import { expect, test } from "vitest";
import { describedProduct, LENGTHS, numbers, onWasm, type WasmSide } from "../test/support/sides.ts";

const sparse = (n: number, seed: number, density: number): number[] => {
  const values = numbers(n, seed);
  return numbers(n, seed + 1, 0, 1).map((u, i) => (u < density ? (values[i] as number) : i % 3 === 0 ? -0 : 0));
};

const SIZES: readonly (readonly [m: number, n: number, k: number])[] = [
  ...LENGTHS.map((k) => [5, 20, k] as const),
  ...LENGTHS.slice(1).map((n) => [4, n, 9] as const),
  [5, 24, 7],
  [3, 72, 9],
  [1, 28, 3],
  [3, 29, 4],
  [2, 44, 7],
  [2, 45, 8],
  [0, 5, 6],
  [67, 60, 64],
];

/** The product, by lists and by gemm. */
function both(side: WasmSide, m: number, n: number, k: number, x: number[]) {
  const row = (n + 18) & ~3;
  const px = side.put(x);
  const b = side.put(numbers(k * row + row, 3));
  const c = side.zeros(m * row + row);
  const d = side.zeros(m * n);
  const lists = side.zeros(m + 3 + 2 * m * k);
  const count = side.k.listNonZeros(lists, px, m, k);
  side.k.multiplyListed(c, lists, b, m, n, row, row);
  side.k.gemm(describedProduct(side, { c: d, m, n, k, a: px, b, bRow: row }));
  const listed = side.read(c, m * row).filter((_, i) => i % row < n);
  return { count, listed, dense: side.read(d, m * n) };
}

for (const density of [0, 0.05, 0.3, 1]) {
  test(`lists: a product has gemm's bits, density ${density}`, () => {
    for (const [m, n, k] of SIZES) {
      const x = sparse(m * k, 7, density);
      const { count, listed, dense } = onWasm((side) => both(side, m, n, k, x));
      expect(count).toBe(x.filter((v) => v !== 0).length);
      expect(listed).toEqual(dense);
    }
  });
}

test("lists: a NaN is listed", () => {
  const { count, listed } = onWasm((side) => both(side, 1, 2, 5, [0, NaN, 0, 0, NaN]));
  expect(count).toBe(2);
  expect(listed).toEqual([NaN, NaN]);
});
