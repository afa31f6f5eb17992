/**
 * Two threads against one on a machine with two processors, on one of which another process spins: while it does, and 200 ms after it has
 * ended. Steps of training on MNIST as a current and as Poisson spikes, of recurrent neurons, and of convolutions.
 */
import {
  Adam,
  Conv2d,
  constantEncode,
  crossEntropy,
  Flatten,
  full,
  LIF,
  Linear,
  MaxPool2d,
  type Module,
  manualSeed,
  noGrad,
  poissonEncode,
  RecurrentLIF,
  Sequential,
  type Tensor,
  warmup,
} from "jarvis-snn";
import { threads } from "jarvis-snn/threads";
import { encoder, MnistNetwork, membraneLoss } from "../demos/mnist/network.ts";
import { busy } from "./support/busy.ts";
import { type Rows, report } from "./support/report.ts";
import { labels, leaky, mnistBatch, trainingStep } from "./support/training.ts";

const { x, y } = mnistBatch(128);

const stepOf = (model: Module, loss: () => Tensor): (() => void) =>
  trainingStep(loss, new Adam(model.parameters(), { lr: 5e-4 }));

function mnist(encode: (x: Tensor) => Tensor): () => void {
  const model = new MnistNetwork(784, 1000, 1);
  return stepOf(model, () => membraneLoss(model.forward(encode(x)), y));
}

function recurrent(): () => void {
  const hidden = new RecurrentLIF({ features: 256, ...leaky(0.95) });
  const model = new Sequential(new Linear(700, 256), hidden, new Linear(256, 20), new LIF(leaky(0.95)));
  const spikes = noGrad(() => poissonEncode(full([64, 700], 0.02), { timesteps: 100 }));
  return stepOf(model, () => crossEntropy(model.forward(spikes).mean({ axis: 0 }), labels(64, 20)));
}

function conv(): () => void {
  const layers = [new Conv2d(1, 12, 5), new MaxPool2d(2), new LIF(leaky(0.5)), new Flatten(2)];
  const model = new Sequential(...layers, new Linear(1728, 10), new LIF(leaky(0.5)));
  const images = x.reshape([128, 1, 28, 28]);
  return stepOf(model, () =>
    crossEntropy(model.forward(constantEncode(images, { timesteps: 10 })).mean({ axis: 0 }), y),
  );
}

warmup();
const steps = {
  static: () => mnist(encoder("current", 25)),
  poisson: () => mnist(encoder("poisson", 25)),
  recurrent,
  conv,
};
const rows: Rows = {};
for (const [name, make] of Object.entries(steps)) {
  manualSeed(0);
  const { under, after } = await busy(make(), threads);
  rows[`${name} under`] = { value: under };
  rows[`${name} after`] = { value: after };
}
await threads(1);
report(rows);
