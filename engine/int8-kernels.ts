/** The kernels for weights of eight bits: a module of its own, which is loaded with the importer of this file. */
import { int8 } from "../kernels/build/int8-release.ts";
import type { Int8Kernels } from "../kernels/build/types.ts";
import { lazyModule } from "./wasm.ts";

/** The kernels of kernels/int8.ts, over the addresses of all others. */
export const int8Kernels = /* @__PURE__ */ lazyModule<Int8Kernels>(() => int8);
