/** Delays: every value is output after the delay of its column, in steps. x is [T, rows, n, inner], with a delay for each of n columns. */

import { setBits } from "./bits";
import { addTo } from "./elementwise";

/**
 * z[t − first, r, i, j] ← x[t − d[i], r, i, j], or 0 if d[i] > t, for first ≤ t < T; d holds n integers ≥ 0. z must not overlap x.
 */
// @costs (T - first) * rows * n * inner
// @cut T - first → z * rows * n * inner, first = first + low, T = first + high
export function delay(z: usize, x: usize, d: usize, first: i32, T: i32, rows: i32, n: i32, inner: i32): void {
  const run = (<usize>inner) << 2;
  const step = <usize>rows * <usize>n * run;
  let at = x + <usize>first * step;
  for (let t = first; t < T; t++) {
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < n; i++, z += run, at += run) {
        const back = load<i32>(d + ((<usize>i) << 2));
        if (inner == 1) store<f32>(z, back > t ? 0 : load<f32>(at - <usize>back * step));
        else if (back > t) memory.fill(z, 0, run);
        else memory.copy(z, at - <usize>back * step, run);
      }
    }
  }
}

/** dx[t − d[i], r, i, j] += dz[t − first, r, i, j] if d[i] ≤ t, for first ≤ t < T.  dx must not overlap dz. */
// @costs (T - first) * rows * n * inner
// @cut T - first → dz * rows * n * inner, first = first + low, T = first + high
export function delayGrad(dx: usize, dz: usize, d: usize, first: i32, T: i32, rows: i32, n: i32, inner: i32): void {
  const run = (<usize>inner) << 2;
  const step = <usize>rows * <usize>n * run;
  let at = dx + <usize>first * step;
  for (let t = first; t < T; t++) {
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < n; i++, dz += run, at += run) {
        const back = load<i32>(d + ((<usize>i) << 2));
        if (back > t) continue;
        const to = at - <usize>back * step;
        if (inner == 1) store<f32>(to, load<f32>(to) + load<f32>(dz));
        else inline.always(addTo(to, dz, inner));
      }
    }
  }
}

/**
 * z ← the spikes of the stream x [T, rows, n, inner], each d[i] steps later; those after step T − 1 are dropped. If all delays are equal, the
 * stream is shifted a word at a time; otherwise the cost follows the spikes. z must not overlap x.
 */
export function delayBits(z: usize, x: usize, d: usize, T: i32, rows: i32, n: i32, inner: i32): void {
  const step = <usize>rows * <usize>n * <usize>inner;
  const size = <usize>T * step;
  const words = (size + 31) >> 5;
  memory.fill(z, 0, words << 2);
  if (n == 1) {
    const by = <usize>load<i32>(d) * step;
    if (by < size) moveBits(z + ((by >> 5) << 2), x, by & 31, words - (by >> 5));
    const rest = <u32>size & 31;
    const last = z + ((words - 1) << 2);
    if (rest > 0) store<u32>(last, load<u32>(last) & ((1 << rest) - 1));
    return;
  }
  for (let first: usize = 0; first < size; first += 32, x += 4) {
    for (let word = load<u32>(x); word != 0; word &= word - 1) {
      const p = first + <usize>ctz<u32>(word);
      const i = (p / <usize>inner) % <usize>n;
      const to = p + <usize>load<i32>(d + (i << 2)) * step;
      if (to < size) setBits(z, <i32>to, 1);
    }
  }
}

/** z ← `words` words of x, shifted up by `shift` < 32 bits. */
function moveBits(z: usize, x: usize, shift: usize, words: usize): void {
  let carry: u64 = 0;
  for (const end = z + (words << 2); z < end; z += 4, x += 4) {
    carry |= (<u64>load<u32>(x)) << shift;
    store<u32>(z, <u32>carry);
    carry >>= 32;
  }
}
