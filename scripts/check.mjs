/**
 * Everything that a change must pass: one build, then the steps side by side. Every step is an npm script that also runs alone.
 *
 *   npm run check                            all steps
 *   npm run check -- docs test:site          the build and these
 *   npm run check -- --repeat 5 test:site    five rounds of them; the first round that fails is the last
 *                    --load                  beside two spinning processes for each processor, as on a busy machine
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { hintOf } from "./nearest.mjs";
import { start } from "./programs.mjs";
import { runSteps } from "./steps.mjs";

const npm = (name, options) => ({ name, command: `npm run --silent ${name}`, ...options });

/**
 * Types and lint come first, since they fail soonest; recipes need the built types, and the site needs the reference of `docs`. The tests
 * come next, beside the site, whose tests mostly wait. Then follow long steps that use one processor, the longest first. The second wide
 * step follows with the short ones, so that all processors are busy to the end.
 */
const STEPS = [
  npm("build", { isFirst: true }),
  ...["types", "docs", "lint"].map((name) => npm(name)),
  npm("test", { isWide: true }),
  ...["test:site", "test:engines", "test:package", "test:recipes"].map((name) => npm(name)),
  npm("test:debug", { isWide: true }),
  ...["test:peers", "size", "unused"].map((name) => npm(name)),
];

const OPTIONS = { repeat: { type: "string" }, load: { type: "boolean" }, help: { type: "boolean" } };

/** The steps that a command line requests; the first step always runs. */
export function askedFor(words) {
  const { values, positionals, tokens } = parseArgs({ args: words, options: OPTIONS, strict: false, tokens: true });
  const known = [...STEPS.map(({ name }) => name), ...Object.keys(OPTIONS).map((name) => `--${name}`)];
  for (const { kind, name, rawName, value, inlineValue } of tokens) {
    const isSwitch = kind === "option" && OPTIONS[name]?.type !== "string";
    const word = kind === "option" ? `${rawName}${isSwitch && inlineValue ? `=${value}` : ""}` : (value ?? "--");
    if (!known.includes(word))
      throw new RangeError(`check: expected some of ${known.join(", ")}, got ${word}${hintOf(word, known)}`);
  }
  const { repeat = "1", load = false, help = false } = values;
  if (!/^[1-9]\d*$/.test(repeat))
    throw new RangeError(`check: expected a number of rounds after --repeat, got ${repeat === true ? "none" : repeat}`);
  const isNamed = ({ name, isFirst }) => positionals.length === 0 || isFirst || positionals.includes(name);
  return { steps: STEPS.filter(isNamed), rounds: Number(repeat), isLoaded: load, isHelp: help };
}

/** A program that keeps a processor busy until this process ends. */
const SPIN = `while (process.ppid === ${process.pid});`;

/** Runs the steps repeatedly, beside spinning processes if requested; resolves to whether all passed. */
export async function runRounds({ steps, rounds, isLoaded }) {
  const spinning = Array.from({ length: isLoaded ? 2 * availableParallelism() : 0 }, () =>
    start(process.execPath, ["-e", SPIN]),
  );
  try {
    for (let round = 1; round <= rounds; round++) {
      if (rounds > 1) console.log(`round ${round} of ${rounds}`);
      if (!(await runSteps(steps))) return false;
    }
    return true;
  } finally {
    for (const program of spinning) await program.end();
  }
}

/** The comment at the top of this file. */
const help = () => /(?<=^\/\*\*\n)[\s\S]*?(?=^ \*\/)/m.exec(readFileSync(fileURLToPath(import.meta.url), "utf8"))[0];

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const asked = askedFor(process.argv.slice(2));
    if (asked.isHelp) console.log(help().replace(/^ \* ?/gm, ""));
    else if (!(await runRounds(asked))) process.exitCode = 1;
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
