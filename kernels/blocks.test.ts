import { test } from "vitest";
import { compareSides, LENGTHS, numbers } from "../test/support/sides.ts";

for (const n of LENGTHS) {
  test(`blocks: rows of ${n} are copied and added at their strides`, () => {
    for (const name of ["copyBlocks", "addBlocks"] as const) {
      compareSides((side) => {
        const z = side.put(numbers(3 * (n + 2), 1));
        side.k[name](z + 4, side.put(numbers(3 * (n + 1), 2)), 3, n, n + 2, n + 1);
        return side.read(z, 3 * (n + 2));
      });
    }
  });
}

test("blocks: a permutation and its gradient agree with the reference", () => {
  const [na, nb, nc, nd] = [2, 3, 4, 5] as const;
  for (const name of ["copyStrided", "addStrided"] as const) {
    compareSides((side) => {
      const z = side.put(numbers(120, 1));
      side.k[name](z, side.put(numbers(120, 2)), na, nb, nc, nd, 1, 2, 6, 24);
      return side.read(z, 120);
    });
  }
});
