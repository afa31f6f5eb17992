/**
 * Symbolic values, with which a step function computes while it is traced. They have the methods of tensors, and every
 * method makes a term, so that the same function runs on either.
 *
 * A term is one operation on other terms. Each call makes a new one, as each call on tensors makes a new record: derive.ts then
 * adds up gradients in the order of the tape. Equal terms become one afterwards, see `sharing`. Terms are operations of
 * a step (operations.ts), arrays of a sweep ({@link ARRAY}), or instructions of vectors (lanes.ts).
 */

import { ELEMENT, type Level } from "./layout.ts";

/**
 * A value of a step: a tensor, or a symbol of one. Operations are elementwise, with the gradients of the tensor
 * methods.
 */
export interface Value {
  /** x + y. */
  add(y: Value | number): Value;
  /** x − y. */
  sub(y: Value | number): Value;
  /** x·y. */
  mul(y: Value | number): Value;
  /** x / y. */
  div(y: Value | number): Value;
  /** The exponent is a number. */
  pow(y: number): Value;
  /** The larger one; where they are equal, each gets half of the gradient. */
  maximum(y: Value | number): Value;
  /** The smaller one; where they are equal, each gets half of the gradient. */
  minimum(y: Value | number): Value;
  /** 1 where x > y, else 0. */
  gt(y: Value | number): Value;
  /** 1 where x ≥ y, else 0. */
  ge(y: Value | number): Value;
  /** 1 where x < y, else 0. */
  lt(y: Value | number): Value;
  /** 1 where x ≤ y, else 0. */
  le(y: Value | number): Value;
  /** 1 where x = y, else 0. */
  eq(y: Value | number): Value;
  /** This value where the condition is not 0, else y. */
  where(condition: Value, y: Value | number): Value;
  /** Between two numbers; the gradient outside is 0. */
  clamp(low?: number | null, high?: number | null): Value;
  /** −x. */
  neg(): Value;
  /** |x|. */
  abs(): Value;
  /** −1, 0 or 1; the gradient is 0. */
  sign(): Value;
  /** The largest integer ≤ x; the gradient is 0. */
  floor(): Value;
  /** The nearest integer, half to even; the gradient is 0. */
  round(): Value;
  /** x where x > 0, else 0. */
  relu(): Value;
  /** x². */
  square(): Value;
  /** √x. */
  sqrt(): Value;
  /** 1 / √x. */
  rsqrt(): Value;
  /** 1 / x. */
  reciprocal(): Value;
  /** eˣ. */
  exp(): Value;
  /** The natural logarithm. */
  log(): Value;
  /** The natural logarithm of 1 + x, exact near 0. */
  log1p(): Value;
  /** The sine. */
  sin(): Value;
  /** The cosine. */
  cos(): Value;
  /** The arc tangent. */
  atan(): Value;
  /** The error function. */
  erf(): Value;
  /** The hyperbolic tangent. */
  tanh(): Value;
  /** 1 / (1 + e⁻ˣ). */
  sigmoid(): Value;
  /** The same value without a gradient. */
  detach(): Value;
}

/** Functions beside the methods, of a step's argument; the same for symbols and for tensors. */
export interface Language {
  /** a where the condition is not 0, else b; no gradient for the condition. */
  where(condition: Value, a: Value | number, b: Value | number): Value;
  /** a where the spike is not 0, else b. ∂L/∂spike = ∂L/∂z·(a − b). */
  select(spike: Value, a: Value | number, b: Value | number): Value;
  /** 1 where x ≥ 0 (strict: x > 0), else 0. ∂L/∂x = ∂L/∂z·derivative(x). */
  spike(x: Value, derivative: Derivative, strict?: boolean): Value;
  /** log(1 + eˣ). */
  softplus(x: Value): Value;
  /** The number as a value, for the left side of an operation. */
  constant(c: number): Value;
}

/** The functions that the derivative of a spike may use besides the functions of a step. */
export interface DerivativeLanguage extends Language {
  /**
   * 2ˣ to (26 + |x|/2)·10⁻⁷ relative for x ≤ 0, and 2⁻⁶⁴ below −64: a third of the work of `exp`, for a derivative that is an
   * approximation in itself. In float64 it is exact. It has no gradient.
   */
  power(x: Value): Value;
}

/** The derivative that a spike is given, at x. */
export type Derivative = (x: Value, language: DerivativeLanguage) => Value | number;

/** The fields that all terms of one step share. */
export interface Owner {
  /** The name of the step, for errors. */
  readonly name: string;
  /** Comparisons in the order in which they were made, and the arguments of other operations that are 0 or 1. */
  readonly comparisons: Expression[];
  readonly decided: Expression[];
  /** Gradients are exact, see {@link StepDefinition.exact}. */
  readonly exact: boolean;
  /** Lane operations of the sweep that is being written, by operation and arguments. */
  readonly lanes: Map<string, Expression>;
}

/**
 * An operation of terms. The operations of a step are the rows of the table in operations.ts, which tells of each
 * column.
 */
export interface Operation {
  readonly name: string;
  /** Of how many terms it is, if neither of one nor a leaf. */
  readonly arity?: number;
  /** Whether its values are 0 or 1: always, or for arguments that are. */
  readonly boolean?: "always" | "of booleans";
  /** The lowest level of its terms. */
  readonly level?: Level;
  /** Whether it is a function of the argument of a step, and no method of its values. */
  readonly isFunction?: boolean;
  /** Whether its `attr` is the last argument of the function on tensors. */
  readonly takesAttr?: boolean;
  /** Whether its value is given by name: an input, a state or a parameter. */
  readonly isGiven?: boolean;
  /** Whether it is an incoming gradient, or a sum with one. */
  readonly isGradient?: boolean;
  /** Whether a sweep reads it. */
  readonly isRead?: boolean;
  /** The code of an instruction of vectors. */
  readonly code?: number;
  /**
   * One instruction on the values of the arguments, or lane operations on these; where the result is 0 or 1, its mask.
   */
  readonly lane?: Operation;
  readonly lower?: (x: Expression, y: Expression, w: Expression) => Expression;
  readonly mask?: (to: Lowering, args: Arguments, attr: string | number) => Expression;
  /** Whether it is its second or third argument by the first one. */
  readonly chooses?: boolean;
  /** Whether these are many, so that a loop of their own pays. */
  readonly isLong?: boolean;
  /** Where the kernel `formula` computes it: the number of the function in kernels/codes.ts and the numbers that it takes. */
  readonly formula?: readonly [f: number, p: number, q: number];
  /** Of (sum, dz, x) → sum + dz·f′(x), which the kernel adds to a gradient: the operation f. */
  readonly of?: Operation;
  /** Each argument and the contribution of ∂L/∂z = g to its gradient, in turns, in the order of the tape. */
  readonly gradient?: Gradient;
  /** Whether it is 0 over a range: of one argument, or with an argument that is 0. */
  readonly vanishes?: boolean;
  /** How tightly it binds, and its text: a, b and c are arguments, each with how tightly it must bind there. Default: 6 name(a, b). */
  readonly text?: string | ((attr: string | number) => string);
}

/** A value as lane operations, and whether it is not 0 as a mask. */
export interface Lowering {
  value(x: Expression): Expression;
  mask(x: Expression): Expression;
}

type Gradient = (g: Value, args: Arguments, z: Value, constant: Language["constant"]) => readonly Value[];
/** As many of them as an operation has. */
export type Arguments = readonly [Expression, Expression, Expression];

/** Operations with their names. */
export const table = <Name extends string>(rows: Readonly<Record<Name, Row>>): Readonly<Record<Name, Operation>> =>
  Object.fromEntries(Object.entries<Row>(rows).map(([name, row]) => [name, { name, ...row }])) as Record<
    Name,
    Operation
  >;

type Row = Omit<Operation, "name" | "of">;

/** The leaves of a step, whose `attr` is a name, a number or a place. */
export const LEAF = /* @__PURE__ */ table({
  constant: { takesAttr: true },
  input: { isGiven: true },
  state: { isGiven: true },
  given: { isGiven: true },
  parameter: {},
  gradient: { isGradient: true },
  carry: { isGradient: true },
});

/** The arrays of a sweep, and literals, whose `attr` is a place in the descriptor, or the bits. */
export const ARRAY = /* @__PURE__ */ table({
  stream: { isRead: true },
  listed: { isRead: true },
  piece: { isRead: true },
  shared: { isRead: true },
  number: { isRead: true },
  bits: { isRead: true },
  flags: { boolean: "always" },
});

let count = 0;

/** One operation, or a leaf, whose `attr` then is its name, number or place. */
export class Term {
  readonly owner: Owner;
  readonly op: Operation;
  readonly args: readonly Expression[];
  readonly attr: string | number;
  readonly level: Level;
  /** Whether its operation and arguments make it 0 or 1. */
  readonly isBoolean: boolean;
  /** Terms count up in the order in which they were made. */
  readonly id = ++count;
  /** The last search in the graph that has found it, see `reachable` below. */
  search = 0;

  constructor(owner: Owner, op: Operation, args: readonly Expression[], attr: string | number, level: Level) {
    this.owner = owner;
    this.op = op;
    this.args = args;
    this.attr = attr;
    this.level = level;
    this.isBoolean = op.boolean === "always" || (op.boolean === "of booleans" && args.every((x) => x.isBoolean));
  }

  /** JavaScript calls this method for a + b, Math.exp(a) or a < b. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return `${this.op.name}(…)`;
    throw new TypeError(
      `${this.owner.name}: a value of a step is no number; write a.add(b) for a + b, a.mul(b) for a * b, constant(1).sub(a) for ` +
        "1 - a, a.exp() for Math.exp(a), and where(a.gt(b), c, d) for a choice",
    );
  }
}

export type Expression = Term & Value;

/** A new term; its level is the highest of those given, of its arguments and of its operation. */
export function term(
  owner: Owner,
  op: Operation,
  args: readonly Expression[],
  attr: string | number = 0,
  level: Level = 0,
) {
  level = op.level ?? level;
  for (let i = 0; i < args.length; i++) level = Math.max(level, (args[i] as Expression).level) as Level;
  return new Term(owner, op, args, attr, level) as Expression;
}

/** The number, rounded to float32 as kernels round it. */
export const constant = (owner: Owner, value: number): Expression => term(owner, LEAF.constant, [], Math.fround(value));

export const isZero = ({ op, attr }: Term): boolean => op === LEAF.constant && Object.is(attr, 0);

let searches = 0;

/**
 * Visits the terms that x depends on, arguments before their users: `enter` tells whether to go on to the arguments, after which
 * `leave` is called. A loop instead of recursion, since a step may be deeper than the stack of an engine is.
 */
export function walk(root: Expression, enter: (x: Expression) => boolean, leave: (x: Expression) => void): void {
  if (!enter(root)) return;
  const path = [root];
  const visited = [0];
  for (let top = 0; top >= 0; ) {
    const x = path[top] as Expression;
    const next = x.args[visited[top] as number];
    (visited[top] as number)++;
    if (next === undefined) {
      leave(x);
      top--;
    } else if (enter(next)) {
      path[++top] = next;
      visited[top] = 0;
    }
  }
}

/**
 * The terms that the roots depend on, arguments before their users; the search ends at the terms in `stops`. `stops` may
 * not search itself: terms remember the search that has found them, which is faster than a set.
 */
export function reachable(roots: Iterable<Expression>, stops?: (x: Expression) => boolean): Expression[] {
  const search = ++searches;
  const found: Expression[] = [];
  const enter = (x: Expression): boolean => {
    if (x.search === search) return false;
    x.search = search;
    if (!stops?.(x)) return true;
    found.push(x);
    return false;
  };
  const leave = (x: Expression) => found.push(x);
  for (const x of roots) walk(x, enter, leave);
  return found;
}

/** How many operations on elements it takes to compute x from the given terms. */
export const workOf = (x: Expression, isGiven: (y: Expression) => boolean): number =>
  reachable([x], isGiven).filter((y) => y.level === ELEMENT && !isGiven(y)).length;

/** A function that finds for a term the one that stands for all equal to it; first `replace` may put another in its place. */
export function sharing(replace?: (x: Expression) => Expression | undefined): (x: Expression) => Expression {
  const table = new Map<string, Expression>();
  return rewriting(replace, (x) => {
    const { op, attr, level, args } = x;
    const key = `${op.name} ${Object.is(attr, -0) ? "-0" : attr} ${level} ${args[0]?.id} ${args[1]?.id} ${args[2]?.id}`;
    const found = table.get(key);
    if (found === undefined) table.set(key, x);
    return found ?? x;
  });
}

/** A function that replaces the terms that `replace` knows by others, down to the leaves. */
export function rewriting(
  replace: (x: Expression) => Expression | undefined = () => undefined,
  finish: (x: Expression) => Expression = (x) => x,
): (x: Expression) => Expression {
  const known = new Map<Expression, Expression>();
  const enter = (x: Expression): boolean => {
    if (known.has(x)) return false;
    const z = replace(x);
    if (z !== undefined) known.set(x, finish(z));
    return z === undefined;
  };
  const leave = (x: Expression) => known.set(x, finish(onOthers(x, known)));
  return (x) => {
    let z = known.get(x);
    if (z === undefined) {
      walk(x, enter, leave);
      z = known.get(x) as Expression;
    }
    return z;
  };
}

/** The term on the terms that are known to stand for its arguments; itself, where they stay. */
function onOthers(x: Expression, known: ReadonlyMap<Expression, Expression>): Expression {
  let others: Expression[] | null = null;
  for (let i = 0; i < x.args.length; i++) {
    const y = x.args[i] as Expression;
    const z = known.get(y) as Expression;
    if (z === y) continue;
    others ??= [...x.args];
    others[i] = z;
  }
  return others === null ? x : term(x.owner, x.op, others, x.attr);
}
