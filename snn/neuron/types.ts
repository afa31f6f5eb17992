/** Types of user-defined neurons: definitions, options, states and layers. */
import type { Value } from "../../engine/fuse/index.ts";
import type { Module, Tensor } from "../../engine/index.ts";
import type { Fire } from "../layer/checks.ts";
import type { Surrogate } from "../surrogates/surrogate.ts";
import type { Chosen, Intersection, NeuronChoices, NoChoices, ParameterEntries, SourceValues } from "./definition.ts";
import type { StepLanguage } from "./step.ts";

/** T, but TypeScript does not infer T from a value in this place. */
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
      /** u; required of a neuron without spikes (a readout), optional for others. */
      readonly membrane: Value;
    }
) & {
    /** The value of the reset state in refractory steps; unchanged by default. Not an output. */
    readonly held?: Value;
    /**
     * The value of the reset state in refractory steps with the option `refractory: "leak"`, which requires it. Not an
     * output.
     */
    readonly leaked?: Value;
    /** A further output. */
    readonly [name: string]: Value | undefined;
  };

/** The words that may take the place of an optional parameter. */
type Words<Entry> = Entry extends { readonly optional: readonly (infer Word)[] } ? Word : never;

/** Null if an optional parameter has no default. */
type None<Entry> = Entry extends { readonly default: null } ? null : never;

type Optional<Parameters> = {
  [name in keyof Parameters]: Parameters[name] extends { readonly optional: true | readonly string[] } ? name : never;
}[keyof Parameters];
type Required<Parameters> = Exclude<keyof Parameters, Optional<Parameters>>;

/**
 * Optional parameters as a step receives them. Numbers become part of the code, values are parameters, and words and
 * null come from the definition.
 */
export type OptionalValues<Parameters> = {
  readonly [name in Optional<Parameters>]: Value | number | Words<Parameters[name]> | None<Parameters[name]>;
};

/** The intersection of the types of one field, over all parameters with this field. */
type All<Parameters, Field extends string> = Intersection<
  {
    [name in keyof Parameters]: Parameters[name] extends { readonly [field in Field]: infer Value } ? Value : NoChoices;
  }[keyof Parameters]
>;

/** The options of the sources of all parameters. */
type Sources<Parameters> =
  All<Parameters, "from"> extends { readonly options: infer Own } ? SourceValues<Own> : NoChoices;

type Flags<Names> = { readonly [name in keyof Names]: boolean };

/** Options of an equation, by the names of its parameters and choices. */
export type EquationOptions<Parameters, Choices> = {
  readonly [name in keyof Parameters]?: number | Tensor | Words<Parameters[name]>;
} & Partial<Sources<Parameters>> &
  Partial<Flags<All<Parameters, "also">>> &
  Partial<Chosen<Choices>>;

/** A definition of a neuron, for {@link neuron}. */
export interface NeuronDefinition<
  State extends string,
  Parameters extends ParameterEntries,
  Outputs,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> {
  /** The name of the class, which begins with a letter. */
  readonly name: string;
  /**
   * The states that pass from step to step, with their initial values: numbers, or functions of parameters and choices.
   */
  readonly state: {
    readonly [name in State]:
      | number
      | ((
          parameters: { readonly [name in Required<Known<Parameters>>]: Value } & OptionalValues<Known<Parameters>>,
          choices: Chosen<Known<Choices>>,
        ) => Value | number);
  };
  /** The parameters with their defaults: numbers, or entries of {@link ParameterFields}. */
  readonly parameters: Parameters;
  /** The state that a spike resets; it is held in refractory steps. Default: `v`, if it exists. */
  readonly reset?: Known<State>;
  /** Choices between forms of the equation, which are options of the class. The step receives the choices as its second argument. */
  readonly choices?: Choices;
  /** The states that a layer with these choices lacks, because its equation does not use them. Default: none. */
  readonly without?: (choices: Chosen<Known<Choices>>) => readonly Known<State>[];
  /**
   * Options that require certain choices, with the words or values of these choices. In a layer with other choices,
   * giving or learning such an option is an error, unless a preset sets it. Default: none.
   */
  readonly needs?: {
    readonly [option in keyof EquationOptions<Known<Parameters>, Known<Choices>>]?: {
      readonly [choice in keyof Known<Choices>]?: readonly unknown[];
    };
  };
  /**
   * Bounds [low, high] of parameters. A fixed value outside of its bounds is an error. A learned value is stored as it
   * is and clamped in the forward pass; its gradient outside is 0.
   */
  readonly constrain?: {
    readonly [name in keyof Known<Parameters>]?: readonly [low: number, high: number];
  };
  /** Named sets of options, for example the options with which the neuron equals that of another package. */
  readonly numerics?: {
    readonly [name in Preset]: NeuronOptions<Known<Parameters>, Known<Choices>>;
  };
  /**
   * The equations of one time step of one neuron, written with the methods of tensors. A step returns at most 31
   * values.
   */
  step(
    argument: NeuronStep<Known<State> | (Required<Known<Parameters>> & string)> & OptionalValues<Known<Parameters>>,
    choices: Chosen<Known<Choices>>,
  ): Outputs;
}

/** Options of a neuron that {@link neuron} has made: its parameters and choices by name, and the fields below. */
export type NeuronOptions<
  Parameters,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> = EquationOptions<Parameters, Choices> & {
  /** A named set of options of the definition; explicit options override it. Default: none. */
  readonly numerics?: Preset;
} & LearnOptions<(keyof Parameters & string) | "gradedSpikesFactor"> &
  FiringOptions;

/** Which parameters are learned, and their bounds. */
export interface LearnOptions<Parameter extends string> {
  /** Names of the parameters that are learned. Default: none. */
  readonly learn?: readonly Parameter[];
  /**
   * Bounds [low, high] of parameters. A fixed value outside of its bounds is an error. A learned value is stored as it
   * is and clamped in the forward pass; its gradient outside is 0. Default: the bounds of the neuron.
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
   * Steps after a spike in which the neuron does not fire; an integer in [0, 2²⁴]. In these steps the state that `reset`
   * names, and with it the membrane, keeps its value; if the step returns `held`, it takes that value instead. Other
   * states continue. Default 0.
   */
  readonly refractorySteps?: number;
  /** "leak": the reset state decays without input in refractory steps; needs refractorySteps > 0. Default "hold". */
  readonly refractory?: "hold" | "leak";
  /** Graded spikes: output spikes are multiplied by this factor; a number, or a tensor [] or [N]. Default: none, spikes are 0 or 1. */
  readonly gradedSpikesFactor?: number | Tensor;
  /**
   * Winner takes all. true: in each step, only the neuron of the last axis with the largest u − θ may fire. The other
   * neurons are not reset. But a delayed reset depends only on the membrane, so it resets all neurons that have reached
   * θ. "output": all neurons fire, are reset and become refractory, but only the winner's spike is output. The first of
   * equal neurons wins. Refractory neurons do not compete. Currents are [T, N] or [T, B, N]; flatten maps first. Steps
   * run sequentially. Default false.
   */
  readonly inhibition?: boolean | "output";
  /**
   * false: the surrogate's smooth primitive replaces the spike, and all gradients are exact: `detach` has no effect, and `where` and
   * `select` blend by the primitive. Default true.
   */
  readonly spiking?: boolean;
}

/** State between time steps, [B, …] by name. */
export type NeuronState<State extends string> = { readonly [name in State]: Tensor } & {
  /** Remaining refractory steps of each neuron; absent if `refractorySteps` is 0. */
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
   * Spikes [T, B, …] of a current [T, B, …], from the initial state; for a readout, its membrane.
   *
   * @throws RangeError unless the current has a time axis and fits the parameters of each neuron.
   */
  forward(current: Tensor): Tensor;
  /**
   * All outputs of the step over time, and the state after the last step, from a given state; all differentiable. Inside tapes an output
   * costs nothing until it is read; then another forward run computes it.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step and counters of at most refractorySteps; Error if an
   *   output is first read after the current, a state or a parameter was overwritten or freed.
   */
  unroll(current: Tensor, state?: NeuronState<State>): NeuronRecord<State, Outputs>;
  /**
   * One time step: current [B, …] → spikes [B, …], or for a readout the membrane, and the next state; the same bits as `forward`.
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
  /** The step and the derived backward step, as equations: ∇x is the gradient of x, and ∂x its part from outside the step. */
  toString(): string;
}

/** The parameters of a layer, by name: an optional one is present if it is a tensor, learned or bounded. */
export type NeuronParameters<Parameters> = { readonly [name in Required<Parameters>]: Tensor } & {
  readonly [name in Optional<Parameters>]?: Tensor;
};

/** Carries types: the options and fields of layers, their state and the result of `unroll`. These members exist only as types. */
export interface Typed<Options, Fields, State = unknown, Result = object> {
  readonly types?: (options: Options) => Fields;
  readonly results?: (state: State) => Result;
}

/** The types of a definition's form. */
export type TypedBy<Parameters, Choices extends NeuronChoices, Preset extends string> = Typed<
  NeuronOptions<Parameters, Choices, Preset>,
  NeuronParameters<Parameters>
>;

/** The fields of layers of a form: its parameters. */
export type FieldsOf<Form> = Form extends Typed<never, infer Fields> ? Fields : never;

/** The options of layers of a form. */
export type OptionsOf<Form> = Form extends Typed<infer Options, unknown> ? Options : never;

/** The class that {@link neuron} returns. */
export type NeuronClass<
  State extends string,
  Parameters,
  Outputs,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> = new (
  options?: NeuronOptions<Parameters, Choices, Preset>,
) => NeuronLayer<State, Outputs> & NeuronParameters<Parameters>;
