/** Dependence of changes on the weight, a choice of the rules for spike times. */
import type { Language, Value } from "../../../engine/fuse/index.ts";

/** Choices; {@link STDP} has their equations. */
export const DEPENDENCE = ["additive", "step", "multiplicative", "power", "weight"] as const;
export type Dependence = (typeof DEPENDENCE)[number];

interface Plus extends Language {
  readonly w: Value;
  readonly high: Value;
  readonly muPlus: Value;
}

interface Minus extends Language {
  readonly w: Value;
  readonly low: Value;
  readonly muMinus: Value;
}

/** The change times f₊(w). */
export function strengthening(change: Value, { w, high, muPlus, where }: Plus, dependence: Dependence): Value {
  if (dependence === "additive") return change;
  return change.mul(dependence === "weight" ? w : factorOf(high.sub(w), muPlus, where, dependence));
}

/** The change times f₋(w). */
export function weakening(change: Value, { w, low, muMinus, where }: Minus, dependence: Dependence): Value {
  if (dependence === "additive") return change;
  return change.mul(dependence === "weight" ? w : factorOf(w.sub(low), muMinus, where, dependence));
}

/** Factor of a change by the distance `room` of a weight to its bound; `room` is ≤ 0 at the bound and beyond. */
function factorOf(room: Value, mu: Value, where: Language["where"], dependence: Dependence): Value {
  if (dependence === "step") return room.gt(0);
  if (dependence === "multiplicative") return room.relu();
  // room^μ, with 0⁰ = 1.
  return where(room.gt(0), room.log().mul(mu).exp(), mu.eq(0));
}
