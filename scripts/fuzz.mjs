/**
 * Seven parts, from one bundle: random programs on the kernels against the float64 reference (test/fuzz/compare.ts), calls of
 * everything that is public with arguments that are wrong or nearly right (test/fuzz/attack/run.ts), random step functions, compiled
 * against the same on tensors (test/fuzz/steps.ts), the neurons of the package with random options in the same way
 * (test/fuzz/neurons.ts), random rules for synapses (test/fuzz/rules.ts), damaged files of event cameras (test/fuzz/events.ts), and the
 * regular expressions of readers over long text, once each (test/fuzz/expressions.ts).
 *
 *   npm run fuzz                               all of them, ten minutes each, the last one a few seconds
 *   npm run fuzz -- programs                   one of them
 *   npm run fuzz -- attack --minutes 1         for so long
 *                          --count 1000        so many programs, calls or step functions
 *                          --seed 1            the first of them; the next ones count on. By default the time.
 *                          --threads 3         programs, steps, neurons and rules with so many threads too, to the bits of one
 *                          --broken            whether every kernel, slightly wrong, and every kind of defect is found
 *
 * KERNELS=debug runs the kernels with assertions.
 */
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";
import { debugKernels } from "./build-kernels.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Bundles the command line, main.mjs, and the process that runs calls, child.mjs, into a folder of the tree, from which packages are found. */
export async function bundleFuzz(outDir) {
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    resolve: {
      alias: [
        { find: /^jarvis-snn\/events$/, replacement: join(root, "snn/events/index.ts") },
        ...(process.env.KERNELS === "debug" ? debugKernels : []),
      ],
    },
    build: {
      outDir,
      emptyOutDir: true,
      minify: false,
      ssr: true,
      rolldownOptions: {
        // Side effects of all sources are kept: package.json lists only built files with side effects.
        treeshake: false,
        input: { main: join(root, "test/fuzz/main.ts"), child: join(root, "test/fuzz/attack/child.ts") },
        output: { entryFileNames: "[name].mjs" },
      },
    },
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const outDir = join(root, "build/fuzz");
  await bundleFuzz(outDir);
  await import(pathToFileURL(join(outDir, "main.mjs")).href);
}
