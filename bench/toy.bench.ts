/** The step of the toy trainer (`npm start`). */
import { warmup } from "jarvis-snn";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { toy } from "./support/steps.ts";

warmup();
const workload = { ...toy(), rounds: 11 };
report(await race("toy", { published: workload, step: workload }));
