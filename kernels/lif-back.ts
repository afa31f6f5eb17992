/**
 * The gradient of the plain neurons of lif.ts: eight columns go through a few steps at a time, their gradient and its sum
 * over time in registers.
 */

import {
  ATAN,
  derivativeLanes,
  ERF,
  FAST_SIGMOID,
  innerFactor,
  LINEAR,
  outerFactor,
  reachOf,
  SIGMOID,
} from "./derivative";
import { loadSome, storeSome } from "./lanes";
import { lifForward, reaches, repeated, STEPS, zeros } from "./lif";
import { firingFloor, SUBTRACT, ZERO } from "./lif-any";

/** In the place of a kind of surrogate: the derivatives lie in memory. */
const GIVEN: i32 = -1;

/** Columns in a block. */
const BLOCK = 1024;

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
  const floor = firingFloor(strict);
  const duBytes = (<usize>stepDu) << 2;
  const dsBytes = (<usize>stepDs) << 2;
  const uBytes = (<usize>stepU) << 2;
  const betaBytes: usize = stepBeta == 0 ? 0 : 64;
  const thetaBytes: usize = stepThreshold == 0 ? 0 : 64;
  const totalBytes: usize = total == 0 ? 0 : 64;
  const now = reset == SUBTRACT && delayed == 0;
  const block = dBeta == 0 ? n : BLOCK;
  if (stepBeta == 0) beta = repeated(0, beta);
  if (stepThreshold == 0) threshold = repeated(1, threshold);
  // A total that nobody wants goes where it does no harm.
  if (total == 0) total = repeated(2, zeros);
  for (let t = T - 1; t >= 0; t -= STEPS) {
    const steps = min(STEPS, t + 1);
    for (let b = 0; b < rows; b++) {
      const o = (<usize>(b * n)) << 2;
      // In blocks, where the gradient of β reads once more what is still in the cache.
      for (let i = 0; i < n; i += block) {
        const width = min(block, n - i);
        const at = o + ((<usize>i) << 2);
        const column = <usize>i >> 4;
        const to = du + at + <usize>t * duBytes;
        const x = at + <usize>t * uBytes;
        const theta = threshold + column * thetaBytes;
        stepsBack(
          custom == 0 ? kind : GIVEN,
          to,
          ds + at + <usize>t * dsBytes,
          t == T - 1 ? carry + at : to + duBytes,
          u + x,
          custom + x,
          beta + column * betaBytes,
          theta,
          totalBytes == 0 ? total : total + at,
          width,
          steps,
          duBytes,
          dsBytes,
          uBytes,
          betaBytes,
          thetaBytes,
          totalBytes,
          reset == ZERO ? floor : Infinity,
          slope,
        );
        if (dBeta == 0) continue;
        const later = min(steps, t);
        const old = u + x - uBytes;
        if (later > 0) {
          betaBack(
            dBeta + at,
            to,
            old,
            theta,
            width,
            later,
            duBytes,
            uBytes,
            16,
            thetaBytes,
            floor,
            now,
            reset,
            resetValue,
          );
        }
        if (later == steps) continue;
        const first = du + at;
        const initial = v0 == 0 ? zeros : v0 + at;
        const due: f32 = delayed == 0 ? Infinity : floor;
        betaBack(
          dBeta + at,
          first,
          initial,
          theta,
          width,
          1,
          0,
          0,
          v0 == 0 ? 0 : 16,
          thetaBytes,
          due,
          now,
          reset,
          resetValue,
        );
      }
    }
  }
}

/** Some steps of some columns of a row, the last one first; `next` is the gradient of u that follows. */
function stepsBack(
  kind: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  d: usize,
  beta: usize,
  threshold: usize,
  total: usize,
  n: i32,
  steps: i32,
  duBytes: usize,
  dsBytes: usize,
  uBytes: usize,
  betaBytes: usize,
  thetaBytes: usize,
  totalBytes: usize,
  floor: f32,
  slope: f32,
): void {
  if (kind == SIGMOID)
    inline.always(
      steps8Back(
        SIGMOID,
        kind,
        du,
        ds,
        next,
        u,
        d,
        beta,
        threshold,
        total,
        n,
        steps,
        duBytes,
        dsBytes,
        uBytes,
        betaBytes,
        thetaBytes,
        totalBytes,
        floor,
        slope,
      ),
    );
  else if (kind == FAST_SIGMOID)
    inline.always(
      steps8Back(
        FAST_SIGMOID,
        kind,
        du,
        ds,
        next,
        u,
        d,
        beta,
        threshold,
        total,
        n,
        steps,
        duBytes,
        dsBytes,
        uBytes,
        betaBytes,
        thetaBytes,
        totalBytes,
        floor,
        slope,
      ),
    );
  else if (kind == ATAN)
    inline.always(
      steps8Back(
        ATAN,
        kind,
        du,
        ds,
        next,
        u,
        d,
        beta,
        threshold,
        total,
        n,
        steps,
        duBytes,
        dsBytes,
        uBytes,
        betaBytes,
        thetaBytes,
        totalBytes,
        floor,
        slope,
      ),
    );
  else if (kind == ERF)
    inline.always(
      steps8Back(
        ERF,
        kind,
        du,
        ds,
        next,
        u,
        d,
        beta,
        threshold,
        total,
        n,
        steps,
        duBytes,
        dsBytes,
        uBytes,
        betaBytes,
        thetaBytes,
        totalBytes,
        floor,
        slope,
      ),
    );
  else if (kind == GIVEN)
    inline.always(
      steps8Back(
        GIVEN,
        kind,
        du,
        ds,
        next,
        u,
        d,
        beta,
        threshold,
        total,
        n,
        steps,
        duBytes,
        dsBytes,
        uBytes,
        betaBytes,
        thetaBytes,
        totalBytes,
        floor,
        slope,
      ),
    );
  else
    inline.always(
      steps8Back(
        LINEAR,
        kind,
        du,
        ds,
        next,
        u,
        d,
        beta,
        threshold,
        total,
        n,
        steps,
        duBytes,
        dsBytes,
        uBytes,
        betaBytes,
        thetaBytes,
        totalBytes,
        floor,
        slope,
      ),
    );
  const whole = <usize>n >> 3;
  if ((n & 7) != 0) {
    stepsBackTail(
      kind,
      du + (whole << 5),
      ds + (whole << 5),
      next + (whole << 5),
      u + (whole << 5),
      d + (whole << 5),
      beta + whole * (betaBytes >> 1),
      threshold + whole * (thetaBytes >> 1),
      total + whole * (totalBytes >> 1),
      n & 7,
      steps,
      duBytes,
      dsBytes,
      uBytes,
      betaBytes,
      thetaBytes,
      totalBytes,
      floor,
      slope,
    );
  }
}

/** The whole eights of a row; κ is 0 where u − θ ≥ floor. One copy for each constant `formula`. */
function steps8Back(
  formula: i32,
  kind: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  d: usize,
  beta: usize,
  threshold: usize,
  total: usize,
  n: i32,
  steps: i32,
  duBytes: usize,
  dsBytes: usize,
  uBytes: usize,
  betaBytes: usize,
  thetaBytes: usize,
  totalBytes: usize,
  floor: f32,
  slope: f32,
): void {
  const inner = f32x4.splat(innerFactor(kind, slope));
  const outer = f32x4.splat(outerFactor(kind, slope));
  const reach = f32x4.splat(reachOf(kind, slope));
  const floors = f32x4.splat(floor);
  for (let left = n >> 3; left > 0; left--) {
    let g0 = v128.load(next);
    let g1 = v128.load(next + 16);
    let s0 = v128.load(total);
    let s1 = v128.load(total + 16);
    let to = du;
    let from = ds;
    let at = u;
    let slopes = d;
    let k = steps;
    do {
      g0 = inline.always(
        gradient(
          formula,
          g0,
          v128.load(from),
          v128.load(at),
          slopes,
          v128.load(beta),
          v128.load(threshold),
          inner,
          outer,
          reach,
          floors,
        ),
      );
      v128.store(to, g0);
      s0 = f32x4.add(s0, g0);
      g1 = inline.always(
        gradient(
          formula,
          g1,
          v128.load(from + 16),
          v128.load(at + 16),
          slopes + 16,
          v128.load(beta + 16),
          v128.load(threshold + 16),
          inner,
          outer,
          reach,
          floors,
        ),
      );
      v128.store(to + 16, g1);
      s1 = f32x4.add(s1, g1);
      to -= duBytes;
      from -= dsBytes;
      at -= uBytes;
      if (formula == GIVEN) slopes -= uBytes;
    } while (--k != 0);
    v128.store(total, s0);
    v128.store(total + 16, s1);
    du += 32;
    ds += 32;
    next += 32;
    u += 32;
    d += 32;
    beta += betaBytes >> 1;
    threshold += thetaBytes >> 1;
    total += totalBytes >> 1;
  }
}

/** Fewer than eight columns, four or one at a time. */
function stepsBackTail(
  kind: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  d: usize,
  beta: usize,
  threshold: usize,
  total: usize,
  n: i32,
  steps: i32,
  duBytes: usize,
  dsBytes: usize,
  uBytes: usize,
  betaBytes: usize,
  thetaBytes: usize,
  totalBytes: usize,
  floor: f32,
  slope: f32,
): void {
  const inner = f32x4.splat(innerFactor(kind, slope));
  const outer = f32x4.splat(outerFactor(kind, slope));
  const reach = f32x4.splat(reachOf(kind, slope));
  const floors = f32x4.splat(floor);
  do {
    const four = n >= 4;
    const b = loadSome(beta, four);
    const theta = loadSome(threshold, four);
    let g = loadSome(next, four);
    let sum = loadSome(total, four);
    let to = du;
    let from = ds;
    let at = u;
    let slopes = d;
    let k = steps;
    do {
      const x = f32x4.sub(loadSome(at, four), theta);
      const y = kind == GIVEN ? loadSome(slopes, four) : derivativeLanes(kind, x, inner, outer, reach);
      const through = v128.and(f32x4.mul(b, g), f32x4.lt(x, floors));
      g = f32x4.add(f32x4.mul(y, loadSome(from, four)), through);
      storeSome(to, four, g);
      sum = f32x4.add(sum, g);
      to -= duBytes;
      from -= dsBytes;
      at -= uBytes;
      slopes -= uBytes;
    } while (--k != 0);
    storeSome(total, four, sum);
    const part = four ? 2 : 4;
    du += 64 >> part;
    ds += 64 >> part;
    next += 64 >> part;
    u += 64 >> part;
    d += 64 >> part;
    beta += betaBytes >> part;
    threshold += thetaBytes >> part;
    total += totalBytes >> part;
    n -= 16 >> part;
  } while (n != 0);
}

/** σ′·ds + κ·β·next; with `formula` GIVEN σ′ lies at d. */
function gradient(
  formula: i32,
  next: v128,
  ds: v128,
  u: v128,
  d: usize,
  beta: v128,
  theta: v128,
  inner: v128,
  outer: v128,
  reach: v128,
  floor: v128,
): v128 {
  const x = f32x4.sub(u, theta);
  const slopes = formula == GIVEN ? v128.load(d) : inline.always(derivativeLanes(formula, x, inner, outer, reach));
  return f32x4.add(f32x4.mul(slopes, ds), v128.and(f32x4.mul(beta, next), f32x4.lt(x, floor)));
}

/**
 * dBeta += Σ du·v over some steps of some columns, the last one first. v, the state that β multiplied, is the one at `old`,
 * reset where that reaches the floor: a θ that comes off later than the decay does not count.
 */
function betaBack(
  dBeta: usize,
  du: usize,
  old: usize,
  threshold: usize,
  n: i32,
  steps: i32,
  duBytes: usize,
  uBytes: usize,
  oldBytes: usize,
  thetaBytes: usize,
  floor: f32,
  now: bool,
  reset: i32,
  resetValue: f32,
): void {
  const value = f32x4.splat(resetValue);
  const floors = f32x4.splat(floor);
  while (n > 0) {
    const four = n >= 4;
    const theta = loadSome(threshold, four);
    const taken = now ? theta : i32x4.splat(0);
    let sum = loadSome(dBeta, four);
    let from = du;
    let at = old;
    let k = steps;
    do {
      let v = inline.always(loadSome(at, four));
      const fired = inline.always(reaches(v, theta, floors));
      if (reset == ZERO) v = v128.bitselect(value, v, fired);
      else v = f32x4.sub(v, v128.and(fired, taken));
      sum = f32x4.add(sum, f32x4.mul(inline.always(loadSome(from, four)), v));
      from -= duBytes;
      at -= uBytes;
    } while (--k != 0);
    storeSome(dBeta, four, sum);
    const part = four ? 0 : 2;
    dBeta += 16 >> part;
    du += 16 >> part;
    old += oldBytes >> part;
    threshold += thetaBytes >> (2 + part);
    n -= 4 >> part;
  }
}

/**
 * total [rows, n] += Σ_t du[t] for a current that is constant over time, from the zero state and without a history of u:
 * it is computed again, for a block of neurons at a time, so that it stays in the cache. carry [rows, n] must hold zeros;
 * `history` is scratch for T·block values and as many bits.
 */
export function lifReplay(
  total: usize,
  ds: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  carry: usize,
  history: usize,
  T: i32,
  rows: i32,
  n: i32,
  block: i32,
  stepDs: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  delayed: i32,
  strict: i32,
  resetValue: f32,
  kind: i32,
  slope: f32,
): void {
  const spikes = history + ((<usize>T * <usize>block) << 2);
  for (let b = 0; b < rows; b++) {
    for (let i = 0; i < n; i += block) {
      const width = min(block, n - i);
      const o = (<usize>(b * n + i)) << 2;
      const bi = beta + ((<usize>(i * stepBeta)) << 2);
      const ti = threshold + ((<usize>(i * stepThreshold)) << 2);
      lifForward(
        history,
        spikes,
        current + o,
        0,
        bi,
        ti,
        T,
        1,
        width,
        width,
        0,
        stepBeta,
        stepThreshold,
        reset,
        delayed,
        strict,
        resetValue,
        0,
      );
      lifBackward(
        carry + o,
        ds + o,
        history,
        0,
        bi,
        ti,
        carry + o,
        total + o,
        0,
        0,
        T,
        1,
        width,
        0,
        stepDs,
        width,
        stepBeta,
        stepThreshold,
        reset,
        delayed,
        strict,
        resetValue,
        kind,
        slope,
      );
    }
  }
}
