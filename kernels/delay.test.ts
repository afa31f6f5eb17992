import { expect, test } from "vitest";
import { compareSides, LENGTHS, numbers, onWasm, type Side } from "../test/support/sides.ts";

/** [T, rows, n, inner]: widths that are critical for vectors, and streams that end anywhere in a word. */
const SHAPES: [T: number, rows: number, n: number, inner: number][] = [
  ...LENGTHS.map((n): [number, number, number, number] => [3, 2, n, 1]),
  ...LENGTHS.slice(0, 10).map((inner): [number, number, number, number] => [4, 2, 3, inner]),
  [7, 1, 1, 37],
  [5, 3, 1, 32],
  [6, 1, 1, 1],
  [40, 1, 1, 5],
  [9, 2, 33, 7],
];

/** Delays of n columns, from 0 to one step after the last. */
const delays = (n: number, T: number): number[] => Array.from({ length: n }, (_, i) => (5 * i + 2) % (T + 2));

test.each(SHAPES)("delay: [%i, %i, %i, %i]", (T, rows, n, inner) => {
  const size = T * rows * n * inner;
  for (const first of [0, 1, T - 1]) {
    const steps = ((T - first) * size) / T;
    compareSides((side: Side) => {
      const d = side.putInts(delays(n, T));
      const x = side.put(numbers(size, 1));
      const z = side.zeros(steps);
      side.k.delay(z, x, d, first, T, rows, n, inner);
      const dx = side.put(numbers(size, 2));
      side.k.delayGrad(dx, side.put(numbers(steps, 3)), d, first, T, rows, n, inner);
      return [...side.read(z, steps), ...side.read(dx, size)];
    });
  }
});

test.each(SHAPES)("delayBits: the spikes of [%i, %i, %i, %i] as delay has them", (T, rows, n, inner) => {
  const size = T * rows * n * inner;
  for (const density of [0, 0.1, 0.5, 1]) {
    for (const by of n === 1 ? [0, 1, 2, T - 1, T, T + 3] : [0]) {
      onWasm((side) => {
        const spikes = numbers(size, 4, 0, 1).map((u) => (u < density ? 1 : 0));
        const d = side.putInts(n === 1 ? [by] : delays(n, T));
        const z = side.zeros(size);
        side.k.delay(z, side.put(spikes), d, 0, T, rows, n, inner);
        const bits = side.spikes(size);
        side.k.delayBits(bits, side.bitsOf(spikes), d, T, rows, n, inner);
        expect(side.readSpikes(bits, size)).toEqual(side.read(z, size));
      });
    }
  }
});
