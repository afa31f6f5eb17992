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

const bundle = await rollup({
  input: entries(),
  external,
  plugins: [dts({ tsconfig: join(root, "tsconfig.docs.json"), compilerOptions: { stripInternal: true } }), sealed],
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
  manualChunks: (id) => chunks.find(({ test }) => test(id))?.name,
});
await bundle.close();
