import { expect, test } from "vitest";
import { numbers, onWasm, type WasmSide } from "../test/support/sides.ts";

/** Rows × columns: every position in a word at which a row or the stream can end. */
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

/** The values as a stream, followed by a word of garbage. */
function stream(side: WasmSide, values: number[]): number {
  return side.putInts([...side.readInts(side.bitsOf(values), Math.ceil(values.length / 32)), 0x7fffffff]);
}

/** The words of the bits of these values, [rows, n]. */
const wordsOf = (side: WasmSide, values: number[], n: number): number[] =>
  side.readWords(side.bitsOf(values, n), (values.length / n) * Math.ceil(n / 32));

for (const density of [0, 0.3, 1]) {
  test(`bits: unpackBits gives the values of a stream, density ${density}`, () => {
    for (const [rows, n] of SHAPES) {
      const values = spikes(rows * n, density);
      onWasm((side) => {
        const z = side.zeros(rows * n);
        side.k.unpackBits(z, stream(side, values), rows * n);
        expect(side.read(z, rows * n)).toEqual(values);
      });
    }
  });

  test(`bits: alignBits and packBits give rows of whole words and their count, density ${density}`, () => {
    for (const [rows, n] of SHAPES) {
      const values = spikes(rows * n, density);
      onWasm((side) => {
        const words = rows * Math.ceil(n / 32);
        const count = values.filter((value) => value === 1).length;
        const [aligned, packed] = [side.zeros(words), side.zeros(words)];
        expect(side.k.alignBits(aligned, stream(side, values), rows, n)).toBe(count);
        expect(side.k.packBits(packed, side.put(values), rows, n)).toBe(count);
        expect(side.k.countBits(aligned, words)).toBe(count);
        for (const bits of [aligned, packed]) expect(side.readWords(bits, words)).toEqual(wordsOf(side, values, n));
      });
    }
  });

  test(`bits: sumBits counts the spikes of each column, density ${density}`, () => {
    for (const [T, n] of SHAPES) {
      const values = spikes(T * n, density);
      onWasm((side) => {
        const z = side.zeros(n);
        side.k.sumBits(z, stream(side, values), T, n);
        const counts = Array.from({ length: n }, (_, i) => {
          let count = 0;
          for (let t = 0; t < T; t++) count += values[t * n + i] as number;
          return count;
        });
        expect(side.read(z, n)).toEqual(counts);
      });
    }
  });
}

test("bits: transposeBits makes rows of columns", () => {
  for (const [rows, n] of SHAPES) {
    const values = spikes(rows * n, 0.4);
    onWasm((side) => {
      const words = n * Math.ceil(rows / 32);
      const z = side.zeros(words);
      side.k.transposeBits(z, side.bitsOf(values, n), rows, n);
      const turned = values.map((_, i) => values[(i % rows) * n + Math.floor(i / rows)] as number);
      expect(side.readWords(z, words)).toEqual(wordsOf(side, turned, rows));
    });
  }
});

test("bits: packBits counts, and tells whether a value is neither 0 nor 1", () => {
  const cases = [
    [0, 0, 0],
    [1, 0, 1],
    [1, 0.5, 0],
    [-1, 0, 0],
    [Number.NaN, 0, 0],
    [-0, 1, 0],
  ];
  for (const row of cases) {
    onWasm((side) => {
      const bits = side.zeros(3);
      const values = [...row, ...row, ...row];
      const count = side.k.packBits(bits, side.put(values), 3, 3);
      expect(count & 0x7fffffff).toBe(3 * row.filter((value) => value !== 0).length);
      expect(count < 0).toBe(row.some((value) => value !== 0 && value !== 1));
      expect(side.readWords(bits, 3)).toEqual(wordsOf(side, values, 3));
    });
  }
});
