/**
 * Windows over the planes [height, width] of images, each reduced to one value. A table of integers, which `spans` makes, describes the
 * windows along an axis:
 *
 *   size, windows, dilation, kernel, stride, padding | run: first, end, step |
 *   for each window: first, end, count
 *
 * Windows of a run have equal sizes, and each begins `step` = 1 or 2 values after the previous one. They are processed four at a time.
 */
import { append, endStream, startStream, wordAt } from "./bits";
import { laneNumber, loadSome, minusInfinity, storeSome } from "./lanes";
import { scalarEnd } from "./span";

const evenLanes = memory.data<i32>([-1, 0, -1, 0], 16);

/** Bytes of a table's header, and of an entry. */
const HEAD: usize = 36;
const ENTRY: usize = 12;

/**
 * table ← the windows along an axis: the start and end of each in the plane, and the divisor of its sum. A kernel of 0 means adaptive
 * windows: window c covers ⌊c·size/places⌋ up to ⌈(c + 1)·size/places⌉.
 */
export function spans(
  table: usize,
  size: i32,
  places: i32,
  kernel: i32,
  stride: i32,
  padding: i32,
  dilation: i32,
  countPadding: i32,
): void {
  store<i32>(table, size);
  store<i32>(table, places, 4);
  store<i32>(table, min(dilation, size), 8);
  store<i32>(table, kernel, 12);
  store<i32>(table, stride, 16);
  store<i32>(table, padding, 20);
  let entry = table + HEAD;
  for (let c = 0; c < places; c++, entry += ENTRY) {
    let start = c * stride - padding;
    let end = <i32>min<i64>(<i64>start + <i64>(kernel - 1) * dilation + 1, size + padding);
    if (kernel == 0) {
      start = <i32>((<i64>c * size) / places);
      end = <i32>((<i64>(c + 1) * size + places - 1) / places);
    }
    let first = start;
    if (first < 0) first = dilation == 1 ? 0 : first + ((dilation - 1 - first) / dilation) * dilation;
    store<i32>(entry, min(first, size));
    store<i32>(entry, min(end, size), 4);
    store<i32>(entry, countPadding ? end - start : min(end, size) - first, 8);
  }
  findRun(table, places);
}

/** Finds the longest run around the middle window. */
function findRun(table: usize, places: i32): void {
  const middle = places >> 1;
  const at = entryOf(table, middle);
  const step = middle > 0 ? load<i32>(at) - load<i32>(at - ENTRY) : 1;
  let first = middle;
  let end = middle;
  if ((step == 1 || step == 2) && lengthOf(at) > 0) {
    while (end < places && isLike(at, entryOf(table, end), (end - middle) * step)) end++;
    while (first > 0 && isLike(at, entryOf(table, first - 1), (first - 1 - middle) * step)) first--;
  }
  store<i32>(table, first, 24);
  store<i32>(table, end, 28);
  store<i32>(table, step, 32);
}

/** Whether `other` is the window `one`, moved by `moved`. */
function isLike(one: usize, other: usize, moved: i32): bool {
  const starts = load<i32>(other) == load<i32>(one) + moved;
  return starts && load<i32>(other, 4) == load<i32>(one, 4) + moved && load<i32>(other, 8) == load<i32>(one, 8);
}

function entryOf(table: usize, window: i32): usize {
  return table + HEAD + <usize>window * ENTRY;
}

/** Number of values under a window. */
function lengthOf(entry: usize): i32 {
  return load<i32>(entry, 4) - load<i32>(entry);
}

/** Whether the windows of a run are pairs of adjacent columns, side by side. */
function arePairs(across: usize): bool {
  const length = lengthOf(entryOf(across, load<i32>(across, 24)));
  return load<i32>(across, 32) == 2 && length == 2 && load<i32>(across, 8) == 1;
}

/**
 * z ← the maximum of each window, with NaN as the largest value, and place ← the index in its plane of the first maximum, in row order,
 * as an integer. Each is written unless its address is 0. An empty window gives −∞ and −1.
 */
// @costs planes * size
// @let size = word(down, 0) * word(across, 0), windows = word(down, 1) * word(across, 1)
// @cut planes → z * windows, place * windows, x * size
export function maxPool(z: usize, place: usize, x: usize, down: usize, across: usize, planes: i32): void {
  const width = load<i32>(across);
  const columns = load<i32>(across, 4);
  const dx = load<i32>(across, 8);
  const first = load<i32>(across, 24);
  const run = load<i32>(across, 28) - first;
  const side = load<i32>(across, 32);
  const length = lengthOf(entryOf(across, first));
  const below = load<i32>(down, 8) * width;
  const squares = below == width && run >= 4 && run == columns && arePairs(across);
  const bottom = entryOf(down, load<i32>(down, 4));
  for (; planes > 0; planes--, x += (<usize>(load<i32>(down) * width)) << 2) {
    if (squares && maximaOfSquares(z, place, x, down, width, columns)) {
      const windows = (<usize>(load<i32>(down, 4) * columns)) << 2;
      if (z != 0) z += windows;
      if (place != 0) place += windows;
      continue;
    }
    for (let y = down + HEAD; y < bottom; y += ENTRY) {
      const from = load<i32>(y) * width;
      const to = load<i32>(y, 4) * width;
      const many = from < to && run >= 4 ? run : 0;
      for (let c = 0; c < columns; ) {
        const span = entryOf(across, c);
        const left = load<i32>(span);
        const done = c == first && many > 0 ? many : 1;
        if (done == 1) {
          inline.always(maximaOf(false, z, place, x, from + left, to + left, below, lengthOf(span), dx, 1));
        } else {
          for (let next = 0; next < many; next += 4) {
            // The last four windows may overlap the previous ones.
            const at = min(next, many - 4);
            const start = left + at * side;
            const values = z == 0 ? 0 : z + ((<usize>at) << 2);
            const places = place == 0 ? 0 : place + ((<usize>at) << 2);
            inline.always(maximaOf(true, values, places, x, from + start, to + start, below, length, dx, side));
          }
        }
        c += done;
        if (z != 0) z += (<usize>done) << 2;
        if (place != 0) place += (<usize>done) << 2;
      }
    }
  }
}

/**
 * Maxima of four windows of equal width, `side` apart, or of one window, which may be empty. The rows of the first window begin at the
 * values from, from + step, … of x, below to.
 */
function maximaOf(
  four: bool,
  z: usize,
  place: usize,
  x: usize,
  from: i32,
  to: i32,
  step: i32,
  length: i32,
  dx: i32,
  side: i32,
): void {
  const lanes = i32x4.mul(v128.load(laneNumber), i32x4.splat(side));
  let best = v128.load32_splat(minusInfinity);
  let found = i32x4.add(lanes, i32x4.splat(!four && (from >= to || length <= 0) ? -1 : from));
  for (let i = from; i < to; i += step) {
    for (let j = i, end = i + length; j < end; j += dx) {
      const p = x + ((<usize>j) << 2);
      const value = four && side != 1 ? everyOther(p) : loadSome(p, four);
      const wins = v128.andnot(f32x4.eq(best, best), f32x4.le(value, best));
      best = v128.bitselect(value, best, wins);
      found = v128.bitselect(i32x4.add(lanes, i32x4.splat(j)), found, wins);
    }
  }
  if (z != 0) storeSome(z, four, best);
  if (place != 0) storeSome(place, four, found);
}

function everyOther(p: usize): v128 {
  return i32x4.shuffle(v128.load(p), v128.load(p, 12), 0, 2, 5, 7);
}

/**
 * Maxima of a plane whose windows are 2 × 2, side by side and without padding. Returns false, without a valid result, if a window has fewer
 * than two rows, or for NaN or infinities of both signs; the general loop then handles the plane.
 */
function maximaOfSquares(z: usize, place: usize, x: usize, down: usize, width: i32, columns: i32): bool {
  const below = (<usize>width) << 2;
  const lanes = i32x4.shl(v128.load(laneNumber), 1);
  const bottom = entryOf(down, load<i32>(down, 4));
  for (let y = down + HEAD, o: usize = 0; y < bottom; y += ENTRY, o += (<usize>columns) << 2) {
    if (lengthOf(y) != 2) return false;
    const from = load<i32>(y) * width;
    for (let next = 0; next < columns; next += 4) {
      // The last four windows may overlap the previous ones.
      const c = min(next, columns - 4);
      const start = from + 2 * c;
      const p = x + ((<usize>start) << 2);
      const a = v128.load(p);
      const b = v128.load(p, 16);
      const d = v128.load(p + below);
      const e = v128.load(p + below, 16);
      const first = i32x4.shuffle(a, b, 0, 2, 4, 6);
      const second = i32x4.shuffle(a, b, 1, 3, 5, 7);
      const third = i32x4.shuffle(d, e, 0, 2, 4, 6);
      const fourth = i32x4.shuffle(d, e, 1, 3, 5, 7);
      const sum = f32x4.add(f32x4.add(first, second), f32x4.add(third, fourth));
      if (v128.any_true(f32x4.ne(sum, sum))) return false;
      const best = f32x4.pmax(f32x4.pmax(first, second), f32x4.pmax(third, fourth));
      const at = o + ((<usize>c) << 2);
      if (z != 0) v128.store(z + at, best);
      if (place == 0) continue;
      const here = i32x4.add(lanes, i32x4.splat(start));
      let found = i32x4.sub(i32x4.add(here, i32x4.splat(width)), f32x4.ne(third, best));
      found = v128.bitselect(i32x4.add(here, i32x4.splat(1)), found, f32x4.eq(second, best));
      v128.store(place + at, v128.bitselect(here, found, f32x4.eq(first, best)));
    }
  }
  return true;
}

/**
 * Max pooling of spikes, with windows without padding that are at most 32 columns wide. z and x are streams of bits. A
 * bit of z is 1 if a bit under its window is set. place is the first such bit, or the start of the window.
 */
// @costs 4 * planes * windows
// @let size = word(down, 0) * word(across, 0), windows = word(down, 1) * word(across, 1)
// @cut planes by 32 / even(z == 0 ? size : size | windows) → z * windows / 32, place * windows, x * size / 32
export function maxPoolBits(z: usize, place: usize, x: usize, down: usize, across: usize, planes: i32): void {
  const height = load<i32>(down);
  const width = load<i32>(across);
  const columns = load<i32>(across, 4);
  const bottom = entryOf(down, load<i32>(down, 4));
  let taps: u32 = 0;
  for (let j = 0; j < 32; j += load<i32>(across, 8)) taps |= 1 << j;
  const allPairs = arePairs(across) && load<i32>(across, 28) - load<i32>(across, 24) == columns;
  const areSquares = allPairs && columns >= 4 && width <= 32 && load<i32>(down, 8) == 1 && load<i32>(down, 12) == 2;
  if (z != 0) startStream(z);
  for (let plane = 0; plane < planes * height; plane += height) {
    for (let y = down + HEAD; y < bottom; y += ENTRY) {
      const first = load<i32>(y);
      const end = load<i32>(y, 4);
      if (areSquares) {
        const upper = inline.always(wordAt(x, <usize>((plane + first) * width)));
        const lower = end - first > 1 ? inline.always(wordAt(x, <usize>((plane + first + 1) * width))) : 0;
        if (z != 0) append(pairsOf(upper | lower) & (u32.MAX_VALUE >> (32 - columns)), columns);
        if (place == 0) continue;
        placesOfSquares(place, upper, lower, first * width, width, columns);
        place += (<usize>columns) << 2;
        continue;
      }
      for (let c = 0, q = across + HEAD; c < columns; ) {
        let word: u32 = 0;
        let bit: u32 = 0;
        for (; bit < 32 && c < columns; bit++, c++, q += ENTRY) {
          const left = load<i32>(q);
          const mask = taps & (u32.MAX_VALUE >> (32 - lengthOf(q)));
          let found = first * width + left;
          for (let i = first; i < end; i += load<i32>(down, 8)) {
            const set = inline.always(wordAt(x, <usize>((plane + i) * width + left))) & mask;
            if (set == 0) continue;
            word |= 1 << bit;
            found = i * width + left + <i32>ctz<u32>(set);
            break;
          }
          if (place == 0) continue;
          store<i32>(place, found);
          place += 4;
        }
        if (z != 0) append(word, bit);
      }
    }
  }
  if (z != 0) endStream();
}

/** Bit i of the result: whether bit 2i or 2i + 1 is set. */
function pairsOf(bits: u32): u32 {
  let pairs = (bits | (bits >> 1)) & 0x55555555;
  pairs = (pairs | (pairs >> 1)) & 0x33333333;
  pairs = (pairs | (pairs >> 2)) & 0x0f0f0f0f;
  pairs = (pairs | (pairs >> 4)) & 0x00ff00ff;
  return (pairs | (pairs >> 8)) & 0xffff;
}

/** place ← the first set bit of each 2 × 2 window over two rows of bits, or the start of the window; the rows begin at values `first` and first + width. */
function placesOfSquares(place: usize, upper: u32, lower: u32, first: i32, width: i32, columns: i32): void {
  const lanes = i32x4.shl(v128.load(laneNumber), 1);
  const left = i32x4(1, 4, 16, 64);
  const right = i32x4(2, 8, 32, 128);
  const none = i32x4.splat(0);
  const below = i32x4.splat(width);
  const belowRight = i32x4.splat(width + 1);
  for (let next = 0; next < columns; next += 4) {
    // The last four windows may overlap the previous ones.
    const c = min(next, columns - 4);
    const above = i32x4.splat(upper >> (2 * c));
    const under = i32x4.splat(lower >> (2 * c));
    // Each earlier bit replaces the later ones.
    let found = v128.and(belowRight, i32x4.ne(v128.and(under, right), none));
    found = v128.bitselect(below, found, i32x4.ne(v128.and(under, left), none));
    found = v128.bitselect(i32x4.splat(1), found, i32x4.ne(v128.and(above, right), none));
    found = v128.andnot(found, i32x4.ne(v128.and(above, left), none));
    v128.store(place + ((<usize>c) << 2), i32x4.add(found, i32x4.add(lanes, i32x4.splat(first + 2 * c))));
  }
}

/** z ← the sum under each window divided by its count */
// @costs planes * size
// @let size = word(down, 0) * word(across, 0), windows = word(down, 1) * word(across, 1)
// @cut planes → z * windows, x * size
export function avgPool(z: usize, x: usize, down: usize, across: usize, planes: i32): void {
  inline.always(average(false, z, x, down, across, planes));
}

/** dx of every value under a window += dz divided by the window's count, in the order of windows */
// @costs planes * size
// @let size = word(down, 0) * word(across, 0), windows = word(down, 1) * word(across, 1)
// @cut planes → dx * size, dz * windows
export function avgPoolGrad(dx: usize, dz: usize, down: usize, across: usize, planes: i32): void {
  inline.always(average(true, dz, dx, down, across, planes));
}

/** z ← the means of windows of x or, with `shares`, x += the shares of z. */
function average(shares: bool, z: usize, x: usize, down: usize, across: usize, planes: i32): void {
  const width = load<i32>(across);
  const columns = load<i32>(across, 4);
  const first = load<i32>(across, 24);
  const many = (load<i32>(across, 28) - first) & ~3;
  const side = load<i32>(across, 32);
  const pairs = arePairs(across);
  const below = (<usize>width) << 2;
  const bottom = entryOf(down, load<i32>(down, 4));
  for (; planes > 0; planes--, x += below * <usize>load<i32>(down)) {
    for (let y = down + HEAD; y < bottom; y += ENTRY) {
      const rows = lengthOf(y);
      for (let c = 0, q = across + HEAD; c < columns; ) {
        let p = x + ((<usize>(load<i32>(y) * width + load<i32>(q))) << 2);
        const length = lengthOf(q);
        // The divisor of the window's sum.
        const count = <f32>(<i64>load<i32>(y, 8) * load<i32>(q, 8));
        if (c != first || many == 0) {
          if (shares) inline.always(shareInOne(p, below, load<f32>(z) / count, rows, length));
          else
            storeSome(z, false, f32x4.div(inline.always(sumsOf(false, p, below, rows, length, 1)), f32x4.splat(count)));
          z += 4;
          q += ENTRY;
          c++;
          continue;
        }
        const counts = f32x4.splat(count);
        if (pairs && rows == 2) {
          if (shares) inline.always(shareInSquares(p, below, z, many, counts));
          else inline.always(meansOfSquares(z, p, below, many, counts));
          z += (<usize>many) << 2;
        } else {
          for (let next = 0; next < many; next += 4, z += 16, p += (<usize>side) << 4) {
            if (shares) inline.always(shareInFour(p, below, f32x4.div(v128.load(z), counts), rows, length, side));
            else v128.store(z, f32x4.div(inline.always(sumsOf(true, p, below, rows, length, side)), counts));
          }
        }
        q += <usize>many * ENTRY;
        c += many;
      }
    }
  }
}

/**
 * Sum of a window at p: `rows` rows of `length` values, `below` bytes apart. With `four`, each lane has the sum of one of four windows,
 * which are `step` columns apart; otherwise the first lane has the sum of one window.
 */
function sumsOf(four: bool, p: usize, below: usize, rows: i32, length: i32, step: i32): v128 {
  let sums = i32x4.splat(0);
  for (; rows > 0; rows--, p += below) {
    for (let q = p, end = scalarEnd(p, length); q < end; q += 4) {
      sums = f32x4.add(sums, four && step != 1 ? everyOther(q) : loadSome(q, four));
    }
  }
  return sums;
}

/** Means of 2 × 2 windows side by side; their number is a multiple of four. */
function meansOfSquares(z: usize, x: usize, below: usize, many: i32, counts: v128): void {
  const zero = f32x4.splat(0);
  z -= 16;
  x -= 32;
  do {
    z += 16;
    x += 32;
    const a = v128.load(x);
    const b = v128.load(x, 16);
    const c = v128.load(x + below);
    const d = v128.load(x + below, 16);
    let sums = f32x4.add(zero, i32x4.shuffle(a, b, 0, 2, 4, 6));
    sums = f32x4.add(sums, i32x4.shuffle(a, b, 1, 3, 5, 7));
    sums = f32x4.add(sums, i32x4.shuffle(c, d, 0, 2, 4, 6));
    sums = f32x4.add(sums, i32x4.shuffle(c, d, 1, 3, 5, 7));
    v128.store(z, f32x4.div(sums, counts));
    many -= 4;
  } while (many != 0);
}

function shareInOne(p: usize, below: usize, share: f32, rows: i32, length: i32): void {
  for (; rows > 0; rows--, p += below) {
    for (let q = p, end = scalarEnd(p, length); q < end; q += 4) store<f32>(q, load<f32>(q) + share);
  }
}

/**
 * Adds the shares of four windows, `step` columns apart. Columns of the windows are processed from the last to the first, so that each
 * value receives its shares in the order of windows.
 */
function shareInFour(p: usize, below: usize, shares: v128, rows: i32, length: i32, step: i32): void {
  // With step 2, each pair of neighbouring values has the same windows; the last value of an odd length has no partner.
  const low = i32x4.shuffle(shares, shares, 0, 0, 1, 1);
  const high = i32x4.shuffle(shares, shares, 2, 2, 3, 3);
  for (; rows > 0; rows--, p += below) {
    let at = scalarEnd(p, length);
    if (step == 1) {
      while (at != p) {
        at -= 4;
        v128.store(at, f32x4.add(v128.load(at), shares));
      }
      continue;
    }
    if ((length & 1) != 0) {
      at -= 4;
      const even = v128.load(evenLanes);
      v128.store(at, v128.bitselect(f32x4.add(v128.load(at), low), v128.load(at), even));
      v128.store(at, v128.bitselect(f32x4.add(v128.load(at, 16), high), v128.load(at, 16), even), 16);
    }
    while (at != p) {
      at -= 8;
      inline.always(addPairs(at, low, high));
    }
  }
}

function addPairs(p: usize, low: v128, high: v128): void {
  v128.store(p, f32x4.add(v128.load(p), low));
  v128.store(p, f32x4.add(v128.load(p, 16), high), 16);
}

/** Adds the shares of 2 × 2 windows side by side; their number is a multiple of four. */
function shareInSquares(dx: usize, below: usize, dz: usize, many: i32, counts: v128): void {
  dz -= 16;
  dx -= 32;
  do {
    dz += 16;
    dx += 32;
    const shares = f32x4.div(v128.load(dz), counts);
    const low = i32x4.shuffle(shares, shares, 0, 0, 1, 1);
    const high = i32x4.shuffle(shares, shares, 2, 2, 3, 3);
    inline.always(addPairs(dx, low, high));
    inline.always(addPairs(dx + below, low, high));
    many -= 4;
  } while (many != 0);
}

/** avgPool of spikes x, a stream of bits */
// @costs 4 * planes * windows
// @let size = word(down, 0) * word(across, 0), windows = word(down, 1) * word(across, 1)
// @cut planes by 32 / even(size) → z * windows, x * size / 32
export function avgPoolBits(z: usize, x: usize, down: usize, across: usize, planes: i32): void {
  const height = load<i32>(down);
  const width = load<i32>(across);
  const bottom = entryOf(down, load<i32>(down, 4));
  const end = entryOf(across, load<i32>(across, 4));
  for (let plane = 0; plane < planes * height; plane += height) {
    for (let y = down + HEAD; y < bottom; y += ENTRY) {
      for (let q = across + HEAD; q < end; q += ENTRY, z += 4) {
        let sum = 0;
        for (let i = load<i32>(y); i < load<i32>(y, 4); i++) {
          for (let j = load<i32>(q); j < load<i32>(q, 4); j += 32) {
            const n = load<i32>(q, 4) - j;
            const word = inline.always(wordAt(x, <usize>((plane + i) * width + j)));
            sum += popcnt<u32>(n < 32 ? word & ((1 << n) - 1) : word);
          }
        }
        store<f32>(z, <f32>sum / <f32>(<i64>load<i32>(y, 8) * load<i32>(q, 8)));
      }
    }
  }
}

/** dx[p, place[p, i]] += dz[p, i] for planes p of `size` values and i < n, in this order; skipped if the place is −1 */
// @costs 4 * planes * n
// @cut planes → dx * size, dz * n, place * n
export function addAtPlaces(dx: usize, dz: usize, place: usize, planes: i32, size: i32, n: i32): void {
  for (; planes > 0; planes--, dx += (<usize>size) << 2) {
    for (const end = scalarEnd(dz, n); dz < end; dz += 4, place += 4) {
      const i = load<i32>(place);
      if (i < 0) continue;
      const p = dx + ((<usize>i) << 2);
      store<f32>(p, load<f32>(p) + load<f32>(dz));
    }
  }
}
