import { curvePlot } from "jarvis-snn/plot";
import { expect, test } from "vitest";
import { growthBlock, growthOf, growthPlots } from "./growth.ts";

const times = [
  { ours: 1, theirs: 3 },
  { ours: 2, theirs: 9 },
];
const growth = { T: growthOf([10, 20], times), threads: growthOf([1, 2], times) };

test("growthOf: a curve for each of those who took part", () => {
  expect(growth.T).toEqual({ values: [10, 20], curves: { ours: [1, 2], theirs: [3, 9] } });
});

test("growthPlots: a picture for each axis that was measured", async () => {
  const plots = await growthPlots({ ...growth, batch: { values: [8], curves: {} } }, curvePlot);
  expect(Object.keys(plots)).toEqual(["growth-t.svg", "growth-threads.svg"]);
  for (const text of ["ours", "theirs", "time steps", "10¹"]) expect(plots["growth-t.svg"]).toContain(text);
});

test("growthBlock: the machine and the pictures, or that there are none", () => {
  const block = growthBlock({ machine: "some CPU", node: "20.0.0", date: "2026-01-02", axes: growth });
  expect(block).toContain("some CPU, Node 20.0.0, 2026-01-02.");
  expect([...block.matchAll(/src="([^"]+)"/g)].map(([, file]) => file)).toEqual(["growth-t.svg", "growth-threads.svg"]);
  expect(growthBlock(undefined)).toBe("Not measured yet.");
});
