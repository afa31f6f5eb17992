/** A peer in a process of its own: it reads a number of steps a line and answers with the milliseconds of one. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Comparison, type Contender, interleave } from "./interleave.ts";

const OPENBLAS = "libopenblas0-openmp";

/** Debian's PyTorch runs on a reference BLAS, 16 times slower, unless this OpenBLAS is put in its place. */
function openblasFolder(): string {
  for (const arch of ["x86_64-linux-gnu", "aarch64-linux-gnu"]) {
    const folder = `/usr/lib/${arch}/openblas-openmp`;
    if (existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("libblas.so"))) return folder;
  }
  throw new Error(`bench: PyTorch needs a fast BLAS to be a fair peer: apt-get install python3-torch ${OPENBLAS}`);
}

export interface Peer extends Contender {
  close(): void;
}

/** Starts bench/peers/<script> with one thread. */
export function torchPeer(name: string, script: string, steps: number, args: readonly string[] = []): Peer {
  const path = fileURLToPath(new URL(`../../../bench/peers/${script}`, import.meta.url));
  const child = spawn(process.env.PYTHON ?? "/usr/bin/python3", ["-W", "ignore", path, ...args], {
    env: { ...process.env, LD_LIBRARY_PATH: openblasFolder(), OMP_NUM_THREADS: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name,
    async measure() {
      child.stdin.write(`${steps}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`bench: the peer ${script} ended; is python3-torch installed?`);
      return Number(value);
    },
    close: () => child.stdin.end(),
  };
}

/** Peer processes of a comparison: where their memory lands makes one up to 1.6 times slower than the next. */
const PROCESSES = 3;

/** Runs `ours` against the peer in turns, in several processes of the peer, and gives what is best for the peer. */
export async function againstPeer(ours: Contender, start: () => Peer, rounds: number): Promise<Comparison> {
  let best: Comparison | null = null;
  for (let i = 0; i < PROCESSES; i++) {
    const peer = start();
    const comparison = await interleave([ours, peer], rounds);
    peer.close();
    if (best === null || (comparison.ratios[1] as number) < (best.ratios[1] as number)) best = comparison;
  }
  return best as Comparison;
}
