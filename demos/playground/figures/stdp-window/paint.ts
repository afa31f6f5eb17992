/** Two spikes on their lines, and under them the change of the weight over the time between them. */
import { faded, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";

/** Milliseconds on each side of the middle. */
export const RANGE = 60;
/** Each spike may lie so far from the middle. */
export const REACH = RANGE / 2;
export const HEIGHT = 300;

/** Lines of the two spikes, and the box of the curve. */
const LANES = { before: 44, behind: 92 };
const CURVE = { top: 130, floor: 272 };

export interface Pair {
  /** Milliseconds from the middle of the spike of the pixel, and of that of the field. */
  readonly before: number;
  readonly behind: number;
}

export interface Scene extends Pair {
  /** Δw for behind − before = −RANGE … RANGE; empty until it is computed. */
  readonly changes: Float32Array;
  /** Which of these have been drawn by hand. */
  readonly drawn: ReadonlySet<number>;
  readonly held: keyof Pair | null;
}

export const timeBetween = ({ before, behind }: Pair): number => behind - before;

/** The time at a place of the picture, and its place: both lines have the middle in the middle. */
export const timeAt = (x: number, width: number): number => ((x - width / 2) / (width / 2 - 16)) * REACH;
const placeOf = (time: number, width: number): number => width / 2 + (time / REACH) * (width / 2 - 16);

/** Which spike a press at a height means. */
export const laneAt = (y: number): keyof Pair => (y < (LANES.before + LANES.behind) / 2 - 8 ? "before" : "behind");

export function paintWindow(pen: Pen, scene: Scene, width: number, palette: Palette): void {
  for (const [lane, name] of [
    ["before", "a spike of a pixel"],
    ["behind", "a spike of the field"],
  ] as const) {
    const [x, y] = [placeOf(scene[lane], width), LANES[lane]];
    pen.boxes([8, y, width - 16, 1], palette.line);
    pen.text(8, y - 24, name, { color: palette.muted });
    const color = scene.held === lane ? palette.accent : palette.ink;
    pen.boxes([x - 1.5, y - 22, 3, 22], color, true);
    pen.discs([x, y - 22, 7], color);
  }
  const time = timeBetween(scene);
  const [left, right] = [scene.before, scene.behind].map((t) => placeOf(t, width)).sort((a, b) => a - b) as [
    number,
    number,
  ];
  pen.boxes([left, LANES.behind + 10, right - left, 1], palette.ink);
  pen.text((left + right) / 2, LANES.behind + 25, `${Math.abs(time)} ms`, { color: palette.muted, align: "center" });
  paintCurve(pen, scene, width, palette);
}

function paintCurve(pen: Pen, { changes, drawn, ...pair }: Scene, width: number, palette: Palette): void {
  const x = (time: number): number => width / 2 + (time / RANGE) * (width / 2 - 16);
  const most = Math.max(1e-9, ...changes.map(Math.abs));
  const zero = (CURVE.top + CURVE.floor) / 2 + 14;
  const y = (change: number): number => zero - (change / most) * 60;
  pen.boxes([16, zero, width - 32, 1], palette.line);
  pen.boxes([x(0), CURVE.top, 1, CURVE.floor - CURVE.top], palette.line);
  pen.text(16, CURVE.top + 8, "the weight grows", { color: palette.up, bold: true });
  pen.text(16, CURVE.floor - 2, "the weight shrinks", { color: palette.down, bold: true });
  pen.text(width - 16, CURVE.floor + 18, "field after pixel →", { color: palette.muted, align: "right" });
  pen.text(16, CURVE.floor + 18, "← field before pixel", { color: palette.muted });
  const colorOf = (change: number): string => (change >= 0 ? palette.up : palette.down);
  for (const [i, change] of changes.entries()) {
    const time = i - RANGE;
    const isDrawn = drawn.has(time);
    pen.discs([x(time), y(change), isDrawn ? 3 : 1.5], isDrawn ? colorOf(change) : faded(palette.muted, 0.4));
  }
  const time = timeBetween(pair);
  const change = changes[time + RANGE];
  if (change !== undefined) pen.discs([x(time), y(change), 6], colorOf(change));
}
