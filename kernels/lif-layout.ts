/**
 * The words of the descriptor of `lifForward` and `lifBackward`, for the kernels, their reference twins, and writers of
 * descriptors. A word has 32 bits: an address, an integer, or in two words a float32. A pass reads its own words and
 * the words of both passes. An array with the address 0 is left out.
 */

/** Both passes: steps, rows of a step, and columns of a row. */
export const T = 0;
export const rows = 1;
export const n = 2;
/** β and θ with their address steps: [n] with the step 1, or one value with the step 0. */
export const beta = 3;
export const stepBeta = 4;
export const threshold = 5;
export const stepThreshold = 6;
/** The kind of reset (kinds.ts), whether it is delayed, and whether a neuron fires only above θ. */
export const reset = 7;
export const delayed = 8;
export const strict = 9;
/** The membrane before the reset, the distance of its time steps (rows·n or 0), and the state before the first step. */
export const u = 10;
export const stepU = 11;
export const from = 12;

/** Forward: the value of a reset, a float32. */
export const resetValue = 13;
/** The current, and the distance of its time steps. */
export const current = 14;
export const stepCurrent = 15;
/** The spikes, the state over time, and the state after the last step. */
export const spikes = 16;
export const v = 17;
export const last = 18;

/** Backward: the kind of surrogate (kinds.ts), and its parameter, a float32. */
export const kind = 19;
export const slope = 20;
/** Given gradients of spikes, membrane and state over time, each with the distance of its time steps. */
export const dSpikes = 21;
export const stepDSpikes = 22;
export const dMembrane = 23;
export const stepDMembrane = 24;
export const dV = 25;
export const stepDV = 26;
/** Given gradient of the state after the last step. */
export const dLast = 27;
/**
 * Results: the gradient of the membrane with the distance of its time steps, its sum over time, and the gradient of the
 * state before the first step.
 */
export const dU = 28;
export const stepDU = 29;
export const dSum = 30;
export const dFrom = 31;

/**
 * For a part of a step: values from one time step to the next in the bits, and in arrays without a word for their
 * distance; 0 for rows·n.
 */
export const stepAll = 32;
/** Backward: the descriptor of a product that gives dSpikes (dMembrane without spikes), or 0. */
export const product = 33;

/** Number of words. */
export const words = 34;
