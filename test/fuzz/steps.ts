/**
 * Random step functions, compiled and on tensors: values and gradients of inputs and states to the bit, sums for parameters up to
 * their roundings. A step is data, so that it can be cut down to what a difference needs, and printed.
 */
import type { Language, StepDefinition, Value } from "../../engine/fuse/index.ts";
import { composed, difference, fused, UNARY as METHODS, type Setting } from "../support/fused.ts";
import { firstDiffering, type Literal, type Operation, withoutOne } from "./differing.ts";
import { Random } from "./random.ts";

/** A step function as data. */
export interface Step {
  readonly seed: number;
  readonly inputs: readonly string[];
  readonly states: readonly string[];
  readonly parameters: Readonly<Record<string, "scalar" | "column">>;
  readonly operations: readonly Operation[];
  /** The values that are returned as the next states and as further outputs. */
  readonly next: readonly number[];
  readonly outputs: readonly number[];
  readonly T: number;
  readonly rows: number;
  readonly n: number;
}

export const UNARY = [...METHODS, "softplus"];
export const BINARY = "add sub mul div maximum minimum gt ge lt le eq add sub mul mul".split(" ");
/** Those that keep values small: others pile up to infinities. */
export const CALM = "tanh sigmoid sin clamp atan".split(" ");

/** Exponents with ops of their own, and others: whole, broken and negative ones. */
const EXPONENTS = [2, 3, 0.5, -0.5, -1, 1.5, 0, 1, 4, -2, -1.5];

/** Two bounds of a clamp, equal ones too, or one. */
function boundsOf(random: Random): Literal[] {
  const low = random.number(-2, 2);
  const both = [low, random.chance(0.1) ? low : random.number(low, 2)];
  const absent = random.int(-2, 1); // neither is as frequent as one of the two
  return both.map((number, i) => ({ number: i === absent ? null : number }));
}

const DERIVATIVES = ["atan", "exponential", "box", "one"] as const;

const leavesOf = ({ inputs, states, parameters }: Step): string[] => [...inputs, ...states, ...Object.keys(parameters)];

export function generate(seed: number): Step {
  const random = new Random(seed);
  const names = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i}`);
  const [inputs, states] = [names("x", random.int(1, 2)), names("v", random.int(0, 3))];
  const parameters = Object.fromEntries(
    names("p", random.int(0, 3)).map((name) => [name, random.pick(["scalar", "scalar", "column"] as const)]),
  );
  const operations: Operation[] = [];
  const first = inputs.length + states.length + Object.keys(parameters).length;
  const value = () => {
    const last = first + operations.length - 1;
    // Rather late ones, so that steps are deep.
    return random.chance(0.5) ? random.int(Math.max(0, last - 3), last) : random.int(0, last);
  };
  const operand = (often = 0.25) =>
    random.chance(often) ? { number: random.pick([0, 1, 0.5, random.number(-2, 2)]) } : value();
  const left = () => operand(0.1);
  for (let i = random.int(1, 24); i > 0; i--) {
    const kind = random.next();
    if (kind < 0.3) operations.push({ op: random.pick(UNARY), args: [left()] });
    else if (kind < 0.7) operations.push({ op: random.pick(BINARY), args: [left(), operand()] });
    else if (kind < 0.76) operations.push({ op: random.pick(CALM), args: [value()] });
    else if (kind < 0.79) operations.push({ op: "pow", args: [value(), { number: random.pick(EXPONENTS) }] });
    else if (kind < 0.82) operations.push({ op: "clamp", args: [value(), ...boundsOf(random)] });
    else if (kind < 0.9)
      operations.push({ op: random.pick(["where", "select"]), args: [value(), operand(), operand()] });
    else operations.push({ op: `spike ${random.pick(DERIVATIVES)}${random.pick(["", " strict"])}`, args: [value()] });
  }
  return {
    seed,
    inputs,
    states,
    parameters,
    operations,
    next: states.map(value),
    outputs: Array.from({ length: random.int(1, 3) }, value),
    T: random.pick([1, 2, 3, 7]),
    rows: random.pick([1, 2, 3]),
    n: random.pick([random.int(1, 9), random.int(10, 40), random.chance(0.2) ? 513 : 16]),
  };
}

/** The derivative of a spike by its name. */
function derivativeOf(name: string) {
  return (x: Value, { constant, power, where }: Language & { power(x: Value): Value }): Value | number => {
    if (name === "atan") return constant(1).div(x.mul(3).square().add(1));
    if (name === "exponential") return power(x.abs().mul(-7)).mul(2);
    return name === "box" ? where(x.abs().lt(0.5), 0.75, 0) : 1;
  };
}

export function apply({ op, args }: Operation, values: readonly Value[], language: Language): Value {
  const at = (i: number): Value | number => {
    const x = args[i] as Operation["args"][number];
    return typeof x === "number" ? (values[x] as Value) : (x.number as number);
  };
  const first = at(0);
  const x = typeof first === "number" ? language.constant(first) : first;
  if (op === "clamp") return args.length > 1 ? x.clamp(at(1) as number, at(2) as number) : x.clamp(-2, 2);
  if (op === "softplus") return language.softplus(x);
  if (op === "where" || op === "select") return language[op](x, at(1), at(2));
  const [name, derivative = "", strict] = op.split(" ");
  if (name === "spike") return language.spike(x, derivativeOf(derivative), strict !== undefined);
  return (Reflect.get(x, op) as (y?: Value | number) => Value).call(x, args.length > 1 ? at(1) : undefined);
}

export function definitionOf(step: Step): StepDefinition {
  const { inputs, states, parameters, operations, next, outputs } = step;
  // What reaches no output is left out: a comparison must not be lost.
  const used = reached(step);
  return {
    name: `step ${step.seed}`,
    inputs,
    states,
    parameters,
    step(argument) {
      const values = leavesOf(step).map((name) => Reflect.get(argument, name) as Value);
      operations.forEach((operation, i) => {
        const at = leavesOf(step).length + i;
        values[at] = used.has(at) ? apply(operation, values, argument) : (values[0] as Value);
      });
      const named = (list: readonly number[], nameOf: (i: number) => string) =>
        list.map((at, i) => [nameOf(i), values[at] as Value]);
      return Object.fromEntries([...named(outputs, (i) => `z${i}`), ...named(next, (i) => states[i] as string)]);
    },
  };
}

function reached(step: Step): Set<number> {
  const used = new Set([...step.next, ...step.outputs]);
  const first = leavesOf(step).length;
  for (let i = step.operations.length - 1; i >= 0; i--) {
    if (!used.has(first + i)) continue;
    for (const x of step.operations[i]?.args ?? []) if (typeof x === "number") used.add(x);
  }
  return used;
}

function settingOf(step: Step): Setting {
  const { T, rows, n } = step;
  const random = new Random(step.seed + 1);
  const numbers = (count: number) => () => Float32Array.from({ length: count }, () => random.number(-2, 2));
  const named = (names: readonly string[], make: () => Float32Array) =>
    Object.fromEntries(names.map((x) => [x, make()]));
  const isConstant = random.chance(0.2);
  return {
    T,
    rows,
    n,
    inputs: named(step.inputs, numbers((isConstant ? 1 : T) * rows * n)),
    states: named(step.states, random.chance(0.5) ? numbers(rows * n) : () => new Float32Array(rows * n)),
    parameters: Object.fromEntries(
      Object.entries(step.parameters).map(([name, kind]) => [name, numbers(kind === "scalar" ? 1 : n)()]),
    ),
    weights: named(random.some([...step.outputs.map((_, i) => `z${i}`), ...step.states], 0.7), numbers(T * rows * n)),
    stateWeights: named(random.some(step.states), numbers(rows * n)),
  };
}

/** Where the step compiled and the step on tensors differ; null where they do not. */
function compare(step: Step): string | null {
  const definition = definitionOf(step);
  const setting = settingOf(step);
  try {
    return difference(fused(definition, setting), composed(definition, setting));
  } catch (error) {
    return String((error as Error).stack);
  }
}

/** More rows have parts for threads. */
const WIDE = 64;

/** Outputs and gradients of the compiled step. */
function* values(drawn: Step): Generator<readonly [string, ArrayLike<number>]> {
  const step = { ...drawn, rows: WIDE };
  for (const [kind, arrays] of Object.entries(fused(definitionOf(step), settingOf(step)))) {
    for (const [name, array] of Object.entries(arrays as Record<string, ArrayLike<number>>)) {
      yield [`${kind} ${name}`, array];
    }
  }
}

function* smallerThan(step: Step): Generator<Step> {
  if (step.outputs.length > 1)
    for (const z of step.outputs) yield { ...step, outputs: step.outputs.filter((y) => y !== z) };
  for (const smaller of [{ T: 1 }, { T: 2 }, { rows: 1 }, { n: 1 }]) {
    const [key, value] = Object.entries(smaller)[0] as ["T" | "rows" | "n", number];
    if (step[key] > value) yield { ...step, ...smaller };
  }
  const first = leavesOf(step).length;
  for (const { operations, renumber } of withoutOne(step.operations, first)) {
    yield { ...step, operations, next: step.next.map(renumber), outputs: step.outputs.map(renumber) };
  }
}

/** The step as code. */
export function print(step: Step): string {
  const names = leavesOf(step);
  const lines = [`T ${step.T}, rows ${step.rows}, n ${step.n}, ${JSON.stringify(step.parameters)}`];
  const used = reached(step);
  step.operations.forEach(({ op, args }, i) => {
    const at = names.length;
    names.push(`t${i}`);
    if (used.has(at))
      lines.push(`t${i} = ${op}(${args.map((x) => (typeof x === "number" ? names[x] : x.number)).join(", ")})`);
  });
  step.next.forEach((at, i) => lines.push(`${step.states[i]}′ = ${names[at]}`));
  step.outputs.forEach((at, i) => lines.push(`z${i} = ${names[at]}`));
  return lines.join("\n");
}

/** Runs steps from a seed on. The first that differs, cut down, or null. */
export const fuzzSteps = (seed: number, count: number, every?: number): string | null =>
  firstDiffering({ part: "steps", generate, compare, values, smallerThan, print }, seed, count, every);
