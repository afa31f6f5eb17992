/** A drawing as the network sees it: the strokes of the pen in the size and place of the digits that it has learned, as 14 × 14 pixels. */
import { blank, type Image, type Point, SIDE, type Strokes, stroke, type Tip } from "../../model/image.ts";

/** Pixels along the longer side of a digit, without the width of the pen: MNIST scales its digits to 20 of 28, with it. */
const EXTENT = 9.5;

/** The pen of all pictures. Its edge is wide, so that the level of a pixel tells how near the pen has come. */
export const TIP: Tip = { reach: 0.1, edge: 1.5 };

/** The width of the pen on the pad, as a share of the pad. A drawing that is no larger is a dot, and stays one. */
export const PEN = 0.045;

/** A slant beyond this is a part of the digit. */
const MOST_SLANT = 0.6;

/** The picture of strokes, which does not depend on where and how large they were drawn, nor on the width of their pen. */
export function seen(strokes: Strokes, tip = TIP): Image {
  const image = blank();
  const place = placing(strokes);
  for (const points of strokes) {
    let from = place(points[0] as Point);
    for (const point of points) {
      const to = place(point);
      stroke(image, from, to, false, tip);
      from = to;
    }
  }
  return image;
}

/** The length of all lines of strokes in the picture, as a multiple of the longer side of the drawing; 0 for a dot. */
export function lengthSeen(strokes: Strokes): number {
  const place = placing(strokes);
  let length = 0;
  for (const points of strokes) {
    for (let i = 1; i < points.length; i++)
      length += distance(place(points[i - 1] as Point), place(points[i] as Point));
  }
  return length / EXTENT;
}

/** Moments of the ink: its length, its middle, and how x and y vary together. */
interface Moments {
  readonly x: number;
  readonly y: number;
  readonly xy: number;
  readonly yy: number;
}

/** Moments of lines, each piece by its length. A drawing of dots counts its points. */
function momentsOf(strokes: Strokes): Moments {
  let [mass, x, y, xy, yy] = [0, 0, 0, 0, 0];
  const add = (weight: number, [ax, ay]: Point, [bx, by]: Point): void => {
    const [mx, my, dx, dy] = [(ax + bx) / 2, (ay + by) / 2, bx - ax, by - ay];
    mass += weight;
    x += weight * mx;
    y += weight * my;
    xy += weight * (mx * my + (dx * dy) / 12);
    yy += weight * (my * my + (dy * dy) / 12);
  };
  for (const points of strokes) {
    for (let i = 1; i < points.length; i++) {
      const [from, to] = [points[i - 1] as Point, points[i] as Point];
      add(distance(from, to), from, to);
    }
  }
  if (mass === 0) for (const point of strokes.flat()) add(1, point, point);
  return { x: x / mass, y: y / mass, xy: xy / mass - (x / mass) * (y / mass), yy: yy / mass - (y / mass) ** 2 };
}

/** The map of places of the pad to places of the picture: upright, in one size, with the middle of the ink in the middle. */
function placing(strokes: Strokes): (point: Point) => Point {
  const { x, y, xy, yy } = momentsOf(strokes);
  const slant = yy > 0 ? Math.min(MOST_SLANT, Math.max(-MOST_SLANT, xy / yy)) : 0;
  const upright = (point: Point): number => point[0] - x - slant * (point[1] - y);
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const points of strokes) {
    for (const point of points) {
      const at = upright(point);
      left = Math.min(left, at);
      right = Math.max(right, at);
      top = Math.min(top, point[1]);
      bottom = Math.max(bottom, point[1]);
    }
  }
  const size = Math.max(right - left, bottom - top);
  const scale = size > PEN ? EXTENT / size : 0;
  return (point) => [SIDE / 2 + scale * upright(point), SIDE / 2 + scale * (point[1] - y)];
}

/** Square roots have the same bits everywhere, which `Math.hypot` does not promise. */
export const distance = ([ax, ay]: Point, [bx, by]: Point): number =>
  Math.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay));
