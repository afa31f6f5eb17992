/** Parts of the tests of threads: a network to train, a kernel that does not end, and a look into a pool. */

import { instantiate } from "../../engine/core/wasm.ts";
import { Adam, crossEntropy, Linear, manualSeed, rand, Sequential, tape } from "../../engine/index.ts";
import { CLAIM, ORDER } from "../../engine/threads/orders.ts";
import type { Least } from "../../engine/threads/parts.ts";
import type { Thread } from "../../engine/threads/platform.ts";
import type { Kernel, Pool, Running } from "../../engine/threads/pool.ts";
import { runningPool } from "../../engine/threads/start.ts";
import { AdaptiveLIF, LIF } from "../../snn/index.ts";

/** All work is cut that can be. */
export const ALL: Least = { work: 0, columns: 16 };

/** Losses of three steps, and the parameters after them, of a network with kernels and a compiled step. */
export function trained(): number[][] {
  manualSeed(5);
  const net = new Sequential(
    new Linear(40, 128),
    new LIF(),
    new Linear(128, 128),
    new AdaptiveLIF(),
    new Linear(128, 10),
  );
  const optimizer = new Adam(net.parameters(), { lr: 1e-3 });
  const x = rand([5, 32, 40]);
  const targets = Array.from({ length: 32 }, (_, i) => i % 10);
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) {
    tape(() => {
      const loss = crossEntropy(net.forward(x).sum({ axis: 0 }), targets);
      losses.push(loss.item());
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    });
  }
  return [losses, ...net.parameters().map((p) => [...p.toFloat32Array()])];
}

/** A module over the memory with a function that runs until its argument is 0: for another one it does not end. */
const ENDLESS = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // (type (func (param i32)))  (import "env" "memory" (memory 1 65536))  (func (type 0))  (export "0" (func 0))
  ...[1, 5, 1, 0x60, 1, 0x7f, 0],
  ...[2, 18, 1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 1, 1, 0x80, 0x80, 4],
  ...[3, 2, 1, 0],
  ...[7, 5, 1, 1, 0x30, 0, 0],
  // block  loop  local.get 0  i32.eqz  br_if 1  br 0  end  end  end
  ...[10, 17, 1, 15, 0, 0x02, 0x40, 0x03, 0x40, 0x20, 0, 0x45, 0x0d, 1, 0x0c, 0, 0x0b, 0x0b, 0x0b],
);

/** The kernel of a new module: it returns where its argument is 0. */
export const endless = (): Kernel => instantiate<Record<string, Kernel>>(ENDLESS)["0"] as Kernel;

/** A pool with its fields. */
interface OpenPool extends Pick<Pool, "run" | "failure" | "modules"> {
  readonly threads: readonly Thread[];
  readonly words: readonly Int32Array[];
  readonly running: Running;
}

/** The pool that runs. */
export function poolNow(): OpenPool {
  const pool = runningPool();
  if (pool === null) throw new Error("there is one thread");
  return pool as unknown as OpenPool;
}

/** The worker of Node of a thread. */
export const workerOf = (thread: Thread | undefined): { terminate(): Promise<number> } =>
  (thread as unknown as { worker: { terminate(): Promise<number> } }).worker;

/** Waits until something holds, while no event comes; a minute at most. */
export function until(what: string, holds: () => boolean): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; !holds(); i++) {
    if (i === 60_000) throw new Error(`${what}: expected within a minute, did not come`);
    Atomics.wait(pause, 0, 0, 1);
  }
}

/** Waits until thread t has taken the order that it was given last. */
export function untilTaken(t: number): void {
  const words = poolNow().words[t] as Int32Array;
  until(`thread ${t + 1} takes its order`, () => Atomics.load(words, CLAIM) === Atomics.load(words, ORDER));
}
