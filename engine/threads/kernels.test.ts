/** Kernels that threads share, with random arguments: they write the bits of one thread, and nothing else. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Kernels } from "../../kernels/build/types.ts";
import * as lif from "../../kernels/lif-layout.ts";
import * as product from "../../kernels/product-layout.ts";
import { simd } from "../backend.ts";
import { wasmHeap } from "../memory.ts";
import { extraKernels, kernels, memory } from "../wasm.ts";
import { type Kernel, Pool } from "./pool.ts";
import { start } from "./start.ts";

const SEED = 5;
const ALL = { products: 1, values: 1, states: 1 };
/** Words of the arrays of a call, and of descriptors and working memory, which may differ. */
const WORDS = 1 << 18;
/** Calls of each kernel for each number of threads. */
const TRIALS = 12;

/** A random number in [0, 1), by the generator that the test begins with. */
let state = SEED;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
const oneOf = <T>(...values: readonly T[]): T => values[whole(0, values.length - 1)] as T;
const often = (): boolean => random() < 0.5;

/** A float between −2 and 2, at times 0 or −0. */
const value = (): number => oneOf(0, -0, 4 * random() - 2, 4 * random() - 2, 4 * random() - 2, 4 * random() - 2);

/** Arrays with random gaps between them. */
class Arrays {
  readonly start: number;
  private readonly scratch: number;
  private at = 0;
  private scratchAt = 0;

  constructor() {
    this.start = wasmHeap.allocate(4 * WORDS);
    this.scratch = wasmHeap.allocate(4 * WORDS);
  }

  /** All values anew; arrays before are forgotten. */
  begin(): void {
    this.at = 16;
    this.scratchAt = 0;
    const all = new Float32Array(memory.buffer, this.start, WORDS);
    // A stretch is repeated: drawing all values would take longer than all kernels.
    for (let i = 0; i < 4999; i++) all[i] = value();
    for (let i = 4999; i < WORDS; i += 4999) all.copyWithin(i, 0, Math.min(4999, WORDS - i));
  }

  take(words: number): number {
    const p = this.start + 4 * this.at;
    this.at += words + whole(4, 24);
    if (this.at > WORDS - 64) throw new Error(`the arrays of a call need more than ${WORDS} words`);
    return p;
  }

  /** Floats as they are there, or made. */
  floats(n: number, make?: (i: number) => number): number {
    const p = this.take(n);
    if (make !== undefined) {
      const view = new Float32Array(memory.buffer, p, n);
      for (let i = 0; i < n; i++) view[i] = make(i);
    }
    return p;
  }

  ints(n: number, make: (i: number) => number): number {
    const p = this.take(n);
    const view = new Int32Array(memory.buffer, p, n);
    for (let i = 0; i < n; i++) view[i] = make(i);
    return p;
  }

  /** Bits of a stream, or of rows of n that begin with a word, with so many set on average; how many are set. */
  bits(rows: number, n: number, density: number, isAligned: boolean): readonly [at: number, count: number] {
    const row = isAligned ? 32 * Math.ceil(n / 32) : n;
    const words = Math.ceil((rows * row) / 32);
    const p = this.take(words);
    const view = new Uint32Array(memory.buffer, p, words).fill(0);
    let count = 0;
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < n; i++) {
        if (random() >= density) continue;
        const bit = r * row + i;
        view[bit >> 5] = ((view[bit >> 5] as number) | (1 << (bit & 31))) >>> 0;
        count++;
      }
    }
    return [p, count];
  }

  /** Memory that a kernel works in, or a descriptor. */
  work(words: number): number {
    const p = this.scratch + 4 * this.scratchAt;
    this.scratchAt += 4 * Math.ceil(words / 4);
    if (this.scratchAt > WORDS) throw new Error(`working memory of more than ${WORDS} words`);
    return p;
  }

  copy(): Uint32Array {
    return new Uint32Array(memory.buffer, this.start, this.at + 32).slice();
  }

  restore(words: Uint32Array): void {
    new Uint32Array(memory.buffer, this.start, words.length).set(words);
  }
}

let arrays: Arrays;

type Case = (a: Arrays) => number[];

function described<K extends string>(layout: Readonly<Record<K, number>>, words: { readonly [name in K]?: number }) {
  const p = arrays.work(layout["words" as K]);
  const view = new Uint32Array(memory.buffer, p, layout["words" as K]).fill(0);
  for (const [name, each] of Object.entries(words)) view[layout[name as K]] = each as number;
  return p;
}

/** The end of linear memory, where no word may be read behind B. */
function atTheEnd(words: number): number {
  memory.grow(Math.ceil(words / 16384));
  const p = memory.buffer.byteLength - 4 * words;
  const view = new Float32Array(memory.buffer, p, words);
  for (let i = 0; i < words; i++) view[i] = value();
  return p;
}

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const sizes = (most = 200): Sizes => ({
  m: whole(1, most),
  n: oneOf(whole(1, most), whole(1, most), 16 * whole(1, most >> 4)),
  k: whole(1, most),
});

/** A and B by rows, with room behind these or not, or by columns; C without gaps. */
function matrices(a: Arrays, { m, n, k }: Sizes) {
  const room = oneOf(0, 0, 16 - (n % 16), whole(1, 40));
  const [bRow, bCol] = oneOf([n + room, 1], [n + room, 1], [1, k + room]) as [number, number];
  const [aRow, aCol] = oneOf([k, 1], [k + 3, 1], [1, m], [1, m + 5]) as [number, number];
  const c = a.floats(m * n);
  const bWords = (k - 1) * bRow + (n - 1) * bCol + 1;
  // Where the last row of B has room for whole groups, these are there.
  const words = bCol === 1 && room > 0 ? k * bRow : bWords;
  const b = often() ? atTheEnd(words) : a.floats(words);
  const aAt = a.floats((m - 1) * aRow + (k - 1) * aCol + 1);
  const init = oneOf(0, c, a.floats(n));
  return { m, n, k, c, init, a: aAt, aRow, aCol, b, bRow, bCol, cRow: n };
}

const elementwise =
  (count: number, more: Case = () => [], first = 0, most = 3000): Case =>
  (a) => {
    const n = whole(1, most);
    return [...Array.from({ length: count }, () => a.floats(n)).slice(first), n, ...more(a)];
  };
const binary: Case = (a) => {
  const n = whole(1, 3000);
  const single = oneOf(0, 0, 1);
  return [a.floats(n), a.floats(n), a.floats(single === 1 ? 1 : n), n, single];
};
const halves: Case = (a) => {
  const n = whole(1, 3000);
  const single = oneOf(0, 0, 1);
  return [a.floats(n), a.floats(n), a.floats(n), a.floats(single === 1 ? 1 : n), n, single];
};
const rowwise =
  (count: number): Case =>
  (a) => {
    const [rows, n] = [whole(1, 100), whole(1, 40)];
    return [...Array.from({ length: count }, () => a.floats(rows * n)), rows, n];
  };
/** Three axes: the words of arrays of [outer, n, inner], all, or of [outer, inner], few. */
const axes =
  (shapes: string, more: (outer: number, n: number, inner: number) => number[] = () => []): Case =>
  (a) => {
    const [outer, n, inner] = oneOf(
      [whole(1, 60), whole(1, 20), 1],
      [whole(1, 60), whole(1, 9), whole(1, 20)],
      [1, whole(1, 300), whole(1, 300)],
    ) as [number, number, number];
    const all = shapes.split(" ").map((each) => a.floats(each === "all" ? outer * n * inner : outer * inner));
    return [...all, outer, n, inner, ...more(outer, n, inner)];
  };
const pickedAxis: Case = (a) => {
  const [outer, n, inner] = [whole(1, 60), whole(1, 9), whole(1, 20)];
  const places = a.floats(outer * inner, () => whole(0, n - 1));
  return [a.floats(outer * n * inner), a.floats(outer * inner), places, outer, n, inner];
};
const drawn =
  (upper: number[] = []): Case =>
  (a) => {
    const n = whole(1, 4000);
    const counter = oneOf(whole(0, 2 ** 31), 2 ** 32 - whole(1, 500));
    return [a.floats(n), n, whole(0, 2 ** 32 - 1), whole(0, 2 ** 32 - 1), counter, whole(0, 9), ...upper];
  };
const blocks: Case = (a) => {
  const [rows, n] = [whole(1, 60), whole(1, 40)];
  const [zStep, xStep] = [oneOf(n, n + whole(1, 9), whole(1, n)), oneOf(0, n, n + whole(1, 9))];
  // Blocks that move apart lie over those that they come from.
  const [x, z] = [a.floats(rows * (xStep + zStep + n)), a.floats(rows * (zStep + n))];
  return [oneOf(x, z, z), x, rows, n, zStep, xStep];
};
/** Strides of a permutation, or others. */
function strides() {
  const lengths = [oneOf(1, whole(1, 9)), oneOf(1, whole(1, 9)), whole(1, 9), whole(1, 9)] as const;
  const [na, nb, nc, nd] = lengths;
  const steps = oneOf(
    [nb * nc * nd, nc * nd, nd, 1],
    [1, na, na * nb, na * nb * nc],
    [nd, na * nd, na * nb * nd, 1],
    [1, 2, 1, 3],
  );
  const reach = steps.reduce((sum, step, i) => sum + step * ((lengths[i] as number) - 1), 1);
  return { lengths, steps, reach, size: na * nb * nc * nd };
}
const rowBits = (a: Arrays): readonly [rows: number, n: number, bits: number] => {
  const [rows, n] = [whole(1, 300), whole(1, 90)];
  return [rows, n, a.floats(rows * Math.ceil(n / 32))];
};
const alignedBits: Case = (a) => {
  const [rows, n, bits] = rowBits(a);
  return [bits, a.bits(rows, n, 0.3, false)[0], rows, n];
};

/** A run of plain neurons: the words of both passes. */
function neurons(a: Arrays) {
  const [T, rows, n] = [whole(1, 5), whole(1, 24), oneOf(whole(1, 90), 16 * whole(1, 9), 32 * whole(1, 4))];
  const size = rows * n;
  const [stepBeta, stepThreshold] = [oneOf(0, 1), oneOf(0, 1)];
  const of = (step: number, make: () => number): number => a.floats(step === 0 ? 1 : n, make);
  const beta = of(stepBeta, random);
  const threshold = of(stepThreshold, () => 0.1 + random());
  const over = { T, rows, n, beta, stepBeta, threshold, stepThreshold, reset: oneOf(0, 1, 2), delayed: oneOf(0, 1) };
  return { T, size, over, whole: () => a.floats(T * size), step: () => a.floats(size) };
}

/** A product that gives the gradient of T steps of so many rows and columns, a step at a time at c. */
function factors(a: Arrays, c: number, T: number, rows: number, n: number): number {
  const k = whole(1, 20);
  const [bRow, bCol] = oneOf([n, 1], [1, k]) as [number, number];
  const [left, right] = [a.floats(T * rows * k), a.floats(n * k)];
  return described(product, { c, m: rows, n, k, a: left, aRow: k, aCol: 1, b: right, bRow, bCol, cRow: n });
}

const CASES: { readonly [name in keyof Kernels]?: Case } = {
  gemm: (a) => [described(product, matrices(a, sizes()))],
  gemmSampled: (a) => {
    const { m, n, k } = sizes(120);
    const all = matrices(a, { m, n: 4 * Math.ceil(n / 4), k });
    const [bits] = a.bits(m, all.n, oneOf(0, 0.1, 0.6), true);
    return [described(product, { ...all, a: a.floats(m * k), aRow: k, aCol: 1, init: all.c, bits })];
  },
  gemmMasked: (a) => {
    const all = matrices(a, sizes(120));
    const { m, n, k, c } = all;
    const [bits] = a.bits(k, n, oneOf(0, 0.1, 0.6), true);
    const [cRow, cCol] = oneOf([n, 1], [1, m]) as [number, number];
    return [described(product, { ...all, b: 0, init: oneOf(0, c, a.floats(m)), cRow, cCol, bits })];
  },
  gather: (a) => {
    const { n } = sizes();
    // A large product with few bits, or with a table of first bits.
    const { m, k } = oneOf(sizes(), sizes(), { m: whole(1024, 1100), n: 0, k: whole(1, 32) });
    const all = matrices(a, { m, n: m > 1000 ? whole(1, 64) : n, k });
    const graded = m < 1000 && often();
    const [bits, count] = a.bits(m, k, oneOf(0, 0.01, 0.1, 0.5, 1), true);
    const work = a.work(m + 8 + (graded ? 2 : 1) * count);
    return [described(product, { ...all, a: graded ? all.a : 0, bits, count, work })];
  },
  feedForward: (a) => {
    const [rows, n] = [whole(1, 40), whole(1, 200)];
    const panels = a.floats(n * 32 * Math.ceil(n / 32));
    const [first, density] = [whole(0, 70), oneOf(0, 0.05, 0.6)];
    const [s] = a.bits(1, first + rows * n, density, false);
    const bias = oneOf(0, a.floats(n));
    return [
      a.floats(rows * n),
      a.floats(rows * n),
      oneOf(0, s),
      first,
      panels,
      bias,
      a.work(rows * (n + 36) + 64),
      rows,
      n,
    ];
  },
  feedBack: (a) => {
    const [m, n] = [whole(1, 60), oneOf(whole(1, 200), whole(260, 300))];
    const blocksOf = Math.ceil(n / 256);
    const b = a.floats(Math.ceil(n / 16) * 16 * (n + blocksOf));
    const c = a.floats(m * n);
    const words = { m, n, k: n, c, init: c, a: a.floats(m * n), aRow: n, aCol: 1, b, bRow: n, bCol: 1, cRow: n };
    return [described(product, words)];
  },
  lifForward: (a) => {
    const { T, size, over, whole: all, step } = neurons(a);
    const [stepU, stepCurrent] = [oneOf(0, size), oneOf(0, size)];
    const spikes = oneOf(0, a.floats(Math.ceil((T * size) / 32)));
    const reset = spikes === 0 ? 0 : over.reset;
    const words = { u: stepU === 0 ? step() : all(), stepU, from: oneOf(0, step()), current: all(), stepCurrent };
    const v = stepU === 0 ? 0 : oneOf(0, all());
    return [described(lif, { ...over, ...words, reset, strict: oneOf(0, 1), spikes, v, last: oneOf(0, step()) })];
  },
  lifBackward: (a) => {
    const { T, size, over, whole: all, step } = neurons(a);
    const steps = () => oneOf(0, size);
    const words = { u: all(), stepU: size, from: step(), kind: whole(0, 6), slope: 0x40000000 };
    const gradients = { dSpikes: all(), stepDSpikes: steps(), dMembrane: oneOf(0, all()), stepDMembrane: steps() };
    const c = a.work(size);
    const ofProduct = oneOf({ ...gradients, dSpikes: c, stepDSpikes: 0 }, { dMembrane: c });
    const given = oneOf<Partial<Record<keyof typeof lif, number>>>(gradients, {
      ...ofProduct,
      product: factors(a, c, T, size / over.n, over.n),
    });
    const more = { dV: oneOf(0, all()), stepDV: steps(), dU: all(), stepDU: oneOf(0, size), dSum: oneOf(0, step()) };
    const ends = { dLast: oneOf(0, step()), dFrom: oneOf(0, step()) };
    return [described(lif, { ...over, ...words, ...given, ...more, ...ends })];
  },

  fill: elementwise(1, () => [value()]),
  copy: (a) => {
    const n = whole(1, 3000);
    const x = a.floats(n + 50);
    return oneOf([a.floats(n), x, n], [x + 4 * whole(0, 50), x, n], [x, x + 4 * whole(0, 50), n]);
  },
  ...named("addTo exp log tanh sigmoid sqrt square abs relu", elementwise(2)),
  addScaled: elementwise(2, () => [value()]),
  affine: elementwise(2, () => [value(), value()]),
  clamp: elementwise(2, () => [-1, 1]),
  spike: elementwise(2, () => [oneOf(0, 1)]),
  ...named("add sub mul div mulGrad divGrad maximum minimum gt ge lt le eq", binary),
  ...named("maximumGrad minimumGrad", halves),
  ...named("expGrad logGrad tanhGrad sigmoidGrad sqrtGrad squareGrad absGrad reluGrad", elementwise(3)),
  clampGrad: elementwise(3, () => [-1, 1]),
  ...named("divisorGrad where", elementwise(4)),
  sgd: (a) => {
    const n = whole(1, 3000);
    return [a.floats(n), a.floats(n), oneOf(0, a.floats(n)), n, 0.1, 0.9, 0.1, 0.01, oneOf(0, 1), oneOf(0, 1)];
  },
  adam: (a) => {
    const n = whole(1, 3000);
    const all = [a.floats(n), a.floats(n), a.floats(n), a.floats(n, random), oneOf(0, a.floats(n, random))];
    return [...all, n, a.floats(9, () => 0.1 + random() / 2)];
  },
  rmsprop: (a) => {
    const n = whole(1, 3000);
    const all = [a.floats(n), a.floats(n), a.floats(n, random), oneOf(0, a.floats(n)), oneOf(0, a.floats(n))];
    return [...all, n, 0.1, 0.9, 0.1, 1e-3, 0.01, 0.9];
  },
  formula: (a) => {
    const n = whole(1, 3000);
    return [whole(0, 5), a.floats(n), a.floats(n), oneOf(0, a.floats(n)), n, value(), value()];
  },
  formulaGrad: (a) => {
    const n = whole(1, 3000);
    return [whole(0, 5), a.floats(n), a.floats(n), a.floats(n), oneOf(0, a.floats(n)), n, value(), value()];
  },
  surrogate: (a) => {
    const n = whole(1, 3000);
    const step = oneOf(0, 1);
    return [a.floats(n), a.floats(n), a.floats(step === 0 ? 1 : n), step, n, whole(0, 6), 2];
  },
  unpackBits: (a) => {
    const n = whole(1, 3000);
    return [a.floats(n), a.bits(1, n, 0.4, false)[0], n];
  },
  countBits: (a) => [a.bits(1, 32 * 90, 0.4, false)[0], whole(1, 90)],
  packBits: (a) => {
    const [rows, n, bits] = rowBits(a);
    const isGraded = oneOf(0, 0, 1);
    return [bits, a.floats(rows * n, () => (isGraded ? value() : oneOf(0, 0, 1))), rows, n];
  },
  surrogateSupport: (a) => {
    const [rows, n, bits] = rowBits(a);
    const step = oneOf(0, 1);
    return [bits, a.floats(rows * n), a.floats(step === 0 ? 1 : n), step, rows, n, whole(0, 6), 1];
  },
  alignBits: alignedBits,
  alignGroups: alignedBits,
  transpose: (a) => {
    const [m, n] = [whole(1, 60), whole(1, 400)];
    const apart = oneOf(0, n, n + 7);
    return [a.floats(m * n), a.floats(m * (apart || n)), m, n, apart];
  },
  transposeBits: (a) => {
    const [rows, n] = [whole(1, 200), whole(1, 600)];
    return [a.floats(n * Math.ceil(rows / 32)), a.bits(rows, n, 0.2, true)[0], rows, n, 0];
  },
  ...named("softmax logSoftmax", rowwise(2)),
  ...named("softmaxGrad logSoftmaxGrad", rowwise(3)),
  gatherRows: (a) => {
    const [rows, width] = [whole(1, 90), whole(1, 30)];
    return [a.floats(rows * width), a.floats(20 * width), a.ints(rows, () => whole(0, 19)), rows, width];
  },
  copyBlocks: blocks,
  addBlocks: blocks,
  copyStrided: (a) => {
    const { lengths, steps, reach, size } = strides();
    return [a.floats(size), a.floats(reach), ...lengths, ...steps];
  },
  addStrided: (a) => {
    const { lengths, steps, reach, size } = strides();
    return [a.floats(reach), a.floats(size), ...lengths, ...steps];
  },
  sumAxis: axes("few all", (_outer, _n, inner) => [oneOf(0, inner)]),
  addSumAxis: axes("few all", (_outer, _n, inner) => [value(), oneOf(0, inner)]),
  sumAxisGrad: axes("all few", () => [value()]),
  expandAxis: axes("all few"),
  prodAxis: axes("few all"),
  prodAxisGrad: (a) => {
    const [outer, n, inner] = [whole(1, 60), whole(1, 9), whole(1, 9)];
    const [dx, dz, x] = [a.floats(outer * n * inner), a.floats(outer * inner), a.floats(outer * n * inner)];
    return [dx, dz, x, a.work(n), outer, n, inner];
  },
  cumsumAxis: axes("all all", () => [oneOf(0, 1)]),
  maxAxis: axes("few few all"),
  minAxis: axes("few few all"),
  pickAxisGrad: pickedAxis,
  amaxGrad: axes("all few few all"),
  crossEntropy: (a) => {
    const [rows, n] = [whole(1, 90), whole(1, 30)];
    const [loss, lse, x] = [a.floats(rows), oneOf(0, a.floats(2 * rows)), a.floats(rows * n)];
    const smoothing = oneOf(0, 0.1);
    return [loss, lse, x, a.ints(rows, () => whole(-1, n - 1)), oneOf(0, a.floats(n)), rows, n, smoothing];
  },
  crossEntropyGrad: (a) => {
    const [rows, n] = [whole(1, 90), whole(1, 30)];
    const [dx, x, lse] = [a.floats(rows * n), a.floats(rows * n), oneOf(0, a.floats(2 * rows))];
    const [target, weight] = [a.ints(rows, () => whole(-1, n - 1)), oneOf(0, a.floats(n))];
    return [dx, x, lse, target, weight, a.floats(rows), oneOf(0, 1), value(), rows, n, oneOf(0, 0.1)];
  },
  bernoulli: (a) => {
    const [n, repeats] = [whole(1, 300), whole(1, 20)];
    const [bits, p] = [a.floats(Math.ceil((n * repeats) / 32)), a.floats(n, random)];
    return [bits, p, n, repeats, 1, whole(0, 2 ** 31), 3, whole(0, 2 ** 31), 0, 0, 0];
  },
  uniform: drawn(),
  philox: drawn([1, 2]),
  normal: drawn(),
  delay: (a) => {
    const [T, rows, n, inner] = [whole(1, 40), whole(1, 4), whole(1, 9), whole(1, 4)];
    const first = whole(0, T - 1);
    const d = a.ints(n, () => whole(0, 12));
    return [a.floats((T - first) * rows * n * inner), a.floats(T * rows * n * inner), d, first, T, rows, n, inner];
  },
  delayGrad: (a) => {
    const [T, rows, n, inner] = [whole(1, 40), whole(1, 4), whole(1, 9), whole(1, 4)];
    const first = whole(0, T - 1);
    const d = a.ints(n, () => whole(0, 12));
    return [a.floats(T * rows * n * inner), a.floats((T - first) * rows * n * inner), d, first, T, rows, n, inner];
  },
};

function named(names: string, each: Case): Record<string, Case> {
  return Object.fromEntries(names.split(" ").map((name) => [name, each]));
}

/** Kernels that one thread runs, and why. */
const ALONE: { readonly [name in keyof Kernels]?: string } = {
  gemmGathered: "convolutions are cut by images",
  sumBits: "reads a bit for each value: the memory of an order moves as many bytes",
  packForward: "once a run, of a matrix that stays in the caches",
  packBackward: "once a run, of a matrix that stays in the caches",
  firstSpike: "spikes of a step end within a word of bits",
  scatterRows: "rows may be added to the same one, in their order",
  targetWeight: "one sum",
};

/** The bits of two runs, where they differ; numbers that are none are alike. */
function difference(a: Uint32Array, b: Uint32Array): string | null {
  const [x, y] = [new Float32Array(a.buffer), new Float32Array(b.buffer)];
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !(Number.isNaN(x[i]) && Number.isNaN(y[i]))) return `word ${i}: ${x[i]} and ${y[i]}`;
  }
  return null;
}

/** Runs all parts here, the last one first. */
function lastFirst(f: Kernel, parts: number, argumentsOf: (part: number) => readonly number[]): number[] {
  const results = new Array<number>(parts);
  for (let part = parts - 1; part >= 0; part--) results[part] = Number(f(...argumentsOf(part)) ?? 0);
  return results;
}

beforeAll(() => {
  arrays = new Arrays();
});
afterAll(() => start(1));

test("threads: every kernel is shared, or has a reason why it is not", async () => {
  await start(2, ALL);
  const shared = simd.kernels as unknown as Record<string, unknown>;
  for (const [name, kernel] of Object.entries(kernels)) {
    if (typeof kernel !== "function") continue;
    expect(`${name} is ${shared[name] === kernel ? "alone" : "shared"}`).toBe(
      `${name} is ${name in ALONE ? "alone" : "shared"}`,
    );
    if (!(name in ALONE)) expect(CASES).toHaveProperty(name);
  }
});

describe.each([2, 3, 7])("threads: with %i", (count) => {
  beforeAll(async () => {
    await start(count, ALL);
    // Pages behind all blocks, and behind the working memory that threads take meanwhile.
    memory.grow(64);
  });

  test.each(Object.entries(CASES))("%s writes the bits of one thread", (name, make) => {
    const plain = { ...kernels, ...extraKernels() } as unknown as Record<string, Kernel>;
    const shared = simd.kernels as unknown as Record<string, Kernel>;
    state = SEED * count;
    for (let trial = 0; trial < TRIALS; trial++) {
      arrays.begin();
      const args = make(arrays);
      const before = arrays.copy();
      const result = (plain[name] as Kernel)(...args);
      const alone = arrays.copy();
      arrays.restore(before);
      expect((shared[name] as Kernel)(...args)).toBe(result);
      expect({ trial, args, difference: difference(arrays.copy(), alone) }).toEqual({ trial, args, difference: null });
      // No part reads what another one writes: the last one may be the first.
      arrays.restore(before);
      const backwards = vi.spyOn(Pool.prototype, "run").mockImplementation(lastFirst);
      (shared[name] as Kernel)(...args);
      backwards.mockRestore();
      expect({ trial, args, backwards: difference(arrays.copy(), alone) }).toEqual({ trial, args, backwards: null });
    }
  });
});
