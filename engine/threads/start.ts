/** Starts and ends the threads of this realm. */
import { core, extra, heapBase } from "../../kernels/build/release.ts";
import { relocations } from "../../kernels/build/relocations-release.ts";
import { modules } from "../arithmetic.ts";
import { useKernels } from "../backend.ts";
import { shareSweeps } from "../fuse/loop.ts";
import { wasmHeap } from "../memory.ts";
import { bytesOf, extraKernels, kernels, type LinearMemory, type ModuleHost, memory, moveMemory } from "../wasm.ts";
import { sharedNeurons, sharedSweeps } from "./neurons.ts";
import { LEAST, type Least, Parts } from "./parts.ts";
import { realm, threadMaker } from "./platform.ts";
import { type Compiled, Pool } from "./pool.ts";
import { sharedProducts } from "./products.ts";
import { relocated } from "./relocate.ts";
import { sharedValues } from "./values.ts";

const MAXIMUM_PAGES = 65536;
const PAGE = 65536;
/** The lowest address of a constant, as the build places them. */
const LOWEST = 1024;

interface Running {
  readonly pool: Pool;
  readonly parts: Parts;
  readonly areas: readonly number[];
}

/** The kernels of threads unless the program has chosen others. */
const portable = { core, extra, relocations };

let running: Running | null = null;

/** Whether linear memory is shared: it stays so when threads end, as views of shared memory cannot be detached. */
let isShared = false;

/** Modules over the shared memory, by each of their functions. */
const compiled = new WeakMap<object, Compiled>();

const host: ModuleHost = {
  fit: (bytes) => relocated(bytes, "", 0),
  made(bytes, exports) {
    const module = { bytes: relocated(bytes, "", 0), exports };
    for (const each of Object.values(exports)) if (typeof each === "function") compiled.set(each, module);
  },
};

/** Starts so many threads, with the main one, after those that run have ended; kernels with at least so much work are shared. */
export async function start(count: number, least: Least = LEAST): Promise<void> {
  stop();
  if (count === 1) return;
  const make = await threadMaker(undefined);
  // The constants of a thread: a block of the heap in the place of the lowest addresses.
  const areas = Array.from({ length: count - 1 }, () => wasmHeap.allocate(heapBase));
  if (!isShared) {
    moveMemory(sharedMemory(), host);
    isShared = true;
  }
  const { core, extra, relocations } = { ...portable, ...modules };
  const kernelsOf = [
    [bytesOf(core), relocations.core],
    [bytesOf(extra), relocations.extra],
  ] as const;
  const pool = await Pool.start(
    areas.map(() => make()),
    (t) => kernelsOf.map(([bytes, places]) => relocated(bytes, places, (areas[t] as number) - LOWEST)),
    compiled,
    realm.document === undefined,
  );
  const others = extraKernels();
  pool.number(kernels);
  pool.number(others);
  const parts = new Parts(pool, least);
  const values = sharedValues(kernels, parts);
  useKernels({
    ...kernels,
    ...others,
    ...values,
    ...sharedProducts(kernels, parts),
    ...sharedNeurons(kernels, parts, values.fill),
  });
  shareSweeps(sharedSweeps(parts));
  running = { pool, parts, areas };
}

function stop(): void {
  if (running === null) return;
  running.pool.end();
  running.parts.free();
  for (const at of running.areas) wasmHeap.release(at, heapBase);
  running = null;
  shareSweeps(null);
  useKernels(kernels);
}

function sharedMemory(): LinearMemory {
  const pages = memory.buffer.byteLength / PAGE;
  return new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES, shared: true }) as LinearMemory;
}
