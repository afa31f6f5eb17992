/** Recurrent neurons on a long, sparse input, as for spoken digits: 700-256-20, T 100, batch 64, 2 % spikes. */
import { warmup } from "jarvis-snn";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { recurrent } from "./support/steps.ts";

warmup();
report(await race("recurrent", { step: { ...recurrent(), rounds: 11 } }));
