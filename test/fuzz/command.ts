/** The arguments of the command line, see scripts/fuzz.mjs, and the line that draws a finding again. */
import { parseArgs } from "node:util";

export const PARTS = ["programs", "attack", "steps", "neurons", "rules", "events", "expressions"] as const;
export type Part = (typeof PARTS)[number];

/** Parts that have kernels, or things of the package, that are broken on purpose. */
const WITH_BROKEN: readonly Part[] = ["programs", "attack"];

/** The command that draws the thing of a seed again, and nothing else. */
export const again = (part: Part, seed: number, threads = 1): string =>
  `again: npm run fuzz -- ${part} --seed ${seed} --count 1${threads > 1 ? ` --threads ${threads}` : ""}`;

interface Command {
  /** By default all. */
  readonly parts: readonly Part[];
  readonly seed: number | undefined;
  readonly count: number | undefined;
  readonly minutes: number | undefined;
  /** Threads that share the work, with the main one, by default 1. */
  readonly threads: number;
  readonly broken: boolean;
}

/** The command that arguments stand for. */
export function commandOf(args: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: "string" },
      count: { type: "string" },
      seed: { type: "string" },
      threads: { type: "string" },
      broken: { type: "boolean", default: false },
    },
  });
  const number = (name: "minutes" | "count" | "seed" | "threads"): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!(value >= 0)) throw new RangeError(`fuzz: expected --${name} to be a number ≥ 0, got ${text}`);
    return value;
  };
  const { broken } = values;
  const all: readonly Part[] = broken ? WITH_BROKEN : PARTS;
  const unknown = positionals.find((name) => !all.includes(name as Part));
  if (unknown !== undefined) throw new RangeError(`fuzz: expected ${all.join(", ")}, got ${unknown}`);
  const parts = positionals.length > 0 ? (positionals as Part[]) : all;
  const [seed, count, minutes] = [number("seed"), number("count"), number("minutes")];
  return { parts, seed, count, minutes, threads: number("threads") ?? 1, broken };
}
