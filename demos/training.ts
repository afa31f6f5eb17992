/** What the demos that train classifiers share: the loop, and the lines it prints. */
import {
  Adam,
  accuracy,
  crossEntropy,
  DataLoader,
  type EpochReport,
  evaluate,
  type FitOptions,
  fit,
  type Module,
  OneCycleLR,
  TensorDataset,
} from "jarvis-snn";
import { progressBar } from "./options.ts";

export type Callbacks = Pick<FitOptions, "onBatch" | "onEpoch">;

/** Samples and class indices. */
export type Samples = TensorDataset<Uint8Array>;

export interface Training {
  /** Maps a batch to logits [B, K]. */
  model: Module;
  train: Samples;
  test: Samples;
  epochs: number;
  batchSize: number;
  /** The top of the one cycle of the learning rate. */
  lr: number;
}

/** Samples of a test batch: activations of all time steps of a batch are in memory at once. */
const TEST_BATCH = 250;

/**
 * Trains by cross-entropy with Adam. The learning rate rises for a fifth of all steps and then falls to zero, so that the last
 * epoch takes small steps. The reports of the epochs carry the test accuracy as `validation`.
 */
export function trainClassifier(training: Training, { onBatch, onEpoch }: Callbacks = {}): Promise<EpochReport[]> {
  const { model, train, test, epochs, batchSize, lr } = training;
  const loader = new DataLoader(train, { batchSize, shuffle: true, dropLast: train.length >= batchSize });
  const testLoader = new DataLoader(test, { batchSize: TEST_BATCH });
  const optimizer = new Adam(model.parameters(), { lr });
  const stepsPerEpoch = loader.length;
  const schedule = { maxLr: lr, epochs, stepsPerEpoch, pctStart: 0.2, divFactor: 10, cycleMomentum: false };
  const scheduler = new OneCycleLR(optimizer, schedule);
  return fit(model, loader, {
    epochs,
    optimizer,
    loss: (logits, y) => crossEntropy(logits, y),
    validate: () => evaluate(model, testLoader, accuracy),
    onBatch(report) {
      scheduler.step();
      onBatch?.(report);
    },
    ...(onEpoch ? { onEpoch } : {}),
  });
}

/** Samples at the end of a training set that serve to choose settings. */
const HELD = 5000;

/** The flag that says on which samples accuracy is measured. Settings of the demos were chosen on the validation set. */
export const MEASURE = {
  kind: "choice",
  default: "test" as string,
  of: ["test", "validation"],
  help: "measure on the test set, or on training samples left out",
} as const;

/** A training set without its last 5000 samples (half of them, if it has fewer than twice as many), and these, without a copy. */
export function holdOut({ x, y, length, shape, scale }: Samples): { train: Samples; test: Samples } {
  const at = length - Math.min(HELD, Math.floor(length / 2));
  const size = x.length / length;
  const part = (start: number, end: number): Samples =>
    new TensorDataset(x.subarray(start * size, end * size), (y as Uint8Array).subarray(start, end), { shape, scale });
  return { train: part(0, at), test: part(at, length) };
}

/** Batches of an epoch of {@link trainClassifier}. */
export const batchesOf = ({ train, batchSize }: Training): number =>
  Math.max(1, Math.floor(train.length / batchSize));

/** Shows a bar while an epoch runs, and prints a line behind it; `digits` are those of its training time in seconds. */
export function epochPrinter(epochs: number, batches: number, digits = 1): Required<Callbacks> {
  let start = performance.now();
  let trained = start;
  return {
    onBatch({ epoch, batch }) {
      progressBar(`epoch ${epoch}/${epochs}`, batch, batches);
      if (batch === batches) trained = performance.now();
    },
    onEpoch({ epoch, loss, validation = Number.NaN }) {
      const seconds = (trained - start) / 1000;
      console.log(
        `epoch=${epoch} loss=${loss.toFixed(4)} test_acc=${validation.toFixed(4)} train_s=${seconds.toFixed(digits)}`,
      );
      start = performance.now();
    },
  };
}
