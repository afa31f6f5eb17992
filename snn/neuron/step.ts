/** The step of a neuron as the compiler takes it: with the spike, refractory steps and smooth form that a layer asks for. */
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
   * 1 where x ≥ 0 (`fire: "gt"`: x > 0), else 0, and 0 in refractory steps. ∂L/∂x = ∂L/∂s·surrogate′(x), with the surrogate of the
   * layer; with `spiking: false` the primitive of it at x.
   */
  spike(x: Value): Value;
  /**
   * The spike of a state that the step before has left, for a reset that comes a step late: `late(v.sub(threshold))`. It is
   * `spike(x)`, but in refractory steps 0 in all but the first one, which follows the spike.
   */
  late(x: Value): Value;
}

/** A neuron's name, states, reset state and step. */
export interface NeuronKind {
  readonly name: string;
  readonly states: readonly string[];
  /** States of the definition that a layer with these choices is without. */
  readonly absent?: readonly string[];
  /** The state that a spike resets, which is held in refractory steps; null where no state is one. */
  readonly reset: string | null;
  step(argument: never): Readonly<Record<string, Value | number>>;
}

/** How a layer runs the step. */
export interface Firing {
  readonly surrogate: Surrogate;
  readonly strict: boolean;
  /** Steps after a spike in which nothing fires and the state of the reset is held. */
  readonly hold: number;
  /** Whether that state decays without input in these steps instead of being held. */
  readonly leaks: boolean;
  /** Whether spikes leave the step times the parameter {@link GRADED}. */
  readonly isGraded: boolean;
  /** Whether the winner of a step alone fires, or all do and the spike of the winner alone leaves the layer; null for neither. */
  readonly inhibition: Inhibition | null;
  /** Whether spikes are 0 or 1, or the primitive of the surrogate. */
  readonly spiking: boolean;
}

/** Whether a loser may not fire, or fires but sends no spike. */
export type Inhibition = "fire" | "output";

/** Below all scores. */
const LOWEST = -3.4e38;

/** Outputs of these names would hide others. */
const TAKEN = ["current", "spike", "late", "state", WINNER, REFRACTORY];

/**
 * The step of a layer. With refractory steps a state counts those that are left:
 *
 *   r[t] = hold if s[t] else max(0, r[t−1] − 1)     while r[t−1] > 0: s[t] = 0, v[t] = v[t−1], and so the membrane
 */
export function stepOf(kind: NeuronKind, parameters: StepDefinition["parameters"], firing: Firing): StepDefinition {
  const { hold, leaks, isGraded, inhibition, spiking } = firing;
  const { name, states, absent = [] } = kind;
  const isHeld = firing.hold > 0;

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
    for (const state of absent) {
      const get = (): never => {
        throw new TypeError(
          `${name}: the step asks for the state ${state}, which a layer with these choices is without`,
        );
      };
      Object.defineProperty(argument, state, { get });
    }
    const given = kind.step(Object.assign(argument, { spike, late }) as never);
    if (!isWhole(name, states, given)) return given;
    const { held, leaked, ...others } = given;
    const returned: Record<string, Value | number> = others;
    const waiting = leaks ? leaked : held;
    if (leaks && waiting === undefined) {
      throw new RangeError(`${name}: refractory: "leak" needs a step that returns leaked, the state without input`);
    }
    const { spikes } = returned;
    for (const [option, isOn] of Object.entries({ [GRADED]: isGraded, inhibition: inhibition !== null })) {
      if (isOn && spikes === undefined)
        throw new RangeError(`${name}: ${option} is for neurons with spikes, not for a readout`);
    }
    if (inhibition === "output") returned.spikes = (spikes as Value).mul(wins(argument));
    if (isGraded) returned.spikes = (returned.spikes as Value).mul(argument[GRADED] as Value);
    if (counter === null || active === null) return returned;
    if (spikes === undefined) {
      throw new RangeError(`${name}: refractorySteps counts from spikes; expected 0 for a readout, got ${hold}`);
    }
    const before = waiting ?? (argument[kind.reset as string] as Value);
    for (const output of [kind.reset as string, "membrane"]) {
      const z = returned[output];
      if (z !== undefined) returned[output] = argument.where(active, z, before);
    }
    const left = counter.sub(1).relu();
    const counted = (spiking ? argument.where(spikes as Value, hold, left) : left).detach();
    return { ...returned, [REFRACTORY]: counted };
  }

  return {
    name,
    inputs: inhibition === null ? ["current"] : ["current", WINNER],
    states: isHeld ? [...states, REFRACTORY] : states,
    parameters,
    ...(spiking ? { packed: isGraded ? [] : ["spikes"] } : { exact: true }),
    step,
  };
}

/** 1 at the winner: a comparison, so that spikes stay 0 or 1 for the compiler. */
const wins = (argument: StepArgument<string>): Value => (argument[WINNER] as Value).gt(0);

/**
 * How neurons fire in a step: the spike of this step, the late spike of the state before it, and where they are active.
 */
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
 * The scores by which the neurons of a step compete, as its membrane: x of spike(x), and for refractory neurons a score
 * below all others. The states stay as they are.
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

/** Whether a step returns all of its states, of which the compiler tells; throws for outputs that a neuron cannot have. */
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
