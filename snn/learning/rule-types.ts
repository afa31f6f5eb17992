/** Types of synaptic rules: definitions, options, states. */
import type { Language, Value } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import type { Chosen, NeuronChoices, NoChoices } from "../neuron/definition.ts";
import type { Known } from "../neuron/types.ts";

/** A trace: x ← ρ·x, then at a spike s, x ← x + a·s, or x ← a with `set`. ρ = exp(−dt/τ), or 1 − dt/τ. */
export interface TraceDefinition<Parameter extends string> {
  /** Neurons whose spikes the trace accumulates: pre- or postsynaptic. */
  readonly of: "pre" | "post";
  /** Time constant τ, in the unit of dt: the name of a parameter, or a number. */
  readonly tau: Parameter | number;
  /** Amount a of a spike: the name of a parameter, or a number. Default 1. */
  readonly amount?: Parameter | number;
  /** Whether a spike sets the trace to the amount, so that only the nearest spike counts. Default false: the amount is added. */
  readonly set?: boolean;
  /** Whether the amount is multiplied by 1 − ρ, which makes the trace an average. Default false. */
  readonly average?: boolean;
  /** Function of the spike or the rate that is traced; not allowed with `set`. Default: the identity. */
  readonly input?: (x: Value) => Value;
}

/** A state of each synapse besides its weight: e ← ρ·e in each step with ρ = exp(−dt/τ); functions of the rule add changes. */
export interface SynapseDefinition<Parameter extends string> {
  /**
   * Time constant τ: the name of a parameter, which is positive, or a number. With the number 0, the state lasts until the events of the next
   * step.
   */
  readonly tau: Parameter | number;
}

/** Argument of a rule's functions: the weight w, synaptic states, traces and parameters by name, spikes, and functions such as `where`. */
export type RuleArgument<Name extends string> = Language & { readonly [name in Name]: Value } & {
  /** The weight. */
  readonly w: Value;
  /** Spike, or rate, of the presynaptic neuron in this step. */
  readonly pre: Value;
  /** Spike, or rate, of the postsynaptic neuron in this step. */
  readonly post: Value;
  /** Reward of this step; 0 if not given. */
  readonly reward: Value;
  /** Length of a step. */
  readonly dt: Value;
  /** Lower bound of the weight. */
  readonly low: Value;
  /** Upper bound of the weight. */
  readonly high: Value;
  /**
   * Σ_k post_k·w_ki over the postsynaptic neurons: all, or those up to the neuron of this synapse. Only `onStep` of a rule with `explains` has
   * this value.
   */
  readonly explained: Value;
};

/** A change of the weight, or changes of the weight and of synaptic states. */
export type Change<Synapse extends string> =
  | Value
  | ({
      /** Change of the weight. Default 0. */
      readonly w?: Value;
    } & { readonly [name in Synapse]?: Value });

/** Definition of a rule for {@link plasticity}. */
export interface RuleDefinition<
  Trace extends string,
  Synapse extends string,
  Parameter extends string,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> {
  /** Name of the class, beginning with a letter. */
  readonly name: string;
  /** Traces of pre- and postsynaptic neurons by name, or functions of the choices that return a trace or null. */
  readonly traces: {
    readonly [name in Trace]:
      | TraceDefinition<Known<Parameter>>
      | ((choices: Chosen<Known<Choices>>) => TraceDefinition<Known<Parameter>> | null);
  };
  /** States of each synapse besides its weight. Default none. */
  readonly synapse?: {
    readonly [name in Synapse]:
      | SynapseDefinition<Known<Parameter>>
      | ((choices: Chosen<Known<Choices>>) => SynapseDefinition<Known<Parameter>>);
  };
  /** Parameters with their defaults. */
  readonly parameters: { readonly [name in Parameter]: number };
  /** Choices between forms of the equations; options of the class. */
  readonly choices?: Choices;
  /**
   * Options that only some choices use, as for neurons. The entry "not 0" is for a parameter that is a factor of the
   * option: if the default or a preset sets the parameter to 0, giving the option is an error.
   */
  readonly needs?: {
    readonly [option in Known<Parameter> | keyof Known<Choices>]?: {
      readonly [choice in keyof Known<Choices>]?: readonly unknown[];
    } & { readonly [factor in Known<Parameter>]?: "not 0" };
  };
  /** Bounds [low, high] of parameters. */
  readonly constrain?: { readonly [name in Known<Parameter>]?: readonly [low: number, high: number] };
  /** Default of the option `order`. Default "before". */
  readonly order?: Order;
  /** Presets: named sets of options, for example those with which the rule equals that of another package. */
  readonly numerics?: { readonly [name in Preset]: RuleOptions<Known<Parameter>, Known<Choices>> };
  /**
   * Postsynaptic neurons that `explained` sums over: "all", or "below" for those up to the neuron of the synapse; null if the rule does not
   * use it. Requires `onStep`, which reads the value.
   */
  readonly explains?: "all" | "below" | ((choices: Chosen<Known<Choices>>) => "all" | "below" | null);
  /** Change at a spike of the presynaptic neuron. */
  onPre?(
    argument: RuleArgument<Known<Trace | Synapse | Parameter>>,
    choices: Chosen<Known<Choices>>,
  ): Change<Known<Synapse>>;
  /** Change at a spike of the postsynaptic neuron. */
  onPost?(
    argument: RuleArgument<Known<Trace | Synapse | Parameter>>,
    choices: Chosen<Known<Choices>>,
  ): Change<Known<Synapse>>;
  /** Change of every synapse in every step. */
  onStep?(
    argument: RuleArgument<Known<Trace | Synapse | Parameter>>,
    choices: Chosen<Known<Choices>>,
  ): Change<Known<Synapse>>;
  /** Change of every synapse at a reward. */
  onReward?(
    argument: RuleArgument<Known<Trace | Synapse | Parameter>>,
    choices: Chosen<Known<Choices>>,
  ): Change<Known<Synapse>>;
}

/** Order of the events of one step; see {@link plasticity}. */
export type Order = "before" | "after" | "preFirst" | "postFirst";

/** Options of a rule: parameters and choices by name, and these. */
export type RuleOptions<
  Parameter extends string,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> = {
  /** A number, or a tensor [out] with a value for each postsynaptic neuron. */
  readonly [name in Parameter]?: number | Tensor;
} & Partial<Chosen<Choices>> & {
    /** Name of a preset, whose options explicit ones override. Default none. */
    readonly numerics?: Preset;
    /** Length of a step, in the unit of the time constants. Default 1. */
    readonly dt?: number;
    /** Decay of the traces of the rule: "exp", exp(−dt/τ) per step, or "euler", 1 − dt/τ. Default "exp". */
    readonly decay?: "exp" | "euler";
    /**
     * Spikes of the step that traces include when weights change. "before": none; pre- and postsynaptic spikes of the same step are not a pair.
     * "after": both, so they count in both changes. "preFirst": changes at postsynaptic spikes read the presynaptic spikes of the same step;
     * "postFirst": the reverse. Default "before", or the order of the rule.
     */
    readonly order?: Order;
    /**
     * Whether a reward is applied after the "events" of its step or before them, after "nothing"; for rules with `onReward`. Default "events".
     */
    readonly rewardAfter?: "events" | "nothing";
  };
