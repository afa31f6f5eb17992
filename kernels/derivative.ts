/**
 * Surrogate derivatives on four lanes, which backward uses instead of the derivative of the step at x = u − θ.
 *
 *   sigmoid           k·σ(kx)·(1 − σ(kx))
 *   fastSigmoid       1 / (1 + k|x|)²
 *   atan              (α/2) / (1 + (π/2·α·x)²)
 *   erf               α/√π·exp(−α²x²)
 *   triangular        (1 − |x|/w) / w where that is positive, else 0
 *   boxcar            1/w where |x| < w/2, else 0
 *   straightThrough   1
 *
 * Triangular, boxcar and straightThrough are one formula, LINEAR: min(outer, max(floor, (reach − |x|)·inner)).
 */
import { ATAN, BOXCAR, ERF, FAST_SIGMOID, SIGMOID, STRAIGHT_THROUGH, TRIANGULAR } from "./kinds";
import { mulAdd, one, signBit } from "./lanes";

/** A kind of the formula of TRIANGULAR, BOXCAR and STRAIGHT_THROUGH, for which a loop over time contains the formula. */
export const LINEAR: i32 = STRAIGHT_THROUGH;

/** Columns of a step for which the derivatives, or their exponentials, are kept. */
export const PIECE: i32 = 512;
/** These derivatives or exponentials. */
export const computed = memory.data(2048, 16);

/** 1.5·2²³: adding it rounds to an integer, which then is in the low bits. */
const rounder = memory.data<f32>([12582912]);
/** Far below any derivative that matters, far above subnormal products with a gradient, which are slow. */
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

/** Whether the formula is one of an exponential, which `exponentials` takes before. */
export function isExponential(kind: i32): bool {
  return kind == SIGMOID || kind == ERF;
}

/**
 * For fours of x = u − θ the exponential of a formula: exp(−k|x|) or exp(−α²x²). thetaBytes lie between four θ and the next.
 *
 * As 2ʸ, to (26 + |y|/2)·10⁻⁷ relative; 2⁻⁶⁴ below −64. A third of the work of the exact function: a derivative that is an
 * approximation in itself does not need its last bits. The two halves of the polynomial do not wait for each other. The
 * exponential has a loop of its own because, with a division behind it, the chain of operations is longer than a
 * processor looks ahead, and because here all constants have a register.
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
    // A factor, where a sum of exponents would make a number of some NaNs.
    v128.store(to, f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), unit)));
  } while (--fours != 0);
}

/** The factor of x in `derivativeLanes`. */
export function innerFactor(kind: i32, slope: f32): f32 {
  if (kind == SIGMOID) return -slope * LOG2_E;
  if (kind == FAST_SIGMOID) return slope;
  if (kind == ATAN) return HALF_PI * slope;
  if (kind == ERF) return -slope * slope * LOG2_E;
  if (kind == TRIANGULAR) return 1 / (slope * slope);
  // Every loop asks for this factor before it begins: a number that is no surrogate stops here.
  return kind == BOXCAR || kind == STRAIGHT_THROUGH ? Infinity : unreachable();
}

/** The other constant in `derivativeLanes`. */
export function outerFactor(kind: i32, slope: f32): f32 {
  if (kind == SIGMOID) return slope;
  if (kind == ATAN) return <f32>0.5 * slope;
  if (kind == ERF) return INVERSE_SQRT_PI * slope;
  if (kind == TRIANGULAR) return Infinity;
  return kind == BOXCAR ? 1 / slope : 1;
}

/** The least value of LINEAR, also where x is NaN. */
export function floorOf(kind: i32): f32 {
  return kind == STRAIGHT_THROUGH ? 1 : 0;
}

/** The distance from the threshold from which on LINEAR is 0. */
export function reachOf(kind: i32, width: f32): f32 {
  if (kind == TRIANGULAR) return width;
  return kind == BOXCAR ? <f32>0.5 * width : Infinity;
}

/** surrogate′ of x, or of its exponential. Inlined where `kind` is a constant, a loop contains one formula. */
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
  // Where this is NaN, as 0·∞ is at the border of a box, pmax gives its first operand.
  const rising = f32x4.mul(f32x4.sub(reach, inline.always(magnitude(x))), inner);
  return f32x4.pmin(outer, f32x4.pmax(floor, rising));
}
