/** The painters of the figure and of its poster: a run over time, and the f–I curve with the current on it. */
import { paintRateCurve } from "../../draw/charts.ts";
import type { Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import type { Axis, Row } from "../../draw/stack.ts";
import type { Range } from "../slider.ts";
import { DURATION, MOST, type rateCurve, type respond, type Setting } from "./model.ts";

const number = (value: number): string => value.toFixed(2);

export const RANGES: Record<keyof Setting, Range> = {
  current: { label: "Current R·I", min: 0, max: MOST, step: 0.05, show: number },
  tau: { label: "Time constant τ", min: 2, max: 60, step: 1, show: (value) => `${value} ms` },
  threshold: { label: "Threshold θ", min: 0.5, max: 2, step: 0.05, show: number },
};

export const INITIAL: Setting = { current: 1.5, tau: 20, threshold: 1 };

export const AXIS: Axis = { steps: DURATION, dt: 1, unit: "ms" };

export function rowsOf({ membrane, spikes }: ReturnType<typeof respond>, setting: Setting, palette: Palette): Row[] {
  const limit = new Float32Array(DURATION).fill(setting.current);
  return [
    {
      kind: "trace",
      title: "Membrane u, and the limit R·I that pulls it",
      height: 150,
      series: [
        { values: membrane, color: palette.membrane, width: 2 },
        { values: limit, color: palette.current },
      ],
      low: 0,
      high: MOST,
      threshold: setting.threshold,
    },
    { kind: "raster", title: "Spikes s", height: 22, size: 1, values: spikes, color: palette.ink },
  ];
}

export const CURVE_TITLE = "Spikes a second over the current R·I";
export const CURVE_HEIGHT = 150;

export function paintCurve(
  pen: Pen,
  curve: ReturnType<typeof rateCurve>,
  { current }: Setting,
  width: number,
  palette: Palette,
): void {
  paintRateCurve(pen, curve, current, width, CURVE_HEIGHT, palette);
}
