/**
 * Compiles kernels/*.ts (AssemblyScript), optimises them (Binaryen) and embeds the result:
 *
 *   kernels/build/release.ts        export const core, rare, extra   the modules, one character a byte, see `literal`
 *                                   export const heapBase      the first byte after the constants of all modules
 *   kernels/build/int8-release.ts   export const int8          a module that one entry alone needs
 *   kernels/build/relaxed.ts        export const core, rare, extra   the same with fused products (relaxed SIMD), for one entry, and
 *                                   export const relocations   where they name constants
 *   kernels/build/debug.ts          those of release.ts with assertions; `KERNELS=debug` makes the tests use them
 *   kernels/build/int8-debug.ts
 *   kernels/build/relocations-release.ts, relocations-debug.ts
 *                                   export const relocations   where the modules name constants, for kernels of other threads
 *   kernels/build/types.ts          export interface Kernels   the signatures of all kernels of release.ts, a part a module
 *                                   export interface Int8Kernels
 *   kernels/build/cuts.ts           export const cuts          how calls are cut into parts, see cuts.mjs
 *   kernels/build/core.ts           export declare function    the core module for the sources of the others, which import its functions
 *
 * Does nothing if no source has changed since the last build, so tests and builds may always call it.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { LOOPS } from "./build-loops.mjs";
import { cutsSource } from "./cuts.mjs";
import { root } from "./entries.mjs";
import { unlessFresh } from "./fresh.mjs";
import { constantsOf, relocationsSource } from "./relocations.mjs";

/**
 * Most expressions of a function that is inlined at every call, and of one with a single call. `asc -O3` copies up to
 * 70 into every caller, which adds a quarter to the module; other functions that loops call are inlined by name.
 */
const INLINED = 12;
const INLINED_ONCE = 50;
/** Zeros between two constants that are cheaper than another segment. */
const GAP = 16;
/** Binaryen's name of the first imported memory. */
const MEMORY = "mimport$0";

/** The sources of the modules. The constants of each module follow those of the previous one. */
const SOURCES = { core: "index.ts", rare: "rare.ts", extra: "extra.ts", int8: "int8.ts" };
/** The modules in each file of a build, by the file name's prefix before the target. */
const FILES = { "": ["core", "rare", "extra"], "int8-": ["int8"] };
/** Modules whose products are fused with relaxed SIMD; the others have equal bits on all processors in this arithmetic too. */
const RELAXED = FILES[""];
/** Pages of memory that constants may fill. */
const PAGES = 24;
/**
 * Address of the first constant: Binaryen would fold a lower address into a load, where it could not be found again.
 */
const LOWEST = 1024;
/** Distance by which the constants of the second build lie higher; comparing both builds shows where addresses are. */
const DISTANCE = 1 << 21;

const out = join(root, "kernels/build");

/**
 * A string literal with a character for each byte: the one with the code 122 − byte (modulo 256). So the frequent bytes,
 * the small ones and 0xfd, are ASCII, and gzip sees the module almost as it is.
 */
function literal(bytes) {
  let text = '"';
  for (const byte of bytes) {
    const code = (122 - byte) & 255;
    const character = String.fromCharCode(code);
    if (character === '"' || character === "\\") text += `\\${character}`;
    else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) text += `\\x${code.toString(16).padStart(2, "0")}`;
    else text += character;
  }
  return `${text}"`;
}

/** The names of asc and Binaryen's outputs that programs import, without folder and ending. */
const NAMES = [...Object.keys(FILES), "relocations-"];

/** Aliases of the modules, by which programs run those with assertions. */
export const debugKernels = NAMES.map((name) => ({
  find: new RegExp(`^(\\.\\./)+kernels/build/${name}release\\.ts$`),
  replacement: join(out, `${name}debug.ts`),
}));

export const KERNELS = {
  name: "the kernels",
  stamp: "kernels/build/sources.sha256",
  inputs: [
    ...readdirSync(join(root, "kernels"))
      .filter((name) => /(?<!\.test)\.ts$/.test(name))
      .map((name) => `kernels/${name}`),
    "asconfig.json",
    "scripts/build-kernels.mjs",
    "scripts/cuts.mjs",
    "scripts/relocations.mjs",
  ],
  outputs: [
    ...["release", "debug"].flatMap((target) => NAMES.map((name) => `${name}${target}`)),
    "relaxed",
    "types",
    "cuts",
    "core",
  ].map((name) => `kernels/build/${name}.ts`),
  make,
};

/** Binaryen's passes for speed. */
function optimise(binaryen, bytes, target) {
  const { MutableGlobals, NontrappingFPToInt, SignExt, BulkMemory, BulkMemoryOpt, SIMD128 } = binaryen.Features;
  const module = binaryen.readBinary(bytes);
  const relaxed = target === "relaxed" ? binaryen.Features.RelaxedSIMD : 0;
  module.setFeatures(MutableGlobals | NontrappingFPToInt | SignExt | BulkMemory | BulkMemoryOpt | SIMD128 | relaxed);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(1);
  binaryen.setAlwaysInlineMaxSize(INLINED);
  binaryen.setFlexibleInlineMaxSize(INLINED);
  binaryen.setOneCallerInlineMaxSize(INLINED_ONCE);
  // No address is low enough to wrap, so p + 16 may become part of the load.
  binaryen.setLowMemoryUnused(true);
  binaryen.setZeroFilledMemory(true);
  binaryen.setGenerateStackIR(true);
  binaryen.setOptimizeStackIR(true);
  // The second round optimises code that inlining in the first round has exposed.
  module.optimize();
  module.optimize();
  joinSegments(module);
  return module.emitBinary();
}

/** Every constant is a data segment with a header; neighbouring ones are merged, with zeros in between. */
function joinSegments(module) {
  const segments = [];
  for (let i = 0; i < module.getNumDataSegments(); i++) {
    const { offset, data } = module.getDataSegmentInfo(module.getDataSegmentByIndex(i));
    const last = segments.at(-1);
    if (last === undefined || offset - last.start - last.bytes.length > GAP) {
      segments.push({ start: offset, bytes: [...new Uint8Array(data)] });
    } else {
      last.bytes.length = offset - last.start;
      last.bytes.push(...new Uint8Array(data));
    }
  }
  const { module: from, base, initial, max } = module.getMemoryInfo();
  const joined = segments.map(({ start, bytes }) => ({
    offset: module.i32.const(start),
    data: Uint8Array.from(bytes),
  }));
  module.setMemory(initial, max, null, joined, false, false, MEMORY);
  module.addMemoryImport(MEMORY, from, base, false);
}

/**
 * Compiles one of the modules, with its constants from `base` on; it may import the exports of `core`. Returns it, its exports, and where
 * the next one may begin.
 */
async function compileModule(asc, name, target, base, core, file = `kernels/build/${name}.${target}.wasm`) {
  const pages = PAGES + Math.floor(base / DISTANCE) * (DISTANCE / 65536);
  const options = [
    "--target",
    target,
    "--outFile",
    file,
    "--memoryBase",
    String(base),
    "--initialMemory",
    String(pages),
  ];
  const { error, stderr } = await asc.main([`kernels/${SOURCES[name]}`, ...options], {
    readFile: (name, base) => {
      try {
        return readFileSync(join(base ?? root, name), "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (name, contents, base) => writeFileSync(join(base ?? root, name), contents),
    listFiles: (name, base) => readdirSync(join(base ?? root, name)).filter((file) => file.endsWith(".ts")),
  });
  if (error) throw new Error(`asc --target ${target}: ${error.message}\n${stderr.toString()}`);
  let bytes = readFileSync(join(root, file));
  if (target !== "debug") {
    bytes = optimise((await import("binaryen")).default, bytes, target);
    writeFileSync(join(root, file), bytes);
  }
  // Node 20 requires a flag for relaxed SIMD.
  if (target === "relaxed" && !WebAssembly.validate(bytes)) setFlagsFromString("--experimental-wasm-relaxed-simd");
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536 });
  const imports = { env: { memory, abort() {} }, core };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  return { bytes, exports, end: exports.heapBase.value };
}

/** Compiles the modules of these names. Returns them, the first byte after their constants, and the places of addresses. */
async function compile(asc, target, names) {
  const modules = {};
  const relocations = {};
  let end = LOWEST;
  for (const name of names) {
    const start = end;
    const core = modules.core?.exports;
    modules[name] = await compileModule(asc, name, target, start, core);
    ({ end } = modules[name]);
    const file = `kernels/build/${name}.higher.wasm`;
    const higher = await compileModule(asc, name, target, start + DISTANCE, core, file);
    relocations[name] = constantsOf(name, modules[name].bytes, higher.bytes, DISTANCE);
  }
  return { modules, end, relocations: relocationsSource(relocations) };
}

const ORIGIN = "/** Built from kernels/*.ts. */\n";

/** Declarations of the exports of the core module in AssemblyScript, with the signatures of their sources. The name of the file is that of the module. */
function coreSource() {
  const sourceOf = (file) => readFileSync(join(root, `kernels/${file}.ts`), "utf8");
  const lists = sourceOf(SOURCES.core.replace(".ts", "")).matchAll(/^export (?:\{ (.*) \}|\*) from "\.\/(.*)";$/gm);
  const declarations = Array.from(lists, ([, names, file]) => {
    const exported = sourceOf(file).matchAll(/^export (?:function (\w+)(\([^)]*\): \w+)|const (\w+) = memory\.)/gm);
    const all = new Map(
      Array.from(exported, ([, name, signature, address]) =>
        address === undefined ? [name, `function ${name}${signature}`] : [address, `const ${address}: usize`],
      ),
    );
    return (names?.split(", ") ?? [...all.keys()]).map((name) => {
      const [own, alias = own] = name.split(" as ");
      return `export declare ${all.get(own).replace(own, alias)};\n`;
    });
  });
  return ORIGIN + declarations.flat().join("");
}

/** The declarations of modules as strings. */
const literals = (modules, names) =>
  names.map((name) => `export const ${name}: string = ${literal(modules[name].bytes)};\n`).join("");

/** Compiles and writes all modules. Returns them and the first byte after their constants. */
async function writeModules(asc, target) {
  const { modules, end, relocations } = await compile(asc, target, Object.keys(SOURCES));
  writeFileSync(join(out, `relocations-${target}.ts`), ORIGIN + relocations);
  for (const [file, names] of Object.entries(FILES)) {
    const heapBase = file === "" ? `export const heapBase = ${end};\n` : "";
    writeFileSync(join(out, `${file}${target}.ts`), ORIGIN + literals(modules, names) + heapBase);
  }
  return modules;
}

/** Compiles and writes the modules with fused products, with constants at the addresses of the `portable` ones. */
async function writeRelaxed(asc, portable) {
  const { modules, relocations } = await compile(asc, "relaxed", RELAXED);
  for (const name of RELAXED) {
    const [expected, got] = [portable[name].end, modules[name].end];
    if (expected !== got) throw new Error(`build-kernels: expected constants of ${name} up to ${expected}, got ${got}`);
  }
  writeFileSync(join(out, "relaxed.ts"), ORIGIN + literals(modules, RELAXED) + relocations);
}

const ABOUT = `/**
 * The kernels, built from kernels/*.ts: plain functions over float32 values in one memory, at byte addresses that are
 * multiples of 4. Sizes count elements; arrays are contiguous and row-major where no strides are named.
 *
 * \`←\` overwrites, \`+=\` and \`−=\` add; \`fGrad\` adds what the gradient dz of z = f(x) passes on to x. Choices are 0 or 1, a
 * reset is 0 (none), 1 (subtract) or 2 (zero), a surrogate's kind one of those of \`surrogate\`. In a stream of
 * bits element i is bit i mod 32 of word i div 32, and one more word may be read after the last. \`single\` may be left out.
 *
 * Nothing is checked: an address beyond the memory is a WebAssembly.RuntimeError, a wrong one within it overwrites what is
 * there.
 */
`;

/** The bindings that asc writes list every export and its file; with the comments of the sources they become interfaces. */
function writeTypes() {
  const text =
    `/** The kernels that most programs use. */\n${interfaceOf("core", "CoreKernels")}\n` +
    `/** Those that few programs use: neurons that feed each other, surrogates by themselves, SGD. */\n${interfaceOf("rare", "RareKernels")}\n` +
    `/** Those that many do without, of convolutions, pools and normalisation among others. */\n${interfaceOf("extra", "ExtraKernels")}\n` +
    `${ABOUT}export interface Kernels extends CoreKernels, RareKernels, ExtraKernels {}\n\n` +
    `/** Those for weights of eight bits, which \`Int8\` alone needs. */\n${interfaceOf("int8", "Int8Kernels")}`;
  writeFileSync(join(out, "types.ts"), text);
}

function interfaceOf(module, name) {
  const declarations = readFileSync(join(out, `${module}.release.d.ts`), "utf8");
  const exports = declarations.matchAll(/^ +\* (kernels\/[\w-]+)\/(\w+)(?:\n +\*.*)*\n +export function (\w.+;)$/gm);
  // WebAssembly converts a missing argument to 0.
  const members = Array.from(
    exports,
    ([, file, name, signature]) =>
      `${commentOf(file, name)}  ${signature.replace(/\b(single|apart|zApart): number/g, "$1?: number")}\n`,
  );
  return `export interface ${name} {\n${members.join("")}}\n`;
}

/** The doc comment of an exported function, indented. */
function commentOf(file, name) {
  const source = readFileSync(join(root, `${file}.ts`), "utf8");
  const [before] = source.split(`\nexport function ${name}(`);
  // Lines of the table of cuts may lie between comment and function.
  const comment = /\/\*\*(?:(?!\*\/).)*\*\/$/s.exec(before.replace(/(?:\n\/\/.*)+$/, ""));
  if (comment === null) throw new Error(`${file}.ts: expected a doc comment before ${name}, got none`);
  return comment[0].replace(/^/gm, "  ").concat("\n");
}

async function make() {
  mkdirSync(out, { recursive: true });
  process.chdir(root);
  writeFileSync(join(out, "core.ts"), coreSource());
  const { default: asc } = await import("assemblyscript/asc");
  const modules = await writeModules(asc, "release");
  await writeRelaxed(asc, modules);
  await writeModules(asc, "debug");
  writeTypes();
  writeFileSync(join(out, "cuts.ts"), cutsSource(join(root, "kernels")));
  const sizes = Object.values(modules).map(({ bytes }) => bytes.length);
  console.error(`kernels: ${sizes.join(" + ")} bytes`);
}

/** Builds everything that types and tests need: the kernels, and the loops of a demo. Calls `say` before each build. */
export async function buildKernels(say = () => {}) {
  for (const product of [KERNELS, LOOPS]) await unlessFresh(product, say);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await buildKernels();
