/** Whether what a call throws is what it should be: an Error, a TypeError or a RangeError that says where. */
import { runInThisContext } from "node:vm";
import type { Finding } from "./code.ts";

/** What the stack of an error calls the code of cases. */
const FILE = "case.js";

/** The value of code. */
export const evaluate = (code: string): unknown => runInThisContext(`(${code})`, { filename: FILE });

/** What V8 says where nobody has checked. */
const ENGINE = new RegExp(
  [
    "Cannot (read|set|convert|mix|perform|assign|add|define|destructure|access)",
    "is not (iterable|a function|a constructor|defined|extensible)",
    "Invalid (array length|typed array|count|time)",
    "Maximum call stack|out of bounds|unreachable|divide by zero|allocation failed|circular structure",
    "Reduce of empty|must be called with|incompatible receiver|Illegal invocation|Spread syntax|invoked without",
    "a detached|a BigInt",
  ].join("|"),
);

/** `where: what was expected, got what came`, behind the path of a layer within another: `at 1.0 (Linear): …`. */
const FORM = /^(at [\w.$]+ \([\w$]+\): )?(out of memory|[A-Za-z][\w.]*( of [\w.]+)?): ./s;

const LONGEST = 1000;

export function judge(error: unknown, where = ""): Finding[] {
  if (!(error instanceof Error)) return [{ kind: "raw", message: `${where}a ${typeof error} was thrown` }];
  const { message, name } = error;
  // What a function of the case throws passes through, and what the file system says.
  if (/^(at .*: )?attack: /.test(message) || "syscall" in error || isOfCase(error)) return [];
  const text = `${where}${name}: ${message.slice(0, 200)}`;
  const isKnown = [Error, TypeError, RangeError].some((known) => known === error.constructor);
  if (error instanceof WebAssembly.RuntimeError || /kernel: assertion/.test(message))
    return [{ kind: "trap", message: text }];
  if (!isKnown || ENGINE.test(message)) return [{ kind: "raw", message: text }];
  if (!FORM.test(message)) return [{ kind: "form", message: text }];
  if (message.length <= LONGEST) return [];
  return [{ kind: "form", message: `${text.slice(0, 80)}… of ${message.length} characters` }];
}

/** Whether an error arose in a function that was passed in. */
function isOfCase({ stack = "" }: Error): boolean {
  const frames = stack.slice(stack.indexOf("\n    at ")).split("\n    at ");
  const first = frames.find((frame) => frame !== "" && !frame.includes("(<anonymous>)"));
  return first?.includes(FILE) === true;
}
