/** Images through the network of tutorial 5: all time steps in one call, of one image and of 128, and step by step as a stream comes in. */
import {
  constantEncode,
  type LIF,
  type Linear,
  manualSeed,
  noGrad,
  Stream,
  spikeCount,
  type Tensor,
  warmup,
} from "jarvis-snn";
import { MnistNetwork } from "../demos/mnist/network.ts";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { mnistBatch, mnistFiles } from "./support/training.ts";

const T = 25;

manualSeed(0);
const { x } = mnistBatch(1);
const { x: images } = mnistBatch(128);
const model = new MnistNetwork(784, 1000, 1);
const [hidden, out] = model.linears as [Linear, Linear];
const [first, last] = model.neurons as [LIF, LIF];

const batch = (x: Tensor) => (): void => {
  noGrad(() => spikeCount(model.unroll(constantEncode(x, { timesteps: T })).spikes).toFloat32Array());
};

const steps = new Stream([hidden, first, out, last], [1, 784]);
const image = x.toFloat32Array();
const counts = new Float32Array(10);

/** Every step is read out before the next one comes: nothing is known ahead, not even that the image stays the same. */
function stream(): void {
  counts.fill(0);
  steps.reset();
  for (let t = 0; t < T; t++) {
    const spikes = steps.step(image);
    for (let i = 0; i < 10; i++) counts[i] = (counts[i] as number) + (spikes[i] as number);
  }
}

warmup();
const workloads = {
  batch: { step: batch(x), rounds: 21 },
  many: { step: batch(images), rounds: 11 },
  stream: { step: stream, rounds: 15 },
};
report(await race("inference", workloads, { args: mnistFiles() }));
