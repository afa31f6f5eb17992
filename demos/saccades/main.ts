/** npm run demo -- saccades: digits that move before an event camera. */
import { DataLoader, type Dataset, manualSeed, noGrad } from "jarvis-snn";
import { drawingAt, noted, rateRows, SVG, sampleAt, trainingRow } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { CACHE, eventsPerRecording, type Recordings } from "../recordings.ts";
import { begin, end, line } from "../report.ts";
import {
  batchesOf,
  CHECKPOINT,
  cpuTimer,
  epochPrinter,
  heldFrom,
  MEASURE,
  settingsOf,
  trainClassifier,
} from "../training.ts";
import { DURATION } from "./camera.ts";
import { nmnist, type Part, simulated } from "./data.ts";
import { SaccadesNetwork, USUAL } from "./network.ts";
import { eventsRow } from "./picture.ts";

const flags = begin("saccades", {
  epochs: { kind: "integer", default: 2, min: 1, help: "passes over the training set" },
  bin: {
    kind: "choice",
    default: String(USUAL.binMs),
    of: ["5", "10", "15", "20", "25", "30", "50", "60", "75", "100", "150", "300"],
    help: "milliseconds of a time bin",
  },
  lr: { kind: "number", default: 1e-2, help: "largest learning rate of Adam" },
  "batch-size": { kind: "integer", default: 128, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and order" },
  limit: { kind: "integer", default: 0, min: 0, help: "training samples to use, 0 for all" },
  data: { kind: "text", default: "" as string, help: "folder of N-MNIST, with Train and Test" },
  cache: CACHE,
  checkpoint: CHECKPOINT,
  measure: MEASURE,
  svg: SVG,
});

const draw = await drawingAt(flags.svg);
const binMs = Number(flags.bin);
const { epochs, lr, checkpoint } = flags;

/** The first `limit` recordings of the training or test set, 0 for all. */
const recordingsOf = (part: Part, limit: number): Promise<Recordings> =>
  flags.data !== "" ? nmnist(part, flags.data, flags.cache, limit) : simulated(part, flags.cache, limit);

const bins = { bins: DURATION / (1000 * binMs), binUs: 1000 * binMs };
const given = await recordingsOf("train", flags.limit);
const isTest = flags.measure === "test";
const measured = isTest ? await recordingsOf("test", 0) : given;
const all = Array.from(given.labels.keys());
const held = heldFrom(given.length);
const train = given.spikes({ ...bins, indices: isTest ? all : all.slice(0, held) });
const test = measured.spikes({ ...bins, ...(!isTest && { indices: all.slice(held) }) });
line({
  train: train.length,
  [flags.measure]: test.length,
  events_per_recording: eventsPerRecording(given),
  spikes_per_recording: Math.round(spikesOf(test) / test.length),
  bins: bins.bins,
});

manualSeed(flags.seed);
const cpu = cpuTimer();
const model = new SaccadesNetwork({ ...USUAL, binMs });
const run = { checkpoint, settings: settingsOf(flags) };
const training = { model, train, test, epochs, batchSize: flags["batch-size"], lr, ...run };
const { losses, callbacks } = noted(epochPrinter(batchesOf(training), flags), batchesOf(training));
const history = await trainClassifier(training, callbacks);
line({ cpu_s: cpu() });
await draw(DEMOS.saccades.title, (plot) => {
  const sample = sampleAt(test, 0);
  const names = ["first convolution", "second convolution"];
  return [
    trainingRow(plot, losses, { [flags.measure]: history.map(({ validation }) => validation) }),
    eventsRow(plot, measured.get(isTest ? sample.index : held + sample.index)),
    ...rateRows(plot, model, model.fc, sample, names),
  ];
});

end({
  figure: history.at(-1)?.validation ?? Number.NaN,
  curve: { name: "loss over the batches", values: losses.y },
  raster: { name: "events of a digit, as spikes of pixels", spikes: () => sampleAt(test, 0).x },
});

/** Spikes of all samples of a dataset. */
function spikesOf(data: Dataset<Int32Array>): number {
  let spikes = 0;
  for (const { x } of new DataLoader(data, { batchSize: 250 })) spikes += noGrad(() => x.sum().item());
  return spikes;
}
