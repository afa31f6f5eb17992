/**
 * Files of writeNIR in the hands of the Python package `nir`, and what this writes of them. Runs where $PYTHON, or python3, has h5py and
 * numpy, and `nir` is installed there or lies in $PEERS/nir.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type NIRGraph, readNIR, writeNIR } from "jarvis-snn/nir";
import { expect, test } from "vitest";
import { PRIMITIVES } from "../support/nir-graphs.ts";

const { PEERS, PYTHON } = process.env;
const env = { ...process.env, ...(PEERS ? { PYTHONPATH: join(PEERS, "nir") } : {}) };
const script = fileURLToPath(new URL("read_back.py", import.meta.url));

const run = (python: string, ...args: string[]) => execFileSync(python, args, { env, encoding: "utf8", stdio: "pipe" });

const python = (PYTHON ? [PYTHON] : ["python3", "/usr/bin/python3"]).find((path) => {
  try {
    run(path, "-c", "import nir");
    return true;
  } catch {
    return false;
  }
});

const reason = python === undefined ? " (skipped: no Python with the package nir, see $PYTHON and $PEERS)" : "";

/** Arrays with their type, as the script wants them. */
const describe = (_: string, value: unknown): unknown =>
  isArray(value)
    ? {
        dtype: value.data instanceof Float32Array ? "float32" : "float64",
        shape: value.shape,
        data: Array.from(value.data),
      }
    : value;

const isArray = (value: unknown): value is { shape: number[]; data: Float32Array | Float64Array } =>
  typeof value === "object" && value !== null && "data" in value && ArrayBuffer.isView(value.data);

test.skipIf(python === undefined)(
  `nir: the Python package reads every primitive that we write, and we read it back${reason}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-nir-"));
    try {
      mkdirSync(folder, { recursive: true });
      for (const [name, graph] of Object.entries(PRIMITIVES)) {
        writeFileSync(join(folder, `${name}.nir`), await writeNIR(graph));
        writeFileSync(join(folder, `${name}.json`), JSON.stringify(graph, describe));
      }
      const compared = JSON.parse(run(python as string, script, folder));
      expect(Object.keys(compared).sort()).toEqual(Object.keys(PRIMITIVES).sort());
      for (const [name, graph] of Object.entries(PRIMITIVES)) {
        const again = await readNIR(readFileSync(join(folder, "again", `${name}.nir`)));
        expect(plain(again), name).toEqual(plain(graph));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

/** The graph without its version: the Python package writes its own. */
function plain({ version: _, ...graph }: NIRGraph): unknown {
  const nodes = Object.entries(graph.nodes).map(([name, node]) => [
    name,
    node.type === "NIRGraph" ? plain(node) : node,
  ]);
  return { ...graph, nodes: Object.fromEntries(nodes) };
}
