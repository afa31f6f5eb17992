/** The choice of relaxed arithmetic, and its errors. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const platform = WebAssembly;

/** Simulates whether the JavaScript engine has relaxed SIMD: only `validate` is called, nothing is compiled. */
const engineThat = (has: boolean) => vi.stubGlobal("WebAssembly", { ...wasm, validate: () => has });
const { Module, Memory, Instance, CompileError } = platform;
const wasm = { Module, Memory, Instance, CompileError };

const imported = (): Promise<unknown> => import("./relaxed.ts").catch((error: unknown) => error);

beforeEach(() => void vi.resetModules());
afterEach(() => void vi.unstubAllGlobals());

test("relaxed: the modules are chosen before the engine starts", async () => {
  engineThat(true);
  expect(await imported()).toMatchObject({ arithmetic: "relaxed" });
  const { core } = await import("../kernels/build/relaxed.ts");
  const { modules } = await import("./core/arithmetic.ts");
  expect(modules.core).toBe(core);
});

test("relaxed: an import after the engine has started is refused, and says where it belongs", async () => {
  const { arithmetic } = await import("./kernels.ts");
  engineThat(true);
  expect(await imported()).toMatchObject({
    message:
      'jarvis-snn/relaxed: expected to be imported before the engine starts, got a running one; write import "jarvis-snn/relaxed" above all other imports',
  });
  expect(arithmetic).toBe("portable");
});

test.each([
  ["without relaxed SIMD", () => engineThat(false)],
  ["without WebAssembly", () => vi.stubGlobal("WebAssembly", undefined)],
])("relaxed: an engine %s is named, and runs portable kernels after the error", async (_, stub) => {
  stub();
  expect(await imported()).toMatchObject({
    message: expect.stringMatching(
      /^jarvis-snn\/relaxed: expected an engine with relaxed SIMD, got one without; Chrome 114, .* Node 22 /,
    ),
  });
  vi.unstubAllGlobals();
  expect((await import("./kernels.ts")).arithmetic).toBe("portable");
});
