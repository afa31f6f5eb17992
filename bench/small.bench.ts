/** A small network, where everything but arithmetic costs: 20-64-2, T 20, batch 64, spikes of the output counted. */
import { warmup } from "jarvis-snn";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { small } from "./support/steps.ts";

warmup();
report(await race("small", { step: { ...small(), rounds: 11 } }));
