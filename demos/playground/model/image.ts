/** Small pictures of SIDE × SIDE pixels with 16 levels, as they are drawn, and as hexadecimal digits in an address. */
import type { TextField } from "../state/fields.ts";

export const SIDE = 14;
export const PIXELS = SIDE * SIDE;
const MOST = 15;

/** Values in [0, 1]. */
export type Image = Float32Array;

export const blank = (): Image => new Float32Array(PIXELS);

/** A hexadecimal digit a pixel; zeros at the end are left out. */
export function formatImage(image: Image): string {
  return Array.from(image, (value) => Math.round(value * MOST).toString(16))
    .join("")
    .replace(/0+$/, "");
}

export function parseImage(text: string): Image {
  return Float32Array.from({ length: PIXELS }, (_, i) => Number.parseInt(text[i] ?? "0", 16) / MOST);
}

export const imageField = (initial: Image): TextField => ({
  kind: "text",
  default: formatImage(initial),
  pattern: new RegExp(`^[0-9a-f]{0,${PIXELS}}$`),
});

/** The picture, moved right and down by whole pixels; blank comes in. */
export function moved(image: Image, right: number, down: number): Image {
  const value = (row: number, column: number): number =>
    row < 0 || row >= SIDE || column < 0 || column >= SIDE ? 0 : (image[row * SIDE + column] as number);
  return Float32Array.from({ length: PIXELS }, (_, i) => value(Math.floor(i / SIDE) - down, (i % SIDE) - right));
}

/** The tip of a pen: half the width of a stroke in pixels, and how far its edge fades. */
export interface Tip {
  readonly reach: number;
  readonly edge: number;
}

const TIP: Tip = { reach: 0.45, edge: 1.2 };

/** A place of the picture, in coordinates of [0, SIDE]. */
export type Point = readonly [number, number];

/** Draws a straight stroke; with `erase` it takes away. */
export function stroke(image: Image, from: Point, to: Point, erase = false, { reach, edge }: Tip = TIP): void {
  const [ax, ay] = from;
  const [dx, dy] = [to[0] - ax, to[1] - ay];
  const length2 = dx * dx + dy * dy;
  // The pixels that the tip can touch.
  const first = (a: number, b: number): number => Math.max(0, Math.floor(Math.min(a, b) - reach - edge));
  const last = (a: number, b: number): number => Math.min(SIDE - 1, Math.floor(Math.max(a, b) + reach + edge));
  const [left, right] = [first(ax, to[0]), last(ax, to[0])];
  const bottom = last(ay, to[1]);
  for (let row = first(ay, to[1]); row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - ax;
      const py = row + 0.5 - ay;
      const along = length2 === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
      const [x, y] = [px - along * dx, py - along * dy];
      // A square root has the same bits on every engine.
      const ink = Math.min(1, Math.max(0, (reach + edge - Math.sqrt(x * x + y * y)) / edge));
      const i = row * SIDE + column;
      const before = image[i] as number;
      image[i] = erase ? Math.min(before, 1 - ink) : Math.max(before, ink);
    }
  }
}

/** The picture of a line through points. */
function line(...points: Point[]): Image {
  const image = blank();
  for (const [i, to] of points.entries()) stroke(image, points[Math.max(0, i - 1)] as Point, to);
  return image;
}

/** Where a pen went, a list of points each time that it was put down. */
export type Strokes = readonly (readonly Point[])[];

/** Pictures to begin with. */
export const examples = {
  ball: Float32Array.from({ length: PIXELS }, (_, i) => {
    const [x, y] = [(i % SIDE) + 0.5 - SIDE / 2, Math.floor(i / SIDE) + 0.5 - SIDE / 2];
    return Math.round(MOST * Math.max(0, 1 - (x * x + y * y) / 36)) / MOST;
  }),
  seven: line([3.5, 3.5], [10.5, 3.5], [6, 11]),
  three: line([4, 3.2], [8, 2.8], [9.5, 4.5], [7, 6.6], [9.8, 8.6], [8.5, 11], [4, 11]),
  ring: line(
    ...Array.from({ length: 25 }, (_, i) => {
      const angle = (i / 24) * 2 * Math.PI;
      return [7 + 4 * Math.cos(angle), 7 + 4 * Math.sin(angle)] as const;
    }),
  ),
  ramp: Float32Array.from({ length: PIXELS }, (_, i) => Math.round((MOST * (i % SIDE)) / (SIDE - 1)) / MOST),
} as const;
