import { expect, test } from "vitest";
import { compareSides, LENGTHS, numbers } from "../test/support/sides.ts";

/** β₁ and β₂ as arguments of adam, each with its distance from 1. */
const BETAS = [0.9, 1 - 0.9, 0.999, 1 - 0.999];

const STEPS = 3;

/** The steps of RMSprop begin with a size of 1/√take = 10 and cancel in the momentum. */
const STEPS_OF_TEN = { absolute: 1e-5 };

for (const n of LENGTHS) {
  const w0 = numbers(n, 1);
  const gradients = Array.from({ length: STEPS }, (_, t) => numbers(n, 10 + t));

  test(`sgd: three steps agree with the twin, n = ${n}`, () => {
    for (const [momentum, dampening, decay, nesterov] of [
      [0, 0, 0, 0],
      [0, 0, 0.1, 0],
      [0.9, 0, 0, 0],
      [0.9, 0.2, 0.1, 0],
      [0.9, 0, 0.1, 1],
    ] as const) {
      compareSides((side) => {
        const w = side.put(w0);
        const buf = momentum === 0 ? 0 : side.put(Array(n).fill(7));
        gradients.forEach((g, t) => {
          side.k.sgd(w, side.put(g), buf, n, 0.1, momentum, dampening, decay, nesterov, t === 0 ? 1 : 0);
        });
        return [...side.read(w, n), ...(buf === 0 ? [] : side.read(buf, n))];
      });
    }
  });

  test(`adam: three steps agree with the twin, n = ${n}`, () => {
    for (const [decay, decoupled, amsgrad] of [
      [0, 0, false],
      [0.1, 0, false],
      [0, 1e-3, false],
      [0.1, 0, true],
    ] as const) {
      compareSides((side) => {
        const w = side.put(w0);
        const m = side.zeros(n);
        const v = side.zeros(n);
        const vmax = amsgrad ? side.zeros(n) : 0;
        gradients.forEach((g, t) => {
          const rate = 1e-2 / (1 - 0.9 ** (t + 1));
          const scale = 1 / Math.sqrt(1 - 0.999 ** (t + 1));
          const constants = side.put([1 - decoupled, decay, ...BETAS, rate, scale, 1e-8]);
          side.k.adam(w, side.put(g), m, v, vmax, n, constants);
        });
        return [w, m, v, ...(amsgrad ? [vmax] : [])].flatMap((p) => side.read(p, n));
      });
    }
  });

  test(`rmsprop: three steps agree with the twin, n = ${n}`, () => {
    for (const [keep, take, centered, momentum, decay] of [
      [0.99, 0.01, false, 0, 0],
      [0.9, 0.1, false, 0.9, 0.1],
      [0.9, 0.1, true, 0, 0.1],
      [0.99, 0.01, true, 0.9, 0],
      [1, 1, false, 0, 0.1],
    ] as const) {
      compareSides((side) => {
        const w = side.put(w0);
        const square = side.zeros(n);
        const mean = centered ? side.zeros(n) : 0;
        const buf = momentum === 0 ? 0 : side.zeros(n);
        for (const g of gradients) {
          side.k.rmsprop(w, side.put(g), square, mean, buf, n, 0.01, keep, take, 1e-3, decay, momentum);
        }
        return [w, square, mean, buf].flatMap((p) => (p === 0 ? [] : side.read(p, n)));
      }, STEPS_OF_TEN);
    }
  });
}

test("sgd: one step by hand", () => {
  compareSides((side) => {
    const w = side.put([1, -2, 3]);
    const buf = side.put([0.5, 0.5, 0.5]);
    // d = 1 + 0.5·w, buf = 0.5·0.5 + 0.75·d, w −= 0.5·(d + 0.5·buf)
    side.k.sgd(w, side.put([1, 1, 1]), buf, 3, 0.5, 0.5, 0.25, 0.5, 1, 0);
    expect(side.read(buf, 3)).toEqual([1.375, 0.25, 2.125]);
    expect(side.read(w, 3)).toEqual([-0.09375, -2.0625, 1.21875]);
    return [];
  });
});

test("adam: the first step is stepSize in the direction of the gradient", () => {
  compareSides((side) => {
    const w = side.zeros(5);
    side.k.adam(
      w,
      side.put([3, -0.01, 0, 1e-3, -1e4]),
      side.zeros(5),
      side.zeros(5),
      0,
      5,
      side.put([1, 0, ...BETAS, 0.01 / (1 - 0.9), 1 / Math.sqrt(1 - 0.999), 1e-12]),
    );
    side.read(w, 5).forEach((v, i) => expect(v).toBeCloseTo([-0.01, 0.01, 0, -0.01, 0.01][i] as number, 6));
    return side.read(w, 5);
  });
});

test("adam: NaN in the gradient shows in the weight, with and without amsgrad", () => {
  compareSides((side) => {
    const w = side.put([1, 1]);
    const vmax = side.put([1, 1]);
    const constants = side.put([1, 0, ...BETAS, 0.1, 1, 1e-8]);
    side.k.adam(w, side.put([NaN, 1]), side.zeros(2), side.zeros(2), vmax, 2, constants);
    return [...side.read(w, 2), ...side.read(vmax, 2)];
  });
});

test("rmsprop: one step by hand, with and without a mean and momentum", () => {
  compareSides((side) => {
    const w = side.put([1]);
    const square = side.zeros(1);
    const mean = side.put([2]);
    const buf = side.put([8]);
    // g = 3 + 1·1, square = 0.5·16
    side.k.rmsprop(w, side.put([3]), square, 0, 0, 1, 0.5, 0.5, 0.5, 1, 1, 0);
    expect(side.read(square, 1)).toEqual([8]);
    expect(side.read(w, 1)[0]).toBeCloseTo(1 - 2 / (Math.sqrt(8) + 1), 6);
    // square = 6.25 + 0.25·16, mean = 2 + 0.25·(4 − 2), √(10.25 − 2.5²) = 2, buf = 0.5·8 + 4/2
    const v = side.put([6.25]);
    const x = side.put([1]);
    side.k.rmsprop(x, side.put([4]), v, mean, buf, 1, 0.5, 1, 0.25, 0, 0, 0.5);
    expect(side.read(v, 1)).toEqual([10.25]);
    expect(side.read(mean, 1)).toEqual([2.5]);
    expect(side.read(buf, 1)).toEqual([6]);
    expect(side.read(x, 1)).toEqual([-2]);
    return [];
  });
});

test("rmsprop: a variance that rounding makes negative is 0, and NaN in the gradient shows", () => {
  compareSides((side) => {
    const x = side.put([1, 1]);
    // square − mean² = 0.0099 − 0.1²
    side.k.rmsprop(x, side.put([0.1, NaN]), side.put([0.0099, 1]), side.put([0.1, 1]), 0, 2, 0.5, 1, 0, 0.1, 0, 0);
    const z = side.read(x, 2);
    expect(z[0]).toBeCloseTo(0.5, 6);
    return z;
  });
});
