/** Products that threads share: rows of the result, or columns. */
import type { CoreKernels } from "../../kernels/build/types.ts";
import * as product from "../../kernels/product-layout.ts";
import { integers, wordsAt } from "../backend.ts";
import type { Parts } from "./parts.ts";

const nothing = (): void => {};

/** The index of the first word of a product that is described, which holds until memory is allocated. */
const wordsIn = (descriptor: number): number => wordsAt(descriptor, product.words);

/** The kernels of products among `k`, of which those with much work are shared. */
export function sharedProducts(k: CoreKernels, parts: Parts): Partial<CoreKernels> {
  const { least } = parts;

  /** A copy of a product's descriptor for a part; returns the index of its first word, which holds until memory is allocated. */
  const copied = (descriptor: number, part: number): number => {
    const from = wordsIn(descriptor);
    const to = wordsIn(parts.descriptors[part] as number);
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

  /** Runs a product in parts of whole multiples of rows; `more` writes the words that rows of A and C do not tell. */
  const byRows = (f: unknown, descriptor: number, unit: number, more: (at: number, from: number) => void): void => {
    const first = wordsIn(descriptor);
    const m = integers[first + product.m] as number;
    parts.run(f, (part) => {
      const at = copied(descriptor, part);
      const from = parts.first(part, m, unit);
      takeRows(at, from, parts.first(part + 1, m, unit));
      more(at, from);
      return [parts.descriptors[part] as number];
    });
  };

  /** Whether a product that is described has at least so many rows, and so much work. */
  const isMuch = (at: number, rows: number): boolean => {
    const m = integers[at + product.m] as number;
    return (
      m >= rows && m * (integers[at + product.n] as number) * (integers[at + product.k] as number) >= least.products
    );
  };

  /** Moves the bits of the rows to those from row `from` on, of so many bits each. */
  const moveBits = (at: number, from: number, each: number): void => {
    integers[at + product.bits] = (integers[at + product.bits] as number) + 4 * from * ((each + 31) >> 5);
  };

  return {
    gemm(descriptor) {
      const at = wordsIn(descriptor);
      const [m, n] = [integers[at + product.m] as number, integers[at + product.n] as number];
      if (!isMuch(at, 1)) return k.gemm(descriptor);
      if (m >= n && m >= 4 * parts.count) return byRows(k.gemm, descriptor, 2, nothing);
      if (n < 16 * parts.count) return k.gemm(descriptor);
      parts.run(k.gemm, (part) => {
        takeColumns(copied(descriptor, part), parts.first(part, n, 16), parts.first(part + 1, n, 16));
        return [parts.descriptors[part] as number];
      });
    },
    gemmSampled(descriptor) {
      if (!isMuch(wordsIn(descriptor), 2 * parts.count)) return k.gemmSampled(descriptor);
      byRows(k.gemmSampled, descriptor, 1, (at, from) => moveBits(at, from, integers[at + product.n] as number));
    },
    gemmMasked(descriptor) {
      if (!isMuch(wordsIn(descriptor), 4 * parts.count)) return k.gemmMasked(descriptor);
      byRows(k.gemmMasked, descriptor, 2, (at, from) => {
        const init = integers[at + product.init] as number;
        // A column that all columns start from; where C is the start, its rows have been taken.
        if (init !== 0 && init !== integers[at + product.c]) integers[at + product.init] = init + 4 * from;
      });
    },
    gather(descriptor) {
      const first = wordsIn(descriptor);
      const n = integers[first + product.n] as number;
      const m = integers[first + product.m] as number;
      const count = integers[first + product.count] as number;
      const byColumns = n >= 32 * parts.count;
      if (count * n < least.products || !(byColumns || m >= 4 * parts.count)) return k.gather(descriptor);
      const isGraded = integers[first + product.a] !== 0;
      // As `follow` gives it to one thread.
      const bytes = 4 * (m + 5 + (isGraded ? 2 * count : (count + 1) >> 1));
      for (let part = 1; part < parts.count; part++) parts.work(part, bytes);
      parts.run(k.gather, (part) => {
        const at = copied(descriptor, part);
        if (byColumns) takeColumns(at, parts.first(part, n, 32), parts.first(part + 1, n, 32));
        else {
          const from = parts.first(part, m, 2);
          takeRows(at, from, parts.first(part + 1, m, 2));
          moveBits(at, from, integers[at + product.k] as number);
        }
        if (part > 0) integers[at + product.work] = parts.work(part, bytes);
        return [parts.descriptors[part] as number];
      });
    },
    feedForward(z, current, s, first, panels, bias, work, rows, n) {
      if (rows < 4 * parts.count || rows * n < least.states) {
        return k.feedForward(z, current, s, first, panels, bias, work, rows, n);
      }
      const bytes = 4 * (rows * (n + 36) + 64);
      for (let part = 1; part < parts.count; part++) parts.work(part, bytes);
      parts.run(k.feedForward, (part) => {
        const from = parts.first(part, rows);
        const o = 4 * from * n;
        const area = part > 0 ? parts.work(part, bytes) : work;
        return [z + o, current + o, s, first + from * n, panels, bias, area, parts.first(part + 1, rows) - from, n];
      });
    },
    feedBack(descriptor) {
      const at = wordsIn(descriptor);
      const [m, n] = [integers[at + product.m] as number, integers[at + product.n] as number];
      if (m < 4 * parts.count || m * n * n < least.products) return k.feedBack(descriptor);
      byRows(k.feedBack, descriptor, 2, nothing);
    },
  };
}
