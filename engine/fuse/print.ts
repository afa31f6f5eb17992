/**
 * A step and its gradient as equations. v is a state before the step, v′ the one after it, v[0] the one before the first step; [c] is
 * 1 where c holds, else 0. ∇x is the gradient of x; of it, ∂x arrives from outside: from what reads the output x, and as ∂v′ from the
 * step after. That of a parameter is a sum over all elements. Backward computes with values alone, so `detach` is told of forward
 * only. derivative(f(x)) is f′ at x.
 */
import { gradientsOf } from "./derive.ts";
import { COLUMN, ELEMENT, type Expression, isZero, lift, SCALAR, term } from "./expression.ts";
import { reachable, sharing } from "./graph.ts";
import type { Traced } from "./trace.ts";

const GREEK =
  "alpha α beta β gamma γ delta δ epsilon ε theta θ kappa κ lambda λ mu μ rho ρ tau τ phi φ omega ω".split(" ");

/** What equations have as words: no name is printed so. */
const WORDS =
  "if else derivative detach maximum minimum clamp σ sign floor round relu rsqrt exp log log1p sin cos atan erf tanh softplus".split(
    " ",
  );

/** An initial value: a number, or a function of the parameters by name. */
export type Initial = number | ((parameters: never) => unknown);

/**
 * The equations, one a line. `symbols` are shorter names for some; Greek letters need none. `initial` are the values of the states
 * before the first step, of which those other than 0 get a line.
 */
export function print(
  traced: Traced,
  symbols: Readonly<Record<string, string>> = {},
  initial: readonly Initial[] = [],
): string {
  return new Printer(traced, symbols).text(initial);
}

/** A line that is to be: a name, the term that it stands for, and what lies between. */
interface Equation {
  readonly name: string;
  readonly value: Expression;
  readonly sign: "=" | "+=";
}

/** How tightly an operation binds: a choice least, the operand of a power most. */
const [CHOICE, SUM, QUOTIENT, PRODUCT, OPERAND, BASE] = [0, 1, 2, 3, 4, 5];

class Printer {
  private readonly traced: Traced;
  private readonly share = sharing(({ owner, op, args: [a, b], attr }) => {
    if (op === "spike") return term(owner, op, [this.share(a as Expression)], attr);
    return op === "mul" && isOne(b as Expression) ? this.share(a as Expression) : undefined;
  });
  /** The parameters of the definition. */
  private readonly given: readonly Expression[];
  private readonly outputs: readonly { readonly name: string; readonly value: Expression }[];
  /** Terms that have been given names, and those that will get one where they are first needed. */
  private readonly names = new Map<Expression, string>();
  private readonly due = new Map<Expression, string>();
  private readonly taken = new Set(WORDS);
  private temporaries = 0;
  private isBackward = false;

  constructor(traced: Traced, symbols: Readonly<Record<string, string>>) {
    this.traced = traced;
    const { definition, owner, inputs, states, outputs } = traced;
    this.given = Object.entries(definition.parameters).map(([name, kind]) =>
      this.share(term(owner, "given", [], name, kind === "scalar" ? SCALAR : COLUMN)),
    );
    const leaves = [...inputs, ...states, ...this.given];
    const known = [...leaves.map(({ attr }) => attr), ...outputs.keys()];
    const short = [...GREEK, ...Object.entries(symbols).flat()];
    /** A symbol that stands for nothing else. */
    const symbolOf = (name: string): string => {
      const at = short.indexOf(name);
      let symbol = at % 2 === 0 ? (short[at + 1] as string) : name;
      if (this.taken.has(symbol) || known.includes(symbol)) symbol = name;
      while (this.taken.has(symbol)) symbol += "_";
      this.taken.add(symbol);
      return symbol;
    };
    for (const x of leaves) this.names.set(x, symbolOf(String(x.attr)));
    this.outputs = [...outputs].map(([output, value]) => {
      const state = states[definition.states.indexOf(output)];
      return { name: state === undefined ? symbolOf(output) : `${this.names.get(state)}′`, value };
    });
  }

  text(initial: readonly Initial[]): string {
    const { traced, share, outputs } = this;
    const toOutputs = [...outputs].reverse();
    const gradients = gradientsOf(
      toOutputs.map(({ name, value }) => {
        const outside = term(traced.owner, "gradient", [], name, ELEMENT);
        this.names.set(outside, `∂${name}`);
        return [value, outside];
      }),
    );
    // As they were computed, so that a line needs only those above it.
    const forward = [...outputs]
      .sort((x, y) => x.value.id - y.value.id)
      .map(({ name, value }) => equation(name, share(value)));
    const backward: Equation[] = [];
    const leaves = [...traced.inputs, ...traced.states, ...traced.leaves.keys()];
    for (const x of leaves) {
      const gradient = gradients.get(x);
      const sign = x.level === ELEMENT ? "=" : "+=";
      if (gradient !== undefined)
        backward.push(equation(`∇${this.expression(share(x), BASE)}`, share(gradient), sign));
    }
    for (const { name, value } of toOutputs) {
      const gradient = share(gradients.get(value) as Expression);
      if (gradient.op !== "gradient" && value.args.length > 0) this.due.set(gradient, `∇${name}`);
    }
    this.nameRepeated([...forward, ...backward].map(({ value }) => value));
    const lines = [traced.definition.name, ...this.lines([...this.started(initial), ...forward])];
    this.isBackward = true;
    return [...lines, "backward", ...this.lines(backward)].join("\n");
  }

  /** The states before the first step, as far as a function of the parameters makes terms of them. */
  private started(initial: readonly Initial[]): Equation[] {
    const { states, owner } = this.traced;
    const parameters = Object.fromEntries(this.given.map((x) => [x.attr, x]));
    return initial.flatMap((value, i) => {
      try {
        const x = lift(owner, "initial", typeof value === "function" ? value(parameters as never) : value);
        return isZero(x) ? [] : equation(`${this.names.get(states[i] as Expression)}[0]`, this.share(x));
      } catch {
        return [];
      }
    });
  }

  /** What is used more than once gets a name. */
  private nameRepeated(values: readonly Expression[]): void {
    const uses = new Map<Expression, number>();
    const use = (x: Expression): unknown =>
      x.op === "detach" ? use(x.args[0] as Expression) : uses.set(x, (uses.get(x) ?? 0) + 1);
    values.forEach(use);
    for (const x of reachable(values)) if (x.op !== "detach") x.args.forEach(use);
    for (const [x, count] of uses) {
      const isShort = x.args.length === 0 || x.level < ELEMENT || x.op === "neg";
      if (count > 1 && !isShort && !values.includes(x) && !this.due.has(x)) this.due.set(x, "");
    }
  }

  private lines(equations: readonly Equation[]): string[] {
    const lines: string[] = [];
    const give = (x: Expression, due: string): void => {
      let name = due;
      while (name === "" || this.taken.has(name)) name = `x${++this.temporaries}`;
      lines.push(`  ${name} = ${this.expression(x, CHOICE)}`);
      this.names.set(x, name);
    };
    /** Gives names to what a term needs by name. */
    const prepare = (x: Expression): void => {
      if (this.names.has(x)) return;
      for (const y of x.args) prepare(y);
      const due = this.due.get(x);
      if (due !== undefined) give(x, due);
      // −(−a·b) reads badly.
      else if (x.op === "neg" && this.opposite(x.args[0] as Expression) !== null) give(x.args[0] as Expression, "");
    };
    for (const { name, value, sign } of equations) {
      prepare(value);
      lines.push(`  ${name} ${sign} ${this.expression(value, CHOICE)}`);
      if (sign === "=" && value.level === ELEMENT && !this.names.has(value)) this.names.set(value, name);
    }
    return lines;
  }

  /** A term in an operation that binds so tightly. */
  private expression(x: Expression, within: number): string {
    const name = this.names.get(x);
    if (name !== undefined) return name;
    const { op, args, attr } = x;
    const [a, b, c] = args as [Expression, Expression, Expression];
    const at = (y: Expression, level: number) => this.expression(y, level);
    const infix = (text: string, level: number) => (within > level ? `(${text})` : text);
    const opposite = this.opposite(x);
    if (opposite !== null) return infix(`−${opposite}`, SUM);
    if (op.endsWith("Grad")) {
      // The kernel `formula` adds this term to a gradient.
      const f = op.slice(0, -4);
      const added = `${at(b, PRODUCT)}·derivative(${at(term(x.owner, f, [c], attr), CHOICE)})`;
      return isZero(a) ? infix(added, PRODUCT) : infix(`${at(a, SUM)} + ${added}`, SUM);
    }
    switch (op) {
      case "constant":
        return shortest(Number(attr));
      case "detach":
        return this.isBackward ? at(a, within) : `detach(${at(a, CHOICE)})`;
      case "add":
      case "sub": {
        const other = this.opposite(b);
        const sign = (op === "add") === (other === null) ? "+" : "−";
        return infix(`${at(a, SUM)} ${sign} ${other ?? at(b, QUOTIENT)}`, SUM);
      }
      case "mul": {
        const [left, right] = factors(x);
        return infix(`${at(left, PRODUCT)}·${at(right, OPERAND)}`, PRODUCT);
      }
      case "div":
        return infix(`${at(a, QUOTIENT)} / ${at(b, OPERAND)}`, QUOTIENT);
      case "reciprocal":
        return infix(`1 / ${at(a, OPERAND)}`, QUOTIENT);
      case "square":
        return infix(`${at(a, BASE)}²`, OPERAND);
      case "pow":
        return infix(`${at(a, BASE)}^${shortest(Number(attr)).replace("-", "−")}`, OPERAND);
      case "power":
        return infix(`2^${at(a, BASE)}`, OPERAND);
      case "sqrt":
        return infix(`√${at(a, BASE)}`, OPERAND);
      case "abs":
        return `|${at(a, CHOICE)}|`;
      case "sigmoid":
        return `σ(${at(a, CHOICE)})`;
      case "where":
      case "select":
        return infix(`${at(b, SUM)} if ${this.condition(a)} else ${at(c, CHOICE)}`, CHOICE);
    }
    return op === "spike" || SIGNS[op] !== undefined
      ? `[${this.condition(x)}]`
      : `${op}(${args.map((y) => at(y, CHOICE)).join(", ")})`;
  }

  /** The text of −x within an operation, for a term that begins with a minus sign; null for others. */
  private opposite(x: Expression, within = QUOTIENT): string | null {
    if (this.names.has(x)) return null;
    const { op, args, attr } = x;
    if (op === "neg") return this.expression(args[0] as Expression, within);
    if (op === "constant") return String(attr).startsWith("-") ? shortest(-Number(attr)) : null;
    const isProduct = op === "mul";
    if (!isProduct && op !== "div") return null;
    const [left, right] = isProduct ? factors(x) : (args as [Expression, Expression]);
    const level = isProduct ? PRODUCT : QUOTIENT;
    const first = this.opposite(left, level);
    const second = first === null && isProduct ? this.opposite(right, OPERAND) : null;
    if (first === null && second === null) return null;
    const text = `${first ?? this.expression(left, level)}${isProduct ? "·" : " / "}${second ?? this.expression(right, OPERAND)}`;
    return within > level ? `(${text})` : text;
  }

  private condition(x: Expression): string {
    if (x.op === "detach" && this.isBackward) return this.condition(x.args[0] as Expression);
    const [a, b] = x.args as [Expression, Expression];
    const sign = SIGNS[x.op === "spike" ? x.attr : x.op];
    if (sign === undefined || this.names.has(x)) return this.expression(x, SUM);
    return `${this.expression(a, SUM)} ${sign} ${b === undefined ? 0 : this.expression(b, SUM)}`;
  }
}

const SIGNS: Readonly<Record<string, string>> = { gt: ">", ge: "≥", lt: "<", le: "≤", eq: "=" };

/** The factors of a product, a number first. */
const factors = ({ args: [a, b] }: Expression): [Expression, Expression] =>
  (b?.op === "constant" ? [b, a] : [a, b]) as [Expression, Expression];

const isOne = ({ op, attr }: Expression): boolean => op === "constant" && attr === 1;

const equation = (name: string, value: Expression, sign: Equation["sign"] = "="): Equation => ({ name, value, sign });

/** The float32 with as many digits as tell it from others. */
function shortest(x: number): string {
  let digits = 1;
  while (digits < 9 && Math.fround(Number(x.toPrecision(digits))) !== x) digits++;
  return String(Number(x.toPrecision(digits)));
}
