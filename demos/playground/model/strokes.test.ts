import { expect, test } from "vitest";
import { blank, inked, type Strokes, three } from "./image.ts";
import { drawn, erased, fitted, formatStrokes, parseStrokes, strokesField } from "./strokes.ts";

test("strokes: what is written into an address is read again, to an eighth of a pixel", () => {
  const strokes: Strokes = [
    [
      [0, 14],
      [3.25, 6.125],
    ],
    [[13.99, -2]],
  ];
  const text = formatStrokes(strokes);
  expect(text).toMatch(strokesField([]).pattern);
  expect(parseStrokes(text)).toEqual([
    [
      [0, 14],
      [3.25, 6.125],
    ],
    [[14, 0]],
  ]);
  expect([formatStrokes([]), parseStrokes("")]).toEqual(["", []]);
});

test("strokes: points that are near are left out, and an eraser takes strokes away", () => {
  let strokes: Strokes = [];
  for (let x = 2; x <= 6; x += 0.25) strokes = drawn(strokes, [x, 3], x === 2);
  strokes = drawn(strokes, [10, 10], true);
  expect(strokes.map(({ length }) => length)).toEqual([9, 1]);
  expect(erased(strokes, [4.1, 3.9])).toEqual([[[10, 10]]]);
  expect(erased(strokes, [4.1, 4.1])).toEqual(strokes);
  for (let i = 0; i < 1000; i++) strokes = drawn(strokes, [i % 14, 0], false);
  expect(formatStrokes(strokes)).toMatch(strokesField([]).pattern);
});

test("strokes: a digit is read in the same size and place however it was drawn", () => {
  const seen = fitted(three);
  for (const [scale, dx, dy] of [
    [0.4, 0, 0],
    [0.25, 9, 2],
    [1, 2, 1],
  ] as const) {
    const small = three.map((points) => points.map(([x, y]) => [dx + scale * x, dy + scale * y] as const));
    const difference = fitted(small).map((value, i) => Math.abs(value - (seen[i] as number)));
    expect(Math.max(...difference)).toBeLessThan(1e-3);
  }
  expect(fitted([])).toEqual(blank());
  const total = (image: Float32Array): number => image.reduce((sum, value) => sum + value, 0);
  expect(total(fitted([[[2, 2]]]))).toBeCloseTo(total(inked([[[7, 7]]])), 5);
});
