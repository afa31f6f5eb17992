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
import {
  BINARY,
  COMPARISONS,
  type Comparison,
  type Cost,
  FUNCTIONS,
  type Line,
  lineOf,
  type Method,
  NAME,
  type Node,
  noName,
  numberOf,
  type Place,
  partsOf,
  problem,
  Reader,
  UNARY,
} from "./reader.ts";

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
  readonly cost: Cost;
}

/**
 * The neuron of a text.
 *
 * @throws LanguageError with the place that is wrong.
 */
export function parse(text: string): Equations {
  const reader = new Reader(text);
  const all = reader.lines();
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
  checkNames(lines, new Set(parameters.keys()), states, text);
  if (states.length === 0) {
    const whole = { from: 0, to: text.length };
    throw problem("a neuron has a state: give one its next value, as in v′ = u", whole);
  }
  return {
    text,
    parameters,
    states,
    ...firingOf(lines, states, parameters),
    isStrict: strictnessOf(lines),
    places,
    lines,
    cost: reader.cost,
  };
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
function checkNames(lines: readonly Line[], parameters: ReadonlySet<string>, states: readonly string[], text: string) {
  const known = new Set(["I", ...parameters, ...states]);
  const check = (node: Node, line: Line): void => {
    if (node.kind === "name" && !(line.kind === "first" ? parameters : known).has(node.name)) {
      const { name, at } = node;
      const giving = lines.find((other) => other.kind !== "first" && nameOf(other) === name);
      if (line.kind === "first" && (known.has(name) || giving !== undefined))
        throw problem(`${line.name}[0] is computed from parameters, and ${name} is none`, at);
      if (giving === undefined) throw noName(name, at);
      const state = `write ${name}′ = … for a state, whose value before the step is ${name}`;
      if (giving === line) throw problem(`${name} is used in the line that gives it: ${state}`, at);
      const up = `${name} is used before line ${lineOf(text, giving.at)} gives it: move that line up`;
      throw problem(giving.kind === "next" ? up : `${up}, or ${state}`, at);
    }
    for (const part of partsOf(node)) check(part, line);
  };
  for (const line of lines) {
    check(line.value, line);
    if (line.kind !== "first") known.add(nameOf(line));
  }
}

/** The name by which later lines know a value. */
export const nameOf = ({ kind, name }: Line): string => (kind === "next" ? `${name}′` : name);

/** The functions that evaluate a line; the step of `neuron` has them in its argument. */
export type Functions = Pick<NeuronStep<never>, "constant" | "select" | "softplus"> & {
  /** 1 where x ≥ 0, else 0, or a number for all neurons. */
  spike(x: Value): Value | number;
  /** Takes the value of each operation. */
  readonly seen?: Map<Node, Value | number>;
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
  const value = computed(node, known, functions);
  functions.seen?.set(node, value);
  return value;
}

function computed(node: Node, known: Known, functions: Functions): Value | number {
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
      const method = UNARY.get(node.name) as Method;
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
    throw problem(`expected a finite number, got ${written(a)}${sign}${written(b)}`, node.at);
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

/** Words follow each other without a gap: every sign is in one. */
export const WORD = new RegExp(`(#[^\\n]*)|[∂∇]?(${NAME.source})|[^#\\p{L}_∂∇]+|[∂∇]`, "guy");

/** All of a text as words, for colours. */
export const wordsOf = (text: string): Word[] =>
  [...text.matchAll(WORD)].map(([all, comment, name]) => ({
    text: all,
    name: name === undefined ? null : "'’′".includes(name.slice(-1)) ? name.slice(0, -1) : name,
    isComment: comment !== undefined,
  }));
