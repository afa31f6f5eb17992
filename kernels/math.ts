/**
 * Elementwise functions and comparisons on equal shapes, and their gradients.
 *
 * Four loops serve them all: `map`, `mapGrad`, `zip` and `zipGrad` take the formula as a number. Inlined where that number
 * is known, a loop contains its own formula and nothing else, and one branch a turn. The tail goes through the same formula,
 * one value at a time in the first lane: the value of an element never depends on its place. Gradients accumulate.
 */
import { divGrad, mulGrad } from "./elementwise";
import { expLanes, half, loadTail, logLanes, one, sigmoidLanes, storeTail, tanhLanes } from "./lanes";
import { scalarEnd, spread, stepOf, vectorEnd } from "./span";

const spare = memory.data(16, 16);

const EXP = 0;
const LOG = 1;
const TANH = 2;
const SIGMOID = 3;
const SQRT = 4;
const SQUARE = 5;
const ABS = 6;
const RELU = 7;
const MAXIMUM = 8;
const MINIMUM = 9;
const GT = 10;
const GE = 11;
const LT = 12;
const LE = 13;
const EQ = 14;

/** f(x) */
function valueOf(f: i32, x: v128): v128 {
  if (f == EXP) return inline.always(expLanes(x));
  if (f == LOG) return inline.always(logLanes(x));
  if (f == TANH) return inline.always(tanhLanes(x));
  if (f == SIGMOID) return inline.always(sigmoidLanes(x));
  if (f == SQRT) return f32x4.sqrt(x);
  if (f == SQUARE) return f32x4.mul(x, x);
  if (f == ABS) return f32x4.abs(x);
  // A NaN in the first operand of pmax stays.
  return f32x4.pmax(x, i32x4.splat(0));
}

/** dz·f′, where y is what f′ is easiest to tell from: z = f(x), or x for square and absolute value. */
function slopeOf(f: i32, dz: v128, y: v128): v128 {
  const zero = i32x4.splat(0);
  // (1 − z)(1 + z) keeps its digits near 1, where 1 − z² loses them.
  if (f == TANH)
    return f32x4.mul(dz, f32x4.mul(f32x4.sub(v128.load32_splat(one), y), f32x4.add(v128.load32_splat(one), y)));
  if (f == SIGMOID) return f32x4.mul(dz, f32x4.mul(y, f32x4.sub(v128.load32_splat(one), y)));
  if (f == SQRT) return f32x4.div(dz, f32x4.add(y, y));
  if (f == SQUARE) return f32x4.mul(dz, f32x4.add(y, y));
  if (f == ABS) return f32x4.sub(v128.and(dz, f32x4.gt(y, zero)), v128.and(dz, f32x4.lt(y, zero)));
  return v128.andnot(dz, f32x4.le(y, zero));
}

/** f(x, y) */
function valueOfPair(f: i32, x: v128, y: v128): v128 {
  if (f == MAXIMUM) return v128.bitselect(x, y, v128.or(f32x4.gt(x, y), f32x4.ne(x, x)));
  if (f == MINIMUM) return v128.bitselect(x, y, v128.or(f32x4.lt(x, y), f32x4.ne(x, x)));
  if (f == GT) return v128.and(v128.load32_splat(one), f32x4.gt(x, y));
  if (f == GE) return v128.and(v128.load32_splat(one), f32x4.ge(x, y));
  if (f == LT) return v128.and(v128.load32_splat(one), f32x4.lt(x, y));
  if (f == LE) return v128.and(v128.load32_splat(one), f32x4.le(x, y));
  return v128.and(v128.load32_splat(one), f32x4.eq(x, y));
}

/** The part of dz that goes to x: none where y was taken, half where they are equal. */
function shareOf(f: i32, dz: v128, x: v128, y: v128): v128 {
  const lost = f == MAXIMUM ? f32x4.lt(x, y) : f32x4.gt(x, y);
  return f32x4.mul(
    v128.andnot(dz, lost),
    v128.bitselect(v128.load32_splat(half), v128.load32_splat(one), f32x4.eq(x, y)),
  );
}

/** z[i] ← f(x[i]) */
function map(f: i32, z: usize, x: usize, n: i32): void {
  const end = scalarEnd(z, n);
  if (n >= 4) {
    const stop = vectorEnd(z, n);
    do {
      v128.store(z, inline.always(valueOf(f, v128.load(x))));
      z += 16;
      x += 16;
    } while (z < stop);
  }
  for (; z < end; z += 4, x += 4) {
    v128.store32_lane(z, inline.always(valueOf(f, v128.load32_zero(x))), 0);
  }
}

/** The same for a long f, which is there once: the tail takes another turn of the loop, as a vector in a spare place. */
function mapLong(f: i32, z: usize, x: usize, n: i32): void {
  let stop = vectorEnd(z, n);
  let tail: usize = 0;
  while (true) {
    for (; z < stop; z += 16, x += 16) v128.store(z, inline.always(valueOf(f, v128.load(x))));
    if (tail != 0 || (n & 3) == 0) break;
    v128.store(spare, loadTail(x, n));
    tail = z;
    z = spare;
    x = spare;
    stop = spare + 16;
  }
  if (tail != 0) storeTail(tail, n, v128.load(spare));
}

/** dx[i] += dz[i]·f′ */
function mapGrad(f: i32, dx: usize, dz: usize, y: usize, n: i32): void {
  const end = scalarEnd(dx, n);
  if (n >= 4) {
    const stop = vectorEnd(dx, n);
    do {
      v128.store(dx, f32x4.add(v128.load(dx), inline.always(slopeOf(f, v128.load(dz), v128.load(y)))));
      dx += 16;
      dz += 16;
      y += 16;
    } while (dx < stop);
  }
  for (; dx < end; dx += 4, dz += 4, y += 4) {
    const slope = inline.always(slopeOf(f, v128.load32_zero(dz), v128.load32_zero(y)));
    v128.store32_lane(dx, f32x4.add(v128.load32_zero(dx), slope), 0);
  }
}

/** z[i] ← f(x[i], y[i]); if `single` is 1, y is one value. */
function zip(f: i32, z: usize, x: usize, y: usize, n: i32, single: i32): void {
  const end = scalarEnd(z, n);
  const step = stepOf(single);
  y = spread(y, single);
  if (n >= 4) {
    const stop = vectorEnd(z, n);
    do {
      v128.store(z, inline.always(valueOfPair(f, v128.load(x), v128.load(y))));
      z += 16;
      x += 16;
      y += step;
    } while (z < stop);
  }
  for (; z < end; z += 4, x += 4, y += step >> 2) {
    v128.store32_lane(z, inline.always(valueOfPair(f, v128.load32_zero(x), v128.load32_zero(y))), 0);
  }
}

/** dx[i] += x's share of dz[i]; if `single` is 1, y is one value. */
function zipGrad(f: i32, dx: usize, dz: usize, x: usize, y: usize, n: i32, single: i32): void {
  const end = scalarEnd(dx, n);
  const step = stepOf(single);
  y = spread(y, single);
  if (n >= 4) {
    const stop = vectorEnd(dx, n);
    do {
      const share = inline.always(shareOf(f, v128.load(dz), v128.load(x), v128.load(y)));
      v128.store(dx, f32x4.add(v128.load(dx), share));
      dx += 16;
      dz += 16;
      x += 16;
      y += step;
    } while (dx < stop);
  }
  for (; dx < end; dx += 4, dz += 4, x += 4, y += step >> 2) {
    const share = inline.always(shareOf(f, v128.load32_zero(dz), v128.load32_zero(x), v128.load32_zero(y)));
    v128.store32_lane(dx, f32x4.add(v128.load32_zero(dx), share), 0);
  }
}

/** z[i] ← e^x[i], at most 1 ulp off */
export function exp(z: usize, x: usize, n: i32): void {
  inline.always(mapLong(EXP, z, x, n));
}

/** dx[i] += dz[i]·z[i] */
export function expGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  mulGrad(dx, dz, z, n, 0);
}

/** z[i] ← log x[i], at most 1 ulp off; −∞ at 0, NaN below */
export function log(z: usize, x: usize, n: i32): void {
  inline.always(mapLong(LOG, z, x, n));
}

/** dx[i] += dz[i] / x[i] */
export function logGrad(dx: usize, dz: usize, x: usize, n: i32): void {
  divGrad(dx, dz, x, n, 0);
}

/** z[i] ← tanh x[i], at most 1 ulp off */
export function tanh(z: usize, x: usize, n: i32): void {
  inline.always(mapLong(TANH, z, x, n));
}

/** dx[i] += dz[i]·(1 − z[i]²) */
export function tanhGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  inline.always(mapGrad(TANH, dx, dz, z, n));
}

/** z[i] ← 1 / (1 + e^−x[i]), at most 2 ulp off */
export function sigmoid(z: usize, x: usize, n: i32): void {
  inline.always(mapLong(SIGMOID, z, x, n));
}

/** dx[i] += dz[i]·z[i]·(1 − z[i]) */
export function sigmoidGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  inline.always(mapGrad(SIGMOID, dx, dz, z, n));
}

/** z[i] ← √x[i], correctly rounded; NaN below 0 */
export function sqrt(z: usize, x: usize, n: i32): void {
  inline.always(map(SQRT, z, x, n));
}

/** dx[i] += dz[i] / (2·z[i]); ±∞ at 0 */
export function sqrtGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  inline.always(mapGrad(SQRT, dx, dz, z, n));
}

/** z[i] ← x[i]² */
export function square(z: usize, x: usize, n: i32): void {
  inline.always(map(SQUARE, z, x, n));
}

/** dx[i] += dz[i]·2·x[i] */
export function squareGrad(dx: usize, dz: usize, x: usize, n: i32): void {
  inline.always(mapGrad(SQUARE, dx, dz, x, n));
}

/** z[i] ← |x[i]| */
export function abs(z: usize, x: usize, n: i32): void {
  inline.always(map(ABS, z, x, n));
}

/** dx[i] += dz[i]·sign x[i], 0 at 0 */
export function absGrad(dx: usize, dz: usize, x: usize, n: i32): void {
  inline.always(mapGrad(ABS, dx, dz, x, n));
}

/** z[i] ← max(x[i], 0); NaN stays */
export function relu(z: usize, x: usize, n: i32): void {
  inline.always(map(RELU, z, x, n));
}

/** dx[i] += dz[i] where not z[i] ≤ 0 */
export function reluGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  inline.always(mapGrad(RELU, dx, dz, z, n));
}

/** z[i] ← max(x[i], y[i]), NaN where either is; single as in `add` */
export function maximum(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(zip(MAXIMUM, z, x, y, n, single));
}

/** dx[i] += dz[i] where x[i] > y[i], dz[i] / 2 where they are equal; single as in `add` */
export function maximumGrad(dx: usize, dz: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(zipGrad(MAXIMUM, dx, dz, x, y, n, single));
}

/** z[i] ← min(x[i], y[i]), NaN where either is; single as in `add` */
export function minimum(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(zip(MINIMUM, z, x, y, n, single));
}

/** dx[i] += dz[i] where x[i] < y[i], dz[i] / 2 where they are equal; single as in `add` */
export function minimumGrad(dx: usize, dz: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(zipGrad(MINIMUM, dx, dz, x, y, n, single));
}

/** z[i] ← 1 where x[i] > y[i], else 0; single as in `add` */
export function gt(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(zip(GT, z, x, y, n, single));
}

/** z[i] ← 1 where x[i] ≥ y[i], else 0; single as in `add` */
export function ge(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(zip(GE, z, x, y, n, single));
}

/** z[i] ← 1 where x[i] < y[i], else 0; single as in `add` */
export function lt(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(zip(LT, z, x, y, n, single));
}

/** z[i] ← 1 where x[i] ≤ y[i], else 0; single as in `add` */
export function le(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(zip(LE, z, x, y, n, single));
}

/** z[i] ← 1 where x[i] = y[i], else 0; single as in `add` */
export function eq(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(zip(EQ, z, x, y, n, single));
}

/** z[i] ← min(max(x[i], low), high); NaN stays */
export function clamp(z: usize, x: usize, n: i32, low: f32, high: f32): void {
  const end = scalarEnd(z, n);
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16) {
    v128.store(z, f32x4.pmin(f32x4.pmax(v128.load(x), lows), highs));
  }
  for (; z < end; z += 4, x += 4) v128.store32_lane(z, f32x4.pmin(f32x4.pmax(v128.load32_zero(x), lows), highs), 0);
}

/** dx[i] += dz[i] where low ≤ x[i] ≤ high */
export function clampGrad(dx: usize, dz: usize, x: usize, n: i32, low: f32, high: f32): void {
  const end = scalarEnd(dx, n);
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  for (const stop = vectorEnd(dx, n); dx < stop; dx += 16, dz += 16, x += 16) {
    const value = v128.load(x);
    const inside = v128.and(f32x4.ge(value, lows), f32x4.le(value, highs));
    v128.store(dx, f32x4.add(v128.load(dx), v128.and(v128.load(dz), inside)));
  }
  for (; dx < end; dx += 4, dz += 4, x += 4) {
    const value = v128.load32_zero(x);
    const inside = v128.and(f32x4.ge(value, lows), f32x4.le(value, highs));
    v128.store32_lane(dx, f32x4.add(v128.load32_zero(dx), v128.and(v128.load32_zero(dz), inside)), 0);
  }
}

/** z[i] ← x[i] where c[i] is not 0, else y[i] */
export function where(z: usize, c: usize, x: usize, y: usize, n: i32): void {
  for (const end = scalarEnd(z, n); z < end; z += 4, c += 4, x += 4, y += 4) {
    store<i32>(z, select<i32>(load<i32>(x), load<i32>(y), load<f32>(c) != 0));
  }
}
