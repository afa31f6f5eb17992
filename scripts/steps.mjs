/** Runs commands side by side, and shows the output of those that fail. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "./entries.mjs";

const LOGS = "build/check";

/** The lines in which test runners print the number of passed tests. */
const countsIn = (output) =>
  stripVTControlCharacters(output).match(/^ *(?:Test Files|Tests|ℹ (?:tests|pass|fail|skipped)) .*$/gm) ?? [];

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(0)} s`;

/** Runs one command line and keeps its output in a file; returns the output and whether the exit code is 0. */
function run({ name, command }) {
  return new Promise((resolve) => {
    const child = spawn(command, { cwd: root, shell: true, stdio: ["ignore", "pipe", "pipe"] });
    const parts = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => parts.push(part));
    child.on("close", (code) => {
      const output = Buffer.concat(parts).toString();
      writeFileSync(join(root, LOGS, `${name.replaceAll(":", "-")}.log`), output);
      resolve({ isGood: code === 0, output });
    });
  });
}

/**
 * Runs steps in their order, one more at once than there are processors, as tests of pages wait for browsers and for time; resolves to
 * whether all have passed. A step has a `name` and a `command` line; one that `isWide` uses all processors itself, so that one other step
 * runs beside it, and one that `isFirst` runs alone: where it fails, no other one begins. A line tells of each begin and end, and
 * build/check/NAME.log keeps the output, which is shown where a step fails; of tests that pass their numbers are.
 */
export async function runSteps(steps) {
  mkdirSync(join(root, LOGS), { recursive: true });
  const processors = availableParallelism();
  const begin = performance.now();
  const width = Math.max(...steps.map(({ name }) => name.length));
  const failed = [];
  const running = new Set();
  let free = processors + 1;
  for (const step of steps) {
    const taken = step.isFirst ? processors + 1 : step.isWide ? processors : 1;
    while (free < taken) await Promise.race(running);
    free -= taken;
    const since = performance.now();
    console.log(`…      ${step.name.padEnd(width)}  ${step.command}`);
    const end = run(step).then(({ isGood, output }) => {
      free += taken;
      running.delete(end);
      if (!isGood) failed.push(step.name);
      console.log(`${isGood ? "ok    " : "FAILED"} ${step.name.padEnd(width)}  ${seconds(since)}`);
      const shown = isGood ? countsIn(output) : [`${output.trimEnd()}\n`];
      for (const each of shown) console.log(each);
    });
    running.add(end);
    if (step.isFirst) await end;
    if (step.isFirst && failed.length > 0) break;
  }
  await Promise.all(running);
  const result = failed.length === 0 ? "all passed" : `failed: ${failed.join(", ")}; their output is in ${LOGS}`;
  console.log(`${result}, ${seconds(begin)}`);
  return failed.length === 0;
}
