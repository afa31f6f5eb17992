/**
 * More cores: kernels with much work run on threads that share linear memory, with the bits of one thread.
 *
 *   import { threads } from "jarvis-snn/threads";
 *   await threads();                                   // as many as the machine has cores for this process
 *
 * @module jarvis-snn/threads
 */
import { core, heapBase } from "../../kernels/build/release.ts";
import { relocations } from "../../kernels/build/relocations.ts";
import { COUNT, numberOf, wrongValue } from "../arguments.ts";
import { useKernels } from "../backend.ts";
import { shareSweeps } from "../fuse/loop.ts";
import { wasmHeap } from "../memory.ts";
import { bytesOf, kernels, type LinearMemory, type ModuleHost, memory, moveMemory } from "../wasm.ts";
import { sharedWork } from "./kernels.ts";
import { realm, threadMaker } from "./platform.ts";
import { type Compiled, Pool } from "./pool.ts";
import { relocated } from "./relocate.ts";

/** The most threads, with the main one. */
const MOST = 16;
const MAXIMUM_PAGES = 65536;
const PAGE = 65536;
/** The lowest address of a constant, as the build places them. */
const LOWEST = 1024;

interface Running {
  readonly pool: Pool;
  readonly areas: readonly number[];
  free(): void;
}

let running: Running | null = null;

/** Whether linear memory is shared: it stays so when threads end, as views of shared memory cannot be detached. */
let isShared = false;

/** Modules over the shared memory, by each of their functions. */
const modules = new WeakMap<object, Compiled>();

const host: ModuleHost = {
  fit: (bytes) => relocated(bytes, "", 0),
  made(bytes, exports) {
    const module = { bytes: relocated(bytes, "", 0), exports };
    for (const each of Object.values(exports)) if (typeof each === "function") modules.set(each, module);
  },
};

/**
 * Lets so many threads share the work of kernels from now on, by default as many as the machine lets this process use, at most 16, and
 * returns their number. `threads(1)` ends all but the main one.
 *
 * All values stay: they move to a memory that threads share, so that views of the memory before, as `Tensor.data` gives them, have the
 * length 0 afterwards. The memory stays shared when the threads end.
 *
 * @throws RangeError unless n is an integer from 1 to 16; Error where the platform has no shared memory, or a worker does not start.
 */
export async function threads(n: number = available()): Promise<number> {
  const count = numberOf("threads", "n", n, COUNT);
  if (count > MOST) throw wrongValue("threads", `at most ${MOST}`, count);
  stop();
  if (count === 1) return 1;
  const make = await threadMaker(undefined);
  // The constants of a thread: a block of the heap in the place of the lowest addresses.
  const areas = Array.from({ length: count - 1 }, () => wasmHeap.allocate(heapBase));
  if (!isShared) {
    moveMemory(sharedMemory(), host);
    isShared = true;
  }
  const kernelsOf = [[bytesOf(core), relocations.core]] as const;
  const pool = await Pool.start(
    areas.map(() => make()),
    (t) => kernelsOf.map(([bytes, places]) => relocated(bytes, places, (areas[t] as number) - LOWEST)),
    modules,
    realm.document === undefined,
  );
  pool.number(kernels);
  const work = sharedWork(kernels, pool);
  useKernels(work.kernels);
  shareSweeps(work.sweeps);
  running = { pool, areas, free: work.free };
  return count;
}

function stop(): void {
  if (running === null) return;
  running.pool.end();
  running.free();
  for (const at of running.areas) wasmHeap.release(at, heapBase);
  running = null;
  shareSweeps(null);
  useKernels(kernels);
}

function sharedMemory(): LinearMemory {
  const pages = memory.buffer.byteLength / PAGE;
  return new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES, shared: true }) as LinearMemory;
}

function available(): number {
  return Math.min(MOST, realm.navigator?.hardwareConcurrency ?? 1);
}
