/**
 * Elementwise functions and comparisons on equal shapes, and their gradients, with the loop of each.ts. Gradients
 * accumulate.
 */
import * as f from "./each";
import { divGrad, mulGrad } from "./elementwise";
import { expLanes, loadTail, logLanes, sigmoidLanes, storeTail, tanhLanes } from "./lanes";
import { scalarEnd, vectorEnd } from "./span";

const spare = memory.data(16, 16);

const EXP = 0;
const LOG = 1;
const TANH = 2;
const SIGMOID = 3;

function valueOf(which: i32, x: v128): v128 {
  if (which == EXP) return inline.always(expLanes(x));
  if (which == LOG) return inline.always(logLanes(x));
  return which == TANH ? inline.always(tanhLanes(x)) : inline.always(sigmoidLanes(x));
}

/** z[i] ← f(x[i]) for a long f, which is inlined only once: the tail is one more iteration, on a padded copy. */
function map(which: i32, z: usize, x: usize, n: i32): void {
  let stop = vectorEnd(z, n);
  let tail: usize = 0;
  while (true) {
    for (; z < stop; z += 16, x += 16) v128.store(z, inline.always(valueOf(which, v128.load(x))));
    if (tail != 0 || (n & 3) == 0) break;
    v128.store(spare, loadTail(x, n));
    tail = z;
    z = spare;
    x = spare;
    stop = spare + 16;
  }
  if (tail != 0) storeTail(tail, n, v128.load(spare));
}

/** z[i] ← e^x[i], at most 1 ulp off */
// @cut n by 16 → z, x
export function exp(z: usize, x: usize, n: i32): void {
  inline.always(map(EXP, z, x, n));
}

/** dx[i] += dz[i]·z[i] */
// @cut n by 16 → dx, dz, z
export function expGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  mulGrad(dx, dz, z, n, 0);
}

/** z[i] ← log x[i], at most 1 ulp off; −∞ at 0, NaN below */
// @cut n by 16 → z, x
export function log(z: usize, x: usize, n: i32): void {
  inline.always(map(LOG, z, x, n));
}

/** dx[i] += dz[i] / x[i] */
// @cut n by 16 → dx, dz, x
export function logGrad(dx: usize, dz: usize, x: usize, n: i32): void {
  divGrad(dx, dz, x, n, 0);
}

/** z[i] ← tanh x[i], at most 1 ulp off */
// @cut n by 16 → z, x
export function tanh(z: usize, x: usize, n: i32): void {
  inline.always(map(TANH, z, x, n));
}

/** dx[i] += dz[i]·(1 − z[i]²) */
// @cut n by 16 → dx, dz, z
export function tanhGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  inline.always(f.each(f.TANH_GRAD, dx, dz, z, 0, n, 0, 0, 0));
}

/** z[i] ← 1 / (1 + e^−x[i]), at most 2 ulp off */
// @cut n by 16 → z, x
export function sigmoid(z: usize, x: usize, n: i32): void {
  inline.always(map(SIGMOID, z, x, n));
}

/** dx[i] += dz[i]·z[i]·(1 − z[i]) */
// @cut n by 16 → dx, dz, z
export function sigmoidGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  inline.always(f.each(f.SIGMOID_GRAD, dx, dz, z, 0, n, 0, 0, 0));
}

/** z[i] ← √x[i], correctly rounded; NaN below 0 */
// @cut n by 16 → z, x
export function sqrt(z: usize, x: usize, n: i32): void {
  inline.always(f.each(f.SQRT, z, x, 0, 0, n, 0, 0, 0));
}

/** dx[i] += dz[i] / (2·z[i]); ±∞ at 0 */
// @cut n by 16 → dx, dz, z
export function sqrtGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  inline.always(f.each(f.SQRT_GRAD, dx, dz, z, 0, n, 0, 0, 0));
}

/** z[i] ← x[i]² */
// @cut n by 16 → z, x
export function square(z: usize, x: usize, n: i32): void {
  inline.always(f.each(f.SQUARE, z, x, 0, 0, n, 0, 0, 0));
}

/** dx[i] += dz[i]·2·x[i] */
// @cut n by 16 → dx, dz, x
export function squareGrad(dx: usize, dz: usize, x: usize, n: i32): void {
  inline.always(f.each(f.SQUARE_GRAD, dx, dz, x, 0, n, 0, 0, 0));
}

/** z[i] ← |x[i]| */
// @cut n by 16 → z, x
export function abs(z: usize, x: usize, n: i32): void {
  inline.always(f.each(f.ABS, z, x, 0, 0, n, 0, 0, 0));
}

/** dx[i] += dz[i]·sign x[i], 0 at 0 */
// @cut n by 16 → dx, dz, x
export function absGrad(dx: usize, dz: usize, x: usize, n: i32): void {
  inline.always(f.each(f.ABS_GRAD, dx, dz, x, 0, n, 0, 0, 0));
}

/** z[i] ← max(x[i], 0); NaN remains NaN */
// @cut n by 16 → z, x
export function relu(z: usize, x: usize, n: i32): void {
  inline.always(f.each(f.RELU, z, x, 0, 0, n, 0, 0, 0));
}

/** dx[i] += dz[i] unless z[i] ≤ 0 */
// @cut n by 16 → dx, dz, z
export function reluGrad(dx: usize, dz: usize, z: usize, n: i32): void {
  inline.always(f.each(f.RELU_GRAD, dx, dz, z, 0, n, 0, 0, 0));
}

/** z[i] ← max(x[i], y[i]), NaN if either is; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function maximum(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(f.each(f.MAXIMUM, z, x, y, 0, n, single, 0, 0));
}

/** dx[i] += dz[i] where x[i] > y[i], dz[i] / 2 where they are equal; single as in `add` */
// @cut n by 16 → dx, dz, x, y * +!single
export function maximumGrad(dx: usize, dz: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(f.each(f.MAXIMUM_GRAD, dx, dz, y, x, n, single, 0, 0));
}

/** z[i] ← min(x[i], y[i]), NaN if either is; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function minimum(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(f.each(f.MINIMUM, z, x, y, 0, n, single, 0, 0));
}

/** dx[i] += dz[i] where x[i] < y[i], dz[i] / 2 where they are equal; single as in `add` */
// @cut n by 16 → dx, dz, x, y * +!single
export function minimumGrad(dx: usize, dz: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(f.each(f.MINIMUM_GRAD, dx, dz, y, x, n, single, 0, 0));
}

/** z[i] ← 1 where x[i] > y[i], else 0; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function gt(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(f.each(f.GT, z, x, y, 0, n, single, 0, 0));
}

/** z[i] ← 1 where x[i] ≥ y[i], else 0; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function ge(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(f.each(f.GE, z, x, y, 0, n, single, 0, 0));
}

/** z[i] ← 1 where x[i] < y[i], else 0; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function lt(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(f.each(f.LT, z, x, y, 0, n, single, 0, 0));
}

/** z[i] ← 1 where x[i] ≤ y[i], else 0; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function le(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(f.each(f.LE, z, x, y, 0, n, single, 0, 0));
}

/** z[i] ← 1 where x[i] = y[i], else 0; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function eq(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(f.each(f.EQ, z, x, y, 0, n, single, 0, 0));
}

/** z[i] ← min(max(x[i], low), high); NaN remains NaN */
// @cut n by 16 → z, x
export function clamp(z: usize, x: usize, n: i32, low: f32, high: f32): void {
  inline.always(f.each(f.CLAMP, z, x, 0, 0, n, 0, low, high));
}

/** dx[i] += dz[i] where low ≤ x[i] ≤ high */
// @cut n by 16 → dx, dz, x
export function clampGrad(dx: usize, dz: usize, x: usize, n: i32, low: f32, high: f32): void {
  inline.always(f.each(f.CLAMP_GRAD, dx, dz, x, 0, n, 0, low, high));
}

/** z[i] ← x[i] where c[i] is not 0, else y[i] */
// @cut n by 16 → z, c, x, y
export function where(z: usize, c: usize, x: usize, y: usize, n: i32): void {
  for (const end = scalarEnd(z, n); z < end; z += 4, c += 4, x += 4, y += 4) {
    store<i32>(z, select<i32>(load<i32>(x), load<i32>(y), load<f32>(c) != 0));
  }
}
