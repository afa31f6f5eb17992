import { expect, test } from "vitest";
import { A, B, shareOn, valueOn } from "./plane.ts";

test("plane: a place on an axis stands for the value that lies there", () => {
  for (const axis of [A, B]) {
    expect([shareOn(axis, axis.low), shareOn(axis, axis.high)]).toEqual([0, 1]);
    for (let share = 0; share <= 1; share += 0.05) expect(shareOn(axis, valueOn(axis, share))).toBeCloseTo(share, 9);
    expect(valueOn(axis, shareOn(axis, 0))).toBeCloseTo(0, 9);
    expect([valueOn(axis, -1), valueOn(axis, 2)]).toEqual([expect.closeTo(axis.low, 9), expect.closeTo(axis.high, 9)]);
  }
});
