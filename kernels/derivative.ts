/**
 * Surrogate derivatives on four lanes: what backward uses in the place of the derivative of the step at x = u − θ.
 *
 *   sigmoid        k·σ(kx)·(1 − σ(kx))
 *   fastSigmoid    1 / (1 + k|x|)²
 *   atan           (α/2) / (1 + (π/2·α·x)²)
 */
import { mulAdd, one } from "./lanes";

export const SIGMOID: i32 = 0;
export const FAST_SIGMOID: i32 = 1;
export const ATAN: i32 = 2;

/** 1.5·2²³: adding it rounds to an integer, which then is in the low bits. */
const rounder = memory.data<f32>([12582912]);
/** Far below what matters, far above where products with a gradient become subnormal, which is slow. */
const lowest = memory.data<f32>([-64]);
/** Minimax fit of 2ᶠ for |f| ≤ 1/2, relative error 1.6·10⁻⁷. */
const power0 = memory.data<f32>([1.0000001]);
const power1 = memory.data<f32>([0.69314694]);
const power2 = memory.data<f32>([0.2402212]);
const power3 = memory.data<f32>([0.05550713]);
const power4 = memory.data<f32>([0.00967554]);
const power5 = memory.data<f32>([0.00132765]);
const LOG2_E: f32 = 1.44269504;
const HALF_PI: f32 = 1.57079633;

/**
 * 2ʸ for y ≤ 0, to (2 + |y|/2)·10⁻⁷ relative; 2⁻⁶⁴ below −64. Half the work of the exact function: a derivative that
 * is an approximation in itself does not need its last bit.
 */
function powerOfTwo(y: v128): v128 {
  const clamped = f32x4.pmax(y, v128.load32_splat(lowest));
  const shifted = f32x4.add(clamped, v128.load32_splat(rounder));
  const f = f32x4.sub(clamped, f32x4.sub(shifted, v128.load32_splat(rounder)));
  let p = mulAdd(v128.load32_splat(power5), f, v128.load32_splat(power4));
  p = mulAdd(p, f, v128.load32_splat(power3));
  p = mulAdd(p, f, v128.load32_splat(power2));
  p = mulAdd(p, f, v128.load32_splat(power1));
  p = mulAdd(p, f, v128.load32_splat(power0));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** k·e / (1 + e)² with e = exp(−k|x|), which cannot overflow; exponent = −k·log₂e. */
function sigmoidLanes(x: v128, slope: v128, exponent: v128): v128 {
  const e = inline.always(powerOfTwo(f32x4.mul(exponent, f32x4.abs(x))));
  const d = f32x4.add(v128.load32_splat(one), e);
  return f32x4.div(f32x4.mul(slope, e), f32x4.mul(d, d));
}

/** What `derivativeLanes` multiplies x with, and its other constant, on four lanes each. */
export function innerFactor(kind: i32, slope: f32): f32 {
  if (kind == SIGMOID) return -slope * LOG2_E;
  return kind == FAST_SIGMOID ? slope : HALF_PI * slope;
}

export function outerFactor(kind: i32, slope: f32): f32 {
  if (kind == SIGMOID) return slope;
  return kind == FAST_SIGMOID ? 1 : <f32>0.5 * slope;
}

/** surrogate′(x). Inlined where `kind` is a constant, a loop contains one formula. */
export function derivativeLanes(kind: i32, x: v128, inner: v128, outer: v128): v128 {
  if (kind == SIGMOID) return inline.always(sigmoidLanes(x, outer, inner));
  if (kind == FAST_SIGMOID) {
    const d = f32x4.add(outer, f32x4.mul(inner, f32x4.abs(x)));
    return f32x4.div(outer, f32x4.mul(d, d));
  }
  const y = f32x4.mul(inner, x);
  return f32x4.div(outer, f32x4.add(v128.load32_splat(one), f32x4.mul(y, y)));
}
