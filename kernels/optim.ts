/**
 * Optimizer steps in one pass over parameter, gradient and state: their speed is that of the memory. The rules are those
 * of PyTorch, operation by operation. The tail is stepped as a vector in a spare place.
 *
 * Numbers whose distance from 1 counts (β, dampening, decay) come as float64: 1 − β₂ of a float32 β₂ = 0.999 would be off
 * by 10⁻⁵.
 */
import { loadTail, mulAdd, storeTail } from "./lanes";
import { vectorEnd } from "./span";

/** One vector each of w, dw and up to three states. */
const spare = memory.data(80, 16);

/**
 * Gradient descent with momentum:
 *
 *   d ← dw + weightDecay·w
 *   buf ← momentum·buf + (1 − dampening)·d, in the first step buf ← d;  d ← nesterov ? d + momentum·buf : buf
 *   w ← w − lr·d
 *
 * buf = 0 (the address) leaves out the second line. nesterov and first are 0 or 1.
 */
export function sgd(
  w: usize,
  dw: usize,
  buf: usize,
  n: i32,
  lr: f32,
  momentum: f32,
  dampening: f64,
  weightDecay: f32,
  nesterov: i32,
  first: i32,
): void {
  const rate = f32x4.splat(lr);
  const decay = f32x4.splat(weightDecay);
  const keep = f32x4.splat(first != 0 ? 0 : momentum);
  const take = f32x4.splat(first != 0 ? 1 : <f32>(1 - dampening));
  const ahead = f32x4.splat(momentum);
  const bufStep: usize = buf == 0 ? 0 : 16;
  for (const stop = vectorEnd(w, n); w < stop; w += 16, dw += 16, buf += bufStep) {
    inline.always(sgdVector(w, dw, buf, rate, decay, keep, take, ahead, nesterov));
  }
  if ((n & 3) == 0) return;
  sgdVector(takeTail(w, n, 0), takeTail(dw, n, 1), takeTail(buf, n, 2), rate, decay, keep, take, ahead, nesterov);
  putTail(w, n, 0);
  putTail(buf, n, 2);
}

function sgdVector(
  w: usize,
  dw: usize,
  buf: usize,
  rate: v128,
  decay: v128,
  keep: v128,
  take: v128,
  ahead: v128,
  nesterov: i32,
): void {
  let d = mulAdd(decay, v128.load(w), v128.load(dw));
  if (buf != 0) {
    const b = f32x4.add(f32x4.mul(keep, v128.load(buf)), f32x4.mul(take, d));
    v128.store(buf, b);
    d = nesterov != 0 ? mulAdd(ahead, b, d) : b;
  }
  v128.store(w, f32x4.sub(v128.load(w), f32x4.mul(rate, d)));
}

/**
 * Adam, AdamW and AMSGrad:
 *
 *   w ← (1 − decoupledDecay)·w        g = dw + weightDecay·w
 *   m ← β₁·m + (1 − β₁)·g             v ← β₂·v + (1 − β₂)·g²        vmax ← max(vmax, v)
 *   w ← w − stepSize·m / (√v / sqrtBias2 + eps)
 *
 * In step t, stepSize is lr / (1 − β₁ᵗ) and sqrtBias2 is √(1 − β₂ᵗ); AdamW passes lr·decay as decoupledDecay. vmax = 0 (the
 * address) leaves it out, else it takes the place of v in the last line.
 */
export function adam(
  w: usize,
  dw: usize,
  m: usize,
  v: usize,
  vmax: usize,
  n: i32,
  stepSize: f32,
  beta1: f64,
  beta2: f64,
  eps: f32,
  weightDecay: f32,
  decoupledDecay: f64,
  sqrtBias2: f64,
): void {
  const shrink = f32x4.splat(<f32>(1 - decoupledDecay));
  const decay = f32x4.splat(weightDecay);
  const keep1 = f32x4.splat(<f32>beta1);
  const take1 = f32x4.splat(<f32>(1 - beta1));
  const keep2 = f32x4.splat(<f32>beta2);
  const take2 = f32x4.splat(<f32>(1 - beta2));
  // One division less in a vector.
  const bias = f32x4.splat(<f32>(1 / sqrtBias2));
  const epsilon = f32x4.splat(eps);
  const rate = f32x4.splat(stepSize);
  const vmaxStep: usize = vmax == 0 ? 0 : 16;
  for (const stop = vectorEnd(w, n); w < stop; w += 16, dw += 16, m += 16, v += 16, vmax += vmaxStep) {
    inline.always(adamVector(w, dw, m, v, vmax, shrink, decay, keep1, take1, keep2, take2, bias, epsilon, rate));
  }
  if ((n & 3) == 0) return;
  adamVector(
    takeTail(w, n, 0),
    takeTail(dw, n, 1),
    takeTail(m, n, 2),
    takeTail(v, n, 3),
    takeTail(vmax, n, 4),
    shrink,
    decay,
    keep1,
    take1,
    keep2,
    take2,
    bias,
    epsilon,
    rate,
  );
  putTail(w, n, 0);
  putTail(m, n, 2);
  putTail(v, n, 3);
  putTail(vmax, n, 4);
}

function adamVector(
  w: usize,
  dw: usize,
  m: usize,
  v: usize,
  vmax: usize,
  shrink: v128,
  decay: v128,
  keep1: v128,
  take1: v128,
  keep2: v128,
  take2: v128,
  bias: v128,
  epsilon: v128,
  rate: v128,
): void {
  const weight = f32x4.mul(v128.load(w), shrink);
  const g = mulAdd(decay, weight, v128.load(dw));
  const mean = f32x4.add(f32x4.mul(keep1, v128.load(m)), f32x4.mul(take1, g));
  let square = f32x4.add(f32x4.mul(keep2, v128.load(v)), f32x4.mul(take2, f32x4.mul(g, g)));
  v128.store(m, mean);
  v128.store(v, square);
  if (vmax != 0) {
    // A NaN in the first operand of pmax stays.
    square = f32x4.pmax(square, v128.load(vmax));
    v128.store(vmax, square);
  }
  const denominator = mulAdd(f32x4.sqrt(square), bias, epsilon);
  v128.store(w, f32x4.sub(weight, f32x4.div(f32x4.mul(rate, mean), denominator)));
}

/**
 * RMSprop, centered or not, with momentum or without, and Adagrad (keep = take = 1, lr with its decay):
 *
 *   g = dw + weightDecay·w          square ← keep·square + take·g²        mean ← mean + take·(g − mean)
 *   d = g / (√(square − mean²) + eps)        buf ← momentum·buf + d        w ← w − lr·buf
 *
 * mean = 0 and buf = 0 (the addresses) leave these out; without buf, d takes its place. Rounding cannot make the root's
 * operand negative.
 */
export function rmsprop(
  w: usize,
  dw: usize,
  square: usize,
  mean: usize,
  buf: usize,
  n: i32,
  lr: f32,
  keep: f64,
  take: f64,
  eps: f32,
  weightDecay: f32,
  momentum: f32,
): void {
  const rate = f32x4.splat(lr);
  const keeps = f32x4.splat(<f32>keep);
  const takes = f32x4.splat(<f32>take);
  const epsilon = f32x4.splat(eps);
  const decay = f32x4.splat(weightDecay);
  const inertia = f32x4.splat(momentum);
  const meanStep: usize = mean == 0 ? 0 : 16;
  const bufStep: usize = buf == 0 ? 0 : 16;
  for (const stop = vectorEnd(w, n); w < stop; w += 16, dw += 16, square += 16, mean += meanStep, buf += bufStep) {
    inline.always(rmspropVector(w, dw, square, mean, buf, rate, keeps, takes, epsilon, decay, inertia));
  }
  if ((n & 3) == 0) return;
  rmspropVector(
    takeTail(w, n, 0),
    takeTail(dw, n, 1),
    takeTail(square, n, 2),
    takeTail(mean, n, 3),
    takeTail(buf, n, 4),
    rate,
    keeps,
    takes,
    epsilon,
    decay,
    inertia,
  );
  putTail(w, n, 0);
  putTail(square, n, 2);
  putTail(mean, n, 3);
  putTail(buf, n, 4);
}

function rmspropVector(
  w: usize,
  dw: usize,
  square: usize,
  mean: usize,
  buf: usize,
  rate: v128,
  keep: v128,
  take: v128,
  epsilon: v128,
  decay: v128,
  inertia: v128,
): void {
  const weight = v128.load(w);
  const g = mulAdd(decay, weight, v128.load(dw));
  let variance = f32x4.add(f32x4.mul(keep, v128.load(square)), f32x4.mul(take, f32x4.mul(g, g)));
  v128.store(square, variance);
  if (mean != 0) {
    const m = mulAdd(take, f32x4.sub(g, v128.load(mean)), v128.load(mean));
    v128.store(mean, m);
    // A NaN in the first operand of pmax stays.
    variance = f32x4.pmax(f32x4.sub(variance, f32x4.mul(m, m)), i32x4.splat(0));
  }
  const root = f32x4.add(f32x4.sqrt(variance), epsilon);
  if (buf == 0) {
    v128.store(w, f32x4.sub(weight, f32x4.div(f32x4.mul(rate, g), root)));
    return;
  }
  const b = mulAdd(inertia, v128.load(buf), f32x4.div(g, root));
  v128.store(buf, b);
  v128.store(w, f32x4.sub(weight, f32x4.mul(rate, b)));
}

/** The tail at p as vector i of the spare place, where it is stepped; its address, 0 where p is. */
function takeTail(p: usize, n: i32, i: usize): usize {
  if (p == 0) return 0;
  const vector = spare + (i << 4);
  v128.store(vector, loadTail(p, n));
  return vector;
}

function putTail(p: usize, n: i32, i: usize): void {
  if (p != 0) storeTail(p, n, v128.load(spare + (i << 4)));
}
