/**
 * Recurrent neurons on a long, sparse input, as for spoken digits: 700-256-20, T 100, batch 64, 2 % spikes. Every turn
 * trains on a new batch: one that is learned by heart, of noise, makes the neurons fire in half of all steps.
 */
import {
  Adam,
  crossEntropy,
  full,
  LIF,
  Linear,
  Module,
  manualSeed,
  noGrad,
  poissonEncode,
  RecurrentLIF,
  type Tensor,
  warmup,
} from "jarvis-snn";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { labels, leaky, trainingStep } from "./support/training.ts";

const [T, B, CLASSES] = [100, 64, 20];

class Network extends Module {
  readonly fc1 = new Linear(700, 256);
  readonly hidden = new RecurrentLIF({ features: 256, ...leaky(0.95) });
  readonly fc2 = new Linear(256, CLASSES);
  readonly out = new LIF(leaky(0.95));

  /** The membrane of the output neurons, [T, B, K]. */
  forward(x: Tensor): Tensor {
    return this.out.unroll(this.fc2.forward(this.hidden.forward(this.fc1.forward(x)))).membrane;
  }
}

manualSeed(0);
const model = new Network();
const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
const rates = full([B, 700], 0.02);
const batch = () => noGrad(() => poissonEncode(rates, { timesteps: T }));
let spikes = batch();
const prepare = () => {
  spikes.dispose();
  spikes = batch();
};
const y = labels(B, CLASSES);
const step = trainingStep(() => crossEntropy(model.forward(spikes).mean({ axis: 0 }), y), optimizer);

warmup();
report(await race("recurrent", { step: { step, rounds: 11, prepare } }));
