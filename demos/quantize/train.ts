/** Tutorial 5's network with weights of few bits. */
import { Adam, accuracy, DataLoader, type FitOptions, fit, manualSeed, noGrad } from "jarvis-snn";
import { type QuantizeOptions, quantize } from "jarvis-snn/quantize";
import { encoder, MnistNetwork, membraneLoss } from "../mnist/network.ts";
import type { Samples } from "../training.ts";

const BATCH = 128;

export interface Settings {
  train: Samples;
  test: Samples;
  epochs: number;
  hidden: number;
  timesteps: number;
  seed: number;
  /** Null for floats. */
  options: QuantizeOptions | null;
}

export interface Trained {
  model: MnistNetwork;
  /** By the sum of the membrane over time, after each epoch. */
  accuracies: number[];
}

/** A network, trained on the same weights, order and settings whatever its bits. */
export async function trainQuantized(
  { train, test, epochs, hidden, timesteps, seed, options }: Settings,
  {
    onBatch,
    onEpoch,
  }: Pick<FitOptions, "onBatch"> & { onEpoch?: (epoch: number, loss: number, accuracy: number) => void } = {},
): Promise<Trained> {
  manualSeed(seed);
  const model = new MnistNetwork(train.shape[0] as number, hidden, 1);
  if (options !== null) quantize(model, options);
  const encode = encoder("current", timesteps);
  const loader = new DataLoader(train, { batchSize: BATCH, shuffle: true, dropLast: train.length >= BATCH });
  const accuracies: number[] = [];
  await fit(model, loader, {
    epochs,
    optimizer: new Adam(model.parameters(), { lr: 5e-4 }),
    encode,
    loss: membraneLoss,
    ...(onBatch && { onBatch }),
    onEpoch({ epoch, loss }) {
      const measured = measure(model, test, timesteps);
      accuracies.push(measured);
      onEpoch?.(epoch, loss, measured);
    },
  });
  return { model, accuracies };
}

/** Accuracy by the sum of the membrane over time. */
export function measure(model: MnistNetwork, test: Samples, timesteps: number): number {
  const encode = encoder("current", timesteps);
  let right = 0;
  for (const { x, y } of new DataLoader(test, { batchSize: BATCH })) {
    noGrad(() => {
      right += y.length * accuracy(model.forward(encode(x)).sum({ axis: 0 }), y);
    });
  }
  return right / test.length;
}
