/** A process that saves one checkpoint after the other, each with all values equal to its epoch, until it is killed. */
import { writeSync } from "node:fs";
import { Linear, SGD } from "jarvis-snn";
import { saveCheckpoint } from "jarvis-snn/node";

const [path = "", start = "0"] = process.argv.slice(2);
const model = new Linear(1000, 1000);
const optimizer = new SGD(model.parameters());

for (let epoch = Number(start); ; epoch++) {
  for (const parameter of model.parameters()) parameter.copyFrom(new Float32Array(parameter.size).fill(epoch));
  writeSync(1, `saving ${epoch}\n`);
  saveCheckpoint(path, { model, optimizer, epoch });
  writeSync(1, `saved ${epoch}\n`);
}
