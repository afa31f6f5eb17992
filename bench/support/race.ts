/** Steps of ours against the same steps of peers, in turns in one run. */
import { type Family, type PeerName, TARGETS } from "../targets.ts";
import { type Comparison, interleave, steps } from "./interleave.ts";
import { type Peer, PeerMissing, startPeer } from "./peer.ts";
import { profileOf } from "./profile.ts";
import { OURS, type Rows, send } from "./report.ts";
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

/** The peers of a workload: its rows have keys `workload/peer`. */
function peersOf(family: Family, workload: string): PeerName[] {
  const keys = Object.keys(TARGETS[family]).map((key) => key.split("/"));
  return keys.flatMap(([name, peer]) => (name === workload && peer !== undefined ? [peer as PeerName] : []));
}

/** Runs the workloads of a family against the peers of its rows, as far as they are there; `args` are for the peers. */
export async function race(
  family: Family,
  workloads: Readonly<Record<string, Workload>>,
  args: readonly string[] = [],
): Promise<Rows> {
  if (process.env.BENCH_PROFILE !== undefined) await profile(workloads);
  await serve(runsOf(workloads));
  const rows: Rows = {};
  const entries = Object.entries(workloads).map(([name, run]) => ({ name, ...run, peers: peersOf(family, name) }));
  const wanted = new Set(entries.flatMap(({ peers }) => peers));
  const fastest = new Map<string, number>();
  /** The median of the fastest pass so far. */
  const fastestPass = (run: Comparison, workload: string, name: string): number => {
    const key = `${workload}/${name}`;
    const { [name]: ms = Number.NaN } = run.medians(name);
    fastest.set(key, Math.min(ms, fastest.get(key) ?? Infinity));
    return fastest.get(key) as number;
  };
  for (let i = 0; i < PASSES; i++) {
    const running = new Map<PeerName, Peer>();
    for (const name of wanted) {
      try {
        running.set(name, await startPeer(name, family, args));
      } catch (error) {
        if (!(error instanceof PeerMissing)) throw error;
        wanted.delete(name);
        for (const entry of entries) {
          if (entry.peers.includes(name)) rows[`${entry.name}/${name}`] = { missing: error.message };
        }
      }
    }
    for (const { name, step, rounds, prepare, peers } of entries) {
      const present = peers.filter((peer) => running.has(peer));
      if (present.length === 0) continue;
      const theirs = present.map((peer) => {
        const { title, ask } = running.get(peer) as Peer;
        return steps(title, (count) => ask(name, count));
      });
      const run = await interleave([steps(OURS, (count) => timed(step, count, prepare)), ...theirs], rounds);
      const ours = fastestPass(run, name, OURS);
      for (const [j, { name: title }] of theirs.entries()) {
        const ms = fastestPass(run, name, title);
        rows[`${name}/${present[j]}`] = { value: ms / ours, times: { [OURS]: ours, [title]: ms } };
      }
    }
    for (const peer of running.values()) peer.close();
  }
  return rows;
}

/** Each workload once, by the last of its names. */
function runsOf(workloads: Readonly<Record<string, Workload>>): Record<string, Run> {
  const names = new Map(Object.entries(workloads).map(([name, workload]) => [workload, name]));
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

/** Mean milliseconds of so many steps. */
function timed(step: () => void, count: number, prepare = () => {}): number {
  prepare();
  const start = performance.now();
  for (let i = 0; i < count; i++) step();
  return (performance.now() - start) / count;
}
