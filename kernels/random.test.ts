import { expect, test } from "vitest";
import { wasmHeap } from "../engine/core/memory.ts";
import { coreKernels, extraKernels, memory } from "../engine/core/wasm.ts";
import { compareSides, LENGTHS, numbers, type Side, WasmSide } from "../test/support/sides.ts";

const lengths = [...LENGTHS.slice(0, -1), 15, 16, 17, 31, 32, 33, 100];

/** kat_vectors of Random123 for philox4x32-10: counter, key, expected words. */
const KNOWN: [counter: [number, number, number, number], key: [number, number], words: number[]][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [-1, -1, -1, -1],
    [-1, -1],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

const words = (side: Side, p: number, n: number) => side.readInts(p, n).map((word) => word >>> 0);

test("philox: gives the published words", () => {
  for (const [counter, key, expected] of KNOWN) {
    compareSides((side) => {
      const z = side.zeros(4);
      side.k.philox(z, 4, ...key, ...counter);
      expect(words(side, z, 4)).toEqual(expected);
      return [];
    });
  }
});

test("philox: agrees with its twin for every length, and carries into the upper half of the counter", () => {
  for (const n of lengths) {
    for (const counter0 of [0, 12345, -1, -3, -4, -5]) {
      compareSides(
        (side) => {
          const z = side.zeros(n);
          side.k.philox(z, n, 0x1234567, -77, counter0, -1, 3, -4);
          return words(side, z, n);
        },
        { absolute: 0, relative: 0 },
      );
    }
  }
});

test("uniform: agrees with its twin exactly, for every length", () => {
  for (const n of lengths) {
    compareSides(
      (side) => {
        const z = side.zeros(n);
        side.k.uniform(z, n, 1, 2, 3, 4);
        return side.read(z, n);
      },
      { absolute: 0, relative: 0 },
    );
  }
});

test("normal: agrees with its twin, for every length", () => {
  for (const n of [...lengths, 4003]) {
    compareSides((side) => {
      const z = side.zeros(n);
      side.k.normal(z, n, 1, 2, 3, 4);
      return side.read(z, n);
    });
  }
});

test("bernoulli: agrees with its twin exactly, for every length of a row and number of rows", () => {
  for (const n of lengths) {
    for (const repeats of [0, 1, 3]) {
      for (const scale of [1, 0.3]) {
        compareSides(
          (side) => {
            const spikes = side.spikes(n * repeats);
            side.k.bernoulli(spikes, side.put(numbers(n, 5, -0.2, 1.2)), n, repeats, scale, 1, 2, 3, 4, 0, 0);
            return side.readSpikes(spikes, n * repeats);
          },
          { absolute: 0, relative: 0 },
        );
      }
    }
  }
});

test("bernoulli: parts of a stream have the bits of the whole", () => {
  for (const [n, repeats] of [
    [7, 100],
    [64, 9],
    [500, 3],
  ] as const) {
    const side = new WasmSide();
    const total = n * repeats;
    const p = side.put(numbers(n, 5, 0, 1));
    const [whole, parts] = [side.spikes(total), side.spikes(total)];
    side.k.bernoulli(whole, p, n, repeats, 0.7, 1, 2, 3, 4, 0, 0);
    for (const first of [64, 0, 192]) {
      const end = { 0: 64, 64: 192, 192: total }[first] as number;
      side.k.bernoulli(parts, p, n, repeats, 0.7, 1, 2, 3, 4, first, end);
    }
    expect(side.readSpikes(parts, total)).toEqual(side.readSpikes(whole, total));
    side.finish();
  }
});

test("bernoulli: 0 and below never, 1 and above always, NaN never", () => {
  compareSides((side) => {
    const p = side.put([0, -1, 1, 7, NaN]);
    const spikes = side.spikes(500);
    side.k.bernoulli(spikes, p, 5, 100, 1, 9, 0, 0, 0, 0, 0);
    expect(side.readSpikes(spikes, 500)).toEqual(Array.from({ length: 100 }, () => [0, 0, 1, 1, 0]).flat());
    return [];
  });
});

/** n numbers of a stream of the SIMD kernels. */
function draw(name: "uniform" | "normal", n: number, counter = 0): number[] {
  const p = wasmHeap.allocate(4 * n);
  const drawn = name === "normal" ? extraKernels().normal : coreKernels.uniform;
  drawn(p, n, 42, 0, counter, 0);
  const z = Array.from(new Float32Array(memory.buffer, p, n));
  wasmHeap.release(p, 4 * n);
  return z;
}

test("random: a shorter draw is the beginning of a longer one, and counter 5 starts at number 20", () => {
  for (const name of ["uniform", "normal"] as const) {
    const all = draw(name, 1000);
    for (const n of [1, 2, 3, 4, 17, 250, 999]) expect(draw(name, n)).toEqual(all.slice(0, n));
    expect(draw(name, 100, 5)).toEqual(all.slice(20, 120));
  }
});

test("uniform: lies in [0, 1) with mean 1/2 and variance 1/12", () => {
  const n = 100_000;
  const z = draw("uniform", n);
  expect(Math.min(...z.slice(0, 50_000), ...z.slice(50_000))).toBeGreaterThanOrEqual(0);
  expect(z.every((u) => u < 1)).toBe(true);
  const mean = z.reduce((s, u) => s + u) / n;
  const variance = z.reduce((s, u) => s + (u - mean) ** 2, 0) / n;
  // Four standard errors: √(1/12n) and √(1/180n).
  expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / (12 * n)));
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / (180 * n)));
});

test("normal: mean 0, variance 1, no skew, kurtosis 3, and both numbers of a pair are independent", () => {
  const n = 100_000;
  const z = draw("normal", n);
  const moment = (k: number) => z.reduce((s, v) => s + v ** k, 0) / n;
  // Four standard errors of the moments: √(1/n), √(2/n), √(15/n), √(96/n).
  expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / n));
  expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / n));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
  let product = 0;
  for (let i = 0; i < n; i += 2) product += (z[i] as number) * (z[i + 1] as number);
  expect(Math.abs(product / (n / 2))).toBeLessThan(4 * Math.sqrt(2 / n));
});

test("bernoulli: rates far below what half a word tells apart, and between such halves", () => {
  compareSides(
    (side) => {
      const n = 40_000;
      const spikes = side.spikes(n);
      // Most numbers are somewhere undecided by their halves: rates of 2⁻¹⁶ and less, and rates between multiples of it.
      const p = side.put(numbers(n, 3, 0, 1).map((u, i) => (i % 2 === 0 ? u / 32768 : 0.5 + u / 65536)));
      side.k.bernoulli(spikes, p, n, 1, 1, 5, 6, 7, 0, 0, 0);
      const drawn = side.readSpikes(spikes, n);
      const even = drawn.filter((spike, i) => i % 2 === 0 && spike === 1).length;
      // 20 000 rates with a mean of 2⁻¹⁶.
      expect(even).toBeLessThan(5);
      return drawn;
    },
    { absolute: 0, relative: 0 },
  );
});

test("bernoulli: the fraction of a rate counts", () => {
  const n = 1 << 20;
  const p = wasmHeap.allocate(4 * n);
  const z = wasmHeap.allocate(4 * n);
  let count = 0;
  const rate = 0.7 / 65536;
  coreKernels.fill(p, n, rate);
  for (let seed = 0; seed < 40; seed++) {
    coreKernels.bernoulli(z, p, n, 1, 1, seed, 8, 0, 0, 0, 0);
    count += coreKernels.countBits(z, n / 32);
  }
  // Halves alone would give 0, or 640.
  expect(Math.abs(count - 40 * n * rate)).toBeLessThan(4 * Math.sqrt(40 * n * rate));
  wasmHeap.release(p, 4 * n);
  wasmHeap.release(z, 4 * n);
});

test("bernoulli: spikes at the rate that was asked for", () => {
  const n = 100_000;
  const p = wasmHeap.allocate(4 * n);
  const z = wasmHeap.allocate(4 * n);
  for (const rate of [0.01, 0.3, 0.9]) {
    coreKernels.fill(p, n, rate);
    coreKernels.bernoulli(z, p, n, 1, 1, 7, 8, 0, 0, 0, 0);
    const count = coreKernels.countBits(z, Math.ceil(n / 32));
    expect(Math.abs(count / n - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / n));
  }
  wasmHeap.release(p, 4 * n);
  wasmHeap.release(z, 4 * n);
});
