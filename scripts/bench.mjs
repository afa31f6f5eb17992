/**
 * Runs benchmarks, each family in a separate process, and prints one table. README.md and docs/ have tables of the results in
 * bench/results: both change together, with --write.
 *
 *   npm run bench                     all families of bench/targets.ts
 *   npm run bench -- toy lif          some of them
 *   npm run bench -- --peers          against TF.js, jax-js and onnxruntime-web too
 *   npm run bench -- --write          and keeps the results in bench/results, README.md and docs/
 *   npm run bench -- --profile        instead: what the kernels take of the steps that race with PyTorch; with --write in docs/benchmarks.md
 *   npm run bench -- --stored         measures nothing: shows, or writes, what is stored
 *
 *   npm run bench -- --threads 2      with so many threads in the rows of all threads, by default as many as there are processors; 1: without
 *   npm run bench -- shapes --seed 7  networks that this seed draws, and of each --seed more; by default seeds 1 to 5
 *   npm run bench -- growth --write   how the time of a step grows with sizes and threads, as pictures in docs/
 *
 *   npm run bench -- --against COMMIT           our own rows against those of a commit; fails if one is slower in
 *                                               three runs, or is not served here
 *   npm run bench -- --against COMMIT lif toy/step --runs 3 --rounds 100    some of them, so many runs, so many turns at most
 *   npm run bench -- --against COMMIT --every   all rows in all runs, not only those that were slower so far
 *
 *   npm run bench -- --without                  what each mechanism that exists for speed alone is worth to whole steps of training: builds the
 *                                               package without it, compares bits, then takes steps in turns; fails if bits differ
 *   npm run bench -- --without gather toy       some mechanisms, some steps; --only bits, or --only times, does half of it; with --write
 *                                               in docs/decisions/products.md
 *
 *   npm run bench -- --help                     prints this
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { curvePlot } from "jarvis-snn/plot";
import { times } from "../build/bench/support/against.js";
import { densitySvg } from "../build/bench/support/density.js";
import { growthBlock, growthPlots } from "../build/bench/support/growth.js";
import { families, merge, targetsOf } from "../build/bench/support/results.js";
import {
  docsBlock,
  landingPage,
  linesOf,
  origins,
  profileBlock,
  profileLines,
  readmeBlock,
  replaceBlock,
  terminalTable,
} from "../build/bench/support/table.js";
import { against } from "./against.mjs";
import { root } from "./entries.mjs";
import { peers } from "./peers.mjs";
import { without } from "./without.mjs";

const resultsOf = (family) => join(root, "bench/results", `${family}.json`);

const flag = { type: "boolean", default: false };
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: flag,
    write: flag,
    profile: flag,
    stored: flag,
    help: flag,
    against: { type: "string" },
    every: flag,
    without: flag,
    only: { type: "string" },
    threads: { type: "string" },
    seed: { type: "string", multiple: true },
    runs: { type: "string", default: "3" },
    rounds: { type: "string", default: "100" },
  },
});
if (flags.help) {
  const [, text] = /^\/\*\*\n(.*?)\n \*\//s.exec(readFileSync(fileURLToPath(import.meta.url), "utf8"));
  console.log(text.replaceAll(/^ \* ?/gm, ""));
  process.exit();
}
if (flags.threads !== undefined) process.env.BENCH_THREADS = String(times("threads", flags.threads));
if (flags.against !== undefined) process.exit((await against(flags.against, positionals, flags)) ? 1 : 0);
if (flags.without) process.exit((await without(positionals, flags)) ? 1 : 0);

const wrong = positionals.filter((name) => !families.includes(name));
if (wrong.length > 0) throw new RangeError(`bench: expected some of ${families.join(", ")}, got ${wrong.join(", ")}`);
const named = positionals.length === 0 ? families : families.filter((family) => positionals.includes(family));
/** Profiles are named by rows, which drawn networks lack. */
const races = (family) => family !== "shapes" && Object.keys(targetsOf(family)).some((key) => key.endsWith("/torch"));
const chosen = flags.profile ? named.filter(races) : named;

/** Stored results of all families. */
function load(family) {
  return existsSync(resultsOf(family)) ? JSON.parse(readFileSync(resultsOf(family), "utf8")) : { rows: {} };
}

/** Measures a family: the stored results with the new ones in their place, and the reasons for rows that were not measured. */
function run(family, env) {
  const program = join(root, "build/bench", `${family}.bench.js`);
  const count = ["--import", pathToFileURL(join(root, "build/bench/support/count.js")).href];
  const args = flags.profile ? [...count, program] : [program];
  const options = { cwd: root, env, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" };
  const report = JSON.parse(execFileSync(process.execPath, args, options));
  const origin = {
    machine: cpus()[0].model.trim(),
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
  };
  const reasons = Object.entries(report.rows).filter(([, row]) => "missing" in row);
  return {
    results: merge(family, load(family), report, origin),
    missing: Object.fromEntries(reasons.map(([key, row]) => [key, row.missing])),
  };
}

function rewrite(path, change) {
  writeFileSync(join(root, path), change(readFileSync(join(root, path), "utf8")));
}

const results = Object.fromEntries(families.map((family) => [family, load(family)]));

/** Writes the tables and the picture of all results. */
async function writePages() {
  rewrite("README.md", (text) => replaceBlock(text, "bench", readmeBlock(results)));
  rewrite("docs/benchmarks.md", (text) => replaceBlock(text, "bench", docsBlock(results)));
  rewrite("docs/benchmarks.md", (text) => replaceBlock(text, "profile", profileBlock(results)));
  rewrite("docs/benchmarks.md", (text) => replaceBlock(text, "growth", growthBlock(results.growth.growth)));
  rewrite("docs/landing.md", (text) => landingPage(text, results));
  const { curve } = results.gather;
  if (curve !== undefined) writeFileSync(join(root, "docs/density.svg"), densitySvg(curve));
  const plots = await growthPlots(results.growth.growth?.axes ?? {}, curvePlot);
  for (const [file, svg] of Object.entries(plots)) writeFileSync(join(root, "docs", file), svg);
}

async function keep(family) {
  mkdirSync(dirname(resultsOf(family)), { recursive: true });
  writeFileSync(resultsOf(family), `${JSON.stringify(results[family], null, 2)}\n`);
  await writePages();
}

const missing = {};
if (!flags.stored) {
  const env = { BENCH_THREADS: String(availableParallelism()), ...process.env };
  if (flags.seed !== undefined) env.BENCH_SEEDS = flags.seed.join();
  if (flags.peers) env.BENCH_PEERS = peers();
  if (flags.profile) env.BENCH_PROFILE = "1";
  for (const family of chosen) {
    console.error(`bench: ${family}`);
    ({ results: results[family], missing: missing[family] } = run(family, env));
    // Written after each family, since a later one may fail.
    if (flags.write) await keep(family);
  }
}

if (flags.profile) {
  for (const [row, ms, shares] of profileLines(results, chosen)) console.log(`${row}\n  ${ms} ms: ${shares}`);
} else {
  const lines = linesOf(results, chosen, missing);
  console.log(`${origins(lines)}\n\n${terminalTable(lines)}`);
}

if (flags.stored && flags.write) await writePages();
