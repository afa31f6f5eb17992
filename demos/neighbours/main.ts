/** npm run demo -- neighbours: receptive fields grow from noise to digits without a teacher, as the site shows them. */
import { createHash } from "node:crypto";
import { fieldsSheet } from "../diehl-cook/fields.ts";
import { writeSheet } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { smallDigits } from "../mnist/small.ts";
import { bar, begin, end, line } from "../report.ts";
import { Neighbours, SETTINGS } from "./neighbours.ts";

const flags = begin("neighbours", {
  digits: { kind: "integer", default: 3000, min: 1, help: "digits that are shown" },
  inhibition: { kind: "number", default: SETTINGS.inhibition, help: "what a spike adds to the conductances of others" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, order and spikes" },
  svg: { kind: "text", default: "", help: "draw the receptive fields there (SVG)" },
});

/** Digits between two reports. */
const EVERY = Math.max(1, Math.floor(flags.digits / 6));

const [train, test] = [smallDigits("train"), smallDigits("t10k")];
const start = process.cpuUsage();
const seconds = (): string => {
  const { user, system } = process.cpuUsage(start);
  return ((user + system) / 1e6).toFixed(1);
};
const { inhibition, seed } = flags;
const neighbours = new Neighbours(train, { inhibition, seed });
const draws = bar("digits", flags.digits);
const shares: number[] = [];
let right = 0;
while (neighbours.seen < flags.digits) {
  const { said, label } = neighbours.next();
  const { seen } = neighbours;
  draws(seen);
  right += Number(said === label);
  if (seen % EVERY !== 0) continue;
  shares.push(right / EVERY);
  line({ digits: seen, right_as_they_came: (right / EVERY).toFixed(4), cpu_s: seconds() });
  right = 0;
}
const measuring = neighbours.measure(test);
let step = measuring.next();
while (step.done !== true) step = measuring.next();
const { weight } = neighbours.network.connection;
const hash = createHash("sha256").update(new Uint8Array(weight.toFloat32Array().buffer)).digest("hex");
line({ test_acc: step.value.toFixed(4), cpu_s: seconds(), hash });
if (flags.svg !== "") writeSheet(flags.svg, fieldsSheet(weight, DEMOS.neighbours.title));
end({ figure: step.value, curve: { name: "share named right as they came", values: shares } });
