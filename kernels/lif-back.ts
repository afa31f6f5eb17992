/** The gradient of the plain neurons of lif.ts, backwards in time, four columns at a time. */

import {
  computed,
  derivativeLanes,
  exponentials,
  innerFactor,
  isExponential,
  LINEAR,
  outerFactor,
  PIECE,
  reachOf,
} from "./derivative";
import { addTo } from "./elementwise";
import { ATAN, BOXCAR, FAST_SIGMOID, SIGMOID, STRAIGHT_THROUGH, SUBTRACT, TRIANGULAR, ZERO } from "./kinds";
import { loadSome, storeSome } from "./lanes";
import { columnsTogether, repeated, stepsTogether, zeros } from "./lif";
import { firingFloor } from "./lif-any";
import { surrogate } from "./surrogate";

/** β and θ that all columns share, four times each. */
const shared = memory.data(32, 16);

/**
 * Gradient of the plain neuron with the reset detached, backwards in time, σ′ the surrogate derivative at u − θ:
 *
 *   du[t] = σ′·ds[t] + κ·β·du[t+1]     κ = 0 where a reset to a value cut the path, else 1
 *
 * du [T, rows, n], the gradient of the current, may lie over ds or over u. Steps are stepDu, stepDs and stepU apart; with
 * stepDs = 0 ds is the same in all of them. carry [rows, n] is du[T]. If `total` is not 0, total [rows, n] += Σ_t du[t]; where
 * nothing else of du is wanted, it lies over carry with stepDu = 0. `custom` is 0 or the address of derivatives [T, rows, n] that were
 * computed elsewhere. If dBeta is not 0, dBeta [rows, n] += Σ_t du[t]·v[t−1], for v0 and resets as in lifForward; du must not
 * lie over u then.
 */
export function lifBackward(
  du: usize,
  ds: usize,
  u: usize,
  v0: usize,
  beta: usize,
  threshold: usize,
  carry: usize,
  total: usize,
  custom: usize,
  dBeta: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepDu: i32,
  stepDs: i32,
  stepU: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  delayed: i32,
  strict: i32,
  resetValue: f32,
  kind: i32,
  slope: f32,
): void {
  const size = rows * n;
  const floor = firingFloor(strict);
  const cut: f32 = reset == ZERO ? floor : Infinity;
  const duBytes = (<usize>stepDu) << 2;
  const uBytes = (<usize>stepU) << 2;
  // What all columns share needs no rows.
  if ((stepBeta | stepThreshold) == 0) n = size;
  if (stepBeta == 0) beta = repeated(shared, beta);
  if (stepThreshold == 0) threshold = repeated(shared + 16, threshold);
  const together = stepsTogether(size);
  const loops = custom == 0 && hasLoop(kind);
  const inPieces = custom == 0 && (isExponential(kind) || !loops);
  const width = inPieces ? min(n, PIECE) : columnsTogether(size, n);
  for (let end = T; end > 0; end -= together) {
    const start = max(0, end - together);
    for (let i = 0; i < size; i += n) {
      for (let j = 0; j < n; j += width) {
        const o = (<usize>(i + j)) << 2;
        const columns = min(width, n - j);
        const betaAt = beta + ((<usize>(j * stepBeta)) << 2);
        const thetaAt = threshold + ((<usize>(j * stepThreshold)) << 2);
        const fours = loops ? columns >> 2 : 0;
        const done = (<usize>fours) << 4;
        for (let t = end - 1; t >= start; t--) {
          const to = du + <usize>t * duBytes + o;
          const from = ds + ((<usize>t * <usize>stepDs) << 2) + o;
          const next = t + 1 < T ? to + duBytes : carry + o;
          const at = u + <usize>t * uBytes + o;
          if (fours > 0) {
            if (kind == SIGMOID) exponentials(computed, at, thetaAt, (<usize>stepThreshold) << 4, fours, kind, slope);
            stepBack(kind, to, from, next, at, betaAt, thetaAt, fours, stepBeta, stepThreshold, cut, slope);
          }
          if (columns > fours << 2) {
            const left = columns - (fours << 2);
            let given = custom + <usize>t * uBytes + o;
            if (custom == 0) {
              surrogate(computed, at + done, thetaAt + done * stepThreshold, stepThreshold, left, kind, slope);
              given = computed;
            }
            stepBackGiven(
              to + done,
              from + done,
              next + done,
              at + done,
              given,
              betaAt + done * stepBeta,
              thetaAt + done * stepThreshold,
              left,
              stepBeta,
              stepThreshold,
              cut,
            );
          }
          if (total != 0) addTo(total + o, to, columns);
          if (dBeta == 0) continue;
          const old = t > 0 ? at - uBytes : v0 == 0 ? zeros : v0 + o;
          betaBack(
            dBeta + o,
            to,
            old,
            thetaAt,
            columns,
            old == zeros ? 0 : 16,
            stepThreshold,
            t == 0 && delayed == 0 ? Infinity : floor,
            reset,
            delayed,
            resetValue,
          );
        }
      }
    }
  }
}

/** One step of fours of columns; `next` is the gradient of u that follows. */
function stepBack(
  kind: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  beta: usize,
  threshold: usize,
  fours: i32,
  stepBeta: i32,
  stepThreshold: i32,
  cut: f32,
  slope: f32,
): void {
  const inner = f32x4.splat(innerFactor(kind, slope));
  const outer = f32x4.splat(outerFactor(kind, slope));
  const reach = f32x4.splat(reachOf(kind, slope));
  const cuts = f32x4.splat(cut);
  if ((stepBeta | stepThreshold) == 0)
    inline.always(sweepBack(false, kind, du, ds, next, u, beta, threshold, fours, 0, 0, inner, outer, reach, cuts));
  else
    inline.always(
      sweepBack(
        true,
        kind,
        du,
        ds,
        next,
        u,
        beta,
        threshold,
        fours,
        stepBeta,
        stepThreshold,
        inner,
        outer,
        reach,
        cuts,
      ),
    );
}

/** Whether `sweepBack` has a loop for a surrogate. The derivatives of all others are computed before and given. */
function hasLoop(kind: i32): bool {
  const isLinear = kind == TRIANGULAR || kind == BOXCAR || kind == STRAIGHT_THROUGH;
  return kind == SIGMOID || kind == FAST_SIGMOID || kind == ATAN || isLinear;
}

/** A loop for each formula that networks use most; `own`: columns have β or θ of their own. */
function sweepBack(
  own: bool,
  kind: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  beta: usize,
  threshold: usize,
  fours: i32,
  stepBeta: i32,
  stepThreshold: i32,
  inner: v128,
  outer: v128,
  reach: v128,
  cuts: v128,
): void {
  const betaBytes = (<usize>stepBeta) << 4;
  const thetaBytes = (<usize>stepThreshold) << 4;
  if (kind == SIGMOID)
    inline.always(
      sweepBack4(
        own,
        SIGMOID,
        du,
        ds,
        next,
        u,
        beta,
        threshold,
        fours,
        betaBytes,
        thetaBytes,
        inner,
        outer,
        reach,
        cuts,
      ),
    );
  else if (kind == FAST_SIGMOID)
    inline.always(
      sweepBack4(
        own,
        FAST_SIGMOID,
        du,
        ds,
        next,
        u,
        beta,
        threshold,
        fours,
        betaBytes,
        thetaBytes,
        inner,
        outer,
        reach,
        cuts,
      ),
    );
  else if (kind == ATAN)
    inline.always(
      sweepBack4(own, ATAN, du, ds, next, u, beta, threshold, fours, betaBytes, thetaBytes, inner, outer, reach, cuts),
    );
  else
    inline.always(
      sweepBack4(
        own,
        LINEAR,
        du,
        ds,
        next,
        u,
        beta,
        threshold,
        fours,
        betaBytes,
        thetaBytes,
        inner,
        outer,
        reach,
        cuts,
      ),
    );
}

/** du ← σ′·ds + κ·β·next for fours of columns; κ is 0 where u − θ ≥ cuts. */
function sweepBack4(
  own: bool,
  formula: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  beta: usize,
  threshold: usize,
  fours: i32,
  betaBytes: usize,
  thetaBytes: usize,
  inner: v128,
  outer: v128,
  reach: v128,
  cuts: v128,
): void {
  let d = computed - 16;
  let b = v128.load(beta);
  let theta = v128.load(threshold);
  du -= 16;
  ds -= 16;
  next -= 16;
  u -= 16;
  if (own) {
    beta -= betaBytes;
    threshold -= thetaBytes;
  }
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
    const factor = inline.always(derivativeLanes(formula, argument, inner, outer, reach));
    const through = v128.and(f32x4.mul(b, v128.load(next)), f32x4.lt(x, cuts));
    v128.store(du, f32x4.add(f32x4.mul(factor, v128.load(ds)), through));
  } while (--fours != 0);
}

/** Any number of columns, four or one at a time, whose derivatives lie at d. */
function stepBackGiven(
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  d: usize,
  beta: usize,
  threshold: usize,
  n: i32,
  stepBeta: i32,
  stepThreshold: i32,
  cut: f32,
): void {
  const cuts = f32x4.splat(cut);
  do {
    const four = n >= 4;
    const x = f32x4.sub(inline.always(loadSome(u, four)), inline.always(loadSome(threshold, four)));
    const onward = f32x4.mul(inline.always(loadSome(beta, four)), inline.always(loadSome(next, four)));
    const here = f32x4.mul(inline.always(loadSome(d, four)), inline.always(loadSome(ds, four)));
    inline.always(storeSome(du, four, f32x4.add(here, v128.and(onward, f32x4.lt(x, cuts)))));
    const bytes: usize = four ? 16 : 4;
    du += bytes;
    ds += bytes;
    next += bytes;
    u += bytes;
    d += bytes;
    beta += bytes * stepBeta;
    threshold += bytes * stepThreshold;
    n -= four ? 4 : 1;
  } while (n != 0);
}

/**
 * dBeta += du·v for one step of one row. v, the state that β multiplied, is the one at `old`, reset where that reaches the
 * floor: a θ that comes off later than the decay does not count. oldBytes lie between four columns.
 */
function betaBack(
  dBeta: usize,
  du: usize,
  old: usize,
  threshold: usize,
  n: i32,
  oldBytes: usize,
  stepThreshold: i32,
  floor: f32,
  reset: i32,
  delayed: i32,
  resetValue: f32,
): void {
  const value = f32x4.splat(resetValue);
  const floors = f32x4.splat(floor);
  const now = reset == SUBTRACT && delayed == 0;
  while (n > 0) {
    const four = n >= 4;
    const theta = loadSome(threshold, four);
    let v = inline.always(loadSome(old, four));
    const fired = f32x4.ge(f32x4.sub(v, theta), floors);
    if (reset == ZERO) v = v128.bitselect(value, v, fired);
    else if (now) v = f32x4.sub(v, v128.and(fired, theta));
    const product = f32x4.mul(inline.always(loadSome(du, four)), v);
    storeSome(dBeta, four, f32x4.add(loadSome(dBeta, four), product));
    const part = four ? 0 : 2;
    dBeta += 16 >> part;
    du += 16 >> part;
    old += oldBytes >> part;
    threshold += (16 >> part) * stepThreshold;
    n -= 4 >> part;
  }
}
