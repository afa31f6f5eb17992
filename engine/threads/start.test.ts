/** Starts of threads in copies of the package that were just imported: calls at the same time, platforms that refuse, values that move. */
import { resolveObjectURL } from "node:buffer";
import { Worker as NodeWorker } from "node:worker_threads";
import { afterEach, expect, test, vi } from "vitest";
import { collected } from "../../test/support/garbage.ts";

const platform = WebAssembly;

/** A copy of the package, with one thread. */
async function copy() {
  vi.resetModules();
  const [engine, snn, wasm, { threads }, starts, support, kernels, extend] = await Promise.all([
    import("../index.ts"),
    import("../../snn/index.ts"),
    import("../core/wasm.ts"),
    import("./index.ts"),
    import("./start.ts"),
    import("../../test/support/threads.ts"),
    import("../kernels.ts"),
    import("../extend.ts"),
  ]);
  ends.push(() => starts.start(1));
  return { ...engine, ...snn, ...starts, ...support, wasm, threads, kernels, extend };
}

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  vi.unstubAllGlobals();
  for (const end of ends.splice(0)) await end();
});

const errorOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error("none"),
    (error) => error,
  );

/** A worker of the web on one of Node. `refuses` are the programs by whose address none starts, as a content policy has it. */
function webWorkers(refuses: "none" | "at once" | "later"): { urls: string[] } {
  const urls: string[] = [];
  class Worker {
    onmessage: ((event: { data: unknown }) => void) | null = null;
    onerror: ((event: object) => void) | null = null;
    private readonly worker: Promise<NodeWorker | null>;

    constructor(url: string) {
      urls.push(url);
      if (refuses === "at once") throw new Error("SecurityError");
      const text = url.startsWith("blob:") ? resolveObjectURL(url)?.text() : Promise.resolve(PROGRAMS.get(url));
      this.worker = Promise.resolve(text).then((program) => {
        if (program === undefined || refuses === "later") {
          this.onerror?.({});
          return null;
        }
        const web = `const { parentPort } = require("node:worker_threads");
          globalThis.postMessage = (data) => parentPort.postMessage(data);
          Object.defineProperty(globalThis, "onmessage", { set: (f) => parentPort.on("message", (data) => f({ data })) });`;
        const worker = new NodeWorker(`${web} ${program}`, { eval: true });
        worker.unref();
        worker.on("message", (data) => this.onmessage?.({ data }));
        return worker;
      });
    }

    postMessage(message: unknown): void {
      void this.worker.then((worker) => worker?.postMessage(message));
    }

    terminate(): void {
      void this.worker.then((worker) => worker?.terminate());
    }
  }
  vi.stubGlobal("Worker", Worker);
  return { urls };
}

/** Programs that a page serves, by their addresses. */
const PROGRAMS = new Map<string, string>();

test("threads: calls at the same time run one after the other, and all memory is given back", async () => {
  const { threads, runningPool, trained, memoryStats } = await copy();
  const alone = trained();
  await threads(2);
  await threads(1);
  await collected();
  const { live } = memoryStats();
  expect(await Promise.all([threads(2), threads(3), threads(1), threads(2)])).toEqual([2, 3, 1, 2]);
  expect(runningPool()?.count).toBe(2);
  await threads(1);
  expect(runningPool()).toBe(null);
  expect(memoryStats().live).toBe(live);
  expect(trained()).toEqual(alone);
});

test("threads: as many as run already are left alone", async () => {
  const { threads, runningPool } = await copy();
  await threads(2);
  const pool = runningPool();
  expect(await threads(2)).toBe(2);
  expect(runningPool()).toBe(pool);
  await threads(3);
  expect(runningPool()).not.toBe(pool);
});

test("threads: numbers and options are checked before anything is done", async () => {
  const { threads, wasm } = await copy();
  const { memory } = wasm;
  await expect(threads(0)).rejects.toThrow("threads: n must be an integer in [1, 16], got 0");
  await expect(threads(17)).rejects.toThrow("threads: n must be an integer in [1, 16], got 17");
  await expect(threads("2" as never)).rejects.toThrow(TypeError);
  await expect(threads(2, { worker: 3 } as never)).rejects.toThrow("threads: expected worker as an address, got 3");
  await expect(threads(2, { program: "" } as never)).rejects.toThrow(
    "threads: expected the options worker, got program",
  );
  expect(wasm.memory).toBe(memory);
});

test("threads: tensors, streams, steps, kernels and ops of a user go on with 2, 3 and 1, and old views end", async () => {
  const all = await copy();
  const { threads, manualSeed, rand, tensor, Sequential, Linear, LIF, Synaptic, Stream, noGrad, wasm } = all;
  const { kernels, extend } = all;
  manualSeed(3);
  const net = new Sequential(new Linear(20, 64), new LIF(), new Linear(64, 64), new Synaptic(), new Linear(64, 5));
  const x = rand([12, 64, 20]);
  const expected = noGrad(() => net.forward(x).toFloat32Array());
  const doubled = (t: typeof x): number[] => {
    const double = {
      name: "double",
      forward: (z: typeof x, a: typeof x) => extend.k.affine(extend.addressOf(z), extend.addressOf(a), z.size, 2, 0),
      backward: () => {},
    };
    return [...extend.apply(double as never, null, t).toFloat32Array()];
  };
  const at = kernels.alloc(16);
  new Float32Array(kernels.memory.buffer, at, 4).set([1, 2, 3, 4]);
  const t = tensor([1, 2, 3]);
  const before = [kernels.memory, t.data, new Float32Array(kernels.memory.buffer, at, 4)] as const;
  const bound = kernels.kernels;

  const frames = x.toFloat32Array();
  const stream = new Stream(net, [64, 20]);
  const out: Float32Array[] = [];
  for (const n of [1, 2, 3, 1]) {
    await threads(n);
    for (let i = 0; i < 3; i++) {
      out.push(stream.step(frames.subarray(1280 * out.length, 1280 * (out.length + 1))).slice());
    }
    expect(noGrad(() => net.forward(x).toFloat32Array())).toEqual(expected);
    expect([...t.data]).toEqual([1, 2, 3]);
    expect(doubled(t)).toEqual([2, 4, 6]);
    kernels.kernels.affine(at, at, 4, 1, 1);
    expect(extend.k.affine).toBeTypeOf("function");
  }
  expect(out.flatMap((each) => [...each])).toEqual([...expected]);
  expect([...new Float32Array(kernels.memory.buffer, at, 4)]).toEqual([5, 6, 7, 8]);
  expect(kernels.memory).toBe(wasm.memory);
  expect(kernels.memory).not.toBe(before[0]);
  expect(kernels.kernels).not.toBe(bound);
  expect(before[1].length + before[2].length).toBe(0);
});

test("threads: a data set over values of a tensor keeps them, in shared memory too", async () => {
  const { threads, rand, TensorDataset, wasm } = await copy();
  await threads(2);
  const t = rand([4, 3]);
  const [view, values] = [t.data as Float32Array, t.toFloat32Array()];
  wasm.memory.grow(1);
  const set = new TensorDataset(view, [0, 1, 2, 3], { shape: [3] } as never);
  t.data.fill(-1);
  expect([...(set as unknown as { x: Float32Array }).x]).toEqual([...values]);
});

test("threads: ops run while threads start", async () => {
  const { threads, trained, runningPool } = await copy();
  const alone = trained();
  const started = threads(3);
  let runs = 0;
  const wait = (async () => {
    while (runningPool() === null) {
      expect(trained()).toEqual(alone);
      runs++;
      await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  await started;
  await wait;
  expect(runs).toBeGreaterThan(0);
  expect(trained()).toEqual(alone);
});

test("threads: two copies of the package each have their own", async () => {
  const [one, two] = [await copy(), await copy()];
  const alone = one.trained();
  await Promise.all([one.threads(2), two.threads(3)]);
  expect([one.runningPool()?.count, two.runningPool()?.count]).toEqual([2, 3]);
  expect([one.trained(), two.trained()]).toEqual([alone, alone]);
  await one.threads(1);
  expect(two.trained()).toEqual(alone);
});

test("threads: where the address space does not suffice, the error says how to get by, and all goes on as before", async () => {
  const { threads, runningPool, trained, wasm } = await copy();
  const alone = trained();
  const { memory } = wasm;
  const cause = new RangeError("WebAssembly.Memory(): could not allocate memory");
  const Memory = class {
    constructor() {
      throw cause;
    }
  };
  vi.stubGlobal("WebAssembly", { Module: platform.Module, Instance: platform.Instance, Memory });
  const error = await errorOf(threads(2));
  expect(error.message).toMatch(/^threads: expected address space .* got none; raise ulimit -v, .*one thread goes on$/);
  expect(error.cause).toBe(cause);
  expect(wasm.memory).toBe(memory);
  expect(runningPool()).toBe(null);
  expect(trained()).toEqual(alone);
  vi.unstubAllGlobals();
  expect(await threads(2)).toBe(2);
  expect(trained()).toEqual(alone);
});

test("threads: where not all addresses can be had, the memory can grow less", async () => {
  const { threads, trained } = await copy();
  const alone = trained();
  const maxima: number[] = [];
  function Memory(descriptor: WebAssembly.MemoryDescriptor & { maximum: number }) {
    maxima.push(descriptor.maximum);
    if (descriptor.maximum > 20_000) throw new RangeError("no room");
    return new platform.Memory(descriptor);
  }
  vi.stubGlobal("WebAssembly", { Module: platform.Module, Instance: platform.Instance, Memory });
  expect(await threads(2)).toBe(2);
  // The last one has the slots of orders.
  expect(maxima).toEqual([65536, 32768, 16384, 1]);
  expect(trained()).toEqual(alone);
});

test("threads: where a module cannot be made for the shared memory, all stays in the memory before", async () => {
  const { threads, trained, wasm } = await copy();
  const alone = trained();
  const { memory, coreKernels } = wasm;
  let made = 0;
  // Kernels are made, then the compiled steps: one of these fails.
  function Module(bytes: Uint8Array<ArrayBuffer>) {
    made++;
    if (made === 2) throw new RangeError("no room");
    return new platform.Module(bytes);
  }
  const { Memory, Instance, CompileError, validate } = platform;
  vi.stubGlobal("WebAssembly", { Module, Memory, Instance, CompileError, validate });
  const { message } = await errorOf(threads(2));
  expect(message).toMatch(/^jarvis-snn: /);
  vi.unstubAllGlobals();
  expect(made).toBeGreaterThan(1);
  expect(wasm.memory).toBe(memory);
  expect(wasm.coreKernels).toBe(coreKernels);
  expect(memory.buffer.byteLength).toBeGreaterThan(0);
  expect(trained()).toEqual(alone);
});

test("threads: a page that is not cross-origin isolated gets an error with both headers, and keeps its memory", async () => {
  const { threads, wasm } = await copy();
  const { memory } = wasm;
  webWorkers("none");
  vi.stubGlobal("crossOriginIsolated", false);
  const { message } = await errorOf(threads(2));
  expect(message).toContain("Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp");
  expect(wasm.memory).toBe(memory);
});

test.each(["at once", "later"] as const)(
  "threads: a content policy that refuses a worker %s: a clean state",
  async (refuses) => {
    const { threads, runningPool, trained, memoryStats } = await copy();
    const alone = trained();
    await collected();
    const { live } = memoryStats();
    webWorkers(refuses);
    const { message } = await errorOf(threads(3));
    expect(message).toMatch(
      /^threads: a worker did not start: .*allow `worker-src blob:`, .*threads\(n, \{ worker: url \}\)$/,
    );
    expect(runningPool()).toBe(null);
    expect(memoryStats().live).toBe(live);
    expect(trained()).toEqual(alone);
    vi.unstubAllGlobals();
    expect(await threads(2)).toBe(2);
    expect(trained()).toEqual(alone);
  },
);

test("threads: workers of the web run a text, or the program at an address", async () => {
  const { threads, trained } = await copy();
  const alone = trained();
  vi.stubGlobal("crossOriginIsolated", true);
  const { urls } = webWorkers("none");
  await threads(3);
  expect(trained()).toEqual(alone);
  expect(urls.map((url) => url.slice(0, 5))).toEqual(["blob:", "blob:"]);
  PROGRAMS.set("https://example.org/worker.js", await programText());
  await threads(2, { worker: new URL("https://example.org/worker.js") });
  expect(urls.slice(2)).toEqual(["https://example.org/worker.js"]);
  expect(trained()).toEqual(alone);
  const { message } = await errorOf(threads(3, { worker: "https://example.org/none.js" }));
  expect(message).toBe("threads: a worker did not start: https://example.org/none.js may not be its program");
});

/** The program of a worker, as a page would serve it. */
async function programText(): Promise<string> {
  const { work } = await import("./worker.ts");
  return `const __name = (f) => f; const work = ${work}; onmessage = ({ data }) => work(data, () => postMessage("ready"));`;
}

test("threads: kernels that a program imports are those over the shared memory, also where garbage was collected before", async () => {
  const { start, kernels, wasm, ALL } = await copy();
  await collected();
  const before = kernels.kernels;
  await start(2, ALL);
  expect(kernels.kernels).not.toBe(before);
  const at = kernels.alloc(64);
  kernels.kernels.fill(at, 16, 3);
  expect([...new Float32Array(wasm.memory.buffer, at, 16)]).toEqual(new Array(16).fill(3));
});
