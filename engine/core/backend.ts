/**
 * The kernels and the heap that every op uses.
 *
 * Normally these are the SIMD kernels over linear memory. While `gradcheck` runs, they are the float64 reference
 * kernels and their cells. Both accept the same calls, so ops need no second path.
 */
import type { CoreKernels, ExtraKernels, Kernels, RareKernels } from "../../kernels/build/types.ts";
import type { Reference } from "../../kernels/reference/index.ts";
import { type Heap, wasmHeap } from "./memory.ts";
import { coreKernels, extraKernels, memory, rareKernels } from "./wasm.ts";

export interface Backend {
  /** May include the extra and rare kernels. */
  kernels: CoreKernels | Kernels;
  readonly heap: Heap;
}

export const simd: Backend = { kernels: coreKernels, heap: wasmHeap };

/** Replaces the kernels over linear memory, after memory has moved or when threads start and stop. */
export function useKernels(now: CoreKernels): void {
  if (k === simd.kernels) k = now;
  simd.kernels = now;
}

/** The kernels in use: SIMD, or inside `gradcheck` the float64 reference. A live binding. */
export let k: CoreKernels = simd.kernels;
export let heap: Heap = simd.heap;
/** Address of a block for descriptors: an op writes the arguments of its next kernel call there. */
export let descriptor: number = simd.heap.descriptor;

export function useBackend(backend: Backend): void {
  k = backend.kernels;
  heap = backend.heap;
  descriptor = heap.descriptor;
  integers = new Uint32Array(0);
}

/** Whether the float64 reference kernels are in use. */
export const inReference = (): boolean => heap !== simd.heap;

/** The heap that gave out address p: addresses of the reference are negative. */
export const heapOf = (p: number): Heap => (p > 0 ? simd.heap : heap);

/**
 * A live view of n values at an address; empty for address 0. Compute all addresses before making views: an allocation
 * may detach views.
 */
export const valuesAt = (address: number, n: number): Float32Array | Float64Array =>
  heapOf(address).view(address, address === 0 ? 0 : n);

/** Kernels that many programs do not need (kernels/extra.ts). */
export const extra = (): ExtraKernels => ("normalize" in k ? (k as Kernels) : extraKernels());

/** The kernels that few programs use (kernels/rare.ts). */
export const rare = (): RareKernels => ("sgd" in k ? (k as Kernels) : rareKernels());

/**
 * The convolution of the reference kernels, which have no kernels for its parts; undefined for the SIMD kernels.
 */
export const convolution = (): Reference["convolve"] | undefined => (k as Partial<Reference>).convolve;

/** n integers at address p, as the kernels read them: int32 in linear memory, numbers in the reference cells. */
export function integersAt(p: number, n: number): Int32Array | Float64Array {
  const view = heap.view(p, n);
  return view instanceof Float32Array ? new Int32Array(view.buffer, p, n) : view;
}

/**
 * Memory of the kernels in use, as 32-bit integers and as floats; both are float64 cells for the reference. Live
 * bindings, see {@link wordsAt}.
 */
export let integers: Uint32Array | Float64Array = new Uint32Array(0);
export let floats: Float32Array | Float64Array = new Float32Array(0);

/**
 * Prepares n words at address p for a descriptor; returns the index of the first in `integers` and `floats`. Both views
 * are valid until memory is allocated. They are cached, because making a view takes longer than most kernels.
 */
export function wordsAt(p: number, n: number): number {
  if (heap !== simd.heap) {
    integers = heap.view(p, n) as Float64Array;
    floats = integers;
    return 0;
  }
  const first = p >>> 2;
  // When memory grows, an old view gets length 0; over shared memory it keeps its old length.
  if (first + n > integers.length) {
    integers = new Uint32Array(memory.buffer);
    floats = new Float32Array(memory.buffer);
  }
  return first;
}

/** Writes two neighbouring words: an array and its step, or two steps. */
export function writePair(at: number, first: number, second: number): void {
  integers[at] = first;
  integers[at + 1] = second;
}
