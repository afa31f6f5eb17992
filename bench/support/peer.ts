/**
 * Peers: programs that take turns with us, each in a process of its own. One prints its name and version, then reads
 * `workload steps` a line and answers with the milliseconds of one of these steps, or with the reason why there are none.
 *
 *   bench/peers/<family>.py              PyTorch on OpenBLAS, packages on it or on NumPy, whose sources are in $PEERS: their name is an argument
 *   bench/peers/<peer>/<family>.mjs      JavaScript, by hand or with the packages in $BENCH_PEERS
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { PeerName } from "../targets.ts";

export interface Peer {
  /** What it says of itself. */
  readonly title: string;
  /** The milliseconds of one of so many steps. */
  readonly ask: (workload: string, count: number) => Promise<number>;
  readonly close: () => void;
}

/** Why a peer cannot run here. Before its first line that is a state of the machine, after it a failure. */
export class PeerMissing extends Error {}

const OPENBLAS = "libopenblas0-openmp";

/** Debian's PyTorch runs on a reference BLAS, 16 times slower, unless this OpenBLAS is put in its place. */
function openblasFolder(): string {
  for (const arch of ["x86_64-linux-gnu", "aarch64-linux-gnu"]) {
    const folder = `/usr/lib/${arch}/openblas-openmp`;
    if (existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("libblas.so"))) return folder;
  }
  throw new PeerMissing(`apt-get install python3-torch ${OPENBLAS}`);
}

/** Peers whose sources $PEERS holds, with the library that they compute with. */
const SOURCES: Partial<Record<PeerName, "torch" | "numpy">> = {
  bindsnet: "torch",
  spikingjelly: "torch",
  tonic: "numpy",
};

const isPython = (peer: PeerName): boolean => peer === "torch" || peer === "torch-all" || SOURCES[peer] !== undefined;

/** The program of a peer for a family, in the folder of peers. */
export const programOf = (peer: PeerName, family: string): string =>
  isPython(peer) ? `${family}.py` : `${peer}/${family}.mjs`;

function start(peer: PeerName, family: string, args: readonly string[], threads: number) {
  const folder = fileURLToPath(new URL("../../../bench/peers/", import.meta.url));
  if (isPython(peer)) {
    const library = SOURCES[peer];
    if (library !== undefined && process.env.PEERS === undefined)
      throw new PeerMissing(`$PEERS, a folder with ${peer}`);
    const blas = library === "numpy" ? {} : { LD_LIBRARY_PATH: openblasFolder() };
    const env = { ...process.env, ...blas, OMP_NUM_THREADS: `${threads}` };
    const own = library === undefined ? [] : [peer];
    const python = process.env.PYTHON ?? "/usr/bin/python3";
    return spawn(python, ["-W", "ignore", `${folder}${programOf(peer, family)}`, ...own, ...args], { env });
  }
  if (peer !== "plain-js" && process.env.BENCH_PEERS === undefined) throw new PeerMissing("npm run bench -- --peers");
  return spawn(process.execPath, [`${folder}${programOf(peer, family)}`, ...args]);
}

/** @throws PeerMissing if it does not get as far as its name. */
export const startPeer = (peer: PeerName, family: string, args: readonly string[], threads: number): Promise<Peer> =>
  connect(start(peer, family, args, threads));

/** The benchmark of this process in another one, where threads share the work of the rows that it serves. */
export const startThreads = (threads: number): Promise<Peer> =>
  connect(
    spawn(process.execPath, process.argv.slice(1), {
      env: { ...process.env, BENCH_SERVE: "1", BENCH_THREADS: `${threads}` },
    }),
  );

/** Waits for the first line of a program that takes steps. */
export async function connect(child: ChildProcessWithoutNullStreams): Promise<Peer> {
  let complaints = "";
  child.stderr.on("data", (text) => {
    complaints += text;
  });
  const ended = new Promise<void>((resolve) => {
    child.on("error", ({ message }) => {
      complaints += message;
      resolve();
    });
    child.on("close", () => resolve());
  });
  child.stdin.on("error", () => {}); // of one that has ended, which the missing answer tells
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done !== true) return value;
    await ended;
    const said = complaints.trim().split("\n");
    throw new PeerMissing(said.findLast((line) => /^\w*Error( \[\w+\])?: /.test(line)) ?? said.at(-1));
  };
  const title = await next();
  return {
    title,
    async ask(workload, count) {
      child.stdin.write(`${workload} ${count}\n`);
      const answer = await next();
      const ms = Number(answer);
      if (Number.isNaN(ms)) throw new PeerMissing(answer);
      return ms;
    },
    close: () => child.stdin.end(),
  };
}
