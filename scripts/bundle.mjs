/**
 * Bundles the entries of the package into dist/, beside the types that tsc writes there. A file costs an import about as
 * much as ten pages of code, so there is one for each layer, as it is, for people and bundlers to read:
 *
 *   dist/chunks/kernels.js      the embedded module and its memory
 *   dist/chunks/engine.js       the rest of the engine
 *   dist/chunks/snn.js          the spiking layers
 *   dist/chunks/surrogates.js   the surrogates
 */
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** dist/engine/node.js comes from engine/node.ts. */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const built = Object.values(exports).flatMap((target) => target.default ?? []);
  const names = built.map((path) => path.replace(/^\.\/dist\/(.+)\.js$/, "$1"));
  return Object.fromEntries(names.map((name) => [name, join(root, `${name}.ts`)]));
}

/** Tests the path of a source from the root on. */
const at = (pattern) => (id) => id.startsWith(root) && pattern.test(id.slice(root.length + 1));

/** package.json speaks of built files: of the sources, the one that gives tensors their methods has a side effect. */
const methods = {
  name: "methods",
  transform: (code, id) => (id.endsWith("/engine/ops/index.ts") ? { code, moduleSideEffects: true } : null),
};

/** What imports the surrogates imports their file: of a namespace that is a file, bundlers leave out functions. */
const surrogates = {
  name: "surrogates",
  enforce: "pre",
  resolveId: (id, importer) =>
    importer !== undefined && id.endsWith("/surrogates.ts") ? { id: "./surrogates.js", external: "absolute" } : null,
};

rmSync(join(root, "dist/chunks"), { recursive: true, force: true });
await build({
  root,
  configFile: false,
  logLevel: "warn",
  plugins: [methods, surrogates],
  build: {
    outDir: "dist",
    emptyOutDir: false,
    target: "es2022",
    minify: false,
    lib: { entry: { ...entries(), "chunks/surrogates": join(root, "snn/surrogates.ts") }, formats: ["es"] },
    rolldownOptions: {
      external: /^node:/,
      output: {
        minifyInternalExports: false,
        entryFileNames: "[name].js",
        chunkFileNames: "chunks/[name].js",
        codeSplitting: {
          groups: [
            { name: "kernels", test: at(/^kernels\/(build|codes|kinds)|^engine\/(memory|wasm)\./) },
            { name: "engine", test: at(/^kernels|^engine\/(?!kernels\.|node\.)/) },
            { name: "snn", test: at(/^snn\/(?!surrogates)/) },
          ],
        },
      },
    },
  },
});
