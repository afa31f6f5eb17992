/**
 * The modules of kernels that this realm runs: a file that imports nothing, so that `jarvis-snn/relaxed` can set them before the engine starts.
 */

/** How products are added up: with the bits of every processor, or fused where a processor can. */
export type Arithmetic = "portable" | "relaxed";

interface Modules {
  /** Embedded modules, as scripts/build-kernels.mjs writes them. */
  core?: string;
  extra?: string;
  /** Where these name their constants, for kernels of other threads. */
  relocations?: { readonly core: string; readonly extra: string };
}

/** All three of relaxed arithmetic, or else the core of the portable one from the start of the engine on. */
export const modules: Modules = {};
