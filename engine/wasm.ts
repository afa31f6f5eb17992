/**
 * The one kernel instance of this realm and its linear memory.
 *
 * The kernels are strings in the bundle: decoding and compiling them takes a few milliseconds, synchronously, so that
 * importing the package is all the set-up there is. The extra ones are compiled when they are first needed, and left out of a
 * bundle that never does.
 */
import { core, extra, heapBase } from "../kernels/build/release.ts";
import type { CoreKernels, ExtraKernels } from "../kernels/build/types.ts";
import { modules } from "./arithmetic.ts";

// From here on no other arithmetic can be chosen.
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

/** `WebAssembly.Memory`; for a compiler without the types of a browser, the two members that all versions of it have. */
export type LinearMemory =
  typeof globalThis extends Record<"WebAssembly", Record<"Memory", new (...descriptor: never) => infer Memory>>
    ? Memory
    : {
        /** The bytes; another buffer after each growth. */
        readonly buffer: ArrayBuffer;
        /** Adds `pages` pages of 65 536 bytes. Returns how many there were. */
        grow(pages: number): number;
      };

/** The linear memory. {@link alloc} lets it grow, which detaches all views. A live binding, as `threads` moves all values to another memory. */
export let memory: LinearMemory = newMemory();

/** The threads, for which modules are made anew: null while there is one. */
export interface ModuleHost {
  /** The module with an import that fits the memory. */
  fit(bytes: Uint8Array): Uint8Array;
  /** Hears of each module that is made, and of its exports. Returns these, or functions that share their work. */
  made<T extends object>(bytes: Uint8Array, exports: T): T;
}

let host: ModuleHost | null = null;

/** The exports of a module over the memory, which may import the exports of `core`. */
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

/** The bytes of a module that the build has embedded: its characters stand for them as scripts/build-kernels.mjs says. */
export const bytesOf = (wasm: string): Uint8Array =>
  new Uint8Array(wasm.length).map((_, i) => 122 - wasm.charCodeAt(i));

/** The exports of an embedded module over the memory as it is, compiled when they are first asked for. */
export function lazyModule<T extends object>(wasm: () => string): () => T {
  let exports: T;
  let over: LinearMemory;
  return () => {
    if (over !== memory) {
      exports = instantiate<T>(bytesOf(wasm()), kernels);
      over = memory;
    }
    return exports;
  };
}

/** Why a module does not compile, and the remedy. */
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
export let kernels = instantiate<CoreKernels>(bytesOf(modules.core));

/** The kernels that many programs do without (kernels/extra.ts), over the same addresses. */
export const extraKernels = /* @__PURE__ */ lazyModule<ExtraKernels>(() => modules.extra ?? extra);

/** Holds a function that binds others to the memory after it has moved: a WeakRef, where the function may go before the program ends. */
interface Follower {
  deref(): (() => void) | undefined;
}

const followers = new Set<Follower>();
/** How many followers there are before those that hold nothing any more are looked for. */
let most = 64;

/**
 * Calls what the follower holds after each move of the memory. Followers that hold nothing go when their number has doubled: a look
 * at each of them with every new one would take the square of the time.
 */
export function followMemory(by: Follower): void {
  if (followers.size >= most) {
    for (const each of followers) if (each.deref() === undefined) followers.delete(each);
    most = 2 * followers.size + 64;
  }
  followers.add(by);
}

/**
 * Moves all values to the same addresses of another memory, of at least as many pages: kernels and compiled steps run there from now
 * on, made for this host, and views of the old memory, which grows by no pages, have the length 0. Where a module cannot be made,
 * all stay where they were.
 */
export function moveMemory(to: LinearMemory, by: ModuleHost | null): void {
  new Uint8Array(to.buffer).set(new Uint8Array(memory.buffer));
  const before = memory;
  const [made, hosted] = [kernels, host];
  memory = to;
  host = by;
  try {
    kernels = instantiate<CoreKernels>(bytesOf(modules.core as string));
    for (const each of followers) each.deref()?.();
  } catch (error) {
    memory = before;
    host = hosted;
    kernels = made;
    for (const each of followers) each.deref()?.();
    throw error;
  }
  before.grow(0);
}

/** First byte that no kernel uses: constants and the workspace of products lie below it. */
export { heapBase };
