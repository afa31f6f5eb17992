import { expect, test } from "vitest";
import type { Strokes } from "../../model/image.ts";
import { formatStrokes, nearest, parseStrokes } from "./link.ts";

test("a link holds the coordinates of a drawing, to the bit", () => {
  const strokes: Strokes = [
    [
      [nearest(0.1), nearest(0.92)],
      [nearest(-0.3), nearest(1.2)],
    ],
    [[nearest(9), nearest(-9)]],
  ];
  expect(parseStrokes(formatStrokes(strokes))).toEqual(strokes);
  expect(strokes[1]).toEqual([[1.5, -0.5]]);
  expect(Math.abs(nearest(0.1) - 0.1)).toBeLessThan(1 / 1200);
});

test.each(["", "abc", "abcd_", "ABCD", "abcd__abcd", `${"abcd".repeat(2001)}`])("%s is no drawing", (text) => {
  expect(parseStrokes(text)).toEqual([]);
});
