/** npm run demo -- conv: a convolutional spiking network on MNIST. */
import { manualSeed, noGrad } from "jarvis-snn";
import { drawingAt, noted, rateRows, SVG, sampleAt, trainingRow } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { mnist } from "../mnist/data.ts";
import { begin, end } from "../report.ts";
import { batchesOf, epochPrinter, holdOut, MEASURE, trainClassifier } from "../training.ts";
import { ConvNetwork, TUTORIAL } from "./network.ts";

const flags = begin("conv", {
  epochs: { kind: "integer", default: 3, min: 1, help: "passes over the training set" },
  timesteps: { kind: "integer", default: TUTORIAL.timesteps, min: 1, help: "time steps of a sample" },
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
const { train, test } = flags.measure === "test" ? { train: given, test: mnist("t10k") } : holdOut(given);
const model = new ConvNetwork({ ...TUTORIAL, timesteps: flags.timesteps });
const training = { model, train, test, epochs: flags.epochs, batchSize: flags["batch-size"], lr: flags.lr };
const { losses, callbacks } = noted(epochPrinter(batchesOf(training), flags), batchesOf(training));
const history = await trainClassifier(training, callbacks);
await draw(DEMOS.conv.title, (plot) => [
  trainingRow(plot, losses, { [flags.measure]: history.map(({ validation }) => validation) }),
  ...rateRows(plot, model, model.fc, sampleAt(test, 0), ["first convolution", "second convolution"]),
]);
end({
  figure: history.at(-1)?.validation ?? Number.NaN,
  curve: { name: "loss over the batches", values: losses.y },
  raster: {
    name: "spikes of the second convolution for a digit",
    spikes: () => noGrad(() => model.spikes(sampleAt(test, 0).x)),
  },
});
