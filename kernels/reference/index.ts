/**
 * The kernels again, naive and in float64: one function per SIMD kernel, same name, same arguments, same addresses.
 * Read these first; the tests trust them, and `gradcheck` runs the whole engine on them.
 */
import type { Kernels } from "../build/types.ts";
import * as all from "./all.ts";

export const reference: Kernels = all;
