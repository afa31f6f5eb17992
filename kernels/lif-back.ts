/**
 * The gradient of the plain neurons of lif.ts, backwards in time, four columns at a time.
 *
 * Gradients come from spikes, mostly from these alone, and then one sweep does all of it. Where others come too, from membranes and
 * states, a first sweep adds up all gradients but the spikes', and the second sweep takes this sum instead of
 * β·du[t+1].
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
import { columnsAt, columnsTogether, decay, nothing, ones, stepsTogether } from "./lif";
import * as layout from "./lif-layout";
import { multiplyRows, packWhole } from "./matmul";
import { surrogate } from "./surrogate";

/** β and θ that all columns share, four times each. */
const shared = memory.data(32, 16);
/** A gradient of zeros behind the last step, and the sum of all gradients but the spikes': a piece of a step. */
const zeros = memory.data(2048, 16);
const others = memory.data(2048, 16);

/** The neurons: β and θ with their steps, and the least u − θ from which on a reset cuts the path, NaN where none does. */
let betas: usize = 0;
let thetas: usize = 0;
let betaStep: usize = 0;
let thetaStep: usize = 0;
let cut: f32 = 0;
/** Whether a reset comes before the next step reads the state. */
let atOnce: bool = false;
/** The surrogate with its factors. */
let surrogateKind: i32 = 0;
let surrogateSlope: f32 = 0;
let inner: f32 = 0;
let outer: f32 = 0;
let reach: f32 = 0;
let floor: f32 = 0;
/** Whether gradients come from membranes or states of all steps, or none from spikes. */
let areOthers: bool = false;
/** The factor of the gradient that comes from the next step, with its step, and where a reset cuts it: of the sweep over spikes. */
let factors: usize = 0;
let factorStep: usize = 0;
let factorCut: f32 = 0;

/**
 * Gradient of the plain neuron with the reset detached, backwards in time, σ′ the surrogate derivative at u − θ and κ = 0 where a
 * reset to a value cut the path, else 1:
 *
 *   du[t] = dMembrane[t] + κ·(dV[t] + β·du[t+1]) + σ′·dSpikes[t]     delayed: dV[t] + dMembrane[t] + κ·β·du[t+1] + σ′·dSpikes[t]
 *
 * The descriptor has the words of `LIFDescriptor`, in the order of lif-layout.ts. du, the gradient of the current, is [T, rows, n], or with
 * a step of 0 [rows, n], of one step after the other; dSum += Σ du[t], the last step first; dFrom ← κ·β·du[0], where κ is 1 unless the
 * reset is delayed. Gradients that come have steps of rows·n, or of 0 where they are the same in all steps, or the address 0. In the place
 * of β·du[T] stands dLast [rows, n]. du may lie over one of these gradients or over u, where both have the same steps, and dFrom over dLast.
 * u is read where spikes have a gradient or resets cut the path, `from` where a delayed one does.
 *
 * dSpikes, or without spikes dMembrane, may be room for one step, with a step of 0, of a product A·B that is written out a step at a time, so
 * that it is read while it is in a cache: A [T, rows, k] over all rows of a step without gaps, B [k, n] with n ≤ 2048 and 1 ≤ k < 64.
 */
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
  // Parameters that all columns share need no rows.
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

/** `next` of the sweep over spikes is du[t+1], */
function takeDecayed(): void {
  factors = betas;
  factorStep = betaStep;
  factorCut = cut;
}

/** or replaces β·du[t+1]. */
function takeWhole(cut: f32): void {
  factors = ones;
  factorStep = 0;
  factorCut = cut;
}

/** The same columns of a step, whatever gradients come and go; `o` bytes lie before them in a step. */
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

/** Where columns of step t stand in an array of this number, with this step; 0 where there is none. */
function stepOf(descriptor: usize, number: i32, step: i32, t: i32, o: usize): usize {
  const p: usize = word(descriptor, number);
  return p != 0 ? p + <usize>t * bytesOf(descriptor, step) + o : 0;
}

/** Bytes between the steps of an array. */
function bytesOf(descriptor: usize, number: i32): usize {
  return (<usize>word(descriptor, number)) << 2;
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

/** du ← σ′·ds + κ·β·next for fours of columns, with the factor for β; κ is 0 where u − θ ≥ factorCut. */
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

/** Any number of columns, four or one at a time, whose derivatives are computed before. */
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
 * to ← g + κ·(h + c) for n columns from number j on, or where the reset is late h + g + κ·c: c is `next`, times β if it `decays`, and
 * κ = 0 where u − θ ≥ cut if the reset `cuts`. An address of 0 leaves a term out.
 */
function addUp(to: usize, g: usize, h: usize, next: usize, decays: bool, u: usize, cuts: bool, j: i32, n: i32): void {
  // A term that is left out is read where −0 stands, whatever the column.
  const reads = cuts && cut >= 0;
  const gBytes: usize = g != 0 ? 16 : 0;
  const hBytes: usize = h != 0 ? 16 : 0;
  const nextBytes: usize = next != 0 ? 16 : 0;
  const uBytes: usize = reads ? 16 : 0;
  const betaBytes: usize = decays ? betaStep << 4 : 0;
  const thetaBytes = thetaStep << 4;
  let beta = decays ? betas + ((<usize>j * betaStep) << 2) : ones;
  if (g == 0) g = nothing;
  if (next == 0) next = nothing;
  if (h == 0 && !reads) return decay(to, next, nextBytes, g, gBytes, beta, betaBytes, n);
  if (h == 0) h = nothing;
  if (!reads) u = nothing;
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
