/** The step of snnTorch's tutorial 5 on MNIST, with the image as a constant current and as Poisson spikes. */
import { Adam, manualSeed, type Tensor, warmup } from "jarvis-snn";
import { encoder, MnistNetwork, membraneLoss } from "../demos/mnist/network.ts";
import { race, type Workload } from "./support/race.ts";
import { report } from "./support/report.ts";
import { mnistBatch, mnistFiles, trainingStep } from "./support/training.ts";

const { x, y } = mnistBatch(128);

function workload(encode: (x: Tensor) => Tensor): Workload {
  manualSeed(0);
  const model = new MnistNetwork(784, 1000, 1);
  const optimizer = new Adam(model.parameters(), { lr: 5e-4 });
  const step = trainingStep(() => membraneLoss(model.forward(encode(x)), y), optimizer);
  return { step, rounds: 11 };
}

warmup();
const workloads = { static: workload(encoder("current", 25)), poisson: workload(encoder("poisson", 25)) };
report(await race("mnist", workloads, { args: mnistFiles() }));
