/**
 * Optimizer steps in one pass over parameter, gradient and state: the speed of memory limits them. The rules are
 * PyTorch's, operation by operation.
 *
 * Numbers whose distance from 1 counts (β, dampening, decay) come as float64: 1 − β₂ of a float32 β₂ = 0.999 would be off
 * by 10⁻⁵.
 */
import { loadSome, mulAdd, storeSome } from "./lanes";
import { vectorEnd } from "./span";

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
    inline.always(sgdVector(true, w, dw, buf, rate, decay, keep, take, ahead, nesterov));
  }
  for (let rest = n & 3; rest > 0; rest--, w += 4, dw += 4, buf += bufStep >> 2) {
    inline.always(sgdVector(false, w, dw, buf, rate, decay, keep, take, ahead, nesterov));
  }
}

function sgdVector(
  four: bool,
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
  let d = mulAdd(decay, loadSome(w, four), loadSome(dw, four));
  if (buf != 0) {
    const b = f32x4.add(f32x4.mul(keep, loadSome(buf, four)), f32x4.mul(take, d));
    storeSome(buf, four, b);
    d = nesterov != 0 ? mulAdd(ahead, b, d) : b;
  }
  storeSome(w, four, f32x4.sub(loadSome(w, four), f32x4.mul(rate, d)));
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
    inline.always(adamVector(true, w, dw, m, v, vmax, shrink, decay, keep1, take1, keep2, take2, bias, epsilon, rate));
  }
  for (let rest = n & 3; rest > 0; rest--, w += 4, dw += 4, m += 4, v += 4, vmax += vmaxStep >> 2) {
    inline.always(adamVector(false, w, dw, m, v, vmax, shrink, decay, keep1, take1, keep2, take2, bias, epsilon, rate));
  }
}

function adamVector(
  four: bool,
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
  const weight = f32x4.mul(loadSome(w, four), shrink);
  const g = mulAdd(decay, weight, loadSome(dw, four));
  const mean = f32x4.add(f32x4.mul(keep1, loadSome(m, four)), f32x4.mul(take1, g));
  let square = f32x4.add(f32x4.mul(keep2, loadSome(v, four)), f32x4.mul(take2, f32x4.mul(g, g)));
  storeSome(m, four, mean);
  storeSome(v, four, square);
  if (vmax != 0) {
    // A NaN in the first operand of pmax stays.
    square = f32x4.pmax(square, loadSome(vmax, four));
    storeSome(vmax, four, square);
  }
  const denominator = mulAdd(f32x4.sqrt(square), bias, epsilon);
  storeSome(w, four, f32x4.sub(weight, f32x4.div(f32x4.mul(rate, mean), denominator)));
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
    inline.always(rmspropVector(true, w, dw, square, mean, buf, rate, keeps, takes, epsilon, decay, inertia));
  }
  for (let rest = n & 3; rest > 0; rest--, w += 4, dw += 4, square += 4, mean += meanStep >> 2, buf += bufStep >> 2) {
    inline.always(rmspropVector(false, w, dw, square, mean, buf, rate, keeps, takes, epsilon, decay, inertia));
  }
}

function rmspropVector(
  four: bool,
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
  const weight = loadSome(w, four);
  const g = mulAdd(decay, weight, loadSome(dw, four));
  let variance = f32x4.add(f32x4.mul(keep, loadSome(square, four)), f32x4.mul(take, f32x4.mul(g, g)));
  storeSome(square, four, variance);
  if (mean != 0) {
    const m = mulAdd(take, f32x4.sub(g, loadSome(mean, four)), loadSome(mean, four));
    storeSome(mean, four, m);
    // A NaN in the first operand of pmax stays.
    variance = f32x4.pmax(f32x4.sub(variance, f32x4.mul(m, m)), i32x4.splat(0));
  }
  const root = f32x4.add(f32x4.sqrt(variance), epsilon);
  if (buf == 0) {
    storeSome(w, four, f32x4.sub(weight, f32x4.div(f32x4.mul(rate, g), root)));
    return;
  }
  const b = mulAdd(inertia, loadSome(buf, four), f32x4.div(g, root));
  storeSome(buf, four, b);
  storeSome(w, four, f32x4.sub(weight, f32x4.mul(rate, b)));
}
