/**
 * Runs one program of a page, and prints as Node's console does. A worker that is a file has the content policy of its file and not that of
 * the page: it may import a text as a module.
 */
import { format, inspect } from "node-inspect-extracted";
import { type Place, placeOfImport, pointed, tidy } from "./problem.ts";
import type { Answer, Order } from "./run.ts";
import { importedBy, withAddresses, withoutImports } from "./source.ts";

/** Printed text waits so long for more, so that a program that prints much sends few messages. */
const PATIENCE_MS = 30;

const send = (answer: Answer): void => postMessage(answer);

/** The address of the module that the program is. */
let address = "";
let waiting = "";
let sent = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  if (waiting !== "") send({ kind: "print", text: waiting });
  waiting = "";
  sent = performance.now();
}

function print(...values: unknown[]): void {
  for (const value of values) if (value instanceof Error) tidy(value, address);
  waiting += `${format(...values)}\n`;
  // A program that never waits lets no timer come.
  if (performance.now() - sent > PATIENCE_MS) flush();
  else timer ??= setTimeout(flush, PATIENCE_MS);
}

for (const name of ["log", "info", "debug", "warn", "error"] as const) console[name] = print;

/**
 * The place of a mistake in the syntax, which V8 tells only where a script is not caught: the program is read once more as the body of a
 * function that nobody calls.
 */
function placeOfSyntax(program: string): Promise<Place | null> {
  return new Promise((tell) => {
    onUncaught = ({ lineno, colno }) => tell({ line: lineno - 1, column: colno });
    setTimeout(`async () => { "use strict";\n${withoutImports(program)}\n}`);
    setTimeout(() => tell(null));
  });
}

async function problemOf(error: unknown, { program, addresses }: Order): Promise<string> {
  if (!(error instanceof Error)) return `Uncaught ${inspect(error)}\n`;
  for (const [name, url] of Object.entries(addresses)) error.message = error.message.replace(url, name);
  let place = tidy(error, address);
  if (place === null && error instanceof SyntaxError)
    place = placeOfImport(program, error.message) ?? (await placeOfSyntax(program));
  // Without calls of the program the error stands in brackets.
  const told = inspect(error).replace(/^\[([\s\S]*)\]$/, "$1");
  return `${place === null ? "" : pointed(program, place)}${told}\n`;
}

/** What nothing catches while the program runs, or after its last line. */
let onUncaught: (event: ErrorEvent) => void = () => {};

addEventListener("error", (event) => {
  event.preventDefault();
  onUncaught(event);
});

async function run(order: Order): Promise<void> {
  const { program, addresses } = order;
  const tell = async (error: unknown): Promise<void> => {
    waiting += await problemOf(error, order);
    flush();
  };
  onUncaught = ({ error }) => void tell(error);
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    void tell(event.reason);
  });
  try {
    for (const name of importedBy(program))
      if (Object.hasOwn(addresses, name)) await import(/* @vite-ignore */ addresses[name] as string);
  } catch {
    return send({ kind: "absent" });
  }
  send({ kind: "begin" });
  address = URL.createObjectURL(new Blob([withAddresses(program, addresses)], { type: "text/javascript" }));
  let problem = "";
  try {
    const absent = importedBy(program).find((name) => !Object.hasOwn(addresses, name));
    if (absent !== undefined)
      throw new Error(`Cannot find package '${absent}' imported from program.js: a page has jarvis-snn alone`);
    await import(/* @vite-ignore */ address);
  } catch (error) {
    problem = await problemOf(error, order);
  }
  flush();
  send({ kind: "end", problem });
}

addEventListener("message", ({ data }: MessageEvent<Order>) => run(data), { once: true });
