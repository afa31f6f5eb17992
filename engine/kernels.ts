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

import type { Kernels } from "../kernels/build/types.ts";
import { wasmHeap } from "./memory.ts";
import { kernels as core, extraKernels } from "./wasm.ts";

export type { Kernels } from "../kernels/build/types.ts";
/**
 * The numbers of the functions of x and y that `kernels.formula` evaluates; q is a further number. The number after one of
 * them is that of its derivative towards x, for `kernels.formulaGrad`, the next that towards y.
 */
export * as codes from "../kernels/codes.ts";
/** The numbers of surrogates and of resets that the kernels of neurons take. */
export * as kinds from "../kernels/kinds.ts";

export { type LinearMemory, memory } from "./wasm.ts";

/** The kernels, over byte addresses in {@link memory}. */
export const kernels: Kernels = { ...core, ...extraKernels() };

/**
 * The address of a block of at least `bytes` bytes, a multiple of 16; its content is anything. It lives until {@link free}.
 *
 * @throws RangeError unless bytes is an integer ≥ 0, or where the platform has no more memory to give.
 */
export function alloc(bytes: number): number {
  checkInteger("alloc: bytes", bytes, 0);
  return wasmHeap.allocate(bytes);
}

/**
 * Gives a block from {@link alloc} back; `bytes` as asked for. A block that is given back twice is not noticed.
 *
 * @throws RangeError unless the address is an integer ≥ 1 and bytes one ≥ 0.
 */
export function free(address: number, bytes: number): void {
  checkInteger("free: address", address, 1);
  checkInteger("free: bytes", bytes, 0);
  wasmHeap.release(address, bytes);
}

function checkInteger(what: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least)) {
    throw new RangeError(
      `${what} must be an integer ≥ ${least}, got ${typeof value === "number" ? value : typeof value}`,
    );
  }
}
