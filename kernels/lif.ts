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
 * Here are plain neurons (rest 0, scale 1, no holding); lif-back.ts has their gradient, lif-any.ts the rest.
 *
 * Sixteen columns, a cache line, go through a few steps at a time: their state stays in registers, what fired is known from
 * the step before, and the lines of several steps, far apart in memory, are under way at once. More steps than this are
 * slower: a processor follows only so many streams.
 */

import { setBits } from "./bits";
import { loadSome, storeSome } from "./lanes";
import { firingFloor, SUBTRACT, ZERO } from "./lif-any";

/** Steps that are taken at a time. */
export const STEPS = 5;

/** Ways to reset: to a value, by θ before the decay or after it. */
const TO_VALUE = 0;
const NOW = 1;
const LATER = 2;

export const zeros = memory.data(64, 16);
/** Values that all columns share, sixteen times each. */
const shared = memory.data(192, 16);

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
  const size = rows * n;
  const uBytes = (<usize>stepU) << 2;
  const currentBytes = (<usize>stepCurrent) << 2;
  const betaBytes: usize = stepBeta == 0 ? 0 : 64;
  const thetaBytes: usize = stepThreshold == 0 ? 0 : 64;
  if (stepBeta == 0) beta = repeated(0, beta);
  if (stepThreshold == 0) threshold = repeated(1, threshold);
  const way = reset == SUBTRACT ? (delayed != 0 ? LATER : NOW) : TO_VALUE;
  const floor = firingFloor(strict);
  memory.fill(s, 0, (<usize>(T * size + 31) >> 5) << 2);
  for (let t = 0; t < T; t += STEPS) {
    const pending = t > 0 || delayed != 0 || resumed != 0;
    for (let b = 0; b < rows; b++) {
      const i = b * n;
      const o = (<usize>i) << 2;
      const at = u + o + <usize>t * uBytes;
      const p = t > 0 ? at - uBytes : v0 == 0 ? zeros : v0 + o;
      stepsOf(
        way,
        at,
        s,
        p,
        current + o + <usize>t * currentBytes,
        beta,
        threshold,
        t * size + i,
        n,
        size,
        min(STEPS, T - t),
        uBytes,
        p == zeros ? 0 : 64,
        currentBytes,
        betaBytes,
        thetaBytes,
        floor,
        pending ? floor : Infinity,
        reset == ZERO,
        resetValue,
      );
    }
  }
}

/**
 * Some steps of one row from the state at p on, which is reset where it reaches resetFloor. Bytes with an array's name lie
 * between its steps; pBytes, betaBytes and thetaBytes between sixteen columns, or are 0 for the same values again.
 */
function stepsOf(
  way: i32,
  u: usize,
  s: usize,
  p: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  bit: i32,
  n: i32,
  size: i32,
  steps: i32,
  uBytes: usize,
  pBytes: usize,
  currentBytes: usize,
  betaBytes: usize,
  thetaBytes: usize,
  floor: f32,
  resetFloor: f32,
  cut: bool,
  resetValue: f32,
): void {
  if (way == NOW)
    inline.always(
      steps16(
        NOW,
        u,
        s,
        p,
        current,
        beta,
        threshold,
        bit,
        n,
        size,
        steps,
        uBytes,
        pBytes,
        currentBytes,
        betaBytes,
        thetaBytes,
        floor,
        resetFloor,
        cut,
        resetValue,
      ),
    );
  else if (way == LATER)
    inline.always(
      steps16(
        LATER,
        u,
        s,
        p,
        current,
        beta,
        threshold,
        bit,
        n,
        size,
        steps,
        uBytes,
        pBytes,
        currentBytes,
        betaBytes,
        thetaBytes,
        floor,
        resetFloor,
        cut,
        resetValue,
      ),
    );
  else
    inline.always(
      steps16(
        TO_VALUE,
        u,
        s,
        p,
        current,
        beta,
        threshold,
        bit,
        n,
        size,
        steps,
        uBytes,
        pBytes,
        currentBytes,
        betaBytes,
        thetaBytes,
        floor,
        resetFloor,
        cut,
        resetValue,
      ),
    );
  const whole = <usize>n >> 4;
  if ((n & 15) != 0) {
    stepsOfTail(
      way,
      u + (whole << 6),
      s,
      p + whole * pBytes,
      current + (whole << 6),
      beta + whole * betaBytes,
      threshold + whole * thetaBytes,
      bit + (n & ~15),
      n & 15,
      size,
      steps,
      uBytes,
      pBytes,
      currentBytes,
      betaBytes,
      thetaBytes,
      floor,
      resetFloor,
      cut,
      resetValue,
    );
  }
}

/** The whole sixteens of a row. One copy for each constant way to reset. */
function steps16(
  way: i32,
  u: usize,
  s: usize,
  p: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  bit: i32,
  n: i32,
  size: i32,
  steps: i32,
  uBytes: usize,
  pBytes: usize,
  currentBytes: usize,
  betaBytes: usize,
  thetaBytes: usize,
  floor: f32,
  resetFloor: f32,
  cut: bool,
  resetValue: f32,
): void {
  const value = f32x4.splat(resetValue);
  const floors = f32x4.splat(floor);
  const resets = f32x4.splat(resetFloor);
  const cuts = i32x4.splat(cut ? -1 : 0);
  for (let left = n >> 4; left > 0; left--) {
    let v0 = v128.load(p);
    let v1 = v128.load(p + 16);
    let v2 = v128.load(p + 32);
    let v3 = v128.load(p + 48);
    let f0 = inline.always(reaches(v0, v128.load(threshold), resets));
    let f1 = inline.always(reaches(v1, v128.load(threshold + 16), resets));
    let f2 = inline.always(reaches(v2, v128.load(threshold + 32), resets));
    let f3 = inline.always(reaches(v3, v128.load(threshold + 48), resets));
    let to = u;
    let from = current;
    let place = bit;
    let k = steps;
    do {
      let theta = v128.load(threshold);
      v0 = inline.always(membrane(way, v0, f0, v128.load(from), v128.load(beta), theta, value, cuts));
      v128.store(to, v0);
      f0 = inline.always(reaches(v0, theta, floors));
      theta = v128.load(threshold + 16);
      v1 = inline.always(membrane(way, v1, f1, v128.load(from + 16), v128.load(beta + 16), theta, value, cuts));
      v128.store(to + 16, v1);
      f1 = inline.always(reaches(v1, theta, floors));
      theta = v128.load(threshold + 32);
      v2 = inline.always(membrane(way, v2, f2, v128.load(from + 32), v128.load(beta + 32), theta, value, cuts));
      v128.store(to + 32, v2);
      f2 = inline.always(reaches(v2, theta, floors));
      theta = v128.load(threshold + 48);
      v3 = inline.always(membrane(way, v3, f3, v128.load(from + 48), v128.load(beta + 48), theta, value, cuts));
      v128.store(to + 48, v3);
      f3 = inline.always(reaches(v3, theta, floors));
      const word = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(f0, f1), i16x8.narrow_i32x4_s(f2, f3)));
      if ((place & 15) == 0) store<u16>(s + (<usize>place >> 3), word);
      else setBits(s, place, word);
      to += uBytes;
      from += currentBytes;
      place += size;
    } while (--k != 0);
    bit += 16;
    u += 64;
    p += pBytes;
    current += 64;
    beta += betaBytes;
    threshold += thetaBytes;
  }
}

/** Fewer than sixteen columns, four or one at a time. */
function stepsOfTail(
  way: i32,
  u: usize,
  s: usize,
  p: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  bit: i32,
  n: i32,
  size: i32,
  steps: i32,
  uBytes: usize,
  pBytes: usize,
  currentBytes: usize,
  betaBytes: usize,
  thetaBytes: usize,
  floor: f32,
  resetFloor: f32,
  cut: bool,
  resetValue: f32,
): void {
  const value = f32x4.splat(resetValue);
  const floors = f32x4.splat(floor);
  const cuts = i32x4.splat(cut ? -1 : 0);
  do {
    const four = n >= 4;
    const b = loadSome(beta, four);
    const theta = loadSome(threshold, four);
    let v = loadSome(p, four);
    let fired = inline.always(reaches(v, theta, f32x4.splat(resetFloor)));
    let to = u;
    let from = current;
    let place = bit;
    let k = steps;
    do {
      v = inline.always(membrane(way, v, fired, loadSome(from, four), b, theta, value, cuts));
      storeSome(to, four, v);
      fired = inline.always(reaches(v, theta, floors));
      setBits(s, place, i32x4.bitmask(fired) & (four ? 15 : 1));
      to += uBytes;
      from += currentBytes;
      place += size;
    } while (--k != 0);
    const part = four ? 2 : 4;
    bit += 16 >> part;
    u += 64 >> part;
    p += pBytes >> part;
    current += 64 >> part;
    beta += betaBytes >> part;
    threshold += thetaBytes >> part;
    n -= 16 >> part;
  } while (n != 0);
}

/** The value at p sixteen times, in a place of its own. */
export function repeated(slot: usize, p: usize): usize {
  const to = shared + (slot << 6);
  const lanes = v128.load32_splat(p);
  for (let i: usize = 0; i < 64; i += 16) v128.store(to + i, lanes);
  return to;
}

export function reaches(v: v128, theta: v128, floor: v128): v128 {
  return f32x4.ge(f32x4.sub(v, theta), floor);
}

/** β·Z(v) + I, less θ afterwards where the reset comes late. */
function membrane(way: i32, v: v128, fired: v128, input: v128, beta: v128, theta: v128, value: v128, cuts: v128): v128 {
  if (way == NOW) v = f32x4.sub(v, v128.and(fired, theta));
  if (way == TO_VALUE) v = v128.bitselect(value, v, v128.and(fired, cuts));
  const x = f32x4.add(f32x4.mul(beta, v), input);
  return way == LATER ? f32x4.sub(x, v128.and(fired, theta)) : x;
}
