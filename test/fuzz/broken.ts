/** Kernels that are slightly wrong, to see whether the fuzzer finds them. */
import { type Backend, simd } from "../../engine/core/backend.ts";
import { coreKernels as core, extraKernels, memory, rareKernels } from "../../engine/core/wasm.ts";
import type { Kernels } from "../../kernels/build/types.ts";
import * as layout from "../../kernels/lif-layout.ts";
import * as product from "../../kernels/product-layout.ts";

type Kernel = (...args: number[]) => number;

/** All kernels over the memory of now, which threads move. */
const all = (): Kernels => ({ ...core, ...rareKernels(), ...extraKernels() });

export const KERNELS = Object.entries(all()).flatMap(([name, each]) =>
  typeof each === "function" ? [name as keyof Kernels] : [],
);

/** Kernels that no program can find wrong. */
export const UNSEEN: Readonly<Record<string, string>> = {
  sgd: "optimizers are no ops",
  adam: "optimizers are no ops",
  rmsprop: "optimizers are no ops",
  philox: "random numbers are no ops",
  uniform: "random numbers are no ops",
  normal: "random numbers are no ops",
  countBits: "it chooses between paths that give the same bits",
};

/** Kernels that take the descriptor of a product. */
const PRODUCTS: readonly string[] = ["gemm", "gemmGathered", "gemmMasked", "gather", "feedBack"];

/** Kernels that write words of bits. */
const BITS: readonly string[] = ["alignBits", "packBits", "transposeBits", "bernoulli"];

/** The kernels with one that calls `wrong` after itself. */
export function replaced(name: keyof Kernels, wrong: (result: number, args: readonly number[]) => number): Backend {
  const kernels = all();
  const kernel = kernels[name] as Kernel;
  const broken: Kernel = (...args) => wrong(kernel(...args), args);
  return { kernels: { ...kernels, [name]: broken }, heap: simd.heap };
}

/** The address of the first result of a kernel: the first argument, but behind the number of a formula, and in a descriptor. */
function resultOf(name: keyof Kernels, args: readonly number[]): number {
  if (name === "formula" || name === "formulaGrad") return args[1] as number;
  if (PRODUCTS.includes(name)) return wordOf(args[0] as number, product.c);
  if (name === "lifForward") return wordOf(args[0] as number, layout.u);
  return name === "lifBackward" ? wordOf(args[0] as number, layout.dU) : (args[0] as number);
}

/** A word of a descriptor. */
export const wordOf = (descriptor: number, number: number): number =>
  new Uint32Array(memory.buffer, descriptor + 4 * number, 1)[0] as number;

/** The kernels with one whose first result is off by a thousandth, or by a bit. */
export function slightlyWrong(name: keyof Kernels): Backend {
  return replaced(name, (result, args) => {
    const p = resultOf(name, args);
    if (name === "targetWeight") return result * 1.001;
    if (p === 0) return result;
    const [words, floats] = [new Uint32Array(memory.buffer, p, 1), new Float32Array(memory.buffer, p, 1)];
    if (BITS.includes(name)) words[0] = (words[0] as number) ^ 1;
    else floats[0] = (floats[0] as number) * 1.001 + 0.001;
    return result;
  });
}
