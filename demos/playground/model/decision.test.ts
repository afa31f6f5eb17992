import { expect, test } from "vitest";
import { decidedAt, leaderOf, leadersOverTime, scoresOverTime } from "./decision.ts";

test("decision: the largest score leads; nobody does while it is shared", () => {
  expect(leaderOf([0, 0])).toBe(-1);
  expect(leaderOf([1, 3, 2])).toBe(1);
  expect(leaderOf([-2, -1, -1])).toBe(-1);
  expect(leaderOf([2, 2, 3])).toBe(2);
  expect(leaderOf([3, 2, 2])).toBe(0);
});

test("decision: leaders by the scores of the step, or by the largest values so far", () => {
  const readout = Float32Array.of(0, 1, 3, 2, 0, 1, 0, 4);
  const leaders = (judgedByMaximum: boolean): number[] => [
    ...leadersOverTime(scoresOverTime(readout, 2, judgedByMaximum), 2),
  ];
  expect(leaders(false)).toEqual([1, 0, 1, 1]);
  expect(leaders(true)).toEqual([1, 0, 0, 1]);
  expect([...scoresOverTime(readout, 2, true)]).toEqual([0, 1, 3, 2, 3, 2, 3, 4]);
});

test("decision: it falls where the margin stays above half of the last one", () => {
  // Margins of class 1: 0, 3, 1, 2.5, 4.
  const scores = Float32Array.of(0, 0, 0, 3, 2, 3, 2, 4.5, 2, 6);
  expect(decidedAt(scores, 2)).toBe(3);
  expect(decidedAt(Float32Array.of(0, 1), 2)).toBe(0);
  expect(decidedAt(Float32Array.of(0, 1, 2, 2), 2)).toBe(-1);
  expect(decidedAt(Float32Array.of(0, 0, 0, 1, 0, 5), 3)).toBe(1);
});
