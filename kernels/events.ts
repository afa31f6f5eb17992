/**
 * Event-driven convolutions, in one of two ways.
 *
 * Many spikes: each position of the window gets a row of the bits under it, and the product follows them as in gather.ts.
 *
 * Few events, or events with values: a non-zero x[c, y, q] lies under windows at up to kh × kw places. In each window
 * it has a different tap (channel, row and column of the weights):
 *
 *   maps[place, filter] += x·weights[tap, filter]           and for the gradient of the weights, with maps and weights exchanged,
 *
 * The filters are innermost, so neighbouring windows use neighbouring taps, the last tap first. One addition of long
 * rows covers all windows along a row. Events are in the order of (channel, row, column), so every sum has its terms in
 * the order of the dense product, without those that are 0.
 */
import { wordAt } from "./bits";
import { loadTail, madd, storeTail } from "./lanes";

/** Bytes of an entry of the table of `overlaps`, and of its header. */
const ENTRY: usize = 20;
const HEAD: usize = 4;

/**
 * For each of `size` values along an axis, the windows over it, from the last tap to the first:
 *
 *   table ← size | for each value: number of windows, −tap·unit, its step, place·unit, its step
 *
 * as integers, for the first window; units are bytes.
 */
export function overlaps(
  table: usize,
  size: i32,
  places: i32,
  kernel: i32,
  stride: i32,
  padding: i32,
  dilation: i32,
  tapUnit: i32,
  placeUnit: i32,
): void {
  // Euclid's algorithm finds the greatest common divisor; `inverse`·dilation ≡ divisor modulo the stride.
  let divisor = stride;
  let inverse = 0;
  for (let rest = dilation, next = 1; rest != 0; ) {
    const quotient = divisor / rest;
    const smaller = divisor - quotient * rest;
    const after = inverse - quotient * next;
    divisor = rest;
    inverse = next;
    rest = smaller;
    next = after;
  }
  // The taps of two windows over one value differ by a multiple of tapStep, since tapStep·dilation is a multiple of the
  // stride.
  const tapStep = stride / divisor;
  const placeStep = dilation / divisor;
  const last = (places - 1) * stride;
  store<i32>(table, size);
  table += HEAD;
  for (let i = 0; i < size; i++, table += ENTRY) {
    let count = 0;
    let first = 0;
    let place = 0;
    // The taps of windows that begin between 0 and the last one: tap·dilation = at − place·stride.
    const at = i + padding;
    const least = at > last ? (at - last + dilation - 1) / dilation : 0;
    if (at % divisor == 0) {
      const rest = <i32>((<i64>(at / divisor) * inverse) % tapStep);
      first = min(kernel - 1, at / dilation);
      first -= (((first - rest) % tapStep) + tapStep) % tapStep;
      if (first >= least) {
        count = (first - least) / tapStep + 1;
        place = (at - first * dilation) / stride;
      } else first = 0;
    }
    store<i32>(table, count);
    store<i32>(table, -first * tapUnit, 4);
    store<i32>(table, tapStep * tapUnit, 8);
    store<i32>(table, place * placeUnit, 12);
    store<i32>(table, placeStep * placeUnit, 16);
  }
}

/**
 * For each row of a channel, with its padding: the bits under four windows side by side, for every four of at most 64
 * windows.
 */
const seen = memory.data(16384, 16);

/**
 * z [down·across, channels] ← the bits under a window of kh × kw that moves over an image of spikes, one word per channel:
 *
 *   bit i·kw + j of z[u·across + v, c] ← x[c, u·strideDown + i − padDown, v·strideAcross + j − padAcross]
 *
 * and 0 outside of the image and from bit kh·kw ≤ 32 on. The image [channels, height, width] is a stream of bits from bit `first` on; width ≤ 32,
 * 3·strideAcross + kw ≤ 32, and with padding, height and width are at most 64. `rows` and `columns` are the tables that `spans` makes of the windows.
 */
export function windowBits(z: usize, bits: usize, first: i32, channels: i32, rows: usize, columns: usize): void {
  const height = load<i32>(rows);
  const down = load<i32>(rows, 4);
  const kh = load<i32>(rows, 12);
  const strideDown = load<i32>(rows, 16);
  const padDown = load<i32>(rows, 20);
  const width = load<i32>(columns);
  const across = load<i32>(columns, 4);
  const kw = load<i32>(columns, 12);
  const strideAcross = load<i32>(columns, 16);
  const padAcross = load<i32>(columns, 20);
  const step = (<usize>channels) << 2;
  const inRow: u32 = width == 32 ? u32.MAX_VALUE : (1 << width) - 1;
  const mask = i32x4.splat((1 << kw) - 1);
  // Four neighbouring places read the same bits at different shifts. Multiplying by 2ⁿ shifts each lane by its own n.
  let apart = i32x4.splat(1 << (3 * strideAcross));
  apart = i32x4.replace_lane(apart, 1, 1 << (2 * strideAcross));
  apart = i32x4.replace_lane(apart, 2, 1 << strideAcross);
  apart = i32x4.replace_lane(apart, 3, 1);
  const row = (<usize>(across + 3) & ~3) << 2;
  memory.fill(seen, 0, <usize>(height + 2 * padDown) * row);
  for (let c = 0; c < channels; c++, z += 4) {
    let at = seen + <usize>padDown * row;
    for (let y = 0; y < height; y++, first += width) {
      let word = (<u64>(inline.always(wordAt(bits, <usize>first)) & inRow)) << padAcross;
      for (const end = at + row; at != end; at += 16, word >>= 4 * strideAcross) {
        const four = i32x4.shr_u(i32x4.mul(i32x4.splat(<u32>word), apart), 3 * strideAcross);
        v128.store(at, v128.and(four, mask));
      }
    }
    let to = z;
    let bottom = seen + <usize>(kh - 1) * row;
    for (let u = 0; u < down; u++, bottom += <usize>strideDown * row) {
      for (let v = 0; v < across; v += 4) {
        let from = bottom + ((<usize>v) << 2);
        let words = v128.load(from);
        for (let i = kh; i > 1; i--) {
          from -= row;
          words = v128.or(i32x4.shl(words, kw), v128.load(from));
        }
        v128.store32_lane(to, words, 0);
        if (across - v > 1) v128.store32_lane(to + step, words, 1);
        if (across - v > 2) v128.store32_lane(to + 2 * step, words, 2);
        if (across - v > 3) v128.store32_lane(to + 3 * step, words, 3);
        to += <usize>min(4, across - v) * step;
      }
    }
  }
}

/**
 * A convolution that reads only the non-zeros of an image. For each x[c, y, q] ≠ 0 of the image [channels, height, width], in this order,
 * each window that contains it, and each filter f:
 *
 *   maps[place, f] += x·weights[tap, f]     or, with `toWeights`,     weights[tap, f] += x·maps[place, f]
 *
 * Weights are [channels, kh, kw, filters] with the taps in reverse order; `kernel` = kh·kw is the number of taps per channel. The image is
 * a stream of bits that starts at bit `first`. `values` is the address of a value for each bit of the stream, or 0 if all non-zeros are 1.
 * `overlaps` makes the tables `down`, for rows, and `across`, for columns.
 */
export function addEvents(
  maps: usize,
  weights: usize,
  bits: usize,
  first: i32,
  values: usize,
  down: usize,
  across: usize,
  channels: i32,
  kernel: i32,
  filters: i32,
  toWeights: i32,
): void {
  const height = load<i32>(down);
  const width = load<i32>(across);
  const row = (<usize>filters) << 2;
  const channel = <usize>kernel * row;
  let value: f32 = 1;
  weights += <usize>channels * channel - row;
  for (let c = 0; c < channels; c++, weights -= channel) {
    for (let y = 0, dy = down + HEAD; y < height; y++, dy += ENTRY, first += width) {
      const rows = load<i32>(dy);
      const tapY = weights + <usize>load<i32>(dy, 4);
      const placeY = maps + <usize>load<i32>(dy, 12);
      const tapDown = <usize>load<i32>(dy, 8);
      const placeDown = <usize>load<i32>(dy, 16);
      for (let q = 0; q < width; q += 32) {
        let word = inline.always(wordAt(bits, <usize>(first + q)));
        if (width - q < 32) word &= (1 << (width - q)) - 1;
        for (; word != 0; word &= word - 1) {
          const column = q + <i32>ctz<u32>(word);
          const dx = across + HEAD + <usize>column * ENTRY;
          if (values != 0) value = load<f32>(values + ((<usize>(first + column)) << 2));
          let columns = load<i32>(dx);
          let tap = tapY + <usize>load<i32>(dx, 4);
          let place = placeY + <usize>load<i32>(dx, 12);
          const tapRight = <usize>load<i32>(dx, 8);
          const placeRight = <usize>load<i32>(dx, 16);
          let n = filters;
          if (tapRight == row && placeRight == row) {
            n *= columns;
            columns = columns != 0 ? 1 : 0;
          }
          for (let i = 0; i < rows; i++, tap += tapDown, place += placeDown) {
            let t = tap;
            let p = place;
            for (let j = 0; j < columns; j++, t += tapRight, p += placeRight) {
              inline.always(addRow(toWeights != 0 ? t : p, toWeights != 0 ? p : t, n, value));
            }
          }
        }
      }
    }
  }
}

/** z[i] += value·x[i], 16 at a time if value is 1. */
export function addRow(z: usize, x: usize, n: i32, value: f32): void {
  const end = z + ((<usize>n) << 2);
  const stop = z + ((<usize>n >> 4) << 6);
  const scale = f32x4.splat(value);
  if (value == 1) {
    for (; z < stop; z += 64, x += 64) {
      const z0 = f32x4.add(v128.load(z), v128.load(x));
      const z1 = f32x4.add(v128.load(z, 16), v128.load(x, 16));
      const z2 = f32x4.add(v128.load(z, 32), v128.load(x, 32));
      const z3 = f32x4.add(v128.load(z, 48), v128.load(x, 48));
      v128.store(z, z0);
      v128.store(z, z1, 16);
      v128.store(z, z2, 32);
      v128.store(z, z3, 48);
    }
  }
  for (; z + 16 <= end; z += 16, x += 16) v128.store(z, inline.always(madd(v128.load(z), scale, v128.load(x))));
  if (ASC_FEATURE_RELAXED_SIMD) {
    // The last columns use the same instruction as all others, so they have the same bits.
    if (z < end) storeTail(z, n, inline.always(madd(loadTail(z, n), scale, loadTail(x, n))));
  } else {
    for (; z < end; z += 4, x += 4) store<f32>(z, load<f32>(z) + value * load<f32>(x));
  }
}
