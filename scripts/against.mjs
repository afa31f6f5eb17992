/** Measures the package as built here against another commit, which is built in a temporary folder. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare, select, times, undecided, verdict } from "../build/bench/support/against.js";
import { root } from "./entries.mjs";

/**
 * Prints a table; returns whether a row is slower in all runs, or lost. `names` choose rows, `runs` and `rounds` are texts of flags. A row
 * that was not slower in one run cannot fail any more, so later runs skip it unless `every` is set.
 */
export async function against(commit, names, { runs, rounds, every }) {
  const selection = select(names);
  const [count, most] = [times("runs", runs), times("rounds", rounds)];
  const known = spawnSync("git", ["rev-parse", "--verify", "--quiet", `${commit}^{commit}`], { cwd: root });
  if (known.status !== 0) throw new RangeError(`bench: expected a commit, got ${commit}`);
  const before = { name: commit, folder: builtAt(commit) };
  const after = { name: "here", folder: root };
  const results = [];
  let only;
  for (let run = 1; run <= count; run++) {
    const say = (family) => console.error(`bench: run ${run} of ${count}, ${family}`);
    results.push(await compare([before, after], selection, { rounds: most, only, say }));
    if (!every) only = undecided(results);
  }
  const { lines, slower, lost } = verdict(results);
  console.log(`ms at ${commit}, ms here, and in each run how many times faster it is here\n\n${lines.join("\n")}\n`);
  const listed = (title, rows) => [title, ...rows].join("\n  ");
  console.log(slower.length === 0 ? "no row is slower in all runs" : listed("slower in all runs:", slower));
  if (lost.length > 0) console.log(listed("lost, not served here:", lost));
  return slower.length > 0 || lost.length > 0;
}

/**
 * A temporary folder with the commit, its build and our benchmarks in place of its own; deleted when this process ends.
 */
function builtAt(commit) {
  const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-against-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
  const run = (command, args, cwd = folder) =>
    execFileSync(command, args, { cwd, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });

  console.error(`bench: building ${commit} in ${folder}`);
  const archive = join(folder, "commit.tar");
  run("git", ["archive", "--output", archive, commit], root);
  run("tar", ["-xf", archive]);
  rmSync(archive);
  // Both commits have the same packages, so node_modules is shared.
  const lock = (project) => readFileSync(join(project, "package-lock.json"), "utf8");
  if (lock(folder) === lock(root)) symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  else run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
  run("npm", ["run", "build"]);
  // Benchmarks import the package by name, which resolves to the build in their own folder.
  for (const part of ["build/bench", "build/demos"]) {
    rmSync(join(folder, part), { recursive: true, force: true });
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  return folder;
}
