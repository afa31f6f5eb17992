/**
 * Softmax and cross-entropy over contiguous rows.
 *
 * With m = max x and ℓ = log Σ exp(x − m), the logarithm of the sum of exponentials is m + ℓ. The two are never added: for logits of 1000 the
 * rounding of the sum would be 6·10⁻⁵, while (m − x) + ℓ keeps every digit. So the cross-entropy kernels save both for backward.
 *
 * The cross-entropy with class y is Σ_c a_c·(m + ℓ − x_c) with weights a_c = w_c·((1 − ε)·[c = y] + ε/K), where ε is the
 * smoothing and K = cols. Its gradient is g·(softmax(x)_c·Σa − a_c). A row with NaN or +∞, or with only −∞, gives NaN.
 */
import { expNegative, loadTail, loadTailOr, logLanes, minusInfinity, storeTail, sumOfLanes } from "./lanes";
import { log } from "./math";
import { vectorEnd } from "./span";

const ones = memory.data<f32>([1, 1, 1, 1], 16);

/** z[r, c] ← exp(x[r, c] − m) / Σ exp(x[r, :] − m), m = max x[r, :]. z may be x. */
// @costs rows * cols
// @cut rows → z * cols, x * cols
export function softmax(z: usize, x: usize, rows: i32, cols: i32): void {
  const length = vectorEnd(0, cols);
  for (const row = (<usize>cols) << 2; rows > 0; rows--, z += row, x += row) {
    const tail = lastOf(x + length, cols);
    const m = f32x4.splat(maxOfRow(x, length, tail));
    let last = f32x4.splat(0);
    // Unused lanes hold exp(−∞) = 0.
    if ((cols & 3) != 0) last = expNegative(f32x4.sub(tail, m));
    let sums = f32x4.splat(0);
    for (let o: usize = 0; o < length; o += 16) {
      const e = inline.always(expNegative(f32x4.sub(v128.load(x + o), m)));
      v128.store(z + o, e);
      sums = f32x4.add(sums, e);
    }
    const sum = f32x4.splat(sumOfLanes(f32x4.add(sums, last)));
    for (let o: usize = 0; o < length; o += 16) v128.store(z + o, f32x4.div(v128.load(z + o), sum));
    inline.always(storeTail(z + length, cols, f32x4.div(last, sum)));
  }
}

/** dx[r, c] += z[r, c]·(dz[r, c] − Σ dz[r, :]·z[r, :]) for z = softmax(x) */
// @costs rows * cols
// @cut rows → dx * cols, dz * cols, z * cols
export function softmaxGrad(dx: usize, dz: usize, z: usize, rows: i32, cols: i32): void {
  const length = vectorEnd(0, cols);
  for (const row = (<usize>cols) << 2; rows > 0; rows--, dx += row, dz += row, z += row) {
    const lastDz = inline.always(loadTail(dz + length, cols));
    const lastZ = inline.always(loadTail(z + length, cols));
    let sums = f32x4.mul(lastDz, lastZ);
    for (let o: usize = 0; o < length; o += 16) {
      sums = f32x4.add(sums, f32x4.mul(v128.load(dz + o), v128.load(z + o)));
    }
    const dot = f32x4.splat(sumOfLanes(sums));
    for (let o: usize = 0; o < length; o += 16) {
      const d = f32x4.mul(v128.load(z + o), f32x4.sub(v128.load(dz + o), dot));
      v128.store(dx + o, f32x4.add(v128.load(dx + o), d));
    }
    addTail(dx + length, cols, f32x4.mul(lastZ, f32x4.sub(lastDz, dot)));
  }
}

/** z[r, c] ← (x[r, c] − m) − ℓ, m = max x[r, :], ℓ = log Σ exp(x[r, :] − m). z may be x. */
// @costs rows * cols
// @cut rows → z * cols, x * cols
export function logSoftmax(z: usize, x: usize, rows: i32, cols: i32): void {
  const length = vectorEnd(0, cols);
  for (const row = (<usize>cols) << 2; rows > 0; rows--, z += row, x += row) {
    const tail = lastOf(x + length, cols);
    const max = maxOfRow(x, length, tail);
    const m = f32x4.splat(max);
    const l = logLanes(f32x4.splat(sumOfExponentials(x, cols, tail, max)));
    for (let o: usize = 0; o < length; o += 16) v128.store(z + o, f32x4.sub(f32x4.sub(v128.load(x + o), m), l));
    inline.always(storeTail(z + length, cols, f32x4.sub(f32x4.sub(tail, m), l)));
  }
}

/** dx[r, c] += dz[r, c] − exp(z[r, c])·Σ dz[r, :] for z = logSoftmax(x) */
// @costs rows * cols
// @cut rows → dx * cols, dz * cols, z * cols
export function logSoftmaxGrad(dx: usize, dz: usize, z: usize, rows: i32, cols: i32): void {
  const length = vectorEnd(0, cols);
  for (const row = (<usize>cols) << 2; rows > 0; rows--, dx += row, dz += row, z += row) {
    const last = inline.always(loadTail(dz + length, cols));
    let sums = last;
    for (let o: usize = 0; o < length; o += 16) sums = f32x4.add(sums, v128.load(dz + o));
    const sum = f32x4.splat(sumOfLanes(sums));
    for (let o: usize = 0; o < length; o += 16) {
      const e = inline.always(expNegative(v128.load(z + o)));
      v128.store(dx + o, f32x4.add(v128.load(dx + o), f32x4.sub(v128.load(dz + o), f32x4.mul(e, sum))));
    }
    if ((cols & 3) == 0) continue;
    const e = expNegative(inline.always(loadTail(z + length, cols)));
    addTail(dx + length, cols, f32x4.sub(last, f32x4.mul(e, sum)));
  }
}

/**
 * lse[r] ← ℓ and lse[rows + r] ← m of row r,  loss[r] ← (1 − ε)·w[y]·(m + ℓ − x[r, y]) + ε/K·Σ_c w[c]·(m + ℓ − x[r, c])
 *
 * m and ℓ as in `logSoftmax`, ε is the smoothing, K = cols.
 * y = target[r], an i32; for negative y, the row is ignored and all three are 0. weight = 0 (the address) means ones. lse = 0 (the address)
 * means that x holds log-probabilities, for which m + ℓ is 0. Maxima are stored `apart` values after the sums, or `rows` if that is 0.
 */
// @costs rows * cols
// @cut rows → loss, lse, x * cols, target, apart = apart || rows
export function crossEntropy(
  loss: usize,
  lse: usize,
  x: usize,
  target: usize,
  weight: usize,
  rows: i32,
  cols: i32,
  smoothing: f32,
  apart: i32,
): void {
  const length = vectorEnd(0, cols);
  const bytes = (<usize>rows) << 2;
  const maxAt = (<usize>(apart != 0 ? apart : rows)) << 2;
  const row = (<usize>cols) << 2;
  // First the distance of x[y] from m and the sums; the logarithms of the sums are then computed four at a time.
  for (let r: usize = 0, p = x; r < bytes; r += 4, p += row) {
    const y = load<i32>(target + r);
    let m: f32 = 0;
    let sum: f32 = 1;
    if (y >= 0 && lse != 0) {
      const tail = lastOf(p + length, cols);
      m = maxOfRow(p, length, tail);
      sum = sumOfExponentials(p, cols, tail, m);
    }
    assert(y < cols);
    store<f32>(loss + r, y < 0 ? 0 : m - load<f32>(p + ((<usize>y) << 2)));
    if (lse != 0) {
      store<f32>(lse + r, sum);
      store<f32>(lse + maxAt + r, m);
    }
  }
  if (lse != 0) log(lse, lse, rows);
  const share = smoothing / <f32>cols;
  const keep: f32 = 1 - smoothing;
  for (let r: usize = 0; r < bytes; r += 4, x += row) {
    const y = load<i32>(target + r);
    if (y < 0) continue;
    const l: f32 = lse == 0 ? 0 : load<f32>(lse + r);
    let sum = keep * weightOf(weight, y) * (load<f32>(loss + r) + l);
    if (smoothing != 0) {
      const m: f32 = lse == 0 ? 0 : load<f32>(lse + maxAt + r);
      sum += rowLoss(x, weight, cols, m, l, share);
    }
    store<f32>(loss + r, sum);
  }
}

/**
 * dx[r, c] += scale·dloss[r·step]·(softmax(x[r, :])[c]·Σa − a_c), nothing for ignored targets. For log-probabilities, which are not read, the
 * first term is absent. a_c = w[c]·((1 − ε)·[c = y] + ε/K); y, apart and the other arguments as in `crossEntropy`.
 */
// @costs rows * cols
// @cut rows → dx * cols, x * cols, lse, target, dloss * dlossStep, apart = apart || rows
export function crossEntropyGrad(
  dx: usize,
  x: usize,
  lse: usize,
  target: usize,
  weight: usize,
  dloss: usize,
  dlossStep: i32,
  scale: f32,
  rows: i32,
  cols: i32,
  smoothing: f32,
  apart: i32,
): void {
  const share = smoothing / <f32>cols;
  const keep: f32 = 1 - smoothing;
  const shares = share * sumOfWeights(weight, cols);
  const step = (<usize>dlossStep) << 2;
  const lseStep: usize = lse == 0 ? 0 : 4;
  const maxAt = (<usize>(apart != 0 ? apart : rows)) << 2;
  for (
    const row = (<usize>cols) << 2;
    rows > 0;
    rows--, lse += lseStep, target += 4, dloss += step, dx += row, x += row
  ) {
    const y = load<i32>(target);
    if (y < 0) continue;
    const g = scale * load<f32>(dloss);
    const own = keep * weightOf(weight, y);
    if (lse != 0) addRowGrad(dx, x, weight, cols, load<f32>(lse + maxAt), load<f32>(lse), g, own + shares, share);
    const p = dx + ((<usize>y) << 2);
    store<f32>(p, load<f32>(p) - g * own);
  }
}

/** Σ w[target[r]] over the rows that are not ignored: the divisor of the mean. */
export function targetWeight(target: usize, weight: usize, rows: i32): f32 {
  let sum: f64 = 0;
  for (; rows > 0; rows--, target += 4) {
    const y = load<i32>(target);
    if (y >= 0) sum += <f64>weightOf(weight, y);
  }
  return <f32>sum;
}

function weightOf(weight: usize, y: i32): f32 {
  return weight == 0 ? 1 : load<f32>(weight + ((<usize>y) << 2));
}

/** The tail of a row; its unused lanes change neither maximum nor sum. */
function lastOf(p: usize, cols: i32): v128 {
  return inline.always(loadTailOr(p, cols, v128.load32_splat(minusInfinity)));
}

/** x[i] += d[i] for the last n mod 4 values, from x on */
function addTail(x: usize, n: i32, d: v128): void {
  inline.always(storeTail(x, n, f32x4.add(inline.always(loadTail(x, n)), d)));
}

/** The maximum of a row: `length` bytes of whole vectors, and its tail. */
function maxOfRow(x: usize, length: usize, tail: v128): f32 {
  let best = v128.load32_splat(minusInfinity);
  for (const stop = x + length; x < stop; x += 16) best = f32x4.pmax(best, v128.load(x));
  best = f32x4.pmax(best, tail);
  best = f32x4.pmax(best, i32x4.shuffle(best, best, 2, 3, 0, 1));
  best = f32x4.pmax(best, i32x4.shuffle(best, best, 1, 0, 3, 2));
  return f32x4.extract_lane(best, 0);
}

/** Σ exp(x − m) */
function sumOfExponentials(x: usize, cols: i32, tail: v128, m: f32): f32 {
  const ms = f32x4.splat(m);
  let sums = f32x4.splat(0);
  for (const stop = vectorEnd(x, cols); x < stop; x += 16) {
    sums = f32x4.add(sums, inline.always(expNegative(f32x4.sub(v128.load(x), ms))));
  }
  if ((cols & 3) != 0) sums = f32x4.add(sums, expNegative(f32x4.sub(tail, ms)));
  return sumOfLanes(sums);
}

/** Σ_c w_c */
function sumOfWeights(weight: usize, cols: i32): f32 {
  if (weight == 0) return <f32>cols;
  const length = vectorEnd(0, cols);
  let sums = loadTail(weight + length, cols);
  for (let o: usize = 0; o < length; o += 16) sums = f32x4.add(sums, v128.load(weight + o));
  return sumOfLanes(sums);
}

// A missing weight is ones, read with a step of 0.

/** Σ_c share·w_c·((m − x_c) + ℓ) */
function rowLoss(x: usize, weight: usize, cols: i32, m: f32, l: f32, share: f32): f32 {
  const w = weight == 0 ? ones : weight;
  const step: usize = weight == 0 ? 0 : 1;
  const shares = f32x4.splat(share);
  const ms = f32x4.splat(m);
  const ls = f32x4.splat(l);
  const length = vectorEnd(0, cols);
  // The weights of unused lanes are 0.
  const last = f32x4.mul(loadTail(w + length * step, cols), shares);
  let sums = f32x4.mul(last, f32x4.add(f32x4.sub(ms, loadTail(x + length, cols)), ls));
  for (let o: usize = 0; o < length; o += 16) {
    const a = f32x4.mul(v128.load(w + o * step), shares);
    sums = f32x4.add(sums, f32x4.mul(a, f32x4.add(f32x4.sub(ms, v128.load(x + o)), ls)));
  }
  return sumOfLanes(sums);
}

/** dx_c += g·(exp((x_c − m) − ℓ)·total − share·w_c) */
function addRowGrad(
  dx: usize,
  x: usize,
  weight: usize,
  cols: i32,
  max: f32,
  l: f32,
  g: f32,
  total: f32,
  share: f32,
): void {
  const w = weight == 0 ? ones : weight;
  const step: usize = weight == 0 ? 0 : 1;
  const shares = f32x4.splat(share);
  const length = vectorEnd(0, cols);
  const m = f32x4.splat(max);
  const ls = f32x4.splat(l);
  const gs = f32x4.splat(g);
  const totals = f32x4.splat(total);
  for (let o: usize = 0; o < length; o += 16) {
    const a = f32x4.mul(v128.load(w + o * step), shares);
    const p = inline.always(expNegative(f32x4.sub(f32x4.sub(v128.load(x + o), m), ls)));
    v128.store(dx + o, f32x4.add(v128.load(dx + o), f32x4.mul(gs, f32x4.sub(f32x4.mul(p, totals), a))));
  }
  if ((cols & 3) == 0) return;
  const a = f32x4.mul(inline.always(loadTail(w + length * step, cols)), shares);
  const p = expNegative(f32x4.sub(f32x4.sub(lastOf(x + length, cols), m), ls));
  addTail(dx + length, cols, f32x4.mul(gs, f32x4.sub(f32x4.mul(p, totals), a)));
}
