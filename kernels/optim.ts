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
  v128.store(spare, loadTail(w, n));
  v128.store(spare, loadTail(dw, n), 16);
  if (buf != 0) v128.store(spare, loadTail(buf, n), 32);
  sgdVector(spare, spare + 16, buf == 0 ? 0 : spare + 32, rate, decay, keep, take, ahead, nesterov);
  storeTail(w, n, v128.load(spare));
  if (buf != 0) storeTail(buf, n, v128.load(spare, 32));
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
  v128.store(spare, loadTail(w, n));
  v128.store(spare, loadTail(dw, n), 16);
  v128.store(spare, loadTail(m, n), 32);
  v128.store(spare, loadTail(v, n), 48);
  if (vmax != 0) v128.store(spare, loadTail(vmax, n), 64);
  const spareMax: usize = vmax == 0 ? 0 : spare + 64;
  adamVector(
    spare,
    spare + 16,
    spare + 32,
    spare + 48,
    spareMax,
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
  storeTail(w, n, v128.load(spare));
  storeTail(m, n, v128.load(spare, 32));
  storeTail(v, n, v128.load(spare, 48));
  if (vmax != 0) storeTail(vmax, n, v128.load(spare, 64));
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
