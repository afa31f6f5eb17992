/** npm run demo -- sequence: a network that keeps a bit, and what is saved of it. */
import { writeFileSync } from "node:fs";
import { accuracy, DataLoader, evaluate, loadSafetensors, manualSeed, saveSafetensors } from "jarvis-snn";
import { DEMOS } from "../list.ts";
import { readFlags } from "../options.ts";
import { batchesOf, epochPrinter, trainClassifier } from "../training.ts";
import { delayedXor } from "./data.ts";
import { SequenceNetwork } from "./network.ts";

const flags = readFlags(DEMOS.sequence, {
  epochs: { kind: "integer", default: 8, min: 1, help: "passes over the training set" },
  hidden: { kind: "integer", default: 64, min: 1, help: "neurons of each recurrent layer" },
  lr: { kind: "number", default: 5e-3, help: "largest learning rate of Adam" },
  "batch-size": { kind: "integer", default: 64, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and order" },
  "data-seed": { kind: "integer", default: 0, min: 0, help: "seed of the samples" },
  save: { kind: "text", default: "", help: "write the weights there (safetensors)" },
});

manualSeed(flags.seed);
const { train, test } = delayedXor({ train: 4096, test: 2000 }, flags["data-seed"]);
const model = new SequenceNetwork(flags.hidden);
const training = { model, train, test, epochs: flags.epochs, batchSize: flags["batch-size"], lr: flags.lr };
const history = await trainClassifier(training, epochPrinter(flags.epochs, batchesOf(training)));

// A network of other weights, decays and thresholds becomes the trained one.
const bytes = saveSafetensors(model.stateDict());
const other = new SequenceNetwork(flags.hidden);
const measure = () => evaluate(other, new DataLoader(test, { batchSize: 250 }), accuracy);
const before = measure();
other.loadStateDict(loadSafetensors(bytes).tensors);
const loaded = measure();
const same = loaded === history.at(-1)?.validation;
console.log(
  `saved_bytes=${bytes.length} acc_before_loading=${before.toFixed(4)} acc_loaded=${loaded.toFixed(4)} same=${same}`,
);
if (flags.save !== "") {
  writeFileSync(flags.save, bytes);
  console.log(`saved=${flags.save}`);
}
