/** The small figures beside the stage. */
import { POTENTIAL_RANGE } from "../model/views.ts";
import { faded, type Palette } from "./palette.ts";
import type { Pen } from "./pen.ts";
import { compact } from "./stack.ts";

const FOOT = 18;

/** Where potentials lie (filled), and what backward takes for the derivative of a spike there (line). */
export function paintSurrogate(
  pen: Pen,
  curve: Float32Array,
  potentials: Float32Array,
  color: string,
  width: number,
  height: number,
  palette: Palette,
): void {
  const floor = height - FOOT;
  const x = (i: number, n: number): number => (i / (n - 1)) * width;
  const most = Math.max(...potentials, 1e-9);
  const bars: number[] = [];
  for (const [i, share] of potentials.entries()) {
    const h = (share / most) * (floor - 8);
    if (h > 0.5) bars.push((i / potentials.length) * width, floor - h, width / potentials.length - 1, h);
  }
  pen.boxes(bars, faded(color, 0.35));
  const peak = Math.max(...curve);
  const line: number[] = [];
  for (const [i, value] of curve.entries()) line.push(x(i, curve.length), floor - (value / peak) * (floor - 8));
  pen.line(line, { color: palette.ink, width: 1.5 });
  pen.boxes([0, floor, width, 1], palette.line);
  pen.line([width / 2, 4, width / 2, floor], { color: palette.muted, dash: [5, 4] });
  pen.text(0, height - 4, `−${POTENTIAL_RANGE}`, { color: palette.muted });
  pen.text(width / 2, height - 4, "u − threshold", { color: palette.muted, align: "center" });
  pen.text(width, height - 4, String(POTENTIAL_RANGE), { color: palette.muted, align: "right" });
}

/** How many neurons of each layer fire at which rate. */
export function paintRates(
  pen: Pen,
  layers: readonly Float32Array[],
  width: number,
  height: number,
  palette: Palette,
): void {
  const floor = height - FOOT;
  const most = Math.max(...layers.flatMap((counts) => [...counts]), 1);
  const bins = layers[0]?.length ?? 1;
  const cell = width / bins;
  const bar = (cell - 3) / Math.max(1, layers.length);
  for (const [l, counts] of layers.entries()) {
    const boxes: number[] = [];
    for (const [i, count] of counts.entries()) {
      const h = (count / most) * (floor - 14);
      if (count > 0) boxes.push(i * cell + 1 + l * bar, floor - h, Math.max(1, bar - 0.5), h);
    }
    pen.boxes(boxes, palette.layers[l] as string);
  }
  pen.boxes([0, floor, width, 1], palette.line);
  pen.text(0, height - 4, "0", { color: palette.muted });
  pen.text(width / 2, height - 4, "spikes a time step", { color: palette.muted, align: "center" });
  pen.text(width, height - 4, "1", { color: palette.muted, align: "right" });
  pen.text(0, 10, `${compact(most)} neurons`, { color: palette.muted });
}

export interface MapInput {
  /** The certainty of class 1, null for none. */
  readonly map: Float32Array | null;
  /** Shares of something in its colour, in the place of the certainty. */
  readonly shares?: { readonly values: Float32Array; readonly color: string };
  /** Test samples x, y, … and their labels. */
  readonly points: Float32Array;
  readonly labels: Uint8Array;
  /** The chosen place, null for none. */
  readonly at: readonly [number, number] | null;
}

/** Bands of certainty on either side of the boundary. */
const BANDS = 5;

/** Which class the network sees where: bands of certainty under the test samples, discs and squares. */
export function paintMap(
  pen: Pen,
  { map, shares, points, labels, at }: MapInput,
  size: number,
  palette: Palette,
): void {
  if (map !== null) paintBands(pen, map, size, palette);
  if (shares !== undefined) paintShares(pen, shares.values, size, shares.color);
  const discs: number[] = [];
  const rims: number[] = [];
  const boxes: number[] = [];
  const frames: number[] = [];
  for (const [i, label] of labels.entries()) {
    const [x, y] = [(points[2 * i] as number) * size, (1 - (points[2 * i + 1] as number)) * size];
    if (label === 0) {
      rims.push(x, y, 4);
      discs.push(x, y, 3);
    } else {
      frames.push(x - 3.5, y - 3.5, 7, 7);
      boxes.push(x - 2.5, y - 2.5, 5, 5);
    }
  }
  pen.discs(rims, palette.paper);
  pen.boxes(frames, palette.paper);
  pen.discs(discs, palette.classes[0]);
  pen.boxes(boxes, palette.classes[1]);
  if (at === null) return;
  const [x, y] = [at[0] * size, (1 - at[1]) * size];
  const ring = Array.from({ length: 66 }, (_, i) => {
    const angle = ((i >> 1) / 32) * 2 * Math.PI;
    return i % 2 === 0 ? x + 8 * Math.cos(angle) : y + 8 * Math.sin(angle);
  });
  pen.line(ring, { color: palette.paper, width: 4 });
  pen.line(ring, { color: palette.ink, width: 2 });
}

/** No spike leaves the ground. */
function paintShares(pen: Pen, values: Float32Array, size: number, color: string): void {
  const bandOf = (value: number): number => Math.ceil(value * 2 * BANDS) - 1;
  paintRuns(pen, values, size, bandOf, (band) => faded(color, (0.7 * (band + 1)) / (2 * BANDS)));
}

function paintBands(pen: Pen, map: Float32Array, size: number, palette: Palette): void {
  // A tie belongs to neither class, and stays the colour of the ground.
  const bandOf = (value: number): number =>
    value === 0.5 ? -1 : Math.min(2 * BANDS - 1, Math.floor(value * 2 * BANDS));
  paintRuns(pen, map, size, bandOf, (band) => {
    const certainty = band < BANDS ? BANDS - band : band - BANDS + 1;
    return faded(palette.classes[band < BANDS ? 0 : 1], 0.06 + (0.34 * certainty) / BANDS);
  });
}

/** A grid in bands 0 … 2·BANDS − 1; other cells stay the colour of the ground. */
function paintRuns(
  pen: Pen,
  map: Float32Array,
  size: number,
  bandOf: (value: number) => number,
  colorOf: (band: number) => string,
): void {
  const side = Math.round(Math.sqrt(map.length));
  const cell = size / side;
  const bands: number[][] = Array.from({ length: 2 * BANDS }, () => []);
  for (let row = 0; row < side; row++) {
    // Neighbours of one band become one box.
    for (let column = 0; column < side; ) {
      const band = bandOf(map[row * side + column] as number);
      let end = column + 1;
      while (end < side && bandOf(map[row * side + end] as number) === band) end++;
      bands[band]?.push(column * cell, row * cell, (end - column) * cell, cell);
      column = end;
    }
  }
  for (const [band, boxes] of bands.entries()) pen.boxes(boxes, colorOf(band));
}

interface RateCurve {
  readonly currents: ArrayLike<number>;
  readonly rates: ArrayLike<number>;
  /** The rate that the vertical axis reaches at least. Default 50, in spikes a second. */
  readonly least?: number;
  /** Default: ink. */
  readonly color?: string;
  /** Currents with a tick. Default: whole numbers from 0 on. */
  readonly ticks?: readonly number[];
}

/** Rates of spikes over the current; the point on the curve is where the neuron works. */
export function paintRateCurve(
  pen: Pen,
  { currents, rates, least = 50, color, ticks }: RateCurve,
  current: number | null,
  width: number,
  height: number,
  palette: Palette,
): void {
  const [left, floor] = [32, height - FOOT];
  const most = Math.max(least, ...Array.from(rates));
  const last = currents.length - 1;
  const [start, end] = [currents[0] as number, currents[last] as number];
  const x = (value: number): number => left + ((value - start) / (end - start)) * (width - left - 8);
  const y = (value: number): number => floor - (value / most) * (floor - 12);
  const line = Array.from(currents).flatMap((value, i) => [x(value), y(rates[i] as number)]);
  pen.boxes([left, floor, width - left, 1], palette.line);
  pen.line(line, { color: color ?? palette.ink, width: 2 });
  if (current !== null) {
    const at = ((current - start) / (end - start)) * last;
    const [low, high] = [rates[Math.floor(at)] as number, rates[Math.ceil(at)] as number];
    const rate = low + (at % 1) * (high - low);
    pen.line([x(current), floor, x(current), y(rate)], { color: palette.accent, dash: [2, 3] });
    pen.discs([x(current), y(rate), 5], palette.accent);
    pen.discs([x(current), y(rate), 2], palette.paper);
  }
  pen.text(left - 6, 16, compact(most), { color: palette.muted, align: "right" });
  pen.text(left - 6, floor, "0", { color: palette.muted, align: "right" });
  for (const value of ticks ?? Array.from({ length: Math.floor(end) + 1 }, (_, i) => i)) {
    pen.text(x(value), height - 4, compact(value), { color: palette.muted, align: "center" });
  }
}

/** A small picture, ink on the ground of the page; `at` marks a place of the picture. */
export function paintImage(
  pen: Pen,
  image: Float32Array,
  size: number,
  palette: Palette,
  at: readonly [number, number] | null = null,
): void {
  const side = Math.round(Math.sqrt(image.length));
  const cell = size / side;
  const shades: number[][] = Array.from({ length: 16 }, () => []);
  for (const [i, value] of image.entries()) {
    const shade = Math.round(Math.min(1, Math.max(0, value)) * 15);
    if (shade > 0) (shades[shade] as number[]).push((i % side) * cell, Math.floor(i / side) * cell, cell, cell);
  }
  for (const [shade, boxes] of shades.entries()) pen.boxes(boxes, faded(palette.ink, shade / 15));
  if (at === null) return;
  const [x, y] = [at[0] * cell, at[1] * cell];
  pen.line([x - cell / 2, y, x + cell / 2, y], { color: palette.accent, width: 2 });
  pen.line([x, y - cell / 2, x, y + cell / 2], { color: palette.accent, width: 2 });
}
