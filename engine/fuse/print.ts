/**
 * Prints a step and its gradient as equations. v is a state before the step, v′ after it, v[0] before the first step;
 * [c] is 1 if c holds, else 0. ∇x is the gradient of x. Its part ∂x comes from outside: from readers of output x or, as
 * ∂v′, from the next step. A parameter's gradient is a sum over all elements, and passes through functions of
 * parameters. `detach` is printed only in forward, since backward contains only values. derivative(f(x)) is f′(x).
 */
import { Tensor } from "../core/tensor.ts";
import { gradientTerms } from "./derive.ts";
import { lift } from "./language.ts";
import { COLUMN, ELEMENT, SCALAR } from "./layout.ts";
import { OPS, shortest } from "./operations.ts";
import type { Expression, Operation } from "./terms.ts";
import { constant, isZero, LEAF, reachable, rewriting, sharing, table, term } from "./terms.ts";
import type { StepDefinition, Traced } from "./trace.ts";

const GREEK = "alpha α beta β gamma γ delta δ epsilon ε theta θ kappa κ lambda λ mu μ rho ρ tau τ phi φ omega ω ";

/** Reserved words of equations, which names must avoid. */
const WORDS = ["if", "else", "derivative", "σ", ""].concat(
  Object.keys(OPS).filter((name) => OPS[name as keyof typeof OPS].text === undefined),
);

/** Precedences, lowest first. */
const [CHOICE, CONDITION, SUM, QUOTIENT] = [0, 1, 2, 3];

/** Terms that exist only in print: a formula's derivative, whose text is the attribute, and a tensor. */
const PRINTED = table({
  derivative: { text: (formula) => `6 derivative(${formula})` },
  tensor: { text: "6 …" },
});

/** Terms whose text is nested more deeply become temporaries. */
const DEEP = 50;

/** An equation before printing: name, sign, and the term that the name stands for. */
type Equation = readonly [name: string, sign: "=" | "+=", value: Expression];

/** An initial value: a number, or a function of the parameters by name. */
export type PrintedInitial = number | ((parameters: never) => unknown);

/** Names of a step. */
interface Names {
  readonly definition: Pick<StepDefinition, "inputs" | "states" | "parameters">;
  readonly outputs: ReadonlyMap<string, unknown>;
}

/** Symbols of inputs, states and parameters; symbols of outputs; all used symbols; a function that adds one. */
type Symbols = readonly [
  leaves: ReadonlyMap<string, string>,
  outputs: ReadonlyMap<string, string>,
  taken: ReadonlySet<string>,
  add: (name: string) => string,
];

/**
 * Symbols that {@link print} writes for the names of a step. `symbols` adds short forms of names to the Greek letters.
 * Operator signs in a name become underscores, so that ∇v is always the gradient of v.
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
 * The equations, one per line. `symbols` come from {@link symbolsOf}. `initial` are the states before the first step:
 * each state other than 0 gets a line, where `…` stands for a tensor.
 */
export function print(traced: Traced, symbols = "", initial: readonly PrintedInitial[] = []): string {
  const { definition, owner, inputs, states } = traced;
  const equal = sharing();
  const share = rewriting(undefined, (x) => equal(asPrinted(x)));
  const given = Object.entries(definition.parameters).map(([name, kind]) =>
    share(term(owner, LEAF.given, [], name, kind === "scalar" ? SCALAR : COLUMN)),
  );
  const [symbolOf, resultOf, taken] = symbolsOf(traced, symbols);
  const printer = new Printer(definition.name, taken);
  const { names, due } = printer;
  for (const x of [...inputs, ...states, ...given]) names.set(x, symbolOf.get(x.attr as string) as string);
  const outputs = [...traced.outputs].map(([output, value]) => [resultOf.get(output) as string, value] as const);

  const named = Object.fromEntries(given.map((x) => [x.attr, x]));
  const started = initial.flatMap((value, i): Equation[] => {
    const x = typeof value === "function" ? value(named as never) : value;
    if (x === 0) return [];
    const start = x instanceof Tensor ? term(owner, PRINTED.tensor, [], 0, SCALAR) : share(lift(owner, "", x));
    return [[`${names.get(states[i] as Expression)}[0]`, "=", start]];
  });
  // In the order of computation, so that a line needs only those above it.
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
  nameRepeated([...started, ...forward, ...backward], due);
  return printer.print([...started, ...forward], backward);
}

/** Collects equations as lines of text. */
class Printer {
  /** Names of terms; "" for a term that gets a name when it is first needed. */
  readonly names = new Map<Expression, string>();
  readonly due = new Map<Expression, string>();
  private readonly lines: string[];
  private readonly taken: ReadonlySet<string>;
  private temporaries = 0;
  /** Nesting depth of a term's text, down to terms with names. */
  private readonly depths = new Map<Expression, number>();
  private isBackward = false;

  constructor(name: string, taken: ReadonlySet<string>) {
    this.lines = [name];
    this.taken = taken;
  }

  print(forward: readonly Equation[], backward: readonly Equation[]): string {
    this.write(forward);
    this.lines.push("backward");
    this.isBackward = true;
    this.write(backward);
    return this.lines.join("\n");
  }

  private write(equations: readonly Equation[]): void {
    const { names, due, lines } = this;
    for (const [name, sign, value] of equations) {
      const isNamed = sign === "=" && !isShort(value);
      // The line itself names this term, unless an earlier line needed the name.
      if (isNamed && due.get(value) === "") due.delete(value);
      this.prepare(value);
      lines.push(`  ${name} ${sign} ${this.expression(value, CHOICE)}`);
      if (isNamed && !names.has(value)) names.set(value, name);
    }
  }

  /**
   * Writes a line for each part of `root` that has a name in `due`, is nested too deeply, or would print as −(−a·b).
   */
  private prepare(root: Expression): void {
    const { names, due, depths } = this;
    for (const x of reachable([root], (y) => names.has(y))) {
      if (names.has(x)) continue;
      depths.set(x, 1 + Math.max(0, ...x.args.map(this.depthOf)));
      const name = due.get(x) ?? (this.depthOf(x) > DEEP ? "" : undefined);
      if (name !== undefined) this.give(x, name);
      else if (x.op === OPS.neg && this.isNegative(x.args[0] as Expression)) this.give(x.args[0] as Expression, "");
    }
  }

  private readonly depthOf = (x: Expression): number => (this.names.has(x) ? 0 : (this.depths.get(x) ?? 0));

  private give(x: Expression, name: string): void {
    while (this.taken.has(name)) name = `x${++this.temporaries}`;
    this.lines.push(`  ${name} = ${this.expression(x, CHOICE)}`);
    this.names.set(x, name);
  }

  /** Whether the text of a term begins with a minus sign. */
  private readonly isNegative = (x: Expression): boolean => {
    const { op, args, attr } = x;
    if (this.names.has(x)) return false;
    if (op === LEAF.constant) return (attr as number) < 0;
    return (
      op === OPS.neg ||
      (op === OPS.mul && args.some(this.isNegative)) ||
      (op === OPS.div && this.isNegative(args[0] as Expression))
    );
  };

  /** Text of a term as an operand with this precedence; with `isOpposite`, without its minus sign. */
  private expression(x: Expression, within: number, isOpposite = false): string {
    const name = this.names.get(x);
    if (name !== undefined) return name;
    if (!isOpposite && this.isNegative(x)) return bracketed(`−${this.expression(x, QUOTIENT, true)}`, SUM, within);
    const { op, args, attr } = x;
    const [a, b] = args as [Expression, Expression];
    if (op === LEAF.constant) return shortest(attr as number);
    if (op === OPS.neg || (op === OPS.detach && this.isBackward)) return this.expression(a, within);
    let form = textOf(op, attr);
    let signed = -1;
    if (isOpposite) signed = this.isNegative(a) ? 0 : 1;
    else if ((op === OPS.add || op === OPS.sub) && this.isNegative(b)) {
      form = textOf(op === OPS.add ? OPS.sub : OPS.add);
      signed = 1;
    }
    const text = form.slice(2).replace(/([abc])(\d)/g, (_, letter: string, level: string) => {
      const at = "abc".indexOf(letter);
      return this.expression(args[at] as Expression, +level, at === signed);
    });
    return bracketed(text, +(form[0] as string), within);
  }
}

/** The term that is printed in place of x. */
function asPrinted(x: Expression): Expression {
  const { owner, op, args, attr } = x;
  const [a, b, c] = args as [Expression, Expression, Expression];
  if (op === OPS.spike) return term(owner, op, [a], attr);
  if (op === OPS.neg && a.op === OPS.neg) return a.args[0] as Expression;
  if (op.of !== undefined) {
    // The kernel `formula` adds this term to a gradient.
    const added = term(owner, OPS.mul, [b, term(owner, PRINTED.derivative, [c], textOf(op.of, attr).slice(2))]);
    return isZero(a) ? added : term(owner, OPS.add, [a, added]);
  }
  if (op === OPS.add && a === b) return term(owner, OPS.mul, [constant(owner, 2), a]);
  if ((op === OPS.add || op === OPS.sub) && isZero(b)) return a;
  // Numbers are printed first in a product.
  if (op !== OPS.mul || b.op !== LEAF.constant) return x;
  if (b.attr === 1) return a;
  return a.op === LEAF.constant ? x : term(owner, op, [b, a]);
}

/**
 * Names terms that would be written more than once, since otherwise the text could double with each operation. Signs
 * and `detach` are written at each use, so uses of them count for their argument. The right side of a += gets no name
 * if it is one operation on names.
 */
function nameRepeated(equations: readonly Equation[], due: Map<Expression, string>): void {
  const sums = new Set(equations.map(([, sign, value]) => sign === "+=" && value));
  const values = equations.map(([, , value]) => value);
  const terms = reachable(values);
  const uses = new Map<Expression, number>();
  for (const x of terms) if (x === unsigned(x)) values.push(...x.args);
  for (const x of values.map(unsigned)) uses.set(x, (uses.get(x) ?? 0) + 1);
  const isName = (x: Expression): boolean => due.has(unsigned(x)) || isShort(unsigned(x));
  for (const x of terms) {
    if ((uses.get(x) as number) > 1 && !isName(x) && !(sums.has(x) && x.args.every(isName))) due.set(x, "");
  }
}

/** The term without signs and `detach`. */
function unsigned(x: Expression): Expression {
  while (x.op === OPS.neg || x.op === OPS.detach) x = x.args[0] as Expression;
  return x;
}

/** Whether a term needs no name: a leaf, or one operation on parameters and numbers. */
const isShort = ({ args, level }: Expression): boolean =>
  args.length === 0 || (level < ELEMENT && args.every((y) => unsigned(y).args.length === 0));

/** Precedence and text of an operation. */
function textOf({ name, arity = 1, text }: Operation, attr: string | number = 0): string {
  if (typeof text === "function") return text(attr);
  return text ?? `6 ${name}(${"a0, b0, c0".slice(0, 4 * arity - 2)})`;
}

function bracketed(text: string, level: number, within: number): string {
  if (level === CONDITION) return within === CONDITION ? text : `[${text}]`;
  return within > level ? `(${text})` : text;
}
