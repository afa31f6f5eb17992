/** Definitions of neurons: from the members that a caller gives to the form that layers are made of. */
import {
  choiceOf,
  functionOf,
  numberOf,
  objectOf,
  show,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import type { Value } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import { type Fire, IN_FLOAT32, STEPS, strictOf } from "../layer/checks.ts";
import { sigmoid } from "../surrogates/known.ts";
import { checkSurrogate, type Surrogate } from "../surrogates/surrogate.ts";
import type { NeuronChoices, NoChoices, OptionalParameters, SourceOptions, Spellings } from "./definition.ts";
import {
  boundsOf,
  checkChoices,
  checkKnown,
  checkName,
  classNameOf,
  isText,
  needsOf,
  parametersOf,
  presetsOf,
} from "./definition.ts";
import { GRADED, REFRACTORY, WINNER } from "./names.ts";
import type { CompiledNeuron } from "./op.ts";
import { learnedOf, optionsOf, ReadOptions, type Schema, type Source } from "./options.ts";
import type { Firing, Inhibition, NeuronKind } from "./step.ts";
import type { NeuronDefinition, NeuronOutputs, TypedBy } from "./types.ts";

/** Tensors by name: parameters, or states. */
export type Named = Readonly<Record<string, Tensor>>;
export type Initial = number | ((parameters: Named, choices?: never) => unknown);
/** A definition, whatever its names. */
export type Definition = NeuronDefinition<
  string,
  Readonly<Record<string, number>>,
  Readonly<Record<string, Value | number>>,
  NeuronChoices,
  string,
  OptionalParameters,
  Readonly<Record<string, SourceOptions>>,
  Spellings
>;

/** A definition that was checked. */
export interface Form extends NeuronKind, Schema {
  readonly initial: readonly Initial[];
  /** The choices that the equation was made with, and optional parameters: numbers, words, or null where there is a parameter of that name. */
  readonly chosen?: Readonly<Record<string, unknown>>;
  /** The form and the step of the equation that this form has changed; none where it is the equation itself. */
  readonly own?: { readonly form: Form; readonly compiled: CompiledNeuron };
  readonly without?: (choices: never) => readonly string[];
  /** Options besides the ones of the definition, with their defaults. Default {@link OPTIONS}. */
  readonly common?: Common;
  step(argument: never, chosen?: never): Readonly<Record<string, Value | number>>;
}

/** Members of a definition; each has its check and its default where it is read. */
const DEFINITION = {
  name: undefined,
  state: undefined,
  parameters: undefined,
  optional: undefined,
  fold: undefined,
  from: undefined,
  also: undefined,
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

/** Options that layers of a class have besides the options of its definition. */
type Common = Partial<typeof SETTINGS> & Pick<typeof OPTIONS, "numerics">;

/** Names that mean something else in a step. */
const RESERVED =
  /* @__PURE__ */ `current spike late spikes membrane held leaked state where select softplus constant ${WINNER} ${REFRACTORY}`.split(
    " ",
  );

/**
 * The form of a definition of the package, with `more` members of it. Tests check these definitions, so that a page of such neurons alone
 * has no code that checks definitions.
 */
export function formOf<
  State extends string,
  Parameters extends Readonly<Record<string, number>>,
  const Outputs extends NeuronOutputs<State>,
  const Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
  const Optional extends OptionalParameters = NoChoices,
  const From extends Readonly<Record<string, SourceOptions>> = NoChoices,
  const Also extends Spellings = NoChoices,
>(
  definition: NeuronDefinition<State, Parameters, Outputs, Choices, Preset, Optional, From, Also>,
  more: Partial<Form> = {},
): Form & TypedBy<Parameters, Choices, Preset, Optional, From, Also> {
  const { state, reset = "v" in state ? "v" : null, ...others } = definition as unknown as Definition;
  return { ...others, states: Object.keys(state), initial: Object.values(state), reset, ...more } as unknown as Form;
}

/**
 * The form of a definition. `isProperty` tells names of properties that layers have, which no parameter may take.
 *
 * @throws TypeError or RangeError for members that are none, of other kinds, or with names that are taken.
 */
export function checkedForm(given: Definition, isProperty: (name: string) => boolean): Form {
  const members = withDefaults<object>("neuron", DEFINITION, objectOf("neuron", "a definition", given));
  const definition = members as Definition;
  const { state, parameters, reset, step, fold = true, choices = {}, numerics = {}, constrain = {} } = definition;
  const { learn = [], without = () => [], needs = {} } = definition;
  const name = classNameOf("neuron", definition.name);
  const initial = { ...objectOf(name, "state, initial values by name", state) } as Record<string, Initial>;
  const usual = parametersOf(name, parameters);
  const optional = optionalOf(name, definition.optional);
  const chosen = checkChoices(name, choices);
  const states = Object.keys(initial);
  const parameterNames = [...Object.keys(usual), ...Object.keys(optional)];
  for (const [key, value] of Object.entries(initial)) {
    if (typeof value !== "function") numberOf(name, `the initial value of ${key}`, value, IN_FLOAT32);
  }
  if (typeof fold !== "boolean") throw wrongType(name, "fold as true or false", fold);
  const from = sourcesOf(name, Object.keys(usual), definition.from);
  const also = spellingsOf(name, parameterNames, definition.also);
  const others = [...new Set(Object.values(from).flatMap(({ options }) => Object.keys(options)))];
  const options = [...parameterNames, ...others, ...Object.keys(also), ...Object.keys(chosen)];
  for (const [i, key] of [...options, ...states].entries()) {
    checkName(name, key);
    const isOption = i < options.length;
    const isDouble = isOption && (states.includes(key) || options.indexOf(key) !== i);
    const isParameter = isOption && i < parameterNames.length;
    // A parameter is a property of the layer.
    const isTaken = key in Object.prototype || (isOption && key in OPTIONS) || (isParameter && isProperty(key));
    if (!isDouble && !isTaken && !RESERVED.includes(key)) continue;
    const kind = !isOption ? "state" : isParameter ? "parameter" : key in chosen ? "choice" : "option";
    throw new TypeError(`${name}: ${key} is a name that is taken; call the ${kind} otherwise`);
  }
  if (reset !== undefined && !states.includes(reset)) {
    throw new TypeError(`${name}: expected reset as one of the states ${states.join(", ")}, got ${show(reset)}`);
  }
  const schema: Schema = {
    name,
    parameters: usual,
    optional,
    fold,
    from,
    also,
    choices: chosen,
    needs: needsOf(name, options, Object.keys(chosen), needs),
    learn: [...learnedOf(name, parameterNames, learn)],
    constrain: boundsOf(name, parameterNames, constrain),
  };
  return {
    ...schema,
    states,
    initial: Object.values(initial),
    without: functionOf(name, "without", without),
    numerics: presetsOf(name, { ...optionsOf(schema), ...SETTINGS }, numerics),
    reset: reset ?? (states.includes("v") ? "v" : null),
    step: functionOf(name, "step", step) as unknown as Form["step"],
  };
}

/** A copy of optional parameters with their defaults, by name. */
function optionalOf(name: string, given: unknown = {}): OptionalParameters {
  const optional = { ...objectOf(name, "optional, defaults by name", given) };
  for (const [key, usual] of Object.entries(optional)) {
    const [value, ...words] = Array.isArray(usual) ? usual : [usual];
    const isDefault = (value === null || typeof value === "number") && words.every(isText);
    if (!isDefault)
      throw wrongType(name, `the default of ${key} as a number or null, or a list of it and words`, usual);
    if (value !== null) numberOf(name, `the default of ${key}`, value, IN_FLOAT32);
    if (Array.isArray(usual)) optional[key] = [value, ...words];
  }
  return optional as OptionalParameters;
}

/** Members of a source of a parameter. */
const SOURCE = { options: undefined, value: undefined } satisfies Record<keyof Source, undefined>;

/** A copy of the sources of parameters, by name. */
function sourcesOf(name: string, parameters: readonly string[], given: unknown = {}): Readonly<Record<string, Source>> {
  const sources = Object.entries(objectOf(name, "from, sources by parameter", given)).map(([key, source]) => {
    checkKnown(name, "from", parameters, key);
    const members = objectOf(name, `from.${key} as { options, value }`, source);
    const { options, value } = withDefaults<object>(`${name}: from.${key}`, SOURCE, members) as Source;
    const copy: Record<string, unknown> = { ...objectOf(name, `from.${key}.options, defaults by name`, options) };
    const known = Object.entries(copy).filter(([, usual]) => usual !== null);
    Object.assign(copy, checkChoices(name, Object.fromEntries(known)));
    return [key, { options: copy, value: functionOf(name, `from.${key}.value`, value) }];
  });
  return Object.fromEntries(sources);
}

/** A copy of other spellings of `learn`, by name. */
function spellingsOf(name: string, parameters: readonly string[], given: unknown = {}): Spellings {
  const spellings = Object.entries(objectOf(name, "also, { learn } by name", given)).map(([key, spelling]) => {
    const { learn, ...others } = objectOf(name, `also.${key} as { learn }`, spelling);
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw new TypeError(`${name}: expected also.${key} as { learn }, got ${unknown}`);
    checkKnown(name, `also.${key}.learn`, parameters, learn);
    return [key, { learn }];
  });
  return Object.fromEntries(spellings);
}

/**
 * The options of a layer, read. A layer that consists of such neurons and has options of its own has read both, by a form with its
 * `common` options; `where` is its name.
 */
export function readOptions(form: Form, options: object, where?: string): ReadOptions<Form, Common> {
  if (options instanceof ReadOptions) return options;
  const { common = OPTIONS } = form;
  return new ReadOptions<Form, Common>(form, common, options, GRADED in common ? { [GRADED]: 1 } : {}, where);
}

/** How a layer with these options runs its step. */
export function firingOf({ schema, asked, given, parameters }: ReadOptions<Form, Common>): Firing {
  const { name, reset, states } = schema;
  const options: typeof SETTINGS = { ...SETTINGS, ...given };
  const { surrogate = sigmoid(), spiking } = options;
  checkSurrogate(name, surrogate);
  if (!spiking && surrogate.primitive === null) {
    throw new RangeError(`${name}: spiking: false needs a surrogate with a primitive, got ${surrogate.name}`);
  }
  const strict = strictOf(name, options.fire) === 1;
  const leaks = choiceOf(name, "refractory", options.refractory, ["hold", "leak"]) === "leak";
  const hold = numberOf(name, "refractorySteps", options.refractorySteps, STEPS);
  if (hold > 0 && reset === null) {
    const hint = `name it in the definition, reset: "${states[0]}"`;
    throw new RangeError(`${name}: refractorySteps needs a state that is held; ${hint}`);
  }
  const inhibition = inhibitionOf(name, options.inhibition);
  // A preset may leave the leak to layers with refractory steps.
  if (hold === 0 && (asked.refractory ?? "hold") !== "hold") {
    throw wrongValue(name, `refractorySteps > 0 with refractory "leak"`, hold);
  }
  return { surrogate, strict, hold, leaks, isGraded: GRADED in parameters, inhibition, spiking };
}

/** Which neurons may fire at a time: null where all may. */
function inhibitionOf(where: string, inhibition: unknown): Inhibition | null {
  if (inhibition === undefined || inhibition === false) return null;
  if (inhibition === true) return "fire";
  if (inhibition === "output") return inhibition;
  throw wrongValue(where, 'inhibition true, false or "output"', show(inhibition));
}

/**
 * The form of a layer with these options. Programs remember its step, which therefore refers to nothing else of the layer.
 */
export function chosenForm({ schema: form, parameters, chosen, folded }: ReadOptions<Form, Common>): Form {
  const isWhole = Object.keys(folded).length === 0;
  const step: Form["step"] = (argument) =>
    form.step(isWhole ? argument : (Object.assign(argument, folded) as never), chosen as never);
  const optional: Record<string, unknown> = {};
  for (const key of Object.keys(form.optional ?? {})) {
    // Null stands for a parameter, and an option without a value has no entry.
    if (folded[key] !== null) optional[key] = folded[key] ?? null;
  }
  return { ...form, ...statesOf(form, { chosen, folded }), parameters, step, chosen: { ...optional, ...chosen } };
}

/** The states of a layer with these options, and their initial values. */
function statesOf(
  { name, states, initial, without, reset }: Form,
  { chosen, folded }: Pick<ReadOptions, "chosen" | "folded">,
): Partial<Form> {
  const absent = without?.(chosen as never) ?? [];
  const unknown = absent.find((state) => !states.includes(state) || state === reset);
  if (unknown !== undefined) {
    throw new TypeError(`${name}: expected without to name states that no spike resets, got ${show(unknown)}`);
  }
  const isKept = (_: unknown, i: number): boolean => !absent.includes(states[i] as string);
  const isWhole = Object.keys(folded).length === 0;
  const of = (x: Initial): Initial =>
    typeof x === "function"
      ? (given) => x(isWhole ? given : Object.assign(Object.create(given), folded), chosen as never)
      : x;
  return { states: states.filter(isKept), initial: initial.filter(isKept).map(of), absent };
}
