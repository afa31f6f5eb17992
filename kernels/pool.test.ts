import { expect, test } from "vitest";
import { compareSides, LENGTHS, numbers, onWasm, type Side } from "../test/support/sides.ts";

/** Windows over one plane: [height, width] each. */
interface Windows {
  size: readonly [number, number];
  kernel: readonly [number, number];
  stride: readonly [number, number];
  padding: readonly [number, number];
  dilation: readonly [number, number];
}

const windows = (
  size: Windows["size"],
  kernel: Windows["kernel"],
  stride: Windows["stride"] = kernel,
  padding: Windows["padding"] = [0, 0],
  dilation: Windows["dilation"] = [1, 1],
): Windows => ({ size, kernel, stride, padding, dilation });

/** Numbers of windows in a row that are critical for vectors, steps that are read differently, and windows beyond the ends. */
const CASES: Windows[] = [
  ...LENGTHS.slice(1, 10).map((n) => windows([5, 2 * n + 1], [2, 2])),
  ...LENGTHS.slice(1, 10).map((n) => windows([4, n + 2], [3, 3], [1, 1])),
  ...LENGTHS.slice(1, 10).map((n) => windows([4, 3 * n], [2, 2], [1, 3])),
  ...LENGTHS.slice(1, 10).map((n) => windows([6, 2 * n], [2, 2])),
  windows([5, 14], [2, 2], [1, 2]),
  windows([7, 10], [2, 2], [5, 2]),
  windows([7, 1003], [3, 2], [2, 2], [1, 1]),
  windows([9, 21], [3, 5], [2, 1], [1, 2]),
  windows([11, 23], [2, 3], [1, 2], [1, 1], [3, 2]),
  windows([6, 40], [1, 1], [1, 1]),
  windows([6, 40], [6, 40]),
  windows([3, 2], [2, 2], [3, 4], [1, 1], [4, 3]),
  windows([1, 1], [3, 3], [1, 1], [1, 1]),
  windows([5, 7], [2 ** 28, 2 ** 28], [3, 1], [2 ** 27, 2 ** 27]),
];

const PLANES = 3;

/** Number of windows along one axis; one more than fit, as in ceil mode, if it starts on a value. */
function placesAlong({ size, kernel, stride, padding, dilation }: Windows, axis: 0 | 1): number {
  const room = size[axis] + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1;
  const places = Math.floor(room / stride[axis]) + 1;
  return Math.max(1, places * stride[axis] < size[axis] + padding[axis] ? places + 1 : places);
}

const nameOf = ({ size, kernel, stride, padding, dilation }: Windows): string =>
  `[${kernel}] over [${size}], stride [${stride}], padding [${padding}], dilation [${dilation}]`;

/** Ordinary values, coarse ones with ties, some with NaN, both infinities, and only −∞. */
function samples(n: number): number[][] {
  const x = numbers(n, 1);
  const coarse = x.map((v) => Math.round(v));
  return [
    x,
    coarse,
    coarse.map((v, i) => (i % 7 === 3 ? NaN : i % 5 === 1 ? -Infinity : v)),
    coarse.map((v, i) => (i % 11 === 3 ? Infinity : i % 5 === 1 ? -Infinity : v * 0)),
    x.map(() => -Infinity),
    x.map(() => NaN),
  ];
}

/** Integers of a table before its entries. */
const HEAD = 9;

/** The tables of rows and of columns, with the windows of w; a kernel of 0 means windows that divide an axis evenly. */
function tables(
  side: Side,
  w: Windows,
  countPadding = 0,
  kernels = w.kernel,
  dilations = w.dilation,
): [down: number, across: number] {
  return ([0, 1] as const).map((axis) => {
    const places = placesAlong(w, axis);
    const table = side.zeros(HEAD + 3 * places);
    const [kernel, stride, padding, dilation] = [kernels[axis], w.stride[axis], w.padding[axis], dilations[axis]];
    side.k.spans(table, w.size[axis], places, kernel, stride, padding, dilation, countPadding);
    return table;
  }) as [number, number];
}

function maxPool(side: Side, w: Windows, x: number, z: number, place: number): void {
  side.k.maxPool(z, place, x, ...tables(side, w), PLANES);
}

for (const w of CASES) {
  const plane = w.size[0] * w.size[1];
  const count = placesAlong(w, 0) * placesAlong(w, 1);

  test(`pool: maxima and their places agree with their twin, ${nameOf(w)}`, () => {
    for (const values of samples(PLANES * plane)) {
      compareSides((side) => {
        const x = side.put(values);
        const z = side.zeros(PLANES * count);
        const alone = side.zeros(PLANES * count);
        const place = side.zeros(PLANES * count);
        maxPool(side, w, x, z, place);
        maxPool(side, w, x, alone, 0);
        expect(side.read(alone, PLANES * count)).toEqual(side.read(z, PLANES * count));
        const only = side.zeros(PLANES * count);
        maxPool(side, w, x, 0, only);
        expect(side.readInts(only, PLANES * count)).toEqual(side.readInts(place, PLANES * count));
        const dx = side.put(numbers(PLANES * plane, 2));
        side.k.addAtPlaces(dx, side.put(numbers(PLANES * count, 3)), place, PLANES, plane, count);
        return [
          ...side.read(z, PLANES * count),
          ...side.readInts(place, PLANES * count),
          ...side.read(dx, PLANES * plane),
        ];
      });
    }
  });

  // An empty window has no spike for its −∞.
  const packs = w.padding[0] + w.padding[1] === 0 && (w.kernel[1] - 1) * w.dilation[1] < 32;
  for (const density of [0, 0.2, 1]) {
    const spikes = numbers(PLANES * plane, 4, 0, 1).map((u) => (u < density ? 1 : 0));

    if (packs)
      test(`pool: maxima of bits are those of the floats, ${nameOf(w)}, density ${density}`, () => {
        onWasm((side) => {
          const [down, across] = tables(side, w);
          const n = PLANES * count;
          const [x, bits] = [side.put(spikes), side.bitsOf(spikes)];
          const [z, place, where] = [side.zeros(n), side.zeros(n), side.zeros(n)];
          const [packed, alone] = [side.spikes(n), side.spikes(n)];
          maxPool(side, w, x, z, place);
          side.k.maxPoolBits(packed, where, bits, down, across, PLANES);
          side.k.maxPoolBits(alone, 0, bits, down, across, PLANES);
          expect(side.readSpikes(alone, n)).toEqual(side.readSpikes(packed, n));
          const places = side.readInts(where, n);
          expect(places).toEqual(side.readInts(place, n));
          side.k.maxPoolBits(0, where, bits, down, across, PLANES);
          expect(side.readInts(where, n)).toEqual(places);
          expect(side.readSpikes(packed, n)).toEqual(side.read(z, n));
        });
      });

    test(`pool: means of bits are those of the floats, ${nameOf(w)}, density ${density}`, () => {
      for (const kernel of [w.kernel, [0, 0] as const]) {
        onWasm((side) => {
          const [down, across] = tables(side, w, 1, kernel, [1, 1]);
          const [x, bits] = [side.put(spikes), side.bitsOf(spikes)];
          const [z, packed] = [side.zeros(PLANES * count), side.zeros(PLANES * count)];
          side.k.avgPool(z, x, down, across, PLANES);
          side.k.avgPoolBits(packed, bits, down, across, PLANES);
          expect(side.read(packed, PLANES * count)).toEqual(side.read(z, PLANES * count));
        });
      }
    });
  }

  test(`pool: means and their gradients agree with their twins, ${nameOf(w)}`, () => {
    for (const counted of [0, 1]) {
      for (const kernel of [w.kernel, [0, 0] as const]) {
        // Rows or columns without a value under them divide 0 by 0.
        const values = numbers(PLANES * plane, 1);
        compareSides((side) => {
          const [down, across] = tables(side, w, counted, kernel, [1, 1]);
          const z = side.zeros(PLANES * count);
          const dx = side.put(numbers(PLANES * plane, 2));
          const dz = side.put(numbers(PLANES * count, 3));
          side.k.avgPool(z, side.put(values), down, across, PLANES);
          side.k.avgPoolGrad(dx, dz, down, across, PLANES);
          return [
            ...side.readInts(down + 4 * HEAD, 3 * placesAlong(w, 0)),
            ...side.readInts(across + 4 * HEAD, 3 * placesAlong(w, 1)),
            ...side.read(z, PLANES * count),
            ...side.read(dx, PLANES * plane),
          ];
        });
      }
    }
  });
}

test("pool: of equal maxima the first one is found, in whatever lane", () => {
  for (let first = 0; first < 9; first++) {
    for (const top of [1, NaN]) {
      compareSides((side) => {
        const x = side.put(Array.from({ length: 9 }, (_, i) => (i >= first ? top : 0)));
        const z = side.zeros(1);
        const place = side.zeros(1);
        side.k.maxPool(z, place, x, ...tables(side, windows([3, 3], [3, 3])), 1);
        expect(side.readInts(place, 1)).toEqual([first]);
        return side.read(z, 1);
      });
    }
  }
});

test("pool: values far apart, of which a window has one in the plane", () => {
  const far = 2 ** 28;
  for (const [kernel, stride, padding] of [
    [3, 1, far],
    [2, 3, far / 2 + 1],
    [2, 1, far / 2],
  ] as const) {
    const w = windows([5, 9], [kernel, kernel], [stride, stride], [padding, padding], [far, far]);
    const count = placesAlong(w, 0) * placesAlong(w, 1);
    compareSides((side) => {
      const [z, place] = [side.zeros(PLANES * count), side.zeros(PLANES * count)];
      maxPool(side, w, side.put(numbers(PLANES * 45, 1)), z, place);
      return [...side.read(z, PLANES * count), ...side.readInts(place, PLANES * count)];
    });
  }
});

test("pool: windows that share a long axis evenly agree with their twin", () => {
  for (const [size, places] of [
    [60000, 50000],
    [50000, 60000],
    [2 ** 20, 4099],
  ] as const) {
    compareSides((side) => {
      const table = side.zeros(HEAD + 3 * places);
      side.k.spans(table, size, places, 0, 0, 0, 1, 0);
      return side.readInts(table + 4 * HEAD, 3 * places);
    });
  }
});

test("pool: a window that covers nothing is −∞ and has no place", () => {
  compareSides((side) => {
    const z = side.zeros(1);
    const place = side.zeros(1);
    const gap = windows([2, 2], [2, 2], [4, 4], [1, 1], [3, 3]);
    side.k.maxPool(z, place, side.put([1, 2, 3, 4]), ...tables(side, gap), 1);
    const dx = side.zeros(4);
    side.k.addAtPlaces(dx, side.put([5]), place, 1, 4, 1);
    expect(side.read(z, 1)).toEqual([-Infinity]);
    expect(side.readInts(place, 1)).toEqual([-1]);
    return side.read(dx, 4);
  });
});
