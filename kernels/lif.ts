/**
 * Plain leaky integrate-and-fire neurons over time, the whole loop in one call.
 *
 *   Z(v) = reset of v: v − θ ("subtract"), resetValue ("zero") or v ("none")
 *
 *   reset at once     u[t] = β·v[t−1] + I[t]     s[t] = fire(u[t] − θ)     v[t] = s[t] ? Z(u[t]) : u[t]
 *   reset delayed     v[t] = u[t], and a state that fires is reset at the start of the next step
 *                     ("subtract" subtracts θ after the decay: u = β·v + I − θ)
 *
 * The loop writes only u and the bits of s. Step t does not need v[t−1]: it reads u[t−1] and compares it with θ again.
 * If the caller wants v, it is computed from u after the loop. Arrays are [T, rows, n]. β and θ have a value per column
 * (address step 1) or one value for all columns (address step 0).
 *
 * lif-back.ts computes the gradient. Neurons with a rest, a scale, refractory steps or learned parameters are compiled
 * from their step instead. A neuron that both can compute gets the same bits from both.
 *
 * A step sweeps over whole rows, sixteen columns at a time, so that the processor prefetches its three streams. If a
 * cache cannot hold u[t−1] of a whole step, two steps alternate: each computes the same piece of columns. With more
 * steps or smaller pieces, streams at a distance of a power of two evict each other.
 */

import { setBits } from "./bits";
import { NO_RESET, SUBTRACT } from "./kinds";
import { loadSome, storeSome, word } from "./lanes";
import * as layout from "./lif-layout";

/** Kinds of reset: to a value, by −θ before the decay, by −θ after the decay. */
const TO_VALUE = 0;
const NOW = 1;
const LATER = 2;
/** The kind of reset of neurons that do not fire. */
const NEVER = 3;

/**
 * Largest number of neurons whose state a cache keeps from one step to the next. Above it, two steps alternate on
 * pieces of 512 columns.
 */
const MANY = 65536;
const COLUMNS = 512;

const zeros = memory.data(64, 16);
/** Four times 1, and four times −0. Adding −0 changes no bit of a number. */
export const ones = memory.data<f32>([1, 1, 1, 1], 16);
export const minusZeros = memory.data<u32>([0x80000000, 0x80000000, 0x80000000, 0x80000000], 16);
/** β and θ that all columns share, four copies of each. */
const shared = memory.data(32, 16);

/** Variables that all sweeps of a call share: the spikes, β and θ with their steps, and how a neuron resets. */
let spikes: usize = 0;
let betas: usize = 0;
let thetas: usize = 0;
let betaStep: usize = 0;
let thetaStep: usize = 0;
let way: i32 = NOW;
/** Whether a sweep first resets the neurons whose starting state fires. */
let resets: bool = false;
let resetTo: f32 = 0;
/** All bits set if a neuron fires only above θ, else 0. */
let above: i32 = 0;

/**
 * Plain leaky integrate-and-fire neurons over time, from the state v[−1] on:
 *
 *   u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ (strict: >) else 0     v[t] = u[t] after the reset
 *
 * The descriptor has the words of `LIFDescriptor`, in the order of lif-layout.ts. Writes u and v [T, rows, n], the bits of s, and the last
 * v [rows, n]. Reads the current [T, rows, n], or [rows, n] if its step is 0, and the state `from` [rows, n]. The address 0 of `from` means
 * zeros; that of s means a leaky integrator, without spikes and reset. If the address of the current is 0, u is given, and only v is
 * computed. If the step of u is 0, u is [rows, n] and holds the last step. u may overlap the current, or `from` if the step of u is 0. v
 * may overlap u of all steps. The last v may overlap `from`, or u [rows, n]. With `stepAll`, the rows are a part of a step of `stepAll`
 * values, so the next step of v and of the bits begins `stepAll` values later. The caller has cleared the bits that share a word with
 * another part.
 */
// @costs layout.T * size
// @let size = layout.rows * layout.n, columns = layout.stepBeta + layout.stepThreshold
// @cut size by columns ? 32 * layout.n / even(layout.n) : 32 if size % 32 == 0 && layout.stepAll == 0 → layout.u, layout.from,
//   layout.current, layout.v, layout.last, layout.spikes / 32, layout.rows = columns ? (high - low) / layout.n : 1, layout.n = columns ?
//   layout.n : high - low, layout.stepAll = size
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
  // With shared parameters, all rows together are one row.
  if ((betaStep | thetaStep) == 0) n = size;
  if (spikes != 0 && !isPart) clearBits(spikes, T * size);
  // If steps begin at a word boundary, no word belongs to two parts, and this call clears its own words.
  const cleared = spikes != 0 && isPart && (step & 31) == 0 ? T : 0;
  for (let t = 0; t < cleared; t++) memory.fill(spikes + <usize>((t * step) >> 3), 0, <usize>((size >> 5) << 2));
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

/** Sets n bits to 0, and the rest of the last word. */
function clearBits(bits: usize, n: i32): void {
  // For the few neurons of a small step, memory.fill takes longer than two stores.
  if (n <= 64) {
    if (n > 0) store<u32>(bits, 0);
    if (n > 32) store<u32>(bits, 0, 4);
  } else memory.fill(bits, 0, (<usize>(n + 31) >> 5) << 2);
}

/**
 * The address of one value per column, p. If the step is 0, one value at p is for all columns: writes four copies of it
 * to `to`.
 */
export function columnsAt(to: usize, p: usize, step: usize): usize {
  if (step != 0) return p;
  v128.store(to, v128.load32_splat(p));
  return to;
}

/** Number of steps that compute one piece of columns before the next piece begins, for a step of `size` neurons. */
export function stepsTogether(size: i32): i32 {
  return size > MANY ? 2 : 1;
}

export function columnsTogether(size: i32, n: i32): i32 {
  return size > MANY ? min(n, COLUMNS) : n;
}

/**
 * Computes one step of columns j … j + n − 1 of a row, from the state at p. `place` is the number of their first bit of
 * spikes.
 */
function sweep(u: usize, p: usize, current: usize, place: i32, j: i32, n: i32): void {
  // `sweep16` always writes spikes: a test for it would cost a tenth of the time with β and θ per column.
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

/** All bits set if the state at the start of a sweep is not reset, else 0. */
function staying(): v128 {
  return i32x4.splat(resets ? 0 : -1);
}

/**
 * Computes groups of sixteen columns. The compiler copies it for each kind of reset with shared β and θ, and once for
 * columns with their `own`.
 */
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

/** `sweep4` for four columns with their own β and θ, at these addresses. */
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
 * Computes n columns from column j and bit `place` on, four or one at a time. Their state stays in a register over T steps. From one step
 * to the next, u and the current advance by these bytes and the bits by `size`. p and `last`: the addresses of the state before and after,
 * or 0. With `isReset`, the state before is reset first where it has fired, and the state after is stored without a reset.
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
 * The least u that fires: θ, or the next float32 above θ if all bits of `up` are set (neurons that fire only above θ).
 */
function leastFiring(theta: v128, up: v128): v128 {
  const x = f32x4.add(theta, i32x4.splat(0)); // 0 for −0
  return i32x4.add(x, v128.and(v128.or(i32x4.shr_s(x, 31), i32x4.splat(1)), up));
}

/** β·Z(v) + I, minus θ for a reset after the decay. v is reset unless it is less than `reset`, which may be NaN. */
function membrane(way: i32, v: v128, input: v128, beta: v128, theta: v128, reset: v128, value: v128): v128 {
  const fired = f32x4.ge(v, reset);
  const x = f32x4.add(f32x4.mul(beta, inline.always(afterReset(way, v, fired, theta, value))), input);
  return way == LATER ? f32x4.sub(x, v128.and(fired, theta)) : x;
}

/**
 * The state after a reset of the neurons that have fired: v − θ, or the value. For a reset after the decay, v itself.
 */
function afterReset(way: i32, v: v128, fired: v128, theta: v128, value: v128): v128 {
  if (way == NOW) return f32x4.sub(v, v128.and(fired, theta));
  return way == TO_VALUE ? v128.bitselect(value, v, fired) : v;
}

/**
 * to ← β·x + y for n columns: a neuron that does not fire, or its gradient. After four columns each address advances by
 * its step: 16 bytes, or 0 if all columns share four lanes.
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
