/** npm run demo -- fashion: spiking networks on Fashion-MNIST. */
import { manualSeed, record, type Tensor } from "jarvis-snn";
import { drawingAt, noted, rateRows, SVG, sampleAt, trainingRow } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { begin, end, text } from "../report.ts";
import { batchesOf, epochPrinter, holdOut, MEASURE, part, trainClassifier } from "../training.ts";
import { fashion } from "./data.ts";
import { DEFAULTS, FashionNetwork } from "./network.ts";

const flags = begin("fashion", {
  network: { kind: "choice", default: "fc" as string, of: ["fc", "conv"], help: "fully connected or convolutional" },
  epochs: { kind: "integer", default: 0, min: 0, help: "passes over the training set, 0 for 3 (fc) or 5 (conv)" },
  hidden: { kind: "integer", default: 1000, min: 1, help: "hidden neurons of fc" },
  timesteps: { kind: "integer", default: 0, min: 0, help: "time steps of a sample, 0 for 10 (fc) or 5 (conv)" },
  "batch-size": { kind: "integer", default: 128, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, order and mirroring" },
  limit: { kind: "integer", default: 0, min: 0, help: "training samples to use, 0 for all" },
  measure: MEASURE,
  svg: SVG,
});

const draw = await drawingAt(flags.svg);
manualSeed(flags.seed);
const network = flags.network as "fc" | "conv";
const { lr, mirror, ...usual } = DEFAULTS[network];
const epochs = flags.epochs || usual.epochs;
const timesteps = flags.timesteps || usual.timesteps;
const all = fashion();
const given = flags.limit > 0 ? { ...all, train: part(all.train, 0, flags.limit) } : all;
const { train, test } = flags.measure === "test" ? given : holdOut(given.train);
text(`split: of each class, rows 0 … 999 of the package are the test set, rows 1000 … 6999 the training set`);
const model = new FashionNetwork({ network, timesteps, hidden: flags.hidden, filters: [12, 64], mirror });
const training = { model, train, test, epochs, batchSize: flags["batch-size"], lr };
const { losses, callbacks } = noted(epochPrinter(batchesOf(training), flags), batchesOf(training));
const history = await trainClassifier(training, callbacks);
const names = network === "fc" ? ["hidden layer"] : ["first convolution", "second convolution"];
await draw(DEMOS.fashion.title, (plot) => [
  trainingRow(plot, losses, { [flags.measure]: history.map(({ validation }) => validation) }),
  ...rateRows(plot, model, model.fc, sampleAt(test, 0), names),
]);
end({
  figure: history.at(-1)?.validation ?? Number.NaN,
  curve: { name: "loss over the batches", values: losses.y },
  raster: { name: "spikes of the last layer for a sample", spikes: () => spikesOf(sampleAt(test, 0).x) },
});

/** Spikes of the last layer of neurons for a sample. */
function spikesOf(x: Tensor): Tensor {
  const layers = Object.values(record(model, x).layers);
  return layers.at(-1)?.spikes as Tensor;
}
