/**
 * The declarations that users see, in dist/ beside the code that they describe: what the entries export, and what that names.
 * Members that are marked as internal are not among it.
 */
import { join } from "node:path";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import { chunks, entries, external, root } from "./entries.mjs";

/** Its constructor is internal, and a class without one could be made by anyone. */
const sealed = {
  name: "sealed",
  renderChunk: (code) => code.replace(/^declare class Tensor {$/m, "$&\n    private constructor();"),
};

/** What a source adds to a class of another one stands beside the class: here both are in one file, which has no name that a module could declare. */
const merged = {
  name: "merged",
  renderChunk: (code) =>
    code.replace(/^declare module "\.[^"]*" \{\n(.*?)^\}$/gms, (_, body) => body.replace(/^ {4}/gm, "").trimEnd()),
};

/** The types of spiking layers name each other whether they are compiled or not, so that they share a file. */
const chunkOf = (id) => {
  const name = chunks.find(({ test }) => test(id))?.name;
  return /^(compile|neuron)/.test(name) ? "snn" : name;
};

const bundle = await rollup({
  input: entries(),
  external,
  plugins: [
    dts({ tsconfig: join(root, "tsconfig.docs.json"), compilerOptions: { stripInternal: true } }),
    sealed,
    merged,
  ],
  // A type that no entry exports has no name in the declarations of users.
  onwarn({ message }) {
    throw new Error(message);
  },
});
await bundle.write({
  dir: join(root, "dist"),
  entryFileNames: "[name].d.ts",
  chunkFileNames: "chunks/[name].d.ts",
  minifyInternalExports: false,
  manualChunks: chunkOf,
});
await bundle.close();
