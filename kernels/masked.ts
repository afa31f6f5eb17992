/**
 * Products of few rows with a matrix of bits that is too dense for lists. Each bit becomes a mask, so a term costs an "and" and an
 * addition, and the bits are not unpacked to floats.
 *
 * Every element has one accumulator that adds terms in the order of p. A masked term adds 0. If A is finite, the result therefore has the
 * same bits as the dense product; −0 in init counts as 0.
 */

import { word } from "./lanes";
import * as layout from "./product-layout";

/** For every four bits, a lane mask for each; filled on first use. */
const masks = memory.data(256, 16);
const row = memory.data(64, 16);

function makeMasks(): void {
  for (let i: u32 = 0; i < 64; i++) store<i32>(masks + (i << 2), -(<i32>((i >> 2) >> (i & 3)) & 1));
}

/**
 * C[i, j] ← init[i, j] + Σ_p A[i, p]·bit (p, j)     C: m × n, A: m × k, bits: [k, ⌈n/32⌉]
 *
 * Takes the address of a descriptor with the words of `ProductDescriptor`. init is 0 (the address) for zeros, c to add to C, or a column
 * that all columns start from.
 */
// @costs layout.m * layout.n * layout.k / 8
// @cut layout.m by 2 → layout.c * layout.cRow, layout.init * (layout.init == layout.c ? layout.cRow : 1), layout.a * layout.aRow
export function gemmMasked(descriptor: usize): void {
  const c: usize = word(descriptor, layout.c);
  let init: usize = word(descriptor, layout.init);
  const m = word(descriptor, layout.m);
  const n = word(descriptor, layout.n);
  const k = word(descriptor, layout.k);
  const a: usize = word(descriptor, layout.a);
  const aRow = (<usize>word(descriptor, layout.aRow)) << 2;
  const aStep = (<usize>word(descriptor, layout.aCol)) << 2;
  const cRow = (<usize>word(descriptor, layout.cRow)) << 2;
  const cStep = (<usize>word(descriptor, layout.cCol)) << 2;
  const bits: usize = word(descriptor, layout.bits);
  if (load<u32>(masks, 252) == 0) makeMasks();
  const bitsRow = (<usize>(n + 31) >> 5) << 2;
  const initStep = init == c ? cStep : 0;
  const initRow = init == c ? cRow : init == 0 ? 0 : 4;
  // Without initial values the sums begin at 0: the first mask, that of no bits, holds sixteen zeros.
  if (init == 0) init = masks;
  for (let i = 0; i < m; i += 2) {
    // Rows are processed in pairs; the last one may be its own partner.
    const j = min(i + 1, m - 1);
    let c0 = c + <usize>i * cRow;
    let c1 = c + <usize>j * cRow;
    const a0 = a + <usize>i * aRow;
    const a1 = a + <usize>j * aRow;
    let from0 = init + <usize>i * initRow;
    let from1 = init + <usize>j * initRow;
    for (let left = n, word = bits; left > 0; left -= 16, word += 2) {
      // Sixteen columns, of which the last ones may be missing.
      const columns = min(16, left);
      // 0 is added to each initial value, because −0 would keep its sign if all terms are masked, and lose it if a term 0 is added.
      const zero = f32x4.splat(0);
      copy(row, 4, from0, initStep, columns);
      let s0 = f32x4.add(v128.load(row), zero);
      let s1 = f32x4.add(v128.load(row, 16), zero);
      let s2 = f32x4.add(v128.load(row, 32), zero);
      let s3 = f32x4.add(v128.load(row, 48), zero);
      copy(row, 4, from1, initStep, columns);
      let t0 = f32x4.add(v128.load(row), zero);
      let t1 = f32x4.add(v128.load(row, 16), zero);
      let t2 = f32x4.add(v128.load(row, 32), zero);
      let t3 = f32x4.add(v128.load(row, 48), zero);
      let x0 = a0;
      let x1 = a1;
      let at = word;
      for (let p = k; p > 0; p--) {
        const set: usize = load<u16>(at);
        const x = v128.load32_splat(x0);
        const y = v128.load32_splat(x1);
        const first = v128.load(masks + ((set & 15) << 4));
        s0 = f32x4.add(s0, v128.and(first, x));
        t0 = f32x4.add(t0, v128.and(first, y));
        const second = v128.load(masks + (set & 240));
        s1 = f32x4.add(s1, v128.and(second, x));
        t1 = f32x4.add(t1, v128.and(second, y));
        const third = v128.load(masks + ((set >> 4) & 240));
        s2 = f32x4.add(s2, v128.and(third, x));
        t2 = f32x4.add(t2, v128.and(third, y));
        const fourth = v128.load(masks + ((set >> 8) & 240));
        s3 = f32x4.add(s3, v128.and(fourth, x));
        t3 = f32x4.add(t3, v128.and(fourth, y));
        at += bitsRow;
        x0 += aStep;
        x1 += aStep;
      }
      v128.store(row, t0);
      v128.store(row, t1, 16);
      v128.store(row, t2, 32);
      v128.store(row, t3, 48);
      copy(c1, cStep, row, 4, columns);
      v128.store(row, s0);
      v128.store(row, s1, 16);
      v128.store(row, s2, 32);
      v128.store(row, s3, 48);
      copy(c0, cStep, row, 4, columns);
      c0 += cStep << 4;
      c1 += cStep << 4;
      from0 += initStep << 4;
      from1 += initStep << 4;
    }
  }
}

function copy(to: usize, toStep: usize, from: usize, fromStep: usize, count: i32): void {
  if (toStep == 4 && fromStep == 4) memory.copy(to, from, (<usize>count) << 2);
  else for (; count > 0; count--, to += toStep, from += fromStep) store<f32>(to, load<f32>(from));
}
