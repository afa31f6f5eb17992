/** Types of rules for synapses: definitions, options, states. */
import type { Language, Value } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import type { Chosen, NeuronChoices, NoChoices } from "../neuron/definition.ts";
import type { Known } from "../neuron/types.ts";

/** A trace: x ← ρ·x, and with a spike s, x ← x + a·s, or x ← a where s ≠ 0. ρ = exp(−dt/τ), or 1 − dt/τ. */
export interface TraceDefinition<Parameter extends string> {
  /** The neurons whose spikes the trace keeps, before the synapse or behind it. */
  readonly of: "pre" | "post";
  /** The time constant τ, in the unit of dt: a parameter by its name, or a number. */
  readonly tau: Parameter | number;
  /** The amount a that a spike adds: a parameter by its name, or a number. Default 1. */
  readonly amount?: Parameter | number;
  /** A spike sets the trace to the amount, so that the nearest spike alone counts. Default false: the amount is added. */
  readonly set?: boolean;
  /** The amount is multiplied by 1 − ρ: the trace is an average. Default false. */
  readonly average?: boolean;
  /** The value that is traced, made of the spike or the rate; no part of a trace with `set`. Default: the spike itself. */
  readonly input?: (x: Value) => Value;
}

/** A state of each synapse beside its weight, e ← ρ·e in each step with ρ = exp(−dt/τ), to which the functions of the rule add changes. */
export interface SynapseDefinition<Parameter extends string> {
  /**
   * The time constant τ: a parameter by its name, which is positive, or a number; the number 0: the state lasts until the events of the
   * next step.
   */
  readonly tau: Parameter | number;
}

/** The argument of a rule's functions: the weight w, states of the synapse, traces and parameters by their names, spikes, and functions such as `where`. */
export type RuleArgument<Name extends string> = Language & { readonly [name in Name]: Value } & {
  /** The weight. */
  readonly w: Value;
  /** The spike, or the rate, of the neuron before the synapse in this step. */
  readonly pre: Value;
  /** The spike, or the rate, of the neuron behind the synapse in this step. */
  readonly post: Value;
  /** The reward of this step, 0 where none was given. */
  readonly reward: Value;
  /** The length of a step. */
  readonly dt: Value;
  /** The lower bound of the weight. */
  readonly low: Value;
  /** The upper bound of the weight. */
  readonly high: Value;
  /**
   * Σ_k post_k·w_ki over the neurons behind: over all, or up to the neuron of this synapse. `onStep` of a rule with `explains` alone
   * has this value.
   */
  readonly explained: Value;
};

/** A change of the weight, or changes of the weight and of states of the synapse. */
export type Change<Synapse extends string> =
  | Value
  | ({
      /** The change of the weight. Default 0. */
      readonly w?: Value;
    } & { readonly [name in Synapse]?: Value });

/** A rule as {@link plasticity} takes it. */
export interface RuleDefinition<
  Trace extends string,
  Synapse extends string,
  Parameter extends string,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> {
  /** The name of the class, which begins with a letter. */
  readonly name: string;
  /** Traces of the neurons on both sides by name, or functions of the choices that give them, or null for none with these choices. */
  readonly traces: {
    readonly [name in Trace]:
      | TraceDefinition<Known<Parameter>>
      | ((choices: Chosen<Known<Choices>>) => TraceDefinition<Known<Parameter>> | null);
  };
  /** States of each synapse beside its weight. Default: none. */
  readonly synapse?: {
    readonly [name in Synapse]:
      | SynapseDefinition<Known<Parameter>>
      | ((choices: Chosen<Known<Choices>>) => SynapseDefinition<Known<Parameter>>);
  };
  /** The parameters with their defaults. */
  readonly parameters: { readonly [name in Parameter]: number };
  /** Choices between forms of the equations, options of the class. */
  readonly choices?: Choices;
  /**
   * Options that have an effect with some choices alone, as for neurons, or with a parameter, a factor of theirs, that is "not 0":
   * where the default or a preset has set this factor to 0, the option is an error.
   */
  readonly needs?: {
    readonly [option in Known<Parameter> | keyof Known<Choices>]?: {
      readonly [choice in keyof Known<Choices>]?: readonly unknown[];
    } & { readonly [factor in Known<Parameter>]?: "not 0" };
  };
  /** Bounds [low, high] of parameters. */
  readonly constrain?: { readonly [name in Known<Parameter>]?: readonly [low: number, high: number] };
  /** The default of the option `order`. Default "before". */
  readonly order?: Order;
  /** Sets of options by name, such as the options under which the rule equals a rule of another package. */
  readonly numerics?: { readonly [name in Preset]: RuleOptions<Known<Parameter>, Known<Choices>> };
  /**
   * The neurons behind that the value `explained` is a sum over, for a choice: "all", or "below", those up to the neuron of the synapse;
   * null where there is no such value. `onStep`, which the rule must have, reads the value.
   */
  readonly explains?: "all" | "below" | ((choices: Chosen<Known<Choices>>) => "all" | "below" | null);
  /** The change at a spike of the neuron before. */
  onPre?(
    argument: RuleArgument<Known<Trace | Synapse | Parameter>>,
    choices: Chosen<Known<Choices>>,
  ): Change<Known<Synapse>>;
  /** The change at a spike of the neuron behind. */
  onPost?(
    argument: RuleArgument<Known<Trace | Synapse | Parameter>>,
    choices: Chosen<Known<Choices>>,
  ): Change<Known<Synapse>>;
  /** The change of every synapse in every step. */
  onStep?(
    argument: RuleArgument<Known<Trace | Synapse | Parameter>>,
    choices: Chosen<Known<Choices>>,
  ): Change<Known<Synapse>>;
  /** The change of every synapse at a reward. */
  onReward?(
    argument: RuleArgument<Known<Trace | Synapse | Parameter>>,
    choices: Chosen<Known<Choices>>,
  ): Change<Known<Synapse>>;
}

/** How the events of one step follow each other; see {@link plasticity}. */
export type Order = "before" | "after" | "preFirst" | "postFirst";

/** Options of a rule: its parameters and choices by their names, and these. */
export type RuleOptions<
  Parameter extends string,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> = {
  /** A number, or a tensor [out] with one value for each neuron behind. */
  readonly [name in Parameter]?: number | Tensor;
} & Partial<Chosen<Choices>> & {
    /** A named set of these options, which explicit ones override. Default: none. */
    readonly numerics?: Preset;
    /** The length of a step, in the unit of the time constants. Default 1. */
    readonly dt?: number;
    /** Decay of traces, which the rule must have, in a step: exp(−dt/τ), or "euler", 1 − dt/τ. Default "exp". */
    readonly decay?: "exp" | "euler";
    /**
     * The spikes of a step that traces hold when weights change. "before": none; a spike before and one behind in the same step do
     * not count as a pair. "after": both, so they count in both changes. "preFirst": a change at a spike behind sees the spikes before
     * of the same step; "postFirst": the other way round. Default "before", or the order of the rule.
     */
    readonly order?: Order;
    /**
     * Whether a reward comes behind the events of its own step, "events", or before these, "nothing", in a rule with
     * `onReward`. Default "events".
     */
    readonly rewardAfter?: "events" | "nothing";
  };
