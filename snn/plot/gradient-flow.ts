/** Gradient flow: norms of gradients from layer to layer and from step to step. */
import { objectOf, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { type GradientNorms, namedLayers } from "../probes/probes.ts";
import { CHART, type ChartOptions, colourOf, type Panel, svgOf } from "./chart.ts";
import { seriesOf } from "./curve.ts";
import { logarithmic } from "./logarithmic.ts";

/** Options of {@link gradientFlowPlot}. */
export interface GradientFlowPlotOptions extends ChartOptions {}

/**
 * Draws the gradient flow of a recording as SVG text, in two panels with logarithmic axes: for each layer, from the input to the loss, the norms of
 * the gradients that arrive at its spikes or membrane and that leave at its current; and the norm ‖∂L/∂I[t]‖ of each layer over time. Norms of 0 are
 * gaps.
 *
 * @throws Error if the peer dependency echarts is missing; TypeError for anything but norms of `gradientNorms`, an unknown option or a value of the
 *   wrong type; RangeError without a layer.
 *
 * @example
 * ```ts
 * import { gradientNorms, LIF, Linear, rand, record, Sequential } from "jarvis-snn";
 * import { gradientFlowPlot } from "jarvis-snn/plot";
 *
 * const model = new Sequential(new Linear(5, 8), new LIF({ threshold: 0.5 }));
 * const svg = await gradientFlowPlot(gradientNorms(record(model, rand([20, 2, 5]), { loss: (z) => z.mean() })));
 * console.log(svg.slice(0, 4)); // <svg
 * ```
 */
export async function gradientFlowPlot(
  norms: Pick<GradientNorms, "layers"> & Partial<Pick<GradientNorms, "order">>,
  options: GradientFlowPlotOptions = {},
): Promise<string> {
  const where = "gradientFlowPlot";
  const given = withDefaults(where, CHART, options);
  const all = namedLayers(
    where,
    "norms with layers",
    objectOf(where, "what gradientNorms gives", norms) as typeof norms,
  );
  if (all.length === 0) throw wrongValue(where, "norms of at least one layer", "none");
  const names = all.map(([name]) => name);
  const look = { log: true, points: true };
  const arriving = all.map(([, { spikes, membrane }]) => together(spikes?.norm ?? 0, membrane?.norm ?? 0));
  const leaving = all.map(([, { current }]) => current?.norm ?? 0);
  const depth: Panel = {
    height: 200,
    heading: "From layer to layer",
    legend: [ARRIVING, LEAVING],
    x: { label: "layer, from the input to the loss", type: "category", data: names, boundaryGap: true },
    y: { label: "‖gradient‖₂", ...logarithmic },
    series: [
      seriesOf(ARRIVING, names, arriving, { ...look, color: colourOf(1), dashed: true }),
      seriesOf(LEAVING, names, leaving, { ...look, color: colourOf(0) }),
    ],
  };
  const T = Math.max(1, ...all.map(([, { current }]) => current?.steps.length ?? 0));
  const time: Panel = {
    height: 200,
    heading: "From step to step",
    legend: names,
    x: { label: "time step", min: 0, max: T },
    y: { label: "‖∂L/∂I[t]‖₂", ...logarithmic },
    series: all.map(([name, { current }], i) => {
      const steps = Array.from(current?.steps ?? []);
      const middle = steps.map((_, t) => t + 0.5);
      return seriesOf(name, middle, steps, { log: true, points: false, color: colourOf(i) });
    }),
  };
  return svgOf(where, [depth, time], given);
}

const ARRIVING = "arriving, ∂L/∂s and ∂L/∂u";
const LEAVING = "leaving, ∂L/∂I";

const together = (a: number, b: number): number => Math.sqrt(a * a + b * b);
