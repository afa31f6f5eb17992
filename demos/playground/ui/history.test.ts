import { expect, test } from "vitest";
import { History } from "./history.ts";

test("history: neighbours become one where there is no more room; first and last steps stay in order", () => {
  const history = new History(10);
  for (let step = 1; step <= 100; step++) history.push(step, step, step % 4 === 0 ? step / 100 : null);
  expect(history.steps.length).toBeLessThanOrEqual(10);
  expect(history.loss.length).toBe(history.steps.length);
  expect(history.accuracy.length).toBe(history.steps.length);
  expect(history.steps.at(-1)).toBe(100);
  expect([...history.steps].sort((a, b) => a - b)).toEqual(history.steps);
  expect(history.accuracy.at(-1)).toBe(1);
});

test("history: details of the same step are added to it", () => {
  const history = new History();
  history.push(5, 0.5, null);
  history.push(5, null, 0.75);
  expect([history.steps, history.loss, history.accuracy]).toEqual([[5], [0.5], [0.75]]);
  history.clear();
  expect(history.steps).toEqual([]);
});
