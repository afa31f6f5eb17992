/** Workers of the platform: of Node by its module, elsewhere by `Worker`. */
import { type Start, work } from "./worker.ts";

/** A worker of the platform. */
export interface Thread {
  /** Sends what it begins with, and waits until its kernels are there. */
  start(message: Start): Promise<void>;
  end(): void;
}

/** The text of the program of a worker; tools that keep names of functions call the first one. */
const PROGRAM = `const __name = (f) => f; const work = ${String(work)};`;

/** What is used of a worker of Node. */
interface NodeWorker {
  once(event: "message" | "error" | "exit", listener: (value: unknown) => void): void;
  postMessage(message: unknown): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface NodeThreads {
  readonly Worker: new (program: string, options: object) => NodeWorker;
}

/** What is used of a worker of the web. */
interface WebWorker {
  onmessage: (() => void) | null;
  onerror: ((event: { readonly message: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

/** What realms have beyond the platform that the package asks for everywhere: not all of it is in each. */
interface Realm {
  readonly document?: object;
  readonly process?: object;
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly Worker?: new (url: string) => WebWorker;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
  readonly Blob: new (parts: readonly string[], options: { type: string }) => object;
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const realm = globalThis as unknown as Realm;

/** How many threads the machine lets this process use. */
export function available(): number {
  return realm.navigator?.hardwareConcurrency ?? 1;
}

const NODE = "node:worker_threads";

/** Of Node itself: Deno and Bun have its modules too, and workers of the web beside them. */
const isNode = (): boolean => realm.Worker === undefined && realm.process !== undefined;

/** A function that makes threads. `url` is the program of a page that forbids others; without it the program is a text. */
export async function threadMaker(url: string | undefined): Promise<() => Thread> {
  if (isNode()) {
    const { Worker } = (await import(/* @vite-ignore */ NODE)) as NodeThreads;
    return () => new ThreadOfNode(Worker);
  }
  return () => new ThreadOfWeb(url);
}

class ThreadOfNode implements Thread {
  private readonly worker: NodeWorker;

  constructor(Worker: NodeThreads["Worker"]) {
    const program = `${PROGRAM} const { parentPort } = require("node:worker_threads");
      parentPort.once("message", (start) => work(start, () => parentPort.postMessage("ready")));`;
    this.worker = new Worker(program, { eval: true, execArgv: [], env: {} });
    this.worker.unref();
  }

  start(message: Start): Promise<void> {
    const { worker } = this;
    return new Promise((resolve, reject) => {
      worker.once("message", () => resolve());
      worker.once("error", (error) => reject(new Error(`threads: a worker has failed: ${error}`)));
      worker.once("exit", () => reject(new Error("threads: a worker has ended")));
      worker.postMessage(message);
    });
  }

  end(): void {
    void this.worker.terminate();
  }
}

class ThreadOfWeb implements Thread {
  private readonly worker: WebWorker;

  constructor(url: string | undefined) {
    const { URL, Blob, Worker } = realm;
    if (Worker === undefined) throw new Error("threads: this platform has no workers");
    const program = `${PROGRAM} onmessage = ({ data }) => work(data, () => postMessage("ready"));`;
    const at = url ?? URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
    this.worker = new Worker(at);
    if (url === undefined) URL.revokeObjectURL(at);
  }

  start(message: Start): Promise<void> {
    const { worker } = this;
    return new Promise((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = ({ message: error }) => reject(new Error(`threads: a worker has failed: ${error}`));
      worker.postMessage(message);
    });
  }

  end(): void {
    this.worker.terminate();
  }
}
