import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** `KERNELS=debug` runs the same tests on the kernels with assertions. */
const kernels = process.env.KERNELS === "debug" ? "debug" : "release";

const FILES = ["{kernels,engine,snn,demos,bench,test}/**/*.test.ts"];

/** Tests with a process of their own: they import the package anew, or look at all of linear memory. */
const ALONE = [
  "engine/{backward,foreign,wasm}.test.ts",
  "engine/nn/nn.test.ts",
  "snn/nir/peer.test.ts",
  "snn/plot/plot.test.ts",
  "test/{held,memory-limits,memory-use}.test.ts",
  "test/fuzz/fuzz.test.ts",
];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^jarvis-snn$/, replacement: at("./index.ts") },
      { find: /^jarvis-snn\/core$/, replacement: at("./core.ts") },
      { find: /^jarvis-snn\/(engine|snn)$/, replacement: at("./$1/index.ts") },
      { find: /^jarvis-snn\/(extend|kernels|node)$/, replacement: at("./engine/$1.ts") },
      { find: /^jarvis-snn\/(audio|events|nir|plot|quantize)$/, replacement: at("./snn/$1/index.ts") },
      ...(kernels === "debug"
        ? [
            { find: "../kernels/build/release.ts", replacement: at("./kernels/build/debug.ts") },
            { find: "../kernels/build/int8-release.ts", replacement: at("./kernels/build/int8-debug.ts") },
          ]
        : []),
    ],
  },
  test: {
    globalSetup: ["test/support/build-kernels.ts"],
    setupFiles: ["test/support/equality.ts"],
    testTimeout: 60_000,
    // All cores: the process that transforms the files has little to do.
    maxWorkers: availableParallelism(),
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: FILES,
          exclude: ALONE,
          // One process imports engine and kernels once for all of its files.
          isolate: false,
          execArgv: ["--expose-gc"],
          setupFiles: ["test/support/each-file.ts"],
        },
      },
      { extends: true, test: { name: "alone", include: ALONE } },
    ],
  },
});
