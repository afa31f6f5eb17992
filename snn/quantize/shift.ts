/** Decays that a shift computes: v − v/2ᵏ instead of β·v. */
import { type Op, passGradient, valuesAt } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { applyOp, SAVES } from "../../engine/unchecked.ts";

/** Smallest 2⁻ᵏ, by the longest shift. */
const LONGEST = 2 ** -15;

/** The nearest of 0, 1/2, 3/4, …, 1 − 2⁻¹⁵ and 1; the smaller one of two. */
export function nearestShift(beta: number): number {
  const rest = 1 - beta;
  if (Number.isNaN(rest)) return beta;
  if (rest < LONGEST / 2) return 1;
  let power = 1;
  while (power > LONGEST && rest < 0.75 * power) power /= 2;
  return 1 - power;
}

/** z = the nearest decay that is a shift.  ∂L/∂β = ∂L/∂z. */
const shiftOp: Op<null> = {
  name: "quantize",
  saves: SAVES.nothing,
  forward(z, beta) {
    const [to, from] = [valuesAt(z.ptr, z.size), valuesAt(beta.ptr, z.size)];
    for (let i = 0; i < z.size; i++) to[i] = nearestShift(from[i] as number);
  },
  backward: (z, beta) => passGradient(z, beta),
};

export const toShift = (beta: Tensor): Tensor => applyOp(shiftOp, null, beta);
