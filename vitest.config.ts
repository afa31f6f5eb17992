import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { debugKernels } from "./scripts/build-kernels.mjs";
import { type Aliases, reachesKernels } from "./test/support/reach.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** `KERNELS=debug` runs the tests that reach kernels on those with assertions. */
const isDebug = process.env.KERNELS === "debug";

/** The names by which tests and programs import the package. */
const NAMES: Aliases = [
  { find: /^jarvis-snn$/, replacement: at("./index.ts") },
  { find: /^jarvis-snn\/core$/, replacement: at("./core.ts") },
  { find: /^jarvis-snn\/(engine|snn)$/, replacement: at("./$1/index.ts") },
  { find: /^jarvis-snn\/threads$/, replacement: at("./engine/threads/index.ts") },
  { find: /^jarvis-snn\/(extend|kernels|node|relaxed)$/, replacement: at("./engine/$1.ts") },
  { find: /^jarvis-snn\/(audio|events|nir|plot|quantize)$/, replacement: at("./snn/$1/index.ts") },
];

const FOLDERS = ["kernels", "engine", "snn", "demos", "bench", "test"];

const all = FOLDERS.flatMap((folder) =>
  readdirSync(at(folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`),
);

/** Demos and benchmarks train networks of the package; files, their damage, and programs of documents: each kernel has its test elsewhere. */
const TESTED_ELSEWHERE =
  /^(demos|bench)\/|^test\/(checkpoint|old-checkpoint|examples|readme)\.|^snn\/nir\/hostile\.|^snn\/events\/aedat\./;

/**
 * The tests that the run with assertions leaves out: no kernel is in what they import, or the kernels that they reach are those of a build
 * (the attack runs in processes, with a bundle of its own), or tested elsewhere.
 */
export const withoutKernels = (): string[] =>
  all.filter(
    (path) => !reachesKernels(at(path), NAMES) || TESTED_ELSEWHERE.test(path) || path === "test/fuzz/attack.test.ts",
  );

/** Nothing asks for imports of tests where all tests run: each project reads this file anew. */
const leftOut = isDebug ? withoutKernels() : [];

/**
 * Tests with a process of their own: they import the package or a program anew, or look at all of linear memory, leave much in it, or make
 * it shared, for which growth detaches no views. They begin first, and with them fuzzers that take long: of the others, larger files come
 * before smaller ones where no run before has told how long each takes.
 */
const ALONE = [
  ...all.filter((path) => /vi\.resetModules\(\)|\bstart(Threads)?\(\d/.test(readFileSync(at(path), "utf8"))),
  "bench/support/served.test.ts",
  "demos/{report,toy/main}.test.ts",
  "engine/{backward,checkpoint,tensor}.test.ts",
  "engine/ops/{indexing,loss}.test.ts",
  "engine/threads/*.test.ts",
  "test/{examples,held,integers,memory-limits,memory-use,readme}.test.ts",
  "test/fuzz/{attack,events,fuzz}.test.ts",
];

export default defineConfig({
  resolve: { alias: [...NAMES, ...(isDebug ? debugKernels : [])] },
  test: {
    globalSetup: ["test/support/build-kernels.ts"],
    setupFiles: ["test/support/equality.ts"],
    testTimeout: 60_000,
    // One more than there are cores: tests wait for processes, for files, and for the process that transforms what they import.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: all,
          exclude: [...ALONE, ...leftOut],
          // One process imports engine and kernels once for all of its files.
          isolate: false,
          setupFiles: ["test/support/each-file.ts"],
        },
      },
      { extends: true, test: { name: "alone", include: ALONE, exclude: leftOut } },
    ],
  },
});
