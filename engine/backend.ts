/**
 * The kernels and the heap that every op uses.
 *
 * Normally the SIMD kernels over linear memory. `gradcheck` puts the float64 reference kernels and their cells here while
 * it runs; ops do not notice, because both sides take the same calls with the same addresses.
 */
import type { CoreKernels, ExtraKernels, Kernels } from "../kernels/build/types.ts";
import type { Reference } from "../kernels/reference/index.ts";
import { type Heap, wasmHeap } from "./memory.ts";
import { extraKernels, kernels, memory } from "./wasm.ts";

export interface Backend {
  /** The extra ones may be among them. */
  kernels: CoreKernels | Kernels;
  readonly heap: Heap;
}

export const simd: Backend = { kernels, heap: wasmHeap };

/** The kernels that compute over linear memory from now on: others after it has moved, and where threads take part. */
export function useKernels(now: CoreKernels): void {
  if (k === simd.kernels) k = now;
  simd.kernels = now;
}

/** The kernels that compute now: SIMD over linear memory, or inside of `gradcheck` the reference in float64. A live binding. */
export let k: CoreKernels = simd.kernels;
export let heap: Heap = simd.heap;
/** Address of the block of the heap in which an op describes its call to the kernel that runs next. */
export let descriptor: number = simd.heap.descriptor;

export function useBackend(backend: Backend): void {
  k = backend.kernels;
  heap = backend.heap;
  descriptor = heap.descriptor;
  integers = new Uint32Array(0);
}

/** Whether the reference computes now. */
export const inReference = (): boolean => heap !== simd.heap;

/** The heap that gave out address p: addresses of the reference are negative. */
export const heapOf = (p: number): Heap => (p > 0 ? simd.heap : heap);

/**
 * The n values at an address, live; none at the address 0. Take them after all addresses: where memory grows for one of these, earlier
 * views are detached.
 */
export const valuesAt = (address: number, n: number): Float32Array | Float64Array =>
  heapOf(address).view(address, address === 0 ? 0 : n);

/** The kernels that many programs do without (kernels/extra.ts). */
export const extra = (): ExtraKernels => ("normalize" in k ? (k as Kernels) : extraKernels());

/** The convolution of the reference, which has no kernels for parts of one; undefined where the SIMD kernels compute. */
export const convolution = (): Reference["convolve"] | undefined => (k as Partial<Reference>).convolve;

/** n integers at address p, as the kernels read them: int32 in linear memory, numbers in the reference cells. */
export function integersAt(p: number, n: number): Int32Array | Float64Array {
  const view = heap.view(p, n);
  return view instanceof Float32Array ? new Int32Array(view.buffer, p, n) : view;
}

/**
 * The memory that computes now, as 32-bit integers and as floats, or both times the reference cells: live bindings, see {@link wordsAt}.
 */
export let integers: Uint32Array | Float64Array = new Uint32Array(0);
export let floats: Float32Array | Float64Array = new Float32Array(0);

/**
 * The index in `integers` and `floats` of the first of n words at address p, for a descriptor that a kernel reads next: the views hold
 * until memory is allocated. They are kept from call to call, because making them takes longer than most kernels.
 */
export function wordsAt(p: number, n: number): number {
  if (inReference()) {
    integers = heap.view(p, n) as Float64Array;
    floats = integers;
    return 0;
  }
  const first = p >>> 2;
  // Views of memory that has grown have the length 0, and of shared memory the length before.
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
