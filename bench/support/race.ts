/** Steps of ours against the same steps of peers, in turns in one run. */
import { type Family, GROUPS, type GroupName, type PeerName, TARGETS } from "../targets.ts";
import { type Comparison, interleave, NO_WARM_UP, steps, WARM_UP } from "./interleave.ts";
import { type Peer, PeerMissing, startPeer, startThreads } from "./peer.ts";
import { profileOf } from "./profile.ts";
import { type Measured, OURS, type Rows, send } from "./report.ts";
import { type Run, serve } from "./serve.ts";

export interface Workload {
  readonly step: () => void;
  readonly rounds: number;
  /** Runs before every turn, untimed. */
  readonly prepare?: () => void;
}

/**
 * Passes, each with a new process of a peer; on both sides the fastest counts. Where memory lands makes a process up to 1.6 times
 * slower than another, and a neighbour on the machine may disturb a pass.
 */
const PASSES = 3;

/** Who takes steps beside this process, which has one thread: a peer, or all threads of ours in another process. */
type Rival = PeerName | "threads";

export interface RaceOptions {
  /** Of the peers. */
  readonly args?: readonly string[];
  /** The rivals of a workload; by default the peers of its rows in targets.ts, and threads where a row compares them with one. */
  readonly rivals?: (workload: string) => readonly Rival[];
  /** How many threads the rivals with all threads have; by default $BENCH_THREADS, or 1, where there are no such rivals. */
  readonly threads?: number;
  /** Default {@link PASSES}. */
  readonly passes?: number;
  /** Whether steps that do not count come first. Default true. */
  readonly warmUp?: boolean;
}

function rivalsOf(family: Family, workload: string): Rival[] {
  const keys = Object.keys(TARGETS[family]);
  const peers = keys.flatMap((key) => {
    const [name, peer] = key.split("/");
    return name === workload && peer !== undefined && !(peer in GROUPS) ? [peer as PeerName] : [];
  });
  return keys.includes(`${workload} alone`) ? ["threads", ...peers] : peers;
}

/** The key of the row of a workload against a rival: that of threads has them against one thread. */
const keyOf = (workload: string, rival: Rival): string =>
  rival === "threads" ? `${workload} alone` : `${workload}/${rival}`;

/** Whether a rival has all threads. */
const hasAll = (rival: Rival): boolean => rival === "threads" || rival.endsWith("-all");

/** Adds the rows of the workloads against the groups whose peers they all raced with: those of the fastest of these, as far as they ran. */
export function addGroups(
  rows: Rows,
  entries: readonly { readonly name: string; readonly rivals: readonly Rival[] }[],
): void {
  for (const { name, rivals } of entries) {
    for (const group of Object.keys(GROUPS) as GroupName[]) {
      const peers: readonly PeerName[] = GROUPS[group];
      if (peers.every((peer) => rivals.includes(peer))) {
        rows[`${name}/${group}`] = hardest(peers.map((peer) => rows[keyOf(name, peer)] as Rows[string]));
      }
    }
  }
}

/** The row with the least value; if none was measured, the first. */
export function hardest(rows: readonly Rows[string][]): Rows[string] {
  const measured = rows.filter((row): row is Measured => "value" in row);
  return measured.sort((a, b) => a.value - b.value)[0] ?? (rows[0] as Rows[string]);
}

/** Runs the workloads of a family against the rivals of its rows, as far as they are there. */
export async function race(
  family: Family,
  workloads: Readonly<Record<string, Workload>>,
  options: RaceOptions = {},
): Promise<Rows> {
  const {
    args = [],
    rivals = (name) => rivalsOf(family, name),
    threads = Number(process.env.BENCH_THREADS ?? 1),
    passes = PASSES,
    warmUp = true,
  } = options;
  if (process.env.BENCH_PROFILE !== undefined) await profile(workloads);
  const served = namesOf(workloads);
  await serve(runsOf(served));
  const rows: Rows = {};
  const entries = Object.entries(workloads).map(([name, workload]) => ({ name, workload, rivals: rivals(name) }));
  const wanted = new Set(entries.flatMap(({ rivals }) => rivals));
  const leaveOut = (rival: Rival, missing: string): void => {
    wanted.delete(rival);
    for (const { name, rivals } of entries) if (rivals.includes(rival)) rows[keyOf(name, rival)] = { missing };
  };
  if (threads === 1) for (const rival of [...wanted].filter(hasAll)) leaveOut(rival, "npm run bench -- --threads 2");
  const fastest = new Map<string, number>();
  /** The median of the fastest pass so far. */
  const fastestPass = (run: Comparison, workload: string, name: string): number => {
    const key = `${workload}/${name}`;
    const { [name]: ms = Number.NaN } = run.medians(name);
    fastest.set(key, Math.min(ms, fastest.get(key) ?? Infinity));
    return fastest.get(key) as number;
  };
  const all = `${threads} threads`;
  for (let i = 0; i < passes; i++) {
    const running = new Map<Rival, Peer>();
    for (const rival of wanted) {
      try {
        const [count, peer] = [hasAll(rival) ? threads : 1, rival];
        running.set(rival, await (peer === "threads" ? startThreads(count) : startPeer(peer, family, args, count)));
      } catch (error) {
        if (!(error instanceof PeerMissing)) throw error;
        leaveOut(rival, error.message);
      }
    }
    for (const { name, workload, rivals } of entries) {
      const present = rivals.filter((rival) => running.has(rival));
      if (present.length === 0) continue;
      const titles = new Map<Rival, string>();
      const theirs = present.map((rival) => {
        const { title, ask } = running.get(rival) as Peer;
        const asked = rival === "threads" ? (served.get(workload) as string) : name;
        const who = rival === "threads" ? OURS : title;
        titles.set(rival, hasAll(rival) ? `${who}, ${all}` : who);
        return steps(titles.get(rival) as string, (count) => ask(asked, count));
      });
      const ours = steps(OURS, (count) => timed(workload.step, count, workload.prepare));
      const run = await interleave([ours, ...theirs], workload.rounds, warmUp ? WARM_UP : NO_WARM_UP);
      const ms = (title: string) => fastestPass(run, name, title);
      const alone = ms(OURS);
      for (const rival of present) {
        const title = titles.get(rival) as string;
        if (rival === "threads") {
          rows[keyOf(name, rival)] = {
            value: alone / ms(title),
            threads,
            times: { [title]: ms(title), [OURS]: alone },
          };
        } else if (!hasAll(rival)) {
          rows[keyOf(name, rival)] = { value: ms(title) / alone, times: { [OURS]: alone, [title]: ms(title) } };
        } else if (present.includes("threads")) {
          const mine = titles.get("threads") as string;
          const times = { [mine]: ms(mine), [title]: ms(title) };
          rows[keyOf(name, rival)] = { value: ms(title) / ms(mine), threads, times };
        }
      }
    }
    for (const peer of running.values()) peer.close();
  }
  addGroups(rows, entries);
  return rows;
}

/** Each workload once, with the last of its names. */
const namesOf = (workloads: Readonly<Record<string, Workload>>): Map<Workload, string> =>
  new Map(Object.entries(workloads).map(([name, workload]) => [workload, name]));

function runsOf(names: ReadonlyMap<Workload, string>): Record<string, Run> {
  const run = ([{ step, prepare }, name]: [Workload, string]): [string, Run] => [
    name,
    (count) => timed(step, count, prepare),
  ];
  return Object.fromEntries([...names].map(run));
}

/** Reports what the kernels of each workload take, and ends: nothing else is to be measured with kernels that are counted. */
async function profile(workloads: Readonly<Record<string, Workload>>): Promise<never> {
  const { additionsAtPeak } = await import("./probes.ts");
  const runs = Object.entries(workloads).map(([name, { step, prepare }]) => [
    name,
    profileOf(step, additionsAtPeak, prepare),
  ]);
  send({ rows: {}, profiles: Object.fromEntries(runs) });
  process.exit();
}

/** Mean milliseconds of so many steps, by a clock. */
export function timed(step: () => void, count: number, prepare = () => {}, now = () => performance.now()): number {
  prepare();
  const start = now();
  for (let i = 0; i < count; i++) step();
  return (now() - start) / count;
}
