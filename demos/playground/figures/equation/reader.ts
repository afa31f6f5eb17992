/** The syntax of equations: a text becomes lines of operations on names and numbers. */

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
export interface Place {
  readonly from: number;
  readonly to: number;
}

interface Token extends Place {
  readonly kind: "number" | "name" | "sign" | "end";
  readonly text: string;
}

export type Node = { readonly at: Token } & (
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "negative"; readonly a: Node }
  | { readonly kind: "binary" | "compare"; readonly sign: string; readonly a: Node; readonly b: Node }
  | { readonly kind: "event"; readonly condition: Comparison }
  | { readonly kind: "choice"; readonly condition: Node; readonly a: Node; readonly b: Node }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Node[] }
);
export type Comparison = Extract<Node, { kind: "binary" | "compare" }>;

/** A line: a value, the next value of a state, or the first one. */
export interface Line {
  readonly kind: "value" | "next" | "first";
  readonly name: string;
  readonly value: Node;
  readonly at: Token;
}

/** The cost of a text, before it runs and while it runs. */
export interface Cost {
  /** Operations with their weights, in sums: how long it takes to compile them. */
  readonly operations: number;
  /** Functions in float64. */
  readonly doubles: number;
}

/** Limits of a text, far above every neuron of the package: a link may come from anyone. */
const MOST_CHARACTERS = 4000;
const MOST_OPERATIONS = 300;
const DEEPEST = 40;

const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+−]?\d+)?/u;
export const NAME = /[\p{L}_][\p{L}\p{Nd}_]*['’′]?/u;
const SIGN = />=|<=|\*\*|[-+−·*×/÷^()[\]|,=≥≤><²³√;\n]/u;
const BLANK = /#[^\n]*|[^\S\n]+/u;
/** Each token begins where the one before it ends; the last choice takes any sign. */
export const TOKEN = new RegExp(
  `(${NUMBER.source})|(${NAME.source})|(${SIGN.source})|(${BLANK.source})|([\\s\\S])`,
  "guy",
);

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
export const COMPARISONS = new Map<string, "gt" | "ge" | "lt" | "le" | "eq">([
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

/** A method, or softplus, which is none. */
export type Method = (typeof METHODS)[number] | "softplus";

/** Functions of one value with their methods. */
export const UNARY = new Map<string, Method>([
  ...METHODS.map((name) => [name, name] as const),
  ["ln", "log"],
  ["√", "sqrt"],
  ["σ", "sigmoid"],
  ["softplus", "softplus"],
]);

/** Functions of two values with their methods. */
export const BINARY = new Map<string, "maximum" | "minimum">([
  ["max", "maximum"],
  ["maximum", "maximum"],
  ["min", "minimum"],
  ["minimum", "minimum"],
]);

/** Functions that a kernel computes in float64. */
const DOUBLE = ["sin", "cos", "atan", "erf", "softplus", "log1p", "rsqrt"];

/**
 * Weights of operations: the time that it takes to compile them and their gradients, in sums, for the package and the browser. A function is
 * a long chain of instructions or a call; the gradient of the larger one compares twice; and for each state the compiler tries out whether
 * backward keeps it or finds it again. A line without an operation is a parameter, whose slider takes longer than an operation.
 */
const FUNCTION = 20;
const LARGER = 4;
const STATE = 12;
const PARAMETER = 2;
const WEIGHTS: ReadonlyMap<string, number> = new Map([
  ...["exp", "log", "ln", "tanh", "sigmoid", "σ", ...DOUBLE].map((name) => [name, FUNCTION] as const),
  ...[...BINARY.keys()].map((name) => [name, LARGER] as const),
  ...["abs", "sqrt", "√", "/", "choice"].map((name) => [name, 2] as const),
  // Both factors have a gradient, which is a product too.
  ["·", 1.15],
  // With its comparison it is as much as the larger one.
  ["event", LARGER - 1],
]);

/** A function in float64 ends a sweep, and the next one computes its operands again: half of the operations of the step. */
const AGAIN = 0.5;

const WORDS = ["if", "else"];
export const FUNCTIONS = [...UNARY.keys(), ...BINARY.keys()].filter((name) => name !== "√");

/** Steps have no index but the first one. */
const TIMES = "a line has no index but [0], as in v[0] = 0.2: v′ is v[t], and v is v[t−1]";

export const problem = (message: string, { from, to }: Place): LanguageError =>
  new LanguageError({ message, from, to: Math.max(to, from + 1) });

/** The line of a place in a text, from 1 on. */
export const lineOf = (text: string, { from }: Place): number => text.slice(0, from).split("\n").length;

export const noName = (name: string, at: Place): LanguageError => {
  const given = name.replace("′", "");
  return problem(`there is no name ${name}: give it a value in a line before, as in ${given} = 0.9`, at);
};

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const [all, number, name, sign, blank] = match;
    const place = { from: match.index, to: match.index + all.length };
    if (blank !== undefined) continue;
    if (number !== undefined) tokens.push({ kind: "number", text: all, ...place });
    else if (name !== undefined)
      tokens.push({ kind: "name", text: all.replaceAll("'", "′").replaceAll("’", "′"), ...place });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: SAME.get(all) ?? all, ...place });
    else throw problem(`“${all}” is no sign of an equation`, place);
  }
  tokens.push({ kind: "end", text: "the end", from: text.length, to: text.length });
  return tokens;
}

/** Reads lines by descent: a choice holds comparisons, these hold sums, products, signs, powers. */
export class Reader {
  private readonly tokens: readonly Token[];
  /** The names that lines begin with. */
  private readonly names: ReadonlySet<string>;
  private at = 0;
  private depth = 0;
  private count = 0;
  private weight = 0;
  private doubles = 0;

  constructor(text: string) {
    if (text.length > MOST_CHARACTERS)
      throw problem(`expected at most ${MOST_CHARACTERS} characters`, { from: MOST_CHARACTERS, to: text.length });
    this.tokens = tokensOf(text);
    const first = this.tokens.filter(({ kind }, i) => kind === "name" && (this.tokens[i - 1]?.text ?? "\n") === "\n");
    this.names = new Set(["I", ...FUNCTIONS, ...first.flatMap(({ text }) => [text, text.replace("′", "")])]);
  }

  /** The cost of all that has been read. */
  get cost(): Cost {
    return { operations: this.weight + AGAIN * this.doubles * this.count, doubles: this.doubles };
  }

  lines(): Line[] {
    const lines: Line[] = [];
    for (;;) {
      while (this.takes("\n"));
      if (this.isOver) return lines;
      lines.push(this.line());
      if (!this.isOver && !this.takes("\n")) throw this.unexpected("the end of the line");
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
    if (!this.takes(text)) throw this.unexpected(`“${text}” ${where}`);
  }

  /** The error of a token that is not the expected one. Two names side by side are most often one that does not exist. */
  private unexpected(expected: string): LanguageError {
    const { here } = this;
    const before = this.tokens[this.at - 1];
    if (before?.kind === "name" && here.text === "[") return problem(TIMES, { from: before.from, to: here.to });
    if (before?.kind === "name" && here.kind === "name" && ![before, here].some(({ text }) => WORDS.includes(text))) {
      const unknown = [before, here].find(({ text }) => !this.names.has(text));
      if (unknown !== undefined) return noName(unknown.text, unknown);
      const both = FUNCTIONS.includes(before.text) ? `${before.text}(${here.text})` : `${before.text}·${here.text}`;
      return problem(`expected a sign or brackets between ${before.text} and ${here.text}, as in ${both}`, here);
    }
    return problem(`expected ${expected}, got ${this.got()}`, here);
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
    if (isNext) this.weigh(STATE, at);
    const name = isNext ? at.text.slice(0, -1) : at.text;
    let kind: Line["kind"] = isNext ? "next" : "value";
    this.refuseRate(at);
    if (!isNext && this.takes("[")) {
      if (this.here.text !== "0") throw problem(TIMES, this.here);
      this.at++;
      this.expect("]", "after the 0");
      kind = "first";
    }
    this.expect("=", `after ${at.text}`);
    const { count } = this;
    const value = this.choice();
    if (kind === "value" && this.count === count) this.weigh(PARAMETER, at);
    return { kind, name, value, at };
  }

  /** Throws at dv/dt and at d/dt v. */
  private refuseRate(at: Token): void {
    const [over, under, after] = this.tokens.slice(this.at) as [Token, Token?, Token?];
    if (!at.text.startsWith("d") || over.text !== "/" || !/^d\p{L}/u.test(under?.text ?? "")) return;
    const name = at.text.slice(1) || (after?.kind === "name" ? after.text : "v");
    const dt = (under as Token).text;
    throw problem(`a rate needs a step: ${name}′ = ${name} + ${dt}·(…), with a line such as ${dt} = 0.1`, {
      from: at.from,
      to: (under as Token).to,
    });
  }

  /** An operation, of which a text may have so many. */
  private made(node: Node): Node {
    this.count++;
    if (isDouble(node)) this.doubles++;
    this.weigh(weightOf(node), node.at);
    return node;
  }

  private weigh(weight: number, at: Token): void {
    this.weight += weight;
    if (this.cost.operations <= MOST_OPERATIONS) return;
    const told = `: exp, sin and the like count as ${FUNCTION}, a state as ${STATE}, max as ${LARGER}`;
    throw problem(`expected at most ${MOST_OPERATIONS} operations in all lines${told}`, at);
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
      if (at.text === "**") throw problem("** is ^ in these equations, as in v^2", at);
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
      return this.made({ kind: "event", condition, at });
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

/** Whether an operation is a function in float64: a power is one but for v². */
const isDouble = (node: Node): boolean =>
  (node.kind === "call" && DOUBLE.includes(node.name)) ||
  (node.kind === "binary" && node.sign === "^" && numberOf(node.b) !== 2);

/** The weight of an operation by its function, its sign or its kind. */
const weightOf = (node: Node): number =>
  isDouble(node) ? FUNCTION : (WEIGHTS.get("name" in node ? node.name : "sign" in node ? node.sign : node.kind) ?? 1);

/** The value of a number, which float32 can hold. */
function sizeOf(at: Token): number {
  const value = Number(at.text.replace("−", "-"));
  const single = Math.fround(value);
  if (Number.isFinite(single) && (single !== 0 || value === 0)) return value;
  throw problem(`expected a number in the range of float32, got ${at.text}`, at);
}

export const numberOf = (node: Node): number | null => {
  if (node.kind === "number") return node.value;
  return node.kind === "negative" && node.a.kind === "number" ? -node.a.value : null;
};

/** The parts of an operation. */
export function partsOf(node: Node): readonly Node[] {
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
