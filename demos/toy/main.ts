/** npm start: trains the toy network and prints what a reader can check. */
import { noGrad, type Tensor } from "jarvis-snn";
import { drawingAt, noted, rateRows, SVG, sampleAt, trainingRow } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { begin, end, line } from "../report.ts";
import { epochPrinter } from "../training.ts";
import { DEFAULTS, type Encoding, prepareToy, trainToy } from "./network.ts";

const flags = begin("toy", {
  epochs: { kind: "integer", default: DEFAULTS.epochs, min: 1, help: "passes over the training set" },
  timesteps: { kind: "integer", default: DEFAULTS.timesteps, min: 1, help: "time steps of a sample" },
  hidden: { kind: "integer", default: DEFAULTS.hidden, min: 1, help: "hidden neurons" },
  lr: { kind: "number", default: DEFAULTS.lr, help: "learning rate of Adam" },
  "batch-size": { kind: "integer", default: DEFAULTS.batchSize, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: DEFAULTS.seed, min: 0, help: "seed of weights, order and coding" },
  "data-seed": { kind: "integer", default: DEFAULTS.dataSeed, min: 0, help: "seed of the samples" },
  encode: {
    kind: "choice",
    default: DEFAULTS.encode as string,
    of: ["poisson", "ttfs", "constant"],
    help: "spike code",
  },
  refractory: { kind: "integer", default: DEFAULTS.refractory, min: 0, help: "steps of rest after a spike" },
  svg: SVG,
});

const draw = await drawingAt(flags.svg);
const { "batch-size": batchSize, "data-seed": dataSeed, encode, svg: _, ...rest } = flags;
const run = prepareToy({ ...rest, batchSize, dataSeed, encode: encode as Encoding });
const { model, trainLoader, testLoader } = run;
const start = performance.now();
const { losses, callbacks } = noted(epochPrinter(trainLoader.length, { digits: 3 }), trainLoader.length);
const history = await trainToy(run, flags.epochs, callbacks);

let rate = 0;
for (const { x, size = 0 } of testLoader) {
  rate += (noGrad(() => model.firingRate(run.encode(x))) * size) / testLoader.dataset.length;
}
const total = (performance.now() - start) / 1000;
line({ firing_rate: rate.toFixed(4), total_s: total.toFixed(3) });
await draw(DEMOS.toy.title, (plot) => {
  const sample = sampleAt(run.test, 0);
  const x = noGrad(() => run.encode(sample.x));
  return [
    trainingRow(plot, losses, { test: history.map(({ validation }) => validation) }),
    ...rateRows(plot, model, model.fc2, { ...sample, x }, ["hidden layer"], encode === "constant" ? null : x),
  ];
});
end({
  figure: history.at(-1)?.validation ?? Number.NaN,
  curve: { name: "loss over the batches", values: losses.y },
  raster: {
    name: "spikes of the hidden layer for a sample",
    spikes: () => noGrad(() => hiddenSpikes(sampleAt(run.test, 0).x)),
  },
});

/** Spikes [T, 1, hidden] for a sample. */
function hiddenSpikes(x: Tensor): Tensor {
  return model.lif.forward(model.fc1.forward(run.encode(x)));
}
