/**
 * Optimizer steps in one pass over parameter, gradient and state, since memory bandwidth limits them. The rules are PyTorch's, operation by
 * operation.
 *
 * Numbers close to 1 (β, dampening, decay) are float64: for a float32 β₂ = 0.999, the relative error of 1 − β₂ would be 10⁻⁵.
 */
import { loadSome, mulAdd, storeSome } from "./lanes";
import { vectorEnd } from "./span";

/**
 * Gradient descent with momentum:
 *
 *   d ← dw + weightDecay·w
 *   buf ← momentum·buf + (1 − dampening)·d, but in the first step buf ← d;  d ← nesterov ? d + momentum·buf : buf
 *   w ← w − lr·d
 *
 * buf = 0 (the address) omits the second line. nesterov and first are 0 or 1.
 */
// @cut n by 16 → w, dw, buf
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
 *   w ← shrink·w                      g = dw + decay·w
 *   m ← keep₁·m + take₁·g             v ← keep₂·v + take₂·g²        vmax ← max(vmax, v)
 *   w ← w − rate·m / (√v·scale + eps)
 *
 * `numbers` is the address of these nine as float32: shrink, decay, keep₁, take₁, keep₂, take₂, rate, scale, eps. In step t, rate is
 * lr / (1 − β₁ᵗ) and scale is 1 / √(1 − β₂ᵗ); keep is β and take is 1 − β, for a float64 β. AdamW sets shrink to 1 − lr·λ, Adam sets decay to
 * λ. vmax = 0 (the address) omits it; otherwise it replaces v in the last line.
 */
// @cut n by 16 → w, dw, m, v, vmax
export function adam(w: usize, dw: usize, m: usize, v: usize, vmax: usize, n: i32, numbers: usize): void {
  const shrink = v128.load32_splat(numbers);
  const decay = v128.load32_splat(numbers, 4);
  const keep1 = v128.load32_splat(numbers, 8);
  const take1 = v128.load32_splat(numbers, 12);
  const keep2 = v128.load32_splat(numbers, 16);
  const take2 = v128.load32_splat(numbers, 20);
  const rate = v128.load32_splat(numbers, 24);
  const scale = v128.load32_splat(numbers, 28);
  const epsilon = v128.load32_splat(numbers, 32);
  const vmaxStep: usize = vmax == 0 ? 0 : 16;
  for (const stop = vectorEnd(w, n); w < stop; w += 16, dw += 16, m += 16, v += 16, vmax += vmaxStep) {
    const weight = f32x4.mul(v128.load(w), shrink);
    const g = mulAdd(decay, weight, v128.load(dw));
    const mean = inline.always(average(true, m, keep1, take1, g));
    const square = inline.always(largest(true, vmax, average(true, v, keep2, take2, f32x4.mul(g, g))));
    const root = mulAdd(f32x4.sqrt(square), scale, epsilon);
    v128.store(w, f32x4.sub(weight, f32x4.div(f32x4.mul(rate, mean), root)));
  }
  for (let rest = n & 3; rest > 0; rest--, w += 4, dw += 4, m += 4, v += 4, vmax += vmaxStep >> 2) {
    const weight = f32x4.mul(v128.load32_zero(w), shrink);
    const g = mulAdd(decay, weight, v128.load32_zero(dw));
    const mean = inline.always(average(false, m, keep1, take1, g));
    const square = inline.always(largest(false, vmax, average(false, v, keep2, take2, f32x4.mul(g, g))));
    const root = mulAdd(f32x4.sqrt(square), scale, epsilon);
    v128.store32_lane(w, f32x4.sub(weight, f32x4.div(f32x4.mul(rate, mean), root)), 0);
  }
}

/** p ← keep·p + take·x, also the return value */
function average(four: bool, p: usize, keep: v128, take: v128, x: v128): v128 {
  const mean = f32x4.add(f32x4.mul(keep, loadSome(p, four)), f32x4.mul(take, x));
  storeSome(p, four, mean);
  return mean;
}

/** p ← max(p, x), also the return value; returns x if p is 0 (the address). */
function largest(four: bool, p: usize, x: v128): v128 {
  if (p == 0) return x;
  // pmax keeps a NaN in its first operand.
  const most = f32x4.pmax(x, loadSome(p, four));
  storeSome(p, four, most);
  return most;
}

/**
 * RMSprop, centered or not, with or without momentum, and Adagrad (keep = take = 1, lr with its decay):
 *
 *   g = dw + weightDecay·w          square ← keep·square + take·g²        mean ← mean + take·(g − mean)
 *   d = g / (√(square − mean²) + eps)        buf ← momentum·buf + d        w ← w − lr·buf
 *
 * mean = 0 and buf = 0 (the addresses) omit these; without buf, d replaces it. The radicand is clamped to 0, which rounding could otherwise
 * make negative.
 */
// @cut n by 16 → w, dw, square, mean, buf
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
    // pmax keeps a NaN in its first operand.
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
