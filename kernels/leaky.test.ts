import { expect, test } from "vitest";
import { compareSides, numbers } from "../test/support/sides.ts";

const T = 5;

for (const { rows, n, perNeuron } of [
  { rows: 1, n: 1, perNeuron: false },
  { rows: 2, n: 7, perNeuron: true },
  { rows: 1, n: 40, perNeuron: false },
]) {
  const size = rows * n;
  const step = perNeuron ? 1 : 0;

  test(`leaky: forward and backward agree with the reference, [${T}, ${rows}, ${n}]`, () => {
    for (const constant of [false, true]) {
      for (const initial of [false, true]) {
        compareSides(
          (side) => {
            const beta = side.put(numbers(perNeuron ? n : 1, 1, 0, 1));
            const current = side.put(numbers(constant ? size : T * size, 2));
            const v0 = initial ? side.put(numbers(size, 3)) : 0;
            const v = side.zeros(T * size);
            side.k.leakyForward(v, current, v0, beta, T, rows, n, constant ? 0 : size, step);
            const g = side.put(numbers(T * size, 4));
            const total = constant ? side.put(numbers(size, 5)) : 0;
            const [carry, dBeta, dv0] = [side.zeros(size), side.zeros(size), initial ? side.zeros(size) : 0];
            side.k.leakyBackward(g, v, v0, beta, carry, total, dBeta, dv0, T, rows, n, step);
            return [
              ...side.read(v, T * size),
              ...side.read(g, T * size),
              ...side.read(dBeta, size),
              ...(constant ? side.read(total, size) : []),
              ...(initial ? side.read(dv0, size) : []),
            ];
          },
          { absolute: 1e-5, relative: 1e-5 },
        );
      }
    }
  });
}

test("leaky: without a state before the first step β gets nothing from it, not even ∞·0", () => {
  compareSides((side) => {
    const dBeta = side.zeros(1);
    const carry = side.zeros(1);
    side.k.leakyBackward(side.put([Infinity]), side.put([1]), 0, side.put([0.5]), carry, 0, dBeta, 0, 1, 1, 1, 0);
    expect(side.read(dBeta, 1)).toEqual([0]);
    return side.read(carry, 1);
  });
});
