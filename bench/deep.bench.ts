/** Deep convolutional networks of the literature, T 4: forward, backward and Adam. */
import { warmup } from "jarvis-snn";
import { DEEP, type DeepName } from "./support/deep-training.ts";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { deep } from "./support/steps.ts";
import { mnistFiles } from "./support/training.ts";

warmup();
const workloads = (Object.keys(DEEP) as DeepName[]).map((name) => [name, { ...deep(name), rounds: 5 }]);
report(await race("deep", Object.fromEntries(workloads), { args: mnistFiles() }));
