/**
 * Shared by products of several modules: the depth of a block, the distance of panels, the initial rows of sums, and the choice of how to
 * list bits.
 */

/** Usual number of rows in a block of B, with which a panel stays in the first-level cache. */
export const BLOCK_K = 256;

/**
 * Distance of panels with 16 columns and kc rows: a cache line more than their size, since otherwise a row of B would fall into one set of
 * the cache.
 */
export function panelBytes(kc: i32): usize {
  return (<usize>kc + 1) << 6;
}

/**
 * Most columns that are computed at a time, and a buffer for a common start of all rows: a copy, or zeros.
 */
export const WIDEST = 4096;
const starts = memory.data(16384, 16);
export const zeros = memory.data(16384, 16);

/**
 * Copies the n ≤ WIDEST initial values of sums, with 0 for −0, and returns the address of the copy. A sum that begins at 0 is never −0, while
 * the sign of a sum that begins at −0 would show whether a 0 was added or skipped.
 */
export function startsOf(init: usize, n: i32): usize {
  const zero = f32x4.splat(0);
  for (let to = starts, end = to + ((<usize>n) << 2); to < end; to += 16, init += 16) {
    v128.store(to, f32x4.add(v128.load(init), zero));
  }
  return starts;
}

/** Density below which a search for non-zero bytes is faster, measured. Its cost for each row counts as 32 set bits. */
const FEW: f64 = 0.15;

/** Whether a total of `count` set bits is small enough for `listFewPlaces`. */
export function areFew(count: i32, m: i32, words: i32): bool {
  return <f64>count < 32 * <f64>m * (FEW * <f64>words - 1);
}
