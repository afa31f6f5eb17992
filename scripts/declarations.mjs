/**
 * The declarations that users see, in dist/ beside the code that they describe: exports of the entries, and the types that these name.
 * Members marked as internal are omitted.
 */
import { join } from "node:path";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import { chunks, entries, external, root } from "./entries.mjs";

/** Its constructor is internal; if it were omitted, anyone could construct the class. */
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

/** The types of spiking layers, compiled or not, refer to each other, so they share a file. */
const chunkOf = (id) => {
  const name = chunks.find(({ test }) => test(id))?.name;
  return /^(compile|neuron|recurrent)/.test(name) ? "snn" : name;
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
