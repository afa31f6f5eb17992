/**
 * Random programs on the kernels against the float64 reference, from one bundle; test/fuzz/compare.ts says how.
 *
 *   npm run fuzz -- --minutes 10       for so long, by default ten minutes
 *                   --programs 1000    so many programs
 *                   --seed 1           the first of them; the next ones count on. By default the time.
 *                   --broken           whether every kernel, slightly wrong, is found
 *
 * KERNELS=debug runs the kernels with assertions.
 */
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const outDir = join(root, "build/fuzz");
const debug = { find: "../kernels/build/release.ts", replacement: join(root, "kernels/build/debug.ts") };

await build({
  root,
  configFile: false,
  logLevel: "warn",
  resolve: { alias: process.env.KERNELS === "debug" ? [debug] : [] },
  build: {
    outDir,
    emptyOutDir: true,
    minify: false,
    ssr: join(root, "test/fuzz/main.ts"),
    rolldownOptions: { output: { entryFileNames: "main.mjs" } },
  },
});
await import(pathToFileURL(join(outDir, "main.mjs")).href);
