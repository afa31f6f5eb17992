/** Errors of the import if a platform lacks or forbids something. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const platform = WebAssembly;

/** The error of importing the kernels if WebAssembly differs from that of this platform, or is missing. */
function errorWith(changes: object | undefined): Promise<Error> {
  vi.stubGlobal("WebAssembly", changes && { Module: platform.Module, Memory: platform.Memory, ...changes });
  return import("./wasm.ts").then(
    () => new Error("none"),
    (error) => error,
  );
}

/** A constructor that throws. */
const failing = (error: Error) =>
  class {
    constructor() {
      throw error;
    }
  };

const { CompileError } = platform;

beforeEach(() => void vi.resetModules());
afterEach(() => void vi.unstubAllGlobals());

test("import: without WebAssembly the error says where there is one", async () => {
  const { message } = await errorWith(undefined);
  expect(message).toMatch(/^jarvis-snn: this platform has no WebAssembly; use Node ≥ 20/);
});

test("import: where the address space does not suffice, the error says how to get by", async () => {
  const cause = new RangeError("WebAssembly.Memory(): could not allocate memory");
  const error = await errorWith({ Memory: failing(cause) });
  expect(error.message).toMatch(/^jarvis-snn: .*no address space .*ulimit -v, .*--disable-wasm-trap-handler/);
  expect(error.cause).toBe(cause);
});

const refusals = [
  {
    name: "a main thread that compiles 4 kB",
    error: new RangeError(
      "WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 4KB",
    ),
    isValid: true,
    says: /4 kB on the main thread: import the package in a worker, or use Chrome 114/,
  },
  {
    name: "a platform without SIMD",
    error: new CompileError("invalid value type 's128'"),
    isValid: false,
    says: /SIMD is missing: it needs Chrome 91/,
  },
  {
    name: "a content policy, as Chrome tells it",
    error: new CompileError("Refused to compile or instantiate WebAssembly module"),
    isValid: true,
    says: /content policy blocks WebAssembly: allow 'wasm-unsafe-eval'/,
  },
  {
    name: "a content policy, as Safari tells it",
    error: new EvalError("Refused to create a WebAssembly object"),
    isValid: true,
    says: /content policy blocks WebAssembly: allow 'wasm-unsafe-eval'/,
  },
];

test.each(refusals)("import: the error names $name", async ({ error: cause, isValid, says }) => {
  const error = await errorWith({ CompileError, validate: () => isValid, Module: failing(cause) });
  expect(error.message).toMatch(says);
  expect(error.cause).toBe(cause);
});

test("import: on a machine with big-endian memory the error says why", async () => {
  vi.stubGlobal("Uint16Array", { of: (x: number) => Uint8Array.of(x >> 8, x) });
  const { message } = await errorWith({});
  expect(message).toBe("jarvis-snn needs a little-endian machine: WebAssembly memory is little-endian");
});

test("followMemory: looks at all followers when their number has doubled, and lets those go that hold nothing", async () => {
  const { followMemory } = await import("./wasm.ts");
  let [holds, looks] = [true, 0];
  const deref = () => {
    looks++;
    return holds ? () => {} : undefined;
  };
  const add = (count: number) => {
    for (let i = 0; i < count; i++) followMemory({ deref });
  };
  add(10_000);
  expect(looks).toBeLessThan(20_000);
  holds = false;
  add(20_000);
  looks = 0;
  add(1000);
  expect(looks).toBeLessThan(2000);
});
