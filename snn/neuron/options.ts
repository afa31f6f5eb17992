/**
 * Reads the options of a layer or a rule when it is made. The definition of the class says which options there are; the option `numerics`
 * names a preset, which gives further defaults.
 */
import { choiceOf, numberOf, type Range, show, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";
import { checkNeeds, IN_FLOAT32, missing, type Needs, NOT_ZERO } from "../layer/checks.ts";
import { checkValue, persistentCopy } from "../layer/per-neuron.ts";
import type { Chosen, NeuronChoices, ParameterEntries, ParameterEntry, ParameterFields } from "./definition.ts";
import { boundsOf, checkKnown, rangeIn } from "./definition.ts";

type Options = Readonly<Record<string, unknown>>;

/** The part of a definition that says which options there are. */
export interface Schema {
  readonly name: string;
  readonly parameters: ParameterEntries;
  readonly choices?: NeuronChoices;
  readonly needs?: Needs;
  /** Bounds [low, high] of parameters: fixed values outside are errors, learned ones are clamped. */
  readonly constrain?: Readonly<Record<string, readonly number[]>>;
  readonly numerics?: Readonly<Record<string, object>>;
}

/** Options with defaults that all neurons, or all rules, have besides those of their definitions. */
interface Common {
  readonly numerics: string | undefined;
}

/** The default of a choice: the first of a list, or the value itself. */
const first = (usual: unknown): unknown => (Array.isArray(usual) ? usual[0] : usual);

/** A default for `withDefaults`. null and NaN mean no default: the code that reads the value then checks its type. */
const usually = (usual: unknown): unknown => {
  const x = first(usual);
  return x === null || Number.isNaN(x) ? undefined : x;
};

/** A parameter with all of its fields. */
export const fieldsOf = (entry: ParameterEntry): ParameterFields =>
  typeof entry === "number" ? { default: entry } : entry;

/** The options of a definition with their defaults; the default is undefined if a tensor is allowed. */
export function optionsOf({ parameters, choices = {} }: Schema): Options {
  const options: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(parameters)) {
    const { from, also } = fieldsOf(entry);
    options[name] = undefined;
    for (const [other, usual] of Object.entries(from?.options ?? {})) options[other] = usually(usual);
    Object.assign(options, also);
  }
  for (const [name, choice] of Object.entries(choices)) options[name] = first(choice);
  return options;
}

/** Names of parameters that a layer learns, each once. */
export function learnedOf(where: string, names: readonly string[], learn: unknown): Set<string> {
  if (!Array.isArray(learn)) throw wrongType(where, "learn as a list of parameters", learn);
  const learned = new Set<string>();
  // Each entry is checked when it is read. An array whose iterator never ends therefore throws at its first wrong entry.
  for (const name of learn) {
    checkKnown(where, "learn", names, name);
    learned.add(name as string);
  }
  return learned;
}

/** The options of a definition in the form that layers read; made once for each definition. */
interface Reading {
  /** All options, with their defaults. */
  readonly usual: Options;
  /** The names of parameters, and their fields. */
  readonly names: readonly string[];
  readonly fields: Readonly<Record<string, ParameterFields>>;
  /** The parameters that every layer has, with their defaults, and the names of optional ones. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly optional: readonly string[];
  /** Parameters that exist only in layers where they are given or learned. */
  readonly extra: readonly string[];
  /** The parameters that are learned if the option `learn` is absent. */
  readonly learn: readonly string[];
  /** Options that make a parameter learned, and that parameter. */
  readonly also: readonly (readonly [option: string, parameter: string])[];
  readonly choices: readonly (readonly [name: string, usual: unknown])[];
  /** Choices that need other choices. */
  readonly dependent: readonly string[];
  /** Options of sources, with their defaults. */
  readonly sources: readonly (readonly [name: string, usual: unknown])[];
  /** Whether an option needs a parameter that is not 0. */
  readonly needsFactors: boolean;
  /** Ranges of parameters with bounds. */
  readonly ranges: Readonly<Record<string, Range>>;
}

const readings = new WeakMap<Schema, Reading>();

function readingOf(schema: Schema, common: object, extra: object): Reading {
  const known = readings.get(schema);
  if (known !== undefined) return known;
  const { choices = {}, needs = {}, constrain = {} } = schema;
  const all = Object.entries(schema.parameters).map(([name, entry]) => [name, fieldsOf(entry)] as const);
  const always = all.filter(([, { optional = false }]) => optional === false);
  const optional = all.filter(([, { optional = false }]) => optional !== false);
  const named = (list: readonly (readonly [name: string, ParameterFields])[]) => list.map(([name]) => name);
  const reading: Reading = {
    usual: { ...optionsOf(schema), ...common },
    names: named(all),
    fields: Object.fromEntries(all),
    parameters: Object.fromEntries(always.map(([name, fields]) => [name, fields.default as number])),
    optional: named(optional),
    extra: Object.keys(extra),
    learn: named(all.filter(([, { learn }]) => learn)),
    also: all.flatMap(([name, { also = {} }]) => Object.keys(also).map((option) => [option, name] as const)),
    choices: Object.entries(choices),
    dependent: Object.keys(choices).filter((name) => name in needs),
    sources: all.flatMap(([, { from }]) => Object.entries(from?.options ?? {})),
    needsFactors: Object.values(needs).some((others) => Object.values(others).includes(NOT_ZERO)),
    ranges: Object.fromEntries(Object.entries(constrain).map(([name, bounds]) => [name, rangeIn(bounds)])),
  };
  readings.set(schema, reading);
  return reading;
}

/** The options of one layer or rule, each read once and checked; {@link ReadOptions.tensor} checks the values of parameters. */
export class ReadOptions<Own extends Schema = Schema, Further extends Common = Common> {
  /** The definition. */
  readonly schema: Own;
  /** The options that the caller has given. */
  readonly asked: Options;
  /** The given options, completed by the preset and the defaults. */
  readonly given: Further & Options;
  /** The choices. */
  readonly chosen: Chosen<NeuronChoices>;
  /** Optional parameters that became part of the code: the number, the word, or null for no value. */
  readonly folded: Readonly<Record<string, number | string | null>>;
  /** The defaults of the parameters, by name. */
  readonly parameters: Readonly<Record<string, number>>;
  /** The parameters that are learned. */
  readonly learned: ReadonlySet<string>;
  /** Bounds of parameters. */
  readonly bounds: Readonly<Record<string, readonly number[]>>;
  private readonly reading: Reading;

  /**
   * Reads options. `common` has the options of all classes of the kind; `extra` has, with defaults, the parameters that
   * exist only in layers where they are given or learned. Both are always the same for one definition. `where` is the
   * name in errors about option names and types.
   */
  constructor(
    schema: Own,
    common: Further,
    options: unknown,
    extra: Readonly<Record<string, number>> = NOTHING,
    where = schema.name,
  ) {
    const { name } = schema;
    const reading = readingOf(schema, common, extra);
    const given = withDefaults<Further & Options>(where, reading.usual as Further & Options, options);
    this.schema = schema;
    this.reading = reading;
    this.asked = { ...given };
    this.given = withPreset(schema, given);
    this.checkSources();
    this.chosen = this.readChoices();

    const { learn = reading.learn, constrain } = given;
    const isExtra = (key: string): boolean => given[key] !== undefined || (Array.isArray(learn) && learn.includes(key));
    const more = reading.extra.filter(isExtra);
    const names = more.length === 0 ? reading.names : [...reading.names, ...more];
    this.learned = this.readLearned(names, learn);
    const own = constrain === undefined ? NOTHING : boundsOf(name, names, constrain, reading.extra);
    const without = reading.extra.find((key) => key in own && !more.includes(key));
    if (without !== undefined) throw noParameter(name, without, given[without]);
    const { constrain: bounds = NOTHING } = schema;
    this.bounds = own === NOTHING ? bounds : { ...bounds, ...own };

    const isNamed = (key: string): boolean => this.learned.has(key) || key in own;
    this.folded = this.readOptional(isNamed);
    this.parameters = this.present(more, extra);
    const isAsked = (key: string): boolean => {
      const isUsual = this.asked[key] === undefined || this.asked[key] === first(schema.choices?.[key]);
      return !isUsual || (reading.optional.includes(key) ? isNamed(key) : this.learned.has(key));
    };
    checkNeeds(
      name,
      schema.needs ?? NOTHING,
      isAsked,
      reading.needsFactors ? { ...this.factors(), ...this.chosen } : this.chosen,
    );
  }

  /** Throws for options of sources with a different type or an unknown word. */
  private checkSources(): void {
    const { name } = this.schema;
    for (const [key, usual] of this.reading.sources) {
      const value = this.given[key];
      if (Array.isArray(usual)) choiceOf(name, key, value, usual as readonly string[]);
      else if (value !== undefined && usual === null) checkValue(name, key, value as number | Tensor, ANY);
      else if (value !== undefined && Number.isNaN(usual)) numberOf(name, key, value, ANY);
    }
  }

  /** The choices; a preset's choice without an effect counts as the default. */
  private readChoices(): Chosen<NeuronChoices> {
    const { schema, reading, given, asked } = this;
    const { name, needs = NOTHING } = schema;
    const chosen: Record<string, unknown> = {};
    for (const [key, usual] of reading.choices) {
      const value = given[key];
      if (Array.isArray(usual)) chosen[key] = choiceOf(name, key, value, usual as readonly string[]);
      else chosen[key] = typeof usual === "number" ? numberOf(name, key, value, IN_FLOAT32) : value;
    }
    for (const key of reading.dependent) {
      if (asked[key] === undefined && missing(needs, key, chosen)) chosen[key] = reading.usual[key];
    }
    return chosen as Chosen<NeuronChoices>;
  }

  private readLearned(names: readonly string[], learn: unknown): Set<string> {
    const { name, needs = NOTHING } = this.schema;
    const learned = learnedOf(name, names, learn);
    // A definition or a preset learns a parameter only if this has an effect.
    if (this.asked.learn === undefined) {
      for (const key of learned) if (missing(needs, key, this.chosen)) learned.delete(key);
    }
    for (const [option, key] of this.reading.also) if (this.given[option] === true) learned.add(key);
    return learned;
  }

  /** The optional parameters that become part of the code: absent ones, words, and numbers that are neither learned nor bounded. */
  private readOptional(isNamed: (key: string) => boolean): Record<string, number | string | null> {
    const { name } = this.schema;
    const { fields, optional } = this.reading;
    const folded: Record<string, number | string | null> = {};
    for (const key of optional) {
      const { default: usual, optional: words, fold = true } = fields[key] as ParameterFields;
      const own = this.given[key];
      const value = own === undefined ? usual : own;
      const isNone = own === undefined ? value === null : Array.isArray(words) && words.includes(own);
      if (isNone && isNamed(key)) throw noParameter(name, key, own);
      const isNumber = typeof value === "number" && (fold || own === undefined) && !isNamed(key);
      if (isNumber) numberOf(name, key, value, this.rangeOf(key));
      if (isNone || isNumber) folded[key] = value as number | string | null;
    }
    return folded;
  }

  /** The defaults of the parameters of the layer: all but the folded ones, and those in `more`. */
  private present(more: readonly string[], extra: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
    const { reading, folded } = this;
    const { names, fields, optional } = reading;
    if (more.length === 0 && optional.every((key) => folded[key] !== undefined)) return reading.parameters;
    const parameters: Record<string, number> = {};
    for (const key of names) if (folded[key] === undefined) parameters[key] = fields[key]?.default as number;
    for (const key of more) parameters[key] = extra[key] as number;
    return parameters;
  }

  /** The names of optional parameters. */
  get optional(): readonly string[] {
    return this.reading.optional;
  }

  /**
   * The parameters, for options that need one that is not 0. A parameter that the caller gives counts as non-zero, even
   * if it is 0.
   */
  private factors(): Options {
    const { reading, given, asked } = this;
    const factors = Object.entries(reading.parameters).map(([key, usual]) => [key, given[key] ?? usual]);
    return Object.fromEntries(factors.filter(([key]) => asked[key as string] === undefined));
  }

  /** The values that a parameter may have: any if it is learned, else those within its bounds. */
  rangeOf(key: string): Range {
    const { bounds, schema, reading } = this;
    const own = bounds[key];
    if (own === undefined || this.learned.has(key)) return IN_FLOAT32;
    return own === schema.constrain?.[key] ? (reading.ranges[key] as Range) : rangeIn(own);
  }

  /**
   * The tensor of a parameter, persistent.
   *
   * @throws RangeError for a value outside of the range, or values in more than one axis; TypeError for anything else.
   */
  tensor(key: string): Tensor {
    const { schema, reading, given, asked, parameters } = this;
    const computed = reading.fields[key]?.from?.value(given as never, asked as never);
    const own = computed === undefined ? given[key] : computed;
    const value = own === undefined ? parameters[key] : own;
    return persistentCopy(schema.name, key, value as number | Tensor, this.rangeOf(key));
  }
}

/** The given options, completed by the preset that `numerics` names. */
function withPreset<Given extends Common>({ name, numerics = NOTHING }: Schema, given: Given): Given {
  if (given.numerics === undefined) return given;
  const preset = (numerics as Options)[choiceOf(name, "numerics", given.numerics, Object.keys(numerics))];
  // The own properties of `given` are the options of the caller; its prototype has the defaults.
  return Object.assign(given, { ...(preset as object), ...given });
}

const NOTHING: Readonly<Record<string, never>> = {};

/** Any number: the function that computes the parameter checks the range. */
const ANY: Range = { expected: "a number", fits: () => true };

/** The error for an option that is learned or bounded but is not a number or tensor. */
const noParameter = (where: string, name: string, value: unknown): RangeError =>
  wrongValue(where, `${name} as a number or a tensor, since learn or constrain name it`, show(value));
