/**
 * Transfer sizes of the package, bundled, minified and compressed: a program that trains a network (the toy trainer, with its data and
 * options) by the complete entry and by the one without the compiler, and every entry with all its exports; some entries also alone,
 * without the layers under them that a page has anyway, or as the bytes that they add to a page. The scripts that pages load have budgets
 * in budgets.json. An entry that loads modules of another one, such as a page of networks that would load the readers of recordings, is an
 * error.
 *
 *   npm run size                      fails where a budget is exceeded
 *   npm run size -- --raise "why"     sets the budgets to the sizes of today and a margin, and keeps the reason
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build as esbuild } from "esbuild";
import { build } from "vite";
import { root } from "./entries.mjs";

const PAGES = {
  "a training program": "build/demos/toy/network.js",
  "a training program, core": "build/demos/toy/core/network.js",
};

const ENTRIES = {
  ...PAGES,
  "jarvis-snn": "dist/index.js",
  "jarvis-snn/core": "dist/core.js",
  "jarvis-snn/engine": "dist/engine/index.js",
  "jarvis-snn/snn": "dist/snn/index.js",
  "jarvis-snn/kernels": "dist/engine/kernels.js",
  "jarvis-snn/extend": "dist/engine/extend.js",
  "jarvis-snn/relaxed": "dist/engine/relaxed.js",
  "jarvis-snn/threads": "dist/engine/threads/index.js",
  "jarvis-snn/audio": "dist/snn/audio/index.js",
  "jarvis-snn/events": "dist/snn/events/index.js",
  "jarvis-snn/nir": "dist/snn/nir/index.js",
  "jarvis-snn/plot": "dist/snn/plot/index.js",
  "jarvis-snn/quantize": "dist/snn/quantize/index.js",
};

/** The size that an entry adds to a page that has the rest of the package already, as the code of both pages. A page that loads h5wasm has the loader. */
const ADDED = {
  "nir, added": {
    page: 'export * from "jarvis-snn"; export const peer = () => import("h5wasm");',
    more: 'export { fromNIR, readNIR, toNIR, writeNIR } from "jarvis-snn/nir";',
  },
  "threads, added": {
    page: 'export * from "./build/demos/toy/network.js";',
    more: 'export * from "jarvis-snn/threads";',
  },
  "audio, added": {
    page: 'export * from "jarvis-snn";',
    more: 'export * from "jarvis-snn/audio";',
  },
  "quantize, added": {
    page: 'export * from "./build/demos/toy/network.js";',
    more: 'export { quantize } from "jarvis-snn/quantize";',
  },
};

/** Entries without the engine and the spiking layers. */
const ALONE = {
  "events alone": "dist/snn/events/index.js",
};
const LAYERS = /\/chunks\/(engine|fuse|kernels|snn|surrogates)\.js$/;

/** The entry below engine/ or snn/ whose module this is; the entries have folders of their own there, and events three chunks besides. */
const entryOf = (module) =>
  /\/dist\/chunks\/(recordings|headers|containers)\.js$/.test(module)
    ? "events"
    : /\/dist\/(?:engine|snn)\/(\w+)\//.exec(module)?.[1];

/** Files of a peer that a page loads besides scripts. */
const ASSETS = { tfjs: ["@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm"] };

/** For each budget, the bytes, minified and gzipped, and the reason of the last raise. */
const BUDGETS = join(root, "scripts/budgets.json");
/** Margin of a budget above the size at which it was set, for changes that need no decision. */
const MARGIN = 0.03;

/**
 * The scripts that a page loads before `file` can run, minified, and the modules that have code in them. Packages besides this one are looked for in `folder`. With `code` the
 * file need not be there.
 */
async function bundle(file, folder = root, external = [], code = null) {
  const entry = join(root, file);
  const packages = {
    name: "packages",
    enforce: "pre",
    resolveId(id, importer) {
      if (id === entry) return id;
      if (id === "jarvis-snn") return join(root, "dist/index.js");
      if (ENTRIES[id] !== undefined) return join(root, ENTRIES[id]);
      return importer === entry && folder !== root ? this.resolve(id, join(folder, "package.json")) : null;
    },
    load: (id) => (id === entry ? code : null),
  };
  const { output } = await build({
    root,
    configFile: false,
    plugins: [packages],
    logLevel: folder === root ? "warn" : "error", // peers name modules of Node that a page does not load
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: { input: entry, preserveEntrySignatures: "strict", external },
    },
  });
  const scripts = new Map(output.map((chunk) => [chunk.fileName, chunk]));
  const loaded = new Set([output[0].fileName]);
  for (const name of loaded) {
    for (const other of scripts.get(name).imports) if (scripts.has(other)) loaded.add(other);
  }
  const chunks = [...loaded].map((name) => scripts.get(name));
  const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules));
  return { code: Buffer.from(chunks.map(({ code }) => code).join("")), modules };
}

/**
 * The script of a page by esbuild, minified. It leaves out a declaration that has no reader only if nothing in it can have an effect: it keeps
 * spreads, reads of fields, divisions, and calls that are not marked as pure.
 */
async function bundleByEsbuild(file) {
  const alias = Object.fromEntries(
    Object.entries(ENTRIES)
      .filter(([, path]) => path.startsWith("dist/"))
      .map(([name, path]) => [name, join(root, path)]),
  );
  const { outputFiles } = await esbuild({
    ...{ entryPoints: [join(root, file)], bundle: true, minify: true, write: false, alias },
    ...{ format: "esm", charset: "utf8", target: "es2022", logLevel: "warning" },
  });
  return outputFiles[0].contents;
}

const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** Bytes that the second page has more than the first. */
export const difference = (before, after) => ({
  minified: after.length - before.length,
  gzip: gzipped(after) - gzipped(before),
});

/** The entries below engine/ and snn/ of which an entry of this name has modules, besides itself. */
export function strangers(name, modules) {
  const own = /\/(\w+)$/.exec(name)?.[1];
  return [...new Set(modules.map(entryOf))].filter((entry) => entry !== undefined && entry !== own);
}

/** Bytes of every entry, minified, and gzipped after that. */
export async function sizes() {
  const sizes = {};
  for (const [name, file] of Object.entries(ENTRIES)) {
    const { code, modules } = await bundle(file);
    const foreign = strangers(name, modules);
    if (foreign.length > 0) throw new RangeError(`size: ${name} must load no other entry, got ${foreign.join(", ")}`);
    sizes[name] = { minified: code.length, gzip: gzipped(code) };
  }
  for (const [name, file] of Object.entries(PAGES)) {
    const code = await bundleByEsbuild(file);
    sizes[`${name}, esbuild`] = { minified: code.length, gzip: gzipped(code) };
  }
  for (const [name, file] of Object.entries(ALONE)) {
    const { code } = await bundle(file, root, LAYERS);
    sizes[name] = { minified: code.length, gzip: gzipped(code) };
  }
  for (const [name, { page, more }] of Object.entries(ADDED)) {
    const [before, after] = await Promise.all([page, page + more].map((code) => bundle("page.js", root, [], code)));
    sizes[name] = difference(before.code, after.code);
  }
  return sizes;
}

/** Gzipped bytes of what a page loads of a peer, whose packages are in `folder`, for the network of the toy trainer. */
export async function peerSize(peer, folder) {
  const { code } = await bundle(`bench/peers/${peer}/size.mjs`, folder);
  const assets = (ASSETS[peer] ?? []).map((path) => readFileSync(join(folder, "node_modules", path)));
  return [code, ...assets].reduce((sum, bytes) => sum + gzipped(bytes), 0);
}

/** Sizes above their budget, as text of the error. */
export function excesses(sizes, budgets) {
  return Object.entries(budgets)
    .filter(([name, { bytes }]) => sizes[name].gzip > bytes)
    .map(([name, { bytes }]) => `${name} must stay within ${bytes} bytes, got ${sizes[name].gzip}`);
}

/** The budgets for these sizes. */
export function raised(sizes, budgets, reason) {
  if (reason.trim() === "") throw new RangeError("size: expected a reason for the raise, got none");
  const budgetOf = (name) => ({ bytes: Math.ceil(sizes[name].gzip * (1 + MARGIN)), reason });
  return Object.fromEntries(Object.keys(budgets).map((name) => [name, budgetOf(name)]));
}

const row = (...cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(36) : cell.padStart(10))).join(""));
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(2)} kB`;

async function check() {
  const { raise } = parseArgs({ options: { raise: { type: "string" } } }).values;
  const measured = await sizes();
  let budgets = JSON.parse(readFileSync(BUDGETS, "utf8"));
  if (raise !== undefined) {
    budgets = raised(measured, budgets, raise);
    writeFileSync(BUDGETS, `${JSON.stringify(budgets, null, 2)}\n`);
  }
  row("entry", "minified", "gzip", "budget");
  for (const [name, { minified, gzip }] of Object.entries(measured)) {
    row(name, kilobytes(minified), kilobytes(gzip), budgets[name] === undefined ? "" : kilobytes(budgets[name].bytes));
  }
  const over = excesses(measured, budgets);
  if (over.length === 0) return;
  const hint = 'make it smaller, or decide that it is worth the bytes: npm run size -- --raise "what they are for"';
  throw new RangeError(`size: ${over.join("; ")}; ${hint}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await check();
