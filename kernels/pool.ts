/**
 * Windows over the planes [height, width] of images, reduced to one value each: [rows, columns]. Window (r, c) begins at row
 * r·sy − py and column c·sx − px; what it covers beyond the plane does not count.
 */
import { append, endStream, startStream, wordAt } from "./bits";
import { minusInfinity } from "./lanes";
import { scalarEnd } from "./span";

const laneNumber = memory.data<u32>([0, 1, 2, 3], 16);

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
  py: i32,
  px: i32,
  dy: i32,
  dx: i32,
): void {
  const row = (<usize>columns) << 2;
  // The windows that have all their columns in the plane: four of these at a time, if they step by 1 or 2.
  const first = (px + sx - 1) / sx;
  const reach = width + px - (kw - 1) * dx;
  const last = reach > 0 && sx <= 2 ? min(columns, (reach - 1) / sx + 1) : 0;
  for (; planes > 0; planes--, x += (<usize>(height * width)) << 2) {
    for (let r = 0; r < rows; r++) {
      inline.always(maximaOfRow(z, place, x, r * sy - py, height, width, columns, first, last, kh, kw, sx, px, dy, dx));
      if (z != 0) z += row;
      if (place != 0) place += row;
    }
  }
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
  let taps: u32 = 0;
  for (let j = 0; j < kw; j++) taps |= 1 << (j * dx);
  if (z != 0) startStream(z);
  for (let plane = 0; plane < planes * height; plane += height) {
    for (let r = 0; r < rows; r++) {
      const top = r * sy;
      const bottom = min(height, top + kh * dy);
      for (let c = 0; c < columns; ) {
        let word: u32 = 0;
        let bit: u32 = 0;
        for (; bit < 32 && c < columns; bit++, c++) {
          const left = c * sx;
          const mask = width - left < 32 ? taps & ((1 << (width - left)) - 1) : taps;
          let found = top * width + left;
          for (let i = top; i < bottom; i += dy) {
            const set = wordAt(x, <usize>((plane + i) * width + left)) & mask;
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
  kh: i32,
  kw: i32,
  sx: i32,
  px: i32,
  dy: i32,
  dx: i32,
): void {
  // The rows of the window that lie in the plane.
  const from = (top < 0 ? top + ((dy - 1 - top) / dy) * dy : top) * width;
  const to = min(height, top + kh * dy) * width;
  if (from >= to) last = 0;
  const step = dy * width;
  for (let c = 0; c < columns; ) {
    const left = c * sx - px;
    if (c >= first && c + 4 <= last) {
      let best = v128.load32_splat(minusInfinity);
      const lanes = i32x4.mul(v128.load(laneNumber), i32x4.splat(sx));
      let found = i32x4.add(lanes, i32x4.splat(from + left));
      for (let i = from; i < to; i += step) {
        for (let j = i + left, end = j + kw * dx; j < end; j += dx) {
          const p = x + ((<usize>j) << 2);
          const value = sx == 1 ? v128.load(p) : i32x4.shuffle(v128.load(p), v128.load(p, 12), 0, 2, 5, 7);
          const wins = v128.andnot(f32x4.eq(best, best), f32x4.le(value, best));
          best = v128.bitselect(value, best, wins);
          found = v128.bitselect(i32x4.add(lanes, i32x4.splat(j)), found, wins);
        }
      }
      if (z != 0) v128.store(z + ((<usize>c) << 2), best);
      if (place != 0) v128.store(place + ((<usize>c) << 2), found);
      c += 4;
    } else {
      let best: f32 = -Infinity;
      let found = -1;
      for (let i = from; i < to; i += step) {
        for (let j = left, end = left + kw * dx; j < end; j += dx) {
          if (<u32>j >= <u32>width) continue;
          const value = load<f32>(x + ((<usize>(i + j)) << 2));
          if (found >= 0 && (isNaN(best) || value <= best)) continue;
          best = value;
          found = i + j;
        }
      }
      if (z != 0) store<f32>(z + ((<usize>c) << 2), best);
      if (place != 0) store<i32>(place + ((<usize>c) << 2), found);
      c++;
    }
  }
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
      first = (c * size) / places;
      end = ((c + 1) * size + places - 1) / places;
    }
    const inside = min(end, size) - max(first, 0);
    store<i32>(table, max(first, 0));
    store<i32>(table, min(end, size), 4);
    store<i32>(table, countPadding ? min(end, size + padding) - first : inside, 8);
  }
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
  for (; planes > 0; planes--, x += (<usize>(height * width)) << 2) {
    for (let r = 0, y = down; r < rows; r++, y += 12) {
      for (let c = 0, q = across; c < columns; c++, q += 12, z += 4) {
        let sum: f32 = 0;
        for (let i = load<i32>(y); i < load<i32>(y, 4); i++) {
          const row = x + ((<usize>(i * width)) << 2);
          const end = row + ((<usize>load<i32>(q, 4)) << 2);
          for (let p = row + ((<usize>load<i32>(q)) << 2); p < end; p += 4) sum += load<f32>(p);
        }
        store<f32>(z, sum / <f32>(load<i32>(y, 8) * load<i32>(q, 8)));
      }
    }
  }
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
            const word = wordAt(x, <usize>((plane + i) * width + j));
            sum += popcnt<u32>(n < 32 ? word & ((1 << n) - 1) : word);
          }
        }
        store<f32>(z, <f32>sum / <f32>(load<i32>(y, 8) * load<i32>(q, 8)));
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
  for (; planes > 0; planes--, dx += (<usize>(height * width)) << 2) {
    for (let r = 0, y = down; r < rows; r++, y += 12) {
      for (let c = 0, q = across; c < columns; c++, q += 12, dz += 4) {
        const share = load<f32>(dz) / <f32>(load<i32>(y, 8) * load<i32>(q, 8));
        for (let i = load<i32>(y); i < load<i32>(y, 4); i++) {
          const row = dx + ((<usize>(i * width)) << 2);
          const end = row + ((<usize>load<i32>(q, 4)) << 2);
          for (let p = row + ((<usize>load<i32>(q)) << 2); p < end; p += 4) store<f32>(p, load<f32>(p) + share);
        }
      }
    }
  }
}
