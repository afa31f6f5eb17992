/** A small network, where everything but arithmetic costs: 20-64-2, T 20, batch 64, spikes of the output counted. */
import {
  Adam,
  crossEntropy,
  LIF,
  Linear,
  manualSeed,
  meanOverTime,
  noGrad,
  poissonEncode,
  rand,
  Sequential,
  warmup,
} from "jarvis-snn";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { labels, leaky, trainingStep } from "./support/training.ts";

const [T, B] = [20, 64];

manualSeed(0);
const model = new Sequential(new Linear(20, 64), new LIF(leaky(0.9)), new Linear(64, 2), new LIF(leaky(0.9)));
const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
const spikes = noGrad(() => poissonEncode(rand([B, 20]), { timesteps: T }));
const y = labels(B, 2);
const step = trainingStep(() => crossEntropy(meanOverTime(model.forward(spikes)), y), optimizer);

warmup();
report(await race("small", { step: { step, rounds: 11 } }));
