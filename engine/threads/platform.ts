/** Workers of the platform: of `worker_threads` in Node, elsewhere of `Worker`. */
import { type Start, work } from "./worker.ts";

/** A worker of the platform. */
export interface Thread {
  /** Sends the first message; resolves when the worker has compiled its kernels. */
  start(message: Start): Promise<void>;
  /** Called with the reason if the worker ends unexpectedly, once the event loop reports it. */
  ended: (reason: string) => void;
  /** Whether the worker has ended, also without an event; undefined if the platform does not report it. */
  hasEnded(): boolean | undefined;
  end(): void;
}

/** Program text of a worker. Build tools that keep function names insert calls of `__name`. */
const PROGRAM = `const __name = (f) => f; const work = ${String(work)};`;

/** Members of a Node worker that are used. */
interface NodeWorker {
  on(event: "error" | "exit", listener: (value: unknown) => void): void;
  once(event: "message", listener: () => void): void;
  postMessage(message: unknown): void;
  unref(): void;
  terminate(): Promise<number>;
}

/** A Node message port, which shows whether its other end still exists. */
interface NodePort {
  postMessage(message: unknown): boolean | undefined;
  close(): void;
}

interface NodeThreads {
  readonly Worker: new (program: string, options: object) => NodeWorker;
  readonly MessageChannel: new () => { readonly port1: NodePort; readonly port2: NodePort };
}

/** Members of a web worker that are used. */
interface WebWorker {
  onmessage: (() => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

/** Globals that the package looks for; no platform has all of them. */
interface Realm {
  readonly document?: object;
  readonly process?: object;
  readonly Deno?: object;
  readonly Bun?: object;
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly crossOriginIsolated?: boolean;
  readonly Worker?: new (url: string) => WebWorker;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
  readonly Blob: new (parts: readonly string[], options: { type: string }) => object;
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const realm = globalThis as unknown as Realm;

const HEADERS = "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";

/** Whether this is Node. Unlike Node, Deno and Bun have a global `Worker`, and Deno asks for permissions. */
export const isNode = (): boolean => realm.Worker === undefined && realm.process !== undefined;

/** Imports a module of Node. The name is a variable, so that bundlers of pages leave the import alone. */
export const moduleOfNode = (name: string): Promise<unknown> =>
  import(/* @vite-ignore */ /* webpackIgnore: true */ name);

/**
 * Whether Node's workers exist. A program can end while they wait; web workers, which Deno and Bun have too, would keep
 * it alive.
 */
const hasNode = (): boolean => isNode() || realm.Deno !== undefined || realm.Bun !== undefined;

/**
 * Returns a function that starts workers. `url` is the address of the worker program, for pages that forbid blobs;
 * without it, the program is sent as text.
 *
 * @throws Error if the platform has no workers, or the page no shared memory.
 */
export async function threadMaker(url: string | null): Promise<() => Thread> {
  if (hasNode()) {
    const threads = (await moduleOfNode("node:worker_threads")) as NodeThreads;
    return () => new ThreadOfNode(threads);
  }
  // Servers lack this property, and share memory without headers.
  if (realm.crossOriginIsolated === false) {
    throw new Error(`threads: expected a page that is cross-origin isolated, got one without the headers ${HEADERS}`);
  }
  const { Worker } = realm;
  if (Worker === undefined) throw new Error("threads: expected a platform with workers, got one without");
  return () => new ThreadOfWeb(Worker, url);
}

const ignore = (): void => {};

const notStarted = (reason: string, options?: { cause: unknown }): Error =>
  new Error(`threads: a worker did not start: ${reason}`, options);

class ThreadOfNode implements Thread {
  ended: (reason: string) => void = ignore;
  private readonly worker: NodeWorker;
  /** Its other end closes with the worker. The result of `postMessage` then shows this without an event. */
  private readonly port: NodePort;
  private tells = false;

  constructor({ Worker, MessageChannel }: NodeThreads) {
    const program = `${PROGRAM} const { parentPort, workerData } = require("node:worker_threads");
      globalThis.port = workerData;
      parentPort.once("message", (start) => work(start, () => parentPort.postMessage("ready")));`;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const options = { eval: true, execArgv: [], env: {}, workerData: port2, transferList: [port2] };
    try {
      this.worker = new Worker(program, options);
    } catch (cause) {
      throw notStarted(`${cause}; a permission model needs --allow-worker`, { cause });
    }
    this.worker.on("error", (error) => this.ended(String(error)));
    this.worker.on("exit", (code) => this.ended(`its worker has ended with exit code ${code}`));
  }

  async start(message: Start): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // A listener that remained would keep Node alive.
      this.worker.once("message", () => resolve());
      this.ended = (reason) => reject(notStarted(reason));
      this.worker.postMessage(message);
    });
    // In Bun, adding a listener keeps the program alive again.
    this.worker.unref();
    this.tells = this.port.postMessage(null) === true;
  }

  hasEnded(): boolean | undefined {
    return this.tells ? this.port.postMessage(null) !== true : undefined;
  }

  end(): void {
    this.ended = ignore;
    this.port.close();
    void this.worker.terminate();
  }
}

class ThreadOfWeb implements Thread {
  ended: (reason: string) => void = ignore;
  private readonly worker: WebWorker;
  /** Reason for a worker that does not start, if the platform gives none. */
  private readonly hint: string;

  constructor(Worker: NonNullable<Realm["Worker"]>, url: string | null) {
    const { URL, Blob } = realm;
    this.hint =
      url === null
        ? "the content policy may forbid it: allow `worker-src blob:`, or serve its program: threads(n, { worker: url })"
        : `${url} may not be its program`;
    const program = `${PROGRAM} onmessage = ({ data }) => work(data, () => postMessage("ready"));`;
    const at = url ?? URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
    try {
      this.worker = new Worker(at);
    } catch (cause) {
      throw notStarted(this.hint, { cause });
    } finally {
      if (url === null) URL.revokeObjectURL(at);
    }
    this.worker.onerror = ({ message }) => this.ended(message || this.hint);
  }

  start(message: Start): Promise<void> {
    return new Promise((resolve, reject) => {
      this.worker.onmessage = () => resolve();
      this.ended = (reason) => reject(notStarted(reason));
      this.worker.postMessage(message);
    });
  }

  hasEnded(): undefined {
    return undefined;
  }

  end(): void {
    this.ended = ignore;
    this.worker.terminate();
  }
}
