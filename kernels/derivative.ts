/**
 * Surrogate derivatives on four lanes, which backward uses in place of the derivative of the step at x = u − θ.
 *
 *   sigmoid           k·σ(kx)·(1 − σ(kx))
 *   fastSigmoid       1 / (1 + k|x|)²
 *   atan              (α/2) / (1 + (π/2·α·x)²)
 *   erf               α/√π·exp(−α²x²)
 *   triangular        (1 − |x|/w) / w where that is positive, else 0
 *   boxcar            1/w where |x| < w/2, else 0
 *   straightThrough   1
 *
 * Triangular, boxcar and straightThrough share one formula, LINEAR: min(outer, max(floor, (reach − |x|)·inner)).
 */
import { ATAN, BOXCAR, ERF, FAST_SIGMOID, SIGMOID, STRAIGHT_THROUGH, TRIANGULAR } from "./kinds";
import { mulAdd, one, signBit } from "./lanes";

/** Kind that stands for the formula of TRIANGULAR, BOXCAR and STRAIGHT_THROUGH, so that a loop over time contains it once. */
export const LINEAR: i32 = STRAIGHT_THROUGH;

/** Number of columns of a step whose derivatives, or exponentials, are buffered. */
export const PIECE: i32 = 512;
/** Buffer of derivatives or exponentials. */
export const computed = memory.data(2048, 16);

/** 1.5·2²³: adding it rounds to an integer, which is then in the low bits. */
const rounder = memory.data<f32>([12582912]);
/** Lower bound of exponents: far below any derivative that matters, far above subnormal products with a gradient, which are slow. */
const lowest = memory.data<f32>([-64]);
/** Minimax fit of 2ᶠ for |f| ≤ 1/2, relative error 2.6·10⁻⁶. */
const power0 = memory.data<f32>([0.9999993]);
const power1 = memory.data<f32>([0.6931218]);
const power2 = memory.data<f32>([0.24024744]);
const power3 = memory.data<f32>([0.05591786]);
const power4 = memory.data<f32>([0.009570102]);
const LOG2_E: f32 = 1.44269504;
const HALF_PI: f32 = 1.57079633;
const INVERSE_SQRT_PI: f32 = 0.56418958;

/** |x|, in fewer instructions than V8 takes for f32x4.abs. */
function magnitude(x: v128): v128 {
  return v128.andnot(x, v128.load32_splat(signBit));
}

/** Whether the formula needs an exponential, which `exponentials` computes first. */
export function isExponential(kind: i32): bool {
  return kind == SIGMOID || kind == ERF;
}

/**
 * For groups of four x = u − θ, the exponential of a formula: exp(−k|x|) or exp(−α²x²). thetaBytes is the distance between four θ and the next.
 *
 * Computed as 2ʸ, with a relative error of (26 + |y|/2)·10⁻⁷, and as 2⁻⁶⁴ below −64. This takes a third of the work of the exact function;
 * a surrogate derivative is an approximation and does not need its last bits. The two halves of the polynomial are independent. The
 * exponential has a separate loop, in which all constants fit into registers; with a division after it, the chain of operations would
 * exceed a processor's look-ahead.
 */
export function exponentials(
  to: usize,
  u: usize,
  threshold: usize,
  thetaBytes: usize,
  fours: i32,
  kind: i32,
  slope: f32,
): void {
  const inner = f32x4.splat(innerFactor(kind, slope));
  if (kind == ERF) inline.always(powers(true, to, u, threshold, thetaBytes, fours, inner));
  else inline.always(powers(false, to, u, threshold, thetaBytes, fours, inner));
}

/** 2 to the power of inner·x² or inner·|x|. */
function powers(
  squared: bool,
  to: usize,
  u: usize,
  threshold: usize,
  thetaBytes: usize,
  fours: i32,
  inner: v128,
): void {
  const sign = v128.load32_splat(signBit);
  const low = v128.load32_splat(lowest);
  const round = v128.load32_splat(rounder);
  const p0 = v128.load32_splat(power0);
  const p1 = v128.load32_splat(power1);
  const p2 = v128.load32_splat(power2);
  const p3 = v128.load32_splat(power3);
  const p4 = v128.load32_splat(power4);
  const unit = v128.load32_splat(one);
  to -= 16;
  u -= 16;
  threshold -= thetaBytes;
  do {
    to += 16;
    u += 16;
    threshold += thetaBytes;
    const x = f32x4.sub(v128.load(u), v128.load(threshold));
    const y = f32x4.mul(inner, squared ? f32x4.mul(x, x) : v128.andnot(x, sign));
    const clamped = f32x4.pmax(y, low);
    const shifted = f32x4.add(clamped, round);
    const f = f32x4.sub(clamped, f32x4.sub(shifted, round));
    const high = mulAdd(mulAdd(p4, f, p3), f, p2);
    const p = mulAdd(high, f32x4.mul(f, f), mulAdd(p1, f, p0));
    // Multiplies by 2ᵏ, since adding k to the exponent would turn some NaNs into numbers.
    v128.store(to, f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), unit)));
  } while (--fours != 0);
}

/** Factor of x in `derivativeLanes`. */
export function innerFactor(kind: i32, slope: f32): f32 {
  if (kind == SIGMOID) return -slope * LOG2_E;
  if (kind == FAST_SIGMOID) return slope;
  if (kind == ATAN) return HALF_PI * slope;
  if (kind == ERF) return -slope * slope * LOG2_E;
  if (kind == TRIANGULAR) return 1 / (slope * slope);
  // Every loop computes this factor before it begins, so an unknown kind traps here.
  return kind == BOXCAR || kind == STRAIGHT_THROUGH ? Infinity : unreachable();
}

/** Second constant in `derivativeLanes`. */
export function outerFactor(kind: i32, slope: f32): f32 {
  if (kind == SIGMOID) return slope;
  if (kind == ATAN) return <f32>0.5 * slope;
  if (kind == ERF) return INVERSE_SQRT_PI * slope;
  if (kind == TRIANGULAR) return Infinity;
  return kind == BOXCAR ? 1 / slope : 1;
}

/** Lower bound of LINEAR, also its value for NaN. */
export function floorOf(kind: i32): f32 {
  return kind == STRAIGHT_THROUGH ? 1 : 0;
}

/** Distance from the threshold from which LINEAR is 0. */
export function reachOf(kind: i32, width: f32): f32 {
  if (kind == TRIANGULAR) return width;
  return kind == BOXCAR ? <f32>0.5 * width : Infinity;
}

/** surrogate′ of x, or of its exponential. Inlined with a constant `kind`, a loop contains only one formula. */
export function derivativeLanes(kind: i32, x: v128, inner: v128, outer: v128, reach: v128, floor: v128): v128 {
  if (kind == SIGMOID) {
    const d = f32x4.add(v128.load32_splat(one), x);
    return f32x4.div(f32x4.mul(outer, x), f32x4.mul(d, d));
  }
  if (kind == FAST_SIGMOID) {
    const d = f32x4.add(outer, f32x4.mul(inner, inline.always(magnitude(x))));
    return f32x4.div(outer, f32x4.mul(d, d));
  }
  if (kind == ATAN) {
    const y = f32x4.mul(inner, x);
    return f32x4.div(outer, f32x4.add(v128.load32_splat(one), f32x4.mul(y, y)));
  }
  if (kind == ERF) return f32x4.mul(outer, x);
  // If the product is NaN, such as 0·∞ at the edge of a box, pmax returns its first operand.
  const rising = f32x4.mul(f32x4.sub(reach, inline.always(magnitude(x))), inner);
  return f32x4.pmin(outer, f32x4.pmax(floor, rising));
}
