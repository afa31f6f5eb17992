/** Parts of definitions by equations, of neurons and of rules for synapses: choices, options that need others, bounds, presets. */
import {
  choiceOf,
  listed,
  listOf,
  NUMBER,
  numberOf,
  objectOf,
  type Range,
  show,
  withDefaults,
  wrongType,
  wrongValue,
} from "../engine/arguments.ts";
import type { Value } from "../engine/fuse/index.ts";
import { IN_FLOAT32, type Needs, NOT_ZERO } from "./checks.ts";
import type { Chosen, NeuronChoices } from "./neuron-types.ts";

type Choice = readonly string[] | boolean | number;

/** The name of a class, with which errors of its definition and of its instances begin. */
export function classNameOf(where: string, name: unknown): string {
  if (typeof name === "string" && /^\p{L}/u.test(name)) return name;
  throw wrongType(where, "a name that begins with a letter", name);
}

/** Names of states, parameters and the like, which become names of arguments and of properties. */
export function checkName(where: string, name: string): void {
  if (!/^[$_\p{ID_Start}][$\p{ID_Continue}]*$/u.test(name)) throw wrongType(where, "names that are identifiers", name);
}

/** Throws for a plain number that a function of an equation has returned: most come from an if or a ?:, which no value decides. */
export function checkNoNumber(where: string, what: string, x: unknown): void {
  if (typeof x !== "number") return;
  throw wrongType(where, `${what} as a value`, x, `; write where(c, a, b) for an if or a ?:, or constant(${x})`);
}

/** A value that a function of an equation has returned. */
export function returnedValue(where: string, what: string, x: unknown): Value {
  checkNoNumber(where, what, x);
  if (typeof (x as Value)?.add === "function") return x as Value;
  throw wrongType(where, `${what} as a value`, x);
}

/** A copy of choices with their defaults, by name. */
export function checkChoices(name: string, choices: unknown): Record<string, Choice> {
  const chosen = { ...objectOf(name, "choices, defaults by name", choices) } as Record<string, Choice>;
  for (const [key, value] of Object.entries(chosen)) {
    const isChoice = Array.isArray(value) ? value.length > 0 && value.every(isText) : isPlain(value);
    if (!isChoice) throw wrongType(name, `the choice ${key} as words, true, false or a number`, value);
    if (Array.isArray(value)) chosen[key] = [...value];
  }
  return chosen;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isPlain = (value: unknown): value is boolean | number => typeof value === "boolean" || typeof value === "number";

/** The default of a choice. */
export const first = (choice: Choice | undefined): unknown => (Array.isArray(choice) ? choice[0] : choice);

/** Parameters and choices as options: undefined stands for the default of a parameter, which may be a tensor. */
export const optionsOf = (parameters: readonly string[], choices: NeuronChoices): Record<string, unknown> => ({
  ...Object.fromEntries(parameters.map((name) => [name, undefined])),
  ...Object.fromEntries(Object.entries(choices).map(([name, choice]) => [name, first(choice)])),
});

/** The choices of a layer, by name. */
export function chosenOf(
  where: string,
  choices: NeuronChoices,
  given: Readonly<Record<string, unknown>>,
): Chosen<NeuronChoices> {
  return Object.fromEntries(
    Object.entries(choices).map(([name, usual]) => {
      const value = given[name];
      if (Array.isArray(usual)) return [name, choiceOf(where, name, value, usual as readonly string[])];
      return [name, typeof usual === "number" ? numberOf(where, name, value, IN_FLOAT32) : (value as boolean)];
    }),
  );
}

/** A copy of which option needs which choices, and which factors other than 0. */
export function needsOf(
  where: string,
  options: readonly string[],
  choices: readonly string[],
  needs: object,
  factors: readonly string[] = [],
): Needs {
  const all = Object.entries(objectOf(where, "needs, choices by option", needs)).map(([option, others]) => {
    checkKnown(where, "needs", options, option, "options");
    const fits = Object.entries(objectOf(where, `needs.${option}, values by choice`, others)).map(
      ([choice, values]) => {
        if (values === NOT_ZERO && factors.includes(choice)) return [choice, NOT_ZERO];
        checkKnown(where, `needs.${option}`, choices, choice, "choices");
        if (!Array.isArray(values)) throw wrongType(where, `needs.${option}.${choice} as a list of values`, values);
        return [choice, [...values]];
      },
    );
    return [option, Object.fromEntries(fits)];
  });
  return Object.fromEntries(all);
}

/**
 * A copy of sets of options by name. `options` has all options that a set may hold, with their defaults.
 *
 * @throws TypeError for a set with an option of another name or type.
 */
export function presetsOf(where: string, options: object, numerics: unknown): Readonly<Record<string, object>> {
  const all = Object.entries(objectOf(where, "numerics, options by name", numerics)).map(([preset, given]) => {
    const set = objectOf(where, `numerics.${preset}, options by name`, given);
    return [preset, { ...withDefaults(`${where}: numerics.${preset}`, options, set) }];
  });
  return Object.fromEntries(all);
}

/**
 * The options, which {@link withDefaults} has read, with those of the preset that `numerics` names behind the ones that were given.
 *
 * @throws RangeError for an unknown preset.
 */
export function withPreset<Options extends { numerics?: string | undefined }>(
  where: string,
  options: Options,
  presets: Readonly<Record<string, object>>,
): Options {
  if (options.numerics === undefined) return options;
  const preset = presets[choiceOf(where, "numerics", options.numerics, Object.keys(presets))];
  // The given options alone are fields of their own.
  return Object.assign(options, { ...preset, ...options });
}

/** The error of an option that is to be learned or bounded, and is no number or tensor. */
export const noParameter = (where: string, name: string, value: unknown): RangeError =>
  wrongValue(where, `${name} as a number or a tensor, since learn or constrain name it`, show(value));

export function boundsOf(
  where: string,
  names: readonly string[],
  constrain: unknown,
): Record<string, readonly number[]> {
  const bounds: Record<string, readonly number[]> = {};
  for (const [name, pair] of Object.entries(objectOf(where, "constrain as bounds by name", constrain))) {
    if (pair === undefined) continue;
    checkKnown(where, "constrain", names, name);
    const [low, high] = listOf(where, `constrain.${name}`, pair, NUMBER, 2) as [number, number];
    if (low > high) throw new RangeError(`${where}: expected constrain.${name} as [low, high], got ${show(pair)}`);
    bounds[name] = [low, high];
  }
  return bounds;
}

/** Bounds of numbers that kernels read as float32: the float32 next to a bound fits too, so that a layer takes its own state. */
export const within = ([low, high]: readonly [number, number]): Range => ({
  expected: `in [${low}, ${high}]`,
  fits: (x) => x >= Math.min(low, Math.fround(low)) && x <= Math.max(high, Math.fround(high)),
});

export function checkKnown(
  where: string,
  option: string,
  names: readonly string[],
  name: unknown,
  kind = "parameters",
): void {
  if (names.includes(name as string)) return;
  throw new RangeError(`${where}: expected ${option} to name ${kind}, ${listed(names)}, got ${show(name)}`);
}
