/**
 * Small pictures of patterns beside and below each other, all swept by one time:
 *
 *   name
 *   ││  │  │  │        spikes
 *   membrane
 *   current
 *               100 ms
 */

import { faded, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { type Family, LEVELS, type Pattern, type Response } from "./model.ts";

export interface GridSizes {
  /** Between two columns, and below each picture. */
  readonly gap: number;
  /** Of the caption above each picture. */
  readonly caption: number;
  readonly ticks: number;
  readonly membrane: number;
  readonly current: number;
}

/** The sizes of a page, and those of a card. */
export const PAGE: GridSizes = { gap: 16, caption: 20, ticks: 8, membrane: 52, current: 16 };
export const CARD: GridSizes = { gap: 14, caption: 0, ticks: 7, membrane: 56, current: 14 };

/** Where the pictures lie. */
export class Grid {
  readonly columns: number;
  readonly cell: number;
  readonly height: number;
  readonly row: number;
  readonly sizes: GridSizes;

  constructor(count: number, columns: number, width: number, sizes: GridSizes) {
    const { gap, caption, ticks, membrane, current } = sizes;
    this.columns = columns;
    this.cell = (width - gap * (columns - 1)) / columns;
    this.row = caption + ticks + membrane + current + gap;
    this.height = Math.ceil(count / columns) * this.row;
    this.sizes = sizes;
  }

  left(i: number): number {
    return (i % this.columns) * (this.cell + this.sizes.gap);
  }

  top(i: number): number {
    return Math.floor(i / this.columns) * this.row;
  }
}

/** Columns of the page's grid: two on a phone, the five of the paper on a wide window. */
export function columnsFor(width: number): number {
  if (width < 560) return 2;
  return width < 900 ? 4 : 5;
}

/** How long a spike stands out, as a share of the window. */
const FLASH = 0.03;

interface Curves {
  readonly membrane: Float32Array;
  readonly current: Float32Array;
  /** Places of spikes. */
  readonly ticks: readonly number[];
}

/** The pictures of a family's responses: their curves are laid out once, and painted at each moment of the sweep. */
export class Pictures {
  private readonly grid: Grid;
  private readonly curves: readonly Curves[];

  constructor(family: Family, responses: readonly Response[], grid: Grid) {
    const { ticks, membrane, current, caption } = grid.sizes;
    this.grid = grid;
    this.curves = responses.map((response, i) => {
      const { rest, span } = family.patterns[i] as Pattern;
      const [left, top] = [grid.left(i), grid.top(i) + caption];
      const steps = response.membrane.length;
      return {
        membrane: outline(response.membrane, family.low, family.high, {
          left,
          top: top + ticks,
          width: grid.cell,
          height: membrane,
        }),
        current: outline(response.current, rest - span, rest + span, {
          left,
          top: top + ticks + membrane + 2,
          width: grid.cell,
          height: current - 2,
        }),
        ticks: response.spikes.map((t) => left + ((t + 0.5) / steps) * grid.cell),
      };
    });
  }

  /** What comes after the time `share` is pale, and a spike stands out for a moment. */
  paint(pen: Pen, share: number, palette: Palette): void {
    const { grid, curves } = this;
    const { caption, ticks, membrane } = grid.sizes;
    const isMoving = share < 1;
    const heads: number[] = [];
    const past: number[] = [];
    const future: number[] = [];
    const flashes: number[] = [];
    for (const [i, curve] of curves.entries()) {
      const top = grid.top(i) + caption;
      const now = grid.left(i) + share * grid.cell;
      pen.line(curve.current, { color: palette.current });
      if (isMoving) pen.line(curve.membrane, { color: faded(palette.membrane, 0.35) });
      const { points, y } = until(curve.membrane, now);
      pen.line(points, { color: palette.membrane, width: 1.25 });
      if (isMoving) heads.push(now, y, 2.5);
      for (const x of curve.ticks) {
        (x <= now ? past : future).push(x - 0.75, top, 1.5, ticks - 2);
        if (isMoving && x <= now && now - x < FLASH * grid.cell) flashes.push(x - 2, top, 4, ticks + membrane);
      }
    }
    pen.boxes(flashes, faded(palette.ink, 0.15));
    pen.boxes(future, faded(palette.ink, 0.3), true);
    pen.boxes(past, palette.ink, true);
    pen.discs(heads, palette.membrane);
  }
}

/** Of the strip with the drawn current, and above and below its curve. */
export const DRIVE_HEIGHT = 88;
export const DRIVE_MARGIN = 12;

/** The drawn current over the window; pale where each pattern has its own. */
export function paintDrive(
  pen: Pen,
  levels: Float32Array | null,
  share: number,
  width: number,
  palette: Palette,
): void {
  const middle = DRIVE_HEIGHT / 2;
  const y = (level: number): number => middle - level * (middle - DRIVE_MARGIN);
  pen.boxes([0, y(1), width, 1, 0, y(-1), width, 1], faded(palette.line, 0.6));
  pen.boxes([0, middle, width, 1], palette.line);
  if (levels === null) {
    pen.text(width / 2, middle - 12, "Each has the current of its paper.", {
      color: palette.muted,
      align: "center",
      size: 13,
    });
    pen.text(width / 2, middle + 24, "Draw one here for all of them.", {
      color: palette.ink,
      align: "center",
      size: 13,
    });
  } else {
    const points: number[] = [];
    for (const [i, level] of levels.entries())
      points.push((i / LEVELS) * width, y(level), ((i + 1) / LEVELS) * width, y(level));
    pen.area([0, middle, ...points, width, middle], faded(palette.current, 0.18));
    pen.line(points, { color: palette.current, width: 2 });
  }
  const sweep = [share * width - 0.5, DRIVE_MARGIN - 6, 1, DRIVE_HEIGHT - 2 * DRIVE_MARGIN + 12];
  if (share < 1) pen.boxes(sweep, palette.muted, true);
}

/** Names above and lengths of windows below, for a picture without a page around it. */
export function paintCaptions(pen: Pen, captions: readonly [string, string][], grid: Grid, palette: Palette): void {
  for (const [i, [name, length]] of captions.entries()) {
    const [left, top] = [grid.left(i), grid.top(i)];
    pen.text(left, top + 13, name, { color: palette.ink });
    pen.text(left + grid.cell, top + grid.row - 5, length, { color: palette.muted, align: "right", size: 11 });
  }
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A curve of many steps as points x, y, … of few pixels: for each column of pixels the highest and the lowest value, in the order of time, and
 * none for what lies on a level line.
 */
export function outline(values: Float32Array, low: number, high: number, box: Box): Float32Array {
  const columns = Math.max(1, Math.round(box.width));
  const scale = box.height / (high - low);
  const y = (value: number): number => {
    const up = (Math.min(high, Math.max(low, value)) - low) * scale;
    return Math.round(4 * (box.top + box.height - up)) / 4;
  };
  const points: number[] = [];
  const add = (x: number, at: number): void => {
    const n = points.length;
    if (n >= 4 && points[n - 1] === at && points[n - 3] === at) points[n - 2] = x;
    else points.push(x, at);
  };
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column / columns) * values.length);
    const to = Math.max(from + 1, Math.floor(((column + 1) / columns) * values.length));
    let [lowest, highest] = [from, from];
    for (let t = from + 1; t < to; t++) {
      if ((values[t] as number) < (values[lowest] as number)) lowest = t;
      if ((values[t] as number) > (values[highest] as number)) highest = t;
    }
    const x = Math.round(10 * (box.left + ((column + 0.5) / columns) * box.width)) / 10;
    for (const t of [Math.min(lowest, highest), Math.max(lowest, highest)]) add(x, y(values[t] as number));
  }
  return Float32Array.from(points);
}

/** The points of a curve up to x, the one at x among them, and its y. */
function until(points: Float32Array, x: number): { points: Float32Array; y: number } {
  let [low, high] = [0, points.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[2 * middle] as number) <= x) low = middle + 1;
    else high = middle;
  }
  const y = points[Math.max(1, 2 * low - 1)] as number;
  const shown = new Float32Array(2 * low + 2);
  shown.set(points.subarray(0, 2 * low));
  shown.set([x, y], 2 * low);
  return { points: shown, y };
}
