/** Corrections of words, checked against a table of the distance. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const NAMES = ["toy", "mnist", "quantize", "store-recall", "diehl-cook", "ring", "reward"];

test.each([
  ["mnits", "mnist"],
  ["mnist", "mnist"],
  ["MNIST", "mnist"],
  ["quantise", "quantize"],
  ["store_recall", "store-recall"],
  ["dielcook", "diehl-cook"],
  ["rin", "ring"],
  ["rign", "ring"],
  ["rigns", null],
  ["elephant", null],
  ["ri", null],
  ["x", null],
  ["", null],
])("nearest: %s is meant to be %s", (word, meant) => {
  expect(nearest(word, NAMES)).toBe(meant);
});

/** Number of changes of one letter, or swaps of two neighbours, from a to b: the optimal string alignment distance. */
function changesBetween(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)]);
  const at = (i: number, j: number): number => rows[i]?.[j] as number;
  rows[0] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      (rows[i] as number[])[j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        replaced,
        ...(isSwap ? [at(i - 2, j - 2) + 1] : []),
      );
    }
  }
  return at(a.length, b.length);
}

test("nearest: it is the first of those with the fewest changes, at most two and one in three letters", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 9 });
  fc.assert(
    fc.property(word, fc.array(word, { maxLength: 6 }), (typed, words) => {
      const changes = words.map((other) => changesBetween(typed, other));
      const least = Math.min(...changes, Infinity);
      const expected = least <= Math.min(2, typed.length / 3) ? words[changes.indexOf(least)] : null;
      expect(nearest(typed, words)).toBe(expected);
    }),
    { seed: 1, numRuns: 3000 },
  );
});

test("nearest: words that are longer than any name end the search early", () => {
  const words = ["a", "ab", `${"a".repeat(20)}b`];
  expect(nearest("a".repeat(1e6), words)).toBe(null);
  expect(nearest("a".repeat(22), words)).toBe(words[2]);
});
