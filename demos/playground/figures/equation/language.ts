/**
 * Equations of a neuron as text, in the notation that `String(layer)` prints. A text is read and never run as a program, so that a link
 * holds nothing but arithmetic.
 *
 *   β = 0.9              a number is a parameter
 *   u = β·v + I          a value of this step; I is the input current
 *   s = [u ≥ θ]          a spike: 1 where the condition holds, else 0, with the gradient of a surrogate
 *   v′ = 0 if s else u   a state after the step; v is the state before it
 *   v[0] = −65           the state before the first step, which is 0 without such a line
 */
import type { NeuronStep, Value } from "jarvis-snn";

/** A sentence about the characters `from` to `to` of a text. */
export interface Problem {
  readonly message: string;
  readonly from: number;
  readonly to: number;
}

/** A text that is no neuron. */
export class LanguageError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** A place in the text. */
interface Place {
  readonly from: number;
  readonly to: number;
}

interface Token extends Place {
  readonly kind: "number" | "name" | "sign" | "end";
  readonly text: string;
}

type Node = { readonly at: Token } & (
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "negative"; readonly a: Node }
  | { readonly kind: "binary" | "compare"; readonly sign: string; readonly a: Node; readonly b: Node }
  | { readonly kind: "event"; readonly condition: Comparison }
  | { readonly kind: "choice"; readonly condition: Node; readonly a: Node; readonly b: Node }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Node[] }
);
type Comparison = Extract<Node, { kind: "binary" | "compare" }>;

/** A line: a value, the next value of a state, or the first one. */
interface Line {
  readonly kind: "value" | "next" | "first";
  readonly name: string;
  readonly value: Node;
  readonly at: Token;
}

/** The number of a parameter, and its place in the text. */
interface Given extends Place {
  readonly value: number;
}

/** A neuron as its equations say. */
export interface Equations {
  readonly text: string;
  readonly parameters: ReadonlyMap<string, Given>;
  readonly states: readonly string[];
  /** The name of the spike, null for a neuron without one. */
  readonly spike: string | null;
  /** Whether neurons fire above the threshold alone, and not at it. */
  readonly isStrict: boolean;
  /** The value u, or else the one that is compared with the threshold, or the first state. */
  readonly membrane: string;
  /** The state that takes the membrane up. */
  readonly body: string;
  /** The threshold, where it is a number or a parameter. */
  readonly threshold: number | string | null;
  /** The first place of each name. */
  readonly places: ReadonlyMap<string, Place>;
  readonly lines: readonly Line[];
}

/** Limits of a text, far above every neuron of the package: a link may come from anyone. */
const MOST_CHARACTERS = 4000;
const MOST_OPERATIONS = 300;
const DEEPEST = 40;

const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][-+−]?\d+)?/u;
const NAME = /[\p{L}_][\p{L}\p{Nd}_]*['’′]?/u;
const SIGN = />=|<=|[-+−·*×/÷^()[\]|,=≥≤><²³√;\n]/u;
const BLANK = /#[^\n]*|[^\S\n]+/u;
const TOKEN = new RegExp(`(${NUMBER.source})|(${NAME.source})|(${SIGN.source})|(${BLANK.source})|([\\s\\S])`, "gu");

/** Signs that can be typed otherwise. */
const SAME = new Map([
  ["-", "−"],
  ["*", "·"],
  ["×", "·"],
  ["÷", "/"],
  [">=", "≥"],
  ["<=", "≤"],
  [";", "\n"],
]);

/** Comparisons with their methods. */
const COMPARISONS = new Map<string, "gt" | "ge" | "lt" | "le" | "eq">([
  [">", "gt"],
  ["≥", "ge"],
  ["<", "lt"],
  ["≤", "le"],
  ["=", "eq"],
]);

/** Functions of one value that are methods of the same name. */
const METHODS = [
  ...(["exp", "log", "log1p", "sin", "cos", "tanh", "atan", "erf", "sqrt", "rsqrt", "sigmoid"] as const),
  ...(["relu", "abs", "sign", "floor", "round", "detach"] as const),
] as const;

/** Functions of one value with their methods; softplus is none. */
const UNARY = new Map<string, (typeof METHODS)[number] | "softplus">([
  ...METHODS.map((name) => [name, name] as const),
  ["ln", "log"],
  ["√", "sqrt"],
  ["σ", "sigmoid"],
  ["softplus", "softplus"],
]);

/** Functions of two values with their methods. */
const BINARY = new Map<string, "maximum" | "minimum">([
  ["max", "maximum"],
  ["maximum", "maximum"],
  ["min", "minimum"],
  ["minimum", "minimum"],
]);

const WORDS = ["if", "else"];
const FUNCTIONS = [...UNARY.keys(), ...BINARY.keys()].filter((name) => name !== "√");

const problem = (message: string, { from, to }: Place): LanguageError =>
  new LanguageError({ message, from, to: Math.max(to, from + 1) });

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const [all, number, name, sign, blank] = match;
    const place = { from: match.index, to: match.index + all.length };
    if (blank !== undefined) continue;
    if (number !== undefined) tokens.push({ kind: "number", text: all, ...place });
    else if (name !== undefined) tokens.push({ kind: "name", text: all.replace(/['’]$/, "′"), ...place });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: SAME.get(all) ?? all, ...place });
    else throw problem(`“${all}” is no sign of an equation`, place);
  }
  tokens.push({ kind: "end", text: "the end", from: text.length, to: text.length });
  return tokens;
}

/** Reads lines by descent: a choice holds comparisons, these hold sums, products, signs, powers. */
class Reader {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;
  private operations = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  lines(): Line[] {
    const lines: Line[] = [];
    for (;;) {
      while (this.takes("\n"));
      if (this.isOver) return lines;
      lines.push(this.line());
      if (!this.isOver && !this.takes("\n"))
        throw problem(`expected the end of the line, got ${this.got()}`, this.here);
    }
  }

  private get isOver(): boolean {
    return this.here.kind === "end";
  }

  private get here(): Token {
    return this.tokens[this.at] as Token;
  }

  private takes(text: string): boolean {
    const { kind } = this.here;
    if (kind === "number" || kind === "end" || this.here.text !== text) return false;
    this.at++;
    return true;
  }

  private expect(text: string, where: string): void {
    if (!this.takes(text)) throw problem(`expected “${text}” ${where}, got ${this.got()}`, this.here);
  }

  private got(): string {
    return this.isOver || this.here.text === "\n" ? "the end of the line" : `“${this.here.text}”`;
  }

  private line(): Line {
    const at = this.here;
    if (at.kind !== "name" || WORDS.includes(at.text))
      throw problem(`a line begins with a name, as in u = β·v + I, got ${this.got()}`, at);
    this.at++;
    const isNext = at.text.endsWith("′");
    const name = isNext ? at.text.slice(0, -1) : at.text;
    let kind: Line["kind"] = isNext ? "next" : "value";
    if (!isNext && this.takes("[")) {
      if (this.here.text !== "0") throw problem("expected the step before the first one, as in v[0] = 0.2", this.here);
      this.at++;
      this.expect("]", "after the 0");
      kind = "first";
    }
    this.expect("=", `after ${at.text}`);
    return { kind, name, value: this.choice(), at };
  }

  /** An operation, of which a text may have so many. */
  private made(node: Node): Node {
    if (++this.operations > MOST_OPERATIONS)
      throw problem(`expected at most ${MOST_OPERATIONS} operations in all lines`, node.at);
    return node;
  }

  private deeper(read: () => Node): Node {
    if (++this.depth > DEEPEST)
      throw problem(`expected at most ${DEEPEST} brackets and signs in each other`, this.here);
    const node = read();
    this.depth--;
    return node;
  }

  private choice(): Node {
    const at = this.here;
    const a = this.comparison();
    if (!this.takes("if")) return a;
    const condition = this.comparison();
    this.expect("else", "after the condition, as in 0 if s else u");
    const b = this.deeper(() => this.choice());
    return this.made({ kind: "choice", condition, a, b, at });
  }

  private comparison(): Node {
    const a = this.sum();
    const at = this.here;
    if (at.kind !== "sign" || !COMPARISONS.has(at.text)) return a;
    this.at++;
    return this.made({ kind: "compare", sign: at.text, a, b: this.sum(), at });
  }

  private sum(): Node {
    let a = this.product();
    for (;;) {
      const at = this.here;
      if (!this.takes("+") && !this.takes("−")) return a;
      a = this.made({ kind: "binary", sign: at.text, a, b: this.product(), at });
    }
  }

  private product(): Node {
    let a = this.signed();
    for (;;) {
      const at = this.here;
      const isFactor = a.kind === "number" && (at.kind === "name" ? !WORDS.includes(at.text) : at.text === "(");
      if (this.takes("·") || this.takes("/")) a = this.made({ kind: "binary", sign: at.text, a, b: this.signed(), at });
      else if (isFactor) a = this.made({ kind: "binary", sign: "·", a, b: this.signed(), at });
      else return a;
    }
  }

  private signed(): Node {
    const at = this.here;
    if (this.takes("−")) return this.made({ kind: "negative", a: this.deeper(() => this.signed()), at });
    return this.power();
  }

  private power(): Node {
    let a = this.primary();
    for (;;) {
      const at = this.here;
      const raised = at.text === "²" ? 2 : at.text === "³" ? 3 : null;
      if (raised !== null) {
        this.at++;
        a = this.made({ kind: "binary", sign: "^", a, b: { kind: "number", value: raised, at }, at });
      } else if (this.takes("^")) {
        const b = this.deeper(() => this.signed());
        if (numberOf(b) === null) throw problem("an exponent is a number, as in v^2 or v^−0.5", b.at);
        a = this.made({ kind: "binary", sign: "^", a, b, at });
      } else return a;
    }
  }

  private primary(): Node {
    const at = this.here;
    this.at++;
    if (at.kind === "number") return { kind: "number", value: sizeOf(at), at };
    if (at.kind === "name" && !WORDS.includes(at.text)) {
      return this.here.text === "(" ? this.call(at) : { kind: "name", name: at.text, at };
    }
    if (at.text === "√") return this.made({ kind: "call", name: "√", args: [this.deeper(() => this.primary())], at });
    if (at.text === "(") {
      const a = this.deeper(() => this.choice());
      this.expect(")", "for the bracket before");
      return a;
    }
    if (at.text === "|") {
      const a = this.deeper(() => this.choice());
      this.expect("|", "for the bar before");
      return this.made({ kind: "call", name: "abs", args: [a], at });
    }
    if (at.text === "[") {
      const condition = this.deeper(() => this.comparison());
      this.expect("]", "for the bracket before");
      if (condition.kind !== "compare")
        throw problem("expected a comparison in square brackets, as in [u ≥ θ]", { from: at.from, to: this.here.from });
      return { kind: "event", condition, at };
    }
    this.at--;
    throw problem(`expected a number, a name or a bracket, got ${this.got()}`, at);
  }

  private call(at: Token): Node {
    const wanted = UNARY.has(at.text) ? 1 : BINARY.has(at.text) ? 2 : 0;
    if (wanted === 0) throw problem(`${at.text} is no function, among ${FUNCTIONS.join(", ")}`, at);
    this.expect("(", `after ${at.text}`);
    const args = [this.deeper(() => this.choice())];
    while (this.takes(",")) args.push(this.deeper(() => this.choice()));
    this.expect(")", `after the ${wanted === 1 ? "argument" : "arguments"} of ${at.text}`);
    if (args.length !== wanted)
      throw problem(`${at.text} takes ${wanted === 1 ? "one value" : "two values"}, got ${args.length}`, at);
    return this.made({ kind: "call", name: at.text, args, at });
  }
}

/** The value of a number, which float32 can hold. */
function sizeOf(at: Token): number {
  const value = Number(at.text.replace("−", "-"));
  const single = Math.fround(value);
  if (Number.isFinite(single) && (single !== 0 || value === 0)) return value;
  throw problem(`expected a number in the range of float32, got ${at.text}`, at);
}

const numberOf = (node: Node): number | null => {
  if (node.kind === "number") return node.value;
  return node.kind === "negative" && node.a.kind === "number" ? -node.a.value : null;
};

/**
 * The neuron of a text.
 *
 * @throws LanguageError with the place that is wrong.
 */
export function parse(text: string): Equations {
  if (text.length > MOST_CHARACTERS)
    throw problem(`expected at most ${MOST_CHARACTERS} characters`, { from: MOST_CHARACTERS, to: text.length });
  const tokens = tokensOf(text);
  const all = new Reader(tokens).lines();
  const states = [...new Set(all.filter(({ kind }) => kind === "next").map(({ name }) => name))];
  const parameters = new Map<string, Given>();
  const places = new Map<string, Place>();
  const lines: Line[] = [];
  for (const line of all) {
    const { kind, name, value, at } = line;
    if (!places.has(name)) places.set(name, { from: at.from, to: at.from + name.length });
    if (name === "I") throw problem("I is the input current; take another name", at);
    if (FUNCTIONS.includes(name)) throw problem(`${name} is a function; take another name`, at);
    const number = numberOf(value);
    if (kind === "first" && !states.includes(name)) throw problem(`${name} is no state: no line gives ${name}′`, at);
    if (kind === "value" && states.includes(name))
      throw problem(`${name} is a state; write ${name}′ = … for its next value`, at);
    if (parameters.has(name) || lines.some((other) => other.name === name && other.kind === kind))
      throw problem(`${at.text} is given twice`, at);
    if (kind === "value" && number !== null) {
      const end = value.kind === "negative" ? value.a.at.to : value.at.to;
      parameters.set(name, { value: number, from: value.at.from, to: end });
    } else lines.push(line);
  }
  if (states.length === 0) {
    const whole = { from: 0, to: text.length };
    throw problem("a neuron has a state: give one its next value, as in v′ = u", whole);
  }
  const equations: Equations = {
    text,
    parameters,
    states,
    ...firingOf(lines, states, parameters),
    isStrict: strictnessOf(lines),
    places,
    lines,
  };
  checkNames(equations);
  return equations;
}

/** The spike of a neuron, and the values that belong to it. */
function firingOf(
  lines: readonly Line[],
  states: readonly string[],
  parameters: ReadonlyMap<string, Given>,
): Pick<Equations, "spike" | "membrane" | "body" | "threshold"> {
  const values = lines.filter(({ kind }) => kind === "value");
  const has = (name: string): boolean => states.includes(name) || values.some((other) => other.name === name);
  const firing = values.find(({ name }) => name === "s") ?? values.find(({ value }) => value.kind === "event");
  const sides = firing?.value.kind === "event" ? upward(firing.value.condition) : null;
  const high = sides?.high.kind === "name" && has(sides.high.name) ? sides.high.name : null;
  const [first = ""] = states;
  const membrane = has("u") ? "u" : (high ?? first);
  const taken = lines.find(({ kind, value }) => kind === "next" && mentions(value, membrane))?.name;
  const low = high === membrane ? sides?.low : undefined;
  const level = low?.kind === "name" && parameters.has(low.name) ? low.name : low && numberOf(low);
  return {
    spike: firing?.name ?? null,
    membrane,
    body: states.includes(membrane) ? membrane : (taken ?? first),
    threshold: level ?? null,
  };
}

/** The sides of a comparison: it holds where `high` is the larger one. */
const upward = ({ sign, a, b }: Comparison): { high: Node; low: Node } =>
  sign === "<" || sign === "≤" ? { high: b, low: a } : { high: a, low: b };

/** The parts of an operation. */
function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "negative":
      return [node.a];
    case "binary":
    case "compare":
      return [node.a, node.b];
    case "event":
      return [node.condition];
    case "choice":
      return [node.a, node.condition, node.b];
    case "call":
      return node.args;
    default:
      return [];
  }
}

const mentions = (node: Node, name: string): boolean =>
  (node.kind === "name" && node.name === name) || partsOf(node).some((part) => mentions(part, name));

/** Whether spikes of a neuron come above the threshold alone: all of its spikes or none. */
function strictnessOf(lines: readonly Line[]): boolean {
  const events: Extract<Node, { kind: "event" }>[] = [];
  const collect = (node: Node): void => {
    if (node.kind === "event" && node.condition.sign !== "=") events.push(node);
    partsOf(node).forEach(collect);
  };
  for (const { value } of lines) collect(value);
  const isStrict = ({ condition }: (typeof events)[number]): boolean => "<>".includes(condition.sign);
  const other = events.find((event) => isStrict(event) !== isStrict(events[0] as (typeof events)[number]));
  if (other !== undefined)
    throw problem(
      "spikes of a neuron are all ≥ or all >; take the same sign in all square brackets",
      other.condition.at,
    );
  return events[0] !== undefined && isStrict(events[0]);
}

/** Throws unless each name of a line has its value before it. */
function checkNames({ lines, parameters, states }: Equations): void {
  const known = new Set(["I", ...parameters.keys(), ...states]);
  const check = (node: Node, names: ReadonlySet<string>): void => {
    if (node.kind === "name" && !names.has(node.name)) {
      const isLater = lines.some((line) => nameOf(line) === node.name);
      const told = isLater
        ? `${node.name} is computed in a later line`
        : `${node.name} has no value: give it one in a line before, as in ${node.name.replace("′", "")} = 0.9`;
      throw problem(told, node.at);
    }
    for (const part of partsOf(node)) check(part, names);
  };
  const given = new Set(parameters.keys());
  for (const line of lines) {
    check(line.value, line.kind === "first" ? given : known);
    if (line.kind !== "first") known.add(nameOf(line));
  }
}

/** The name by which later lines know a value. */
const nameOf = ({ kind, name }: Line): string => (kind === "next" ? `${name}′` : name);

/** The functions that evaluate a line; the step of `neuron` has them in its argument. */
export type Functions = Pick<NeuronStep<never>, "constant" | "select" | "softplus"> & {
  /** 1 where x ≥ 0, else 0, or a number for all neurons. */
  spike(x: Value): Value | number;
};

/** Values of one step, by names and, for the next values of states, by names with a prime. `given` has I, states and parameters. */
export function valuesOf(
  { lines }: Equations,
  given: Iterable<readonly [string, Value]>,
  functions: Functions,
): Map<string, Value | number> {
  const known = new Map<string, Value | number>(given);
  for (const line of lines) {
    if (line.kind !== "first") known.set(nameOf(line), evaluate(line.value, known, functions));
  }
  return known;
}

/** The value of a state before the first step: a number, or a function of the parameters. */
export function firstOf(
  { lines }: Equations,
  state: string,
): number | ((parameters: Readonly<Record<string, Value>>) => Value | number) {
  const line = lines.find(({ kind, name }) => kind === "first" && name === state);
  if (line === undefined) return 0;
  const { value } = line;
  const number = numberOf(value);
  if (number !== null) return number;
  const refuse = (): never => {
    throw problem("expected a number, or an expression that begins with a parameter, as in v[0] = b·c", value.at);
  };
  const functions: Functions = { constant: refuse, select: refuse, softplus: refuse, spike: refuse };
  return (parameters) => evaluate(value, { get: (name) => parameters[name] }, functions);
}

/** Values by their names. */
interface Known {
  get(name: string): Value | number | undefined;
}

function evaluate(node: Node, known: Known, functions: Functions): Value | number {
  const of = (x: Node): Value | number => evaluate(x, known, functions);
  const lifted = (x: Node): Value => lift(of(x), functions);
  switch (node.kind) {
    case "number":
      return node.value;
    case "name":
      return known.get(node.name) as Value | number;
    case "negative": {
      const a = of(node.a);
      return typeof a === "number" ? -a : a.neg();
    }
    case "binary":
      return operated(node, of(node.a), of(node.b), functions);
    case "compare":
      return compared(node, of, functions);
    case "event": {
      if (node.condition.sign === "=") return compared(node.condition, of, functions);
      const { high, low } = upward(node.condition);
      const [x, y] = [lift(of(high), functions), of(low)];
      return functions.spike(y === 0 ? x : x.sub(y));
    }
    case "choice": {
      const condition = of(node.condition);
      if (typeof condition === "number") return of(condition !== 0 ? node.a : node.b);
      return functions.select(condition, of(node.a), of(node.b));
    }
    case "call": {
      const [a, b] = node.args as [Node, Node | undefined];
      const binary = BINARY.get(node.name);
      if (binary !== undefined) return lifted(a)[binary](of(b as Node));
      const method = UNARY.get(node.name) as (typeof METHODS)[number] | "softplus";
      return method === "softplus" ? functions.softplus(lifted(a)) : lifted(a)[method]();
    }
  }
}

const lift = (x: Value | number, { constant }: Functions): Value => (typeof x === "number" ? constant(x) : x);

/** A comparison, without a gradient. */
function compared({ sign, a, b }: Comparison, of: (node: Node) => Value | number, functions: Functions): Value {
  const method = COMPARISONS.get(sign) as "gt" | "ge" | "lt" | "le" | "eq";
  return lift(of(a), functions)[method](of(b));
}

function operated(node: Comparison, a: Value | number, b: Value | number, functions: Functions): Value | number {
  const { sign } = node;
  if (typeof a === "number" && typeof b === "number") {
    const result = sign === "+" ? a + b : sign === "−" ? a - b : sign === "·" ? a * b : sign === "/" ? a / b : a ** b;
    if (Number.isFinite(result)) return result;
    throw problem(`expected a finite number, got ${result}`, node.at);
  }
  switch (sign) {
    case "+":
      return typeof a === "number" ? (b as Value).add(a) : a.add(b);
    case "·":
      return typeof a === "number" ? (b as Value).mul(a) : a.mul(b);
    case "−":
      return lift(a, functions).sub(b);
    case "/":
      return lift(a, functions).div(b);
    default:
      return b === 2 ? (a as Value).square() : (a as Value).pow(b as number);
  }
}

/** A number as a text has it: with four digits that matter, and the sign of a minus. */
export const written = (value: number): string => String(Number(value.toPrecision(4))).replaceAll("-", "−");

/** The text with other numbers for some of its parameters. */
export function rewritten({ text, parameters }: Equations, values: ReadonlyMap<string, number>): string {
  let result = text;
  const given = [...parameters].sort(([, a], [, b]) => b.from - a.from);
  for (const [name, { from, to }] of given) {
    const value = values.get(name);
    if (value !== undefined) result = result.slice(0, from) + written(value) + result.slice(to);
  }
  return result;
}

/** Equal for texts that differ in the numbers of their parameters alone. */
export const structureOf = (equations: Equations): string =>
  rewritten(equations, new Map([...equations.parameters.keys()].map((name) => [name, 0])));

/** A word of a text or of printed equations. */
interface Word {
  readonly text: string;
  /** The name in it, v of ∂v′; null between names and in comments. */
  readonly name: string | null;
  readonly isComment: boolean;
}

const WORD = new RegExp(`(#[^\\n]*)|[∂∇]?(${NAME.source})|[^#\\p{L}_∂∇]+|[∂∇]`, "gu");

/** All of a text as words, for colours. */
export const wordsOf = (text: string): Word[] =>
  [...text.matchAll(WORD)].map(([all, comment, name]) => ({
    text: all,
    name: name?.replace(/['’′]$/u, "") ?? null,
    isComment: comment !== undefined,
  }));
