/** Neurons of the field with the equations of the packages that they come from, against the same equations in eager PyTorch. */
import { warmup } from "jarvis-snn";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { models } from "./support/steps.ts";

warmup();
const workloads = Object.entries(models()).map(([name, step]) => [name, { ...step, rounds: 7 }]);
report(await race("models", Object.fromEntries(workloads)));
