/** Workers of the platform: of Node by its module, elsewhere by `Worker`. */
import { type Start, work } from "./worker.ts";

/** A worker of the platform. */
export interface Thread {
  /** Sends its first message, and waits until its kernels are there. */
  start(message: Start): Promise<void>;
  /** Called with the reason when the event loop hears that the worker has ended, without having been told to. */
  ended: (reason: string) => void;
  /** Whether it has ended, as far as is known while no event comes; undefined where the platform does not tell. */
  hasEnded(): boolean | undefined;
  end(): void;
}

/** The text of the program of a worker; tools that keep names of functions call the first one. */
const PROGRAM = `const __name = (f) => f; const work = ${String(work)};`;

/** The parts of a worker of Node that are used. */
interface NodeWorker {
  on(event: "error" | "exit", listener: (value: unknown) => void): void;
  once(event: "message", listener: () => void): void;
  postMessage(message: unknown): void;
  unref(): void;
  terminate(): Promise<number>;
}

/** A port of Node, which tells whether the other end is there. */
interface NodePort {
  postMessage(message: unknown): boolean | undefined;
  close(): void;
}

interface NodeThreads {
  readonly Worker: new (program: string, options: object) => NodeWorker;
  readonly MessageChannel: new () => { readonly port1: NodePort; readonly port2: NodePort };
}

/** The parts of a worker of the web that are used. */
interface WebWorker {
  onmessage: (() => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

/** Globals beyond the platform that the package asks for everywhere: no realm has all of them. */
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

const NODE = "node:worker_threads";

const HEADERS = "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";

/** Whether this is Node itself, which asks for no permissions. */
export const isNode = (): boolean => realm.Worker === undefined && realm.process !== undefined;

/** Whether workers of Node are there, which let a program end: those of the web, which Deno and Bun have beside them, do not. */
const hasNode = (): boolean => isNode() || realm.Deno !== undefined || realm.Bun !== undefined;

/**
 * A function that makes threads. `url` is the program of a page that forbids others; without it the program is a text.
 *
 * @throws Error where the platform has no workers, or the page no shared memory.
 */
export async function threadMaker(url: string | null): Promise<() => Thread> {
  if (hasNode()) {
    const threads = (await import(/* @vite-ignore */ NODE)) as NodeThreads;
    return () => new ThreadOfNode(threads);
  }
  // Servers do not have this word, and share memory without headers.
  if (realm.crossOriginIsolated === false) {
    throw new Error(`threads: expected a page that is cross-origin isolated, got one without the headers ${HEADERS}`);
  }
  const { Worker } = realm;
  if (Worker === undefined) throw new Error("threads: expected a platform with workers, got one without");
  return () => new ThreadOfWeb(Worker, url);
}

const ignore = (): void => {};

class ThreadOfNode implements Thread {
  ended: (reason: string) => void = ignore;
  private readonly worker: NodeWorker;
  /** Its other end goes with the worker, which shows in what `postMessage` returns, without an event. */
  private readonly port: NodePort;
  private tells = false;

  constructor({ Worker, MessageChannel }: NodeThreads) {
    const program = `${PROGRAM} const { parentPort, workerData } = require("node:worker_threads");
      globalThis.port = workerData;
      parentPort.once("message", (start) => work(start, () => parentPort.postMessage("ready")));`;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.worker = new Worker(program, {
      eval: true,
      execArgv: [],
      env: {},
      workerData: port2,
      transferList: [port2],
    });
    this.worker.on("error", (error) => this.ended(String(error)));
    this.worker.on("exit", (code) => this.ended(`its worker has ended with exit code ${code}`));
  }

  async start(message: Start): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // A listener that stays would keep Node alive.
      this.worker.once("message", () => resolve());
      this.ended = (reason) => reject(new Error(`threads: a worker did not start: ${reason}`));
      this.worker.postMessage(message);
    });
    // In Bun a listener keeps the program alive again.
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
  /** The reason for a worker that does not start, where the platform gives none. */
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
      throw new Error(`threads: a worker did not start: ${this.hint}`, { cause });
    } finally {
      if (url === null) URL.revokeObjectURL(at);
    }
    this.worker.onerror = ({ message }) => this.ended(message || this.hint);
  }

  start(message: Start): Promise<void> {
    return new Promise((resolve, reject) => {
      this.worker.onmessage = () => resolve();
      this.ended = (reason) => reject(new Error(`threads: a worker did not start: ${reason}`));
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
