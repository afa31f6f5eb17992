/**
 * The kernels that threads share: each is cut into parts of its result, and a sum is never cut, so the bits are those of one thread. Small
 * work stays on one.
 */

import type { CoreKernels } from "../../kernels/build/types.ts";
import * as lif from "../../kernels/lif-layout.ts";
import * as product from "../../kernels/product-layout.ts";
import { integers, wordsAt } from "../backend.ts";
import type { Shared } from "../fuse/loop.ts";
import { wasmHeap } from "../memory.ts";
import type { Kernel, Pool } from "./pool.ts";

/** Multiplications and additions, or values, from which on an order is worth its time. */
const MANY_PRODUCTS = 1 << 18;
const MANY_VALUES = 1 << 15;
/** Neurons of a step that feed each other. */
const MANY_STATES = 1 << 12;
/** Bytes of the block of a thread for descriptors. */
const DESCRIPTOR = 192;

/** The first of n things, in whole multiples, that part i of so many has. */
const cut = (i: number, parts: number, n: number, multiple: number): number =>
  i === parts ? n : Math.min(n, multiple * Math.round((i * n) / parts / multiple));

/**
 * The values of whole rows of n that fill words of bits, 0 where spikes of a row end within sixteen bits: these are written with the bits
 * beside them, which may be another thread's.
 */
const wholeWords = (n: number): number => (n % 32 === 0 ? n : n % 16 === 0 ? 2 * n : 0);

/** The words of the arrays of neurons that begin so many values later in a part. */
const FORWARD = [lif.u, lif.from, lif.current, lif.v, lif.last];
const BACKWARD = [
  ...[lif.u, lif.from, lif.dSpikes, lif.dMembrane, lif.dV],
  ...[lif.dLast, lif.dNext, lif.dU, lif.dSum, lif.dFrom],
];

/** The greatest power of two up to 32 that divides n. */
const gcd32 = (n: number): number => Math.min(32, n & -n);

/** Memory of the threads: a descriptor each, and work areas that grow. */
class Rooms {
  readonly descriptors: readonly number[];
  private readonly at: number[];
  private readonly bytes: number[];

  constructor(count: number) {
    this.descriptors = Array.from({ length: count }, () => wasmHeap.allocate(DESCRIPTOR));
    this.at = new Array(count).fill(0);
    this.bytes = new Array(count).fill(0);
  }

  /** The work area of a part, of at least so many bytes. */
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

  free(): void {
    for (const at of this.descriptors) wasmHeap.release(at, DESCRIPTOR);
    this.bytes.forEach((bytes, i) => {
      if (bytes > 0) wasmHeap.release(this.at[i] as number, bytes);
    });
  }
}

/** Elementwise kernels, by the place of their first array and the number of their arrays. */
const ELEMENTWISE: readonly (readonly [first: number, arrays: number, names: string])[] = [
  [0, 1, "fill"],
  [0, 2, "addTo addScaled affine exp log tanh sigmoid sqrt square abs relu clamp spike"],
  [0, 3, "add sub mul div mulGrad divGrad maximum minimum gt ge lt le eq clampGrad"],
  [0, 3, "expGrad logGrad tanhGrad sigmoidGrad sqrtGrad squareGrad absGrad reluGrad sgd"],
  [0, 4, "divisorGrad where maximumGrad minimumGrad"],
  [0, 5, "adam"],
  [1, 3, "formula"],
  [1, 4, "formulaGrad"],
];
const SINGLE = "add sub mul div mulGrad divGrad maximum minimum maximumGrad minimumGrad gt ge lt le eq".split(" ");
/** Kernels over rows, by the number of their arrays. */
const ROWWISE: readonly (readonly [arrays: number, names: string])[] = [
  [2, "softmax logSoftmax"],
  [3, "softmaxGrad logSoftmaxGrad"],
];

/** Work that all threads of a pool share. */
export interface SharedWork {
  /** The kernels, of which those with much work are shared. */
  readonly kernels: CoreKernels;
  /** Sweeps of compiled steps. */
  readonly sweeps: Shared;
  /** Gives back memory of the threads. */
  free(): void;
}

/** The work of the kernels `k`, and of compiled steps, on the threads of this pool. */
export function sharedWork(k: CoreKernels, pool: Pool): SharedWork {
  const parts = pool.count;
  const rooms = new Rooms(parts);
  const run = (f: unknown, argumentsOf: (part: number) => readonly number[]): number[] =>
    pool.run(f as Kernel, parts, argumentsOf);

  /** A copy of a product's descriptor for a part; returns the index of its first word, which holds until memory is allocated. */
  const copied = (descriptor: number, part: number): number => {
    const from = wordsAt(descriptor, product.words);
    const to = wordsAt(rooms.descriptors[part] as number, product.words);
    integers.copyWithin(to, from, from + product.words);
    return to;
  };

  /** Rows `from` to `to` of C and of A, in a product that is described: bytes of A and of C follow each other by rows. */
  const takeRows = (at: number, from: number, to: number): void => {
    const c = integers[at + product.c] as number;
    const first = c + 4 * from * (integers[at + product.cRow] as number);
    if (integers[at + product.init] === c) integers[at + product.init] = first;
    integers[at + product.c] = first;
    const a = integers[at + product.a] as number;
    if (a !== 0) integers[at + product.a] = a + 4 * from * (integers[at + product.aRow] as number);
    integers[at + product.m] = to - from;
  };

  /** Columns `from` to `to` of C and of B. */
  const takeColumns = (at: number, from: number, to: number): void => {
    integers[at + product.c] = (integers[at + product.c] as number) + 4 * from;
    const init = integers[at + product.init] as number;
    if (init !== 0) integers[at + product.init] = init + 4 * from;
    integers[at + product.b] =
      (integers[at + product.b] as number) + 4 * from * (integers[at + product.bCol] as number);
    integers[at + product.n] = to - from;
  };

  /**
   * Runs neurons by parts of a step, where they are many: whole words of bits, and whole rows where parameters belong to columns. `arrays` are
   * the words of arrays of numbers. Returns whether there were enough.
   */
  const runNeurons = (f: unknown, descriptor: number, arrays: readonly number[]): boolean => {
    const at = wordsAt(descriptor, lif.words);
    const of = (word: number): number => integers[at + word] as number;
    const [T, n] = [of(lif.T), of(lif.n)];
    const size = of(lif.rows) * n;
    const byRows = of(lif.stepBeta) + of(lif.stepThreshold) !== 0;
    const unit = wholeWords(byRows ? n : 32);
    if (T * size < MANY_VALUES || size % 32 !== 0 || unit === 0 || size < 2 * parts * unit) return false;
    const bits = f === k.lifForward ? of(lif.spikes) : 0;
    if (bits !== 0) own.fill?.(bits, (T * size) / 32, 0);
    run(f, (part) => {
      const to = rooms.descriptors[part] as number;
      const [first, words] = [wordsAt(descriptor, lif.words), wordsAt(to, lif.words)];
      integers.copyWithin(words, first, first + lif.words);
      const from = cut(part, parts, size, unit);
      const count = cut(part + 1, parts, size, unit) - from;
      integers[words + lif.rows] = byRows ? count / n : 1;
      integers[words + lif.n] = byRows ? n : count;
      integers[words + lif.stepAll] = size;
      for (const word of arrays) {
        const array = integers[words + word] as number;
        if (array !== 0) integers[words + word] = array + 4 * from;
      }
      if (bits !== 0) integers[words + lif.spikes] = bits + from / 8;
      return [to];
    });
    return true;
  };

  const wordOf = (descriptor: number, word: number): number =>
    integers[wordsAt(descriptor, product.words) + word] as number;

  const named = k as unknown as Readonly<Record<string, Kernel>>;

  /**
   * An elementwise kernel, whose arguments from number `first` on are the addresses of so many arrays and n, the values of each. Where the
   * argument behind n is set in a kernel that `hasSingle`, the last array has one value.
   */
  const elementwise = (name: string, first: number, arrays: number, hasSingle: boolean): Kernel => {
    const f = named[name] as Kernel;
    const at = first + arrays;
    return (...args) => {
      const n = args[at] as number;
      if (n < MANY_VALUES) {
        f(...args);
        return;
      }
      const shifted = hasSingle && (args[at + 1] ?? 0) !== 0 ? at - 1 : at;
      run(f, (part) => {
        const from = cut(part, parts, n, 16);
        const mine = args.slice();
        for (let i = first; i < shifted; i++) if (mine[i] !== 0) mine[i] = (mine[i] as number) + 4 * from;
        mine[at] = cut(part + 1, parts, n, 16) - from;
        return mine;
      });
    };
  };

  /** A kernel over rows of the same length: the addresses of so many arrays, rows and columns. */
  const rowwise = (name: string, arrays: number): Kernel => {
    const f = named[name] as Kernel;
    return (...args) => {
      const [rows, columns] = [args[arrays], args[arrays + 1]] as [number, number];
      if (rows * columns < MANY_VALUES || rows < 2 * parts) {
        f(...args);
        return;
      }
      run(f, (part) => {
        const from = cut(part, parts, rows, 1);
        const mine = args.slice();
        for (let i = 0; i < arrays; i++) mine[i] = (mine[i] as number) + 4 * from * columns;
        mine[arrays] = cut(part + 1, parts, rows, 1) - from;
        return mine;
      });
    };
  };

  const own: Partial<CoreKernels> = {
    lifForward(descriptor) {
      if (!runNeurons(k.lifForward, descriptor, FORWARD)) k.lifForward(descriptor);
    },
    lifBackward(descriptor) {
      if (!runNeurons(k.lifBackward, descriptor, BACKWARD)) k.lifBackward(descriptor);
    },
    gemm(descriptor) {
      const [m, n, depth] = [product.m, product.n, product.k].map((word) => wordOf(descriptor, word)) as [
        number,
        number,
        number,
      ];
      const byRows = m >= n && m >= 4 * parts;
      if (m * n * depth < MANY_PRODUCTS || !(byRows || n >= 16 * parts)) return k.gemm(descriptor);
      run(k.gemm, (part) => {
        const at = copied(descriptor, part);
        if (byRows) takeRows(at, cut(part, parts, m, 2), cut(part + 1, parts, m, 2));
        else takeColumns(at, cut(part, parts, n, 16), cut(part + 1, parts, n, 16));
        return [rooms.descriptors[part] as number];
      });
    },
    gemmSampled(descriptor) {
      const [m, n, depth] = [product.m, product.n, product.k].map((word) => wordOf(descriptor, word)) as [
        number,
        number,
        number,
      ];
      if (m * n * depth < MANY_PRODUCTS || m < 2 * parts) return k.gemmSampled(descriptor);
      const row = 4 * Math.ceil(n / 32);
      run(k.gemmSampled, (part) => {
        const at = copied(descriptor, part);
        const from = cut(part, parts, m, 1);
        takeRows(at, from, cut(part + 1, parts, m, 1));
        integers[at + product.bits] = (integers[at + product.bits] as number) + from * row;
        return [rooms.descriptors[part] as number];
      });
    },
    gather(descriptor) {
      const words = [product.m, product.n, product.k, product.count, product.a];
      const [m, n, depth, count, a] = words.map((word) => wordOf(descriptor, word)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const byColumns = n >= 32 * parts;
      if (count * n < MANY_PRODUCTS || !(byColumns || m >= 4 * parts)) return k.gather(descriptor);
      // As `follow` gives it to one thread.
      const bytes = 4 * (m + 5 + (a !== 0 ? 2 * count : (count + 1) >> 1));
      for (let part = 1; part < parts; part++) rooms.work(part, bytes);
      const row = 4 * Math.ceil(depth / 32);
      run(k.gather, (part) => {
        const at = copied(descriptor, part);
        if (byColumns) takeColumns(at, cut(part, parts, n, 32), cut(part + 1, parts, n, 32));
        else {
          const from = cut(part, parts, m, 2);
          takeRows(at, from, cut(part + 1, parts, m, 2));
          integers[at + product.bits] = (integers[at + product.bits] as number) + from * row;
        }
        if (part > 0) integers[at + product.work] = rooms.work(part, bytes);
        return [rooms.descriptors[part] as number];
      });
    },
    packBits(bits, x, rows, n) {
      if (rows < 2 * parts || rows * n < MANY_VALUES) return k.packBits(bits, x, rows, n);
      const row = 4 * Math.ceil(n / 32);
      const found = run(k.packBits, (part) => {
        const from = cut(part, parts, rows, 1);
        return [bits + row * from, x + 4 * n * from, cut(part + 1, parts, rows, 1) - from, n];
      });
      // The highest bit says that some are graded.
      return found.reduce((sum, each) => (sum + (each & 0x7fffffff)) | ((sum | each) & -0x80000000), 0);
    },
    transpose(z, x, m, n, apart = n) {
      if (m * n < MANY_VALUES || n < 32 * parts) return k.transpose(z, x, m, n, apart);
      run(k.transpose, (part) => {
        const from = cut(part, parts, n, 16);
        return [z + 4 * from * m, x + 4 * from, m, cut(part + 1, parts, n, 16) - from, apart || n];
      });
    },
    transposeBits(z, bits, rows, n, apart = 0) {
      if (rows * n < 8 * MANY_VALUES || n < 32 * parts) return k.transposeBits(z, bits, rows, n, apart);
      const row = 4 * Math.ceil(rows / 32);
      run(k.transposeBits, (part) => {
        const from = cut(part, parts, n, 32);
        const count = cut(part + 1, parts, n, 32) - from;
        return [z + row * from, bits + from / 8, rows, count, apart || Math.ceil(n / 32)];
      });
    },
    sumAxis(z, x, outer, n, inner, apart = 0) {
      const columns = Math.abs(inner);
      if (outer !== 1 || n * columns < MANY_VALUES || columns < 32 * parts)
        return k.sumAxis(z, x, outer, n, inner, apart);
      run(k.sumAxis, (part) => {
        const from = cut(part, parts, columns, 16);
        const count = cut(part + 1, parts, columns, 16) - from;
        return [z + 4 * from, x + 4 * from, 1, n, -count, apart || columns];
      });
    },
    addSumAxis(z, x, outer, n, inner, scale, apart = 0) {
      if (outer !== 1 || n * inner < MANY_VALUES || inner < 32 * parts)
        return k.addSumAxis(z, x, outer, n, inner, scale, apart);
      run(k.addSumAxis, (part) => {
        const from = cut(part, parts, inner, 16);
        const count = cut(part + 1, parts, inner, 16) - from;
        return [z + 4 * from, x + 4 * from, 1, n, -count, scale, apart || inner];
      });
    },
    alignBits(z, bits, rows, n) {
      // A part begins at a word of the stream.
      const unit = 32 / gcd32(n);
      if (rows < 2 * parts * unit || rows * n < 8 * MANY_VALUES) return k.alignBits(z, bits, rows, n);
      const row = 4 * Math.ceil(n / 32);
      const counts = run(k.alignBits, (part) => {
        const from = cut(part, parts, rows, unit);
        return [z + row * from, bits + (from * n) / 8, cut(part + 1, parts, rows, unit) - from, n];
      });
      return counts.reduce((sum, each) => sum + each, 0);
    },
    bernoulli(bits, p, n, repeats, scale, key0, key1, counter0, counter1, first, end) {
      const last = end || n * repeats;
      if (last - first < MANY_VALUES) {
        return k.bernoulli(bits, p, n, repeats, scale, key0, key1, counter0, counter1, first, end);
      }
      run(k.bernoulli, (part) => {
        const from = first + cut(part, parts, last - first, 64);
        const to = first + cut(part + 1, parts, last - first, 64);
        return [bits, p, n, repeats, scale, key0, key1, counter0, counter1, from, to];
      });
    },
    feedForward(z, current, s, first, panels, bias, work, rows, n) {
      if (rows < 4 * parts || rows * n < MANY_STATES) {
        return k.feedForward(z, current, s, first, panels, bias, work, rows, n);
      }
      const bytes = 4 * (rows * (n + 36) + 64);
      for (let part = 1; part < parts; part++) rooms.work(part, bytes);
      run(k.feedForward, (part) => {
        const from = cut(part, parts, rows, 1);
        const o = 4 * from * n;
        const area = part > 0 ? rooms.work(part, bytes) : work;
        return [z + o, current + o, s, first + from * n, panels, bias, area, cut(part + 1, parts, rows, 1) - from, n];
      });
    },
    feedBack(descriptor) {
      const [m, n] = [product.m, product.n].map((word) => wordOf(descriptor, word)) as [number, number];
      if (m < 4 * parts || m * n * n < MANY_PRODUCTS) return k.feedBack(descriptor);
      run(k.feedBack, (part) => {
        takeRows(copied(descriptor, part), cut(part, parts, m, 2), cut(part + 1, parts, m, 2));
        return [rooms.descriptors[part] as number];
      });
    },
  };
  const others = own as Record<string, Kernel>;
  for (const [first, arrays, names] of ELEMENTWISE) {
    for (const name of names.split(" ")) others[name] = elementwise(name, first, arrays, SINGLE.includes(name));
  }
  for (const [arrays, names] of ROWWISE) for (const name of names.split(" ")) others[name] = rowwise(name, arrays);
  const sweeps: Shared = (bound, call, t, steps, direction, together) => {
    const { size, n, plan } = bound;
    const unit = wholeWords(plan.hasColumns ? n : 32);
    if (steps * size < MANY_VALUES || size % 32 !== 0 || unit === 0 || size < 2 * parts * unit) return false;
    const [words, pieces] = bound.ownBytes;
    if (pieces > 0) for (let part = 1; part < parts; part++) bound.copyTo(rooms.work(part, words + pieces));
    run(call.run, (part) => {
      const first = cut(part, parts, size, unit);
      const last = cut(part + 1, parts, size, unit);
      const at = pieces > 0 && part > 0 ? rooms.work(part, words + pieces) : bound.at;
      return [at, t, steps, direction, together, last, bound.pieceOf(call, last - first), n, first];
    });
    return true;
  };
  return { kernels: { ...k, ...own }, sweeps, free: () => rooms.free() };
}
