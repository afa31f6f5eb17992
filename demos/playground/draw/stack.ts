/**
 * Rows over one time axis: rasters of spikes and traces of values.
 *
 *   title …                                                    value at the cursor
 *   label ┌──────────────────────────────────────────────┐ rate bars, or labels
 *         │                    plot                       │
 *   …                                                       further rows
 *          0        5        10        time step
 */

import { faded, type Palette } from "./palette.ts";
import type { Pen } from "./pen.ts";

/** Values [T, size] of neurons, one line each: 1 is a spike, −1 a negative one, anything between 0 and 1 a current. */
interface RasterRow {
  readonly kind: "raster";
  readonly title: string;
  readonly height: number;
  readonly size: number;
  readonly values: Float32Array;
  readonly color: string;
  /** The neuron that is marked, −1 for none. */
  readonly marked?: number;
}

export interface Series {
  readonly values: ArrayLike<number>;
  readonly color: string;
  readonly width?: number;
  /** Written at its end. */
  readonly label?: string;
}

interface TraceRow {
  readonly kind: "trace";
  readonly title: string;
  readonly height: number;
  readonly series: readonly Series[];
  readonly low: number;
  readonly high: number;
  /** Colour of the mark before the title, if not that of the first series. */
  readonly swatch?: string;
  /** A dashed line across. */
  readonly threshold?: number;
  /** Steps at which ticks stand above the curves. */
  readonly ticks?: readonly number[];
  readonly tickColor?: string;
  /** A column for each step instead of a line. */
  readonly columns?: boolean;
  /** What is said of the values at a step. */
  readonly describe?: (t: number) => string;
  /** A step from which on something is decided, marked there. */
  readonly mark?: { readonly t: number; readonly color: string; readonly label: string };
  /** How strongly a value of the vertical axis counts, 0 to 1: a faint band behind the curves. */
  readonly band?: { readonly weight: (value: number) => number; readonly color: string };
}

export type Row = RasterRow | TraceRow;

export interface Axis {
  readonly steps: number;
  /** Of one step, in the unit. */
  readonly dt: number;
  readonly unit: string;
  /** Room for labels at the right of the plots, in pixels. Default 72. */
  readonly right?: number;
}

const LEFT = 40;
const RIGHT = 72;
const TITLE = 24;
const GAP = 8;
const FOOT = 32;
const LABEL = 13;
/** Pixels from the left of the plot to the first place of the label of a mark, beside the title. */
export const MARK = 84;

/** Where the plots lie for a width. */
export class StackLayout {
  readonly width: number;
  readonly height: number;
  readonly left = LEFT;
  readonly plotWidth: number;
  readonly tops: readonly number[];
  readonly axis: Axis;

  constructor(rows: readonly Pick<Row, "height">[], axis: Axis, width: number) {
    this.width = width;
    this.axis = axis;
    this.plotWidth = Math.max(40, width - LEFT - (axis.right ?? RIGHT));
    let y = 0;
    this.tops = rows.map(({ height }) => {
      const top = y + TITLE;
      y = top + height + GAP;
      return top;
    });
    this.height = y + FOOT;
  }

  /** The middle of a time step. */
  x(t: number): number {
    return LEFT + ((t + 0.5) / this.axis.steps) * this.plotWidth;
  }

  /** The time step at x. */
  stepAt(x: number): number {
    const t = Math.floor(((x - LEFT) / this.plotWidth) * this.axis.steps);
    return Math.min(this.axis.steps - 1, Math.max(0, t));
  }
}

export function paintStack(pen: Pen, rows: readonly Row[], layout: StackLayout, palette: Palette): void {
  for (const [i, row] of rows.entries()) {
    const top = layout.tops[i] as number;
    const color = row.kind === "raster" ? row.color : (row.swatch ?? row.series[0]?.color ?? palette.muted);
    pen.boxes([LEFT, top - 16, 8, 8], color);
    pen.text(LEFT + 14, top - 8, row.title, { color: palette.ink });
    pen.boxes([LEFT, top + row.height, layout.plotWidth, 1], palette.line);
    if (row.kind === "raster") paintRaster(pen, row, top, layout, palette);
    else paintTrace(pen, row, top, layout, palette);
  }
  paintAxis(pen, layout, palette);
}

/** Boxes by how dark they are, 1 to SHADES. */
const SHADES = 6;

function paintRaster(pen: Pen, row: RasterRow, top: number, layout: StackLayout, palette: Palette): void {
  const { size, values, height, color } = row;
  const { axis, plotWidth } = layout;
  const cell = plotWidth / axis.steps;
  const line = height / size;
  const tick = Math.max(1.5, line > 3 ? line - 1 : line);
  const wide = Math.min(3, Math.max(1.5, cell * 0.3));
  const marked = row.marked ?? -1;
  if (marked >= 0) pen.boxes([LEFT, top + marked * line, plotWidth, Math.max(2, line)], faded(color, 0.16));
  const ticks: number[] = [];
  const negative: number[] = [];
  const shaded: number[][] = Array.from({ length: SHADES + 1 }, () => []);
  const rates = new Float32Array(size);
  for (let t = 0; t < axis.steps; t++) {
    for (let n = 0; n < size; n++) {
      const value = values[t * size + n] as number;
      if (value === 0) continue;
      rates[n] = (rates[n] as number) + Math.abs(value) / axis.steps;
      const y = top + n * line;
      if (Math.abs(value) === 1) (value === 1 ? ticks : negative).push(layout.x(t) - wide / 2, y, wide, tick);
      else (shaded[Math.ceil(Math.min(1, Math.abs(value)) * SHADES)] as number[]).push(LEFT + t * cell, y, cell, tick);
    }
  }
  for (const [shade, boxes] of shaded.entries()) pen.boxes(boxes, faded(color, (0.85 * shade) / SHADES));
  pen.boxes(negative, palette.down, true);
  pen.boxes(ticks, color, true);
  if (size === 1) return;
  const bars: number[] = [];
  const room = RIGHT - 24;
  for (let n = 0; n < size; n++) {
    const length = (rates[n] as number) * room;
    if (length > 0) bars.push(LEFT + plotWidth + 8, top + n * line, length, Math.max(1, tick));
  }
  pen.boxes(bars, faded(color, 0.55));
  pen.text(LEFT - 6, top + 9, "1", { color: palette.muted, align: "right" });
  pen.text(LEFT - 6, top + height, String(size), { color: palette.muted, align: "right" });
}

function paintTrace(pen: Pen, row: TraceRow, top: number, layout: StackLayout, palette: Palette): void {
  const { height, low, high } = row;
  const { plotWidth, axis } = layout;
  const y = (value: number): number => top + height - ((clamp(value, low, high) - low) / (high - low)) * height;
  if (row.band !== undefined) {
    for (let p = 0; p < height; p += 2) {
      const weight = row.band.weight(high - ((p + 1) / height) * (high - low));
      if (weight > 0.03) pen.boxes([LEFT, top + p, plotWidth, 2], faded(row.band.color, 0.22 * weight));
    }
  }
  if (low < 0 && high > 0) pen.boxes([LEFT, y(0), plotWidth, 1], palette.line);
  if (row.threshold !== undefined && row.threshold <= high) {
    pen.line([LEFT, y(row.threshold), LEFT + plotWidth, y(row.threshold)], { color: palette.muted, dash: [5, 4] });
    if (axis.right === undefined)
      pen.text(LEFT + plotWidth + 8, y(row.threshold) + 4, "threshold", { color: palette.muted });
  }
  const labels: number[] = [];
  for (const series of row.series) {
    if (row.columns === true) pen.boxes(columns(series.values, y, layout), series.color);
    else {
      const points = Array.from({ length: 2 * axis.steps }, (_, i) => {
        const t = i >> 1;
        return i % 2 === 0 ? layout.x(t) : y(series.values[t] as number);
      });
      pen.line(points, { color: series.color, width: series.width ?? 1.5 });
    }
    const last = series.values[axis.steps - 1];
    if (series.label && last !== undefined) {
      const bold = (series.width ?? 1.5) > 1.5;
      // Labels of equal values stand on top of each other.
      let at = y(last) + 4;
      while (labels.some((other) => Math.abs(other - at) < LABEL)) at -= 1;
      labels.push(at);
      pen.text(LEFT + plotWidth + 8, at, series.label, { color: series.color, bold });
    }
  }
  if (row.ticks !== undefined) {
    const boxes = row.ticks.flatMap((t) => [layout.x(t) - 1, top, 2, 10]);
    pen.boxes(boxes, row.tickColor ?? palette.ink, true);
  }
  if (row.mark !== undefined) {
    const x = layout.x(row.mark.t);
    pen.line([x, top, x, top + height], { color: row.mark.color, dash: [2, 3] });
    pen.area([x - 5, top, x + 5, top, x, top + 7], row.mark.color);
    // Beside the title, where no curve runs, and left of what the cursor has to say there.
    const at = Math.max(LEFT + MARK, Math.min(x - 5, LEFT + plotWidth - 240));
    pen.text(at, top - 8, row.mark.label, { color: row.mark.color });
  }
  pen.text(LEFT - 6, top + 9, compact(high), { color: palette.muted, align: "right" });
  pen.text(LEFT - 6, top + height, compact(low), { color: palette.muted, align: "right" });
}

function columns(values: ArrayLike<number>, y: (value: number) => number, layout: StackLayout): number[] {
  const cell = layout.plotWidth / layout.axis.steps;
  const boxes: number[] = [];
  for (let t = 0; t < layout.axis.steps; t++) {
    const value = values[t] as number;
    if (value === 0) continue;
    const [from, to] = [Math.min(y(0), y(value)), Math.max(y(0), y(value))];
    boxes.push(LEFT + t * cell, from, Math.max(1, cell - (cell > 5 ? 1 : 0)), to - from);
  }
  return boxes;
}

function paintAxis(pen: Pen, layout: StackLayout, palette: Palette): void {
  const { axis, plotWidth, height } = layout;
  const top = height - FOOT;
  const every = tickDistance(axis.steps * axis.dt, plotWidth / 64);
  const last = axis.steps * axis.dt;
  for (let time = 0; time < last; time += every) {
    const x = layout.x(time / axis.dt);
    pen.boxes([x, top - GAP, 1, 4], palette.muted, true);
    pen.text(x, top + 10, compact(time), { color: palette.muted, align: "center" });
  }
  pen.text(LEFT + plotWidth + 8, top + 10, axis.unit, { color: palette.muted });
}

/** 1, 2 or 5 times a power of ten: at most `most` of them in a range. */
export function tickDistance(range: number, most: number): number {
  const least = range / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5].find((f) => f * power >= least) ?? 10;
  return Math.max(1, factor * power);
}

export function compact(value: number): string {
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
  return text.replace("-", "−");
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** What a row says of a time step. */
export function describeRow(row: Row, t: number): string {
  if (row.kind === "trace") {
    if (row.describe !== undefined) return row.describe(t);
    const value = row.series[0]?.values[t];
    return value === undefined ? "" : value.toFixed(2).replace("-", "−");
  }
  let events = 0;
  let graded = false;
  for (let n = 0; n < row.size; n++) {
    const value = row.values[t * row.size + n] as number;
    if (value !== 0) events++;
    graded ||= value !== 0 && value !== 1;
  }
  return graded ? `${events} inputs` : `${events} ${events === 1 ? "spike" : "spikes"}`;
}
