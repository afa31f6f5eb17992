/**
 * Products C ← X·B of a matrix X with many zeros, such as what comes back through a max pool. The non-zeros of each row
 * are listed with the rows of B that they meet; each element of C has one accumulator that takes them in the order of
 * the columns of X, which gives the bits of the dense product for finite B.
 *
 * Rows of X are taken in the order of the lengths of their lists: a processor then foresees the ends of the loops.
 * Twelve accumulators share what a list costs to read.
 */

import { vectorEnd } from "./span";

/** Bytes of an entry: an offset into B and a value. */
const ENTRY: usize = 8;
const WIDE = 28;

const laneNumber = memory.data<u32>([0, 1, 2, 3], 16);
/** For every combination of four lanes the bytes of these, ascending; made when it is first needed. */
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
 * Lists the non-zeros of x [m, k], column p as an offset of p·unit bytes. Returns how many there are. `lists` has room for
 * 2·m + k + 3 words and two for every element and one more.
 *
 *   lists: where the list of each row begins, and the last ends | the rows by length | k + 2 counters | the entries
 */
export function listNonZeros(lists: usize, x: usize, m: i32, k: i32, unit: i32): i32 {
  const order = lists + ((<usize>m + 1) << 2);
  const counters = order + ((<usize>m) << 2);
  const entries = counters + ((<usize>k + 2) << 2);
  memory.fill(counters, 0, (<usize>k + 2) << 2);
  let to = entries;
  if (load<u8>(lanesOf + 255) == 0) makeLanes();
  const none = f32x4.splat(0);
  const first = i32x4.mul(v128.load(laneNumber), i32x4.splat(unit));
  const next = i32x4.splat(unit << 2);
  for (let i = 0; i < m; i++) {
    const start = to;
    store<u32>(lists + ((<usize>i) << 2), <u32>start);
    let offsets = first;
    for (const stop = vectorEnd(x, k); x < stop; x += 16) {
      const four = v128.load(x);
      const set = <u32>i32x4.bitmask(f32x4.ne(four, none));
      const lanes = v128.load(lanesOf + (set << 4));
      const values = i8x16.swizzle(four, lanes);
      const names = i8x16.swizzle(offsets, lanes);
      v128.store(to, i32x4.shuffle(names, values, 0, 4, 1, 5));
      v128.store(to, i32x4.shuffle(names, values, 2, 6, 3, 7), 16);
      to += (<usize>popcnt<u32>(set)) << 3;
      offsets = i32x4.add(offsets, next);
    }
    for (let p = k & ~3; p < k; p++, x += 4) {
      const value = load<f32>(x);
      store<i32>(to, p * unit);
      store<f32>(to, value, 4);
      if (value != 0) to += ENTRY;
    }
    const counter = counters + ((to - start) >> 1) + 4;
    store<u32>(counter, load<u32>(counter) + 1);
  }
  store<u32>(order - 4, <u32>to);
  for (let p = 1; p <= k; p++) {
    const counter = counters + ((<usize>p) << 2);
    store<u32>(counter, load<u32>(counter) + load<u32>(counter - 4));
  }
  for (let i = 0; i < m; i++) {
    const at = lists + ((<usize>i) << 2);
    const counter = counters + ((load<u32>(at, 4) - load<u32>(at)) >> 1);
    const rank = load<u32>(counter);
    store<u32>(counter, rank + 1);
    store<i32>(order + ((<usize>rank) << 2), i);
  }
  return <i32>((to - entries) / ENTRY);
}

/**
 * C [m, n] ← X·B for the listed X. Rows of C are cRow elements apart. Whole groups of 16 columns are read and written:
 * what the rows of B and of C hold up to the next multiple of 16 is scratch.
 */
export function multiplyListed(c: usize, lists: usize, b: usize, m: i32, n: i32, cRow: i32): void {
  const order = lists + ((<usize>m + 1) << 2);
  for (let j = 0; j < n; ) {
    const width = n - j > 16 ? WIDE : 16;
    for (let s = 0; s < m; s++) {
      const i = <usize>load<i32>(order + ((<usize>s) << 2));
      const list = lists + (i << 2);
      const to = c + ((i * <usize>cRow) << 2);
      if (width == WIDE) sumWide(to, load<u32>(list), load<u32>(list, 4), b);
      else sum16(to, load<u32>(list), load<u32>(list, 4), b);
    }
    j += width;
    c += (<usize>width) << 2;
    b += (<usize>width) << 2;
  }
}

function sumWide(c: usize, list: usize, end: usize, b: usize): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  for (; list < end; list += ENTRY) {
    const row = b + load<u32>(list);
    const value = v128.load32_splat(list, 4);
    s0 = f32x4.add(s0, f32x4.mul(value, v128.load(row)));
    s1 = f32x4.add(s1, f32x4.mul(value, v128.load(row, 16)));
    s2 = f32x4.add(s2, f32x4.mul(value, v128.load(row, 32)));
    s3 = f32x4.add(s3, f32x4.mul(value, v128.load(row, 48)));
    s4 = f32x4.add(s4, f32x4.mul(value, v128.load(row, 64)));
    s5 = f32x4.add(s5, f32x4.mul(value, v128.load(row, 80)));
    s6 = f32x4.add(s6, f32x4.mul(value, v128.load(row, 96)));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
  v128.store(c, s4, 64);
  v128.store(c, s5, 80);
  v128.store(c, s6, 96);
}

function sum16(c: usize, list: usize, end: usize, b: usize): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; list < end; list += ENTRY) {
    const row = b + load<u32>(list);
    const value = v128.load32_splat(list, 4);
    s0 = f32x4.add(s0, f32x4.mul(value, v128.load(row)));
    s1 = f32x4.add(s1, f32x4.mul(value, v128.load(row, 16)));
    s2 = f32x4.add(s2, f32x4.mul(value, v128.load(row, 32)));
    s3 = f32x4.add(s3, f32x4.mul(value, v128.load(row, 48)));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}
