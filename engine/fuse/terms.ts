/**
 * Symbolic values, on which a step function runs while it is traced. They have the methods of tensors, so the same
 * function runs on both; every method makes a term.
 *
 * A term is one operation on other terms. Each call makes a new term, as each call on tensors makes a new record, so
 * derive.ts can add gradients in the order of the tape. `sharing` merges equal terms afterwards. Operations of terms
 * are those of a step (operations.ts), arrays of a sweep ({@link ARRAY}), and vector instructions (lanes.ts).
 */

import { ELEMENT, type Level } from "./layout.ts";

/**
 * A value of a step: a tensor, or a symbol. Operations are elementwise, with the gradients of the tensor methods.
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
  /** xʸ for a number y. */
  pow(y: number): Value;
  /** max(x, y); if both are equal, each gets half of the gradient. */
  maximum(y: Value | number): Value;
  /** min(x, y); if both are equal, each gets half of the gradient. */
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
  /** This value if the condition is not 0, else y. */
  where(condition: Value, y: Value | number): Value;
  /** x clamped to [low, high]; the gradient outside is 0. */
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
  /** max(x, 0). */
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
  /** log(1 + x), accurate near 0. */
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

/** Functions of a step's argument, besides the methods; the same for symbols and tensors. */
export interface Language {
  /** a if the condition is not 0, else b; the condition gets no gradient. */
  where(condition: Value, a: Value | number, b: Value | number): Value;
  /** a if the spike is not 0, else b. ∂L/∂spike = ∂L/∂z·(a − b). */
  select(spike: Value, a: Value | number, b: Value | number): Value;
  /** 1 if x ≥ 0 (strict: x > 0), else 0. ∂L/∂x = ∂L/∂z·derivative(x). */
  spike(x: Value, derivative: Derivative, strict?: boolean): Value;
  /** log(1 + eˣ). */
  softplus(x: Value): Value;
  /** The number as a value, for the left side of an operation. */
  constant(c: number): Value;
}

/** Functions for the derivative of a spike: those of a step, and `power`. */
export interface DerivativeLanguage extends Language {
  /**
   * 2ˣ for x ≤ 0, with a relative error of (26 + |x|/2)·10⁻⁷; 2⁻⁶⁴ for x < −64. It takes a third of the time of `exp`;
   * the error is small enough for a surrogate. Exact in float64. It has no gradient.
   */
  power(x: Value): Value;
}

/** Surrogate derivative of a spike at x. */
export type Derivative = (x: Value, language: DerivativeLanguage) => Value | number;

/** Fields shared by all terms of a step. */
export interface Owner {
  /** Name of the step, for errors. */
  readonly name: string;
  /** Comparisons in the order of creation; arguments of other operations that are 0 or 1. */
  readonly comparisons: Expression[];
  readonly decided: Expression[];
  /** Whether gradients are exact, see {@link StepDefinition.exact}. */
  readonly exact: boolean;
  /** Lane operations of the sweep that is being generated, by operation and arguments. */
  readonly lanes: Map<string, Expression>;
}

/**
 * An operation of terms. The table in operations.ts has a row for each operation of a step, and explains the columns.
 */
export interface Operation {
  readonly name: string;
  /** Number of arguments, if neither 0 nor 1. */
  readonly arity?: number;
  /** Whether its values are 0 or 1: always, or if its arguments are. */
  readonly boolean?: "always" | "of booleans";
  /** Lowest level of its terms. */
  readonly level?: Level;
  /** Whether it is a function of a step's argument, and not a method of values. */
  readonly isFunction?: boolean;
  /** Whether `attr` is the last argument of the function on tensors. */
  readonly takesAttr?: boolean;
  /** Whether it is given by name: an input, state or parameter. */
  readonly isGiven?: boolean;
  /** Whether it is an incoming gradient, or a sum that contains one. */
  readonly isGradient?: boolean;
  /** Whether a sweep reads it from an array. */
  readonly isRead?: boolean;
  /** Code of a vector instruction. */
  readonly code?: number;
  /** The instruction, or lane operations, on the values of its arguments; gives a mask if the result is 0 or 1. */
  readonly lane?: Operation;
  readonly lower?: (x: Expression, y: Expression, w: Expression) => Expression;
  readonly mask?: (to: Lowering, args: Arguments, attr: string | number) => Expression;
  /** Whether its first argument chooses between the second and third. */
  readonly chooses?: boolean;
  /** Whether it needs many instructions, so that a separate loop pays. */
  readonly isLong?: boolean;
  /** For the kernel `formula`: the number of the function in kernels/codes.ts, and its constants. */
  readonly formula?: readonly [f: number, p: number, q: number];
  /** For the kernel that computes sum + dz·f′(x) from (sum, dz, x): the operation of f. */
  readonly of?: Operation;
  /** Alternately each argument, and the contribution of ∂L/∂z = g to its gradient, in the order of the tape. */
  readonly gradient?: Gradient;
  /**
   * Text with precedences: first that of the operation; after each argument a, b, c its lowest precedence without
   * brackets. Default: 6 name(a, b).
   */
  readonly text?: string | ((attr: string | number) => string);
}

/** Lowers a value to lane operations, or to a mask of whether it differs from 0. */
export interface Lowering {
  value(x: Expression): Expression;
  mask(x: Expression): Expression;
}

type Gradient = (g: Value, args: Arguments, z: Value, constant: Language["constant"]) => readonly Value[];
/** The arguments of an operation; only the first `arity` exist. */
export type Arguments = readonly [Expression, Expression, Expression];

/** Makes operations from their names. */
export const table = /* @__NO_SIDE_EFFECTS__ */ <Name extends string>(
  rows: Readonly<Record<Name, Row>>,
): Readonly<Record<Name, Operation>> =>
  Object.fromEntries(Object.entries<Row>(rows).map(([name, row]) => [name, { name, ...row }])) as Record<
    Name,
    Operation
  >;

type Row = Omit<Operation, "name" | "of">;

/** Leaves of a step. `attr` is a name, a number or a place. */
export const LEAF = table({
  constant: { takesAttr: true },
  input: { isGiven: true },
  state: { isGiven: true },
  given: { isGiven: true },
  parameter: {},
  gradient: { isGradient: true },
  carry: { isGradient: true },
});

/** Arrays of a sweep, and literals. `attr` is a place in the descriptor, or the bits. */
export const ARRAY = table({
  stream: { isRead: true },
  listed: { isRead: true },
  piece: { isRead: true },
  shared: { isRead: true },
  number: { isRead: true },
  bits: { isRead: true },
  flags: { boolean: "always" },
});

let count = 0;

/** An operation on arguments, or a leaf with `attr`: its name, number or place. */
export class Term {
  readonly owner: Owner;
  readonly op: Operation;
  readonly args: readonly Expression[];
  readonly attr: string | number;
  readonly level: Level;
  /** Whether its operation and arguments make it 0 or 1. */
  readonly isBoolean: boolean;
  /** Increases in the order of creation. */
  readonly id = ++count;
  /** Number of the last search that found this term; see `reachable`. */
  search = 0;

  constructor(owner: Owner, op: Operation, args: readonly Expression[], attr: string | number, level: Level) {
    this.owner = owner;
    this.op = op;
    this.args = args;
    this.attr = attr;
    this.level = level;
    this.isBoolean = op.boolean === "always" || (op.boolean === "of booleans" && args.every((x) => x.isBoolean));
  }

  /** JavaScript calls this method for a + b, Math.exp(a) or a < b; it throws. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return `${this.op.name}(…)`;
    throw new TypeError(
      `${this.owner.name}: a value of a step is no number; write a.add(b) for a + b, a.mul(b) for a * b, constant(1).sub(a) for ` +
        "1 - a, a.exp() for Math.exp(a), and where(a.gt(b), c, d) for a choice",
    );
  }
}

export type Expression = Term & Value;

/** Makes a term. Its level is the highest among `level`, its arguments and its operation. */
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

/** A number, rounded to float32 as in kernels. */
export const constant = (owner: Owner, value: number): Expression => term(owner, LEAF.constant, [], Math.fround(value));

export const isZero = ({ op, attr }: Term): boolean => op === LEAF.constant && Object.is(attr, 0);

let searches = 0;

/**
 * Visits the terms that x depends on, arguments before their users. `enter` returns whether to visit the arguments;
 * `leave` is called after them. A loop, not a recursion, since deep steps would overflow the stack.
 */
export function visit(root: Expression, enter: (x: Expression) => boolean, leave: (x: Expression) => void): void {
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
 * Terms that the roots depend on, arguments before their users; the search ends at terms in `stops`. Terms store the
 * number of the last search that found them, which is faster than a set; so `stops` must not start a search.
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
  for (const x of roots) visit(x, enter, leave);
  return found;
}

/** Number of elementwise operations that compute x from the given terms. */
export const workOf = (x: Expression, isGiven: (y: Expression) => boolean): number =>
  reachable([x], isGiven).filter((y) => y.level === ELEMENT && !isGiven(y)).length;

/** Makes a function that maps equal terms to one term. `replace` may substitute a term first. */
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

/** Makes a function that substitutes terms by `replace`, down to the leaves. */
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
      visit(x, enter, leave);
      z = known.get(x) as Expression;
    }
    return z;
  };
}

/** A term with known arguments replaced; the same term if none changed. */
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
