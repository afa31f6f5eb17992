/** The hand that writes until the reader does: digits of π, here and there, large and small. */
import type { Point, Strokes } from "../../model/image.ts";
import { distance } from "./ink.ts";

/** Pieces of a curve between two points that it passes. */
const PIECES = 8;

/** Points that the pen passes, in a box of 1 × 1; a point that stands twice is a corner. */
const FORMS: Readonly<Record<number, Strokes>> = {
  1: [corners([0.38, 0.16], [0.47, 0.09], [0.56, 0], [0.56, 0], [0.55, 0.5], [0.54, 1])],
  2: [
    corners(
      [0.1, 0.24],
      [0.3, 0.03],
      [0.74, 0.04],
      [0.84, 0.3],
      [0.5, 0.68],
      [0.06, 1],
      [0.06, 1],
      [0.5, 0.97],
      [0.95, 0.98],
    ),
  ],
  3: [corners([0.12, 0.12], [0.5, 0], [0.82, 0.2], [0.42, 0.46], [0.42, 0.46], [0.88, 0.7], [0.5, 1], [0.05, 0.88])],
  4: [
    corners([0.5, 0], [0.3, 0.32], [0.04, 0.66], [0.04, 0.66], [0.5, 0.65], [0.98, 0.62]),
    corners([0.74, 0.34], [0.71, 0.7], [0.68, 1]),
  ],
  5: [
    corners(
      [0.26, 0.02],
      [0.2, 0.25],
      [0.14, 0.46],
      [0.14, 0.46],
      [0.5, 0.38],
      [0.88, 0.64],
      [0.58, 0.98],
      [0.06, 0.92],
    ),
    corners([0.26, 0.02], [0.6, 0.03], [0.9, 0]),
  ],
  6: [
    corners(
      [0.76, 0.02],
      [0.34, 0.26],
      [0.08, 0.66],
      [0.3, 0.98],
      [0.76, 0.92],
      [0.8, 0.6],
      [0.44, 0.54],
      [0.12, 0.74],
    ),
  ],
  9: [corners([0.85, 0.22], [0.5, 0.01], [0.12, 0.26], [0.4, 0.54], [0.82, 0.3], [0.88, 0.1], [0.84, 0.5], [0.76, 1])],
};

/** Each digit with the height and the middle of its place, as shares of the pad. */
const PLACES: readonly (readonly [digit: number, size: number, x: number, y: number])[] = [
  [3, 0.74, 0.48, 0.5],
  [1, 0.8, 0.5, 0.5],
  [4, 0.62, 0.36, 0.56],
  [1, 0.4, 0.74, 0.3],
  [5, 0.34, 0.24, 0.26],
  [9, 0.66, 0.6, 0.48],
  [2, 0.46, 0.4, 0.68],
  [6, 0.7, 0.52, 0.5],
  [5, 0.62, 0.58, 0.5],
  [3, 0.36, 0.7, 0.7],
];
/** Digits are so much narrower than high. */
const NARROW = 0.64;

/** A digit that the hand writes, and the length of its way on the paper. */
export interface Written {
  readonly digit: number;
  readonly strokes: Strokes;
  readonly length: number;
}

export const handwriting: readonly Written[] = PLACES.map(([digit, size, x, y]) => {
  const strokes = (FORMS[digit] as Strokes).map((points) =>
    points.map(([px, py]): Point => [x + NARROW * size * (px - 0.5), y + size * (py - 0.5)]),
  );
  return { digit, strokes, length: wayOf(strokes) };
});

/** The length of the way of a pen that writes strokes. */
export function wayOf(strokes: Strokes): number {
  return strokes.reduce((sum, points) => sum + lengthOf(points), 0);
}

function lengthOf(points: readonly Point[]): number {
  return points.reduce((sum, point, i) => sum + distance(points[Math.max(0, i - 1)] as Point, point), 0);
}

/** The strokes as they are after a share of their length. */
export function partOf({ strokes, length }: Omit<Written, "digit">, share: number): Strokes {
  let left = share * length;
  const part: Point[][] = [];
  for (const points of strokes) {
    if (left <= 0) break;
    const drawn = [points[0] as Point];
    for (let i = 1; i < points.length && left > 0; i++) {
      const [from, to] = [points[i - 1] as Point, points[i] as Point];
      const piece = distance(from, to);
      const f = Math.min(1, left / Math.max(piece, 1e-9));
      drawn.push([from[0] + f * (to[0] - from[0]), from[1] + f * (to[1] - from[1])]);
      left -= piece;
    }
    part.push(drawn);
  }
  return part;
}

/** A smooth line through points (Catmull–Rom), which ends and begins anew at a point that stands twice. */
function corners(...points: Point[]): Point[] {
  const line: Point[] = [points[0] as Point];
  const isCorner = (i: number): boolean =>
    i + 1 < points.length && distance(points[i] as Point, points[i + 1] as Point) === 0;
  for (let i = 0; i + 1 < points.length; i++) {
    if (isCorner(i)) continue;
    const [b, c] = [points[i] as Point, points[i + 1] as Point];
    const a = i === 0 || isCorner(i - 1) ? b : (points[i - 1] as Point);
    const d = i + 2 >= points.length || isCorner(i + 1) ? c : (points[i + 2] as Point);
    for (let n = 1; n <= PIECES; n++) {
      const s = n / PIECES;
      const along = (k: 0 | 1): number =>
        b[k] +
        0.5 * s * (c[k] - a[k] + s * (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k] + s * (3 * (b[k] - c[k]) + d[k] - a[k])));
      line.push([along(0), along(1)]);
    }
  }
  return line;
}
