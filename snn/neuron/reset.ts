/** How a spike resets the membrane: one rule for all neurons that have a threshold. */
import { joined } from "../../engine/arguments.ts";
import type { Value } from "../../engine/fuse/index.ts";
import type { Chosen } from "./definition.ts";
import type { StepLanguage } from "./step.ts";

/** The choices of a neuron that resets, with their defaults; the first word is the default. */
export type ResetChoices = {
  /**
   * The effect of a spike on v: "zero" sets v to resetValue, "subtract" subtracts θ, "none" leaves v. Default "zero".
   */
  readonly reset: readonly ["zero", "subtract", "none"];
  /** The reset happens at the start of the next step instead of at the end of this one. Default false. */
  readonly resetDelay: boolean;
  /** A delayed reset to "zero", which the option needs, also discards the input of its step, as in snnTorch's RLeaky. Default false. */
  readonly resetInput: boolean;
  /** No gradient through the reset. Default true. */
  readonly detachReset: boolean;
};

/** The choices of a reset besides its kind. */
export type LateResetChoices = Omit<ResetChoices, "reset">;

export const LATE_RESET: LateResetChoices = { resetDelay: false, resetInput: false, detachReset: true };
export const RESET_WORDS = ["zero", "subtract", "none"] as const;
export const RESET: ResetChoices = joined({ reset: RESET_WORDS }, LATE_RESET);

/** The options that need certain resets. Separate constants, because bundlers keep an expression that reads a field of a constant. */
export const RESET_VALUE_NEEDS = { reset: ["zero"] } as const;
export const RESET_INPUT_NEEDS = { reset: ["zero"], resetDelay: [true] } as const;
export const RESET_NEEDS = { resetValue: RESET_VALUE_NEEDS, resetInput: RESET_INPUT_NEEDS } as const;

/** The choice of the parameter from which v starts. */
export type StartChoices = {
  /** v before the first step: rest, or resetValue, which is 0 unless the reset is "zero". Default "rest". */
  readonly start: readonly ["rest", "resetValue"];
};

export const START: StartChoices = { start: ["rest", "resetValue"] };

/** v before the first step; resetValue if the reset is "zero", else 0. */
export const startOf = <T>(
  from: { readonly rest?: T; readonly resetValue: T },
  { start, reset }: { readonly start: string; readonly reset: string },
): T | 0 => (start === "rest" ? (from.rest as T) : start === "resetValue" && reset === "zero" ? from.resetValue : 0);

/** The chosen values of {@link RESET}. */
export type Reset = Chosen<ResetChoices>;

/** A membrane that decays by itself and adds an input. */
export interface Membrane {
  /** v[t−1]. */
  readonly v: Value;
  /** θ. */
  readonly threshold: Value | number;
  /** The value of v after a reset to "zero". */
  readonly resetValue: Value | number;
  /** v in a step without input. */
  decay(v: Value): Value;
  /** The input that the step adds to the decayed v. */
  readonly input: Value;
}

/** The spike and the membrane of a step of a neuron with a reset. */
export type Fired = {
  /** s. */
  readonly spikes: Value;
  /** u, before the reset. */
  readonly membrane: Value;
  /** v, after the reset. */
  readonly v: Value;
  /** v in refractory steps: that of the step before, reset if the reset of the spike is still to come. */
  readonly held: Value;
  /** The held v, decayed. */
  readonly leaked: Value;
};

/**
 * The spike and the reset of a membrane: u = decay(v) + input, s = fire(u − θ), and
 *
 *   v ← u − θ·s  ("subtract"),  s ? resetValue : u  ("zero"),  u  ("none")
 *
 * With resetDelay v ← u, and a state that has reached θ is reset in the following step: s′ = fire(v − θ) and
 *
 *   u = decay(v) + input − θ·s′  ("subtract"),  decay(s′ ? resetValue : v) + input  ("zero"),
 *       s′ ? resetValue : decay(v) + input  ("zero" with resetInput)
 */
export function fired(
  { spike, late, select }: Pick<StepLanguage, "spike" | "late" | "select">,
  { reset, resetDelay, resetInput, detachReset }: Reset,
  { v, threshold, resetValue, decay, input }: Membrane,
): Fired {
  const seen = (s: Value): Value => (detachReset ? s.detach() : s);
  const isLate = resetDelay && reset !== "none";
  const due = isLate ? seen(late(v.sub(threshold))) : null;
  const atOnce = due !== null && reset === "zero" ? select(due, resetValue, v) : v;
  const taken = due !== null && reset === "subtract" ? select(due, threshold, 0) : null;

  const integrated = decay(resetInput ? v : atOnce).add(input);
  let u = taken === null ? integrated : integrated.sub(taken);
  if (due !== null && reset === "zero" && resetInput) u = select(due, resetValue, integrated);
  const s = spike(u.sub(threshold));

  const after = isLate ? u : afterSpike({ select }, { reset, detachReset }, u, s, { threshold, resetValue });
  const less = (x: Value): Value => (taken === null ? x : x.sub(taken));
  return { spikes: s, membrane: u, v: after, held: less(atOnce), leaked: less(decay(atOnce)) };
}

/** v after a reset in the step of the spike s: u − θ·s ("subtract"), s ? resetValue : u ("zero"), u ("none"). */
export function afterSpike(
  { select }: Pick<StepLanguage, "select">,
  { reset, detachReset }: Pick<Reset, "reset" | "detachReset">,
  u: Value,
  s: Value,
  { threshold, resetValue }: Pick<Membrane, "threshold" | "resetValue">,
): Value {
  const seen = detachReset ? s.detach() : s;
  if (reset === "zero") return select(seen, resetValue, u);
  return reset === "subtract" ? u.sub(select(seen, threshold, 0)) : u;
}
