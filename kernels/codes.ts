/**
 * The numbers of the functions that the kernels `formula` and `formulaGrad` evaluate. The next number is the derivative
 * towards the first operand, x, the one after it that towards the second, y; q is a further number.
 */

/** sin x */
export const SIN = 0;
/** cos x: the derivative of sin, and a function with a derivative of its own. */
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
/** The nearest integer, the even one of two */
export const ROUND = 29;
/** −1, 0 or 1 */
export const SIGN = 31;
/** A derivative in itself: y where x ≠ 0, else q */
export const CHOICE = 33;
/** A derivative in itself: 1 where y < x < q; NaN counts as inside */
export const INSIDE = 34;
