/**
 * The raw kernels: plain functions over byte addresses in one linear memory, for benchmarks and for other engines.
 *
 *   const x = alloc(4 * n);
 *   new Float32Array(memory.buffer, x, n).fill(1);   // views detach when the memory grows: take them late
 *   kernels.exp(x, x, n);
 *   free(x, 4 * n);
 *
 * @module jarvis-snn/kernels
 */
import { wasmHeap } from "./memory.ts";

export type { Kernels } from "../kernels/build/types.ts";
/** The numbers of the functions that `kernels.formula` evaluates. */
export * as codes from "../kernels/codes.ts";
export { kernels, memory } from "./wasm.ts";

/**
 * A block of at least `bytes` bytes, aligned to 16; its content is anything.
 *
 * @throws RangeError where the platform has no more memory to give.
 */
export function alloc(bytes: number): number {
  return wasmHeap.allocate(bytes);
}

/** Gives a block from `alloc` back; `bytes` as asked for. */
export function free(address: number, bytes: number): void {
  wasmHeap.release(address, bytes);
}
