/**
 * The one kernel instance of this realm and its linear memory.
 *
 * The module is a string in the bundle: decoding and compiling it takes a few milliseconds, synchronously, so that
 * importing the package is all the set-up there is.
 */
import { wasm } from "../kernels/build/release.ts";
import type { Kernels } from "../kernels/build/types.ts";

const INITIAL_PAGES = 24;
const MAXIMUM_PAGES = 65536;

function instantiate(): { kernels: Kernels; memory: WebAssembly.Memory; heapBase: number } {
  if (typeof WebAssembly === "undefined") {
    throw new Error("jarvis-snn: this platform has no WebAssembly; use Node ≥ 20 or a current browser");
  }
  // The characters stand for bytes as scripts/build-kernels.mjs says.
  const bytes = new Uint8Array(wasm.length).map((_, i) => 122 - wasm.charCodeAt(i));
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (cause) {
    const reason = cause instanceof WebAssembly.CompileError && !WebAssembly.validate(bytes);
    const hint = reason
      ? "WebAssembly SIMD is missing: it needs Chrome 91, Firefox 89, Safari 16.4, Node 20 or later"
      : "the content policy blocks WebAssembly: allow 'wasm-unsafe-eval' in script-src";
    throw new Error(`jarvis-snn: ${hint}`, { cause });
  }
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
  const abort = (_message: number, _file: number, line: number, column: number): never => {
    throw new Error(`jarvis-snn kernel: assertion failed at ${line}:${column}`);
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
  return { kernels: exports as unknown as Kernels, memory, heapBase: (exports.heapBase as WebAssembly.Global).value };
}

export const {
  /** The kernels, over byte addresses in {@link memory}. */
  kernels,
  /** The linear memory. It grows with {@link alloc}, which detaches all views. */
  memory,
  heapBase,
} = instantiate();
