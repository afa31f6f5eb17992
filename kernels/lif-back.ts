/** The gradient of the plain neurons of lif.ts, backwards in time, four columns at a time. */

import {
  computed,
  derivativeLanes,
  exponentials,
  floorOf,
  innerFactor,
  isExponential,
  LINEAR,
  outerFactor,
  PIECE,
  reachOf,
} from "./derivative";
import { ATAN, BOXCAR, FAST_SIGMOID, SIGMOID, STRAIGHT_THROUGH, TRIANGULAR } from "./kinds";
import { loadSome, storeSome } from "./lanes";
import { columnsTogether, repeated, stepsTogether } from "./lif";
import { surrogate } from "./surrogate";

/** β and θ that all columns share, four times each. */
const shared = memory.data(32, 16);

/**
 * What all steps of a call share: β and θ with their steps, the surrogate with its factors, and the least u − θ from which on a
 * reset cuts the path, NaN where none does.
 */
let betas: usize = 0;
let thetas: usize = 0;
let betaStep: usize = 0;
let thetaStep: usize = 0;
let surrogateKind: i32 = 0;
let surrogateSlope: f32 = 0;
let inner: f32 = 0;
let outer: f32 = 0;
let reach: f32 = 0;
let floor: f32 = 0;
let cut: f32 = 0;

/**
 * Gradient of the plain neuron with the reset detached, backwards in time, σ′ the surrogate derivative at u − θ:
 *
 *   du[t] = σ′·ds[t] + κ·β·du[t+1]     κ = 0 where a reset to a value cut the path (cuts = 1), else 1
 *
 * du [T, rows, n], the gradient of the current, may lie over ds or over u. With stepDs = 0 ds is the same in all steps, else
 * stepDs = rows·n. carry [rows, n] is du[T].
 */
export function lifBackward(
  du: usize,
  ds: usize,
  u: usize,
  beta: usize,
  threshold: usize,
  carry: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepDs: i32,
  stepBeta: i32,
  stepThreshold: i32,
  cuts: i32,
  strict: i32,
  kind: i32,
  slope: f32,
): void {
  const size = rows * n;
  betas = stepBeta == 0 ? repeated(shared, beta) : beta;
  thetas = stepThreshold == 0 ? repeated(shared + 16, threshold) : threshold;
  betaStep = stepBeta;
  thetaStep = stepThreshold;
  surrogateKind = kind;
  surrogateSlope = slope;
  inner = innerFactor(kind, slope);
  outer = outerFactor(kind, slope);
  reach = reachOf(kind, slope);
  floor = floorOf(kind);
  // What fires has u − θ ≥ 0, or where only what is above θ does the smallest positive float.
  cut = cuts == 0 ? NaN : strict != 0 ? reinterpret<f32>(1) : 0;
  // What all columns share needs no rows.
  if ((stepBeta | stepThreshold) == 0) n = size;
  const step = (<usize>size) << 2;
  const together = stepsTogether(size);
  const width = widthOf(kind, size, n);
  for (let end = T; end > 0; end -= together) {
    const start = max(0, end - together);
    for (let i = 0; i < size; i += n) {
      for (let j = 0; j < n; j += width) {
        const o = (<usize>(i + j)) << 2;
        for (let t = end - 1; t >= start; t--) {
          const at = <usize>t * step + o;
          const from = ds + ((<usize>t * <usize>stepDs) << 2) + o;
          stepBack(du + at, from, t + 1 < T ? du + at + step : carry + o, u + at, j, min(width, n - j));
        }
      }
    }
  }
}

/**
 * Columns of a step that pass together: at most as many as `computed` holds, where derivatives or exponentials go through it.
 *
 * @public a test loads this file by its name
 */
export function widthOf(kind: i32, size: i32, n: i32): i32 {
  return isExponential(kind) || !hasLoop(kind) ? min(n, PIECE) : columnsTogether(size, n);
}

/** Columns j … j + n − 1 of a row in one step; `next` is the gradient of u that follows. */
function stepBack(du: usize, ds: usize, next: usize, u: usize, j: i32, n: i32): void {
  const fours = hasLoop(surrogateKind) ? n >> 2 : 0;
  if (fours > 0) {
    if ((betaStep | thetaStep) == 0) inline.always(sweepBack(false, du, ds, next, u, j, fours));
    else inline.always(sweepBack(true, du, ds, next, u, j, fours));
  }
  const done = fours << 2;
  if (done == n) return;
  const o = (<usize>done) << 2;
  const beta = betas + ((<usize>(j + done) * betaStep) << 2);
  const threshold = thetas + ((<usize>(j + done) * thetaStep) << 2);
  assert(n - done <= PIECE);
  surrogate(computed, u + o, threshold, <i32>thetaStep, n - done, surrogateKind, surrogateSlope);
  stepBackGiven(du + o, ds + o, next + o, u + o, beta, threshold, n - done);
}

/**
 * Whether `sweepBack` has a loop for a surrogate. The derivatives of all others are computed before and given.
 *
 * @public a test loads this file by its name
 */
export function hasLoop(kind: i32): bool {
  const isLinear = kind == TRIANGULAR || kind == BOXCAR || kind == STRAIGHT_THROUGH;
  return kind == SIGMOID || kind == FAST_SIGMOID || kind == ATAN || isLinear;
}

/** A loop for each formula that networks use most; `own`: columns have β or θ of their own. */
function sweepBack(own: bool, du: usize, ds: usize, next: usize, u: usize, j: i32, fours: i32): void {
  const kind = surrogateKind;
  if (kind == SIGMOID) {
    const theta = thetas + ((<usize>j * thetaStep) << 2);
    assert(fours << 2 <= PIECE);
    exponentials(computed, u, theta, thetaStep << 4, fours, kind, surrogateSlope);
    inline.always(sweepBack4(own, SIGMOID, du, ds, next, u, j, fours));
  } else if (kind == FAST_SIGMOID) inline.always(sweepBack4(own, FAST_SIGMOID, du, ds, next, u, j, fours));
  else if (kind == ATAN) inline.always(sweepBack4(own, ATAN, du, ds, next, u, j, fours));
  else inline.always(sweepBack4(own, LINEAR, du, ds, next, u, j, fours));
}

/** du ← σ′·ds + κ·β·next for fours of columns; κ is 0 where u − θ ≥ cut. */
function sweepBack4(own: bool, formula: i32, du: usize, ds: usize, next: usize, u: usize, j: i32, fours: i32): void {
  const inners = f32x4.splat(inner);
  const outers = f32x4.splat(outer);
  const reaches = f32x4.splat(reach);
  const floors = f32x4.splat(floor);
  const cuts = f32x4.splat(cut);
  const betaBytes = betaStep << 4;
  const thetaBytes = thetaStep << 4;
  let beta = betas + ((<usize>j * betaStep) << 2);
  let threshold = thetas + ((<usize>j * thetaStep) << 2);
  let d = computed - 16;
  let b = v128.load(beta);
  let theta = v128.load(threshold);
  if (own) {
    beta -= betaBytes;
    threshold -= thetaBytes;
  }
  du -= 16;
  ds -= 16;
  next -= 16;
  u -= 16;
  do {
    du += 16;
    ds += 16;
    next += 16;
    u += 16;
    if (own) {
      beta += betaBytes;
      threshold += thetaBytes;
      b = v128.load(beta);
      theta = v128.load(threshold);
    }
    const x = f32x4.sub(v128.load(u), theta);
    let argument = x;
    if (formula == SIGMOID) {
      d += 16;
      argument = v128.load(d);
    }
    const factor = inline.always(derivativeLanes(formula, argument, inners, outers, reaches, floors));
    const through = v128.andnot(f32x4.mul(b, v128.load(next)), f32x4.ge(x, cuts));
    v128.store(du, f32x4.add(f32x4.mul(factor, v128.load(ds)), through));
  } while (--fours != 0);
}

/** Any number of columns, four or one at a time, whose derivatives are computed before. */
function stepBackGiven(du: usize, ds: usize, next: usize, u: usize, beta: usize, threshold: usize, n: i32): void {
  const cuts = f32x4.splat(cut);
  const stepBeta = betaStep;
  const stepTheta = thetaStep;
  let d = computed;
  do {
    const four = n >= 4;
    const x = f32x4.sub(inline.always(loadSome(u, four)), inline.always(loadSome(threshold, four)));
    const onward = f32x4.mul(inline.always(loadSome(beta, four)), inline.always(loadSome(next, four)));
    const here = f32x4.mul(inline.always(loadSome(d, four)), inline.always(loadSome(ds, four)));
    inline.always(storeSome(du, four, f32x4.add(here, v128.andnot(onward, f32x4.ge(x, cuts)))));
    const bytes: usize = four ? 16 : 4;
    du += bytes;
    ds += bytes;
    next += bytes;
    u += bytes;
    d += bytes;
    beta += bytes * stepBeta;
    threshold += bytes * stepTheta;
    n -= four ? 4 : 1;
  } while (n != 0);
}
