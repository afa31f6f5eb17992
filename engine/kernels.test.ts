/** The raw kernels as other engines use them, and what a warm-up leaves behind. */
import { expect, test } from "vitest";
import { bytesKept, values } from "../test/support/tensors.ts";
import { manualSeed, memoryStats, rand, warmup } from "./index.ts";
import { alloc, free, kernels, memory } from "./kernels.ts";

test("kernels: blocks are aligned, hold what is written, and are given back", () => {
  const n = 1003;
  const kept = bytesKept(() => {
    const [x, z] = [alloc(4 * n), alloc(4 * n)];
    expect([x % 16, z % 16]).toEqual([0, 0]);
    kernels.fill(x, n, 3);
    kernels.square(z, x, n);
    const view = new Float32Array(memory.buffer, z, n);
    expect(view.every((value) => value === 9)).toBe(true);
    free(x, 4 * n);
    free(z, 4 * n);
  });
  expect(kept).toBe(0);
});

test("kernels: they share the memory of the tensors", () => {
  const { live } = memoryStats();
  const p = alloc(1000);
  expect(memoryStats().live).toBe(live + 1024);
  free(p, 1000);
  const t = rand([4]);
  kernels.fill(t.ptr, 4, 2);
  expect(values(t)).toEqual([2, 2, 2, 2]);
});

test("warmup: it keeps no memory and draws no random numbers", () => {
  manualSeed(1);
  const expected = values(rand([4]));
  manualSeed(1);
  expect(bytesKept(warmup)).toBe(0);
  expect(values(rand([4]))).toEqual(expected);
});

test("kernels: sizes and addresses are checked before a list of free blocks can break", () => {
  const before = memoryStats();
  for (const wrong of [-1, 1.5, NaN, Infinity]) {
    expect(() => alloc(wrong)).toThrow(new RangeError(`alloc: bytes must be an integer ≥ 0, got ${wrong}`));
    expect(() => free(16, wrong)).toThrow(new RangeError(`free: bytes must be an integer ≥ 0, got ${wrong}`));
    expect(() => free(wrong, 16)).toThrow(new RangeError(`free: address must be an integer ≥ 1, got ${wrong}`));
  }
  for (const bytes of [2 ** 32 + 16, 2 ** 33, 2 ** 52]) {
    const message = `out of memory: asked for ${bytes} bytes, the limit is 4294967296`;
    expect(() => alloc(bytes)).toThrow(new RangeError(message));
  }
  expect(memoryStats()).toEqual(before);
});
