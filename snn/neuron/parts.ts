/** Parts of equations that several neurons share: a synapse before the membrane, and the leak of the membrane. */
import type { Value } from "../../engine/fuse/index.ts";
import type { StepLanguage } from "./step.ts";

/**
 * The choice of a synaptic current i that decays by α per step, and when an input I arrives:
 *
 *   i[t] = α·i[t−1] + I[t]      the membrane adds i[t]              ("decayFirst")
 *   i[t] = α·(i[t−1] + I[t])    the membrane adds i[t−1] + I[t]     ("jumpFirst")
 *   i[t] = α·i[t−1] + I[t]      the membrane adds i[t−1]            ("late")
 */
export type SynapseChoices = {
  /**
   * The membrane adds α·i + I ("decayFirst"), i + I, which then decays ("jumpFirst"), or the old i ("late"). Default
   * "decayFirst".
   */
  readonly synapse: readonly ["decayFirst", "jumpFirst", "late"];
};

export const SYNAPSE: SynapseChoices = { synapse: ["decayFirst", "jumpFirst", "late"] };

/** The choice of an optional synapse. Without a synapse (the default) the membrane adds I[t], and no state i exists. */
export type OptionalSynapseChoices = {
  /**
   * The membrane adds I ("none"), α·i + I ("decayFirst"), i + I, which then decays ("jumpFirst"), or the old i
   * ("late"). Default "none".
   */
  readonly synapse: readonly ["none", "decayFirst", "jumpFirst", "late"];
};

export const OPTIONAL_SYNAPSE: OptionalSynapseChoices = { synapse: ["none", "decayFirst", "jumpFirst", "late"] };

/** Value of `needs` for a neuron whose synapse is optional. */
export const SYNAPSE_NEEDS = { alpha: SYNAPSE } as const;

/** Value of `without` for a neuron with {@link OPTIONAL_SYNAPSE}. */
export const withoutSynapse = ({ synapse }: { readonly synapse: string }): readonly "i"[] =>
  synapse === "none" ? ["i"] : [];

/** Passes a current through the chosen synapse. */
export function synapse(
  argument: { readonly current: Value; readonly i: Value; readonly alpha: Value },
  kind: OptionalSynapseChoices["synapse"][number],
): { /** The input of the membrane. */ readonly input: Value /** i[t]. */; readonly i: Value } {
  const { current, alpha } = argument;
  if (kind === "none") return { input: current, i: current };
  const { i } = argument;
  if (kind === "jumpFirst") {
    const jumped = i.add(current);
    return { input: jumped, i: jumped.mul(alpha) };
  }
  const next = i.mul(alpha).add(current);
  return { input: kind === "late" ? i : next, i: next };
}

/** The choice of an input scale: "one", or "leak", 1 − β, with which a constant current I leads to v = rest + I. */
export type InputScaleChoices = {
  /** Factor of the input: 1, or "leak", 1 − β, with which a constant current I leads to v = rest + I. Default "one". */
  readonly inputScale: readonly ["one", "leak"];
};

export const INPUT_SCALE: InputScaleChoices = { inputScale: ["one", "leak"] };

/**
 * A membrane that decays by β towards rest, v ← β·v + (1 − β)·rest, and adds its input with the factor of {@link
 * INPUT_SCALE}.
 */
export function leaky(
  { constant, beta, rest }: Pick<StepLanguage, "constant"> & { readonly beta: Value; readonly rest: Value },
  inputScale: InputScaleChoices["inputScale"][number],
  leak = constant(1).sub(beta),
): { decay(v: Value): Value; scaled(input: Value): Value } {
  const drive = rest.mul(leak);
  return {
    decay: (v) => v.mul(beta).add(drive),
    scaled: (input) => (inputScale === "leak" ? input.mul(leak) : input),
  };
}

/** Bounds in `constrain` for a parameter by which a step divides: its reciprocal is a float32 number too. */
export const DIVISOR = [1e-30, 1e30] as const;

/** e²⁰ is 5·10⁸: with a larger exponent the next step is far above every threshold. */
const STEEPEST = 20;

/** eˣ in the upstroke of a spike, with x limited to 20: the membrane remains finite, and the gradient above 20 is 0. */
export const upstroke = (x: Value): Value => x.minimum(STEEPEST).exp();
