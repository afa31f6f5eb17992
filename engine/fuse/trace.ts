/** A step function run once on symbols: its outputs as terms, and the terms that depend on parameters alone. */
import { isPlain, wrongValue } from "../arguments.ts";
import { full } from "../create.ts";
import { softplus } from "../ops/formula.ts";
import { where } from "../ops/where.ts";
import type { Tensor } from "../tensor.ts";
import { evaluation, type Functions } from "./evaluation.ts";
import { AN_INPUT, languageOf, lift, strictly, told } from "./language.ts";
import { COLUMN, ELEMENT, type Level, SCALAR } from "./layout.ts";
import type { Expression, Language, Operation, Owner, Value } from "./terms.ts";
import { isZero, LEAF, reachable, sharing, Term, term } from "./terms.ts";

/** The argument of a step function: inputs, states and parameters by their names, and the functions of the language. */
export type StepArgument<Name extends string> = Language & { readonly [name in Name]: Value };

/**
 * A function of one step of time, for each column on its own; `Name` unites the names of inputs, states and parameters.
 */
export interface StepDefinition<Name extends string = never> {
  /** For errors. */
  readonly name: string;
  /** The inputs, which come anew in each step. */
  readonly inputs: readonly string[];
  /** The states, which a step leaves to the next one and returns under their names. */
  readonly states: readonly string[];
  /** Whether all columns share a parameter or each has its own. */
  readonly parameters: Readonly<Record<string, "scalar" | "column">>;
  /** Inputs that are one value in each step, the same for all columns. */
  readonly shared?: readonly string[];
  /** Inputs and outputs of which a list of places names the columns; all other arrays are as long as the list. */
  readonly listed?: readonly string[];
  /** Outputs of which the sum over all columns is taken, in float32 over strips and in float64 over these. */
  readonly summed?: readonly string[];
  /** Outputs that are stored as bits where the step returns them; their terms must be 0 or 1. */
  readonly packed?: readonly string[];
  /**
   * Gradients are the exact ones of the computed function, as for a step whose spikes are smooth: `detach` has no
   * effect, and `where` and `select` weigh by a condition that is no comparison, y + c·(x − y).
   */
  readonly exact?: boolean;
  /** The step was derived from one that was checked: comparisons may reach no output, and outputs may exceed 31 if the caller checks that. */
  readonly partial?: boolean;
  /** The outputs by their names. */
  step(argument: StepArgument<Name>): Readonly<Record<string, Value | number>>;
}

/** A step as terms. */
export interface Traced {
  readonly definition: StepDefinition;
  readonly owner: Owner;
  readonly inputs: readonly Expression[];
  readonly states: readonly Expression[];
  readonly outputs: ReadonlyMap<string, Expression>;
  /** The terms of parameters alone, which are the same in each step, and are computed before the first. */
  readonly derived: readonly Expression[];
  /** The leaf "parameter" that stands for a term of parameters alone, and is numbered as `derived` is. */
  readonly leaves: ReadonlyMap<Expression, Expression>;
  /** Numbers of the step, each once: the compiled code reads them as arguments. */
  readonly numbers: readonly number[];
  /**
   * Equal for steps that differ in the values of numbers alone. Which numbers coincide with each other, or with 0, 1 or 0.5, is
   * part of the key.
   */
  readonly key: string;
}

/** Numbers that derivatives use: their places come before the places of the step's numbers. */
const USUAL = [1, 0.5];

/** The most outputs of a step: sets of them are bits of an integer. */
export const MOST_OUTPUTS = 31;

/** The most operations of a step. Longer ones take seconds to compile, and functions of some 10 000 exceed the limits of engines. */
const MOST_OPERATIONS = 2000;

/**
 * @throws TypeError where the step does something that no column can, or fails to return a state; RangeError for more
 *   outputs than
 * {@link MOST_OUTPUTS}, or more operations than {@link MOST_OPERATIONS}.
 */
export function trace(definition: StepDefinition): Traced {
  const traced = checked(definition);
  const { name } = definition;
  const again = run(definition);
  if (again.key !== traced.key || !again.numbers.every((x, i) => x === traced.numbers[i])) {
    throw new TypeError(
      `${name}: a step must do the same each time, got another one at the second time; ` +
        `draw random numbers outside, and add them to ${AN_INPUT}`,
    );
  }
  return traced;
}

/**
 * The traced step. An error that v.minus is no function or v[0] undefined becomes one that names the missing method.
 */
function checked(definition: StepDefinition): Traced {
  try {
    return run(definition);
  } catch (error) {
    const isOwn = !(error instanceof TypeError) || error.message.startsWith(definition.name);
    if (!isOwn || (error as Error).message.includes("got undefined")) strictly(() => run(definition));
    throw error;
  }
}

function run(definition: StepDefinition): Traced {
  const { name, packed = [], exact = false, partial = false } = definition;
  const owner: Owner = { name, comparisons: [], decided: [], exact, lanes: new Map() };
  const leaf = (op: Operation, level: Level) => (attr: string) => term(owner, op, [], attr, level);
  const inputs = definition.inputs.map(leaf(LEAF.input, ELEMENT));
  const states = definition.states.map(leaf(LEAF.state, ELEMENT));
  const given = Object.entries(definition.parameters).map(([attr, kind]) =>
    leaf(LEAF.given, kind === "scalar" ? SCALAR : COLUMN)(attr),
  );
  const outputs = outputsOf(definition, owner, [...inputs, ...states, ...given]);
  const terms = reachable(outputs.values(), (x) => x.level < ELEMENT).sort((x, y) => x.id - y.id);
  const operations = reachable(outputs.values()).filter(({ args }) => args.length > 0).length;
  if (operations > MOST_OPERATIONS) {
    throw wrongValue(name, `a step of at most ${MOST_OPERATIONS} operations`, operations);
  }
  if (!partial) {
    checkComparisons(owner, outputs.values());
    if (outputs.size > MOST_OUTPUTS)
      throw wrongValue(name, `a step that returns at most ${MOST_OUTPUTS} values`, outputs.size);
  }
  for (const output of packed) {
    const value = outputs.get(output);
    if (value === undefined || value.isBoolean) continue;
    throw new TypeError(
      `${name}: expected ${output} to be 0 or 1: a spike, a comparison or a product of these, or their maximum or minimum; ` +
        "spike(x.maximum(y)) fires for either; other values need another name",
    );
  }

  const derived: Expression[] = [];
  const leaves = new Map<Expression, Expression>();
  const share = sharing();
  const note = (x: Expression): void => {
    if (x.level === ELEMENT || x.op === LEAF.constant) return;
    const shared = share(x);
    let at = derived.indexOf(shared);
    if (at < 0) at = derived.push(shared) - 1;
    leaves.set(x, term(owner, LEAF.parameter, [], at, x.level === COLUMN ? COLUMN : SCALAR));
  };
  for (const x of terms) note(x);
  const numbers = [...USUAL];
  const key = keyOf(definition, terms, outputs, leaves, numbers);
  return { definition, owner, inputs, states, outputs, derived, leaves, numbers, key };
}

function outputsOf(definition: StepDefinition, owner: Owner, leaves: readonly Expression[]): Map<string, Expression> {
  const { name, states } = definition;
  const values = Object.fromEntries(leaves.map((x) => [x.attr, x]));
  const { power: _, ...language } = languageOf(owner);
  // Without a prototype, whose names are none of the step.
  const known: Record<string, unknown> = Object.assign(Object.create(null), values, language, values);
  const argument = new Proxy(known, {
    get(_, key) {
      if (key in known || typeof key === "symbol") return known[key as string];
      const names = Object.keys(known);
      const functions = names.splice(leaves.length).join(", ");
      throw new TypeError(`${name}: the step asks for ${key}; expected ${names.join(", ")}, or ${functions}`);
    },
  });
  const returned = definition.step(argument as unknown as Language);
  if (!isPlain(returned)) {
    const got = (returned as unknown) instanceof Term ? "a value" : told(returned);
    throw new TypeError(`${name}: expected the step to return its outputs by name, got ${got}`);
  }
  for (const state of states) {
    if (returned[state] !== undefined) continue;
    const got = state in returned ? "undefined" : Object.keys(returned).join(", ") || "nothing";
    throw new TypeError(`${name}: the step must return the next value of the state ${state}, got ${got}`);
  }
  for (const output of Object.keys(returned)) {
    if (output in Object.prototype)
      throw new TypeError(`${name}: the step returns ${output}, a name of all objects; rename it`);
  }
  return new Map(Object.entries(returned).map(([output, value]) => [output, lift(owner, output, value)]));
}

/** Throws where a comparison is lost: the step asked for its truth. A comparison that decides in a term without a reader is not lost. */
function checkComparisons({ name, comparisons, decided }: Owner, outputs: Iterable<Expression>): void {
  if (comparisons.length === 0) return;
  const used = reachable([...outputs, ...decided]);
  const lost = comparisons.find((x) => !used.includes(x));
  if (lost === undefined) return;
  const text = lost.args.map((x) => (x.op === LEAF.constant || x.op.isGiven ? x.attr : x.op.name));
  throw new TypeError(
    `${name}: the comparison ${text[0]}.${lost.op.name}(${text[1]}) reaches no output; a value has no truth while the step is ` +
      `traced: write where(${text[0]}.${lost.op.name}(${text[1]}), a, b) for an if or a ?:`,
  );
}

/** The step as text, with numbers as places in the list of them. Names are quoted, whatever is in them. */
function keyOf(
  definition: StepDefinition,
  terms: readonly Expression[],
  outputs: ReadonlyMap<string, Expression>,
  leaves: ReadonlyMap<Expression, Expression>,
  numbers: number[],
): string {
  const places = new Map<Expression, number>();
  const placeIn = (x: Expression) => places.get(x);
  const { inputs, states, packed, shared, listed, summed } = definition;
  const lines: unknown[] = [inputs, states, packed, shared, listed, summed];
  for (const x of terms) {
    places.set(x, places.size);
    const { op, attr, level, args } = leaves.get(x) ?? x;
    lines.push([op.name, op === LEAF.constant ? numberPlace(x, numbers) : String(attr), level, args.map(placeIn)]);
  }
  for (const [name, value] of outputs) lines.push([name, placeIn(value)]);
  return JSON.stringify(lines);
}

/** Where the number of a constant is in the list, at whose end it is put if it is new; −1 for 0, which is no argument. */
export function numberPlace(x: Expression, numbers: number[]): number {
  if (isZero(x)) return -1;
  const at = numbers.findIndex((y) => Object.is(y, x.attr));
  return at < 0 ? numbers.push(x.attr as number) - 1 : at;
}

/** The parameters of the loop, from those by their names, by tensor ops: gradients find their way back. */
export const derive = ({ derived }: Traced, parameters: Readonly<Record<string, Tensor>>): Tensor[] =>
  derived.map(evaluation(parameters, ON_PARAMETERS)) as unknown as Tensor[];

/** Of terms of parameters alone; any other is computed for each element, see `term`. */
const ON_PARAMETERS: Functions = { constant: (c: number) => full([], c), where, softplus };
