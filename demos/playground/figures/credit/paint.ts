/** The slope that is lent to a spike, and under it the neuron with its credit, over one time axis. */

import { faded, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { type Axis, compact, type Row } from "../../draw/stack.ts";
import { reachOf, type Scene, STEPS, slopesAt, THRESHOLD } from "./model.ts";

export const AXIS: Axis = { steps: STEPS, dt: 1, unit: "step" };
export const SLOPE_HEIGHT = 150;

/** Distances from the threshold, from −RANGE to RANGE. */
const RANGE = 1.5;
const POINTS = 241;
/** Heights of slopes beyond this are cut off. */
const STEEPEST = 2.6;

const DISTANCES = Float32Array.from({ length: POINTS }, (_, i) => ((2 * i) / (POINTS - 1) - 1) * RANGE);

/**
 * Spikes over u − θ: the step that forward takes, the slope that backward takes, and the smooth step that has this slope; a disc stands
 * where the membrane is.
 */
export function paintSlope(
  pen: Pen,
  { width: lent, at, membrane, slope }: Scene,
  width: number,
  palette: Palette,
): void {
  const [left, right] = [40, width - 12];
  const [top, floor] = [26, SLOPE_HEIGHT - 26];
  const x = (distance: number): number => left + ((distance + RANGE) / (2 * RANGE)) * (right - left);
  const y = (value: number, most: number): number => floor - (Math.min(value, most) / most) * (floor - top);
  const slopes = slopesAt(lent, DISTANCES);
  const area = [...DISTANCES].flatMap((distance, i) => [x(distance), y(slopes[i] as number, STEEPEST)]);
  pen.area([x(-RANGE), floor, ...area, x(RANGE), floor], faded(palette.up, 0.18));
  pen.line(area, { color: palette.up, width: 1.5 });
  pen.boxes([left, floor, right - left, 1], palette.line);
  pen.boxes([x(0), top - 4, 1, floor - top + 4], palette.line);

  // The smooth step is the sum of the slope from the left.
  let sum = 0;
  const smooth = [...DISTANCES].flatMap((distance, i) => {
    sum += ((slopes[i] as number) * 2 * RANGE) / (POINTS - 1);
    return [x(distance), y(sum, 1)];
  });
  if (lent > 0) pen.line(smooth, { color: palette.muted, width: 1.5, dash: [5, 4] });
  pen.line([x(-RANGE), y(0, 1), x(0), y(0, 1), x(0), y(1, 1), x(RANGE), y(1, 1)], { color: palette.ink, width: 2 });

  const here = (membrane[at] as number) - THRESHOLD;
  pen.line([x(here), top, x(here), floor], { color: palette.membrane, dash: [2, 3] });
  pen.discs([x(here), y(slope, STEEPEST), 4], palette.membrane);

  pen.text(left - 6, y(1, 1) + 4, "1", { color: palette.muted, align: "right" });
  pen.text(left - 6, floor + 4, "0", { color: palette.muted, align: "right" });
  pen.text(left, 12, "the spike s", { color: palette.ink, bold: true });
  pen.text(left + 90, 12, "the lent slope", { color: palette.up, bold: true });
  pen.text(left + 194, 12, "its smooth step", { color: palette.muted, bold: true });
  pen.text(x(-RANGE), SLOPE_HEIGHT - 6, compact(-RANGE), { color: palette.muted });
  pen.text(x(0), SLOPE_HEIGHT - 6, "u − θ", { color: palette.membrane, align: "center" });
  pen.text(x(RANGE), SLOPE_HEIGHT - 6, compact(RANGE), { color: palette.muted, align: "right" });
}

/** The least of 1, 2, 5, 10, … that bounds all values. */
function boundOf(values: Float32Array): number {
  const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5].find((factor) => factor * power >= most) ?? 10) * power;
}

/** Columns that raise in one colour, columns that lower in the other. */
function creditRow(title: string, values: Float32Array, at: number, palette: Palette): Row {
  const bound = boundOf(values);
  // A column is at least a pixel high: credit too small to be seen has none.
  const seen = values.map((value) => (Math.abs(value) < bound / 100 ? 0 : value));
  return {
    kind: "trace",
    title,
    height: 56,
    series: [
      { values: seen.map((value) => Math.max(0, value)), color: palette.up },
      { values: seen.map((value) => Math.min(0, value)), color: palette.down },
    ],
    low: seen.some((value) => value < 0) ? -bound : 0,
    high: bound,
    columns: true,
    describe: () => {
      const reach = reachOf(values, at);
      return values.every((value) => value === 0) ? "none" : `${reach} ${reach === 1 ? "step" : "steps"} back`;
    },
  };
}

export function rowsOf(scene: Scene, palette: Palette): Row[] {
  const { at, current, membrane, spikes, ofMembrane, ofSpike } = scene;
  return [
    {
      kind: "trace",
      title: "current I",
      height: 28,
      series: [{ values: current, color: palette.current }],
      low: 0,
      high: 0.25,
      columns: true,
    },
    {
      kind: "trace",
      title: "membrane u and spikes",
      height: 88,
      series: [{ values: membrane, color: palette.membrane, width: 2 }],
      low: 0,
      high: 1.3,
      threshold: THRESHOLD,
      ticks: [...spikes.keys()].filter((t) => spikes[t] === 1),
      tickColor: palette.ink,
    },
    creditRow(`credit ∂u[${at}]/∂I[t′]`, ofMembrane, at, palette),
    creditRow(`credit ∂s[${at}]/∂I[t′]`, ofSpike, at, palette),
  ];
}
