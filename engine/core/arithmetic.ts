/**
 * The kernel modules of this realm. This file imports nothing, so `jarvis-snn/relaxed` can replace the modules before
 * the engine starts.
 */

/** How products are summed: with the same bits on every processor, or fused if the processor supports it. */
export type Arithmetic = "portable" | "relaxed";

interface Modules {
  /** Embedded modules, written by scripts/build-kernels.mjs. */
  core?: string;
  rare?: string;
  extra?: string;
  /** Where each module refers to its constants; threads need this to move the constants. */
  relocations?: { readonly core: string; readonly rare: string; readonly extra: string };
}

/**
 * Modules to use instead of the embedded ones: none, or all those of relaxed arithmetic. When the engine starts
 * without a `core` here, it adds the portable one.
 */
export const modules: Modules = {};
