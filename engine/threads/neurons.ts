/** Steps of plain neurons that threads share: some neurons of a step each. */
import type { CoreKernels } from "../../kernels/build/types.ts";
import * as lif from "../../kernels/lif-layout.ts";
import * as product from "../../kernels/product-layout.ts";
import { integers, wordsAt } from "../backend.ts";
import type { Parts } from "./parts.ts";
import { wholeWords } from "./sweeps.ts";

/** The words of the arrays of neurons that begin so many values later in a part. */
const FORWARD = [lif.u, lif.from, lif.current, lif.v, lif.last];
const BACKWARD = [
  ...[lif.u, lif.from, lif.dSpikes, lif.dMembrane, lif.dV],
  ...[lif.dLast, lif.dU, lif.dSum, lif.dFrom],
];

/** In the block of a part for descriptors that of neurons lies behind that of a product. */
const NEURONS = 4 * product.words;

/** The kernels of neurons among `k`, shared where a step has many; `fill` sets their bits to 0. */
export function sharedNeurons(k: CoreKernels, parts: Parts, fill: CoreKernels["fill"]): Partial<CoreKernels> {
  const { least } = parts;

  /** The descriptor for a part of a product that gives one step of a gradient, `count` values from number `from` on. Returns its address. */
  const describeRows = (factors: number, part: number, from: number, count: number): number => {
    const own = parts.descriptors[part] as number;
    const [first, words] = [wordsAt(factors, product.words), wordsAt(own, product.words)];
    integers.copyWithin(words, first, first + product.words);
    const [n, k] = [integers[words + product.n] as number, integers[words + product.k] as number];
    integers[words + product.m] = count / n;
    integers[words + product.a] = (integers[words + product.a] as number) + 4 * (from / n) * k;
    integers[words + product.c] = (integers[words + product.c] as number) + 4 * from;
    return own;
  };

  /**
   * Runs neurons by parts of a step, where they are many: whole words of bits, and whole rows where parameters belong to columns, or where
   * a gradient is a product. `arrays` are the words of arrays of numbers. Returns whether there were enough.
   */
  const runNeurons = (f: unknown, descriptor: number, arrays: readonly number[]): boolean => {
    const at = wordsAt(descriptor, lif.words);
    const of = (word: number): number => integers[at + word] as number;
    const [T, n] = [of(lif.T), of(lif.n)];
    const size = of(lif.rows) * n;
    const byRows = of(lif.stepBeta) + of(lif.stepThreshold) !== 0;
    const bits = f === k.lifForward ? of(lif.spikes) : 0;
    const factors = f === k.lifBackward ? of(lif.product) : 0;
    const columns = factors === 0 ? 0 : (integers[wordsAt(factors, product.words) + product.n] as number);
    const unit = columns === 0 ? wholeWords(byRows ? n : 32) : byRows ? n : columns;
    if (T * size < least.values || unit === 0 || size < 2 * parts.count * unit) return false;
    if (columns === 0 && size % 32 !== 0) return false;
    if (bits !== 0) fill(bits, (T * size) / 32, 0);
    parts.run(f, (part) => {
      const to = (parts.descriptors[part] as number) + NEURONS;
      const [first, words] = [wordsAt(descriptor, lif.words), wordsAt(to, lif.words)];
      integers.copyWithin(words, first, first + lif.words);
      const from = parts.first(part, size, unit);
      const count = parts.first(part + 1, size, unit) - from;
      integers[words + lif.rows] = byRows ? count / n : 1;
      integers[words + lif.n] = byRows ? n : count;
      integers[words + lif.stepAll] = size;
      for (const word of arrays) {
        const array = integers[words + word] as number;
        if (array !== 0) integers[words + word] = array + 4 * from;
      }
      if (bits !== 0) integers[words + lif.spikes] = bits + from / 8;
      if (factors !== 0) integers[words + lif.product] = describeRows(factors, part, from, count);
      return [to];
    });
    return true;
  };

  return {
    lifForward(descriptor) {
      if (!runNeurons(k.lifForward, descriptor, FORWARD)) k.lifForward(descriptor);
    },
    lifBackward(descriptor) {
      if (!runNeurons(k.lifBackward, descriptor, BACKWARD)) k.lifBackward(descriptor);
    },
  };
}
