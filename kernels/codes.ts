/**
 * The numbers of the functions that the kernels `formula` and `formulaGrad` evaluate. The next number is the derivative
 * towards the first operand, x, the one after it that towards the second, y; q is a further number.
 */

export const SIN = 0;
/** The derivative of sin, and a function with a derivative of its own. */
export const COS = 1;
export const ERF = 3;
export const GELU = 5;
/** x·σ(yx + qx³) */
export const GATED = 7;
/** log(1 + eʸˣ) / y, and x where yx > q */
export const SOFTPLUS = 9;
/** y·(eˣ − 1) where x ≤ 0 */
export const ELU = 11;
/** yx where x ≤ 0 */
export const LEAKY_RELU = 13;
export const LOG1P = 15;
export const RECIPROCAL = 17;
export const RSQRT = 19;
export const POW = 21;
export const ATAN2 = 24;
export const FLOOR = 27;
export const ROUND = 29;
export const SIGN = 31;
/** A derivative in itself: y where x ≠ 0, else q */
export const CHOICE = 33;
/** A derivative in itself: 1 where y < x < q; NaN counts as inside */
export const INSIDE = 34;
