/**
 * The words of the descriptor that `lifForward` and `lifBackward` take: 32 bits each, addresses and integers, and of two of them
 * float32. For the kernels, their twins, and writers of descriptors. A pass reads its own words and the words of both;
 * an address of 0 leaves an array out.
 */

/** Both passes: steps, rows of a step and columns of a row, */
export const T = 0;
export const rows = 1;
export const n = 2;
/** β and θ, [n] with a step of 1 or one value with a step of 0, */
export const beta = 3;
export const stepBeta = 4;
export const threshold = 5;
export const stepThreshold = 6;
/** the reset, one of kinds.ts, whether it comes a step late, whether a neuron fires above θ alone, */
export const reset = 7;
export const delayed = 8;
export const strict = 9;
/** the membrane before the reset with the distance of its steps, rows·n or 0, and the state before the first step. */
export const u = 10;
export const stepU = 11;
export const from = 12;

/** Forward: the value of a reset, a float32, */
export const resetValue = 13;
/** the current with the distance of its steps, */
export const current = 14;
export const stepCurrent = 15;
/** the spikes, the state over time and the state after the last step. */
export const spikes = 16;
export const v = 17;
export const last = 18;

/** Backward: the surrogate, one of kinds.ts, and its parameter, a float32, */
export const kind = 19;
export const slope = 20;
/** the gradients that come, of spikes, membrane and state over time, with the distances of their steps, */
export const dSpikes = 21;
export const stepDSpikes = 22;
export const dMembrane = 23;
export const stepDMembrane = 24;
export const dV = 25;
export const stepDV = 26;
/** and of the state after the last step; */
export const dLast = 27;
/** those that leave: of the membrane with the distance of its steps, its sum over steps, and of the state before the first. */
export const dU = 28;
export const stepDU = 29;
export const dSum = 30;
export const dFrom = 31;

/** A part of a step: values from one step to the next of arrays that have no step of their own, and of the bits; 0 for rows·n. */
export const stepAll = 32;
/** Backward, or 0: the descriptor of a product that gives dSpikes, or without spikes dMembrane. */
export const product = 33;

/** How many there are. */
export const words = 34;
