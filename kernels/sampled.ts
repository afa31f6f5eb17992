/**
 * Products of which only some elements are wanted: C += A·B where bits are set, for four neighbouring columns at a time. The
 * gradient of spikes is such a product where their surrogate is 0 beyond a distance from the threshold.
 *
 * Every element has one accumulator that takes the terms in the order of the dense product, and so its bits. B is packed in
 * strips of four columns; a row of A passes four wanted strips at once.
 */
import { alignBits } from "./bits";
import { reachOf } from "./derivative";
import { loadSome, madd, word } from "./lanes";
import { BLOCK_FLOATS, packFour, panels } from "./panels";
import * as layout from "./product-layout";

/** Most rows of B in a strip, and most strips at a time. */
const DEEPEST = 4096;
const MOST = 1024;

/** The wanted strips of a row. */
const strips = memory.data(4112, 16);
/** Where strips go that are missing of four. */
const nowhere = memory.data(16, 16);

/**
 * bits [rows, ⌈n/32⌉] ← where the derivative of a surrogate (its kind and slope as in `surrogate`) is not 0 at u − θ, for u
 * [rows, n] and θ per column (step 1) or one for all (step 0): everywhere but for triangles and boxes. Returns how many groups of four
 * neighbours have a bit.
 */
export function surrogateSupport(
  bits: usize,
  u: usize,
  threshold: usize,
  step: i32,
  rows: i32,
  n: i32,
  kind: i32,
  slope: f32,
): i32 {
  const reach = f32x4.splat(reachOf(kind, slope));
  let theta = v128.load32_splat(threshold);
  let groups = 0;
  for (; rows > 0; rows--) {
    let word: u32 = 0;
    for (let p = 0; p < n; ) {
      const four = n - p >= 4;
      const count = four ? 4 : 1;
      if (step != 0) theta = loadSome(threshold + ((<usize>p) << 2), four);
      const near = f32x4.lt(f32x4.abs(f32x4.sub(loadSome(u, four), theta)), reach);
      word |= (<u32>i32x4.bitmask(near) & ((1 << count) - 1)) << (p & 31);
      p += count;
      u += (<usize>count) << 2;
      if ((p & 31) == 0 || p == n) {
        store<u32>(bits, word);
        groups += popcnt<u32>(groupsOf(word));
        bits += 4;
        word = 0;
      }
    }
  }
  return groups;
}

/** bits [rows, ⌈n/32⌉] ← a stream [rows, n]. Returns how many groups of four neighbours have a bit. */
export function alignGroups(bits: usize, stream: usize, rows: i32, n: i32): i32 {
  alignBits(bits, stream, rows, n);
  let groups = 0;
  for (let words = rows * ((n + 31) >> 5); words > 0; words--, bits += 4) {
    groups += popcnt<u32>(groupsOf(load<u32>(bits)));
  }
  return groups;
}

/** The lowest bit of each group of four, set where the group has one. */
function groupsOf(word: u32): u32 {
  word |= word >> 1;
  return (word | (word >> 2)) & 0x11111111;
}

/**
 * C[i, j] += Σₚ A[i,p]·B[p,j] in every group of four columns that has a bit     C: m × n, A: m × k, B: k × n, bits: [m, ⌈n/32⌉]
 *
 * Takes the address of a descriptor with the words of `ProductDescriptor`. A and C are contiguous along their rows, and n is a multiple
 * of 4. C must not overlap A or B.
 */
export function gemmSampled(descriptor: usize): void {
  const c: usize = word(descriptor, layout.c);
  const m = word(descriptor, layout.m);
  const n = word(descriptor, layout.n);
  const k = word(descriptor, layout.k);
  const a: usize = word(descriptor, layout.a);
  const b: usize = word(descriptor, layout.b);
  const bits: usize = word(descriptor, layout.bits);
  const words = (n + 31) >> 5;
  const aBytes = (<usize>word(descriptor, layout.aRow)) << 2;
  const cBytes = (<usize>word(descriptor, layout.cRow)) << 2;
  const rowBytes = (<usize>word(descriptor, layout.bRow)) << 2;
  const colBytes = (<usize>word(descriptor, layout.bCol)) << 2;
  for (let p = 0, kc = 0; p < k; p += kc) {
    kc = min(DEEPEST, k - p);
    const strip = (<usize>kc) << 4;
    const width = min(MOST, (BLOCK_FLOATS / (kc << 2)) & ~7) << 2;
    for (let j = 0; j < n; j += width) {
      const nc = min(width, n - j);
      const from = b + <usize>p * rowBytes + <usize>j * colBytes;
      for (let q = 0; q < nc; q += 4) {
        packFour(panels + (<usize>q >> 2) * strip, 16, from + <usize>q * colBytes, kc, 4, rowBytes, colBytes);
      }
      let row = bits + ((<usize>j >> 5) << 2);
      let ai = a + ((<usize>p) << 2);
      let ci = c + ((<usize>j) << 2);
      for (let i = 0; i < m; i++, row += (<usize>words) << 2, ai += aBytes, ci += cBytes) {
        const end = listStrips(row, (nc + 31) >> 5);
        for (let at = strips; at < end; at += 16) inline.always(fourStrips(ci, ai, at, end, strip, kc));
      }
    }
  }
}

/** strips ← the numbers of the groups that have a bit; returns their end. */
function listStrips(bits: usize, words: i32): usize {
  let to = strips;
  for (let w = 0; w < words; w++, bits += 4) {
    for (let groups = groupsOf(load<u32>(bits)); groups != 0; groups &= groups - 1, to += 4) {
      store<u32>(to, (w << 3) + (ctz<u32>(groups) >> 2));
    }
  }
  return to;
}

/** One row of A times up to four listed strips, to their places in a row of C. */
function fourStrips(c: usize, a: usize, list: usize, end: usize, strip: usize, k: i32): void {
  const left = end - list;
  const q0 = load<u32>(list);
  const q1 = left > 4 ? load<u32>(list, 4) : q0;
  const q2 = left > 8 ? load<u32>(list, 8) : q0;
  const q3 = left > 12 ? load<u32>(list, 12) : q0;
  const c0 = c + (q0 << 4);
  const c1 = left > 4 ? c + (q1 << 4) : nowhere;
  const c2 = left > 8 ? c + (q2 << 4) : nowhere;
  const c3 = left > 12 ? c + (q3 << 4) : nowhere;
  let b0 = panels + <usize>q0 * strip;
  let b1 = panels + <usize>q1 * strip;
  let b2 = panels + <usize>q2 * strip;
  let b3 = panels + <usize>q3 * strip;
  let s0 = v128.load(c0);
  let s1 = v128.load(c1);
  let s2 = v128.load(c2);
  let s3 = v128.load(c3);
  do {
    const x = v128.load32_splat(a);
    s0 = inline.always(madd(s0, x, v128.load(b0)));
    s1 = inline.always(madd(s1, x, v128.load(b1)));
    s2 = inline.always(madd(s2, x, v128.load(b2)));
    s3 = inline.always(madd(s3, x, v128.load(b3)));
    a += 4;
    b0 += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
  } while (--k != 0);
  v128.store(c0, s0);
  v128.store(c1, s1);
  v128.store(c2, s2);
  v128.store(c3, s3);
}
