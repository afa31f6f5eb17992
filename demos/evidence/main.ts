/** npm run demo -- evidence: a network that counts cues, and decides when it is asked. */
import { Generator, manualSeed, noGrad } from "jarvis-snn";
import { drawingAt } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { Lsnn } from "../lsnn/network.ts";
import { drawTrial, FLAGS, freshSeed, iterationPrinter, meanOf } from "../lsnn/program.ts";
import { type MemoryTraining, measure, trainMemory } from "../lsnn/training.ts";
import { begin, end, line } from "../report.ts";
import { evidence, GROUP_NAMES, TRAINED_MS } from "./data.ts";

const flags = begin("evidence", {
  regular: { kind: "integer", default: 25, min: 0, help: "LIF neurons" },
  adaptive: { kind: "integer", default: 25, min: 0, help: "LIF neurons with adaptive thresholds" },
  ...FLAGS,
});

const draw = await drawingAt(flags.svg);
const start = performance.now();
const { rule, feedback, iterations, regular, adaptive, lr, seed } = flags as typeof flags & MemoryTraining;
manualSeed(seed);
const model = new Lsnn({ regular, adaptive, tauAdaptationMs: 2000, kappa: 0.1 });
const generator = new Generator(seed);
const { reports, onIteration } = iterationPrinter(iterations);
const trials = (batch: number) => evidence(batch, TRAINED_MS, generator);
trainMemory({ model, draw: trials, rule, feedback, iterations, batchSize: flags["batch-size"], lr }, onIteration);

const [least, greatest] = TRAINED_MS;
const fresh = new Generator(freshSeed(seed));
const accuracies = [0, 0.25, 0.5, 0.75, 1, 1.5].map((way) => {
  const delay = least + way * (greatest - least);
  const isTrained = delay <= greatest;
  const accuracy = 1 - measure(model, flags.test, (batch) => evidence(batch, [delay, delay], fresh));
  line({ delay_ms: delay, trained: isTrained, accuracy: accuracy.toFixed(4) });
  return { isTrained, accuracy };
});
const mean = (trained: boolean) =>
  meanOf(accuracies.filter(({ isTrained }) => isTrained === trained).map(({ accuracy }) => accuracy)).toFixed(4);
const seconds = ((performance.now() - start) / 1000).toFixed(1);
line({ rule, accuracy_trained: mean(true), accuracy_unseen: mean(false), total_s: seconds });
const trial = evidence(1, [1000, 1000], fresh);
await drawTrial(draw, { title: DEMOS.evidence.title, model, regular, trial, groups: GROUP_NAMES, reports });
end({
  figure: Number(mean(true)),
  curve: { name: "error over the iterations", values: reports.map(({ error }) => error) },
  raster: { name: "spikes of the network in a trial", spikes: () => noGrad(() => model.activity(trial.x).spikes) },
});
