/**
 * The cube [T, B, N]: time to the right, neurons down, samples one behind the other, and beside or under it the chosen cut.
 *
 *       ┌──────────┐ sample 3
 *     ┌─┴────────┐ │
 *   N │ sample 0 │─┘ B
 *     └──────────┘
 *          T →
 */

import { faded, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import {
  type Axis,
  BATCH,
  type Cut,
  isFixed,
  isInside,
  NEURONS,
  namesOf,
  type Picture,
  type Place,
  pictureOf,
  SIZES,
  STEPS,
  sampleName,
  shapeOf,
  shortForm,
} from "./model.ts";

export interface CubeScene {
  readonly spikes: Float32Array;
  readonly cut: Cut;
  readonly at: Place;
}

/** The width from which on the cut stands beside the cube. */
const WIDE = 560;

/** Without a width, the lesser height is asked for. */
export const cubeHeight = (width: number): number => (width > 0 && width < WIDE ? 462 : 318);

export function paintCube(pen: Pen, scene: CubeScene, width: number, palette: Palette): void {
  const isWide = width >= WIDE;
  const cube = isWide
    ? { x: 34, y: 8, width: 0.52 * width, height: 270 }
    : { x: 34, y: 4, width: width - 34 - 40, height: 206 };
  paintSheets(pen, scene, cube, palette);
  const left = 34 + 0.52 * width + 48;
  const cut = isWide
    ? { x: left, y: 8, width: width - left - 4, height: 300 }
    : { x: 22, y: 254, width: width - 26, height: 208 };
  paintCut(pen, scene, cut, palette);
}

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the elements lie: the sheet of the first sample is in front, at the lower left. */
class Projection {
  readonly cell: number;
  readonly line: number;
  private readonly frame: Frame;
  private readonly shift: readonly [number, number];

  constructor(frame: Frame) {
    this.frame = frame;
    this.shift = [frame.width * 0.095, frame.height * 0.11];
    this.cell = (frame.width - (BATCH - 1) * this.shift[0]) / STEPS;
    this.line = (frame.height - (BATCH - 1) * this.shift[1]) / NEURONS;
  }

  /** The upper left corner of an element; half indices are middles. */
  point(t: number, b: number, n: number): [number, number] {
    const [dx, dy] = this.shift;
    return [this.frame.x + t * this.cell + b * dx, this.frame.y + (BATCH - 1 - b) * dy + n * this.line];
  }
}

function paintSheets(pen: Pen, { spikes, cut, at }: CubeScene, frame: Frame, palette: Palette): void {
  const projection = new Projection(frame);
  const { cell, line } = projection;
  const outline = (corners: [number, number][], color: string, width: number): void =>
    pen.line([...corners, corners[0] as [number, number]].flat(), { color, width });
  const sheet = (b: number): [number, number][] => [
    projection.point(0, b, 0),
    projection.point(STEPS, b, 0),
    projection.point(STEPS, b, NEURONS),
    projection.point(0, b, NEURONS),
  ];
  for (const [t, n] of [
    [0, 0],
    [STEPS, 0],
    [0, NEURONS],
    [STEPS, NEURONS],
  ] as const) {
    pen.line([...projection.point(t, 0, n), ...projection.point(t, BATCH - 1, n)], { color: palette.line });
  }
  const chosen: number[] = [];
  const tick = (t: number, b: number, n: number, size: number): number[] => {
    const [x, y] = projection.point(t + 0.5, b, n + 0.5);
    const [w, h] = [Math.min(cell - 1, size), line - 2];
    return [x - w / 2, y - h / 2, w, h];
  };
  for (let b = BATCH - 1; b >= 0; b--) {
    pen.area(sheet(b).flat(), faded(palette.paper, 0.55));
    outline(sheet(b), palette.line, 1);
    const ticks: number[] = [];
    for (let t = 0; t < STEPS; t++) {
      for (let n = 0; n < NEURONS; n++) {
        if (spikes[(t * BATCH + b) * NEURONS + n] !== 1) continue;
        if (isInside(cut, at, t, b, n)) chosen.push(...tick(t, b, n, 4));
        else ticks.push(...tick(t, b, n, 2));
      }
    }
    pen.boxes(ticks, faded(palette.ink, 0.38));
  }
  const corners = cornersOf(projection, cut, at);
  pen.area(corners.flat(), faded(palette.membrane, 0.14));
  outline(corners, palette.membrane, 1.5);
  pen.boxes(chosen, palette.ink);

  const label = (axis: Axis, x: number, y: number, align: "left" | "center" | "right"): void =>
    pen.text(x, y, `${axis.toUpperCase()} = ${SIZES[axis]}`, { color: palette.ink, align, bold: !isFixed(cut, axis) });
  const [right, bottom] = projection.point(STEPS, 0, NEURONS);
  label("t", (frame.x + right) / 2, bottom + 17, "center");
  pen.text((frame.x + right) / 2, bottom + 32, "time steps →", { color: palette.muted, align: "center" });
  const [x, y] = projection.point(STEPS, BATCH / 2, NEURONS);
  label("b", x + 8, y + 4, "left");
  pen.text(x + 8, y + 19, "samples", { color: palette.muted });
  const middle = projection.point(0, 0, NEURONS / 2)[1];
  pen.text(frame.x - 8, middle - 8, "N", { color: palette.ink, align: "right", bold: !isFixed(cut, "n") });
  pen.text(frame.x - 8, middle + 7, String(NEURONS), { color: palette.ink, align: "right" });
  pen.text(frame.x - 8, middle + 22, "↓", { color: palette.muted, align: "right" });
}

/** The sheet, or the bar, that a cut takes out of the cube. */
function cornersOf(projection: Projection, cut: Cut, { t, b, n }: Place): [number, number][] {
  if (cut === "step") {
    return [
      projection.point(t + 0.5, 0, 0),
      projection.point(t + 0.5, BATCH - 1, 0),
      projection.point(t + 0.5, BATCH - 1, NEURONS),
      projection.point(t + 0.5, 0, NEURONS),
    ];
  }
  if (cut === "neuron") {
    return [
      projection.point(0, 0, n + 0.5),
      projection.point(STEPS, 0, n + 0.5),
      projection.point(STEPS, BATCH - 1, n + 0.5),
      projection.point(0, BATCH - 1, n + 0.5),
    ];
  }
  const [top, bottom] = cut === "train" ? [n, n + 1] : [0, NEURONS];
  return [
    projection.point(0, b, top),
    projection.point(STEPS, b, top),
    projection.point(STEPS, b, bottom),
    projection.point(0, b, bottom),
  ];
}

const WORDS: Readonly<Record<Axis, string>> = { t: "time steps →", b: "samples ↓", n: "neurons" };

function paintCut(pen: Pen, { spikes, cut, at }: CubeScene, frame: Frame, palette: Palette): void {
  const picture = pictureOf(spikes, cut, at);
  pen.text(frame.x, frame.y + 14, shortForm(cut, at), { color: palette.membrane, size: 15, bold: true });
  const shape = `${namesOf(cut)} = [${shapeOf(cut).join(", ")}]`;
  pen.text(frame.x, frame.y + 33, shape, { color: palette.ink });
  paintCells(pen, picture, cut, { ...frame, y: frame.y + 52, height: frame.height - 80 }, palette);
}

function paintCells(
  pen: Pen,
  { columns, rows, right, down, values }: Picture,
  cut: Cut,
  frame: Frame,
  palette: Palette,
): void {
  // Samples have names, which stand before their rows.
  const names = down === "b" ? 44 : 0;
  const cell = Math.min((frame.width - names) / columns, frame.height / rows, 24);
  const x = frame.x + names;
  const silent: number[] = [];
  const ticks: number[] = [];
  for (const [i, value] of values.entries()) {
    const [left, top] = [x + (i % columns) * cell, frame.y + Math.floor(i / columns) * cell];
    if (value === 1) ticks.push(left + cell / 2 - 2, top + 2, 4, Math.max(4, cell - 4));
    else silent.push(left + cell / 2, top + cell / 2, 1.2);
  }
  pen.discs(silent, faded(palette.ink, 0.35));
  pen.boxes(ticks, palette.ink);
  pen.boxes([x, frame.y - 4, columns * cell, 1, x, frame.y + rows * cell + 3, columns * cell, 1], palette.line);
  for (let b = 0; b < (down === "b" ? rows : 0); b++) {
    pen.text(frame.x, frame.y + (b + 0.5) * cell + 4, sampleName(b), { color: palette.muted });
  }
  const words = right === "n" ? "neurons →" : WORDS[right];
  const under = down === null ? words : `${words}, ${down === "n" ? "neurons ↓" : WORDS[down]}`;
  pen.text(x, frame.y + rows * cell + 20, cut === "train" ? words : under, { color: palette.muted });
}
