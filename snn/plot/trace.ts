/** Traces as SVG: membranes of a sample over time, with threshold and spikes. */
import { FINITE, listOf, NOT_NEGATIVE, numberOf, WHOLE, withDefaults, wrongValue } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";
import { type Sample, sampleOf } from "../probes/sample.ts";
import { CHART, type ChartOptions, colourOf, markColour, type Panel, svgOf } from "./chart.ts";
import { type Drawing, tenths } from "./raster.ts";
import { type NamedSample, type Sequences, sequencesOf, timeOf } from "./sequences.ts";

/** Options of {@link tracePlot}. */
export interface TracePlotOptions extends ChartOptions {
  /** Index of the sample in the batch; default 0. */
  sample?: number;
  /** Indices of the neurons in the axes after the batch, in row-major order; default the first four. */
  neurons?: readonly number[];
  /** θ, drawn as a dashed line; default none. */
  threshold?: number;
  /** Spikes [T, B, …] of the same neurons, drawn as dots on the traces. */
  spikes?: Tensor;
  /** Label of the vertical axis; default "membrane u". */
  label?: string;
  /** Length of a step in ms, for the axis; default 0: the axis counts steps. */
  dtMs?: number;
}

const DEFAULTS = {
  ...CHART,
  sample: 0,
  neurons: undefined as readonly number[] | undefined,
  threshold: undefined as number | undefined,
  spikes: undefined as Tensor | undefined,
  label: "membrane u",
  dtMs: 0,
} satisfies Record<keyof TracePlotOptions, unknown>;

/**
 * Draws traces of some neurons of one sample as SVG text: time to the right, a line for each neuron. Several tensors by name, for example the states
 * of a neuron, become panels below each other.
 *
 * Shapes: membrane [T, B, …], or [T].
 *
 * @throws Error if the peer dependency echarts is missing; TypeError for anything but a tensor, an unknown option or a value of the wrong type;
 *   RangeError unless there is a time axis, such a sample and such neurons, and for an option out of range.
 *
 * @example
 * ```ts
 * import { full, LIF } from "jarvis-snn";
 * import { tracePlot } from "jarvis-snn/plot";
 *
 * const { spikes, membrane } = new LIF().unroll(full([60, 1, 1], 0.2));
 * const svg = await tracePlot(membrane, { threshold: 1, spikes, label: "u" });
 * console.log(svg.slice(0, 4)); // <svg
 * ```
 */
export async function tracePlot(membrane: Sequences, options: TracePlotOptions = {}): Promise<string> {
  const where = "tracePlot";
  const given = withDefaults(where, DEFAULTS, options);
  const { sample, neurons, threshold, spikes, label } = given;
  if (threshold !== undefined) numberOf(where, "threshold", threshold, FINITE);
  const { label: timeLabel, unit } = timeOf(numberOf(where, "dtMs", given.dtMs, NOT_NEGATIVE));
  const all = sequencesOf(where, "membranes", membrane, sample);
  const fired = spikes === undefined ? null : sampleOf(where, spikes, sample);
  const panels = all.map((each): Panel => {
    const shown = neuronsOf(where, neurons, each.N);
    if (fired !== null && (fired.T !== each.T || fired.N !== each.N)) {
      throw wrongValue(where, `spikes of ${each.T} steps and ${each.N} neurons`, `${fired.T} and ${fired.N}`);
    }
    const { name, T } = each;
    const dots = fired === null ? [] : shown.map((n, i) => dotsOf(each, fired, n, unit, colourOf(i)));
    const limit = threshold === undefined ? [] : [limitOf(threshold, T * unit)];
    const names = [...shown.map(nameOf), ...(threshold === undefined ? [] : [THRESHOLD])];
    return {
      height: 200,
      ...(names.length > 1 ? { legend: names } : {}),
      x: { label: timeLabel, min: 0, max: T * unit },
      y: { label: name === "" ? label : name, scale: true },
      series: [...limit, ...shown.map((n, i) => lineOf(each, n, unit, colourOf(i))), ...dots],
    };
  });
  return svgOf(where, panels, given);
}

const THRESHOLD = "threshold θ";

const nameOf = (n: number): string => `neuron ${n}`;

function neuronsOf(where: string, neurons: readonly number[] | undefined, N: number): number[] {
  if (neurons === undefined) return Array.from({ length: Math.min(4, N) }, (_, n) => n);
  const all = listOf(where, "neurons", neurons, WHOLE);
  for (const n of all) if (n >= N) throw wrongValue(where, `neurons below ${N}`, n);
  return all;
}

const at = (t: number, unit: number): number => (t + 0.5) * unit;

const lineOf = ({ values, T, N }: NamedSample, n: number, unit: number, color: string): object => ({
  type: "line",
  name: nameOf(n),
  data: Array.from({ length: T }, (_, t) => [at(t, unit), finite(values[t * N + n] as number)]),
  showSymbol: false,
  lineStyle: { width: 1.6, color },
  itemStyle: { color },
});

/** The number, or null for a gap if it is not finite. */
const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);

const limitOf = (threshold: number, end: number): object => ({
  type: "line",
  name: THRESHOLD,
  data: [
    [0, threshold],
    [end, threshold],
  ],
  showSymbol: false,
  lineStyle: { width: 1.2, type: "dashed", color: markColour },
  itemStyle: { color: markColour },
});

/** Dots on the trace at each spike, all in one path. */
function dotsOf({ values, T, N }: NamedSample, fired: Sample, n: number, unit: number, fill: string): object {
  const steps = Array.from({ length: T }, (_, t) => t).filter((t) => fired.values[t * N + n] !== 0);
  const renderItem = (_: unknown, api: Drawing): object => {
    const path = steps.map((t) => {
      const [x, y] = api.coord([at(t, unit), values[t * N + n] as number]);
      return `M${tenths(x - RADIUS)} ${tenths(y)}a${RADIUS} ${RADIUS} 0 1 0 ${2 * RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${-2 * RADIUS} 0`;
    });
    return { type: "path", shape: { pathData: path.join("") }, style: { fill } };
  };
  return { type: "custom", data: [[0, values[0] as number]], renderItem };
}

const RADIUS = 3;
