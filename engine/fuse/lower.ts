/** From the operations of a step to those of lanes: what is 0 or 1 becomes a mask where it decides. */
import { type Expression, isZero, SCALAR } from "./expression.ts";
import { reachable } from "./graph.ts";
import { bits, exp, lane, log, number, power, SIGN, sigmoid, tanh } from "./lanes.ts";
import { once } from "./remembered.ts";

/** A value as lane operations, and whether it is not 0 as a mask. */
export interface Lowering {
  value(x: Expression): Expression;
  mask(x: Expression): Expression;
}

/** `leafOf` gives what stands for inputs, parameters, numbers and the like. */
export function lowering(leafOf: (x: Expression) => Expression | undefined): Lowering {
  const values = new Map<Expression, Expression>();
  const masks = new Map<Expression, Expression>();
  const value: Lower = (x) => once(values, x, () => leafOf(x) ?? lowered(x, value, mask));
  const mask: Lower = (x) => once(masks, x, () => maskOf(x, leafOf, value, mask));
  const isDone = (x: Expression) => values.has(x) || masks.has(x) || leafOf(x) !== undefined;
  // Arguments come before their users, so that no chain of operations is deeper than the stack.
  const ordered = (lower: Lower) => (x: Expression) => {
    for (const y of reachable([x], isDone)) (y.isBoolean ? mask : value)(y);
    return lower(x);
  };
  return { value: ordered(value), mask: ordered(mask) };
}

type Lower = (x: Expression) => Expression;

/** Operations on 0 and 1 as operations on masks. */
const LOGICAL: Readonly<Record<string, string>> = { mul: "and", minimum: "and", maximum: "or" };

function maskOf(
  x: Expression,
  leafOf: (x: Expression) => Expression | undefined,
  value: Lower,
  mask: Lower,
): Expression {
  const { 0: a, 1: b } = x.args as [Expression, Expression];
  if (x.op === "flags") return x;
  // What a stream holds is not computed again.
  if (!x.isBoolean || leafOf(x) !== undefined) return lane("ne", value(x), bits(x.owner, 0));
  if (x.op === "spike") return fires(x.attr as string, a, value);
  const logical = LOGICAL[x.op];
  if (logical !== undefined) return lane(logical, mask(a), mask(b));
  return lane(x.op, value(a), value(b));
}

/**
 * x ≥ 0 or x > 0. For x = a − b that is a ≥ b or a > b without the subtraction, unless both are the same infinity, where x is
 * NaN: a b that all columns share is replaced, before the loop, by a NaN for ∞ and by the least finite number for −∞.
 */
function fires(op: string, x: Expression, value: Lower): Expression {
  const zero = bits(x.owner, 0);
  const [a, b] = x.args as [Expression, Expression];
  if (x.op !== "sub" || (op === "ge" && b.level > SCALAR)) return lane(op, value(x), zero);
  const threshold = value(b);
  if (op === "gt") return lane(op, value(a), threshold);
  const finite = lane("pmax", threshold, bits(x.owner, LEAST));
  return lane(op, value(a), lane("or", finite, lane("eq", threshold, bits(x.owner, INFINITY))));
}

const LEAST = 0xff7fffff;
const INFINITY = 0x7f800000;

const FUNCTIONS: Readonly<Record<string, (x: Expression) => Expression>> = { exp, log, power, sigmoid, tanh };

function lowered(x: Expression, value: Lower, mask: Lower): Expression {
  const { op, args, owner } = x;
  if (isZero(x)) return bits(owner, 0);
  if (x.isBoolean) return lane("and", mask(x), number(owner, 1));
  const { 0: a, 1: b, 2: c } = args as [Expression, Expression, Expression];
  const both = (name: string) => lane(name, value(a), value(b));
  switch (op) {
    case "where":
    case "select":
      if (isZero(c)) return lane("and", value(b), mask(a));
      if (isZero(b)) return lane("andnot", value(c), mask(a));
      return lane("bitselect", value(b), value(c), mask(a));
    case "maximum":
    case "minimum": {
      const x = value(a);
      const taken = lane(op === "maximum" ? "gt" : "lt", x, value(b));
      return lane("bitselect", x, value(b), lane("or", taken, lane("ne", x, x)));
    }
    case "clamp":
      return lane("pmin", lane("pmax", value(a), value(b)), value(c));
    case "relu":
      return lane("pmax", value(a), bits(owner, 0));
    case "square":
      return lane("mul", value(a), value(a));
    case "sign": {
      const [one, zero] = [number(owner, 1), bits(owner, 0)];
      return lane("sub", lane("and", one, lane("gt", value(a), zero)), lane("and", one, lane("lt", value(a), zero)));
    }
    // Fewer instructions than V8 takes for f32x4.abs and f32x4.neg.
    case "abs":
      return lane("andnot", value(a), bits(owner, SIGN));
    case "neg":
      return lane("xor", value(a), bits(owner, SIGN));
    case "round":
      return lane("nearest", value(a));
  }
  const known = FUNCTIONS[op];
  if (known !== undefined) return known(value(a));
  return b === undefined ? lane(op, value(a)) : both(op);
}
