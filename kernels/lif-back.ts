/**
 * The gradient of the plain neurons of lif.ts, backwards in time, four columns at a time.
 *
 * Most neurons get gradients only for their spikes. Then a step is one sweep. If membranes or states have gradients
 * too, a first sweep adds these to β·du[t+1]. The second sweep adds the gradient of the spikes to that sum.
 */

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
import { addTo } from "./elementwise";
import { ATAN, BOXCAR, FAST_SIGMOID, NO_RESET, SIGMOID, STRAIGHT_THROUGH, TRIANGULAR, ZERO } from "./kinds";
import { loadSome, storeSome, word } from "./lanes";
import { columnsAt, columnsTogether, decay, minusZeros, ones, stepsTogether } from "./lif";
import * as layout from "./lif-layout";
import { multiplyRows, packWhole } from "./matmul";
import { surrogate } from "./surrogate";

/** β and θ that all columns share, four copies of each. */
const shared = memory.data(32, 16);
/**
 * For a piece of a step: zeros, as the gradient after the last step, and the sum of all gradients except those of
 * spikes.
 */
const zeros = memory.data(2048, 16);
const others = memory.data(2048, 16);

/**
 * β and θ with their address steps, and `cut`: a reset cuts the gradient if u − θ ≥ cut. It is NaN if no reset cuts.
 */
let betas: usize = 0;
let thetas: usize = 0;
let betaStep: usize = 0;
let thetaStep: usize = 0;
let cut: f32 = 0;
/** Whether a neuron is reset in the step of its spike, not at the start of the next step. */
let atOnce: bool = false;
/** The surrogate with its factors. */
let surrogateKind: i32 = 0;
let surrogateSlope: f32 = 0;
let inner: f32 = 0;
let outer: f32 = 0;
let reach: f32 = 0;
let floor: f32 = 0;
/** Whether membranes or states of all steps have gradients, or spikes have none. */
let areOthers: bool = false;
/**
 * For the sweep over spikes: the factor of the next step's gradient, the address step of the factor, and the u − θ from
 * which on a reset cuts this gradient.
 */
let factors: usize = 0;
let factorStep: usize = 0;
let factorCut: f32 = 0;

/**
 * Gradient of the plain neuron with a detached reset, backwards in time. σ′ is the surrogate derivative at u − θ. κ is
 * 0 where a reset to a value cuts the gradient, else 1.
 *
 *   du[t] = dMembrane[t] + κ·(dV[t] + β·du[t+1]) + σ′·dSpikes[t]     delayed: dV[t] + dMembrane[t] + κ·β·du[t+1] + σ′·dSpikes[t]
 *
 * The descriptor has the words of `LIFDescriptor`, in the order of lif-layout.ts. du, the gradient of the current, is
 * [T, rows, n]; if its step is 0, it is [rows, n], and each time step overwrites it. dSum += Σ du[t], the last step
 * first. dFrom ← κ·β·du[0], where κ is 1 unless the reset is delayed. dSpikes, dMembrane and dV have a step of rows·n,
 * or of 0 if they are equal in all time steps; without a gradient their address is 0. dLast [rows, n] replaces β·du[T].
 * du may overlap one of these gradients, or u, if both have the same step; dFrom may overlap dLast. u is read if spikes
 * have a gradient or resets cut; `from` is read if a delayed reset cuts.
 *
 * dSpikes (dMembrane without spikes) may be a product A·B: A [T, rows, k] has no gaps between the rows of a step, and B
 * is [k, n] with n ≤ 2048 and 1 ≤ k < 64. It then has the step 0 and room for one time step. The kernel computes each
 * step of the product just before it reads it, so the step is still in a cache.
 */
// @costs layout.T * size
// @let size = layout.rows * layout.n, columns = layout.stepBeta + layout.stepThreshold, factors = layout.product, wide = word(factors,
//   product.n)
// @cut size by columns ? layout.n : factors ? wide : 16 if layout.stepAll == 0 → layout.u, layout.from, layout.dSpikes,
//   layout.dMembrane, layout.dV, layout.dLast, layout.dU, layout.dSum, layout.dFrom, layout.rows = columns ? (high - low) / layout.n :
//   1, layout.n = columns ? layout.n : high - low, layout.stepAll = size, layout.product = factors && described(factors, product.words,
//   product.m, (high - low) / wide, product.a, word(factors, product.a) + 4 * low / wide * word(factors, product.k), product.c,
//   word(factors, product.c) + 4 * low)
export function lifBackward(descriptor: usize): void {
  const T = word(descriptor, layout.T);
  const size = word(descriptor, layout.rows) * word(descriptor, layout.n);
  const u: usize = word(descriptor, layout.u);
  const ds: usize = word(descriptor, layout.dSpikes);
  const du: usize = word(descriptor, layout.dU);
  const dsBytes = bytesOf(descriptor, layout.stepDSpikes);
  const duBytes = bytesOf(descriptor, layout.stepDU);
  const stepAll = word(descriptor, layout.stepAll);
  const all = stepAll != 0 ? stepAll : size;
  const bytes = (<usize>all) << 2;
  betaStep = word(descriptor, layout.stepBeta);
  thetaStep = word(descriptor, layout.stepThreshold);
  betas = columnsAt(shared, word(descriptor, layout.beta), betaStep);
  thetas = columnsAt(shared + 16, word(descriptor, layout.threshold), thetaStep);
  const reset = word(descriptor, layout.reset);
  atOnce = reset != NO_RESET && word(descriptor, layout.delayed) == 0;
  // A neuron that fires has u − θ ≥ 0; if it fires above θ only, u − θ is at least the smallest positive float.
  cut = reset != ZERO ? NaN : word(descriptor, layout.strict) != 0 ? reinterpret<f32>(1) : 0;
  surrogateKind = word(descriptor, layout.kind);
  surrogateSlope = load<f32>(descriptor + (layout.slope << 2));
  inner = innerFactor(surrogateKind, surrogateSlope);
  outer = outerFactor(surrogateKind, surrogateSlope);
  reach = reachOf(surrogateKind, surrogateSlope);
  floor = floorOf(surrogateKind);
  areOthers = (word(descriptor, layout.dMembrane) | word(descriptor, layout.dV)) != 0 || ds == 0;
  if (areOthers) takeWhole(NaN);
  else takeDecayed();
  const isShort = !areOthers && (word(descriptor, layout.dSum) | word(descriptor, layout.dFrom)) == 0;
  // With shared parameters, all rows together are one row.
  const n = (betaStep | thetaStep) == 0 ? size : word(descriptor, layout.n);
  let width = ds == 0 ? columnsTogether(size, n) : widthOf(surrogateKind, size, n);
  if (areOthers && ds != 0) width = min(width, PIECE);
  const product: usize = word(descriptor, layout.product);
  if (product != 0) packWhole(product);
  const together = product != 0 ? 1 : stepsTogether(size);
  for (let end = T; end > 0; end -= together) {
    const start = max(0, end - together);
    if (product != 0) multiplyRows(product, start * all);
    for (let i = 0; i < size; i += n) {
      for (let j = 0; j < n; j += width) {
        const o = (<usize>(i + j)) << 2;
        for (let t = end - 1; t >= start; t--) {
          const to = du + <usize>t * duBytes + o;
          const from = ds + <usize>t * dsBytes + o;
          const at = u + <usize>t * bytes + o;
          if (isShort && t + 1 < T) stepBack(to, from, to + duBytes, at, j, min(width, n - j));
          else stepBackAll(descriptor, t, o, to, from, at, j, min(width, n - j));
        }
      }
    }
  }
}

/** The sweep over spikes multiplies `next`, which is du[t+1], by β. */
function takeDecayed(): void {
  factors = betas;
  factorStep = betaStep;
  factorCut = cut;
}

/** The sweep over spikes adds `next` itself, which replaces β·du[t+1]. */
function takeWhole(cut: f32): void {
  factors = ones;
  factorStep = 0;
  factorCut = cut;
}

/**
 * One step of n columns from column j on, with any combination of gradients; `o` is the byte offset of column j in a
 * step.
 */
function stepBackAll(descriptor: usize, t: i32, o: usize, du: usize, ds: usize, u: usize, j: i32, n: i32): void {
  const isLast = t + 1 == word(descriptor, layout.T);
  const dLast: usize = word(descriptor, layout.dLast);
  const next = isLast ? 0 : du + bytesOf(descriptor, layout.stepDU);
  if (areOthers) {
    const hasSpikes = word(descriptor, layout.dSpikes) != 0;
    const sum = hasSpikes ? others : du;
    const g = stepOf(descriptor, layout.dMembrane, layout.stepDMembrane, t, o);
    const h = stepOf(descriptor, layout.dV, layout.stepDV, t, o);
    if (isLast && dLast != 0) addUp(sum, g, h, dLast + o, false, u, atOnce, j, n);
    else addUp(sum, g, h, next, true, u, true, j, n);
    if (hasSpikes) stepBack(du, ds, others, u, j, n);
  } else if (next != 0) stepBack(du, ds, next, u, j, n);
  else if (dLast != 0) {
    takeWhole(atOnce ? cut : NaN);
    stepBack(du, ds, dLast + o, u, j, n);
    takeDecayed();
  } else {
    for (let k = 0; k < n; k += PIECE) {
      const more = (<usize>k) << 2;
      stepBack(du + more, ds + more, zeros, u + more, j + k, min(PIECE, n - k));
    }
  }
  const dSum: usize = word(descriptor, layout.dSum);
  if (dSum != 0) addTo(dSum + o, du, n);
  const dFrom: usize = word(descriptor, layout.dFrom);
  if (t == 0 && dFrom != 0) {
    addUp(dFrom + o, 0, 0, du, true, <usize>word(descriptor, layout.from) + o, !atOnce, j, n);
  }
}

/**
 * Address of byte `o` of time step t in an array, or 0 without an array. `number` and `step` are its words in the
 * descriptor.
 */
function stepOf(descriptor: usize, number: i32, step: i32, t: i32, o: usize): usize {
  const p: usize = word(descriptor, number);
  return p != 0 ? p + <usize>t * bytesOf(descriptor, step) + o : 0;
}

/** Bytes between the steps of an array. */
function bytesOf(descriptor: usize, number: i32): usize {
  return (<usize>word(descriptor, number)) << 2;
}

/**
 * Number of columns of a step that are computed together. If derivatives or exponentials are stored in `computed`, at
 * most the number that it holds.
 *
 * @public a test loads this file by its name
 */
export function widthOf(kind: i32, size: i32, n: i32): i32 {
  return isExponential(kind) || !hasLoop(kind) ? min(n, PIECE) : columnsTogether(size, n);
}

/** Computes columns j … j + n − 1 of a row in one step; `next` is the gradient of u from the next step. */
function stepBack(du: usize, ds: usize, next: usize, u: usize, j: i32, n: i32): void {
  const fours = hasLoop(surrogateKind) ? n >> 2 : 0;
  if (fours > 0) {
    if ((factorStep | thetaStep) == 0) inline.always(sweepBack(false, du, ds, next, u, j, fours));
    else inline.always(sweepBack(true, du, ds, next, u, j, fours));
  }
  const done = fours << 2;
  if (done == n) return;
  const o = (<usize>done) << 2;
  const beta = factors + ((<usize>(j + done) * factorStep) << 2);
  const threshold = thetas + ((<usize>(j + done) * thetaStep) << 2);
  assert(n - done <= PIECE);
  surrogate(computed, u + o, threshold, <i32>thetaStep, n - done, surrogateKind, surrogateSlope);
  stepBackGiven(du + o, ds + o, next + o, u + o, beta, threshold, n - done);
}

/**
 * Whether `sweepBack` has a loop for a surrogate. The derivatives of other surrogates are computed before, for
 * `stepBackGiven`.
 *
 * @public a test loads this file by its name
 */
export function hasLoop(kind: i32): bool {
  const isLinear = kind == TRIANGULAR || kind == BOXCAR || kind == STRAIGHT_THROUGH;
  return kind == SIGMOID || kind == FAST_SIGMOID || kind == ATAN || isLinear;
}

/** A loop for each of the most used formulas. `own`: each column has its own β or θ. */
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

/** du ← σ′·ds + κ·factor·next for groups of four columns; κ is 0 where u − θ ≥ factorCut, else 1. */
function sweepBack4(own: bool, formula: i32, du: usize, ds: usize, next: usize, u: usize, j: i32, fours: i32): void {
  const inners = f32x4.splat(inner);
  const outers = f32x4.splat(outer);
  const reaches = f32x4.splat(reach);
  const floors = f32x4.splat(floor);
  const cuts = f32x4.splat(factorCut);
  const betaBytes = factorStep << 4;
  const thetaBytes = thetaStep << 4;
  let beta = factors + ((<usize>j * factorStep) << 2);
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

/** du ← σ′·ds + κ·factor·next for n columns, four or one at a time, with σ′ from `computed`. */
function stepBackGiven(du: usize, ds: usize, next: usize, u: usize, beta: usize, threshold: usize, n: i32): void {
  const cuts = f32x4.splat(factorCut);
  const stepBeta = factorStep;
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

/**
 * For n columns from column j on: to ← g + κ·(h + c), or h + g + κ·c for a delayed reset. c is `next`, times β if
 * `decays`. κ is 0 where the reset `cuts` and u − θ ≥ cut, else 1. A term with the address 0 is left out.
 */
function addUp(to: usize, g: usize, h: usize, next: usize, decays: bool, u: usize, cuts: bool, j: i32, n: i32): void {
  // A term that is left out is −0 in every column.
  const reads = cuts && cut >= 0;
  const gBytes: usize = g != 0 ? 16 : 0;
  const hBytes: usize = h != 0 ? 16 : 0;
  const nextBytes: usize = next != 0 ? 16 : 0;
  const uBytes: usize = reads ? 16 : 0;
  const betaBytes: usize = decays ? betaStep << 4 : 0;
  const thetaBytes = thetaStep << 4;
  let beta = decays ? betas + ((<usize>j * betaStep) << 2) : ones;
  if (g == 0) g = minusZeros;
  if (next == 0) next = minusZeros;
  if (h == 0 && !reads) return decay(to, next, nextBytes, g, gBytes, beta, betaBytes, n);
  if (h == 0) h = minusZeros;
  if (!reads) u = minusZeros;
  let theta = thetas + ((<usize>j * thetaStep) << 2);
  const least = f32x4.splat(reads ? cut : NaN);
  const isAtOnce = atOnce;
  for (const stop = to + ((<usize>(n & ~3)) << 2); to < stop; to += 16) {
    const c = f32x4.mul(v128.load(beta), v128.load(next));
    const fired = f32x4.ge(f32x4.sub(v128.load(u), v128.load(theta)), least);
    v128.store(to, inline.always(summed(isAtOnce, v128.load(g), v128.load(h), c, fired)));
    beta += betaBytes;
    next += nextBytes;
    u += uBytes;
    theta += thetaBytes;
    g += gBytes;
    h += hBytes;
  }
  for (let left = n & 3; left > 0; left--, to += 4) {
    const c = f32x4.mul(v128.load32_zero(beta), v128.load32_zero(next));
    const fired = f32x4.ge(f32x4.sub(v128.load32_zero(u), v128.load32_zero(theta)), least);
    v128.store32_lane(to, inline.always(summed(isAtOnce, v128.load32_zero(g), v128.load32_zero(h), c, fired)), 0);
    beta += betaBytes >> 2;
    next += nextBytes >> 2;
    u += uBytes >> 2;
    theta += thetaBytes >> 2;
    g += gBytes >> 2;
    h += hBytes >> 2;
  }
}

function summed(isAtOnce: bool, g: v128, h: v128, c: v128, fired: v128): v128 {
  if (isAtOnce) return f32x4.add(g, v128.andnot(f32x4.add(h, c), fired));
  return f32x4.add(f32x4.add(h, g), v128.andnot(c, fired));
}
