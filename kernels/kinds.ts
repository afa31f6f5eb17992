/**
 * Numbers of surrogates and resets, for all kernels of neurons. derivative.ts has the derivatives at x = u − θ. Some are named by their
 * integral, the smooth step: ERF is a Gaussian. reference/kinds.ts lists all of them.
 */

/** k·σ(kx)·(1 − σ(kx)) */
export const SIGMOID = 0;
/** 1 / (1 + k|x|)² */
export const FAST_SIGMOID = 1;
/** (α/2) / (1 + (π/2·α·x)²) */
export const ATAN = 2;
/** α/√π·exp(−α²x²) */
export const ERF = 3;
/** max(0, 1 − |x|/w) / w */
export const TRIANGULAR = 4;
/** 1/w where |x| < w/2, else 0 */
export const BOXCAR = 5;
/** 1 */
export const STRAIGHT_THROUGH = 6;

/** A spike leaves the state unchanged. */
export const NO_RESET = 0;
/** A spike subtracts θ from the state. */
export const SUBTRACT = 1;
/** A spike sets the state to a value. */
export const ZERO = 2;
