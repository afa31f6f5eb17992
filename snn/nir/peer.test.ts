/** The peer dependency: missing, and after a file has crashed it. */
import { ready } from "h5wasm";
import { afterEach, expect, test, vi } from "vitest";
import { PRIMITIVES } from "../../test/support/nir-graphs.ts";
import type { NIRGraph } from "./graph.ts";

const graph = PRIMITIVES.LIF as NIRGraph;

afterEach(() => {
  vi.doUnmock("h5wasm");
  vi.resetModules();
});

test("where h5wasm is missing, the error says how to install it", async () => {
  vi.doMock("h5wasm", () => {
    throw new Error("Cannot find package 'h5wasm'");
  });
  const { readNIR, writeNIR } = await import("./index.ts");
  await expect(writeNIR(graph)).rejects.toThrow(
    /^writeNIR: expected h5wasm at work, got none; install it: npm install h5wasm$/,
  );
  await expect(readNIR(new Uint8Array(9))).rejects.toThrow(/^readNIR: expected an HDF5 file/);
  await expect(readNIR(signature())).rejects.toThrow(/^readNIR: .* npm install h5wasm$/);
});

test("arguments are checked before h5wasm is loaded", async () => {
  const load = vi.fn(() => {
    throw new Error("loaded");
  });
  vi.doMock("h5wasm", load);
  const { readNIR, writeNIR } = await import("./index.ts");
  await expect(readNIR(3 as never)).rejects.toThrow(TypeError);
  await expect(writeNIR({} as never)).rejects.toThrow(TypeError);
  expect(load).not.toHaveBeenCalled();
});

test("where h5wasm cannot start, the error says why", async () => {
  vi.doMock("h5wasm", () => ({ ready: Promise.reject(new Error("blocked")) }));
  const { writeNIR } = await import("./index.ts");
  await expect(writeNIR(graph)).rejects.toThrow("writeNIR: expected h5wasm at work, got one that cannot start");
});

test("after a trap of h5wasm, later calls are refused, and its file is gone", async () => {
  const { readNIR, writeNIR } = await import("./index.ts");
  const m = await ready;
  const bytes = await writeNIR(graph);
  const trap = new WebAssembly.RuntimeError("memory access out of bounds");
  const spy = vi.spyOn(m, "get_dataset_metadata").mockImplementation(() => {
    throw trap;
  });
  const message = "expected h5wasm at work, got one that a file has stopped; start a new page, worker or process";
  await expect(readNIR(bytes)).rejects.toMatchObject({ message: `readNIR: ${message}`, cause: trap });
  spy.mockRestore();
  expect(m.FS.readdir("/")).not.toContain("jarvis-snn.nir");
  await expect(readNIR(bytes)).rejects.toThrow(`readNIR: ${message}`);
  await expect(writeNIR(graph)).rejects.toMatchObject({ message: `writeNIR: ${message}`, cause: trap });
});

/** The beginning of an HDF5 file. */
function signature(): Uint8Array {
  const bytes = new Uint8Array(100);
  bytes.set([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);
  bytes[13] = 8;
  bytes[14] = 8;
  return bytes;
}
