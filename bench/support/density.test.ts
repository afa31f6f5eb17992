import { expect, test } from "vitest";
import { crossover, type DensityCurve, densitySvg } from "./density.ts";

test("crossover: on the line between two measurements, at the first or the last where there is none", () => {
  expect(crossover([10, 20, 40], [0.5, 0.9, 1.3])).toBeCloseTo(25);
  expect(crossover([10, 20], [1.5, 2])).toBe(10);
  expect(crossover([10, 100], [0.2, 0.8])).toBe(100);
});

test("densitySvg: a point for every measurement, rings where the curves cross that of the dense product", () => {
  const curve: DensityCurve = {
    product: "2 × 3 → 4",
    percents: [0.5, 50, 100],
    binary: [0.01, 1, 2],
    graded: [0.02, 0.5, 1.5],
  };
  const svg = densitySvg(curve);
  const points = [...svg.matchAll(/<polyline class="curve (\w+)" points="([^"]+)"/g)];
  expect(points.map(([, kind, list]) => [kind, list?.split(" ").length])).toEqual([
    ["binary", 3],
    ["graded", 3],
  ]);
  // The axes go from 0.5 % to 100 % and from a hundredth of the dense product to twice its time.
  expect(points[0]?.[2]).toMatch(/^64\.0,384\.0 .* 696\.0,72\.0$/);
  expect(svg).toContain("ones (spikes): as long as dense at 50 %");
  expect(svg).toContain("other numbers: as long as dense at 75 %");
  expect(svg).toContain("2 × 3 → 4");
  expect(svg).toContain("prefers-color-scheme: dark");
});
