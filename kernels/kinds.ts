/**
 * The numbers of surrogates and of resets, for all kernels of neurons. The derivatives at x = u − θ stand in
 * derivative.ts. Some bear the name of the smooth step that they are the derivative of: the derivative of erf is a
 * Gaussian. reference/kinds.ts lists all.
 */

/** k·σ(kx)·(1 − σ(kx)) */
export const SIGMOID = 0;
/** 1 / (1 + k|x|)² */
export const FAST_SIGMOID = 1;
/** (α/2) / (1 + (π/2·α·x)²) */
export const ATAN = 2;
/** α/√π·exp(−α²x²) */
export const ERF = 3;
/** (1 − |x|/w) / w where that is positive, else 0 */
export const TRIANGULAR = 4;
/** 1/w where |x| < w/2, else 0 */
export const BOXCAR = 5;
/** 1 */
export const STRAIGHT_THROUGH = 6;

/** A spike leaves the state as it is, */
export const NO_RESET = 0;
/** takes θ off it, */
export const SUBTRACT = 1;
/** or sets it to a value. */
export const ZERO = 2;
