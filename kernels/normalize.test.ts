import { expect, test } from "vitest";
import { compareSides, LENGTHS, numbers } from "../test/support/sides.ts";

const LAYOUTS = LENGTHS.slice(1).flatMap((n): [outer: number, groups: number, n: number][] => [
  [3, 4, n],
  [1, 5, n],
]);

test.each(LAYOUTS)("normalize: the kernels agree with their twins, [%i, %i, %i]", (outer, groups, n) => {
  const size = outer * groups * n;
  const x = numbers(size, 1, 1, 5);
  compareSides((side) => {
    const [mean, variance] = [side.zeros(groups), side.zeros(groups)];
    side.k.moments(mean, variance, side.put(x), outer, groups, n);
    return [...side.read(mean, groups), ...side.read(variance, groups)];
  });
  compareSides(
    (side) => {
      const [p, q] = [side.zeros(groups), side.zeros(groups)];
      const mean = side.put(numbers(groups, 3, 2, 4));
      side.k.momentSums(p, q, side.put(numbers(size, 2)), side.put(x), mean, outer, groups, n);
      return [...side.read(p, groups), ...side.read(q, groups)];
    },
    // Sums of up to 3009 products of up to 6 in float64, rounded once.
    { absolute: 1e-5, relative: 1e-6 },
  );
  for (const adds of [true, false]) {
    compareSides((side) => {
      const z = side.put(numbers(size, 4));
      const y = adds ? side.put(numbers(size, 5)) : 0;
      // Without y there are three constants per group.
      const constants = side.put(numbers((adds ? 4 : 3) * groups, 6));
      side.k.normalize(z, side.put(x), y, constants, outer, groups, n);
      return side.read(z, size);
    });
  }
});

test("normalize: the constants of groups that share statistics, with weight and bias and without", () => {
  for (const [groups, perStat, channels] of [
    [6, 1, 3],
    [12, 2, 4],
    [5, 5, 5],
  ] as const) {
    for (const isAffine of [true, false]) {
      compareSides((side) => {
        const stats = groups / perStat;
        const [mean, variance] = [side.put(numbers(stats, 1)), side.put(numbers(stats, 2, 0, 3))];
        const weight = isAffine ? side.put(numbers(channels, 3)) : 0;
        const bias = isAffine ? side.put(numbers(channels, 4)) : 0;
        const constants = side.zeros(3 * groups);
        side.k.normConstants(constants, mean, variance, weight, bias, 1e-5, groups, perStat, channels);
        return side.read(constants, 3 * groups);
      });
    }
  }
});

test("normalize: a large mean does not drown the variance", () => {
  // 10⁶ in steps of 1/2: float32 sums of squares would lose all of it.
  const x = numbers(1003, 1, 0, 1).map((v) => 1e6 + Math.round(v) / 2);
  compareSides((side) => {
    const [mean, variance] = [side.zeros(1), side.zeros(1)];
    side.k.moments(mean, variance, side.put(x), 1, 1, x.length);
    expect(side.read(variance, 1)[0]).toBeGreaterThan(0.06);
    return [...side.read(mean, 1), ...side.read(variance, 1)];
  });
});
