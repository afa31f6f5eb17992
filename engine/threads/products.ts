/** Products that threads share: rows of the result, or columns. */
import type { CoreKernels } from "../../kernels/build/types.ts";
import * as product from "../../kernels/product-layout.ts";
import { integers, wordsAt } from "../backend.ts";
import type { Parts } from "./parts.ts";

/** The kernels of products among `k`, of which those with much work are shared. */
export function sharedProducts(k: CoreKernels, parts: Parts): Partial<CoreKernels> {
  const { least } = parts;

  /** A copy of a product's descriptor for a part; returns the index of its first word, which holds until memory is allocated. */
  const copied = (descriptor: number, part: number): number => {
    const from = wordsAt(descriptor, product.words);
    const to = wordsAt(parts.descriptors[part] as number, product.words);
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

  const wordOf = (descriptor: number, word: number): number => {
    const first = wordsAt(descriptor, product.words);
    return integers[first + word] as number;
  };

  return {
    gemm(descriptor) {
      const [m, n, depth] = [product.m, product.n, product.k].map((word) => wordOf(descriptor, word)) as [
        number,
        number,
        number,
      ];
      const byRows = m >= n && m >= 4 * parts.count;
      if (m * n * depth < least.products || !(byRows || n >= 16 * parts.count)) return k.gemm(descriptor);
      parts.run(k.gemm, (part) => {
        const at = copied(descriptor, part);
        if (byRows) takeRows(at, parts.first(part, m, 2), parts.first(part + 1, m, 2));
        else takeColumns(at, parts.first(part, n, 16), parts.first(part + 1, n, 16));
        return [parts.descriptors[part] as number];
      });
    },
    gemmSampled(descriptor) {
      const [m, n, depth] = [product.m, product.n, product.k].map((word) => wordOf(descriptor, word)) as [
        number,
        number,
        number,
      ];
      if (m * n * depth < least.products || m < 2 * parts.count) return k.gemmSampled(descriptor);
      const row = 4 * Math.ceil(n / 32);
      parts.run(k.gemmSampled, (part) => {
        const at = copied(descriptor, part);
        const from = parts.first(part, m);
        takeRows(at, from, parts.first(part + 1, m));
        integers[at + product.bits] = (integers[at + product.bits] as number) + from * row;
        return [parts.descriptors[part] as number];
      });
    },
    gemmMasked(descriptor) {
      const [m, n, depth] = [product.m, product.n, product.k].map((word) => wordOf(descriptor, word)) as [
        number,
        number,
        number,
      ];
      if (m * n * depth < least.products || m < 4 * parts.count) return k.gemmMasked(descriptor);
      parts.run(k.gemmMasked, (part) => {
        const at = copied(descriptor, part);
        const [init, c] = [integers[at + product.init], integers[at + product.c]] as [number, number];
        const from = parts.first(part, m, 2);
        takeRows(at, from, parts.first(part + 1, m, 2));
        // A column that all columns start from.
        if (init !== 0 && init !== c) integers[at + product.init] = init + 4 * from;
        return [parts.descriptors[part] as number];
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
      const byColumns = n >= 32 * parts.count;
      if (count * n < least.products || !(byColumns || m >= 4 * parts.count)) return k.gather(descriptor);
      // As `follow` gives it to one thread.
      const bytes = 4 * (m + 5 + (a !== 0 ? 2 * count : (count + 1) >> 1));
      for (let part = 1; part < parts.count; part++) parts.work(part, bytes);
      const row = 4 * Math.ceil(depth / 32);
      parts.run(k.gather, (part) => {
        const at = copied(descriptor, part);
        if (byColumns) takeColumns(at, parts.first(part, n, 32), parts.first(part + 1, n, 32));
        else {
          const from = parts.first(part, m, 2);
          takeRows(at, from, parts.first(part + 1, m, 2));
          integers[at + product.bits] = (integers[at + product.bits] as number) + from * row;
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
      const [m, n] = [product.m, product.n].map((word) => wordOf(descriptor, word)) as [number, number];
      if (m < 4 * parts.count || m * n * n < least.products) return k.feedBack(descriptor);
      parts.run(k.feedBack, (part) => {
        takeRows(copied(descriptor, part), parts.first(part, m, 2), parts.first(part + 1, m, 2));
        return [parts.descriptors[part] as number];
      });
    },
  };
}
