import { expect, test } from "vitest";
import { describedProduct, numbers, WasmSide } from "../test/support/sides.ts";

test.each([1, 3, 18])("recurrent: products of %i rows have the bits of gemm, whatever fires", (rows) => {
  const side = new WasmSide();
  const { k } = side;
  for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 64, 101, 259]) {
    const size = rows * n;
    const weight = side.put(numbers(n * n, 1, -1, 1));
    const current = side.put(numbers(size, 2));
    const bias = side.put(numbers(n, 3));
    const panels = side.zeros(32 * n * Math.ceil(n / 32));
    const work = side.zeros(rows * (n + 36) + 64);
    k.packForward(panels, weight, n);
    for (const share of [0, 0.03, 0.5, 1]) {
      // Two steps in a stream, the first of which is not read.
      const fired = numbers(2 * size, 4, 0, 1).map((x) => Number(x < share));
      const s = side.zeros(Math.ceil((2 * size) / 32) + 1);
      k.packBits(s, side.put(fired), 1, 2 * size);
      for (const start of [0, bias]) {
        const [z, expected] = [side.zeros(size), side.zeros(size)];
        k.feedForward(z, current, share === 0 ? 0 : s, size, panels, start, work, rows, n);
        const product = { c: expected, init: start, a: side.put(fired.slice(size)), b: weight, bRow: 1, bCol: n };
        k.gemm(describedProduct(side, { ...product, m: rows, n, k: n }));
        k.addTo(expected, current, size);
        expect(side.read(z, size), `${n} neurons`).toEqual(side.read(expected, size));
      }
    }
    const [ds, expected] = [side.put(numbers(size, 5)), side.put(numbers(size, 5))];
    const packed = side.zeros(16 * (n + Math.ceil(n / 256)) * Math.ceil(n / 16));
    const product = { a: current, m: rows, n, k: n };
    const fed = describedProduct(side, { ...product, c: ds, init: ds, b: packed });
    const dense = describedProduct(side, { ...product, c: expected, init: expected, b: weight });
    k.packBackward(packed, weight, n);
    for (let t = 0; t < 2; t++) k.feedBack(fed);
    for (let t = 0; t < 2; t++) k.gemm(dense);
    expect(side.read(ds, size), `${n} neurons`).toEqual(side.read(expected, size));
  }
  side.finish();
});

test("recurrent: the sum starts at the bias, takes the spikes in ascending order, and the current comes last", () => {
  const side = new WasmSide();
  const n = 4;
  const weight = side.put([2 ** 24, -(2 ** 24), 0.5, 0, ...Array(12).fill(0)]);
  const [z, panels, work] = [side.zeros(n), side.zeros(32 * n), side.zeros(n + 100)];
  const s = side.zeros(2);
  side.k.packBits(s, side.put([1, 1, 1, 1]), 1, n);
  side.k.packForward(panels, weight, n);
  side.k.feedForward(z, side.put([3, 0, 0, 0]), s, 0, panels, side.put([1, 0, 0, 0]), work, 1, n);
  // In float32 1 + 2²⁴ is 2²⁴: the bias is lost in the first addition, later terms are not.
  expect(side.read(z, 1)).toEqual([3.5]);
  side.finish();
});
