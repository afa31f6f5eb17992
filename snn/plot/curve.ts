/** Curves as SVG: any lines, and f–I curves of probes. */
import {
  allOptions,
  NOT_NEGATIVE,
  numberOf,
  numbersOf,
  objectOf,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import type { FiringCurve } from "../probes/firing-curve.ts";
import { CHART, type ChartOptions, colourOf, type Panel, svgOf } from "./chart.ts";
import { logarithmic } from "./logarithmic.ts";

/** Points of a curve. */
export interface Curve {
  /** Horizontal coordinates of the points. */
  readonly x: ArrayLike<number>;
  /** Vertical coordinates, of the same length. */
  readonly y: ArrayLike<number>;
}

/** Options of {@link curvePlot}. */
export interface CurvePlotOptions extends ChartOptions {
  /** Label of the horizontal axis; default "x". */
  xLabel?: string;
  /** Label of the vertical axis; default "y". */
  yLabel?: string;
  /** Whether the vertical axis is logarithmic; values ≤ 0 are then gaps. Default false. */
  log?: boolean;
  /** Whether the horizontal axis is logarithmic; points with x ≤ 0 are then gaps. Default false. */
  logX?: boolean;
  /** Whether to draw the points too. Default false. */
  points?: boolean;
}

const DEFAULTS = { ...CHART, xLabel: "x", yLabel: "y", log: false, logX: false, points: false } satisfies Required<
  Record<keyof CurvePlotOptions, unknown>
>;

/**
 * Draws curves by name as SVG text.
 *
 * @throws Error if the peer dependency echarts is missing; TypeError for curves that are not arrays of numbers, an unknown option or a value of the
 *   wrong type; RangeError without a curve, for different numbers of x and y, and for an option out of range.
 *
 * @example
 * ```ts
 * import { curvePlot } from "jarvis-snn/plot";
 *
 * const training = { x: [1, 2, 3], y: [2.3, 0.9, 0.4] };
 * const svg = await curvePlot({ training }, { xLabel: "epoch", yLabel: "loss", log: true });
 * console.log(svg.slice(0, 4)); // <svg
 * ```
 */
export async function curvePlot(
  curves: { readonly [name: string]: Curve },
  options: CurvePlotOptions = {},
): Promise<string> {
  return plot("curvePlot", curves, withDefaults("curvePlot", DEFAULTS, options));
}

function plot(where: string, curves: object, given: typeof DEFAULTS): Promise<string> {
  const entries = Object.entries(objectOf(where, "curves by name", curves));
  if (entries.length === 0) throw wrongValue(where, "at least one curve", "none");
  const { xLabel, yLabel, log, logX, points } = given;
  const series = entries.map(([name, curve], i) => {
    const { x, y } = objectOf(where, `${name} as a curve { x, y }`, curve);
    const xs = Array.from(numbersOf(where, `${name}.x as numbers in a row`, x));
    const ys = Array.from(numbersOf(where, `${name}.y as numbers in a row`, y));
    if (xs.length !== ys.length) throw wrongValue(where, `as many x as y in ${name}`, `${xs.length} and ${ys.length}`);
    return seriesOf(name, xs, ys, { log, logX, points, color: colourOf(i) });
  });
  const panel: Panel = {
    height: 280,
    ...(entries.length > 1 ? { legend: entries.map(([name]) => name) } : {}),
    x: { label: xLabel, ...(logX ? logarithmic : { scale: true }) },
    y: { label: yLabel, ...(log ? logarithmic : {}) },
    series,
  };
  return svgOf(where, [panel], given);
}

interface SeriesOptions {
  readonly log: boolean;
  readonly logX?: boolean;
  readonly points: boolean;
  readonly color: string;
  readonly dashed?: boolean;
}

/** A line through points; values that cannot be drawn are gaps. */
export function seriesOf(
  name: string,
  x: readonly (number | string)[],
  y: readonly number[],
  { log, logX = false, points, color, dashed = false }: SeriesOptions,
): object {
  const shown = (value: number): number | null => (Number.isFinite(value) && (!log || value > 0) ? value : null);
  return {
    type: "line",
    name,
    data: y.map((value, i) => (logX && !((x[i] as number) > 0) ? [null, null] : [x[i], shown(value)])),
    showSymbol: points,
    symbol: "circle",
    symbolSize: 6,
    lineStyle: { width: 2, color, ...(dashed ? { type: "dashed" } : {}) },
    itemStyle: { color },
  };
}

/** Options of {@link firingCurvePlot}. */
export interface FiringCurvePlotOptions extends ChartOptions {
  /** Length of a step in ms, which makes the unit of rates Hz. Default 0: spikes per step. */
  dtMs?: number;
  /** Label of the horizontal axis; default "current I". */
  xLabel?: string;
}

const FIRING = { ...CHART, dtMs: 0, xLabel: "current I" } satisfies Record<keyof FiringCurvePlotOptions, unknown>;

/**
 * Draws f–I curves of `firingCurve` by name as SVG text.
 *
 * @throws as {@link curvePlot}.
 *
 * @example
 * ```ts
 * import { firingCurve, LIF } from "jarvis-snn";
 * import { firingCurvePlot } from "jarvis-snn/plot";
 *
 * const currents = Float64Array.from({ length: 50 }, (_, i) => i / 25);
 * const svg = await firingCurvePlot({ LIF: firingCurve(new LIF(), currents) });
 * console.log(svg.slice(0, 4)); // <svg
 * ```
 */
export async function firingCurvePlot(
  curves: { readonly [name: string]: FiringCurve },
  options: FiringCurvePlotOptions = {},
): Promise<string> {
  const where = "firingCurvePlot";
  const { dtMs, xLabel, ...chart } = allOptions(where, FIRING, options);
  numberOf(where, "dtMs", dtMs, NOT_NEGATIVE);
  const given: Record<string, Curve> = {};
  for (const [name, curve] of Object.entries(objectOf(where, "curves by name", curves))) {
    const { currents, rates } = objectOf(where, `${name} as what firingCurve gives`, curve) as unknown as FiringCurve;
    if (rates === undefined) throw wrongType(where, `${name} with rates`, rates);
    const f = numbersOf(where, `${name}.rates as numbers in a row`, rates);
    given[name] = { x: currents, y: dtMs === 0 ? f : Float64Array.from(f, (rate) => (1000 * rate) / dtMs) };
  }
  const yLabel = dtMs === 0 ? "rate f (spikes per step)" : "rate f (Hz)";
  return plot(where, given, { ...DEFAULTS, ...chart, xLabel, yLabel });
}
