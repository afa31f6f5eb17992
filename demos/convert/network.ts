import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  DataLoader,
  Flatten,
  Linear,
  noGrad,
  ReLU,
  Sequential,
  TensorDataset,
} from "jarvis-snn";
import { SpikingReLU } from "jarvis-snn/quantize";
import type { Samples } from "../training.ts";

const CLASSES = 10;
const SIDE = 28;

/** Samples as images with one channel, [1, 28, 28]. */
export const images = ({ x, y, scale }: Samples): Samples => new TensorDataset(x, y, { shape: [1, SIDE, SIDE], scale });

/** A network without spikes: two convolutions with batch normalisation, ReLU and an average each, and a linear layer. */
export function reluNetwork([first, second]: readonly [number, number]): Sequential {
  return new Sequential(
    ...[new Conv2d(1, first, 5), new BatchNorm2d(first), new ReLU(), new AvgPool2d(2)],
    ...[new Conv2d(first, second, 5), new BatchNorm2d(second), new ReLU(), new AvgPool2d(2)],
    ...[new Flatten(), new Linear(16 * second, CLASSES)],
  );
}

/** After each number of steps, from 1 on. */
export interface OverTime {
  /** The share of right answers. */
  readonly accuracy: readonly number[];
  /** Spikes per image up to then. */
  readonly spikes: readonly number[];
}

/** Images of a batch: the currents of all their steps are in memory at once. */
const BATCH = 100;

/** Runs a spiking network on all samples, once. `onBatch` is told how many batches are done, of how many. */
export function runOverTime(
  network: Sequential,
  samples: Samples,
  onBatch: (done: number, of: number) => void = () => {},
): OverTime {
  const loader = new DataLoader(samples, { batchSize: BATCH });
  const hits: number[] = [];
  const spikes: number[] = [];
  let done = 0;
  for (const { x, y } of loader) {
    noGrad(() => {
      let z = x;
      for (const module of network.modules) {
        z = module.forward(z);
        if (!(module instanceof SpikingReLU)) continue;
        const perStep = z.flatten(1).sum({ axis: 1 }).toFloat32Array();
        for (const [t, count] of perStep.entries()) spikes[t] = (spikes[t] ?? 0) + count;
      }
      const answers = z.argmax({ axis: -1 }).toFloat32Array(); // [T, B]
      for (const [i, answer] of answers.entries()) {
        const t = Math.floor(i / y.length);
        hits[t] = (hits[t] ?? 0) + (answer === y[i % y.length] ? 1 : 0);
      }
    });
    onBatch(++done, loader.length);
  }
  loader.dispose();
  let sum = 0;
  return {
    accuracy: hits.map((count) => count / samples.length),
    spikes: spikes.map((count) => {
      sum += count;
      return sum / samples.length;
    }),
  };
}
