/**
 * Plain leaky integrate-and-fire neurons over time, the whole loop in one call.
 *
 *   Z(v) = reset of v: v − θ ("subtract"), resetValue ("zero") or v ("none")
 *
 *   reset at once     u[t] = β·v[t−1] + I[t]     s[t] = fire(u[t] − θ)     v[t] = s[t] ? Z(u[t]) : u[t]
 *   reset delayed     the same with v[t] = u[t], and a state that fires is reset at the start of the next step
 *                     ("subtract" takes θ off after the decay: u = β·v + I − θ)
 *
 * The history is the state: step t reads u[t−1] and compares it with θ again, so that only u and the bits of s, the
 * result, are written; v is made of u behind the loop, where it is wanted. Arrays are [T, rows, n] with β and θ per
 * column (step 1) or one for all (step 0).
 *
 * lif-back.ts has the gradient. Neurons with rest, scale, refractory steps or learned parameters are compiled from their step, with
 * the same bits where both compute the same.
 *
 * A step sweeps over whole rows, sixteen columns at a time: three streams that a processor fetches ahead of their use. Where
 * rows are too long for a cache to hold u[t−1], pieces of two steps take turns; with more steps, or interleaved more
 * finely, streams that lie a power of two apart evict each other.
 */

import { setBits } from "./bits";
import { NO_RESET, SUBTRACT } from "./kinds";
import { loadSome, storeSome, word } from "./lanes";
import * as layout from "./lif-layout";

/** Ways to reset: to a value, by θ before the decay or after it. */
const TO_VALUE = 0;
const NOW = 1;
const LATER = 2;
/** The way of neurons that do not fire. */
const NEVER = 3;

/**
 * More neurons than this do not stay in a cache from one step to the next: two steps at a time pass over pieces of
 * columns.
 */
const MANY = 65536;
const COLUMNS = 512;

/** Sixteen columns of a state of zeros. */
const zeros = memory.data(64, 16);
/** Four times 1, and −0, which changes no bit of a number that it is added to. */
export const ones = memory.data<f32>([1, 1, 1, 1], 16);
export const nothing = memory.data<u32>([0x80000000, 0x80000000, 0x80000000, 0x80000000], 16);
/** β and θ that all columns share, four times each. */
const shared = memory.data(32, 16);

/** Variables that all sweeps of a call share: the spikes, β and θ with their steps, and how a neuron resets. */
let spikes: usize = 0;
let betas: usize = 0;
let thetas: usize = 0;
let betaStep: usize = 0;
let thetaStep: usize = 0;
let way: i32 = NOW;
/** Whether the state that a sweep starts from resets where it fires. */
let resets: bool = false;
let resetTo: f32 = 0;
/** All bits where a neuron fires only above θ. */
let above: i32 = 0;

/**
 * Plain leaky integrate-and-fire neurons over time, from the state v[−1] on:
 *
 *   u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ (strict: >) else 0     v[t] = u[t] after the reset
 *
 * The descriptor has the words of `LIFDescriptor`, in the order of lif-layout.ts. u and v [T, rows, n], the stream of bits s, and the last
 * v [rows, n] ← from current [T, rows, n], or [rows, n] with a step of 0, and `from` [rows, n], or 0 for zeros. With a step of 0 u is
 * [rows, n], of the last step.
 * Where s is 0 no bits are written, and without a reset this is a leaky integrator. Where the current is 0 u is read, and v made of it.
 * u may lie over the current, or with a step of 0 over `from`; v over u, of which it needs all steps; and the last v over `from`, or over
 * u [rows, n]. With `stepAll` the rows are a part of those of a step: v and the bits go on so many values later, and the bits are 0 already.
 */
export function lifForward(descriptor: usize): void {
  const T = word(descriptor, layout.T);
  const rows = word(descriptor, layout.rows);
  let n = word(descriptor, layout.n);
  const u: usize = word(descriptor, layout.u);
  const from: usize = word(descriptor, layout.from);
  const current: usize = word(descriptor, layout.current);
  const v: usize = word(descriptor, layout.v);
  const last: usize = word(descriptor, layout.last);
  const reset = word(descriptor, layout.reset);
  const delayed = word(descriptor, layout.delayed) != 0;
  const uBytes = (<usize>word(descriptor, layout.stepU)) << 2;
  const currentBytes = (<usize>word(descriptor, layout.stepCurrent)) << 2;
  const size = rows * n;
  const stepAll = word(descriptor, layout.stepAll);
  const isPart = stepAll != 0;
  const step = isPart ? stepAll : size;
  spikes = word(descriptor, layout.spikes);
  betaStep = word(descriptor, layout.stepBeta);
  thetaStep = word(descriptor, layout.stepThreshold);
  betas = columnsAt(shared, word(descriptor, layout.beta), betaStep);
  thetas = columnsAt(shared + 16, word(descriptor, layout.threshold), thetaStep);
  way = reset == SUBTRACT ? (delayed ? LATER : NOW) : TO_VALUE;
  if (reset == NO_RESET && spikes == 0) way = NEVER;
  resetTo = load<f32>(descriptor + (layout.resetValue << 2));
  above = -word(descriptor, layout.strict);
  // Parameters that all columns share need no rows.
  if ((betaStep | thetaStep) == 0) n = size;
  if (spikes != 0 && !isPart) clearBits(spikes, T * size);
  const together = stepsTogether(size);
  const width = columnsTogether(size, n);
  const isSmall = size <= 16 && current != 0 && way != NEVER && !isPart;
  if (isSmall) {
    resets = reset != NO_RESET;
    for (let i = 0; i < size; i += n) {
      const o = (<usize>i) << 2;
      const first = from != 0 ? from + o : 0;
      const end = last != 0 ? last + o : 0;
      someColumns(u + o, uBytes, first, current + o, currentBytes, end, i, 0, n, T, size, delayed);
    }
  }
  const steps = current != 0 && !isSmall ? T : 0;
  for (let start = 0; start < steps; start += together) {
    const end = min(T, start + together);
    for (let i = 0; i < size; i += n) {
      for (let j = 0; j < n; j += width) {
        const o = (<usize>(i + j)) << 2;
        for (let t = start; t < end; t++) {
          const to = u + <usize>t * uBytes + o;
          const p = t > 0 ? to - uBytes : from != 0 ? from + o : zeros;
          const input = current + <usize>t * currentBytes + o;
          const count = min(width, n - j);
          if (way == NEVER) {
            const beta = betas + ((<usize>j * betaStep) << 2);
            decay(to, p, p == zeros ? 0 : 16, input, 16, beta, betaStep << 4, count);
            continue;
          }
          resets = reset != NO_RESET && (t > 0 || delayed);
          sweep(to, p, input, t * step + i + j, j, count);
        }
      }
    }
  }
  resets = reset != NO_RESET && !delayed;
  if (last != 0 && !isSmall) settle(last, u + <usize>(T - 1) * uBytes, size, n);
  assert(v == 0 || T == 1 || uBytes == (<usize>step) << 2);
  if (v == 0) return;
  if (!isPart) settle(v, u, T * size, n);
  else for (let t = 0; t < T; t++) settle(v + <usize>t * uBytes, u + <usize>t * uBytes, size, n);
}

/** Sets n bits to 0, and the bits behind them in the last word. */
function clearBits(bits: usize, n: i32): void {
  // A call of the platform takes longer than a step of a few neurons.
  if (n <= 64) {
    if (n > 0) store<u32>(bits, 0);
    if (n > 32) store<u32>(bits, 0, 4);
  } else memory.fill(bits, 0, (<usize>(n + 31) >> 5) << 2);
}

/** The values at p, one a column; of one for all columns, which has the step 0, four copies, at `to`. */
export function columnsAt(to: usize, p: usize, step: usize): usize {
  if (step != 0) return p;
  v128.store(to, v128.load32_splat(p));
  return to;
}

/** Steps that pass over some columns before these pass to the next ones, for a step of `size` neurons. */
export function stepsTogether(size: i32): i32 {
  return size > MANY ? 2 : 1;
}

export function columnsTogether(size: i32, n: i32): i32 {
  return size > MANY ? min(n, COLUMNS) : n;
}

/** Columns j … j + n − 1 of a row in one step, from the state at p on; their spikes are from number `place` on. */
function sweep(u: usize, p: usize, current: usize, place: i32, j: i32, n: i32): void {
  // The loop over sixteens does not ask whether it has spikes to write: where columns have their own β and θ that would cost it a tenth.
  if (n >= 16 && spikes != 0) {
    if ((betaStep | thetaStep) != 0) inline.always(sweep16(true, way, u, p, current, place, j, n >> 4));
    else if (way == NOW) inline.always(sweep16(false, NOW, u, p, current, place, j, n >> 4));
    else if (way == LATER) inline.always(sweep16(false, LATER, u, p, current, place, j, n >> 4));
    else inline.always(sweep16(false, TO_VALUE, u, p, current, place, j, n >> 4));
    const done = n & ~15;
    const o = (<usize>done) << 2;
    n -= done;
    if (n == 0) return;
    u += o;
    p += p == zeros ? 0 : o;
    current += o;
    place += done;
    j += done;
  }
  someColumns(u, 0, p == zeros ? 0 : p, current, 0, 0, place, j, n, 1, 0, true);
}

/** All bits where the state that a sweep starts from does not reset. */
function staying(): v128 {
  return i32x4.splat(resets ? 0 : -1);
}

/** Sixteens of columns. One copy for each constant way to reset where they share β and θ, and one for those that have their `own`. */
function sweep16(own: bool, way: i32, u: usize, p: usize, current: usize, place: i32, j: i32, sixteens: i32): void {
  const s = spikes;
  const up = i32x4.splat(above);
  const still = inline.always(staying());
  const value = f32x4.splat(resetTo);
  const pBytes: usize = p == zeros ? 0 : 64;
  const betaBytes = betaStep << 4;
  const thetaBytes = thetaStep << 4;
  let beta = betas + ((<usize>j * betaStep) << 2);
  let threshold = thetas + ((<usize>j * thetaStep) << 2);
  let bit = place - 16;
  const b = v128.load(beta);
  const theta = v128.load(threshold);
  const fire = inline.always(leastFiring(theta, up));
  const reset = v128.or(fire, still);
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
      s0 = inline.always(sweep4Own(way, u, p, current, beta, threshold, up, still, value));
      beta += betaBytes;
      threshold += thetaBytes;
      s1 = inline.always(sweep4Own(way, u + 16, p + 16, current + 16, beta, threshold, up, still, value));
      beta += betaBytes;
      threshold += thetaBytes;
      s2 = inline.always(sweep4Own(way, u + 32, p + 32, current + 32, beta, threshold, up, still, value));
      beta += betaBytes;
      threshold += thetaBytes;
      s3 = inline.always(sweep4Own(way, u + 48, p + 48, current + 48, beta, threshold, up, still, value));
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
  still: v128,
  value: v128,
): v128 {
  const theta = v128.load(threshold);
  const fire = inline.always(leastFiring(theta, up));
  const reset = v128.or(fire, still);
  return inline.always(sweep4(way, u, p, current, v128.load(beta), theta, fire, reset, value));
}

/**
 * Any number of columns from column j and bit `place` on, four or one at a time, which keep their state in a register over T steps. u, the
 * current and the bits lie so many bytes, and `size` bits, from one step to the next. p and `last`: the state before and after, or 0.
 * `isReset`: the state before is reset where it fires, and the one after is left as it is.
 */
function someColumns(
  u: usize,
  uBytes: usize,
  p: usize,
  current: usize,
  currentBytes: usize,
  last: usize,
  place: i32,
  j: i32,
  n: i32,
  T: i32,
  size: i32,
  isReset: bool,
): void {
  const up = i32x4.splat(above);
  const still = inline.always(staying());
  const value = f32x4.splat(resetTo);
  const s = spikes;
  const how = way;
  const end = j + n;
  while (j < end) {
    const four = end - j >= 4;
    const count = four ? 4 : 1;
    const theta = loadSome(thetas + ((<usize>j * thetaStep) << 2), four);
    const fire = inline.always(leastFiring(theta, up));
    const beta = loadSome(betas + ((<usize>j * betaStep) << 2), four);
    const firing = v128.or(fire, still);
    let reset = isReset ? firing : i32x4.splat(-1);
    let v = loadSome(p == 0 ? zeros : p, four);
    let to = u;
    let input = current;
    let bit = place;
    for (let t = 0; t < T; t++) {
      v = inline.always(membrane(how, v, loadSome(input, four), beta, theta, reset, value));
      storeSome(to, four, v);
      if (s != 0) inline.always(setBits(s, bit, <u32>i32x4.bitmask(f32x4.ge(v, fire)) & ((1 << count) - 1)));
      reset = firing;
      to += uBytes;
      input += currentBytes;
      bit += size;
    }
    const bytes = (<usize>count) << 2;
    if (last != 0) {
      if (!isReset) v = inline.always(afterReset(how, v, f32x4.ge(v, firing), theta, value));
      storeSome(last, four, v);
      last += bytes;
    }
    if (p != 0) p += bytes;
    u += bytes;
    current += bytes;
    place += count;
    j += count;
  }
}

/**
 * The least u that fires: θ, or the next float32 after it where a neuron fires only above θ (all bits of `up` are set).
 */
function leastFiring(theta: v128, up: v128): v128 {
  const x = f32x4.add(theta, i32x4.splat(0)); // 0 for −0
  return i32x4.add(x, v128.and(v128.or(i32x4.shr_s(x, 31), i32x4.splat(1)), up));
}

/** β·Z(v) + I, less θ afterwards where the reset comes late; v is reset where it is not less than `reset`, which may be NaN. */
function membrane(way: i32, v: v128, input: v128, beta: v128, theta: v128, reset: v128, value: v128): v128 {
  const fired = f32x4.ge(v, reset);
  const x = f32x4.add(f32x4.mul(beta, inline.always(afterReset(way, v, fired, theta, value))), input);
  return way == LATER ? f32x4.sub(x, v128.and(fired, theta)) : x;
}

/** v less θ, or the value, where a neuron has fired; as it is where the reset comes after the decay. */
function afterReset(way: i32, v: v128, fired: v128, theta: v128, value: v128): v128 {
  if (way == NOW) return f32x4.sub(v, v128.and(fired, theta));
  return way == TO_VALUE ? v128.bitselect(value, v, fired) : v;
}

/**
 * to ← β·x + y for n columns: a neuron that does not fire, and its gradient. From four columns to the next the addresses grow by 16 bytes,
 * or by 0 where all columns have the same four lanes.
 */
export function decay(
  to: usize,
  x: usize,
  xBytes: usize,
  y: usize,
  yBytes: usize,
  beta: usize,
  betaBytes: usize,
  n: i32,
): void {
  const stop = to + ((<usize>(n & ~3)) << 2);
  if (betaBytes == 0) {
    const b = v128.load(beta);
    for (; to < stop; to += 16, x += xBytes, y += yBytes) {
      v128.store(to, f32x4.add(f32x4.mul(b, v128.load(x)), v128.load(y)));
    }
  } else {
    for (; to < stop; to += 16, x += xBytes, y += yBytes, beta += betaBytes) {
      v128.store(to, f32x4.add(f32x4.mul(v128.load(beta), v128.load(x)), v128.load(y)));
    }
  }
  for (let left = n & 3; left > 0; left--) {
    store<f32>(to, load<f32>(beta) * load<f32>(x) + load<f32>(y));
    to += 4;
    x += xBytes >> 2;
    y += yBytes >> 2;
    beta += betaBytes >> 2;
  }
}

/** v ← u after a reset in the same step, `count` values in rows of n */
function settle(v: usize, u: usize, count: i32, n: i32): void {
  if (!resets) {
    if (v != u) memory.copy(v, u, (<usize>count) << 2);
    return;
  }
  const up = i32x4.splat(above);
  const value = f32x4.splat(resetTo);
  for (let i = 0; i < count; i += n) {
    for (let j = 0; j < n; ) {
      const four = n - j >= 4;
      const theta = loadSome(thetas + ((<usize>j * thetaStep) << 2), four);
      const x = loadSome(u, four);
      const fired = f32x4.ge(x, inline.always(leastFiring(theta, up)));
      storeSome(v, four, inline.always(afterReset(way, x, fired, theta, value)));
      const count = four ? 4 : 1;
      u += (<usize>count) << 2;
      v += (<usize>count) << 2;
      j += count;
    }
  }
}
