/**
 * Zeros and ones as bits, 32 per word, the first one lowest.
 *
 * Spikes [T, B, …] are a *stream*: element i is bit i mod 32 of word i div 32, whatever the shape, and one word after the last may be read.
 * Products use *rows*: every row starts at a new word.
 */
import { one, storeTail } from "./lanes";
import { scalarEnd } from "./span";

/** One bit in each lane, which selects a lane's bit of a word. */
const lanes = memory.data<u32>([1, 2, 4, 8], 16);
/** Sixteen rows of 32 columns, a byte of each row in a vector. */
const eights = memory.data(64, 16);
/** Binary digits of 128 counters. */
const counters = memory.data(400, 16);

/** State of the stream being written: the address of the next word, and the bits that do not fill it yet. */
let next: usize = 0;
let pending: u64 = 0;
let filled: u32 = 0;

export function startStream(bits: usize): void {
  next = bits;
  pending = 0;
  filled = 0;
}

/** Appends the lowest `count` ≤ 32 bits of a word, whose other bits are 0. */
export function append(word: u32, count: u32): void {
  pending |= (<u64>word) << filled;
  filled += count;
  if (filled < 32) return;
  store<u32>(next, <u32>pending);
  next += 4;
  pending >>= 32;
  filled -= 32;
}

export function endStream(): void {
  if (filled > 0) store<u32>(next, <u32>pending);
}

/** Sets bit i + j of a stream for each bit j that is set in a word of at most 25 bits; the other bits of the stream keep their values. */
export function setBits(bits: usize, i: i32, word: u32): void {
  const at = bits + (<usize>i >> 3);
  store<u32>(at, load<u32>(at) | (word << (i & 7)));
}

/** The 32 bits of a stream from bit i on. */
export function wordAt(bits: usize, i: usize): u32 {
  return <u32>(load<u64>(bits + ((i >> 5) << 2)) >> (i & 31));
}

/** z[i] ← bit i of a stream, 0 or 1     i < n */
// @cut n by 32 → z, bits / 32
export function unpackBits(z: usize, bits: usize, n: i32): void {
  for (; n >= 32; n -= 32, bits += 4, z += 128) {
    const word = v128.load32_splat(bits);
    let bit = v128.load(lanes);
    for (let o: usize = 0; o < 128; o += 16) {
      v128.store(z + o, v128.and(i32x4.eq(v128.and(word, bit), bit), v128.load32_splat(one)));
      bit = i32x4.shl(bit, 4);
    }
  }
  if (n > 0) for (let word = load<u32>(bits); n > 0; n--, z += 4, word >>= 1) store<f32>(z, <f32>(word & 1));
}

/** rows [rows, ⌈n/32⌉] ← a stream [rows, n]. Returns the number of set bits. */
// @costs rows * n / 8
// @cut rows by 32 / even(n) → z * (n + 31 >> 5), bits * n / 32
export function alignBits(z: usize, bits: usize, rows: i32, n: i32): i32 {
  return alignFrom(z, bits, 0, rows, n);
}

/** `alignBits` for a stream that begins at bit `first`. */
export function alignFrom(z: usize, bits: usize, first: usize, rows: i32, n: i32): i32 {
  const words = (n + 31) >> 5;
  const rest = n & 31;
  const last: u32 = rest == 0 ? u32.MAX_VALUE : (1 << rest) - 1;
  let counts = i32x4.splat(0);
  let count = 0;
  for (let i = first; rows > 0; rows--, i += <usize>n) {
    const shift = <i32>i & 31;
    let from = bits + ((i >> 5) << 2);
    let left = words;
    for (; left > 4; left -= 4, z += 16, from += 16) {
      const four = inline.always(shifted(from, shift));
      v128.store(z, four);
      counts = i32x4.add(counts, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(four))));
    }
    for (; left > 0; left--, z += 4, from += 4) {
      const word = <u32>(load<u64>(from) >> shift) & (left == 1 ? last : u32.MAX_VALUE);
      store<u32>(z, word);
      count += popcnt<u32>(word);
    }
  }
  count += i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1);
  return count + i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
}

/** Number of set bits in `words` words. */
// @cut words → bits
export function countBits(bits: usize, words: i32): i32 {
  let count = 0;
  for (const end = scalarEnd(bits, words); bits < end; bits += 4) count += popcnt<u32>(load<u32>(bits));
  return count;
}

/**
 * z[i] ← Σ_t bit (t, i) of a stream [T, n]. T is at most 2²⁴, so float32 holds each sum.
 *
 * Works on 128 counters at once: vector d holds their binary digits of value 2ᵈ, so one addition with carry increments all of them.
 */
export function sumBits(z: usize, bits: usize, T: i32, n: i32): void {
  const digits = 32 - clz<u32>(T);
  for (let i = 0; i < n; i += 128) {
    const count = min(128, n - i);
    memory.fill(counters, 0, digits << 4);
    let at = <usize>i;
    for (let t = 1; t <= T; t++, at += <usize>n) {
      let carry = inline.always(manyAt(bits, at, count));
      for (let p = counters, end = p + ((32 - clz<u32>(t)) << 4); p < end; p += 16) {
        const digit = v128.load(p);
        v128.store(p, v128.xor(digit, carry));
        carry = v128.and(carry, digit);
      }
    }
    for (let q = 0; q < count; q += 4, z += 16) {
      const bit = i32x4.shl(v128.load(lanes), q & 31);
      let value = i32x4.splat(1);
      let sums = i32x4.splat(0);
      for (let p = counters + ((q >> 5) << 2), end = p + (digits << 4); p < end; p += 16) {
        const set = i32x4.eq(v128.and(v128.load32_splat(p), bit), bit);
        sums = v128.or(sums, v128.and(set, value));
        value = i32x4.shl(value, 1);
      }
      if (count - q >= 4) v128.store(z, f32x4.convert_i32x4_s(sums));
      else inline.always(storeTail(z, count - q, f32x4.convert_i32x4_s(sums)));
    }
  }
}

/** Four words of a stream from bit `shift` of a word on. */
function shifted(p: usize, shift: i32): v128 {
  const above = i32x4.shl(i32x4.shl(v128.load(p, 4), 1), 31 - shift);
  return v128.or(i32x4.shr_u(v128.load(p), shift), above);
}

/** `count` ≤ 128 bits of a stream from bit i on, followed by arbitrary bits. */
function manyAt(bits: usize, i: usize, count: i32): v128 {
  const shift = <i32>i & 31;
  const p = bits + ((i >> 5) << 2);
  if (count == 128) return inline.always(shifted(p, shift));
  let word = i32x4.splat(wordAt(bits, i));
  if (count > 32) word = i32x4.replace_lane(word, 1, wordAt(bits, i + 32));
  if (count > 64) word = i32x4.replace_lane(word, 2, wordAt(bits, i + 64));
  return count > 96 ? i32x4.replace_lane(word, 3, wordAt(bits, i + 96)) : word;
}

/**
 * bits [rows, ⌈k/32⌉] ← x [rows, k] ≠ 0, at bit p mod 32 of word p div 32. Returns the number of set bits, minus 2³¹ if a value is neither 0
 * nor 1.
 */
// @costs rows * k
// @cut rows → bits * (k + 31 >> 5), x * k
export function packBits(bits: usize, x: usize, rows: i32, k: i32): i32 {
  const unit = v128.load32_splat(one);
  const none = i32x4.splat(0);
  let graded = i32x4.splat(0);
  let count = 0;
  for (let i = 0; i < rows; i++) {
    for (let p = 0; p < k; p += 32, bits += 4) {
      let word: u32 = 0;
      const width = min(32, k - p);
      let q = 0;
      for (; q + 16 <= width; q += 16, x += 64) {
        const v0 = v128.load(x);
        const v1 = v128.load(x, 16);
        const v2 = v128.load(x, 32);
        const v3 = v128.load(x, 48);
        const s0 = f32x4.ne(v0, none);
        const s1 = f32x4.ne(v1, none);
        const s2 = f32x4.ne(v2, none);
        const s3 = f32x4.ne(v3, none);
        graded = v128.or(graded, f32x4.ne(v0, v128.and(s0, unit)));
        graded = v128.or(graded, f32x4.ne(v1, v128.and(s1, unit)));
        graded = v128.or(graded, f32x4.ne(v2, v128.and(s2, unit)));
        graded = v128.or(graded, f32x4.ne(v3, v128.and(s3, unit)));
        const low = i16x8.narrow_i32x4_s(s0, s1);
        word |= (<u32>i8x16.bitmask(i8x16.narrow_i16x8_s(low, i16x8.narrow_i32x4_s(s2, s3)))) << q;
      }
      for (; q < width; q++, x += 4) {
        const v = v128.load32_zero(x);
        const set = f32x4.ne(v, none);
        graded = v128.or(graded, f32x4.ne(v, v128.and(set, unit)));
        word |= (<u32>i32x4.bitmask(set)) << q;
      }
      store<u32>(bits, word);
      count += popcnt<u32>(word);
    }
  }
  return v128.any_true(graded) ? count | i32.MIN_VALUE : count;
}

/**
 * z [k, ⌈rows/32⌉] ← the transpose of bits [rows, ⌈k/32⌉], whose rows are `apart` words apart, or contiguous if `apart`
 * is 0
 *
 * Sixteen rows at a time: a vector holds one byte of each, and the highest bits of its bytes are half a word of a column.
 */
// @costs rows * k / 8
// @cut k by 32 → z * (rows + 31 >> 5), bits / 32, apart = apart || k + 31 >> 5
export function transposeBits(z: usize, bits: usize, rows: i32, k: i32, apart: i32): void {
  const step = (<usize>(apart != 0 ? apart : (k + 31) >> 5)) << 2;
  const outBytes = (<usize>((rows + 31) >> 5)) << 2;
  // The last word of each column is zeroed first, since rows may end within it.
  if ((rows & 31) != 0) for (let q = 1; q <= k; q++) store<u32>(z + <usize>q * outBytes - 4, 0);
  for (let i = 0; i < rows; i += 16, z += 2, bits += step << 4) {
    const left = rows - i;
    let to = z;
    for (let p = 0; p < k; p += 32, to += outBytes << 5) {
      const from = bits + (<usize>p >> 3);
      const x0 = inline.always(fourWords(from, step, left));
      const x1 = inline.always(fourWords(from + 4 * step, step, left - 4));
      const x2 = inline.always(fourWords(from + 8 * step, step, left - 8));
      const x3 = inline.always(fourWords(from + 12 * step, step, left - 12));
      const low01 = i8x16.shuffle(x0, x1, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
      const low23 = i8x16.shuffle(x2, x3, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
      const high01 = i8x16.shuffle(x0, x1, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
      const high23 = i8x16.shuffle(x2, x3, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
      v128.store(eights, i64x2.shuffle(low01, low23, 0, 2));
      v128.store(eights, i64x2.shuffle(low01, low23, 1, 3), 16);
      v128.store(eights, i64x2.shuffle(high01, high23, 0, 2), 32);
      v128.store(eights, i64x2.shuffle(high01, high23, 1, 3), 48);
      let at = to;
      let eight = eights;
      let columns = k - p;
      for (; columns >= 8 && eight < eights + 64; columns -= 8, eight += 16, at += outBytes << 3) {
        let bytes = v128.load(eight);
        const last = at + outBytes * 7;
        bytes = inline.always(column(last, bytes));
        bytes = inline.always(column(last - outBytes, bytes));
        bytes = inline.always(column(last - outBytes * 2, bytes));
        bytes = inline.always(column(at + outBytes * 4, bytes));
        bytes = inline.always(column(at + outBytes * 3, bytes));
        bytes = inline.always(column(at + outBytes * 2, bytes));
        bytes = inline.always(column(at + outBytes, bytes));
        inline.always(column(at, bytes));
      }
      if (eight < eights + 64) {
        let bytes = v128.load(eight);
        for (let q = 7; q >= 0; q--) {
          if (q < columns) store<u16>(at + <usize>q * outBytes, i8x16.bitmask(bytes));
          bytes = i8x16.add(bytes, bytes);
        }
      }
    }
  }
}

/** Writes the highest bits of sixteen bytes as half a word; returns the bytes shifted, with the next bits highest. */
function column(to: usize, bytes: v128): v128 {
  store<u16>(to, i8x16.bitmask(bytes));
  return i8x16.add(bytes, bytes);
}

/** Words of up to four rows, 0 for missing ones. */
function fourWords(p: usize, step: usize, left: i32): v128 {
  let words = i32x4.splat(0);
  if (left <= 0) return words;
  words = v128.load32_zero(p);
  if (left > 1) words = v128.load32_lane(p + step, words, 1);
  if (left > 2) words = v128.load32_lane(p + 2 * step, words, 2);
  return left > 3 ? v128.load32_lane(p + 3 * step, words, 3) : words;
}
