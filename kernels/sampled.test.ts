import { expect, test } from "vitest";
import { describedProduct, numbers, onWasm } from "../test/support/sides.ts";
import { BOXCAR } from "./kinds.ts";
import { SURROGATES } from "./reference/kinds.ts";
import { surrogateDerivative } from "./reference/surrogate.ts";

/** The groups of four neighbours in rows of n values of which one is not 0. */
function groupsIn(values: readonly number[], n: number): number {
  const starts = values.map((_, i) => i).filter((i) => (i % n) % 4 === 0);
  return starts.filter((i) => values.slice(i, Math.min(i + 4, i - (i % n) + n)).some((value) => value !== 0)).length;
}

test("sampled: the support of a surrogate is where its derivative is not 0", () => {
  for (const n of [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 69]) {
    for (const step of [0, 1]) {
      for (const kind of Object.values(SURROGATES)) {
        onWasm((side) => {
          const rows = 3;
          const [u, theta] = [numbers(rows * n, 1, -1, 3).map(Math.fround), numbers(n, 2, 0.5, 1.5).map(Math.fround)];
          const words = rows * Math.ceil(n / 32);
          const bits = side.zeros(words);
          const groups = side.k.surrogateSupport(bits, side.put(u), side.put(theta), step, rows, n, kind, 0.8);
          const slopes = u.map((x, i) => surrogateDerivative(kind, 0.8, x - (theta[(i % n) * step] as number)));
          expect(side.readWords(bits, words)).toEqual(side.readWords(side.bitsOf(slopes, n), words));
          expect(groups).toBe(groupsIn(slopes, n));
        });
      }
    }
  }
});

test("sampled: at its borders a triangle, a box and NaN are outside", () => {
  onWasm((side) => {
    const bits = side.zeros(1);
    const u = side.put([0.5, 1.5, 1.49, NaN]);
    const groups = side.k.surrogateSupport(bits, u, side.put([1]), 0, 1, 4, BOXCAR, 1);
    expect(side.readWords(bits, 1)).toEqual([0b0100]);
    expect(groups).toBe(1);
  });
});

test("sampled: a stream becomes rows, and the groups that have a bit are counted", () => {
  for (const n of [1, 3, 4, 5, 8, 31, 32, 33, 69]) {
    for (const density of [0, 0.1, 1]) {
      onWasm((side) => {
        const rows = 3;
        const values = numbers(rows * n, 1, 0, 1).map((v) => (v < density ? 1 : 0));
        const words = rows * Math.ceil(n / 32);
        const bits = side.zeros(words);
        expect(side.k.alignGroups(bits, side.bitsOf(values), rows, n)).toBe(groupsIn(values, n));
        expect(side.readWords(bits, words)).toEqual(side.readWords(side.bitsOf(values, n), words));
      });
    }
  }
});

for (const density of [0, 0.02, 0.2, 1]) {
  test(`sampled: wanted groups have the bits of gemm, the others stay, density ${density}`, () => {
    for (const [m, n, k] of [
      [1, 4, 1],
      [3, 8, 5],
      [5, 36, 9],
      [4, 100, 33],
      [2, 1200, 60],
      [2, 44, 4100],
    ] as const) {
      for (const transposed of [false, true]) {
        onWasm((side) => {
          const wanted = numbers(m * n, 1, 0, 1).map((v) => (v < density ? 1 : 0));
          const bits = side.bitsOf(wanted, n);
          const [a, b] = [side.put(numbers(m * k, 2)), side.put(numbers(k * n, 3))];
          const start = numbers(m * n, 4);
          const [c, d] = [side.put(start), side.put(start)];
          const [bRow, bCol] = transposed ? [1, k] : [n, 1];
          const product = { m, n, k, a, b, bRow, bCol };
          side.k.gemmSampled(describedProduct(side, { ...product, c, bits }));
          side.k.gemm(describedProduct(side, { ...product, c: d, init: d }));
          const sampled = side.read(c, m * n);
          const kept = side.read(side.put(start), m * n);
          const expected = side.read(d, m * n).map((v, i) => {
            const group = i - ((i % n) % 4);
            return [0, 1, 2, 3].some((q) => wanted[group + q] === 1) ? v : (kept[i] as number);
          });
          expect(sampled).toEqual(expected);
        });
      }
    }
  });
}
