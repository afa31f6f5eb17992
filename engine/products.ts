/** Calls of the kernels of products: what they share is described once, in the block of the heap that all descriptors lie in. */
import * as layout from "../kernels/product-layout.ts";
import { descriptor, integers, k, wordsAt, writePair } from "./backend.ts";
import { allocate, recycle } from "./scope.ts";
import type { Factors } from "./tensor.ts";

/**
 * Describes C ← init + A·B, with C [m, n], A [m, depth] and B [depth, n] without gaps; init is 0 for zeros, c to add to C, or a row for
 * all. Returns the number of the first word in `integers`, for words that differ; they hold until memory is allocated.
 */
export function describeProduct(
  c: number,
  init: number,
  a: number,
  b: number,
  m: number,
  n: number,
  depth: number,
): number {
  const at = wordsAt(descriptor, layout.words);
  const words = integers;
  words[at + layout.c] = c;
  words[at + layout.init] = init;
  words[at + layout.m] = m;
  words[at + layout.n] = n;
  words[at + layout.k] = depth;
  words[at + layout.a] = a;
  words[at + layout.aRow] = depth;
  words[at + layout.aCol] = 1;
  words[at + layout.b] = b;
  words[at + layout.bRow] = n;
  words[at + layout.bCol] = 1;
  words[at + layout.cRow] = n;
  return at;
}

/** dx ← init + dz·wᵀ, of `rows` rows of dz */
export function timesTransposed(dx: number, init: number, dz: number, w: number, rows: number, factors: Factors): void {
  describeTransposed(dx, init, dz, w, rows, factors);
  k.gemm(descriptor);
}

/** Describes this product. */
export function describeTransposed(
  dx: number,
  init: number,
  dz: number,
  w: number,
  rows: number,
  { depth, outputs, stepOut, stepIn }: Factors,
): void {
  const at = describeProduct(dx, init, dz, w, rows, depth, outputs);
  writePair(at + layout.bRow, stepOut, stepIn);
}

/** dw ← init + xᵀ·dz, stored as w is */
export function transposedTimes(dw: number, init: number, x: number, dz: number, rows: number, factors: Factors): void {
  const { depth, outputs, stepOut } = factors;
  const byRows = stepOut === 1;
  const m = byRows ? depth : outputs;
  const at = describeProduct(dw, init, byRows ? x : dz, byRows ? dz : x, m, byRows ? outputs : depth, rows);
  writePair(at + layout.aRow, 1, m);
  k.gemm(descriptor);
}

/** Follows the `count` set bits of the m rows of A in a product that is described; an address of A of 0 stands for ones. */
export function follow(bits: number, count: number, m: number, graded: boolean): void {
  // Working memory of the kernel.
  const bytes = 4 * (m + 5 + (graded ? 2 * count : (count + 1) >> 1));
  const work = allocate(bytes);
  const at = wordsAt(descriptor, layout.words);
  integers[at + layout.bits] = bits;
  integers[at + layout.count] = count;
  integers[at + layout.work] = work;
  k.gather(descriptor);
  recycle(work, bytes);
}
