/**
 * The raw kernels: plain functions over byte addresses in one linear memory, for benchmarks and other engines.
 *
 *   const x = alloc(4 * n);
 *   new Float32Array(memory.buffer, x, n).fill(1);   // make views late: growing memory detaches them
 *   kernels.exp(x, x, n);
 *   free(x, 4 * n);
 *
 * @module jarvis-snn/kernels
 */

import type { Kernels } from "../kernels/build/types.ts";
import { type Arithmetic, modules } from "./core/arithmetic.ts";
import { wasmHeap } from "./core/memory.ts";
import { coreKernels as core, extraKernels, followMemory, memory, rareKernels } from "./core/wasm.ts";
import { type LIFDescriptor, type ProductDescriptor, writeLIF, writeProduct } from "./descriptors.ts";

export type { Kernels } from "../kernels/build/types.ts";
/**
 * Numbers of the functions of x and y that `kernels.formula` evaluates; q is a further argument. For
 * `kernels.formulaGrad`, number + 1 is the derivative with respect to x, number + 2 that with respect to y.
 */
export * as codes from "../kernels/codes.ts";
/** Numbers of surrogates and of resets, for the kernels of neurons. */
export * as kinds from "../kernels/kinds.ts";
export type { Arithmetic } from "./core/arithmetic.ts";
export { type LinearMemory, memory } from "./core/wasm.ts";
export type { LIFDescriptor, ProductDescriptor } from "./descriptors.ts";
export { LIF_DESCRIPTOR_BYTES, PRODUCT_DESCRIPTOR_BYTES } from "./descriptors.ts";

const NEURONS = ["the address of a descriptor", "lifDescriptor(at, { T, rows, n, beta, threshold, u, … })"] as const;
const PRODUCT = ["the address of a descriptor", "productDescriptor(at, { c, m, n, k, a, b, … })"] as const;
const ADAM = ["7 arguments", "w, dw, m, v, vmax, n, numbers"] as const;
const PRODUCTS = ["gemm", "gemmGathered", "gemmMasked", "gather", "feedBack"];

/** How kernels add up products: "portable", or "relaxed" in a program that first imports `jarvis-snn/relaxed`. */
export const arithmetic: Arithmetic = modules.relocations === undefined ? "portable" : "relaxed";

/**
 * The kernels, over byte addresses in {@link memory}. A live binding: threads replace them by kernels over shared
 * memory.
 */
export let kernels: Kernels;

function makeKernels(): void {
  const all: Record<string, unknown> = { ...core, ...rareKernels(), ...extraKernels() };
  // Names with a $ are internal parts of kernels.
  for (const name of Object.keys(all)) if (name.startsWith("$")) delete all[name];
  kernels = all as unknown as Kernels;
  for (const name of ["lifForward", "lifBackward", "adam", ...PRODUCTS]) refuseLists(name);
}
makeKernels();
followMemory({ deref: () => makeKernels });

/** Makes a kernel throw if it is called with the separate arguments of earlier versions instead of a descriptor. */
function refuseLists(name: string): void {
  const named = kernels as unknown as Record<string, (...args: number[]) => void>;
  const kernel = named[name] as (...args: number[]) => void;
  const [expected, call] = name === "adam" ? ADAM : PRODUCTS.includes(name) ? PRODUCT : NEURONS;
  named[name] = (...args) => {
    if (args.length === kernel.length) return kernel(...args);
    throw new Error(`${name}: expected ${expected}, got ${args.length} arguments; write kernels.${name}(${call})`);
  };
}

/**
 * Writes a descriptor for `lifForward` and `lifBackward` to a block of {@link LIF_DESCRIPTOR_BYTES}, and returns its address.
 *
 *   const at = alloc(LIF_DESCRIPTOR_BYTES);
 *   const layer = { T, rows, n, beta, threshold, reset: kinds.SUBTRACT, u };
 *   kernels.lifForward(lifDescriptor(at, { ...layer, current, spikes }));
 *   kernels.lifBackward(lifDescriptor(at, { ...layer, kind: kinds.ATAN, slope: 2, dSpikes, dU: dSpikes }));
 *
 * Kernels read the descriptor only while they run.
 *
 * @throws RangeError unless the address is an integer ≥ 1, for a missing number or one out of range; TypeError for an unknown word, or one that is
 *   not a number.
 */
export function lifDescriptor(at: number, descriptor: LIFDescriptor): number {
  checkInteger("lifDescriptor: at", at, 1);
  writeLIF([new Uint32Array(memory.buffer), new Float32Array(memory.buffer)], at / 4, descriptor);
  return at;
}

/**
 * Writes a descriptor for `gemm`, `gemmGathered`, `gemmMasked`, `gather` and `feedBack` to a block of
 * {@link PRODUCT_DESCRIPTOR_BYTES}, and returns its address.
 *
 *   const at = alloc(PRODUCT_DESCRIPTOR_BYTES);
 *   kernels.gemm(productDescriptor(at, { c, a, b, m, n, k }));
 *   kernels.gemm(productDescriptor(at, { c, a, b, m, n, k, bRow: 1, bCol: k, init: bias }));     // B is stored [n, k]
 *
 * Kernels read the descriptor only while they run. A block that is written once serves any number of calls.
 *
 * @throws RangeError or TypeError as {@link lifDescriptor}.
 */
export function productDescriptor(at: number, descriptor: ProductDescriptor): number {
  checkInteger("productDescriptor: at", at, 1);
  writeProduct([new Uint32Array(memory.buffer), new Float32Array(memory.buffer)], at / 4, descriptor);
  return at;
}

/**
 * Allocates an uninitialised block of at least `bytes` bytes, until {@link free}; returns its address, a multiple of 16.
 *
 * @throws RangeError unless bytes is an integer ≥ 0, or if the platform is out of memory.
 */
export function alloc(bytes: number): number {
  checkInteger("alloc: bytes", bytes, 0);
  return wasmHeap.allocate(bytes);
}

/**
 * Frees a block of {@link alloc}, with the same `bytes`. Freeing a block twice is not detected.
 *
 * @throws RangeError unless address and bytes are integers, address ≥ 1 and bytes ≥ 0.
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
