/** The picture, the window and the map of its places, and the neurons of the map as rows over time. */
import { paintImage } from "../../draw/charts.ts";
import { faded, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import type { Axis, Row } from "../../draw/stack.ts";
import { SIDE } from "../../model/image.ts";
import {
  FILTERS,
  type Filter,
  type FilterConfig,
  type Filtered,
  PLACES,
  ratesAt,
  STEPS,
  spikesAt,
  WINDOW,
} from "./model.ts";

export const TITLES = {
  drawing: ["Draw here", "finger, mouse, keys"],
  window: ["The window", "nine weights"],
  map: ["The map", "point at a neuron"],
} as const;

/** Buttons of the windows. */
export const NAMES: Readonly<Record<Filter, string>> = {
  left: "left edges",
  top: "top edges",
  diagonal: "diagonals",
  spot: "spots",
  blur: "blur",
};

export const AXIS: Axis = { steps: STEPS, dt: 1, unit: "time step" };

/** A frame around some cells of a square that has `cells` of them on a side. */
function paintFrame(
  pen: Pen,
  at: readonly [number, number],
  span: number,
  cells: number,
  size: number,
  color: string,
): void {
  const cell = size / cells;
  const [left, top, side] = [at[0] * cell, at[1] * cell, span * cell];
  pen.line([left, top, left + side, top, left + side, top + side, left, top + side, left, top], { color, width: 2 });
}

/** The place of the window on the picture. */
export const paintWindow = (pen: Pen, { row, column }: FilterConfig, size: number, { accent }: Palette): void =>
  paintFrame(pen, [column, row], WINDOW, SIDE, size, accent);

/** The weights: how much each excites or inhibits, and its value. */
export function paintFilter(pen: Pen, filter: Filter, size: number, palette: Palette): void {
  const weights: readonly number[] = FILTERS[filter];
  const most = Math.max(...weights.map(Math.abs));
  const cell = size / WINDOW;
  for (const [i, weight] of weights.entries()) {
    const [x, y] = [(i % WINDOW) * cell, Math.floor(i / WINDOW) * cell];
    const color = weight > 0 ? palette.excite : palette.inhibit;
    if (weight !== 0) pen.boxes([x, y, cell, cell], faded(color, (0.5 * Math.abs(weight)) / most));
    const text = weight < 0 ? `−${-weight}` : String(weight);
    pen.text(x + cell / 2, y + cell / 2 + 5, text, { color: palette.ink, align: "center", bold: true, size: 14 });
  }
}

/** How often each neuron has fired up to a step, and the chosen one. */
export function paintMap(pen: Pen, scene: Filtered, at: FilterConfig, t: number, size: number, palette: Palette): void {
  paintImage(pen, ratesAt(scene, t), size, palette);
  paintFrame(pen, [at.column, at.row], 1, PLACES, size, palette.accent);
}

export function filterRows(scene: Filtered, config: FilterConfig, palette: Palette): Row[] {
  const { membrane, spikes } = scene;
  return [
    {
      kind: "trace",
      title: "Membrane of the chosen neuron",
      height: 64,
      series: [{ values: membrane, color: palette.membrane, width: 2 }],
      low: Math.min(-1, ...membrane),
      high: Math.max(1.5, ...membrane),
      threshold: 1,
      ticks: spikesAt(scene, config),
      tickColor: palette.accent,
      describe: (t) => (membrane[t] as number).toFixed(2),
    },
    {
      kind: "raster",
      title: "Neurons of the map, row by row",
      height: 96,
      size: PLACES * PLACES,
      values: spikes,
      color: palette.layers[1] as string,
      marked: config.row * PLACES + config.column,
    },
  ];
}

/** What the window does where it stands. */
export function sentenceOf(scene: Filtered, config: FilterConfig): string {
  const sum = scene.sums[config.row * PLACES + config.column] as number;
  const count = spikesAt(scene, config).length;
  const place = `Row ${config.row + 1}, column ${config.column + 1}`;
  const spikes =
    count === 0
      ? "its neuron is silent"
      : `its neuron fires ${count} ${count === 1 ? "time" : "times"} in ${STEPS} steps`;
  return `${place}: the nine products add up to ${sum.toFixed(1).replace("-", "−")}, and ${spikes}.`;
}
