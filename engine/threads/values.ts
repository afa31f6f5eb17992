/** Kernels over values, rows and bits that threads share. */
import type { CoreKernels } from "../../kernels/build/types.ts";
import type { Parts } from "./parts.ts";
import type { Kernel } from "./pool.ts";

/** The greatest power of two up to 32 that divides n. */
export const gcd32 = (n: number): number => Math.min(32, n & -n);

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

/** The kernels over values among `k`, of which those with much work are shared. */
export function sharedValues(k: CoreKernels, parts: Parts): Partial<CoreKernels> & Pick<CoreKernels, "fill"> {
  const { least } = parts;
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
      if (n < least.values) {
        f(...args);
        return;
      }
      const shifted = hasSingle && (args[at + 1] ?? 0) !== 0 ? at - 1 : at;
      parts.run(f, (part) => {
        const from = parts.first(part, n, 16);
        const mine = args.slice();
        for (let i = first; i < shifted; i++) if (mine[i] !== 0) mine[i] = (mine[i] as number) + 4 * from;
        mine[at] = parts.first(part + 1, n, 16) - from;
        return mine;
      });
    };
  };

  /** A kernel over rows of the same length: the addresses of so many arrays, rows and columns. */
  const rowwise = (name: string, arrays: number): Kernel => {
    const f = named[name] as Kernel;
    return (...args) => {
      const [rows, columns] = [args[arrays], args[arrays + 1]] as [number, number];
      if (rows * columns < least.values || rows < 2 * parts.count) {
        f(...args);
        return;
      }
      parts.run(f, (part) => {
        const from = parts.first(part, rows);
        const mine = args.slice();
        for (let i = 0; i < arrays; i++) mine[i] = (mine[i] as number) + 4 * from * columns;
        mine[arrays] = parts.first(part + 1, rows) - from;
        return mine;
      });
    };
  };

  const own: Partial<CoreKernels> = {
    packBits(bits, x, rows, n) {
      if (rows < 2 * parts.count || rows * n < least.values) return k.packBits(bits, x, rows, n);
      const row = 4 * Math.ceil(n / 32);
      const found = parts.run(k.packBits, (part) => {
        const from = parts.first(part, rows);
        return [bits + row * from, x + 4 * n * from, parts.first(part + 1, rows) - from, n];
      });
      // The highest bit says that some are graded.
      return found.reduce((sum, each) => (sum + (each & 0x7fffffff)) | ((sum | each) & -0x80000000), 0);
    },
    transpose(z, x, m, n, apart = n) {
      if (m * n < least.values || n < 32 * parts.count) return k.transpose(z, x, m, n, apart);
      parts.run(k.transpose, (part) => {
        const from = parts.first(part, n, 16);
        return [z + 4 * from * m, x + 4 * from, m, parts.first(part + 1, n, 16) - from, apart || n];
      });
    },
    transposeBits(z, bits, rows, n, apart = 0) {
      if (rows * n < 8 * least.values || n < 32 * parts.count) return k.transposeBits(z, bits, rows, n, apart);
      const row = 4 * Math.ceil(rows / 32);
      parts.run(k.transposeBits, (part) => {
        const from = parts.first(part, n, 32);
        const count = parts.first(part + 1, n, 32) - from;
        return [z + row * from, bits + from / 8, rows, count, apart || Math.ceil(n / 32)];
      });
    },
    sumAxis(z, x, outer, n, inner, apart = 0) {
      const columns = Math.abs(inner);
      if (outer !== 1 || n * columns < least.values || columns < 32 * parts.count)
        return k.sumAxis(z, x, outer, n, inner, apart);
      parts.run(k.sumAxis, (part) => {
        const from = parts.first(part, columns, 16);
        const count = parts.first(part + 1, columns, 16) - from;
        return [z + 4 * from, x + 4 * from, 1, n, -count, apart || columns];
      });
    },
    addSumAxis(z, x, outer, n, inner, scale, apart = 0) {
      if (outer !== 1 || n * inner < least.values || inner < 32 * parts.count)
        return k.addSumAxis(z, x, outer, n, inner, scale, apart);
      parts.run(k.addSumAxis, (part) => {
        const from = parts.first(part, inner, 16);
        const count = parts.first(part + 1, inner, 16) - from;
        return [z + 4 * from, x + 4 * from, 1, n, -count, scale, apart || inner];
      });
    },
    alignBits(z, bits, rows, n) {
      // A part begins at a word of the stream.
      const unit = 32 / gcd32(n);
      if (rows < 2 * parts.count * unit || rows * n < 8 * least.values) return k.alignBits(z, bits, rows, n);
      const row = 4 * Math.ceil(n / 32);
      const counts = parts.run(k.alignBits, (part) => {
        const from = parts.first(part, rows, unit);
        return [z + row * from, bits + (from * n) / 8, parts.first(part + 1, rows, unit) - from, n];
      });
      return counts.reduce((sum, each) => sum + each, 0);
    },
    bernoulli(bits, p, n, repeats, scale, key0, key1, counter0, counter1, first, end) {
      const last = end || n * repeats;
      if (last - first < least.values) {
        return k.bernoulli(bits, p, n, repeats, scale, key0, key1, counter0, counter1, first, end);
      }
      parts.run(k.bernoulli, (part) => {
        const from = first + parts.first(part, last - first, 64);
        const to = first + parts.first(part + 1, last - first, 64);
        return [bits, p, n, repeats, scale, key0, key1, counter0, counter1, from, to];
      });
    },
  };
  const others = own as Record<string, Kernel>;
  for (const [first, arrays, names] of ELEMENTWISE) {
    for (const name of names.split(" ")) others[name] = elementwise(name, first, arrays, SINGLE.includes(name));
  }
  for (const [arrays, names] of ROWWISE) for (const name of names.split(" ")) others[name] = rowwise(name, arrays);
  return own as Partial<CoreKernels> & Pick<CoreKernels, "fill">;
}
