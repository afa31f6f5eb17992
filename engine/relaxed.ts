/**
 * Fused products, for programs that do not need equal bits on other machines. When matrix products and convolutions add
 * x·y to a sum, they round once instead of twice, by the processor's fused instruction.
 *
 *   import "jarvis-snn/relaxed";                       // the first import of the program
 *   import { Linear, LIF } from "jarvis-snn";
 *
 * The last bits of sums then differ between processors, and from the package without this import. On one machine,
 * results still have equal bits by `forward`, `step` and streams, sparse and dense, with any number of threads.
 *
 * Throws if the JavaScript engine has no relaxed SIMD, or if an entry of the package was imported before.
 *
 * @module jarvis-snn/relaxed
 */
import { core, extra, rare, relocations } from "../kernels/build/relaxed.ts";
import { type Arithmetic, modules } from "./core/arithmetic.ts";

export type { Arithmetic } from "./core/arithmetic.ts";

/** A module with one function: `unreachable`, then f32x4.relaxed_madd. */
const PROBE = [
  [0, 97, 115, 109, 1, 0, 0, 0], // header, version 1
  [1, 5, 1, 96, 0, 1, 123], // types: a function that returns a vector
  [3, 2, 1, 0], // functions: one of this type
  [10, 8, 1, 6, 0, 0, 253, 133, 2, 11], // code: 6 bytes, no locals, the two instructions, end
];

if (typeof WebAssembly === "undefined" || !WebAssembly.validate(Uint8Array.from(PROBE.flat()))) {
  const have = "Chrome 114, Firefox 145, Node 22 and later versions have it";
  throw new Error(
    `jarvis-snn/relaxed: expected an engine with relaxed SIMD, got one without; ${have}, jarvis-snn alone runs on this one`,
  );
}
if (modules.core !== undefined) {
  throw new Error(
    'jarvis-snn/relaxed: expected to be imported before the engine starts, got a running one; write import "jarvis-snn/relaxed" above all other imports',
  );
}
Object.assign(modules, { core, extra, rare, relocations });

/** Arithmetic of this program's products; {@link jarvis-snn/kernels} exports the same name. */
export const arithmetic: Arithmetic = "relaxed";
