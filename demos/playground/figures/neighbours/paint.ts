/** The fields in their places, the digit of the moment with its spikes, and the share of digits that are named right. */
import { paintImage } from "../../draw/charts.ts";
import { percent } from "../../draw/numbers.ts";
import { faded, type Palette } from "../../draw/palette.ts";
import { type Pen, PlacedPen } from "../../draw/pen.ts";
import { COLUMNS, DIGITS, NEURONS, PIXELS, type Scene, SIDE } from "./scene.ts";

const WIDE = 600;
const GAP = 28;
const NOW = { size: 128, height: 178 };
const CURVE = 168;
/** The size of the fields at most: with title and button they fit a screen. */
const LARGEST = 560;
/** Milliseconds that a digit is shown for. */
const SHOWN_MS = 150;
/** Shades of a weight; the palest is not drawn. */
const SHADES = 5;
/** What a field that has learned nothing keeps of its shades. */
const PALE = 0.3;

const sizeOf = (width: number): number => (width >= WIDE ? Math.min(LARGEST, Math.round(0.56 * width)) : width);

export const neighboursHeight = (width: number): number =>
  width === 0 || width >= WIDE ? sizeOf(width || 720) : width + GAP + NOW.height + CURVE;

export function paintNeighbours(pen: Pen, scene: Scene, width: number, palette: Palette): void {
  const size = sizeOf(width);
  paintFields(pen, scene, size, palette);
  const isWide = size < width;
  const [left, top] = isWide ? [size + GAP, 0] : [0, size + GAP];
  const beside = new PlacedPen(pen, left, top);
  paintNow(beside, scene, width - left, palette);
  const below = new PlacedPen(pen, left, top + NOW.height);
  paintCurve(below, scene, width - left, isWide ? size - NOW.height : CURVE, palette);
}

export function paintFields(pen: Pen, scene: Scene, size: number, palette: Palette): void {
  const cell = size / COLUMNS;
  const side = cell - 4;
  const pixel = side / SIDE;
  const grounds: number[] = [];
  const shades: number[][] = Array.from({ length: SHADES }, () => []);
  const { places, fields } = scene;
  for (let j = 0; j < NEURONS; j++) {
    const [x, y] = [(places[2 * j] as number) * cell, (places[2 * j + 1] as number) * cell];
    grounds.push(x, y, side, side);
    const strength = ((SHADES - 1) / 255) * (scene.hasLearned(j) ? 1 : PALE);
    // Neighbours of one shade are one box.
    for (let i = 0; i < PIXELS; ) {
      const shade = Math.round((fields[j * PIXELS + i] as number) * strength);
      const from = i;
      do i++;
      while (i % SIDE !== 0 && Math.round((fields[j * PIXELS + i] as number) * strength) === shade);
      if (shade === 0) continue;
      const [column, row] = [from % SIDE, Math.floor(from / SIDE)];
      (shades[shade] as number[]).push(x + column * pixel, y + row * pixel, (i - from) * pixel, pixel);
    }
  }
  pen.boxes(grounds, palette.raised);
  for (const [shade, boxes] of shades.entries())
    if (boxes.length > 0) pen.boxes(boxes, faded(palette.ink, shade / (SHADES - 1)));
  for (let j = 0; j < NEURONS; j++) {
    const [x, y] = [(places[2 * j] as number) * cell, (places[2 * j + 1] as number) * cell];
    const glow = scene.glow[j] as number;
    if (glow > 0) pen.line(square(x, y, side), { color: faded(palette.accent, glow), width: 2.5 });
    const name = scene.nameOf(j);
    if (name === null) continue;
    const style = {
      color: faded(palette.membrane, 0.4 + 0.6 * name.share),
      align: "right",
      size: 12,
      bold: true,
    } as const;
    pen.text(x + side - 2, y + side - 3, String(name.label), style);
  }
}

const square = (x: number, y: number, side: number): number[] => [
  x,
  y,
  x + side,
  y,
  x + side,
  y + side,
  x,
  y + side,
  x,
  y,
];

/** The digit, and the spikes of the hundred neurons while it is shown. */
function paintNow(pen: Pen, { image, raster }: Scene, width: number, palette: Palette): void {
  const { size } = NOW;
  pen.text(0, 12, "the digit", { color: palette.muted });
  const own = new PlacedPen(pen, 0, 22);
  own.boxes([0, 0, size, size], palette.raised);
  if (image !== null) paintImage(own, image, size, palette);
  const left = size + 16;
  const plot = width - left;
  pen.text(left, 12, `spikes of the fields, ${SHOWN_MS} ms`, { color: palette.muted });
  own.boxes([left, size - 1, plot, 1], palette.line);
  const spikes: number[] = [];
  for (let k = 0; k + 1 < raster.length; k += 2) {
    const [t, j] = [raster[k] as number, raster[k + 1] as number];
    spikes.push(left + (t / SHOWN_MS) * plot, (j / NEURONS) * (size - 4), 2, 3);
  }
  own.boxes(spikes, palette.ink, true);
}

function paintCurve(pen: Pen, { curve }: Scene, width: number, height: number, palette: Palette): void {
  const [left, right, top, floor] = [40, width - 4, 30, height - 22];
  const x = (digits: number): number => left + (digits / DIGITS) * (right - left);
  const y = (share: number): number => floor - share * (floor - top);
  pen.text(left, 14, "named right, of the last 200", { color: palette.muted });
  for (const share of [0, 0.5, 1]) {
    pen.boxes([left, y(share), right - left, 1], palette.line);
    pen.text(left - 6, y(share) + 4, percent(share).replace(".0", ""), { color: palette.muted, align: "right" });
  }
  pen.line([left, y(0.1), right, y(0.1)], { color: palette.muted, dash: [4, 4] });
  pen.text(right, y(0.1) - 5, "chance", { color: palette.muted, align: "right" });
  const points = curve.flatMap(({ digits, right: share }) => [x(digits), y(share)]);
  if (points.length > 2) pen.line(points, { color: palette.accent, width: 2 });
  pen.text(left, height - 4, "0", { color: palette.muted, align: "center" });
  pen.text(right, height - 4, `${DIGITS} digits`, { color: palette.muted, align: "right" });
}
