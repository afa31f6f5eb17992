/** The equation of a layer: its definition with the options that were chosen. Layers of the package with equal options share it. */
import { numberOf, show } from "../../engine/arguments.ts";
import { Program, type Value } from "../../engine/fuse/index.ts";
import { Tensor } from "../../engine/index.ts";
import { IN_FLOAT32 } from "../layer/checks.ts";
import type { Kinds } from "./compiler.ts";
import { type Common, Equation, type Initial, type NeuronSpec } from "./form.ts";
import type { ReadOptions } from "./options.ts";
import type { Named } from "./parameters.ts";
import type { Firing } from "./step.ts";

/** Equations that a definition keeps. */
const MOST_SHARED = 16;

/** The equation of a layer with these options and kinds of parameters, shared or new. */
export function equationOf(read: ReadOptions<NeuronSpec, Common>, kinds: Kinds, firing: Firing): Equation {
  const { shared } = read.schema;
  if (shared === undefined) return new Equation(chosenForm(read, kinds));
  const key = keyOf(read, kinds, firing);
  const at = shared.findIndex((known) => isSame(known.key, key));
  const equation = at < 0 ? new Equation(chosenForm(read, kinds), key) : (shared[at] as Equation);
  if (at === 0) return equation;
  if (at > 0) shared.splice(at, 1);
  else if (shared.length === MOST_SHARED) shared.pop();
  shared.unshift(equation);
  return equation;
}

/** All that the form and the steps of a layer depend on. */
function keyOf({ chosen, folded }: ReadOptions<NeuronSpec, Common>, kinds: Kinds, firing: Firing): unknown[] {
  const { surrogate, strict, hold, leaks, isGraded, inhibition, spiking } = firing;
  // Surrogates of kernels with equal kind and slope have equal derivatives.
  const derivative = surrogate.kind < 0 ? surrogate : surrogate.kind;
  const key: unknown[] = [derivative, surrogate.slope, strict, hold, leaks, isGraded, inhibition, spiking];
  for (const name in kinds) key.push(name, kinds[name]);
  for (const name in folded) key.push(name, folded[name]);
  for (const name in chosen) key.push(chosen[name]);
  return key;
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  // 0 and −0 are different numbers of a step.
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

/** The form of a layer with these options. Programs keep its step, so the step must not refer to other parts of the layer. */
function chosenForm(read: ReadOptions<NeuronSpec, Common>, kinds: Kinds): NeuronSpec {
  const { schema: form, parameters, chosen, folded } = read;
  const isWhole = Object.keys(folded).length === 0;
  const step: NeuronSpec["step"] = (argument) =>
    form.step(isWhole ? argument : (Object.assign(argument, folded) as never), chosen as never);
  const optional: Record<string, unknown> = {};
  for (const key of read.optional) {
    // Null stands for a parameter, and an option without a value has no entry.
    if (folded[key] !== null) optional[key] = folded[key] ?? null;
  }
  const states = statesOf(form, { chosen, folded }, kinds);
  return { ...form, ...states, parameters, step, chosen: { ...optional, ...chosen } };
}

/** The states of a layer with these options, and their initial values. */
function statesOf(
  form: NeuronSpec,
  { chosen, folded }: Pick<ReadOptions, "chosen" | "folded">,
  kinds: Kinds,
): Pick<NeuronSpec, "states" | "initial" | "absent"> {
  const { name, states, initial, without, reset } = form;
  const absent = without?.(chosen as never) ?? [];
  const unknown = absent.find((state) => !states.includes(state) || state === reset);
  if (unknown !== undefined) {
    throw new TypeError(`${name}: expected without to name states that no spike resets, got ${show(unknown)}`);
  }
  const isKept = (_: unknown, i: number): boolean => !absent.includes(states[i] as string);
  const isWhole = Object.keys(folded).length === 0;
  const kept = states.filter(isKept);
  const values = initial.filter(isKept).map((x, i) => {
    if (typeof x !== "function") return x;
    const of: Initial = (given) => x(isWhole ? given : Object.assign(Object.create(given), folded), chosen as never);
    return initialOf(form, `the initial value of ${kept[i]}`, of, kinds);
  });
  return { states: kept, initial: values, absent };
}

/** The initial value of a state; a function that reads no parameter is replaced by its number. */
function initialOf({ name, shared }: NeuronSpec, what: string, value: Exclude<Initial, number>, kinds: Kinds): Initial {
  const fixed = withoutParameters(value);
  if (typeof fixed === "number") return numberOf(name, what, fixed, IN_FLOAT32);
  if (shared === undefined) checkInitial(name, what, value, kinds);
  return value;
}

/** Throws if the function of an initial value does something that no step may. */
function checkInitial(where: string, what: string, initial: Exclude<Initial, number>, kinds: Kinds): void {
  const name = `${where}: ${what}`;
  const get = (given: Named, key: string) => {
    if (key in kinds) return given[key];
    throw new TypeError(`${name}: expected a function of ${Object.keys(kinds).join(", ")}, got one of ${key}`);
  };
  // The trace refuses `beta * 2`, which would silently be NaN on tensors.
  const step = (argument: unknown) => {
    const x = initial(new Proxy(argument as Named, { get: get as never }));
    if (typeof x === "number") numberOf(where, what, x, IN_FLOAT32);
    return { start: x instanceof Tensor ? 0 : (x as Value) };
  };
  new Program({ name, inputs: [], states: [], parameters: kinds, step });
}

/** The value of a function that reads no parameter, else undefined. */
function withoutParameters(value: (parameters: Named) => unknown): unknown {
  const get = (): never => {
    throw new TypeError("a parameter");
  };
  try {
    return value(new Proxy({}, { get }));
  } catch {
    // A function that throws for another reason throws again when it is traced.
    return undefined;
  }
}
