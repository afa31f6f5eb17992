/**
 * Symbolic values: what a step function computes with while it is traced. They have the methods of tensors, and every method
 * makes a term, so that the same function runs on either.
 *
 * A term is one operation on other terms. Each call makes a new one, as each call on tensors makes a new record: derive.ts then
 * adds up gradients in the order of the tape. Equal terms become one afterwards, see `sharing` in graph.ts.
 */
import { show, typeOf } from "../arguments.ts";
import { Tensor } from "../tensor.ts";

/** A value of a step: a tensor, or a symbol of one. Operations are elementwise, and gradients those of the tensor methods. */
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

/** What the derivative of a spike may use besides. */
export interface DerivativeLanguage extends Language {
  /**
   * 2ˣ to (26 + |x|/2)·10⁻⁷ relative for x ≤ 0, and 2⁻⁶⁴ below −64: a third of the work of `exp`, for a derivative that is an
   * approximation in itself. In float64 it is exact. It has no gradient.
   */
  power(x: Value): Value;
}

/** The derivative that a spike is given, at x. */
export type Derivative = (x: Value, language: DerivativeLanguage) => Value | number;

/** What a value depends on: on numbers alone, on what all columns share, on parameters of each column, on each element. */
export type Level = 0 | 1 | 2 | 3;
export const SCALAR = 1;
export const COLUMN = 2;
export const ELEMENT = 3;

/** What the terms of one step have in common. */
export interface Owner {
  /** The name of the step, for errors. */
  readonly name: string;
  /** Comparisons in the order in which they were made, and the arguments of other operations that are 0 or 1. */
  readonly comparisons: Expression[];
  readonly decided: Expression[];
  /** Gradients are exact, see {@link StepDefinition.exact}. */
  readonly exact: boolean;
  /** Lane operations of a sweep that is written, by what they are. */
  readonly lanes: Map<string, Expression>;
}

let count = 0;

/** One operation, or a leaf, whose `attr` then is its name, number or place. */
export class Term {
  readonly owner: Owner;
  readonly op: string;
  readonly args: readonly Expression[];
  readonly attr: string | number;
  readonly level: Level;
  /** Whether it is 0 or 1 by what it is made of. */
  readonly isBoolean: boolean;
  /** Terms count up in the order in which they were made. */
  readonly id = ++count;
  /** The last search in the graph that has found it, see `reachable` in graph.ts. */
  search = 0;

  constructor(owner: Owner, op: string, args: readonly Expression[], attr: string | number, level: Level) {
    this.owner = owner;
    this.op = op;
    this.args = args;
    this.attr = attr;
    this.level = level;
    this.isBoolean = BOOLEAN.includes(op) || (OF_BOOLEANS.includes(op) && args.every((x) => x.isBoolean));
  }

  /** What JavaScript does for a + b, Math.exp(a) or a < b. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return `${this.op}(…)`;
    throw new TypeError(
      `${this.owner.name}: a value of a step is no number; write a.add(b) for a + b, a.mul(b) for a * b, constant(1).sub(a) for ` +
        "1 - a, a.exp() for Math.exp(a), and where(a.gt(b), c, d) for a choice",
    );
  }
}

export type Expression = Term & Value;

/** Operations that are computed for each element, even of parameters alone: tensors have no such op. */
const ON_ELEMENTS = ["select", "spike", "power"];

/** A new term; its level is the highest of its arguments, unless it is a leaf. */
export function term(
  owner: Owner,
  op: string,
  args: readonly Expression[],
  attr: string | number = 0,
  level: Level = 0,
) {
  if (ON_ELEMENTS.includes(op)) level = ELEMENT;
  for (let i = 0; i < args.length; i++) level = Math.max(level, (args[i] as Expression).level) as Level;
  return new Term(owner, op, args, attr, level) as Expression;
}

/** The number, rounded to float32 as kernels round it. */
export const constant = (owner: Owner, value: number): Expression => term(owner, "constant", [], Math.fround(value));

export const isZero = ({ op, attr }: Term): boolean => op === "constant" && Object.is(attr, 0);

/** A value or number as a term of this step. */
export function lift(owner: Owner, where: string, x: unknown): Expression {
  if (x instanceof Term && x.owner === owner) return x as Expression;
  if (typeof x === "number" && !Number.isNaN(x)) {
    const c = constant(owner, x);
    if (c.attr === x || (Math.abs(c.attr as number) < Infinity && c.attr !== 0)) return c;
    throw new RangeError(`${owner.name}: ${where}: expected a number in the range of float32, got ${x}`);
  }
  let got = told(x);
  if (x === undefined) got += "; is a name misspelt, or a return missing?";
  if (x instanceof Tensor) got = `a tensor from outside of the step; make it a parameter, or add it to ${AN_INPUT}`;
  else if (x instanceof Term) got = "a value of another step; return it as a state to use it in the next one";
  throw new TypeError(`${owner.name}: ${where}: expected a value of the step or a number, got ${got}`);
}

/** Where values enter a step anew. */
export const AN_INPUT = "an input, such as the current of a neuron";

/** A value in a message; of objects their class, such as [object Promise]. */
export const told = (x: unknown): string => (typeOf(x) === "object" ? Object.prototype.toString.call(x) : show(x));

const COMPARISONS = ["gt", "ge", "lt", "le", "eq"];
const BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", ...COMPARISONS];
const UNARY =
  "neg abs sign floor round relu square sqrt rsqrt reciprocal exp log log1p sin cos atan erf tanh sigmoid".split(" ");

/** Operations of 0 or 1, and those that are of such arguments. */
const BOOLEAN = ["spike", "flags", ...COMPARISONS];
const OF_BOOLEANS = ["mul", "maximum", "minimum", "detach"];

/** A new operation of a step, and what a comparison is for. */
function noted(x: Expression): Expression {
  const { comparisons, decided } = x.owner;
  if (COMPARISONS.includes(x.op)) comparisons.push(x);
  if (!x.isBoolean) for (const y of x.args) if (y.isBoolean) decided.push(y);
  return x;
}

type Method = (this: Expression, ...rest: unknown[]) => Expression;

const methods: Record<string, Method> = {
  where(condition, y) {
    return choice(this.owner, "where", condition, this, y);
  },
  clamp(low, high) {
    const bound = (x: unknown, otherwise: number) => constantOf(this, "clamp", x ?? otherwise);
    return term(this.owner, "clamp", [this, bound(low, -Infinity), bound(high, Infinity)]);
  },
  pow(y) {
    if (y === 2) return this.square() as Expression;
    if (y === 0.5) return this.sqrt() as Expression;
    if (y === -0.5) return this.rsqrt() as Expression;
    return term(this.owner, "pow", [this], constantOf(this, "pow", y).attr);
  },
};
for (const op of UNARY) {
  methods[op] = function () {
    return noted(term(this.owner, op, [this]));
  };
}
methods.detach = function () {
  return this.owner.exact ? this : term(this.owner, "detach", [this]);
};
for (const op of BINARY) {
  methods[op] = function (y) {
    return noted(term(this.owner, op, [this, lift(this.owner, op, y)]));
  };
}

function constantOf({ owner }: Expression, where: string, x: unknown): Expression {
  const c = lift(owner, where, x);
  if (c.op === "constant") return c;
  throw new TypeError(`${owner.name}: ${where}: expected a number, got a value of the step`);
}

Object.setPrototypeOf(Term.prototype, methods);

const nothing = ({ owner }: Term, name: string) =>
  new TypeError(
    `${owner.name}: a value of a step has no ${name}: a step computes each value on its own, with ` +
      `${Object.keys(methods).join(" ")} and the functions of its argument`,
  );

/** Properties of tensors, which a step might ask for without a call, so that no error of JavaScript would tell. */
for (const name of ["shape", "size", "ndim", "data", "grad", "requiresGrad"]) {
  Object.defineProperty(methods, name, {
    get(this: Term) {
      throw nothing(this, name);
    },
  });
}

/** Runs a function in which all names that terms do not have are errors. The proxy makes every method slower, so no other run has it. */
export function strictly(run: () => void): void {
  const others = new Proxy(Object.prototype, {
    get(target, name, x) {
      // JavaScript asks for `then` itself, of what an async function returns.
      if (name in target || name === "then" || typeof name === "symbol") return Reflect.get(target, name);
      throw nothing(x, name);
    },
  });
  Object.setPrototypeOf(methods, others);
  try {
    run();
  } finally {
    Object.setPrototypeOf(methods, Object.prototype);
  }
}

function choice(owner: Owner, op: "where" | "select", condition: unknown, a: unknown, b: unknown): Expression {
  const args = [condition, a, b].map((x) => lift(owner, op, x));
  const [c, x, y] = args as [Expression, Expression, Expression];
  // A smooth spike between 0 and 1 weighs.
  return owner.exact && !c.isBoolean ? (y.add(c.mul(x.sub(y))) as Expression) : noted(term(owner, op, args));
}

/** The functions that a step of this owner is given. */
export function languageOf(owner: Owner): DerivativeLanguage {
  const language: DerivativeLanguage = {
    where: (condition, a, b) => choice(owner, "where", condition, a, b),
    select: (spike, a, b) => choice(owner, "select", spike, a, b),
    spike(x, derivative, strict = false) {
      const at = lift(owner, "spike", x);
      return term(owner, "spike", [at, lift(owner, "derivative", derivative(at, language))], strict ? "gt" : "ge");
    },
    softplus: (x) => term(owner, "softplus", [lift(owner, "softplus", x)]),
    constant: (c) => lift(owner, "constant", c),
    power: (x) => term(owner, "power", [lift(owner, "power", x)]),
  };
  return language;
}
