/**
 * Values inside a step function: methods of terms, functions of its argument, and errors for everything that a step
 * cannot do.
 */
import { show, typeOf } from "../arguments.ts";
import { Tensor } from "../core/tensor.ts";
import { OPS } from "./operations.ts";
import type { DerivativeLanguage, Expression, Operation, Owner } from "./terms.ts";
import { constant, LEAF, Term, term } from "./terms.ts";

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

/** Name of an input in errors. */
export const AN_INPUT = "an input, such as the current of a neuron";

/** Describes a value for a message; objects by their class, such as [object Promise]. */
export const told = (x: unknown): string => (typeOf(x) === "object" ? Object.prototype.toString.call(x) : show(x));

/** Registers an operation of a step, so that an unused comparison can be reported. */
function noted(x: Expression): Expression {
  const { comparisons, decided } = x.owner;
  if (x.op.boolean === "always") comparisons.push(x);
  if (!x.isBoolean) for (const y of x.args) if (y.isBoolean) decided.push(y);
  return x;
}

type Method = (this: Expression, ...rest: unknown[]) => Expression;

/** Methods that need more than one term. */
const SPECIAL: Readonly<Record<string, Method>> = {
  where(condition, y) {
    return choice(this.owner, OPS.where, condition, this, y);
  },
  clamp(low, high) {
    const bound = (x: unknown, otherwise: number) => constantOf(this, "clamp", x ?? otherwise);
    return term(this.owner, OPS.clamp, [this, bound(low, -Infinity), bound(high, Infinity)]);
  },
  pow(y) {
    if (y === 2) return this.square() as Expression;
    if (y === 0.5) return this.sqrt() as Expression;
    if (y === -0.5) return this.rsqrt() as Expression;
    return term(this.owner, OPS.pow, [this], constantOf(this, "pow", y).attr);
  },
  detach() {
    return this.owner.exact ? this : term(this.owner, OPS.detach, [this]);
  },
};

const methodOf = (op: Operation): Method =>
  function (y) {
    return noted(term(this.owner, op, op.arity === undefined ? [this] : [this, lift(this.owner, op.name, y)]));
  };

const methods: Record<string, Method> = {};
for (const [name, op] of Object.entries(OPS)) {
  if (!op.isFunction) methods[name] = SPECIAL[name] ?? methodOf(op);
}

function constantOf({ owner }: Expression, where: string, x: unknown): Expression {
  const c = lift(owner, where, x);
  if (c.op === LEAF.constant) return c;
  throw new TypeError(`${owner.name}: ${where}: expected a number, got a value of the step`);
}

Object.setPrototypeOf(Term.prototype, methods);

const nothing = ({ owner }: Term, name: string) =>
  new TypeError(
    `${owner.name}: a value of a step has no ${name}: a step computes each value on its own, with ` +
      `${Object.keys(methods).join(" ")} and the functions of its argument`,
  );

/** Properties of tensors that a step might read. JavaScript would not report a missing property. */
for (const name of ["shape", "size", "ndim", "data", "grad", "requiresGrad"]) {
  Object.defineProperty(methods, name, {
    get(this: Term) {
      throw nothing(this, name);
    },
  });
}

/** Calls `run` while unknown names on terms throw. The proxy slows every method, so other runs do without it. */
export function strictly(run: () => void): void {
  const others = new Proxy(Object.prototype, {
    get(target, name, x) {
      // JavaScript reads `then` of a value that an async function returns; ops read `self` to recognise tensors.
      if (name in target || name === "then" || name === "self" || typeof name === "symbol")
        return Reflect.get(target, name);
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

function choice(owner: Owner, op: Operation, condition: unknown, a: unknown, b: unknown): Expression {
  const args = [condition, a, b].map((x) => lift(owner, op.name, x));
  const [c, x, y] = args as [Expression, Expression, Expression];
  // A smooth spike between 0 and 1 interpolates between x and y.
  return owner.exact && !c.isBoolean ? (y.add(c.mul(x.sub(y))) as Expression) : noted(term(owner, op, args));
}

/** The functions that a step of this owner receives. */
export function languageOf(owner: Owner): DerivativeLanguage {
  const language: DerivativeLanguage = {
    where: (condition, a, b) => choice(owner, OPS.where, condition, a, b),
    select: (spike, a, b) => choice(owner, OPS.select, spike, a, b),
    spike(x, derivative, strict = false) {
      const at = lift(owner, "spike", x);
      return term(owner, OPS.spike, [at, lift(owner, "derivative", derivative(at, language))], strict ? "gt" : "ge");
    },
    softplus: (x) => term(owner, OPS.softplus, [lift(owner, "softplus", x)]),
    constant: (c) => lift(owner, "constant", c),
    power: (x) => term(owner, OPS.power, [lift(owner, "power", x)]),
  };
  return language;
}
