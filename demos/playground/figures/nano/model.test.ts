import { expect, test } from "vitest";
import type { Both } from "../../../nano/side-by-side.ts";
import { noSteps, sentenceOf, withTold } from "./model.ts";

const loss = (i: number): Both => ({ nano: i, package: -i });
const told = (from: number, count: number) => ({
  losses: Array.from({ length: count }, (_, i) => loss(from + i)),
  ms: { nano: 2 * (from + count), package: from + count },
  ...{ equal: 4482, of: 4482 },
});

test("a curve has a point for each step, until it would have too many: then one for twice the steps, their mean", () => {
  const few = withTold(noSteps(), told(0, 255));
  expect([few.every, few.curve.length, few.curve[7]]).toEqual([1, 255, loss(7)]);
  const more = withTold(few, told(255, 1));
  expect([more.every, more.curve.length, more.curve[3]]).toEqual([2, 128, { nano: 6.5, package: -6.5 }]);
});

test("many small parts make the curve that one large part makes", () => {
  let parts = noSteps();
  for (let i = 0; i < 1000; i += 7) parts = withTold(parts, told(i, Math.min(7, 1000 - i)));
  expect(parts).toEqual(withTold(noSteps(), told(0, 1000)));
  expect(parts.last).toEqual(loss(999));
});

test("the sentence counts steps and equal weights", () => {
  expect(sentenceOf(noSteps())).toBe("");
  expect(sentenceOf(withTold(noSteps(), told(0, 1)))).toBe(
    "After one step on the same batches 4\u202f482 of 4\u202f482 weights are equal, to the bit.",
  );
  expect(sentenceOf(withTold(noSteps(), told(0, 1000)))).toMatch(/^After 1\u202f000 steps/);
});
