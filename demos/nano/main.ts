/** npm run demo -- nano: an engine of one page trains the toy beside the package, from the same seed. */
import { type Batch, DataLoader, noGrad } from "jarvis-snn";
import { begin, end, line, note } from "../report.ts";
import { type Both, sideBySide } from "./side-by-side.ts";

const flags = begin("nano", {
  steps: { kind: "integer", default: 200, min: 1, help: "training steps of 128 samples" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, order and spikes" },
  "data-seed": { kind: "integer", default: 0, min: 0, help: "seed of the samples" },
});

/** Losses that are printed. */
const LINES = 8;

const both = sideBySide(flags.seed, flags["data-seed"]);
const losses: number[] = [];

note("Each line: a step, its loss by nano and by the package, and how many weights have the same bits.");
while (losses.length < flags.steps) {
  const loss = both.step();
  losses.push(loss.nano);
  if (losses.length % Math.ceil(flags.steps / LINES) === 0 || losses.length === flags.steps) {
    const { equal, of } = both.equal();
    line({ step: losses.length, ...printed(loss, 6), equal: `${equal}/${of}` });
  }
}

const { x, y } = all(both.test);
const scores = noGrad(() => both.package.model.forward(both.package.encode(x)).toFloat32Array());
line(printed({ nano: accuracyOf(both.nano.scores(x), y), package: accuracyOf(scores, y) }, 4), "test_acc");
line(printed({ nano: both.ms.nano / flags.steps, package: both.ms.package / flags.steps }, 2), "ms_per_step");
const { equal, of } = both.equal();
end({ figure: equal / of, curve: { name: "loss over the steps", values: losses } });

/** Both values with so many digits. */
function printed({ nano, package: other }: Both, digits: number) {
  return { nano: nano.toFixed(digits), package: other.toFixed(digits) };
}

/** All samples of a dataset as one batch. */
function all(samples: typeof both.test): { x: Float32Array; y: ArrayLike<number> } {
  const [batch] = new DataLoader(samples, { batchSize: samples.length });
  const { x, y } = batch as Batch<Int32Array>;
  return { x: x.toFloat32Array(), y };
}

/** The share of samples whose larger score is that of their class. */
function accuracyOf(scores: Float32Array, classes: ArrayLike<number>): number {
  const right = Array.from(classes).filter((label, b) => {
    const [first = 0, second = 0] = scores.subarray(2 * b, 2 * b + 2);
    return label === (second > first ? 1 : 0);
  });
  return right.length / classes.length;
}
