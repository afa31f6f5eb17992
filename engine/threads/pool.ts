/** Workers that run parts of kernels, and their orders. */
import { wasmHeap } from "../memory.ts";
import { memory } from "../wasm.ts";
import * as orders from "./orders.ts";
import { realm, type Thread } from "./platform.ts";

const { ORDER, CLAIM, DONE, FAILED, ASLEEP, WAITING, RESULT, FUNCTION, ARGUMENTS, COMPILE, END, SLOT } = orders;

/** A kernel, or a step that was compiled. */
export type Kernel = (...args: number[]) => unknown;

/** A module of compiled steps over the shared memory, and its functions. */
export interface Compiled {
  readonly bytes: Uint8Array;
  readonly exports: object;
}

/** Turns of its loop in which a thread looks for an order before it sleeps. */
const TURNS = 20_000;
/** Turns in which the main thread leaves a part to the thread that it was ordered from, before it takes the part over. */
const GRACE = 200;
/** Turns in which it looks for the answer before it sleeps, where it may. */
const PATIENCE = 4000;
/** Milliseconds after which a thread that has taken a part is given up. */
const LOST = 20_000;
/** Milliseconds that a thread has for its start. */
const START = 20_000;

/** Functions by number, as all threads number them, and the slots of the threads. */
export class Pool {
  /** How many threads there are, with the main one. */
  readonly count: number;
  private readonly threads: readonly Thread[];
  private readonly words: readonly Int32Array[];
  private readonly numbers: readonly Float64Array[];
  private readonly sent: Int32Array;
  /** Modules that were compiled meanwhile, by each of their functions. */
  private readonly modules: WeakMap<object, Compiled>;
  private readonly ids = new Map<unknown, number>();
  private readonly functions: Kernel[] = [];
  /** Whether the main thread may sleep: not that of a page. */
  private readonly sleeps: boolean;

  private constructor(threads: readonly Thread[], modules: WeakMap<object, Compiled>, sleeps: boolean) {
    const control = new SharedArrayBuffer(SLOT * threads.length);
    this.modules = modules;
    this.threads = threads;
    this.count = threads.length + 1;
    this.words = threads.map((_, t) => new Int32Array(control, SLOT * t, SLOT / 4));
    this.numbers = threads.map((_, t) => new Float64Array(control, SLOT * t, SLOT / 8));
    this.sent = new Int32Array(threads.length);
    this.sleeps = sleeps;
  }

  /** Starts the threads, each with its own kernels: for thread t `modulesOf` gives them. Where one does not start, all end. */
  static async start(
    threads: readonly Thread[],
    modulesOf: (t: number) => readonly Uint8Array[],
    modules: WeakMap<object, Compiled>,
    sleeps: boolean,
  ): Promise<Pool> {
    const pool = new Pool(threads, modules, sleeps);
    const starts = threads.map((thread, t) =>
      thread.start({
        memory: memory as WebAssembly.Memory,
        words: pool.words[t] as Int32Array,
        numbers: pool.numbers[t] as Float64Array,
        modules: modulesOf(t),
        names: { ORDER, CLAIM, DONE, FAILED, ASLEEP, WAITING, RESULT, FUNCTION, ARGUMENTS, COMPILE, END },
        turns: TURNS,
      }),
    );
    let timer: unknown;
    const late = new Promise<never>((_, reject) => {
      timer = realm.setTimeout(
        () => reject(new Error(`threads: a worker did not start within ${START / 1000} s`)),
        START,
      );
    });
    try {
      await Promise.race([Promise.all(starts), late]);
    } catch (error) {
      for (const thread of threads) thread.end();
      throw error;
    } finally {
      realm.clearTimeout(timer);
    }
    return pool;
  }

  /** Numbers the functions of a module, in the order in which threads number those of their copy. */
  number(exports: object): void {
    for (const each of Object.values(exports)) {
      if (typeof each !== "function") continue;
      this.ids.set(each, this.functions.length);
      this.functions.push(each as Kernel);
    }
  }

  /** Gives the functions of a module that was compiled meanwhile to all threads. */
  private compile({ bytes, exports }: Compiled): void {
    const at = wasmHeap.allocate(bytes.length);
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    for (let t = 0; t < this.threads.length; t++) this.post(t, COMPILE, [at, bytes.length]);
    for (let t = 0; t < this.threads.length; t++) this.join(t);
    wasmHeap.release(at, bytes.length);
    this.number(exports);
  }

  private idOf(f: Kernel): number {
    const known = this.ids.get(f);
    if (known !== undefined) return known;
    this.compile(this.modules.get(f) as Compiled);
    return this.ids.get(f) as number;
  }

  /** Runs a kernel on parts: part 0 here, part i on thread i, with the arguments that `argumentsOf` gives. Returns the results. */
  run(f: Kernel, parts: number, argumentsOf: (part: number) => readonly number[]): number[] {
    const id = this.idOf(f);
    for (let t = 0; t < parts - 1; t++) this.post(t, id, argumentsOf(t + 1));
    const results = [Number(f(...argumentsOf(0)) ?? 0)];
    for (let t = 0; t < parts - 1; t++) results.push(this.join(t));
    return results;
  }

  /** Ends all threads; the order of one that sleeps wakes it. */
  end(): void {
    for (let t = 0; t < this.threads.length; t++) {
      this.post(t, END, []);
      (this.threads[t] as Thread).end();
    }
  }

  private post(t: number, f: number, args: readonly number[]): void {
    const [words, numbers] = [this.words[t] as Int32Array, this.numbers[t] as Float64Array];
    numbers[FUNCTION] = f;
    // Arguments that are left out are 0.
    for (let i = 0; i < orders.MOST; i++) numbers[ARGUMENTS + i] = args[i] ?? 0;
    this.sent[t] = (this.sent[t] as number) + 1;
    Atomics.store(words, ORDER, this.sent[t] as number);
    if (Atomics.load(words, ASLEEP) !== 0) Atomics.notify(words, ORDER);
  }

  /** Waits until the order of thread t is done, or takes it over: the thread may have no processor. Returns its result. */
  private join(t: number): number {
    const words = this.words[t] as Int32Array;
    const order = this.sent[t] as number;
    for (let turn = 0; turn < GRACE; turn++) if (Atomics.load(words, DONE) === order) return this.resultOf(t);
    const f = (this.numbers[t] as Float64Array)[FUNCTION] as number;
    const unclaimed = (order - 1) | 0;
    if (f >= 0 && Atomics.compareExchange(words, CLAIM, unclaimed, order) === unclaimed) return this.takeOver(t, f);
    for (let turn = 0; turn < PATIENCE; turn++) if (Atomics.load(words, DONE) === order) return this.resultOf(t);
    const start = Date.now();
    while (Atomics.load(words, DONE) !== order) {
      if (Date.now() - start > LOST) {
        throw new Error(`threads: thread ${t + 1} has not answered for ${LOST / 1000} s; it may have ended`);
      }
      if (!this.sleeps) continue;
      const before = Atomics.load(words, DONE);
      Atomics.store(words, WAITING, 1);
      if (before !== order) Atomics.wait(words, DONE, before, 1000);
      Atomics.store(words, WAITING, 0);
    }
    return this.resultOf(t);
  }

  private resultOf(t: number): number {
    const words = this.words[t] as Int32Array;
    if (words[FAILED] !== 0) {
      words[FAILED] = 0;
      throw new Error(`threads: a kernel has failed in thread ${t + 1}`);
    }
    return (this.numbers[t] as Float64Array)[RESULT] as number;
  }

  private takeOver(t: number, f: number): number {
    const numbers = this.numbers[t] as Float64Array;
    const args = numbers.subarray(ARGUMENTS, ARGUMENTS + orders.MOST);
    const result = Number((this.functions[f] as Kernel)(...args) ?? 0);
    Atomics.store(this.words[t] as Int32Array, DONE, this.sent[t] as number);
    return result;
  }
}
