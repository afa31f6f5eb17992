import { expect, test } from "vitest";
import { compareSides, describedLIF, LENGTHS, numbers, type Side } from "../test/support/sides.ts";
import * as kinds from "./kinds.ts";
import { reference } from "./reference/index.ts";
import { RESETS, SURROGATES } from "./reference/kinds.ts";

/** Invalid surrogate numbers: the first above the range, one far above, and that of a custom surrogate. */
const UNKNOWN = [Math.max(...Object.values(SURROGATES)) + 1, 1000, -1];

for (const [name, kind] of Object.entries(SURROGATES)) {
  test(`surrogate: ${name} agrees with the reference`, () => {
    for (const n of LENGTHS) {
      for (const step of [0, 1]) {
        compareSides(
          (side) => {
            const z = side.zeros(n);
            const threshold = side.put(numbers(step === 0 ? 1 : Math.max(n, 1), 2, 0.5, 1.5));
            side.k.surrogate(z, side.put(numbers(n, 1, -3, 3)), threshold, step, n, kind, 7);
            return side.read(z, n);
          },
          { absolute: 1e-6, relative: 5e-6 },
        );
      }
    }
  });
}

test("kinds: every number is that of one surrogate or of one reset", () => {
  const all = Object.values(kinds).filter((value) => typeof value === "number");
  const lists = [SURROGATES, RESETS].map((list) => Object.values(list));
  for (const list of lists) expect(new Set<number>(list).size).toBe(list.length);
  expect(lists.flat().sort()).toEqual(all.sort());
});

test("surrogate: a number that is no surrogate is an error on both sides, for neurons too", () => {
  const n = 9;
  for (const kind of UNKNOWN) {
    const runs: ((side: Side) => void)[] = [
      (side) => side.k.surrogate(side.zeros(n), side.zeros(n), side.zeros(1), 0, n, kind, 1),
      (side) => {
        const [dU, u, one] = [side.zeros(n), side.zeros(n), side.zeros(1)];
        const layer = { T: 1, rows: 1, n, beta: one, threshold: one, kind, slope: 1 };
        side.k.lifBackward(describedLIF(side, { ...layer, u, dSpikes: dU, dU }));
      },
    ];
    for (const run of runs) {
      const caught: unknown[] = [];
      compareSides((side) => {
        try {
          run(side);
        } catch (error) {
          caught.push(error);
        }
        return [];
      });
      expect(caught).toEqual([expect.any(WebAssembly.RuntimeError), expect.any(RangeError)]);
    }
  }
});

test("surrogate: far from the threshold every derivative but 1 is small, and all are finite", () => {
  for (const kind of Object.values(SURROGATES)) {
    compareSides((side) => {
      const z = side.zeros(6);
      side.k.surrogate(z, side.put([-1e30, -1e4, -50, 50, 1e4, 1e30]), side.put([0]), 0, 6, kind, 25);
      const values = side.read(z, 6);
      expect(values.every((value) => value >= 0 && value < 1e-3)).toBe(kind !== kinds.STRAIGHT_THROUGH);
      return values;
    });
  }
});

test("surrogate: a boxcar is 0 on its border and for NaN, a triangle too", () => {
  compareSides((side) => {
    const x = side.put([-0.75, -0.74, 0.74, 0.75, Number.NaN]);
    const [box, triangle] = [side.zeros(5), side.zeros(5)];
    side.k.surrogate(box, x, side.put([0]), 0, 5, kinds.BOXCAR, 1.5);
    side.k.surrogate(triangle, x, side.put([0]), 0, 5, kinds.TRIANGULAR, 0.75);
    expect(side.read(box, 5)).toEqual([0, 1 / 1.5, 1 / 1.5, 0, 0].map((value) => expect.closeTo(value, 6)));
    return [...side.read(box, 5), ...side.read(triangle, 5)];
  });
});

test("surrogate: spike fires at zero, strictly above it, and never for NaN", () => {
  for (const strict of [0, 1]) {
    compareSides((side) => {
      const z = side.zeros(6);
      side.k.spike(z, side.put([-1, -1e-45, 0, 1e-45, 1, Number.NaN]), 6, strict);
      return side.read(z, 6);
    });
  }
});

test("surrogate: every NaN gives NaN, whatever its payload", () => {
  for (const kind of [kinds.ATAN, kinds.ERF, kinds.FAST_SIGMOID, kinds.SIGMOID]) {
    compareSides((side) => {
      if (side.k === reference) return [];
      const x = side.putInts([0x7fc00000, 0x7fffffff, 0x7fc001ff, -1, 0x7f800001]);
      const z = side.zeros(5);
      side.k.surrogate(z, x, side.zeros(1), 0, 5, kind, 3);
      expect(side.read(z, 5).every(Number.isNaN)).toBe(true);
      return [];
    });
  }
});
