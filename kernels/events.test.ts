import { expect, test } from "vitest";
import { numbers, onWasm, type WasmSide } from "../test/support/sides.ts";

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

/** For each value, the taps that cover it, the last one first, with the places at which they do. */
function pairsOf(a: Axis): [tap: number, place: number][][] {
  return Array.from({ length: a.size }, (_, i) => {
    const pairs: [number, number][] = [];
    for (let tap = a.kernel - 1; tap >= 0; tap--) {
      const place = (i + a.padding - tap * a.dilation) / a.stride;
      if (Number.isInteger(place) && place >= 0 && place < placesOf(a)) pairs.push([tap, place]);
    }
    return pairs;
  });
}

/** The table of an axis, with the distances of taps and places in bytes. */
function tableOf(side: WasmSide, a: Axis, tapUnit: number, placeUnit: number): number {
  const p = side.zeros(1 + 5 * a.size);
  side.k.overlaps(p, a.size, placesOf(a), a.kernel, a.stride, a.padding, a.dilation, tapUnit, placeUnit);
  return p;
}

function checkTable(a: Axis): void {
  const [tapUnit, placeUnit] = [100, 7];
  onWasm((side) => {
    const table = side.readInts(tableOf(side, a, tapUnit, placeUnit) + 4, 5 * a.size);
    const pairs = Array.from({ length: a.size }, (_, i) => {
      const [count, tap, tapStep, place, placeStep] = table.slice(5 * i) as [number, number, number, number, number];
      return Array.from({ length: count }, (_, r) => [
        (tap + r * tapStep) / -tapUnit || 0,
        (place + r * placeStep) / placeUnit,
      ]);
    });
    expect(pairs).toEqual(pairsOf(a));
  });
}

test("events: the tables list the taps over each value, for all small strides, dilations and paddings", () => {
  for (const size of [1, 2, 5, 9]) {
    for (const kernel of [1, 2, 3, 5]) {
      for (const stride of [1, 2, 3, 4, 6, 9]) {
        for (const padding of [0, 1, 2, 5]) {
          for (const dilation of [1, 2, 3, 4, 6]) {
            const a = axis(size, kernel, stride, padding, dilation);
            if (placesOf(a) >= 1) checkTable(a);
          }
        }
      }
    }
  }
});

function tables(side: WasmSide, down: Axis, across: Axis, filters: number): [down: number, across: number] {
  const unit = 4 * filters;
  return [tableOf(side, down, across.kernel * unit, placesOf(across) * unit), tableOf(side, across, unit, unit)];
}

/**
 * Both sums over the values of an image [channels, down, across], in order, in float32: to maps [places, filters] and, with the taps in reverse, to
 * weights [taps, filters].
 */
function addAll(
  maps: Float32Array,
  weights: Float32Array,
  image: readonly number[],
  down: Axis,
  across: Axis,
  toWeights: number,
): void {
  const [rows, columns] = [pairsOf(down), pairsOf(across)];
  const filters = maps.length / (placesOf(down) * placesOf(across));
  const last = weights.length / filters - 1;
  image.forEach((value, i) => {
    if (value === 0) return;
    const channel = Math.floor(i / (down.size * across.size));
    for (const [tapDown, u] of rows[Math.floor(i / across.size) % down.size] ?? []) {
      for (const [tapAcross, v] of columns[i % across.size] ?? []) {
        const tap = last - ((channel * down.kernel + tapDown) * across.kernel + tapAcross);
        const place = u * placesOf(across) + v;
        for (let f = 0; f < filters; f++) {
          const [m, w] = [place * filters + f, tap * filters + f];
          const [to, at, from] = toWeights ? [weights, w, maps[m]] : [maps, m, weights[w]];
          to[at] = (to[at] as number) + Math.fround(Math.fround(value) * (from as number));
        }
      }
    }
  });
}

for (const [down, across, channels, filters] of CASES) {
  const what = `${channels} × [${down.size}, ${across.size}], ${filters} filters of [${down.kernel}, ${across.kernel}]`;
  const places = placesOf(down) * placesOf(across);
  const taps = channels * down.kernel * across.kernel;
  const values = channels * down.size * across.size;

  test(`events: the tables list the taps over each value, ${what}`, () => {
    checkTable(down);
    checkTable(across);
  });

  for (const density of [0, 0.1, 1]) {
    test(`events: both sums have the bits of their terms, one by one, ${what}, density ${density}`, () => {
      const drawn = numbers(values, 1);
      const x = numbers(values, 2, 0, 1).map((u, i) => (u < density ? (drawn[i] as number) : 0));
      for (const graded of [true, false]) {
        const image = graded ? x : x.map((value) => (value === 0 ? 0 : 1));
        for (const first of [0, 37]) {
          onWasm((side) => {
            const all = [...new Array<number>(first).fill(1), ...image];
            const [floats, bits] = [side.put(all), side.bitsOf(all)];
            const [rows, columns] = tables(side, down, across, filters);
            const expectedMaps = Float32Array.from(numbers(places * filters, 3));
            const expectedWeights = Float32Array.from(numbers(taps * filters, 4));
            const [maps, weights] = [side.put(expectedMaps), side.put(expectedWeights)];
            for (const toWeights of [0, 1]) {
              addAll(expectedMaps, expectedWeights, image, down, across, toWeights);
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
            expect(side.read(maps, places * filters)).toEqual(Array.from(expectedMaps));
            expect(side.read(weights, taps * filters)).toEqual(Array.from(expectedWeights));
          });
        }
      }
    });
  }
}

test("events: one value adds the weights of every tap to the place that has it there, by hand", () => {
  onWasm((side) => {
    const [down, across] = [axis(1, 1), axis(3, 2, 1, 1)];
    const [rows, columns] = tables(side, down, across, 1);
    const bits = side.putInts([0b010, 0]);
    const maps = side.zeros(4);
    // The last tap first.
    side.k.addEvents(maps, side.put([20, 10]), bits, 0, 0, rows, columns, 1, 2, 1, 0);
    expect(side.read(maps, 4)).toEqual([0, 20, 10, 0]);
  });
});

for (const [down, across, channels] of [
  [axis(12, 5), axis(12, 5), 3],
  [axis(1, 1), axis(32, 29), 2],
  [axis(3, 2, 1, 1), axis(32, 3, 1, 16), 2],
  [axis(9, 3, 2, 1), axis(7, 4, 3, 2), 4],
  [axis(60, 2, 1, 2), axis(1, 1, 1, 3), 1],
] as const) {
  test(`events: each window has its bits in a word a channel, [${down.size}, ${across.size}] by [${down.kernel}, ${across.kernel}]`, () => {
    const values = channels * down.size * across.size;
    for (const first of [0, 45]) {
      const x = numbers(first + values, 2, 0, 1).map((u) => (u < 0.4 ? 1 : 0));
      const words = new Array<number>(placesOf(down) * placesOf(across) * channels).fill(0);
      const [rows, columns] = [pairsOf(down), pairsOf(across)];
      x.slice(first).forEach((value, i) => {
        const channel = Math.floor(i / (down.size * across.size));
        for (const [tapDown, u] of rows[Math.floor(i / across.size) % down.size] ?? []) {
          for (const [tapAcross, v] of columns[i % across.size] ?? []) {
            const word = (u * placesOf(across) + v) * channels + channel;
            words[word] = (words[word] as number) + value * 2 ** (tapDown * across.kernel + tapAcross);
          }
        }
      });
      onWasm((side) => {
        const z = side.zeros(words.length);
        const [rows, columns] = [down, across].map((a) => {
          const table = side.zeros(9 + 3 * placesOf(a));
          side.k.spans(table, a.size, placesOf(a), a.kernel, a.stride, a.padding, a.dilation, 0);
          return table;
        }) as [number, number];
        side.k.windowBits(z, side.bitsOf(x), first, channels, rows, columns);
        expect(side.readWords(z, words.length)).toEqual(words);
      });
    }
  });
}
