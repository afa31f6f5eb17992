/** Definitions in the earlier form, with optional parameters, sources, spellings and learned parameters as members beside `parameters`. */
import { objectOf } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";
import {
  checkKnown,
  type NeuronChoices,
  type NoChoices,
  type ParameterSource,
  type SourceOptions,
} from "./definition.ts";
import { learnedOf } from "./options.ts";
import type { Known, NeuronDefinition } from "./types.ts";

/** @deprecated Parameters in the form of the member `optional`; now `{ default, optional }` in `parameters`. */
export type OptionalParameters = { readonly [name: string]: number | null | readonly [number | null, ...string[]] };

/** @deprecated Options in the form of the member `also`; now `also` of the parameter. */
export type Spellings = {
  readonly [name: string]: {
    /** The parameter that the option learns. */
    readonly learn: string;
  };
};

/** Parameters, optional ones, sources and spellings as entries of `parameters`. */
export type Rewritten<Parameters, Optional, From, Also> = {
  readonly [name in keyof Parameters]: {
    /** The default of the parameter. */
    readonly default: number;
    /** Other options that set it. */
    readonly also: { readonly [option in keyof Also]: false };
  } & (name extends keyof From
    ? {
        /** Options that the parameter is computed from. */
        readonly from: {
          /** The options by name, with their types. */
          readonly options: From[name];
          /** Computes the parameter. */
          value(): number;
        };
      }
    : unknown);
} & {
  readonly [name in keyof Optional]: {
    /** The default of the parameter, null for none. */
    readonly default: Optional[name] extends null | readonly [null, ...string[]] ? null : number;
    /** Words that may stand for the parameter, or true. */
    readonly optional: Optional[name] extends readonly [unknown, ...infer Words extends readonly string[]]
      ? Words
      : true;
    /** Other options that set it. */
    readonly also: { readonly [option in keyof Also]: false };
  };
};

/** @deprecated A definition with members that are fields of its parameters now. */
export type DefinitionBefore<
  State extends string,
  Parameters extends Readonly<Record<string, number>>,
  Outputs,
  Choices extends NeuronChoices,
  Preset extends string,
  Optional extends OptionalParameters,
  From extends Readonly<Record<string, SourceOptions>>,
  Also extends Spellings,
> = Omit<
  NeuronDefinition<
    State,
    Rewritten<Known<Parameters>, Known<Optional>, Known<From>, Known<Also>>,
    Outputs,
    Choices,
    Preset
  >,
  "parameters"
> & {
  /** The usual parameters with their defaults. */
  readonly parameters: Parameters;
  /** Parameters that a layer may lack; now `optional` of the parameter. */
  readonly optional?: Optional;
  /** Whether numbers of optional parameters are constants of the compiled step; now `fold` of the parameter. */
  readonly fold?: boolean;
  /** Parameters that are computed from other options; now `from` of the parameter. */
  readonly from?: {
    readonly [name in keyof From]: ParameterSource<
      From[name],
      { readonly [name in keyof Known<Parameters>]?: number | Tensor }
    >;
  };
  /** Other spellings of `learn`; now `also` of the parameter. */
  readonly also?: Also;
  /** Parameters that are learned by default; now `learn` of the parameter. */
  readonly learn?: readonly (keyof (Known<Parameters> & Known<Optional>) & string)[];
};

type Members = Partial<
  DefinitionBefore<
    string,
    NoChoices,
    object,
    NoChoices,
    never,
    OptionalParameters,
    Readonly<Record<string, SourceOptions>>,
    Spellings
  >
>;

const MEMBERS = ["optional", "fold", "from", "also", "learn"] as const;

/**
 * A definition without these members. A compiler that finds one of them tries the next overload of `neuron` before it infers the types of
 * functions from this one.
 */
export type WithoutMembers = { readonly [member in (typeof MEMBERS)[number]]?: never };

/**
 * Moves the members `optional`, `fold`, `from`, `also` and `learn` of a definition into the fields of its parameters. Returns a definition
 * without such members unchanged.
 */
export function rewritten(definition: object): object {
  const { optional = {}, fold, from = {}, also = {}, learn = [], ...others } = definition as Members;
  if (!MEMBERS.some((member) => member in definition)) return definition;
  const where = String(others.name);
  const fields = new Map<string, Record<string, unknown>>();
  for (const [key, usual] of Object.entries(objectOf(where, "parameters, defaults by name", others.parameters))) {
    fields.set(key, { default: usual });
  }
  for (const [key, usual] of Object.entries(objectOf(where, "optional, defaults by name", optional))) {
    if (fields.has(key)) throw new TypeError(`${where}: ${key} is a name that is taken; call the parameter otherwise`);
    const [first, ...words] = Array.isArray(usual) ? usual : [usual];
    fields.set(key, { default: first, optional: words.length === 0 || words, fold });
  }
  const names = [...fields.keys()];
  const fieldsOf = (member: string, key: unknown): Record<string, unknown> => {
    checkKnown(where, member, names, key);
    return fields.get(key as string) as Record<string, unknown>;
  };
  for (const [key, source] of Object.entries(objectOf(where, "from, sources by parameter", from))) {
    fieldsOf("from", key).from = source;
  }
  for (const [option, spelling] of Object.entries(objectOf(where, "also, { learn } by name", also))) {
    const { learn: key } = objectOf(where, `also.${option} as { learn }`, spelling);
    const entry = fieldsOf(`also.${option}.learn`, key);
    entry.also = { ...(entry.also as object), [option]: false };
  }
  for (const key of learnedOf(where, names, learn)) fieldsOf("learn", key).learn = true;
  return { ...others, parameters: Object.fromEntries(fields) };
}
