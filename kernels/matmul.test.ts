import { test } from "vitest";
import { compareSides, describedProduct, numbers } from "../test/support/sides.ts";

/** k·2⁻²⁴ relative to Σ|a·b|, with a·b up to 4 in magnitude. */
const bound = (k: number) => ({ absolute: 4e-7 * (k + 1), relative: 4e-7 });

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 31, 33];

function check(
  m: number,
  n: number,
  k: number,
  transposeA: boolean,
  transposeB: boolean,
  init: "zero" | "self" | "bias",
) {
  compareSides((side) => {
    const a = side.put(numbers(m * k, 1));
    const b = side.put(numbers(k * n, 2));
    const c = side.put(numbers(m * n, 3));
    const bias = side.put(numbers(n, 4));
    const from = init === "zero" ? 0 : init === "self" ? c : bias;
    const [aRow, aCol] = transposeA ? [1, m] : [k, 1];
    const [bRow, bCol] = transposeB ? [1, k] : [n, 1];
    side.k.gemm(describedProduct(side, { c, init: from, m, n, k, a, aRow, aCol, b, bRow, bCol }));
    return side.read(c, m * n);
  }, bound(k));
}

for (const transposeA of [false, true]) {
  for (const transposeB of [false, true]) {
    const name = `A${transposeA ? "ᵀ" : ""}·B${transposeB ? "ᵀ" : ""}`;

    test(`gemm: ${name} agrees with the reference for every tail of rows, columns and depth`, () => {
      for (const m of SIZES.slice(0, 8)) {
        for (const n of SIZES) for (const k of [0, 1, 2, 5, 8]) check(m, n, k, transposeA, transposeB, "zero");
      }
    });

    test(`gemm: ${name} accumulates and adds a bias`, () => {
      for (const m of [1, 2, 5]) {
        for (const n of SIZES) {
          for (const init of ["self", "bias"] as const) check(m, n, 6, transposeA, transposeB, init);
        }
      }
    });

    test(`gemm: ${name} agrees across the borders of its blocks`, () => {
      check(131, 270, 259, transposeA, transposeB, "self");
      check(1, 270, 600, transposeA, transposeB, "bias");
      check(1100, 3, 40, transposeA, transposeB, "zero");
    });
  }
}
