/** A pool of workers that run parts of kernels, and the orders to them. */
import { wasmHeap } from "../core/memory.ts";
import { memory } from "../core/wasm.ts";
import type { Gain } from "./gain.ts";
import {
  ARGUMENTS,
  ASLEEP,
  CLAIM,
  COMPILE,
  DONE,
  END,
  FAILED,
  FUNCTION,
  LONGEST,
  MOST,
  ORDER,
  RESULT,
  SLOT,
  TEXT,
  TOOK,
  WAITING,
} from "./orders.ts";
import { realm, type Thread } from "./platform.ts";

/** A kernel or a compiled step. */
export type Kernel = (...args: number[]) => unknown;

/** A module that was made after the threads started, such as a compiled step, with its functions. */
export interface Compiled {
  /** The module for thread t, whose constants are at separate addresses. */
  bytesFor(t: number): Uint8Array;
  readonly exports: object;
}

/** Turns of a thread's loop that look for an order, before the thread sleeps. */
const TURNS = 20_000;
/** Turns that the main thread waits for a thread to claim its part, before it takes over the part. */
const GRACE = 200;
/** Turns that the main thread looks for the answer, before it sleeps (if it may sleep). */
const PATIENCE = 4000;
/** Milliseconds between two checks of a thread that does not answer. */
const LOOK = 100;
/**
 * Milliseconds without an answer after which a thread counts as lost, if the platform does not report whether it runs.
 */
const LOST = 20_000;
/** Milliseconds that a thread has to start. */
const START = 20_000;
/** Most functions of a module; factor of the module number in a function's number. */
const FUNCTIONS = 65536;

/** Settings of a pool. */
export interface Running {
  /** Modules that were compiled after the start, by each of their functions. */
  readonly modules: WeakMap<object, Compiled>;
  /** Whether the main thread may sleep; not allowed in a page. */
  readonly sleeps: boolean;
  /** Receives the times of parts; null if unused. */
  readonly gain: Gain | null;
  /** Called when a thread has ended unexpectedly, before the error is thrown. */
  readonly lost: (pool: Pool) => void;
  /** Milliseconds without an answer after which a thread counts as lost. */
  readonly patience?: number;
}

/** Threads, their slots, and functions by number; all threads use the same numbers. */
export class Pool {
  /** Number of threads, including the main one. */
  readonly count: number;
  /** Why the pool runs no more orders: a thread has ended, or all have; otherwise null. */
  failure: Error | null = null;
  private readonly threads: readonly Thread[];
  private readonly words: readonly Int32Array[];
  private readonly numbers: readonly Float64Array[];
  private readonly sent: Int32Array;
  private readonly running: Running;
  private readonly ids = new WeakMap<Kernel, number>();
  /** Number of module numbers in use, and numbers of collected modules, which are used again. */
  private given = 0;
  private readonly free: number[] = [];
  private readonly garbage = new FinalizationRegistry<number>((module) => this.free.push(module));
  /** Times of the finished parts in milliseconds, in any order, and their number. */
  private readonly times: number[] = [];
  private timed = 0;
  /** Whether the order took longer than the main thread's part. */
  private late = false;

  private constructor(threads: readonly Thread[], running: Running) {
    // Made by WebAssembly.Memory, because WebKitGTK hides SharedArrayBuffer. One page has room for the slots of all
    // threads.
    const control = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
    this.running = running;
    this.threads = threads;
    this.count = threads.length + 1;
    this.words = threads.map((_, t) => new Int32Array(control, SLOT * t, SLOT / 4));
    this.numbers = threads.map((_, t) => new Float64Array(control, SLOT * t, SLOT / 8));
    this.sent = new Int32Array(threads.length);
  }

  /** Starts the threads. `modulesOf` returns the kernel modules of thread t. */
  static async start(
    threads: readonly Thread[],
    modulesOf: (t: number) => readonly Uint8Array[],
    running: Running,
  ): Promise<Pool> {
    const pool = new Pool(threads, running);
    const places = { ORDER, CLAIM, DONE, FAILED, ASLEEP, WAITING, TEXT, RESULT, TOOK, FUNCTION, ARGUMENTS };
    const starts = threads.map((thread, t) =>
      thread.start({
        memory: memory as WebAssembly.Memory,
        words: pool.words[t] as Int32Array,
        numbers: pool.numbers[t] as Float64Array,
        modules: modulesOf(t),
        names: { ...places, LONGEST, COMPILE, END },
        turns: TURNS,
      }),
    );
    let timer: unknown;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`threads: expected a worker to start within ${START / 1000} s, got no answer`);
      timer = realm.setTimeout(() => reject(error), START);
    });
    try {
      await Promise.race([Promise.all(starts), late]);
    } finally {
      realm.clearTimeout(timer);
    }
    threads.forEach((thread, t) => {
      thread.ended = (reason) => {
        pool.failure ??= endOf(t, reason);
      };
      // The thread may have ended while others started, when nothing listened.
      if (thread.hasEnded() === true) throw endOf(t, "its worker has ended");
    });
    return pool;
  }

  /** Number of module numbers in use. */
  get modules(): number {
    return this.given;
  }

  /** Numbers the functions of the next module that threads have from the start. */
  number(exports: object): void {
    this.numberAs(this.given++, exports);
  }

  /** Numbers a module's functions in the order in which threads number those of their copy. */
  private numberAs(module: number, exports: object): void {
    let id = FUNCTIONS * module;
    for (const each of Object.values(exports)) if (typeof each === "function") this.ids.set(each as Kernel, id++);
  }

  /** Sends a module that was made after the start to all threads, and numbers its functions. */
  private compile(compiled: Compiled): void {
    const modules = this.threads.map((_, t) => compiled.bytesFor(t));
    const size = modules.reduce((sum, { length }) => sum + length, 0);
    const block = wasmHeap.allocate(size);
    const number = this.free.pop() ?? this.given++;
    let at = block;
    modules.forEach((bytes, t) => {
      new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
      this.post(t, COMPILE, [at, bytes.length, number]);
      at += bytes.length;
    });
    const error = this.joinAll(modules.length, null, []);
    wasmHeap.release(block, size);
    if (error !== null) this.free.push(number);
    if (this.failure !== null) this.giveUp(this.failure);
    if (error !== null) throw error;
    this.numberAs(number, compiled.exports);
    // Functions of a module keep each other alive, and with them this record.
    this.garbage.register(compiled, number);
  }

  private idOf(f: Kernel): number {
    const known = this.ids.get(f);
    if (known !== undefined) return known;
    this.compile(this.running.modules.get(f) as Compiled);
    return this.ids.get(f) as number;
  }

  /**
   * Runs a kernel in parts: part 0 here, part i on thread i, with arguments from `argumentsOf`. Returns the results. If
   * a part throws, the other parts are finished before the error is thrown.
   */
  run(f: Kernel, parts: number, argumentsOf: (part: number) => readonly number[]): number[] {
    if (this.failure !== null) this.giveUp(this.failure);
    const id = this.idOf(f);
    const results: number[] = [];
    const { gain } = this.running;
    const began = gain === null ? 0 : gain.now();
    this.timed = 0;
    this.late = false;
    let posted = 0;
    let error: unknown = null;
    try {
      for (; posted < parts - 1; posted++) this.post(posted, id, argumentsOf(posted + 1));
      results.push(Number(f(...argumentsOf(0)) ?? 0));
    } catch (own) {
      error = own;
    }
    const own = gain === null ? 0 : gain.now() - began;
    error = this.joinAll(posted, f, results) ?? error;
    if (this.failure !== null) this.giveUp(this.failure);
    if (error !== null) throw error;
    if (gain !== null) {
      this.times[this.timed++] = own;
      gain.note(this.late ? gain.now() - began : own, this.times, this.timed);
    }
    return results;
  }

  /** Ends all threads; an order wakes those that sleep. Later orders throw. */
  end(): void {
    this.failure ??= new Error("threads: expected kernels of threads that run, got some that were kept from before");
    for (let t = 0; t < this.threads.length; t++) {
      this.post(t, END, []);
      (this.threads[t] as Thread).end();
    }
  }

  private giveUp(failure: Error): never {
    this.running.lost(this);
    throw failure;
  }

  private post(t: number, f: number, args: readonly number[]): void {
    const [words, numbers] = [this.words[t] as Int32Array, this.numbers[t] as Float64Array];
    numbers[FUNCTION] = f;
    for (let i = 0; i < args.length; i++) numbers[ARGUMENTS + i] = args[i] as number;
    // Omitted arguments are 0.
    for (let i = args.length; i < MOST; i++) numbers[ARGUMENTS + i] = 0;
    this.sent[t] = (this.sent[t] as number) + 1;
    Atomics.store(words, ORDER, this.sent[t] as number);
    if (Atomics.load(words, ASLEEP) !== 0) Atomics.notify(words, ORDER);
  }

  /** Waits for the orders of the first `count` threads and adds their results to `results`. Returns the first error. */
  private joinAll(count: number, f: Kernel | null, results: number[]): unknown {
    let first: unknown = null;
    for (let t = 0; t < count; t++) {
      try {
        results.push(this.join(t, f));
      } catch (error) {
        first ??= error;
      }
    }
    return first;
  }

  /**
   * Waits for the order of thread t. If no processor runs the thread, the main thread takes over the kernel f. Returns
   * the result.
   */
  private join(t: number, f: Kernel | null): number {
    const words = this.words[t] as Int32Array;
    const order = this.sent[t] as number;
    for (let turn = 0; turn < GRACE; turn++) if (Atomics.load(words, DONE) === order) return this.resultOf(t);
    this.late = true;
    const unclaimed = (order - 1) | 0;
    if (f !== null && Atomics.compareExchange(words, CLAIM, unclaimed, order) === unclaimed) return this.takeOver(t, f);
    for (let turn = 0; turn < PATIENCE; turn++) if (Atomics.load(words, DONE) === order) return this.resultOf(t);
    this.wait(t, order);
    return this.resultOf(t);
  }

  /** Waits for the order of thread t. Throws if the thread has ended or does not answer. */
  private wait(t: number, order: number): void {
    const words = this.words[t] as Int32Array;
    const { sleeps, patience = LOST } = this.running;
    let waited = 0;
    let last = performance.now();
    while (Atomics.load(words, DONE) !== order) {
      if (sleeps) {
        const before = Atomics.load(words, DONE);
        Atomics.store(words, WAITING, 1);
        if (before !== order) Atomics.wait(words, DONE, before, LOOK);
        Atomics.store(words, WAITING, 0);
      } else {
        for (let turn = 0; turn < PATIENCE; turn++) if (Atomics.load(words, DONE) === order) return;
      }
      const now = performance.now();
      // The clock may advance while the whole machine sleeps, so each turn counts at most LOOK.
      waited += Math.min(now - last, LOOK);
      last = now;
      if (waited < LOOK) continue;
      const hasEnded = (this.threads[t] as Thread).hasEnded();
      if (hasEnded === false || (hasEnded === undefined && waited < patience)) continue;
      // The thread may have answered just before its end.
      if (Atomics.load(words, DONE) === order) return;
      this.failure = endOf(t, hasEnded ? "its worker has ended" : `no answer came for ${patience / 1000} s`);
      throw this.failure;
    }
  }

  private resultOf(t: number): number {
    const [words, numbers] = [this.words[t] as Int32Array, this.numbers[t] as Float64Array];
    if (words[FAILED] !== 0) {
      words[FAILED] = 0;
      const text = String.fromCharCode(...words.subarray(TEXT + 1, TEXT + 1 + (words[TEXT] as number)));
      throw new Error(`threads: a kernel has failed in thread ${t + 1}: ${text}`);
    }
    if (this.running.gain !== null) this.times[this.timed++] = numbers[TOOK] as number;
    return numbers[RESULT] as number;
  }

  private takeOver(t: number, f: Kernel): number {
    const args = (this.numbers[t] as Float64Array).subarray(ARGUMENTS, ARGUMENTS + MOST);
    const { gain } = this.running;
    const began = gain === null ? 0 : gain.now();
    try {
      return Number(f(...args) ?? 0);
    } finally {
      if (gain !== null) this.times[this.timed++] = gain.now() - began;
      Atomics.store(this.words[t] as Int32Array, DONE, this.sent[t] as number);
    }
  }
}

/** The error for a thread that ended or is lost. */
const endOf = (t: number, reason: string): Error =>
  new Error(`threads: thread ${t + 1} is gone: ${reason}; one thread goes on, and threads(n) starts others`);
