/**
 * Checks that layers through time share: options that need others, sequences, states and counters of refractory steps.
 */
import { choiceOf, type Range, show, WHOLE, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive, peek } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { formatShape, type Shape, sameShape } from "../../engine/shape.ts";

/** Numbers that kernels read as float32 without overflow to infinity or underflow to 0. */
export const IN_FLOAT32: Range = {
  expected: "finite and in the range of float32",
  fits: (x) => Math.abs(Math.fround(x)) < Infinity && (x === 0 || Math.fround(x) !== 0),
};

/** Kernels count steps in float32, which represents all integers up to 2²⁴. */
export const STEPS: Range = { expected: "an integer in [0, 2²⁴]", fits: (x) => WHOLE.fits(x) && x <= 2 ** 24 };

/** When a neuron fires: u ≥ θ or u > θ. */
export type Fire = "ge" | "gt";

/** 1 if a neuron fires only at u > θ, else 0: the value that kernels read. */
export const strictOf = (where: string, fire: Fire): number =>
  choiceOf(where, "fire", fire, ["ge", "gt"]) === "gt" ? 1 : 0;

/** Entry of `needs` for a parameter that must not be 0, since it is a factor. */
export const NOT_ZERO = "not 0";

/** Options that need certain values of other options: needs[option][other] lists these values. */
export type Needs = Readonly<Record<string, Readonly<Record<string, readonly unknown[] | typeof NOT_ZERO>>>>;

/** Throws if an option that a caller gives or learns has no effect with the values of the other options. */
export function checkNeeds(where: string, needs: Needs, isAsked: (name: string) => boolean, values: object): void {
  for (const name of Object.keys(needs)) {
    const [other, fits, value] = (isAsked(name) && missing(needs, name, values)) || [];
    if (fits === undefined) continue;
    const expected = fits === NOT_ZERO ? "other than 0" : fits.map(show).join(" or ");
    throw wrongValue(where, `${other} ${expected} with ${name}`, show(value));
  }
}

/** The first unmet need of the option: the other option, the values that would meet the need, and its present value. */
export function missing(needs: Needs, name: string, values: object) {
  for (const [other, fits] of Object.entries(needs[name] ?? {})) {
    const value = (values as Readonly<Record<string, unknown>>)[other];
    if (fits === NOT_ZERO ? value === 0 : !fits.includes(value)) return [other, fits, value] as const;
  }
  return undefined;
}

/** Throws unless x, for instance a current, has a time axis. */
export function checkSequence(where: string, what: string, x: Tensor): void {
  alive(x, where);
  if (x.sizes.length > 0) return;
  throw wrongValue(where, `${what} [T, B, …]`, `${formatShape(x.sizes)}${TIME_FIRST}`);
}

const TIME_FIRST =
  "; time is the first axis and neurons are the last, [T, B, …, N]; a loader gives [B, T, …]: x.transpose(0, 1)";

/** A hint for a current that should have n neurons on its last axis: empty unless its axes seem to be in the wrong order. */
export const axesHint = (shape: Shape, n: number): string =>
  shape.length === 1 || shape.includes(n) ? TIME_FIRST : "";

/** Throws unless the state has the shape of one time step. */
export function checkState(where: string, name: string, state: Tensor, shape: Shape): void {
  if (typeof state !== "object" || state === null) throw wrongType(where, `a state with ${name} as a tensor`, state);
  alive(state, where);
  if (sameShape(state.sizes, shape)) return;
  throw wrongValue(where, `a state ${name} of shape ${formatShape(shape)}`, formatShape(state.sizes));
}

/** Throws unless the counters of refractory steps are integers in [0, most]. */
export function checkCounters(where: string, refractory: Tensor, most: number): void {
  const left = peek(refractory);
  for (let i = 0; i < left.length; i++) {
    const steps = left[i] as number;
    if (steps >>> 0 === steps && steps <= most) continue;
    throw wrongValue(where, `a state refractory of integers in [0, ${most}]`, steps);
  }
}

/** Throws for a freed tensor of a state; a step that takes over the memory of a state frees its tensors. */
export function checkNotUsedUp(where: string, t: Tensor): void {
  if (t.region.open) return;
  throw new Error(
    `${where}: the state was used up by a later step, or freed; go on from the state that the last step has returned, or from a ` +
      "clone",
  );
}
