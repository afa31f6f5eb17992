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
const ALL_BITS = memory.data<u32>([0xffffffff]);
/** β and θ that all columns share, four times each. */
const shared = memory.data(32, 16);

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
  // What all columns share needs no rows.
  if ((stepBeta | stepThreshold) == 0) n = size;
  if (stepBeta == 0) beta = repeated(shared, beta);
  if (stepThreshold == 0) threshold = repeated(shared + 16, threshold);
  const uBytes = (<usize>stepU) << 2;
  const stepBytes = (<usize>size) << 2;
  const way = reset == SUBTRACT ? (delayed != 0 ? LATER : NOW) : TO_VALUE;
  memory.fill(s, 0, (<usize>(T * size + 31) >> 5) << 2);
  const together = stepsTogether(size);
  const width = columnsTogether(size, n);
  for (let start = 0; start < T; start += together) {
    const end = min(T, start + together);
    for (let i = 0; i < size; i += n) {
      for (let j = 0; j < n; j += width) {
        const o = (<usize>(i + j)) << 2;
        for (let t = start; t < end; t++) {
          const to = u + <usize>t * uBytes + o;
          const p = t > 0 ? to - uBytes : zeros;
          sweep(
            way,
            to,
            s,
            p,
            current + <usize>t * stepBytes + o,
            beta + ((<usize>(j * stepBeta)) << 2),
            threshold + ((<usize>(j * stepThreshold)) << 2),
            t * size + i + j,
            min(width, n - j),
            p == zeros ? 0 : 64,
            stepBeta,
            stepThreshold,
            strict,
            reset != 0 && (t > 0 || delayed != 0),
            resetValue,
          );
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

/** One step of one row from the state at p on; pBytes lie between sixteen columns of that, or 0. */
function sweep(
  way: i32,
  u: usize,
  s: usize,
  p: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  bit: i32,
  n: i32,
  pBytes: usize,
  stepBeta: i32,
  stepThreshold: i32,
  strict: i32,
  pending: bool,
  resetValue: f32,
): void {
  const up = strict != 0 ? v128.load32_splat(ALL_BITS) : i32x4.splat(0);
  const settled = pending ? i32x4.splat(0) : v128.load32_splat(ALL_BITS);
  const value = f32x4.splat(resetValue);
  const whole = n >> 4;
  const betaBytes = (<usize>stepBeta) << 4;
  const thetaBytes = (<usize>stepThreshold) << 4;
  if (whole > 0) {
    if ((stepBeta | stepThreshold) != 0)
      inline.always(
        sweep16(
          true,
          way,
          u,
          s,
          p,
          current,
          beta,
          threshold,
          bit,
          whole,
          pBytes,
          betaBytes,
          thetaBytes,
          up,
          settled,
          value,
        ),
      );
    else if (way == NOW)
      inline.always(
        sweep16(false, NOW, u, s, p, current, beta, threshold, bit, whole, pBytes, 0, 0, up, settled, value),
      );
    else if (way == LATER)
      inline.always(
        sweep16(false, LATER, u, s, p, current, beta, threshold, bit, whole, pBytes, 0, 0, up, settled, value),
      );
    else
      inline.always(
        sweep16(false, TO_VALUE, u, s, p, current, beta, threshold, bit, whole, pBytes, 0, 0, up, settled, value),
      );
  }
  if ((n & 15) == 0) return;
  const o = (<usize>whole) << 6;
  sweepSome(
    way,
    u + o,
    s,
    p + <usize>whole * pBytes,
    current + o,
    beta + o * stepBeta,
    threshold + o * stepThreshold,
    bit + (n & ~15),
    n & 15,
    pBytes,
    stepBeta,
    stepThreshold,
    up,
    settled,
    value,
  );
}

/**
 * Sixteens of columns. One copy for each constant way to reset where they share β and θ, and one for those that have their `own`,
 * of which four lie betaBytes and thetaBytes apart.
 */
function sweep16(
  own: bool,
  way: i32,
  u: usize,
  s: usize,
  p: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  bit: i32,
  sixteens: i32,
  pBytes: usize,
  betaBytes: usize,
  thetaBytes: usize,
  up: v128,
  settled: v128,
  value: v128,
): void {
  const b = v128.load(beta);
  const theta = v128.load(threshold);
  const fire = inline.always(leastFiring(theta, up));
  const reset = v128.or(fire, settled);
  bit -= 16;
  u -= 64;
  p -= pBytes;
  current -= 64;
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

/** Any number of columns, four or one at a time, each with its own β and θ if their steps are 1. */
function sweepSome(
  way: i32,
  u: usize,
  s: usize,
  p: usize,
  current: usize,
  beta: usize,
  threshold: usize,
  bit: i32,
  n: i32,
  pBytes: usize,
  stepBeta: i32,
  stepThreshold: i32,
  up: v128,
  settled: v128,
  value: v128,
): void {
  let word: u32 = 0;
  let filled = 0;
  while (n > 0) {
    const four = n >= 4;
    const count = four ? 4 : 1;
    const b = stepBeta == 0 ? v128.load32_splat(beta) : loadSome(beta, four);
    const theta = stepThreshold == 0 ? v128.load32_splat(threshold) : loadSome(threshold, four);
    const fire = inline.always(leastFiring(theta, up));
    const x = loadSome(p, four);
    const input = loadSome(current, four);
    const reset = v128.or(fire, settled);
    const fired = f32x4.ge(x, reset);
    const off = v128.and(fired, theta);
    let v = x;
    if (way == NOW) v = f32x4.sub(x, off);
    if (way == TO_VALUE) v = v128.bitselect(value, x, fired);
    v = f32x4.add(f32x4.mul(b, v), input);
    if (way == LATER) v = f32x4.sub(v, off);
    storeSome(u, four, v);
    word |= (<u32>i32x4.bitmask(f32x4.ge(v, fire)) & ((1 << count) - 1)) << filled;
    filled += count;
    n -= count;
    if (filled > 12 || n == 0) {
      inline.always(setBits(s, bit, word));
      bit += filled;
      word = 0;
      filled = 0;
    }
    const bytes = (<usize>count) << 2;
    u += bytes;
    p += pBytes == 0 ? 0 : bytes;
    current += bytes;
    beta += bytes * stepBeta;
    threshold += bytes * stepThreshold;
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
