/** Parts of definitions by equations, of neurons and of rules for synapses: parameters, choices, options that need others, bounds, presets. */
import type { Range } from "../../engine/arguments.ts";
import { listed, listOf, NUMBER, numberOf, objectOf, show, withDefaults, wrongType } from "../../engine/arguments.ts";
import type { Value } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import { IN_FLOAT32, type Needs, NOT_ZERO } from "../layer/checks.ts";

/** Choices of an equation with their defaults: words of which the first is the default, true or false, or a number. */
export type NeuronChoices = { readonly [name: string]: readonly string[] | boolean | number };

/** No choices. */
export type NoChoices = { readonly [name in never]: boolean };

/** A parameter of an equation: its default, or an object with further fields. */
export type ParameterEntry = number | ParameterFields;

/** A parameter with more than a default. */
export interface ParameterFields {
  /** The value if no option gives one. An optional parameter may have null, for no default. */
  readonly default: number | null;
  /**
   * true: a number becomes part of the code, as if the step contained it; tensors and learned or bounded values are parameters. A list such
   * as `["leak"]`: the option may also be one of these words. Default false.
   */
  readonly optional?: boolean | readonly string[];
  /** Whether a number of an optional parameter becomes part of the code; false: a given number is a parameter. Default true. */
  readonly fold?: boolean;
  /** Other options that give the parameter, such as a time constant that gives a decay. Default: none. */
  readonly from?: ParameterSource<SourceOptions, never>;
  /** Further options that make the parameter learnable if true, with false as their default: `{ learnBeta: false }`. Default: none. */
  readonly also?: { readonly [option: string]: false };
  /** Whether the parameter is learned if the option `learn` is not given and the choices need the parameter. Default false. */
  readonly learn?: boolean;
}

/** The parameters of an equation by their names. */
export type ParameterEntries = { readonly [name: string]: ParameterEntry };

/** How other options give a parameter, such as a time constant that gives a decay. */
export interface ParameterSource<Own extends SourceOptions, Given> {
  /**
   * These options with their defaults: words, of which the first is the default, true or false, numbers; NaN for a number without a
   * default, null for a number or a tensor without one.
   */
  readonly options: Own;
  /**
   * Computes the parameter. If it returns undefined, the parameter comes from the option of the same name, a preset or
   * the default. `given` holds all options with the options of a preset, and the defaults of words, numbers, true and
   * false; `asked` holds only the options of the caller. The function declares the types of its arguments, which
   * TypeScript cannot infer.
   */
  value(
    given: Given & Partial<SourceValues<Own>>,
    asked: Given & Partial<SourceValues<Own>>,
  ): number | Tensor | undefined;
}

/** Options that parameters are computed from, as a caller gives them. */
export type SourceValues<From> = {
  readonly [name in keyof From]: From[name] extends readonly (infer Word)[]
    ? Word
    : From[name] extends boolean
      ? boolean
      : From[name] extends number
        ? number
        : number | Tensor;
};

/**
 * Defaults of the options that a parameter is computed from, as for choices. Without a default: NaN for a number, null
 * for a number or tensor.
 */
export type SourceOptions = { readonly [name: string]: readonly string[] | boolean | number | null };

/** The intersection of the types of a union. */
export type Intersection<Union> = (Union extends unknown ? (x: Union) => void : never) extends (x: infer All) => void
  ? All
  : never;

/**
 * Parts of a definition, such as choices, as one object. The types of the parts keep their names, so that declarations
 * contain the doc comment of each option. Bundlers remove this call with an unused neuron, but would keep a spread.
 */
export const united = /* @__NO_SIDE_EFFECTS__ */ <const Parts extends readonly object[]>(
  ...parts: Parts
): Intersection<Parts[number]> => Object.assign({}, ...parts);

/** The choices that a layer was made with. */
export type Chosen<Choices> = {
  readonly [name in keyof Choices]: Choices[name] extends readonly (infer Word)[]
    ? Word
    : Choices[name] extends boolean
      ? boolean
      : number;
};

type Choice = readonly string[] | boolean | number;

/** The name of a class. Errors of its definition and of its instances begin with it. */
export function classNameOf(where: string, name: unknown): string {
  if (typeof name === "string" && /^\p{L}/u.test(name)) return name;
  throw wrongType(where, "a name that begins with a letter", name);
}

/** Names of states, parameters and the like, which become names of arguments and of properties. */
export function checkName(where: string, name: string): void {
  if (!/^[$_\p{ID_Start}][$\p{ID_Continue}]*$/u.test(name)) throw wrongType(where, "names that are identifiers", name);
}

/** Throws for a plain number that a function of an equation has returned: most come from an `if` or `?:`, which a symbol cannot decide. */
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

/** A copy of parameters with their defaults, by name. */
export function parametersOf(name: string, parameters: unknown): Record<string, number> {
  const usual = { ...objectOf(name, "parameters, defaults by name", parameters) } as Record<string, number>;
  for (const [key, value] of Object.entries(usual)) numberOf(name, `the default of ${key}`, value, IN_FLOAT32);
  return usual;
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

export const isText = (value: unknown): value is string => typeof value === "string";
const isPlain = (value: unknown): value is boolean | number => typeof value === "boolean" || typeof value === "number";

/** A copy of `needs`: which options need which choices, and which need factors other than 0. */
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

/** A copy of bounds by the names of parameters; errors list `names`, without the parameters in `more`. */
export function boundsOf(
  where: string,
  names: readonly string[],
  constrain: unknown,
  more: readonly string[] = [],
): Record<string, readonly number[]> {
  const bounds: Record<string, readonly number[]> = {};
  for (const [name, pair] of Object.entries(objectOf(where, "constrain as bounds by name", constrain))) {
    if (pair === undefined) continue;
    if (!more.includes(name)) checkKnown(where, "constrain", names, name);
    const [low, high] = listOf(where, `constrain.${name}`, pair, NUMBER, 2) as [number, number];
    if (low > high) throw new RangeError(`${where}: expected constrain.${name} as [low, high], got ${show(pair)}`);
    bounds[name] = [low, high];
  }
  return bounds;
}

/** Bounds of numbers that kernels read as float32: the float32 next to a bound fits too, so that a layer accepts its own state. */
const within = ([low, high]: readonly [number, number]): Range => ({
  expected: `in [${low}, ${high}]`,
  fits: (x) => x >= Math.min(low, Math.fround(low)) && x <= Math.max(high, Math.fround(high)),
});

/** The range of a parameter with these bounds, or without bounds. */
export const rangeIn = (bounds: readonly number[] | undefined): Range =>
  bounds === undefined ? IN_FLOAT32 : within(bounds as readonly [number, number]);

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
