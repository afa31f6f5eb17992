/**
 * Products C ← X·B of a matrix X with many zeros, such as a gradient after the backward pass of max pooling. The non-zeros of each row are
 * listed with their rows of B. Each element of C has one accumulator that adds them in the order of the columns of X, which gives the bits of
 * the dense product for finite B.
 */

import { laneNumber } from "./lanes";
import { sum16Graded, sum24Graded, sum48Graded } from "./listed-sums";
import { vectorEnd } from "./span";

/** Bytes of an entry: a row of B and a value, as in the lists of gather. */
const ENTRY: usize = 8;
/** Columns that are summed at once: WIDE if more than 32 are left, MIDDLE for a rest of 17 to 24, else 16. */
const WIDE = 48;
const MIDDLE = 24;

const zeros = memory.data(192, 16);
/** For every combination of four lanes, the bytes of these lanes, ascending; filled on first use. */
const lanesOf = memory.data(256, 16);

function makeLanes(): void {
  for (let set: u32 = 0; set < 16; set++) {
    let to = lanesOf + (set << 4);
    for (let lane: u32 = 0; lane < 4; lane++) {
      if (((set >> lane) & 1) == 0) continue;
      store<u32>(to, 0x03020100 + lane * 0x04040404);
      to += 4;
    }
  }
}

/**
 * Lists the non-zeros of x [m, k] and returns their number. `lists` has room for m + 1 words, and two for every element plus one.
 *
 *   lists: the start of each row's list, and the end of the last | the entries
 */
export function listNonZeros(lists: usize, x: usize, m: i32, k: i32): i32 {
  const entries = lists + ((<usize>m + 1) << 2);
  let to = entries;
  if (load<u8>(lanesOf + 255) == 0) makeLanes();
  const none = f32x4.splat(0);
  const next = i32x4.splat(4);
  for (let i = 0; i < m; i++) {
    store<u32>(lists + ((<usize>i) << 2), <u32>to);
    let places = v128.load(laneNumber);
    for (const stop = vectorEnd(x, k); x < stop; x += 16) {
      const four = v128.load(x);
      const set = <u32>i32x4.bitmask(f32x4.ne(four, none));
      const lanes = v128.load(lanesOf + (set << 4));
      const values = i8x16.swizzle(four, lanes);
      const names = i8x16.swizzle(places, lanes);
      v128.store(to, i32x4.shuffle(names, values, 0, 4, 1, 5));
      v128.store(to, i32x4.shuffle(names, values, 2, 6, 3, 7), 16);
      to += (<usize>popcnt<u32>(set)) << 3;
      places = i32x4.add(places, next);
    }
    for (let p = k & ~3; p < k; p++, x += 4) {
      const value = load<f32>(x);
      store<i32>(to, p);
      store<f32>(to, value, 4);
      if (value != 0) to += ENTRY;
    }
  }
  store<u32>(entries - 4, <u32>to);
  return <i32>((to - entries) / ENTRY);
}

/**
 * C [m, n] ← X·B for the listed X. Rows of B are bRow elements apart, rows of C cRow. Whole groups of 16 columns are read and written, so the
 * rest of a row of B or C up to the next multiple of 16 is scratch.
 */
export function multiplyListed(c: usize, lists: usize, b: usize, m: i32, n: i32, bRow: i32, cRow: i32): void {
  const unit = (<usize>bRow) << 2;
  const cBytes = (<usize>cRow) << 2;
  for (let j = 0; j < n; ) {
    const left = n - j;
    const width = left > 32 ? WIDE : left > 16 && left <= MIDDLE ? MIDDLE : 16;
    let to = c;
    for (let list = lists, end = lists + ((<usize>m) << 2); list != end; list += 4, to += cBytes) {
      if (width == WIDE) sum48Graded(to, load<u32>(list), load<u32>(list, 4), b, unit, zeros);
      else if (width == MIDDLE) sum24Graded(to, load<u32>(list), load<u32>(list, 4), b, unit, zeros);
      else sum16Graded(to, load<u32>(list), load<u32>(list, 4), b, unit, zeros);
    }
    j += width;
    c += (<usize>width) << 2;
    b += (<usize>width) << 2;
  }
}
