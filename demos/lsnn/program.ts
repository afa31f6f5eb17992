/** The programs of the demos of working memory have these flags, lines and charts in common. */
import { noGrad } from "jarvis-snn";
import { type Draw, HALF, meansOf, pair, SVG, sampleRaster, WIDE } from "../drawing.ts";
import { bar, line } from "../report.ts";
import { DT_MS, type Lsnn, NONE, type Trials } from "./network.ts";
import type { IterationReport } from "./training.ts";

/** The flags, with defaults that both demos share. */
export const FLAGS = {
  rule: { kind: "choice", default: "bptt" as string, of: ["bptt", "eprop"], help: "how gradients are computed" },
  feedback: {
    kind: "choice",
    default: "symmetric" as string,
    of: ["symmetric", "random"],
    help: "how e-prop brings the error to the neurons",
  },
  iterations: { kind: "integer", default: 200, min: 1, help: "steps of the optimizer, each with fresh trials" },
  "batch-size": { kind: "integer", default: 32, min: 1, help: "trials of an iteration" },
  lr: { kind: "number", default: 1e-2, help: "learning rate of Adam at the start; it falls to zero" },
  test: { kind: "integer", default: 1000, min: 1, help: "fresh trials of each delay at the end" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and trials" },
  svg: SVG,
} as const;

/** Where the seeds of the trials that measure begin: far from those of training. */
const FRESH = 2 ** 40;

/** The seed of fresh trials. */
export const freshSeed = (seed: number): number => FRESH + seed;

/** Lines of a training. */
const LINES = 10;

/** Prints means of losses, errors and rates ten times in a training, shows a bar in between, and keeps the reports. */
export function iterationPrinter(iterations: number): {
  reports: IterationReport[];
  onIteration: (report: IterationReport) => void;
} {
  const start = performance.now();
  const reports: IterationReport[] = [];
  let printed = 0;
  const draws = bar("iterations", iterations);
  const onIteration = (report: IterationReport): void => {
    reports.push(report);
    const { iteration } = report;
    draws(iteration, { loss: report.loss, lr: report.lr });
    if (Math.floor((iteration * LINES) / iterations) === Math.floor(((iteration - 1) * LINES) / iterations)) return;
    const part = reports.slice(printed);
    printed = iteration;
    const mean = (key: keyof IterationReport) => part.reduce((sum, each) => sum + each[key], 0) / part.length;
    const seconds = (performance.now() - start) / 1000;
    line({
      iteration,
      loss: mean("loss").toFixed(4),
      error: mean("error").toFixed(4),
      rate_hz: mean("rateHz").toFixed(1),
      train_s: seconds.toFixed(1),
    });
  };
  return { reports, onIteration };
}

/** The mean of some numbers. */
export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Iterations behind a point of a curve. */
const EACH = 5;
/** Adaptive neurons whose thresholds are drawn. */
const THRESHOLDS = 4;

/** A trial with the names of its input groups. */
export interface ShownTrial {
  title: string;
  model: Lsnn;
  /** LIF neurons without adaptation, which come first. */
  regular: number;
  trial: Trials;
  groups: readonly string[];
  reports: readonly IterationReport[];
}

/** Draws losses and errors of a training and one trial: input, spikes of the network, thresholds and the answer. */
export function drawTrial(draw: Draw, { title, model, regular, trial, groups, reports }: ShownTrial): Promise<void> {
  return draw(title, (plot) => {
    const { spikes, thresholds, output } = noGrad(() => {
      const { thresholds, ...activity } = model.activity(trial.x);
      return { ...activity, thresholds: thresholds() };
    });
    const n = spikes.shape[2] as number;
    const curve = (key: "loss" | "error", title: string) => {
      const points = { x: reports.map(({ iteration }) => iteration), y: reports.map((report) => report[key]) };
      const axes = { title: `${title}, means of ${EACH} iterations`, xLabel: "iteration", yLabel: key };
      return plot.curvePlot({ [key]: meansOf(points, EACH) }, { ...HALF, ...axes });
    };
    const input = `input: ${groups.join(", ")}, ten neurons each from the bottom up`;
    const raster = {
      [input]: trial.x,
      "LIF neurons": regular === 0 ? null : noGrad(() => spikes.slice(2, 0, regular).clone()),
      "adaptive LIF neurons": regular === n ? null : noGrad(() => spikes.slice(2, regular, n).clone()),
    };
    const y = noGrad(() => output.softmax(-1).toFloat32Array());
    const x = Array.from(trial.answers, (_, t) => (t + 0.5) * DT_MS);
    const answers = {
      "P(1) of the readout": { x, y: x.map((_, t) => y[2 * t + 1] as number) },
      "asked for": { x, y: Array.from(trial.answers, (answer) => (answer === NONE ? Number.NaN : answer)) },
    };
    const shown = Array.from({ length: Math.min(THRESHOLDS, n - regular) }, (_, i) => regular + i);
    const time = { dtMs: DT_MS };
    return [
      pair(plot, "Losses and errors", curve("loss", "Loss"), curve("error", "Error")),
      sampleRaster(plot, raster, { title: "A fresh trial", ...time }),
      ...(shown.length === 0
        ? []
        : [plot.tracePlot(thresholds, { ...WIDE, neurons: shown, label: "threshold 1 + κ·a", ...time })]),
      plot.curvePlot(answers, { ...WIDE, title: "Answer", height: 260, xLabel: "time (ms)", yLabel: "probability" }),
    ];
  });
}
