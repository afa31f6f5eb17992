/**
 * Numbers of the functions of the kernels `formula` and `formulaGrad`. A function is followed by its derivative with
 * respect to x, the first operand, and then by that with respect to y, the second. q is a further argument.
 */

/** sin x */
export const SIN = 0;
/** cos x, which is the derivative of sin, and a function with its own derivative. */
export const COS = 1;
/** 2/√π·∫₀ˣ e^−t² dt */
export const ERF = 3;
/** x·Φ(x) with the normal distribution Φ */
export const GELU = 5;
/** x·σ(yx + qx³) */
export const GATED = 7;
/** log(1 + eʸˣ) / y, and x where yx > q */
export const SOFTPLUS = 9;
/** y·(eˣ − 1) where x ≤ 0, else x */
export const ELU = 11;
/** yx where x ≤ 0, else x */
export const LEAKY_RELU = 13;
/** ln(1 + x) */
export const LOG1P = 15;
/** 1/x */
export const RECIPROCAL = 17;
/** 1/√x */
export const RSQRT = 19;
/** xʸ */
export const POW = 21;
/** The angle of the point with ordinate x and abscissa y */
export const ATAN2 = 24;
/** The largest integer ≤ x */
export const FLOOR = 27;
/** The nearest integer, half to even */
export const ROUND = 29;
/** −1, 0 or 1 */
export const SIGN = 31;
/** Not a function but a derivative: y where x ≠ 0, else q */
export const CHOICE = 33;
/** Not a function but a derivative: 1 where y < x < q; NaN counts as inside */
export const INSIDE = 34;
