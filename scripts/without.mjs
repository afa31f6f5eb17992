/**
 * The gain of each mechanism that exists only for speed: builds the package without it, in build/without, and runs steps of both builds in
 * turns.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { STEPS } from "../build/bench/support/steps.js";
import { replaceBlock } from "../build/bench/support/table.js";
import { edited, MECHANISMS } from "../build/bench/without/mechanisms.js";
import { block, changing, close, fastest, lines, open, others, select, times } from "../build/bench/without/without.js";
import { root } from "./entries.mjs";

/** Files that a build needs: the sources of the package, and programs with the stamps of this build. */
const PARTS = [
  ...["package.json", "tsconfig.base.json", "tsconfig.index.json", "asconfig.json", "index.ts", "core.ts"],
  ...["engine", "snn", "kernels", "scripts", "demos", "bench"],
  ...["build/demos", "build/demos.sha256", "build/bench", "build/bench.sha256"],
];

/** The folder with a build without this mechanism, which lies below the packages that builds need. */
function built(name) {
  console.error(`bench: building without ${name}`);
  const folder = join(root, "build/without", name);
  const copy = (part, options) => cpSync(join(root, part), join(folder, part), { recursive: true, ...options });
  const isSource = (path) => !/\.test\.ts$|kernels\/build(\/|$)/.test(path);
  for (const part of PARTS) copy(part, { filter: isSource });
  // Kernels without an edit need no compilation; edited ones are kept from the last time.
  copy("kernels/build", { force: false });
  for (const edit of MECHANISMS[name].edits) {
    const file = join(folder, edit.file);
    writeFileSync(file, edited(readFileSync(file, "utf8"), edit));
  }
  const { status } = spawnSync(process.execPath, ["scripts/build.mjs"], { cwd: folder, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`bench: the package does not build without ${name}`);
  return { name, folder };
}

/** Compares the bits of all chosen steps in all builds; returns whether one differs. */
async function compared(base, sides, steps) {
  const builds = await open("without/bits.js", base, sides);
  let differs = false;
  for (const step of steps) {
    const found = await others(builds, step);
    console.log(`${step}: ${found.length === 0 ? "the same bits" : `other bits without ${found.join(", ")}`}`);
    differs ||= found.length > 0;
  }
  close(builds);
  return differs;
}

/** Passes over all steps, each with new processes. */
const PASSES = 3;

/** Measures the chosen steps; with `keeps` results are kept after each pass, as a later one may fail. */
async function measure(base, sides, steps, keeps) {
  const names = sides.map(({ name }) => name);
  const found = new Map(steps.filter((step) => changing(step, names).length > 0).map((step) => [step, []]));
  for (let pass = 1; pass <= PASSES; pass++) {
    const builds = await open("against/steps.js", base, sides);
    for (const [step, passes] of found) {
      passes.push(await times(builds, step));
      console.log(`pass ${pass}: ${lines(step, fastest(passes))}`);
    }
    close(builds);
    if (keeps) keep(Object.fromEntries([...found].map(([step, passes]) => [step, fastest(passes)])));
  }
}

const RESULTS = join(root, "bench/results/without.json");
const PAGE = join(root, "docs/decisions/products.md");

/** Replaces stored results by the measured ones, and writes the table of all. */
function keep(table) {
  const known = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")).steps : {};
  const steps = { ...known };
  for (const [step, { ms, times }] of Object.entries(table)) {
    steps[step] = { ms, times: { ...known[step]?.times, ...times } };
  }
  const origin = { machine: cpus()[0].model.trim(), node: process.versions.node };
  const date = new Date().toISOString().slice(0, 10);
  const digits = (_, value) => (typeof value === "number" ? Number(value.toPrecision(4)) : value);
  const stored = JSON.stringify({ ...origin, date, steps }, digits, 2);
  writeFileSync(RESULTS, `${stored}\n`);
  writeFileSync(PAGE, replaceBlock(readFileSync(PAGE, "utf8"), "without", block(JSON.parse(stored))));
}

/**
 * Mechanisms and steps of these names, all by default: compares bits and measures, or one of both where `only` says so. Returns whether
 * bits differ.
 */
export async function without(names, { only, write }) {
  if (![undefined, "bits", "times"].includes(only))
    throw new RangeError(`bench: --only takes bits or times, got ${only}`);
  const chosen = select(names, Object.keys(STEPS));
  const base = { name: "here", folder: root };
  const sides = chosen.mechanisms.map(built);
  const differs = only !== "times" && (await compared(base, sides, chosen.steps));
  if (only === "bits") return differs;
  await measure(base, sides, chosen.steps, write);
  return differs;
}
