/**
 * Products C ← X·B of a matrix X with many zeros, such as what comes back through a max pool. The non-zeros of each row
 * are listed with the rows of B that they meet; each element of C has one accumulator that takes them in the order of
 * the columns of X, which gives the bits of the dense product for finite B.
 */

import { vectorEnd } from "./span";
import { spill, sum16Graded, zeros } from "./sums";

/** Bytes of an entry: a row of B and a value, as in the lists of gather. */
const ENTRY: usize = 8;
/** Columns that are summed at once while as many are left; then sixteen. */
const WIDE = 48;

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
 * Lists the non-zeros of x [m, k]. Returns how many there are. `lists` has room for m + 1 words and two for every element
 * and one more.
 *
 *   lists: where the list of each row begins, and the last ends | the entries
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
 * C [m, n] ← X·B for the listed X. Rows of B are bRow elements apart, those of C cRow. Whole groups of 16 columns are read
 * and written: what the rows of B and of C hold up to the next multiple of 16 is scratch.
 */
export function multiplyListed(c: usize, lists: usize, b: usize, m: i32, n: i32, bRow: i32, cRow: i32): void {
  const unit = (<usize>bRow) << 2;
  const cBytes = (<usize>cRow) << 2;
  for (let j = 0; j < n; ) {
    const width = n - j > 32 ? WIDE : 16;
    let to = c;
    for (let list = lists, end = lists + ((<usize>m) << 2); list != end; list += 4, to += cBytes) {
      if (width == WIDE) sumWide(to, load<u32>(list), load<u32>(list, 4), b, unit);
      else sum16Graded(to, load<u32>(list), load<u32>(list, 4), b, unit, zeros, 0);
    }
    j += width;
    c += (<usize>width) << 2;
    b += (<usize>width) << 2;
  }
}

/** The first addition is stored where nobody reads it, for the reason that `sum32` gives. */
function sumWide(c: usize, list: usize, end: usize, b: usize, unit: usize): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  let s8 = s0;
  let s9 = s0;
  let s10 = s0;
  let s11 = s0;
  for (; list != end; list += ENTRY) {
    const row = b + <usize>load<u32>(list) * unit;
    const value = v128.load32_splat(list, 4);
    s0 = f32x4.add(s0, f32x4.mul(value, v128.load(row)));
    v128.store(spill, s0);
    s1 = f32x4.add(s1, f32x4.mul(value, v128.load(row, 16)));
    s2 = f32x4.add(s2, f32x4.mul(value, v128.load(row, 32)));
    s3 = f32x4.add(s3, f32x4.mul(value, v128.load(row, 48)));
    s4 = f32x4.add(s4, f32x4.mul(value, v128.load(row, 64)));
    s5 = f32x4.add(s5, f32x4.mul(value, v128.load(row, 80)));
    s6 = f32x4.add(s6, f32x4.mul(value, v128.load(row, 96)));
    s7 = f32x4.add(s7, f32x4.mul(value, v128.load(row, 112)));
    s8 = f32x4.add(s8, f32x4.mul(value, v128.load(row, 128)));
    s9 = f32x4.add(s9, f32x4.mul(value, v128.load(row, 144)));
    s10 = f32x4.add(s10, f32x4.mul(value, v128.load(row, 160)));
    s11 = f32x4.add(s11, f32x4.mul(value, v128.load(row, 176)));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
  v128.store(c, s4, 64);
  v128.store(c, s5, 80);
  v128.store(c, s6, 96);
  v128.store(c, s7, 112);
  v128.store(c, s8, 128);
  v128.store(c, s9, 144);
  v128.store(c, s10, 160);
  v128.store(c, s11, 176);
}
