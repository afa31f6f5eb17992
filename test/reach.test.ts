/** Which tests the run on kernels with assertions leaves out, and that it has the assertions. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { debugKernels } from "../scripts/build-kernels.mjs";
import { withoutKernels } from "../vitest.config.ts";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

test("reach: checks, sizes, plain functions and what is tested elsewhere are left out, and what computes is not", () => {
  const leftOut = withoutKernels();
  for (const path of [
    "test/publish-check.test.ts",
    "test/size.test.ts",
    "demos/playground/state/fields.test.ts",
    "test/readme.test.ts",
    "test/relaxed.test.ts",
    "test/fuzz/events.test.ts",
  ])
    expect(leftOut).toContain(path);
  // By its own import, by that of an entry, by a file beside it, by a path that is made.
  for (const path of ["engine/core/wasm.test.ts", "test/extend.test.ts", "kernels/lif.test.ts", "test/names.test.ts"])
    expect(leftOut).not.toContain(path);
});

test("reach: every import of a module of kernels but relaxed ones is one that has another with assertions; the table of cuts is none", () => {
  const paths = ["kernels", "engine", "snn"].flatMap((folder) =>
    readdirSync(at(folder), { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
  );
  // AssemblyScript imports the core module without an ending.
  const imported = paths
    .filter((path) => /^(?!kernels\/build).*\.ts$/.test(path))
    .flatMap((path) => [
      ...readFileSync(at(path), "utf8").matchAll(/^import (?!type).* from "(.*\/build\/.*\.ts)";$/gm),
    ]);
  const found = imported
    .filter(([, path]) => !/\/(relaxed|cuts)\.ts$/.test(path as string))
    .map(([, path]) => debugKernels.findIndex(({ find }) => find.test(path as string)));
  expect([...new Set(found)].sort()).toEqual(debugKernels.map((_, i) => i));
});
