/** npm run demo -- convert: a network that was trained without spikes becomes a spiking one. */
import { manualSeed, noGrad, record, type Tensor } from "jarvis-snn";
import { type ToSpikingOptions, toSpiking } from "jarvis-snn/quantize";
import {
  classCurves,
  drawingAt,
  HALF,
  noted,
  pair,
  SVG,
  sampleAt,
  sampleRaster,
  sampleTitle,
  WIDE,
} from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { mnist } from "../mnist/data.ts";
import { bar, begin, end, line } from "../report.ts";
import { batchesOf, epochPrinter, holdOut, MEASURE, part, trainClassifier } from "../training.ts";
import { images, reluNetwork, runOverTime } from "./network.ts";

/** Steps after which a line is printed. */
const PRINTED = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 50, 64, 100, 128, 256];
/** Images and steps with which a picture compares ways to convert. */
const COMPARED = 1000;
const FIRST = 16;

const flags = begin("convert", {
  epochs: { kind: "integer", default: 3, min: 1, help: "passes over the training set, without spikes" },
  timesteps: { kind: "integer", default: 64, min: 1, help: "time steps of the spiking network" },
  percentile: {
    kind: "number",
    default: 99,
    help: "percentile of the activations that scales are, 100 for the maximum",
  },
  scales: { kind: "choice", default: "channel", of: ["channel", "layer"], help: "a scale for each of these" },
  samples: { kind: "integer", default: 1000, min: 1, help: "training images on which activations are measured" },
  lr: { kind: "number", default: 1e-2, help: "largest learning rate of Adam" },
  "batch-size": { kind: "integer", default: 128, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and order" },
  limit: { kind: "integer", default: 0, min: 0, help: "training samples to use, 0 for all" },
  measure: MEASURE,
  svg: SVG,
});

const draw = await drawingAt(flags.svg);
manualSeed(flags.seed);
const given = mnist("train", flags.limit);
const split = flags.measure === "test" ? { train: given, test: mnist("t10k") } : holdOut(given);
const [train, test] = [images(split.train), images(split.test)];
const model = reluNetwork([16, 32]);
const training = { model, train, test, epochs: flags.epochs, batchSize: flags["batch-size"], lr: flags.lr };
const { losses, callbacks } = noted(epochPrinter(batchesOf(training), flags), batchesOf(training));
const history = await trainClassifier(training, callbacks);
const without = history.at(-1)?.validation ?? Number.NaN;

const data = part(train, 0, Math.min(flags.samples, train.length));
const { timesteps, percentile } = flags;
const perChannel = flags.scales === "channel";
const start = performance.now();
const spiking = toSpiking(model, { data, timesteps, percentile, perChannel });
line({ without_spikes_acc: without.toFixed(4), converted_s: ((performance.now() - start) / 1000).toFixed(2) });
const draws = bar("spiking network", test.length);
const reached = runOverTime(spiking, test, (done) => draws(done));
for (const t of PRINTED.filter((each) => each <= timesteps)) {
  const acc = reached.accuracy[t - 1] as number;
  line({
    timesteps: t,
    [`${flags.measure}_acc`]: acc.toFixed(4),
    lost_points: (100 * (without - acc)).toFixed(2),
    spikes_per_image: Math.round(reached.spikes[t - 1] as number),
  });
}

await draw(DEMOS.convert.title, (plot) => {
  const few = part(test, 0, Math.min(COMPARED, test.length));
  const steps = Math.min(FIRST, timesteps);
  const first = (y: readonly number[]) => ({ x: Array.from({ length: steps }, (_, t) => t + 1), y: y.slice(0, steps) });
  const compared = (options: Omit<ToSpikingOptions, "data" | "timesteps">) =>
    first(runOverTime(toSpiking(model, { ...options, data, timesteps: steps }), few).accuracy);
  const all = Array.from({ length: timesteps }, (_, t) => t + 1);
  const wrong = reached.accuracy.map((acc) => 100 * (1 - acc));
  const sample = sampleAt(test, 0);
  const { output, layers } = record(spiking, sample.x);
  const [lower = null, upper = null] = Object.values(layers).map(({ spikes }) => spikes);
  const title = sampleTitle(
    sample,
    noGrad(() => output.select(0, timesteps - 1)),
  );
  return [
    pair(
      plot,
      `Answers over the steps, ${test.length} images; without spikes ${without.toFixed(4)}`,
      plot.curvePlot(
        { "without spikes": first(all.map(() => without)), spiking: first(reached.accuracy) },
        { ...HALF, title: `Accuracy, ${steps} steps`, xLabel: "time steps", yLabel: "accuracy" },
      ),
      plot.curvePlot(
        { "without spikes": { x: all, y: all.map(() => 100 * (1 - without)) }, spiking: { x: all, y: wrong } },
        { ...HALF, title: "Wrong answers", xLabel: "time steps", yLabel: "of a hundred", log: true },
      ),
    ),
    plot.curvePlot(
      {
        "99 %, channels": compared({}),
        "99 %, layers": compared({ perChannel: false }),
        "max, channels": compared({ mode: "max" }),
        "max, layers": compared({ mode: "max", perChannel: false }),
        "99 %, channels, v = 0": compared({ initial: 0 }),
      },
      {
        ...{ ...WIDE, height: 320, xLabel: "time steps", yLabel: "accuracy" },
        title: `Scales, and the potential at the start, ${few.length} images`,
      },
    ),
    sampleRaster(plot, { "first convolution": lower, "second convolution": upper }, { title }),
    classCurves(plot, output, { title: "Readout", yLabel: "sum of the currents" }),
  ];
});
end({
  figure: reached.accuracy.at(-1) ?? Number.NaN,
  curve: { name: "loss over the batches, without spikes", values: losses.y },
  raster: {
    name: "spikes of the second convolution for a digit",
    spikes: () => Object.values(record(spiking, sampleAt(test, 0).x).layers)[1]?.spikes as Tensor,
  },
});
