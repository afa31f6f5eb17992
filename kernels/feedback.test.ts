import { expect, test } from "vitest";
import { compareSides, numbers, type Side } from "../test/support/sides.ts";
import { reference } from "./reference/index.ts";

const TOLERANCE = { absolute: 2e-5, relative: 2e-5 };

/** Spikes of two steps as a stream, of which a share fires. */
function spikes(side: Side, size: number, share: number): number {
  const s = side.zeros(Math.ceil((2 * size) / 32) + 1);
  side.k.packBits(s, side.put(numbers(2 * size, 4, 0, 1).map((x) => Number(x < share))), 1, 2 * size);
  return s;
}

/** Room for panels and for the work, at the line of a cache that panels begin at. */
function roomOf(side: Side, rows: number, n: number): [panels: number, work: number] {
  return [side.zeros(32 * n * Math.ceil(n / 32)), side.zeros(rows * (n + 36) + 64)];
}

test.each([1, 3])("feedback: forward and backward agree with the reference at every length of %i rows", (rows) => {
  for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 64, 101, 259]) {
    for (const share of [0, 0.03, 0.5, 1]) {
      compareSides((side) => {
        const weight = side.put(numbers(n * n, 1, -1 / n, 1 / n));
        const current = side.put(numbers(rows * n, 2));
        const bias = share === 0.5 ? 0 : side.put(numbers(n, 3));
        const s = spikes(side, rows * n, share);
        const [panels, work] = roomOf(side, rows, n);
        const z = side.zeros(rows * n);
        const ds = side.put(numbers(rows * n, 5));
        side.k.packForward(panels, weight, n);
        side.k.feedForward(z, current, share === 0 ? 0 : s, rows * n, panels, bias, work, rows, n);
        side.k.packBackward(weight, n);
        side.k.feedBack(ds, current, weight, rows, n);
        side.k.feedBack(ds, z, weight, rows, n);
        return [...side.read(z, rows * n), ...side.read(ds, rows * n)];
      }, TOLERANCE);
    }
  }
});

test("feedback: the sum starts at the bias, takes the spikes in ascending order, and the current comes last", () => {
  compareSides((side) => {
    const n = 4;
    const weight = side.put([2 ** 24, -(2 ** 24), 0.5, 0, ...Array(12).fill(0)]);
    const [panels, work] = roomOf(side, 1, n);
    const z = side.zeros(n);
    side.k.packForward(panels, weight, n);
    side.k.feedForward(z, side.put([3, 0, 0, 0]), spikes(side, n, 1), 0, panels, side.put([1, 0, 0, 0]), work, 1, n);
    // In float32 1 + 2²⁴ is 2²⁴: the bias is lost to the first term, later terms are not.
    expect(side.read(z, 1)).toEqual([side.k === reference ? 4.5 : 3.5]);
    return [];
  });
});
