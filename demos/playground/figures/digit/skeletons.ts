/** The way of the pen in a picture of a digit: its ink is thinned to lines of one pixel, whose neighbours are linked. */

/** Pixels of a side of MNIST's pictures, and of a picture with an empty border. */
const SIDE = 28;
const WIDE = SIDE + 2;
/** Levels from here on are ink. */
const INK = 100;
/** Spots of fewer pixels beside a digit are none of the pen's. */
const SPOT = 12;

/** The neighbours of a pixel, clockwise from the one above. */
const RING = [-WIDE, 1 - WIDE, 1, WIDE + 1, WIDE, WIDE - 1, -1, -WIDE - 1] as const;

/** Places of the pen, and pairs of places between which it drew. */
export interface Skeleton {
  /** x, y, x, y, … */
  readonly places: Float32Array;
  /** Indices of places, two for each link. */
  readonly links: Uint16Array;
  /** Places with one link, each with the place at the other end of it. */
  readonly ends: readonly (readonly [end: number, before: number])[];
}

export function skeletonOf(levels: ArrayLike<number>, from = 0): Skeleton {
  const ink = new Uint8Array(WIDE * WIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    if ((levels[from + i] as number) >= INK) ink[(Math.floor(i / SIDE) + 1) * WIDE + (i % SIDE) + 1] = 1;
  }
  clean(ink);
  return linked(thinned(ink), ink);
}

/** Takes small spots away, but the largest part. */
function clean(ink: Uint8Array): void {
  const seen = new Uint8Array(ink.length);
  const parts: number[][] = [];
  for (let p = 0; p < ink.length; p++) {
    if (ink[p] === 0 || seen[p] === 1) continue;
    const part = [p];
    seen[p] = 1;
    for (const at of part) {
      for (const d of RING) {
        if (ink[at + d] === 0 || seen[at + d] === 1) continue;
        seen[at + d] = 1;
        part.push(at + d);
      }
    }
    parts.push(part);
  }
  parts.sort((a, b) => b.length - a.length);
  for (const part of parts.slice(1)) if (part.length < SPOT) for (const p of part) ink[p] = 0;
}

/**
 * Thins ink to lines: a pixel goes where it is on a border, and neither ends a line nor holds two parts together; borders from two sides go
 * in turns. Returns the pixels that are left.
 *
 * @see Zhang and Suen (1984), A Fast Parallel Algorithm for Thinning Digital Patterns, Communications of the ACM 27(3).
 */
function thinned(ink: Uint8Array): number[] {
  let left = Array.from(ink.keys()).filter((p) => ink[p] === 1);
  for (let isThin = false; !isThin; ) {
    isThin = true;
    for (const side of [0, 1]) {
      const gone = left.filter((p) => isBorder(ink, p, side));
      for (const p of gone) ink[p] = 0;
      if (gone.length === 0) continue;
      isThin = false;
      left = left.filter((p) => ink[p] === 1);
    }
  }
  return left;
}

function isBorder(ink: Uint8Array, p: number, side: number): boolean {
  let [neighbours, changes] = [0, 0];
  for (let k = 0; k < 8; k++) {
    const here = ink[p + (RING[k] as number)] as number;
    neighbours += here;
    if (here === 0 && ink[p + (RING[(k + 1) % 8] as number)] === 1) changes++;
  }
  if (neighbours < 2 || neighbours > 6 || changes !== 1) return false;
  const [above, right, below, left] = [ink[p - WIDE], ink[p + 1], ink[p + WIDE], ink[p - 1]];
  return side === 0
    ? (above === 0 || right === 0 || below === 0) && (right === 0 || below === 0 || left === 0)
    : (above === 0 || right === 0 || left === 0) && (above === 0 || below === 0 || left === 0);
}

/** Times that places move towards the middle of their neighbours: lines of pixels are stairs, and those of a pen are not. */
const SMOOTHINGS = 2;

function linked(pixels: readonly number[], ink: Uint8Array): Skeleton {
  const indices = new Map(pixels.map((p, i) => [p, i]));
  const links: number[] = [];
  const neighbours: number[][] = pixels.map(() => []);
  for (const [i, p] of pixels.entries()) {
    // Right and below, and the diagonals that are no short cut of a corner.
    for (const d of [1, WIDE, WIDE + 1, WIDE - 1]) {
      const other = indices.get(p + d);
      if (other === undefined) continue;
      const aside = { [WIDE + 1]: 1, [WIDE - 1]: -1 }[d];
      if (aside !== undefined && (ink[p + aside] === 1 || ink[p + WIDE] === 1)) continue;
      links.push(i, other);
      (neighbours[i] as number[]).push(other);
      (neighbours[other] as number[]).push(i);
    }
  }
  let places = Float32Array.from(pixels.flatMap((p) => [p % WIDE, Math.floor(p / WIDE)]));
  for (let n = 0; n < SMOOTHINGS; n++) {
    places = places.map((value, j) => {
      const [a, b, more] = neighbours[j >> 1] as number[];
      if (a === undefined || b === undefined || more !== undefined) return value;
      const at = j % 2;
      return value / 2 + ((places[2 * a + at] as number) + (places[2 * b + at] as number)) / 4;
    });
  }
  const ends = neighbours.flatMap((others, i): [number, number][] =>
    others.length === 1 ? [[i, others[0] as number]] : [],
  );
  return { places, links: Uint16Array.from(links), ends };
}
