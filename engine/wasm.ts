/**
 * The one kernel instance of this realm and its linear memory.
 *
 * The kernels are strings in the bundle: decoding and compiling them takes a few milliseconds, synchronously, so that
 * importing the package is all the set-up there is. Those of images are compiled when they are first needed, and left out of a
 * bundle that never does.
 */
import { core, heapBase, images } from "../kernels/build/release.ts";
import type { CoreKernels, ImageKernels } from "../kernels/build/types.ts";

const INITIAL_PAGES = 24;
const MAXIMUM_PAGES = 65536;

function newMemory(): WebAssembly.Memory {
  if (typeof WebAssembly === "undefined") {
    throw new Error("jarvis-snn: this platform has no WebAssembly; use Node ≥ 20 or a current browser");
  }
  return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
}

/** The linear memory. It grows with {@link alloc}, which detaches all views. */
export const memory = newMemory();

function instantiate<T>(wasm: string): T {
  // The characters stand for bytes as scripts/build-kernels.mjs says.
  const bytes = new Uint8Array(wasm.length).map((_, i) => 122 - wasm.charCodeAt(i));
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (cause) {
    const lacksSimd = cause instanceof WebAssembly.CompileError && !WebAssembly.validate(bytes);
    const hint = lacksSimd
      ? "WebAssembly SIMD is missing: it needs Chrome 91, Firefox 89, Safari 16.4, Node 20 or later"
      : "the content policy blocks WebAssembly: allow 'wasm-unsafe-eval' in script-src";
    throw new Error(`jarvis-snn: ${hint}`, { cause });
  }
  const abort = (_message: number, _file: number, line: number, column: number): never => {
    throw new Error(`jarvis-snn kernel: assertion failed at ${line}:${column}`);
  };
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports as T;
}

/** The kernels that most programs use, over byte addresses in {@link memory}. */
export const kernels = instantiate<CoreKernels>(core);

let instance: ImageKernels | null = null;

/** The kernels of convolutions, pools and normalisation, over the same addresses. */
export function imageKernels(): ImageKernels {
  instance ??= instantiate<ImageKernels>(images);
  return instance;
}

/** First byte that no kernel uses: constants and the workspace of products lie below it. */
export { heapBase };
