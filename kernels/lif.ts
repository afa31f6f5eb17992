/**
 * Plain leaky integrate-and-fire neurons over time, the whole loop in one call.
 *
 *   Z(v) = reset of v: v − θ ("subtract"), resetValue ("zero") or v ("none")
 *
 *   reset at once     u[t] = β·v[t−1] + I[t]     s[t] = fire(u[t] − θ)     v[t] = s[t] ? Z(u[t]) : u[t]
 *   reset delayed     the same with v[t] = u[t], and a state that fires is reset at the start of the next step
 *                     ("subtract" takes θ off after the decay: u = β·v + I − θ)
 *
 * The history is the state: step t reads u[t−1] and finds again what fired, so that only u and the bits of s, the result,
 * are written. Arrays are [T, rows, n] with β and θ per column (step 1) or one for all (step 0).
 *
 * lif-back.ts has the gradient. Neurons with rest, scale, refractory steps or learned parameters are compiled from their step, with
 * the same bits where both compute the same.
 *
 * A step sweeps over whole rows, sixteen columns at a time: three streams that a processor fetches ahead of their use. Where
 * rows are too long for a cache to hold u[t−1], pieces of two steps take turns; with more steps, or interleaved more
 * finely, streams that lie a power of two apart evict each other.
 */

import { setBits } from "./bits";
import { SUBTRACT } from "./kinds";
import { loadSome, storeSome } from "./lanes";

/** Ways to reset: to a value, by θ before the decay or after it. */
const TO_VALUE = 0;
const NOW = 1;
const LATER = 2;

/** More neurons than this do not stay in a cache from one step to the next: two steps at a time pass over so many columns. */
const MANY = 65536;
const COLUMNS = 512;

/** Sixteen columns of a state of zeros. */
const zeros = memory.data(64, 16);
/** β and θ that all columns share, four times each. */
const shared = memory.data(32, 16);

/** What all sweeps of a call share: the spikes and currents, β and θ with their steps, and how a neuron resets. */
let spikes: usize = 0;
let currents: usize = 0;
let betas: usize = 0;
let thetas: usize = 0;
let betaStep: usize = 0;
let thetaStep: usize = 0;
let way: i32 = NOW;
let resets: bool = false;
let resetsFirst: bool = false;
let resetTo: f32 = 0;
/** All bits where only what is above θ fires. */
let above: i32 = 0;

/**
 * Plain leaky integrate-and-fire neurons over time:
 *
 *   u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ (strict: >) else 0     v[t] = u[t] after the reset
 *
 * u [T, rows, n] and the stream of bits s ← from current [T, rows, n] and v = 0; u may lie over the current. stepU = rows·n, or 0
 * where only the last step of u is wanted.
 */
export function lifForward(
  u: usize,
  s: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepU: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  delayed: i32,
  strict: i32,
  resetValue: f32,
): void {
  const size = rows * n;
  spikes = s;
  currents = current;
  betas = stepBeta == 0 ? repeated(shared, beta) : beta;
  thetas = stepThreshold == 0 ? repeated(shared + 16, threshold) : threshold;
  betaStep = stepBeta;
  thetaStep = stepThreshold;
  way = reset == SUBTRACT ? (delayed != 0 ? LATER : NOW) : TO_VALUE;
  resets = reset != 0;
  resetsFirst = resets && delayed != 0;
  resetTo = resetValue;
  above = -strict;
  // What all columns share needs no rows.
  if ((stepBeta | stepThreshold) == 0) n = size;
  const uBytes = (<usize>stepU) << 2;
  memory.fill(s, 0, (<usize>(T * size + 31) >> 5) << 2);
  const together = stepsTogether(size);
  const width = columnsTogether(size, n);
  for (let start = 0; start < T; start += together) {
    const end = min(T, start + together);
    for (let i = 0; i < size; i += n) {
      for (let j = 0; j < n; j += width) {
        for (let t = start; t < end; t++) {
          const to = u + <usize>t * uBytes + ((<usize>(i + j)) << 2);
          sweep(to, t > 0 ? to - uBytes : zeros, t * size + i + j, j, min(width, n - j));
        }
      }
    }
  }
}

/** The value at p four times. */
export function repeated(to: usize, p: usize): usize {
  v128.store(to, v128.load32_splat(p));
  return to;
}

/** Steps that pass over some columns before these pass to the next ones, where a step has so many neurons. */
export function stepsTogether(size: i32): i32 {
  return size > MANY ? 2 : 1;
}

export function columnsTogether(size: i32, n: i32): i32 {
  return size > MANY ? min(n, COLUMNS) : n;
}

/** Columns j … j + n − 1 of a row in one step, from the state at p on; their currents and spikes are from number `place` on. */
function sweep(u: usize, p: usize, place: i32, j: i32, n: i32): void {
  if (n >= 16) {
    if ((betaStep | thetaStep) != 0) inline.always(sweep16(true, way, u, p, place, j, n >> 4));
    else if (way == NOW) inline.always(sweep16(false, NOW, u, p, place, j, n >> 4));
    else if (way == LATER) inline.always(sweep16(false, LATER, u, p, place, j, n >> 4));
    else inline.always(sweep16(false, TO_VALUE, u, p, place, j, n >> 4));
  }
  const done = n & ~15;
  const o = (<usize>done) << 2;
  if (done < n) sweepSome(u + o, p == zeros ? p : p + o, place + done, j + done, n - done);
}

/** All bits where the state at p does not reset. */
function settledAt(p: usize): v128 {
  return i32x4.splat(resets && (p != zeros || resetsFirst) ? 0 : -1);
}

/** Sixteens of columns. One copy for each constant way to reset where they share β and θ, and one for those that have their `own`. */
function sweep16(own: bool, way: i32, u: usize, p: usize, place: i32, j: i32, sixteens: i32): void {
  const s = spikes;
  const up = i32x4.splat(above);
  const settled = settledAt(p);
  const value = f32x4.splat(resetTo);
  const pBytes: usize = p == zeros ? 0 : 64;
  const betaBytes = betaStep << 4;
  const thetaBytes = thetaStep << 4;
  let beta = betas + ((<usize>j * betaStep) << 2);
  let threshold = thetas + ((<usize>j * thetaStep) << 2);
  let current = currents + ((<usize>place) << 2) - 64;
  let bit = place - 16;
  const b = v128.load(beta);
  const theta = v128.load(threshold);
  const fire = inline.always(leastFiring(theta, up));
  const reset = v128.or(fire, settled);
  u -= 64;
  p -= pBytes;
  do {
    bit += 16;
    u += 64;
    p += pBytes;
    current += 64;
    let s0: v128, s1: v128, s2: v128, s3: v128;
    if (own) {
      s0 = inline.always(sweep4Own(way, u, p, current, beta, threshold, up, settled, value));
      beta += betaBytes;
      threshold += thetaBytes;
      s1 = inline.always(sweep4Own(way, u + 16, p + 16, current + 16, beta, threshold, up, settled, value));
      beta += betaBytes;
      threshold += thetaBytes;
      s2 = inline.always(sweep4Own(way, u + 32, p + 32, current + 32, beta, threshold, up, settled, value));
      beta += betaBytes;
      threshold += thetaBytes;
      s3 = inline.always(sweep4Own(way, u + 48, p + 48, current + 48, beta, threshold, up, settled, value));
      beta += betaBytes;
      threshold += thetaBytes;
    } else {
      s0 = inline.always(sweep4(way, u, p, current, b, theta, fire, reset, value));
      s1 = inline.always(sweep4(way, u + 16, p + 16, current + 16, b, theta, fire, reset, value));
      s2 = inline.always(sweep4(way, u + 32, p + 32, current + 32, b, theta, fire, reset, value));
      s3 = inline.always(sweep4(way, u + 48, p + 48, current + 48, b, theta, fire, reset, value));
    }
    const low = i16x8.narrow_i32x4_s(s0, s1);
    const word = i8x16.bitmask(i8x16.narrow_i16x8_s(low, i16x8.narrow_i32x4_s(s2, s3)));
    if ((bit & 15) == 0) store<u16>(s + (<usize>bit >> 3), word);
    else inline.always(setBits(s, bit, word));
  } while (--sixteens != 0);
}

/** u ← the membranes of four columns; returns which of them fire. */
function sweep4(
  way: i32,
  u: usize,
  p: usize,
  current: usize,
  beta: v128,
  theta: v128,
  fire: v128,
  reset: v128,
  value: v128,
): v128 {
  const x = inline.always(membrane(way, v128.load(p), v128.load(current), beta, theta, reset, value));
  v128.store(u, x);
  return f32x4.ge(x, fire);
}

/** The same where four columns have their own β and θ, which lie at these addresses. */
function sweep4Own(
  way: i32,
  u: usize,
  p: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  up: v128,
  settled: v128,
  value: v128,
): v128 {
  const theta = v128.load(threshold);
  const fire = inline.always(leastFiring(theta, up));
  const reset = v128.or(fire, settled);
  return inline.always(sweep4(way, u, p, current, v128.load(beta), theta, fire, reset, value));
}

/** Any number of columns, four or one at a time. */
function sweepSome(u: usize, p: usize, place: i32, j: i32, n: i32): void {
  const up = i32x4.splat(above);
  const settled = settledAt(p);
  const value = f32x4.splat(resetTo);
  let beta = betas + ((<usize>j * betaStep) << 2);
  let threshold = thetas + ((<usize>j * thetaStep) << 2);
  let current = currents + ((<usize>place) << 2);
  const pStep: usize = p == zeros ? 0 : 1;
  let word: u32 = 0;
  let filled = 0;
  while (n > 0) {
    const four = n >= 4;
    const count = four ? 4 : 1;
    const theta = loadSome(threshold, four);
    const fire = inline.always(leastFiring(theta, up));
    const reset = v128.or(fire, settled);
    const b = loadSome(beta, four);
    const x = inline.always(membrane(way, loadSome(p, four), loadSome(current, four), b, theta, reset, value));
    storeSome(u, four, x);
    word |= (<u32>i32x4.bitmask(f32x4.ge(x, fire)) & ((1 << count) - 1)) << filled;
    filled += count;
    n -= count;
    if (filled > 12 || n == 0) {
      inline.always(setBits(spikes, place, word));
      place += filled;
      word = 0;
      filled = 0;
    }
    const bytes = (<usize>count) << 2;
    u += bytes;
    p += bytes * pStep;
    current += bytes;
    beta += bytes * betaStep;
    threshold += bytes * thetaStep;
  }
}

/** The least u that fires: θ, or where only what is above it does (all bits of `up` are set) the next float32 after it. */
function leastFiring(theta: v128, up: v128): v128 {
  const x = f32x4.add(theta, i32x4.splat(0)); // 0 for −0
  return i32x4.add(x, v128.and(v128.or(i32x4.shr_s(x, 31), i32x4.splat(1)), up));
}

/** β·Z(v) + I, less θ afterwards where the reset comes late; v is reset where it is not less than `reset`, which may be NaN. */
function membrane(way: i32, v: v128, input: v128, beta: v128, theta: v128, reset: v128, value: v128): v128 {
  const fired = f32x4.ge(v, reset);
  if (way == NOW) v = f32x4.sub(v, v128.and(fired, theta));
  if (way == TO_VALUE) v = v128.bitselect(value, v, fired);
  const x = f32x4.add(f32x4.mul(beta, v), input);
  return way == LATER ? f32x4.sub(x, v128.and(fired, theta)) : x;
}
