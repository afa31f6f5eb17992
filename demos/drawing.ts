/** Pictures of the demos: charts of a training and of a sample, on one sheet. */
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { arange, type Dataset, type Linear, type Module, noGrad, record, type Tensor } from "jarvis-snn";
import type { RasterPlotOptions } from "jarvis-snn/plot";
import { writePictures } from "./pictures.ts";
import { saved } from "./report.ts";
import type { Callbacks } from "./training.ts";

type Plot = typeof import("jarvis-snn/plot");

/** The rows of a sheet from top to bottom: a chart, or a sheet of charts side by side. */
type Rows = readonly Promise<string>[];

/** Draws the rows on the sheet of a demo. */
export type Draw = (title: string, rows: (plot: Plot) => Rows) => Promise<void>;

/** The flag that names the picture of a demo. */
export const SVG = {
  kind: "text",
  default: "" as string,
  help: "draw losses, accuracies and spikes there (SVG, by the package echarts)",
} as const;

/** Pixels of the only chart of a row, and of two charts side by side. */
export const WIDE = { width: 920 };
export const HALF = { width: 460, height: 240 };

/**
 * A function that draws a sheet and writes it to the path, or does nothing where the path is empty. A demo asks for the function before
 * the training, so that a missing package, or a path that cannot be written, ends the demo at once. Demos without a picture do not
 * load the package.
 */
export async function drawingAt(path: string): Promise<Draw> {
  if (path === "") return async () => {};
  const plot = await import("jarvis-snn/plot");
  await plot.curvePlot({ nothing: { x: [0], y: [0] } }); // the first chart loads the package
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, "a")); // a picture of an earlier run stays until it is replaced
  return async (title, rows) => writeSheet(path, plot.sheet(await Promise.all(rows(plot)), { columns: 1, title }));
}

/** Two charts side by side, as a row with a name of its own. */
export async function pair(plot: Plot, title: string, left: Promise<string>, right: Promise<string>): Promise<string> {
  return plot.sheet(await Promise.all([left, right]), { columns: 2, title });
}

/** Writes a sheet, with the folders of its path, and says the path. */
export function writeSheet(path: string, svg: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, svg);
  writePictures(dirname(path));
  saved(path);
}

/** Losses of batches over epochs: a batch in the middle of the first epoch stands at x = 0.5. */
export interface Losses {
  readonly x: number[];
  readonly y: number[];
}

/** Callbacks of a training of so many batches an epoch, which do as the given ones and keep the losses of the batches. */
export function noted(given: Required<Callbacks>, batches: number): { losses: Losses; callbacks: Required<Callbacks> } {
  const losses: Losses = { x: [], y: [] };
  const onBatch: Required<Callbacks>["onBatch"] = (report) => {
    given.onBatch(report);
    losses.x.push(report.epoch - 1 + report.batch / batches);
    losses.y.push(report.loss);
  };
  return { losses, callbacks: { ...given, onBatch } };
}

/** Points of a curve of losses. */
const POINTS = 100;
/** Ratio of losses from which on their axis is logarithmic. */
const STEEP = 20;

/**
 * The losses of the batches, beside the accuracies by name behind each epoch, with the last one in numbers. A single epoch has no
 * curve of accuracies, and the title of the losses tells them.
 */
export function trainingRow(
  plot: Plot,
  losses: Losses,
  accuracies: Readonly<Record<string, readonly (number | undefined)[]>>,
): Promise<string> {
  const entries = Object.entries(accuracies).map(([name, values]) => {
    const y = values.map((value = Number.NaN) => value);
    return [`${name} ${y.at(-1)?.toFixed(4)}`, { x: y.map((_, i) => i + 1), y }] as const;
  });
  const reached = entries.map(([name]) => name).join(", ");
  const single = entries.every(([, { y }]) => y.length < 2);
  const each = Math.ceil(losses.x.length / POINTS);
  const loss = meansOf(losses, each);
  const title = `Loss, ${each === 1 ? "batch by batch" : `means of ${each} batches`}`;
  const log = Math.max(...loss.y) > STEEP * Math.min(...loss.y);
  const axes = { xLabel: "epoch", yLabel: "loss", log };
  if (single) {
    const options = { ...WIDE, height: HALF.height, title: `${title} · accuracy: ${reached}` };
    return plot.curvePlot({ loss }, { ...options, ...axes });
  }
  return pair(
    plot,
    "Losses and accuracies",
    plot.curvePlot({ loss }, { ...HALF, title, ...axes }),
    plot.curvePlot(Object.fromEntries(entries), {
      ...HALF,
      title: entries.length === 1 ? `Accuracy: ${reached}` : "Accuracy",
      xLabel: "epoch",
      yLabel: "accuracy",
      points: true,
    }),
  );
}

/** The means of a few points each, in their order. */
export function meansOf({ x, y }: Losses, each: number): Losses {
  const mean = (values: readonly number[], from: number): number => {
    const part = values.slice(from, from + each);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  };
  const starts = Array.from({ length: Math.ceil(x.length / each) }, (_, i) => i * each);
  return { x: starts.map((from) => mean(x, from)), y: starts.map((from) => mean(y, from)) };
}

/** A sample of a dataset as a batch of one, with its index and its class. */
export interface Shown {
  readonly index: number;
  readonly x: Tensor;
  readonly label: number;
}

/** The sample of an index. */
export function sampleAt(data: Dataset<Int32Array>, index: number): Shown {
  const { x, y } = noGrad(() => data.batch([index]));
  return { index, x, label: y[0] as number };
}

/** The title of a picture of a sample: its class, and the class of the largest logit of [1, K]. */
export function sampleTitle({ index, label }: Shown, logits: Tensor): string {
  return `Sample ${index}: class ${label}, answer ${logits.argmax({ axis: 1 }).toFloat32Array()[0]}`;
}

/** Neurons of a panel of a raster at most; more would run into each other. */
const MOST = 128;

/** Spikes [T, 1, …] by name, null for those left out; of a large layer the spikes of some of its neurons. */
export function sampleRaster(
  plot: Plot,
  spikes: Readonly<Record<string, Tensor | null>>,
  options: RasterPlotOptions,
): Promise<string> {
  const panels: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(spikes)) {
    if (tensor === null) continue;
    const [T = 1, B = 1] = tensor.shape;
    const N = tensor.size / (T * B);
    const step = strideOf(N);
    const chosen = Array.from({ length: Math.ceil(N / step) }, (_, i) => i * step);
    const label = step === 1 ? name : `${name}, one in ${step} of ${N} neurons`;
    panels[label] = noGrad(() => tensor.reshape([T, B, N]).indexSelect(2, chosen));
  }
  return plot.rasterPlot(panels, { ...WIDE, ...options });
}

/** Neurons from one that is drawn to the next. Without a common divisor with N, the drawn ones lie in all columns of an image. */
export function strideOf(N: number): number {
  let step = Math.ceil(N / MOST);
  while (divisor(N, step) > 1) step++;
  return step;
}

/** The greatest common divisor. */
const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** A curve over time for each class of [T, 1, K], as of a readout with a neuron for each class. */
export function classCurves(
  plot: Plot,
  traces: Tensor,
  { title, yLabel, dtMs = 0 }: { title: string; yLabel: string; dtMs?: number },
): Promise<string> {
  const [T = 1, , K = 1] = traces.shape;
  const values = traces.toFloat32Array();
  const x = Array.from({ length: T }, (_, t) => (t + 0.5) * (dtMs || 1));
  const curves = Array.from({ length: K }, (_, k) => [`${k}`, { x, y: x.map((_, t) => values[t * K + k] as number) }]);
  const xLabel = dtMs === 0 ? "time step" : "time (ms)";
  const classes = K === 2 ? "0 and 1" : `0 … ${K - 1}`;
  const options = { title: `${title}, classes ${classes}`, xLabel, yLabel, height: 320 };
  return plot.curvePlot(Object.fromEntries(curves), { ...WIDE, ...options });
}

/** Rows of a model that reads classes from firing rates: the spikes of its layers, by these names, and the logits over time. */
export function rateRows(
  plot: Plot,
  model: Module,
  readout: Linear,
  shown: Shown,
  names: readonly string[],
  input: Tensor | null = null,
): Rows {
  const { output, layers } = record(model, shown.x);
  const recorded = Object.values(layers).map(({ spikes }, i) => [names[i] ?? `layer ${i + 1}`, spikes] as const);
  const last = recorded.at(-1)?.[1] as Tensor;
  const rates = logitsSoFar(last.reshape([...last.shape.slice(0, 2), -1]), readout);
  return [
    sampleRaster(plot, { input, ...Object.fromEntries(recorded) }, { title: sampleTitle(shown, output) }),
    classCurves(plot, rates, { title: "Logits read from the spikes so far", yLabel: "logit" }),
  ];
}

/** The logits [T, B, K] that a linear layer reads from the mean of the spikes [T, B, N] up to each step. */
function logitsSoFar(spikes: Tensor, readout: Linear): Tensor {
  return noGrad(() => {
    const steps = arange(1, (spikes.shape[0] as number) + 1).reshape([-1, 1, 1]);
    return readout.forward(spikes.cumsum({ axis: 0 }).div(steps)).clone();
  });
}
