/**
 * The kernel instance of this realm and its linear memory.
 *
 * Kernels are strings in the bundle. Importing the package decodes and compiles the core ones synchronously, in a few
 * milliseconds. The extra and rare kernels are compiled on first use; bundlers drop unused ones.
 */
import { core, extra, heapBase, rare } from "../../kernels/build/release.ts";
import type { CoreKernels, ExtraKernels, RareKernels } from "../../kernels/build/types.ts";
import { modules } from "./arithmetic.ts";

// From here on, the arithmetic is fixed.
modules.core ??= core;

const INITIAL_PAGES = 24;
const MAXIMUM_PAGES = 65536;

function newMemory(): WebAssembly.Memory {
  if (typeof WebAssembly === "undefined") {
    throw new Error("jarvis-snn: this platform has no WebAssembly; use Node ≥ 20 or a current browser");
  }
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] === 0) {
    throw new Error("jarvis-snn needs a little-endian machine: WebAssembly memory is little-endian");
  }
  try {
    return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
  } catch (cause) {
    const hint = "raise ulimit -v, run Node with --disable-wasm-trap-handler, or import the package in fewer workers";
    throw new Error(`jarvis-snn: the platform has no address space for a WebAssembly memory; ${hint}`, { cause });
  }
}

/** `WebAssembly.Memory`, reduced to two members for programs without browser types. */
export type LinearMemory =
  typeof globalThis extends Record<"WebAssembly", Record<"Memory", new (...descriptor: never) => infer Memory>>
    ? Memory
    : {
        /** The bytes; a new buffer after each growth. */
        readonly buffer: ArrayBuffer;
        /** Adds `pages` pages of 65 536 bytes. Returns the previous number of pages. */
        grow(pages: number): number;
      };

/**
 * The linear memory. {@link alloc} may grow it, which detaches all views. A live binding: threads move all values to a
 * different memory.
 */
export let memory: LinearMemory = newMemory();

/** Prepares modules while threads run; null without threads. */
export interface ModuleHost {
  /** Adapts a module's import to the memory. */
  fit(bytes: Uint8Array): Uint8Array;
  /** Called for each new module with its exports. Returns these, or functions that share work among threads. */
  made<T extends object>(bytes: Uint8Array, exports: T): T;
}

let host: ModuleHost | null = null;

/** Exports of a module over the memory. The module may import exports of `core`. */
export function instantiate<T extends object>(bytes: Uint8Array, core?: object): T {
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module((host?.fit(bytes) ?? bytes) as never);
  } catch (cause) {
    throw new Error(`jarvis-snn: ${hintFor(cause, bytes)}`, { cause });
  }
  const exports = new WebAssembly.Instance(module, { env: { memory, abort }, core } as never).exports as T;
  return host?.made(bytes, exports) ?? exports;
}

function abort(_message: number, _file: number, line: number, column: number): never {
  throw new Error(`jarvis-snn kernel: assertion failed at ${line}:${column}`);
}

/** Bytes of an embedded module, from the string encoding of scripts/build-kernels.mjs. */
export const moduleBytes = (wasm: string): Uint8Array =>
  new Uint8Array(wasm.length).map((_, i) => 122 - wasm.charCodeAt(i));

/** Exports of an embedded module over the current memory, compiled on first use. */
/* @__NO_SIDE_EFFECTS__ */
export function lazyModule<T extends object>(wasm: () => string): () => T {
  let exports: T;
  let over: LinearMemory;
  return () => {
    if (over !== memory) {
      exports = instantiate<T>(moduleBytes(wasm()), coreKernels);
      over = memory;
    }
    return exports;
  };
}

/** Explains why a module did not compile, with a remedy. */
function hintFor(cause: unknown, bytes: Uint8Array): string {
  if (cause instanceof RangeError) {
    return "this browser compiles only 4 kB on the main thread: import the package in a worker, or use Chrome 114 or later";
  }
  if (cause instanceof WebAssembly.CompileError && !WebAssembly.validate(bytes)) {
    return "WebAssembly SIMD is missing: it needs Chrome 91, Firefox 89, Safari 16.4, Node 20 or later";
  }
  return "the content policy blocks WebAssembly: allow 'wasm-unsafe-eval' in script-src";
}

/** The kernels that most programs use, over byte addresses in {@link memory}. A live binding. */
export let coreKernels = instantiate<CoreKernels>(moduleBytes(modules.core));

/** Kernels that many programs do not need (kernels/extra.ts), over the same addresses. */
export const extraKernels = lazyModule<ExtraKernels>(() => modules.extra ?? extra);

/** Kernels that few programs use (kernels/rare.ts), over the same addresses. */
export const rareKernels = lazyModule<RareKernels>(() => modules.rare ?? rare);

/**
 * Holds a function that rebinds an object after memory has moved. Objects that may be collected are held by a WeakRef.
 */
interface Follower {
  deref(): (() => void) | undefined;
}

const followers = new Set<Follower>();
/** Number of followers at which collected ones are removed next. */
let most = 64;

/**
 * Calls the function that `by` refers to after each move of the memory. When the number of followers has doubled,
 * those that were garbage-collected are removed; a check at every call would take quadratic time.
 */
export function followMemory(by: Follower): void {
  if (followers.size >= most) {
    for (const each of followers) if (each.deref() === undefined) followers.delete(each);
    most = 2 * followers.size + 64;
  }
  followers.add(by);
}

/**
 * Moves all values to a new memory with at least as many pages; addresses remain. All modules are made anew by the host
 * `by`. Views of the old memory are detached. If a module fails, nothing moves.
 */
export function moveMemory(to: LinearMemory, by: ModuleHost | null): void {
  new Uint8Array(to.buffer).set(new Uint8Array(memory.buffer));
  const before = memory;
  const [made, hosted] = [coreKernels, host];
  memory = to;
  host = by;
  try {
    coreKernels = instantiate<CoreKernels>(moduleBytes(modules.core as string));
    for (const each of followers) each.deref()?.();
  } catch (error) {
    memory = before;
    host = hosted;
    coreKernels = made;
    for (const each of followers) each.deref()?.();
    throw error;
  }
  before.grow(0);
}

/** First byte after the kernels' constants and product workspace. */
export { heapBase };
