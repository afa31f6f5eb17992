/** MNIST as strokes of a pen, and as a hand that is never twice the same would write them. */
import { type Dataset, type Generator, rand, type Samples } from "jarvis-snn";
import { mnist } from "../../../mnist/data.ts";
import type { Image, Point, Strokes } from "../../model/image.ts";
import { seen, TIP } from "./ink.ts";
import { batchOf } from "./net.ts";
import { type Skeleton, skeletonOf } from "./skeletons.ts";

export interface PenDigits {
  readonly skeletons: readonly Skeleton[];
  readonly labels: Uint8Array;
}

/** The first `limit` digits of a part of MNIST, 0 for all. */
export function penDigits(part: "train" | "t10k", limit = 0): PenDigits {
  const { x, y } = mnist(part, limit);
  const size = x.length / y.length;
  return {
    skeletons: Array.from({ length: y.length }, (_, i) => skeletonOf(x, i * size)),
    labels: Uint8Array.from(y),
  };
}

/** The strokes of a digit as it stands in MNIST; each link is one. */
export const strokesOf = ({ places, links }: Skeleton): Strokes => linesOf(places, links);

/** Lines of links between places, or the places alone where there are no links. */
function linesOf(places: Float32Array, links: Uint16Array): Point[][] {
  const at = (i: number): Point => [places[2 * i] as number, places[2 * i + 1] as number];
  if (links.length === 0) return Array.from({ length: places.length / 2 }, (_, i) => [at(i)]);
  return Array.from({ length: links.length / 2 }, (_, i) => [
    at(links[2 * i] as number),
    at(links[2 * i + 1] as number),
  ]);
}

/** Random numbers that a digit takes. */
const FREEDOMS = 24;

/**
 * Digits that are written anew each time: leaning, turned, wider or narrower, with bent lines, with curls at the ends of some lines, and by
 * pens whose tips differ a little.
 */
export class Writing implements Dataset<Int32Array> {
  readonly length: number;
  private readonly digits: PenDigits;
  private readonly generator: Generator;

  constructor(digits: PenDigits, generator: Generator) {
    this.digits = digits;
    this.generator = generator;
    this.length = digits.labels.length;
  }

  batch(indices: readonly number[]): Samples<Int32Array> {
    const chances = rand([indices.length * FREEDOMS], { generator: this.generator }).toFloat32Array();
    const pictures = indices.map((index, i) =>
      writtenAnew(this.digits.skeletons[index] as Skeleton, chances.subarray(i * FREEDOMS, (i + 1) * FREEDOMS)),
    );
    return { x: batchOf(pictures), y: Int32Array.from(indices, (index) => this.digits.labels[index] as number) };
  }
}

/** The share of ends of lines that get a curl, and its pieces: their length as a share of half the digit, and how far each turns. */
const CURLED = 0.25;
const PIECES = 7;
const PIECE = 0.14;

function writtenAnew({ places, links, ends }: Skeleton, chances: Float32Array): Image {
  let used = 0;
  /** A number in [−most, most). */
  const within = (most: number): number => (2 * (chances[used++] as number) - 1) * most;
  const [middleX, middleY, half] = frameOf(places);
  const [width, lean, turn, reach] = [1 + within(0.3), within(0.4), within(0.13), within(0.3)];
  const bends = Array.from({ length: 8 }, () => within(0.22));
  const [b0, b1, b2, b3, b4, b5, b6, b7] = bends as [number, number, number, number, number, number, number, number];
  // Cosine and sine of an angle by the tangent of its half: exact operations, the same bits on every engine.
  const norm = 1 + turn * turn;
  const [cos, sin] = [(1 - turn * turn) / norm, (2 * turn) / norm];
  const moved = (px: number, py: number): Point => {
    const [u, v] = [(px - middleX) / half, (py - middleY) / half];
    const [uu, vv] = [u * u, v * v];
    const x = width * (u + b0 * vv + b1 * u * v + b2 * v * (1 - vv)) + lean * v;
    const y = v + b3 * uu + b4 * u * v + b5 * u * (1 - uu) + b6 * (1 - vv) + b7 * uu * v;
    return [cos * x - sin * y, sin * x + cos * y];
  };
  const moving = new Float32Array(places.length);
  for (let i = 0; i < places.length; i += 2) moving.set(moved(places[i] as number, places[i + 1] as number), i);
  const strokes = linesOf(moving, links);
  for (const [end, before] of ends.slice(0, 4)) {
    const chance = chances[used++] as number;
    const curl = within(0.36);
    if (chance < CURLED) strokes.push(curlFrom(moving, end, before, curl));
  }
  return seen(strokes, { ...TIP, reach: TIP.reach + reach });
}

/** A line that goes on from the end of another one, and turns as it goes. */
function curlFrom(places: Float32Array, end: number, before: number, turn: number): Point[] {
  let [x, y] = [places[2 * end] as number, places[2 * end + 1] as number];
  let [dx, dy] = [x - (places[2 * before] as number), y - (places[2 * before + 1] as number)];
  const length = Math.sqrt(dx * dx + dy * dy);
  [dx, dy] = [(PIECE * dx) / length, (PIECE * dy) / length];
  const norm = 1 + turn * turn;
  const [cos, sin] = [(1 - turn * turn) / norm, (2 * turn) / norm];
  const curl: Point[] = [[x, y]];
  for (let i = 0; i < PIECES; i++) {
    [dx, dy] = [cos * dx - sin * dy, sin * dx + cos * dy];
    [x, y] = [x + dx, y + dy];
    curl.push([x, y]);
  }
  return curl;
}

/** The middle of places, and half of the longer side of their frame. */
function frameOf(places: Float32Array): [number, number, number] {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < places.length; i += 2) {
    const [x, y] = [places[i] as number, places[i + 1] as number];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  return [(left + right) / 2, (top + bottom) / 2, Math.max(1, right - left, bottom - top) / 2];
}
