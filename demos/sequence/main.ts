/** npm run demo -- sequence: a network that keeps a bit, and what is saved of it. */
import { writeFileSync } from "node:fs";
import { accuracy, DataLoader, evaluate, loadSafetensors, manualSeed, noGrad, saveSafetensors } from "jarvis-snn";
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
  trainingRow,
} from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { begin, end, line } from "../report.ts";
import { batchesOf, epochPrinter, trainClassifier } from "../training.ts";
import { delayedXor } from "./data.ts";
import { SequenceNetwork } from "./network.ts";

const flags = begin("sequence", {
  epochs: { kind: "integer", default: 8, min: 1, help: "passes over the training set" },
  hidden: { kind: "integer", default: 64, min: 1, help: "neurons of each recurrent layer" },
  lr: { kind: "number", default: 5e-3, help: "largest learning rate of Adam" },
  "batch-size": { kind: "integer", default: 64, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and order" },
  "data-seed": { kind: "integer", default: 0, min: 0, help: "seed of the samples" },
  save: { kind: "text", default: "", help: "write the weights there (safetensors)" },
  svg: SVG,
});

const draw = await drawingAt(flags.svg);
manualSeed(flags.seed);
const { train, test } = delayedXor({ train: 4096, test: 2000 }, flags["data-seed"]);
const model = new SequenceNetwork(flags.hidden);
const training = { model, train, test, epochs: flags.epochs, batchSize: flags["batch-size"], lr: flags.lr };
/** Decays or thresholds of the neurons of both layers; a decay above 1 acts as 1. */
const valuesOf = (name: "beta" | "threshold"): number[][] =>
  [model.recurrent1, model.recurrent2].map((layer) =>
    Array.from(layer[name].toFloat32Array(), (value) => (name === "beta" ? Math.min(1, value) : value)),
  );
const start = { beta: valuesOf("beta"), threshold: valuesOf("threshold") };
const { losses, callbacks } = noted(epochPrinter(batchesOf(training)), batchesOf(training));
const history = await trainClassifier(training, callbacks);

// A network of other weights, decays and thresholds becomes the trained one.
const bytes = saveSafetensors(model.stateDict());
const other = new SequenceNetwork(flags.hidden);
const measure = () => evaluate(other, new DataLoader(test, { batchSize: 250 }), accuracy);
const before = measure();
other.loadStateDict(loadSafetensors(bytes).tensors);
const loaded = measure();
const same = loaded === history.at(-1)?.validation;
line({
  saved_bytes: bytes.length,
  acc_before_loading: before.toFixed(4),
  acc_loaded: loaded.toFixed(4),
  same,
});
if (flags.save !== "") {
  writeFileSync(flags.save, bytes);
  line({ saved: flags.save });
}
await draw(DEMOS.sequence.title, (plot) => {
  const sample = sampleAt(test, (test.y as Uint8Array).indexOf(1));
  const { first, second, membrane } = model.activity(sample.x);
  const title = sampleTitle(sample, model.forward(sample.x));
  const input = sample.x.transpose(0, 1);
  const changes = (name: "beta" | "threshold", title: string) => {
    const curves = valuesOf(name).map((values, i) => {
      const y = values.map((value, n) => value - (start[name][i]?.[n] as number)).sort((a, b) => a - b);
      return { x: y.map((_, n) => n), y };
    });
    const named = Object.fromEntries(curves.map((curve, i) => [`layer ${i + 1}`, curve]));
    return plot.curvePlot(named, { ...HALF, title, xLabel: "neurons, by their change", yLabel: "end − start" });
  };
  return [
    trainingRow(plot, losses, { test: history.map(({ validation }) => validation) }),
    sampleRaster(plot, { input, "layer 1": first, "layer 2": second }, { title }),
    classCurves(plot, membrane, { title: "Readout (1: the bits differ)", yLabel: "membrane u" }),
    pair(
      plot,
      "Learned decays and thresholds",
      changes("beta", "Learned changes of decays β"),
      changes("threshold", "Learned changes of thresholds θ"),
    ),
  ];
});
end({
  figure: history.at(-1)?.validation ?? Number.NaN,
  curve: { name: "loss over the batches", values: losses.y },
  raster: {
    name: "spikes of the second layer for a sequence",
    spikes: () => noGrad(() => model.activity(sampleAt(test, 0).x).second),
  },
});
