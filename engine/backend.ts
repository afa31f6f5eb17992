/**
 * What computes: the kernels and the heap that every op uses.
 *
 * Normally the SIMD kernels over linear memory. `gradcheck` puts the float64 reference kernels and their cells here while
 * it runs; ops do not notice, because both sides take the same calls with the same addresses.
 */
import type { CoreKernels, ExtraKernels, Kernels } from "../kernels/build/types.ts";
import type { Reference } from "../kernels/reference/index.ts";
import type { runTraced } from "./fuse/tensors.ts";
import { type Heap, wasmHeap } from "./memory.ts";
import { extraKernels, kernels } from "./wasm.ts";

export interface Backend {
  /** The extra ones may be among them. */
  readonly kernels: CoreKernels | Kernels;
  readonly heap: Heap;
  /** Runs a step that was traced, op by op, where code that is compiled for linear memory cannot. */
  readonly onTensors?: typeof runTraced;
}

export const simd: Backend = { kernels, heap: wasmHeap };

/** The kernels that compute now: SIMD over linear memory, or inside of `gradcheck` the reference in float64. A live binding. */
export let k: CoreKernels = simd.kernels;
export let heap: Heap = simd.heap;
/** Runs a step of time inside of the reference; there is none outside, where steps are compiled. */
export let onTensors = simd.onTensors as NonNullable<Backend["onTensors"]>;

export function useBackend(backend: Backend): void {
  k = backend.kernels;
  heap = backend.heap;
  onTensors = backend.onTensors as typeof onTensors;
}

/** Whether the reference computes now. */
export const inReference = (): boolean => heap !== simd.heap;

/** The heap that gave out address p: those of the reference are negative. */
export const heapOf = (p: number): Heap => (p > 0 ? simd.heap : heap);

/** The kernels that many programs do without (kernels/extra.ts). */
export const extra = (): ExtraKernels => ("normalize" in k ? (k as Kernels) : extraKernels());

/** The convolution of the reference, which has no kernels for parts of one; undefined where the SIMD kernels compute. */
export const convolution = (): Reference["convolve"] | undefined => (k as Partial<Reference>).convolve;

/** n integers at address p, as the kernels read them: int32 in linear memory, numbers in the reference cells. */
export function integersAt(p: number, n: number): Int32Array | Float64Array {
  const view = heap.view(p, n);
  return view instanceof Float32Array ? new Int32Array(view.buffer, p, n) : view;
}
