/** npm run demo -- mnist: snnTorch's tutorial 5 on the real MNIST. */
import { writeFileSync } from "node:fs";
import {
  Adam,
  accuracy,
  DataLoader,
  fit,
  manualSeed,
  memoryStats,
  noGrad,
  record,
  saveSafetensors,
  spikeCount,
} from "jarvis-snn";
import { classCurves, drawingAt, noted, SVG, sampleAt, sampleRaster, sampleTitle, trainingRow } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { begin, end, fitBar, line } from "../report.ts";
import { mnist } from "./data.ts";
import { type Encoding, encoder, MnistNetwork, membraneLoss } from "./network.ts";

const BATCH = 128;
const MEGABYTE = 2 ** 20;

const flags = begin("mnist", {
  epochs: { kind: "integer", default: 1, min: 1, help: "passes over the training set" },
  hidden: { kind: "integer", default: 1000, min: 1, help: "neurons of a hidden layer" },
  layers: { kind: "integer", default: 1, min: 1, help: "hidden layers" },
  timesteps: { kind: "integer", default: 25, min: 1, help: "time steps of a sample" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, order and coding" },
  limit: { kind: "integer", default: 0, min: 0, help: "training samples to use, 0 for all" },
  encode: { kind: "choice", default: "current", of: ["current", "poisson", "ttfs"], help: "code of the pixels" },
  save: { kind: "text", default: "", help: "write the weights there (safetensors)" },
  svg: SVG,
});

const draw = await drawingAt(flags.svg);
manualSeed(flags.seed);
const train = mnist("train", flags.limit);
const test = mnist("t10k");
const model = new MnistNetwork(train.shape[0] as number, flags.hidden, flags.layers);
const encode = encoder(flags.encode as Encoding, flags.timesteps);
const loader = new DataLoader(train, { batchSize: BATCH, shuffle: true, dropLast: train.length >= BATCH });
const testLoader = new DataLoader(test, { batchSize: BATCH });

/** Accuracy by the number of spikes and by the sum of the membrane over time. */
function testAccuracy(): { count: number; membrane: number } {
  let count = 0;
  let membrane = 0;
  for (const { x, y } of testLoader) {
    noGrad(() => {
      const out = model.unroll(encode(x));
      const share = (x.shape[0] as number) / test.length;
      count += share * accuracy(spikeCount(out.spikes), y);
      membrane += share * accuracy(out.membrane.sum({ axis: 0 }), y);
    });
  }
  return { count, membrane };
}

const accuracies: { "spike count": number[]; membrane: number[] } = { "spike count": [], membrane: [] };
let epochStart = performance.now();
let trained = epochStart;
const { losses, callbacks } = noted(
  {
    progress: fitBar(),
    onBatch({ batch }) {
      if (batch === loader.length) trained = performance.now();
    },
    onEpoch({ epoch, loss }) {
      const seconds = (trained - epochStart) / 1000;
      const { count, membrane } = testAccuracy();
      accuracies["spike count"].push(count);
      accuracies.membrane.push(membrane);
      line({
        epoch,
        loss: loss.toFixed(4),
        test_acc_spike_count: count.toFixed(4),
        test_acc_membrane: membrane.toFixed(4),
        train_s: seconds.toFixed(1),
        ms_per_step: ((1000 * seconds) / loader.length).toFixed(1),
      });
      epochStart = performance.now();
    },
  },
  loader.length,
);
await fit(model, loader, {
  epochs: flags.epochs,
  optimizer: new Adam(model.parameters(), { lr: 5e-4 }),
  encode,
  loss: membraneLoss,
  ...callbacks,
});
line({ peak_linear_memory_mb: (memoryStats().peak / MEGABYTE).toFixed(1) });
if (flags.save !== "") {
  writeFileSync(flags.save, saveSafetensors(model.stateDict()));
  line({ saved: flags.save });
}
await draw(DEMOS.mnist.title, (plot) => {
  const sample = sampleAt(test, 0);
  const x = noGrad(() => encode(sample.x));
  const { output, layers } = record(model, x);
  const hidden = Object.values(layers).map(({ spikes }, i) => [
    i === flags.layers ? "output, a neuron for each class" : `hidden layer ${i + 1}`,
    spikes,
  ]);
  const input = flags.encode === "current" ? null : x;
  const title = sampleTitle(
    sample,
    noGrad(() => output.sum({ axis: 0 })),
  );
  return [
    trainingRow(plot, losses, accuracies),
    sampleRaster(plot, { input, ...Object.fromEntries(hidden) }, { title }),
    classCurves(plot, output, { title: "Output neurons", yLabel: "membrane u" }),
  ];
});
end({
  figure: accuracies["spike count"].at(-1) ?? Number.NaN,
  curve: { name: "loss over the batches", values: losses.y },
  raster: {
    name: "spikes of the ten output neurons for a digit",
    spikes: () => noGrad(() => model.unroll(encode(sampleAt(test, 0).x)).spikes),
  },
});
