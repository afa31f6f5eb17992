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
import { type Arithmetic, modules } from "./arithmetic.ts";
import { type LIFDescriptor, type ProductDescriptor, writeLIF, writeProduct } from "./descriptors.ts";
import { wasmHeap } from "./memory.ts";
import { kernels as core, extraKernels, followMemory, memory } from "./wasm.ts";

export type { Kernels } from "../kernels/build/types.ts";
/**
 * The numbers of the functions of x and y that `kernels.formula` evaluates; q is a further number. The number after one
 * of them names its derivative towards x, for `kernels.formulaGrad`, the next its derivative towards y.
 */
export * as codes from "../kernels/codes.ts";
/** The numbers of surrogates and of resets that the kernels of neurons take. */
export * as kinds from "../kernels/kinds.ts";
export type { Arithmetic } from "./arithmetic.ts";
export type { LIFDescriptor, ProductDescriptor } from "./descriptors.ts";
export { LIF_DESCRIPTOR_BYTES, PRODUCT_DESCRIPTOR_BYTES } from "./descriptors.ts";

export { type LinearMemory, memory } from "./wasm.ts";

const NEURONS = ["the address of a descriptor", "lifDescriptor(at, { T, rows, n, beta, threshold, u, … })"] as const;
const PRODUCT = ["the address of a descriptor", "productDescriptor(at, { c, m, n, k, a, b, … })"] as const;
const ADAM = ["7 arguments", "w, dw, m, v, vmax, n, numbers"] as const;
const PRODUCTS = ["gemm", "gemmGathered", "gemmMasked", "gemmSampled", "gather", "feedBack"];

/** How the kernels add up products: "portable", or "relaxed" in a program that began with `import "jarvis-snn/relaxed"`. */
export const arithmetic: Arithmetic = modules.relocations === undefined ? "portable" : "relaxed";

/** The kernels, over byte addresses in {@link memory}. A live binding: threads make others over the memory that they share. */
export let kernels: Kernels;

function makeKernels(): void {
  kernels = { ...core, ...extraKernels() };
  for (const name of ["lifForward", "lifBackward", "adam", ...PRODUCTS]) refuseLists(name);
}
makeKernels();
followMemory({ deref: () => makeKernels });

/** The kernel throws for a list of arguments that it took once. */
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
 * The kernels read it while they run and keep nothing.
 *
 * @throws RangeError unless the address is an integer ≥ 1, for a number that is missing or does not fit; TypeError for a word of another
 *   name, or that is no number.
 */
export function lifDescriptor(at: number, descriptor: LIFDescriptor): number {
  checkInteger("lifDescriptor: at", at, 1);
  writeLIF([new Uint32Array(memory.buffer), new Float32Array(memory.buffer)], at / 4, descriptor);
  return at;
}

/**
 * Writes a descriptor for `gemm`, `gemmGathered`, `gemmMasked`, `gemmSampled`, `gather` and `feedBack` to a block of
 * {@link PRODUCT_DESCRIPTOR_BYTES}, and returns its address.
 *
 *   const at = alloc(PRODUCT_DESCRIPTOR_BYTES);
 *   kernels.gemm(productDescriptor(at, { c, a, b, m, n, k }));
 *   kernels.gemm(productDescriptor(at, { c, a, b, m, n, k, bRow: 1, bCol: k, init: bias }));     // B is stored [n, k]
 *
 * The kernels read it while they run and keep nothing: a block that is written once serves any number of calls.
 *
 * @throws RangeError or TypeError as {@link lifDescriptor}.
 */
export function productDescriptor(at: number, descriptor: ProductDescriptor): number {
  checkInteger("productDescriptor: at", at, 1);
  writeProduct([new Uint32Array(memory.buffer), new Float32Array(memory.buffer)], at / 4, descriptor);
  return at;
}

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
