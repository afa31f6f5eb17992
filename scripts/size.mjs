/**
 * What the package costs on the wire, bundled, minified and compressed: a program that trains a network (the toy trainer,
 * with its data and options), and every entry with all its exports.
 */
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

/** Bytes, minified and gzipped, that must not be exceeded: what a page loads, and everything, so that it does not grow unseen. */
const BUDGETS = { "a training program": 47_500, "jarvis-snn": 79_600 };

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

async function bundle(file) {
  const { output } = await build({
    root,
    configFile: false,
    resolve: { alias: { "jarvis-snn": join(root, "dist/index.js") } },
    logLevel: "warn",
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: { input: join(root, file), preserveEntrySignatures: "strict" },
    },
  });
  return Buffer.from(output.map(({ code }) => code).join(""));
}

/** Bytes of every entry, minified, and gzipped after that. */
export async function sizes() {
  const sizes = {};
  for (const [name, file] of Object.entries(ENTRIES)) {
    const code = await bundle(file);
    sizes[name] = { minified: code.length, gzip: gzipSync(code, { level: 9 }).length };
  }
  return sizes;
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
