import { test } from "vitest";
import { compareSides, numbers } from "../test/support/sides.ts";

test("firstSpike: agrees with the reference at halves, ends and outside", () => {
  const x = [
    0,
    1e-6,
    2e-6,
    0.5,
    0.25,
    0.75,
    0.125,
    0.375,
    1,
    1.5,
    -1,
    Number.NaN,
    Infinity,
    ...numbers(50, 1, -0.1, 1.1),
  ];
  for (const T of [1, 2, 5, 9, 25]) {
    compareSides((side) => {
      const words = Math.ceil((T * x.length) / 32);
      const bits = side.put(new Array(words + 1).fill(7));
      side.k.firstSpike(bits, side.put(x), x.length, T, 1e-6);
      return side.readWords(bits, words);
    });
  }
});
