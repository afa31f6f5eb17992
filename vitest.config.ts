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

/** Milliseconds after which a test or a hook counts as hanging: beside busy processes, the longest ones take minutes. */
const HANGING = 600_000;

/** Steps that other packages take beside ours, in programs of theirs: they run where somebody names them, as `npm run test:peers` does. */
const BY_NAME = "bench/peers/first-steps.test.ts";
const isNamed = process.argv.some((word) => word.includes("first-steps"));

const FOLDERS = ["kernels", "engine", "snn", "demos", "bench", "test"];

const all = FOLDERS.flatMap((folder) =>
  readdirSync(at(folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .filter((path) => path !== BY_NAME || isNamed),
);

/**
 * Demos and benchmarks train networks of the package; files, their damage, charts, and programs of documents: each kernel has its test
 * elsewhere. Scripts import others by paths that are made. Fused products have no build with assertions.
 */
const TESTED_ELSEWHERE =
  /^(demos|bench)\/|^test\/(charts|check|checkpoint|examples|old-checkpoint|readme|relaxed|fuzz\/events)\.|^engine\/checkpoint\.|^snn\/nir\/hostile\.|^snn\/events\/(aedat|arrays|hostile)\./;

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
 * Tests with a process of their own: they import the package or a program anew, or an entry before another one, or put another file in the
 * place of one, or look at all of linear memory, leave much in it, or make it shared, for which growth detaches no views. They begin first,
 * and with them fuzzers that take long: of the others, larger files come before smaller ones where no run before has told how long each
 * takes.
 */
const ALONE = [
  ...all.filter((path) => /vi\.resetModules\(\)|\bstart(Threads)?\(\d/.test(readFileSync(at(path), "utf8"))),
  "bench/support/served.test.ts",
  "demos/{ladder/ladder,report,toy/main}.test.ts",
  "engine/{checkpoint,core/backward,core/tensor}.test.ts",
  "engine/ops/{indexing,loss}.test.ts",
  "engine/threads/*.test.ts",
  "snn/neurons/{definitions,options}.test.ts",
  "test/core-first.test.ts",
  "test/{examples,held,integers,large-files,memory-limits,memory-use,readme}.test.ts",
  "test/fuzz/{attack,events,fuzz}.test.ts",
];

export default defineConfig({
  resolve: { alias: [...NAMES, ...(isDebug ? debugKernels : [])] },
  test: {
    globalSetup: ["test/support/build-kernels.ts"],
    setupFiles: ["test/support/equality.ts"],
    testTimeout: HANGING,
    hookTimeout: HANGING,
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
