/** npm run demo -- spoken: a network names digits that are said by voices that it has never heard. */
import { accuracy, DataLoader, evaluate, manualSeed, noGrad } from "jarvis-snn";
import { classCurves, drawingAt, noted, SVG, sampleAt, sampleRaster, sampleTitle, trainingRow } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { CACHE, type SpikesOptions } from "../recordings.ts";
import { begin, end, line } from "../report.ts";
import { batchesOf, CHECKPOINT, cpuTimer, epochPrinter, MEASURE, settingsOf, trainClassifier } from "../training.ts";
import { heidelberg, moved, type SpokenSet, synthesised } from "./data.ts";
import { SpokenNetwork } from "./network.ts";
import { voicesLine } from "./report.ts";
import { WAYS, type WayName } from "./spikes.ts";

const flags = begin("spoken", {
  data: {
    kind: "text",
    default: "",
    help: "shd_train.h5 or its folder, with shd_test.h5, in the place of a synthesiser",
  },
  way: { kind: "choice", default: "speech2spikes", of: Object.keys(WAYS), help: "how sound becomes spikes" },
  bin: { kind: "number", default: 10, help: "length of a time step in ms" },
  duration: { kind: "integer", default: 0, min: 0, help: "ms of a recording; 0 for 800, or 1000 with --data" },
  takes: { kind: "integer", default: 8, min: 1, help: "how often a voice says each digit" },
  voices: { kind: "integer", default: 100, min: 1, help: "voices of each set at most" },
  shift: {
    kind: "integer",
    default: -1,
    min: -1,
    help: "percent of the channels by which training moves a recording at most; -1 for 10, or 0 with --data",
  },
  hidden: { kind: "integer", default: 128, min: 1, help: "recurrent neurons" },
  epochs: { kind: "integer", default: 20, min: 1, help: "passes over the training set" },
  lr: { kind: "number", default: 1e-2, help: "largest learning rate of Adam" },
  "batch-size": { kind: "integer", default: 64, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and order" },
  measure: MEASURE,
  cache: CACHE,
  checkpoint: CHECKPOINT,
  svg: SVG,
});

/** The sample of the picture, a seven of the synthesiser. */
const SHOWN = 7;

const draw = await drawingAt(flags.svg);
const { epochs, lr, checkpoint, hidden, takes, voices, measure, bin: binMs } = flags;
const way = flags.way as WayName;
const isHeld = measure === "validation";
const sets =
  flags.data === ""
    ? await synthesised({ way, takes, voices, isHeld, folder: flags.cache })
    : await heidelberg(flags.data, isHeld);
const { polarities, classes } = sets;
const bins = Math.ceil((flags.duration || sets.durationMs) / binMs);
const shift = flags.shift >= 0 ? flags.shift / 100 : flags.data === "" ? 0.1 : 0;
const form = { bins, binUs: 1000 * binMs, polarities };
const datasetOf = ({ recordings }: SpokenSet, options: Partial<SpikesOptions> = {}) =>
  recordings.spikes({ ...form, ...options });

manualSeed(flags.seed);
const cpu = cpuTimer();
const { width } = sets.train.recordings;
const model = new SpokenNetwork({ inputs: polarities * width, hidden, classes, binMs });
const test = datasetOf(sets.test);
const train = datasetOf(sets.train, { transform: (events) => moved(events, shift) });
const run = { checkpoint, settings: settingsOf(flags) };
const training = { model, train, test, epochs, batchSize: flags["batch-size"], lr, ...run };
const { losses, callbacks } = noted(epochPrinter(batchesOf(training), { measure }), batchesOf(training));
const history = await trainClassifier(training, callbacks);

const accuracyOf = (indices: readonly number[]) =>
  evaluate(model, new DataLoader(datasetOf(sets.test, { indices }), { batchSize: 250 }), accuracy);
line(voicesLine(sets, { measure, durationMs: bins * binMs }, accuracyOf));
line({ cpu_s: cpu() });
await draw(DEMOS.spoken.title, (plot) => {
  const { x } = noGrad(() => test.batch([SHOWN]));
  const { hidden, membrane } = noGrad(() => model.activity(x));
  const sample = { index: SHOWN, x, label: sets.test.recordings.labels[SHOWN] as number };
  return [
    trainingRow(plot, losses, { [measure]: history.map(({ validation }) => validation) }),
    sampleRaster(
      plot,
      { [polarities === 2 ? "input, OFF below ON" : "input"]: x, "recurrent neurons": hidden },
      { title: sampleTitle(sample, model.forward(x)), dtMs: binMs },
    ),
    classCurves(plot, membrane, { title: "Integrators", yLabel: "membrane y", dtMs: binMs }),
  ];
});
end({
  figure: history.at(-1)?.validation ?? Number.NaN,
  curve: { name: "loss over the batches", values: losses.y },
  raster: {
    name: "spikes of the recurrent neurons for a spoken digit",
    spikes: () => noGrad(() => model.activity(sampleAt(test, SHOWN).x).hidden),
  },
});
