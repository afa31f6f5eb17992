import { expect, test } from "vitest";
import { wasmHeap } from "../engine/core/memory.ts";
import { coreKernels, memory } from "../engine/core/wasm.ts";
import { compareSides, LENGTHS, numbers } from "../test/support/sides.ts";

for (const n of LENGTHS) {
  test(`blocks: rows of ${n} are copied and added at their strides`, () => {
    for (const name of ["copyBlocks", "addBlocks"] as const) {
      compareSides((side) => {
        const z = side.put(numbers(3 * (n + 2), 1));
        side.k[name](z + 4, side.put(numbers(3 * (n + 1), 2)), 3, n, n + 2, n + 1);
        return side.read(z, 3 * (n + 2));
      });
    }
  });
}

/** The last axis strided, contiguous, and reversed. */
const STRIDES: [of: string, sa: number, sb: number, sc: number, sd: number, start: number][] = [
  ["a permutation", 1, 2, 6, 24, 0],
  ["runs", 20, 40, 5, 1, 0],
  ["steps backwards", 60, -20, 5, -1, 44],
];

test.each(STRIDES)(
  "blocks: strided copies and their gradients agree with the reference: %s",
  (_of, sa, sb, sc, sd, start) => {
    const [na, nb, nc, nd] = [2, 3, 4, 5] as const;
    compareSides((side) => {
      const z = side.zeros(120);
      side.k.copyStrided(z, side.put(numbers(120, 2)) + 4 * start, na, nb, nc, nd, sa, sb, sc, sd);
      return side.read(z, 120);
    });
    compareSides((side) => {
      const x = side.put(numbers(120, 1));
      side.k.addStrided(x + 4 * start, side.put(numbers(120, 2)), na, nb, nc, nd, sa, sb, sc, sd);
      return side.read(x, 120);
    });
  },
);

/** Six of seven rows, some of them twice. */
const PICKED = [3, 0, 3, 6, 1, 3];

for (const width of LENGTHS) {
  test(`blocks: rows of ${width} are picked and added by index`, () => {
    compareSides((side) => {
      const z = side.zeros(6 * width);
      side.k.gatherRows(z, side.put(numbers(7 * width, 1)), side.putInts(PICKED), 6, width);
      return side.read(z, 6 * width);
    });
    for (const skip of [-1, 3]) {
      compareSides((side) => {
        const z = side.put(numbers(7 * width, 1));
        side.k.scatterRows(z, side.put(numbers(6 * width, 2)), side.putInts(PICKED), 6, width, skip);
        return side.read(z, 7 * width);
      });
    }
  });
}

test("blocks: no rows are nothing to do", () => {
  compareSides((side) => {
    const z = side.put([1, 2]);
    side.k.gatherRows(z, z, side.putInts([]), 0, 2);
    side.k.scatterRows(z, z, side.putInts([]), 0, 2, -1);
    return side.read(z, 2);
  });
});

test("blocks: rows that are named more than once add up in ascending order, bit for bit", () => {
  const rows = 101;
  const width = 5;
  const x = Float32Array.from(numbers(rows * width, 3));
  const index = Int32Array.from(numbers(rows, 4, 0, 3));
  const expected = new Float32Array(3 * width);
  for (let i = 0; i < x.length; i++) {
    const to = (index[Math.floor(i / width)] as number) * width + (i % width);
    expected[to] = (expected[to] as number) + (x[i] as number);
  }
  const p = wasmHeap.allocate(4 * (x.length + index.length + expected.length));
  const at = p + 4 * x.length;
  const z = at + 4 * index.length;
  new Float32Array(memory.buffer, p, x.length).set(x);
  new Int32Array(memory.buffer, at, index.length).set(index);
  coreKernels.fill(z, expected.length, 0);
  coreKernels.scatterRows(z, p, at, rows, width, -1);
  expect(new Float32Array(memory.buffer, z, expected.length)).toEqual(expected);
  wasmHeap.release(p, 4 * (x.length + index.length + expected.length));
});

test("blocks: transpose agrees with the reference for every tail", () => {
  for (const m of [1, 3, 4, 9]) {
    for (const n of [1, 2, 4, 7, 12]) {
      compareSides((side) => {
        const z = side.zeros(m * n);
        side.k.transpose(z, side.put(numbers(m * n, 1)), m, n);
        return side.read(z, m * n);
      });
    }
  }
});
