/**
 * Windows over the planes [height, width] of images, reduced to one value each: [rows, columns]. Window (r, c) begins at row
 * r·sy − py and column c·sx − px; what it covers beyond the plane does not count.
 */
import { append, endStream, startStream, wordAt } from "./bits";
import { minusInfinity } from "./lanes";
import { scalarEnd } from "./span";

const laneNumber = memory.data<u32>([0, 1, 2, 3], 16);
const evenLanes = memory.data<i32>([-1, 0, -1, 0], 16);

/**
 * z ← the maximum under each window, NaN being the largest, and place ← where in its plane the first one is, in the order of
 * rows, as an integer; each if its address is not 0. −∞ and −1 where a window covers nothing.
 */
export function maxPool(
  z: usize,
  place: usize,
  x: usize,
  planes: i32,
  height: i32,
  width: i32,
  rows: i32,
  columns: i32,
  kh: i32,
  kw: i32,
  sy: i32,
  sx: i32,
  dy: i32,
  dx: i32,
  py: i32,
  px: i32,
): void {
  const row = (<usize>columns) << 2;
  const tall = extent(kh, dy, height + py);
  const wide = extent(kw, dx, width + px);
  // The windows that have all their columns in the plane: four of these at a time, if they step by 1 or 2.
  const first = (px + sx - 1) / sx;
  const reach = width + px - extent(kw - 1, dx, width + px);
  const last = reach > 0 && sx <= 2 ? min(columns, (reach - 1) / sx + 1) : 0;
  const inside = (py | px) == 0 && (rows - 1) * sy + 2 <= height && 2 * columns <= width;
  const square = kh == 2 && kw == 2 && sx == 2 && dx == 1 && dy == 1 && columns >= 4 && inside;
  for (; planes > 0; planes--, x += (<usize>(height * width)) << 2) {
    if (square && maximaOfSquares(z, place, x, width, rows, columns, sy)) {
      if (z != 0) z += row * rows;
      if (place != 0) place += row * rows;
      continue;
    }
    for (let r = 0; r < rows; r++) {
      inline.always(
        maximaOfRow(z, place, x, r * sy - py, height, width, columns, first, last, tall, wide, sx, px, dy, dx),
      );
      if (z != 0) z += row;
      if (place != 0) place += row;
    }
  }
}

/** So many values `dilation` apart, and the gap behind each: where a window ends, or `most`, which is beyond the plane. */
function extent(kernel: i32, dilation: i32, most: i32): i32 {
  return <i32>min<i64>(<i64>kernel * dilation, most);
}

/** The first value of a window at `start` that is not before the plane. */
function firstInside(start: i32, dilation: i32): i32 {
  if (start >= 0) return start;
  return dilation == 1 ? 0 : start + ((dilation - 1 - start) / dilation) * dilation;
}

/**
 * The same for spikes, of windows without padding at most 32 columns wide: z and x are streams of bits, each z whether a bit
 * under its window is set, and place is where the first one is, or the window begins.
 */
export function maxPoolBits(
  z: usize,
  place: usize,
  x: usize,
  planes: i32,
  height: i32,
  width: i32,
  rows: i32,
  columns: i32,
  kh: i32,
  kw: i32,
  sy: i32,
  sx: i32,
  dy: i32,
  dx: i32,
): void {
  const tall = extent(kh, dy, height);
  let taps: u32 = 0;
  for (let j = 0; j < kw; j++) taps |= 1 << (j * dx);
  if (z != 0) startStream(z);
  for (let plane = 0; plane < planes * height; plane += height) {
    for (let r = 0; r < rows; r++) {
      const top = r * sy;
      const bottom = min(height, top + tall);
      for (let c = 0; c < columns; ) {
        let word: u32 = 0;
        let bit: u32 = 0;
        for (; bit < 32 && c < columns; bit++, c++) {
          const left = c * sx;
          const mask = width - left < 32 ? taps & ((1 << (width - left)) - 1) : taps;
          let found = top * width + left;
          for (let i = top; i < bottom; i += dy) {
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

function maximaOfRow(
  z: usize,
  place: usize,
  x: usize,
  top: i32,
  height: i32,
  width: i32,
  columns: i32,
  first: i32,
  last: i32,
  tall: i32,
  wide: i32,
  sx: i32,
  px: i32,
  dy: i32,
  dx: i32,
): void {
  // The rows of the window that lie in the plane.
  const from = min(height, firstInside(top, dy)) * width;
  const to = min(height, top + tall) * width;
  if (from >= to) last = 0;
  const step = min(height, dy) * width;
  for (let c = 0; c < columns; ) {
    const left = c * sx - px;
    if (c >= first && c + 4 <= last) {
      let best = v128.load32_splat(minusInfinity);
      const lanes = i32x4.mul(v128.load(laneNumber), i32x4.splat(sx));
      let found = i32x4.add(lanes, i32x4.splat(from + left));
      for (let i = from; i < to; i += step) {
        for (let j = i + left, end = j + wide; j < end; j += dx) {
          const p = x + ((<usize>j) << 2);
          const value = sx == 1 ? v128.load(p) : everyOther(p);
          const wins = v128.andnot(f32x4.eq(best, best), f32x4.le(value, best));
          best = v128.bitselect(value, best, wins);
          found = v128.bitselect(i32x4.add(lanes, i32x4.splat(j)), found, wins);
        }
      }
      if (z != 0) v128.store(z + ((<usize>c) << 2), best);
      if (place != 0) v128.store(place + ((<usize>c) << 2), found);
      c += 4;
    } else {
      const o = (<usize>c) << 2;
      inline.always(
        maximumOf(
          z == 0 ? 0 : z + o,
          place == 0 ? 0 : place + o,
          x,
          from,
          to,
          step,
          inline.always(firstInside(left, dx)),
          min(width, left + wide),
          dx,
        ),
      );
      c++;
    }
  }
}

/** One window: columns start, start + dx, … before end, of rows that begin at from, from + step, … before to. */
function maximumOf(
  z: usize,
  place: usize,
  x: usize,
  from: i32,
  to: i32,
  step: i32,
  start: i32,
  end: i32,
  dx: i32,
): void {
  let best: f32 = -Infinity;
  let found = -1;
  if (from < to && start < end) {
    found = from + start;
    best = load<f32>(x + ((<usize>found) << 2));
    for (let i = from; i < to; i += step) {
      for (let j = start; j < end; j += dx) {
        const value = load<f32>(x + ((<usize>(i + j)) << 2));
        if (isNaN(best) || value <= best) continue;
        best = value;
        found = i + j;
      }
    }
  }
  if (z != 0) store<f32>(z, best);
  if (place != 0) store<i32>(place, found);
}

function everyOther(p: usize): v128 {
  return i32x4.shuffle(v128.load(p), v128.load(p, 12), 0, 2, 5, 7);
}

/**
 * The windows of a plane where these are 2 × 2, side by side and inside. False, with nothing of use done, if a value is not
 * a number, or for infinities of both signs: then it is for maximaOfRow.
 */
function maximaOfSquares(z: usize, place: usize, x: usize, width: i32, rows: i32, columns: i32, sy: i32): bool {
  const below = (<usize>width) << 2;
  const lanes = i32x4.mul(v128.load(laneNumber), i32x4.splat(2));
  for (let r = 0; r < rows; r++) {
    for (let next = 0; next < columns; next += 4) {
      // The last four windows may overlap those before.
      const c = min(next, columns - 4);
      const from = r * sy * width + 2 * c;
      const p = x + ((<usize>from) << 2);
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
      const at = (<usize>(r * columns + c)) << 2;
      if (z != 0) v128.store(z + at, best);
      if (place == 0) continue;
      const here = i32x4.add(lanes, i32x4.splat(from));
      let found = i32x4.sub(i32x4.add(here, i32x4.splat(width)), f32x4.ne(third, best));
      found = v128.bitselect(i32x4.add(here, i32x4.splat(1)), found, f32x4.eq(second, best));
      v128.store(place + at, v128.bitselect(here, found, f32x4.eq(first, best)));
    }
  }
  return true;
}

/**
 * table[c] ← (first, end, count) of each of the windows along an axis: which of its values are averaged, and by what their
 * sum is divided. A kernel of 0 stands for windows that share the axis evenly.
 */
export function spans(
  table: usize,
  size: i32,
  places: i32,
  kernel: i32,
  stride: i32,
  padding: i32,
  countPadding: i32,
): void {
  for (let c = 0; c < places; c++, table += 12) {
    let first = c * stride - padding;
    let end = first + kernel;
    if (kernel == 0) {
      first = <i32>((<i64>c * size) / places);
      end = <i32>((<i64>(c + 1) * size + places - 1) / places);
    }
    const inside = min(end, size) - max(first, 0);
    store<i32>(table, max(first, 0));
    store<i32>(table, min(end, size), 4);
    store<i32>(table, countPadding ? min(end, size + padding) - first : inside, 8);
  }
}

/** Of a table of spans: the first column of a run, the column behind it, their distance, what each covers and is divided by. */
const run = memory.data(20, 16);

/** The longest run of windows around the middle one that are alike, where they step by 1 or 2. */
function findRun(across: usize, columns: i32): void {
  const middle = columns >> 1;
  const at = across + <usize>middle * 12;
  const length = load<i32>(at, 4) - load<i32>(at);
  const step = middle > 0 ? load<i32>(at) - load<i32>(at - 12) : 1;
  let first = middle;
  let end = middle;
  if (step == 1 || step == 2) {
    while (end < columns && isLike(at, across + <usize>end * 12, (end - middle) * step)) end++;
    while (first > 0 && isLike(at, across + <usize>(first - 1) * 12, (first - 1 - middle) * step)) first--;
  }
  store<i32>(run, first);
  store<i32>(run, end, 4);
  store<i32>(run, step, 8);
  store<i32>(run, length, 12);
  store<i32>(run, load<i32>(at, 8), 16);
}

/** How many windows of a run are two columns side by side, in whole groups of four; `last` is where the last group may begin. */
function pairsOf(first: i32, last: i32, step: i32, length: i32): i32 {
  return step == 2 && length == 2 && last >= first ? (last - first + 4) & ~3 : 0;
}

/** Whether a window is one other moved by so much. */
function isLike(one: usize, other: usize, moved: i32): bool {
  const starts = load<i32>(other) == load<i32>(one) + moved;
  return starts && load<i32>(other, 4) == load<i32>(one, 4) + moved && load<i32>(other, 8) == load<i32>(one, 8);
}

/** What the sum under a window is divided by. */
function countOf(down: usize, across: usize): f32 {
  return <f32>(<i64>load<i32>(down, 8) * load<i32>(across, 8));
}

/** z ← the sum under each window divided by its count, of windows [rows, columns] with these spans */
export function avgPool(
  z: usize,
  x: usize,
  down: usize,
  across: usize,
  planes: i32,
  height: i32,
  width: i32,
  rows: i32,
  columns: i32,
): void {
  findRun(across, columns);
  const first = load<i32>(run);
  const last = load<i32>(run, 4) - 4;
  const step = load<i32>(run, 8);
  const length = load<i32>(run, 12);
  const many = pairsOf(first, last, step, length);
  for (; planes > 0; planes--, x += (<usize>(height * width)) << 2) {
    for (let r = 0, y = down; r < rows; r++, y += 12) {
      const from = load<i32>(y) * width;
      const to = load<i32>(y, 4) * width;
      for (let c = 0, q = across; c < columns; ) {
        const left = load<i32>(q);
        const count = countOf(y, q);
        if (c == first && many > 0 && to - from == 2 * width) {
          inline.always(meansOfSquares(z, x + ((<usize>(from + left)) << 2), (<usize>width) << 2, many, count));
          z += (<usize>many) << 2;
          q += <usize>many * 12;
          c += many;
          continue;
        }
        if (c >= first && c <= last) {
          let sums = i32x4.splat(0);
          for (let i = from + left; i < to + left; i += width) {
            for (let j = i; j < i + length; j++) {
              const p = x + ((<usize>j) << 2);
              sums = f32x4.add(sums, step == 1 ? v128.load(p) : everyOther(p));
            }
          }
          v128.store(z, f32x4.div(sums, f32x4.splat(count)));
          z += 16;
          q += 48;
          c += 4;
          continue;
        }
        let sum: f32 = 0;
        for (let i = from; i < to; i += width) {
          const end = x + ((<usize>(i + load<i32>(q, 4))) << 2);
          for (let p = x + ((<usize>(i + left)) << 2); p < end; p += 4) sum += load<f32>(p);
        }
        store<f32>(z, sum / count);
        z += 4;
        q += 12;
        c++;
      }
    }
  }
}

/** Windows 2 × 2 side by side, a multiple of four. */
function meansOfSquares(z: usize, x: usize, below: usize, many: i32, count: f32): void {
  const counts = f32x4.splat(count);
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

/** The same for spikes x, a stream of bits. */
export function avgPoolBits(
  z: usize,
  x: usize,
  down: usize,
  across: usize,
  planes: i32,
  height: i32,
  width: i32,
  rows: i32,
  columns: i32,
): void {
  for (let plane = 0; plane < planes * height; plane += height) {
    for (let r = 0, y = down; r < rows; r++, y += 12) {
      for (let c = 0, q = across; c < columns; c++, q += 12, z += 4) {
        let sum = 0;
        for (let i = load<i32>(y); i < load<i32>(y, 4); i++) {
          for (let j = load<i32>(q); j < load<i32>(q, 4); j += 32) {
            const n = load<i32>(q, 4) - j;
            const word = inline.always(wordAt(x, <usize>((plane + i) * width + j)));
            sum += popcnt<u32>(n < 32 ? word & ((1 << n) - 1) : word);
          }
        }
        store<f32>(z, <f32>sum / countOf(y, q));
      }
    }
  }
}

/** dx of every value under a window += dz divided by the window's count, window by window */
export function avgPoolGrad(
  dx: usize,
  dz: usize,
  down: usize,
  across: usize,
  planes: i32,
  height: i32,
  width: i32,
  rows: i32,
  columns: i32,
): void {
  findRun(across, columns);
  const first = load<i32>(run);
  const last = load<i32>(run, 4) - 4;
  const step = load<i32>(run, 8);
  const length = load<i32>(run, 12);
  const many = pairsOf(first, last, step, length);
  for (; planes > 0; planes--, dx += (<usize>(height * width)) << 2) {
    for (let r = 0, y = down; r < rows; r++, y += 12) {
      const from = load<i32>(y) * width;
      const to = load<i32>(y, 4) * width;
      for (let c = 0, q = across; c < columns; ) {
        const left = load<i32>(q);
        const count = countOf(y, q);
        if (c == first && many > 0 && to - from == 2 * width) {
          inline.always(shareInSquares(dx + ((<usize>(from + left)) << 2), (<usize>width) << 2, dz, many, count));
          dz += (<usize>many) << 2;
          q += <usize>many * 12;
          c += many;
          continue;
        }
        if (c >= first && c <= last) {
          const shares = f32x4.div(v128.load(dz), f32x4.splat(count));
          for (let i = from + left; i < to + left; i += width) {
            const p = dx + ((<usize>i) << 2);
            if (step == 1) shareAlong(p, length, shares);
            else inline.always(shareInPairs(p, length, shares));
          }
          dz += 16;
          q += 48;
          c += 4;
          continue;
        }
        const share = load<f32>(dz) / count;
        for (let i = from; i < to; i += width) {
          const end = dx + ((<usize>(i + load<i32>(q, 4))) << 2);
          for (let p = dx + ((<usize>(i + left)) << 2); p < end; p += 4) store<f32>(p, load<f32>(p) + share);
        }
        dz += 4;
        q += 12;
        c++;
      }
    }
  }
}

/** Adds the shares of windows 2 × 2 side by side, a multiple of four. */
function shareInSquares(dx: usize, below: usize, dz: usize, many: i32, count: f32): void {
  const counts = f32x4.splat(count);
  dz -= 16;
  dx -= 32;
  do {
    dz += 16;
    dx += 32;
    const shares = f32x4.div(v128.load(dz), counts);
    const low = i32x4.shuffle(shares, shares, 0, 0, 1, 1);
    const high = i32x4.shuffle(shares, shares, 2, 2, 3, 3);
    v128.store(dx, f32x4.add(v128.load(dx), low));
    v128.store(dx, f32x4.add(v128.load(dx, 16), high), 16);
    const p = dx + below;
    v128.store(p, f32x4.add(v128.load(p), low));
    v128.store(p, f32x4.add(v128.load(p, 16), high), 16);
    many -= 4;
  } while (many != 0);
}

/** Adds the shares of four windows that step by 1 to the row at p. A value meets its windows in their order: last ones first. */
function shareAlong(p: usize, length: i32, shares: v128): void {
  for (let at = p + ((<usize>length) << 2); at != p; ) {
    at -= 4;
    v128.store(at, f32x4.add(v128.load(at), shares));
  }
}

/** The same for windows that step by 2: two neighbours have the same ones, but for the last of an odd number. */
function shareInPairs(p: usize, length: i32, shares: v128): void {
  const low = i32x4.shuffle(shares, shares, 0, 0, 1, 1);
  const high = i32x4.shuffle(shares, shares, 2, 2, 3, 3);
  let at = p + ((<usize>length) << 2);
  if ((length & 1) != 0) {
    at -= 4;
    const even = v128.load(evenLanes);
    v128.store(at, v128.bitselect(f32x4.add(v128.load(at), low), v128.load(at), even));
    v128.store(at, v128.bitselect(f32x4.add(v128.load(at, 16), high), v128.load(at, 16), even), 16);
  }
  while (at != p) {
    at -= 8;
    v128.store(at, f32x4.add(v128.load(at), low));
    v128.store(at, f32x4.add(v128.load(at, 16), high), 16);
  }
}

/** dx[p, place[p, i]] += dz[p, i] for planes p of `size` values and i < n, in this order; nothing where the place is −1 */
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
