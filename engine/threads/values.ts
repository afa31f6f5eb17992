/** Kernels over values, rows and bits that threads share. */
import type { CoreKernels, Kernels } from "../../kernels/build/types.ts";
import type { Parts } from "./parts.ts";
import type { Kernel } from "./pool.ts";

/** The greatest power of two up to 32 that divides n. */
export const gcd32 = (n: number): number => Math.min(32, n & -n);
/** Words of a row of n bits. */
const wordsOf = (n: number): number => (n + 31) >> 5;

/** How a kernel is cut: the number of things among its arguments is divided between the threads. */
interface Cut {
  /** The place of this number. */
  readonly count: number;
  /** The words from one thing to the next in the arrays whose addresses are the first arguments, 0 where all things share one. */
  readonly steps: (args: readonly number[]) => readonly number[];
  /** Parts have whole multiples of this. */
  readonly unit?: number;
  /** Values that the kernel passes over, where this is not the longest array. */
  readonly values?: (args: readonly number[]) => number;
}

/** Elementwise kernels, by the number of their arrays. */
const ELEMENTWISE: readonly (readonly [arrays: number, names: string])[] = [
  [1, "fill"],
  [2, "addTo addScaled affine exp log tanh sigmoid sqrt square abs relu clamp spike"],
  [3, "add sub mul div mulGrad divGrad maximum minimum gt ge lt le eq clampGrad"],
  [3, "expGrad logGrad tanhGrad sigmoidGrad sqrtGrad squareGrad absGrad reluGrad sgd"],
  [4, "divisorGrad where maximumGrad minimumGrad"],
  [5, "adam rmsprop"],
];
/** Of these, kernels whose last array has one value where the argument behind n is set. */
const SINGLE = "add sub mul div mulGrad divGrad maximum minimum maximumGrad minimumGrad gt ge lt le eq".split(" ");

/** The product of the numbers from place i to place `end`. */
function product(args: readonly number[], i: number, end: number): number {
  let z = 1;
  for (let at = i; at < end; at++) z *= args[at] as number;
  return z;
}

/** Sums over the middle one of three axes, [outer, n, inner]: z has no n, x has all. */
const SUMS: Cut = { count: 2, steps: (args) => [args[4] as number, product(args, 3, 5)] };
/** The way back, x to z, or where there is one sum, all of whose terms are alike, by these. */
const SPREAD: Cut = { count: 2, steps: (args) => [product(args, 3, 5), args[4] as number] };
const SPREAD_ONE: Cut = { count: 3, steps: (args) => [args[4] as number, 0] };
const spread = (args: readonly number[]): Cut => (args[2] === 1 ? SPREAD_ONE : SPREAD);
/** Maxima with their places. */
const PLACES: Cut = { count: 3, steps: (args) => [args[5] as number, args[5] as number, product(args, 4, 6)] };
/** Blocks of n values, which lie apart in the array that is written. */
const BLOCKS: Cut = {
  count: 2,
  steps: (args) => [args[4] as number, args[5] as number],
  values: (args) => product(args, 2, 4),
};
/** Whether two arrays of so many words have some in common. */
const isOverlapped = (z: number, n: number, x: number, m: number): boolean => z < x + 4 * m && x < z + 4 * n;
/** No cut where blocks that are written have values in common, or lie over those that are read: these are written in their order. */
const blocks = ([z = 0, x = 0, rows = 0, n = 0, zStep = 0, xStep = 0]: readonly number[]): Cut | null =>
  zStep < n || isOverlapped(z, (rows - 1) * zStep + n, x, (rows - 1) * xStep + n) ? null : BLOCKS;
/** Rows of bits from a stream of bits, where a part begins with a word. */
const aligned = ({ 3: n = 0 }: readonly number[]): Cut => ({
  count: 2,
  unit: 32 / gcd32(n),
  steps: () => [wordsOf(n), n / 32],
  values: ({ 2: rows = 0 }) => (rows * n) / 8,
});

const COPY: Cut = { count: 2, unit: 16, steps: () => [1, 1] };

/** The cuts of other kernels, or null where the arguments allow none. */
const OTHERS: Readonly<Record<string, Cut | ((args: readonly number[]) => Cut | null)>> = {
  formula: { count: 4, unit: 16, steps: () => [0, 1, 1, 1] },
  formulaGrad: { count: 5, unit: 16, steps: () => [0, 1, 1, 1, 1] },
  surrogate: { count: 4, unit: 16, steps: (args) => [1, 1, args[3] as number] },
  copy: ([z = 0, x = 0, n = 0]) => (isOverlapped(z, n, x, n) ? null : COPY),
  unpackBits: { count: 2, unit: 32, steps: () => [1, 1 / 32] },
  countBits: { count: 1, steps: () => [1] },
  packBits: { count: 2, steps: ({ 3: n = 0 }) => [wordsOf(n), n] },
  surrogateSupport: { count: 4, steps: ({ 5: n = 0 }) => [wordsOf(n), n] },
  alignBits: aligned,
  alignGroups: aligned,
  softmax: { count: 2, steps: ({ 3: n = 0 }) => [n, n] },
  logSoftmax: { count: 2, steps: ({ 3: n = 0 }) => [n, n] },
  softmaxGrad: { count: 3, steps: ({ 4: n = 0 }) => [n, n, n] },
  logSoftmaxGrad: { count: 3, steps: ({ 4: n = 0 }) => [n, n, n] },
  gatherRows: { count: 3, steps: ({ 4: width = 0 }) => [width, 0, 1] },
  copyBlocks: blocks,
  addBlocks: blocks,
  copyStrided: (args) => {
    const [axis, dense, strided] = longest(args);
    return { count: axis, steps: () => [dense, strided], values: () => dense * (args[axis] as number) };
  },
  addStrided: (args) => {
    const [axis, dense, strided] = longest(args);
    if (!isApart(args, axis)) return null;
    return { count: axis, steps: () => [strided, dense], values: () => dense * (args[axis] as number) };
  },
  sumAxisGrad: spread,
  expandAxis: spread,
  prodAxis: SUMS,
  cumsumAxis: { count: 2, steps: (args) => [product(args, 3, 5), product(args, 3, 5)] },
  maxAxis: PLACES,
  minAxis: PLACES,
  pickAxisGrad: { count: 3, steps: (args) => [product(args, 4, 6), args[5] as number, args[5] as number] },
  amaxGrad: {
    count: 4,
    steps: (args) => [product(args, 5, 7), args[6] as number, args[6] as number, product(args, 5, 7)],
  },
};

/** The first of four axes, from place 2 on, that is longer than 1, and its steps in the array without gaps and in the one with strides. */
function longest(args: readonly number[]): readonly [axis: number, dense: number, strided: number] {
  let i = 2;
  while (i < 5 && args[i] === 1) i++;
  return [i, product(args, i + 1, 6), args[i + 4] as number];
}

/** Whether positions along an axis have nothing in common in the array of strides. */
function isApart(args: readonly number[], axis: number): boolean {
  let reach = 0;
  for (let i = axis + 1; i < 6; i++) reach += ((args[i] as number) - 1) * Math.abs(args[i + 4] as number);
  return Math.abs(args[axis + 4] as number) > reach;
}

/** The kernels over values among `k`, of which those with much work are shared. */
export function sharedValues(k: Kernels, parts: Parts): Partial<Kernels> & Pick<CoreKernels, "fill"> {
  const { least } = parts;

  /** The results of a kernel that is cut into parts; null where there is too little work. */
  const cutInto = (f: unknown, { count, steps, unit = 1, values }: Cut, args: readonly number[]): number[] | null => {
    const n = args[count] as number;
    if (n < 2 * parts.count * unit) return null;
    const apart = steps(args);
    if ((values === undefined ? n * Math.max(...apart) : values(args)) < least.values) return null;
    return parts.run(f, (part) => {
      const from = parts.first(part, n, unit);
      const mine = args.slice();
      // An address of 0 stands for no array.
      for (let i = 0; i < apart.length; i++) {
        if (mine[i] !== 0) mine[i] = (mine[i] as number) + 4 * from * (apart[i] as number);
      }
      mine[count] = parts.first(part + 1, n, unit) - from;
      return mine;
    });
  };

  /** Numbers of a stream, in which four words are a block; a part begins with eight blocks. */
  const drawn = (f: Kernel): Kernel => {
    return (...args) => {
      const [z, n, key0, key1, counter0, counter1, ...upper] = args as [number, number, number, number, number, number];
      if (n < Math.max(least.values, 64 * parts.count)) {
        f(...args);
        return;
      }
      parts.run(f, (part) => {
        const from = parts.first(part, n, 32);
        const low = (counter0 >>> 0) + from / 4;
        const high = (counter1 + Math.floor(low / 2 ** 32)) >>> 0;
        return [z + 4 * from, parts.first(part + 1, n, 32) - from, key0, key1, low >>> 0, high, ...upper];
      });
    };
  };

  /** A sum over rows that all lie in a row of sums, by its columns. */
  const byColumns = (f: unknown, z: number, x: number, n: number, inner: number, scale: number[], apart: number) => {
    const columns = Math.abs(inner);
    if (n * columns < least.values || columns < 32 * parts.count) return null;
    return parts.run(f, (part) => {
      const from = parts.first(part, columns, 16);
      const count = parts.first(part + 1, columns, 16) - from;
      return [z + 4 * from, x + 4 * from, 1, n, -count, ...scale, apart || columns];
    });
  };

  /** Copies log Σ exp of all rows, and behind these their maxima, from the work areas of the parts or, `isBack`, to them. */
  const moveConstants = (lse: number, rows: number, isBack: boolean): void => {
    for (let part = 0; part < parts.count; part++) {
      const from = parts.first(part, rows);
      const count = parts.first(part + 1, rows) - from;
      const area = parts.work(part, 8 * count);
      for (let i = 0; i < 2; i++) {
        const [all, mine] = [lse + 4 * (i * rows + from), area + 4 * i * count];
        if (isBack) k.copy(mine, all, count);
        else k.copy(all, mine, count);
      }
    }
  };

  const own: Partial<Kernels> = {
    uniform: drawn(k.uniform as Kernel) as Kernels["uniform"],
    philox: drawn(k.philox as Kernel) as Kernels["philox"],
    normal: drawn(k.normal as Kernel) as Kernels["normal"],
    transpose(z, x, m, n, apart = n) {
      if (m * n < least.values || n < 32 * parts.count) return k.transpose(z, x, m, n, apart);
      parts.run(k.transpose, (part) => {
        const from = parts.first(part, n, 16);
        return [z + 4 * from * m, x + 4 * from, m, parts.first(part + 1, n, 16) - from, apart || n];
      });
    },
    transposeBits(z, bits, rows, n, apart = 0) {
      if (rows * n < 8 * least.values || n < 64 * parts.count) return k.transposeBits(z, bits, rows, n, apart);
      parts.run(k.transposeBits, (part) => {
        const from = parts.first(part, n, 32);
        const count = parts.first(part + 1, n, 32) - from;
        return [z + 4 * wordsOf(rows) * from, bits + from / 8, rows, count, apart || wordsOf(n)];
      });
    },
    sumAxis(z, x, outer, n, inner, apart = 0) {
      if (outer === 1 && inner !== 1 && byColumns(k.sumAxis, z, x, n, inner, [], apart) !== null) return;
      const args = [z, x, outer, n, inner, apart] as const;
      if (inner < 0 || cutInto(k.sumAxis, SUMS, args) === null) k.sumAxis(...args);
    },
    addSumAxis(z, x, outer, n, inner, scale, apart = 0) {
      if (outer === 1 && inner !== 1 && byColumns(k.addSumAxis, z, x, n, inner, [scale], apart) !== null) return;
      const args = [z, x, outer, n, inner, scale, apart] as const;
      if (inner < 0 || cutInto(k.addSumAxis, SUMS, args) === null) k.addSumAxis(...args);
    },
    prodAxisGrad(dx, dz, x, rest, outer, n, inner) {
      if (outer < 2 * parts.count || outer * n * inner < least.values) {
        return k.prodAxisGrad(dx, dz, x, rest, outer, n, inner);
      }
      for (let part = 1; part < parts.count; part++) parts.work(part, 4 * n);
      parts.run(k.prodAxisGrad, (part) => {
        const from = parts.first(part, outer);
        const [o, p] = [4 * from * n * inner, 4 * from * inner];
        const area = part > 0 ? parts.work(part, 4 * n) : rest;
        return [dx + o, dz + p, x + o, area, parts.first(part + 1, outer) - from, n, inner];
      });
    },
    crossEntropy(loss, lse, x, target, weight, rows, cols, smoothing) {
      if (rows < 2 * parts.count || rows * cols < least.values) {
        return k.crossEntropy(loss, lse, x, target, weight, rows, cols, smoothing);
      }
      for (let part = 0; part < parts.count; part++) parts.work(part, 8 * rows);
      parts.run(k.crossEntropy, (part) => {
        const from = parts.first(part, rows);
        const count = parts.first(part + 1, rows) - from;
        const area = lse === 0 ? 0 : parts.work(part, 8 * count);
        return [loss + 4 * from, area, x + 4 * from * cols, target + 4 * from, weight, count, cols, smoothing];
      });
      if (lse !== 0) moveConstants(lse, rows, false);
    },
    crossEntropyGrad(dx, x, lse, target, weight, dloss, step, scale, rows, cols, smoothing) {
      if (rows < 2 * parts.count || rows * cols < least.values) {
        return k.crossEntropyGrad(dx, x, lse, target, weight, dloss, step, scale, rows, cols, smoothing);
      }
      if (lse !== 0) moveConstants(lse, rows, true);
      parts.run(k.crossEntropyGrad, (part) => {
        const from = parts.first(part, rows);
        const count = parts.first(part + 1, rows) - from;
        const [o, area] = [4 * from * cols, lse === 0 ? 0 : parts.work(part, 8 * count)];
        const [at, d] = [target + 4 * from, dloss + 4 * from * step];
        return [dx + o, x + o, area, at, weight, d, step, scale, count, cols, smoothing];
      });
    },
    bernoulli(bits, p, n, repeats, scale, key0, key1, counter0, counter1, first = 0, end = 0) {
      const last = end || n * repeats;
      if (last - first < Math.max(least.values, 128 * parts.count)) {
        return k.bernoulli(bits, p, n, repeats, scale, key0, key1, counter0, counter1, first, end);
      }
      parts.run(k.bernoulli, (part) => {
        const from = first + parts.first(part, last - first, 64);
        const to = first + parts.first(part + 1, last - first, 64);
        return [bits, p, n, repeats, scale, key0, key1, counter0, counter1, from, to];
      });
    },
    delay(z, x, d, first, T, rows, n, inner) {
      const size = rows * n * inner;
      if (T - first < 2 * parts.count || (T - first) * size < least.values) {
        return k.delay(z, x, d, first, T, rows, n, inner);
      }
      parts.run(k.delay, (part) => {
        const from = parts.first(part, T - first);
        return [z + 4 * from * size, x, d, first + from, first + parts.first(part + 1, T - first), rows, n, inner];
      });
    },
    delayGrad(dx, dz, d, first, T, rows, n, inner) {
      const size = rows * n * inner;
      if (T - first < 2 * parts.count || (T - first) * size < least.values) {
        return k.delayGrad(dx, dz, d, first, T, rows, n, inner);
      }
      // A value of dx gets that of one step alone.
      parts.run(k.delayGrad, (part) => {
        const from = parts.first(part, T - first);
        return [dx, dz + 4 * from * size, d, first + from, first + parts.first(part + 1, T - first), rows, n, inner];
      });
    },
  };

  const named = k as unknown as Readonly<Record<string, Kernel>>;
  const others = own as Record<string, Kernel>;
  for (const [arrays, names] of ELEMENTWISE) {
    for (const name of names.split(" ")) {
      const f = named[name] as Kernel;
      const all = new Array(arrays).fill(1);
      const single = [...all.slice(1), 0];
      const cut = { count: arrays, unit: 16, steps: () => all };
      const singleCut = { ...cut, steps: () => single };
      const hasSingle = SINGLE.includes(name);
      others[name] = (...args) => {
        const isSingle = hasSingle && (args[arrays + 1] ?? 0) !== 0;
        if (cutInto(f, isSingle ? singleCut : cut, args) === null) f(...args);
      };
    }
  }
  for (const [name, cut] of Object.entries(OTHERS)) {
    const f = named[name] as Kernel;
    const join = JOINED[name] ?? null;
    others[name] = (...args) => {
      const found = typeof cut === "function" ? cut(args) : cut;
      const results = found === null ? null : cutInto(f, found, args);
      return results === null ? f(...args) : join?.(results);
    };
  }
  return own as Partial<Kernels> & Pick<CoreKernels, "fill">;
}

const total = (counts: readonly number[]): number => counts.reduce((sum, each) => sum + each, 0);

/** The result of kernels that count bits or groups, from those of their parts. */
const JOINED: Readonly<Record<string, (results: readonly number[]) => number>> = {
  countBits: total,
  alignBits: total,
  alignGroups: total,
  surrogateSupport: total,
  // The highest bit says that some are graded.
  packBits: (results) => results.reduce((sum, each) => (sum + (each & 0x7fffffff)) | ((sum | each) & -0x80000000), 0),
};
