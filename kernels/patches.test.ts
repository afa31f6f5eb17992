import { expect, test } from "vitest";
import { describedProduct, LENGTHS, numbers, onWasm, type WasmSide } from "../test/support/sides.ts";

/** [size, step] of three nested loops. */
type Loop = readonly [size: number, step: number];
type Steps = readonly [Loop, Loop, Loop];

/** i·si + j·sj + k·sk for all i, j, k in order. */
function table([[ni, si], [nj, sj], [nk, sk]]: Steps): number[] {
  const entries: number[] = [];
  for (let i = 0; i < ni; i++)
    for (let j = 0; j < nj; j++) for (let k = 0; k < nk; k++) entries.push(i * si + j * sj + k * sk);
  return entries;
}

/** Taps and places of windows: runs that fill vectors or do not, steps beyond 1, more than a block of either. */
const WINDOWS: readonly [what: string, taps: Steps, places: Steps][] = [
  ...LENGTHS.slice(1, 10).map((n): [string, Steps, Steps] => [
    `${n} places in a row`,
    [
      [2, 40],
      [2, 12],
      [3, 1],
    ],
    [
      [1, 80],
      [1, 12],
      [n, 1],
    ],
  ]),
  ...LENGTHS.slice(1, 10).map((n): [string, Steps, Steps] => [
    `${n} taps in a row`,
    [
      [1, 99],
      [1, 12],
      [n, 1],
    ],
    [
      [2, 99],
      [3, 24],
      [5, 1],
    ],
  ]),
  ...[2, 3, 4].map((step): [string, Steps, Steps] => [
    `steps of ${step}`,
    [
      [1, 0],
      [2, 20],
      [3, step],
    ],
    [
      [1, 0],
      [3, 20],
      [6, step],
    ],
  ]),
  [
    "rows of 24 places, and 8",
    [
      [2, 784],
      [5, 28],
      [5, 1],
    ],
    [
      [1, 0],
      [24, 28],
      [24, 1],
    ],
  ],
  [
    "several images",
    [
      [12, 144],
      [5, 12],
      [5, 1],
    ],
    [
      [4, 1728],
      [8, 12],
      [8, 1],
    ],
  ],
];

/** The tables of one case, followed by x. */
function place(side: WasmSide, taps: Steps, places: Steps) {
  const rows = table(taps);
  const cols = table(places);
  const values = (rows.at(-1) as number) + (cols.at(-1) as number) + 1;
  const tables = side.zeros(rows.length + cols.length);
  const behind = tables + 4 * rows.length;
  const args = (steps: Steps) => [...steps.map(([n]) => n), ...steps.map(([, step]) => step)] as const;
  side.k.grid(tables, ...(args(taps) as [number, number, number, number, number, number]));
  side.k.grid(behind, ...(args(places) as [number, number, number, number, number, number]));
  return { rows, cols, values, tables, behind, x: side.put(numbers(values, 1)) };
}

test.each(WINDOWS)("patches: the tables hold all offsets in order, %s", (_what, taps, places) => {
  onWasm((side) => {
    const { tables, rows, cols } = place(side, taps, places);
    expect(side.readInts(tables, rows.length + cols.length)).toEqual([...rows, ...cols]);
  });
});

test.each(WINDOWS)("gemm: a gathered operand has the bits of the same one written out, %s", (_what, taps, places) => {
  for (const turned of [false, true]) {
    for (const m of [1, 2, 3, 5]) {
      for (const init of ["zero", "self", "bias"] as const) {
        onWasm((side) => {
          const { tables, behind, rows, cols, values, x } = place(side, taps, places);
          const [over, along] = turned ? [cols, rows] : [rows, cols];
          const [k, n] = [over.length, along.length];
          const [first, second] = turned ? [behind, tables] : [tables, behind];
          const image = side.read(x, values);
          const b = side.put(over.flatMap((row) => along.map((col) => image[row + col] as number)));
          const a = side.put(numbers(m * k, 2));
          const [c, d] = [side.put(numbers(m * n, 3)), side.put(numbers(m * n, 3))];
          const bias = side.put(numbers(n, 4));
          const from = (p: number) => (init === "zero" ? 0 : init === "self" ? p : bias);
          const gathered = { c, init: from(c), m, n, k, a, b: x, rows: first, cols: second };
          side.k.gemmGathered(describedProduct(side, gathered));
          side.k.gemm(describedProduct(side, { c: d, init: from(d), m, n, k, a, b }));
          expect(side.readInts(c, m * n)).toEqual(side.readInts(d, m * n));
        });
      }
    }
  }
});

test("gemm: a gathered product over nothing, or of nothing, is init or nothing", () => {
  onWasm((side) => {
    const bias = side.put([1, 2, 3]);
    const c = side.put(numbers(6, 1));
    const product = { c, init: bias, a: 0, rows: bias, cols: bias };
    side.k.gemmGathered(describedProduct(side, { ...product, m: 0, n: 3, k: 2 }));
    side.k.gemmGathered(describedProduct(side, { ...product, m: 2, n: 0, k: 2 }));
    expect(side.read(c, 6)).toEqual(numbers(6, 1).map(Math.fround));
    side.k.gemmGathered(describedProduct(side, { ...product, m: 2, n: 3, k: 0 }));
    expect(side.read(c, 6)).toEqual([1, 2, 3, 1, 2, 3]);
  });
});

test.each(WINDOWS)("patches: they are added back in the order of the places, %s", (_what, taps, places) => {
  for (const n of LENGTHS.slice(1, 10)) {
    for (const more of [0, 3]) {
      onWasm((side) => {
        const { tables, behind, rows, cols, values } = place(side, taps, places);
        const image = numbers(values + n, 1);
        const step = rows.length * n + more;
        const patches = Float32Array.from(numbers(cols.length * step, 5));
        const expected = Float32Array.from(image);
        cols.forEach((col, p) => {
          rows.forEach((row, r) => {
            for (let i = 0; i < n; i++) {
              const at = row + col + i;
              expected[at] = (expected[at] as number) + (patches[p * step + r * n + i] as number);
            }
          });
        });
        const x = side.put(image);
        side.k.addPatches(x, side.put(patches), behind, tables, cols.length, rows.length, n, step);
        expect(side.read(x, values + n)).toEqual(Array.from(expected));
      });
    }
  }
});
