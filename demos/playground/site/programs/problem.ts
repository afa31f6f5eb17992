/** Errors of a program as Node shows them: the place in the program, the line with a sign under it, the message. */

/** What a program is called where an error names its place. */
const NAME = "program.js";

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The calls of a stack that stand in the program, whose module has this address: of V8, `at f (URL:3:11)`, or of SpiderMonkey, `f@URL:3:11`. */
function callsIn(stack: string, address: string): { name: string; place: Place }[] {
  return stack.split("\n").flatMap((row) => {
    const [before = "", after] = row.split(address);
    const [, line, column] = /^:(\d+):(\d+)/.exec(after ?? "") ?? [];
    if (line === undefined) return [];
    const name = before.replace(/^\s*at /, "").replace(/^async[ *]|[(@]|\/<|<$/g, "");
    return { name: name.trim(), place: { line: Number(line), column: Number(column) } };
  });
}

/** Gives an error the stack that it has in Node, in whatever browser: its message, then the calls of the program alone. Returns the place. */
export function tidy(error: Error, address: string): Place | null {
  const calls = callsIn(error.stack ?? "", address);
  const rows = calls.map(({ name, place: { line, column } }) => {
    const place = `${NAME}:${line}:${column}`;
    return `\n    at ${name === "" ? place : `${name} (${place})`}`;
  });
  error.stack = `${error.name}: ${error.message}${rows.join("")}`;
  const inner = error.cause instanceof Error ? tidy(error.cause, address) : null;
  return calls[0]?.place ?? inner;
}

/** The line of a program with a sign under its column. */
export function pointed(program: string, { line, column }: Place): string {
  const text = program.split("\n")[line - 1] ?? "";
  return `${NAME}:${line}\n${text}\n${" ".repeat(Math.max(0, column - 1))}^\n\n`;
}

/** Where the program imports a name that the module does not have: browsers tell the name, and not all of them the place. */
export function placeOfImport(program: string, message: string): Place | null {
  const [, name] =
    /export named '([\w$]+)'|import not found: ([\w$]+)|named '([\w$]+)' is not found/.exec(message)?.filter(Boolean) ??
    [];
  const at =
    name === undefined ? -1 : program.search(new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`));
  if (at < 0) return null;
  const before = program.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1) as string).length + 1 };
}
