/** Lines along which a function is 0, by marching squares. */

/**
 * Pieces x, y, x, y, NaN, NaN, … of the lines on which values [side, side] change their sign, in cells from 0 to side − 1. Cells with a value
 * that is not finite have none.
 */
export function zeroLines(values: Float32Array, side: number): number[] {
  const pieces: number[] = [];
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0; column + 1 < side; column++) {
      const i = row * side + column;
      const a = values[i] as number;
      const b = values[i + 1] as number;
      const c = values[i + side + 1] as number;
      const d = values[i + side] as number;
      const isPositive = a >= 0;
      // Nearly all cells have one sign.
      if (b >= 0 === isPositive && c >= 0 === isPositive && d >= 0 === isPositive) continue;
      if (!Number.isFinite(a + b + c + d)) continue;
      const crossings = [
        ...crossing(a, b, (k) => [column + k, row]),
        ...crossing(b, c, (k) => [column + 1, row + k]),
        ...crossing(d, c, (k) => [column + k, row + 1]),
        ...crossing(a, d, (k) => [column, row + k]),
      ];
      // Where all four sides are crossed, the sign in the middle says which corner is cut off.
      const isSplit = crossings.length === 4 && a + b + c + d >= 0 === isPositive;
      const order = isSplit ? [0, 1, 2, 3] : [0, 3, 1, 2];
      const ends = crossings.length === 4 ? order.map((at) => crossings[at] as Point) : crossings;
      for (let at = 0; at + 1 < ends.length; at += 2) {
        pieces.push(...(ends[at] as Point), ...(ends[at + 1] as Point), Number.NaN, Number.NaN);
      }
    }
  }
  return pieces;
}

type Point = readonly [x: number, y: number];

/** The place between two corners where the value is 0, if there is one. */
const crossing = (from: number, to: number, place: (share: number) => Point): Point[] =>
  from >= 0 === to >= 0 ? [] : [place(from / (from - to))];
