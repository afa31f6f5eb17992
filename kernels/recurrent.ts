/**
 * The time loop of spiking neurons that are fed back their spikes of the step before:
 *
 *   I[t] = (b + W·s[t−1]) + current[t]     or, where each feeds itself alone,     I[t] = current[t] + V ⊙ s[t−1]
 *
 * Arrays are [T, rows, n], W is [n, n]. W·s is the sum of the columns of W at which neurons have fired, in ascending order.
 * Wᵀ lies in panels of 32 columns, so that one stays in the first-level cache while all rows pass it.
 */

import { alignBits, packBits } from "./bits";
import { addTo, mulGrad } from "./elementwise";
import { panelRows } from "./gather";
import { BOXCAR, TRIANGULAR } from "./kinds";
import { lifForward } from "./lif";
import { lifBackwardAny, lifForwardAny } from "./lif-any";
import { lifBackward } from "./lif-back";
import { areFew, listFewPlaces, listPlaces } from "./listed-places";
import { zeros } from "./listed-sums";
import { block, gemm } from "./matmul";
import { BLOCK_K, pack, packWide, startsOf } from "./panels";
import { gemmSampled, surrogateSupport } from "./sampled";

/** Columns of a panel. */
const PANEL = 32;

/**
 * u [T, rows, n] and the stream of bits s ← from current and the zero state without spikes. weight is W (all = 1) with a
 * bias [n], 0 for none, or V [n] (all = 0). Neurons with further options write their counters to r [T, rows, n], which is 0
 * for plain ones. `work` is room for rows·(n + 36) + 64 words, for W n·(n + 32) more, and with r rows·n more.
 */
export function recurrentForward(
  u: usize,
  s: usize,
  r: usize,
  current: usize,
  weight: usize,
  bias: usize,
  beta: usize,
  threshold: usize,
  work: usize,
  T: i32,
  rows: i32,
  n: i32,
  all: i32,
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
  const size = rows * n;
  const step = (<usize>size) << 2;
  const words = (size + 31) >> 5;
  const rowWords = (n + 31) >> 5;
  // The panels of Wᵀ, their sums, the spikes of a step as a stream and in rows of words, their lists, the spikes as numbers.
  const numbers = work;
  const panel = (work + (r == 0 ? 0 : step) + 63) & ~63;
  const sums = panel + (all == 0 ? 0 : (<usize>(n * rowWords)) << 7);
  const bits = sums + ((<usize>rows) << 7);
  const aligned = bits + ((<usize>words + 1) << 2);
  const lists = aligned + ((<usize>(rows * rowWords)) << 2);
  if (all != 0) packWide(panel, 128, weight, n, n, 1, n);
  memory.fill(aligned, 0, (<usize>(rows * rowWords + rows) + 1) << 2);
  memory.fill(s, 0, ((<usize>(T * size) + 31) >> 5) << 2);
  for (let t = 0, first = 0; t < T; t++, first += size, u += step, current += step) {
    memory.copy(u, current, step);
    if (all != 0) feedAll(u, panel, bias, sums, lists, rows, n);
    else feedSelf(u, weight, aligned, rows, n);
    const before = t == 0 ? 0 : u - step;
    if (r == 0)
      lifForward(
        u,
        bits,
        u,
        before,
        beta,
        threshold,
        1,
        rows,
        n,
        size,
        size,
        stepBeta,
        stepThreshold,
        reset,
        delayed,
        strict,
        resetValue,
        t,
      );
    else {
      lifForwardAny(
        u,
        numbers,
        r,
        u,
        before,
        t == 0 ? 0 : r - step,
        beta,
        threshold,
        1,
        rows,
        n,
        size,
        stepBeta,
        stepThreshold,
        reset,
        delayed,
        strict,
        resetValue,
        rest,
        scale,
        hold,
        t,
      );
      packBits(bits, numbers, 1, size);
      r += step;
    }
    setBits(s, <usize>first, bits, words);
    const count = alignBits(aligned, bits, rows, n);
    if (all == 0) continue;
    if (areFew(count, rows, rowWords)) listFewPlaces(lists, aligned, (<usize>rowWords) << 2, rows, rowWords);
    else listPlaces(lists, aligned, (<usize>rowWords) << 2, rows, rowWords, u32.MAX_VALUE);
  }
}

/** Writes so many words from bit i of a stream on, where it is still 0. */
function setBits(s: usize, i: usize, bits: usize, words: i32): void {
  s += (i >> 5) << 2;
  let pending: u64 = load<u32>(s);
  for (; words > 0; words--, s += 4, bits += 4) {
    pending |= (<u64>load<u32>(bits)) << (i & 31);
    store<u32>(s, <u32>pending);
    pending >>= 32;
  }
  if (pending != 0) store<u32>(s, <u32>pending);
}

/** u ← (b + W·s) + u for one step. */
function feedAll(u: usize, panel: usize, bias: usize, sums: usize, lists: usize, rows: i32, n: i32): void {
  const row = (<usize>n) << 2;
  for (let j = 0; j < n; j += PANEL, panel += (<usize>n) << 7, u += 128) {
    const width = min(PANEL, n - j);
    // Behind the bias is what lies there, for columns that do not count.
    const start = bias == 0 ? zeros : startsOf(bias + ((<usize>j) << 2), 16, width);
    panelRows(sums, lists, 0, panel, 128, start, rows, PANEL, false, 128, 0, 16);
    let to = u;
    for (let from = sums, end = sums + ((<usize>rows) << 7); from != end; from += 128, to += row)
      inline.always(addTo(to, from, width));
  }
}

/** u ← u + V ⊙ s for one step. */
function feedSelf(u: usize, weight: usize, bits: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--, u += (<usize>n) << 2) {
    for (let j = 0; j < n; j += 32, bits += 4) {
      for (let left = load<u32>(bits); left != 0; left &= left - 1) {
        const o = (<usize>(j + <i32>ctz<u32>(left))) << 2;
        store<f32>(u + o, load<f32>(u + o) + load<f32>(weight + o));
      }
    }
  }
}

/**
 * Its gradient: du [T, rows, n] holds ∂L/∂s and receives ∂L/∂I. Step by step backwards, ds[t] += dI[t+1]·W (or
 * dI[t+1] ⊙ V) before the neuron takes its turn, where few neurons are within reach of their surrogate only there.
 *
 * general = 0: a plain neuron with the reset detached, of which nothing else is wanted. Else r, custom, dBeta, dThreshold and
 * what follows them are as in lifBackwardAny. carry [rows, n] must hold zeros, and is followed by as much room if general.
 */
export function recurrentBackward(
  du: usize,
  u: usize,
  weight: usize,
  beta: usize,
  threshold: usize,
  carry: usize,
  T: i32,
  rows: i32,
  n: i32,
  all: i32,
  stepBeta: i32,
  stepThreshold: i32,
  reset: i32,
  strict: i32,
  kind: i32,
  slope: f32,
  general: i32,
  r: usize,
  custom: usize,
  dBeta: usize,
  dThreshold: usize,
  delayed: i32,
  resetValue: f32,
  rest: f32,
  scale: f32,
  hold: i32,
  attached: i32,
): void {
  const row = (<usize>n) << 2;
  const step = <usize>rows * row;
  const compact = all != 0 && (n & 3) == 0 && (kind == TRIANGULAR || kind == BOXCAR);
  const packed = all != 0 && n <= BLOCK_K && !compact;
  // A plain neuron's carry has done its work after the first step.
  const support = general != 0 ? carry + step : carry;
  if (packed) pack(weight, n, n, n, 1);
  for (let t = T - 1, next: usize = 0; t >= 0; t--) {
    const o = <usize>t * step;
    const d = du + o;
    if (next != 0) {
      // The gradient of spikes where the surrogate is not 0.
      if (
        compact &&
        surrogateSupport(support, u + o, threshold, stepThreshold, rows, n, kind, slope) < (rows * n) >> 3
      ) {
        gemmSampled(d, support, next, weight, rows, n, n, n, n, 1, n);
      } else if (packed) block(d, next, d, rows, n, n, row, 4, row, row, 16);
      else if (all != 0) gemm(d, next, weight, d, rows, n, n, n, 1, n, 1, n, n, 1);
      else for (let at: usize = 0; at < step; at += row) mulGrad(d + at, next + at, weight, n, 0);
    }
    if (general == 0)
      lifBackward(
        d,
        d,
        u + o,
        0,
        beta,
        threshold,
        next == 0 ? carry : next,
        0,
        0,
        0,
        1,
        rows,
        n,
        0,
        0,
        0,
        stepBeta,
        stepThreshold,
        reset,
        0,
        strict,
        0,
        kind,
        slope,
      );
    else
      lifBackwardAny(
        d,
        u + o,
        r == 0 ? 0 : r + o,
        t == 0 ? 0 : u + o - step,
        t == 0 || r == 0 ? 0 : r + o - step,
        beta,
        threshold,
        carry,
        0,
        custom == 0 ? 0 : custom + o,
        0,
        0,
        dBeta,
        dThreshold,
        0,
        1,
        rows,
        n,
        stepBeta,
        stepThreshold,
        reset,
        delayed,
        strict,
        resetValue,
        rest,
        scale,
        hold,
        attached,
        kind,
        slope,
        t,
      );
    next = d;
  }
}
