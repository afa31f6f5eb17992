/** The firing patterns of Naud et al. (2008): AdEx neurons under a current step. */
import { choiceOf, numberOf, POSITIVE, withDefaults } from "../../engine/arguments.ts";
import { full, type Tensor } from "../../engine/index.ts";

/** Membrane [C, gL, EL], adaptation [a, tauW, b], resetValue and current, in the units of {@link AdEx}. */
type Setting = readonly [
  membrane: readonly [C: number, gL: number, EL: number],
  adaptation: readonly [a: number, tauW: number, b: number],
  resetValue: number,
  current: number,
];

const PATTERNS = {
  tonicSpiking: [[200, 10, -70], [2, 30, 0], -58, 500],
  adaptation: [[200, 12, -70], [2, 300, 60], -58, 500],
  initialBurst: [[130, 18, -58], [4, 150, 120], -50, 400],
  regularBursting: [[200, 10, -58], [2, 120, 100], -46, 210],
  delayedAccelerating: [[200, 12, -70], [-10, 300, 0], -58, 300],
  delayedRegularBursting: [[100, 10, -65], [-10, 90, 30], -47, 110],
  transientSpiking: [[100, 10, -65], [10, 90, 100], -47, 180],
  irregularSpiking: [[100, 12, -60], [-11, 130, 30], -48, 160],
} as const satisfies Readonly<Record<string, Setting>>;

/** Names of the patterns. */
export type AdExPattern = keyof typeof PATTERNS;

/**
 * Names of the firing patterns, in the order of the paper's table.
 *
 * @example
 * ```ts
 * import { adExPatterns } from "jarvis-snn";
 *
 * console.log(adExPatterns.length, adExPatterns[0]); // 8 tonicSpiking
 * ```
 */
export const adExPatterns = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ Object.keys(PATTERNS) as AdExPattern[]);

/** Result of {@link adExPattern}. */
export interface AdExSetting {
  /** Options of {@link AdEx}. */
  readonly options: Readonly<
    Record<"C" | "gL" | "EL" | "VT" | "deltaT" | "a" | "tauW" | "b" | "resetValue" | "dt", number>
  >;
  /** Current over time in pA, [T, 1]. */
  readonly current: Tensor;
}

/** Options of {@link adExPattern}. */
export interface AdExPatternOptions {
  /** Duration of the current in ms, > 0, default 500. */
  duration?: number;
  /** Time step in ms, > 0, default 0.1. */
  dt?: number;
}

const DEFAULTS = { duration: 500, dt: 0.1 } satisfies Required<AdExPatternOptions>;

/**
 * A firing pattern: options of {@link AdEx}, and the constant current of the paper over time, [T, 1], in pA.
 *
 * All patterns have VT = −50 mV and ΔT = 2 mV; the bursting ones begin each burst at a reset above VT.
 *
 * @throws RangeError for an unknown name, or a duration or time step that is not finite and > 0.
 * @see Naud, Marcille, Clopath and Gerstner (2008), Firing patterns in the adaptive exponential integrate-and-fire model, Biological
 *   Cybernetics 99.
 *
 * @example
 * ```ts
 * import { AdEx, adExPattern } from "jarvis-snn";
 *
 * const { options, current } = adExPattern("regularBursting", { duration: 300 });
 * const { spikes } = new AdEx(options).unroll(current);
 * console.log(current.shape, spikes.sum().item()); // [ 3000, 1 ] 6
 * ```
 */
export function adExPattern(name: AdExPattern, options: AdExPatternOptions = DEFAULTS): AdExSetting {
  const where = "adExPattern";
  const [[C, gL, EL], [a, tauW, b], resetValue, current] = PATTERNS[choiceOf(where, "a pattern", name, adExPatterns)];
  const { duration, dt } = withDefaults(where, DEFAULTS, options);
  const steps = Math.ceil(numberOf(where, "duration", duration, POSITIVE) / numberOf(where, "dt", dt, POSITIVE));
  return {
    options: { C, gL, EL, VT: -50, deltaT: 2, a, tauW, b, resetValue, dt },
    current: full([steps, 1], current),
  };
}
