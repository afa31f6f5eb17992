/**
 * Whole steps of training without each mechanism in turn, against the package as it is: what a step takes without it, as a multiple.
 * All builds of a step take turns, each in a process of its own, and take the same number of steps.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Side } from "../support/against.ts";
import { type Contender, interleave, median } from "../support/interleave.ts";
import { connect, type Peer } from "../support/peer.ts";
import type { Origin } from "../support/results.ts";
import { markdown } from "../support/table.ts";
import { MECHANISMS } from "./mechanisms.ts";

/** CPU milliseconds of a step with all mechanisms, and for each mechanism the ratio of the time without it to this time. */
export interface Prices {
  readonly ms: number;
  readonly times: Readonly<Record<string, number>>;
}

/** By the name of the step. */
export type Table = Readonly<Record<string, Prices>>;

/** Names of mechanisms and of steps, in any order; all of a kind that is not named. A step is named by how its name begins. */
export function select(
  names: readonly string[],
  steps: readonly string[],
): { readonly mechanisms: readonly string[]; readonly steps: readonly string[] } {
  const all = Object.keys(MECHANISMS);
  const mechanisms = names.filter((name) => all.includes(name));
  const prefixes = names.filter((name) => !all.includes(name));
  const unknown = prefixes.find((prefix) => !steps.some((step) => step.startsWith(prefix)));
  if (unknown !== undefined) {
    throw new RangeError(`bench: expected some of ${[...all, ...steps].join(", ")}, got ${unknown}`);
  }
  return {
    mechanisms: mechanisms.length === 0 ? all : mechanisms,
    steps: prefixes.length === 0 ? steps : steps.filter((step) => prefixes.some((prefix) => step.startsWith(prefix))),
  };
}

/** The mechanisms of these that may change a step. */
export const changing = (step: string, mechanisms: readonly string[]): string[] =>
  mechanisms.filter((name) => MECHANISMS[name]?.steps.test(step));

/** Programs of builds, which serve steps. */
export interface Builds {
  readonly base: Peer;
  readonly without: ReadonlyMap<string, Peer>;
}

/** Starts a program of build/bench in each of these builds, of which the first one has all mechanisms. */
export async function open(program: string, base: Side, others: readonly Side[]): Promise<Builds> {
  const env = { ...process.env, BENCH_SERVE: "1", BENCH_CLOCK: "cpu" };
  const start = ({ folder }: Side): Promise<Peer> =>
    connect(spawn(process.execPath, [join(folder, "build/bench", program)], { cwd: folder, env }));
  const without = new Map<string, Peer>();
  const first = await start(base);
  for (const side of others) without.set(side.name, await start(side));
  return { base: first, without };
}

export function close({ base, without }: Builds): void {
  for (const peer of [base, ...without.values()]) peer.close();
}

/** Steps before digests are compared: the second one reads weights that all gradients of the first have changed. */
const COMPARED = 2;

/** The mechanisms without which a step leaves other bits behind. */
export async function others({ base, without }: Builds, step: string): Promise<string[]> {
  const expected = await base.ask(step, COMPARED);
  const found: string[] = [];
  for (const name of changing(step, [...without.keys()])) {
    if ((await without.get(name)?.ask(step, COMPARED)) !== expected) found.push(name);
  }
  return found;
}

/** Milliseconds of a turn, and of all turns of a build in a pass; turns at least and at most; milliseconds that do not count. */
const TURN = 20;
const ALL_TURNS = 400;
const LEAST = 5;
const WARM_UP = 300;
const MOST = 21;

/** The name of the build with all mechanisms. */
const BASE = "";

/** Milliseconds of a step in each build that it may tell apart, by the name of the mechanism that is left out. */
export type Times = Readonly<Record<string, number>>;

/** Steps until the engine has compiled them, the first of which makes what they need. */
async function warm(peer: Peer, step: string): Promise<void> {
  await peer.ask(step, 1);
  for (let spent = 0; spent < WARM_UP; ) spent += await peer.ask(step, 1);
}

/** A pass over a step. */
export async function times({ base, without }: Builds, step: string): Promise<Times> {
  const names = changing(step, [...without.keys()]);
  const all: [string, Peer][] = [
    [BASE, base],
    ...names.map((name): [string, Peer] => [name, without.get(name) as Peer]),
  ];
  for (const [, peer] of all) await warm(peer, step);
  const ms = await base.ask(step, 1);
  const count = Math.max(1, Math.round(TURN / ms));
  const rounds = Math.min(MOST, Math.max(LEAST, Math.round(ALL_TURNS / (count * ms))));
  const contenders = all.map(([name, peer]): Contender => ({ name, measure: () => peer.ask(step, count) }));
  const run = await interleave(contenders, rounds, { turns: 1, ms: 0 });
  return run.medians(BASE, ...names);
}

/** Prices of a step by the fastest pass of each build. The placement of memory makes some processes slower than others, so that a mean would mix in chance. */
export function fastest(passes: readonly Times[]): Prices {
  const least = (name: string): number => Math.min(...passes.map((pass) => pass[name] as number));
  const names = Object.keys(passes[0] as Times).filter((name) => name !== BASE);
  const ms = least(BASE);
  return { ms, times: Object.fromEntries(names.map((name) => [name, least(name) / ms])) };
}

/** A table of what was measured, a line a step. */
export function lines(step: string, { ms, times }: Prices): string {
  const cells = Object.entries(times).map(([name, ratio]) => `${name} ${ratio.toFixed(3)}`);
  return `${step}, ${ms.toPrecision(3)} ms: ${cells.join(", ")}`;
}

/** A step takes so many times as long without a mechanism that pays. */
const PAYS = 1.03;

/** The content of bench/results/without.json. */
export interface Stored extends Origin {
  readonly steps: Table;
}

/** The figures of docs/decisions/products.md. */
export const block = ({ machine, node, date, steps }: Stored): string =>
  `${machine}, Node ${node}, ${date}.\n\n${table(steps)}`;

/** Markdown with a row for each mechanism: the step to which it matters most, and the least and the median of all that it may change. */
export function table(measured: Table): string {
  const rows = Object.entries(MECHANISMS).flatMap(([name, { what }]) => {
    const found = Object.entries(measured).flatMap(([step, { times }]) =>
      times[name] === undefined ? [] : [{ step, ratio: times[name] }],
    );
    const sorted = found.sort((a, b) => b.ratio - a.ratio);
    const [most] = sorted;
    if (most === undefined) return [];
    const paying = sorted.filter(({ ratio }) => ratio >= PAYS).length;
    const cell = (ratio: number): string => ratio.toFixed(2);
    const middle = median(sorted.map(({ ratio }) => ratio));
    const least = sorted.at(-1)?.ratio ?? most.ratio;
    return [[what, `${cell(most.ratio)}, ${most.step}`, cell(middle), cell(least), `${paying} of ${sorted.length}`]];
  });
  return markdown(["mechanism", "most", "median", "least", "steps in which it pays"], rows);
}
