/** Tutorial 5's network with weights of few bits. */
import {
  Adam,
  accuracy,
  DataLoader,
  fit,
  type Module,
  manualSeed,
  noGrad,
  readSafetensors,
  saveSafetensors,
} from "jarvis-snn";
import { dequantizedState, quantize, quantizedState, type WeightBits } from "jarvis-snn/quantize";
import { encoder, MnistNetwork, membraneLoss } from "../mnist/network.ts";
import type { Callbacks, Samples } from "../training.ts";

export const BATCH = 128;

export interface Task {
  train: Samples;
  test: Samples;
  epochs: number;
  hidden: number;
  timesteps: number;
  seed: number;
  perChannel?: boolean;
}

/** How many bits a weight has; null for floats. */
export type Bits = WeightBits | null;

export const nameOf = (bits: Bits): string => (bits === null ? "float" : String(bits));

/** A network with weights of so many bits; the same floats under them for one seed. */
function networkOf({ train, hidden, seed, perChannel = true }: Task, bits: Bits): MnistNetwork {
  manualSeed(seed);
  const model = new MnistNetwork(train.shape[0] as number, hidden, 1);
  return bits === null ? model : quantize(model, { weights: { bits, perChannel } });
}

/** Trains in the same order whatever the bits. Returns the model, and its accuracy behind each epoch. */
export async function trained(
  task: Task,
  bits: Bits,
  { onBatch, onEpoch, progress }: Callbacks = {},
): Promise<{ model: MnistNetwork; accuracies: number[] }> {
  const { train, epochs, timesteps } = task;
  const model = networkOf(task, bits);
  const accuracies: number[] = [];
  await fit(model, new DataLoader(train, { batchSize: BATCH, shuffle: true, dropLast: train.length >= BATCH }), {
    epochs,
    optimizer: new Adam(model.parameters(), { lr: 5e-4 }),
    encode: encoder("current", timesteps),
    loss: membraneLoss,
    ...(onBatch && { onBatch }),
    ...(progress && { progress }),
    onEpoch(report) {
      accuracies.push(measured(model, task));
      return onEpoch?.({ ...report, validation: accuracies.at(-1) as number });
    },
  });
  return { model, accuracies };
}

/** Accuracy on the test data, by the sum of the membrane over time. */
export function measured(model: Module, { test, timesteps }: Pick<Task, "test" | "timesteps">): number {
  const encode = encoder("current", timesteps);
  let right = 0;
  for (const { x, y } of new DataLoader(test, { batchSize: BATCH })) {
    noGrad(() => {
      right += y.length * accuracy(model.forward(encode(x)).sum({ axis: 0 }), y);
    });
  }
  return right / test.length;
}

/** The file of a model: floats, or integers and scales. */
export const fileOf = (model: Module, bits: Bits): Uint8Array =>
  saveSafetensors(bits === null ? model.stateDict() : quantizedState(model));

/** The accuracy of a network of floats that has loaded the file. */
export function measuredOf(file: Uint8Array, task: Task): number {
  const model = networkOf(task, null);
  model.loadStateDict(dequantizedState(readSafetensors(file).arrays));
  return measured(model, task);
}
