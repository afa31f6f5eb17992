/**
 * Bundles the entries of the package into dist/. Loading a file takes an import about as long as ten pages of code, so there is one file
 * per layer, unminified, for people and bundlers to read:
 *
 *   dist/chunks/arithmetic.js   the choice of the modules, which is made before the next file runs
 *   dist/chunks/kernels.js      the embedded modules and their memory
 *   dist/chunks/engine.js       the rest of the engine
 *   dist/chunks/fuse.js         the compiler of steps
 *   dist/chunks/snn.js          the spiking layers that run on kernels
 *   dist/chunks/plain.js        LIF and LeakyIntegrator without the compiler, with the reader of their options
 *   dist/chunks/compiler.js     the compiler of neurons, which takes its place when it is loaded
 *   dist/chunks/neuron.js       neurons from their equations; LIF and LeakyIntegrator with the compiler
 *   dist/chunks/neurons.js      the other neurons, which a page can load later than LIF
 *   dist/chunks/recurrent.js    connections within a layer
 *   dist/chunks/compiled.js     the other layers that need the compiler
 *   dist/chunks/recordings.js   parts of all readers of event cameras' files; each format has a file that its first recording loads
 *   dist/chunks/headers.js      headers and numbers of such files, which the first recording loads
 *   dist/chunks/containers.js   parts of those of packets and arrays
 *   dist/chunks/h5wasm.js       the complaints and the memory of h5wasm, which readers of recordings and of graphs take
 *   dist/chunks/known.js        the surrogates with kernels
 *   dist/chunks/surrogates.js   all surrogates
 *   dist/chunks/codes.js        the numbers of functions
 *   dist/chunks/kinds.js        the numbers of surrogates and resets
 *   dist/chunks/saves.js        the numbers of what backward reads
 *   dist/engine/threads/worker.js   the program of a worker, for pages that serve it
 *
 * Each has a map with its sources. What was in dist/ before is gone; scripts/declarations.mjs puts the declarations beside the code.
 */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "vite";
import { chunks, entries, external, root, WORKER } from "./entries.mjs";

/**
 * package.json speaks of built files: of the sources, eight have side effects: one gives tensors their methods, three fill the slots of core,
 * three give neurons what reads and runs them, one chooses the arithmetic.
 */
const EFFECTS =
  /\/(engine\/(foreign|forms\/values|ops\/index|outside\/outside|relaxed)|snn\/neuron\/(compiled|described|plain-options))\.ts$/;
const methods = {
  name: "methods",
  transform: (code, id) => (EFFECTS.test(id) ? { code, map: null, moduleSideEffects: true } : null),
};

/**
 * LIF and LeakyIntegrator of the entries are constants of a file that imports what reads their options, the compiler or a reader for kernels
 * alone, and the values are the classes themselves. A bundler that keeps one of the constants keeps this file and its imports; a file that only exports names of another
 * one again is passed over.
 */
const constants = {
  name: "constants",
  enforce: "post",
  transform(code, id) {
    if (!/\/snn\/neurons\/with-(compiler|kernels)\.ts$/.test(id)) return null;
    const lines = code.replace(
      /^export \{ (\w+) \} from (".*");$/gm,
      "import { $1 as $1Class } from $2; export const $1 = $1Class;",
    );
    return { code: lines, map: null };
  },
};

/** Removes bare imports of chunks without side effects, which the bundler leaves in place; other bundlers would warn about them. */
const { sideEffects } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const bare = {
  name: "bare",
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== "chunk") continue;
      file.code = file.code.replace(/^import "[./]*(?:chunks\/)?([\w-]+\.js)";\n/gm, (line, name) =>
        sideEffects.includes(`./dist/chunks/${name}`) ? line : "",
      );
    }
  },
};

const named = (id) => ({ id, external: "absolute" });

/**
 * The modules that are exported as namespaces, each a file that its importers name. Of such a namespace bundlers leave out
 * functions, and no code has to fill it: the object that would stand for it otherwise is filled by a loop that also visits what
 * a program has put on `Object.prototype`.
 */
const namespaces = {
  name: "namespaces",
  enforce: "pre",
  resolveId(id, importer) {
    const file = `${basename(id, ".ts")}.js`;
    if (importer?.endsWith("/engine/kernels.ts") && /\/(codes|kinds)\.ts$/.test(id)) return named(`../chunks/${file}`);
    if (importer?.endsWith("/engine/extend.ts") && id.endsWith("/saves.ts")) return named(`../chunks/${file}`);
    if (importer === undefined || !/\/(surrogates|known)\.ts$/.test(id)) return null;
    // Files of entries lie in their own folders, not in chunks/.
    if (importer.endsWith("/snn/index.ts")) return named(`../chunks/${file}`);
    return named(/\/snn\/(audio|events|nir|plot|quantize)\//.test(importer) ? `../../chunks/${file}` : `./${file}`);
  },
};

const namespaceEntries = {
  "chunks/surrogates": join(root, "snn/surrogates/surrogates.ts"),
  "chunks/known": join(root, "snn/surrogates/known.ts"),
  "chunks/saves": join(root, "engine/core/saves.ts"),
  "chunks/codes": join(root, "kernels/codes.ts"),
  "chunks/kinds": join(root, "kernels/kinds.ts"),
};

/** Options of both builds. */
const options = { root, configFile: false, logLevel: "warn" };
const output = { outDir: "dist", target: "es2022", minify: false, sourcemap: true };
/** An import reads every byte, so only comments for bundlers are kept; comments for people are in the sources, which the maps contain. */
const lean = {
  experimental: { attachDebugInfo: "none" },
  output: { comments: { annotation: true, jsdoc: false, legal: false } },
};

async function bundleEntries() {
  await build({
    ...options,
    plugins: [methods, constants, namespaces, bare],
    build: {
      ...output,
      emptyOutDir: true,
      lib: { entry: { ...entries(), ...namespaceEntries }, formats: ["es"] },
      rolldownOptions: {
        external,
        experimental: lean.experimental,
        output: {
          ...lean.output,
          minifyInternalExports: false,
          entryFileNames: "[name].js",
          chunkFileNames: "chunks/[name].js",
          codeSplitting: { groups: chunks },
        },
      },
    },
  });
}

/** The program of a worker imports no chunk: pages serve a copy of this one file. */
async function bundleWorker() {
  const lib = { entry: join(root, WORKER.source), formats: ["iife"], name: "worker", fileName: () => WORKER.file };
  await build({ ...options, build: { ...output, emptyOutDir: false, lib, rolldownOptions: lean } });
}

export async function bundle() {
  await bundleEntries();
  await bundleWorker();
}
