/** Definitions of neurons, checked: from the members that a caller gives to the form that layers are made of. */
import { functionOf, numberOf, objectOf, show, withDefaults, wrongType, wrongValue } from "../engine/arguments.ts";
import type { Value } from "../engine/fuse/index.ts";
import type { Tensor } from "../engine/index.ts";
import { type Fire, IN_FLOAT32, type Needs } from "./checks.ts";
import {
  boundsOf,
  checkChoices,
  checkKnown,
  checkName,
  classNameOf,
  needsOf,
  optionsOf,
  presetsOf,
} from "./definition.ts";
import { GRADED, type Inhibition, type NeuronKind, REFRACTORY, WINNER } from "./neuron-step.ts";
import type { Chosen, NeuronChoices, NeuronDefinition } from "./neuron-types.ts";
import type { Surrogate } from "./surrogate.ts";

/** Tensors by name: parameters, or states. */
export type Named = Readonly<Record<string, Tensor>>;
type Initial = number | ((parameters: Named, choices?: never) => unknown);
/** A definition, whatever its names. */
export type Definition = NeuronDefinition<
  string,
  string,
  Readonly<Record<string, Value | number>>,
  NeuronChoices,
  string
>;

/** A definition that was checked. */
export interface Form extends NeuronKind {
  readonly initial: readonly Initial[];
  readonly parameters: Readonly<Record<string, number>>;
  readonly choices?: NeuronChoices;
  /** The choices that the equation was made with, and of some classes its numbers: null where there is a parameter of that name. */
  readonly chosen?: Readonly<Record<string, unknown>>;
  readonly without?: (choices: never) => readonly string[];
  readonly needs?: Needs;
  readonly learn?: readonly string[];
  readonly numerics?: Presets;
  /** Bounds [low, high] of parameters: fixed values outside are errors, learned ones are clamped. */
  readonly constrain?: Readonly<Record<string, readonly number[]>>;
  step(argument: never, chosen?: never): Readonly<Record<string, Value | number>>;
}

type Presets = Readonly<Record<string, object>>;

/** Members of a definition; each has its check and its default where it is read. */
const DEFINITION = {
  name: undefined,
  state: undefined,
  parameters: undefined,
  reset: undefined,
  choices: undefined,
  without: undefined,
  needs: undefined,
  learn: undefined,
  constrain: undefined,
  numerics: undefined,
  step: undefined,
} satisfies Record<keyof Definition, undefined>;

/** Options that a preset may set, besides parameters and choices. */
const SETTINGS = {
  learn: undefined as readonly string[] | undefined,
  constrain: undefined as object | undefined,
  surrogate: undefined as Surrogate | undefined,
  fire: "ge" as Fire,
  refractorySteps: 0,
  refractory: "hold" as "hold" | "leak",
  [GRADED]: undefined as number | Tensor | undefined,
  inhibition: undefined as boolean | "output" | undefined,
  spiking: true,
};

/** Options of every layer, with the default of each. */
export const OPTIONS = { ...SETTINGS, numerics: undefined as string | undefined };

/** Names that mean something else in a step. */
const RESERVED =
  /* @__PURE__ */ `current spike late spikes membrane held leaked state where select softplus constant ${WINNER} ${REFRACTORY}`.split(
    " ",
  );

/**
 * The form of a definition. `isProperty` tells names of properties that layers have, which no parameter may take.
 *
 * @throws TypeError or RangeError for members that are none, of other kinds, or with names that are taken.
 */
export function formOf(given: Definition, isProperty: (name: string) => boolean): Form {
  const members = withDefaults<object>("neuron", DEFINITION, objectOf("neuron", "a definition", given));
  const definition = members as Definition;
  const { state, parameters, reset, step, choices = {}, numerics = {}, constrain = {} } = definition;
  const { learn = [], without = () => [], needs = {} } = definition;
  const name = classNameOf("neuron", definition.name);
  const initial = { ...objectOf(name, "state, initial values by name", state) } as Record<string, Initial>;
  const usual = { ...objectOf(name, "parameters, defaults by name", parameters) } as Record<string, number>;
  const chosen = checkChoices(name, choices);
  const states = Object.keys(initial);
  const parameterNames = Object.keys(usual);
  for (const [key, value] of Object.entries(initial)) {
    if (typeof value !== "function") numberOf(name, `the initial value of ${key}`, value, IN_FLOAT32);
  }
  for (const [key, value] of Object.entries(usual)) numberOf(name, `the default of ${key}`, value, IN_FLOAT32);
  const options = [...parameterNames, ...Object.keys(chosen)];
  for (const [i, key] of [...options, ...states].entries()) {
    checkName(name, key);
    const isOption = i < options.length;
    const isDouble = isOption && (states.includes(key) || options.indexOf(key) !== i);
    const isParameter = isOption && i < parameterNames.length;
    // A parameter is a property of the layer.
    const isTaken = key in Object.prototype || (isOption && key in OPTIONS) || (isParameter && isProperty(key));
    if (!isDouble && !isTaken && !RESERVED.includes(key)) continue;
    const kind = !isOption ? "state" : isParameter ? "parameter" : "choice";
    throw new TypeError(`${name}: ${key} is a name that is taken; call the ${kind} otherwise`);
  }
  if (reset !== undefined && !states.includes(reset)) {
    throw new TypeError(`${name}: expected reset as one of the states ${states.join(", ")}, got ${show(reset)}`);
  }
  return {
    name,
    states,
    initial: Object.values(initial),
    parameters: usual,
    choices: chosen,
    without: functionOf(name, "without", without),
    needs: needsOf(name, options, Object.keys(chosen), needs),
    learn: [...learnedOf(name, parameterNames, learn)],
    numerics: presetsOf(name, { ...optionsOf(parameterNames, chosen), ...SETTINGS }, numerics),
    constrain: boundsOf(name, parameterNames, constrain),
    reset: reset ?? (states.includes("v") ? "v" : null),
    step: functionOf(name, "step", step) as unknown as Form["step"],
  };
}

/** Which neurons may fire at a time: null where all may. */
export function inhibitionOf(where: string, inhibition: unknown): Inhibition | null {
  if (inhibition === undefined || inhibition === false) return null;
  if (inhibition === true) return "fire";
  if (inhibition === "output") return inhibition;
  throw wrongValue(where, 'inhibition true, false or "output"', show(inhibition));
}

/** The form of a layer with these choices. Programs remember its step, which therefore refers to nothing else of the layer. */
export function chosenForm(form: Form, parameters: Form["parameters"], chosen: Chosen<NeuronChoices>): Form {
  const step: Form["step"] = (argument) => form.step(argument, chosen as never);
  return { ...form, ...statesOf(form, chosen), parameters, step, chosen: { ...form.chosen, ...chosen } };
}

/** The states of a layer with these choices, and their initial values. */
function statesOf({ name, states, initial, without, reset }: Form, chosen: Chosen<NeuronChoices>): Partial<Form> {
  const absent = without?.(chosen as never) ?? [];
  const unknown = absent.find((state) => !states.includes(state) || state === reset);
  if (unknown !== undefined) {
    throw new TypeError(`${name}: expected without to name states that no spike resets, got ${show(unknown)}`);
  }
  const isKept = (_: unknown, i: number): boolean => !absent.includes(states[i] as string);
  const of = (x: Initial): Initial => (typeof x === "function" ? (parameters) => x(parameters, chosen as never) : x);
  return { states: states.filter(isKept), initial: initial.filter(isKept).map(of), absent };
}

/** Names of parameters that a layer learns, each once. */
export function learnedOf(where: string, names: readonly string[], learn: unknown): Set<string> {
  if (!Array.isArray(learn)) throw wrongType(where, "learn as a list of parameters", learn);
  const learned = new Set<string>();
  // The first wrong entry throws, so an endless list ends.
  for (const name of learn) {
    checkKnown(where, "learn", names, name);
    learned.add(name as string);
  }
  return learned;
}
