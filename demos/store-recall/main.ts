/** npm run demo -- store-recall: a network that keeps a bit in the thresholds of its neurons. */
import { Generator, manualSeed, noGrad } from "jarvis-snn";
import { drawingAt } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { Lsnn, type Trials } from "../lsnn/network.ts";
import { drawTrial, FLAGS, freshSeed, iterationPrinter, meanOf } from "../lsnn/program.ts";
import { type MemoryTraining, measure, trainMemory } from "../lsnn/training.ts";
import { begin, end, line } from "../report.ts";
import { CHARACTER_MS, CHARACTERS, charactersFor, GROUP_NAMES, storeRecall, TRAINED } from "./data.ts";

const flags = begin("store-recall", {
  regular: { kind: "integer", default: 10, min: 0, help: "LIF neurons" },
  adaptive: { kind: "integer", default: 10, min: 0, help: "LIF neurons with adaptive thresholds" },
  ...FLAGS,
  iterations: { ...FLAGS.iterations, default: 300 },
});

const draw = await drawingAt(flags.svg);
const start = performance.now();
const { rule, feedback, iterations, regular, adaptive, lr, seed } = flags as typeof flags & MemoryTraining;
manualSeed(seed);
const model = new Lsnn({ regular, adaptive, tauAdaptationMs: 4000, kappa: 0.14 });
const generator = new Generator(seed);
const { reports, onIteration } = iterationPrinter(iterations);
const trials = (batch: number) => storeRecall(batch, CHARACTERS, TRAINED, generator);
trainMemory({ model, draw: trials, rule, feedback, iterations, batchSize: flags["batch-size"], lr }, onIteration);

/** Delays in characters from the least that was trained to four beyond the greatest. */
const [least, greatest] = TRAINED;
const fresh = new Generator(freshSeed(seed));
const errors = Array.from({ length: greatest + 4 - least + 1 }, (_, i) => {
  const delay = least + i;
  const isTrained = delay <= greatest;
  const error = measure(model, flags.test, (batch) => storeRecall(batch, charactersFor(delay), [delay, delay], fresh));
  line({ delay_ms: delay * CHARACTER_MS, trained: isTrained, error: error.toFixed(4) });
  return { isTrained, error };
});
const meanError = (trained: boolean) =>
  meanOf(errors.filter(({ isTrained }) => isTrained === trained).map(({ error }) => error)).toFixed(4);
const seconds = ((performance.now() - start) / 1000).toFixed(1);
line({ rule, error_trained: meanError(true), error_unseen: meanError(false), total_s: seconds });
// The picture shows a trial that asks for both values, if one of the next has such recalls.
const next = Array.from({ length: 20 }, () => storeRecall(1, CHARACTERS, TRAINED, fresh));
const trial = (next.find(({ answers }) => answers.includes(0) && answers.includes(1)) ?? next[0]) as Trials;
await drawTrial(draw, { title: DEMOS["store-recall"].title, model, regular, trial, groups: GROUP_NAMES, reports });
end({
  figure: Number(meanError(false)),
  curve: { name: "error over the iterations", values: reports.map(({ error }) => error) },
  raster: { name: "spikes of the network in a trial", spikes: () => noGrad(() => model.activity(trial.x).spikes) },
});
