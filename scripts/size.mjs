/**
 * What the package costs on the wire, bundled, minified and compressed: a program that trains a network (the toy trainer,
 * with its data and options), and every entry with all its exports.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const ENTRIES = {
  "a training program": "build/demos/toy/network.js",
  "jarvis-snn": "dist/index.js",
  "jarvis-snn/engine": "dist/engine/index.js",
  "jarvis-snn/snn": "dist/snn/index.js",
  "jarvis-snn/kernels": "dist/engine/kernels.js",
};

/** What a page loads of a peer besides scripts. */
const ASSETS = { tfjs: ["@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm"] };

/** Bytes, minified and gzipped, that must not be exceeded: what a page loads, and everything, so that it does not grow unseen. */
const BUDGETS = { "a training program": 47_980, "jarvis-snn": 82_600 };

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The scripts that a page loads before `file` can run, minified. Packages besides this one are looked for in `folder`. */
async function bundle(file, folder = root) {
  const entry = join(root, file);
  const packages = {
    name: "packages",
    enforce: "pre",
    resolveId(id, importer) {
      if (id === "jarvis-snn") return join(root, "dist/index.js");
      return importer === entry && folder !== root ? this.resolve(id, join(folder, "package.json")) : null;
    },
  };
  const { output } = await build({
    root,
    configFile: false,
    plugins: [packages],
    logLevel: folder === root ? "warn" : "error", // peers name modules of Node that a page does not load
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: { input: entry, preserveEntrySignatures: "strict" },
    },
  });
  const scripts = new Map(output.map((chunk) => [chunk.fileName, chunk]));
  const loaded = new Set([output[0].fileName]);
  for (const name of loaded) for (const other of scripts.get(name).imports) loaded.add(other);
  return Buffer.from([...loaded].map((name) => scripts.get(name).code).join(""));
}

const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** Bytes of every entry, minified, and gzipped after that. */
export async function sizes() {
  const sizes = {};
  for (const [name, file] of Object.entries(ENTRIES)) {
    const code = await bundle(file);
    sizes[name] = { minified: code.length, gzip: gzipped(code) };
  }
  return sizes;
}

/** Gzipped bytes of what a page loads of a peer, whose packages are in `folder`, for the network of the toy trainer. */
export async function peerSize(peer, folder) {
  const code = await bundle(`bench/peers/${peer}/size.mjs`, folder);
  const assets = (ASSETS[peer] ?? []).map((path) => readFileSync(join(folder, "node_modules", path)));
  return [code, ...assets].reduce((sum, bytes) => sum + gzipped(bytes), 0);
}

const row = (...cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(20) : cell.padStart(10))).join(""));
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(2)} kB`;

async function check() {
  const over = [];
  row("entry", "minified", "gzip", "budget");
  for (const [name, { minified, gzip }] of Object.entries(await sizes())) {
    const budget = BUDGETS[name];
    row(name, kilobytes(minified), kilobytes(gzip), budget === undefined ? "" : kilobytes(budget));
    if (gzip > budget) over.push(`${name} must stay within ${budget} bytes, got ${gzip}`);
  }
  if (over.length > 0) throw new RangeError(`size: ${over.join("; ")}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await check();
