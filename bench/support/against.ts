/**
 * Two builds of the package, row by row in turns: a commit and the working tree.
 *
 * Each build runs in a process of its own, in which nothing else has been compiled or allocated: in one process V8 would share
 * what it learns about the rows, heap and caches of code between the builds, to the cost of the one that comes second. Where
 * memory lands differs from process to process, so that each run has new ones, and a row counts as slower only if it is in all.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { interleave, median, steps } from "./interleave.ts";
import { connect, type Peer, PeerMissing } from "./peer.ts";

/** A build. */
export interface Side {
  readonly name: string;
  /** The root of the project. */
  readonly folder: string;
}

/** The programs in build/bench that serve rows, by family. What calls kernels in its benchmark calls layers here. */
const PROGRAMS = {
  overhead: "overhead.bench.js",
  kernels: "against/kernels.js",
  matmul: "against/matmul.js",
  gather: "against/gather.js",
  lif: "against/lif.js",
  toy: "toy.bench.js",
  small: "small.bench.js",
  mnist: "mnist.bench.js",
  inference: "inference.bench.js",
  recurrent: "recurrent.bench.js",
  conv: "conv.bench.js",
  events: "events.bench.js",
} as const;

type Family = keyof typeof PROGRAMS;

/** Families, and what the names of their rows begin with. */
export type Selection = ReadonlyMap<Family, readonly string[]>;

/** The rows that arguments such as `lif` or `lif/forward` choose; all where there are none. */
export function select(names: readonly string[]): Selection {
  const families = Object.keys(PROGRAMS) as Family[];
  const chosen = new Map<Family, string[]>();
  for (const name of names.length === 0 ? families : names) {
    const [family, ...row] = name.split("/") as [Family, ...string[]];
    if (!families.includes(family)) {
      throw new RangeError(`bench: expected some of ${families.join(", ")}, or a row such as lif/forward, got ${name}`);
    }
    chosen.set(family, [...(chosen.get(family) ?? []), row.join("/")]);
  }
  return chosen;
}

/** How often something is done, as a flag tells it. */
export function times(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`bench: --${flag} must be an integer ≥ 1, got ${text}`);
}

/** A row of a run: the median milliseconds of both sides, and the median of the ratios of neighbouring turns. */
export interface Pair {
  readonly before: number;
  readonly after: number;
  readonly ratio: number;
}

/** A row that one side does not have, and why. */
export interface Missing {
  readonly missing: string;
}

/** Milliseconds of a turn, and of all turns of a row, of which there are at least so many. */
const TURN = 30;
const ROW = 2000;
const LEAST_ROUNDS = 5;

/** Measures the chosen rows once, with new processes; at most so many turns of each side for a row. */
export async function compare(
  pair: readonly [before: Side, after: Side],
  selection: Selection,
  rounds: number,
  say: (text: string) => void,
): Promise<Map<string, Pair | Missing>> {
  const results = new Map<string, Pair | Missing>();
  for (const [family, prefixes] of selection) {
    say(family);
    const sides = [await start(pair[0], family), await start(pair[1], family)] as const;
    const names = [...new Set(sides.flatMap(({ rows }) => rows))];
    for (const prefix of prefixes) {
      const rows = names.filter((row) => row.startsWith(prefix));
      for (const row of rows) results.set(`${family}/${row}`, await turns(sides, row, rounds));
      if (rows.length === 0) results.set(`${family}/${prefix}`, nothing(sides, names));
    }
    for (const { peer } of sides) peer?.close();
  }
  return results;
}

interface Started {
  readonly name: string;
  readonly rows: readonly string[];
  readonly peer?: Peer;
  /** Why there is no process. */
  readonly trouble?: string;
}

async function start({ name, folder }: Side, family: Family): Promise<Started> {
  const program = join(folder, "build/bench", PROGRAMS[family]);
  const env = { ...process.env, BENCH_SERVE: "1" };
  try {
    const peer = await connect(spawn(process.execPath, [program], { cwd: folder, env }));
    return { name, peer, rows: JSON.parse(peer.title) };
  } catch (error) {
    if (error instanceof PeerMissing) return { name, rows: [], trouble: error.message };
    throw error;
  }
}

/** Why no row is the one that is asked for. */
function nothing(sides: readonly Started[], names: readonly string[]): Missing {
  if (names.length > 0) return { missing: `no such row, there are ${names.join(", ")}` };
  return { missing: sides.map(({ name, trouble }) => `${name}: ${trouble}`).join("; ") };
}

async function turns(sides: readonly [Started, Started], row: string, most: number): Promise<Pair | Missing> {
  const [{ name: before }, { name: after }] = sides;
  const contenders = sides.map((side) => steps(side.name, (count) => ask(side, row, count), TURN));
  try {
    let ms = 0;
    for (const contender of contenders) ms += Math.max(TURN, await contender.measure());
    const run = await interleave(contenders, Math.min(most, Math.max(LEAST_ROUNDS, Math.round(ROW / ms))));
    const medians = run.medians(before, after);
    return { before: medians[before] as number, after: medians[after] as number, ratio: run.ratio(before, after) };
  } catch (error) {
    if (error instanceof PeerMissing) return { missing: error.message };
    throw error;
  }
}

async function ask({ name, peer, trouble }: Started, row: string, count: number): Promise<number> {
  try {
    if (peer === undefined) throw new PeerMissing(trouble);
    return await peer.ask(row, count);
  } catch (error) {
    throw error instanceof PeerMissing ? new PeerMissing(`${name}: ${error.message}`) : error;
  }
}

/** A row counts as slower if its ratio stays below this in all runs. */
const SLOWER = 0.97;

export const isSlower = (ratios: readonly number[]): boolean => ratios.every((ratio) => ratio < SLOWER);

/** A table of all runs, with the milliseconds of both sides and how many times faster the second is; and what is slower. */
export function verdict(runs: readonly ReadonlyMap<string, Pair | Missing>[]): { lines: string[]; slower: string[] } {
  const slower: string[] = [];
  const names = [...new Set(runs.flatMap((run) => [...run.keys()]))];
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map((name) => {
    const measured = runs.map((run) => run.get(name) as Pair | Missing);
    const missing = measured.find((result): result is Missing => "missing" in result);
    if (missing !== undefined) return `${name.padEnd(width)}  ${missing.missing}`;
    const pairs = measured as Pair[];
    const ratios = pairs.map(({ ratio }) => ratio);
    if (isSlower(ratios)) slower.push(name);
    const ms = [pairs.map(({ before }) => before), pairs.map(({ after }) => after)].map((all) =>
      median(all).toPrecision(3),
    );
    const cells = [...ms.map((text) => text.padStart(9)), ...ratios.map((ratio) => ratio.toFixed(3).padStart(7))];
    return `${name.padEnd(width)}${cells.join("")}${isSlower(ratios) ? "  slower" : ""}`;
  });
  return { lines, slower };
}
