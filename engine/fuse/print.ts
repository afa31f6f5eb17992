/**
 * A step and its gradient as equations. v is a state before the step, v′ the one after it, v[0] the one before the first step; [c] is
 * 1 where c holds, else 0. ∇x is the gradient of x; its part ∂x arrives from outside: from readers of the output x, and
 * as ∂v′ from the step after. The gradient of a parameter is a sum over all elements, and passes through functions of
 * parameters alone. `detach` is printed in forward only, since backward has values alone. derivative(f(x)) is f′ at x.
 */
import { Tensor } from "../tensor.ts";
import { gradientTerms } from "./derive.ts";
import { lift } from "./language.ts";
import { COLUMN, ELEMENT, SCALAR } from "./layout.ts";
import { OPS, shortest } from "./operations.ts";
import type { Expression, Operation } from "./terms.ts";
import { constant, isZero, LEAF, reachable, rewriting, sharing, table, term } from "./terms.ts";
import type { StepDefinition, Traced } from "./trace.ts";

const GREEK = "alpha α beta β gamma γ delta δ epsilon ε theta θ kappa κ lambda λ mu μ rho ρ tau τ phi φ omega ω ";

/** The words of equations: no name is printed as one of them. */
const WORDS = ["if", "else", "derivative", "σ", ""].concat(
  Object.keys(OPS).filter((name) => OPS[name as keyof typeof OPS].text === undefined),
);

/** How tightly a text binds: a choice least. */
const [CHOICE, CONDITION, SUM, QUOTIENT] = [0, 1, 2, 3];

/** Terms that are printed alone: the derivative of a formula, whose text is the attribute, and a tensor. */
const PRINTED = /* @__PURE__ */ table({
  derivative: { text: (formula) => `6 derivative(${formula})` },
  tensor: { text: "6 …" },
});

/** Terms whose text is nested deeper than this become temporaries. */
const DEEP = 50;

/** A line before it is printed: a name, the sign behind it, and the term that the name stands for. */
type Equation = readonly [name: string, sign: "=" | "+=", value: Expression];

/** An initial value: a number, or a function of the parameters by name. */
export type PrintedInitial = number | ((parameters: never) => unknown);

/** The names of a step. */
interface Names {
  readonly definition: Pick<StepDefinition, "inputs" | "states" | "parameters">;
  readonly outputs: ReadonlyMap<string, unknown>;
}

/**
 * The symbols of inputs, states and parameters, the symbols of outputs, all taken symbols, and a function that takes a
 * further one.
 */
type Symbols = readonly [
  leaves: ReadonlyMap<string, string>,
  outputs: ReadonlyMap<string, string>,
  taken: ReadonlySet<string>,
  add: (name: string) => string,
];

/**
 * The symbols that {@link print} writes for the names of a step. `symbols` are names and their shorter ones, which Greek letters have
 * already. Signs within a name become underscores, so that ∇v is the gradient of v alone.
 */
export function symbolsOf({ definition, outputs }: Names, symbols: string): Symbols {
  const { inputs, states, parameters } = definition;
  const names = [...inputs, ...states, ...Object.keys(parameters)];
  const results = [...outputs.keys()];
  const known = [...names, ...results];
  const taken = new Set(WORDS);
  const short = (GREEK + symbols).split(" ");
  const add = (name: string): string => {
    const at = short.indexOf(name);
    let symbol = (at % 2 === 0 && short[at + 1]) || name;
    if (taken.has(symbol) || known.includes(symbol)) symbol = name;
    symbol = symbol.replace(/^\d|[^$\p{IDC}\p{N}]/gu, "_");
    while (taken.has(symbol)) symbol += "_";
    taken.add(symbol);
    return symbol;
  };
  const leaves = new Map(names.map((name) => [name, add(name)]));
  const next = new Map(results.map((name) => [name, states.includes(name) ? `${leaves.get(name)}′` : add(name)]));
  return [leaves, next, taken, add];
}

/**
 * The equations, one a line. `symbols` come from {@link symbolsOf}. `initial` are the values of the states before the
 * first step: a value other than 0 gets a line, a tensor as `…`.
 */
export function print(traced: Traced, symbols = "", initial: readonly PrintedInitial[] = []): string {
  const { definition, owner, inputs, states } = traced;
  const equal = sharing();
  const share = rewriting(undefined, (x) => equal(asPrinted(x)));
  const given = Object.entries(definition.parameters).map(([name, kind]) =>
    share(term(owner, LEAF.given, [], name, kind === "scalar" ? SCALAR : COLUMN)),
  );
  const leaves = [...inputs, ...states, ...given];

  const [symbolOf, resultOf, taken] = symbolsOf(traced, symbols);
  /** Terms that have been given names, and those that will get one where they are first needed. */
  const names = new Map<Expression, string>();
  const due = new Map<Expression, string>();
  for (const x of leaves) names.set(x, symbolOf.get(x.attr as string) as string);
  const outputs = [...traced.outputs].map(([output, value]) => [resultOf.get(output) as string, value] as const);
  let isBackward = false;

  /** Whether the text of a term begins with a minus sign. */
  const isNegative = (x: Expression): boolean => {
    const { op, args, attr } = x;
    if (names.has(x)) return false;
    if (op === LEAF.constant) return (attr as number) < 0;
    return (
      op === OPS.neg ||
      (op === OPS.mul && args.some(isNegative)) ||
      (op === OPS.div && isNegative(args[0] as Expression))
    );
  };

  /** A term in an operation that binds so tightly; or the term without its minus sign. */
  const expression = (x: Expression, within: number, isOpposite = false): string => {
    const name = names.get(x);
    if (name !== undefined) return name;
    if (!isOpposite && isNegative(x)) return bracketed(`−${expression(x, QUOTIENT, true)}`, SUM, within);
    const { op, args, attr } = x;
    const [a, b] = args as [Expression, Expression];
    if (op === LEAF.constant) return shortest(attr as number);
    if (op === OPS.neg || (op === OPS.detach && isBackward)) return expression(a, within);
    let form = textOf(op, attr);
    let signed = -1;
    if (isOpposite) signed = isNegative(a) ? 0 : 1;
    else if ((op === OPS.add || op === OPS.sub) && isNegative(b)) {
      form = textOf(op === OPS.add ? OPS.sub : OPS.add);
      signed = 1;
    }
    const text = form.slice(2).replace(/([abc])(\d)/g, (_, letter: string, level: string) => {
      const at = "abc".indexOf(letter);
      return expression(args[at] as Expression, +level, at === signed);
    });
    return bracketed(text, +(form[0] as string), within);
  };

  const lines = [definition.name];
  let temporaries = 0;
  const give = (x: Expression, name: string): void => {
    while (taken.has(name)) name = `x${++temporaries}`;
    lines.push(`  ${name} = ${expression(x, CHOICE)}`);
    names.set(x, name);
  };
  /** How deep the text of a term is nested, up to the terms that have names. */
  const depths = new Map<Expression, number>();
  const depthOf = (x: Expression) => (names.has(x) ? 0 : (depths.get(x) ?? 0));
  /** Gives names to the terms that a term needs by name. */
  const prepare = (root: Expression): void => {
    for (const x of reachable([root], (y) => names.has(y))) {
      if (names.has(x)) continue;
      depths.set(x, 1 + Math.max(0, ...x.args.map(depthOf)));
      const name = due.get(x) ?? (depthOf(x) > DEEP ? "" : undefined);
      if (name !== undefined) give(x, name);
      // −(−a·b) reads badly.
      else if (x.op === OPS.neg && isNegative(x.args[0] as Expression)) give(x.args[0] as Expression, "");
    }
  };
  const write = (equations: readonly Equation[]): void => {
    for (const [name, sign, value] of equations) {
      prepare(value);
      lines.push(`  ${name} ${sign} ${expression(value, CHOICE)}`);
      if (sign === "=" && value.level === ELEMENT && !names.has(value)) names.set(value, name);
    }
  };

  const named = Object.fromEntries(given.map((x) => [x.attr, x]));
  const started = initial.flatMap((value, i): Equation[] => {
    const x = typeof value === "function" ? value(named as never) : value;
    if (x === 0) return [];
    const start = x instanceof Tensor ? term(owner, PRINTED.tensor, [], 0, SCALAR) : share(lift(owner, "", x));
    return [[`${names.get(states[i] as Expression)}[0]`, "=", start]];
  });
  // As they were computed, so that a line needs only those above it.
  const forward = [...outputs]
    .sort(([, x], [, y]) => x.id - y.id)
    .map(([name, value]): Equation => [name, "=", share(value)]);
  outputs.reverse();
  const gradients = gradientTerms(
    outputs.map(([name, value]) => {
      const outside = term(owner, LEAF.gradient, [], name, ELEMENT);
      names.set(outside, `∂${name}`);
      return [value, outside];
    }),
    () => false,
  );
  const backward: Equation[] = [];
  const parameters = reachable(traced.outputs.values()).filter(({ op }) => op === LEAF.given);
  for (const x of [...inputs, ...states, ...parameters.sort((x, y) => x.id - y.id)]) {
    const gradient = gradients.get(x);
    if (gradient !== undefined)
      backward.push([`∇${names.get(share(x))}`, x.level === ELEMENT ? "=" : "+=", share(gradient)]);
  }
  for (const [name, value] of outputs) {
    const gradient = share(gradients.get(value) as Expression);
    if (gradient.op !== LEAF.gradient && value.args.length > 0) due.set(gradient, `∇${name}`);
  }
  const values = [...forward, ...backward].map(([, , value]) => value);
  for (const x of repeated(values)) if (!due.has(x)) due.set(x, "");

  write([...started, ...forward]);
  lines.push("backward");
  isBackward = true;
  write(backward);
  return lines.join("\n");
}

/** The term that is printed for x. */
function asPrinted(x: Expression): Expression {
  const { owner, op, args, attr } = x;
  const [a, b, c] = args as [Expression, Expression, Expression];
  if (op === OPS.spike) return term(owner, op, [a], attr);
  if (op.of !== undefined) {
    // The kernel `formula` adds this term to a gradient.
    const added = term(owner, OPS.mul, [b, term(owner, PRINTED.derivative, [c], textOf(op.of, attr).slice(2))]);
    return isZero(a) ? added : term(owner, OPS.add, [a, added]);
  }
  if (op === OPS.add && a === b) return term(owner, OPS.mul, [constant(owner, 2), a]);
  if ((op === OPS.add || op === OPS.sub) && isZero(b)) return a;
  // A number stands first.
  if (op !== OPS.mul || b.op !== LEAF.constant) return x;
  if (b.attr === 1) return a;
  return a.op === LEAF.constant ? x : term(owner, op, [b, a]);
}

/** Terms that are used more than once and have no name: they become temporaries. */
function repeated(values: readonly Expression[]): Expression[] {
  const uses = new Map<Expression, number>();
  const use = (x: Expression): unknown =>
    x.op === OPS.detach ? use(x.args[0] as Expression) : uses.set(x, (uses.get(x) ?? 0) + 1);
  values.forEach(use);
  for (const x of reachable(values)) if (x.op !== OPS.detach) x.args.forEach(use);
  const isShort = (x: Expression) => x.args.length === 0 || x.op === OPS.neg || (x.level < ELEMENT && isSingle(x));
  return [...uses].filter(([x, count]) => count > 1 && !isShort(x) && !values.includes(x)).map(([x]) => x);
}

/** Whether a term is one operation on leaves, but for signs. */
const isSingle = (x: Expression): boolean =>
  reachable([x]).filter(({ op, args }) => args.length > 0 && op !== OPS.neg).length === 1;

/** How tightly an operation binds, and its text. */
function textOf({ name, arity = 1, text }: Operation, attr: string | number = 0): string {
  if (typeof text === "function") return text(attr);
  return text ?? `6 ${name}(${"a0, b0, c0".slice(0, 4 * arity - 2)})`;
}

function bracketed(text: string, level: number, within: number): string {
  if (level === CONDITION) return within === CONDITION ? text : `[${text}]`;
  return within > level ? `(${text})` : text;
}
