/** Steps of neurons that threads share: some neurons of a step each, of a plain neuron on kernels or of a compiled one. */
import type { CoreKernels } from "../../kernels/build/types.ts";
import * as lif from "../../kernels/lif-layout.ts";
import { integers, wordsAt } from "../backend.ts";
import type { Shared } from "../fuse/share.ts";
import type { Parts } from "./parts.ts";

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

/** The kernels of neurons among `k`, shared where a step has many; `fill` sets their bits to 0. */
export function sharedNeurons(k: CoreKernels, parts: Parts, fill: CoreKernels["fill"]): Partial<CoreKernels> {
  const { least } = parts;

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
    if (T * size < least.values || size % 32 !== 0 || unit === 0 || size < 2 * parts.count * unit) return false;
    const bits = f === k.lifForward ? of(lif.spikes) : 0;
    if (bits !== 0) fill(bits, (T * size) / 32, 0);
    parts.run(f, (part) => {
      const to = parts.descriptors[part] as number;
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

/** Sweeps of compiled steps, by elements of a step. */
export function sharedSweeps(parts: Parts): Shared {
  const { least } = parts;
  return (bound, call, t, steps, direction, together) => {
    const { size, n, plan } = bound;
    const unit = wholeWords(plan.hasColumns ? n : 32);
    if (steps * size < least.values || size % 32 !== 0 || unit === 0 || size < 2 * parts.count * unit) return false;
    const [words, pieces] = bound.ownBytes;
    if (pieces > 0) for (let part = 1; part < parts.count; part++) bound.copyTo(parts.work(part, words + pieces));
    parts.run(call.run, (part) => {
      const first = parts.first(part, size, unit);
      const last = parts.first(part + 1, size, unit);
      const at = pieces > 0 && part > 0 ? parts.work(part, words + pieces) : bound.at;
      return [at, t, steps, direction, together, last, bound.pieceOf(call, last - first), n, first];
    });
    return true;
  };
}
