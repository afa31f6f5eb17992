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
import { ATAN, BOXCAR, FAST_SIGMOID, SIGMOID, STRAIGHT_THROUGH, TRIANGULAR } from "./kinds";
import { loadSome, storeSome } from "./lanes";
import { columnsTogether, repeated, stepsTogether } from "./lif";
import { surrogate } from "./surrogate";

/** β and θ that all columns share, four times each. */
const shared = memory.data(32, 16);

/** The least u − θ that fires: 0, or where only what is above it does the smallest positive float. */
function firingFloor(strict: i32): f32 {
  return strict != 0 ? reinterpret<f32>(1) : 0;
}

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
  const step = (<usize>size) << 2;
  const cut: f32 = cuts != 0 ? firingFloor(strict) : Infinity;
  // What all columns share needs no rows.
  if ((stepBeta | stepThreshold) == 0) n = size;
  if (stepBeta == 0) beta = repeated(shared, beta);
  if (stepThreshold == 0) threshold = repeated(shared + 16, threshold);
  const together = stepsTogether(size);
  const loops = hasLoop(kind);
  const width = isExponential(kind) || !loops ? min(n, PIECE) : columnsTogether(size, n);
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
          const to = du + <usize>t * step + o;
          const from = ds + ((<usize>t * <usize>stepDs) << 2) + o;
          const next = t + 1 < T ? to + step : carry + o;
          const at = u + <usize>t * step + o;
          if (fours > 0) {
            if (kind == SIGMOID) exponentials(computed, at, thetaAt, (<usize>stepThreshold) << 4, fours, kind, slope);
            stepBack(kind, to, from, next, at, betaAt, thetaAt, fours, stepBeta, stepThreshold, cut, slope);
          }
          const left = columns - (fours << 2);
          if (left == 0) continue;
          surrogate(computed, at + done, thetaAt + done * stepThreshold, stepThreshold, left, kind, slope);
          stepBackGiven(
            to + done,
            from + done,
            next + done,
            at + done,
            computed,
            betaAt + done * stepBeta,
            thetaAt + done * stepThreshold,
            left,
            stepBeta,
            stepThreshold,
            cut,
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
