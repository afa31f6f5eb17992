/**
 * LIF with every option: resting value, scaled input, steps of holding, gradients of all outputs and parameters, resets that
 * pass gradients. The equations stand in lif.ts; a choice between two cases is a mask here, four lanes at a time.
 */
import { computed, PIECE } from "./derivative";
import { SUBTRACT, ZERO } from "./kinds";
import { loadSome, loadTail, one, storeSome, storeTail } from "./lanes";
import { surrogate } from "./surrogate";

const ALL = memory.data<u32>([0xffffffff]);

const zeros = memory.data(2048, 16);
/** Eight vectors: single values spread over lanes, the inputs and outputs of a tail. */
const scratch = memory.data(128, 16);

/** A neuron fires where u − θ ≥ floor: d > 0 is d ≥ the smallest positive float. */
export function firingFloor(strict: i32): f32 {
  return strict != 0 ? reinterpret<f32>(1) : 0;
}

/** Some of the values from p + o on; zeros where p is 0. */
function loadAt(p: usize, o: usize, four: bool): v128 {
  return p == 0 ? i32x4.splat(0) : loadSome(p + o, four);
}

/** A parameter of the columns from o on: one value for all, or one each. */
function parameterAt(p: usize, step: i32, o: usize, four: bool): v128 {
  return step == 0 ? v128.load32_splat(p) : loadSome(p + o, four);
}

function addAt(p: usize, o: usize, four: bool, lanes: v128): void {
  if (p != 0) storeSome(p + o, four, f32x4.add(loadSome(p + o, four), lanes));
}

function maskIf(condition: bool): v128 {
  return condition ? v128.load32_splat(ALL) : i32x4.splat(0);
}

/**
 * Where a state x is reset before the next step: it reaches the threshold, and it fired in the last step (its counter is
 * full). A delayed reset is judged from the state alone, so it also meets a state that is above when holding ends.
 */
function resetDue(x: v128, theta: v128, floor: v128, left: v128, hold: v128, delayed: v128): v128 {
  const reached = f32x4.ge(f32x4.sub(x, theta), floor);
  const free = v128.and(delayed, f32x4.eq(left, i32x4.splat(0)));
  return v128.and(reached, v128.or(f32x4.eq(left, hold), free));
}

/**
 * Leaky integrate-and-fire neurons with every option over time:
 *
 *   u[t] = rest + β(v[t−1] − rest) + scale·I[t]     s[t] = fire(u[t] − θ)     v[t] = u[t] after the reset
 *
 * and while a neuron is held, for `hold` steps after a spike, u[t] = v[t−1] and s[t] = 0. Delayed resets take place at the
 * start of the next step.
 *
 * u, s, r: [T, rows, n] ← membranes, spikes and counters (steps that the neuron is still held after step t), from current
 * [T, rows, n] (stepCurrent = rows·n, or 0 for one that is constant over time), the state v0 and the counters r0 [rows, n]
 * (0: zeros).
 */
export function lifForwardAny(
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
  resumed: i32,
): void {
  const all = (<usize>rows * <usize>n) << 2;
  const row = (<usize>n) << 2;
  const floor = firingFloor(strict);
  for (let t = 0; t < T; t++) {
    const first = t == 0;
    const pending = !first || (delayed | resumed) != 0;
    for (let b = 0; b < rows; b++) {
      const at = <usize>b * row;
      stepAny(
        u + at,
        s + at,
        r + at,
        first ? (v0 == 0 ? 0 : v0 + at) : u - all + at,
        first ? (r0 == 0 ? 0 : r0 + at) : r - all + at,
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
    u += all;
    s += all;
    r += all;
    current += (<usize>stepCurrent) << 2;
  }
}

/** One step of one row: p, q are state and counter before it (0: zeros). */
function stepAny(
  u: usize,
  s: usize,
  r: usize,
  p: usize,
  q: usize,
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
  rest: f32,
  scale: f32,
  hold: i32,
  pending: bool,
): void {
  const vectors = n & ~3;
  const pStep: usize = p == 0 ? 0 : 16;
  const qStep: usize = q == 0 ? 0 : 16;
  const bStep: usize = stepBeta == 0 ? 0 : 16;
  const tStep: usize = stepThreshold == 0 ? 0 : 16;
  // One value for all columns is spread over a vector once; an absent array reads zeros over and over.
  if (bStep == 0) beta = spread(0, beta);
  if (tStep == 0) threshold = spread(1, threshold);
  if (pStep == 0) p = zeros;
  if (qStep == 0) q = zeros;
  if (vectors > 0) {
    stepWhole(
      u,
      s,
      r,
      p,
      pStep,
      q,
      qStep,
      current,
      beta,
      bStep,
      threshold,
      tStep,
      vectors,
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
  const left = n & 3;
  if (left == 0) return;
  const o = (<usize>vectors) << 2;
  const input = scratchTail(2, current, o, left);
  if (bStep != 0) beta = scratchTail(0, beta, o, left);
  if (tStep != 0) threshold = scratchTail(1, threshold, o, left);
  if (pStep != 0) p = scratchTail(3, p, o, left);
  if (qStep != 0) q = scratchTail(4, q, o, left);
  stepWhole(
    scratch + 80,
    scratch + 96,
    scratch + 112,
    p,
    0,
    q,
    0,
    input,
    beta,
    0,
    threshold,
    0,
    4,
    reset,
    delayed,
    floor,
    resetValue,
    rest,
    scale,
    hold,
    pending,
  );
  storeTail(u + o, left, v128.load(scratch + 80));
  storeTail(s + o, left, v128.load(scratch + 96));
  storeTail(r + o, left, v128.load(scratch + 112));
}

/** Whole vectors of a row; an array with step 0 gives the same vector again and again. */
function stepWhole(
  u: usize,
  s: usize,
  r: usize,
  p: usize,
  pStep: usize,
  q: usize,
  qStep: usize,
  current: usize,
  beta: usize,
  bStep: usize,
  threshold: usize,
  tStep: usize,
  n: i32,
  reset: i32,
  delayed: i32,
  floor: f32,
  resetValue: f32,
  rest: f32,
  scale: f32,
  hold: i32,
  pending: bool,
): void {
  const floors = f32x4.splat(floor);
  const holds = f32x4.splat(<f32>hold);
  const rests = f32x4.splat(rest);
  const scales = f32x4.splat(scale);
  const value = f32x4.splat(resetValue);
  const later = maskIf(delayed != 0);
  const may = maskIf(pending);
  const subtractNow = maskIf(reset == SUBTRACT && delayed == 0);
  const subtractLater = maskIf(reset == SUBTRACT && delayed != 0);
  const zero = maskIf(reset == ZERO);
  do {
    const theta = v128.load(threshold);
    const left = v128.load(q);
    let v = v128.load(p);
    const due = v128.and(may, inline.always(resetDue(v, theta, floors, left, holds, later)));
    const taken = v128.and(due, theta);
    v = f32x4.sub(v, v128.and(taken, subtractNow));
    v = v128.bitselect(value, v, v128.and(due, zero));
    const decayed = f32x4.mul(v128.load(beta), f32x4.sub(v, rests));
    const input = f32x4.mul(scales, v128.load(current));
    const free = f32x4.eq(left, v128.load(zeros));
    let x = v128.bitselect(f32x4.add(f32x4.add(rests, decayed), input), v, free);
    x = f32x4.sub(x, v128.and(taken, subtractLater));
    const spike = v128.and(free, f32x4.ge(f32x4.sub(x, theta), floors));
    v128.store(u, x);
    v128.store(s, v128.and(spike, v128.load32_splat(one)));
    const counted = f32x4.pmax(f32x4.sub(left, v128.load32_splat(one)), v128.load(zeros));
    v128.store(r, v128.bitselect(holds, counted, spike));
    u += 16;
    s += 16;
    r += 16;
    p += pStep;
    q += qStep;
    current += 16;
    beta += bStep;
    threshold += tStep;
    n -= 4;
  } while (n != 0);
}

/** The value at p on all lanes of a scratch vector. */
function spread(slot: usize, p: usize): usize {
  v128.store(scratch + (slot << 4), v128.load32_splat(p));
  return scratch + (slot << 4);
}

/** The last values of an array in a scratch vector. */
function scratchTail(slot: usize, p: usize, o: usize, n: i32): usize {
  v128.store(scratch + (slot << 4), loadTail(p + o, n));
  return scratch + (slot << 4);
}

/**
 * v[i] ← s[i] ? u[i] − θ (subtract) or resetValue (zero) : u[i], the state after the reset, for every step at once:
 * [T·rows, n].
 */
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
 * lifBackward with every option: gradients of membrane (dm) and state (dv), [T, rows, n] or 0; gradients of β, θ per element
 * (dBeta, dThreshold, [rows, n], summed over time) and of v0 (dv0, [rows, n]), added where the address is not 0. With
 * `attached` the reset passes the surrogate's gradient too. Custom derivatives are preceded by those of the initial state.
 * carry [rows, n] is du[T], and du[0] afterwards. resumed: v0 and r0 are u and r of the step before, which another call takes.
 * With z the gradient of u[t+1] and γ = β, or 1 while the neuron is held:
 *
 *   reset at once   q = γz + dv[t]     du = σ′·ds + κq + σ′·jump + dm[t]           jump = −θq or (resetValue − u)q
 *   delayed         q = γz             du = σ′·ds + κq + σ′·jump + dv[t] + dm[t]   jump = −θz or (resetValue − u)q
 */
export function lifBackwardAny(
  g: usize,
  u: usize,
  r: usize,
  v0: usize,
  r0: usize,
  beta: usize,
  threshold: usize,
  carry: usize,
  total: usize,
  custom: usize,
  dm: usize,
  dv: usize,
  dBeta: usize,
  dThreshold: usize,
  dv0: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  delayed: i32,
  strict: i32,
  resetValue: f32,
  rest: f32,
  scale: f32,
  hold: i32,
  attached: i32,
  kind: i32,
  slope: f32,
  resumed: i32,
): void {
  const row = (<usize>n) << 2;
  const all = <usize>rows * row;
  const floors = f32x4.splat(firingFloor(strict));
  const holds = f32x4.splat(<f32>hold);
  const value = f32x4.splat(resetValue);
  const none = i32x4.splat(0);
  const later = maskIf(delayed != 0);
  const zero = maskIf(reset == ZERO);
  const subtract = maskIf(reset == SUBTRACT);
  const attach = maskIf(attached != 0);
  // t = −1 is the state v0: it has no spike, but a delayed reset is judged from it.
  const last = resumed == 0 && (dv0 != 0 || (dThreshold != 0 && delayed != 0)) ? -1 : 0;
  for (let t = T - 1; t >= last; t--) {
    const initial = t < 0;
    for (let b = 0; b < rows; b++) {
      const start = <usize>b * row;
      const at = <usize>t * all + start;
      // Four columns at a time, the last ones one by one.
      for (let i = 0, step = 4; i < n; i += step) {
        const four = n - i >= 4;
        if (!four) step = 1;
        const column = (<usize>i) << 2;
        const o = start + column;
        const a = at + column;
        const theta = inline.always(parameterAt(threshold, stepThreshold, column, four));
        const x = initial ? inline.always(loadAt(v0, o, four)) : inline.always(loadAt(u, a, four));
        // The derivatives of a piece of the row at once.
        if (custom == 0 && i % PIECE == 0) {
          const from = initial ? (v0 == 0 ? zeros : v0 + o) : u + a;
          const first = threshold + column * stepThreshold;
          surrogate(computed, from, first, stepThreshold, min(PIECE, n - i), kind, slope);
        }
        const given = custom == 0 ? computed + (column & (4 * PIECE - 4)) : custom + a;
        const factor = inline.always(loadSome(given, four));
        const left = initial ? inline.always(loadAt(r0, o, four)) : inline.always(loadAt(r, a, four));
        const before =
          t > 0 ? inline.always(loadAt(r, a - all, four)) : initial ? none : inline.always(loadAt(r0, o, four));
        const active = f32x4.eq(before, none);
        const free = f32x4.eq(left, none);
        let fired = inline.always(resetDue(x, theta, floors, left, holds, later));
        if (initial) fired = v128.and(fired, later);
        const seen = initial ? none : inline.always(loadAt(dv, a, four));

        const next = inline.always(loadAt(carry, o, four));
        const decay = v128.bitselect(
          inline.always(parameterAt(beta, stepBeta, column, four)),
          v128.load32_splat(one),
          free,
        );
        const through = f32x4.add(f32x4.mul(decay, next), v128.andnot(seen, later));
        const subtracted = v128.bitselect(next, through, later);
        const atOnce = initial ? none : active;
        const judged = v128.and(attach, v128.bitselect(v128.or(free, f32x4.eq(left, holds)), atOnce, later));
        let jump = v128.and(subtract, f32x4.neg(f32x4.mul(theta, subtracted)));
        jump = v128.bitselect(f32x4.mul(f32x4.sub(value, x), through), jump, zero);
        jump = v128.and(judged, f32x4.mul(factor, jump));
        const reached = f32x4.add(v128.andnot(through, v128.and(zero, fired)), f32x4.add(jump, v128.and(seen, later)));
        const taken = v128.and(v128.and(subtract, fired), subtracted);
        if (initial) {
          addAt(dThreshold, o, four, f32x4.neg(f32x4.add(jump, taken)));
          addAt(dv0, o, four, reached);
          continue;
        }
        const spike = v128.and(active, f32x4.mul(factor, inline.always(loadAt(g, a, four))));
        const du = f32x4.add(f32x4.add(spike, reached), inline.always(loadAt(dm, a, four)));
        inline.always(storeSome(carry + o, four, du));
        if (dThreshold != 0) addAt(dThreshold, o, four, f32x4.neg(f32x4.add(spike, f32x4.add(jump, taken))));
        const dI = v128.and(active, f32x4.mul(f32x4.splat(scale), du));
        if (total == 0) storeSome(g + a, four, dI);
        else inline.always(addAt(total, o, four, dI));
        if (dBeta == 0) continue;
        // β multiplied the state before this step, after its reset.
        const p = t > 0 ? inline.always(loadAt(u, a - all, four)) : inline.always(loadAt(v0, o, four));
        let due = inline.always(resetDue(p, theta, floors, before, holds, later));
        if ((t | delayed | resumed) == 0) due = none;
        let v = f32x4.sub(p, v128.andnot(v128.and(v128.and(subtract, due), theta), later));
        v = v128.bitselect(value, v, v128.and(zero, due));
        inline.always(addAt(dBeta, o, four, v128.and(active, f32x4.mul(du, f32x4.sub(v, f32x4.splat(rest))))));
      }
    }
  }
}
