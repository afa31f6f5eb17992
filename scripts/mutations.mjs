/**
 * Whether tests find the defects of test/mutations/list.mjs: each is written alone into a copy of the tree, where the tests that should
 * find it run. A defect that no test finds is an error, and so is a defect whose text is missing from its file, or occurs there more than
 * once.
 *
 *   npm run mutations              all of them
 *   npm run mutations -- pad.ts    those whose file or tests have this in their path
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { MUTATIONS } from "../test/mutations/list.mjs";
import { copyTree } from "./recipes.mjs";

const words = process.argv.slice(2);
const chosen = MUTATIONS.filter(
  ({ file, tests }) => words.length === 0 || words.some((word) => file.includes(word) || tests.includes(word)),
);
if (chosen.length === 0) throw new RangeError(`mutations: expected parts of paths, got ${words.join(" ")}`);

const copy = mkdtempSync(join(tmpdir(), "mutations-"));

/** Runs tests of the copy: how many have passed and failed, and the end of the output. */
function run(tests) {
  const { stdout, stderr } = spawnSync("npx", ["vitest", "run", ...tests], { cwd: copy, encoding: "utf8" });
  const output = stripVTControlCharacters(stdout + stderr);
  const [line = ""] = /^ *Tests .*$/m.exec(output) ?? [];
  const count = (what) => Number(new RegExp(`(\\d+) ${what}`).exec(line)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), end: output.slice(-4000) };
}

/** Writes a defect, and runs the tests that are to find it. */
function runWith({ file, find, put, tests }) {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`mutations: expected ${find} in ${file} once, found it ${places} times`);
  writeFileSync(
    path,
    text.replace(find, () => put),
  );
  const result = run([tests]);
  writeFileSync(path, text);
  return result;
}

try {
  copyTree(copy);
  const before = run([...new Set(chosen.map(({ tests }) => tests))]);
  if (before.passed === 0 || before.failed > 0)
    throw new Error(`mutations: expected tests that pass as long as nothing is changed, got\n${before.end}`);
  for (const mutation of chosen) {
    const { file, says, tests } = mutation;
    const { failed, end } = runWith(mutation);
    console.log(
      `${file}: ${says}: ${failed === 0 ? `NOT found by ${tests}\n${end}` : `found by ${tests}, ${failed} tests`}`,
    );
    if (failed === 0) process.exitCode = 1;
  }
} finally {
  rmSync(copy, { recursive: true });
}
