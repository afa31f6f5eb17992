/**
 * Elementary functions on four float32 lanes, as polynomials: the same bits on every engine and processor.
 *
 *   function       range                     largest error against the exact value
 *   expLanes       all of float32            1 ulp, gradual underflow from −87.3 to −104, ∞ above 88.72
 *   expNegative    x ≤ 0                     the same
 *   logLanes       all of float32            1 ulp; log 0 = −∞, log of a negative number is NaN
 *   sigmoidLanes   all of float32            2 ulp
 *   tanhLanes      all of float32            1 ulp, odd: tanh(−0) = −0
 *   sinTurn        |t| ≤ 1/4                 sin 2πt to 3·10⁻⁷ relative
 *
 * NaN gives NaN. Hot loops call `inline.always(expLanes(x))`; elsewhere a plain call keeps the module small. Two habits make the loops fast.
 * Constants come from memory, since V8 rebuilds a literal vector in every iteration but loads and splats a number in one instruction. Clamps
 * are pmin and pmax, one instruction each, while min and max take seven. `pmax(a, b)` is b if a < b and else a, so a NaN in the first operand
 * is kept.
 *
 * @see Moshier, Cephes Math Library 2.2 (1992): the coefficients of exp, log and tanh (expf.c, logf.c, tanhf.c).
 */

export const one = memory.data<f32>([1]);
export const laneNumber = memory.data<u32>([0, 1, 2, 3], 16);
export const half = memory.data<f32>([0.5]);
export const signBit = memory.data<u32>([0x80000000]);
export const minusInfinity = memory.data<u32>([0xff800000]);

const log2E = memory.data<f32>([1.44269504]);
/** ln 2 in two parts; the first has 10 significant bits, so that its product with an exponent is exact. */
const ln2High = memory.data<f32>([0.693359375]);
const ln2Low = memory.data<f32>([-2.1219444e-4]);
/** 1.5·2²³: adding it rounds to an integer, which is then in the low bits. */
const rounder = memory.data<f32>([12582912]);
/** Below the first bound, where k = −151, eˣ is 0; above the second it is ∞. */
const expLowest = memory.data<f32>([-104.5]);
const expHighest = memory.data<f32>([89]);
const exponentBits = memory.data<u32>([0xff800000]);
/** 2²⁴ as bits, and 2⁻²⁴ */
const up24 = memory.data<u32>([0x4b800000]);
const down24 = memory.data<u32>([0x33800000]);
const exp3 = memory.data<f32>([1.6666665459e-1]);
const exp4 = memory.data<f32>([4.1665795894e-2]);
const exp5 = memory.data<f32>([8.3334519073e-3]);
const exp6 = memory.data<f32>([1.3981999507e-3]);
const exp7 = memory.data<f32>([1.98756915e-4]);

const smallestNormal = memory.data<u32>([0x00800000]);
const largestFinite = memory.data<u32>([0x7f7fffff]);
const mantissaBits = memory.data<u32>([0x007fffff]);
const sqrtHalf = memory.data<u32>([0x3f3504f3]);
const power23 = memory.data<f32>([8388608]);
const twentyThree = memory.data<f32>([23]);
const log3 = memory.data<f32>([3.3333331174e-1]);
const log4 = memory.data<f32>([-2.4999993993e-1]);
const log5 = memory.data<f32>([2.0000714765e-1]);
const log6 = memory.data<f32>([-1.6668057665e-1]);
const log7 = memory.data<f32>([1.4249322787e-1]);
const log8 = memory.data<f32>([-1.2420140846e-1]);
const log9 = memory.data<f32>([1.167699874e-1]);
const log10 = memory.data<f32>([-1.151461031e-1]);
const log11 = memory.data<f32>([7.0376836292e-2]);

const tanhBorder = memory.data<f32>([0.625]);
const tanh3 = memory.data<f32>([-3.33332819422e-1]);
const tanh5 = memory.data<f32>([1.33314422036e-1]);
const tanh7 = memory.data<f32>([-5.37397155531e-2]);
const tanh9 = memory.data<f32>([2.06390887954e-2]);
const tanh11 = memory.data<f32>([-5.70498872745e-3]);

/** Minimax fit of sin(2πt) / t in t² on |t| ≤ 1/4, relative error 5·10⁻⁹ before rounding. */
const sin1 = memory.data<f32>([6.2831855]);
const sin3 = memory.data<f32>([-41.34168]);
const sin5 = memory.data<f32>([81.602234]);
const sin7 = memory.data<f32>([-76.57499]);
const sin9 = memory.data<f32>([39.71092]);

/**
 * sum + x·y, a term of a product: rounded twice, or once in a relaxed SIMD build on a processor with fused multiply-add. All ways to compute
 * an element of a product add terms with this function, so they give the same bits.
 */
export function madd(sum: v128, x: v128, y: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(x, y, sum) : f32x4.add(sum, f32x4.mul(x, y));
}

/** a·b + c of an elementary function or an optimizer, rounded twice in every build. */
export function mulAdd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

/** eʳ for |r| ≤ ln 2 / 2. */
function expReduced(r: v128): v128 {
  let p = mulAdd(v128.load32_splat(exp7), r, v128.load32_splat(exp6));
  p = mulAdd(p, r, v128.load32_splat(exp5));
  p = mulAdd(p, r, v128.load32_splat(exp4));
  p = mulAdd(p, r, v128.load32_splat(exp3));
  p = mulAdd(p, r, v128.load32_splat(half));
  return f32x4.add(mulAdd(p, f32x4.mul(r, r), r), v128.load32_splat(one));
}

/** x − k·ln 2 for k = shifted − rounder */
function minusMultipleOfLn2(x: v128, shifted: v128): v128 {
  const k = f32x4.sub(shifted, v128.load32_splat(rounder));
  const r = f32x4.sub(x, f32x4.mul(k, v128.load32_splat(ln2High)));
  return f32x4.sub(r, f32x4.mul(k, v128.load32_splat(ln2Low)));
}

/**
 * eˣ = 2ᵏ·eʳ. 2ᵏ may be outside of float32 (k = −151 … 128), so it is applied as 2^⌊k/2⌋·2^⌈k/2⌉.
 *
 * If the result is 0, eʳ is set to 0 first, since a product that underflows costs a processor up to a hundred cycles.
 */
export function expLanes(x: v128): v128 {
  const vanishes = f32x4.lt(x, v128.load32_splat(expLowest));
  x = f32x4.pmin(f32x4.pmax(x, v128.load32_splat(expLowest)), v128.load32_splat(expHighest));
  const shifted = mulAdd(x, v128.load32_splat(log2E), v128.load32_splat(rounder));
  const e = v128.andnot(inline.always(expReduced(inline.always(minusMultipleOfLn2(x, shifted)))), vanishes);
  // k shifted to the exponent's bits: its nine bits fit exactly.
  const exponent = i32x4.shl(shifted, 23);
  const first = v128.and(i32x4.shr_s(exponent, 1), v128.load32_splat(exponentBits));
  const second = i32x4.sub(exponent, first);
  return f32x4.mul(f32x4.mul(e, i32x4.add(first, v128.load32_splat(one))), i32x4.add(second, v128.load32_splat(one)));
}

/** eˣ for x ≤ 0, where k = −151 … 0 and 2ᵏ = 2ᵏ⁺²⁴·2⁻²⁴, since 2⁻¹²⁷ would have the bits of 0. */
export function expNegative(x: v128): v128 {
  x = f32x4.pmax(x, v128.load32_splat(expLowest));
  const shifted = mulAdd(x, v128.load32_splat(log2E), v128.load32_splat(rounder));
  const e = inline.always(expReduced(inline.always(minusMultipleOfLn2(x, shifted))));
  return f32x4.mul(f32x4.mul(e, i32x4.add(i32x4.shl(shifted, 23), v128.load32_splat(up24))), v128.load32_splat(down24));
}

/** log of 2ᵏ·(1 + f) for √½ ≤ 1 + f < √2. */
function logReduced(f: v128, k: v128): v128 {
  const f2 = f32x4.mul(f, f);
  let p = mulAdd(v128.load32_splat(log11), f, v128.load32_splat(log10));
  p = mulAdd(p, f, v128.load32_splat(log9));
  p = mulAdd(p, f, v128.load32_splat(log8));
  p = mulAdd(p, f, v128.load32_splat(log7));
  p = mulAdd(p, f, v128.load32_splat(log6));
  p = mulAdd(p, f, v128.load32_splat(log5));
  p = mulAdd(p, f, v128.load32_splat(log4));
  p = mulAdd(p, f, v128.load32_splat(log3));
  p = f32x4.mul(f32x4.mul(p, f), f2);
  // The largest terms are added last: f, then k·ln 2.
  p = mulAdd(k, v128.load32_splat(ln2Low), p);
  p = f32x4.sub(p, f32x4.mul(f2, v128.load32_splat(half)));
  return mulAdd(k, v128.load32_splat(ln2High), f32x4.add(f, p));
}

/** f of x = 2ᵏ·(1 + f). `bits` are the bits of x minus those of √½; from bit 23 on they are k. */
function fractionOf(bits: v128): v128 {
  return f32x4.sub(
    i32x4.add(v128.and(bits, v128.load32_splat(mantissaBits)), v128.load32_splat(sqrtHalf)),
    v128.load32_splat(one),
  );
}

/** log x for positive normal x, without special cases. */
export function logNormal(x: v128): v128 {
  const bits = i32x4.sub(x, v128.load32_splat(sqrtHalf));
  return inline.always(logReduced(fractionOf(bits), f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23))));
}

/** log x */
export function logLanes(x: v128): v128 {
  const zero = i32x4.splat(0);
  // Subnormal numbers are first scaled to normal ones.
  const small = f32x4.lt(x, v128.load32_splat(smallestNormal));
  const bits = i32x4.sub(
    v128.bitselect(f32x4.mul(x, v128.load32_splat(power23)), x, small),
    v128.load32_splat(sqrtHalf),
  );
  const k = f32x4.sub(f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23)), v128.and(small, v128.load32_splat(twentyThree)));
  let z = inline.always(logReduced(fractionOf(bits), k));
  // ∞ − largest = ∞, and NaN remains NaN; for every other x this adds 0.
  z = f32x4.add(z, f32x4.sub(f32x4.pmax(x, v128.load32_splat(largestFinite)), v128.load32_splat(largestFinite)));
  // All bits set is a NaN.
  z = v128.or(z, f32x4.lt(x, zero));
  return v128.bitselect(v128.load32_splat(minusInfinity), z, f32x4.eq(x, zero));
}

/** 1 / (1 + e⁻ˣ), computed as e⁻ˡˣˡ / (1 + e⁻ˡˣˡ) for x < 0: no overflow, and small values keep their digits. */
export function sigmoidLanes(x: v128): v128 {
  const e = inline.always(expNegative(v128.or(x, v128.load32_splat(signBit))));
  const numerator = v128.bitselect(e, v128.load32_splat(one), i32x4.shr_s(x, 31));
  return f32x4.div(numerator, f32x4.add(e, v128.load32_splat(one)));
}

/** tanh x: an odd polynomial up to 0.625, beyond that (1 − e⁻²ˡˣˡ) / (1 + e⁻²ˡˣˡ) with the sign of x. */
export function tanhLanes(x: v128): v128 {
  const a = f32x4.abs(x);
  const a2 = f32x4.mul(x, x);
  let p = mulAdd(v128.load32_splat(tanh11), a2, v128.load32_splat(tanh9));
  p = mulAdd(p, a2, v128.load32_splat(tanh7));
  p = mulAdd(p, a2, v128.load32_splat(tanh5));
  p = mulAdd(p, a2, v128.load32_splat(tanh3));
  p = mulAdd(f32x4.mul(p, a2), a, a);
  const minus = v128.or(x, v128.load32_splat(signBit));
  const e = inline.always(expNegative(f32x4.add(minus, minus)));
  const q = f32x4.div(f32x4.sub(v128.load32_splat(one), e), f32x4.add(v128.load32_splat(one), e));
  const z = v128.bitselect(q, p, f32x4.gt(a, v128.load32_splat(tanhBorder)));
  return v128.or(z, v128.and(x, v128.load32_splat(signBit)));
}

/** sin 2πt for |t| ≤ 1/4. */
export function sinTurn(t: v128): v128 {
  const t2 = f32x4.mul(t, t);
  let p = mulAdd(v128.load32_splat(sin9), t2, v128.load32_splat(sin7));
  p = mulAdd(p, t2, v128.load32_splat(sin5));
  p = mulAdd(p, t2, v128.load32_splat(sin3));
  p = mulAdd(p, t2, v128.load32_splat(sin1));
  return f32x4.mul(p, t);
}

/** The last n mod 4 values from p on; the other lanes are 0. Does not read beyond the end. */
export function loadTail(p: usize, n: i32): v128 {
  return inline.always(loadTailOr(p, n, i32x4.splat(0)));
}

/** The last n mod 4 values from p on; the other lanes come from `lanes`. */
export function loadTailOr(p: usize, n: i32, lanes: v128): v128 {
  if ((n & 2) != 0) {
    lanes = v128.load64_lane(p, lanes, 0);
    if ((n & 1) != 0) lanes = v128.load32_lane(p, lanes, 2, 8);
  } else if ((n & 1) != 0) lanes = v128.load32_lane(p, lanes, 0);
  return lanes;
}

/** Stores the first n mod 4 lanes from p on. */
export function storeTail(p: usize, n: i32, lanes: v128): void {
  if ((n & 2) != 0) {
    v128.store64_lane(p, lanes, 0);
    if ((n & 1) != 0) v128.store32_lane(p, lanes, 2, 8);
  } else if ((n & 1) != 0) v128.store32_lane(p, lanes, 0);
}

/** Copies n values to memory with room for whole vectors; the last vector is padded with zeros. */
export function padColumns(to: usize, from: usize, n: i32): void {
  for (; n >= 4; n -= 4, to += 16, from += 16) v128.store(to, v128.load(from));
  v128.store(to, inline.always(loadTail(from, n)));
}

/** Copies n values from whole vectors. */
export function storeColumns(to: usize, from: usize, n: i32): void {
  for (; n >= 4; n -= 4, to += 16, from += 16) v128.store(to, v128.load(from));
  inline.always(storeTail(to, n, v128.load(from)));
}

/** The word with this index in a descriptor. */
export function word(descriptor: usize, number: i32): i32 {
  return load<i32>(descriptor + ((<usize>number) << 2));
}

/** The address in element i of an array of words. */
export function at(array: usize, i: i32): usize {
  return array + ((<usize>i) << 2);
}

/** Four values from p on, or one value and zeros, so that vector loop and tail share one body. */
export function loadSome(p: usize, four: bool): v128 {
  return four ? v128.load(p) : v128.load32_zero(p);
}

/** Stores four lanes from p on, or only the first one. */
export function storeSome(p: usize, four: bool, lanes: v128): void {
  if (four) v128.store(p, lanes);
  else v128.store32_lane(p, lanes, 0);
}

/** The sum of the four lanes. */
export function sumOfLanes(x: v128): f32 {
  const pairs = f32x4.add(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Transposes four columns of four rows and stores the rows `step` bytes apart. */
export function storeTransposed(to: usize, step: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(to + step, i64x2.shuffle(low01, low23, 1, 3));
  v128.store(to + 2 * step, i64x2.shuffle(high01, high23, 0, 2));
  v128.store(to + 3 * step, i64x2.shuffle(high01, high23, 1, 3));
}
