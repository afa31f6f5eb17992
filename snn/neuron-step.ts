/** The step of a neuron as the compiler takes it: with the spike, refractory steps and smooth form that a layer asks for. */
import { wrongType } from "../engine/extend.ts";
import type { Language, StepArgument, StepDefinition, Value } from "../engine/fuse/index.ts";
import type { Surrogate } from "./surrogate.ts";

/** What a step may use besides its states and parameters. */
export interface StepLanguage extends Omit<Language, "spike"> {
  /** I, what flows into the neuron in this step. */
  readonly current: Value;
  /** 1 where x ≥ 0 (`fire: "gt"`: x > 0), else 0. ∂L/∂x = ∂L/∂s·surrogate′(x). */
  spike(x: Value): Value;
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
  /** Whether spikes are 0 or 1, or the primitive of the surrogate. */
  readonly spiking: boolean;
}

/** The name of the state that counts refractory steps. */
export const REFRACTORY = "refractory";

/** Outputs of these names would hide others. */
const TAKEN = ["current", "spike", "state", REFRACTORY];

/**
 * The step of a layer. With refractory steps a state counts those that are left:
 *
 *   r[t] = hold if s[t] else max(0, r[t−1] − 1)     while r[t−1] > 0: s[t] = 0, v[t] = v[t−1], and so the membrane
 */
export function stepOf(
  kind: NeuronKind,
  parameters: StepDefinition["parameters"],
  { surrogate, strict, hold, spiking }: Firing,
): StepDefinition {
  const { name, states } = kind;
  const isHeld = hold > 0;
  const primitive = surrogate.primitive as unknown as (x: Value, language: Language) => Value;
  const fire = (x: Value, language: Language): Value =>
    spiking ? language.spike(x, surrogate.expression, strict) : primitive(x, language);

  function step(argument: StepArgument<string>): Record<string, Value | number> {
    const active = isHeld ? (argument[REFRACTORY] as Value).eq(0) : null;
    const spike = (x: Value): Value => {
      const s = fire(x, argument);
      return active === null ? s : s.mul(active);
    };
    // Names that the argument does not have stay errors.
    const returned = kind.step(Object.create(argument, { spike: { value: spike } }) as never);
    const missing = checkReturned(name, states, returned);
    if (active === null || missing) return returned;
    const before = argument[kind.reset as string] as Value;
    const held: Record<string, Value | number> = {};
    for (const output of [kind.reset as string, "membrane"]) {
      const z = returned[output];
      if (z !== undefined) held[output] = argument.where(active, z, before);
    }
    const left = (argument[REFRACTORY] as Value).sub(1).relu();
    const counted = (spiking ? argument.where(returned.spikes as Value, hold, left) : left).detach();
    return { ...returned, ...held, [REFRACTORY]: counted };
  }

  return {
    name,
    inputs: ["current"],
    states: isHeld ? [...states, REFRACTORY] : states,
    parameters,
    ...(spiking ? { packed: ["spikes"] } : { exact: true }),
    step,
  };
}

/** Throws for outputs that a neuron cannot have; returns whether a state is missing, which the compiler tells. */
function checkReturned(name: string, states: readonly string[], returned: Readonly<Record<string, unknown>>): boolean {
  if (typeof returned !== "object" || returned === null) return true;
  if (states.some((state) => returned[state] === undefined)) return true;
  if (typeof returned.spikes !== "object") {
    throw wrongType(name, "the step to return spikes, made by spike(x)", returned.spikes);
  }
  for (const output of TAKEN) {
    if (output in returned)
      throw new TypeError(`${name}: the step returns ${output}, which is a name of its own; rename it`);
  }
  return false;
}
