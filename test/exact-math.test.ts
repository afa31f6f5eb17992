/** The lint rule that keeps inexact mathematics out of engine/ and snn/ must fire, and must leave the rest alone. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const biome = join(root, "node_modules/@biomejs/biome/bin/biome");

const INEXACT = `
export const a = Math.exp(1);
export const b = [Math.random(), Math.hypot(3, 4)];
export const c = [1, 2].map(Math.tanh);
export const { cos } = Math;
export const d = Math["sin"](1);
export const e = globalThis.Math.log(2);
export const f = 0.9 ** 3;
export let g = 3;
g **= 2;
`;
const INEXACT_USES = 9;

const EXACT = `
export const a = Math.sqrt(2) + Math.fround(Math.PI) + 2 ** 10 + Math.max(1, 2);
export const text = "Math.exp(x) is text"; // Math.exp
`;

/** A project of its own with the rules of this one, where the samples can be written. */
const project = mkdtempSync(join(tmpdir(), "jarvis-snn-lint-"));
afterAll(() => rmSync(project, { recursive: true }));
for (const file of ["biome.json", "scripts/exact-math.grit"]) cpSync(join(root, file), join(project, file));

/** How often the rule complains about this code in this file. */
function complaints(path: string, code: string): number {
  const file = join(project, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
  const options = ["lint", "--vcs-enabled=false", "--reporter=github", "--colors=off", "--max-diagnostics=none", path];
  const { stdout, stderr } = spawnSync(process.execPath, [biome, ...options], { cwd: project, encoding: "utf8" });
  expect(stdout + stderr).not.toMatch(/errored|Failed to compile|No files were processed/);
  return stdout.match(/title=plugin,/g)?.length ?? 0;
}

test("exact math: the rule reports every inexact use in engine/ and snn/", () => {
  expect(complaints("engine/sample.ts", INEXACT)).toBe(INEXACT_USES);
  expect(complaints("snn/neurons/sample.ts", INEXACT)).toBe(INEXACT_USES);
});

test("exact math: the rule accepts what is exact, and does not look at tests, kernels and demos", () => {
  expect(complaints("engine/sample.ts", EXACT)).toBe(0);
  expect(complaints("engine/sample.test.ts", INEXACT)).toBe(0);
  expect(complaints("kernels/reference/sample.ts", INEXACT)).toBe(0);
  expect(complaints("demos/toy/sample.ts", INEXACT)).toBe(0);
});
