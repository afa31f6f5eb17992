/** Command-line flags, declared once: parsed, checked and explained from the same table. */
import { parseArgs } from "node:util";
import { nearest } from "jarvis-snn/extend";
import { wrapped } from "./terminal.ts";

type Flag =
  | { kind: "integer"; default: number; min: number; max?: number; help: string }
  /** Positive, or at least `min`. */
  | { kind: "number"; default: number; min?: number; help: string }
  | { kind: "choice"; default: string; of: readonly string[]; help: string }
  | { kind: "text"; default: string; help: string }
  | { kind: "switch"; default: boolean; help: string };

/** A flag with a value behind it. */
type Valued = Exclude<Flag, { kind: "switch" }>;

export type Flags = Record<string, Flag>;
export type Values<F extends Flags> = { [K in keyof F]: F[K]["default"] };

/** An error in what a flag names, a file or a combination with other flags; the message tells the user all. */
export class FlagError extends RangeError {}

/** The values of the flags; prints help, or the error on a bad value, and ends the process. */
export function readFlags<F extends Flags>(title: string, flags: F, args = process.argv.slice(2)): Values<F> {
  try {
    const values = parseFlags(flags, args);
    if (values !== null) return values;
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
  console.log(wrapped(`${title}\n\n${describe(flags)}`));
  process.exit(0);
}

/** The values of the flags, or null where help was asked for. */
export function parseFlags<F extends Flags>(flags: F, args: readonly string[]): Values<F> | null {
  const boolean = { type: "boolean" } as const;
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { kind }]) => [
      name,
      kind === "switch" ? boolean : ({ type: "string" } as const),
    ]),
  );
  const known: Readonly<Record<string, { type: "boolean" | "string"; short?: string }>> = {
    ...options,
    help: { ...boolean, short: "h" },
  };
  const { values, tokens } = parseArgs({ args: [...args], options: known, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") throw strayWord(token.value, Object.keys(known));
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    if (!Object.hasOwn(known, name)) throw unknownFlag(rawName, value, Object.keys(known));
    const takesValue = known[name]?.type === "string";
    if (takesValue && value === undefined) throw new RangeError(`${rawName}: expected a value, got none; ${HELP}`);
    if (!takesValue && value !== undefined)
      throw new RangeError(`${rawName}: expected no value, got ${value}; ${HELP}`);
  }
  if (values.help === true) return null;
  const entries = Object.entries(flags).map(([name, flag]) => {
    const value = values[name];
    return [name, typeof value === "string" ? parseValue(name, flag as Valued, value) : (value ?? flag.default)];
  });
  return Object.fromEntries(entries) as Values<F>;
}

/** The end of a message that a user of the flags can go on from. */
const HELP = "--help lists the flags";

/** The error for a flag that is none, with the nearest flag and the value that came with it. */
function unknownFlag(flag: string, value: string | undefined, names: readonly string[]): RangeError {
  const meant = nearest(flag.replace(/^-+/, ""), names);
  const hint = meant === null ? "" : `did you mean --${meant}${value === undefined ? "" : `=${value}`}? `;
  return new RangeError(`flags: expected a known one, got ${flag}; ${hint}${HELP}`);
}

/** The error for a word that is no flag, such as epochs=1. */
function strayWord(word: string, names: readonly string[]): RangeError {
  const [name = "", ...value] = word.split("=");
  const meant = nearest(name, names);
  const hint = meant === null ? "" : `did you mean --${[meant, ...value].join("=")}? `;
  return new RangeError(`flags: expected words that begin with --, got ${word}; ${hint}${HELP}`);
}

function parseValue(name: string, flag: Valued, text: string): number | string {
  if (flag.kind === "text") return text;
  if (flag.kind === "choice") {
    if (flag.of.includes(text)) return text;
    throw new RangeError(`--${name}: expected ${flag.of.join(", ")}, got ${text}`);
  }
  const value = text.trim() === "" ? Number.NaN : Number(text);
  const { min = 0, max = Infinity } = flag.kind === "integer" ? flag : {};
  if (flag.kind === "integer" && !(Number.isSafeInteger(value) && value >= min && value <= max)) {
    const range = max === Infinity ? `≥ ${min}` : `from ${min} to ${max}`;
    throw new RangeError(`--${name}: expected an integer ${range}, got ${text}`);
  }
  if (flag.kind === "number") {
    const isIn = flag.min === undefined ? value > 0 : value >= flag.min;
    const range = flag.min === undefined ? "> 0" : `≥ ${flag.min}`;
    if (!isIn || value === Infinity) throw new RangeError(`--${name}: expected a number ${range}, got ${text}`);
  }
  return value;
}

/** Characters of a flag that stands beside its help; longer ones stand above it. */
const LEFT = 28;

function describe(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const right = `${flag.help}${flag.default === "" || flag.kind === "switch" ? "" : ` (${flag.default})`}`;
    return [`  --${name} ${valueName(flag)}`.trimEnd(), right] as const;
  });
  const all = [...rows, ["  --help", "this text"] as const];
  const width = 2 + Math.max(...all.map(([left]) => left.length).filter((length) => length <= LEFT));
  return all
    .map(([left, right]) => `${left.length <= LEFT ? left.padEnd(width) : `${left}\n${" ".repeat(width)}`}\t${right}`)
    .join("\n");
}

/** The word that stands for the value of a flag. */
function valueName(flag: Flag): string {
  if (flag.kind === "choice") return flag.of.join("|");
  return { text: "PATH", switch: "", integer: "N", number: "N" }[flag.kind];
}
