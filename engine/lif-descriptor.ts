/** The descriptor of the kernels of plain LIF neurons, for those who call these by hand. */
import { NO_RESET, SIGMOID } from "../kernels/kinds.ts";
import * as layout from "../kernels/lif-layout.ts";
import { allOptions, FLOAT, numberOf, type Range } from "./arguments.ts";

/**
 * A run of plain LIF neurons: what `kernels.lifForward` and `kernels.lifBackward` take. Addresses are in bytes, 0 for an array that is left
 * out, and steps count values from one time step to the next.
 *
 *   forward      u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ (strict: >) else 0     v[t] = u[t] after the reset
 *   backward     du[t] = dMembrane[t] + κ·(dV[t] + β·du[t+1]) + σ′·dSpikes[t]
 *
 * Each pass reads the words of both and its own; one block serves a forward pass and the backward pass after it.
 */
export interface LIFDescriptor {
  /** Steps, ≥ 1. */
  readonly T: number;
  /** Rows of a step, such as the samples of a batch. */
  readonly rows: number;
  /** Columns of a row, the neurons. */
  readonly n: number;
  /** β: [n] with stepBeta 1, one value with stepBeta 0, the default. */
  readonly beta: number;
  readonly stepBeta?: 0 | 1;
  /** θ: the same; default 0, for integrators, which do not fire. */
  readonly threshold?: number;
  readonly stepThreshold?: 0 | 1;
  /** One of `kinds`: NO_RESET, the default, SUBTRACT or ZERO. */
  readonly reset?: number;
  /** 1: the reset comes at the start of the next step. Default 0. */
  readonly delayed?: 0 | 1;
  /** 1: fires at u > θ. Default 0. */
  readonly strict?: 0 | 1;
  /**
   * u, the membrane before the reset, [T, rows, n]; with stepU 0 [rows, n], of the last step. Backward reads it where spikes have a
   * gradient or resets cut the path.
   */
  readonly u: number;
  readonly stepU?: number;
  /** v before the first step, [rows, n]. Default 0: zeros. */
  readonly from?: number;

  /** Forward: v after a reset to a value. Default 0. */
  readonly resetValue?: number;
  /** I, [T, rows, n], or with stepCurrent 0 [rows, n], the same in all steps. Default 0: u is read, and v made of it alone. */
  readonly current?: number;
  readonly stepCurrent?: number;
  /** s ← a stream of T·rows·n bits, with a word more. Default 0: none; without a reset this is a leaky integrator. */
  readonly spikes?: number;
  /** v ← [T, rows, n]; it may lie over u, which must have all steps. */
  readonly v?: number;
  /** v after the last step ← [rows, n]; it may lie over `from`, and over u where stepU is 0. */
  readonly last?: number;

  /** Backward: the surrogate, one of `kinds`. Default SIGMOID. */
  readonly kind?: number;
  /** Its parameter, such as a slope. Default 0. */
  readonly slope?: number;
  /** ∂L/∂s, ∂L/∂u and ∂L/∂v over time, [T, rows, n], or with a step of 0 [rows, n], the same in all steps. */
  readonly dSpikes?: number;
  readonly stepDSpikes?: number;
  readonly dMembrane?: number;
  readonly stepDMembrane?: number;
  readonly dV?: number;
  readonly stepDV?: number;
  /** ∂L/∂v of the last step, [rows, n]. */
  readonly dLast?: number;
  /** In its place du[T], [rows, n], of steps that follow. */
  readonly dNext?: number;
  /**
   * du, the gradient of the current ← [T, rows, n], or with stepDU 0 [rows, n], of one step after the other. It may lie over dSpikes,
   * dMembrane, dV or u, where both have the same steps.
   */
  readonly dU?: number;
  readonly stepDU?: number;
  /** += Σ du[t], the last step first, [rows, n]: the gradient of a current that is the same in all steps. */
  readonly dSum?: number;
  /** ∂L/∂v before the first step ← [rows, n]; it may lie over dLast. */
  readonly dFrom?: number;
}

/** Bytes of a descriptor. */
export const LIF_DESCRIPTOR_BYTES = 4 * layout.words;

/** Words that are integers: addresses have 32 bits. */
const WORD: Range = {
  expected: "an integer of 32 bits",
  fits: (x) => Number.isInteger(x) && x >= -(2 ** 31) && x < 2 ** 32,
};

/** What a word is that is not given: NaN where it must be, and of the step of an array over time, which is rows·n. */
const DEFAULTS: Record<keyof LIFDescriptor, number> & Record<Exclude<keyof typeof layout, "words">, number> = {
  T: NaN,
  rows: NaN,
  n: NaN,
  beta: NaN,
  stepBeta: 0,
  threshold: 0,
  stepThreshold: 0,
  reset: NO_RESET,
  delayed: 0,
  strict: 0,
  u: NaN,
  stepU: NaN,
  from: 0,
  resetValue: 0,
  current: 0,
  stepCurrent: NaN,
  spikes: 0,
  v: 0,
  last: 0,
  kind: SIGMOID,
  slope: 0,
  dSpikes: 0,
  stepDSpikes: NaN,
  dMembrane: 0,
  stepDMembrane: NaN,
  dV: 0,
  stepDV: NaN,
  dLast: 0,
  dNext: 0,
  dU: 0,
  stepDU: NaN,
  dSum: 0,
  dFrom: 0,
};

/** The words of a descriptor that are given: all names, in numbers that fit. */
function checked(descriptor: LIFDescriptor): typeof DEFAULTS {
  const where = "lifDescriptor";
  const given = allOptions(where, DEFAULTS, descriptor);
  for (const name of ["stepU", "stepCurrent", "stepDSpikes", "stepDMembrane", "stepDV", "stepDU"] as const) {
    if (Number.isNaN(given[name])) given[name] = given.rows * given.n;
  }
  for (const [name, value] of Object.entries(given)) {
    numberOf(where, name, value, name === "resetValue" || name === "slope" ? FLOAT : WORD);
  }
  return given;
}

/**
 * Writes the words of a descriptor from number `first` on, into views of one memory as integers and as floats.
 *
 * @throws TypeError for a word of another name, or that is no number; RangeError for a number that is missing or does not fit.
 */
export function writeLIF(
  integers: Uint32Array | Float64Array,
  floats: Float32Array | Float64Array,
  first: number,
  descriptor: LIFDescriptor,
): void {
  const words = checked(descriptor);
  const places: Readonly<Record<keyof LIFDescriptor, number>> = layout;
  for (const name of Object.keys(words) as (keyof typeof words)[]) integers[first + places[name]] = words[name];
  floats[first + layout.resetValue] = words.resetValue;
  floats[first + layout.slope] = words.slope;
}
