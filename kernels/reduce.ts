/**
 * Reductions along one axis of x, viewed as [outer, n, inner], and their gradients.
 *
 * The order of a sum does not depend on outer. Contiguous values (inner = 1) are added in float64, in two vectors of four partial sums whose
 * order depends only on n. Otherwise each output has a float32 sum for every BLOCK values, from i = 0 on, and the float64 sum of these.
 * Maxima are exact in any order.
 *
 * Wide rows are processed in chunks of columns, so that the sums stay in the first-level cache while all n rows pass over them, and four rows
 * at a time, so that a sum is loaded and stored once for four additions.
 */
import { addScaled, addTo, affine, copy, fill } from "./elementwise";
import { loadSome, one, storeSome } from "./lanes";
import { scalarEnd, vectorEnd } from "./span";

/** Columns of a chunk. */
const CHUNK = 1024;
const sums = memory.data(4096, 16);
/** Rows of a block, and the sum of all blocks of a chunk. */
const BLOCK = 128;
const totals = memory.data(8192, 16);

/**
 * z[o, j] ← Σᵢ x[o, i, j]. A negative inner means |inner| columns, which are summed row by row even if |inner| = 1. `apart` as in
 * addSumAxis.
 */
// @costs outer * n * Math.abs(inner)
// @cut outer if inner > 0 → z * inner, x * n * inner
// @cut Math.abs(inner) by 16 if outer == 1 && inner != 1 → z, x, inner = low - high, apart = apart || Math.abs(inner)
export function sumAxis(z: usize, x: usize, outer: i32, n: i32, inner: i32, apart: i32): void {
  sumInto(z, x, outer, n, inner, false, 1, apart);
}

/** z[o, j] += scale·Σᵢ x[o, i, j]. With outer = 1, the rows of x lie `apart` values from each other; 0 means |inner| values. */
// @costs outer * n * Math.abs(inner)
// @cut outer if inner > 0 → z * inner, x * n * inner
// @cut Math.abs(inner) by 16 if outer == 1 && inner != 1 → z, x, inner = low - high, apart = apart || Math.abs(inner)
export function addSumAxis(z: usize, x: usize, outer: i32, n: i32, inner: i32, scale: f32, apart: i32): void {
  sumInto(z, x, outer, n, inner, true, scale, apart);
}

function sumInto(z: usize, x: usize, outer: i32, n: i32, inner: i32, adds: bool, scale: f32, apart: i32): void {
  if (inner == 1) {
    for (const end = scalarEnd(z, outer); z < end; z += 4, x += (<usize>n) << 2) {
      const sum = inline.always(sumOfNeighbours(x, n));
      store<f32>(z, adds ? load<f32>(z) + scale * sum : sum);
    }
    return;
  }
  inner = abs(inner);
  const row = (<usize>(apart != 0 ? apart : inner)) << 2;
  for (; outer > 0; outer--, x += row * <usize>(n - 1)) {
    for (let j = 0; j < inner; j += CHUNK) {
      const columns = min(CHUNK, inner - j);
      sumRows(adds ? sums : z, x, n, columns, row);
      if (adds) addScaled(z, sums, columns, scale);
      z += (<usize>columns) << 2;
      x += (<usize>columns) << 2;
    }
  }
}

function sumOfNeighbours(x: usize, n: i32): f32 {
  const end = scalarEnd(x, n);
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (const stop = x + ((<usize>n >> 3) << 5); x < stop; x += 32) {
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v128.load64_zero(x)));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.load64_zero(x, 8)));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(v128.load64_zero(x, 16)));
    s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.load64_zero(x, 24)));
  }
  const s = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let sum = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
  for (; x < end; x += 4) sum += <f64>load<f32>(x);
  return <f32>sum;
}

/** to[j] ← Σᵢ x[i, j] for columns that are a part of rows of `row` bytes. */
function sumRows(to: usize, x: usize, n: i32, columns: i32, row: usize): void {
  if (n <= BLOCK) return sumBlock(to, x, n, columns, row);
  const end = scalarEnd(to, columns);
  memory.fill(totals, 0, (<usize>columns) << 3);
  for (; n > 0; n -= BLOCK, x += row * BLOCK) {
    sumBlock(to, x, min(n, BLOCK), columns, row);
    for (let p = to, t = totals; p < end; p += 4, t += 8) store<f64>(t, load<f64>(t) + <f64>load<f32>(p));
  }
  for (let p = to, t = totals; p < end; p += 4, t += 8) store<f32>(p, <f32>load<f64>(t));
}

function sumBlock(to: usize, x: usize, n: i32, columns: i32, row: usize): void {
  inline.always(fill(to, columns, 0));
  let i = n;
  for (; i >= 4; i -= 4, x += row << 2) inline.always(addFourRows(to, x, x + row, x + row * 2, x + row * 3, columns));
  for (; i > 0; i--, x += row) inline.always(addTo(to, x, columns));
}

function addFourRows(to: usize, x0: usize, x1: usize, x2: usize, x3: usize, columns: i32): void {
  const end = scalarEnd(to, columns);
  for (const stop = vectorEnd(to, columns); to < stop; to += 16, x0 += 16, x1 += 16, x2 += 16, x3 += 16) {
    const s = f32x4.add(f32x4.add(v128.load(to), v128.load(x0)), v128.load(x1));
    v128.store(to, f32x4.add(f32x4.add(s, v128.load(x2)), v128.load(x3)));
  }
  for (; to < end; to += 4, x0 += 4, x1 += 4, x2 += 4, x3 += 4) {
    store<f32>(to, load<f32>(to) + load<f32>(x0) + load<f32>(x1) + load<f32>(x2) + load<f32>(x3));
  }
}

/** dx[o, i, j] += scale·dz[o, j] */
// @costs outer * n * inner
// @cut outer → dx * n * inner, dz * inner
// @cut n if outer == 1 → dx * inner
export function sumAxisGrad(dx: usize, dz: usize, outer: i32, n: i32, inner: i32, scale: f32): void {
  const row = (<usize>inner) << 2;
  for (; outer > 0; outer--, dz += row) {
    if (inner == 1) {
      inline.always(affine(dx, dx, n, 1, scale * load<f32>(dz)));
      dx += (<usize>n) << 2;
    } else {
      for (let i = 0; i < n; i++, dx += row) inline.always(addScaled(dx, dz, inner, scale));
    }
  }
}

/** z[o, i, j] ← x[o, j] */
// @costs outer * n * inner
// @cut outer → z * n * inner, x * inner
// @cut n if outer == 1 → z * inner
export function expandAxis(z: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  const row = (<usize>inner) << 2;
  const block = row * <usize>n;
  for (; outer > 0; outer--, z += block, x += row) {
    if (inner == 1) inline.always(fill(z, n, load<f32>(x)));
    else if (inner >= 64) for (let o: usize = 0; o < block; o += row) memory.copy(z + o, x, row);
    else if (n > 0) doubled(z, x, row, block);
  }
}

/** Narrow rows: the written part is copied after itself, which doubles it each time, up to 16 KB. */
function doubled(z: usize, x: usize, row: usize, block: usize): void {
  memory.copy(z, x, row);
  let filled = row;
  let part = row;
  while (filled < block) {
    memory.copy(z + filled, z, min(part, block - filled));
    filled += part;
    if (part < 16384) part = filled;
  }
}

/** z[o, j] ← Πᵢ x[o, i, j], over i = 0, 1, …, n − 1 */
// @costs outer * n * inner
// @cut outer → z * inner, x * n * inner
export function prodAxis(z: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  const row = (<usize>inner) << 2;
  for (; outer > 0; outer--, x += row * <usize>(n - 1)) {
    for (let j = 0; j < inner; j++, z += 4, x += 4) {
      let product: f32 = 1;
      for (let i = 0, p = x; i < n; i++, p += row) product *= load<f32>(p);
      store<f32>(z, product);
    }
  }
}

/**
 * dx[o, i, j] += dz[o, j]·Π x[o, k, j] over k ≠ i: the product before i times the product after it, so that zeros need no division. `rest`
 * has room for n values.
 */
// @costs outer * n * inner
// @cut outer → dx * n * inner, dz * inner, x * n * inner, rest = area(rest, 4 * n)
export function prodAxisGrad(dx: usize, dz: usize, x: usize, rest: usize, outer: i32, n: i32, inner: i32): void {
  const row = (<usize>inner) << 2;
  const block = row * <usize>n;
  for (; outer > 0; outer--, x += block - row, dx += block - row) {
    for (let j = 0; j < inner; j++, dz += 4, x += 4, dx += 4) {
      let behind = load<f32>(dz);
      let r = rest;
      for (let o = block; o > 0; r += 4) {
        o -= row;
        store<f32>(r, behind);
        behind *= load<f32>(x + o);
      }
      let before: f32 = 1;
      for (let o: usize = 0; o < block; o += row) {
        r -= 4;
        store<f32>(dx + o, load<f32>(dx + o) + before * load<f32>(r));
        before *= load<f32>(x + o);
      }
    }
  }
}

/** z[o, i, j] ← Σ x[o, k, j] over k ≤ i, or with `reverse` over k ≥ i from the end, each sum in float64. z may be x. */
// @costs outer * n * inner
// @cut outer → z * n * inner, x * n * inner
export function cumsumAxis(z: usize, x: usize, outer: i32, n: i32, inner: i32, reverse: i32): void {
  const row = (<usize>inner) << 2;
  const rest = row * <usize>(n - 1);
  const first = reverse != 0 ? rest : 0;
  const step = reverse != 0 ? 0 - row : row;
  for (; outer > 0; outer--, z += rest, x += rest) {
    const end = scalarEnd(z, inner);
    for (const stop = vectorEnd(z, inner); z < stop; z += 16, x += 16) {
      let low = f64x2.splat(0);
      let high = low;
      for (let i = 0, o = first; i < n; i++, o += step) {
        const lanes = v128.load(x + o);
        low = f64x2.add(low, f64x2.promote_low_f32x4(lanes));
        high = f64x2.add(high, f64x2.promote_low_f32x4(i32x4.shuffle(lanes, lanes, 2, 3, 0, 1)));
        v128.store(z + o, i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5));
      }
    }
    for (; z < end; z += 4, x += 4) {
      let sum: f64 = 0;
      for (let i = 0, o = first; i < n; i++, o += step) {
        sum += <f64>load<f32>(x + o);
        store<f32>(z + o, <f32>sum);
      }
    }
  }
}

/** z[o, j] ← maxᵢ x[o, i, j] and index[o, j] ← the first such i, as a float (exact below 2²⁴). NaN is the largest. n > 0 */
// @costs outer * n * inner
// @cut outer → z * inner, index * inner, x * n * inner
export function maxAxis(z: usize, index: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  search(z, index, x, outer, n, inner, 0);
}

/** z[o, j] ← minᵢ x[o, i, j] and index[o, j] ← the first such i, as a float (exact below 2²⁴). NaN is the smallest. n > 0 */
// @costs outer * n * inner
// @cut outer → z * inner, index * inner, x * n * inner
export function minAxis(z: usize, index: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  search(z, index, x, outer, n, inner, 0x80000000);
}

/** Finds extrema; `flip` masks the sign, since the minimum is where −x has its maximum. */
function search(z: usize, index: usize, x: usize, outer: i32, n: i32, inner: i32, flip: u32): void {
  assert(n > 0);
  const row = (<usize>inner) << 2;
  if (inner == 1) {
    for (const end = scalarEnd(z, outer); z < end; z += 4, index += 4, x += (<usize>n) << 2)
      searchNeighbours(z, index, x, n, flip);
    return;
  }
  for (; outer > 0; outer--, x += row * <usize>(n - 1)) {
    for (let j = 0; j < inner; j += CHUNK) {
      const columns = min(CHUNK, inner - j);
      copy(z, x, columns);
      fill(index, columns, 0);
      for (let i = 1; i < n; i++) inline.always(improve(z, index, x + row * <usize>i, columns, <f32>i, flip));
      z += (<usize>columns) << 2;
      index += (<usize>columns) << 2;
      x += (<usize>columns) << 2;
    }
  }
}

/** Mask of lanes in which x is better than best: larger, or the first NaN. */
function better(x: v128, best: v128, flip: v128): v128 {
  return v128.andnot(f32x4.eq(best, best), f32x4.le(v128.xor(x, flip), v128.xor(best, flip)));
}

/** Compares one row with the best so far of every column. */
function improve(z: usize, index: usize, x: usize, columns: i32, i: f32, flip: u32): void {
  const end = scalarEnd(z, columns);
  const flips = i32x4.splat(flip);
  const here = f32x4.splat(i);
  for (const stop = vectorEnd(z, columns); z < stop; z += 16, index += 16, x += 16) {
    inline.always(improveSome(true, z, index, x, here, flips));
  }
  for (; z < end; z += 4, index += 4, x += 4) inline.always(improveSome(false, z, index, x, here, flips));
}

function improveSome(four: bool, z: usize, index: usize, x: usize, here: v128, flips: v128): void {
  const best = loadSome(z, four);
  const wins = better(loadSome(x, four), best, flips);
  storeSome(z, four, v128.bitselect(loadSome(x, four), best, wins));
  storeSome(index, four, v128.bitselect(here, loadSome(index, four), wins));
}

/** Searches a row of contiguous values: each lane compares every fourth value, then the lanes are compared. */
function searchNeighbours(z: usize, index: usize, x: usize, n: i32, flip: u32): void {
  const flips = i32x4.splat(flip);
  let best = v128.load32_splat(x);
  let at = f32x4.splat(0);
  let i = 0;
  if (n >= 8) {
    best = v128.load(x);
    at = f32x4(0, 1, 2, 3);
    let here = at;
    for (i = 4; i <= n - 4; i += 4) {
      here = f32x4.add(here, f32x4.splat(4));
      const lanes = v128.load(x + ((<usize>i) << 2));
      const wins = better(lanes, best, flips);
      best = v128.bitselect(lanes, best, wins);
      at = v128.bitselect(here, at, wins);
    }
    // Lanes 2, 3 against 0, 1; then 1 against 0.
    let other = i32x4.shuffle(best, best, 2, 3, 0, 1);
    let otherAt = i32x4.shuffle(at, at, 2, 3, 0, 1);
    let wins = inline.always(betterOrEarlier(other, best, otherAt, at, flips));
    best = v128.bitselect(other, best, wins);
    at = v128.bitselect(otherAt, at, wins);
    other = i32x4.shuffle(best, best, 1, 0, 3, 2);
    otherAt = i32x4.shuffle(at, at, 1, 0, 3, 2);
    wins = inline.always(betterOrEarlier(other, best, otherAt, at, flips));
    best = v128.bitselect(other, best, wins);
    at = v128.bitselect(otherAt, at, wins);
  }
  for (; i < n; i++) {
    const value = v128.load32_splat(x + ((<usize>i) << 2));
    const wins = better(value, best, flips);
    best = v128.bitselect(value, best, wins);
    at = v128.bitselect(f32x4.splat(<f32>i), at, wins);
  }
  v128.store32_lane(z, best, 0);
  v128.store32_lane(index, at, 0);
}

/** Like `better`, but an equal (or equally NaN) x with the smaller index wins too. */
function betterOrEarlier(x: v128, best: v128, xAt: v128, bestAt: v128, flip: v128): v128 {
  const notWorse = v128.or(f32x4.ne(x, x), f32x4.ge(v128.xor(x, flip), v128.xor(best, flip)));
  return v128.or(better(x, best, flip), v128.and(notWorse, f32x4.lt(xAt, bestAt)));
}

/** dx[o, index[o, j], j] += dz[o, j] */
// @costs outer * n * inner
// @cut outer → dx * n * inner, dz * inner, index * inner
export function pickAxisGrad(dx: usize, dz: usize, index: usize, outer: i32, n: i32, inner: i32): void {
  const row = (<usize>inner) << 2;
  for (; outer > 0; outer--, dx += row * <usize>n) {
    for (let j: usize = 0; j < row; j += 4, dz += 4, index += 4) {
      const p = dx + row * <usize>load<f32>(index) + j;
      store<f32>(p, load<f32>(p) + load<f32>(dz));
    }
  }
}

/** dx[o, i, j] += dz[o, j] / (number of ties) where x[o, i, j] = z[o, j]; adds nothing where z is NaN. */
// @costs outer * n * inner
// @cut outer → dx * n * inner, dz * inner, z * inner, x * n * inner
export function amaxGrad(dx: usize, dz: usize, z: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  const row = (<usize>inner) << 2;
  for (; outer > 0; outer--, dx += row * <usize>(n - 1), x += row * <usize>(n - 1)) {
    const end = scalarEnd(z, inner);
    for (const stop = vectorEnd(z, inner); z < stop; z += 16, dz += 16, dx += 16, x += 16) {
      const best = v128.load(z);
      let ties = f32x4.splat(0);
      for (let i = 0, p = x; i < n; i++, p += row)
        ties = f32x4.add(ties, v128.and(v128.load32_splat(one), f32x4.eq(v128.load(p), best)));
      const share = f32x4.div(v128.load(dz), ties);
      for (let i = 0, p = x, q = dx; i < n; i++, p += row, q += row) {
        v128.store(q, f32x4.add(v128.load(q), v128.and(share, f32x4.eq(v128.load(p), best))));
      }
    }
    for (; z < end; z += 4, dz += 4, dx += 4, x += 4) {
      const best = load<f32>(z);
      let ties: f32 = 0;
      for (let i = 0, p = x; i < n; i++, p += row) if (load<f32>(p) == best) ties += 1;
      const share = load<f32>(dz) / ties;
      for (let i = 0, p = x, q = dx; i < n; i++, p += row, q += row) {
        if (load<f32>(p) == best) store<f32>(q, load<f32>(q) + share);
      }
    }
  }
}
