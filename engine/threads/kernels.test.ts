/** Kernels that threads share, with random arguments: they write the bits of one thread, and nothing else. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Kernels } from "../../kernels/build/types.ts";
import { Arrays, CALLS, seedCalls } from "../../test/support/kernel-calls.ts";
import { ALL } from "../../test/support/threads.ts";
import { simd } from "../core/backend.ts";
import { coreKernels, extraKernels, memory, rareKernels } from "../core/wasm.ts";
import { type Kernel, Pool } from "./pool.ts";
import { start } from "./start.ts";

const SEED = 5;
/** Calls of each kernel for each number of threads. */
const TRIALS = 12;

let arrays: Arrays;

/** Kernels that one thread runs, and why. */
const ALONE: { readonly [name in keyof Kernels]?: string } = {
  gemmGathered: "convolutions are cut by images",
  sumBits: "reads a bit for each value: the memory of an order moves as many bytes",
  packForward: "once a run, of a matrix that stays in the caches",
  packBackward: "once a run, of a matrix that stays in the caches",
  firstSpike: "spikes of a step end within a word of bits",
  scatterRows: "rows may be added to the same one, in their order",
  targetWeight: "one sum",
  addEvents: "convolutions are cut by images",
  windowBits: "convolutions are cut by images",
  addPatches: "convolutions are cut by images",
  listNonZeros: "convolutions are cut by images",
  multiplyListed: "convolutions are cut by images",
  convPlan: "tables of a few words, once a convolution",
  grid: "a table of a few words",
  overlaps: "a table of a few words",
  spans: "a table of a few words",
  normConstants: "a few values for each channel",
  delayBits: "spikes of a step end within a word of bits",
};

/** The bits of two runs where they differ; all NaN are equal. */
function difference(a: Uint32Array, b: Uint32Array): string | null {
  const [x, y] = [new Float32Array(a.buffer), new Float32Array(b.buffer)];
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !(Number.isNaN(x[i]) && Number.isNaN(y[i]))) return `word ${i}: ${x[i]} and ${y[i]}`;
  }
  return null;
}

/** Runs all parts here, the last one first. */
function lastFirst(f: Kernel, parts: number, argumentsOf: (part: number) => readonly number[]): number[] {
  const results = new Array<number>(parts);
  for (let part = parts - 1; part >= 0; part--) results[part] = Number(f(...argumentsOf(part)) ?? 0);
  return results;
}

beforeAll(() => {
  arrays = new Arrays();
});
afterAll(() => start(1));

test("threads: every kernel is shared, or has a reason why it is not", async () => {
  await start(2, ALL);
  const shared = simd.kernels as unknown as Record<string, unknown>;
  for (const [name, kernel] of Object.entries({ ...coreKernels, ...rareKernels(), ...extraKernels() })) {
    // Names with a $ are parts of kernels.
    if (typeof kernel !== "function" || name.startsWith("$")) continue;
    expect(`${name} is ${shared[name] === kernel ? "alone" : "shared"}`).toBe(
      `${name} is ${name in ALONE ? "alone" : "shared"}`,
    );
  }
});

describe.each([2, 3, 7])("threads: with %i", (count) => {
  beforeAll(async () => {
    await start(count, ALL);
    // Adds pages after all blocks, and after the workspace that threads allocate meanwhile.
    memory.grow(64);
  });

  test.each(Object.entries(CALLS))("%s writes the bits of one thread", (name, make) => {
    const plain = { ...coreKernels, ...rareKernels(), ...extraKernels() } as unknown as Record<string, Kernel>;
    const shared = simd.kernels as unknown as Record<string, Kernel>;
    seedCalls(SEED * count);
    for (let trial = 0; trial < TRIALS; trial++) {
      arrays.begin();
      const args = make(arrays);
      const before = arrays.copy();
      const result = (plain[name] as Kernel)(...args);
      const alone = arrays.copy();
      arrays.restore(before);
      // A kernel that returns nothing returns 0 in parts.
      expect((shared[name] as Kernel)(...args) ?? 0).toBe(result ?? 0);
      expect({ trial, args, difference: difference(arrays.copy(), alone) }).toEqual({ trial, args, difference: null });
      // No part reads values that another part writes, so the parts may run in reverse order.
      arrays.restore(before);
      const backwards = vi.spyOn(Pool.prototype, "run").mockImplementation(lastFirst);
      (shared[name] as Kernel)(...args);
      backwards.mockRestore();
      expect({ trial, args, backwards: difference(arrays.copy(), alone) }).toEqual({ trial, args, backwards: null });
    }
  });
});
