import { expect, test } from "vitest";
import { describedProduct, numbers, onWasm, type WasmSide } from "../test/support/sides.ts";

/** Values of which about `density` are not 0; binary ones are 1. */
function sparse(n: number, seed: number, density: number, binary: boolean): number[] {
  const values = numbers(n, seed, -2, 2);
  return numbers(n, seed + 1, 0, 1).map((u, i) => (u < density ? (binary ? 1 : (values[i] as number)) : 0));
}

const SIZES: readonly (readonly [m: number, n: number, k: number])[] = [
  [1, 1, 1],
  [2, 3, 5],
  [3, 16, 31],
  [5, 17, 32],
  [4, 33, 33],
  [7, 10, 64],
  [9, 48, 65],
  [33, 128, 70],
  [6, 300, 100],
  [3, 270, 600],
  [40, 12, 515],
  // Blocks of B: more rows and more columns than one holds, and read in place by few rows and by many.
  [2, 20, 4200],
  [1, 160, 1500],
  [2, 4100, 3],
  [5, 128, 150],
  [66, 48, 300],
  // Rows with the same sum over their first bits.
  [1030, 16, 12],
  [1025, 48, 6],
  // Few columns, alone and beside sixteen others: an odd number of rows.
  [1027, 3, 12],
  [1025, 27, 9],
  [7, 4, 1100],
  [5, 12, 1100],
  // Seventeen to 24 columns in one sum.
  [9, 24, 65],
  [8, 23, 70],
  [6, 56, 130],
  [1026, 24, 9],
];

/** Where B lies: by rows, by rows with room for whole groups of 16 columns, by columns. */
const LAYOUTS = {
  rows: (n: number) => [n, 1],
  groups: (n: number) => [Math.ceil(n / 16) * 16, 1],
  columns: (_n: number, k: number) => [1, k],
} as const;

/** The same product by gather and by gemm: left operand X [m, k] or, transposed, [k, m]. */
function both(
  side: WasmSide,
  m: number,
  n: number,
  k: number,
  x: number[],
  binary: boolean,
  transposed: boolean,
  init: "zero" | "bias" | "self",
  layout: keyof typeof LAYOUTS,
) {
  const px = side.put(x);
  const [bRow, bCol] = LAYOUTS[layout](n, k) as [number, number];
  const b = side.put(numbers(Math.max(k * bRow, n * bCol), 3));
  const bias = side.put(numbers(n, 4));
  const [c, d] = [side.put(numbers(m * n, 5)), side.put(numbers(m * n, 5))];
  const [xRow, xCol] = transposed ? [1, m] : [k, 1];
  const rows = Array.from({ length: m * k }, (_, i) => x[Math.floor(i / k) * xRow + (i % k) * xCol] as number);
  const bits = side.bitsOf(rows, k);
  const count = x.filter((value) => value !== 0).length;
  const start = (p: number) => (init === "zero" ? 0 : init === "bias" ? bias : p);
  const work = side.zeros(m + 9 + (binary ? 1 : 2) * count);
  const product = { m, n, k, aRow: xRow, aCol: xCol, b, bRow, bCol };
  side.k.gather(describedProduct(side, { ...product, c, init: start(c), a: binary ? 0 : px, bits, count, work }));
  side.k.gemm(describedProduct(side, { ...product, c: d, init: start(d), a: px }));
  return { gathered: side.read(c, m * n), dense: side.read(d, m * n) };
}

for (const binary of [true, false]) {
  for (const transposed of [false, true]) {
    test(`gather: ${binary ? "binary" : "graded"} ${transposed ? "Xᵀ·B" : "X·B"} has gemm's bits`, () => {
      for (const [m, n, k] of SIZES) {
        // A large product takes one way to begin at each density.
        const ways = ["self", "zero", "bias"] as const;
        for (const [i, density] of [0, 0.03, 0.5, 1].entries()) {
          for (const [j, init] of (m * n * k > 50_000 ? [ways[i % 3] as "self"] : ways).entries()) {
            const layout = (["rows", "groups", "columns"] as const)[(i + j) % 3] as keyof typeof LAYOUTS;
            const x = sparse(m * k, 7, density, binary);
            const { gathered, dense } = onWasm((side) => both(side, m, n, k, x, binary, transposed, init, layout));
            expect(gathered).toEqual(dense);
          }
        }
      }
    });
  }
}
