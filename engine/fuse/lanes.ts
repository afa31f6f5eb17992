/**
 * Operations on lanes: vector instructions, elementary functions composed of them, and the lowering of a step's terms
 * to both. The functions repeat the polynomials of kernels/lanes.ts and derivative.ts operation by operation, so
 * compiled steps, kernels and tensors have the same bits. Those files document errors and ranges.
 */
import { once, POWER_LOWEST, POWER_TERMS } from "./evaluation.ts";
import type { Arguments, Expression, Lowering, Operation, Owner } from "./terms.ts";
import { ARRAY, isZero, reachable, term } from "./terms.ts";

const instruction = (code: number): Operation => ({ name: String(code), code });

/** Vector instructions, each by its number after the prefix byte 0xfd. */
export const eq = instruction(65);
export const ne = instruction(66);
export const lt = instruction(67);
export const gt = instruction(68);
export const le = instruction(69);
export const ge = instruction(70);
export const and = instruction(78);
export const andnot = instruction(79);
export const or = instruction(80);
export const xor = instruction(81);
export const bitselect = instruction(82);
export const floor = instruction(104);
export const nearest = instruction(106);
export const shl = instruction(171);
export const shr = instruction(172);
const addBits = instruction(174);
const subBits = instruction(177);
export const sqrt = instruction(227);
export const add = instruction(228);
export const sub = instruction(229);
export const mul = instruction(230);
export const div = instruction(231);
export const pmin = instruction(234);
export const pmax = instruction(235);
const fromInteger = instruction(250);

const view = new DataView(new ArrayBuffer(4));

/** The bits of a float32. */
function bitsOf(x: number): number {
  view.setFloat32(0, x);
  return view.getInt32(0);
}

/** A lane operation or a literal. Equal ones are represented by one term. */
function shared(owner: Owner, op: Operation, args: readonly Expression[], attr: number): Expression {
  const key = `${op.name} ${attr} ${args[0]?.id} ${args[1]?.id} ${args[2]?.id}`;
  return once(owner.lanes, key, () => term(owner, op, args, attr));
}

export const lane = (op: Operation, ...args: Expression[]): Expression =>
  shared((args[0] as Expression).owner, op, args, 0);

/** A literal with the bits of `value`. */
export const bits = (owner: Owner, value: number): Expression => shared(owner, ARRAY.bits, [], value | 0);
export const number = (owner: Owner, value: number): Expression => bits(owner, bitsOf(value));

export const SIGN = 0x80000000;

/** Σ cᵢ·xⁱ by Horner's rule, the highest coefficient first. */
function horner(x: Expression, coefficients: readonly number[]): Expression {
  const [first, ...rest] = coefficients.map((c) => number(x.owner, c)) as [Expression, ...Expression[]];
  return rest.reduce((sum, c) => lane(add, lane(mul, sum, x), c), first);
}

const mulAdd = (a: Expression, b: Expression, c: Expression): Expression => lane(add, lane(mul, a, b), c);
const shift = (op: Operation, x: Expression, by: number): Expression => shared(x.owner, op, [x], by);

const LOG2_E = Math.fround(Math.LOG2E);
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
/** 1.5·2²³: adding it to x rounds x to an integer, which is then in the low bits. */
const ROUNDER = 12582912;
const EXP_LOWEST = -104.5;
const EXP_TERMS = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5];

/** eʳ and k + ROUNDER, where x = k·ln 2 + r. */
function expParts(x: Expression): [e: Expression, shifted: Expression] {
  const c = (value: number) => number(x.owner, value);
  const shifted = mulAdd(x, c(LOG2_E), c(ROUNDER));
  const k = lane(sub, shifted, c(ROUNDER));
  const r = lane(sub, lane(sub, x, lane(mul, k, c(LN2_HIGH))), lane(mul, k, c(LN2_LOW)));
  return [lane(add, mulAdd(horner(r, EXP_TERMS), lane(mul, r, r), r), c(1)), shifted];
}

/** eˣ = 2ᵏ·eʳ, with 2ᵏ as 2^⌊k/2⌋·2^⌈k/2⌉ */
export function exp(x: Expression): Expression {
  const c = (value: number) => number(x.owner, value);
  const vanishes = lane(lt, x, c(EXP_LOWEST));
  const [reduced, shifted] = expParts(lane(pmin, lane(pmax, x, c(EXP_LOWEST)), c(89)));
  const e = lane(andnot, reduced, vanishes);
  const exponent = shift(shl, shifted, 23);
  const first = lane(and, shift(shr, exponent, 1), bits(x.owner, 0xff800000));
  const second = lane(subBits, exponent, first);
  return lane(mul, lane(mul, e, lane(addBits, first, c(1))), lane(addBits, second, c(1)));
}

/** eˣ for x ≤ 0 */
function expNegative(x: Expression): Expression {
  const c = (value: number) => number(x.owner, value);
  const [e, shifted] = expParts(lane(pmax, x, c(EXP_LOWEST)));
  return lane(mul, lane(mul, e, lane(addBits, shift(shl, shifted, 23), c(2 ** 24))), c(2 ** -24));
}

const LOG_TERMS = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];
const SQRT_HALF = 0x3f3504f3;
const LARGEST = 0x7f7fffff;

/** log x for x = 2ᵏ·(1 + f), √½ ≤ 1 + f < √2 */
export function log(x: Expression): Expression {
  const c = (value: number) => number(x.owner, value);
  const b = (value: number) => bits(x.owner, value);
  const small = lane(lt, x, b(0x00800000));
  const normal = lane(bitselect, lane(mul, x, c(2 ** 23)), x, small);
  const above = lane(subBits, normal, b(SQRT_HALF));
  const k = lane(sub, lane(fromInteger, shift(shr, above, 23)), lane(and, small, c(23)));
  const f = lane(sub, lane(addBits, lane(and, above, b(0x007fffff)), b(SQRT_HALF)), c(1));
  const f2 = lane(mul, f, f);
  let p = lane(mul, lane(mul, horner(f, LOG_TERMS), f), f2);
  p = lane(sub, mulAdd(k, c(LN2_LOW), p), lane(mul, f2, c(0.5)));
  let z = mulAdd(k, c(LN2_HIGH), lane(add, f, p));
  // Makes log ∞ = ∞ and log NaN = NaN: ∞ − largest is ∞; other x add 0. For x < 0 all bits are set, which is a NaN.
  z = lane(add, z, lane(sub, lane(pmax, x, b(LARGEST)), b(LARGEST)));
  z = lane(or, z, lane(lt, x, b(0)));
  return lane(bitselect, b(0xff800000), z, lane(eq, x, b(0)));
}

/** 1 / (1 + e⁻ˣ), computed from e⁻ˡˣˡ */
export function sigmoid(x: Expression): Expression {
  const one = number(x.owner, 1);
  const e = expNegative(lane(or, x, bits(x.owner, SIGN)));
  return lane(div, lane(bitselect, e, one, shift(shr, x, 31)), lane(add, e, one));
}

const TANH_TERMS = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];

/** tanh x: an odd polynomial for |x| ≤ 0.625, computed from e⁻²ˡˣˡ otherwise. */
export function tanh(x: Expression): Expression {
  const one = number(x.owner, 1);
  const sign = bits(x.owner, SIGN);
  const a = lane(andnot, x, sign);
  const a2 = lane(mul, x, x);
  const p = mulAdd(lane(mul, horner(a2, TANH_TERMS), a2), a, a);
  const minus = lane(or, x, sign);
  const e = expNegative(lane(add, minus, minus));
  const q = lane(div, lane(sub, one, e), lane(add, one, e));
  const z = lane(bitselect, q, p, lane(gt, a, number(x.owner, 0.625)));
  return lane(or, z, lane(and, x, sign));
}

/** 2ˣ as in kernels/derivative.ts, with few terms. */
export function power(x: Expression): Expression {
  const c = (power: number) => number(x.owner, POWER_TERMS[power] as number);
  const clamped = lane(pmax, x, number(x.owner, POWER_LOWEST));
  const shifted = lane(add, clamped, number(x.owner, ROUNDER));
  const exponent = shift(shl, shifted, 23);
  const f = lane(sub, clamped, lane(sub, shifted, number(x.owner, ROUNDER)));
  const high = mulAdd(mulAdd(c(4), f, c(3)), f, c(2));
  const p = mulAdd(high, lane(mul, f, f), mulAdd(c(1), f, c(0)));
  return lane(mul, p, lane(addBits, exponent, number(x.owner, 1)));
}

/**
 * Lowers terms of a step to lane operations. Terms with isKnown(x) are loaded from memory. A boolean that selects
 * becomes a lane mask.
 */
export function lowering(isKnown: (x: Expression) => boolean): Lowering {
  const values = new Map<Expression, Expression>();
  const masks = new Map<Expression, Expression>();
  const to: Lowering = {
    value: (x) => once(values, x, () => (isKnown(x) ? x : loweredValue(x, to))),
    mask: (x) => once(masks, x, () => loweredMask(x, to, isKnown)),
  };
  const isDone = (x: Expression) => values.has(x) || masks.has(x) || isKnown(x);
  // Visits arguments before their users, so that long chains do not overflow the stack.
  const ordered = (lower: Lowering["value"]) => (x: Expression) => {
    for (const y of reachable([x], isDone)) (y.isBoolean ? to.mask : to.value)(y);
    return lower(x);
  };
  return { value: ordered(to.value), mask: ordered(to.mask) };
}

function loweredMask(x: Expression, to: Lowering, isKnown: (x: Expression) => boolean): Expression {
  if (x.op === ARRAY.flags) return x;
  // A boolean that is stored as bits is read from there, not recomputed.
  if (!x.isBoolean || isKnown(x)) return lane(ne, to.value(x), bits(x.owner, 0));
  return x.op.mask?.(to, x.args as unknown as Arguments, x.attr) ?? single(x, to);
}

function loweredValue(x: Expression, to: Lowering): Expression {
  const { op, args, owner } = x;
  if (isZero(x)) return bits(owner, 0);
  if (x.isBoolean) return lane(and, to.mask(x), number(owner, 1));
  if (op.chooses) return chosen(args as unknown as Arguments, to);
  return op.lower?.(...(args.map(to.value) as unknown as Arguments)) ?? single(x, to);
}

function chosen([condition, x, y]: Arguments, to: Lowering): Expression {
  if (isZero(y)) return lane(and, to.value(x), to.mask(condition));
  if (isZero(x)) return lane(andnot, to.value(y), to.mask(condition));
  return lane(bitselect, to.value(x), to.value(y), to.mask(condition));
}

const single = ({ op, args }: Expression, to: Lowering): Expression =>
  lane(op.lane as Operation, ...args.map(to.value));
