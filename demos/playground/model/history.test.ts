import { expect, test } from "vitest";
import { History, strideAt } from "./history.ts";

test("history: the distance of points doubles from octave to octave", () => {
  expect([0, 7, 8, 15, 16, 31, 32].map((step) => strideAt(step, 4))).toEqual([1, 1, 2, 2, 4, 4, 8]);
});

test("history: every step of the beginning stays, and a late point is the mean of its steps", () => {
  const history = new History();
  history.record(0, null);
  for (let step = 1; step <= 35_000; step++) history.record(step, step);
  expect(history.steps.slice(0, 4)).toEqual([0, 1, 2, 3]);
  expect(history.loss.slice(0, 4)).toEqual([null, 1, 2, 3]);
  expect(history.steps.indexOf(200)).toBe(200);
  expect(history.steps.length).toBeLessThan(1400);
  const late = history.steps.indexOf(20_480);
  expect(history.steps[late - 1]).toBe(20_480 - 128);
  expect(history.loss[late]).toBeCloseTo(20_480 - 63.5, 6);
  expect(history.steps.at(-1)).toBe(35_000);
});

test("history: another one that takes the changes is the same, whenever they are told", () => {
  const [first, second] = [new History(), new History()];
  first.record(0, null);
  for (let step = 1; step <= 3000; step++) {
    first.record(step, 1 / step);
    if (step % 13 === 0) first.measure(step / 3000);
    if (step % 7 === 0) second.apply(first.changes());
  }
  second.apply(first.changes());
  expect([second.steps, second.loss, second.accuracy]).toEqual([first.steps, first.loss, first.accuracy]);
  expect(first.changes().steps).toEqual([]);
  second.clear();
  expect(second.steps).toEqual([]);
});

test("history: an accuracy that passes is told, and taken back with the next step; one that stays is not", () => {
  const [history, told] = [new History(), new History()];
  const after = (happens: () => void): (number | null)[] => {
    happens();
    told.apply(history.changes());
    return [...told.accuracy];
  };
  expect(after(() => history.record(0, null))).toEqual([null]);
  expect(after(() => history.measure(0.5, false))).toEqual([0.5]);
  expect(after(() => history.measure(0.5, false))).toEqual([0.5]);
  expect(after(() => history.record(1, 1))).toEqual([null, null]);
  expect(after(() => history.measure(0.75))).toEqual([null, 0.75]);
  expect(after(() => history.measure(0.75, false))).toEqual([null, 0.75]);
  expect(after(() => history.record(2, 1))).toEqual([null, 0.75, null]);
});

test("history: a run that goes on from a later step begins there", () => {
  const history = new History();
  history.record(1000, null);
  history.measure(0.5);
  for (let step = 1001; step <= 1004; step++) history.record(step, step);
  expect([history.steps, history.loss, history.accuracy]).toEqual([
    [1000, 1004],
    [null, 1002.5],
    [0.5, null],
  ]);
});
