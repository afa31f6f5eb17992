/** The ring: the rim is now, the middle is three seconds ago, and a mark is a spike of the neurons of a direction. */
import { faded, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { SHOWN_MS, type Trail } from "./trail.ts";

export interface Picture {
  readonly trail: Trail;
  /** Milliseconds since the start. */
  readonly time: number;
  /** Directions in degrees: of the spikes, of the cue, and of the last cue that has ended. */
  readonly direction: number | null;
  readonly cue: number | null;
  readonly left: number | null;
  /** No neuron fires. */
  readonly isSilent: boolean;
}

const LARGEST = 560;
/** From the rim of the spikes to the edge of the picture, for marks and words. */
const MARGIN = 34;
/** From the rim of the spikes to the circle of the marks. */
const RIM = 10;
/** The radius of three seconds ago as a share of that of now: marks do not meet in one point. */
const HOLE = 0.08;
/** A smaller picture has no words. */
const LABELLED = 240;
/** Parts of the three seconds, each paler than the one before. */
const BANDS = 12;
const RADIANS = Math.PI / 180;

const sideOf = (width: number): number => Math.min(LARGEST, width);

/** The height of the picture of a width. */
export const ringHeight = (width: number): number => sideOf(width || LARGEST);

/** The direction of a place in a picture of a width, in degrees clockwise from the top; null near the middle. */
export function directionAt(x: number, y: number, width: number): number | null {
  const middle = sideOf(width) / 2;
  const [dx, dy] = [x - width / 2, y - middle];
  return Math.hypot(dx, dy) < middle / 8 ? null : Math.atan2(dx, -dy) / RADIANS;
}

export function paintRing(pen: Pen, picture: Picture, width: number, palette: Palette): void {
  const middle = sideOf(width) / 2;
  const radius = middle - MARGIN;
  const radiusAt = (age: number): number =>
    radius * (1 - ((1 - HOLE) * Math.min(SHOWN_MS, Math.max(0, age))) / SHOWN_MS);
  const [left, top] = [width / 2, middle];
  const at = (degrees: number, r: number): [x: number, y: number] => [
    left + r * Math.sin(degrees * RADIANS),
    top - r * Math.cos(degrees * RADIANS),
  ];
  const circle = (r: number, x = left, y = top): number[] =>
    Array.from({ length: 2 * 91 }, (_, i) =>
      i % 2 === 0 ? x + r * Math.sin(2 * i * RADIANS) : y - r * Math.cos(2 * (i - 1) * RADIANS),
    );

  for (const seconds of [1, 2]) pen.line(circle(radiusAt(1000 * seconds)), { color: palette.muted, dash: [1, 5] });
  pen.line(circle(radius + RIM), { color: picture.isSilent ? palette.inhibit : palette.line });
  pen.discs(Array.from({ length: 16 }, (_, i) => [...at(22.5 * i, radius + RIM), 2]).flat(), palette.line);

  const { trail, time } = picture;
  for (let band = BANDS - 1; band >= 0; band--) {
    const points: number[] = [];
    const [young, old] = [(band * SHOWN_MS) / BANDS, ((band + 1) * SHOWN_MS) / BANDS];
    trail.runs(time, young, old, (direction, from, to) => {
      const turn = (360 * direction) / trail.count;
      points.push(...at(turn, radiusAt(time - from)), ...at(turn, radiusAt(time - to)), 0, Number.NaN);
    });
    const share = 1 - (band + 0.5) / BANDS;
    if (points.length > 0) pen.line(points, { color: faded(palette.ink, 0.1 + 0.9 * share), width: 0.6 + 1.6 * share });
  }

  if (picture.left !== null && picture.cue === null)
    pen.line(circle(8, ...at(picture.left, radius + RIM)), { color: palette.muted, width: 2 });
  if (picture.cue !== null) pen.line(circle(14, ...at(picture.cue, radius + RIM)), { color: palette.accent, width: 3 });
  if (picture.direction !== null) pen.discs([...at(picture.direction, radius + RIM), 7], palette.membrane);
  if (width < LABELLED) return;
  for (const seconds of [1, 2]) {
    const y = top - radiusAt(1000 * seconds);
    // Spikes end beside the words.
    pen.boxes([left - 20, y - 8, 40, 16], palette.paper);
    pen.text(left, y + 4, `${seconds} s ago`, { color: palette.muted, align: "center" });
  }
}
