/** The step of a neuron as the compiler takes it: with the spike, refractory steps and smooth form that a layer asks for. */
import { wrongType } from "../engine/arguments.ts";
import type { Language, StepArgument, StepDefinition, Value } from "../engine/fuse/index.ts";
import type { Primitive, Surrogate } from "./surrogate.ts";

/** What a step may use besides its states and parameters. */
export interface StepLanguage extends Omit<Language, "spike"> {
  /** I, what flows into the neuron in this step. */
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

/** What is known of a neuron when a layer is made. */
export interface NeuronKind {
  readonly name: string;
  readonly states: readonly string[];
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
  /** Whether spikes are 0 or 1, or the primitive of the surrogate. */
  readonly spiking: boolean;
}

/** The name of the state that counts refractory steps. */
export const REFRACTORY = "refractory";

/** The name of the parameter that spikes are multiplied by. */
export const GRADED = "gradedSpikesFactor";

/** Outputs of these names would hide others. */
const TAKEN = ["current", "spike", "late", "state", REFRACTORY];

/**
 * The step of a layer. With refractory steps a state counts those that are left:
 *
 *   r[t] = hold if s[t] else max(0, r[t−1] − 1)     while r[t−1] > 0: s[t] = 0, v[t] = v[t−1], and so the membrane
 */
export function stepOf(
  kind: NeuronKind,
  parameters: StepDefinition["parameters"],
  { surrogate, strict, hold, leaks, isGraded, spiking }: Firing,
): StepDefinition {
  const { name, states } = kind;
  const isHeld = hold > 0;
  const { derivative, primitive } = surrogate;
  const fire = (x: Value, language: Language): Value =>
    spiking ? language.spike(x, derivative, strict) : (primitive as Primitive)(x, language);

  function step(argument: StepArgument<string>): Record<string, Value | number> {
    const counter = isHeld ? (argument[REFRACTORY] as Value) : null;
    const active = counter === null ? null : counter.eq(0);
    const spike = (x: Value, ...others: readonly unknown[]): Value => {
      if (others.length > 0) {
        throw new TypeError(
          `${name}: spike takes one value, such as spike(u.sub(threshold)); the surrogate is an option of the layer`,
        );
      }
      return active === null ? fire(x, argument) : fire(x, argument).mul(active);
    };
    const late = (x: Value): Value =>
      counter === null ? fire(x, argument) : fire(x, argument).mul(counter.eq(0).maximum(counter.eq(hold)));
    // Names that the argument does not have stay errors.
    const own = Object.create(argument, { spike: { value: spike }, late: { value: late } });
    const given = kind.step(own as never);
    if (!isWhole(name, states, given)) return given;
    const { held, leaked, ...others } = given;
    const returned: Record<string, Value | number> = others;
    const waiting = leaks ? leaked : held;
    if (leaks && waiting === undefined) {
      throw new RangeError(`${name}: refractory: "leak" needs a step that returns leaked, the state without input`);
    }
    const { spikes } = returned;
    if (isGraded) {
      if (spikes === undefined)
        throw new RangeError(`${name}: ${GRADED} is for neurons with spikes, not for a readout`);
      returned.spikes = (spikes as Value).mul(argument[GRADED] as Value);
    }
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
    inputs: ["current"],
    states: isHeld ? [...states, REFRACTORY] : states,
    parameters,
    ...(spiking ? { packed: isGraded ? [] : ["spikes"] } : { exact: true }),
    step,
  };
}

/** Whether a step returns all of its states, of which the compiler tells; throws for outputs that a neuron cannot have. */
function isWhole(name: string, states: readonly string[], returned: Readonly<Record<string, unknown>>): boolean {
  if (typeof returned !== "object" || returned === null) return false;
  if (states.some((state) => returned[state] === undefined)) return false;
  if (typeof returned.spikes !== "object" && (returned.spikes !== undefined || typeof returned.membrane !== "object")) {
    throw wrongType(name, "the step to return spikes, made by spike(x), or the membrane of a readout", returned.spikes);
  }
  for (const output of TAKEN) {
    if (output in returned)
      throw new TypeError(`${name}: the step returns ${output}, which is a name of its own; rename it`);
  }
  return true;
}
