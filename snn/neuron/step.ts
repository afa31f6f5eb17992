/** The step of a neuron for the compiler: the equation with the layer's spike, refractory steps and smooth form. */
import { isPlain, wrongType } from "../../engine/arguments.ts";
import type { Language, StepArgument, StepDefinition, Value } from "../../engine/fuse/index.ts";
import type { Primitive, Surrogate } from "../surrogates/surrogate.ts";
import { checkNoNumber } from "./definition.ts";
import { GRADED, REFRACTORY, WINNER } from "./names.ts";

/** The members of the argument of a step besides its states and parameters. */
export interface StepLanguage extends Omit<Language, "spike"> {
  /** I, the current into the neuron in this step. */
  readonly current: Value;
  /**
   * 1 where x ≥ 0 (`fire: "gt"`: x > 0), else 0, and 0 in refractory steps. ∂L/∂x = ∂L/∂s·surrogate′(x), with the
   * surrogate of the layer. With `spiking: false`, the primitive of the surrogate at x.
   */
  spike(x: Value): Value;
  /**
   * The spike of the previous state, for a delayed reset: `late(v.sub(threshold))`. It equals `spike(x)`, but in refractory steps it is 0,
   * except in the first one, which follows the spike.
   */
  late(x: Value): Value;
}

/** A neuron's name, states, reset state and step. */
export interface NeuronKind {
  readonly name: string;
  readonly states: readonly string[];
  /** States of the definition that a layer with these choices does not have. */
  readonly absent?: readonly string[];
  /** Present if layers share the step, which then has the same trace each time. */
  readonly shared?: readonly unknown[];
  /** The state that a spike resets and that refractory steps hold; null for none. */
  readonly reset: string | null;
  step(argument: never): Readonly<Record<string, Value | number>>;
}

/** How a layer runs the step. */
export interface Firing {
  readonly surrogate: Surrogate;
  readonly strict: boolean;
  /** Refractory steps after a spike: the neuron does not fire, and its reset state is held. */
  readonly hold: number;
  /** Whether the state decays without input in refractory steps instead of being held. */
  readonly leaks: boolean;
  /** Whether output spikes are multiplied by the parameter {@link GRADED}. */
  readonly isGraded: boolean;
  /** Winner takes all: only the winner fires, or all fire and only the winner's spike is output; null for neither. */
  readonly inhibition: Inhibition | null;
  /** true: spikes are 0 or 1; false: they are the primitive of the surrogate. */
  readonly spiking: boolean;
}

/** A loser does not fire ("fire"), or fires but its spike is not output ("output"). */
export type Inhibition = "fire" | "output";

/** Below all scores. */
const LOWEST = -3.4e38;

/** Names that an output may not have. */
const TAKEN = ["current", "spike", "late", "state", WINNER, REFRACTORY];

/**
 * The step of a layer. If `hold` > 0, a further state r counts the remaining refractory steps:
 *
 *   r[t] = hold if s[t] else max(0, r[t−1] − 1)     if r[t−1] > 0: s[t] = 0, v[t] = v[t−1], membrane[t] = v[t−1]
 *
 * With `leaks`, v and the membrane decay in refractory steps instead.
 */
export function stepDefinition(
  kind: NeuronKind,
  parameters: StepDefinition["parameters"],
  firing: Firing,
): StepDefinition {
  const { hold, isGraded, inhibition, spiking } = firing;
  const { name, states, absent = [] } = kind;

  function step(argument: StepArgument<string>): Record<string, Value | number> {
    const { counter, active, spike: fire, late } = spikesOf(argument, firing);
    const spike = (x: Value, ...others: readonly unknown[]): Value => {
      if (others.length > 0) {
        throw new TypeError(
          `${name}: spike takes one value, such as spike(u.sub(threshold)); the surrogate is an option of the layer`,
        );
      }
      return inhibition === "fire" ? fire(x).mul(wins(argument)) : fire(x);
    };
    hideStates(name, absent, argument);
    const given = kind.step(Object.assign(argument, { spike, late }) as never);
    if (!isWhole(name, states, given)) return given;
    const { held, leaked, ...others } = given;
    const returned: Record<string, Value | number> = others;
    const waiting = firing.leaks ? leaked : held;
    checkFiring(name, firing, returned.spikes, waiting);
    if (inhibition === "output") returned.spikes = (returned.spikes as Value).mul(wins(argument));
    if (isGraded) returned.spikes = (returned.spikes as Value).mul(argument[GRADED] as Value);
    if (counter === null || active === null) return returned;
    const before = waiting ?? (argument[kind.reset as string] as Value);
    for (const output of [kind.reset as string, "membrane"]) {
      const z = returned[output];
      if (z !== undefined) returned[output] = argument.where(active, z, before);
    }
    const left = counter.sub(1).relu();
    const counted = (spiking ? argument.where(given.spikes as Value, hold, left) : left).detach();
    return { ...returned, [REFRACTORY]: counted };
  }

  return {
    name,
    inputs: inhibition === null ? ["current"] : ["current", WINNER],
    states: hold > 0 ? [...states, REFRACTORY] : states,
    parameters,
    ...(kind.shared === undefined ? {} : { steady: true }),
    ...(spiking ? { packed: isGraded ? [] : ["spikes"] } : { exact: true }),
    step,
  };
}

/** Makes it an error to read a state that a layer with these choices does not have. */
function hideStates(name: string, absent: readonly string[], argument: StepArgument<string>): void {
  for (const state of absent) {
    const get = (): never => {
      throw new TypeError(`${name}: the step asks for the state ${state}, which a layer with these choices is without`);
    };
    Object.defineProperty(argument, state, { get });
  }
}

/** Throws for firing options that need an output which the step does not return. */
function checkFiring(
  name: string,
  { hold, leaks, isGraded, inhibition }: Firing,
  spikes: Value | number | undefined,
  waiting: Value | number | undefined,
): void {
  if (leaks && waiting === undefined) {
    throw new RangeError(`${name}: refractory: "leak" needs a step that returns leaked, the state without input`);
  }
  if (spikes !== undefined) return;
  for (const [option, isOn] of Object.entries({ [GRADED]: isGraded, inhibition: inhibition !== null })) {
    if (isOn) throw new RangeError(`${name}: ${option} is for neurons with spikes, not for a readout`);
  }
  if (hold > 0) {
    throw new RangeError(`${name}: refractorySteps counts from spikes; expected 0 for a readout, got ${hold}`);
  }
}

/** 1 at the winner; a comparison, because the compiler treats results of comparisons as 0 or 1. */
const wins = (argument: StepArgument<string>): Value => (argument[WINNER] as Value).gt(0);

/** How neurons fire in a step: the spike of this step, the late spike of the state before it, and the mask of active neurons. */
function spikesOf(argument: StepArgument<string>, { surrogate, strict, hold, spiking }: Firing) {
  const { derivative, primitive } = surrogate;
  const { spike } = argument;
  const fire = (x: Value): Value => (spiking ? spike(x, derivative, strict) : (primitive as Primitive)(x, argument));
  if (hold === 0) return { counter: null, active: null, spike: fire, late: fire };
  const counter = argument[REFRACTORY] as Value;
  const active = counter.eq(0);
  return {
    counter,
    active,
    spike: (x: Value): Value => fire(x).mul(active),
    late: (x: Value): Value => fire(x).mul(counter.eq(0).maximum(counter.eq(hold))),
  };
}

/**
 * A step whose membrane is the score by which neurons compete: x of spike(x), and for refractory neurons a score below all others. States
 * are unchanged.
 */
export function scoresOf(kind: NeuronKind, parameters: StepDefinition["parameters"], firing: Firing): StepDefinition {
  const { name } = kind;
  const states = firing.hold > 0 ? [...kind.states, REFRACTORY] : kind.states;

  function step(argument: StepArgument<string>): Record<string, Value | number> {
    const { active, spike: fire, late } = spikesOf(argument, firing);
    const scores: Value[] = [];
    const spike = (x: Value): Value => {
      scores.push(x);
      return fire(x);
    };
    kind.step(Object.assign(argument, { spike, late }) as never);
    const [score] = scores;
    if (score === undefined || scores.length > 1) {
      throw new RangeError(`${name}: inhibition needs a step that calls spike once, got ${scores.length} calls`);
    }
    const membrane = active === null ? score : argument.where(active, score, LOWEST);
    return { membrane, ...Object.fromEntries(states.map((state) => [state, argument[state] as Value])) };
  }

  return { name, inputs: ["current"], states, parameters, partial: true, exact: !firing.spiking, step };
}

/** Whether a step returns all of its states (if not, the compiler reports it); throws for outputs that a neuron cannot have. */
function isWhole(name: string, states: readonly string[], returned: Readonly<Record<string, unknown>>): boolean {
  if (!isPlain(returned)) return false;
  if (states.some((state) => returned[state] === undefined)) return false;
  if (typeof returned.spikes !== "object" && (returned.spikes !== undefined || typeof returned.membrane !== "object")) {
    throw wrongType(name, "the step to return spikes, made by spike(x), or the membrane of a readout", returned.spikes);
  }
  for (const [output, value] of Object.entries(returned)) checkNoNumber(name, `the step to return ${output}`, value);
  for (const output of TAKEN) {
    if (output in returned)
      throw new TypeError(`${name}: the step returns ${output}, which is a name of its own; rename it`);
  }
  return true;
}
