import { expect, test } from "vitest";
import { wasmHeap } from "../engine/memory.ts";
import { imageKernels, kernels, memory } from "../engine/wasm.ts";
import { compareSides, LENGTHS, numbers, type Side } from "../test/support/sides.ts";

/** How far apart things lie: [size, step] of three nested loops. */
type Loop = readonly [size: number, step: number];
type Steps = readonly [Loop, Loop, Loop];

/** i·si + j·sj + k·sk for all i, j, k in order. */
function table([[ni, si], [nj, sj], [nk, sk]]: Steps): number[] {
  const entries: number[] = [];
  for (let i = 0; i < ni; i++)
    for (let j = 0; j < nj; j++) for (let k = 0; k < nk; k++) entries.push(i * si + j * sj + k * sk);
  return entries;
}

/** Taps and places of windows: runs that fill vectors or do not, steps beyond one, more than a block of either. */
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

/** The tables of one case, and x below them. */
function place(side: Side, taps: Steps, places: Steps) {
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

/** k·2⁻²⁴ relative to Σ|a·b|, with a·b up to 4 in magnitude. */
const bound = (k: number) => ({ absolute: 4e-7 * (k + 1), relative: 4e-7 });

test.each(WINDOWS)("patches: the tables are their twins', %s", (_what, taps, places) => {
  compareSides((side) => {
    const { tables, rows, cols } = place(side, taps, places);
    const read = side.readInts(tables, rows.length + cols.length);
    expect(read).toEqual([...rows, ...cols]);
    return read;
  });
});

test.each(WINDOWS)("gemm: a gathered operand gives the same as its twin, %s", (_what, taps, places) => {
  for (const turned of [false, true]) {
    for (const m of [1, 2, 5]) {
      for (const init of ["zero", "self", "bias"] as const) {
        let terms = 0;
        compareSides(
          (side) => {
            const { tables, behind, rows, cols, x } = place(side, taps, places);
            const [k, n] = turned ? [cols.length, rows.length] : [rows.length, cols.length];
            terms = k;
            const a = side.put(numbers(m * k, 2));
            const c = side.put(numbers(m * n, 3));
            const from = init === "zero" ? 0 : init === "self" ? c : side.put(numbers(n, 4));
            const [over, along] = turned ? [behind, tables] : [tables, behind];
            side.k.gemmGathered(c, a, x, over, along, from, m, n, k);
            return side.read(c, m * n);
          },
          bound(Math.max(terms, 300)),
        );
      }
    }
  }
});

test.each(WINDOWS)("gemm: a gathered operand has the bits of the same one written out, %s", (_what, taps, places) => {
  const rows = table(taps);
  const cols = table(places);
  const x = Float32Array.from(numbers((rows.at(-1) as number) + (cols.at(-1) as number) + 1, 1));
  const m = 3;
  for (const [over, along] of [
    [rows, cols],
    [cols, rows],
  ] as const) {
    const [k, n] = [over.length, along.length];
    const sizes = [x.length, m * k, k * n, m * n, m * n, k, n];
    const [px, a, b, c, d, p, q] = sizes.map((size) => wasmHeap.allocate(4 * size)) as number[] as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const floats = (at: number, size: number) => new Float32Array(memory.buffer, at, size);
    const ints = (at: number, size: number) => new Int32Array(memory.buffer, at, size);
    floats(px, x.length).set(x);
    floats(a, m * k).set(numbers(m * k, 2));
    floats(b, k * n).set(over.flatMap((row) => along.map((col) => x[row + col] as number)));
    ints(p, k).set(over);
    ints(q, n).set(along);
    kernels.gemmGathered(c, a, px, p, q, 0, m, n, k);
    kernels.gemm(d, a, b, 0, m, n, k, k, 1, n, 1, n);
    expect(ints(c, m * n)).toEqual(ints(d, m * n));
    [px, a, b, c, d, p, q].forEach((at, i) => {
      wasmHeap.release(at, 4 * (sizes[i] as number));
    });
  }
});

test("gemm: a gathered product over nothing, or of nothing, is init or nothing", () => {
  compareSides((side) => {
    const bias = side.put([1, 2, 3]);
    const c = side.put(numbers(6, 1));
    side.k.gemmGathered(c, 0, 0, bias, bias, bias, 2, 3, 0);
    side.k.gemmGathered(c, 0, 0, bias, bias, bias, 0, 3, 2);
    side.k.gemmGathered(c, 0, 0, bias, bias, bias, 2, 0, 2);
    return side.read(c, 6);
  });
});

test.each(WINDOWS)("patches: what is added back lands where its twin puts it, %s", (_what, taps, places) => {
  for (const n of LENGTHS.slice(1, 10)) {
    for (const more of [0, 3]) {
      compareSides(
        (side) => {
          const { tables, behind, rows, cols, values } = place(side, taps, places);
          const x = side.put(numbers(values + n, 1));
          const step = rows.length * n + more;
          const patches = side.put(numbers(cols.length * step, 5));
          side.k.addPatches(x, patches, behind, tables, cols.length, rows.length, n, step);
          return side.read(x, values + n);
        },
        bound(25 * n),
      );
    }
  }
});

test("patches: they are added back in the order of the places", () => {
  const runs = table([
    [1, 0],
    [1, 0],
    [3, 12],
  ]);
  const places = table([
    [1, 0],
    [10, 12],
    [10, 1],
  ]);
  const n = 3;
  const patches = Float32Array.from(numbers(places.length * runs.length * n, 6));
  const expected = new Float32Array(144);
  places.forEach((place, p) => {
    runs.forEach((run, r) => {
      for (let i = 0; i < n; i++) {
        const at = place + run + i;
        expected[at] = (expected[at] as number) + (patches[(p * runs.length + r) * n + i] as number);
      }
    });
  });
  const sizes = [144, patches.length, places.length, runs.length];
  const [x, from, p, q] = sizes.map((size) => wasmHeap.allocate(4 * size)) as [number, number, number, number];
  kernels.fill(x, 144, 0);
  new Float32Array(memory.buffer, from, patches.length).set(patches);
  new Int32Array(memory.buffer, p, places.length).set(places);
  new Int32Array(memory.buffer, q, runs.length).set(runs);
  imageKernels().addPatches(x, from, p, q, places.length, runs.length, n, runs.length * n);
  expect(new Float32Array(memory.buffer, x, 144)).toEqual(expected);
  [x, from, p, q].forEach((at, i) => {
    wasmHeap.release(at, 4 * (sizes[i] as number));
  });
});
