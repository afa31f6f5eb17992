/** Starts and ends the threads of this realm. */
import { core, extra, heapBase } from "../../kernels/build/release.ts";
import { relocations } from "../../kernels/build/relocations-release.ts";
import type { Int8Kernels } from "../../kernels/build/types.ts";
import { modules } from "../arithmetic.ts";
import { useKernels } from "../backend.ts";
import { shareSweeps } from "../fuse/share.ts";
import { wasmHeap } from "../memory.ts";
import { bytesOf, extraKernels, kernels, type LinearMemory, type ModuleHost, memory, moveMemory } from "../wasm.ts";
import { Gain } from "./gain.ts";
import { sharedInt8 } from "./int8.ts";
import { sharedMaps } from "./maps.ts";
import { sharedNeurons } from "./neurons.ts";
import { LEAST, type Least, leastWhile, Parts } from "./parts.ts";
import { realm, type Thread, threadMaker } from "./platform.ts";
import { type Compiled, Pool } from "./pool.ts";
import { sharedProducts } from "./products.ts";
import { overShared, relocated } from "./relocate.ts";
import { sharedSweeps } from "./sweeps.ts";
import { sharedValues } from "./values.ts";

const MAXIMUM_PAGES = 65536;
const PAGE = 65536;
/** The lowest address of a constant, as the build places them. */
const LOWEST = 1024;

/** How threads start and run. */
export interface Settings {
  /** The address of the program of a worker, for pages that forbid others; null where it is a text. */
  readonly worker?: string | null;
  /** Whether the main thread goes on alone while threads make it slower, as on a busy machine. */
  readonly backsOff?: boolean;
  /** Milliseconds without an answer after which a thread is given up, where the platform does not tell whether it runs. */
  readonly patience?: number;
}

/** The threads that run. */
interface Running {
  readonly pool: Pool;
  readonly parts: Parts;
  readonly areas: readonly number[];
  readonly least: Least;
  readonly settings: Settings;
}

/** The kernels of threads unless the program has chosen others. */
const portable = { core, extra, relocations };

let running: Running | null = null;

/** Whether linear memory is shared: it stays so when threads end, as views of shared memory cannot be detached. */
let isShared = false;

/** Modules over the shared memory, by each of their functions. */
const compiled = new WeakMap<object, Compiled>();

const host: ModuleHost = {
  fit: overShared,
  made(bytes, exports) {
    const isInt8 = "addListed" in exports;
    const steps = overShared(bytes);
    const bytesFor = (t: number): Uint8Array => (isInt8 ? relocated(bytes, relocations.int8, distanceOf(t)) : steps);
    const module = { bytesFor, exports };
    for (const each of Object.values(exports)) if (typeof each === "function") compiled.set(each, module);
    return isInt8
      ? { ...exports, ...sharedInt8(exports as unknown as Int8Kernels, () => running?.parts ?? null) }
      : exports;
  },
};

/** How much higher the constants of thread t lie. */
const distanceOf = (t: number, areas = (running as Running).areas): number => (areas[t] as number) - LOWEST;

/** Calls run one after the other. */
let last: Promise<unknown> = Promise.resolve();

const NONE: Settings = {};

/**
 * Starts so many threads, with the main one, after those that run have ended; kernels with at least so much work are shared. Nothing is done
 * where as many run in the same way. Where a thread does not start, all end.
 */
export function start(count: number, least: Least = LEAST, settings: Settings = NONE): Promise<void> {
  const started = last.then(() => change(count, least, settings));
  last = started.catch(() => {});
  return started;
}

/** The pool that runs, null while there is one thread. */
export const runningPool = (): Pool | null => running?.pool ?? null;

async function change(count: number, least: Least, settings: Settings): Promise<void> {
  if (running !== null && running.pool.count === count && isAs(running, least, settings)) return;
  stop();
  if (count === 1) return;
  const make = await threadMaker(settings.worker ?? null);
  if (!isShared) {
    moveMemory(sharedMemory(), host);
    isShared = true;
    // Ops run while the threads start.
    useKernels(kernels);
  }
  const areas: number[] = [];
  const threads: Thread[] = [];
  try {
    for (let t = 1; t < count; t++) {
      // The constants of a thread: a block of the heap in the place of the lowest addresses, which are 0 where a module sets none.
      const area = wasmHeap.allocate(heapBase);
      areas.push(area);
      kernels.fill(area, heapBase / 4, 0);
      threads.push(make());
    }
    await share(threads, areas, least, settings);
  } catch (error) {
    for (const thread of threads) thread.end();
    release(areas);
    throw error;
  }
}

/** Whether the threads run, and in this way. */
const isAs = ({ pool, least, settings }: Running, wanted: Least, { worker, backsOff }: Settings): boolean =>
  pool.failure === null && least === wanted && settings.worker === worker && settings.backsOff === backsOff;

async function share(
  threads: readonly Thread[],
  areas: readonly number[],
  least: Least,
  settings: Settings,
): Promise<void> {
  const { core, extra, relocations } = { ...portable, ...modules };
  const kernelsOf = [
    [bytesOf(core), relocations.core],
    [bytesOf(extra), relocations.extra],
  ] as const;
  const gain = settings.backsOff ? new Gain() : null;
  const pool = await Pool.start(
    threads,
    (t) => kernelsOf.map(([bytes, places]) => relocated(bytes, places, distanceOf(t, areas))),
    { modules: compiled, sleeps: realm.document === undefined, gain, lost, ...settings },
  );
  const others = extraKernels();
  pool.number(kernels);
  pool.number(others);
  const parts = new Parts(pool, gain === null ? least : leastWhile(gain, least));
  const all = { ...kernels, ...others };
  const values = sharedValues(all, parts);
  useKernels({
    ...all,
    ...sharedMaps(others, parts),
    ...values,
    ...sharedProducts(kernels, parts),
    ...sharedNeurons(kernels, parts, values.fill),
  });
  shareSweeps(sharedSweeps(parts));
  running = { pool, parts, areas, least, settings };
}

/** Ends the threads of a pool that has lost one; others may run by now. */
function lost(pool: Pool): void {
  if (running?.pool === pool) stop();
}

function stop(): void {
  if (running === null) return;
  const { pool, parts, areas } = running;
  running = null;
  shareSweeps(null);
  useKernels(kernels);
  pool.end();
  parts.free();
  release(areas);
}

const release = (areas: readonly number[]): void => {
  for (const at of areas) wasmHeap.release(at, heapBase);
};

/** A shared memory as large as the one that is used; where the platform has no room for all addresses, it can grow less. */
function sharedMemory(): LinearMemory {
  const pages = memory.buffer.byteLength / PAGE;
  let refused: unknown;
  for (let maximum = MAXIMUM_PAGES; maximum >= pages; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: pages, maximum, shared: true }) as LinearMemory;
    } catch (cause) {
      refused = cause;
    }
  }
  const hint = "raise ulimit -v, run Node with --disable-wasm-trap-handler, or free memory; one thread goes on";
  throw new Error(`threads: expected address space for a shared memory of ${pages * PAGE} bytes, got none; ${hint}`, {
    cause: refused,
  });
}
