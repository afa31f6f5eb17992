/** Checked definitions of neurons, and the options of a layer. */
import { choiceOf, joined, numberOf, show, wrongValue } from "../../engine/arguments.ts";
import type { Program, Value } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import { type Fire, STEPS, strictOf } from "../layer/checks.ts";
import { sigmoid } from "../surrogates/known.ts";
import { checkSurrogate, type Surrogate } from "../surrogates/surrogate.ts";
import type { NeuronChoices, NoChoices, ParameterEntries } from "./definition.ts";
import { GRADED } from "./names.ts";
import type { CompiledNeuron } from "./op.ts";
import { ReadOptions, type Schema } from "./options.ts";
import type { Named } from "./parameters.ts";
import type { Plain } from "./plain.ts";
import type { Firing, Inhibition, NeuronKind } from "./step.ts";
import type { NeuronDefinition, NeuronOutputs, TypedBy } from "./types.ts";

export type Initial = number | ((parameters: Named, choices?: never) => unknown);
/** A definition with any names. */
export type Definition = NeuronDefinition<
  string,
  ParameterEntries,
  Readonly<Record<string, Value | number>>,
  NeuronChoices,
  string
>;

/** A definition that was checked. */
export interface NeuronSpec extends NeuronKind, Schema {
  readonly initial: readonly Initial[];
  /**
   * The choices that the equation was made with, and optional parameters: numbers, words, or null if the layer has a parameter of that
   * name.
   */
  readonly chosen?: Readonly<Record<string, unknown>>;
  /** If this form is a changed one, for example with rounded states, the original form and its step; else absent. */
  readonly own?: { readonly form: NeuronSpec; readonly compiled: CompiledNeuron };
  readonly without?: (choices: never) => readonly string[];
  /**
   * Equations that layers with equal options share, the last used first. Absent for the definition of a user: its functions may return
   * different results each time, so they run for each layer.
   */
  readonly shared?: Equation[];
  /** Options besides the ones of the definition, with their defaults. Default {@link OPTIONS}. */
  readonly common?: Common;
  /** The options of kernels that run layers of this form; null if no kernels do. Default: null. */
  readonly plain?: (form: NeuronSpec, firing: Firing) => Plain | null;
  step(argument: never, chosen?: never): Readonly<Record<string, Value | number>>;
}

/** The traced steps of a layer: the step of its neurons, and the step of the scores by which they compete, or null. */
export interface Programs {
  readonly step: Program;
  readonly scores: Program | null;
}

/** A definition with the options of a layer: its form, and its steps after the first trace. */
export class Equation {
  readonly form: NeuronSpec;
  /** The options that the equation depends on. */
  readonly key: readonly unknown[];
  programs: Programs | null = null;

  constructor(form: NeuronSpec, key: readonly unknown[] = []) {
    this.form = form;
    this.key = key;
  }
}

/** Options that a preset may set, besides parameters and choices. */
export const SETTINGS = {
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
export const OPTIONS = joined(SETTINGS, { numerics: undefined as string | undefined });

/** Options that layers of a class have besides the options of its definition. */
export type Common = Partial<typeof SETTINGS> & Pick<typeof OPTIONS, "numerics">;

/**
 * The form of a definition of the package; `more` replaces members. Tests check these definitions, so a page with only
 * such neurons contains no code that checks definitions.
 */
/* @__NO_SIDE_EFFECTS__ */
export function specOf<
  State extends string,
  const Parameters extends ParameterEntries,
  const Outputs extends NeuronOutputs<State>,
  const Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
>(
  definition: NeuronDefinition<State, Parameters, Outputs, Choices, Preset>,
  more: Partial<NeuronSpec> = {},
): NeuronSpec & TypedBy<Parameters, Choices, Preset> {
  const { state, reset = "v" in state ? "v" : null, ...others } = definition as unknown as Definition;
  const form = { ...others, states: Object.keys(state), initial: Object.values(state), reset, shared: [], ...more };
  return form as unknown as NeuronSpec;
}

/**
 * Reads the options of a layer. A layer that contains neurons and has options of its own reads all options at once: it
 * passes a form whose `common` includes its options, and hands the result to the neurons. `where` is the name in
 * errors.
 */
export function readOptions(form: NeuronSpec, options: object, where?: string): ReadOptions<NeuronSpec, Common> {
  if (options instanceof ReadOptions) return options;
  const { common = OPTIONS } = form;
  return new ReadOptions<NeuronSpec, Common>(form, common, options, GRADED in common ? { [GRADED]: 1 } : {}, where);
}

/** How a layer with these options runs its step. */
export function firingOf({ schema, asked, given, parameters }: ReadOptions<NeuronSpec, Common>): Firing {
  const { name, reset, states } = schema;
  const { surrogate = sigmoid(), spiking = SETTINGS.spiking, inhibition: rivalry } = given;
  checkSurrogate(name, surrogate);
  if (!spiking && surrogate.primitive === null) {
    throw new RangeError(`${name}: spiking: false needs a surrogate with a primitive, got ${surrogate.name}`);
  }
  const strict = strictOf(name, given.fire ?? SETTINGS.fire) === 1;
  const leaks = choiceOf(name, "refractory", given.refractory ?? SETTINGS.refractory, WAITS) === "leak";
  const hold = numberOf(name, "refractorySteps", given.refractorySteps ?? SETTINGS.refractorySteps, STEPS);
  if (hold > 0 && reset === null) {
    const hint = `name it in the definition, reset: "${states[0]}"`;
    throw new RangeError(`${name}: refractorySteps needs a state that is held; ${hint}`);
  }
  const inhibition = inhibitionOf(name, rivalry);
  // A preset may set the leak, which then concerns only layers with refractory steps.
  if (hold === 0 && (asked.refractory ?? "hold") !== "hold") {
    throw wrongValue(name, `refractorySteps > 0 with refractory "leak"`, hold);
  }
  return { surrogate, strict, hold, leaks, isGraded: GRADED in parameters, inhibition, spiking };
}

/** The words of the option `refractory`. */
const WAITS = ["hold", "leak"] as const;

/** Which neurons may fire in a step; null if all may. */
function inhibitionOf(where: string, inhibition: unknown): Inhibition | null {
  if (inhibition === undefined || inhibition === false) return null;
  if (inhibition === true) return "fire";
  if (inhibition === "output") return inhibition;
  throw wrongValue(where, 'inhibition true, false or "output"', show(inhibition));
}
