/** What the package costs on the wire: every entry bundled with all its exports, minified and compressed. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

/** Bytes of the main entry, minified and gzipped, that must not be exceeded. */
const BUDGET = 48_000;

const ENTRIES = {
  "jarvis-snn": "index.js",
  "jarvis-snn/engine": "engine/index.js",
  "jarvis-snn/snn": "snn/index.js",
  "jarvis-snn/kernels": "engine/kernels.js",
};

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

async function bundle(file) {
  const { output } = await build({
    root,
    configFile: false,
    logLevel: "warn",
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: { input: join(root, "dist", file), preserveEntrySignatures: "strict" },
    },
  });
  return Buffer.from(output.map(({ code }) => code).join(""));
}

const row = (...cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(20) : cell.padStart(10))).join(""));
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(2)} kB`;

const sizes = {};
row("entry", "minified", "gzip");
for (const [name, file] of Object.entries(ENTRIES)) {
  const code = await bundle(file);
  sizes[name] = gzipSync(code, { level: 9 }).length;
  row(name, kilobytes(code.length), kilobytes(sizes[name]));
}
row("budget", "", kilobytes(BUDGET));
if (sizes["jarvis-snn"] > BUDGET) {
  throw new RangeError(`size: jarvis-snn must stay within ${BUDGET} bytes, got ${sizes["jarvis-snn"]}`);
}
