/** Powers and logarithms in float64 by + − × ÷ only: unlike `Math`, they have the same bits on every engine. */

/** eˣ for finite |x| < 700; relative error below 2·10⁻¹⁵ + 4·10⁻¹⁶·|x|. */
export function exactExp(x: number): number {
  // eˣ = 2ᵏ·eʳ with |r| ≤ ln 2 / 2.
  const k = Math.round(x / Math.LN2);
  const r = x - k * Math.LN2;
  let sum = 1;
  // The Taylor series from its smallest term; r²⁰/20! is below 10⁻²⁷.
  for (let n = 20; n > 0; n--) sum = 1 + (sum * r) / n;
  return sum * 2 ** k;
}

/** ln x within 10⁻¹⁵, for finite x > 0. */
export function ln(x: number): number {
  let m = x;
  let k = 0;
  for (; m > Math.SQRT2; k++) m /= 2;
  for (; m < Math.SQRT1_2; k--) m *= 2;
  // ln m = 2·artanh s = 2·(s + s³/3 + s⁵/5 + …) with |s| ≤ 0.172; s³¹/31 is below 10⁻²⁵.
  const s = (m - 1) / (m + 1);
  let sum = 0;
  for (let n = 29; n > 0; n -= 2) sum = sum * s * s + 1 / n;
  return k * Math.LN2 + 2 * s * sum;
}
