/**
 * The operations of a step. An operation is a row of this table: its name, its lane operations, its gradient and its text.
 *
 *   cube: {
 *     lower: (x) => lane(LANE.mul, lane(LANE.mul, x, x), x),
 *     gradient: (g, [x]) => [x, g.mul(x.square().add(x.square()).add(x.square()))],
 *     text: "5 a6³",
 *   },
 *
 * With this row and its line in the interface `Value`, `x.cube()` is a method of the values of a step, and of tensors
 * if they have a method of that name. Gradients may use the numbers 0, 0.5 and 1 (trace.ts lists them). Lane operations
 * and gradients round like the tensor op, so both have the same bits.
 */
import { ATAN2, COS, ERF, LOG1P, POW, RECIPROCAL, RSQRT, SIN, SOFTPLUS } from "../../kernels/codes.ts";
import * as LANE from "./lanes.ts";
import { bits, lane, number, SIGN } from "./lanes.ts";
import { ELEMENT, SCALAR } from "./layout.ts";
import { type DerivativeLanguage, type Expression, type Operation, table, type Value } from "./terms.ts";

type Mask = NonNullable<Operation["mask"]>;
type Gradient = NonNullable<Operation["gradient"]>;

/** Applies an operation to masks. */
const onMasks =
  (op: Operation): Mask =>
  (to, [x, y]) =>
    lane(op, to.mask(x), to.mask(y));

/** An operation of one argument. The kernel `formula` computes it in float64, for whole rows, between two sweeps. */
const formula = (f: number, p = 0, q = 0) => ({ formula: [f, p, q] as const });

/** A comparison, whose gradient is 0. */
const comparison = (op: Operation, text: string) => ({ arity: 2, boolean: "always" as const, lane: op, text });

/** The extreme of x and y: x if `wins` holds or x is NaN, else y. If both are equal, each gets half of the gradient. */
const extreme = (wins: Operation, ofBooleans: Operation, loses: "lt" | "gt") => ({
  arity: 2,
  boolean: "of booleans" as const,
  lower: (x: Expression, y: Expression) =>
    lane(LANE.bitselect, x, y, lane(LANE.or, lane(wins, x, y), lane(LANE.ne, x, x))),
  mask: onMasks(ofBooleans),
  gradient: ((g, [x, y], _, constant) => {
    const passed = (x: Value, y: Value) =>
      constant(0)
        .where(x[loses](y), g)
        .mul(constant(0.5).where(x.eq(y), 1));
    return [x, passed(x, y), y, passed(y, x)];
  }) satisfies Gradient,
});

/** The second argument if the first is not 0, else the third. */
const CHOICE = { arity: 3, chooses: true, text: "0 b2 if a1 else c0" };

/** Gradient 0, but not omitted: 0 times an infinite derivative is NaN. */
const noGradient: Gradient = (_, [x], __, constant) => [x, constant(0)];

const LEAST = 0xff7fffff;
const INFINITY = 0x7f800000;

/**
 * x ≥ 0 or x > 0. For x = a − b this is a ≥ b or a > b without the subtraction, except for a = b = ±∞, where a − b is NaN. A b that all columns
 * share is therefore replaced once before the loop: ∞ by NaN, −∞ by the least finite float.
 */
const fires: Mask = (to, [x], attr) => {
  const { value } = to;
  const op = attr === "gt" ? LANE.gt : LANE.ge;
  const [a, b] = x.args as [Expression, Expression];
  if (x.op !== OPS.sub || (op === LANE.ge && b.level > SCALAR)) return lane(op, value(x), bits(x.owner, 0));
  const threshold = value(b);
  if (op === LANE.gt) return lane(op, value(a), threshold);
  const finite = lane(LANE.pmax, threshold, bits(x.owner, LEAST));
  return lane(op, value(a), lane(LANE.or, finite, lane(LANE.eq, threshold, bits(x.owner, INFINITY))));
};

/** The table of operations, in the order in which errors list the methods of values. */
export const OPS = table<keyof Value | Exclude<keyof DerivativeLanguage, "constant">>({
  where: {
    ...CHOICE,
    gradient: (g, [condition, x, y], _, constant) => [x, g.where(condition, 0), y, constant(0).where(condition, g)],
  },
  clamp: {
    arity: 3,
    lower: (x, low, high) => lane(LANE.pmin, lane(LANE.pmax, x, low), high),
    gradient: (g, [x, low, high]) => [x, g.where(x.le(high), 0).where(x.ge(low), 0)],
  },
  pow: {
    ...formula(POW),
    takesAttr: true,
    text: (y) => `5 a6^${(y as number) < 0 ? "−" : ""}${shortest(y as number)}`,
  },
  // Takes fewer instructions than V8's f32x4.abs and f32x4.neg.
  neg: { lower: (x) => lane(LANE.xor, x, bits(x.owner, SIGN)), gradient: (g, [x]) => [x, g.neg()], text: "2 −a3" },
  abs: {
    lower: (x) => lane(LANE.andnot, x, bits(x.owner, SIGN)),
    gradient: (g, [x]) => [x, g.where(x.gt(0), 0).sub(g.where(x.lt(0), 0))],
    text: "6 |a0|",
  },
  sign: {
    lower(x) {
      const [one, zero] = [number(x.owner, 1), bits(x.owner, 0)];
      const where = (op: Operation) => lane(LANE.and, one, lane(op, x, zero));
      return lane(LANE.sub, where(LANE.gt), where(LANE.lt));
    },
    gradient: noGradient,
  },
  floor: { lane: LANE.floor, gradient: noGradient },
  round: { lane: LANE.nearest, gradient: noGradient },
  relu: {
    lower: (x) => lane(LANE.pmax, x, bits(x.owner, 0)),
    gradient: (g, [x], z, constant) => [x, constant(0).where(z.le(0), g)],
  },
  square: { lower: (x) => lane(LANE.mul, x, x), gradient: (g, [x]) => [x, g.mul(x.add(x))], text: "5 a6²" },
  sqrt: { lane: LANE.sqrt, gradient: (g, [x], z) => [x, g.div(z.add(z))], text: "5 √a6" },
  rsqrt: formula(RSQRT),
  reciprocal: { ...formula(RECIPROCAL), text: "3 1 / a5" },
  exp: { lower: LANE.exp, isLong: true, gradient: (g, [x], z) => [x, g.mul(z)] },
  log: { lower: LANE.log, isLong: true, gradient: (g, [x]) => [x, g.div(x)] },
  log1p: formula(LOG1P),
  sin: formula(SIN),
  cos: formula(COS),
  atan: formula(ATAN2, 1),
  erf: formula(ERF),
  tanh: {
    lower: LANE.tanh,
    isLong: true,
    gradient: (g, [x], z, constant) => [x, g.mul(constant(1).sub(z).mul(constant(1).add(z)))],
  },
  sigmoid: {
    lower: LANE.sigmoid,
    isLong: true,
    gradient: (g, [x], z, constant) => [x, g.mul(z.mul(constant(1).sub(z)))],
    text: "6 σ(a0)",
  },
  detach: { boolean: "of booleans" },
  add: { arity: 2, lane: LANE.add, gradient: (g, [x, y]) => [y, g, x, g], text: "2 a2 + b3" },
  sub: { arity: 2, lane: LANE.sub, gradient: (g, [x, y]) => [y, g.neg(), x, g], text: "2 a2 − b3" },
  mul: {
    arity: 2,
    boolean: "of booleans",
    lane: LANE.mul,
    mask: onMasks(LANE.and),
    gradient: (g, [x, y]) => [x, g.mul(y), y, g.mul(x)],
    text: "4 a4·b5",
  },
  div: {
    arity: 2,
    lane: LANE.div,
    gradient: (g, [x, y], z) => [x, g.div(y), y, g.mul(z).div(y).neg()],
    text: "3 a3 / b5",
  },
  maximum: extreme(LANE.gt, LANE.or, "lt"),
  minimum: extreme(LANE.lt, LANE.and, "gt"),
  gt: comparison(LANE.gt, "1 a2 > b2"),
  ge: comparison(LANE.ge, "1 a2 ≥ b2"),
  lt: comparison(LANE.lt, "1 a2 < b2"),
  le: comparison(LANE.le, "1 a2 ≤ b2"),
  eq: comparison(LANE.eq, "1 a2 = b2"),
  select: {
    ...CHOICE,
    isFunction: true,
    level: ELEMENT,
    gradient: (g, [s, x, y], _, constant) => [s, g.mul(x.sub(y)), x, g.where(s, 0), y, constant(0).where(s, g)],
  },
  // Arguments: x, and its derivative there.
  spike: {
    isFunction: true,
    arity: 2,
    boolean: "always",
    level: ELEMENT,
    takesAttr: true,
    mask: fires,
    gradient: (g, [x, derivative]) => [x, g.mul(derivative)],
    text: (attr) => (attr === "gt" ? "1 a2 > 0" : "1 a2 ≥ 0"),
  },
  softplus: { isFunction: true, ...formula(SOFTPLUS, 1, 20) },
  power: { isFunction: true, level: ELEMENT, lower: LANE.power, isLong: true, text: "5 2^a6" },
});

/** A float32 with the fewest digits that identify it. */
export function shortest(number: number): string {
  const x = Math.abs(number);
  let digits = 1;
  while (digits < 9 && Math.fround(+x.toPrecision(digits)) !== x) digits++;
  return String(+x.toPrecision(digits));
}
