/**
 * Cuts work into parts. Each part computes some results of a kernel, and no sum is cut, so results have the same bits
 * as with one thread.
 */
import type { Own } from "../../kernels/build/cuts.ts";
import { integers, wordsAt } from "../core/backend.ts";
import { wasmHeap } from "../core/memory.ts";
import type { Kernel, Pool } from "./pool.ts";

/** Least work of a kernel for which parts pay: less takes no longer than the order. */
export interface Least {
  /** Number of values read once; a product counts an eighth of its multiplications. */
  readonly work: number;
  /** Least columns of a part, if a sweep is cut by columns: a multiple of 16. Each row is then a call. */
  readonly columns: number;
}

export const LEAST: Least = { work: 1 << 15, columns: 64 };

/** `least`, except that no work counts as enough while the main thread works alone. */
export const leastWhile = (isAlone: () => boolean, least: Least): Least => ({
  ...least,
  get work() {
    return isAlone() ? Infinity : least.work;
  },
});

/** Bytes of each thread's block for descriptors, of neurons and of a product. */
const DESCRIPTORS = 256;

/** The threads of a pool, with a descriptor block for each and workspaces that grow. */
export class Parts {
  /** Most parts: one per thread. */
  readonly count: number;
  readonly least: Least;
  private readonly pool: Pool;
  private readonly descriptors: readonly number[];
  private readonly owns: readonly Own[];
  private readonly at: number[];
  private readonly bytes: number[];
  /** Bytes already used in the descriptor block of the current part. */
  private used = 0;

  constructor(pool: Pool, least: Least) {
    const { count } = pool;
    this.pool = pool;
    this.count = count;
    this.least = least;
    this.descriptors = Array.from({ length: count }, () => wasmHeap.allocate(DESCRIPTORS));
    this.owns = this.descriptors.map((block, part) => ({
      area: (given, bytes) => (part === 0 ? given : this.work(part, bytes)),
      described: (address, words, ...changes) => this.describe(block, address, words, changes),
    }));
    this.at = new Array(count + 1).fill(0);
    this.bytes = new Array(count + 1).fill(0);
  }

  /** Number of parts for n items; each part has one or more whole units. */
  countOf(n: number, unit: number): number {
    return Math.min(this.count, Math.floor(n / unit));
  }

  /** Runs a kernel once per part, with the arguments of `argumentsOf`. Returns the results. */
  run(f: unknown, count: number, argumentsOf: (part: number) => readonly number[]): number[] {
    return this.pool.run(f as Kernel, count, argumentsOf);
  }

  /** Memory for the arguments of a part. Its descriptor block is used from the start again. */
  own(part: number): Own {
    this.used = 0;
    return this.owns[part] as Own;
  }

  /**
   * Copies a descriptor of `words` words into the part's block, after those copied before. `changes` are pairs (index,
   * new word).
   */
  private describe(block: number, address: number, words: number, changes: readonly number[]): number {
    const own = block + this.used;
    this.used += 4 * words;
    const [from, to] = [wordsAt(address, words), wordsAt(own, words)];
    integers.copyWithin(to, from, from + words);
    for (let i = 0; i < changes.length; i += 2) integers[to + (changes[i] as number)] = changes[i + 1] as number;
    return own;
  }

  /** Workspace of at least `bytes` bytes, for a part; index `count` is the workspace that all parts share. */
  work(part: number, bytes: number): number {
    const before = this.bytes[part] as number;
    if (before < bytes) {
      if (before > 0) wasmHeap.release(this.at[part] as number, before);
      this.bytes[part] = 0;
      this.at[part] = wasmHeap.allocate(bytes);
      this.bytes[part] = bytes;
    }
    return this.at[part] as number;
  }

  /** Frees the memory. */
  free(): void {
    for (const at of this.descriptors) wasmHeap.release(at, DESCRIPTORS);
    this.bytes.forEach((bytes, i) => {
      if (bytes > 0) wasmHeap.release(this.at[i] as number, bytes);
    });
  }
}
