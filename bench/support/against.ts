/**
 * Two builds of the package, row by row in turns: a commit and the working tree.
 *
 * Each build runs in a process of its own, in which nothing else has been compiled or allocated: in one process V8 would share
 * what it learns about the rows, heap and caches of code between the builds, to the cost of the one that comes second. Where
 * memory lands differs from process to process, so that each run has new ones, and a row counts as slower only if it is in all.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { interleave, median, steps, WARM_UP } from "./interleave.ts";
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
  fit: "against/fit.js",
  small: "small.bench.js",
  mnist: "mnist.bench.js",
  inference: "inference.bench.js",
  recurrent: "recurrent.bench.js",
  conv: "conv.bench.js",
  events: "events.bench.js",
  neurons: "neurons.bench.js",
  models: "models.bench.js",
  plasticity: "plasticity.bench.js",
  int8: "int8.bench.js",
  layers: "layers.bench.js",
  make: "make.bench.js",
  playground: "against/playground.js",
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

/** A row that the working tree alone has, and why the commit has not. */
interface Added {
  readonly added: string;
}

/** A row that the working tree does not serve, and why. */
interface Lost {
  readonly lost: string;
}

export type Result = Pair | Added | Lost;

/** The results of a run by `family/row`; a family that the commit cannot load has a result too, by its name. */
export type Results = ReadonlyMap<string, Result>;

/** Milliseconds of a turn, of all turns of a row, and of what comes before them and does not count. */
interface Length {
  readonly turn: number;
  readonly row: number;
  readonly warmUp: number;
}

const LONG: Length = { turn: 30, row: 2000, warmUp: 500 };

/** Steps under a millisecond: as many turns for the median, each with ten steps at least, in a third of the time. */
const SHORT: Length = { turn: 10, row: 667, warmUp: 333 };
const SHORT_STEP = 1;
const LEAST_ROUNDS = 5;

interface Asked {
  /** At most so many turns of each side for a row. */
  readonly rounds: number;
  /** The rows that count, by `family/row`; all of the selection if not given. */
  readonly only?: ReadonlySet<string>;
  readonly say: (text: string) => void;
}

/** Measures the chosen rows once, with new processes. */
export async function compare(
  pair: readonly [before: Side, after: Side],
  selection: Selection,
  { rounds, only, say }: Asked,
): Promise<Results> {
  const results = new Map<string, Result>();
  for (const [family, prefixes] of selection) {
    if (only !== undefined && ![...only].some((name) => name.startsWith(`${family}/`))) continue;
    say(family);
    const sides = await Promise.all([start(pair[0], family), start(pair[1], family)]);
    const [before, after] = sides;
    const names = [...new Set(sides.flatMap(({ rows }) => rows))];
    const troubles = sides.flatMap(({ trouble }) => trouble ?? []).join("; ");
    if (after.peer === undefined) results.set(family, { lost: troubles });
    else if (before.peer === undefined) results.set(family, { added: troubles });
    for (const prefix of prefixes) {
      const rows = names.filter((row) => row.startsWith(prefix));
      if (rows.length === 0 && names.length > 0) {
        results.set(`${family}/${prefix}`, { lost: `no such row, there are ${names.join(", ")}` });
      }
      for (const row of rows) {
        const name = `${family}/${row}`;
        if (only?.has(name) ?? true) results.set(name, await measure(before, after, row, rounds));
      }
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
    if (!(error instanceof PeerMissing)) throw error;
    return { name, rows: [], trouble: `${name} does not load it: ${error.message}` };
  }
}

/** Why a side does not take steps of a row. */
class Unserved extends Error {
  readonly side: Started;

  constructor(side: Started, reason: string) {
    super(`${side.name}: ${reason}`);
    this.side = side;
  }
}

async function ask(side: Started, row: string, count: number): Promise<number> {
  if (side.peer === undefined) throw new Unserved(side, "does not load the family");
  try {
    return await side.peer.ask(row, count);
  } catch (error) {
    throw error instanceof PeerMissing ? new Unserved(side, error.message) : error;
  }
}

async function measure(before: Started, after: Started, row: string, most: number): Promise<Result> {
  try {
    return await turns(before, after, row, most);
  } catch (error) {
    if (!(error instanceof Unserved)) throw error;
    return error.side === after ? { lost: error.message } : { added: error.message };
  }
}

/** The working tree begins, so that a row that neither side serves is lost. */
async function turns(before: Started, after: Started, row: string, most: number): Promise<Pair> {
  for (const side of [after, before]) await ask(side, row, 1); // makes what the row needs
  const ms = [await ask(before, row, 1), await ask(after, row, 1)] as const;
  const length = Math.max(...ms) < SHORT_STEP ? SHORT : LONG;
  const both = ms.reduce((sum, step) => sum + Math.max(length.turn, step), 0);
  const rounds = Math.min(most, Math.max(LEAST_ROUNDS, Math.round(length.row / both)));
  const contenders = [before, after].map((side) => steps(side.name, (count) => ask(side, row, count), length.turn));
  const run = await interleave(contenders, rounds, { ...WARM_UP, ms: length.warmUp });
  const medians = run.medians(before.name, after.name);
  return {
    before: medians[before.name] as number,
    after: medians[after.name] as number,
    ratio: run.ratio(before.name, after.name),
  };
}

/** A row counts as slower if its ratio stays below this in all runs. */
const SLOWER = 0.97;

export const isSlower = (ratios: readonly number[]): boolean => ratios.every((ratio) => ratio < SLOWER);

/** The results of a row, of the runs that had it. */
const resultsOf = (runs: readonly Results[], name: string): Result[] => runs.flatMap((run) => run.get(name) ?? []);

const ratiosOf = (results: readonly Result[]): number[] =>
  results.map((result) => ("ratio" in result ? result.ratio : 1));

/** The rows that were slower in each run that they had: no other can be slower in all runs. */
export const undecided = (runs: readonly Results[]): Set<string> =>
  new Set([...(runs[0]?.keys() ?? [])].filter((name) => isSlower(ratiosOf(resultsOf(runs, name)))));

export interface Verdict {
  /** A table with the milliseconds of both sides, and how many times faster the second is in each run. */
  readonly lines: readonly string[];
  /** Why the comparison fails: the rows that are slower, and those that the working tree does not serve. */
  readonly slower: readonly string[];
  readonly lost: readonly string[];
}

/** Judges all runs. Rows may be missing in a run after one in which they were not {@link undecided}. */
export function verdict(runs: readonly Results[]): Verdict {
  const names = [...(runs[0]?.keys() ?? [])];
  const width = Math.max(...names.map((name) => name.length));
  const slower = [...undecided(runs)];
  const lost = names.filter((name) => resultsOf(runs, name).some((result) => "lost" in result));
  const lines = names.map((name) => `${name.padEnd(width)}  ${cellsOf(resultsOf(runs, name))}`);
  return { lines, slower: slower.filter((name) => !lost.includes(name)), lost };
}

function cellsOf(results: readonly Result[]): string {
  const failed = results.find((result): result is Lost => "lost" in result);
  if (failed !== undefined) return `lost: ${failed.lost}`;
  const fresh = results.find((result): result is Added => "added" in result);
  if (fresh !== undefined) return `new: ${fresh.added}`;
  const pairs = results as Pair[];
  const ratios = ratiosOf(pairs);
  const ms = [pairs.map(({ before }) => before), pairs.map(({ after }) => after)];
  const cells = ms.map((all) => median(all).toPrecision(3).padStart(9));
  return [...cells, ...ratios.map((ratio) => ratio.toFixed(3).padStart(7)), isSlower(ratios) ? "  slower" : ""].join(
    "",
  );
}
