/** The command line of the fuzzer, see scripts/fuzz.mjs. */
import { startThreads } from "../support/sharing.ts";
import { type AttackReport, attack, describeFound, sorted } from "./attack/attack.ts";
import { BROKEN } from "./attack/broken.ts";
import { KERNELS, slightlyWrong, UNSEEN } from "./broken.ts";
import { commandOf, type Part } from "./command.ts";
import { fuzzEvents } from "./events.ts";
import { fuzzExpressions } from "./expressions.ts";
import { describe, type FuzzReport, fuzz, table } from "./fuzz.ts";
import { fuzzNeurons } from "./neurons.ts";
import { fuzzRules } from "./rules.ts";
import { fuzzSteps } from "./steps.ts";

const command = commandOf(process.argv.slice(2));
const tty = process.stdout.isTTY;
const started = Date.now();
const { seed = Math.floor(started / 1000), count = Infinity } = command;
const milliseconds = 60_000 * (command.minutes ?? (count < Infinity ? Infinity : 10));
const child = new URL("./child.mjs", import.meta.url).pathname;
let next = started;

/** A line that is rewritten on a terminal, elsewhere a new one at times. */
function progress(line: string): void {
  if (Date.now() < next) return;
  next = Date.now() + (tty ? 1000 : 30_000);
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stdout.write(`${tty ? "\r" : ""}${seconds} s: ${line}${tty ? "" : "\n"}`);
}

function failed(text: string): void {
  console.error(`\n${text}`);
  process.exitCode = 1;
}

const ofPrograms = ({ programs, ops, abandoned }: FuzzReport): string =>
  `${programs} programs, ${ops} ops, ${abandoned} abandoned near a threshold`;

const ofCalls = ({ calls, returned, threw, found }: AttackReport): string =>
  `${calls} calls, of which ${returned} returned and ${threw} threw, ${found.size} findings`;

/** Programs on the kernels as they are. */
function programs(): void {
  const report = fuzz({ seed, programs: count, milliseconds, progress: (r) => progress(ofPrograms(r)) });
  console.log(`${tty ? "\n" : ""}\n${table(report.deviations)}\n\n${ofPrograms(report)}`);
  if (report.failure !== null) failed(describe(report.failure));
}

/** Every kernel slightly wrong in turn: how many programs it takes to find it. */
function brokenPrograms(): void {
  for (const name of KERNELS) {
    if (UNSEEN[name] !== undefined) {
      console.log(`${name.padEnd(18)} left out: ${UNSEEN[name]}`);
      continue;
    }
    const report = fuzz({ seed, programs: Math.min(count, 2000), backend: slightlyWrong(name) });
    const found = report.failure?.finding.message ?? "NOT FOUND";
    console.log(`${name.padEnd(18)}${String(report.programs).padStart(5)}  ${found}`);
    if (report.failure === null) process.exitCode = 1;
  }
}

/** Calls of the package as it is. */
async function calls(): Promise<void> {
  const report = await attack({ child, seed, calls: count, milliseconds, progress: (r) => progress(ofCalls(r)) });
  for (const found of sorted(report)) failed(describeFound(found));
  console.log(`${tty ? "\n" : ""}\n${ofCalls(report)}`);
}

/** Each thing broken on purpose in turn: how many calls it takes to find it. */
async function brokenCalls(): Promise<void> {
  for (const [name, { target, kind }] of Object.entries(BROKEN)) {
    const patience = kind === "hang" ? 2000 : undefined;
    const options = { child, seed, calls: Math.min(count, 2000), only: [target], patience };
    const report = await attack({ ...options, broken: name, until: kind });
    const found = sorted(report).find((one) => one.kind === kind);
    console.log(`${name.padEnd(42)}${String(report.calls).padStart(5)}  ${found?.message ?? "NOT FOUND"}`);
    if (found === undefined) process.exitCode = 1;
  }
}

/** Step functions drawn together, between two looks at the clock. */
const TOGETHER = 20;

/** Step functions, compiled and on tensors. */
const steps = (): Promise<void> => batches("step functions", fuzzSteps);

/** Neurons of the package, compiled and on tensors. */
const neurons = (): Promise<void> => batches("layers of neurons", fuzzNeurons);

/** Rules for synapses, compiled and on tensors. */
const rules = (): Promise<void> => batches("rules", fuzzRules);

/** Files of event cameras, damaged. */
const events = (): Promise<void> => batches("files", fuzzEvents);

/** Regular expressions of readers, each once. */
function expressions(): void {
  let count = 0;
  let most = 0;
  const found = fuzzExpressions((growth) => {
    count++;
    most = Math.max(most, growth);
    progress(`${count} expressions`);
  });
  console.log(
    `${tty ? "\n" : ""}\n${count} expressions, at most ${most.toFixed(1)} times as long over four times the text`,
  );
  if (found !== null) failed(found);
}

async function batches(
  what: string,
  fuzzFrom: (seed: number, count: number) => string | null | Promise<string | null>,
): Promise<void> {
  const until = Date.now() + milliseconds;
  let done = 0;
  let found: string | null = null;
  while (found === null && done < count && Date.now() < until) {
    const now = Math.min(TOGETHER, count - done);
    found = await fuzzFrom(seed + done, now);
    // A turn of the event loop, in which V8 gives the memory of compiled modules back.
    await new Promise((resume) => setImmediate(resume));
    done += now;
    progress(`${done} ${what}`);
  }
  console.log(`${tty ? "\n" : ""}\n${done} ${what}`);
  if (found !== null) failed(found);
}

const runs: { readonly [part in Part]: () => void | Promise<void> } = {
  programs: command.broken ? brokenPrograms : programs,
  attack: command.broken ? brokenCalls : calls,
  steps,
  neurons,
  rules,
  events,
  expressions,
};

await startThreads(command.threads);

console.log(`seed ${seed}${command.threads > 1 ? `, ${command.threads} threads` : ""}`);
for (const part of command.parts) {
  console.log(`${part}:`);
  await runs[part]();
}
