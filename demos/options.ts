/** Command-line flags, declared once: parsed, checked and explained from the same table. */
import { parseArgs } from "node:util";

type Flag =
  | { kind: "integer"; default: number; min: number; max?: number; help: string }
  | { kind: "number"; default: number; help: string }
  | { kind: "choice"; default: string; of: readonly string[]; help: string }
  | { kind: "text"; default: string; help: string };

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
  console.log(`${title}\n\n${describe(flags)}`);
  process.exit(0);
}

/** The values of the flags, or null where help was asked for. */
export function parseFlags<F extends Flags>(flags: F, args: readonly string[]): Values<F> | null {
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: "string" as const }]));
  const { values } = parseArgs({ args: [...args], options: { ...options, help: { type: "boolean", short: "h" } } });
  if (values.help === true) return null;
  const entries = Object.entries(flags).map(([name, flag]) => {
    const text = (values as Record<string, string | undefined>)[name];
    return [name, text === undefined ? flag.default : parseValue(name, flag, text)];
  });
  return Object.fromEntries(entries) as Values<F>;
}

function parseValue(name: string, flag: Flag, text: string): number | string {
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
  if (flag.kind === "number" && !(value > 0 && value < Infinity)) {
    throw new RangeError(`--${name}: expected a number > 0, got ${text}`);
  }
  return value;
}

function describe(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const choice = flag.kind === "choice" ? flag.of.join("|") : flag.kind === "text" ? "PATH" : "N";
    return [`  --${name} ${choice}`, `${flag.help}${flag.default === "" ? "" : ` (${flag.default})`}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [...rows, ["  --help", "this text"] as const].map(([left, right]) => left.padEnd(width) + right).join("\n");
}

/** A progress bar on a terminal; nothing elsewhere. */
export function progressBar(label: string, done: number, total: number): void {
  if (!process.stdout.isTTY) return;
  const cells = 24;
  const full = Math.round((cells * done) / total);
  process.stdout.write(`\r${label} ${"█".repeat(full)}${"░".repeat(cells - full)} ${done}/${total} `);
  if (done === total) process.stdout.write("\r\x1b[2K");
}
