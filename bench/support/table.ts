/** Results as tables: for the terminal, for README.md, and with everything for docs/benchmarks.md. */
import { type Family, PEERS, TARGETS, type Target } from "../targets.ts";
import type { Measured } from "./report.ts";
import { families, type Origin, type Results, targetsOf } from "./results.ts";

/** A row of targets.ts with what is known of it. */
export interface Line {
  readonly family: Family;
  readonly target: Target;
  readonly measured: (Measured & Origin) | undefined;
  /** Why the last run did not measure it. */
  readonly missing?: string | undefined;
}

export type Mark = "goal" | "must" | "short" | "";

const AMOUNTS: readonly string[] = ["ns", "µs", "ms", "MB", "kB", "of 1"];

/** What a value reaches. */
export function mark({ unit, must, goal }: Target, value: number): Mark {
  if (must === undefined || goal === undefined) return "";
  const reaches = (limit: number) => (AMOUNTS.includes(unit) ? value <= limit : value >= limit);
  return reaches(goal) ? "goal" : reaches(must) ? "must" : "short";
}

/** All rows in the order of targets.ts. `missing`: reasons by family and key. */
export function linesOf(
  results: Partial<Record<Family, Results>>,
  chosen: readonly Family[] = families,
  missing: Partial<Record<Family, Readonly<Record<string, string>>>> = {},
): Line[] {
  return chosen.flatMap((family) =>
    Object.entries(targetsOf(family)).map(([key, target]) => ({
      family,
      target,
      measured: results[family]?.rows[key],
      missing: missing[family]?.[key],
    })),
  );
}

/** 3.41 ×, 0.86 P, 104 ns. */
export function formatValue(value: number, { unit }: Target): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

function limit(value: number | undefined, { unit }: Target): string {
  if (value === undefined) return "";
  return `${AMOUNTS.includes(unit) ? "≤" : "≥"} ${value}`;
}

function cells({ target, measured, missing }: Line): string[] {
  const { row, peer, must, goal } = target;
  const value = measured === undefined ? "" : formatValue(measured.value, target);
  const reached = measured === undefined ? "not measured" : mark(target, measured.value);
  const why = missing === undefined ? reached : `not measured: ${missing}`;
  return [row, peer, limit(must, target), limit(goal, target), value, why];
}

const HEADS = ["", "against", "must", "goal", "measured", "reached"];

export function terminalTable(lines: readonly Line[]): string {
  const rows = [HEADS, ...lines.map(cells)];
  const widths = HEADS.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Padded, as a formatter of Markdown leaves it. */
export function markdown(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((_, column) =>
    Math.max(3, ...[heads, ...rows].map((row) => (row[column] as string).length)),
  );
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] as number)).join(" | ")} |`;
  return [line(heads), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** Machines, versions and days of the figures: one line where all come from one run. */
export function origins(lines: readonly Line[]): string {
  const all = lines.flatMap(({ measured }) => {
    if (measured === undefined) return [];
    const { machine, node, date } = measured;
    return [`${machine}, Node ${node}, ${date}`];
  });
  return [...new Set(all)].join("; ");
}

/** What is less of a step than this goes with the rest. */
const SMALL_SHARE = 0.02;

/** Where the time of the steps goes: what they are, the milliseconds of one, and the shares of the kernels. */
export function profileLines(
  results: Partial<Record<Family, Results>>,
  chosen: readonly Family[] = families,
): [row: string, ms: string, shares: string][] {
  const lines = new Map<string, [string, string, string]>();
  for (const family of chosen) {
    for (const [name, { step, kernels }] of Object.entries(results[family]?.profiles ?? {})) {
      // Workloads that differ in nothing but the peer have one name.
      const row = targetsOf(family)[`${name}/torch`]?.row;
      if (row === undefined) continue;
      const large = Object.entries(kernels).filter(([, { share }]) => share >= SMALL_SHARE);
      const shares = large.map(([kernel, { share, peak }]) => {
        const ofPeak = peak === undefined ? "" : ` (${peak.toFixed(2)} P)`;
        return `${kernel} ${Math.round(100 * share)} %${ofPeak}`;
      });
      lines.set(row, [row, `${step}`, shares.join(", ")]);
    }
  }
  return [...lines.values()];
}

/** The same as docs/benchmarks.md shows it. */
export function profileBlock(results: Partial<Record<Family, Results>>): string {
  const all = families.flatMap((family) => Object.values(results[family]?.profiles ?? {}));
  const from = [...new Set(all.map(({ machine, node, date }) => `${machine}, Node ${node}, ${date}`))].join("; ");
  return `${from}.\n\n${markdown(["step", "ms", "kernels"], profileLines(results))}`;
}

/** The rows of README.md: whole networks against PyTorch. The first network has a row for each way to write it there. */
export const README_ROWS: readonly Target[] = [
  TARGETS.toy["step/pytorch"],
  TARGETS.toy["published/torch"],
  TARGETS.mnist["static/pytorch"],
  TARGETS.inference["batch/torch"],
  TARGETS.recurrent["step/pytorch"],
  TARGETS.conv["step/pytorch"],
];

/** These rows, without limits; with all threads on both sides too, once one of them was measured so. */
export function readmeBlock(results: Partial<Record<Family, Results>>): string {
  const all = linesOf(results);
  const lines = README_ROWS.flatMap((row) => all.filter(({ target }) => target === row));
  const withAll = lines.map(({ target: { row, peer } }) =>
    all.find(({ target }) => target.row === row && peer === PEERS.pytorch && target.peer === PEERS["pytorch-all"]),
  );
  const counts = new Set(withAll.flatMap((line) => line?.measured?.threads ?? []));
  const cell = (line: Line | undefined): string => {
    if (line === undefined) return "";
    return line.measured === undefined ? "not measured" : formatValue(line.measured.value, line.target);
  };
  const rows = lines.map((line, i) => {
    const cells = [line.target.row, line.target.peer, cell(line)];
    return counts.size === 0 ? cells : [...cells, cell(withAll[i])];
  });
  if (counts.size === 0) {
    return `${origins(lines)}, one thread on both sides.\n\n${markdown(["", "against", "times faster"], rows)}`;
  }
  const heads = ["times faster", "against", "one thread each", `${[...counts].join(" or ")} threads each`];
  return `${origins([...lines, ...withAll.filter((line) => line !== undefined)])}.\n\n${markdown(heads, rows)}`;
}

/** The rows of docs/landing.md that have figures of benchmarks, by their families. */
const LANDING_ROWS = { inference: "batch/torch", mnist: "static/pytorch" } as const;

/** The landing page with these figures, as far as they were measured; each row ends with its command. */
export function landingPage(text: string, results: Partial<Record<Family, Results>>): string {
  let page = text;
  for (const [family, key] of Object.entries(LANDING_ROWS) as [keyof typeof LANDING_ROWS, string][]) {
    const measured = results[family]?.rows[key];
    const target = targetsOf(family)[key];
    if (measured === undefined || target === undefined) continue;
    const command = `npm run bench -- ${family}`;
    const row = new RegExp(`^\\| [^|\n]*( \\|[^|\n]*\\| \`${command}\` +\\|)$`, "m");
    if (!row.test(page)) throw new RangeError(`bench: expected a row of \`${command}\` in the landing page`);
    page = page.replace(row, (line, rest: string) => {
      const width = line.length - rest.length - "| ".length;
      return `| ${formatValue(measured.value, target).padEnd(width)}${rest}`;
    });
  }
  return page;
}

/** All rows and their times, as docs/benchmarks.md shows them. */
export function docsBlock(results: Partial<Record<Family, Results>>): string {
  const lines = linesOf(results);
  const rows = lines.map((line) => [line.family, ...cells(line), times(line)]);
  return `${origins(lines)}.\n\n${markdown(["family", ...HEADS, "medians of the run, ms"], rows)}`;
}

function times({ measured }: Line): string {
  return Object.entries(measured?.times ?? {})
    .map(([name, ms]) => `${name} ${ms}`)
    .join(", ");
}

/** `text` with `block` between the markers `<!-- name: … -->` and `<!-- /name -->`, which stay. */
export function replaceBlock(text: string, name: string, block: string): string {
  const pattern = new RegExp(`(<!-- ${name}:[^\n]* -->).*(<!-- /${name} -->)`, "s");
  if (!pattern.test(text)) throw new RangeError(`bench: expected <!-- ${name}: … --> and <!-- /${name} -->`);
  return text.replace(pattern, (_, start: string, end: string) => `${start}\n${block}\n${end}`);
}
