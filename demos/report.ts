/**
 * The output of a demo. On a terminal: a first line, a bar, a line of words for each result, and at the end the figure beside those of papers,
 * a curve and a raster in characters, the place of the picture and the next runs. Elsewhere: lines of key=value. With --json: one object.
 */

import { performance } from "node:perf_hooks";
import { noGrad, rasterText, type Tensor, tensor, traceText } from "jarvis-snn";
import { type BarReport, progressBar } from "jarvis-snn/node";
import { PICTURES } from "./folders.ts";
import { DEMOS, type DemoName } from "./list.ts";
import { type Flags, readFlags, type Values } from "./options.ts";
import { bold, chartText, columnsOf, dim, GLUE, tableText, wrapped } from "./terminal.ts";

/** Names and values of a line; a number with its digits is a text. */
export type Fields = Readonly<Record<string, string | number | boolean>>;

type Mode = "terminal" | "lines" | "json";

/** The demo that this process runs. */
const run = {
  name: "toy" as DemoName,
  mode: "lines" as Mode,
  flags: {} as Readonly<Record<string, unknown>>,
  results: [] as unknown[],
  picture: "",
  /** Whether the last line of the terminal is a bar. */
  isBarred: false,
};

const JSON_FLAG = { kind: "switch", default: false, help: "print one JSON object at the end" } as const;

/** Reads the flags of a demo, and says its first line on a terminal. A picture goes to {@link PICTURES} there where no flag names a path. */
export function begin<F extends Flags>(name: DemoName, flags: F): Values<F> {
  const { title, source, figure } = DEMOS[name];
  const { json, ...values } = readFlags(title, {
    ...flags,
    json: JSON_FLAG as typeof JSON_FLAG & { default: boolean },
  });
  const mode: Mode = json ? "json" : process.stdout.isTTY ? "terminal" : "lines";
  if (mode === "terminal" && "svg" in values && values.svg === "") {
    (values as { svg: string }).svg = `${PICTURES}/${name}.svg`;
  }
  Object.assign(run, { name, mode, flags: values, results: [], picture: "", isBarred: false });
  if (mode === "terminal") {
    const good = "atLeast" in figure ? `≥ ${figure.atLeast}` : `≤ ${figure.atMost}`;
    say(`${bold(`${name}: ${title}`)} ${source} Good: ${figure.name} ${good}.\n`);
  }
  return values as unknown as Values<F>;
}

/** A result: its fields as one line, behind a word of their own where there is one. */
export function line(fields: Fields, word = ""): void {
  const entries = Object.entries(fields);
  if (run.mode === "json") {
    const values = Object.fromEntries(entries.map(([key, value]) => [key, parsed(value)]));
    run.results.push(word === "" ? values : { [word]: values });
  } else if (run.mode === "lines") {
    console.log(word === "" ? lineOf(fields) : `${word} ${lineOf(fields)}`);
  } else {
    const cells = entries.map(([key, value]) => `${dim(key.replaceAll("_", " "))}${GLUE}${value}`);
    say([...(word === "" ? [] : [dim(word)]), ...cells].join(dim(" · ")));
  }
}

/** Fields as programs read them: key=value, with a space between two. */
export const lineOf = (fields: Fields): string =>
  Object.entries(fields)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");

/** Lines of text that people read; one text of the JSON object. */
export function text(lines: string): void {
  if (run.mode === "json") run.results.push({ text: lines });
  else say(lines);
}

/** A table with a first row of heads: in parts where it is wider than the terminal. */
export function table(rows: readonly (readonly string[])[]): void {
  text(tableText(rows, run.mode === "terminal" ? columnsOf() : Number.POSITIVE_INFINITY));
}

/** A sentence that explains the lines behind it, on a terminal alone. */
export function note(sentence: string): void {
  if (run.mode === "terminal") say(dim(sentence));
}

/** Prints a text, on a terminal in the place of a bar and with its long lines broken between words. */
function say(lines: string): void {
  if (run.mode !== "terminal") return console.log(lines);
  if (run.isBarred) process.stdout.write("\r\x1b[2K");
  run.isBarred = false;
  console.log(wrapped(lines));
}

/** The path of a picture that was written. */
export function saved(path: string): void {
  run.picture = path;
  if (run.mode !== "terminal") line({ saved: path });
}

/** A text as the number, text or truth value that it stands for. */
function parsed(value: Fields[string]): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A bar over a loop of `total` rounds: called behind each, with the loss and the rate where there are any. */
export function bar(label: string, total: number): (done: number, more?: Pick<BarReport, "loss" | "lr">) => void {
  if (run.mode !== "terminal") return () => {};
  const draw = progressBar({ label });
  const start = performance.now();
  return (batch, more = {}) => {
    const seconds = (performance.now() - start) / 1000;
    run.isBarred = batch < total;
    draw({ epoch: 1, epochs: 1, batch, batches: total, ...more, seconds, secondsLeft: seconds * (total / batch - 1) });
  };
}

/** A callback for `progress` of `fit`. */
export const fitBar = (): ((report: BarReport) => void) => (run.mode === "terminal" ? progressBar() : () => {});

/** The end of a run. */
export interface End {
  /** The value of the figure that {@link DEMOS} names. */
  figure: number;
  /** A curve in the order of its values, by its name; drawn on a terminal. */
  curve?: { name: string; values: readonly number[] };
  /** Spikes [T, 1, …], by their name; made on a terminal alone. */
  raster?: { name: string; spikes: () => Tensor };
}

/** Lines of a curve and of a raster. */
const CURVE = 5;
const RASTER = 8;
/** Values of a curve in a column of characters. */
const POINTS = 2;
/** Cells of the longest of the bars beside each other, at most and as a part of the terminal. */
const CELLS = 20;
const SHARE = 0.25;

/** Ends a run: the JSON object, or on a terminal the figure with its meaning, pictures in characters, and what comes next. */
export function end({ figure, curve, raster }: End): void {
  const { name, mode, flags, results, picture } = run;
  const { figure: aim, beside, next } = DEMOS[name];
  if (mode === "json") {
    const of = { name: aim.name, value: figure, good: isGood(aim, figure) };
    console.log(JSON.stringify({ demo: name, flags, results, figure: of }));
  }
  if (mode !== "terminal") return;
  const lines: string[] = [];
  if (curve !== undefined && curve.values.length > 1) {
    const drawn = chartText((width) =>
      noGrad(() => traceText(tensor(resampled(curve.values, POINTS * width)), { width, height: CURVE })),
    );
    lines.push(dim(curve.name), drawn.split("\n").slice(0, -1).join("\n"), "");
  }
  if (raster !== undefined) {
    const spikes = raster.spikes();
    lines.push(
      dim(raster.name),
      chartText((width) => rasterText(spikes, { width, height: RASTER })),
      "",
    );
  }
  const rows: (readonly [number, string])[] = [[figure, "this run"], ...beside];
  const most = Math.max(...rows.map(([value]) => Math.abs(value)), 1e-9);
  const verdict = isGood(aim, figure)
    ? "as good as it should be"
    : "not as good as a run with the default flags; fewer samples or epochs explain that";
  lines.push(`${bold(`${aim.name}: ${short(figure)}`)}, ${verdict}.`);
  const cells = Math.min(CELLS, Math.floor(SHARE * columnsOf()));
  for (const [value, of] of rows) {
    lines.push(`  ${short(value).padStart(7)} ${barOf(Math.abs(value) / most, cells).padEnd(cells)} \t${of}`);
  }
  if (picture !== "") lines.push("", `${dim("picture")}  \t${picture}${indexOf(picture)}`);
  lines.push("", ...next.map(([command, why]) => `${dim("next")}     \tnpm run demo -- ${command}   ${dim(why)}`));
  lines.push(`${dim("more")}     \tdocs/demos.md#${name === "toy" || name === "mnist" ? "toy-and-mnist" : name}`);
  say(`\n${lines.join("\n")}`);
}

/** A bar of a part of some cells, in eighths of a cell. */
function barOf(part: number, cells: number): string {
  const eighths = Math.round(8 * cells * part);
  return "█".repeat(Math.floor(eighths / 8)) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
}

const isGood = (aim: (typeof DEMOS)[DemoName]["figure"], value: number): boolean =>
  "atLeast" in aim ? value >= aim.atLeast : value <= aim.atMost;

const indexOf = (picture: string): string =>
  picture.startsWith(`${PICTURES}/`) ? `, listed by ${PICTURES}/index.html` : "";

/** So many values of a curve: means of neighbours where it has more, values on the lines between neighbours where it has fewer. */
function resampled(values: readonly number[], points: number): number[] {
  const at = (x: number): number => {
    const i = Math.floor(x);
    const [left, right = left] = [values[i] as number, values[i + 1]];
    return left + (x - i) * (right - left);
  };
  return Array.from({ length: points }, (_, i) => {
    if (values.length <= points) return at((i * (values.length - 1)) / Math.max(1, points - 1));
    const part = values.slice(Math.floor((i * values.length) / points), Math.ceil(((i + 1) * values.length) / points));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

const short = (x: number): string => String(Number(x.toPrecision(4)));
