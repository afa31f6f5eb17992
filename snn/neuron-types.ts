/** Types of neurons of one's own: definitions, options, states and layers. */
import type { Value } from "../engine/fuse/index.ts";
import type { Module, Tensor } from "../engine/index.ts";
import type { Fire } from "./checks.ts";
import type { StepLanguage } from "./neuron-step.ts";
import type { Surrogate } from "./surrogate.ts";

/** T, where it must be known from elsewhere: TypeScript infers nothing from this place. */
export type Known<T> = [T][T extends unknown ? 0 : never];

/** The argument of a step: the current, states and parameters by their names, and functions such as `spike` and `where`. */
export type NeuronStep<Name extends string> = StepLanguage & { readonly [name in Name]: Value };

/** Choices of an equation with their defaults: words of which the first is the default, true or false, or a number. */
export type NeuronChoices = { readonly [name: string]: readonly string[] | boolean | number };

/** No choices. */
export type NoChoices = { readonly [name in never]: boolean };

/** The choices that a layer was made with. */
export type Chosen<Choices> = {
  readonly [name in keyof Choices]: Choices[name] extends readonly (infer Word)[]
    ? Word
    : Choices[name] extends boolean
      ? boolean
      : number;
};

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

/** A neuron as {@link neuron} takes it. */
export interface NeuronDefinition<
  State extends string,
  Parameter extends string,
  Outputs,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> {
  /** The name of the class, which begins with a letter. */
  readonly name: string;
  /** The states that a step leaves to the next one, with the values at the start: numbers, or functions of parameters and choices. */
  readonly state: {
    readonly [name in State]:
      | number
      | ((
          parameters: { readonly [name in Known<Parameter>]: Value },
          choices: Chosen<Known<Choices>>,
        ) => Value | number);
  };
  /** The parameters with their defaults. */
  readonly parameters: { readonly [name in Parameter]: number };
  /** The state that a spike resets; it is held in refractory steps. Default: `v`, where there is one. */
  readonly reset?: Known<State>;
  /** Choices between forms of the equation, options of the class: the step gets those of the layer as its second argument. */
  readonly choices?: Choices;
  /** The states that a layer with these choices does not have, for a part of the equation that it leaves out. Default: none. */
  readonly without?: (choices: Chosen<Known<Choices>>) => readonly Known<State>[];
  /**
   * Parameters and choices that have an effect with some choices alone, and the words or values of these: a layer with others that is
   * given or learns such an option is an error, where no preset gives it. Default: none.
   */
  readonly needs?: {
    readonly [option in Known<Parameter> | keyof Known<Choices>]?: {
      readonly [choice in keyof Known<Choices>]?: readonly unknown[];
    };
  };
  /** The parameters that are learned where the option `learn` is not given and the choices need them. Default: none. */
  readonly learn?: readonly Known<Parameter>[];
  /**
   * Bounds [low, high] of parameters: a fixed value outside of them is an error, a learned one is stored raw and clamped in the
   * forward pass, with zero gradient outside.
   */
  readonly constrain?: { readonly [name in Known<Parameter>]?: readonly [low: number, high: number] };
  /** Sets of options by name, such as those under which the neuron equals that of another package. */
  readonly numerics?: { readonly [name in Preset]: NeuronOptions<Known<Parameter>, Known<Choices>> };
  /** One time step, for each neuron on its own: the equations, with the methods of tensors. It returns at most 31 values. */
  step(argument: NeuronStep<Known<State> | Known<Parameter>>, choices: Chosen<Known<Choices>>): Outputs;
}

/** Options of a neuron that {@link neuron} has made: its parameters and choices by their names, and these. */
export type NeuronOptions<
  Parameter extends string,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> = {
  /** A number, or a tensor [] or [N], which gives each neuron its own. */
  readonly [name in Parameter]?: number | Tensor;
} & Partial<Chosen<Choices>> & {
    /** A named set of these options, which explicit ones override. Default: none. */
    readonly numerics?: Preset;
    /** Names of the parameters that are learned. Default: none. */
    readonly learn?: readonly (Parameter | "gradedSpikesFactor")[];
    /**
     * Bounds [low, high] of parameters: a fixed value outside of them is an error, a learned one is stored raw and clamped in the
     * forward pass, with zero gradient outside. Default: those of the neuron.
     */
    readonly constrain?: { readonly [name in Parameter]?: readonly [low: number, high: number] };
    /** How the spike is differentiated; default surrogate.sigmoid({ slope: 10 }). */
    readonly surrogate?: Surrogate;
    /** Fires at x ≥ 0 ("ge", the default) or x > 0 ("gt"). */
    readonly fire?: Fire;
    /**
     * Steps after a spike in which the neuron does not fire; an integer in [0, 2²⁴], default 0. In these steps the state of the reset,
     * and with it the membrane, keeps its value, or takes the output `held` of a step that returns one. Other states go on.
     */
    readonly refractorySteps?: number;
    /** "leak": in refractory steps, of which there must be some, the state of the reset decays without input. Default "hold". */
    readonly refractory?: "hold" | "leak";
    /** Graded spikes: spikes leave the layer times this factor; a number, or a tensor [] or [N]. Default: 0 and 1. */
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
  };

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
   * tapes what is not read costs nothing; what is read is computed by another forward run.
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

/** The class that {@link neuron} gives. */
export type NeuronClass<
  State extends string,
  Parameter extends string,
  Outputs,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> = new (
  options?: NeuronOptions<Parameter, Choices, Preset>,
) => NeuronLayer<State, Outputs> & { readonly [name in Parameter]: Tensor };
