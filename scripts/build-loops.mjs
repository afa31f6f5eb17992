/**
 * Compiles demos/ladder/assembly/loops.ts (AssemblyScript, without SIMD) for rung 3 of the ladder:
 *
 *   demos/ladder/build/loops.ts     export interface Loops          the signatures of its exports
 *                                   export const heapBase           the first byte after its constants
 *                                   export const instantiate        the functions over a memory
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./entries.mjs";

const SOURCE = "demos/ladder/assembly/loops.ts";
const OUT = "demos/ladder/build/loops.ts";

/** The configuration of the kernels, which has SIMD, is left out. */
const OPTIONS = [
  "--config",
  "none",
  "--optimize",
  "--runtime",
  "stub",
  "--noAssert",
  "--importMemory",
  "--noExportMemory",
];

export const LOOPS = {
  name: "the loops of the ladder",
  stamp: "demos/ladder/build/sources.sha256",
  inputs: [SOURCE, "scripts/build-loops.mjs"],
  outputs: [OUT],
  make,
};

async function make() {
  const { default: asc } = await import("assemblyscript/asc");
  const written = new Map();
  const names = ["--outFile", "loops.wasm", "--bindings", "raw", "--zeroFilledMemory"];
  const { error, stderr } = await asc.main([SOURCE, ...OPTIONS, ...names], {
    readFile: (name, base) => {
      try {
        return readFileSync(join(base ?? root, name), "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (name, contents) => written.set(name, contents),
    listFiles: (name, base) => readdirSync(join(base ?? root, name)).filter((file) => file.endsWith(".ts")),
  });
  if (error) throw new Error(`asc ${SOURCE}: ${error.message}\n${stderr.toString()}`);
  const bytes = written.get("loops.wasm");
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, abort() {} } });
  const signatures = written.get("loops.d.ts").matchAll(/^ +export function (.+;)$/gm);
  const text = `/** Built from ${SOURCE}. */
export interface Loops {
${Array.from(signatures, ([, signature]) => `  ${signature}\n`).join("")}}

export const heapBase = ${exports.heapBase.value};

const bytes = Uint8Array.from(atob("${Buffer.from(bytes).toString("base64")}"), (character) => character.charCodeAt(0));

export const instantiate = (memory: WebAssembly.Memory): Loops =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, abort() {} } }).exports as unknown as Loops;
`;
  mkdirSync(join(root, "demos/ladder/build"), { recursive: true });
  writeFileSync(join(root, OUT), text);
  console.error(`loops: ${bytes.length} bytes`);
}
