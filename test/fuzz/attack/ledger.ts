/** Who has which memory: every block that the heap lends, and canaries among them that nobody may write to. */

import { linearMemory, wasmHeap } from "../../../engine/core/memory.ts";
import { memory } from "../../../engine/core/wasm.ts";
import { type Tensor, tensor } from "../../../engine/index.ts";

/** So that a call that takes all there is takes little time. */
const LIMIT = 2 ** 26;

/** Addresses of the blocks that are lent, and of those that were since the last `mark`. */
const lent = new Set<number>();
const recent = new Set<number>();
/** What the heap counts as in use for blocks; the rest is the arena. */
let bytes = 0;
let strange: string[] = [];

export function watchHeap(): void {
  const { allocate, release } = wasmHeap;
  const counting = <R>(fn: () => R): R => {
    const { live } = wasmHeap;
    const result = fn();
    bytes += wasmHeap.live - live;
    return result;
  };
  wasmHeap.allocate = (size) => {
    const p = counting(() => allocate.call(wasmHeap, size));
    lent.add(p);
    recent.add(p);
    return p;
  };
  wasmHeap.release = (p, size) => {
    recent.delete(p);
    if (lent.delete(p)) counting(() => release.call(wasmHeap, p, size));
    else strange.push("memory that was not lent was given back");
  };
  Object.assign(linearMemory, { limit: LIMIT });
}

/** Blocks that are lent from now on count as recent. */
export function mark(): void {
  recent.clear();
  strange = [];
}

/** The blocks that were lent since the mark and not given back. */
export const left = (): ReadonlySet<number> => recent;

/** Bytes of the arena in use: none outside of tapes. */
export const arenaBytes = (): number => wasmHeap.live - bytes;

/** Whether so little memory is left that what follows would suffer from it. */
export const isFull = (): boolean => bytes > LIMIT / 4;

export const strangeReleases = (): readonly string[] => strange;

const VALUE = 3;
const SIZES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 36, 64, 128, 256, 1024];
const canaries: Tensor[] = [];

/** Canaries of all sizes with a hole behind each, into which arguments and results go. */
export function setCanaries(): void {
  const holes: Tensor[] = [];
  for (const size of SIZES) {
    for (let i = 0; i < 4; i++) {
      canaries.push(tensor(new Float32Array(size).fill(VALUE)));
      holes.push(tensor(new Float32Array(size)));
    }
  }
  for (const hole of holes) hole.dispose();
}

/** How many values of canaries were changed; they are put right. */
export function deadCanaries(): number {
  const floats = new Float32Array(memory.buffer);
  let changed = 0;
  for (const { ptr, size } of canaries) {
    const values = floats.subarray(ptr / 4, ptr / 4 + size);
    for (let i = 0; i < size; i++) {
      if (values[i] === VALUE) continue;
      values[i] = VALUE;
      changed++;
    }
  }
  return changed;
}
