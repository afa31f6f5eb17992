/** Drawings as strokes: what they are in an address, and as pixels in the size of the digits that were learned. */
import type { TextField } from "../state/fields.ts";
import { centred, type Image, inked, type Point, SIDE, type Strokes } from "./image.ts";

/** Places are written as eighths of a pixel, two digits of base 36 each. */
const PER_PIXEL = 8;
const BASE = 36;
/** Points of a drawing that an address has room for. */
const MOST_POINTS = 400;

/** Four digits a point, a hyphen between strokes. */
export function formatStrokes(strokes: Strokes): string {
  const digits = (value: number): string =>
    Math.round(Math.min(SIDE, Math.max(0, value)) * PER_PIXEL)
      .toString(BASE)
      .padStart(2, "0");
  return strokes.map((points) => points.map(([x, y]) => digits(x) + digits(y)).join("")).join("-");
}

export function parseStrokes(text: string): Strokes {
  const place = (digits: string): number => Math.min(SIDE, Number.parseInt(digits, BASE) / PER_PIXEL);
  const points = (stroke: string): Point[] =>
    Array.from(stroke.matchAll(/(..)(..)/g), ([, x, y]) => [place(x as string), place(y as string)]);
  return text
    .split("-")
    .map(points)
    .filter(({ length }) => length > 0);
}

export const strokesField = (initial: Strokes): TextField => ({
  kind: "text",
  default: formatStrokes(initial),
  pattern: new RegExp(`^(?:-?(?:[0-9a-z]{4})){0,${MOST_POINTS}}$`),
});

/** How near a point may come to the one before it, and an eraser to a stroke that it takes away. */
const NEAR = 0.5;
const ERASER = 1;

const distance = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(ax - bx, ay - by);

/** The strokes with another point: of a new stroke, or of the last one. */
export function drawn(strokes: Strokes, to: Point, begins: boolean): Strokes {
  if (strokes.reduce((sum, { length }) => sum + length, 0) >= MOST_POINTS) return strokes;
  const last = strokes.at(-1);
  if (begins || last === undefined) return [...strokes, [to]];
  return distance(last.at(-1) as Point, to) < NEAR ? strokes : [...strokes.slice(0, -1), [...last, to]];
}

/** The strokes without those that pass a point closely. */
export function erased(strokes: Strokes, at: Point): Strokes {
  const passes = (points: readonly Point[]): boolean =>
    points.some((to, i) => {
      const from = points[Math.max(0, i - 1)] as Point;
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      const length2 = dx * dx + dy * dy;
      const along = length2 === 0 ? 0 : ((at[0] - from[0]) * dx + (at[1] - from[1]) * dy) / length2;
      const share = Math.min(1, Math.max(0, along));
      return distance(at, [from[0] + share * dx, from[1] + share * dy]) < ERASER;
    });
  return strokes.filter((points) => !passes(points));
}

/** Pixels of the longer side of a digit: MNIST scales its digits to 20 of 28, here strokes add their width. */
const FITTED = 9;

/** The strokes in the size of the digits that were learned, inked again: as wide as a pen, however small they were drawn. */
export function fitted(strokes: Strokes): Image {
  const bounds = (axis: 0 | 1): [number, number] => {
    const places = strokes.flat().map((point) => point[axis]);
    return [Math.min(...places), Math.max(...places)];
  };
  const [[left, right], [top, bottom]] = [bounds(0), bounds(1)];
  const size = Math.max(right - left, bottom - top);
  // A dot stays one.
  const scale = size < 1 ? 1 : FITTED / size;
  const place = ([x, y]: Point): Point => [
    SIDE / 2 + scale * (x - (left + right) / 2),
    SIDE / 2 + scale * (y - (top + bottom) / 2),
  ];
  return centred(inked(strokes.map((points) => points.map(place))));
}
