import { expect, test } from "vitest";
import { compareSides, LENGTHS, numbers } from "../test/support/sides.ts";

for (const n of LENGTHS) {
  const x = numbers(n, 1);
  const y = numbers(n, 2, 0.5, 2);
  const d = numbers(n, 3);

  test(`elementwise: binary kernels agree with their twins, n = ${n}`, () => {
    for (const name of ["add", "sub", "mul", "div"] as const) {
      compareSides((side) => {
        const [z, all] = [side.zeros(n), side.zeros(n)];
        side.k[name](z, side.put(x), side.put(y), n);
        side.k[name](all, side.put(x), side.put([0.7]), n, 1);
        return [...side.read(z, n), ...side.read(all, n)];
      });
    }
  });

  test(`elementwise: gradients accumulate, n = ${n}`, () => {
    for (const name of ["mulGrad", "divGrad"] as const) {
      compareSides((side) => {
        const [dx, all] = [side.put(d), side.put(d)];
        side.k[name](dx, side.put(x), side.put(y), n);
        side.k[name](all, side.put(x), side.put([0.7]), n, 1);
        return [...side.read(dx, n), ...side.read(all, n)];
      });
    }
    compareSides((side) => {
      const dy = side.put(d);
      side.k.divisorGrad(dy, side.put(x), side.put(d), side.put(y), n);
      return side.read(dy, n);
    });
  });

  test(`elementwise: fill, copy and the scaled sums agree, n = ${n}`, () => {
    compareSides((side) => {
      const z = side.zeros(n);
      side.k.fill(z, n, 0.1);
      return side.read(z, n);
    });
    compareSides((side) => {
      const z = side.put(d);
      side.k.addTo(z, side.put(x), n);
      side.k.addScaled(z, side.put(y), n, -0.5);
      return side.read(z, n);
    });
    compareSides((side) => {
      const z = side.zeros(n);
      side.k.affine(z, side.put(x), n, 1.5, -0.25);
      return side.read(z, n);
    });
  });
}

test("elementwise: copy moves overlapping ranges as memmove does", () => {
  compareSides((side) => {
    const x = side.put([1, 2, 3, 4, 5, 6]);
    side.k.copy(x + 4, x, 5);
    const z = side.read(x, 6);
    expect(z).toEqual([1, 1, 2, 3, 4, 5]);
    return z;
  });
});
