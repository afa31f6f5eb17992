/**
 * The raw kernels of `jarvis-snn/kernels`, each called in its signature with random arguments: the same bits as ever. Numbers of the
 * results and of all arrays, with their surroundings, are hashed.
 */
import { createHash } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { kernels } from "../engine/kernels.ts";
import { Arrays, CALLS, seedCalls } from "./support/kernel-calls.ts";

const SEED = 11;
const TRIALS = 20;

let arrays: Arrays;
beforeAll(() => {
  arrays = new Arrays();
});

/** The bits of a word; all numbers that are none are one, as WebAssembly leaves their bits open. */
const bitsOf = (words: Uint32Array): Uint32Array =>
  words.map((word) => ((word & 0x7f800000) === 0x7f800000 && (word & 0x7fffff) !== 0 ? 0x7fc00000 : word));

/** A short hash of what some calls of a kernel return and write. */
function hashOf(name: keyof typeof CALLS): string {
  const hash = createHash("sha256");
  seedCalls(SEED);
  for (let trial = 0; trial < TRIALS; trial++) {
    arrays.begin();
    const args = CALLS[name](arrays);
    const result = (kernels[name] as (...args: number[]) => unknown)(...args);
    hash.update(String(result)).update(bitsOf(arrays.copy()));
  }
  return hash.digest("hex").slice(0, 16);
}

test("kernels: every raw kernel takes its arguments of version 0.2 and has the bits of that version", async () => {
  expect(Object.keys(CALLS).sort()).toEqual(
    Object.keys(kernels)
      .filter((name) => name !== "heapBase")
      .sort(),
  );
  const lines = Object.keys(CALLS)
    .sort()
    .map((name) => `${name} ${hashOf(name as keyof typeof CALLS)}\n`);
  await expect(lines.join("")).toMatchFileSnapshot("fixtures/raw-kernels.txt");
});
