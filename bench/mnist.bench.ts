/** The step of snnTorch's tutorial 5 on MNIST, with the image as a constant current and as Poisson spikes. */
import { warmup } from "jarvis-snn";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { mnist } from "./support/steps.ts";
import { mnistFiles } from "./support/training.ts";

warmup();
const workloads = { static: { ...mnist("current"), rounds: 11 }, poisson: { ...mnist("poisson"), rounds: 11 } };
report(await race("mnist", workloads, { args: mnistFiles() }));
