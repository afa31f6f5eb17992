/** The step of the toy trainer (`npm start`). */
import { crossEntropy, warmup } from "jarvis-snn";
import { DEFAULTS, prepareToy } from "../demos/toy/network.ts";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { trainingStep } from "./support/training.ts";

const { model, trainLoader, encode, optimizer } = prepareToy(DEFAULTS);
const [batch] = trainLoader;
if (batch === undefined) throw new Error("bench: no batch");
const { x, y } = batch;
const step = trainingStep(() => crossEntropy(model.forward(encode(x)), y), optimizer);

warmup();
const workload = { step, rounds: 11 };
report(await race("toy", { published: workload, step: workload }));
