/**
 * Checks that layers through time share: options that need others, sequences, states and counters of refractory steps.
 */
import { choiceOf, type Range, show, WHOLE, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive, peek } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { formatShape, type Shape, sameShape } from "../../engine/shape.ts";

/** Numbers that kernels read as float32: none that becomes infinite there, or 0 without being 0. */
export const IN_FLOAT32: Range = {
  expected: "finite and in the range of float32",
  fits: (x) => Math.abs(Math.fround(x)) < Infinity && (x === 0 || Math.fround(x) !== 0),
};

/** Kernels count steps in float32, where further integers are not all there. */
export const STEPS: Range = { expected: "an integer in [0, 2²⁴]", fits: (x) => WHOLE.fits(x) && x <= 2 ** 24 };

/** When a neuron fires: u ≥ θ or u > θ. */
export type Fire = "ge" | "gt";

/** Whether a neuron fires at u > θ only, as kernels take it. */
export const strictOf = (where: string, fire: Fire): number =>
  choiceOf(where, "fire", fire, ["ge", "gt"]) === "gt" ? 1 : 0;

/** A need of an option: a factor, which is a parameter, that is not 0. */
export const NOT_ZERO = "not 0";

/** Options that have an effect with some values of other options alone: by option and other option, these values. */
export type Needs = Readonly<Record<string, Readonly<Record<string, readonly unknown[] | typeof NOT_ZERO>>>>;

/** Throws where an option, of those that a caller asks for or learns, is without effect for the values of the others. */
export function checkNeeds(where: string, needs: Needs, isAsked: (name: string) => boolean, values: object): void {
  for (const name of Object.keys(needs)) {
    const [other, fits, value] = (isAsked(name) && missing(needs, name, values)) || [];
    if (fits === undefined) continue;
    const expected = fits === NOT_ZERO ? "other than 0" : fits.map(show).join(" or ");
    throw wrongValue(where, `${other} ${expected} with ${name}`, show(value));
  }
}

/** The first need of the option that these values do not meet: the other option, the values that would meet the need, and its value. */
export function missing(needs: Needs, name: string, values: object) {
  return Object.entries(needs[name] ?? {})
    .map(([other, fits]) => [other, fits, (values as Readonly<Record<string, unknown>>)[other]] as const)
    .find(([, fits, value]) => (fits === NOT_ZERO ? value === 0 : !fits.includes(value)));
}

/** Throws unless x, a current for instance, has a time axis. */
export function checkSequence(where: string, what: string, x: Tensor): void {
  alive(x, where);
  if (x.ndim > 0) return;
  throw wrongValue(where, `${what} [T, B, …]`, `${formatShape(x.sizes)}${TIME_FIRST}`);
}

const TIME_FIRST =
  "; time is the first axis and neurons are the last, [T, B, …, N]; a loader gives [B, T, …]: x.transpose(0, 1)";

/** A hint for a current that should have n neurons on its last axis: nothing, unless its axes seem to be in another order. */
export const axesHint = (shape: Shape, n: number): string =>
  shape.length === 1 || shape.includes(n) ? TIME_FIRST : "";

/** Throws unless the state has the shape of one time step. */
export function checkState(where: string, name: string, state: Tensor, shape: Shape): void {
  if (typeof state !== "object" || state === null) throw wrongType(where, `a state with ${name} as a tensor`, state);
  alive(state, where);
  if (sameShape(state.sizes, shape)) return;
  throw wrongValue(where, `a state ${name} of shape ${formatShape(shape)}`, formatShape(state.sizes));
}

/** Throws unless the steps that neurons are still held are integers in [0, most]. */
export function checkCounters(where: string, refractory: Tensor, most: number): void {
  const left = peek(refractory);
  for (let i = 0; i < left.length; i++) {
    const steps = left[i] as number;
    if (steps >>> 0 === steps && steps <= most) continue;
    throw wrongValue(where, `a state refractory of integers in [0, ${most}]`, steps);
  }
}

/** Throws for a tensor of a state that was freed: where steps take over the memory of a state, by such a step. */
export function checkNotUsedUp(where: string, t: Tensor): void {
  if (t.region.open) return;
  throw new Error(
    `${where}: the state was used up by a later step, or freed; go on from the state that the last step has returned, or from a ` +
      "clone",
  );
}
