/** The twenty firing patterns of Izhikevich (2004), with the inputs and time steps of the program that drew the paper's figure. */
import { choiceOf } from "../../engine/arguments.ts";
import { type Tensor, tensor } from "../../engine/index.ts";

/** Options of a pattern: parameters of the neuron, and terms in which its equation differs from the usual one. */
interface Setting {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly v0: number;
  /** u before the first step, if it is not b·v0. */
  readonly u0?: number;
  readonly linear?: number;
  readonly bias?: number;
  readonly recoveryRest?: number;
  readonly recoveryLeak?: number;
  /** Time step in ms. */
  readonly dt: number;
  /** End of the input in ms. */
  readonly until: number;
  /** Current at a time in ms. */
  current(t: number): number;
}

/** `value` for a duration after each start, otherwise `base`. */
const pulses =
  (starts: readonly number[], duration: number, value: number, base = 0) =>
  (t: number): number =>
    starts.some((start) => t > start && t < start + duration) ? value : base;

/** `value` from a start on, otherwise 0. */
const step =
  (start: number, value: number) =>
  (t: number): number =>
    t > start ? value : 0;

/** The membrane of patterns G and L: 0.04·v² + 4.1·v + 108. */
const CLASS_1 = { linear: 4.1, bias: 108 };

/** Made by a pure call, which bundlers remove if the result is unused; they would keep spreads and divisions. */
const PATTERNS = /* @__PURE__ */ (() =>
  ({
    tonicSpiking: { a: 0.02, b: 0.2, c: -65, d: 6, v0: -70, dt: 0.25, until: 100, current: step(10, 14) },
    phasicSpiking: { a: 0.02, b: 0.25, c: -65, d: 6, v0: -64, dt: 0.25, until: 200, current: step(20, 0.5) },
    tonicBursting: { a: 0.02, b: 0.2, c: -50, d: 2, v0: -70, dt: 0.25, until: 220, current: step(22, 15) },
    phasicBursting: { a: 0.02, b: 0.25, c: -55, d: 0.05, v0: -64, dt: 0.2, until: 200, current: step(20, 0.6) },
    mixedMode: { a: 0.02, b: 0.2, c: -55, d: 4, v0: -70, dt: 0.25, until: 160, current: step(16, 10) },
    spikeFrequencyAdaptation: { a: 0.01, b: 0.2, c: -65, d: 8, v0: -70, dt: 0.25, until: 85, current: step(8.5, 30) },
    class1Excitability: {
      ...{ a: 0.02, b: -0.1, c: -55, d: 6, v0: -60, dt: 0.25, until: 300, ...CLASS_1 },
      current: (t) => (t > 30 ? 0.075 * (t - 30) : 0),
    },
    class2Excitability: {
      ...{ a: 0.2, b: 0.26, c: -65, d: 0, v0: -64, dt: 0.25, until: 300 },
      current: (t) => (t > 30 ? -0.5 + 0.015 * (t - 30) : -0.5),
    },
    spikeLatency: { a: 0.02, b: 0.2, c: -65, d: 6, v0: -70, dt: 0.2, until: 100, current: pulses([10], 3, 7.04) },
    subthresholdOscillations: {
      ...{ a: 0.05, b: 0.26, c: -60, d: 0, v0: -62, dt: 0.25, until: 200 },
      current: pulses([20], 5, 2),
    },
    resonator: {
      ...{ a: 0.1, b: 0.26, c: -60, d: -1, v0: -62, dt: 0.25, until: 400 },
      current: pulses([40, 60, 280, 320], 4, 0.65),
    },
    integrator: {
      ...{ a: 0.02, b: -0.1, c: -55, d: 6, v0: -60, dt: 0.25, until: 100, ...CLASS_1 },
      current: pulses([100 / 11, 100 / 11 + 5, 70, 80], 2, 9),
    },
    reboundSpike: { a: 0.03, b: 0.25, c: -60, d: 4, v0: -64, dt: 0.2, until: 200, current: pulses([20], 5, -15) },
    reboundBurst: { a: 0.03, b: 0.25, c: -52, d: 0, v0: -64, dt: 0.2, until: 200, current: pulses([20], 5, -15) },
    thresholdVariability: {
      ...{ a: 0.03, b: 0.25, c: -60, d: 4, v0: -64, dt: 0.25, until: 100 },
      current: (t) => pulses([10, 80], 5, 1)(t) + pulses([70], 5, -6)(t),
    },
    bistability: {
      ...{ a: 0.1, b: 0.26, c: -60, d: 0, v0: -61, dt: 0.25, until: 300 },
      current: pulses([37.5, 216], 5, 1.24, 0.24),
    },
    depolarizingAfterpotential: {
      ...{ a: 1, b: 0.2, c: -60, d: -21, v0: -70, dt: 0.1, until: 50 },
      current: pulses([9], 2, 20),
    },
    accommodation: {
      ...{ a: 0.02, b: 1, c: -55, d: 4, v0: -65, u0: -16, dt: 0.5, until: 400, recoveryRest: -65, recoveryLeak: 0 },
      current: (t) => (t < 200 ? t / 25 : t >= 300 && t < 312.5 ? ((t - 300) / 12.5) * 4 : 0),
    },
    inhibitionInducedSpiking: {
      ...{ a: -0.02, b: -1, c: -60, d: 8, v0: -63.8, dt: 0.5, until: 350 },
      current: (t) => (t < 50 || t > 250 ? 80 : 75),
    },
    inhibitionInducedBursting: {
      ...{ a: -0.026, b: -1, c: -45, d: -2, v0: -63.8, dt: 0.5, until: 350 },
      current: (t) => (t < 50 || t > 250 ? 80 : 75),
    },
  }) as const satisfies Readonly<Record<string, Setting>>)();

/** Names of the patterns, in the order of the paper's figure, A to T. */
export type IzhikevichPattern = keyof typeof PATTERNS;

/**
 * Names of the twenty firing patterns, in the order of the paper's figure, A to T.
 *
 * @example
 * ```ts
 * import { izhikevichPatterns } from "jarvis-snn";
 *
 * console.log(izhikevichPatterns.length, izhikevichPatterns[0]); // 20 tonicSpiking
 * ```
 */
export const izhikevichPatterns = /* @__PURE__ */ Object.freeze(
  /* @__PURE__ */ Object.keys(PATTERNS) as IzhikevichPattern[],
);

/** Result of {@link izhikevichPattern}. */
export interface IzhikevichSetting {
  /**
   * Options of {@link Izhikevich}: parameters, changed terms of the equation, and `fire`, "gt".
   */
  readonly options: Readonly<Record<"a" | "b" | "c" | "d" | "v0" | "dt", number>> &
    Readonly<Partial<Record<"linear" | "bias" | "recoveryRest" | "recoveryLeak", number>>> &
    Readonly<Record<"fire", "gt">>;
  /** Current over time, [T, 1]. */
  readonly current: Tensor;
  /** State before the first step, [1] by name. */
  readonly state: Readonly<Record<"v" | "u", Tensor>>;
}

/**
 * A firing pattern: options of {@link Izhikevich}, the current over time, [T, 1], and the state before the first step.
 *
 * Inputs, time steps and changed equations are those of the program that drew figure 1 of the paper: the membrane of "class1Excitability" and
 * "integrator", and a recovery variable without decay in "accommodation". Time is in ms; a step takes `options.dt`.
 *
 * @throws RangeError for an unknown name.
 * @see Izhikevich (2004), Which model to use for cortical spiking neurons?, IEEE Transactions on Neural Networks 15(5).
 *
 * @example
 * ```ts
 * import { Izhikevich, izhikevichPattern } from "jarvis-snn";
 *
 * const { options, current, state } = izhikevichPattern("tonicBursting");
 * const { spikes } = new Izhikevich(options).unroll(current, state);
 * console.log(current.shape, spikes.sum().item()); // [ 881, 1 ] 28
 * ```
 */
export function izhikevichPattern(name: IzhikevichPattern): IzhikevichSetting {
  const setting: Setting = PATTERNS[choiceOf("izhikevichPattern", "a pattern", name, izhikevichPatterns)];
  const { current, until, u0, ...options } = setting;
  const { dt, b, v0 } = options;
  const steps = Math.round(until / dt) + 1;
  return {
    options: { ...options, fire: "gt" },
    current: tensor(Array.from({ length: steps }, (_, i) => [current(i * dt)])),
    state: { v: tensor([v0]), u: tensor([u0 ?? b * v0]) },
  };
}
