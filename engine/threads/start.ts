/** Starts and ends the threads of this realm. */
import { core, extra, heapBase, rare } from "../../kernels/build/release.ts";
import { relocations } from "../../kernels/build/relocations-release.ts";
import { modules } from "../core/arithmetic.ts";
import { useKernels } from "../core/backend.ts";
import { wasmHeap } from "../core/memory.ts";
import {
  coreKernels,
  extraKernels,
  type LinearMemory,
  type ModuleHost,
  memory,
  moduleBytes,
  moveMemory,
  rareKernels,
} from "../core/wasm.ts";
import { shareSweeps } from "../fuse/share.ts";
import { Gain } from "./gain.ts";
import { LEAST, type Least, leastWhile, Parts } from "./parts.ts";
import { realm, type Thread, threadMaker } from "./platform.ts";
import { type Compiled, Pool } from "./pool.ts";
import { overShared, relocated } from "./relocate.ts";
import { shared, sharedSpread } from "./shared.ts";
import { sharedSweeps } from "./sweeps.ts";

const MAXIMUM_PAGES = 65536;
const PAGE = 65536;
/** Lowest address of a constant; the build places constants from here on. */
const LOWEST = 1024;

/** How threads start and run. */
export interface Settings {
  /** Address of the worker program, for pages that forbid blobs; null: sent as text. */
  readonly worker?: string | null;
  /** Whether the main thread works alone while threads make it slower, as on a busy machine. */
  readonly backsOff?: boolean;
  /**
   * Milliseconds without an answer after which a thread counts as lost, if the platform does not report whether it
   * runs.
   */
  readonly patience?: number;
}

/** The running threads. */
interface Running {
  readonly pool: Pool;
  readonly parts: Parts;
  readonly areas: readonly number[];
  readonly least: Least;
  readonly settings: Settings;
}

/** Kernels of threads, unless the program imported `jarvis-snn/relaxed`. */
const portable = { core, rare, extra, relocations };

let running: Running | null = null;

/**
 * Whether linear memory is shared. It remains shared when threads end, because views of shared memory cannot be
 * detached.
 */
let isShared = false;

/** Modules over shared memory, by each of their functions. */
const compiled = new WeakMap<object, Compiled>();

const host: ModuleHost = {
  fit: overShared,
  made(bytes, exports) {
    const isInt8 = "addListed" in exports;
    const steps = overShared(bytes);
    const bytesFor = (t: number): Uint8Array => (isInt8 ? relocated(bytes, relocations.int8, distanceOf(t)) : steps);
    const module = { bytesFor, exports };
    for (const each of Object.values(exports)) if (typeof each === "function") compiled.set(each, module);
    return isInt8 ? { ...exports, ...shared(exports, () => running?.parts ?? null) } : exports;
  },
};

/** Distance in bytes from the main thread's constants to those of thread t. */
const distanceOf = (t: number, areas = (running as Running).areas): number => (areas[t] as number) - LOWEST;

/** The last call; calls run one after the other. */
let last: Promise<unknown> = Promise.resolve();

const NONE: Settings = {};

/**
 * Ends the running threads, then starts `count` threads, including the main one; kernels with at least `least` work are
 * shared. Does nothing if the same threads run already. If a thread does not start, all end.
 */
export function start(count: number, least: Least = LEAST, settings: Settings = NONE): Promise<void> {
  const started = last.then(() => change(count, least, settings));
  last = started.catch(() => {});
  return started;
}

/** The running pool; null with one thread. */
export const runningPool = (): Pool | null => running?.pool ?? null;

async function change(count: number, least: Least, settings: Settings): Promise<void> {
  if (running !== null && running.pool.count === count && isAs(running, least, settings)) return;
  stop();
  if (count === 1) return;
  const make = await threadMaker(settings.worker ?? null);
  if (!isShared) {
    moveMemory(sharedMemory(), host);
    isShared = true;
    // Ops can run while threads start.
    useKernels(coreKernels);
  }
  const areas: number[] = [];
  const threads: Thread[] = [];
  try {
    for (let t = 1; t < count; t++) {
      // Memory for a thread's constants: its copy of the addresses from 0 to heapBase. It starts as zeros.
      const area = wasmHeap.allocate(heapBase);
      areas.push(area);
      coreKernels.fill(area, heapBase / 4, 0);
      threads.push(make());
    }
    await share(threads, areas, least, settings);
  } catch (error) {
    for (const thread of threads) thread.end();
    release(areas);
    throw error;
  }
}

/** Whether the running threads have these settings. */
const isAs = ({ pool, least, settings }: Running, wanted: Least, { worker, backsOff }: Settings): boolean =>
  pool.failure === null && least === wanted && settings.worker === worker && settings.backsOff === backsOff;

async function share(
  threads: readonly Thread[],
  areas: readonly number[],
  least: Least,
  settings: Settings,
): Promise<void> {
  const { core, rare, extra, relocations } = { ...portable, ...modules };
  const kernelsOf = [
    [moduleBytes(core), relocations.core],
    [moduleBytes(rare), relocations.rare],
    [moduleBytes(extra), relocations.extra],
  ] as const;
  const gain = settings.backsOff ? new Gain() : null;
  const pool = await Pool.start(
    threads,
    (t) => kernelsOf.map(([bytes, places]) => relocated(bytes, places, distanceOf(t, areas))),
    { modules: compiled, sleeps: realm.document === undefined, gain, lost, ...settings },
  );
  const images = extraKernels();
  const others = rareKernels();
  for (const exports of [coreKernels, others, images]) pool.number(exports);
  const parts = new Parts(
    pool,
    gain === null ? least : leastWhile(() => pool.failure === null && gain.isAlone(), least),
  );
  const all = { ...coreKernels, ...others, ...images };
  useKernels({ ...all, ...shared(all, () => parts), ...sharedSpread(images, parts) });
  shareSweeps(sharedSweeps(parts));
  running = { pool, parts, areas, least, settings };
}

/** Ends the threads of a pool that has lost one, unless another pool runs by now. */
function lost(pool: Pool): void {
  if (running?.pool === pool) stop();
}

function stop(): void {
  if (running === null) return;
  const { pool, parts, areas } = running;
  running = null;
  shareSweeps(null);
  useKernels(coreKernels);
  pool.end();
  parts.free();
  release(areas);
}

const release = (areas: readonly number[]): void => {
  for (const at of areas) wasmHeap.release(at, heapBase);
};

/**
 * A shared memory as large as the current one. If the platform cannot reserve all addresses, its largest size is
 * smaller.
 */
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
