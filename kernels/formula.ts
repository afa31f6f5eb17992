/**
 * Elementwise functions that are rare in inner loops: one formula each, and one loop for all.
 *
 * They are evaluated in float64, two lanes at a time. A formula may then be written as in a textbook: cancellation, overflow and
 * intermediate roundings stay far below float32, and results are at most 1 ulp off, in nearly all cases the nearest float32. A dispatch for
 * every pair of elements, and polynomials as loops, keep the code small: a further function costs only its formula. A pair takes some 5 ns
 * plus the time of its formula.
 *
 * Polynomials are minimax fits whose coefficients were rounded to float32 one by one, each refit compensating the earlier roundings; the
 * remaining relative errors are below 1.2·10⁻⁸, a fifth of a float32 rounding.
 */
import * as codes from "./codes";

/** (eʳ − 1) / r for |r| ≤ ln 2 / 2 */
const expTerms = memory.data<f32>([
  1, 0.5, 0.166666672, 0.0416666679, 0.00833317451, 0.00138886075, 0.000199749804, 2.49830173e-5,
]);
/** 2·artanh(s) / s in s² for |s| ≤ 3 − 2√2 */
const logTerms = memory.data<f32>([2, 0.666666687, 0.39999342, 0.286392242, 0.194611385, 0.574398637, 0, 0]);
/** sin(r) / r in r² for |r| ≤ π/2 */
const sinTerms = memory.data<f32>([
  1, -0.166666672, 0.00833335239, -0.000198434762, 2.76511219e-6, -2.59776662e-8, 0, 0,
]);
/** arctan(r) / r in r² for |r| ≤ 1 */
const atanTerms = memory.data<f32>([
  1, -0.333332986, 0.19998531, -0.142640516, 0.109511748, -0.0840047523, 0.0579065457, -0.0311270021, 0.0108873611,
  -0.0017875476, 0, 0,
]);
/** √π/2·erf(x) / x in x² for |x| ≤ 1 */
const erfTerms = memory.data<f32>([
  1, -0.333333254, 0.0999984667, -0.0237995945, 0.00459974213, -0.000711248373, 7.00217424e-5, 0,
]);
/** erfc(x)·e^x² / t as a polynomial in t = 1 / (1 + x/2), for 1 ≤ x ≤ 10.5: its coefficients. */
const erfcTerms = memory.data<f32>([
  0.282098025, 0.282047004, 0.246904135, 0.179039791, 0.0603434183, 0.0834454149, -0.227062345, 0.0937637165,
]);
/** 1 / 2π in binary, preceded by 40 zeros, in reverse order of bytes. */
const turns = memory.data<u8>([
  0x7f, 0x10, 0xe4, 0x10, 0x4f, 0x66, 0xa5, 0xd8, 0x36, 0x70, 0x37, 0x4d, 0x7d, 0xf4, 0xd5, 0x09, 0x7f, 0x4a, 0x05,
  0x91, 0x93, 0xdb, 0x60, 0xbe, 0x28, 0, 0, 0, 0, 0,
]);

/** z[i] ← f(x[i], y[i]; q), with y[i] = p for all i if y is 0; f is one of the numbers in codes.ts */
// @cut n by 16 → z, x, y
export function formula(f: i32, z: usize, x: usize, y: usize, n: i32, p: f32, q: f32): void {
  run(f, z, 0, x, y, n, p, q);
}

/** dx[i] += dz[i]·f(x[i], y[i]; q); adds nothing where f is 0; y and p as in `formula`, f is the number of a derivative */
// @cut n by 16 → dx, dz, x, y
export function formulaGrad(f: i32, dx: usize, dz: usize, x: usize, y: usize, n: i32, p: f32, q: f32): void {
  run(f, dx, dz, x, y, n, p, q);
}

function run(f: i32, z: usize, dz: usize, x: usize, y: usize, n: i32, p: f32, q: f32): void {
  let b = f64x2.splat(p);
  const c = f64x2.splat(q);
  for (; n > 0; n -= 2, z += 8, x += 8) {
    if (y != 0) {
      b = load2(y, n);
      y += 8;
    }
    let value = inline.always(valueOf(f, load2(x, n), b, c));
    if (dz != 0) {
      const none = f64x2.eq(value, f64x2.splat(0));
      value = f64x2.add(load2(z, n), v128.andnot(f64x2.mul(load2(dz, n), value), none));
      dz += 8;
    }
    value = f32x4.demote_f64x2_zero(value);
    // A sum that underflows float32 is 0, and not −0.
    if (dz != 0) value = f32x4.add(value, f32x4.splat(0));
    if (n > 1) v128.store64_lane(z, value, 0);
    else v128.store32_lane(z, value, 0);
  }
}

/** The first two of n values at p, in float64; for n = 1, the only value and 0. */
function load2(p: usize, n: i32): v128 {
  return f64x2.promote_low_f32x4(n > 1 ? v128.load64_zero(p) : v128.load32_zero(p));
}

/** The function with number f; derivatives without a case are 0. */
function valueOf(f: i32, x: v128, y: v128, q: v128): v128 {
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  switch (f) {
    case codes.SIN:
      return sin(x, 0);
    case codes.COS:
      return sin(x, 1);
    case codes.COS + 1:
      return f64x2.neg(sin(x, 0));
    case codes.ERF:
      return erfPlus(x, f64x2.splat(-0.0));
    case codes.ERF + 1:
      return f64x2.mul(f64x2.splat(TWO_OVER_ROOT_PI), expLess(f64x2.neg(f64x2.mul(x, x)), zero));
    case codes.GELU:
      return f64x2.mul(x, normal(x));
    case codes.GELU + 1: {
      const e = expLess(f64x2.mul(f64x2.mul(x, x), f64x2.splat(-0.5)), zero);
      return f64x2.add(normal(x), f64x2.mul(f64x2.mul(x, e), f64x2.splat(ONE_OVER_ROOT_2PI)));
    }
    case codes.GATED:
      return f64x2.mul(x, sigmoid(gate(x, y, q)));
    case codes.GATED + 1: {
      // σ(g) + x·g′·σ(g)·σ(−g)
      const g = gate(x, y, q);
      const slope = f64x2.add(y, f64x2.mul(f64x2.mul(x, x), f64x2.mul(q, f64x2.splat(3))));
      const s = sigmoid(g);
      return f64x2.add(s, f64x2.mul(f64x2.mul(x, slope), f64x2.mul(s, sigmoid(f64x2.neg(g)))));
    }
    case codes.SOFTPLUS: {
      const z = f64x2.mul(x, y);
      const e = expLess(f64x2.neg(f64x2.abs(z)), zero);
      const linear = v128.and(x, f64x2.gt(z, zero));
      return v128.bitselect(x, f64x2.add(linear, f64x2.div(log1p(e), y)), f64x2.gt(z, q));
    }
    case codes.SOFTPLUS + 1: {
      const z = f64x2.mul(x, y);
      return v128.bitselect(one, sigmoid(z), f64x2.gt(z, q));
    }
    case codes.ELU:
      return v128.bitselect(f64x2.mul(y, expLess(x, one)), x, f64x2.le(x, zero));
    case codes.ELU + 1:
      return v128.bitselect(f64x2.mul(y, expLess(x, zero)), one, f64x2.le(x, zero));
    case codes.LEAKY_RELU:
      return v128.bitselect(x, f64x2.mul(x, y), f64x2.gt(x, zero));
    case codes.LEAKY_RELU + 1:
      return v128.bitselect(one, y, f64x2.gt(x, zero));
    case codes.LOG1P:
      return log1p(x);
    case codes.LOG1P + 1:
      return f64x2.div(one, f64x2.add(one, x));
    case codes.RECIPROCAL:
      return f64x2.div(one, x);
    case codes.RECIPROCAL + 1:
      return f64x2.div(f64x2.splat(-1), f64x2.mul(x, x));
    case codes.RSQRT:
      return f64x2.div(one, f64x2.sqrt(x));
    case codes.RSQRT + 1:
      return f64x2.div(f64x2.splat(-0.5), f64x2.mul(x, f64x2.sqrt(x)));
    case codes.POW:
      return pow(x, y);
    case codes.POW + 1:
      // 0 for the exponent 0, also at x = 0
      return v128.andnot(f64x2.mul(y, pow(x, f64x2.sub(y, one))), f64x2.eq(y, zero));
    case codes.POW + 2: {
      const flat = v128.and(f64x2.eq(x, zero), f64x2.ge(y, zero));
      const z = f64x2.mul(pow(x, y), log(f64x2.abs(x), zero));
      return v128.andnot(v128.or(z, f64x2.lt(x, zero)), flat);
    }
    case codes.ATAN2:
      return atan2(x, y);
    case codes.ATAN2 + 1:
      return f64x2.div(y, f64x2.add(f64x2.mul(x, x), f64x2.mul(y, y)));
    case codes.ATAN2 + 2:
      return f64x2.div(f64x2.neg(x), f64x2.add(f64x2.mul(x, x), f64x2.mul(y, y)));
    case codes.FLOOR:
      return f64x2.floor(x);
    case codes.ROUND:
      return f64x2.nearest(x);
    case codes.SIGN:
      return f64x2.sub(v128.and(one, f64x2.gt(x, zero)), v128.and(one, f64x2.lt(x, zero)));
    case codes.CHOICE:
      return v128.bitselect(q, y, f64x2.eq(x, zero));
    case codes.INSIDE:
      return v128.andnot(one, v128.or(f64x2.le(x, y), f64x2.ge(x, q)));
  }
  return zero;
}

const TWO_OVER_ROOT_PI: f64 = 1.1283791670955126;
const ONE_OVER_ROOT_2PI: f64 = 0.3989422804014327;
const ROOT_HALF: f64 = 0.7071067811865476;
const LN2: f64 = 0.6931471805599453;
const LOG2_E: f64 = 1.4426950408889634;

/** Σ cᵢ·xⁱ with the n coefficients from c on, four at a time: (c₀ + c₁x) + (c₂ + c₃x)·x², then the next four times x⁴. */
function polynomial(c: usize, n: usize, x: v128): v128 {
  const x2 = f64x2.mul(x, x);
  const x4 = f64x2.mul(x2, x2);
  let z = f64x2.splat(0);
  let p = c + (n << 2);
  do {
    p -= 16;
    const low = f64x2.add(coefficient(p), f64x2.mul(coefficient(p + 4), x));
    const high = f64x2.add(coefficient(p + 8), f64x2.mul(coefficient(p + 12), x));
    z = f64x2.add(f64x2.mul(z, x4), f64x2.add(low, f64x2.mul(high, x2)));
  } while (p != c);
  return z;
}

function coefficient(p: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load32_splat(p));
}

/** eˣ − c = 2ᵏ·(eʳ − 1) + (2ᵏ − c): for c = 1, small values keep their digits. */
function expLess(x: v128, c: v128): v128 {
  const vanishes = f64x2.lt(x, f64x2.splat(-708));
  const overflows = f64x2.gt(x, f64x2.splat(709));
  x = f64x2.pmin(f64x2.pmax(x, f64x2.splat(-708)), f64x2.splat(709));
  // 1.5·2⁵²: adding it rounds to an integer, which is then in the low bits.
  const shifted = f64x2.add(f64x2.mul(x, f64x2.splat(LOG2_E)), f64x2.splat(6755399441055744));
  const k = f64x2.sub(shifted, f64x2.splat(6755399441055744));
  const r = f64x2.sub(x, f64x2.mul(k, f64x2.splat(LN2)));
  const power = v128.andnot(i64x2.add(i64x2.shl(shifted, 52), f64x2.splat(1)), vanishes);
  const z = f64x2.add(f64x2.mul(power, f64x2.mul(r, inline.always(polynomial(expTerms, 8, r)))), f64x2.sub(power, c));
  return v128.bitselect(f64x2.splat(Infinity), z, overflows);
}

/** log(u + rest) for |rest| far below u: k·ln 2 + 2·artanh(s) with u = 2ᵏ·(1 + f), √½ ≤ 1 + f < √2, s = f / (2 + f). */
function log(u: v128, rest: v128): v128 {
  const rootHalf = f64x2.splat(ROOT_HALF);
  const bits = i64x2.sub(u, rootHalf);
  const k = f64x2.convert_low_i32x4_s(i32x4.shr_s(i32x4.shuffle(bits, bits, 1, 3, 1, 3), 20));
  const f = f64x2.sub(i64x2.add(v128.and(bits, i64x2.splat(0xfffffffffffff)), rootHalf), f64x2.splat(1));
  const s = f64x2.div(f, f64x2.add(f, f64x2.splat(2)));
  let z = f64x2.mul(s, polynomial(logTerms, 8, f64x2.mul(s, s)));
  z = f64x2.add(f64x2.add(z, f64x2.div(rest, u)), f64x2.mul(k, f64x2.splat(LN2)));
  // Only 0 and ∞ have such exponents here; all other arguments are NaN.
  z = v128.bitselect(f64x2.mul(k, f64x2.splat(Infinity)), z, f64x2.gt(f64x2.abs(k), f64x2.splat(1000)));
  return v128.or(z, v128.not(f64x2.ge(u, f64x2.splat(0))));
}

/** log(1 + x), with a correction for the rounding of 1 + x, and the sign of x for −0. */
function log1p(x: v128): v128 {
  const one = f64x2.splat(1);
  const u = f64x2.add(x, one);
  return signed(log(u, f64x2.sub(x, f64x2.sub(u, one))), x);
}

/** z with its sign bit set if that of x is set. */
function signed(z: v128, x: v128): v128 {
  return v128.or(z, v128.and(x, f64x2.splat(-0.0)));
}

/** 1 / (1 + e⁻ˣ) computed from e⁻ˡˣˡ, so that it is 0 at −∞ */
function sigmoid(x: v128): v128 {
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const e = expLess(f64x2.neg(f64x2.abs(x)), zero);
  return f64x2.div(v128.bitselect(e, one, f64x2.lt(x, zero)), f64x2.add(one, e));
}

/** y·x + q·x³, without 0·∞ */
function gate(x: v128, y: v128, q: v128): v128 {
  return f64x2.mul(x, f64x2.add(y, f64x2.mul(q, f64x2.pmin(f64x2.mul(x, x), f64x2.splat(1e300)))));
}

/**
 * erf(x) + c for c = −0 or 1, such that small values keep their digits: for |x| > 1 computed from erfc|x|, as (c + s) − s·erfc|x| with the
 * sign s.
 */
function erfPlus(x: v128, c: v128): v128 {
  const one = f64x2.splat(1);
  const x2 = f64x2.mul(x, x);
  const small = f64x2.mul(f64x2.mul(x, f64x2.splat(TWO_OVER_ROOT_PI)), polynomial(erfTerms, 8, x2));
  const a = f64x2.abs(x);
  const t = f64x2.div(one, f64x2.add(one, f64x2.mul(a, f64x2.splat(0.5))));
  const complement = f64x2.mul(f64x2.mul(t, polynomial(erfcTerms, 8, t)), expLess(f64x2.neg(x2), f64x2.splat(0)));
  const s = signed(one, x);
  const large = f64x2.sub(f64x2.add(c, s), f64x2.mul(s, complement));
  return v128.bitselect(f64x2.add(small, c), large, f64x2.lt(a, one));
}

/** Φ(x), the standard normal distribution function. */
function normal(x: v128): v128 {
  return f64x2.mul(erfPlus(f64x2.mul(x, f64x2.splat(ROOT_HALF)), f64x2.splat(1)), f64x2.splat(0.5));
}

/** xʸ = ± exp(y·log|x|) */
function pow(x: v128, y: v128): v128 {
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const a = f64x2.abs(x);
  let z = expLess(f64x2.mul(y, log(a, zero)), zero);
  z = v128.bitselect(one, z, v128.or(f64x2.eq(y, zero), f64x2.eq(a, one)));
  // For x < 0, an odd exponent gives a negative power, and a fractional one NaN.
  const h = f64x2.mul(y, f64x2.splat(0.5));
  const whole = f64x2.eq(f64x2.floor(y), y);
  const odd = v128.andnot(whole, f64x2.eq(f64x2.floor(h), h));
  z = v128.xor(z, v128.and(v128.and(x, f64x2.splat(-0.0)), odd));
  const finite = v128.and(f64x2.lt(x, zero), f64x2.gt(x, f64x2.splat(-Infinity)));
  return v128.or(z, v128.andnot(finite, whole));
}

/** The angle of the point (y, x) from the first axis: arctan of the smaller coordinate over the larger one. */
function atan2(x: v128, y: v128): v128 {
  // Both coordinates become finite and the divisor at least 1e-300. So 0 / 0 gives 0, and ∞ / ∞ gives 1.
  const a = f64x2.pmin(f64x2.abs(x), f64x2.splat(1e300));
  const b = f64x2.pmin(f64x2.abs(y), f64x2.splat(1e300));
  const steep = f64x2.gt(a, b);
  const larger = v128.bitselect(a, b, steep);
  const r = f64x2.div(v128.bitselect(b, a, steep), f64x2.pmax(larger, f64x2.splat(1e-300)));
  let z = f64x2.mul(r, polynomial(atanTerms, 12, f64x2.mul(r, r)));
  z = v128.bitselect(f64x2.sub(f64x2.splat(HALF_PI), z), z, steep);
  z = v128.bitselect(f64x2.sub(f64x2.splat(2 * HALF_PI), z), z, i64x2.shr_s(y, 63));
  return signed(z, x);
}

const HALF_PI: f64 = 1.5707963267948966;
/** π·2⁻⁶⁴ */
const HALF_TURN_UNIT: f64 = 1.7030607900432772e-19;

/** sin(x + quadrant·π/2) for quadrant 0 or 1 */
function sin(x: v128, quadrant: i64): v128 {
  let r = f64x2.splat(reduced(f64x2.extract_lane(x, 0), quadrant));
  r = f64x2.replace_lane(r, 1, reduced(f64x2.extract_lane(x, 1), quadrant));
  return f64x2.mul(r, polynomial(sinTerms, 8, f64x2.mul(r, r)));
}

/**
 * An angle in [−π/2, π/2] with the sine of x + quadrant·π/2, exact to 2⁻⁶³ of a turn for every float32.
 *
 * x = m·2ᵉ⁻²³. Of 1/2π, the bits that give whole turns are left out. m is multiplied by the next 64 bits, of which the low half of the
 * product remains, and by 32 more for their carry. The result is a fraction of a turn in units of 2⁻⁶⁴; whole turns vanish by integer
 * overflow.
 *
 * @see Payne and Hanek (1983), Radian Reduction for Trigonometric Functions, SIGNUM Newsletter 18(1).
 */
function reduced(x: f64, quadrant: i64): f64 {
  // The result would lose the digits of a small sine; below 2⁻¹⁷ a cosine is 1.
  if (quadrant == 0 && abs(x) < 0.5) return x;
  const bits = reinterpret<i64>(x);
  const offset = max(<i32>(bits >> 52) & 2047, 1006) - 1006;
  const m = (((bits >> 29) & 0x7fffff) | 0x800000) << (offset & 7);
  // ∞ and NaN read before the table, but the result is NaN.
  const at = turns + 18 - (offset >> 3);
  let turn = m * load<i64>(at, 4) + ((m * <i64>load<u32>(at)) >> 32);
  if (bits < 0) turn = -turn;
  turn += quadrant << 62;
  // Beyond a quarter turn, the sine is mirrored.
  const angle = <f64>(turn << 1) * HALF_TURN_UNIT + (x - x);
  return (turn ^ (turn << 1)) < 0 ? -angle : angle;
}
