/**
 * Spikes, membranes, curves and gradients as SVG text, in Node and in a page. Requires the optional peer dependency `echarts`, which the first chart
 * loads.
 *
 * @module jarvis-snn/plot
 */

export type { ChartOptions } from "./chart.ts";
export { type Curve, type CurvePlotOptions, curvePlot, type FiringCurvePlotOptions, firingCurvePlot } from "./curve.ts";
export { type GradientFlowPlotOptions, gradientFlowPlot } from "./gradient-flow.ts";
export { type RasterPlotOptions, rasterPlot } from "./raster.ts";
export type { Sequences } from "./sequences.ts";
export { type SheetOptions, sheet } from "./sheet.ts";
export { type TracePlotOptions, tracePlot } from "./trace.ts";
