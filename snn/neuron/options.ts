/** The options of a layer or a rule, read once: by the definition of its class, with the preset that they name. */
import { choiceOf, numberOf, type Range, show, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";
import { checkNeeds, IN_FLOAT32, missing, type Needs } from "../layer/checks.ts";
import { checkValue, persistentCopy } from "../layer/per-neuron.ts";
import type { Chosen, NeuronChoices, OptionalParameters, SourceOptions, Spellings } from "./definition.ts";
import { boundsOf, checkKnown, within } from "./definition.ts";

type Options = Readonly<Record<string, unknown>>;

/** A parameter that is computed from other options. */
export interface Source {
  /** These options, with their defaults. */
  readonly options: SourceOptions;
  /** The value of the parameter from all options, or undefined, where the option of its own name or the default counts. */
  value(given: never, asked: never): number | Tensor | undefined;
}

/** The part of a definition that says which options there are. */
export interface Schema {
  readonly name: string;
  readonly parameters: Readonly<Record<string, number>>;
  readonly optional?: OptionalParameters;
  /** Whether numbers of optional parameters become part of the code. Default true. */
  readonly fold?: boolean;
  readonly from?: Readonly<Record<string, Source>>;
  readonly also?: Spellings;
  readonly choices?: NeuronChoices;
  readonly needs?: Needs;
  readonly learn?: readonly string[];
  /** Bounds [low, high] of parameters: fixed values outside are errors, learned ones are clamped. */
  readonly constrain?: Readonly<Record<string, readonly number[]>>;
  readonly numerics?: Readonly<Record<string, object>>;
}

/** Options that all classes of a kind have besides the ones of their definitions, with their defaults. */
interface Common {
  readonly numerics: string | undefined;
}

/** The default of a choice or of an optional parameter: the first of a list, or the value itself. */
const first = (usual: unknown): unknown => (Array.isArray(usual) ? usual[0] : usual);

/** A default as `withDefaults` takes it: the types of null and NaN, which stand for no default, are checked where the value is read. */
const usually = (usual: unknown): unknown => {
  const x = first(usual);
  return x === null || Number.isNaN(x) ? undefined : x;
};

/** The options of a definition with their defaults: undefined for those that may be tensors. */
export function optionsOf({ parameters, optional = {}, from = {}, also = {}, choices = {} }: Schema): Options {
  const options: Record<string, unknown> = {};
  for (const name of Object.keys(parameters)) {
    options[name] = undefined;
    for (const [other, usual] of Object.entries(from[name]?.options ?? {})) options[other] = usually(usual);
  }
  for (const name of Object.keys(optional)) options[name] = undefined;
  for (const name of Object.keys(also)) options[name] = false;
  for (const [name, choice] of Object.entries(choices)) options[name] = first(choice);
  return options;
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

/** The options of one layer or rule: each is read once, and checked but for the values of parameters, which {@link ReadOptions.tensor} checks. */
export class ReadOptions<Own extends Schema = Schema, Further extends Common = Common> {
  /** The definition. */
  readonly schema: Own;
  /** The options that the caller has given. */
  readonly asked: Options;
  /** The given options, completed by the preset and the defaults. */
  readonly given: Further & Options;
  /** The choices. */
  readonly chosen: Chosen<NeuronChoices>;
  /** Optional parameters that are none here: the number, the word, or null where there is neither. */
  readonly folded: Readonly<Record<string, number | string | null>>;
  /** The defaults of the parameters, by name. */
  readonly parameters: Readonly<Record<string, number>>;
  /** The parameters that are learned. */
  readonly learned: ReadonlySet<string>;
  /** Bounds of parameters. */
  readonly bounds: Readonly<Record<string, readonly number[]>>;

  /**
   * Reads options. `common` has the options of all classes of the kind, `extra` the parameters, with their defaults,
   * that only a layer has which is given or learns them; `where` stands in errors of names and types.
   */
  constructor(schema: Own, common: Further, options: unknown, extra: Schema["parameters"] = {}, where = schema.name) {
    const { name, optional = {}, needs = {} } = schema;
    const given = withDefaults<Further & Options>(where, { ...optionsOf(schema), ...common }, options);
    this.schema = schema;
    this.asked = { ...given };
    this.given = withPreset(schema, given);
    this.checkSources();
    this.chosen = this.readChoices();

    const { learn = schema.learn ?? [], constrain = {} } = given;
    const isExtra = (key: string): boolean => given[key] !== undefined || (Array.isArray(learn) && learn.includes(key));
    const more = Object.keys(extra).filter(isExtra);
    const names = [...Object.keys(schema.parameters), ...Object.keys(optional), ...more];
    this.learned = this.readLearned(names, learn);
    const own = boundsOf(name, names, constrain, Object.keys(extra));
    const without = Object.keys(extra).find((key) => key in own && !more.includes(key));
    if (without !== undefined) throw noParameter(name, without, given[without]);
    this.bounds = { ...schema.constrain, ...own };

    const isNamed = (key: string): boolean => this.learned.has(key) || key in own;
    this.folded = this.readOptional(isNamed);
    const others = Object.entries(optional).filter(([key]) => this.folded[key] === undefined);
    const present = Object.fromEntries([
      ...others.map(([key, usual]) => [key, first(usual)]),
      ...more.map((key) => [key, extra[key]]),
    ]);
    this.parameters = { ...schema.parameters, ...present };
    const isAsked = (key: string): boolean => {
      const isUsual = this.asked[key] === undefined || this.asked[key] === first(schema.choices?.[key]);
      return !isUsual || (key in optional ? isNamed(key) : this.learned.has(key));
    };
    checkNeeds(name, needs, isAsked, { ...this.factors(), ...this.chosen });
  }

  /** Throws for options of sources that have another type, or are none of the words. */
  private checkSources(): void {
    const { name, from = {} } = this.schema;
    for (const { options } of Object.values(from)) {
      for (const [key, usual] of Object.entries(options)) {
        const value = this.given[key];
        if (Array.isArray(usual)) choiceOf(name, key, value, usual as readonly string[]);
        else if (value !== undefined && usual === null) checkValue(name, key, value as number | Tensor, ANY);
        else if (value !== undefined && Number.isNaN(usual)) numberOf(name, key, value, ANY);
      }
    }
  }

  /** The choices; a preset's choice without an effect counts as the default. */
  private readChoices(): Chosen<NeuronChoices> {
    const { schema, given, asked } = this;
    const { name, choices = {}, needs = {} } = schema;
    const chosen: Record<string, unknown> = {};
    for (const [key, usual] of Object.entries(choices)) {
      const value = given[key];
      if (Array.isArray(usual)) chosen[key] = choiceOf(name, key, value, usual as readonly string[]);
      else chosen[key] = typeof usual === "number" ? numberOf(name, key, value, IN_FLOAT32) : value;
    }
    for (const [key, usual] of Object.entries(choices)) {
      if (asked[key] === undefined && missing(needs, key, chosen)) chosen[key] = first(usual);
    }
    return chosen as Chosen<NeuronChoices>;
  }

  /** The parameters of these names that are learned. */
  private readLearned(names: readonly string[], learn: unknown): Set<string> {
    const { name, needs = {}, also = {} } = this.schema;
    const learned = learnedOf(name, names, learn);
    // A definition or a preset learns a parameter where this has an effect.
    if (this.asked.learn === undefined) {
      for (const key of learned) if (missing(needs, key, this.chosen)) learned.delete(key);
    }
    for (const [key, spelling] of Object.entries(also)) if (this.given[key] === true) learned.add(spelling.learn);
    return learned;
  }

  /** Optional parameters that are none: those without a value, words, and numbers that are neither learned nor bounded. */
  private readOptional(isNamed: (key: string) => boolean): Record<string, number | string | null> {
    const { name, optional = {}, fold = true } = this.schema;
    const folded: Record<string, number | string | null> = {};
    for (const [key, usual] of Object.entries(optional)) {
      const own = this.given[key];
      const value = own === undefined ? first(usual) : own;
      const isNone = own === undefined ? value === null : Array.isArray(usual) && usual.indexOf(own) > 0;
      if (isNone && isNamed(key)) throw noParameter(name, key, own);
      const isNumber = typeof value === "number" && (fold || own === undefined) && !isNamed(key);
      if (isNumber) numberOf(name, key, value, this.rangeOf(key));
      if (isNone || isNumber) folded[key] = value as number | string | null;
    }
    return folded;
  }

  /** The parameters as factors that options may need; a factor that the caller gives may be 0, as a value among others. */
  private factors(): Options {
    const { schema, given, asked } = this;
    const factors = Object.entries(schema.parameters).map(([key, usual]) => [key, given[key] ?? usual]);
    return Object.fromEntries(factors.filter(([key]) => asked[key as string] === undefined));
  }

  /** The values that a parameter may have: those within its bounds where it is not learned. */
  rangeOf(key: string): Range {
    const own = this.bounds[key];
    return own === undefined || this.learned.has(key) ? IN_FLOAT32 : within(own as readonly [number, number]);
  }

  /**
   * The tensor of a parameter, persistent.
   *
   * @throws RangeError for a value outside of the range, or values in more than one axis; TypeError for anything else.
   */
  tensor(key: string): Tensor {
    const { schema, given, asked, parameters } = this;
    const computed = schema.from?.[key]?.value(given as never, asked as never);
    const own = computed === undefined ? given[key] : computed;
    const value = own === undefined ? parameters[key] : own;
    return persistentCopy(schema.name, key, value as number | Tensor, this.rangeOf(key));
  }
}

/** The given options, completed by the preset that `numerics` names. */
function withPreset<Given extends Common>({ name, numerics = {} }: Schema, given: Given): Given {
  if (given.numerics === undefined) return given;
  const preset = numerics[choiceOf(name, "numerics", given.numerics, Object.keys(numerics))];
  // The given options alone are fields of their own.
  return Object.assign(given, { ...preset, ...given });
}

/** Any number: the function that computes the parameter has the range. */
const ANY: Range = { expected: "a number", fits: () => true };

/** The error of an option that is to be learned or bounded, and is no number or tensor. */
const noParameter = (where: string, name: string, value: unknown): RangeError =>
  wrongValue(where, `${name} as a number or a tensor, since learn or constrain name it`, show(value));
