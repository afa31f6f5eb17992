import { expect, test } from "vitest";
import { describedProduct, numbers, onWasm } from "../test/support/sides.ts";

/** Strides of C: by rows, by columns. */
const LAYOUTS = { rows: (_m: number, n: number) => [n, 1], columns: (m: number, _n: number) => [1, m] } as const;

for (const [layout, steps] of Object.entries(LAYOUTS)) {
  for (const init of ["zero", "bias", "self"] as const) {
    test(`masked: A·bits has gemm's bits, C by ${layout}, init ${init}`, () => {
      for (const m of [0, 1, 2, 3, 4]) {
        for (const n of [0, 1, 7, 16, 33, 100]) {
          for (const k of [0, 1, 5, 70]) {
            for (const density of [0, 0.4, 1]) {
              // A with the strides of weights in forward, and of a gradient in backward.
              const [aRow, aCol] = density === 1 ? [1, m] : [k, 1];
              onWasm((side) => {
                const spikes = numbers(k * n, 1, 0, 1).map((v) => (v < density ? 1 : 0));
                const [x, bits] = [side.put(spikes), side.bitsOf(spikes, n)];
                const a = side.put(numbers(m * k, 2));
                const bias = side.put(numbers(m, 3));
                const [cRow, cCol] = steps(m, n) as [number, number];
                const c = side.put(numbers(m * n, 4));
                const d = side.put(numbers(m * n, 4));
                const start = (p: number) => (init === "zero" ? 0 : init === "bias" ? bias : p);
                const masked = { c, init: start(c), m, n, k, a, aRow, aCol, cRow, cCol, bits };
                side.k.gemmMasked(describedProduct(side, masked));
                // gemm writes rows: of the transposed product if C is stored by columns, with a bias along these.
                if (init === "bias" && layout === "rows") side.k.copyStrided(d, bias, 1, 1, m, n, 0, 0, 1, 0);
                else if (init === "bias") side.k.copyStrided(d, bias, 1, 1, n, m, 0, 0, 0, 1);
                const from = init === "zero" ? 0 : d;
                const product =
                  layout === "rows"
                    ? { m, n, a, aRow, aCol, b: x }
                    : { m: n, n: m, a: x, aRow: 1, aCol: n, b: a, bRow: aCol, bCol: aRow };
                side.k.gemm(describedProduct(side, { c: d, init: from, k, ...product }));
                expect(side.read(c, m * n)).toEqual(side.read(d, m * n));
              });
            }
          }
        }
      }
    });
  }
}
