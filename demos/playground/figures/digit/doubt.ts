/**
 * Decides how the answer to a drawing is worded. The network is sure of a digit that leads clearly, in a drawing that is not flat and whose lines are as long as
 * those of this digit.
 *
 *   no digit      the drawing is less than half as high as wide, or its lines are shorter or longer than those of the leading digit
 *   two digits    v₁ − v₂ < 0.4      v₁, v₂: the two largest membranes at the end
 *   one digit     otherwise
 *
 * Membranes alone do not tell a scribble from a digit: the network has learned digits only, and some scribbles give it large membranes.
 */
import { leaderOf } from "../../model/decision.ts";
import type { Strokes } from "../../model/image.ts";
import { lengthSeen } from "./ink.ts";

/** The least lead of a sure answer, and the least height of a drawing as a multiple of its width. */
export const LEAD = 0.4;
const FLAT = 0.5;

/**
 * The shortest and the longest lines of each digit, as multiples of the longer side of the drawing: the quantiles 0.5 % and 99.8 % of
 * 20 000 of MNIST's training digits, rounded outwards. A one may be a straight line, whose length is 1 up to rounding.
 */
export const LENGTHS = [
  [2, 3.9],
  [0.9, 2.4],
  [1.3, 3.7],
  [1.2, 3.5],
  [1.3, 2.9],
  [1.3, 3.5],
  [1, 3.6],
  [1.1, 2.8],
  [1.6, 4.2],
  [1.1, 3.6],
] as const;

/** The digits that a drawing may be, the likelier first, by the membranes of the digits. */
export function digitsOf(membranes: Float32Array, strokes: Strokes): number[] {
  const first = leaderOf(membranes);
  const [shortest, longest] = LENGTHS[first] ?? [Infinity, 0];
  const length = lengthSeen(strokes);
  if (length < shortest || length > longest || isFlat(strokes)) return [];
  return leadOf(membranes) < LEAD ? [first, leaderOf(withoutFirst(membranes))] : [first];
}

/** The lead of the largest membrane. */
export const leadOf = (membranes: Float32Array): number =>
  Math.max(...membranes) - Math.max(...withoutFirst(membranes));

function withoutFirst(membranes: Float32Array): Float32Array {
  const first = leaderOf(membranes);
  return membranes.map((value, k) => (k === first ? Number.NEGATIVE_INFINITY : value));
}

export function isFlat(strokes: Strokes): boolean {
  const side = (axis: 0 | 1): number => {
    const places = strokes.flat().map((point) => point[axis]);
    return Math.max(...places) - Math.min(...places);
  };
  return side(1) < FLAT * side(0);
}
