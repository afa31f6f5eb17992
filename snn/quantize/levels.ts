/** Levels of a quantized state, and rounding to the nearest one. */
import { numberOf, POSITIVE, type Range, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import type { Language, Value } from "../../engine/fuse/index.ts";

/** Options of the states in {@link quantize}. */
export interface StateOptions {
  /** b, for 2ᵇ levels: an integer from 1 to 16, or to 6 with `uniform: false`. */
  bits: number;
  /** Whether levels are equidistant; false: they become denser towards θ or 0. Default true. */
  uniform?: boolean;
  /** With `uniform: false`: whether levels are dense at θ (default) or at 0. */
  thrCentered?: boolean;
  /** θ of the levels, > 0; default the neurons' threshold, or 1 for neurons without one. */
  threshold?: number;
  /** Distance of the lowest level below −θ, in θ; > −1, default 0. */
  lowerLimit?: number;
  /** Distance of the highest level above θ, in θ; ≥ 0, default 0.2. */
  upperLimit?: number;
  /** With `uniform: false`: the ratio of neighbouring distances, in (0, 1); the default, 0.05 to 0.9, depends on the bits. */
  multiplier?: number;
  /** Names of the states to quantize, if neurons have them; default the state that a spike resets, the membrane. */
  states?: readonly string[];
}

const STATE = {
  bits: Number.NaN,
  uniform: true,
  thrCentered: true,
  threshold: undefined as number | undefined,
  lowerLimit: 0,
  upperLimit: 0.2,
  multiplier: undefined as number | undefined,
  states: undefined as readonly string[] | undefined,
} satisfies Record<keyof StateOptions, unknown>;

/** Checked levels. */
export interface StateLevels {
  readonly count: number;
  /** θ of the levels; null for the neurons' threshold. */
  readonly threshold: number | null;
  /** Lowest and highest level, in θ. */
  readonly low: number;
  readonly high: number;
  /** All levels, in θ; null if they are equidistant. */
  readonly list: readonly number[] | null;
  /** Names of quantized states; null for the state that a spike resets. */
  readonly states: readonly string[] | null;
}

const bitsUpTo = (most: number): Range => ({
  expected: `an integer from 1 to ${most}`,
  fits: (x) => Number.isInteger(x) && x >= 1 && x <= most,
});
const UPPER: Range = { expected: "≥ 0 and at most 1e6", fits: (x) => x >= 0 && x <= 1e6 };
const LOWER: Range = { expected: "> −1 and at most 1e6", fits: (x) => x > -1 && x <= 1e6 };
const RATIO: Range = { expected: "in (0, 1)", fits: (x) => x > 0 && x < 1 };

/** Ratios of neighbouring distances for 1, 2, … bits, as in snnTorch. */
const RATIOS = [0.05, 0.1, 0.3, 0.5, 0.7, 0.9];

/** Levels of the options. */
export function levelsFrom(where: string, options: StateOptions): StateLevels {
  const given = withDefaults<typeof STATE>(`${where}: state`, STATE, options);
  const { uniform, thrCentered, threshold, multiplier, states } = given;
  const bits = numberOf(where, "state.bits", given.bits, bitsUpTo(uniform ? 16 : RATIOS.length));
  const low = -1 - numberOf(where, "state.lowerLimit", given.lowerLimit, LOWER);
  const high = 1 + numberOf(where, "state.upperLimit", given.upperLimit, UPPER);
  if (threshold !== undefined) numberOf(where, "state.threshold", threshold, POSITIVE);
  if (multiplier !== undefined) numberOf(where, "state.multiplier", multiplier, RATIO);
  if (states !== undefined && !(Array.isArray(states) && states.every((name) => typeof name === "string"))) {
    throw wrongType(where, "state.states as a list of names", states);
  }
  if (uniform && (multiplier !== undefined || !thrCentered)) {
    throw wrongValue(where, "state.uniform false with thrCentered or multiplier", "true");
  }
  const count = 2 ** bits;
  const list = uniform
    ? null
    : dense(count, low, high, thrCentered ? 1 : 0, multiplier ?? (RATIOS[bits - 1] as number));
  return { count, threshold: threshold ?? null, low, high, list, states: states === undefined ? null : [...states] };
}

/** Levels from `low` to `high` whose distances shrink by a ratio towards `center`, which is not a level. */
function dense(count: number, low: number, high: number, center: number, ratio: number): number[] {
  const below = Math.floor((count * (center - low)) / (high - low));
  const sums = (n: number): number[] => {
    const all = [0];
    let distance = 1;
    for (let j = 0; j < n; j++, distance *= ratio) all.push((all[j] as number) + distance);
    return all;
  };
  const [down, up] = [sums(below), sums(count - below)];
  const share = (list: number[], i: number): number => (list[i] as number) / (list[list.length - 1] as number);
  return [
    ...Array.from({ length: below }, (_, i) => low + (center - low) * share(down, i)),
    ...Array.from({ length: count - below }, (_, i) => high - (high - center) * share(up, count - below - 1 - i)),
  ];
}

/**
 * z = the level nearest to x; at a tie the lower level of a list, or the even one of equidistant levels.  ∂L/∂x = ∂L/∂z, also outside of
 * the levels.
 */
export function onLevel(levels: StateLevels, argument: Language, theta: Value | number): (x: Value) => Value {
  const { count, low, high, list } = levels;
  const { where } = argument;
  const times = (c: number): Value | number =>
    typeof theta === "number" ? Math.fround(theta * c) : theta.detach().mul(c);
  const nearest = (x: Value): Value => {
    if (list !== null) {
      const middle = (i: number): number => ((list[i - 1] as number) + (list[i] as number)) / 2;
      return list.reduce<Value>(
        (z, level, i) => (i === 0 ? z : where(x.gt(times(middle(i))), times(level), z)),
        argument.constant(0).add(times(list[0] as number)),
      );
    }
    const [start, end] = [times(low), times(high)];
    const step = times((high - low) / (count - 1));
    const index = x
      .sub(start)
      .div(step)
      .round()
      .clamp(0, count - 1);
    // Computes levels from both ends, so that the first and the last level are exact.
    const fromStart = index.mul(step).add(start);
    const fromEnd = index
      .sub(count - 1)
      .mul(step)
      .add(end);
    return where(index.lt(count / 2), fromStart, fromEnd);
  };
  // x − x is 0, with the gradient of x.
  return (x) => nearest(x.detach()).detach().add(x.sub(x.detach()));
}
