/**
 * Products with 8-bit weights: z = scale ⊙ (X·Q) + bias, with integers Q [in, out] from −128 to 127.
 *
 * For spikes X, the product is a sum of rows of Q, which is exact in any order. So a time step can start from the sums
 * of the previous one, subtract the rows of inputs that stopped spiking, and add those of inputs that started. Each row
 * of X starts from 0 or from the previous sums, whichever needs fewer rows of Q. If X is not spikes, its values are
 * multiplied with the integers in float32, in the order of the inputs, as in a float32 product.
 *
 *   Q      panel after panel, [in, width] in bytes: panels of 64 columns, the last ones of 16 columns if these suffice. The sums of a
 *          panel stay in registers while all rows of X pass. Missing columns of the last panel hold unused bytes
 *   lists  for each row of X, the rows of Q to add up, as their index times 64
 *
 * A group of 16 columns is a vector of eight pairs: columns j and j + 8 as x = 256·high + low + 128 in 16 bits. Sums of
 * up to 255 pairs overflow 16 bits, but Σ high does not, and Σ low = Σx − 256·Σ high − 128·n is correct modulo 2¹⁶. So
 * 16 integers cost a load, a shift for the high bytes, and two additions. Widening each integer would cost more.
 */
import { append, endStream, startStream, wordAt } from "./bits";
import { LOW, MOST_NARROW, NARROW, WIDE } from "./int8-layout";
import { storeColumns } from "./lanes";

/** Bytes of an entry: 4 in a list of places, 8 in a list of values. */
const PLACE: usize = 4;
const VALUE: usize = 8;
/** Number of 8-bit integers whose sum or difference fits 16 bits: 255·128 < 2¹⁵. */
const MOST: usize = 255;
/** Flag in the lowest bit of a list's address, a multiple of 4: the sums of the list start from 0. */
const FRESH: usize = 1;

/** For each byte, the places of its set bits times 64, ascending, 16 bits each; filled on first use. */
const placesOf = memory.data(4096, 16);

function makePlaces(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let to = placesOf + (byte << 4);
    for (let bit: u32 = 0; bit < 8; bit++) {
      if (((byte >> bit) & 1) == 0) continue;
      store<u16>(to, <u16>(bit << 6));
      to += 2;
    }
  }
}

/** Columns of the next panel if `left` columns remain. */
function widthOf(left: i32): i32 {
  return left > MOST_NARROW ? WIDE : NARROW;
}

/** Number of columns in all panels. */
function allColumns(outputs: i32): i32 {
  const rest = outputs & (WIDE - 1);
  return rest > MOST_NARROW ? outputs - rest + WIDE : (outputs + NARROW - 1) & ~(NARROW - 1);
}

/** For each 16 columns of a panel: eight sums of pairs, and eight sums of their high bytes. */
const pairs = memory.data(128, 16);
/** Sixteen float32 sums of a group with missing columns. */
const spare = memory.data(64, 16);

/**
 * lists ← which rows of Q turn the sums of one step into those of the next: some are subtracted, then others are added. The rows of bits
 * are [steps, rows, words]. `before` [rows, words] holds the bits of the step before the first; the bits of the last step replace them.
 *
 * The table begins with two words for each row of bits: the address of its list, and the address within it at which additions begin. The
 * first address is odd if the sums start from 0. Then come the end of the last list, and the lists. Size: 2·steps·rows + 1 words, one word
 * for each set bit, and room for eight more.
 */
export function listChanges(lists: usize, bits: usize, before: usize, steps: i32, rows: i32, words: i32): void {
  if (load<u16>(placesOf + 16 * 255 + 14) == 0) makePlaces();
  const bytes = (<usize>words) << 2;
  const step = <usize>rows * bytes;
  let to = lists + ((2 * <usize>steps * <usize>rows + 1) << 2);
  let last = before;
  for (let t = 0; t < steps; t++) {
    for (let r = 0; r < rows; r++, lists += 8, bits += bytes, last += bytes) {
      let set = 0;
      let changed = 0;
      if ((words & 1) != 0) {
        const word = load<u32>(bits);
        set = popcnt<u32>(word);
        changed = popcnt<u32>(word ^ load<u32>(last));
      }
      for (let o = bytes & 4; o < bytes; o += 8) {
        const word = load<u64>(bits + o);
        set += <i32>popcnt<u64>(word);
        changed += <i32>popcnt<u64>(word ^ load<u64>(last + o));
      }
      if (changed < set) {
        store<u32>(lists, <u32>to);
        to = listSet(to, last, bits, bytes);
        store<u32>(lists, <u32>to, 4);
        to = listSet(to, bits, last, bytes);
      } else {
        store<u32>(lists, <u32>(to | FRESH));
        store<u32>(lists, <u32>to, 4);
        to = listSet(to, bits, 0, bytes);
      }
    }
    last = bits - step;
  }
  store<u32>(lists, <u32>to);
  memory.copy(before, last, step);
}

/**
 * Lists the bits that are set in one row and not in the row `not`; `not` is an address, 0 for an empty row. Returns the
 * end of the list.
 */
function listSet(to: usize, bits: usize, not: usize, bytes: usize): usize {
  let place: i32 = 0;
  for (let o: usize = 0; o < bytes; o += 4, place += 32 * WIDE) {
    let word = load<u32>(bits + o);
    if (not != 0) word &= ~load<u32>(not + o);
    if (word == 0) continue;
    const first = i32x4.splat(place);
    const second = i32x4.splat(place + 8 * WIDE);
    const third = i32x4.splat(place + 16 * WIDE);
    const fourth = i32x4.splat(place + 24 * WIDE);
    inline.always(listByte(to, word & 255, first));
    to += (<usize>popcnt<u32>(word & 255)) << 2;
    inline.always(listByte(to, (word >> 8) & 255, second));
    to += (<usize>popcnt<u32>(word & 0xff00)) << 2;
    inline.always(listByte(to, (word >> 16) & 255, third));
    to += (<usize>popcnt<u32>(word & 0xff0000)) << 2;
    inline.always(listByte(to, word >> 24, fourth));
    to += (<usize>popcnt<u32>(word >> 24)) << 2;
  }
  return to;
}

/** Writes the places of the bits of a byte, whose lowest bit has the place `first`; always writes eight places. */
function listByte(to: usize, byte: u32, first: v128): void {
  const from = placesOf + (byte << 4);
  v128.store(to, i32x4.add(v128.load16x4_u(from), first));
  v128.store(to, i32x4.add(v128.load16x4_u(from, 8), first), 16);
}

/**
 * z [steps, rows, out] ← scale ⊙ sums + bias, where the sums of each row continue from the previous step with the changes of `listChanges`.
 * `sums` has the sums before the first step, and receives those of the last step.
 *
 * q: the panels; factors: the scales, then the biases, both as wide as all panels; sums: int32, panel after panel [rows, width]. Rows
 * from `first` to `end` are computed.
 */
// @costs steps * (end - first) * outputs
// @cut end - first → first = first + low, end = first + high
export function addListed(
  z: usize,
  lists: usize,
  sums: usize,
  q: usize,
  factors: usize,
  steps: i32,
  rows: i32,
  inputs: i32,
  outputs: i32,
  first: i32,
  end: i32,
): void {
  const zRow = (<usize>outputs) << 2;
  const zStep = zRow * <usize>rows;
  const listStep = (<usize>rows) << 3;
  const biases = (<usize>allColumns(outputs)) << 2;
  for (let left = outputs; left > 0; ) {
    const width = widthOf(left);
    const bytes = (<usize>width) << 2;
    sums += <usize>first * bytes;
    for (let r = first; r < end; r++, sums += bytes) {
      let list = lists + ((<usize>r) << 3);
      let to = z + <usize>r * zRow;
      for (let t = 0; t < steps; t++, list += listStep, to += zStep) {
        if (width == WIDE) sum64(to, left, sums, list, q, factors, biases);
        else sum16(to, left, sums, list, q, factors, biases);
      }
    }
    sums += <usize>(rows - end) * bytes;
    z += bytes;
    factors += bytes;
    q += <usize>inputs * <usize>width;
    left -= width;
  }
}

/** Computes up to n of 64 columns of a row of z and of the sums, by the list of this entry. */
function sum64(z: usize, n: i32, sums: usize, entry: usize, q: usize, factors: usize, biases: usize): void {
  inline.always(sumListed(true, z, n, sums, entry, q, factors, biases));
}

function sum16(z: usize, n: i32, sums: usize, entry: usize, q: usize, factors: usize, biases: usize): void {
  inline.always(sumListed(false, z, n, sums, entry, q, factors, biases));
}

/** Address of the row of a panel that a list entry refers to. */
function rowOf(isWide: bool, q: usize, entry: usize): usize {
  const place: usize = load<u32>(entry);
  return q + (isWide ? place : place >> 2);
}

function sumListed(
  isWide: bool,
  z: usize,
  n: i32,
  sums: usize,
  entry: usize,
  q: usize,
  factors: usize,
  biases: usize,
): void {
  let at = <usize>load<u32>(entry);
  const add = <usize>load<u32>(entry, 4);
  const end = <usize>load<u32>(entry, 8) & ~FRESH;
  let isFresh = (at & FRESH) != 0;
  at &= ~FRESH;
  do {
    const stop = min(end, at + PLACE * MOST);
    const turn = max(at, min(add, stop));
    // Each pair contains an offset of 128, so all offsets are 128 times the number of added pairs minus that of subtracted ones.
    const net = <i32>(stop - turn) - <i32>(turn - at);
    let x0 = i16x8.splat(<i16>(LOW * (net / <i32>PLACE)));
    let x1 = x0;
    let x2 = x0;
    let x3 = x0;
    let h0 = i16x8.splat(0);
    let h1 = h0;
    let h2 = h0;
    let h3 = h0;
    for (; at != turn; at += PLACE) {
      const row = inline.always(rowOf(isWide, q, at));
      const v0 = v128.load(row);
      x0 = i16x8.sub(x0, v0);
      h0 = i16x8.sub(h0, i16x8.shr_s(v0, 8));
      if (isWide) {
        const v1 = v128.load(row, 16);
        x1 = i16x8.sub(x1, v1);
        h1 = i16x8.sub(h1, i16x8.shr_s(v1, 8));
        const v2 = v128.load(row, 32);
        x2 = i16x8.sub(x2, v2);
        h2 = i16x8.sub(h2, i16x8.shr_s(v2, 8));
        const v3 = v128.load(row, 48);
        x3 = i16x8.sub(x3, v3);
        h3 = i16x8.sub(h3, i16x8.shr_s(v3, 8));
      }
    }
    if (!isWide) {
      // Two rows per iteration: with so few columns, the loop costs as much as the sums.
      for (const even = stop - ((stop - at) & PLACE); at != even; at += 2 * PLACE) {
        const v0 = v128.load(inline.always(rowOf(isWide, q, at)));
        const v1 = v128.load(inline.always(rowOf(isWide, q, at + PLACE)));
        x0 = i16x8.add(x0, i16x8.add(v0, v1));
        h0 = i16x8.add(h0, i16x8.add(i16x8.shr_s(v0, 8), i16x8.shr_s(v1, 8)));
      }
    }
    for (; at != stop; at += PLACE) {
      const row = inline.always(rowOf(isWide, q, at));
      const v0 = v128.load(row);
      x0 = i16x8.add(x0, v0);
      h0 = i16x8.add(h0, i16x8.shr_s(v0, 8));
      if (isWide) {
        const v1 = v128.load(row, 16);
        x1 = i16x8.add(x1, v1);
        h1 = i16x8.add(h1, i16x8.shr_s(v1, 8));
        const v2 = v128.load(row, 32);
        x2 = i16x8.add(x2, v2);
        h2 = i16x8.add(h2, i16x8.shr_s(v2, 8));
        const v3 = v128.load(row, 48);
        x3 = i16x8.add(x3, v3);
        h3 = i16x8.add(h3, i16x8.shr_s(v3, 8));
      }
    }
    v128.store(pairs, x0);
    v128.store(pairs, h0, 16);
    if (isWide) {
      v128.store(pairs, x1, 32);
      v128.store(pairs, h1, 48);
      v128.store(pairs, x2, 64);
      v128.store(pairs, h2, 80);
      v128.store(pairs, x3, 96);
      v128.store(pairs, h3, 112);
    }
    addPairs(z, n, sums, isFresh, isWide ? WIDE : NARROW, factors, biases);
    isFresh = false;
  } while (at != end);
}

/**
 * Adds the pairs to the sums of `columns` columns, which start from 0 if `isFresh`, and writes the first n of these columns of z from the
 * sums.
 */
function addPairs(z: usize, n: i32, sums: usize, isFresh: bool, columns: i32, factors: usize, biases: usize): void {
  let from = pairs;
  for (
    const end = sums + ((<usize>columns) << 2);
    sums != end;
    sums += 64, from += 32, z += 64, factors += 64, n -= 16
  ) {
    const high = v128.load(from, 16);
    const low = i16x8.sub(v128.load(from), i16x8.shl(high, 8));
    let s0 = i32x4.extend_low_i16x8_s(low);
    let s1 = i32x4.extend_high_i16x8_s(low);
    let s2 = i32x4.extend_low_i16x8_s(high);
    let s3 = i32x4.extend_high_i16x8_s(high);
    if (!isFresh) {
      s0 = i32x4.add(s0, v128.load(sums));
      s1 = i32x4.add(s1, v128.load(sums, 16));
      s2 = i32x4.add(s2, v128.load(sums, 32));
      s3 = i32x4.add(s3, v128.load(sums, 48));
    }
    v128.store(sums, s0);
    v128.store(sums, s1, 16);
    v128.store(sums, s2, 32);
    v128.store(sums, s3, 48);
    s0 = f32x4.convert_i32x4_s(s0);
    s1 = f32x4.convert_i32x4_s(s1);
    s2 = f32x4.convert_i32x4_s(s2);
    s3 = f32x4.convert_i32x4_s(s3);
    inline.always(scaleGroup(z, n, s0, s1, s2, s3, factors, biases));
  }
}

/** z ← scale ⊙ sums + bias for the first n of 16 columns, or all of them. */
function scaleGroup(z: usize, n: i32, s0: v128, s1: v128, s2: v128, s3: v128, factors: usize, biases: usize): void {
  const to = n >= 16 ? z : spare;
  v128.store(to, inline.always(scaled(s0, factors, biases)));
  v128.store(to, inline.always(scaled(s1, factors + 16, biases)), 16);
  v128.store(to, inline.always(scaled(s2, factors + 32, biases)), 32);
  v128.store(to, inline.always(scaled(s3, factors + 48, biases)), 48);
  if (n > 0 && n < 16) storeColumns(z, spare, n);
}

function scaled(sum: v128, factors: usize, biases: usize): v128 {
  return f32x4.add(f32x4.mul(sum, v128.load(factors)), v128.load(factors + biases));
}

/**
 * lists ← for each row of x [rows, in], the places of non-zeros times 64, with the values. First rows + 1 addresses: the start of each
 * row's list, and the end of the last; then two words for each non-zero. The bits that are set in `bits` [rows, ⌈in/32⌉] say where they
 * are.
 */
export function listGraded(lists: usize, bits: usize, x: usize, rows: i32, inputs: i32): void {
  let to = lists + ((<usize>rows + 1) << 2);
  const xBytes = (<usize>inputs) << 2;
  for (let r = 0; r < rows; r++, lists += 4, x += xBytes) {
    store<u32>(lists, <u32>to);
    for (let p = 0; p < inputs; p += 32, bits += 4) {
      for (let word = load<u32>(bits); word != 0; word &= word - 1, to += VALUE) {
        const place = p + <i32>ctz<u32>(word);
        store<i32>(to, place * WIDE);
        store<f32>(to, load<f32>(x + ((<usize>place) << 2)), 4);
      }
    }
  }
  store<u32>(lists, <u32>to);
}

/** z [rows, out] ← scale ⊙ Σ x·q + bias over the lists of `listGraded`, in order; other arguments as in `addListed`. */
// @costs rows * outputs
// @cut rows → z * outputs, lists
export function addGraded(
  z: usize,
  lists: usize,
  q: usize,
  factors: usize,
  rows: i32,
  inputs: i32,
  outputs: i32,
): void {
  const zRow = (<usize>outputs) << 2;
  const biases = (<usize>allColumns(outputs)) << 2;
  for (let left = outputs; left > 0; ) {
    const width = widthOf(left);
    for (let j = 0; j < min(width, left); j += 16) {
      let list = lists;
      let to = z + ((<usize>j) << 2);
      for (let r = 0; r < rows; r++, list += 4, to += zRow) {
        sumGraded(to, left - j, list, q + <usize>j, width == WIDE, factors + ((<usize>j) << 2), biases);
      }
    }
    z += (<usize>width) << 2;
    factors += (<usize>width) << 2;
    q += <usize>inputs * <usize>width;
    left -= width;
  }
}

/** Computes up to n of 16 columns of a row. */
function sumGraded(z: usize, n: i32, entry: usize, q: usize, isWide: bool, factors: usize, biases: usize): void {
  const end: usize = load<u32>(entry, 4);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let at: usize = load<u32>(entry); at != end; at += VALUE) {
    const row = v128.load(rowOf(isWide, q, at));
    const x = v128.load32_splat(at, 4);
    const low = i16x8.shr_s(v128.xor(i16x8.shl(row, 8), i16x8.splat(i16.MIN_VALUE)), 8);
    const high = i16x8.shr_s(row, 8);
    s0 = f32x4.add(s0, f32x4.mul(x, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low))));
    s1 = f32x4.add(s1, f32x4.mul(x, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low))));
    s2 = f32x4.add(s2, f32x4.mul(x, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high))));
    s3 = f32x4.add(s3, f32x4.mul(x, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high))));
  }
  scaleGroup(z, n, s0, s1, s2, s3, factors, biases);
}

/**
 * z ← the values under each window over an image, 0 beyond the image:
 *
 *   z[u·across + v, (c·kh + i)·kw + j] ← x[c, u·strideDown + i·dilationDown − padDown, v·strideAcross + …]
 *
 * The image [channels, height, width] is numbers at x, and z is [down·across, channels·kh·kw]. If x is 0 (the address), the image is a
 * stream of bits from bit `first` on, and each row of z fills whole words of bits. `axes` has integers: size, places, kernel, stride,
 * padding and dilation of the rows, then of the columns.
 */
export function lookUnder(z: usize, x: usize, bits: usize, first: i32, channels: i32, axes: usize): void {
  const height = load<i32>(axes);
  const kh = load<i32>(axes, 8);
  const dilationDown = load<i32>(axes, 20);
  const width = load<i32>(axes, 24);
  const across = load<i32>(axes, 28);
  const kw = load<i32>(axes, 32);
  const dilationAcross = load<i32>(axes, 44);
  const words = (channels * kh * kw + 31) >> 5;
  for (let u = 0; u < load<i32>(axes, 4); u++) {
    for (let v = 0; v < across; v++) {
      const left = v * load<i32>(axes, 36) - load<i32>(axes, 40);
      startStream(z);
      for (let c = 0; c < channels; c++) {
        let y = u * load<i32>(axes, 12) - load<i32>(axes, 16);
        for (let i = 0; i < kh; i++, y += dilationDown) {
          const row = first + (c * height + y) * width;
          const isInside = y >= 0 && y < height;
          let at = left;
          if (x != 0) {
            for (let j = 0; j < kw; j++, at += dilationAcross, z += 4) {
              const isThere = isInside && at >= 0 && at < width;
              store<f32>(z, isThere ? load<f32>(x + ((<usize>(row + at)) << 2)) : 0);
            }
          } else {
            for (let j = 0; j < kw; j += 32, at += 32 * dilationAcross) {
              const n = min(32, kw - j);
              append(isInside ? bitsOfRow(bits, row, width, at, n, dilationAcross) : 0, n);
            }
          }
        }
      }
      if (x == 0) {
        endStream();
        z += (<usize>words) << 2;
      }
    }
  }
}

/** n ≤ 32 bits of a row from column x on, `dilation` columns apart, 0 outside of the row. */
function bitsOfRow(bits: usize, row: i32, width: i32, x: i32, n: i32, dilation: i32): u32 {
  let word: u32 = 0;
  if (dilation == 1) {
    const from = max(x, 0);
    const count = min(x + n, width) - from;
    if (count <= 0) return 0;
    word = wordAt(bits, <usize>(row + from));
    if (count < 32) word &= (1 << count) - 1;
    return word << (from - x);
  }
  for (let j = 0; j < n; j++, x += dilation) {
    if (x >= 0 && x < width) word |= (wordAt(bits, <usize>(row + x)) & 1) << j;
  }
  return word;
}

/** First byte after the memory of these kernels and of the core module. */
export const heapBase: usize = __heap_base;
