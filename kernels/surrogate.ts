/**
 * Surrogate derivatives: what backward uses in the place of the derivative of the step function at x = u − θ.
 *
 *   sigmoid        k·σ(kx)·(1 − σ(kx))
 *   fastSigmoid    1 / (1 + k|x|)²
 *   atan           (α/2) / (1 + (π/2·α·x)²)
 */
import { expLanes } from "./lanes";
import { scalarEnd, vectorEnd } from "./span";

const SIGMOID: i32 = 0;
const FAST_SIGMOID: i32 = 1;
const ATAN: i32 = 2;

/** Doubles of 1 on four lanes, kept in memory so that the loops need not rebuild them. */
const one = memory.data<f32>([1, 1, 1, 1], 16);

/** z[i] ← surrogate′(u[i] − threshold[i·step]), step 0 or 1 */
export function surrogate(z: usize, u: usize, threshold: usize, step: i32, n: i32, kind: i32, slope: f32): void {
  if (kind == SIGMOID) sigmoidDerivative(z, u, threshold, step, n, slope);
  else if (kind == FAST_SIGMOID) fastSigmoidDerivative(z, u, threshold, step, n, slope);
  else atanDerivative(z, u, threshold, step, n, slope);
}

/** With e = exp(−k|x|): k·e / (1 + e)², which cannot overflow. */
function sigmoidDerivative(z: usize, u: usize, threshold: usize, step: i32, n: i32, slope: f32): void {
  const end = scalarEnd(z, n);
  const k = f32x4.splat(slope);
  const minus = f32x4.splat(-slope);
  const vectorStep: usize = step == 0 ? 0 : 16;
  const scalarStep: usize = step == 0 ? 0 : 4;
  let theta = v128.load32_splat(threshold);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, u += 16, threshold += vectorStep) {
    if (step != 0) theta = v128.load(threshold);
    const x = f32x4.sub(v128.load(u), theta);
    const e = inline.always(expLanes(f32x4.mul(minus, f32x4.abs(x))));
    const d = f32x4.add(v128.load(one), e);
    v128.store(z, f32x4.div(f32x4.mul(k, e), f32x4.mul(d, d)));
  }
  for (; z < end; z += 4, u += 4, threshold += scalarStep) {
    const x = f32x4.sub(v128.load32_splat(u), v128.load32_splat(threshold));
    const e = inline.always(expLanes(f32x4.mul(minus, f32x4.abs(x))));
    const d = f32x4.add(v128.load(one), e);
    store<f32>(z, f32x4.extract_lane(f32x4.div(f32x4.mul(k, e), f32x4.mul(d, d)), 0));
  }
}

function fastSigmoidDerivative(z: usize, u: usize, threshold: usize, step: i32, n: i32, slope: f32): void {
  const end = scalarEnd(z, n);
  const k = f32x4.splat(slope);
  const vectorStep: usize = step == 0 ? 0 : 16;
  const scalarStep: usize = step == 0 ? 0 : 4;
  let theta = v128.load32_splat(threshold);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, u += 16, threshold += vectorStep) {
    if (step != 0) theta = v128.load(threshold);
    const x = f32x4.abs(f32x4.sub(v128.load(u), theta));
    const d = f32x4.add(v128.load(one), f32x4.mul(k, x));
    v128.store(z, f32x4.div(v128.load(one), f32x4.mul(d, d)));
  }
  for (; z < end; z += 4, u += 4, threshold += scalarStep) {
    const d: f32 = 1 + slope * abs<f32>(load<f32>(u) - load<f32>(threshold));
    store<f32>(z, 1 / (d * d));
  }
}

function atanDerivative(z: usize, u: usize, threshold: usize, step: i32, n: i32, alpha: f32): void {
  const end = scalarEnd(z, n);
  const scale = <f32>1.5707963267948966 * alpha;
  const half = <f32>0.5 * alpha;
  const scales = f32x4.splat(scale);
  const halves = f32x4.splat(half);
  const vectorStep: usize = step == 0 ? 0 : 16;
  const scalarStep: usize = step == 0 ? 0 : 4;
  let theta = v128.load32_splat(threshold);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, u += 16, threshold += vectorStep) {
    if (step != 0) theta = v128.load(threshold);
    const x = f32x4.mul(scales, f32x4.sub(v128.load(u), theta));
    v128.store(z, f32x4.div(halves, f32x4.add(v128.load(one), f32x4.mul(x, x))));
  }
  for (; z < end; z += 4, u += 4, threshold += scalarStep) {
    const x = scale * (load<f32>(u) - load<f32>(threshold));
    store<f32>(z, half / (1 + x * x));
  }
}

/** z[i] ← 1 where x[i] ≥ 0 (strict: > 0), else 0 */
export function spike(z: usize, x: usize, n: i32, strict: i32): void {
  // x > 0 is x ≥ the smallest positive float.
  const floor: f32 = strict != 0 ? reinterpret<f32>(1) : 0;
  for (const end = scalarEnd(z, n); z < end; z += 4, x += 4) store<f32>(z, load<f32>(x) >= floor ? 1 : 0);
}
