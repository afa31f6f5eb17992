/**
 * Leaky integrate-and-fire over time, the whole loop in one call.
 *
 *   Z(v) = reset of v: v − θ ("subtract"), resetValue ("zero") or v ("none")
 *
 *   reset at once     u[t] = rest + β(v[t−1] − rest) + scale·I[t]     s[t] = fire(u[t] − θ)     v[t] = s[t] ? Z(u[t]) : u[t]
 *   reset delayed     the same with v[t] = u[t], and a state that fires is reset at the start of the next step
 *                     ("subtract" takes θ off after the decay: u = rest + β(v − rest) + I − θ)
 *
 * After a spike the neuron is held for `hold` steps: v stays, nothing is integrated, nothing fires.
 *
 * The history is the state: step t reads u[t−1] and finds again what fired, so that only u and the bits of s, the result,
 * are written. Arrays are [T, rows, n] with β and θ per column (step 1) or one for all (step 0).
 *
 * Here are plain neurons (rest 0, scale 1, no holding) with the gradient of the spikes alone; lif-any.ts has the rest.
 */

import { append, endStream, startStream } from "./bits";
import { ATAN, derivativeLanes, FAST_SIGMOID, innerFactor, outerFactor, SIGMOID } from "./derivative";
import { addTo } from "./elementwise";
import { firingFloor, SUBTRACT, spread, ZERO } from "./lif-any";
import { vectorEnd } from "./span";

export { lifBackwardAny, lifForwardAny, lifState } from "./lif-any";

/** Ways to reset in one step: not at all, by θ at its start or its end, to the reset value. */
const FREE = 0;
const NOW = 1;
const LATER = 2;
const TO_VALUE = 3;
const TO_ZERO = 4;

const zeros = memory.data(16, 16);

/** In the place of a kind of surrogate: the derivatives were computed elsewhere. */
const CUSTOM: i32 = -1;

/**
 * Plain leaky integrate-and-fire neurons over time:
 *
 *   u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ (strict: >) else 0     v[t] = u[t] after the reset
 *
 * u [T, rows, n] and the stream of bits s ← from current [T, rows, n] (stepCurrent = rows·n, or 0 for one that is constant
 * over time) and the state v0 [rows, n] (0: zeros). stepU = rows·n, or 0 where only the last step of u is wanted.
 * resumed: v0 is the u of the step before, and its reset is still to come.
 */
export function lifForward(
  u: usize,
  s: usize,
  current: usize,
  v0: usize,
  beta: usize,
  threshold: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepU: i32,
  stepCurrent: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  delayed: i32,
  strict: i32,
  resetValue: f32,
  resumed: i32,
): void {
  const all = (<usize>stepU) << 2;
  const row = (<usize>n) << 2;
  const floor = firingFloor(strict);
  startStream(s);
  for (let t = 0; t < T; t++) {
    const first = t == 0;
    const pending = !first || delayed != 0 || resumed != 0;
    for (let b = 0; b < rows; b++) {
      const at = <usize>b * row;
      const p = first ? (v0 == 0 ? 0 : v0 + at) : u - all + at;
      stepPlain(
        u + at,
        p,
        current + at,
        beta,
        threshold,
        n,
        stepBeta,
        stepThreshold,
        reset,
        delayed,
        floor,
        resetValue,
        pending,
      );
    }
    u += all;
    current += (<usize>stepCurrent) << 2;
  }
  endStream();
}

/** One step of one row; p is the state before it (0: zeros). */
function stepPlain(
  u: usize,
  p: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  n: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  delayed: i32,
  floor: f32,
  resetValue: f32,
  pending: bool,
): void {
  const step: usize = p == 0 ? 0 : 16;
  if (p == 0) p = zeros;
  if (reset == ZERO && pending && resetValue == 0) {
    inline.always(row(TO_ZERO, u, p, step, current, beta, threshold, n, stepBeta, stepThreshold, floor, resetValue));
  } else if (reset == ZERO && pending) {
    inline.always(row(TO_VALUE, u, p, step, current, beta, threshold, n, stepBeta, stepThreshold, floor, resetValue));
  } else if (reset == SUBTRACT && delayed != 0) {
    inline.always(row(LATER, u, p, step, current, beta, threshold, n, stepBeta, stepThreshold, floor, resetValue));
  } else if (reset == SUBTRACT && pending) {
    inline.always(row(NOW, u, p, step, current, beta, threshold, n, stepBeta, stepThreshold, floor, resetValue));
  } else inline.always(row(FREE, u, p, step, current, beta, threshold, n, stepBeta, stepThreshold, floor, resetValue));
}

/** u ← the next membrane, and its spikes to the stream, for one row. One copy for each constant way to reset. */
function row(
  way: i32,
  u: usize,
  p: usize,
  step: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  n: i32,
  stepBeta: i32,
  stepThreshold: i32,
  floor: f32,
  resetValue: f32,
): void {
  const value = f32x4.splat(resetValue);
  const floors = f32x4.splat(floor);
  const betaBytes: usize = stepBeta == 0 ? 0 : 16;
  const thetaBytes: usize = stepThreshold == 0 ? 0 : 16;
  let b = v128.load32_splat(beta);
  let theta = v128.load32_splat(threshold);
  for (let vectors = n >> 2; vectors > 0; vectors -= 8) {
    const count = min(vectors, 8);
    let word: u32 = 0;
    const stop = u + ((<usize>count) << 4);
    do {
      if (stepBeta != 0) b = v128.load(beta);
      if (stepThreshold != 0) theta = v128.load(threshold);
      const x = inline.always(membrane(way, v128.load(p), v128.load(current), b, theta, floors, value));
      v128.store(u, x);
      word = (word >> 4) | (i32x4.bitmask(f32x4.ge(f32x4.sub(x, theta), floors)) << 28);
      p += step;
      beta += betaBytes;
      threshold += thetaBytes;
      current += 16;
      u += 16;
    } while (u != stop);
    inline.always(append(word >> (32 - (count << 2)), count << 2));
  }
  const rest: u32 = n & 3;
  if (rest == 0) return;
  let word: u32 = 0;
  let bit: u32 = 0;
  do {
    if (stepBeta != 0) b = v128.load32_zero(beta);
    if (stepThreshold != 0) theta = v128.load32_zero(threshold);
    const x = inline.always(membrane(way, v128.load32_zero(p), v128.load32_zero(current), b, theta, floors, value));
    v128.store32_lane(u, x, 0);
    word |= (i32x4.bitmask(f32x4.ge(f32x4.sub(x, theta), floors)) & 1) << bit;
    p += step >> 2;
    beta += 4;
    threshold += 4;
    current += 4;
    u += 4;
  } while (++bit < rest);
  inline.always(append(word, rest));
}

/** β·Z(v) + I, less θ afterwards where the reset comes late. */
function membrane(way: i32, v: v128, input: v128, beta: v128, theta: v128, floor: v128, value: v128): v128 {
  if (way == FREE) return f32x4.add(f32x4.mul(beta, v), input);
  const fired = f32x4.ge(f32x4.sub(v, theta), floor);
  if (way == NOW) v = f32x4.sub(v, v128.and(fired, theta));
  if (way == TO_ZERO) v = v128.andnot(v, fired);
  if (way == TO_VALUE) v = v128.bitselect(value, v, fired);
  const x = f32x4.add(f32x4.mul(beta, v), input);
  return way == LATER ? f32x4.sub(x, v128.and(fired, theta)) : x;
}

/**
 * Gradient of the plain neuron with the reset detached, backwards in time, σ′ the surrogate derivative at u − θ:
 *
 *   du[t] = σ′·ds[t] + κ·β·du[t+1]     κ = 0 where a reset to a value cut the path, else 1
 *
 * du [T, rows, n], the gradient of the current, may lie over ds or over u. Steps are stepDu, stepDs and stepU apart; with
 * stepDs = 0 ds is the same in all of them. If `total` is not 0, the current was constant over time: total [rows, n] += Σ_t du[t], and du is not
 * used. carry [rows, n] must hold zeros and is scratch. `custom` is 0 or the address of derivatives [T, rows, n] that were
 * computed elsewhere.
 */
export function lifBackward(
  du: usize,
  ds: usize,
  u: usize,
  beta: usize,
  threshold: usize,
  carry: usize,
  total: usize,
  custom: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepDu: i32,
  stepDs: i32,
  stepU: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  strict: i32,
  kind: i32,
  slope: f32,
): void {
  const row = (<usize>n) << 2;
  const floor: f32 = reset != ZERO ? Infinity : firingFloor(strict);
  if (stepBeta == 0) beta = spread(0, beta);
  if (stepThreshold == 0) threshold = spread(1, threshold);
  for (let t = T - 1; t >= 0; t--) {
    for (let b = 0; b < rows; b++) {
      const o = <usize>b * row;
      const at = du + o + ((<usize>t * <usize>stepDu) << 2);
      const to = total == 0 ? at : carry + o;
      const next = total != 0 || t == T - 1 ? carry + o : at + ((<usize>stepDu) << 2);
      const from = ds + o + ((<usize>t * <usize>stepDs) << 2);
      const x = o + ((<usize>t * <usize>stepU) << 2);
      const d = custom == 0 ? 0 : custom + x;
      stepBack(
        custom == 0 ? kind : CUSTOM,
        to,
        from,
        next,
        u + x,
        threshold,
        d,
        beta,
        n,
        stepBeta,
        stepThreshold,
        floor,
        slope,
      );
      if (total != 0) addTo(total + o, to, n);
    }
  }
}

/**
 * `lifBackward` from the zero state without a history of u: it is computed again from the current, for a block of
 * neurons at a time, so that it stays in the cache. `history` is scratch for T·block values and as many bits.
 */
export function lifReplay(
  du: usize,
  ds: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  carry: usize,
  total: usize,
  history: usize,
  T: i32,
  rows: i32,
  n: i32,
  block: i32,
  stepDs: i32,
  stepCurrent: i32,
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
  const size = rows * n;
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
        stepCurrent,
        stepBeta,
        stepThreshold,
        reset,
        delayed,
        strict,
        resetValue,
        0,
      );
      lifBackward(
        du + o,
        ds + o,
        history,
        bi,
        ti,
        carry + o,
        total == 0 ? 0 : total + o,
        0,
        T,
        1,
        width,
        size,
        stepDs,
        width,
        stepBeta,
        stepThreshold,
        reset,
        strict,
        kind,
        slope,
      );
    }
  }
}

function stepBack(
  kind: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  threshold: usize,
  d: usize,
  beta: usize,
  n: i32,
  stepBeta: i32,
  stepThreshold: i32,
  floor: f32,
  slope: f32,
): void {
  if (kind == SIGMOID) {
    inline.always(rowBack(SIGMOID, du, ds, next, u, threshold, d, beta, n, stepBeta, stepThreshold, floor, slope));
  } else if (kind == FAST_SIGMOID) {
    inline.always(rowBack(FAST_SIGMOID, du, ds, next, u, threshold, d, beta, n, stepBeta, stepThreshold, floor, slope));
  } else if (kind == ATAN) {
    inline.always(rowBack(ATAN, du, ds, next, u, threshold, d, beta, n, stepBeta, stepThreshold, floor, slope));
  } else inline.always(rowBack(CUSTOM, du, ds, next, u, threshold, d, beta, n, stepBeta, stepThreshold, floor, slope));
}

/**
 * du ← σ′·ds + κ·β·next for one row; κ is 0 where u − θ ≥ floor. One copy for each constant `kind`. A β or θ that all
 * columns share lies at its address four times and is read again for every vector: cheaper than a choice in the loop.
 */
function rowBack(
  kind: i32,
  du: usize,
  ds: usize,
  next: usize,
  u: usize,
  threshold: usize,
  d: usize,
  beta: usize,
  n: i32,
  stepBeta: i32,
  stepThreshold: i32,
  floor: f32,
  slope: f32,
): void {
  const inner = f32x4.splat(innerFactor(kind, slope));
  const outer = f32x4.splat(outerFactor(kind, slope));
  const floors = f32x4.splat(floor);
  const betaBytes: usize = stepBeta == 0 ? 0 : 16;
  const thetaBytes: usize = stepThreshold == 0 ? 0 : 16;
  for (const stop = vectorEnd(du, n); du < stop; du += 16) {
    const x = f32x4.sub(v128.load(u), v128.load(threshold));
    const slopes = kind == CUSTOM ? v128.load(d) : inline.always(derivativeLanes(kind, x, inner, outer));
    const through = v128.and(f32x4.mul(v128.load(beta), v128.load(next)), f32x4.lt(x, floors));
    v128.store(du, f32x4.add(f32x4.mul(slopes, v128.load(ds)), through));
    ds += 16;
    next += 16;
    u += 16;
    beta += betaBytes;
    threshold += thetaBytes;
    if (kind == CUSTOM) d += 16;
  }
  let rest = n & 3;
  if (rest == 0) return;
  do {
    const x = f32x4.sub(v128.load32_zero(u), v128.load32_zero(threshold));
    const slopes = kind == CUSTOM ? v128.load32_zero(d) : inline.always(derivativeLanes(kind, x, inner, outer));
    const through = v128.and(f32x4.mul(v128.load32_zero(beta), v128.load32_zero(next)), f32x4.lt(x, floors));
    v128.store32_lane(du, f32x4.add(f32x4.mul(slopes, v128.load32_zero(ds)), through), 0);
    du += 4;
    ds += 4;
    next += 4;
    u += 4;
    beta += betaBytes >> 2;
    threshold += thetaBytes >> 2;
    if (kind == CUSTOM) d += 4;
  } while (--rest != 0);
}
