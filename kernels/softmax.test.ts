import { expect, test } from "vitest";
import { compareSides, LENGTHS, numbers } from "../test/support/sides.ts";

const ROWS = 3;
const COLUMNS = LENGTHS.slice(1);

/** Float32 sums of n exponentials, four at a time. */
const bound = (n: number) => ({ absolute: 1e-6, relative: 2e-6 + 1.5e-8 * n });

/** Logits of ordinary size, and shifted to where exp would overflow or vanish. */
function logits(n: number, offset: number): number[] {
  return numbers(ROWS * n, 1, -3, 3).map((v) => Math.fround(v + offset));
}

for (const n of COLUMNS) {
  const size = ROWS * n;
  const d = numbers(size, 2);
  const y = numbers(size, 3);

  test(`softmax: softmax and logSoftmax agree with their twins, also at ±1000, n = ${n}`, () => {
    for (const offset of [0, 1000, -1000]) {
      for (const name of ["softmax", "logSoftmax"] as const) {
        compareSides((side) => {
          const z = side.zeros(size);
          side.k[name](z, side.put(logits(n, offset)), ROWS, n);
          return side.read(z, size);
        }, bound(n));
      }
    }
  });

  test(`softmax: gradients accumulate, n = ${n}`, () => {
    for (const name of ["softmax", "logSoftmax"] as const) {
      compareSides(
        (side) => {
          const x = side.put(logits(n, 0));
          const z = side.zeros(size);
          const dx = side.put(y);
          side.k[name](z, x, ROWS, n);
          side.k[`${name}Grad`](dx, side.put(d), z, ROWS, n);
          return side.read(dx, size);
        },
        { absolute: 2e-6 + 1e-8 * n, relative: 2e-6 },
      );
    }
  });

  for (const weighted of [false, true]) {
    for (const smoothing of [0, 0.1]) {
      const w = numbers(n, 4, 0.2, 2);
      // The middle row is ignored.
      const targets = [0, -1, n - 1];
      const options = `n = ${n}${weighted ? ", weighted" : ""}${smoothing === 0 ? "" : ", smoothed"}`;

      test(`crossEntropy: loss and gradient of class indices agree, ${options}`, () => {
        for (const offset of [0, 1000]) {
          for (const step of [0, 1]) {
            compareSides((side) => {
              const x = side.put(logits(n, offset));
              const target = side.putInts(targets);
              const weight = weighted ? side.put(w) : 0;
              const loss = side.zeros(ROWS);
              const lse = side.zeros(2 * ROWS);
              const dx = side.put(y);
              side.k.crossEntropy(loss, lse, x, target, weight, ROWS, n, smoothing);
              side.k.crossEntropyGrad(
                dx,
                x,
                lse,
                target,
                weight,
                side.put([0.7, -1.1, 1.3]),
                step,
                0.5,
                ROWS,
                n,
                smoothing,
              );
              return [...side.read(loss, ROWS), ...side.read(lse, 2 * ROWS), ...side.read(dx, size)];
            }, bound(n));
          }
        }
      });
    }
  }
}

test("crossEntropy: any number of rows, also such that hold NaN or +∞, or −∞ only", () => {
  const n = 5;
  for (const rows of [1, 2, 4, 5, 70]) {
    for (const bad of [null, NaN, Infinity, -Infinity]) {
      const x = numbers(rows * n, 1, -3, 3);
      const row = Math.floor(rows / 2);
      if (bad === -Infinity) x.fill(bad, row * n, (row + 1) * n);
      else if (bad !== null) x[row * n + 1] = bad;
      compareSides((side) => {
        const [px, target] = [side.put(x), side.putInts(numbers(rows, 2, 0, n - 0.01).map(Math.floor))];
        const [loss, lse, dx] = [side.zeros(rows), side.zeros(2 * rows), side.zeros(rows * n)];
        side.k.crossEntropy(loss, lse, px, target, 0, rows, n, 0);
        side.k.crossEntropyGrad(dx, px, lse, target, 0, side.put([1]), 0, 0.5, rows, n, 0);
        const losses = side.read(loss, rows);
        losses.forEach((v, i) => {
          expect(Number.isFinite(v)).toBe(bad === null || i !== row);
        });
        const gradients = side.read(dx, rows * n);
        // Kernel and twin leave different values in a row without probabilities; the loop above checks its loss.
        return [
          ...losses.map((v, i) => (bad !== null && i === row ? 0 : v)),
          ...gradients.filter((_, i) => bad === null || Math.floor(i / n) !== row),
        ];
      }, bound(n));
    }
  }
});

test("softmax: may work in place, and takes −∞ for probability 0", () => {
  compareSides((side) => {
    const x = side.put([1, -Infinity, 2, 3, 0.5, -Infinity]);
    side.k.softmax(x, x, 1, 6);
    const z = side.read(x, 6);
    expect([z[1], z[5]]).toEqual([0, 0]);
    return z;
  });
});

test("softmax: a row with NaN or +∞, or of −∞ only, is NaN; its neighbours are not", () => {
  for (const n of [3, 4, 6]) {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const x = [...Array(n).fill(1), ...Array(n).fill(bad === -Infinity ? bad : 1), ...Array(n).fill(2)];
      x[2 * n - 1] = bad;
      for (const name of ["softmax", "logSoftmax"] as const) {
        compareSides((side) => {
          const z = side.zeros(3 * n);
          side.k[name](z, side.put(x), 3, n);
          // exp(−∞) beside +∞ may be 0 or NaN; the loss of the row must show it.
          return side.read(z, 3 * n).map((v, i) => (i >= n && i < 2 * n - 1 ? 0 : v));
        });
      }
    }
  }
});

test("crossEntropy: keeps its digits at logits of 1000", () => {
  compareSides(
    (side) => {
      const x = side.put([1000, 1000 + 2 ** -13, 999.5]);
      const loss = side.zeros(1);
      side.k.crossEntropy(loss, side.zeros(2), x, side.putInts([0]), 0, 1, 3, 0);
      return side.read(loss, 1);
    },
    { absolute: 0, relative: 3e-7 },
  );
});

test("crossEntropy: of log-probabilities, one per row is read and gets a gradient", () => {
  for (const weighted of [false, true]) {
    compareSides((side) => {
      const x = side.put([-1, -Infinity, -0.5, NaN, NaN, NaN, -Infinity, -2, -0.25]);
      const target = side.putInts([2, -1, 1]);
      const weight = weighted ? side.put([0.5, 3, 2]) : 0;
      const loss = side.zeros(3);
      const dx = side.put([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      side.k.crossEntropy(loss, 0, x, target, weight, 3, 3, 0);
      side.k.crossEntropyGrad(dx, x, 0, target, weight, side.put([1, 1, 2]), 1, 0.5, 3, 3, 0);
      expect(side.read(loss, 3)).toEqual(weighted ? [1, 0, 6] : [0.5, 0, 2]);
      expect(side.read(dx, 9)).toEqual([1, 2, weighted ? 2 : 2.5, 4, 5, 6, 7, weighted ? 5 : 7, 9]);
      return [];
    });
  }
});

test("crossEntropy: infinite losses and gradients are those of PyTorch's terms, one after the other", () => {
  compareSides((side) => {
    const x = side.put([-Infinity, 0, 1, -Infinity, 0, 1]);
    const target = side.putInts([0, 1]);
    const loss = side.zeros(2);
    const lse = side.zeros(4);
    const dx = side.zeros(6);
    // (1 − ε) of an infinite term is NaN for ε = 1.
    side.k.crossEntropy(loss, lse, x, target, 0, 2, 3, 1);
    expect(side.read(loss, 2)).toEqual([NaN, Infinity]);
    // ∞ for the other classes, ∞ − ∞ for the target.
    side.k.crossEntropyGrad(dx, x, lse, target, 0, side.put([1, Infinity]), 1, 1, 2, 3, 0);
    expect(side.read(dx, 6).slice(3)).toEqual([NaN, NaN, Infinity]);
    return side.read(dx, 3);
  });
  compareSides((side) => {
    // Log-probabilities: classes that are not a target get no gradient, not even 0·NaN.
    const dx = side.zeros(3);
    side.k.crossEntropyGrad(dx, 0, 0, side.putInts([1]), side.put([NaN, 2, 1]), side.put([1]), 1, 1, 1, 3, 0);
    expect(side.read(dx, 3)).toEqual([0, -2, 0]);
    return [];
  });
});

test("targetWeight: sums the weights of the rows that count", () => {
  compareSides((side) => {
    const target = side.putInts([0, 2, -1, 1, 2]);
    const weighted = side.k.targetWeight(target, side.put([0.5, 1.5, 3]), 5);
    const counted = side.k.targetWeight(target, 0, 5);
    expect([weighted, counted]).toEqual([8, 4]);
    return [weighted, counted, side.k.targetWeight(target, 0, 0)];
  });
});
