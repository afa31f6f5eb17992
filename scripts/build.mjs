/**
 * Builds the kernels, the package in dist/, and demos and benchmarks in build/, each where its sources have changed since the last build.
 * Types are left out: `npm run types` checks them. Messages are written to stderr, because `npm run demo` builds first and its stdout
 * belongs to the demo.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { KERNELS } from "./build-kernels.mjs";
import { LOOPS } from "./build-loops.mjs";
import { entries, root, WORKER } from "./entries.mjs";
import { unlessFresh } from "./fresh.mjs";

/** A builder is loaded only if there is something to build. */
const DIST = {
  name: "the package",
  stamp: "build/dist.sha256",
  inputs: [
    "index.ts",
    "core.ts",
    "engine",
    "snn",
    "kernels",
    "package.json",
    "scripts/bundle.mjs",
    "scripts/entries.mjs",
  ],
  outputs: [...Object.keys(entries()).map((name) => `${name}.js`), WORKER.file].map((file) => `dist/${file}`),
  make: async () => (await import("./bundle.mjs")).bundle(),
};

const programs = (name, folder, program) => ({
  name,
  stamp: `build/${folder}.sha256`,
  inputs: [folder, "tsconfig.base.json", "scripts/transpile.mjs"],
  outputs: [`build/${folder}/${program}`],
  make: async () => (await import("./transpile.mjs")).transpile(folder),
});

/** Ordered by dependency. */
const PRODUCTS = [
  KERNELS,
  DIST,
  LOOPS,
  programs("the demos", "demos", "main.js"),
  programs("the benchmarks", "bench", "toy.bench.js"),
];

if (!PRODUCTS.some(({ stamp }) => existsSync(join(root, stamp)))) {
  console.error("build: the first run builds the kernels, the package and its programs once, in about ten seconds");
}
for (const product of PRODUCTS) await unlessFresh(product, (name) => console.error(`build: ${name}`));
