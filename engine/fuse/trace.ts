/**
 * Runs a step function once on symbols, which gives its outputs as terms, and the terms that depend only on parameters.
 */
import { isPlain, wrongValue } from "../arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import { full } from "../create.ts";
import { softplus } from "../ops/formula.ts";
import { where } from "../ops/where.ts";
import { evaluation, type Functions } from "./evaluation.ts";
import { AN_INPUT, languageOf, lift, strictly, told } from "./language.ts";
import { COLUMN, ELEMENT, type Level, SCALAR } from "./layout.ts";
import type { Expression, Language, Operation, Owner, Value } from "./terms.ts";
import { isZero, LEAF, reachable, sharing, Term, term } from "./terms.ts";

/** Argument of a step function: inputs, states and parameters by name, and the functions of the language. */
export type StepArgument<Name extends string> = Language & { readonly [name in Name]: Value };

/**
 * A function of one time step, elementwise over columns; `Name` unites the names of inputs, states and parameters.
 */
export interface StepDefinition<Name extends string = never> {
  /** Name of the step, for errors. */
  readonly name: string;
  /** Inputs, which are new in each step. */
  readonly inputs: readonly string[];
  /** States, which a step returns by name for the next one. */
  readonly states: readonly string[];
  /** Whether all columns share a parameter ("scalar") or each has its own ("column"). */
  readonly parameters: Readonly<Record<string, "scalar" | "column">>;
  /** Inputs with one value per step that all columns share. */
  readonly shared?: readonly string[];
  /** Inputs and outputs whose columns are selected by a list of places. All other arrays are as long as the list. */
  readonly listed?: readonly string[];
  /** Outputs that are summed over all columns: in float32 within a strip of 512 columns, in float64 over strips. */
  readonly summed?: readonly string[];
  /** Outputs that are stored as bits if the step returns them; their terms must be 0 or 1. */
  readonly packed?: readonly string[];
  /**
   * Whether gradients are exact for the computed function, as for a step with smooth spikes. `detach` then has no
   * effect. `where` and `select` interpolate, y + c·(x − y), if their condition c is not a comparison.
   */
  readonly exact?: boolean;
  /**
   * Whether the step is derived from a checked step. It is traced once and may contain unused comparisons; the caller
   * checks the number of outputs.
   */
  readonly partial?: boolean;
  /** Whether the step is known to be deterministic; it then runs only once. */
  readonly steady?: boolean;
  /** Returns the outputs by name. */
  step(argument: StepArgument<Name>): Readonly<Record<string, Value | number>>;
}

/** A step as terms. */
export interface Traced {
  readonly definition: StepDefinition;
  readonly owner: Owner;
  readonly inputs: readonly Expression[];
  readonly states: readonly Expression[];
  readonly outputs: ReadonlyMap<string, Expression>;
  /** Terms of only parameters. They are equal in each step and computed before the first. */
  readonly derived: readonly Expression[];
  /** Maps each term in `derived` to the "parameter" leaf of the same index that replaces it. */
  readonly leaves: ReadonlyMap<Expression, Expression>;
  /** Different numbers of the step, which the compiled code reads as arguments. */
  readonly numbers: readonly number[];
  /**
   * Equal for steps that differ only in the values of numbers. Which numbers equal each other, or 0, 1 or 0.5, is part
   * of the key.
   */
  readonly key: string;
}

/** Numbers that derivatives use, besides 0; the step's own numbers follow. */
const USUAL = [1, 0.5];

/** Most outputs of a step: a set of outputs is stored in the bits of an integer. */
export const MOST_OUTPUTS = 31;

/** Most operations of a step. More take seconds to compile; functions with some 10 000 exceed limits of engines. */
const MOST_OPERATIONS = 2000;

/**
 * @throws TypeError if the step does something that a single column cannot, or fails to return a state; RangeError for more outputs than
 *   {@link MOST_OUTPUTS}, or more operations than {@link MOST_OPERATIONS}.
 */
export function trace(definition: StepDefinition): Traced {
  const traced = checked(definition);
  const { name, steady = false, partial = false } = definition;
  if (steady || partial) return traced;
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
 * The traced step. Replaces "v.minus is not a function", or the error of an undefined v[0], by an error that names the
 * missing method.
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
  // The prototype is null, since inherited names would not belong to the step.
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

/**
 * Throws for a comparison that no term reads: the step has used it as a condition of JavaScript. It suffices that a term reads it, even if
 * that term has no effect.
 */
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

/** The step as text, with indices into its list of numbers. Names are quoted, since they may contain any character. */
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
    lines.push([op.name, op === LEAF.constant ? placeAdded(x, numbers) : String(attr), level, args.map(placeIn)]);
  }
  for (const [name, value] of outputs) lines.push([name, placeIn(value)]);
  return JSON.stringify(lines);
}

/**
 * Index of a constant in the list of numbers, to which a new number is appended; −1 for 0, which is not an argument.
 */
function placeAdded(x: Expression, numbers: number[]): number {
  if (isZero(x)) return -1;
  const at = numbers.findIndex((y) => Object.is(y, x.attr));
  return at < 0 ? numbers.push(x.attr as number) - 1 : at;
}

/**
 * Index of a constant among the numbers of the step; −1 for 0.
 *
 * @throws RangeError for other numbers: steps that differ only in numbers share code, so a derivative cannot add
 *   numbers.
 */
export function numberPlace(x: Expression, numbers: readonly number[]): number {
  const place = placeAdded(x, [...numbers]);
  if (place < numbers.length) return place;
  throw new RangeError(`gradient: ${x.attr} is not in USUAL`);
}

/** Computes the parameters of the loop with tensor ops, from parameters by name, so that gradients flow back. */
export const derive = ({ derived }: Traced, parameters: Readonly<Record<string, Tensor>>): Tensor[] =>
  derived.map(evaluation(parameters, ON_PARAMETERS)) as unknown as Tensor[];

/** Functions on terms of only parameters. All other terms are computed elementwise; see `term`. */
const ON_PARAMETERS: Functions = { constant: (c: number) => full([], c), where, softplus };
