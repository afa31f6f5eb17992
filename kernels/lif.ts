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
 * The history is the state: step t reads u[t−1] and finds again what fired, so that only u (and s, the result) is
 * written. Arrays are [T, rows, n] with β and θ per column (step 1) or one for all (step 0).
 *
 * Here are plain neurons (rest 0, scale 1, no holding) with the gradient of the spikes alone; lif-any.ts has the rest.
 */
import { ATAN, derivativeLanes, FAST_SIGMOID, innerFactor, outerFactor, SIGMOID } from "./derivative";
import { addTo } from "./elementwise";
import { loadTail, one, storeTail } from "./lanes";
import { firingFloor, SUBTRACT, stepAny, ZERO } from "./lif-any";
import { vectorEnd } from "./span";

export { lifBackwardAny } from "./lif-any";

/** Ways to reset in one step: not at all, by θ at its start or its end, to the reset value. */
const FREE = 0;
const NOW = 1;
const LATER = 2;
const TO_VALUE = 3;

const zeros = memory.data(16, 16);

/** In the place of a kind of surrogate: the derivatives were computed elsewhere. */
const CUSTOM: i32 = -1;

/**
 * u, s: [T, rows, n] ← from current [T, rows, n] (stepCurrent = rows·n, or 0 for one that is constant over time) and the
 * state v0 [rows, n]. With `hold` > 0, or rest ≠ 0, or scale ≠ 1, the counters r [T, rows, n] are written from
 * r0 [rows, n]: steps that the neuron is still held after step t. r, r0 and v0 may be 0: not written, and zeros.
 */
export function lifForward(
  u: usize,
  s: usize,
  r: usize,
  current: usize,
  v0: usize,
  r0: usize,
  beta: usize,
  threshold: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepCurrent: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  delayed: i32,
  strict: i32,
  resetValue: f32,
  rest: f32,
  scale: f32,
  hold: i32,
): void {
  const all = (<usize>rows * <usize>n) << 2;
  const row = (<usize>n) << 2;
  const floor = firingFloor(strict);
  for (let t = 0; t < T; t++) {
    const first = t == 0;
    for (let b = 0; b < rows; b++) {
      const at = <usize>b * row;
      const p = first ? (v0 == 0 ? 0 : v0 + at) : u - all + at;
      const pending = !first || delayed != 0;
      if (r == 0) {
        stepPlain(
          u + at,
          s + at,
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
      } else {
        const q = first ? (r0 == 0 ? 0 : r0 + at) : r - all + at;
        stepAny(
          u + at,
          s + at,
          r + at,
          p,
          q,
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
          rest,
          scale,
          hold,
          pending,
        );
      }
    }
    u += all;
    s += all;
    if (r != 0) r += all;
    current += (<usize>stepCurrent) << 2;
  }
}

/** One step of one row, rest 0, scale 1, never held; p is the state before it (0: zeros). */
function stepPlain(
  u: usize,
  s: usize,
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
  if (reset == ZERO && pending) {
    inline.always(
      row(TO_VALUE, u, s, p, step, current, beta, threshold, n, stepBeta, stepThreshold, floor, resetValue),
    );
  } else if (reset == SUBTRACT && delayed != 0) {
    inline.always(row(LATER, u, s, p, step, current, beta, threshold, n, stepBeta, stepThreshold, floor, resetValue));
  } else if (reset == SUBTRACT && pending) {
    inline.always(row(NOW, u, s, p, step, current, beta, threshold, n, stepBeta, stepThreshold, floor, resetValue));
  } else
    inline.always(row(FREE, u, s, p, step, current, beta, threshold, n, stepBeta, stepThreshold, floor, resetValue));
}

/** u ← the next membrane, s ← where it fires, for one row. One copy for each constant way to reset. */
function row(
  way: i32,
  u: usize,
  s: usize,
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
  for (const stop = vectorEnd(u, n); u < stop; u += 16, s += 16, current += 16) {
    if (stepBeta != 0) b = v128.load(beta);
    if (stepThreshold != 0) theta = v128.load(threshold);
    const x = inline.always(membrane(way, v128.load(p), v128.load(current), b, theta, floors, value));
    v128.store(u, x);
    v128.store(s, v128.and(f32x4.ge(f32x4.sub(x, theta), floors), v128.load(one)));
    p += step;
    beta += betaBytes;
    threshold += thetaBytes;
  }
  if ((n & 3) == 0) return;
  if (stepBeta != 0) b = loadTail(beta, n);
  if (stepThreshold != 0) theta = loadTail(threshold, n);
  const x = membrane(way, step == 0 ? v128.load(zeros) : loadTail(p, n), loadTail(current, n), b, theta, floors, value);
  storeTail(u, n, x);
  storeTail(s, n, v128.and(f32x4.ge(f32x4.sub(x, theta), floors), v128.load(one)));
}

/** β·Z(v) + I, less θ afterwards where the reset comes late. */
function membrane(way: i32, v: v128, input: v128, beta: v128, theta: v128, floor: v128, value: v128): v128 {
  if (way == FREE) return f32x4.add(f32x4.mul(beta, v), input);
  const fired = f32x4.ge(f32x4.sub(v, theta), floor);
  if (way == NOW) v = f32x4.sub(v, v128.and(fired, theta));
  if (way == TO_VALUE) v = v128.bitselect(value, v, fired);
  const x = f32x4.add(f32x4.mul(beta, v), input);
  return way == LATER ? f32x4.sub(x, v128.and(fired, theta)) : x;
}

/** v[i] ← the state after the reset, for every step at once: [T·rows, n]; s tells what fired. */
export function lifState(
  v: usize,
  u: usize,
  s: usize,
  threshold: usize,
  rows: i32,
  n: i32,
  stepThreshold: i32,
  reset: i32,
  resetValue: f32,
): void {
  for (let b = 0; b < rows; b++) {
    for (let i = 0; i < n; i++, v += 4, u += 4, s += 4) {
      let x = load<f32>(u);
      if (load<f32>(s) != 0) {
        if (reset == SUBTRACT) x -= load<f32>(threshold + ((<usize>(i * stepThreshold)) << 2));
        else if (reset == ZERO) x = resetValue;
      }
      store<f32>(v, x);
    }
  }
}

/**
 * Gradient of the plain neuron with the reset detached, backwards in time, σ′ the surrogate derivative at u − θ:
 *
 *   du[t] = σ′·ds[t] + κ·β·du[t+1]     κ = 0 where a reset to a value cut the path, else 1
 *
 * g: [T, rows, n] holds ds and receives du, the gradient of the current. If `total` is not 0, the current was constant
 * over time: total [rows, n] += Σ_t du[t], and g is only read. carry [rows, n] must hold zeros and is scratch.
 * `custom` is 0 or the address of derivatives [T, rows, n] that were computed elsewhere.
 */
export function lifBackward(
  g: usize,
  u: usize,
  beta: usize,
  threshold: usize,
  carry: usize,
  total: usize,
  custom: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  strict: i32,
  kind: i32,
  slope: f32,
): void {
  const row = (<usize>n) << 2;
  const all = <usize>rows * row;
  const floor: f32 = reset != ZERO ? Infinity : firingFloor(strict);
  for (let t = T - 1; t >= 0; t--) {
    for (let b = 0; b < rows; b++) {
      const o = <usize>b * row;
      const at = <usize>t * all + o;
      const du = total == 0 ? g + at : carry + o;
      const next = total != 0 || t == T - 1 ? carry + o : g + at + all;
      const d = custom == 0 ? 0 : custom + at;
      stepBack(
        custom == 0 ? kind : CUSTOM,
        du,
        g + at,
        next,
        u + at,
        threshold,
        d,
        beta,
        n,
        stepBeta,
        stepThreshold,
        floor,
        slope,
      );
      if (total != 0) addTo(total + o, du, n);
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

/** du ← σ′·ds + κ·β·next for one row; κ is 0 where u − θ ≥ floor. One copy for each constant `kind`. */
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
  let b = v128.load32_splat(beta);
  let theta = v128.load32_splat(threshold);
  for (const stop = vectorEnd(du, n); du < stop; du += 16, ds += 16, next += 16, u += 16) {
    if (stepBeta != 0) b = v128.load(beta);
    if (stepThreshold != 0) theta = v128.load(threshold);
    const x = f32x4.sub(v128.load(u), theta);
    const slopes = kind == CUSTOM ? v128.load(d) : inline.always(derivativeLanes(kind, x, inner, outer));
    const through = v128.and(f32x4.mul(b, v128.load(next)), f32x4.lt(x, floors));
    v128.store(du, f32x4.add(f32x4.mul(slopes, v128.load(ds)), through));
    beta += betaBytes;
    threshold += thetaBytes;
    if (kind == CUSTOM) d += 16;
  }
  if ((n & 3) == 0) return;
  if (stepBeta != 0) b = loadTail(beta, n);
  if (stepThreshold != 0) theta = loadTail(threshold, n);
  const x = f32x4.sub(loadTail(u, n), theta);
  const slopes = kind == CUSTOM ? loadTail(d, n) : derivativeLanes(kind, x, inner, outer);
  const through = v128.and(f32x4.mul(b, loadTail(next, n)), f32x4.lt(x, floors));
  storeTail(du, n, f32x4.add(f32x4.mul(slopes, loadTail(ds, n)), through));
}
