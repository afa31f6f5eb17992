/** The raw kernels as other engines use them, and memory after a warm-up. */
import { expect, test } from "vitest";
import { bytesKept, values } from "../test/support/tensors.ts";
import { manualSeed, memoryStats, rand, warmup } from "./index.ts";
import type { LIFDescriptor, ProductDescriptor } from "./kernels.ts";
import {
  alloc,
  free,
  kernels,
  kinds,
  LIF_DESCRIPTOR_BYTES,
  lifDescriptor,
  memory,
  PRODUCT_DESCRIPTOR_BYTES,
  productDescriptor,
} from "./kernels.ts";

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

test("kernels: plain neurons take a descriptor, from the state of one run to the next, and a gradient goes back", () => {
  const [T, n] = [3, 5];
  const made: [address: number, bytes: number][] = [];
  const block = (values: number[]): number => {
    const bytes = 4 * values.length;
    made.push([alloc(bytes), bytes]);
    const [p] = made[made.length - 1] as [number, number];
    new Float32Array(memory.buffer, p, values.length).set(values);
    return p;
  };
  const read = (p: number, count: number) => Array.from(new Float32Array(memory.buffer, p, count));
  const at = alloc(LIF_DESCRIPTOR_BYTES);
  const kept = bytesKept(() => {
    const current = block([0.5, 0.75, 1, 0, 2, 0.5, 0.75, 1, 0, 2, 0.5, 0.75, 1, 0, 2]);
    const [u, state, spikes] = [block(new Array(T * n).fill(0)), block(new Array(n).fill(0)), block([0, 0])];
    const layer = { T, rows: 1, n, beta: block([0.5]), threshold: block([1]), reset: kinds.SUBTRACT, u };
    kernels.lifForward(lifDescriptor(at, { ...layer, current, spikes, from: state, last: state }));
    expect(read(u, T * n)).toEqual([0.5, 0.75, 1, 0, 2, 0.75, 1.125, 1, 0, 2.5, 0.875, 0.8125, 1, 0, 2.75]);
    expect(read(state, n)).toEqual([0.875, 0.8125, 0, 0, 1.75]);
    const fired = new Uint32Array(memory.buffer, spikes, 1)[0] as number;
    expect(fired.toString(2).padStart(T * n, "0")).toBe("101001011010100");
    const [dSpikes, dSum] = [block([1, 1, 1, 1, 1]), block([0, 0, 0, 0, 0])];
    const surrogate = { kind: kinds.STRAIGHT_THROUGH, slope: 1 };
    const step = { dSpikes, stepDSpikes: 0, dU: state, stepDU: 0, dSum };
    kernels.lifBackward(lifDescriptor(at, { ...layer, ...surrogate, ...step }));
    // 1, 1 + β and 1 + β·(1 + β).
    expect(read(dSum, n)).toEqual(new Array(n).fill(4.25));
    for (const [p, bytes] of made) free(p, bytes);
  });
  free(at, LIF_DESCRIPTOR_BYTES);
  expect(kept).toBe(0);
});

test("kernels: a descriptor that does not fit is refused, before anything is written", () => {
  const at = alloc(LIF_DESCRIPTOR_BYTES);
  const written = () => new Uint32Array(memory.buffer).slice(at / 4, (at + LIF_DESCRIPTOR_BYTES) / 4);
  const given = { T: 1, rows: 1, n: 4, beta: 16, u: 16 };
  lifDescriptor(at, given);
  const before = written();
  const refused = [
    [at, { T: 2, rows: 1, n: 4, beta: 16 }, "lifDescriptor: u must be an integer of 32 bits, got NaN"],
    [at, { ...given, T: 1.5 }, "lifDescriptor: T must be an integer of 32 bits, got 1.5"],
    [at, { ...given, slope: Infinity }, "lifDescriptor: slope must be finite in float32, got Infinity"],
    [0, given, "lifDescriptor: at must be an integer ≥ 1, got 0"],
  ] as const;
  for (const [p, descriptor, message] of refused) {
    expect(() => lifDescriptor(p, descriptor as LIFDescriptor)).toThrow(message);
  }
  // @ts-expect-error the compiler knows the words
  expect(() => lifDescriptor(at, { ...given, neurons: 3 })).toThrow(/: expected the options T, rows, .*, got neurons$/);
  expect(written()).toEqual(before);
  free(at, LIF_DESCRIPTOR_BYTES);
});

test("kernels: products take a descriptor, whose arrays have no gaps but where it says so", () => {
  const at = alloc(PRODUCT_DESCRIPTOR_BYTES + 4 * 16);
  const [a, b, bias, c] = [0, 4, 8, 12].map((i) => at + PRODUCT_DESCRIPTOR_BYTES + 4 * i) as [
    number,
    number,
    number,
    number,
  ];
  const values = new Float32Array(memory.buffer, a, 16);
  values.set([1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 0, 0]);
  const product = { c, a, b, m: 2, n: 2, k: 2 } as ProductDescriptor;
  const result = (words: Partial<ProductDescriptor>) => {
    kernels.gemm(productDescriptor(at, { ...product, ...words }));
    return Array.from(values.subarray(12));
  };
  expect(result({})).toEqual([19, 22, 43, 50]);
  expect(result({ init: bias, bRow: 1, bCol: 2 })).toEqual([27, 43, 49, 73]);
  expect(result({ init: c, m: 1 })).toEqual([46, 65, 49, 73]);
  kernels.gemm(at);
  expect(Array.from(values.subarray(12))).toEqual([65, 87, 49, 73]);
  for (const [p, words, message] of [
    [at, { c, a, m: 2, n: 2 }, "productDescriptor: k must be an integer of 32 bits, got NaN"],
    [at, { ...product, aRow: 0.5 }, "productDescriptor: aRow must be an integer of 32 bits, got 0.5"],
    [1.5, product, "productDescriptor: at must be an integer ≥ 1, got 1.5"],
  ] as const) {
    expect(() => productDescriptor(p, words as ProductDescriptor)).toThrow(message);
  }
  // @ts-expect-error the compiler knows the words
  expect(() => productDescriptor(at, { ...product, d: 3 })).toThrow(/: expected the options c, init, .*, got d$/);
  free(at, PRODUCT_DESCRIPTOR_BYTES + 4 * 16);
});

test("kernels: a list of arguments that a kernel took once is refused with the form of now", () => {
  const old = kernels as unknown as Record<string, (...args: number[]) => void>;
  const neurons = "lifDescriptor(at, { T, rows, n, beta, threshold, u, … })";
  const product = "productDescriptor(at, { c, m, n, k, a, b, … })";
  for (const [name, count, form, expected = "the address of a descriptor"] of [
    ["lifForward", 15, neurons],
    ["lifBackward", 16, neurons],
    ["gemm", 12, product],
    ["gemmGathered", 9, product],
    ["gemmMasked", 11, product],
    ["gather", 13, product],
    ["feedBack", 5, product],
    ["adam", 13, "w, dw, m, v, vmax, n, numbers", "7 arguments"],
  ] as const) {
    expect(() => old[name]?.(...new Array(count).fill(64))).toThrow(
      new Error(`${name}: expected ${expected}, got ${count} arguments; write kernels.${name}(${form})`),
    );
  }
});
