/** An epoch of training on MNIST, and a tenth of one with convolutions: batches and optimizer are in the time. */
import {
  Adam,
  constantEncode,
  crossEntropy,
  DataLoader,
  type Module,
  manualSeed,
  type Tensor,
  warmup,
} from "jarvis-snn";
import { ConvNetwork, TUTORIAL } from "../demos/conv/network.ts";
import { mnist } from "../demos/mnist/data.ts";
import { MnistNetwork, membraneLoss } from "../demos/mnist/network.ts";
import { race, type Workload } from "./support/race.ts";
import { report } from "./support/report.ts";
import { mnistFiles, trainingStep } from "./support/training.ts";

const B = 128;
const T = 25;

/** Steps over all batches of so many images, in an order that is drawn for each epoch. */
function epoch(
  images: number,
  model: Module,
  forward: (x: Tensor) => Tensor,
  loss: (output: Tensor, y: Int32Array) => Tensor,
  lr: number,
): Workload {
  const loader = new DataLoader(mnist("train", images), { batchSize: B, shuffle: true, dropLast: true });
  const optimizer = new Adam(model.parameters(), { lr });
  return {
    rounds: 1,
    step() {
      for (const { x, y } of loader) trainingStep(() => loss(forward(x), y), optimizer)();
    },
  };
}

warmup();
manualSeed(0);
const dense = new MnistNetwork(784, 1000, 1);
const conv = new ConvNetwork({ ...TUTORIAL, timesteps: T });
const workloads = {
  mnist: epoch(60_000, dense, (x) => dense.forward(constantEncode(x, { timesteps: T })), membraneLoss, 5e-4),
  conv: epoch(6000, conv, (x) => conv.forward(x), crossEntropy, 1e-2),
};
report(await race("epochs", workloads, { args: mnistFiles(), passes: 1, warmUp: false }));
