/** The kernels of neurons, as their options ask for them. */
import { k, ready } from "../engine/extend.ts";
import type { Tensor } from "../engine/index.ts";
import { NO_RESET } from "../kernels/kinds.ts";
import type { Surrogate } from "./surrogate.ts";

/** The options of a neuron as the kernels take them. */
export interface Neuron {
  readonly reset: number;
  readonly delayed: number;
  readonly strict: number;
  readonly resetValue: number;
  readonly rest: number;
  readonly inputScale: number;
  readonly hold: number;
  readonly attached: number;
  readonly surrogate: Surrogate;
}

/** Whether a neuron is one without rest, scale and refractory steps, for which there is a faster kernel. */
export const isPlain = ({ hold, rest, inputScale }: Neuron): boolean => hold === 0 && rest === 0 && inputScale === 1;

/** How many neighbours in a step have values of β and θ of their own, of so many values; all of them where both are shared. */
export const neuronsOf = (betas: number, thetas: number, size: number): number => {
  const most = Math.max(betas, thetas);
  return most > 1 ? most : size;
};

/**
 * Neurons without further options, T steps of `size` values: membranes to u, spikes to bits. `betas` values of β lie at `beta`; v0
 * is the state before, 0 for zeros; between steps lie stepU and stepCurrent values.
 */
export function forwardPlain(
  { reset, delayed, strict, resetValue }: Neuron,
  u: number,
  bits: number,
  current: number,
  v0: number,
  beta: number,
  betas: number,
  threshold: Tensor,
  T: number,
  size: number,
  stepU: number,
  stepCurrent: number,
): void {
  const n = neuronsOf(betas, threshold.size, size);
  k.lifForward(
    u,
    bits,
    current,
    v0,
    beta,
    threshold.ptr,
    T,
    size / n,
    n,
    stepU,
    stepCurrent,
    betas === 1 ? 0 : 1,
    threshold.size === 1 ? 0 : 1,
    reset,
    delayed,
    strict,
    resetValue,
    0,
  );
}

/** The same with all options: spikes to s as numbers, and to r the steps that neurons are still held; r0 is that before. */
export function forwardAny(
  { reset, delayed, strict, resetValue, rest, inputScale, hold }: Neuron,
  u: number,
  s: number,
  r: number,
  current: number,
  v0: number,
  r0: number,
  beta: number,
  betas: number,
  threshold: Tensor,
  T: number,
  size: number,
  stepCurrent: number,
): void {
  const n = neuronsOf(betas, threshold.size, size);
  k.lifForwardAny(
    u,
    s,
    r,
    current,
    v0,
    r0,
    beta,
    threshold.ptr,
    T,
    size / n,
    n,
    stepCurrent,
    betas === 1 ? 0 : 1,
    threshold.size === 1 ? 0 : 1,
    reset,
    delayed,
    strict,
    resetValue,
    rest,
    inputScale,
    hold,
    0,
  );
}

/** v, which holds u, ← the state after the reset that is due now; the spikes are written out. */
export function resetState({ reset, delayed, resetValue }: Neuron, v: number, spikes: Tensor, threshold: Tensor): void {
  if (delayed !== 0 || reset === NO_RESET) return;
  ready("LIF", spikes);
  const n = threshold.size === 1 ? spikes.size : threshold.size;
  const step = threshold.size === 1 ? 0 : 1;
  k.lifState(v, v, spikes.ptr, threshold.ptr, spikes.size / n, n, step, reset, resetValue);
}
