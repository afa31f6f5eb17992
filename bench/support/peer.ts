/**
 * Peers: programs that take turns with us, each in a process of its own. One prints its name and version, then reads
 * `workload steps` a line and answers with the milliseconds of one of these steps, or with the reason why there are none.
 *
 *   bench/peers/<family>.py              PyTorch on OpenBLAS, packages on it or on NumPy, whose sources are in $PEERS: their name is an argument
 *   bench/peers/<peer>/<family>.py       other packages for Python, with the modules of bench/peers
 *   bench/peers/cpp/steps.cpp            C++, compiled when it is started
 *   bench/peers/<peer>/<family>.mjs      JavaScript, by hand or with the packages in $BENCH_PEERS
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** A peer with the programs of several families. */
export interface Families extends Peer {
  /** Goes on to a family; gives what the peer says of itself. */
  readonly turnTo: (family: string, args: readonly string[]) => Promise<string>;
}

/** Why a peer cannot run here. Before its first line that is a state of the machine, after it a failure. */
export class PeerMissing extends Error {}

/** The programs, beside the source of this file or of its build. */
const FOLDER = ["../peers/", "../../../bench/peers/"]
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path)) as string;

const OPENBLAS = "libopenblas0-openmp";

/** Debian's PyTorch runs on a reference BLAS, 16 times slower, unless this OpenBLAS is put in its place. */
function openblasFolder(): string {
  for (const arch of ["x86_64-linux-gnu", "aarch64-linux-gnu"]) {
    const folder = `/usr/lib/${arch}/openblas-openmp`;
    if (existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("libblas.so"))) return folder;
  }
  throw new PeerMissing(`apt-get install python3-torch ${OPENBLAS}`);
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * OpenBLAS takes the kernels that are made for the processor: without these variables, which choose others. With OPENBLAS_CORETYPE=Haswell a
 * product takes 1.8 times as long where vectors have 512 bits.
 */
const OWN_KERNELS: Variables = { OPENBLAS_CORETYPE: undefined, OPENBLAS_L2_SIZE: undefined };

/** A peer in Python. */
interface Python {
  /** Whether it multiplies by OpenBLAS. */
  readonly blas?: true;
  /** Where its program is, if not in the folder of all. */
  readonly folder?: string;
  /** Whether $PEERS holds its sources. */
  readonly sources?: true;
  readonly env?: Variables;
}

const PYTHON: Partial<Record<PeerName, Python>> = {
  torch: { blas: true },
  "torch-all": { blas: true },
  "torch-loop": { blas: true, env: { TORCH_FORM: "loop" } },
  "torch-loop-all": { blas: true, env: { TORCH_FORM: "loop" } },
  numba: { blas: true, folder: "numba/" },
  onnxruntime: { folder: "onnxruntime/", env: { NODE: process.execPath } },
  bindsnet: { blas: true, sources: true },
  spikingjelly: { blas: true, sources: true },
  tonic: { sources: true },
};

/** The program of a peer for a family, in the folder of peers. */
export function programOf(peer: PeerName, family: string): string {
  if (peer === "cpp") return "cpp/steps.cpp";
  const python = PYTHON[peer];
  return python === undefined ? `${peer}/${family}.mjs` : `${python.folder ?? ""}${family}.py`;
}

function start(peer: PeerName, family: string, args: readonly string[], threads: number, extra: Variables) {
  const program = join(FOLDER, programOf(peer, family));
  if (peer === "cpp") return spawn(compiled(program), [family, ...args], { env: { ...process.env, ...extra } });
  const python = PYTHON[peer];
  if (python === undefined) {
    if (peer !== "plain-js" && process.env.BENCH_PEERS === undefined) throw new PeerMissing("npm run bench -- --peers");
    return spawn(process.execPath, [program, ...args]);
  }
  return startPython(peer, python, [program, ...(python.sources ? [peer] : []), ...args], threads, extra);
}

function startPython(peer: PeerName, python: Python, args: readonly string[], threads: number, extra: Variables) {
  if (python.sources && process.env.PEERS === undefined) throw new PeerMissing(`$PEERS, a folder with ${peer}`);
  const blas = python.blas ? { LD_LIBRARY_PATH: openblasFolder(), ...OWN_KERNELS } : {};
  const paths = [FOLDER, process.env.PYTHONPATH ?? []].flat().join(":");
  const env = { ...process.env, PYTHONPATH: paths, OMP_NUM_THREADS: `${threads}`, ...blas, ...python.env, ...extra };
  return spawn(process.env.PYTHON ?? "/usr/bin/python3", ["-W", "ignore", ...args], { env });
}

const binaries = new Map<string, string>();

/** The binary of a program in C++ for the processor of this machine, as long as this process runs. */
function compiled(source: string): string {
  const made = binaries.get(source);
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-peer-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const binary = join(folder, "program");
  const flags = ["-std=c++17", "-O3", "-march=native", "-ffast-math"];
  try {
    execFileSync("g++", [...flags, source, "-o", binary], { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    throw new PeerMissing(
      code === "ENOENT" ? "apt-get install g++" : (stderr?.match(/error: .*/)?.[0] ?? String(error)),
    );
  }
  binaries.set(source, binary);
  return binary;
}

/**
 * `extra`: variables of its environment.
 *
 * @throws PeerMissing if it does not get as far as its name.
 */
export async function startPeer(
  peer: PeerName,
  family: string,
  args: readonly string[],
  threads: number,
  extra: Variables = {},
): Promise<Peer> {
  return connect(start(peer, family, args, threads, extra));
}

/** A peer whose programs take turns in one process, which loads their packages once; null for one that is not in Python. */
export function startFamilies(peer: PeerName, threads: number, extra: Variables): Promise<Families> | null {
  const python = PYTHON[peer];
  if (python === undefined) return null;
  const args = [join(FOLDER, "families.py"), join(FOLDER, python.folder ?? "")];
  return connect(startPython(peer, python, args, threads, extra));
}

/** The benchmark of this process in another one, where threads share the work of the rows that it serves. */
export const startThreads = (threads: number): Promise<Peer> =>
  connect(
    spawn(process.execPath, process.argv.slice(1), {
      env: { ...process.env, BENCH_SERVE: "1", BENCH_THREADS: `${threads}` },
    }),
  );

/** Waits for the first line of a program that takes steps. */
export async function connect(child: ChildProcessWithoutNullStreams): Promise<Families> {
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
    turnTo(family, args) {
      // An empty line ends the family before.
      child.stdin.write(`\n${JSON.stringify([family, ...args])}\n`);
      return next();
    },
    close: () => child.stdin.end(),
  };
}
