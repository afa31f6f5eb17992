/** Who has which memory: every block that the heap lends, and canaries among them that nobody may write to. */
import { type Tensor, tensor } from "../../../engine/index.ts";
import { linearMemory, wasmHeap } from "../../../engine/memory.ts";
import { memory } from "../../../engine/wasm.ts";

/** So that a call that takes all there is takes little time. */
const LIMIT = 2 ** 26;

/** Bytes of every block that is lent, by its address. */
const lent = new Map<number, number>();
/** Blocks since the last `mark`, and what has been given back that was never lent. */
const recent = new Set<number>();
let strange: string[] = [];

export function watchHeap(): void {
  const { allocate, release } = wasmHeap;
  wasmHeap.allocate = (bytes) => {
    const p = allocate.call(wasmHeap, bytes);
    lent.set(p, bytes);
    recent.add(p);
    return p;
  };
  wasmHeap.release = (p, bytes) => {
    recent.delete(p);
    if (!lent.delete(p)) strange.push("memory that was not lent was given back");
    else release.call(wasmHeap, p, bytes);
  };
  Object.assign(linearMemory, { limit: LIMIT });
}

/** Blocks that are lent from now on count as recent. */
export function mark(): void {
  recent.clear();
  strange = [];
}

/** The blocks that were lent since the mark and not given back. */
export const left = (): number[] => [...recent];

/** Gives blocks back that nobody can reach; how many bytes they are. */
export function reclaim(blocks: Iterable<number>): number {
  let total = 0;
  for (const p of blocks) {
    const bytes = lent.get(p);
    if (bytes === undefined) continue;
    total += bytes;
    wasmHeap.release(p, bytes);
  }
  return total;
}

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
