/** The painter of the figure and of its poster: current, membrane and spikes up to a step. */

import type { Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { paintStack, type Row, StackLayout } from "../../draw/stack.ts";
import type { Range } from "../slider.ts";
import { type Run, STEPS, THRESHOLD } from "./model.ts";

export const CURRENT: Range = { label: "Current I", min: 0, max: 0.5, step: 0.01, show: (value) => value.toFixed(2) };
export const INITIAL = 0.2;

/** A membrane of this height and more is drawn at the top. */
const TOP = 1.5;
const HEIGHTS = [36, 150, 22] as const;
const AXIS = { steps: STEPS, dt: 1, unit: "step" };

function rowsOf({ currents, membrane, spikes }: Run, shown: number, palette: Palette): Row[] {
  const upTo = (values: Float32Array, rest: number): Float32Array =>
    values.map((value, t) => (t < shown ? value : rest));
  const columns = { values: upTo(currents, 0), color: palette.current };
  return [
    {
      kind: "trace",
      title: "Current I",
      height: HEIGHTS[0],
      series: [columns],
      low: 0,
      high: CURRENT.max,
      columns: true,
    },
    {
      kind: "trace",
      title: "Membrane u",
      height: HEIGHTS[1],
      series: [{ values: upTo(membrane, Number.NaN), color: palette.membrane, width: 2 }],
      low: 0,
      high: TOP,
      threshold: THRESHOLD,
    },
    { kind: "raster", title: "Spikes s", height: HEIGHTS[2], size: 1, values: upTo(spikes, 0), color: palette.ink },
  ];
}

const layoutOf = (width: number): StackLayout =>
  new StackLayout(
    HEIGHTS.map((height) => ({ height })),
    AXIS,
    width,
  );

export const heightFor = (width: number): number => layoutOf(width).height;

export function paintRun(pen: Pen, run: Run, shown: number, width: number, palette: Palette): void {
  const layout = layoutOf(width);
  paintStack(pen, rowsOf(run, shown, palette), layout, palette);
  if (shown === 0) return;
  const [top, u] = [layout.tops[1] as number, run.membrane[shown - 1] as number];
  pen.discs([layout.x(shown - 1), top + HEIGHTS[1] * (1 - Math.min(TOP, u) / TOP), 4], palette.membrane);
}
