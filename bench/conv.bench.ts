/** Convolutions: dense ones as shares of the mul+add peak, and the step of a network that classifies MNIST. */
import {
  Adam,
  Conv2d,
  constantEncode,
  conv2d,
  crossEntropy,
  Flatten,
  LIF,
  Linear,
  MaxPool2d,
  manualSeed,
  noGrad,
  parameter,
  rand,
  Sequential,
  surrogate,
  tape,
  warmup,
} from "jarvis-snn";
import { type Contender, calls, interleave } from "./support/interleave.ts";
import { peakProbe, shareOfPeak } from "./support/probes.ts";
import { race } from "./support/race.ts";
import { type Measured, type Rows, report } from "./support/report.ts";
import { leaky, mnistBatch, mnistFiles, trainingStep } from "./support/training.ts";

const B = 128;

const T = 50;
const ROUNDS = 15;

/** The second convolution of the network, on images and weights without zeros. */
async function products(): Promise<Rows> {
  const [channels, filters, kernel, places] = [12, 64, 5, 8];
  const size = places + kernel - 1;
  const flops = 2 * B * filters * places ** 2 * channels * kernel ** 2;
  const x = parameter(rand([B, channels, size, size]));
  const weight = parameter(rand([filters, channels, kernel, kernel]));
  const dz = rand([B, filters, places, places]);
  const forward = calls("forward", () => void noGrad(() => conv2d(x, weight).data));
  const gradients: Contender = {
    name: "gradients",
    measure() {
      for (const leaf of [x, weight]) leaf.zeroGrad();
      return tape(() => {
        const z = conv2d(x, weight);
        const start = performance.now();
        z.backward(dz);
        return performance.now() - start;
      });
    },
  };
  const run = await interleave([peakProbe, forward, gradients], ROUNDS);
  const measured = ({ name }: Contender, flops: number): Measured => ({
    value: shareOfPeak(run, name, flops),
    times: run.medians(name, peakProbe.name),
  });
  return { forward: measured(forward, flops), gradients: measured(gradients, 2 * flops) };
}

async function network(): Promise<Rows> {
  manualSeed(0);
  const neurons = () => new LIF({ ...leaky(0.5), surrogate: surrogate.fastSigmoid({ slope: 25 }) });
  const model = new Sequential(
    ...[new Conv2d(1, 12, 5), new MaxPool2d(2), neurons()],
    ...[new Conv2d(12, 64, 5), new MaxPool2d(2), neurons()],
    ...[new Flatten(2), new Linear(1024, 10), neurons()],
  );
  const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
  const { x, y } = mnistBatch(B);
  const images = x.reshape([B, 1, 28, 28]);
  const labels = Int32Array.from({ length: T * B }, (_, i) => y[i % B] as number);
  const step = trainingStep(
    () => crossEntropy(model.forward(constantEncode(images, { timesteps: T })), labels),
    optimizer,
  );
  return race("conv", { step: { step, rounds: 3 } }, { args: mnistFiles() });
}

warmup();
const steps = await network();
report({ ...(await products()), ...steps });
