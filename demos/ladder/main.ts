/** npm run demo -- ladder: the time of a training step on each rung, from scalars with closures to the package with threads. */
import { Generator } from "jarvis-snn";
import { bar, begin, end, line, note, table } from "../report.ts";
import { toyBatch } from "./batches.ts";
import { equalToPackage, measure, mnistBatch, type Times } from "./measure.ts";
import { B } from "./rung.ts";
import { LADDER } from "./words.ts";

const flags = begin("ladder", {
  steps: { kind: "integer", default: 20, min: 1, help: "steps of each rung that count" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, spikes and the toy's samples" },
});

const toy = await measure(
  "toy",
  toyBatch(B, new Generator(flags.seed)),
  flags.seed,
  flags.steps,
  bar("toy", flags.steps),
);
const tutorial5 = await measure("tutorial5", mnistBatch(), flags.seed, flags.steps, bar("tutorial 5", flags.steps));

/** Milliseconds, and how many times less than on the rung before. */
function cells(times: Times, i: number): [string, string] {
  const [own, before] = [LADDER[i], LADDER[i - 1]].map((words) => words && times[words.name]);
  const faster = own === undefined || before === undefined ? "" : `${(before / own).toPrecision(2)} ×`;
  return [own === undefined ? "" : own.toPrecision(3), faster];
}

note(
  "Medians of steps that the rungs took in turns. One sample and five time steps stand for a whole step of scalars.",
);
table([
  ["rung", "toy, ms", "faster", "tutorial 5, ms", "faster"],
  ...LADDER.map(({ title }, i) => [`${i + 1} ${title}`, ...cells(toy.times, i), ...cells(tutorial5.times, i)]),
]);
const equal = equalToPackage(toy.trainings).filter((name) => equalToPackage(tutorial5.trainings).includes(name));
line({ equal_bits: equal.join(",") });
end({ figure: equal.length });
