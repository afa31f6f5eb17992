import { expect, test } from "vitest";
import { Snapshots } from "./snapshots.ts";

test("snapshots: of each early step, then ever further apart", () => {
  const snapshots = new Snapshots();
  for (let steps = 0; steps <= 40; steps++) snapshots.offer(steps, () => ({}));
  expect(snapshots.steps).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40]);
  for (let steps = 41; steps <= 220_000; steps++) snapshots.offer(steps, () => ({}));
  expect(snapshots.all.length).toBeLessThan(70);
});

test("snapshots: the step at which a run begins is one", () => {
  const snapshots = new Snapshots();
  expect([1001, 1002, 1024].map((steps) => snapshots.offer(steps, () => ({})))).toEqual([true, false, true]);
});
