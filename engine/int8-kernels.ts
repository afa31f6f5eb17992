/** Kernels for 8-bit weights, in a separate module that is compiled on first use. */
import { int8 } from "../kernels/build/int8-release.ts";
import type { Int8Kernels } from "../kernels/build/types.ts";
import { lazyModule } from "./core/wasm.ts";

/** The kernels of kernels/int8.ts, over the same memory as all other kernels. */
export const int8Kernels = lazyModule<Int8Kernels>(() => int8);
