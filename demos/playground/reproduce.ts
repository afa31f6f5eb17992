/** npm run train:hash: a run of the figure Train in Node, towards the same weights. */

import { writeFileSync } from "node:fs";
import { saveSafetensors } from "jarvis-snn";
import { progressBar } from "jarvis-snn/node";
import { readFlags } from "../options.ts";
import { digitsFile } from "./digits.ts";
import { anyCells } from "./model/cells.ts";
import { makeData } from "./model/data.ts";
import { parseDigits } from "./model/digits.ts";
import { hashOf } from "./model/hash.ts";
import { makeOptimizer } from "./model/network.ts";
import { Run } from "./model/run.ts";
import { trainFields } from "./model/train-fields.ts";
import { formatValues, parseValues } from "./state/fields.ts";

const flags = readFlags("Trains what the figure Train of the site trains, and prints the hash of the weights.", {
  config: { kind: "text", default: "", help: "the address of the figure, or what follows # in it" },
  steps: { kind: "integer", default: 500, min: 0, help: "training steps" },
  save: { kind: "text", default: "", help: "write the weights there (safetensors)" },
});

const config = parseValues(trainFields, flags.config.split(/[?#]/).at(-1) as string);
const digits = config.data === "mnist" ? parseDigits(digitsFile()) : null;
const run = new Run(config, makeData(config, digits), makeOptimizer, anyCells);
let loss = Number.NaN;
const draw = progressBar({ label: "training" });
while (run.steps < flags.steps) {
  loss = run.step();
  draw({ epoch: 1, epochs: 1, batch: run.steps, batches: flags.steps, loss });
}
console.log(`config=${formatValues(trainFields, config)}`);
console.log(`steps=${run.steps} loss=${loss.toFixed(4)} test_acc=${run.testAccuracy().toFixed(4)}`);
console.log(`sha256=${hashOf(run.model)}`);
if (flags.save !== "") writeFileSync(flags.save, saveSafetensors(run.model.stateDict()));
