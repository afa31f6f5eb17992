/** Checks the definition of a user and converts it to the form that layers are made from. */
import { functionOf, numberOf, objectOf, show, withDefaults, wrongType } from "../../engine/arguments.ts";
import { IN_FLOAT32 } from "../layer/checks.ts";
import type { NeuronChoices, ParameterEntry, ParameterFields, ParameterSource, SourceOptions } from "./definition.ts";
import { boundsOf, checkChoices, checkName, classNameOf, isText, needsOf, presetsOf } from "./definition.ts";
import { type Definition, type Initial, type NeuronSpec, OPTIONS, SETTINGS } from "./form.ts";
import { REFRACTORY, WINNER } from "./names.ts";
import { fieldsOf, optionsOf, type Schema } from "./options.ts";

/** Members of a definition. The code that reads a member checks it and supplies its default. */
const DEFINITION = {
  name: undefined,
  state: undefined,
  parameters: undefined,
  reset: undefined,
  choices: undefined,
  without: undefined,
  needs: undefined,
  constrain: undefined,
  numerics: undefined,
  step: undefined,
} satisfies Record<keyof Definition, undefined>;

/** Fields of a parameter. */
const FIELDS = {
  default: undefined,
  optional: undefined,
  fold: undefined,
  from: undefined,
  also: undefined,
  learn: undefined,
} satisfies Record<keyof ParameterFields, undefined>;

/** Members of a source of a parameter. */
const SOURCE = { options: undefined, value: undefined } satisfies Record<
  keyof ParameterSource<SourceOptions, never>,
  undefined
>;

/** Names that mean something else in a step. */
const RESERVED =
  /* @__PURE__ */ `current spike late spikes membrane held leaked state where select softplus constant ${WINNER} ${REFRACTORY}`.split(
    " ",
  );

/**
 * The form of a definition. `isProperty(name)`: layers have a property of this name, so a parameter may not have it.
 *
 * @throws TypeError or RangeError for unknown members, members of another type, and names that are taken.
 */
export function checkedForm(given: object, isProperty: (name: string) => boolean): NeuronSpec {
  const members = withDefaults<object>("neuron", DEFINITION, objectOf("neuron", "a definition", given));
  const { name: own, state, reset, step, choices = {}, numerics = {}, ...definition } = { ...(members as Definition) };
  const { constrain = {}, without = () => [], needs = {} } = definition;
  const name = classNameOf("neuron", own);
  const initial = { ...objectOf(name, "state, initial values by name", state) } as Record<string, Initial>;
  const entries = Object.entries(objectOf(name, "parameters, defaults by name", definition.parameters));
  const parameters = Object.fromEntries(entries.map(([key, entry]) => [key, entryOf(name, key, entry)]));
  const chosen = checkChoices(name, choices);
  const states = Object.keys(initial);
  for (const [key, value] of Object.entries(initial)) {
    if (typeof value !== "function") numberOf(name, `the initial value of ${key}`, value, IN_FLOAT32);
  }
  const options = checkNames(name, parameters, chosen, states, isProperty);
  if (reset !== undefined && !states.includes(reset)) {
    throw new TypeError(`${name}: expected reset as one of the states ${states.join(", ")}, got ${show(reset)}`);
  }
  const schema: Schema = {
    name,
    parameters,
    choices: chosen,
    needs: needsOf(name, options, Object.keys(chosen), needs),
    constrain: boundsOf(name, Object.keys(parameters), constrain),
  };
  return {
    ...schema,
    states,
    initial: Object.values(initial),
    without: functionOf(name, "without", without),
    numerics: presetsOf(name, { ...optionsOf(schema), ...SETTINGS }, numerics),
    reset: reset ?? (states.includes("v") ? "v" : null),
    step: functionOf(name, "step", step) as unknown as NeuronSpec["step"],
  };
}

/** The options of a definition. Throws for names that are not identifiers or are taken. */
function checkNames(
  name: string,
  parameters: Schema["parameters"],
  choices: NeuronChoices,
  states: readonly string[],
  isProperty: (name: string) => boolean,
): string[] {
  const fields = Object.values(parameters).map(fieldsOf);
  const sources = new Set(fields.flatMap(({ from }) => Object.keys(from?.options ?? {})));
  const spellings = fields.flatMap(({ also = {} }) => Object.keys(also));
  const options = [...Object.keys(parameters), ...sources, ...spellings, ...Object.keys(choices)];
  for (const [i, key] of [...options, ...states].entries()) {
    checkName(name, key);
    const isOption = i < options.length;
    const isDouble = isOption && (states.includes(key) || options.indexOf(key) !== i);
    const isParameter = i < fields.length;
    // A parameter is a property of the layer.
    const isTaken = key in Object.prototype || (isOption && key in OPTIONS) || (isParameter && isProperty(key));
    if (!isDouble && !isTaken && !RESERVED.includes(key)) continue;
    const kind = !isOption ? "state" : isParameter ? "parameter" : key in choices ? "choice" : "option";
    throw new TypeError(`${name}: ${key} is a name that is taken; call the ${kind} otherwise`);
  }
  return options;
}

function entryOf(name: string, key: string, entry: unknown): ParameterEntry {
  const what = `the default of ${key}`;
  if (typeof entry !== "object" || entry === null) return numberOf(name, what, entry, IN_FLOAT32);
  const where = `${name}: the parameter ${key}`;
  const given = withDefaults<object>(where, FIELDS, objectOf(name, `${key} as a number or { default }`, entry));
  const { default: usual, optional = false, fold = true, from, also = {}, learn = false } = given as ParameterFields;
  if (usual !== null || optional === false) numberOf(name, what, usual, IN_FLOAT32);
  const isOptional = typeof optional === "boolean" || (Array.isArray(optional) && optional.every(isText));
  if (!isOptional) throw wrongType(name, `optional of ${key} as true, false or words`, optional);
  for (const [field, value] of Object.entries({ fold, learn })) {
    if (typeof value !== "boolean") throw wrongType(name, `${field} of ${key} as true or false`, value);
  }
  const spellings = { ...objectOf(name, `also of ${key}, options with the default false`, also) };
  for (const [option, value] of Object.entries(spellings)) {
    if (value !== false) throw wrongType(name, `also.${option} of ${key} as false, its default`, value);
  }
  return {
    default: usual,
    optional: Array.isArray(optional) ? [...optional] : (optional as boolean),
    fold,
    learn,
    also: spellings as { [option: string]: false },
    ...(from === undefined ? {} : { from: sourceOf(name, key, from) }),
  };
}

function sourceOf(name: string, key: string, source: unknown): ParameterSource<SourceOptions, never> {
  const members = objectOf(name, `from of ${key} as { options, value }`, source);
  const { options, value } = withDefaults<object>(`${name}: from of ${key}`, SOURCE, members) as ParameterSource<
    SourceOptions,
    never
  >;
  const copy: Record<string, unknown> = { ...objectOf(name, `from.options of ${key}, defaults by name`, options) };
  const known = Object.entries(copy).filter(([, usual]) => usual !== null);
  Object.assign(copy, checkChoices(name, Object.fromEntries(known)));
  return { options: copy as SourceOptions, value: functionOf(name, `from.value of ${key}`, value) };
}
