import { expect, test } from "vitest";
import { compareSides, numbers, WasmSide } from "../test/support/sides.ts";
import { BOXCAR } from "./kinds.ts";
import { SURROGATES } from "./reference/kinds.ts";

test("sampled: the support of a surrogate is where its derivative is not 0", () => {
  for (const n of [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 69]) {
    for (const step of [0, 1]) {
      for (const kind of Object.values(SURROGATES)) {
        compareSides((side) => {
          const rows = 3;
          const u = side.put(numbers(rows * n, 1, -1, 3));
          const theta = side.put(numbers(n, 2, 0.5, 1.5));
          const words = rows * Math.ceil(n / 32);
          const bits = side.zeros(words);
          const groups = side.k.surrogateSupport(bits, u, theta, step, rows, n, kind, 0.8);
          return [groups, ...side.readWords(bits, words)];
        });
      }
    }
  }
});

test("sampled: at its borders a triangle, a box and NaN are outside", () => {
  compareSides((side) => {
    const bits = side.zeros(1);
    const u = side.put([0.5, 1.5, 1.49, NaN]);
    const groups = side.k.surrogateSupport(bits, u, side.put([1]), 0, 1, 4, BOXCAR, 1);
    expect(side.readWords(bits, 1)).toEqual([0b0100]);
    return [groups];
  });
});

test("sampled: a stream becomes rows, and the groups that have a bit are counted", () => {
  const side = new WasmSide();
  for (const n of [1, 3, 4, 5, 8, 31, 32, 33, 69]) {
    for (const density of [0, 0.1, 1]) {
      const rows = 3;
      const set = numbers(rows * n, 1, 0, 1).map((v) => v < density);
      const [stream, words] = [side.zeros(Math.ceil((rows * n) / 32) + 1), rows * Math.ceil(n / 32)];
      const values = side.put(set.map(Number));
      side.k.packBits(stream, values, 1, rows * n);
      const [bits, expected] = [side.zeros(words), side.zeros(words)];
      side.k.packBits(expected, values, rows, n);
      const groups = new Set(set.flatMap((is, i) => (is ? [`${Math.floor(i / n)} ${(i % n) >> 2}`] : [])));
      expect(side.k.alignGroups(bits, stream, rows, n)).toBe(groups.size);
      expect(side.readWords(bits, words)).toEqual(side.readWords(expected, words));
    }
  }
  side.finish();
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
        compareSides(
          (side) => {
            const words = Math.ceil(n / 32);
            const wanted = numbers(m * n, 1, 0, 1).map((v) => (v < density ? 1 : 0));
            const bits = side.zeros(m * words);
            side.k.packBits(bits, side.put(wanted), m, n);
            const [a, b] = [side.put(numbers(m * k, 2)), side.put(numbers(k * n, 3))];
            const start = numbers(m * n, 4);
            const [c, d] = [side.put(start), side.put(start)];
            const [bRow, bCol] = transposed ? [1, k] : [n, 1];
            side.k.gemmSampled(c, bits, a, b, m, n, k, k, bRow, bCol, n);
            side.k.gemm(d, a, b, d, m, n, k, k, 1, bRow, bCol, n);
            const sampled = side.read(c, m * n);
            const kept = side.read(side.put(start), m * n);
            const expected = side.read(d, m * n).map((v, i) => {
              const group = i - ((i % n) % 4);
              return [0, 1, 2, 3].some((q) => wanted[group + q] === 1) ? v : (kept[i] as number);
            });
            expect(sampled).toEqual(expected);
            return sampled;
          },
          { absolute: 4e-7 * (k + 1), relative: 4e-7 },
        );
      }
    }
  });
}
