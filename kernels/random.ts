/**
 * Random numbers as a function of a key and a counter: Philox 4×32-10.
 *
 * A stream is the sequence of 32-bit words of the blocks counter, counter + 1, …, four words each, in the order of the publication. Word i
 * depends only on key, counter and i, so any part of a stream can be computed anywhere, in any order. Eight blocks are computed at a time,
 * in two groups of four lanes, and transposed into that order.
 *
 *   uniform[i]      (word[i] >> 8)·2⁻²⁴, in [0, 1)
 *   normal[2k]      r·cos φ     with r = √(−2·log u), u = ((word[2k] >> 8) + 1)·2⁻²⁴ in (0, 1]
 *   normal[2k + 1]  r·sin φ     and φ = 2π·uniform[2k + 1] (Box–Muller); |normal| ≤ 5.77
 *
 *   bernoulli[i]    decided by half a word and, where its 16 bits do not decide, by 24 more
 *
 * Keys and counters are 64-bit numbers in a low and a high half.
 *
 * @see Salmon, Moraes, Dror, Shaw (2011), Parallel Random Numbers: As Easy as 1, 2, 3, SC '11.
 */
import { half, laneNumber, logNormal, one, signBit, sinTurn, storeTransposed } from "./lanes";

const multiplier0 = memory.data<u32>([0xd2511f53]);
const multiplier1 = memory.data<u32>([0xcd9e8d57]);
/** The golden ratio and √3 − 1, in units of 2⁻³². */
const keyStep0 = memory.data<u32>([0x9e3779b9]);
const keyStep1 = memory.data<u32>([0xbb67ae85]);
/** 2⁻²⁴ */
const unit = memory.data<u32>([0x33800000]);
const quarter = memory.data<f32>([0.25]);
const minusTwo = memory.data<f32>([-2]);
/** Output of eight blocks, if it cannot be written to its place directly. */
const scratch = memory.data(128, 16);
const fractions = memory.data(128, 16);
const rates = memory.data(128, 16);
const lowHalf = memory.data<u32>([0xffff]);

/**
 * The 32 words of the blocks first … first + 7. Each round waits for its multiplications, so two groups of four blocks alternate.
 */
function eightBlocks(
  to: usize,
  first: i32,
  key0: i32,
  key1: i32,
  counter0: i32,
  counter1: i32,
  counter2: i32,
  counter3: i32,
): void {
  let c0 = i32x4.add(i32x4.splat(counter0 + first), v128.load(laneNumber));
  let d0 = i32x4.add(i32x4.splat(counter0 + first + 4), v128.load(laneNumber));
  // A sum below its operand has overflowed; the mask is then −1.
  let c1 = i32x4.sub(i32x4.splat(counter1), i32x4.lt_u(c0, i32x4.splat(counter0)));
  let d1 = i32x4.sub(i32x4.splat(counter1), i32x4.lt_u(d0, i32x4.splat(counter0)));
  let c2 = i32x4.splat(counter2);
  let d2 = c2;
  let c3 = i32x4.splat(counter3);
  let d3 = c3;
  let k0 = i32x4.splat(key0);
  let k1 = i32x4.splat(key1);
  let round = 10;
  do {
    let low = i64x2.extmul_low_i32x4_u(c0, v128.load32_splat(multiplier0));
    let high = i64x2.extmul_high_i32x4_u(c0, v128.load32_splat(multiplier0));
    const c = v128.xor(v128.xor(i32x4.shuffle(low, high, 1, 3, 5, 7), c3), k1);
    c3 = i32x4.shuffle(low, high, 0, 2, 4, 6);
    low = i64x2.extmul_low_i32x4_u(c2, v128.load32_splat(multiplier1));
    high = i64x2.extmul_high_i32x4_u(c2, v128.load32_splat(multiplier1));
    c0 = v128.xor(v128.xor(i32x4.shuffle(low, high, 1, 3, 5, 7), c1), k0);
    c1 = i32x4.shuffle(low, high, 0, 2, 4, 6);
    c2 = c;
    low = i64x2.extmul_low_i32x4_u(d0, v128.load32_splat(multiplier0));
    high = i64x2.extmul_high_i32x4_u(d0, v128.load32_splat(multiplier0));
    const d = v128.xor(v128.xor(i32x4.shuffle(low, high, 1, 3, 5, 7), d3), k1);
    d3 = i32x4.shuffle(low, high, 0, 2, 4, 6);
    low = i64x2.extmul_low_i32x4_u(d2, v128.load32_splat(multiplier1));
    high = i64x2.extmul_high_i32x4_u(d2, v128.load32_splat(multiplier1));
    d0 = v128.xor(v128.xor(i32x4.shuffle(low, high, 1, 3, 5, 7), d1), k0);
    d1 = i32x4.shuffle(low, high, 0, 2, 4, 6);
    d2 = d;
    k0 = i32x4.add(k0, v128.load32_splat(keyStep0));
    k1 = i32x4.add(k1, v128.load32_splat(keyStep1));
  } while (--round != 0);
  inline.always(storeTransposed(to, 16, c0, c1, c2, c3));
  inline.always(storeTransposed(to + 64, 16, d0, d1, d2, d3));
}

/**
 * z[i] ← word i of the stream, a u32: Philox 4×32-10 of the key and the counter, which increases by 1 every four words. counter2 and
 * counter3 are its upper words.
 */
// @let block = (counter0 >>> 0) + low / 4
// @cut n by 32 → z, counter0 = block >>> 0, counter1 = counter1 + Math.floor(block / 2 ** 32) >>> 0
export function philox(
  z: usize,
  n: i32,
  key0: i32,
  key1: i32,
  counter0: i32,
  counter1: i32,
  counter2: i32,
  counter3: i32,
): void {
  for (let i = 0; i < n; i += 32, z += 128) {
    const to = n - i >= 32 ? z : scratch;
    eightBlocks(to, i >> 2, key0, key1, counter0, counter1, counter2, counter3);
    if (to == scratch) memory.copy(z, scratch, (<usize>(n - i)) << 2);
  }
}

/** The words as floats in [0, 1). */
function uniformOf(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(words, 8)), v128.load32_splat(unit));
}

/** z[i] ← uniform number i in [0, 1): the 24 high bits of word i of the stream, times 2⁻²⁴ */
// @let block = (counter0 >>> 0) + low / 4
// @cut n by 32 → z, counter0 = block >>> 0, counter1 = counter1 + Math.floor(block / 2 ** 32) >>> 0
export function uniform(z: usize, n: i32, key0: i32, key1: i32, counter0: i32, counter1: i32): void {
  for (let i = 0; i < n; i += 32, z += 128) {
    const to = n - i >= 32 ? z : scratch;
    eightBlocks(to, i >> 2, key0, key1, counter0, counter1, 0, 0);
    for (let o: usize = 0; o < 128; o += 16) v128.store(to + o, uniformOf(v128.load(to + o)));
    if (to == scratch) memory.copy(z, scratch, (<usize>(n - i)) << 2);
  }
}

/** Turns eight words into eight normal numbers. */
function boxMuller(p: usize): void {
  const words0 = v128.load(p);
  const words1 = v128.load(p, 16);
  const even = i32x4.shuffle(words0, words1, 0, 2, 4, 6);
  const u = f32x4.mul(
    f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_u(even, 8)), v128.load32_splat(one)),
    v128.load32_splat(unit),
  );
  const r = f32x4.sqrt(f32x4.mul(v128.load32_splat(minusTwo), inline.always(logNormal(u))));
  // t turns, −1/2 ≤ t ≤ 1/2: sin 2πt is odd and symmetric about 1/4, cos 2πt = sin 2π(1/4 − |t|). All steps are exact.
  const turns = uniformOf(i32x4.shuffle(words0, words1, 1, 3, 5, 7));
  const t = f32x4.sub(turns, f32x4.nearest(turns));
  const a = f32x4.abs(t);
  const folded = v128.or(f32x4.pmin(a, f32x4.sub(v128.load32_splat(half), a)), v128.and(t, v128.load32_splat(signBit)));
  const cos = f32x4.mul(r, inline.always(sinTurn(f32x4.sub(v128.load32_splat(quarter), a))));
  const sin = f32x4.mul(r, inline.always(sinTurn(folded)));
  v128.store(p, i32x4.shuffle(cos, sin, 0, 4, 1, 5));
  v128.store(p, i32x4.shuffle(cos, sin, 2, 6, 3, 7), 16);
}

/** z[i] ← standard normal number i, by Box–Muller from pairs of words */
// @let block = (counter0 >>> 0) + low / 4
// @cut n by 32 → z, counter0 = block >>> 0, counter1 = counter1 + Math.floor(block / 2 ** 32) >>> 0
export function normal(z: usize, n: i32, key0: i32, key1: i32, counter0: i32, counter1: i32): void {
  for (let i = 0; i < n; i += 32, z += 128) {
    const to = n - i >= 32 ? z : scratch;
    eightBlocks(to, i >> 2, key0, key1, counter0, counter1, 0, 0);
    for (let o: usize = 0; o < 128; o += 32) inline.always(boxMuller(to + o));
    if (to == scratch) memory.copy(z, scratch, (<usize>(n - i)) << 2);
  }
}

/** clamp(p, 0, 1)·scale; NaN for NaN. */
function rateOf(p: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.pmin(f32x4.pmax(p, i32x4.splat(0)), v128.load32_splat(one)), scale);
}

/** The 16 bits of each of four words from bit `shift` on, as numbers. */
function halvesOf(words: v128, shift: i32): v128 {
  return f32x4.convert_i32x4_s(v128.and(i32x4.shr_u(words, shift), v128.load32_splat(lowHalf)));
}

function bitsOf(m0: v128, m1: v128, m2: v128, m3: v128): u32 {
  const low = i16x8.narrow_i32x4_s(m0, m1);
  return i8x16.bitmask(i8x16.narrow_i16x8_s(low, i16x8.narrow_i32x4_s(m2, m3)));
}

/**
 * Compares sixteen halves h with their rates. The lower 16 bits of the result say where h ≤ rate, the upper ones where
 * h + 1 ≤ rate.
 */
function compareSixteen(words: usize, p: usize, scales: v128, shift: i32): u32 {
  const h0 = inline.always(halvesOf(v128.load(words), shift));
  const h1 = inline.always(halvesOf(v128.load(words, 16), shift));
  const h2 = inline.always(halvesOf(v128.load(words, 32), shift));
  const h3 = inline.always(halvesOf(v128.load(words, 48), shift));
  const r0 = inline.always(rateOf(v128.load(p), scales));
  const r1 = inline.always(rateOf(v128.load(p, 16), scales));
  const r2 = inline.always(rateOf(v128.load(p, 32), scales));
  const r3 = inline.always(rateOf(v128.load(p, 48), scales));
  const ones = v128.load32_splat(one);
  const below = inline.always(
    bitsOf(
      f32x4.le(f32x4.add(h0, ones), r0),
      f32x4.le(f32x4.add(h1, ones), r1),
      f32x4.le(f32x4.add(h2, ones), r2),
      f32x4.le(f32x4.add(h3, ones), r3),
    ),
  );
  const near = inline.always(bitsOf(f32x4.le(h0, r0), f32x4.le(h1, r1), f32x4.le(h2, r2), f32x4.le(h3, r3)));
  return (below << 16) | near;
}

/**
 * bit (r, i) of a stream ← (h + f)·2⁻¹⁶ < clamp(p[i], 0, 1)·scale     r < repeats, i < n
 *
 * for bit number b = r·n + i. h is half a word of the stream: of every 32 words, first the low halves and then the high
 * ones. f is number b of `uniform` in the stream with counter2 = 1; it is needed once in 65536 times, when h does not
 * decide. Writes the bits from `first`, a multiple of 64, to `end`, or to the last bit if `end` is 0.
 */
// @cut (end || n * repeats) - first by 64 → first = first + low, end = first + high
export function bernoulli(
  bits: usize,
  p: usize,
  n: i32,
  repeats: i32,
  scale: f32,
  key0: i32,
  key1: i32,
  counter0: i32,
  counter1: i32,
  first: i32,
  end: i32,
): void {
  const total = end != 0 ? end : n * repeats;
  // Both sides of the comparison times 2¹⁶, which is exact.
  const scales = f32x4.splat(scale * 65536);
  let column = first > 0 ? first % n : 0;
  bits += <usize>first >> 3;
  for (let i = first; i < total; i += 32, bits += 4) {
    const shift = (i & 32) >> 1;
    if (shift == 0) eightBlocks(scratch, i >> 3, key0, key1, counter0, counter1, 0, 0);
    let from = p + ((<usize>column) << 2);
    if (n - column >= 32) {
      column += 32;
      if (column == n) column = 0;
    } else {
      // The end of a row is among these 32 numbers.
      from = rates;
      for (let o: usize = 0; o < 128; o += 4) {
        store<f32>(from + o, load<f32>(p + ((<usize>column) << 2)));
        if (++column == n) column = 0;
      }
    }
    // h + 1 ≤ rate, and h ≤ rate: if they differ, f decides.
    let below: u32 = 0;
    let near: u32 = 0;
    for (let o: usize = 0; o < 128; o += 64) {
      const both = inline.always(compareSixteen(scratch + o, from + o, scales, shift));
      below = (below >> 16) | (both & 0xffff0000);
      near = (near >> 16) | (both << 16);
    }
    let open = below ^ near;
    if (open != 0) eightBlocks(fractions, i >> 2, key0, key1, counter0, counter1, 1, 0);
    for (; open != 0; open &= open - 1) {
      const j = ctz<u32>(open);
      const o = (<usize>j) << 2;
      const h = halvesOf(v128.load32_splat(scratch + o), shift);
      const f = uniformOf(v128.load32_splat(fractions + o));
      below |= (i32x4.bitmask(f32x4.lt(f, f32x4.sub(rateOf(v128.load32_splat(from + o), scales), h))) & 1) << j;
    }
    if (total - i < 32) below &= (1 << (total - i)) - 1;
    store<u32>(bits, below);
  }
}
