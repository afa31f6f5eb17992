import { expect, test } from "vitest";
import { alloc, free, kernels, memory } from "../engine/kernels.ts";
import { compareSides, numbers } from "../test/support/sides.ts";

test("firstSpike: agrees with the reference at halves, ends and outside", () => {
  const x = [
    0,
    1e-6,
    2e-6,
    0.5,
    0.25,
    0.75,
    0.125,
    0.375,
    1,
    1.5,
    -1,
    Number.NaN,
    Infinity,
    ...numbers(50, 1, -0.1, 1.1),
  ];
  for (const T of [1, 2, 5, 9, 25]) {
    compareSides((side) => {
      const spikes = side.spikes(T * x.length);
      side.k.fill(spikes, Math.ceil((T * x.length) / 32), 7);
      side.k.firstSpike(spikes, side.put(x), x.length, T, 1e-6);
      return side.readSpikes(spikes, T * x.length);
    });
  }
});

test("firstSpike: the last of more steps than float32 counts is not left behind", () => {
  const [T, n] = [2 ** 25 + 4, 16];
  const words = (T * n) / 32;
  const bits = alloc(4 * words + 16);
  const x = alloc(4 * n);
  new Float32Array(memory.buffer, x, n).fill(1e-30);
  kernels.firstSpike(bits, x, n, T, 0);
  const last = new Uint32Array(memory.buffer, bits + 4 * (words - 1), 1);
  expect(last[0]).toBe(0xffff0000);
  expect(kernels.countBits(bits, words)).toBe(n);
  free(bits, 4 * words + 16);
  free(x, 4 * n);
});
