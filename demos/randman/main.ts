/** npm run demo -- randman: which of ten manifolds is a pattern of spike times from? */
import { manualSeed, noGrad } from "jarvis-snn";
import { classCurves, drawingAt, noted, SVG, sampleAt, sampleRaster, sampleTitle, trainingRow } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { begin, end } from "../report.ts";
import { batchesOf, epochPrinter, MEASURE, trainClassifier } from "../training.ts";
import { PAPER, randman } from "./data.ts";
import { RandmanNetwork, STEP_MS } from "./network.ts";

const flags = begin("randman", {
  epochs: { kind: "integer", default: 20, min: 1, help: "passes over the training set" },
  classes: { kind: "integer", default: PAPER.classes, min: 2, help: "manifolds" },
  samples: { kind: "integer", default: PAPER.samples, min: 10, help: "samples of a class" },
  dimensions: { kind: "integer", default: PAPER.dimensions, min: 1, help: "dimensions of a manifold" },
  alpha: { kind: "number", default: PAPER.alpha, help: "smoothness of the manifolds" },
  hidden: { kind: "integer", default: 128, min: 1, help: "hidden neurons" },
  lr: { kind: "number", default: 2e-2, help: "largest learning rate of Adam" },
  "batch-size": { kind: "integer", default: 128, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and order" },
  "data-seed": { kind: "integer", default: 0, min: 0, help: "seed of manifolds and samples" },
  measure: MEASURE,
  svg: SVG,
});

const draw = await drawingAt(flags.svg);
manualSeed(flags.seed);
const { classes, samples, dimensions, alpha, hidden, epochs, lr } = flags;
const data = randman({ ...PAPER, classes, samples, dimensions, alpha, dataSeed: flags["data-seed"] });
const model = new RandmanNetwork({ inputs: PAPER.inputs, hidden, classes });
const { train } = data;
const test = flags.measure === "test" ? data.test : data.validation;
const training = { model, train, test, epochs, batchSize: flags["batch-size"], lr };
const { losses, callbacks } = noted(epochPrinter(batchesOf(training), flags), batchesOf(training));
const history = await trainClassifier(training, callbacks);
await draw(DEMOS.randman.title, (plot) => {
  const sample = sampleAt(test, 0);
  const { input, hidden, membrane } = model.activity(sample.x);
  const title = sampleTitle(sample, model.forward(sample.x));
  return [
    trainingRow(plot, losses, { [flags.measure]: history.map(({ validation }) => validation) }),
    sampleRaster(plot, { input, "hidden layer": hidden }, { title, dtMs: STEP_MS }),
    classCurves(plot, membrane, { title: "Integrators", yLabel: "membrane u", dtMs: STEP_MS }),
  ];
});
end({
  figure: history.at(-1)?.validation ?? Number.NaN,
  curve: { name: "loss over the batches", values: losses.y },
  raster: {
    name: "spikes of the hidden layer for a sample",
    spikes: () => noGrad(() => model.activity(sampleAt(test, 0).x).hidden),
  },
});
