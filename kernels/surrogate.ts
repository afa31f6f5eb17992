/**
 * Surrogate derivatives: what backward uses in the place of the derivative of the step function at x = u − θ.
 *
 *   sigmoid        k·σ(kx)·(1 − σ(kx))
 *   fastSigmoid    1 / (1 + k|x|)²
 *   atan           (α/2) / (1 + (π/2·α·x)²)
 */
import { mulAdd, one } from "./lanes";
import { scalarEnd, vectorEnd } from "./span";

const SIGMOID: i32 = 0;
const FAST_SIGMOID: i32 = 1;
const ATAN: i32 = 2;

// Four copies of each constant: an operand is read with one v128.load.
/** 1.5·2²³: adding it rounds to an integer, which then is in the low bits. */
const rounder = memory.data<f32>([12582912, 12582912, 12582912, 12582912], 16);
const lowest = memory.data<f32>([-126, -126, -126, -126], 16);
/** Minimax fit of 2ᶠ for |f| ≤ 1/2, relative error 1.6·10⁻⁷. */
const power0 = memory.data<f32>([1.0000001, 1.0000001, 1.0000001, 1.0000001], 16);
const power1 = memory.data<f32>([0.69314694, 0.69314694, 0.69314694, 0.69314694], 16);
const power2 = memory.data<f32>([0.2402212, 0.2402212, 0.2402212, 0.2402212], 16);
const power3 = memory.data<f32>([0.05550713, 0.05550713, 0.05550713, 0.05550713], 16);
const power4 = memory.data<f32>([0.00967554, 0.00967554, 0.00967554, 0.00967554], 16);
const power5 = memory.data<f32>([0.00132765, 0.00132765, 0.00132765, 0.00132765], 16);
const LOG2_E: f32 = 1.44269504;

/**
 * 2ʸ for y ≤ 0, to (2 + |y|/2)·10⁻⁷ relative; 2⁻¹²⁶ below −126. Half the work of the exact function: a derivative that
 * is an approximation in itself does not need its last bit.
 */
function powerOfTwo(y: v128): v128 {
  const clamped = f32x4.pmax(y, v128.load(lowest));
  const shifted = f32x4.add(clamped, v128.load(rounder));
  const f = f32x4.sub(clamped, f32x4.sub(shifted, v128.load(rounder)));
  let p = mulAdd(v128.load(power5), f, v128.load(power4));
  p = mulAdd(p, f, v128.load(power3));
  p = mulAdd(p, f, v128.load(power2));
  p = mulAdd(p, f, v128.load(power1));
  p = mulAdd(p, f, v128.load(power0));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** k·e / (1 + e)² with e = exp(−k|x|), which cannot overflow; exponent = −k·log₂e. */
function sigmoidLanes(x: v128, slope: v128, exponent: v128): v128 {
  const e = inline.always(powerOfTwo(f32x4.mul(exponent, f32x4.abs(x))));
  const d = f32x4.add(v128.load(one), e);
  return f32x4.div(f32x4.mul(slope, e), f32x4.mul(d, d));
}

/** z[i] ← surrogate′(u[i] − threshold[i·step]), step 0 or 1 */
export function surrogate(z: usize, u: usize, threshold: usize, step: i32, n: i32, kind: i32, slope: f32): void {
  if (kind == SIGMOID) sigmoidDerivative(z, u, threshold, step, n, slope);
  else if (kind == FAST_SIGMOID) fastSigmoidDerivative(z, u, threshold, step, n, slope);
  else atanDerivative(z, u, threshold, step, n, slope);
}

function sigmoidDerivative(z: usize, u: usize, threshold: usize, step: i32, n: i32, slope: f32): void {
  const end = scalarEnd(z, n);
  const k = f32x4.splat(slope);
  const exponent = f32x4.splat(-slope * LOG2_E);
  const vectorStep: usize = step == 0 ? 0 : 16;
  const scalarStep: usize = step == 0 ? 0 : 4;
  let theta = v128.load32_splat(threshold);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, u += 16, threshold += vectorStep) {
    if (step != 0) theta = v128.load(threshold);
    v128.store(z, inline.always(sigmoidLanes(f32x4.sub(v128.load(u), theta), k, exponent)));
  }
  for (; z < end; z += 4, u += 4, threshold += scalarStep) {
    const x = f32x4.sub(v128.load32_splat(u), v128.load32_splat(threshold));
    store<f32>(z, f32x4.extract_lane(sigmoidLanes(x, k, exponent), 0));
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
