/**
 * A step and its gradient as equations. v is a state before the step, v′ the one after it; [c] is 1 where c holds, else 0. dx is
 * the gradient of x; of it, ∂x comes from outside, and dv′ from the step after. That of a parameter is a sum over all elements.
 * Backward computes with values alone, so `detach` is told of forward only. f′(x) is the derivative of a function f at x.
 */
import { gradientsOf, type Seed } from "./derive.ts";
import { ELEMENT, type Expression, isZero, term } from "./expression.ts";
import { reachable, sharing } from "./graph.ts";
import type { Traced } from "./trace.ts";

const GREEK =
  "alpha α beta β gamma γ delta δ epsilon ε theta θ kappa κ lambda λ mu μ rho ρ sigma σ tau τ phi φ omega ω".split(" ");

/** The equations, one a line. `symbols` are shorter names for some; Greek letters need none. */
export function print(traced: Traced, symbols: Readonly<Record<string, string>> = {}): string {
  return new Printer(traced, symbols).text();
}

/** A line that is to be: a name, the term that it stands for, and what lies between. */
interface Equation {
  readonly name: string;
  readonly value: Expression;
  readonly sign: "=" | "+=";
}

/** How tightly an operation binds: a choice least, the operand of a function or power most. */
const [CHOICE, SUM, QUOTIENT, PRODUCT, OPERAND] = [0, 1, 2, 3, 4];

class Printer {
  private readonly traced: Traced;
  private readonly symbols: Readonly<Record<string, string>>;
  /** Terms that have been given names, and those that will get one where they are first needed. */
  private readonly names = new Map<Expression, string>();
  private readonly due = new Map<Expression, string>();
  private temporaries = 0;
  private isBackward = false;

  constructor(traced: Traced, symbols: Readonly<Record<string, string>>) {
    this.traced = traced;
    this.symbols = symbols;
  }

  text(): string {
    const { traced } = this;
    const { name, states } = traced.definition;
    const share = sharing(({ owner, op, args: [a, b], attr }) => {
      if (op === "spike") return term(owner, op, [share(a as Expression)], attr);
      return op === "mul" && isOne(b as Expression) ? share(a as Expression) : undefined;
    });
    const outputs = [...traced.outputs].map(([output, value]) => ({ name: this.outputName(output), value }));
    const gradients = gradientsOf(
      [...traced.outputs]
        .map(([output, value]): Seed => {
          const letter = states.includes(output) ? "d" : "∂";
          return [value, term(traced.owner, "gradient", [], letter + this.outputName(output), ELEMENT)];
        })
        .reverse(),
    );
    // As they were computed, so that a line needs only those above it.
    const forward = outputs
      .sort((x, y) => x.value.id - y.value.id)
      .map(({ name, value }) => equation(name, share(value)));
    const backward: Equation[] = [];
    const toOutputs = [...outputs].reverse();
    const leaves = [...traced.inputs, ...traced.states, ...traced.leaves.keys()];
    for (const x of leaves) {
      const gradient = gradients.get(x);
      const sign = x.level === ELEMENT ? "=" : "+=";
      if (gradient !== undefined)
        backward.push(equation(`d${this.expression(share(x), OPERAND)}`, share(gradient), sign));
    }
    for (const { name, value } of toOutputs) {
      const gradient = share(gradients.get(value) as Expression);
      if (gradient.op !== "gradient" && value.args.length > 0) this.due.set(gradient, `d${name}`);
    }
    this.nameRepeated([...forward, ...backward].map(({ value }) => value));
    const lines = [name, ...this.lines(forward)];
    this.isBackward = true;
    return [...lines, "backward", ...this.lines(backward)].join("\n");
  }

  private symbol(name: string): string {
    const at = GREEK.indexOf(name);
    return this.symbols[name] ?? (at < 0 ? name : (GREEK[at + 1] as string));
  }

  private outputName(name: string): string {
    return this.symbol(name) + (this.traced.definition.states.includes(name) ? "′" : "");
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
    /** Gives names to what a term needs by name. */
    const prepare = (x: Expression): void => {
      if (this.names.has(x)) return;
      for (const y of x.args) prepare(y);
      const due = this.due.get(x);
      if (due === undefined) return;
      const name = due || `x${++this.temporaries}`;
      lines.push(`  ${name} = ${this.expression(x, CHOICE)}`);
      this.names.set(x, name);
    };
    for (const { name, value, sign } of equations) {
      prepare(value);
      lines.push(`  ${name} ${sign} ${this.expression(value, CHOICE)}`);
      if (sign === "=" && value.args.length > 0 && !this.names.has(value)) this.names.set(value, name);
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
      const slope = f === "pow" ? `(${at(c, OPERAND)}^${exponent(attr)})′` : `${f}′(${at(c, CHOICE)})`;
      const added = `${at(b, PRODUCT)}·${slope}`;
      return isZero(a) ? infix(added, PRODUCT) : infix(`${at(a, SUM)} + ${added}`, SUM);
    }
    switch (op) {
      case "input":
      case "state":
      case "given":
        return this.symbol(String(attr));
      case "gradient":
        return String(attr);
      case "constant":
        return shortest(Number(attr));
      case "detach":
        return this.isBackward ? at(a, within) : `detach(${at(a, CHOICE)})`;
      case "add":
      case "sub": {
        const other = this.opposite(b);
        const isSum = (op === "add") === (other === null);
        return infix(`${at(a, SUM)} ${isSum ? "+" : "−"} ${other ?? at(b, isSum ? SUM : QUOTIENT)}`, SUM);
      }
      case "mul": {
        const [left, right] = factors(x);
        return infix(`${at(left, PRODUCT)}·${at(right, right.op === "mul" ? PRODUCT : OPERAND)}`, PRODUCT);
      }
      case "div":
        return infix(`${at(a, QUOTIENT)} / ${at(b, OPERAND)}`, QUOTIENT);
      case "reciprocal":
        return infix(`1 / ${at(a, OPERAND)}`, QUOTIENT);
      case "square":
        return `${at(a, OPERAND)}²`;
      case "pow":
        return `${at(a, OPERAND)}^${exponent(attr)}`;
      case "power":
        return `2^${at(a, OPERAND)}`;
      case "sqrt":
        return `√${at(a, OPERAND)}`;
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

  /** The text of −x as part of a sum, for a term that begins with a minus sign; null for others. */
  private opposite(x: Expression): string | null {
    if (this.names.has(x)) return null;
    const { op, args, attr } = x;
    if (op === "neg") return this.expression(args[0] as Expression, QUOTIENT);
    if (op === "constant") return String(attr).startsWith("-") ? shortest(-Number(attr)) : null;
    if (op !== "mul" && op !== "div") return null;
    const [left, right] = op === "mul" ? factors(x) : (args as [Expression, Expression]);
    // A quotient within a product would need brackets around what has lost its sign.
    const first = op === "mul" && left.op === "div" ? null : this.opposite(left);
    if (first === null) return null;
    if (op === "div") return `${first} / ${this.expression(right, OPERAND)}`;
    return `${first}·${this.expression(right, right.op === "mul" ? PRODUCT : OPERAND)}`;
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

const exponent = (attr: string | number): string => shortest(Number(attr)).replace("-", "−");

const isOne = ({ op, attr }: Expression): boolean => op === "constant" && attr === 1;

const equation = (name: string, value: Expression, sign: Equation["sign"] = "="): Equation => ({ name, value, sign });

/** The float32 with as many digits as tell it from others. */
function shortest(x: number): string {
  let digits = 1;
  while (digits < 9 && Math.fround(Number(x.toPrecision(digits))) !== x) digits++;
  return String(Number(x.toPrecision(digits)));
}
