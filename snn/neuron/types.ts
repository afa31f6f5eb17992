/** Types of user-defined neurons: definitions, options, states and layers. */
import type { Value } from "../../engine/fuse/index.ts";
import type { Module, Tensor } from "../../engine/index.ts";
import type { Fire } from "../layer/checks.ts";
import type { Surrogate } from "../surrogates/surrogate.ts";
import type {
  Chosen,
  Intersection,
  NeuronChoices,
  NoChoices,
  OptionalParameters,
  SourceOptions,
  Spellings,
} from "./definition.ts";
import type { StepLanguage } from "./step.ts";

/** T, where it must be known from elsewhere: TypeScript infers nothing from this place. */
export type Known<T> = [T][T extends unknown ? 0 : never];

/** The argument of a step: the current, states and parameters by their names, and functions such as `spike` and `where`. */
export type NeuronStep<Name extends string> = StepLanguage & { readonly [name in Name]: Value };

/** The outputs of a step: spikes, the next value of each state, and further outputs of `unroll`. */
export type NeuronOutputs<State extends string> = {
  readonly [name in State]: Value;
} & (
  | {
      /** 0 or 1, made by `spike`. */
      readonly spikes: Value;
    }
  | {
      /** u, which a neuron without spikes, a readout, gives in their place; others may return it too. */
      readonly membrane: Value;
    }
) & {
    /** The value of the reset state in refractory steps; by default it stays as it was. Not among the outputs. */
    readonly held?: Value;
    /** The same where the layer has the option `refractory: "leak"`, which needs it. Not among the outputs. */
    readonly leaked?: Value;
    /** A further output. */
    readonly [name: string]: Value | undefined;
  };

/** The words that may take the place of an optional parameter. */
type Words<Usual> = Usual extends readonly [unknown, ...infer Word extends readonly string[]] ? Word[number] : never;

/** Null, where an optional parameter has no default. */
type None<Usual> = Usual extends null | readonly [null, ...(readonly string[])] ? null : never;

/**
 * Optional parameters as the step of a neuron gets them: numbers become part of the code, values are parameters, and
 * words and null come from the definition.
 */
export type OptionalValues<Optional> = {
  readonly [name in keyof Optional]: Value | number | Words<Optional[name]> | None<Optional[name]>;
};

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

/** The options of all sources of parameters. */
type AllSources<From> = [keyof From] extends [never] ? NoChoices : SourceValues<Intersection<From[keyof From]>>;

/** Options of an equation, by the names of its parameters and choices. */
export type EquationOptions<Parameters, Choices, Optional, From, Also> = {
  readonly [name in keyof Parameters]?: number | Tensor;
} & { readonly [name in keyof Optional]?: number | Tensor | Words<Optional[name]> } & Partial<AllSources<From>> & {
    readonly [name in keyof Also]?: boolean;
  } & Partial<Chosen<Choices>>;

/** A parameter that other options give, such as a decay that a time constant gives. */
export interface ParameterSource<Own extends SourceOptions, Given> {
  /**
   * These options with their defaults: words, of which the first is the default, true or false, numbers; NaN for a number without a
   * default, null for a number or a tensor without one.
   */
  readonly options: Own;
  /**
   * The value of the parameter, or undefined where the option of its own name, a preset or the default gives it.
   * `given` holds all options with the options of a preset, and the defaults of words, numbers, true and false; `asked`
   * holds the options of the caller alone.
   */
  value(
    given: Given & Partial<SourceValues<Own>>,
    asked: Given & Partial<SourceValues<Own>>,
  ): number | Tensor | undefined;
}

/** A neuron as {@link neuron} takes it. */
export interface NeuronDefinition<
  State extends string,
  Parameters extends Readonly<Record<string, number>>,
  Outputs,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
  Optional extends OptionalParameters = NoChoices,
  From extends Readonly<Record<string, SourceOptions>> = NoChoices,
  Also extends Spellings = NoChoices,
> {
  /** The name of the class, which begins with a letter. */
  readonly name: string;
  /** The states that a step leaves to the next one, with the values at the start: numbers, or functions of parameters and choices. */
  readonly state: {
    readonly [name in State]:
      | number
      | ((
          parameters: { readonly [name in keyof Known<Parameters>]: Value } & OptionalValues<Known<Optional>>,
          choices: Chosen<Known<Choices>>,
        ) => Value | number);
  };
  /** The parameters with their defaults. */
  readonly parameters: Parameters;
  /**
   * Optional parameters with their defaults: numbers, null for none, or lists of one of these and of words that may take the place of the
   * value, as `[1, "leak"]`. A number is part of the code, as if it stood in the step; a tensor and a value that is learned or has bounds of
   * the layer is a parameter. Default: none.
   */
  readonly optional?: Optional;
  /** Whether a number of an optional parameter is part of the code; false: one that is given is a parameter. Default true. */
  readonly fold?: boolean;
  /** Parameters that other options give, such as a decay that a time constant gives. Default: none. */
  readonly from?: {
    readonly [name in keyof From]: ParameterSource<
      From[name],
      { readonly [name in keyof Known<Parameters>]?: number | Tensor }
    >;
  };
  /** Options that are another spelling of `learn`: `learnBeta: { learn: "beta" }` learns beta where it is true. Default: none. */
  readonly also?: Also;
  /** The state that a spike resets; it is held in refractory steps. Default: `v`, where there is one. */
  readonly reset?: Known<State>;
  /**
   * Choices between forms of the equation, options of the class: the step gets the layer's choices as its second
   * argument.
   */
  readonly choices?: Choices;
  /** The states that a layer with these choices does not have, for a part of the equation that it leaves out. Default: none. */
  readonly without?: (choices: Chosen<Known<Choices>>) => readonly Known<State>[];
  /**
   * Options that have an effect with some choices alone, and the words or values of these: a layer with others that is given or learns such
   * an option is an error, where no preset gives it. Default: none.
   */
  readonly needs?: {
    readonly [option in keyof EquationOptions<
      Known<Parameters>,
      Known<Choices>,
      Known<Optional>,
      Known<From>,
      Known<Also>
    >]?: {
      readonly [choice in keyof Known<Choices>]?: readonly unknown[];
    };
  };
  /** The parameters that are learned where the option `learn` is not given and the choices need them. Default: none. */
  readonly learn?: readonly (keyof (Known<Parameters> & Known<Optional>) & string)[];
  /**
   * Bounds [low, high] of parameters: a fixed value outside of them is an error, a learned one is stored raw and clamped in the
   * forward pass, with zero gradient outside.
   */
  readonly constrain?: {
    readonly [name in keyof (Known<Parameters> & Known<Optional>)]?: readonly [low: number, high: number];
  };
  /** Sets of options by name, such as the options under which the neuron equals a neuron of another package. */
  readonly numerics?: {
    readonly [name in Preset]: NeuronOptions<
      Known<Parameters>,
      Known<Choices>,
      never,
      Known<Optional>,
      Known<From>,
      Known<Also>
    >;
  };
  /**
   * One time step, for each neuron on its own: the equations, with the methods of tensors. A step returns at most 31
   * values.
   */
  step(
    argument: NeuronStep<Known<State> | (keyof Known<Parameters> & string)> & OptionalValues<Known<Optional>>,
    choices: Chosen<Known<Choices>>,
  ): Outputs;
}

/** Options of a neuron that {@link neuron} has made: its parameters and choices by their names, and these. */
export type NeuronOptions<
  Parameters,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
  Optional extends OptionalParameters = NoChoices,
  From extends Readonly<Record<string, SourceOptions>> = NoChoices,
  Also extends Spellings = NoChoices,
> = EquationOptions<Parameters, Choices, Optional, From, Also> & {
  /** A named set of these options, which explicit ones override. Default: none. */
  readonly numerics?: Preset;
} & LearnOptions<(keyof (Parameters & Optional) & string) | "gradedSpikesFactor"> &
  FiringOptions;

/** Which parameters are learned, and their bounds. */
export interface LearnOptions<Parameter extends string> {
  /** Names of the parameters that are learned. Default: none. */
  readonly learn?: readonly Parameter[];
  /**
   * Bounds [low, high] of parameters: a fixed value outside of them is an error, a learned one is stored raw and clamped in the
   * forward pass, with zero gradient outside. Default: the bounds of the neuron.
   */
  readonly constrain?: { readonly [name in Parameter]?: readonly [low: number, high: number] };
}

/** How neurons fire: options of all classes that {@link neuron} has made. */
export interface FiringOptions {
  /** How the spike is differentiated. Default surrogate.sigmoid({ slope: 10 }). */
  readonly surrogate?: Surrogate;
  /** Fires at x ≥ 0, or at x > 0 with "gt". Default "ge". */
  readonly fire?: Fire;
  /**
   * Steps after a spike in which the neuron does not fire; an integer in [0, 2²⁴]. In these steps the state of the reset, and with it the
   * membrane, keeps its value, or takes the output `held` of a step that returns one. Other states go on. Default 0.
   */
  readonly refractorySteps?: number;
  /** "leak": in refractory steps, of which there must be some, the state of the reset decays without input. Default "hold". */
  readonly refractory?: "hold" | "leak";
  /** Graded spikes: spikes leave the layer times this factor; a number, or a tensor [] or [N]. Default: none, spikes are 0 or 1. */
  readonly gradedSpikesFactor?: number | Tensor;
  /**
   * Winner takes all. true: in each step only the neuron of the last axis with the largest x of spike(x), u − θ, may fire, and the
   * others are not reset; a reset that comes a step late sees the membrane alone, so it resets all that have reached θ. "output":
   * all fire, are reset and refractory, but the spike of the winner alone leaves the layer. Of equal neurons the first wins;
   * refractory ones do not compete. Currents are [T, N] or [T, B, N]; maps are flattened before. Steps run one after the other.
   * Default false.
   */
  readonly inhibition?: boolean | "output";
  /**
   * false: the surrogate's smooth primitive takes the place of the spike, and all gradients are exact: `detach` has no effect,
   * and `where` and `select` weigh by it. Default true.
   */
  readonly spiking?: boolean;
}

/** State between time steps, [B, …] by name. */
export type NeuronState<State extends string> = { readonly [name in State]: Tensor } & {
  /** Steps that each neuron is still held, where `refractorySteps` is not 0. */
  readonly refractory?: Tensor;
};

/** The result of `unroll`: the outputs of the step over time, [T, B, …], and the state after the last step. */
export type NeuronRecord<State extends string, Outputs> = {
  readonly [name in Exclude<keyof Outputs, "held" | "leaked">]: Tensor;
} & {
  /** The state after the last step, [B, …] by name. */
  readonly state: NeuronState<State>;
};

/** A layer of neurons that {@link neuron} has made; its parameters are properties. */
export interface NeuronLayer<State extends string, Outputs> extends Module {
  /**
   * Spikes [T, B, …] of a current [T, B, …], from the initial state; of a readout its membrane.
   *
   * @throws RangeError unless the current has a time axis and fits the parameters of each neuron.
   */
  forward(current: Tensor): Tensor;
  /**
   * All that the step returns, over time, and the state after the last step, from a given state on; all differentiable. Inside of
   * tapes an output that is not read costs nothing; an output that is read is computed by another forward run.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step and counters of at most refractorySteps; Error
   *   where an output is first read after the current, a state or a parameter was overwritten or freed.
   */
  unroll(current: Tensor, state?: NeuronState<State>): NeuronRecord<State, Outputs>;
  /**
   * One time step: current [B, …] → spikes [B, …], of a readout the membrane, and the next state; the same bits as `forward`.
   *
   * @throws RangeError as `unroll`.
   */
  step(current: Tensor, state: NeuronState<State>): [spikes: Tensor, state: NeuronState<State>];
  /**
   * The state before the first step, for currents of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  initialState(shape: readonly number[]): NeuronState<State>;
  /** The step and the derived backward step, as equations: ∇x is the gradient of x, and ∂x the part of it that arrives from outside. */
  toString(): string;
}

/** The parameters of a layer, by name: an optional one is there where it is a tensor, learned or bounded. */
export type NeuronParameters<Parameters, Optional> = { readonly [name in keyof Parameters]: Tensor } & {
  readonly [name in keyof Optional]?: Tensor;
};

/**
 * Types that a form stands for: the options and the fields of layers, their state and the result of `unroll`. No form
 * has a value of this type.
 */
export interface Typed<Options, Fields, State = unknown, Result = object> {
  readonly types?: (options: Options) => Fields;
  readonly results?: (state: State) => Result;
}

/** The types of the form that a definition has. */
export type TypedBy<
  Parameters,
  Choices extends NeuronChoices,
  Preset extends string,
  Optional extends OptionalParameters,
  From extends Readonly<Record<string, SourceOptions>>,
  Also extends Spellings,
> = Typed<NeuronOptions<Parameters, Choices, Preset, Optional, From, Also>, NeuronParameters<Parameters, Optional>>;

/** The fields of layers of a form, which are its parameters. */
export type FieldsOf<Form> = Form extends Typed<never, infer Fields> ? Fields : never;

/** The options of layers of a form. */
export type OptionsOf<Form> = Form extends Typed<infer Options, unknown> ? Options : never;

/** The class that {@link neuron} gives. */
export type NeuronClass<
  State extends string,
  Parameters,
  Outputs,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
  Optional extends OptionalParameters = NoChoices,
  From extends Readonly<Record<string, SourceOptions>> = NoChoices,
  Also extends Spellings = NoChoices,
> = new (
  options?: NeuronOptions<Parameters, Choices, Preset, Optional, From, Also>,
) => NeuronLayer<State, Outputs> & NeuronParameters<Parameters, Optional>;
