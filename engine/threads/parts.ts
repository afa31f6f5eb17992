/** How work is cut into parts: each has some of the results of a kernel, and a sum is never cut, so the bits are those of one thread. */
import { wasmHeap } from "../memory.ts";
import type { Gain } from "./gain.ts";
import type { Kernel, Pool } from "./pool.ts";

/** From how much work on a kernel is cut: less takes no longer than the order. */
export interface Least {
  /** Multiplications and additions of a product. */
  readonly products: number;
  /** Values that are read once. */
  readonly values: number;
  /** Neurons of a step that feed each other. */
  readonly states: number;
}

export const LEAST: Least = { products: 1 << 18, values: 1 << 15, states: 1 << 12 };

/** No work is enough to be cut while the main thread works alone. */
export const leastWhile = (gain: Gain, least: Least): Least => ({
  get products() {
    return gain.isAlone() ? Infinity : least.products;
  },
  get values() {
    return gain.isAlone() ? Infinity : least.values;
  },
  get states() {
    return gain.isAlone() ? Infinity : least.states;
  },
});

/** Bytes of the block of a thread for descriptors: of a product, and of neurons behind it. */
const DESCRIPTOR = 256;

/** The threads of a pool with what they need: a descriptor each, and work areas that grow. */
export class Parts {
  /** How many parts there are: one for each thread. */
  readonly count: number;
  readonly least: Least;
  /** The address of a block for a descriptor, for each part. */
  readonly descriptors: readonly number[];
  private readonly pool: Pool;
  private readonly at: number[];
  private readonly bytes: number[];

  constructor(pool: Pool, least: Least) {
    const { count } = pool;
    this.pool = pool;
    this.count = count;
    this.least = least;
    this.descriptors = Array.from({ length: count }, () => wasmHeap.allocate(DESCRIPTOR));
    this.at = new Array(count + 1).fill(0);
    this.bytes = new Array(count + 1).fill(0);
  }

  /** Runs a kernel once for each part, with the arguments that `argumentsOf` gives. Returns the results. */
  run(f: unknown, argumentsOf: (part: number) => readonly number[]): number[] {
    return this.pool.run(f as Kernel, this.count, argumentsOf);
  }

  /** The first of n things, in whole multiples, that a part has; for the part behind the last it is n. */
  first(part: number, n: number, multiple = 1): number {
    return part === this.count ? n : Math.min(n, multiple * Math.round((part * n) / this.count / multiple));
  }

  /** The work area of a part, or of all together behind the last, of at least so many bytes. */
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

  /** Gives back the memory. */
  free(): void {
    for (const at of this.descriptors) wasmHeap.release(at, DESCRIPTOR);
    this.bytes.forEach((bytes, i) => {
      if (bytes > 0) wasmHeap.release(this.at[i] as number, bytes);
    });
  }
}
