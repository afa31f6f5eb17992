/** npm run digit: trains the network of the figure, and writes its weights. With --read it reads drawings by the weights that are there. */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { progressBar } from "jarvis-snn/node";
import { readFlags } from "../../../options.ts";
import { type Drawing, readDrawings, storedReader, weightsPath } from "./files.ts";
import { learn, readAll, scattered, shareRight, sureOf } from "./learn.ts";
import { Reader } from "./net.ts";
import { penDigits, strokesOf } from "./pen-digits.ts";
import { decodeWeights } from "./weights.ts";

const flags = readFlags(
  "Trains the network that reads a digit on the first page of the site, and writes its weights.",
  {
    seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, order and writing" },
    epochs: { kind: "integer", default: 10, min: 1, help: "passes over the training set" },
    limit: { kind: "integer", default: 0, min: 0, help: "digits to learn from, 0 for all" },
    read: { kind: "text", default: "", help: "read the drawings of this file instead (JSON)" },
  },
);

if (flags.read === "") await train();
else tell(readDrawings(flags.read));

async function train(): Promise<void> {
  const bytes = await learn(flags, progressBar({ label: "training" }));
  writeFileSync(weightsPath, bytes);
  const reader = new Reader(decodeWeights(bytes));
  const digits = penDigits("t10k");
  const [placed, anywhere] = [digits.skeletons.map(strokesOf), scattered(digits, flags.seed)].map((drawings) =>
    shareRight(readAll(reader, drawings), digits.labels).toFixed(4),
  );
  console.log(`test_acc=${placed} test_acc_anywhere=${anywhere} bytes=${bytes.length}`);
  console.log(`sha256=${createHash("sha256").update(bytes).digest("hex")}`);
}

/** Prints how many drawings are read right, by digit and by way of writing, those that are not, with ? where in doubt, and the number of doubts. */
function tell(drawings: readonly Drawing[]): void {
  const [reader, strokes] = [storedReader(), drawings.map(({ strokes }) => strokes)];
  const [answers, sure] = [readAll(reader, strokes), sureOf(reader, strokes)];
  const parts = (key: (drawing: Drawing) => string): void => {
    for (const name of [...new Set(drawings.map(key))].sort()) {
      const all = drawings.flatMap((drawing, i) => (key(drawing) === name ? [answers[i] === drawing.digit] : []));
      console.log(`${name}: ${all.filter((isRight) => isRight).length} of ${all.length}`);
    }
  };
  parts(({ digit }) => String(digit));
  parts(({ way }) => way);
  for (const [i, { digit, way, size, place }] of drawings.entries()) {
    if (answers[i] !== digit)
      console.log(`misread ${i}: ${digit} as ${answers[i]}${sure[i] ? "" : "?"} (${way}, size ${size}, ${place})`);
  }
  const labels = drawings.map(({ digit }) => digit);
  const doubted = sure.filter((isSure) => !isSure).length;
  console.log(`acc=${shareRight(answers, labels).toFixed(4)} doubted=${doubted} of=${drawings.length}`);
}
