import { expect, test } from "vitest";
import { compareSides, numbers, type Side } from "../test/support/sides.ts";

const EXACT = { absolute: 0, relative: 0 };
/** Rows × columns: every place where a row or the stream can end in a word. */
const SHAPES = [
  [1, 1],
  [1, 31],
  [3, 32],
  [5, 33],
  [7, 10],
  [2, 64],
  [31, 97],
  [4, 1003],
  [300, 130],
] as const;

const spikes = (n: number, density: number): number[] => numbers(n, 7, 0, 1).map((u) => (u < density ? 1 : 0));

/** The values as a stream, with a word to spare that holds garbage. */
function stream(side: Side, values: number[]): number {
  const words = Math.ceil(values.length / 32);
  const packed = side.zeros(words);
  side.k.packBits(packed, side.put(values), 1, values.length);
  return side.putInts([...side.readWords(packed, words), 0x7fffffff]);
}

for (const density of [0, 0.3, 1]) {
  test(`bits: unpackBits gives back what was packed, density ${density}`, () => {
    for (const [rows, n] of SHAPES) {
      const values = spikes(rows * n, density);
      compareSides((side) => {
        const z = side.zeros(rows * n);
        side.k.unpackBits(z, stream(side, values), rows * n);
        expect(side.read(z, rows * n)).toEqual(values);
        return [];
      }, EXACT);
    }
  });

  test(`bits: alignBits gives the rows and the count that packBits gives, density ${density}`, () => {
    for (const [rows, n] of SHAPES) {
      const values = spikes(rows * n, density);
      compareSides((side) => {
        const words = rows * Math.ceil(n / 32);
        const [aligned, packed] = [side.zeros(words), side.zeros(words)];
        const count = side.k.alignBits(aligned, stream(side, values), rows, n);
        expect(count).toBe(side.k.packBits(packed, side.put(values), rows, n));
        expect(side.readWords(aligned, words)).toEqual(side.readWords(packed, words));
        expect(side.k.countBits(aligned, words)).toBe(count);
        return side.readWords(aligned, words);
      }, EXACT);
    }
  });

  test(`bits: sumBits counts the spikes of each column, density ${density}`, () => {
    for (const [T, n] of SHAPES) {
      const values = spikes(T * n, density);
      compareSides((side) => {
        const z = side.zeros(n);
        side.k.sumBits(z, stream(side, values), T, n);
        const counts = Array.from({ length: n }, (_, i) => {
          let count = 0;
          for (let t = 0; t < T; t++) count += values[t * n + i] as number;
          return count;
        });
        expect(side.read(z, n)).toEqual(counts);
        return [];
      }, EXACT);
    }
  });
}

test("bits: transposeBits agrees with the reference", () => {
  for (const [rows, n] of SHAPES) {
    compareSides((side) => {
      const packed = side.zeros(rows * Math.ceil(n / 32));
      side.k.packBits(packed, side.put(spikes(rows * n, 0.4)), rows, n);
      const words = n * Math.ceil(rows / 32);
      const z = side.zeros(words);
      side.k.transposeBits(z, packed, rows, n);
      return side.readWords(z, words);
    }, EXACT);
  }
});

test("bits: packBits counts, and tells whether a value is neither 0 nor 1", () => {
  const cases = [
    [0, 0, 0],
    [1, 0, 1],
    [1, 0.5, 0],
    [-1, 0, 0],
    [Number.NaN, 0, 0],
  ];
  for (const row of cases) {
    compareSides((side) => {
      const bits = side.zeros(3);
      const count = side.k.packBits(bits, side.put([...row, ...row, ...row]), 3, 3);
      expect(count & 0x7fffffff).toBe(3 * row.filter((value) => value !== 0).length);
      expect(count < 0).toBe(row.some((value) => value !== 0 && value !== 1));
      return side.readInts(bits, 3);
    });
  }
});
