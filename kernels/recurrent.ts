/**
 * The time loop of plain spiking neurons that are fed back their spikes of the step before:
 *
 *   I[t] = (b + W·s[t−1]) + current[t]     or, where each feeds itself alone,     I[t] = current[t] + V ⊙ s[t−1]
 *
 * Arrays are [T, rows, n], W is [n, n]. W·s is the sum of the columns of W at which neurons have fired, in ascending order.
 * W lies in slabs of 32 columns of the result, so that a slab stays in the first-level cache while all rows pass it.
 */

import { wordAt } from "./bits";
import { mulGrad } from "./elementwise";
import { lifForward } from "./lif";
import { lifBackward } from "./lif-back";
import { block, gemm } from "./matmul";
import { BLOCK_K, pack } from "./panels";

/** Columns of a slab. */
const SLAB = 32;

/** A slab with fewer columns is computed here and copied. */
const spare = memory.data(128, 16);
const spill = memory.data(16, 16);

/**
 * u [T, rows, n] and the stream of bits s ← from current and the zero state without spikes. weight is W (all = 1) with a
 * bias [n], 0 for none, or V [n] (all = 0). `work` is room for
 * (n + 1)·(n + 32) + 2·rows·(n + 1) + 32 words.
 */
export function recurrentForward(
  u: usize,
  s: usize,
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
): void {
  const size = rows * n;
  const step = (<usize>size) << 2;
  const words = (size + 31) >> 5;
  const slabs = (work + 63) & ~63;
  const bits = all == 0 ? slabs : packSlabs(slabs, weight, bias, n);
  const lists = bits + ((<usize>words + 1) << 2);
  memory.fill(lists, 0, (<usize>rows + 1) << 2);
  memory.fill(s, 0, ((<usize>(T * size) + 31) >> 5) << 2);
  for (let t = 0, first = 0; t < T; t++, first += size, u += step, current += step) {
    memory.copy(u, current, step);
    if (all != 0) feedAll(u, slabs, lists, rows, n);
    else feedSelf(u, weight, lists, rows, n);
    lifForward(
      u,
      bits,
      u,
      t == 0 ? 0 : u - step,
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
    setBits(s, <usize>first, bits, words);
    listSpikes(lists, bits, rows, n);
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

/** Slab by slab: 32 values of the bias, then of each column of W. Returns the end. */
function packSlabs(slab: usize, weight: usize, bias: usize, n: i32): usize {
  for (let j = 0; j < n; j += SLAB) {
    const width = min(SLAB, n - j);
    for (let p = -1; p < n; p++) {
      for (let q = 0; q < SLAB; q++, slab += 4) {
        const from = p < 0 ? bias + ((<usize>(j + q)) << 2) : weight + ((<usize>(j + q) * <usize>n + <usize>p) << 2);
        store<f32>(slab, q < width && (p >= 0 || bias != 0) ? load<f32>(from) : 0);
      }
    }
  }
  return slab;
}

/** lists ← rows + 1 addresses, then the places of the bits in each row of a stream. */
function listSpikes(lists: usize, bits: usize, rows: i32, n: i32): void {
  let to = lists + ((<usize>rows + 1) << 2);
  for (let r = 0; r < rows; r++, lists += 4) {
    store<u32>(lists, <u32>to);
    for (let p = 0; p < n; p += 32) {
      let word = wordAt(bits, <usize>(r * n + p));
      if (n - p < 32) word &= (1 << (n - p)) - 1;
      for (; word != 0; word &= word - 1, to += 4) store<u32>(to, p + ctz<u32>(word));
    }
  }
  store<u32>(lists, <u32>to);
}

/** u ← (b + W·s) + u for one step. */
function feedAll(u: usize, slab: usize, lists: usize, rows: i32, n: i32): void {
  const row = (<usize>n) << 2;
  for (let j = 0; j < n; j += SLAB, slab += (<usize>(n + 1)) << 7, u += 128) {
    const bytes = (<usize>(n - j)) << 2;
    for (let r = 0; r < rows; r++) {
      const at = <usize>r * row;
      const list = lists + ((<usize>r) << 2);
      if (bytes >= 128) {
        sumSlab(u + at, slab, load<u32>(list), load<u32>(list, 4));
      } else {
        memory.copy(spare, u + at, bytes);
        sumSlab(spare, slab, load<u32>(list), load<u32>(list, 4));
        memory.copy(u + at, spare, bytes);
      }
    }
  }
}

/**
 * z[0 … 31] ← (the first row of the slab + those that are listed) + z.
 *
 * The loads of a loop body are all moved to its front. Eight sums and eight loaded rows are more than there are registers;
 * the store, which nobody reads, makes the first addition come before the other loads.
 */
function sumSlab(z: usize, slab: usize, list: usize, end: usize): void {
  let s0 = v128.load(slab);
  let s1 = v128.load(slab, 16);
  let s2 = v128.load(slab, 32);
  let s3 = v128.load(slab, 48);
  let s4 = v128.load(slab, 64);
  let s5 = v128.load(slab, 80);
  let s6 = v128.load(slab, 96);
  let s7 = v128.load(slab, 112);
  slab += 128;
  for (; list != end; list += 4) {
    const row = slab + ((<usize>load<u32>(list)) << 7);
    s0 = f32x4.add(s0, v128.load(row));
    v128.store(spill, s0);
    s1 = f32x4.add(s1, v128.load(row, 16));
    s2 = f32x4.add(s2, v128.load(row, 32));
    s3 = f32x4.add(s3, v128.load(row, 48));
    s4 = f32x4.add(s4, v128.load(row, 64));
    s5 = f32x4.add(s5, v128.load(row, 80));
    s6 = f32x4.add(s6, v128.load(row, 96));
    s7 = f32x4.add(s7, v128.load(row, 112));
  }
  v128.store(z, f32x4.add(s0, v128.load(z)));
  v128.store(z, f32x4.add(s1, v128.load(z, 16)), 16);
  v128.store(z, f32x4.add(s2, v128.load(z, 32)), 32);
  v128.store(z, f32x4.add(s3, v128.load(z, 48)), 48);
  v128.store(z, f32x4.add(s4, v128.load(z, 64)), 64);
  v128.store(z, f32x4.add(s5, v128.load(z, 80)), 80);
  v128.store(z, f32x4.add(s6, v128.load(z, 96)), 96);
  v128.store(z, f32x4.add(s7, v128.load(z, 112)), 112);
}

/** u ← u + V ⊙ s for one step. */
function feedSelf(u: usize, weight: usize, lists: usize, rows: i32, n: i32): void {
  const row = (<usize>n) << 2;
  for (let r = 0; r < rows; r++, u += row, lists += 4) {
    for (let at: usize = load<u32>(lists), end: usize = load<u32>(lists, 4); at != end; at += 4) {
      const o = (<usize>load<u32>(at)) << 2;
      store<f32>(u + o, load<f32>(u + o) + load<f32>(weight + o));
    }
  }
}

/**
 * Its gradient with the reset detached: du [T, rows, n] holds ∂L/∂s and receives ∂L/∂I. Step by step backwards,
 * ds[t] += dI[t+1]·W (or dI[t+1] ⊙ V) before the neuron takes its turn. carry [rows, n] must hold zeros.
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
): void {
  const row = (<usize>n) << 2;
  const step = <usize>rows * row;
  const packed = all != 0 && n <= BLOCK_K;
  if (packed) pack(weight, n, n, n, 1);
  let next = carry;
  for (let o = <usize>(T - 1) * step; ; o -= step) {
    const d = du + o;
    if (next != carry) {
      if (packed) block(d, next, d, rows, n, n, row, 4, row, row, 16);
      else if (all != 0) gemm(d, next, weight, d, rows, n, n, n, 1, n, 1, n, n, 1);
      else for (let at: usize = 0; at < step; at += row) mulGrad(d + at, next + at, weight, n);
    }
    lifBackward(
      d,
      d,
      u + o,
      0,
      beta,
      threshold,
      next,
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
    next = d;
    if (o == 0) break;
  }
}
