/** Calls of every raw kernel with random arguments, in the signatures of `jarvis-snn/kernels`. */
import { wasmHeap } from "../../engine/core/memory.ts";
import { extraKernels, memory } from "../../engine/core/wasm.ts";
import type { Kernels } from "../../kernels/build/types.ts";
import * as conv from "../../kernels/conv-layout.ts";
import * as lif from "../../kernels/lif-layout.ts";
import * as product from "../../kernels/product-layout.ts";

/** Words of the arrays of a call, and of descriptors and working memory, which may differ. */
const WORDS = 1 << 18;
let state = 0;

/** Begins the random numbers of the next calls. */
export function seedCalls(seed: number): void {
  state = seed;
}

/** A random number in [0, 1). */
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
export class Arrays {
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

/** The arguments of a call, whose arrays it takes from `a`. */
export type Call = (a: Arrays) => number[];

function described<K extends string>(
  a: Arrays,
  layout: Readonly<Record<K, number>>,
  words: { readonly [name in K]?: number },
) {
  const p = a.work(layout["words" as K]);
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
  (count: number, more: Call = () => [], first = 0, most = 3000): Call =>
  (a) => {
    const n = whole(1, most);
    return [...Array.from({ length: count }, () => a.floats(n)).slice(first), n, ...more(a)];
  };
const binary: Call = (a) => {
  const n = whole(1, 3000);
  const single = oneOf(0, 0, 1);
  return [a.floats(n), a.floats(n), a.floats(single === 1 ? 1 : n), n, single];
};
const halves: Call = (a) => {
  const n = whole(1, 3000);
  const single = oneOf(0, 0, 1);
  return [a.floats(n), a.floats(n), a.floats(n), a.floats(single === 1 ? 1 : n), n, single];
};
const rowwise =
  (count: number): Call =>
  (a) => {
    const [rows, n] = [whole(1, 100), whole(1, 40)];
    return [...Array.from({ length: count }, () => a.floats(rows * n)), rows, n];
  };
/** Three axes: the words of arrays of [outer, n, inner], all, or of [outer, inner], few. */
const axes =
  (shapes: string, more: (outer: number, n: number, inner: number) => number[] = () => []): Call =>
  (a) => {
    const [outer, n, inner] = oneOf(
      [whole(1, 60), whole(1, 20), 1],
      [whole(1, 60), whole(1, 9), whole(1, 20)],
      [1, whole(1, 300), whole(1, 300)],
    ) as [number, number, number];
    const all = shapes.split(" ").map((each) => a.floats(each === "all" ? outer * n * inner : outer * inner));
    return [...all, outer, n, inner, ...more(outer, n, inner)];
  };
const pickedAxis: Call = (a) => {
  const [outer, n, inner] = [whole(1, 60), whole(1, 9), whole(1, 20)];
  const places = a.floats(outer * inner, () => whole(0, n - 1));
  return [a.floats(outer * n * inner), a.floats(outer * inner), places, outer, n, inner];
};
const drawn =
  (upper: number[] = []): Call =>
  (a) => {
    const n = whole(1, 4000);
    const counter = oneOf(whole(0, 2 ** 31), 2 ** 32 - whole(1, 500));
    return [a.floats(n), n, whole(0, 2 ** 32 - 1), whole(0, 2 ** 32 - 1), counter, whole(0, 9), ...upper];
  };
const blocks: Call = (a) => {
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
const alignedBits: Call = (a) => {
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
  return described(a, product, { c, m: rows, n, k, a: left, aRow: k, aCol: 1, b: right, bRow, bCol, cRow: n });
}

/** A window along an axis of images. */
interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly places: number;
}

function axis(most: number, mostPadding = 1): Axis {
  const [kernel, stride, padding] = [whole(1, 3), whole(1, 2), whole(0, mostPadding)];
  const size = whole(kernel, most);
  return { size, kernel, stride, padding, places: Math.floor((size + 2 * padding - kernel) / stride) + 1 };
}

/** The table of windows along an axis that `spans` makes. */
function spansOf(a: Arrays, { size, places, kernel, stride, padding }: Axis): number {
  const p = a.work(9 + 3 * places);
  extraKernels().spans(p, size, places, kernel, stride, padding, 1, 0);
  return p;
}

/** The table of windows over each value along an axis that `overlaps` makes. */
function overlapsOf(a: Arrays, { size, places, kernel, stride, padding }: Axis, tap: number, place: number): number {
  const p = a.work(1 + 5 * size);
  extraKernels().overlaps(p, size, places, kernel, stride, padding, 1, tap, place);
  return p;
}

/** A pool: the sizes of its planes and windows, and the tables of both axes. */
function pool(a: Arrays, mostPadding: number) {
  const [y, x] = [axis(9, mostPadding), axis(9, mostPadding)];
  const tables = [spansOf(a, y), spansOf(a, x), whole(1, 80)] as [number, number, number];
  return { size: y.size * x.size, windows: y.places * x.places, tables, planes: tables[2] };
}

/** Integers of a table, i·si + j·sj + k·sk. */
function grid(a: Arrays, [ni, nj, nk]: readonly number[], [si, sj, sk]: readonly number[]): number {
  const p = a.work((ni as number) * (nj as number) * (nk as number));
  extraKernels().grid(p, ni as number, nj as number, nk as number, si as number, sj as number, sk as number);
  return p;
}

/** Sizes of a convolution: those of its descriptor, and others. */
function convolution() {
  const [y, x] = [axis(9), axis(9)];
  const [groups, channels, filters] = [whole(1, 2), whole(1, 3), whole(1, 9)];
  const [total, batch] = [whole(1, 30), whole(1, 4)];
  const [size, places, kernel] = [y.size * x.size, y.places * x.places, y.kernel * x.kernel];
  const width = x.size + 2 * x.padding;
  const plane = width * (y.size + 2 * y.padding);
  const words = {
    ...{ groups, channels, filters, kernel, taps: channels * kernel, places, size, plane, height: y.size },
    ...{ columns: x.size, width, inner: y.padding * width + x.padding, total, batch },
  };
  const planes = groups * channels;
  return { y, x, words, planes, rows: groups * filters, images: total * planes * size };
}

type Convolution = ReturnType<typeof convolution>;

/** Offsets in a work area, whose first part is the descriptor of a product. */
function areaOf<K extends string>(a: Arrays, sizes: Readonly<Record<K, number>>) {
  const offsets = {} as Record<K, number>;
  let words = 32;
  for (const name of Object.keys(sizes) as K[]) {
    offsets[name] = 4 * words;
    words += (sizes[name] + 15) & ~15;
  }
  return { bytes: 4 * words, work: a.work(words), offsets };
}

/** A convolution of all values of its images: descriptor and work area. */
function dense(a: Arrays): { readonly g: Convolution; readonly call: number[] } {
  const g = convolution();
  const { y, x, words, planes, rows, images } = g;
  const { batch, channels, taps, plane, width, total, places } = words;
  const tapTable = grid(a, [channels, y.kernel, x.kernel], [plane, width, 1]);
  const placeTable = grid(a, [batch, y.places, x.places], [planes * plane, y.stride * width, x.stride]);
  const { bytes, work, offsets } = areaOf(a, { padded: batch * planes * plane, side: batch * places * rows });
  const arrays = {
    ...{ images: a.floats(images), maps: a.floats(total * rows * places), weights: a.floats(rows * taps) },
    ...{ bias: oneOf(0, a.floats(rows)), adds: oneOf(0, 1) },
  };
  return { g, call: [described(a, conv, { ...words, ...arrays, bytes, tapTable, placeTable, ...offsets }), work] };
}

/** How non-zeros of images are followed, for so many of these at a time: words of the descriptor, and sizes of its work area. */
function following(a: Arrays, { y, x, words, rows, images }: Convolution, count: number, isGradient: boolean) {
  const { groups, channels, filters, kernel, taps, places, size } = words;
  const [bits] = a.bits(1, images, oneOf(0.05, 0.3), false);
  if (often()) {
    const depth = groups * channels * (isGradient ? kernel : 32);
    const most = Math.max(taps, count * places, Math.ceil((count * places * taps) / 3));
    const sizes = {
      ...{ rows: count * places * channels, byTaps: 32 * channels * Math.ceil((count * places) / 32) },
      lists: Math.max(count * places, taps) + 6 + Math.ceil(most / 2),
    };
    const tables = { down: spansOf(a, y), across: spansOf(a, x) };
    return { sizes, words: { follows: conv.WINDOWS, bits, turned: a.floats(depth * filters), ...tables, most } };
  }
  const floats = a.floats(images, () => oneOf(0, 0, 0, value()));
  const unit = 4 * filters;
  const tables = {
    down: overlapsOf(a, y, x.kernel * unit, x.places * unit),
    across: overlapsOf(a, x, unit, unit),
  };
  const values = oneOf({ bits, images: 0 }, { bits: 0, images: floats });
  const sizes = { rows: Math.ceil((channels * size) / 32) + 1, byTaps: 0, lists: 0 };
  return { sizes, words: { follows: conv.EVENTS, ...values, turned: a.floats(rows * taps), ...tables } };
}

/** A convolution of images with many zeros. */
function followed(a: Arrays): number[] {
  const g = convolution();
  const { total, places, filters, batch } = g.words;
  const own = following(a, g, batch, false);
  const { bytes, work, offsets } = areaOf(a, { side: batch * places * filters, ...own.sizes });
  const arrays = { maps: a.floats(total * g.rows * places), bias: oneOf(0, a.floats(g.rows)) };
  return [described(a, conv, { ...g.words, ...own.words, ...arrays, bytes, ...offsets }), work, 0, total];
}

/** Writes the words of both axes. */
function setAxes(words: Int32Array, { y, x }: Pick<Convolution, "y" | "x">): void {
  for (const [at, { size, places, kernel, stride, padding }] of [[conv.y, y] as const, [conv.x, x] as const]) {
    words.set([size, places, kernel, stride, padding, 1], at);
  }
}

/** The way back of a convolution: sums of maps, gradients of images and of weights. */
function spread(a: Arrays): number[] {
  const g = convolution();
  const { y, x, words, rows } = g;
  const { groups, channels, filters, taps, places, size, plane, batch, total, width } = words;
  const chunk = batch * whole(1, 3);
  const own = following(a, g, chunk, true);
  const [denseRow, step, runs] = [(taps + 31) & ~15, whole(1, y.kernel), oneOf(1, x.kernel)];
  const patchesRow = (step * x.kernel * channels + 31) & ~15;
  const most = Math.min(batch * places, 256);
  const { bytes, work, offsets } = areaOf(a, {
    ...{ side: chunk * places * filters, block: chunk * rows * places, spaces: batch * channels * plane },
    ...{ cut: channels * size, plain: channels * size, patches: most * patchesRow },
    ...{ nonZeros: most + 3 + 2 * most * filters, ...own.sizes },
  });
  const each = whole(1, places);
  const maps = oneOf(
    { maps: a.floats(total * rows * places, () => oneOf(0, 0, value())) },
    {
      ...{ maps: a.floats(total * rows * each), each },
      mapPlaces: a.ints(total * rows * each, (i) => (i * 7 + each) % places),
    },
  );
  const tables = {
    placeTable: grid(
      a,
      [batch, y.places, x.places],
      [channels * plane, channels * y.stride * width, channels * x.stride],
    ),
    runTable: grid(a, [1, y.kernel, runs], [0, channels * width, channels]),
  };
  const arrays = {
    ...{ sums: oneOf(0, a.floats(total * rows)), gradients: oneOf(0, a.floats(g.images)), adds: oneOf(0, 1) },
    ...{ dense: a.floats(rows * denseRow), denseRow, windowRows: y.kernel, step, runs, patchesRow },
  };
  const descriptor = described(a, conv, {
    ...{ ...words, ...own.words, ...maps, ...tables, ...arrays },
    ...{ bytes, chunk, ...offsets, groups },
  });
  setAxes(new Int32Array(memory.buffer, descriptor, conv.words), g);
  return [descriptor, work, 0, total, 0, oneOf(0, taps), 1, 0, 0, 0];
}

/** Calls of all kernels, by name. */
export const CALLS = {
  gemmGathered: (a) => {
    const { m, n, k } = sizes(60);
    const [rowTable, colTable] = [a.ints(k, (i) => 3 * i), a.ints(n, (i) => 2 * i + (i >> 3))];
    const b = a.floats(3 * k + 3 * n + 16);
    const c = a.floats(m * n);
    const words = { c, m, n, k, a: a.floats(m * k), aRow: k, aCol: 1, b, cRow: n, init: oneOf(0, c) };
    return [described(a, product, { ...words, rows: rowTable, cols: colTable })];
  },
  sumBits: (a) => {
    const [T, n] = [whole(1, 40), whole(1, 300)];
    return [a.floats(n), a.bits(1, T * n, 0.3, false)[0], T, n];
  },
  packForward: (a) => {
    const n = whole(1, 70);
    return [a.floats(n * 32 * Math.ceil(n / 32)), a.floats(n * n), n];
  },
  packBackward: (a) => {
    const n = whole(1, 70);
    return [a.floats(Math.ceil(n / 16) * 16 * (n + 1)), a.floats(n * n), n];
  },
  firstSpike: (a) => {
    const [T, n] = [whole(1, 20), whole(1, 200)];
    return [a.floats(Math.ceil((T * n) / 32)), a.floats(n, random), n, T, 0.1];
  },
  scatterRows: (a) => {
    const [rows, width] = [whole(1, 90), whole(1, 30)];
    return [a.floats(20 * width), a.floats(rows * width), a.ints(rows, () => whole(0, 19)), rows, width, oneOf(-1, 3)];
  },
  targetWeight: (a) => {
    const rows = whole(1, 90);
    return [a.ints(rows, () => whole(-1, 9)), oneOf(0, a.floats(10)), rows];
  },
  addEvents: (a) => {
    const [y, x] = [axis(9), axis(9)];
    const [channels, filters] = [whole(1, 3), whole(1, 9)];
    const [kernel, unit, n] = [y.kernel * x.kernel, 4 * filters, channels * y.size * x.size];
    const first = whole(0, 40);
    const [bits] = a.bits(1, first + n, 0.2, false);
    const down = overlapsOf(a, y, x.kernel * unit, x.places * unit);
    const across = overlapsOf(a, x, unit, unit);
    const maps = a.floats(y.places * x.places * filters);
    const weights = a.floats(channels * kernel * filters);
    const values = oneOf(0, a.floats(n));
    // Weights begin at the last tap.
    const from = [maps, weights, bits, first, values, down, across];
    return [...from, channels, kernel, filters, oneOf(0, 1)];
  },
  overlaps: (a) => {
    const { size, places, kernel, stride, padding } = axis(20);
    return [a.floats(1 + 5 * size), size, places, kernel, stride, padding, 1, 12, 8];
  },
  windowBits: (a) => {
    const [y, x] = [axis(20), axis(20)];
    const [channels, first] = [whole(1, 4), whole(0, 70)];
    const z = a.floats(y.places * x.places * channels);
    const [bits] = a.bits(1, first + channels * y.size * x.size, 0.3, false);
    return [z, bits, first, channels, spansOf(a, y), spansOf(a, x)];
  },
  convPlan: (a) => {
    const { y, x, words } = convolution();
    const { groups, channels, filters, total } = words;
    const follows = oneOf(0, conv.EVENTS, conv.WINDOWS);
    const sizes = { groups, channels, filters, total, follows, order: oneOf(conv.COLUMNS, conv.CHANNELS) };
    const from = described(a, conv, sizes);
    // The descriptor is what is written.
    const p = a.take(conv.words);
    const view = new Int32Array(memory.buffer, p, conv.words);
    view.set(new Int32Array(memory.buffer, from, conv.words));
    setAxes(view, { y, x });
    // With addresses of gradients, and of others, that nothing is read from or written to without a block.
    view[conv.gradients] = oneOf(0, 16);
    view[conv.each] = oneOf(0, 3);
    new Float32Array(memory.buffer, p, conv.words)[conv.density] = random();
    return [p, 0];
  },
  convTurn: (a) => {
    const { words, rows } = convolution();
    const denseRow = (words.taps + 31) & ~15;
    const arrays = {
      ...{ weights: a.floats(rows * words.taps), dWeights: a.floats(rows * words.taps) },
      ...{ dense: a.floats(rows * denseRow), turned: a.floats(32 * words.channels * rows) },
    };
    const follows = oneOf(0, conv.EVENTS, conv.WINDOWS);
    const order = oneOf(conv.COLUMNS, conv.CHANNELS);
    const g = described(a, conv, { ...words, ...arrays, denseRow, follows, order, gradients: oneOf(0, 16) });
    return [g, 0, rows];
  },
  convTurnBack: (a) => {
    const { words, rows } = convolution();
    const follows = oneOf(conv.EVENTS, conv.WINDOWS);
    const arrays = { dWeights: a.floats(rows * words.taps), turned: a.floats(rows * words.taps) };
    return [described(a, conv, { ...words, ...arrays, follows, order: conv.CHANNELS }), 0, rows];
  },
  convMaps: (a) => {
    const { g, call } = dense(a);
    return [...call, 0, g.words.total];
  },
  convWeights: (a) => {
    const { g, call } = dense(a);
    return [...call, 0, g.words.taps];
  },
  followMaps: followed,
  spreadMaps: spread,
  spreadTiles: (a) => {
    const axis = (): Axis => {
      const [size, padding] = [whole(4, 9), whole(0, 2)];
      return { size, padding, kernel: 3, stride: 1, places: size + 2 * padding - 2 };
    };
    const [y, x] = [axis(), axis()];
    const [total, channels, filters] = [whole(1, 9), 16 * whole(1, 2), 16 * whole(1, 2)];
    const arrays = {
      maps: a.floats(total * filters * y.places * x.places),
      weights: a.floats(9 * channels * filters),
      gradients: a.floats(total * channels * y.size * x.size),
    };
    const sizes = { groups: 1, channels, filters, total, order: conv.TILES, adds: oneOf(0, 1) };
    const g = described(a, conv, { ...sizes, ...arrays });
    setAxes(new Int32Array(memory.buffer, g, conv.words), { y, x });
    const { convPlan, convTurn } = extraKernels();
    const block = a.work(convPlan(g, 0) / 4);
    convPlan(g, block);
    convTurn(g, 0, filters);
    return [g, block, 0, total];
  },
  delayBits: (a) => {
    const [T, rows, n, inner] = [whole(1, 20), whole(1, 4), whole(1, 9), whole(1, 9)];
    const d = a.ints(n, () => whole(0, 9));
    const words = Math.ceil((T * rows * n * inner) / 32) + 1;
    return [a.floats(words), a.bits(1, T * rows * n * inner, 0.2, false)[0], d, T, rows, n, inner];
  },
  listNonZeros: (a) => {
    const [m, k] = [whole(1, 30), whole(1, 60)];
    return [a.work(m + 3 + 2 * m * k), a.floats(m * k, () => oneOf(0, -0, value())), m, k];
  },
  multiplyListed: (a) => {
    const [m, k, n] = [whole(1, 30), whole(1, 30), whole(1, 60)];
    const row = (n + 31) & ~15;
    const lists = a.work(m + 3 + 2 * m * k);
    extraKernels().listNonZeros(
      lists,
      a.floats(m * k, () => oneOf(0, -0, value())),
      m,
      k,
    );
    return [a.floats((m + 1) * row), lists, a.floats((k + 1) * row), m, n, row, row];
  },
  moments: (a) => {
    const [outer, groups, n] = [whole(1, 9), whole(1, 30), whole(1, 40)];
    return [a.floats(groups), a.floats(groups), a.floats(outer * groups * n), outer, groups, n, oneOf(0, groups)];
  },
  momentSums: (a) => {
    const [outer, groups, n] = [whole(1, 9), whole(1, 30), whole(1, 40)];
    const all = [a.floats(outer * groups * n), a.floats(outer * groups * n), a.floats(groups)];
    return [a.floats(groups), a.floats(groups), ...all, outer, groups, n, oneOf(0, groups)];
  },
  normConstants: (a) => {
    const [perStat, stats, repeats] = [whole(1, 3), whole(1, 9), whole(1, 4)];
    const channels = perStat * stats;
    const groups = channels * repeats;
    const moments = [a.floats(stats * repeats), a.floats(stats * repeats, random)];
    const [weight, bias] = [oneOf(0, a.floats(channels)), oneOf(0, a.floats(channels))];
    return [a.floats(3 * groups), ...moments, weight, bias, 1e-5, groups, perStat, channels];
  },
  normalize: (a) => {
    const [outer, groups, n] = [whole(1, 9), whole(1, 30), whole(1, 40)];
    const [z, x, y] = [a.floats(outer * groups * n), a.floats(outer * groups * n), a.floats(outer * groups * n)];
    return [z, x, oneOf(0, y), a.floats(4 * groups), outer, groups, n, oneOf(0, groups)];
  },
  grid: (a) => {
    const [ni, nj, nk] = [whole(1, 9), whole(1, 9), whole(1, 9)];
    return [a.floats(ni * nj * nk), ni, nj, nk, whole(0, 99), whole(0, 99), whole(0, 9)];
  },
  addPatches: (a) => {
    const [places, runs, n, more] = [whole(1, 40), whole(1, 4), whole(1, 20), whole(0, 9)];
    const [placeTable, runTable] = [a.ints(places, (i) => 2 * i), a.ints(runs, (i) => 30 * i)];
    const x = a.floats(2 * places + 30 * runs + n);
    return [x, a.floats(places * (runs * n + more)), placeTable, runTable, places, runs, n, runs * n + more];
  },
  spans: (a) => {
    const { size, places, kernel, stride, padding } = axis(20);
    return [a.floats(9 + 3 * places), size, places, oneOf(0, kernel, kernel), stride, padding, 1, oneOf(0, 1)];
  },
  maxPool: (a) => {
    const { size, windows, tables, planes } = pool(a, 1);
    const [z, place, x] = [a.floats(windows * planes), a.floats(windows * planes), a.floats(size * planes)];
    return [oneOf(0, z, z), oneOf(0, place, place), x, ...tables];
  },
  maxPoolBits: (a) => {
    const { size, windows, tables, planes } = pool(a, 0);
    const [z, place] = [a.floats(Math.ceil((windows * planes) / 32)), a.floats(windows * planes)];
    return [oneOf(0, z, z), oneOf(0, place, place), a.bits(1, size * planes, 0.3, false)[0], ...tables];
  },
  avgPool: (a) => {
    const { size, windows, tables, planes } = pool(a, 1);
    return [a.floats(windows * planes), a.floats(size * planes), ...tables];
  },
  avgPoolGrad: (a) => {
    const { size, windows, tables, planes } = pool(a, 1);
    return [a.floats(size * planes), a.floats(windows * planes), ...tables];
  },
  avgPoolBits: (a) => {
    const { size, windows, tables, planes } = pool(a, 1);
    return [a.floats(windows * planes), a.bits(1, size * planes, 0.3, false)[0], ...tables];
  },
  addAtPlaces: (a) => {
    const [planes, size, n] = [whole(1, 80), whole(1, 40), whole(1, 20)];
    const place = a.ints(planes * n, () => whole(-1, size - 1));
    return [a.floats(planes * size), a.floats(planes * n), place, planes, size, n];
  },
  gemm: (a) => [described(a, product, matrices(a, sizes()))],
  gemmMasked: (a) => {
    const all = matrices(a, sizes(120));
    const { m, n, k, c } = all;
    const [bits] = a.bits(k, n, oneOf(0, 0.1, 0.6), true);
    const [cRow, cCol] = oneOf([n, 1], [1, m]) as [number, number];
    return [described(a, product, { ...all, b: 0, init: oneOf(0, c, a.floats(m)), cRow, cCol, bits })];
  },
  gather: (a) => {
    const { n } = sizes();
    // A large product with few bits, or with a table of first bits.
    const { m, k } = oneOf(sizes(), sizes(), { m: whole(1024, 1100), n: 0, k: whole(1, 32) });
    const all = matrices(a, { m, n: m > 1000 ? whole(1, 64) : n, k });
    const graded = m < 1000 && often();
    const [bits, count] = a.bits(m, k, oneOf(0, 0.01, 0.1, 0.5, 1), true);
    const work = a.work(m + 8 + (graded ? 2 : 1) * count);
    return [described(a, product, { ...all, a: graded ? all.a : 0, bits, count, work })];
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
    return [described(a, product, words)];
  },
  lifForward: (a) => {
    const { T, size, over, whole: all, step } = neurons(a);
    const [stepU, stepCurrent] = [oneOf(0, size), oneOf(0, size)];
    const spikes = oneOf(0, a.floats(Math.ceil((T * size) / 32)));
    const reset = spikes === 0 ? 0 : over.reset;
    const words = { u: stepU === 0 ? step() : all(), stepU, from: oneOf(0, step()), current: all(), stepCurrent };
    const v = stepU === 0 ? 0 : oneOf(0, all());
    return [described(a, lif, { ...over, ...words, reset, strict: oneOf(0, 1), spikes, v, last: oneOf(0, step()) })];
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
    return [described(a, lif, { ...over, ...words, ...given, ...more, ...ends })];
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
  alignBits: alignedBits,
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
} as { readonly [name in keyof Kernels]: Call };

function named(names: string, each: Call): Record<string, Call> {
  return Object.fromEntries(names.split(" ").map((name) => [name, each]));
}
