import { expect, test } from "vitest";
import { compareSides, numbers, type Side } from "../test/support/sides.ts";

/** A window along an axis. */
interface Axis {
  size: number;
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
}

const axis = (size: number, kernel: number, stride = 1, padding = 0, dilation = 1): Axis => ({
  size,
  kernel,
  stride,
  padding,
  dilation,
});

const placesOf = ({ size, kernel, stride, padding, dilation }: Axis): number =>
  Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

/** Rows and columns, channels and filters: rows of a word and more, every length of a row of filters, all options. */
const CASES: readonly (readonly [down: Axis, across: Axis, channels: number, filters: number])[] = [
  [axis(12, 5), axis(12, 5), 3, 16],
  [axis(1, 1), axis(1003, 3), 1, 2],
  [axis(4, 2), axis(33, 4, 1, 2), 2, 5],
  [axis(5, 3, 2, 1), axis(32, 3, 3, 1), 2, 4],
  [axis(7, 3, 2, 2, 3), axis(9, 2, 4, 3, 6), 2, 3],
  [axis(6, 2, 3), axis(70, 3, 2, 0, 2), 1, 17],
  // Values that no window reaches.
  [axis(5, 1, 3), axis(5, 1, 4), 2, 7],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [axis(3, 2), axis(4, 2, 1, 1), 2, n] as const),
];

test("events: the tables agree with their twins for all small strides, dilations and paddings", () => {
  compareSides((side) => {
    const all: number[] = [];
    for (const size of [1, 2, 5, 9]) {
      for (const kernel of [1, 2, 3, 5]) {
        for (const stride of [1, 2, 3, 4, 6, 9]) {
          for (const padding of [0, 1, 2, 5]) {
            for (const dilation of [1, 2, 3, 4, 6]) {
              const a = axis(size, kernel, stride, padding, dilation);
              const places = placesOf(a);
              if (places < 1) continue;
              const table = side.zeros(1 + 5 * size);
              side.k.overlaps(table, size, places, kernel, stride, padding, dilation, 1, 1);
              all.push(...side.readInts(table, 1 + 5 * size));
            }
          }
        }
      }
    }
    return all;
  });
});

function tables(side: Side, down: Axis, across: Axis, filters: number): [down: number, across: number] {
  const unit = 4 * filters;
  const table = (a: Axis, tapUnit: number, placeUnit: number): number => {
    const p = side.zeros(1 + 5 * a.size);
    side.k.overlaps(p, a.size, placesOf(a), a.kernel, a.stride, a.padding, a.dilation, tapUnit, placeUnit);
    return p;
  };
  return [table(down, across.kernel * unit, placesOf(across) * unit), table(across, unit, unit)];
}

for (const [down, across, channels, filters] of CASES) {
  const what = `${channels} × [${down.size}, ${across.size}], ${filters} filters of [${down.kernel}, ${across.kernel}]`;
  const places = placesOf(down) * placesOf(across);
  const taps = channels * down.kernel * across.kernel;
  const values = channels * down.size * across.size;

  test(`events: the tables agree with their twins, ${what}`, () => {
    compareSides((side) => {
      const [rows, columns] = tables(side, down, across, filters);
      return [...side.readInts(rows, 1 + 5 * down.size), ...side.readInts(columns, 1 + 5 * across.size)];
    });
  });

  for (const density of [0, 0.1, 1]) {
    test(`events: both sums agree with their twins, ${what}, density ${density}`, () => {
      const drawn = numbers(values, 1);
      const x = numbers(values, 2, 0, 1).map((u, i) => (u < density ? (drawn[i] as number) : 0));
      for (const graded of [true, false]) {
        for (const first of [0, 37]) {
          compareSides(
            (side) => {
              const floats = side.put([...new Array<number>(first).fill(1), ...x]);
              const bits = side.zeros(Math.ceil((first + values) / 32) + 1);
              side.k.packBits(bits, floats, 1, first + values);
              const [rows, columns] = tables(side, down, across, filters);
              const maps = side.put(numbers(places * filters, 3));
              const weights = side.put(numbers(taps * filters, 4));
              for (const toWeights of [0, 1]) {
                side.k.addEvents(
                  maps,
                  weights,
                  bits,
                  first,
                  graded ? floats : 0,
                  rows,
                  columns,
                  channels,
                  down.kernel * across.kernel,
                  filters,
                  toWeights,
                );
              }
              return [...side.read(maps, places * filters), ...side.read(weights, taps * filters)];
            },
            { absolute: 4e-6 * (taps + places), relative: 1e-4 },
          );
        }
      }
    });
  }
}

test("events: one value adds the weights of every tap to the place that has it there, by hand", () => {
  compareSides((side) => {
    const [down, across] = [axis(1, 1), axis(3, 2, 1, 1)];
    const [rows, columns] = tables(side, down, across, 1);
    const bits = side.putInts([0b010, 0]);
    const maps = side.zeros(4);
    // The last tap first.
    side.k.addEvents(maps, side.put([20, 10]), bits, 0, 0, rows, columns, 1, 2, 1, 0);
    expect(side.read(maps, 4)).toEqual([0, 20, 10, 0]);
    return [];
  });
});

for (const [down, across, channels] of [
  [axis(12, 5), axis(12, 5), 3],
  [axis(1, 1), axis(32, 29), 2],
  [axis(3, 2, 1, 1), axis(32, 3, 1, 16), 2],
  [axis(9, 3, 2, 1), axis(7, 4, 3, 2), 4],
  [axis(60, 2, 1, 2), axis(1, 1, 1, 3), 1],
] as const) {
  test(`events: bits under windows agree with their twins, [${down.size}, ${across.size}] by [${down.kernel}, ${across.kernel}]`, () => {
    const values = channels * down.size * across.size;
    for (const first of [0, 45]) {
      const x = numbers(first + values, 2, 0, 1).map((u) => (u < 0.4 ? 1 : 0));
      compareSides((side) => {
        const bits = side.zeros(Math.ceil((first + values) / 32) + 1);
        side.k.packBits(bits, side.put(x), 1, first + values);
        const words = placesOf(down) * placesOf(across) * channels;
        const z = side.zeros(words);
        const [rows, columns] = [down, across].map((a) => {
          const table = side.zeros(9 + 3 * placesOf(a));
          side.k.spans(table, a.size, placesOf(a), a.kernel, a.stride, a.padding, a.dilation, 0);
          return table;
        }) as [number, number];
        side.k.windowBits(z, bits, first, channels, rows, columns);
        return side.readWords(z, words);
      });
    }
  });
}
