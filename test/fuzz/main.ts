/** The command line of the fuzzer, see scripts/fuzz.mjs. */
import { parseArgs } from "node:util";
import { KERNELS, slightlyWrong, UNSEEN } from "./broken.ts";
import { describe, type FuzzReport, fuzz, table } from "./fuzz.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    programs: { type: "string" },
    seed: { type: "string" },
    broken: { type: "boolean", default: false },
  },
});

function number(name: "minutes" | "programs" | "seed", otherwise: number): number {
  const text = values[name];
  const value = text === undefined ? otherwise : Number(text);
  if (!(value >= 0)) throw new RangeError(`fuzz: expected --${name} to be a number ≥ 0, got ${text}`);
  return value;
}

const tty = process.stdout.isTTY;
const started = Date.now();
let next = started;

/** A line that is rewritten on a terminal, elsewhere a new one at times. */
function progress({ programs, ops, abandoned }: FuzzReport): void {
  if (Date.now() < next) return;
  next = Date.now() + (tty ? 1000 : 30_000);
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stdout.write(
    `${tty ? "\r" : ""}${seconds} s: ${programs} programs, ${ops} ops, ${abandoned} abandoned${tty ? "" : "\n"}`,
  );
}

/** Programs on the kernels as they are. */
function run(seed: number): void {
  const programs = number("programs", Infinity);
  const minutes = number("minutes", programs < Infinity ? Infinity : 10);
  const report = fuzz({ seed, programs, milliseconds: minutes * 60_000, progress });
  console.log(`${tty ? "\n" : ""}\n${table(report.deviations)}\n`);
  console.log(`${report.programs} programs, ${report.ops} ops, ${report.abandoned} abandoned near a threshold`);
  if (report.failure === null) return;
  console.error(`\n${describe(report.failure)}`);
  process.exitCode = 1;
}

/** Every kernel slightly wrong in turn: how many programs it takes to find it. */
function runBroken(seed: number): void {
  const programs = number("programs", 2000);
  for (const name of KERNELS) {
    if (UNSEEN[name] !== undefined) {
      console.log(`${name.padEnd(18)} left out: ${UNSEEN[name]}`);
      continue;
    }
    const report = fuzz({ seed, programs, backend: slightlyWrong(name) });
    const found = report.failure?.finding.message ?? "NOT FOUND";
    console.log(`${name.padEnd(18)}${String(report.programs).padStart(5)}  ${found}`);
    if (report.failure === null) process.exitCode = 1;
  }
}

const seed = number("seed", Math.floor(started / 1000));
console.log(`seed ${seed}`);
if (values.broken) runBroken(seed);
else run(seed);
