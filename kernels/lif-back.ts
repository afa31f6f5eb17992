/** The gradient of the plain neurons of lif.ts: backwards in time, a step sweeps over whole rows, eight columns at a time. */

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
import { addTo } from "./elementwise";
import { loadSome, storeSome } from "./lanes";
import { lifForward, zeros } from "./lif";
import { firingFloor, SUBTRACT, ZERO } from "./lif-any";

/** In the place of a kind of surrogate: the derivatives lie in memory. */
const GIVEN: i32 = -1;

/** Values that all columns share, eight times each. */
const shared = memory.data(64, 16);

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
  const betaBytes: usize = stepBeta == 0 ? 0 : 32;
  const thetaBytes: usize = stepThreshold == 0 ? 0 : 32;
  // What all columns share needs no rows.
  if ((stepBeta | stepThreshold) == 0) n = size;
  if (stepBeta == 0) beta = repeated(shared, beta);
  if (stepThreshold == 0) threshold = repeated(shared + 32, threshold);
  if (custom != 0) kind = GIVEN;
  const row = (<usize>n) << 2;
  let next = carry;
  for (let t = T - 1; t >= 0; t--) {
    const to = du + <usize>t * duBytes;
    const from = ds + ((<usize>t * <usize>stepDs) << 2);
    const at = u + <usize>t * uBytes;
    const given = custom + <usize>t * uBytes;
    for (let o: usize = 0; o < (<usize>size) << 2; o += row) {
      stepBack(
        kind,
        to + o,
        from + o,
        next + o,
        at + o,
        given + o,
        beta,
        threshold,
        n,
        betaBytes,
        thetaBytes,
        cut,
        slope,
      );
      if (total != 0) addTo(total + o, to + o, n);
      if (dBeta == 0) continue;
      const first = t == 0;
      const old = first ? (v0 == 0 ? zeros : v0 + o) : at + o - uBytes;
      const due: f32 = first && delayed == 0 ? Infinity : floor;
      betaBack(
        dBeta + o,
        to + o,
        old,
        threshold,
        n,
        old == zeros ? 0 : 16,
        thetaBytes,
        due,
        reset,
        delayed,
        resetValue,
      );
    }
    next = to;
  }
}

/** The value at p eight times. */
function repeated(to: usize, p: usize): usize {
  const lanes = v128.load32_splat(p);
  v128.store(to, lanes);
  v128.store(to, lanes, 16);
  return to;
}

/** One step of one row; `next` is the gradient of u that follows. */
function stepBack(
  kind: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  d: usize,
  beta: usize,
  threshold: usize,
  n: i32,
  betaBytes: usize,
  thetaBytes: usize,
  cut: f32,
  slope: f32,
): void {
  const inner = f32x4.splat(innerFactor(kind, slope));
  const outer = f32x4.splat(outerFactor(kind, slope));
  const reach = f32x4.splat(reachOf(kind, slope));
  const cuts = f32x4.splat(cut);
  const eights = kind == ERF || kind == GIVEN ? 0 : n >> 3;
  if (kind == SIGMOID)
    inline.always(
      stepBack8(SIGMOID, du, ds, next, u, beta, threshold, eights, betaBytes, thetaBytes, inner, outer, reach, cuts),
    );
  else if (kind == FAST_SIGMOID)
    inline.always(
      stepBack8(
        FAST_SIGMOID,
        du,
        ds,
        next,
        u,
        beta,
        threshold,
        eights,
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
      stepBack8(ATAN, du, ds, next, u, beta, threshold, eights, betaBytes, thetaBytes, inner, outer, reach, cuts),
    );
  else
    inline.always(
      stepBack8(LINEAR, du, ds, next, u, beta, threshold, eights, betaBytes, thetaBytes, inner, outer, reach, cuts),
    );
  n -= eights << 3;
  if (n == 0) return;
  const o = (<usize>eights) << 5;
  beta += <usize>eights * betaBytes;
  threshold += <usize>eights * thetaBytes;
  stepBackSome(
    kind,
    du + o,
    ds + o,
    next + o,
    u + o,
    d + o,
    beta,
    threshold,
    n,
    betaBytes,
    thetaBytes,
    inner,
    outer,
    reach,
    cuts,
  );
}

/** Eights of columns; κ is 0 where u − θ ≥ cuts. One copy for each formula that networks use most. */
function stepBack8(
  formula: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  beta: usize,
  threshold: usize,
  eights: i32,
  betaBytes: usize,
  thetaBytes: usize,
  inner: v128,
  outer: v128,
  reach: v128,
  cuts: v128,
): void {
  if (eights == 0) return;
  do {
    inline.always(vectorBack(formula, 0, du, ds, next, u, beta, threshold, inner, outer, reach, cuts));
    inline.always(vectorBack(formula, 16, du, ds, next, u, beta, threshold, inner, outer, reach, cuts));
    du += 32;
    ds += 32;
    next += 32;
    u += 32;
    beta += betaBytes;
    threshold += thetaBytes;
  } while (--eights != 0);
}

/** du ← σ′·ds + κ·β·next for the four columns `o` bytes on. */
function vectorBack(
  formula: i32,
  o: usize,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  beta: usize,
  threshold: usize,
  inner: v128,
  outer: v128,
  reach: v128,
  cuts: v128,
): void {
  const x = f32x4.sub(v128.load(u + o), v128.load(threshold + o));
  const slopes = inline.always(derivativeLanes(formula, x, inner, outer, reach));
  const through = v128.and(f32x4.mul(v128.load(beta + o), v128.load(next + o)), f32x4.lt(x, cuts));
  v128.store(du + o, f32x4.add(f32x4.mul(slopes, v128.load(ds + o)), through));
}

/** Any number of columns, four or one at a time, and any formula. */
function stepBackSome(
  kind: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  d: usize,
  beta: usize,
  threshold: usize,
  n: i32,
  betaBytes: usize,
  thetaBytes: usize,
  inner: v128,
  outer: v128,
  reach: v128,
  cuts: v128,
): void {
  do {
    const four = n >= 4;
    const x = f32x4.sub(loadSome(u, four), loadSome(threshold, four));
    const slopes = kind == GIVEN ? loadSome(d, four) : derivativeLanes(kind, x, inner, outer, reach);
    const through = v128.and(f32x4.mul(loadSome(beta, four), loadSome(next, four)), f32x4.lt(x, cuts));
    storeSome(du, four, f32x4.add(f32x4.mul(slopes, loadSome(ds, four)), through));
    const part = four ? 1 : 3;
    du += 32 >> part;
    ds += 32 >> part;
    next += 32 >> part;
    u += 32 >> part;
    d += 32 >> part;
    beta += betaBytes >> part;
    threshold += thetaBytes >> part;
    n -= 8 >> part;
  } while (n != 0);
}

/**
 * dBeta += du·v for one step of one row. v, the state that β multiplied, is the one at `old`, reset where that reaches the
 * floor: a θ that comes off later than the decay does not count. oldBytes and thetaBytes lie between four and eight columns.
 */
function betaBack(
  dBeta: usize,
  du: usize,
  old: usize,
  threshold: usize,
  n: i32,
  oldBytes: usize,
  thetaBytes: usize,
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
    threshold += thetaBytes >> (1 + part);
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
