/** Workers that run parts of kernels, and their orders. */
import { wasmHeap } from "../memory.ts";
import { memory } from "../wasm.ts";
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

/** A kernel, or a step that was compiled. */
export type Kernel = (...args: number[]) => unknown;

/** A module over the shared memory that was made after the threads, as a compiled step is, and its functions. */
export interface Compiled {
  /** The module for thread t, with constants of its own. */
  bytesFor(t: number): Uint8Array;
  readonly exports: object;
}

/** Turns of its loop in which a thread looks for an order before it sleeps. */
const TURNS = 20_000;
/** Turns in which the main thread leaves a part to the thread that it was ordered from, before it takes the part over. */
const GRACE = 200;
/** Turns in which it looks for the answer before it sleeps, where it may. */
const PATIENCE = 4000;
/** Milliseconds between two looks at a thread that does not answer. */
const LOOK = 100;
/** Milliseconds without an answer after which a thread is given up, where the platform does not tell whether it runs. */
const LOST = 20_000;
/** Milliseconds that a thread has for its start. */
const START = 20_000;
/** Functions of a module, at most: the number of one is the module's number times this, and its place. */
const FUNCTIONS = 65536;

/** How a pool runs. */
export interface Running {
  /** Modules that were compiled meanwhile, by each of their functions. */
  readonly modules: WeakMap<object, Compiled>;
  /** Whether the main thread may sleep: not that of a page. */
  readonly sleeps: boolean;
  /** Hears how long parts take; null where nobody asks. */
  readonly gain: Gain | null;
  /** Called once a thread has ended that was not told to, before the error is thrown. */
  readonly lost: (pool: Pool) => void;
  /** Milliseconds without an answer after which a thread is given up. */
  readonly patience?: number;
}

/** Functions by number, as all threads number them, and the slots of the threads. */
export class Pool {
  /** How many threads there are, with the main one. */
  readonly count: number;
  /** Why the pool runs no more orders: a thread has ended, or all have. */
  failure: Error | null = null;
  private readonly threads: readonly Thread[];
  private readonly words: readonly Int32Array[];
  private readonly numbers: readonly Float64Array[];
  private readonly sent: Int32Array;
  private readonly running: Running;
  private readonly ids = new WeakMap<Kernel, number>();
  /** How many numbers of modules are given, and those whose modules are garbage: the next modules get these. */
  private given = 0;
  private readonly free: number[] = [];
  private readonly garbage = new FinalizationRegistry<number>((module) => this.free.push(module));
  /** Of each part that is done, in any order, the milliseconds that it took, and how many there are. */
  private readonly times: number[] = [];
  private timed = 0;
  /** Whether the order took longer than the part of the main thread. */
  private late = false;

  private constructor(threads: readonly Thread[], running: Running) {
    // WebKitGTK has shared buffers, and hides the name of their class. A page of memory has room for the slots of all threads.
    const control = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
    this.running = running;
    this.threads = threads;
    this.count = threads.length + 1;
    this.words = threads.map((_, t) => new Int32Array(control, SLOT * t, SLOT / 4));
    this.numbers = threads.map((_, t) => new Float64Array(control, SLOT * t, SLOT / 8));
    this.sent = new Int32Array(threads.length);
  }

  /** Starts the threads, each with its own kernels: for thread t `modulesOf` gives them. */
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
      // While others were starting, nobody has heard of it.
      if (thread.hasEnded() === true) throw endOf(t, "its worker has ended");
    });
    return pool;
  }

  /** How many numbers of modules there are. */
  get modules(): number {
    return this.given;
  }

  /** Numbers the functions of the next module that threads have from their start. */
  number(exports: object): void {
    this.numberAs(this.given++, exports);
  }

  /** Numbers the functions of a module in the order in which threads number those of their copy. */
  private numberAs(module: number, exports: object): void {
    let id = FUNCTIONS * module;
    for (const each of Object.values(exports)) if (typeof each === "function") this.ids.set(each as Kernel, id++);
  }

  /** Gives the functions of a module that was made meanwhile to all threads. */
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
    // The functions of a module keep each other, and with them this record of it.
    this.garbage.register(compiled, number);
  }

  private idOf(f: Kernel): number {
    const known = this.ids.get(f);
    if (known !== undefined) return known;
    this.compile(this.running.modules.get(f) as Compiled);
    return this.ids.get(f) as number;
  }

  /**
   * Runs a kernel on parts: part 0 here, part i on thread i, with the arguments that `argumentsOf` gives. Returns the results.
   * Where a part fails, the others are finished before the error is thrown.
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

  /** Ends all threads; the order of one that sleeps wakes it. Later orders throw. */
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
    // Arguments that are left out are 0.
    for (let i = args.length; i < MOST; i++) numbers[ARGUMENTS + i] = 0;
    this.sent[t] = (this.sent[t] as number) + 1;
    Atomics.store(words, ORDER, this.sent[t] as number);
    if (Atomics.load(words, ASLEEP) !== 0) Atomics.notify(words, ORDER);
  }

  /** Waits until the orders of the first threads are done, and adds their results. Returns the first error. */
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

  /** Waits until the order of thread t is done, or takes the kernel f over: the thread may have no processor. Returns its result. */
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

  /** Waits until the order of thread t is done. Throws where the thread has ended, or does not answer. */
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
      // While all of the machine sleeps, the clock may go on.
      waited += Math.min(now - last, LOOK);
      last = now;
      if (waited < LOOK) continue;
      const hasEnded = (this.threads[t] as Thread).hasEnded();
      if (hasEnded === false || (hasEnded === undefined && waited < patience)) continue;
      // The answer may have come before the end.
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

/** The error of a thread that is gone. */
const endOf = (t: number, reason: string): Error =>
  new Error(`threads: thread ${t + 1} is gone: ${reason}; one thread goes on, and threads(n) starts others`);
