/** npm run demo -- gesture: which movement does an event camera see? */
import { manualSeed } from "jarvis-snn";
import { drawingAt, noted, SVG, sampleAt, trainingRow } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { CACHE, cachedRecordings, type Recordings } from "../recordings.ts";
import { begin, end, line } from "../report.ts";
import { batchesOf, CHECKPOINT, cpuTimer, epochPrinter, MEASURE, settingsOf, trainClassifier } from "../training.ts";
import { type Slicing, samplesOf, VIEWS, type View } from "./data.ts";
import { DVS128_GESTURES, dvs128, type Part } from "./dvs128.ts";
import { DURATION_MS, GESTURES, type HandSet, handAt, MOST, SETTINGS, SIDE } from "./hands.ts";
import { GestureNetwork, USUAL } from "./network.ts";
import { type Named, pictureOf } from "./picture.ts";

const flags = begin("gesture", {
  epochs: { kind: "integer", default: 10, min: 1, help: "passes over the training set" },
  bin: { kind: "integer", default: 0, min: 0, help: "ms of a slice, a time step; 0 for 40, or 100 with --data" },
  duration: { kind: "integer", default: 0, min: 0, help: "ms of a sample; 0 for 800, or 3000 with --data" },
  lr: { kind: "number", default: 1e-2, help: "largest learning rate of Adam" },
  "batch-size": { kind: "integer", default: 16, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and order" },
  "data-seed": { kind: "integer", default: 0, min: 0, help: "seed of the hands" },
  samples: { kind: "integer", default: 2400, min: 1, max: MOST, help: "recordings of hands for training" },
  tests: { kind: "integer", default: 1200, min: 1, max: MOST, help: "recordings of hands to measure on" },
  data: { kind: "text", default: "" as string, help: "the folder of DVS128 Gesture, in place of generated hands" },
  view: { kind: "choice", default: "ordered" as string, of: VIEWS, help: "slices in order, shuffled, or their mean" },
  delays: { kind: "choice", default: "on" as string, of: ["on", "off"], help: "whether channels have delays" },
  measure: { ...MEASURE, help: "measure on the test set, or on other hands or users" },
  cache: CACHE,
  checkpoint: CHECKPOINT,
  svg: { ...SVG, help: "draw a recording, losses and accuracies there (SVG, by the package echarts)" },
});

const draw = await drawingAt(flags.svg);
const isReal = flags.data !== "";
const bin = flags.bin || (isReal ? 100 : 40);
const duration = flags.duration || (isReal ? 3000 : DURATION_MS);
const slicing: Slicing = { binUs: 1000 * bin, bins: Math.ceil(duration / bin) };

/** Generated hands, made once. */
const madeHands = (set: HandSet, count: number): Promise<Recordings> =>
  cachedRecordings({
    ...{ folder: flags.cache, name: `gesture-${set}-${flags["data-seed"]}`, settings: SETTINGS },
    ...{ width: SIDE, height: SIDE, count },
    make: (i) => handAt(i, set, flags["data-seed"]),
  });

/** The gestures of the files. */
async function realGestures(part: Part): Promise<Recordings> {
  const { recordings, dropped } = await dvs128(flags.data, part, { ...slicing, side: SIDE, cache: flags.cache });
  line({ gestures: recordings.length, ...(dropped !== null && { dropped }) }, `${part}:`);
  return recordings;
}

const measure = flags.measure as "test" | "validation";
const train = isReal
  ? await realGestures(measure === "test" ? "train" : "rest")
  : await madeHands("train", flags.samples);
const test = isReal ? await realGestures(measure) : await madeHands(measure, flags.tests);
const names = isReal ? DVS128_GESTURES : GESTURES;
const view = flags.view as View;

manualSeed(flags.seed);
const model = new GestureNetwork({
  ...USUAL,
  classes: names.length,
  side: SIDE,
  stepMs: bin,
  isDelayed: flags.delays === "on",
});
const training = {
  model,
  train: samplesOf(train, slicing, view),
  test: samplesOf(test, slicing, view),
  ...{ epochs: flags.epochs, batchSize: flags["batch-size"], lr: flags.lr, checkpoint: flags.checkpoint },
  settings: { ...settingsOf(flags), bin, duration },
};
const cpu = cpuTimer();
const { losses, callbacks } = noted(epochPrinter(batchesOf(training), flags), batchesOf(training));
const history = await trainClassifier(training, callbacks);
line({ cpu_s: cpu() });
await draw(DEMOS.gesture.title, (plot) => [
  trainingRow(plot, losses, { [flags.measure]: history.map(({ validation }) => validation) }),
  Promise.resolve(pictureOf(firstOfEach(test, names), slicing)),
]);

end({
  figure: history.at(-1)?.validation ?? Number.NaN,
  curve: { name: "loss over the batches", values: losses.y },
  raster: { name: "events of a hand, as spikes of pixels", spikes: () => sampleAt(training.test, 0).x },
});

/** The first recording of each class. */
function firstOfEach(recordings: Recordings, names: readonly string[]): Named[] {
  return names.flatMap((name, label) => {
    const i = recordings.labels.indexOf(label);
    return i < 0 ? [] : [{ name, events: recordings.get(i) }];
  });
}
