/**
 * The loop of all elementwise kernels, and their formulas.
 *
 * `each` takes the number of a formula. Inlined with a constant number, the loop contains only its own formula, and one branch per iteration.
 * The tail uses the same formula, one value at a time in the first lane, so the value of an element never depends on its place.
 */
import { half, loadSome, one, storeSome } from "./lanes";
import { scalarEnd, spread, stepOf, vectorEnd } from "./span";

/** Formulas of x, and of the constants p and q: p·x + q, and x clamped to [p, q]. */
export const SQRT = 0;
export const SQUARE = 1;
export const ABS = 2;
export const RELU = 3;
export const AFFINE = 4;
export const CLAMP = 5;
/** Formulas of x and y. */
const PAIRS = 16;
export const ADD = 16;
export const SUB = 17;
export const MUL = 18;
export const DIV = 19;
export const MAXIMUM = 20;
export const MINIMUM = 21;
export const GT = 22;
export const GE = 23;
export const LT = 24;
export const LE = 25;
export const EQ = 26;
/** Formulas that are added to z: p·x, and those whose x is the gradient dz of a result. */
const ADDED = 32;
export const SCALED = 32;
export const MUL_GRAD = 33;
export const DIV_GRAD = 34;
export const TANH_GRAD = 35;
export const SIGMOID_GRAD = 36;
export const SQRT_GRAD = 37;
export const SQUARE_GRAD = 38;
export const ABS_GRAD = 39;
export const RELU_GRAD = 40;
export const CLAMP_GRAD = 41;
/** Formulas that are added to z and also read w; the gradient of a divisor is subtracted. */
const TRIPLES = 48;
export const DIVISOR_GRAD = 48;
export const MAXIMUM_GRAD = 49;
export const MINIMUM_GRAD = 50;

/**
 * z[i] ← f(x[i], y[i], w[i]) with the constants p and q; if `single` is 1, y is one value. Arguments that f does not read are 0.
 */
export function each(f: i32, z: usize, x: usize, y: usize, w: usize, n: i32, single: i32, p: f32, q: f32): void {
  const end = scalarEnd(z, n);
  const step = stepOf(single);
  const ps = f32x4.splat(p);
  const qs = f32x4.splat(q);
  y = spread(y, single);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16) {
    inline.always(put(f, true, z, x, y, w, ps, qs));
    if (f >= PAIRS) y += step;
    if (f >= TRIPLES) w += 16;
  }
  for (; z < end; z += 4, x += 4) {
    inline.always(put(f, false, z, x, y, w, ps, qs));
    if (f >= PAIRS) y += step >> 2;
    if (f >= TRIPLES) w += 4;
  }
}

function put(f: i32, four: bool, z: usize, x: usize, y: usize, w: usize, p: v128, q: v128): void {
  const a = loadSome(x, four);
  if (f < PAIRS) storeSome(z, four, inline.always(valueOf(f, a, p, q)));
  else if (f < ADDED) storeSome(z, four, inline.always(valueOfPair(f, a, loadSome(y, four))));
  else if (f == DIVISOR_GRAD) {
    const quotient = f32x4.div(f32x4.mul(a, loadSome(w, four)), loadSome(y, four));
    storeSome(z, four, f32x4.sub(loadSome(z, four), quotient));
  } else if (f == SCALED) storeSome(z, four, f32x4.add(loadSome(z, four), f32x4.mul(p, a)));
  else storeSome(z, four, f32x4.add(loadSome(z, four), inline.always(slopeOf(f, four, a, y, w, p, q))));
}

function valueOf(f: i32, x: v128, p: v128, q: v128): v128 {
  if (f == SQRT) return f32x4.sqrt(x);
  if (f == SQUARE) return f32x4.mul(x, x);
  if (f == ABS) return f32x4.abs(x);
  if (f == AFFINE) return f32x4.add(f32x4.mul(p, x), q);
  // pmax keeps a NaN in its first operand.
  return f == RELU ? f32x4.pmax(x, i32x4.splat(0)) : f32x4.pmin(f32x4.pmax(x, p), q);
}

function valueOfPair(f: i32, x: v128, y: v128): v128 {
  if (f == ADD) return f32x4.add(x, y);
  if (f == SUB) return f32x4.sub(x, y);
  if (f == MUL) return f32x4.mul(x, y);
  if (f == DIV) return f32x4.div(x, y);
  if (f == MAXIMUM) return v128.bitselect(x, y, v128.or(f32x4.gt(x, y), f32x4.ne(x, x)));
  if (f == MINIMUM) return v128.bitselect(x, y, v128.or(f32x4.lt(x, y), f32x4.ne(x, x)));
  if (f == GT) return v128.and(v128.load32_splat(one), f32x4.gt(x, y));
  if (f == GE) return v128.and(v128.load32_splat(one), f32x4.ge(x, y));
  if (f == LT) return v128.and(v128.load32_splat(one), f32x4.lt(x, y));
  if (f == LE) return v128.and(v128.load32_splat(one), f32x4.le(x, y));
  return v128.and(v128.load32_splat(one), f32x4.eq(x, y));
}

/** dz·f′. y is z = f(x), or x for square, absolute value and clamp; w is x for maximum and minimum. */
function slopeOf(f: i32, four: bool, dz: v128, from: usize, w: usize, p: v128, q: v128): v128 {
  const zero = i32x4.splat(0);
  const y = loadSome(from, four);
  if (f == MUL_GRAD) return f32x4.mul(dz, y);
  if (f == DIV_GRAD) return f32x4.div(dz, y);
  // (1 − z)(1 + z) keeps its digits near 1, unlike 1 − z².
  if (f == TANH_GRAD)
    return f32x4.mul(dz, f32x4.mul(f32x4.sub(v128.load32_splat(one), y), f32x4.add(v128.load32_splat(one), y)));
  if (f == SIGMOID_GRAD) return f32x4.mul(dz, f32x4.mul(y, f32x4.sub(v128.load32_splat(one), y)));
  if (f == SQRT_GRAD) return f32x4.div(dz, f32x4.add(y, y));
  if (f == SQUARE_GRAD) return f32x4.mul(dz, f32x4.add(y, y));
  if (f == ABS_GRAD) return f32x4.sub(v128.and(dz, f32x4.gt(y, zero)), v128.and(dz, f32x4.lt(y, zero)));
  if (f == RELU_GRAD) return v128.andnot(dz, f32x4.le(y, zero));
  if (f == CLAMP_GRAD) return v128.and(dz, v128.and(f32x4.ge(y, p), f32x4.le(y, q)));
  // 0 if y was chosen, half if both are equal.
  const x = loadSome(w, four);
  const lost = f == MAXIMUM_GRAD ? f32x4.lt(x, y) : f32x4.gt(x, y);
  const share = v128.bitselect(v128.load32_splat(half), v128.load32_splat(one), f32x4.eq(x, y));
  return f32x4.mul(v128.andnot(dz, lost), share);
}
