/**
 * The operations of a step. An operation is a row of this table: its name, its lane operations, its gradient and its text.
 *
 *   cube: {
 *
 *     lower: onValue((x) => lane(LANE.mul, lane(LANE.mul, x, x), x)),
 *     gradient: (g, [x], add) => add(x, g.mul(x.square().mul(3))),
 *     text: "5 a6³",
 *   },
 *
 * With this row and its line in the interface `Value`, `x.cube()` is a method of the values of a step; tensors have it where they have a
 * method of that name. The terms of lane operations and of gradients take the roundings of the tensor op, so that both agree to the bit.
 */
import { ATAN2, COS, ERF, LOG1P, POW, RECIPROCAL, RSQRT, SIN, SOFTPLUS } from "../../kernels/codes.ts";
import * as LANE from "./lanes.ts";
import { bits, lane, number, SIGN } from "./lanes.ts";
import { ELEMENT, type Expression, isZero, type Operation, SCALAR, table, type Value } from "./terms.ts";

type Lower = NonNullable<Operation["lower"]>;
type Gradient = NonNullable<Operation["gradient"]>;

const onValue =
  (f: (x: Expression) => Expression): Lower =>
  (to, [x]) =>
    f(to.value(x));

/** The same operation on masks. */
const onMasks =
  (op: Operation): Lower =>
  (to, [x, y]) =>
    lane(op, to.mask(x), to.mask(y));

/** An operation of one argument in float64: the kernel `formula` evaluates it for whole rows, between two sweeps. */
const formula = (f: number, p = 0, q = 0) => ({ formula: [f, p, q] as const });

/** A comparison, whose gradient is 0. */
const comparison = (op: Operation, text: string) => ({ arity: 2, boolean: "always" as const, lane: op, text });

/** x where it wins, or is NaN, else y. */
const extreme =
  (wins: Operation): Lower =>
  (to, [a, b]) => {
    const x = to.value(a);
    const taken = lane(wins, x, to.value(b));
    return lane(LANE.bitselect, x, to.value(b), lane(LANE.or, taken, lane(LANE.ne, x, x)));
  };

/** Half of the gradient for each of two equal ones. */
const extremeGradient =
  (loses: "lt" | "gt"): Gradient =>
  (g, [x, y], add, _, { where }) => {
    const passed = (x: Value, y: Value) => where(x[loses](y), 0, g).mul(where(x.eq(y), 0.5, 1));
    add(x, passed(x, y));
    add(y, passed(y, x));
  };

const choose: Lower = (to, [condition, a, b]) => {
  if (isZero(b)) return lane(LANE.and, to.value(a), to.mask(condition));
  if (isZero(a)) return lane(LANE.andnot, to.value(b), to.mask(condition));
  return lane(LANE.bitselect, to.value(a), to.value(b), to.mask(condition));
};

/** Not nothing: 0 times an infinite derivative is NaN. */
const noGradient: Gradient = (_, [x], add, __, { constant }) => add(x, constant(0));

const LEAST = 0xff7fffff;
const INFINITY = 0x7f800000;

/**
 * x ≥ 0 or x > 0. For x = a − b that is a ≥ b or a > b without the subtraction, unless both are the same infinity, where x is
 * NaN: a b that all columns share is replaced, before the loop, by a NaN for ∞ and by the least finite number for −∞.
 */
const fires: Lower = (to, [x], attr) => {
  const { value } = to;
  const op = attr === "gt" ? LANE.gt : LANE.ge;
  const [a, b] = x.args as [Expression, Expression];
  if (x.op !== OPS.sub || (op === LANE.ge && b.level > SCALAR)) return lane(op, value(x), bits(x.owner, 0));
  const threshold = value(b);
  if (op === LANE.gt) return lane(op, value(a), threshold);
  const finite = lane(LANE.pmax, threshold, bits(x.owner, LEAST));
  return lane(op, value(a), lane(LANE.or, finite, lane(LANE.eq, threshold, bits(x.owner, INFINITY))));
};

/** In the order in which errors list the methods of values. */
export const OPS = /* @__PURE__ */ table({
  where: {
    arity: 3,
    lower: choose,
    gradient(g, [condition, x, y], add, _, { where }) {
      add(x, where(condition, g, 0));
      add(y, where(condition, 0, g));
    },
    vanishes: true,
    text: "0 b2 if a1 else c0",
  },
  clamp: {
    arity: 3,
    lower: (to, [x, low, high]) => lane(LANE.pmin, lane(LANE.pmax, to.value(x), to.value(low)), to.value(high)),
    gradient: (g, [x, low, high], add, _, { where }) => add(x, where(x.ge(low), where(x.le(high), g, 0), 0)),
  },
  pow: {
    ...formula(POW),
    takesAttr: true,
    text: (y) => `5 a6^${(y as number) < 0 ? "−" : ""}${shortest(y as number)}`,
  },
  // Fewer instructions than V8 takes for f32x4.abs and f32x4.neg.
  neg: {
    lower: (to, [x]) => lane(LANE.xor, to.value(x), bits(x.owner, SIGN)),
    gradient: (g, [x], add) => add(x, g.neg()),
    text: "2 −a3",
  },
  abs: {
    lower: (to, [x]) => lane(LANE.andnot, to.value(x), bits(x.owner, SIGN)),
    gradient: (g, [x], add, _, { where }) => add(x, where(x.gt(0), g, 0).sub(where(x.lt(0), g, 0))),
    text: "6 |a0|",
  },
  sign: {
    lower(to, [x]) {
      const [one, zero] = [number(x.owner, 1), bits(x.owner, 0)];
      const where = (op: Operation) => lane(LANE.and, one, lane(op, to.value(x), zero));
      return lane(LANE.sub, where(LANE.gt), where(LANE.lt));
    },
    gradient: noGradient,
  },
  floor: { lane: LANE.floor, gradient: noGradient },
  round: { lane: LANE.nearest, gradient: noGradient },
  relu: {
    lower: (to, [x]) => lane(LANE.pmax, to.value(x), bits(x.owner, 0)),
    gradient: (g, [x], add, z, { where }) => add(x, where(z.le(0), 0, g)),
    vanishes: true,
  },
  square: {
    lower: (to, [x]) => lane(LANE.mul, to.value(x), to.value(x)),
    gradient: (g, [x], add) => add(x, g.mul(x.add(x))),
    text: "5 a6²",
  },
  sqrt: { lane: LANE.sqrt, gradient: (g, [x], add, z) => add(x, g.div(z.add(z))), text: "5 √a6" },
  rsqrt: formula(RSQRT),
  reciprocal: { ...formula(RECIPROCAL), text: "3 1 / a5" },
  exp: { lower: onValue(LANE.exp), isLong: true, gradient: (g, [x], add, z) => add(x, g.mul(z)) },
  log: { lower: onValue(LANE.log), isLong: true, gradient: (g, [x], add) => add(x, g.div(x)) },
  log1p: formula(LOG1P),
  sin: formula(SIN),
  cos: formula(COS),
  atan: formula(ATAN2, 1),
  erf: formula(ERF),
  tanh: {
    lower: onValue(LANE.tanh),
    isLong: true,
    gradient: (g, [x], add, z, { constant }) => add(x, g.mul(constant(1).sub(z).mul(constant(1).add(z)))),
  },
  sigmoid: {
    lower: onValue(LANE.sigmoid),
    isLong: true,
    gradient: (g, [x], add, z, { constant }) => add(x, g.mul(z.mul(constant(1).sub(z)))),
    text: "6 σ(a0)",
  },
  detach: { boolean: "of booleans" },
  add: {
    arity: 2,
    lane: LANE.add,
    gradient(g, [x, y], add) {
      add(y, g);
      add(x, g);
    },
    text: "2 a2 + b3",
  },
  sub: {
    arity: 2,
    lane: LANE.sub,
    gradient(g, [x, y], add) {
      add(y, g.neg());
      add(x, g);
    },
    text: "2 a2 − b3",
  },
  mul: {
    arity: 2,
    boolean: "of booleans",
    lane: LANE.mul,
    mask: onMasks(LANE.and),
    gradient(g, [x, y], add) {
      add(x, g.mul(y));
      add(y, g.mul(x));
    },
    text: "4 a4·b5",
  },
  div: {
    arity: 2,
    lane: LANE.div,
    gradient(g, [x, y], add, z) {
      add(x, g.div(y));
      add(y, g.mul(z).div(y).neg());
    },
    text: "3 a3 / b5",
  },
  maximum: {
    arity: 2,
    boolean: "of booleans",
    lower: extreme(LANE.gt),
    mask: onMasks(LANE.or),
    gradient: extremeGradient("lt"),
    vanishes: true,
  },
  minimum: {
    arity: 2,
    boolean: "of booleans",
    lower: extreme(LANE.lt),
    mask: onMasks(LANE.and),
    gradient: extremeGradient("gt"),
  },
  gt: comparison(LANE.gt, "1 a2 > b2"),
  ge: comparison(LANE.ge, "1 a2 ≥ b2"),
  lt: comparison(LANE.lt, "1 a2 < b2"),
  le: comparison(LANE.le, "1 a2 ≤ b2"),
  eq: comparison(LANE.eq, "1 a2 = b2"),
  select: {
    isFunction: true,
    arity: 3,
    level: ELEMENT,
    lower: choose,
    gradient(g, [spike, x, y], add, _, { where }) {
      add(spike, g.mul(x.sub(y)));
      add(x, where(spike, g, 0));
      add(y, where(spike, 0, g));
    },
    vanishes: true,
    text: "0 b2 if a1 else c0",
  },
  // Of x and its derivative there.
  spike: {
    isFunction: true,
    arity: 2,
    boolean: "always",
    level: ELEMENT,
    takesAttr: true,
    mask: fires,
    gradient: (g, [x, derivative], add) => add(x, g.mul(derivative)),
    text: (attr) => (attr === "gt" ? "1 a2 > 0" : "1 a2 ≥ 0"),
  },
  softplus: { isFunction: true, ...formula(SOFTPLUS, 1, 20) },
  power: { isFunction: true, level: ELEMENT, lower: onValue(LANE.power), isLong: true, text: "5 2^a6" },
});

/** The size of a float32, with as many digits as tell it from others. */
export function shortest(number: number): string {
  const x = Math.abs(number);
  let digits = 1;
  while (digits < 9 && Math.fround(+x.toPrecision(digits)) !== x) digits++;
  return String(+x.toPrecision(digits));
}
