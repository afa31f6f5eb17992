import { expect, test } from "vitest";
import { Snapshots } from "./snapshots.ts";

test("snapshots: evenly spaced over the whole run, never more than there is room for", () => {
  const snapshots = new Snapshots(8);
  for (let steps = 0; steps <= 1000; steps++) {
    snapshots.offer(steps, () => ({}));
    expect(snapshots.all.length).toBeLessThanOrEqual(8);
  }
  expect(snapshots.steps).toEqual([0, 128, 256, 384, 512, 640, 768, 896]);
});
