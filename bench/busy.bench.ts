/**
 * Two threads against one on a machine with two processors, on one of which another process spins: while it does, and 200 ms after it has
 * ended. Steps of training on MNIST as a current and as Poisson spikes, of recurrent neurons, and of convolutions.
 */
import { Adam, manualSeed, type Tensor, warmup } from "jarvis-snn";
import { threads } from "jarvis-snn/threads";
import { encoder, MnistNetwork, membraneLoss } from "../demos/mnist/network.ts";
import { busy } from "./support/busy.ts";
import { type Network, workloadOf } from "./support/networks.ts";
import { type Rows, report } from "./support/report.ts";
import { mnistBatch, trainingStep } from "./support/training.ts";

const { x, y } = mnistBatch(128);

function mnist(encode: (x: Tensor) => Tensor): () => void {
  manualSeed(0);
  const model = new MnistNetwork(784, 1000, 1);
  const optimizer = new Adam(model.parameters(), { lr: 5e-4 });
  return trainingStep(() => membraneLoss(model.forward(encode(x)), y), optimizer);
}

/** A step of a network, on spikes that are drawn anew: those that it has learned by heart make neurons fire in half of all steps. */
function drawn(network: Omit<Network, "name">): () => void {
  const { step, prepare } = workloadOf({ ...network, name: network.kind }, 1);
  return () => {
    prepare?.();
    step();
  };
}

warmup();
const steps = {
  static: () => mnist(encoder("current", 25)),
  poisson: () => mnist(encoder("poisson", 25)),
  recurrent: () =>
    drawn({ kind: "recurrent", T: 100, batch: 64, percent: 2, widths: [700, 256], pixels: 0, kernel: 0 }),
  conv: () => drawn({ kind: "conv", T: 10, batch: 64, percent: 5, widths: [2, 12, 30], pixels: 28, kernel: 5 }),
};
const rows: Rows = {};
for (const [name, make] of Object.entries(steps)) {
  const { under, after } = await busy(make(), threads);
  rows[`${name} under`] = { value: under };
  rows[`${name} after`] = { value: after };
}
await threads(1);
report(rows);
