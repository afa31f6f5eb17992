/** Rasters as SVG: a tick for each spike of a sample. */
import { NOT_NEGATIVE, numberOf, withDefaults } from "../../engine/arguments.ts";
import { CHART, type ChartOptions, colourOf, type Panel, svgOf } from "./chart.ts";
import { type NamedSample, type Sequences, sequencesOf, timeOf } from "./sequences.ts";

/** Options of {@link rasterPlot}. */
export interface RasterPlotOptions extends ChartOptions {
  /** Index of the sample in the batch; default 0. */
  sample?: number;
  /** Length of a step in ms, for the axis; default 0: the axis counts steps. */
  dtMs?: number;
}

const DEFAULTS = { ...CHART, sample: 0, dtMs: 0 } satisfies Record<keyof RasterPlotOptions, unknown>;

/**
 * Draws a raster of the spikes of one sample as SVG text: time to the right, neurons upwards, a tick where s[t, n] ≠ 0. Several tensors by name
 * become panels below each other.
 *
 * Shapes: spikes [T, B, …], or [T].
 *
 * @throws Error if the peer dependency echarts is missing; TypeError for anything but a tensor, an unknown option or a value of the wrong type;
 *   RangeError unless there is a time axis and such a sample, and for an option out of range.
 *
 * @example
 * ```ts
 * import { bernoulli, full } from "jarvis-snn";
 * import { rasterPlot } from "jarvis-snn/plot";
 *
 * const spikes = bernoulli(full([100, 1, 20], 0.05)); // [T, B, N]
 * const svg = await rasterPlot({ input: spikes }, { title: "Noise", dtMs: 1 });
 * console.log(svg.slice(0, 4)); // <svg
 * ```
 */
export async function rasterPlot(spikes: Sequences, options: RasterPlotOptions = {}): Promise<string> {
  const where = "rasterPlot";
  const given = withDefaults(where, DEFAULTS, options);
  const { label, unit } = timeOf(numberOf(where, "dtMs", given.dtMs, NOT_NEGATIVE));
  const all = sequencesOf(where, "spikes", spikes, given.sample);
  return svgOf(
    where,
    all.map((each, i) => panelOf(each, i, label, unit)),
    given,
  );
}

function panelOf({ name, values, T, N }: NamedSample, index: number, label: string, unit: number): Panel {
  const ticks: [t: number, n: number][] = [];
  for (let t = 0; t < T; t++) for (let n = 0; n < N; n++) if (values[t * N + n] !== 0) ticks.push([t, n]);
  const rate = ticks.length / (T * N);
  return {
    height: Math.min(260, Math.max(90, 4 * N)),
    heading: `${name}${name === "" ? "" : " · "}${N} neuron${N === 1 ? "" : "s"}, ${+rate.toPrecision(3)} spikes per step`,
    x: { label, min: 0, max: T * unit, minInterval: unit },
    // Neuron n lies between n and n + 1; a label at n + ½ would have no tick.
    y: { label: "neuron", min: 0, max: N, minInterval: 1 },
    series: [
      {
        type: "custom",
        data: [[0, 0]],
        renderItem: (_: unknown, api: Drawing) => ticksOf(ticks, unit, api, colourOf(index)),
      },
    ],
  };
}

/** Functions of echarts that a custom series draws with. */
export interface Drawing {
  /** Pixel coordinates of a point. */
  coord(point: readonly [x: number, y: number]): [number, number];
  /** Pixel size of a distance. */
  size(distance: readonly [x: number, y: number]): [number, number];
}

function ticksOf(ticks: readonly [number, number][], unit: number, api: Drawing, stroke: string): object {
  const [step, row] = api.size([unit, 1]);
  const half = Math.max(0.75, Math.min(7, 0.42 * row));
  const path = ticks.map(([t, n]) => {
    const [x, y] = api.coord([(t + 0.5) * unit, n + 0.5]);
    return `M${tenths(x)} ${tenths(y - half)}V${tenths(y + half)}`;
  });
  const lineWidth = Math.max(0.8, Math.min(1.6, 0.6 * step));
  return { type: "path", shape: { pathData: path.join("") }, style: { fill: "none", stroke, lineWidth } };
}

/** Rounds to tenths of a pixel. */
export const tenths = (x: number): string => String(Math.round(10 * x) / 10);
