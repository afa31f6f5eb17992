/**
 * Sums of the rows of a matrix in a list, some columns at a time, which stay in registers. List entries are 16-bit places, or 32-bit places
 * with a value each. Registers cannot be indexed, so each sum is written out.
 */
import { madd } from "./lanes";

/** A store into this vector, which is never read, keeps instructions in order. */
const spill = memory.data(16, 16);

/** Address of the row of an entry; rows are `unit` bytes apart. */
export function rowOf(graded: bool, entry: usize, b: usize, unit: usize): usize {
  return b + (graded ? <usize>load<u32>(entry) : <usize>load<u16>(entry)) * unit;
}

/** sum + four columns of a row, times the value of the entry if it has one. */
export function plus(graded: bool, sum: v128, value: v128, row: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD && graded) return inline.always(madd(sum, value, v128.load(row)));
  return f32x4.add(sum, graded ? f32x4.mul(value, v128.load(row)) : v128.load(row));
}

/** c[0 … 31] ← init + the listed rows of a panel of 32 columns. */
export function sum32(c: usize, list: usize, end: usize, b: usize, init: usize): void {
  inline.always(sums(32, false, c, list, end, b, 128, init));
}

/** `sum32`, but each row is multiplied by the value that the list has beside its index. */
export function sum32Graded(c: usize, list: usize, end: usize, b: usize, init: usize): void {
  inline.always(sums(32, true, c, list, end, b, 128, init));
}

/** c[0 … 15] ← init + 16 columns of the listed rows, which are `unit` bytes apart. */
export function sum16(c: usize, list: usize, end: usize, b: usize, unit: usize, init: usize): void {
  inline.always(sums(16, false, c, list, end, b, unit, init));
}

/** `sum16` with rows multiplied by the values of their entries. */
export function sum16Graded(c: usize, list: usize, end: usize, b: usize, unit: usize, init: usize): void {
  inline.always(sums(16, true, c, list, end, b, unit, init));
}

/** `sum16Graded` for 24 columns. */
export function sum24Graded(c: usize, list: usize, end: usize, b: usize, unit: usize, init: usize): void {
  inline.always(sums(24, true, c, list, end, b, unit, init));
}

/** `sum16Graded` for 48 columns. */
export function sum48Graded(c: usize, list: usize, end: usize, b: usize, unit: usize, init: usize): void {
  inline.always(sums(48, true, c, list, end, b, unit, init));
}

/**
 * Sums of 16, 24, 32 or 48 columns.
 *
 * The compiler moves all loads of a loop body to its front, but eight sums and eight loaded rows exceed the registers. The store, which is
 * never read, forces the first addition before the other loads.
 */
function sums(columns: i32, graded: bool, c: usize, list: usize, end: usize, b: usize, unit: usize, init: usize): void {
  let s0 = v128.load(init);
  let s1 = v128.load(init, 16);
  let s2 = v128.load(init, 32);
  let s3 = v128.load(init, 48);
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  let s8 = s0;
  let s9 = s0;
  let s10 = s0;
  let s11 = s0;
  if (columns > 16) {
    s4 = v128.load(init, 64);
    s5 = v128.load(init, 80);
  }
  if (columns > 24) {
    s6 = v128.load(init, 96);
    s7 = v128.load(init, 112);
  }
  if (columns > 32) {
    s8 = v128.load(init, 128);
    s9 = v128.load(init, 144);
    s10 = v128.load(init, 160);
    s11 = v128.load(init, 176);
  }
  for (; list != end; list += graded ? 8 : 2) {
    const row = inline.always(rowOf(graded, list, b, unit));
    const value = graded ? v128.load32_splat(list, 4) : s0;
    s0 = inline.always(plus(graded, s0, value, row));
    if (columns > 24) v128.store(spill, s0);
    s1 = inline.always(plus(graded, s1, value, row + 16));
    s2 = inline.always(plus(graded, s2, value, row + 32));
    s3 = inline.always(plus(graded, s3, value, row + 48));
    if (columns > 16) {
      s4 = inline.always(plus(graded, s4, value, row + 64));
      s5 = inline.always(plus(graded, s5, value, row + 80));
    }
    if (columns > 24) {
      s6 = inline.always(plus(graded, s6, value, row + 96));
      s7 = inline.always(plus(graded, s7, value, row + 112));
    }
    if (columns > 32) {
      s8 = inline.always(plus(graded, s8, value, row + 128));
      s9 = inline.always(plus(graded, s9, value, row + 144));
      s10 = inline.always(plus(graded, s10, value, row + 160));
      s11 = inline.always(plus(graded, s11, value, row + 176));
    }
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
  if (columns > 16) {
    v128.store(c, s4, 64);
    v128.store(c, s5, 80);
  }
  if (columns > 24) {
    v128.store(c, s6, 96);
    v128.store(c, s7, 112);
  }
  if (columns > 32) {
    v128.store(c, s8, 128);
    v128.store(c, s9, 144);
    v128.store(c, s10, 160);
    v128.store(c, s11, 176);
  }
}

/**
 * c[0 … 3] and c[16 … 19] += the first columns of the rows in two lists, the second after the first. With so few columns, each addition of a
 * single list would wait for the previous one.
 */
export function twoSums4(c: usize, list: usize, end: usize, otherEnd: usize, b: usize, unit: usize): void {
  let other = end;
  let s0 = v128.load(c);
  let t0 = v128.load(c, 64);
  for (const stop = list + min(end - list, otherEnd - other); list != stop; list += 2, other += 2) {
    s0 = f32x4.add(s0, v128.load(b + <usize>load<u16>(list) * unit));
    t0 = f32x4.add(t0, v128.load(b + <usize>load<u16>(other) * unit));
  }
  for (; list != end; list += 2) s0 = f32x4.add(s0, v128.load(b + <usize>load<u16>(list) * unit));
  for (; other != otherEnd; other += 2) t0 = f32x4.add(t0, v128.load(b + <usize>load<u16>(other) * unit));
  v128.store(c, s0);
  v128.store(c, t0, 64);
}

/** `twoSums4` for 12 columns. */
export function twoSums12(c: usize, list: usize, end: usize, otherEnd: usize, b: usize, unit: usize): void {
  let other = end;
  let s0 = v128.load(c);
  let s1 = v128.load(c, 16);
  let s2 = v128.load(c, 32);
  let t0 = v128.load(c, 64);
  let t1 = v128.load(c, 80);
  let t2 = v128.load(c, 96);
  const both = min(end - list, otherEnd - other);
  if (both != 0) {
    // Addresses are advanced before their use, since V8 copies one that is advanced after it.
    list -= 2;
    other -= 2;
    const last = list + both;
    do {
      list += 2;
      other += 2;
      const row = b + <usize>load<u16>(list) * unit;
      const otherRow = b + <usize>load<u16>(other) * unit;
      s0 = f32x4.add(s0, v128.load(row));
      s1 = f32x4.add(s1, v128.load(row, 16));
      s2 = f32x4.add(s2, v128.load(row, 32));
      t0 = f32x4.add(t0, v128.load(otherRow));
      t1 = f32x4.add(t1, v128.load(otherRow, 16));
      t2 = f32x4.add(t2, v128.load(otherRow, 32));
    } while (list != last);
    list += 2;
    other += 2;
  }
  for (; list != end; list += 2) {
    const row = b + <usize>load<u16>(list) * unit;
    s0 = f32x4.add(s0, v128.load(row));
    s1 = f32x4.add(s1, v128.load(row, 16));
    s2 = f32x4.add(s2, v128.load(row, 32));
  }
  for (; other != otherEnd; other += 2) {
    const row = b + <usize>load<u16>(other) * unit;
    t0 = f32x4.add(t0, v128.load(row));
    t1 = f32x4.add(t1, v128.load(row, 16));
    t2 = f32x4.add(t2, v128.load(row, 32));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, t0, 64);
  v128.store(c, t1, 80);
  v128.store(c, t2, 96);
}
