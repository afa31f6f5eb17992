/**
 * A step and its gradient as equations. v is a state before the step, v′ the one after it; [c] is 1 where c holds, else 0. dx is
 * the gradient of x; of it, ∂x comes from outside, and dv′ from the step after. That of a parameter is a sum over all elements.
 */
import { gradientsOf, type Seed } from "./derive.ts";
import { ELEMENT, type Expression, term } from "./expression.ts";
import { reachable, sharing } from "./graph.ts";
import type { Traced } from "./trace.ts";

const GREEK =
  "alpha α beta β gamma γ delta δ epsilon ε theta θ kappa κ lambda λ mu μ rho ρ sigma σ tau τ omega ω".split(" ");

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

class Printer {
  private readonly traced: Traced;
  private readonly symbols: Readonly<Record<string, string>>;
  /** Terms that have been given names, and those that will get one where they are first needed. */
  private readonly names = new Map<Expression, string>();
  private readonly due = new Map<Expression, string>();
  private temporaries = 0;

  constructor(traced: Traced, symbols: Readonly<Record<string, string>>) {
    this.traced = traced;
    this.symbols = symbols;
  }

  text(): string {
    const { traced } = this;
    const { name, states } = traced.definition;
    const share = sharing((x) =>
      x.op === "spike" ? term(x.owner, x.op, [share(x.args[0] as Expression)], x.attr) : undefined,
    );
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
      if (gradient !== undefined) backward.push(equation(`d${this.expression(share(x), 3)}`, share(gradient), sign));
    }
    for (const { name, value } of toOutputs) {
      const gradient = share(gradients.get(value) as Expression);
      if (gradient.op !== "gradient" && value.args.length > 0) this.due.set(gradient, `d${name}`);
    }
    this.nameRepeated([...forward, ...backward].map(({ value }) => value));
    return [name, ...this.lines(forward), "backward", ...this.lines(backward)].join("\n");
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
    const use = (x: Expression) => uses.set(x, (uses.get(x) ?? 0) + 1);
    values.forEach(use);
    for (const x of reachable(values)) x.args.forEach(use);
    for (const [x, count] of uses) {
      const isShort = x.args.length === 0 || x.level < ELEMENT || x.op === "neg" || x.op === "detach";
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
      lines.push(`  ${name} = ${this.expression(x, 0)}`);
      this.names.set(x, name);
    };
    for (const { name, value, sign } of equations) {
      prepare(value);
      lines.push(`  ${name} ${sign} ${this.expression(value, 0)}`);
      if (sign === "=" && value.args.length > 0 && !this.names.has(value)) this.names.set(value, name);
    }
    return lines;
  }

  /** A term in an operation that binds so tightly: 0 for none, 1 in a sum, 2 in a product, 3 as the operand of a function. */
  private expression(x: Expression, within: number): string {
    const name = this.names.get(x);
    if (name !== undefined) return name;
    const { op, args, attr } = x;
    const [a, b, c] = args as [Expression, Expression, Expression];
    const at = (y: Expression, level: number) => this.expression(y, level);
    const infix = (text: string, level: number) => (within > level ? `(${text})` : text);
    switch (op) {
      case "input":
      case "state":
      case "given":
        return this.symbol(String(attr));
      case "gradient":
        return String(attr);
      case "constant":
        return String(attr).startsWith("-") ? infix(`−${shortest(-Number(attr))}`, 1) : shortest(Number(attr));
      case "add":
        if (b.op === "neg" && !this.names.has(b)) return infix(`${at(a, 1)} − ${at(b.args[0] as Expression, 2)}`, 1);
        return infix(`${at(a, 1)} + ${at(b, 1)}`, 1);
      case "sub":
        return infix(`${at(a, 1)} − ${at(b, 2)}`, 1);
      case "mul":
        return infix(`${at(a, 2)}·${at(b, b.op === "mul" ? 2 : 3)}`, 2);
      case "div":
        return infix(`${at(a, 2)} / ${at(b, 3)}`, 2);
      case "reciprocal":
        return infix(`1 / ${at(a, 3)}`, 2);
      case "neg":
        return infix(`−${at(a, 2)}`, 1);
      case "square":
        return `${at(a, 3)}²`;
      case "pow":
        return `${at(a, 3)}^${attr}`;
      case "power":
        return `2^${at(a, 3)}`;
      case "sqrt":
        return `√${at(a, 3)}`;
      case "abs":
        return `|${at(a, 0)}|`;
      case "sigmoid":
        return `σ(${at(a, 0)})`;
      case "where":
      case "select":
        return infix(`${at(b, 1)} if ${this.condition(a)} else ${at(c, 1)}`, 0);
    }
    return op === "spike" || SIGNS[op] !== undefined
      ? `[${this.condition(x)}]`
      : `${op}(${args.map((y) => at(y, 0)).join(", ")})`;
  }

  private condition(x: Expression): string {
    const [a, b] = x.args as [Expression, Expression];
    const sign = SIGNS[x.op === "spike" ? x.attr : x.op];
    if (sign === undefined || this.names.has(x)) return this.expression(x, 1);
    return `${this.expression(a, 1)} ${sign} ${b === undefined ? 0 : this.expression(b, 1)}`;
  }
}

const SIGNS: Readonly<Record<string, string>> = { gt: ">", ge: "≥", lt: "<", le: "≤", eq: "=" };

const equation = (name: string, value: Expression, sign: Equation["sign"] = "="): Equation => ({ name, value, sign });

/** The float32 with as many digits as tell it from others. */
const shortest = (x: number): string => String(Number(x.toPrecision(8)));
