/** npm run demo -- energy: MNIST on several budgets of synaptic operations. */
import { record, type Tensor } from "jarvis-snn";
import { profileText } from "jarvis-snn/quantize";
import { drawingAt, SVG, sampleAt } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { mnist } from "../mnist/data.ts";
import { bar, begin, end, line, table, text } from "../report.ts";
import { cpuTimer, holdOut, MEASURE } from "../training.ts";
import { USUAL } from "./network.ts";
import { type Point, pictureOf } from "./picture.ts";
import { BUDGETS, type EnergyTraining, type Outcome, operationsOf, probe, trainOn } from "./training.ts";

const flags = begin("energy", {
  epochs: { kind: "integer", default: 2, min: 1, help: "passes over the training set" },
  timesteps: { kind: "integer", default: USUAL.timesteps, min: 1, help: "time steps of a sample" },
  lr: { kind: "number", default: 1e-2, help: "largest learning rate of Adam" },
  "batch-size": { kind: "integer", default: 128, min: 1, help: "samples in a batch" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and order" },
  limit: { kind: "integer", default: 0, min: 0, help: "training samples to use, 0 for all" },
  measure: MEASURE,
  svg: { ...SVG, help: "draw accuracy against operations there (SVG, by the package echarts)" },
});

const draw = await drawingAt(flags.svg);
const given = mnist("train", flags.limit);
const { train, test } = flags.measure === "test" ? { train: given, test: mnist("t10k") } : holdOut(given);
const { epochs, timesteps, lr, seed } = flags;
const training: EnergyTraining = {
  ...{ ...USUAL, train, test, epochs, timesteps, lr, seed },
  batchSize: flags["batch-size"],
};

/** Trains on a budget and prints a line. */
function outcomeOf(...[budget, usual]: [(typeof BUDGETS)[number], Parameters<typeof trainOn>[2]]): Outcome {
  const cpu = cpuTimer();
  const draws = bar(budget.name, epochs * Math.max(1, Math.floor(train.length / flags["batch-size"])));
  const outcome = trainOn(budget, training, usual, (batch) => draws(batch));
  const seconds = cpu();
  const { accuracy, cost } = outcome;
  const { effectiveMACs, effectiveACs } = cost.total.synapticOperations;
  line({
    budget: JSON.stringify(budget.name),
    [`${flags.measure}_acc`]: accuracy.toFixed(4),
    ops: Math.round(operationsOf(cost)),
    macs: Math.round(effectiveMACs),
    acs: Math.round(effectiveACs),
    spikes: Math.round(cost.total.spikes),
    zero_weights: (cost.total.connectionSparsity as number).toFixed(2),
    nJ: (1e9 * cost.total.energy.total).toFixed(1),
    cpu_s: seconds,
  });
  return outcome;
}

const first = outcomeOf({ name: "none" }, null);
const usual = probe(first.model, training);
const outcomes = [first, ...BUDGETS.map((budget) => outcomeOf(budget, usual))];
for (const { name, cost } of [first, outcomes.at(-1) as Outcome]) {
  text(`\nbudget "${name}", means of an image:`);
  table(
    profileText(cost)
      .split("\n")
      .map((row) => row.split(/ {2,}/)),
  );
}
const points = outcomes.map(({ name, accuracy, cost }) => ({ name, accuracy, operations: operationsOf(cost) }));
await draw(DEMOS.energy.title, (plot) => [pictureOf(plot, points as [Point, ...Point[]], flags.measure)]);
end({
  figure: outcomes[1]?.accuracy ?? Number.NaN,
  raster: {
    name: "spikes of the second convolution for a digit, without a budget",
    spikes: () => Object.values(record(first.model, sampleAt(test, 0).x).layers).at(-1)?.spikes as Tensor,
  },
});
